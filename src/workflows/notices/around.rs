//! What the delay rule is asked with: a batch and what surrounds it, and orders with their promises and notices.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;

use super::super::batches;
use super::super::desk::{Desk, Problem, offer};
use super::super::letters::About;
use super::super::part::unshipped_price;
use crate::domain::day::{day_of, instant};
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::{BatchId, OrderId};
use crate::domain::order::OrderState;
use crate::domain::promise::{Case, Goods, Notice, Promise, day_after};
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::merchants::MerchantRow;
use crate::store::notices::{self, NoticeRow};
use crate::store::orders::{LineRow, OrderRow};
use crate::store::promises::{self, PromiseRow, Promised};
use crate::store::{Conn, Tx, campaigns, merchants, orders};

/// When refunds that nobody asked for begin on their day, on the clocks of the campaign's zone (domain section 6).
const SIX: NaiveTime = match NaiveTime::from_hms_opt(6, 0, 0) {
    Some(six) => six,
    None => NaiveTime::MIN,
};

/// 06:00 of a day.
pub(in crate::workflows) fn morning_of(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    instant(day.and_time(SIX), zone)
}

/// The next 06:00.
pub(super) fn next_morning(now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let today = day_of(now, zone);
    let six = morning_of(today, zone);
    if six > now {
        six
    } else {
        morning_of(day_after(today), zone)
    }
}

/// The day whose automatic refunds have begun: before 06:00 still the day before.
pub(super) fn refund_day(now: DateTime<Utc>, zone: Tz) -> NaiveDate {
    let today = day_of(now, zone);
    if morning_of(today, zone) <= now {
        today
    } else {
        today.pred_opt().unwrap_or(today)
    }
}

/// A batch with its campaign, the offer and its seller.
pub(super) struct Around {
    pub campaign: CampaignRow,
    pub batch: BatchRow,
    pub draft: CampaignDraft,
    pub merchant: MerchantRow,
    /// The campaign's title in letters, with the batch where there are several.
    pub title: String,
}

impl Around {
    pub fn read(conn: &mut Conn, id: BatchId) -> Result<Around, Problem> {
        let batch = campaigns::batch(conn, id)?.ok_or(Problem::NotFound("batch"))?;
        let campaign = campaigns::by_id(conn, batch.campaign_id)?;
        let campaign = campaign.ok_or(Problem::NotFound("campaign"))?;
        let merchant = merchants::by_id(conn, campaign.merchant_id)?;
        Ok(Around {
            title: batches::title(conn, &campaign, batch.id)?,
            draft: offer(&campaign)?,
            merchant: merchant.ok_or(Problem::NotFound("merchant"))?,
            campaign,
            batch,
        })
    }

    /// As [`Around::read`], with the campaign locked for the rest of the transaction.
    pub fn lock(tx: &mut Tx, id: BatchId) -> Result<Around, Problem> {
        let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
        campaigns::hold(tx.conn, batch.campaign_id)?;
        Around::read(tx.conn, id)
    }

    /// What every letter to an order's shopper knows.
    pub fn about(&self, desk: &Desk, order: &OrderRow) -> About {
        About {
            campaign: self.title.clone(),
            ..desk.about(&self.merchant, &self.campaign, &self.draft, order)
        }
    }

    pub fn zone(&self) -> Tz {
        self.draft.time_zone
    }

    pub fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        day_of(now, self.zone())
    }
}

/// An order with its promise and its notices.
pub(super) struct Subject {
    pub order: OrderRow,
    pub promise: PromiseRow,
    pub rows: Vec<NoticeRow>,
    /// The rows as the delay rule reads them.
    notices: Vec<Notice>,
    /// Its lines, where a part of it was shipped.
    lines: Vec<LineRow>,
}

impl Subject {
    fn new(
        order: OrderRow,
        promise: PromiseRow,
        rows: Vec<NoticeRow>,
        lines: Vec<LineRow>,
        zone: Tz,
    ) -> Subject {
        let notices = rows.iter().map(|row| row.notice(zone)).collect();
        Subject {
            order,
            promise,
            rows,
            notices,
            lines,
        }
    }

    /// The order before the delay rule.
    pub fn case(&self) -> Case<'_> {
        Case {
            promise: self.promise.promise(),
            notices: &self.notices,
            goods: Goods::of(self.order.state),
        }
    }

    /// The promise as the notices and their answers make it.
    pub fn following(&self) -> Promise {
        self.promise.promise().following(&self.notices)
    }

    pub fn is_part_shipped(&self) -> bool {
        Goods::of(self.order.state) == Goods::PartShipped
    }

    /// What goes back if everything unshipped leaves now, minor units.
    pub fn back(&self) -> Result<i64, Problem> {
        if self.is_part_shipped() {
            unshipped_price(&self.order, &self.lines)
        } else {
            Ok(self.order.money().kept().max(0))
        }
    }
}

/// An order with its promise; none where it was never paid.
pub(super) fn subject(
    conn: &mut Conn,
    order: OrderRow,
    zone: Tz,
) -> Result<Option<Subject>, Problem> {
    let Some(promise) = promises::of_order(conn, order.id)? else {
        return Ok(None);
    };
    let rows = notices::of_order(conn, order.id)?;
    let lines = orders::lines_of(conn, order.id)?;
    Ok(Some(Subject::new(order, promise, rows, lines, zone)))
}

/// A round of orders, with two reads for all of them.
pub(super) fn subjects(
    conn: &mut Conn,
    some: Vec<Promised>,
    zone: Tz,
) -> Result<Vec<Subject>, Problem> {
    let ids: Vec<OrderId> = some.iter().map(|(promise, _)| promise.order_id).collect();
    let mut rows: HashMap<OrderId, Vec<NoticeRow>> = HashMap::new();
    for row in notices::of_orders(conn, &ids)? {
        rows.entry(row.order_id).or_default().push(row);
    }
    let parts: Vec<OrderId> = some
        .iter()
        .filter(|(_, order)| order.state == OrderState::PartlyShipped)
        .map(|(_, order)| order.id)
        .collect();
    let mut lines: HashMap<OrderId, Vec<LineRow>> = HashMap::new();
    if !parts.is_empty() {
        for line in orders::lines_of_all(conn, &parts)? {
            lines.entry(line.order_id).or_default().push(line);
        }
    }
    Ok(some
        .into_iter()
        .map(|(promise, order)| {
            let rows = rows.remove(&order.id).unwrap_or_default();
            let lines = lines.remove(&order.id).unwrap_or_default();
            Subject::new(order, promise, rows, lines, zone)
        })
        .collect())
}

/// The last order of a round, while there are more.
pub(super) fn cursor(some: &[Promised], limit: i64) -> Option<OrderId> {
    let full = i64::try_from(some.len()).unwrap_or(0) == limit;
    some.last()
        .filter(|_| full)
        .map(|(promise, _)| promise.order_id)
}

/// States of orders that are paid and not shipped whole.
pub(super) const UNSHIPPED: [OrderState; 3] = [
    OrderState::Confirmed,
    OrderState::Backordered,
    OrderState::PartlyShipped,
];

/// States of orders of which something was shipped.
pub(super) const SHIPPED: [OrderState; 3] = [
    OrderState::PartlyShipped,
    OrderState::Shipped,
    OrderState::Delivered,
];
