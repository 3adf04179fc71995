//! Notices are written: a row, and the mail that carries it, in one transaction.

use chrono::NaiveDate;

use super::super::desk::{Concerns, Desk, Post, Problem};
use super::super::letters::{Delay, Letter};
use super::super::money::say;
use super::super::signs;
use super::around::{Around, Subject};
use crate::domain::ids::{EtaId, NoticeId};
use crate::domain::promise::{NoticeKind, NoticeState, Planned};
use crate::store::Tx;
use crate::store::notices::{self, NoticeRow};

/// What all notices of a round have in common.
pub(super) struct Said<'a> {
    /// Why, as shoppers read it.
    pub reason: &'a str,
    /// The person's name, or `system`.
    pub by: &'a str,
    /// The date that was set, where one was.
    pub eta: Option<EtaId>,
    /// Whether the system writes because nobody else did.
    pub by_system: bool,
}

/// Writes the notices of a round and puts their mails down. The campaign is locked by the caller.
pub(super) fn write(
    desk: &Desk,
    tx: &mut Tx,
    around: &Around,
    said: &Said,
    planned: &[(&Subject, Planned)],
) -> Result<(), Problem> {
    if planned.is_empty() {
        return Ok(());
    }
    let now = tx.now.naive_utc();
    let today = around.today(tx.now);
    let ids: Vec<NoticeId> = planned.iter().map(|_| NoticeId::new()).collect();
    let mut posts = Vec::with_capacity(planned.len());
    for ((subject, plan), id) in planned.iter().zip(&ids) {
        let letter = Letter::Delay {
            about: around.about(desk, &subject.order),
            notice: delay(desk, subject, plan, said, *id, today)?,
        };
        posts.push(Post {
            once: format!("delay:{id}"),
            to: &subject.order.email,
            reply_to: Some(&around.merchant.email),
            concerns: Some(Concerns::order(&subject.order)),
            purchase_order: None,
            letter,
        });
    }
    let mails = desk.post_many(tx, posts)?;
    let rows: Vec<NoticeRow> = planned
        .iter()
        .zip(ids.into_iter().zip(mails))
        .map(|((subject, plan), (id, mail))| NoticeRow {
            id,
            order_id: subject.order.id,
            batch_id: subject.order.batch_id,
            eta_id: said.eta,
            kind: plan.kind,
            state: NoticeState::Prepared,
            replaces: plan.replaces,
            revised: plan.revised,
            stop_loss: plan.stop_loss,
            reason: said.reason.to_owned(),
            sent_by: said.by.to_owned(),
            silence: plan.consequence.map(|c| c.silence),
            last_day: plan.consequence.map(|c| c.last_day),
            waited_at: None,
            cancelled_at: None,
            answered_from: None,
            mail_id: Some(mail),
            prepared_at: now,
            sent_at: None,
            cancelled_from: None,
        })
        .collect();
    notices::insert(tx.conn, &rows)?;
    // What the system says by itself is no sign of life of the seller.
    if !said.by_system {
        signs::sign(tx, &around.campaign)?;
    }
    Ok(())
}

fn delay(
    desk: &Desk,
    subject: &Subject,
    plan: &Planned,
    said: &Said,
    id: NoticeId,
    today: NaiveDate,
) -> Result<Delay, Problem> {
    let token = desk.links.notice_token(id);
    let link = |answer: &str| desk.links.url(&format!("/d/{token}?answer={answer}"));
    Ok(Delay {
        kind: plan.kind,
        replaces: plan.replaces,
        revised: plan.revised,
        reason: said.reason.to_owned(),
        by_system: said.by_system,
        consequence: plan.consequence,
        stop_loss: subject.promise.stop_loss,
        later_stop_loss: plan.stop_loss,
        beyond_stop_loss: plan.beyond_stop_loss,
        back: say(subject.back()?, &subject.order.currency),
        part_shipped: subject.is_part_shipped(),
        may_cancel: plan.kind != NoticeKind::Told || subject.case().may_cancel(today),
        wait_url: link("wait"),
        cancel_url: link("cancel"),
    })
}
