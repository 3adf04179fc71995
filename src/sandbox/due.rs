//! What the provider does by itself when a time comes: sessions expire, refunds settle, unanswered disputes are lost.

use super::api::{disputes, refunds, sessions};
use super::books::Books;
use super::errors::{Failure, Reply};
use super::store::{self, Record};

/// The most objects in one go, so that the write lane stays free for requests.
pub const TOGETHER: i64 = 50;

/// Does what is due, up to [`TOGETHER`]; gives how much it was.
pub fn run(b: &mut Books) -> Result<usize, diesel::result::Error> {
    let all = store::due(b.conn, b.now, TOGETHER)?;
    let count = all.len();
    for r in all {
        let id = r.id.clone();
        match settle(b, r) {
            Ok(()) => {}
            Err(Failure::Broken(e)) => return Err(e),
            Err(Failure::Refused(refusal)) => {
                log::error!("sandbox: {id} could not be settled: {}", refusal.message);
                forget(b, &id)?;
            }
        }
    }
    Ok(count)
}

fn settle(b: &mut Books, mut r: Record) -> Reply<()> {
    match r.kind {
        "checkout.session" => sessions::close_unpaid(b, &mut r),
        "refund" => refunds::settle(b, r),
        "dispute" => disputes::decide(b, &mut r, false),
        _ => {
            r.due_at = None;
            Ok(b.save(&r)?)
        }
    }
}

/// An object that cannot be settled must not be tried for ever.
fn forget(b: &mut Books, id: &str) -> Result<(), diesel::result::Error> {
    if let Some(mut r) = store::find(b.conn, id)? {
        r.due_at = None;
        b.save(&r)?;
    }
    Ok(())
}

/// The balance is normal again: refunds that waited for it are due now.
pub fn release_refunds(b: &mut Books) -> Result<(), diesel::result::Error> {
    use diesel::prelude::*;
    use store::object;
    diesel::update(
        object::table
            .filter(object::kind.eq("refund"))
            .filter(object::tag.eq("pending"))
            .filter(object::due_at.is_null()),
    )
    .set(object::due_at.eq(b.now))
    .execute(b.conn)?;
    Ok(())
}
