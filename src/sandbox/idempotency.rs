//! A key's first answer is its only answer: kept with what was asked, given again for [`KEPT`] seconds, even where it
//! was a 500. Key, effect and answer are one commit.

use diesel::prelude::*;
use diesel::result::Error;
use sha2::{Digest, Sha256};

use super::books::Books;
use super::errors::{Failure, Refusal, Reply};
use super::faults::Api;
use super::store::answer;

/// How long a key is kept, in seconds of the sandbox's clock.
pub const KEPT: i64 = 24 * 3600;

/// What goes back to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON text.
    pub body: String,
    /// Whether it is an earlier answer, told again.
    pub replayed: bool,
}

impl Answer {
    /// A first answer.
    pub fn of(result: Result<serde_json::Value, Refusal>) -> Answer {
        match result {
            Ok(body) => Answer {
                status: 200,
                body: body.to_string(),
                replayed: false,
            },
            Err(r) => Answer {
                status: r.status,
                body: r.body().to_string(),
                replayed: false,
            },
        }
    }
}

/// What two requests must share to be the same: method, address, parameters.
pub fn fingerprint(method: &str, path: &str, parameters: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in [method, "\n", path, "\n", parameters] {
        hash.update(part.as_bytes());
    }
    hash.finalize().to_vec()
}

/// Does `work` once per key and keeps its answer; an earlier answer is given again. A broken book is an error, keeps
/// nothing, and so leaves the key free.
pub fn once(
    b: &mut Books,
    request: Vec<u8>,
    work: impl FnOnce(&mut Books) -> Reply,
) -> Result<Answer, Error> {
    let Some(key) = b.key else {
        return finish(b, work);
    };
    type Kept = (i64, Vec<u8>, i32, String);
    let kept: Option<Kept> = answer::table
        .find(key)
        .select((
            answer::created,
            answer::request,
            answer::status,
            answer::body,
        ))
        .first(b.conn)
        .optional()?;
    match kept {
        Some((created, first, status, body)) if created + KEPT > b.now => {
            if first != request {
                let message = format!(
                    "Keys for idempotent requests can only be used with the same parameters they were first used with. \
                     Try using a key other than '{key}' if you meant to execute a different request."
                );
                return Ok(Answer::of(Err(Refusal::idempotency(message))));
            }
            return Ok(Answer {
                status: status as u16,
                body,
                replayed: true,
            });
        }
        Some(_) => {
            diesel::delete(answer::table.find(key)).execute(b.conn)?;
        }
        None => {}
    }
    let first = finish(b, work)?;
    diesel::insert_into(answer::table)
        .values((
            answer::key.eq(key),
            answer::created.eq(b.now),
            answer::request.eq(request),
            answer::status.eq(i32::from(first.status)),
            answer::body.eq(&first.body),
        ))
        .execute(b.conn)?;
    Ok(first)
}

fn finish(b: &mut Books, work: impl FnOnce(&mut Books) -> Reply) -> Result<Answer, Error> {
    let result = match work(b) {
        Ok(body) => Ok(body),
        Err(Failure::Refused(r)) => Err(*r),
        Err(Failure::Broken(e)) => return Err(e),
    };
    if b.faults.api == Api::ErrorAfterEffect && has_effect(&result) {
        let message =
            "An unknown error occurred (the sandbox was told to answer 500 after the effect).";
        return Ok(Answer::of(Err(Refusal::server(message))));
    }
    Ok(Answer::of(result))
}

/// Whether something was changed: also by a bank's no, which leaves an intent and a failed charge behind.
fn has_effect(result: &Result<serde_json::Value, Refusal>) -> bool {
    match result {
        Ok(_) => true,
        Err(refusal) => refusal.with.contains_key("payment_intent") && refusal.status == 402,
    }
}

/// Forgets keys that are too old; gives how many.
pub fn prune(conn: &mut SqliteConnection, now: i64) -> Result<usize, Error> {
    diesel::delete(answer::table.filter(answer::created.le(now - KEPT))).execute(conn)
}
