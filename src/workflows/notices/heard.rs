//! What became of a notice's mail: it counts from when the mail server took it; undelivered it counts as none (domain
//! section 6).

use super::super::desk::{Concerns, Desk, Problem, happened, order_number};
use super::promised::follow;
use crate::domain::ids::MailId;
use crate::domain::promise::{NoticeEvent, NoticeState};
use crate::store::{Tx, campaigns, notices, orders};

/// The kind of the mails that carry notices.
pub const MAIL_KIND: &str = "delay_notice";

/// Keeps whether the mail server took a mail that carries a notice, and what that makes of the promise. Heard again,
/// nothing changes.
///
/// # Errors
/// What the database says.
pub fn mail_heard(desk: &Desk, tx: &mut Tx, mail: MailId, taken: bool) -> Result<(), Problem> {
    let Some(row) = notices::by_mail(tx.conn, mail)? else {
        return Ok(());
    };
    let order = orders::by_id(tx.conn, row.order_id)?.ok_or(Problem::NotFound("order"))?;
    campaigns::hold(tx.conn, order.campaign_id)?;
    let mut row = notices::by_id(tx.conn, row.id)?.ok_or(Problem::NotFound("notice"))?;
    if row.state != NoticeState::Prepared {
        return Ok(());
    }
    let event = if taken {
        NoticeEvent::Taken
    } else {
        NoticeEvent::GivenUp
    };
    row.state = row.state.after(event)?;
    row.sent_at = taken.then(|| tx.now.naive_utc());
    notices::save_state(tx.conn, &row, NoticeState::Prepared)?;
    follow(tx, row.order_id)?;
    if taken {
        return Ok(());
    }
    happened(
        tx,
        Concerns::order(&order),
        "system",
        "notice_undelivered",
        "A mail about the ship date could not be delivered, so it counts for nothing.",
    )?;
    // Once a day and batch: one full mailbox is news, a thousand are the same news.
    let once = format!(
        "undelivered:{}:{}",
        row.batch_id,
        row.prepared_at.format("%Y-%m-%d")
    );
    desk.tell_staff(
        tx,
        Concerns::order(&order),
        &once,
        &format!(
            "The notice to order {} could not be delivered",
            order_number(order.number)
        ),
        vec![
            format!(
                "The mail to {} about the ship date was refused for good. A notice that does not arrive counts as none: unless the order is shipped, it is refunded after its last day.",
                order.email
            ),
            "There may be others: the batch's page counts them.".to_owned(),
        ],
        &format!("/admin/orders/{}", order.id),
    )
}
