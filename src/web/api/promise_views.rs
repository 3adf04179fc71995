//! What one order was promised, as the API shows it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::promise::{Answer, NoticeKind, NoticeState, Silence};
use crate::store::campaigns::CampaignRow;
use crate::store::notices::NoticeRow;
use crate::store::orders::OrderRow;
use crate::store::{Conn, notices, promises};
use crate::workflows::desk::{Problem, offer};
use crate::workflows::payment::frozen;

/// The ship date promised to this shopper.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Promise {
    /// The date in force: the one promised at joining, or the last one agreed to.
    date: NaiveDate,
    /// Whether the shopper keeps waiting without a date.
    open_ended: bool,
    /// The last day: what is not shipped by its end is refunded; null before it is paid.
    #[schema(required)]
    last_day: Option<NaiveDate>,
    /// What was promised when, oldest first.
    history: Vec<Promised>,
}

/// A date, and when the shopper was told.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Promised {
    /// Null: not known.
    #[schema(required)]
    date: Option<NaiveDate>,
    at: DateTime<Utc>,
    /// What the notice was; null for what was promised at joining.
    #[schema(required)]
    kind: Option<NoticeKind>,
    /// Why the date moved.
    #[schema(required)]
    reason: Option<String>,
    /// What saying nothing does; null where nothing is asked.
    #[schema(required)]
    silence: Option<Silence>,
    /// The date that silence agrees to, or the last day to answer.
    #[schema(required)]
    last_day: Option<NaiveDate>,
    #[schema(required)]
    answer: Option<Answer>,
    #[schema(required)]
    answered_at: Option<DateTime<Utc>>,
}

/// What an order was promised, with every notice that was sent.
pub(super) fn promise(
    conn: &mut Conn,
    campaign: &CampaignRow,
    order: &OrderRow,
) -> Result<Promise, Problem> {
    let present = offer(campaign)?.promised_ship_date;
    let shown = frozen(order)?.promised.unwrap_or(present);
    let mut history = vec![Promised {
        date: Some(shown),
        at: order.created_at.and_utc(),
        kind: None,
        reason: None,
        silence: None,
        last_day: None,
        answer: None,
        answered_at: None,
    }];
    let kept = promises::of_order(conn, order.id)?;
    history.extend(
        notices::of_order(conn, order.id)?
            .into_iter()
            .filter(|row| row.state == NoticeState::Sent || row.waited_at.is_some())
            .map(promised),
    );
    let kept = kept.map(|row| row.promise());
    Ok(Promise {
        date: kept.map_or(shown, |promise| promise.due()),
        open_ended: kept.is_some_and(|promise| promise.open_ended),
        last_day: kept.map(|promise| promise.last_day()),
        history,
    })
}

fn promised(row: NoticeRow) -> Promised {
    let (answer, answered_at) = match (row.cancelled_at, row.waited_at) {
        (Some(at), _) => (Some(Answer::Cancel), Some(at)),
        (None, Some(at)) => (Some(Answer::Wait), Some(at)),
        (None, None) => (None, None),
    };
    Promised {
        date: row.revised,
        at: row.sent_at.unwrap_or(row.prepared_at).and_utc(),
        kind: Some(row.kind),
        reason: Some(row.reason),
        silence: row.silence,
        last_day: row.last_day,
        answer,
        answered_at: answered_at.map(|at| at.and_utc()),
    }
}
