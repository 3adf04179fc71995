//! What is looked after once a purchase order was sent: silence, a refusal nobody dealt with, goods that do not come.

use chrono::{DateTime, Duration, Utc};

use super::super::desk::{Concerns, Desk, Post, Problem, merchant, offer};
use super::super::eta::passes_at;
use super::super::letters::Letter;
use super::issue::said;
use super::{Document, last_date_of};
use crate::domain::day::day_end;
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::PurchaseOrderId;
use crate::domain::purchase_order::PurchaseOrderState;
use crate::store::campaigns::CampaignRow;
use crate::store::etas::EtaRow;
use crate::store::merchants::MerchantRow;
use crate::store::purchase_orders::PurchaseOrderRow;
use crate::store::{Tx, campaigns, purchase_orders};

/// Days after a refusal on which staff are told again.
const TOLD_AGAIN_ON: [i64; 3] = [1, 3, 5];

/// Does what a purchase order's state and the days ask for. When to look again.
///
/// # Errors
/// What the database says.
pub fn watch(
    desk: &Desk,
    tx: &mut Tx,
    id: PurchaseOrderId,
) -> Result<Option<DateTime<Utc>>, Problem> {
    use PurchaseOrderState as S;
    let Some(row) = purchase_orders::by_id(tx.conn, id)? else {
        return Ok(None);
    };
    match row.state {
        S::Sent => unanswered(desk, tx, &row),
        S::Rejected => rejected(desk, tx, &row),
        S::Acknowledged | S::InProduction | S::InTransit => overdue(desk, tx, &row),
        S::Draft | S::PartlyReceived | S::Received | S::Closed | S::Cancelled | S::Replaced => {
            Ok(None)
        }
    }
}

fn concerns(tx: &mut Tx, row: &PurchaseOrderRow) -> Result<Concerns, Problem> {
    let batch = campaigns::batch(tx.conn, row.batch_id)?.ok_or(Problem::NotFound("batch"))?;
    Ok(Concerns {
        merchant: row.merchant_id,
        campaign: Some(batch.campaign_id),
        order: None,
    })
}

fn place_of(row: &PurchaseOrderRow) -> String {
    format!("/admin/purchase-orders/{}", row.id)
}

/// The supplier has not answered: reminded on the third day, staff told on the fifth.
fn unanswered(
    desk: &Desk,
    tx: &mut Tx,
    row: &PurchaseOrderRow,
) -> Result<Option<DateTime<Utc>>, Problem> {
    let Some(sent_at) = row.sent_at else {
        return Ok(None);
    };
    let merchant: MerchantRow = merchant(tx, row.merchant_id)?;
    let document: Document = serde_json::from_str(&row.document)?;
    let days = (tx.now.naive_utc() - sent_at).num_days();
    let number = said(row);
    let concerns = concerns(tx, row)?;
    if days >= 3 {
        desk.post(
            tx,
            Post {
                once: format!("purchase_order_reminder:{}:{}", row.id, row.version),
                to: &document.supplier_email,
                reply_to: Some(&merchant.email),
                concerns: Some(concerns),
                purchase_order: Some(row.id),
                letter: Letter::PurchaseOrderReminder {
                    merchant: merchant.name.clone(),
                    supplier: document.supplier.clone(),
                    number: number.clone(),
                    units: row.units,
                    issued_at: sent_at.and_utc(),
                    link: desk.links.supplier_url(row.id, row.version),
                },
            },
        )?;
    }
    if days >= 5 {
        desk.tell_staff(
            tx,
            concerns,
            &format!("unanswered:{}:{}", row.id, row.version),
            &format!("{} has not answered {number} for 5 days", document.supplier),
            vec![format!(
                "{number} over {} units was sent and reminded. Call them.",
                row.units
            )],
            &format!("/admin/purchase-orders/{}", row.id),
        )?;
        return Ok(None);
    }
    let next = if days < 3 { 3 } else { 5 };
    Ok(Some((sent_at + Duration::days(next)).and_utc()))
}

fn rejected(
    desk: &Desk,
    tx: &mut Tx,
    row: &PurchaseOrderRow,
) -> Result<Option<DateTime<Utc>>, Problem> {
    let Some(at) = row.rejected_at else {
        return Ok(None);
    };
    let days = (tx.now.naive_utc() - at).num_days();
    if let Some(day) = TOLD_AGAIN_ON.iter().rfind(|day| days >= **day) {
        tell_rejected(desk, tx, row, *day)?;
    }
    let next = TOLD_AGAIN_ON.iter().find(|day| days < **day);
    Ok(next.map(|day| (at + Duration::days(*day)).and_utc()))
}

/// Tells staff that a supplier said no: at once (day 0) and again while nobody chose another.
pub(super) fn tell_rejected(
    desk: &Desk,
    tx: &mut Tx,
    row: &PurchaseOrderRow,
    day: i64,
) -> Result<(), Problem> {
    let document: Document = serde_json::from_str(&row.document)?;
    let concerns = concerns(tx, row)?;
    let subject = match day {
        0 => format!("{} rejected {}", document.supplier, said(row)),
        1 => format!("{} rejected {} a day ago", document.supplier, said(row)),
        n => format!("{} rejected {} {n} days ago", document.supplier, said(row)),
    };
    let why = row.rejected_because.clone().unwrap_or_default();
    desk.tell_staff(
        tx,
        concerns,
        &format!("rejected:{}:{day}", row.id),
        &subject,
        vec![
            format!("{} units are with nobody. Their reason: {why}", row.units),
            "Send it to another supplier, or agree with this one and send a new version.".to_owned(),
            "Nothing is refunded by itself yet: the ship date that shoppers were promised and the stop-loss date stand."
                .to_owned(),
        ],
        &place_of(row),
    )
}

/// The day the supplier promised has passed, and nothing was counted: staff are told, once for each day promised.
fn overdue(
    desk: &Desk,
    tx: &mut Tx,
    row: &PurchaseOrderRow,
) -> Result<Option<DateTime<Utc>>, Problem> {
    let last = last_date_of(tx.conn, row.batch_id, row.id)?;
    let Some(arrives) = last.and_then(|date| date.arrives) else {
        return Ok(None);
    };
    let concerns = concerns(tx, row)?;
    let campaign = concerns.campaign.map(|id| campaigns::by_id(tx.conn, id));
    let campaign = campaign.transpose()?.flatten();
    let campaign = campaign.ok_or(Problem::NotFound("campaign"))?;
    let passed = day_end(arrives, offer(&campaign)?.time_zone);
    if tx.now < passed {
        return Ok(Some(passed));
    }
    let document: Document = serde_json::from_str(&row.document)?;
    desk.tell_staff(
        tx,
        concerns,
        &format!("overdue:{}:{arrives}", row.id),
        &format!("{} of {} has not arrived", said(row), document.supplier),
        vec![
            format!(
                "{} units were to arrive on {}, and none were counted.",
                row.units,
                arrives.format("%-d %B %Y")
            ),
            "If they are there, count them. If not, ask for a new date: a date that has passed counts as not known."
                .to_owned(),
        ],
        &place_of(row),
    )?;
    Ok(None)
}

/// Tells staff that a supplier's date waits for them.
pub(super) fn tell_date(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    row: &PurchaseOrderRow,
    date: &EtaRow,
    terms: &CampaignDraft,
) -> Result<(), Problem> {
    let day = |day: Option<chrono::NaiveDate>| {
        day.map_or_else(
            || "not known".to_owned(),
            |d| d.format("%-d %B %Y").to_string(),
        )
    };
    let promised = terms.promised_ship_date;
    let late = date
        .ship_date
        .map_or(0, |ships| (ships - promised).num_days());
    let mut lines = vec![
        format!(
            "{} arrives on {}: {}",
            said(row),
            day(date.arrives),
            date.reason
        ),
        format!(
            "With {} days of handling, parcels go out on {}.",
            terms.handling_days,
            day(date.ship_date)
        ),
    ];
    if late > 0 {
        lines.push(format!(
            "That is {late} days after {}, the day first promised to shoppers.",
            day(Some(promised))
        ));
    }
    lines.push(format!(
        "Pass it on, change it or keep it to yourselves until {}; then it is passed on by itself.",
        passes_at(date).format("%-d %B %Y, %H:%M UTC")
    ));
    desk.tell_staff(
        tx,
        Concerns::campaign(campaign),
        &format!("date:{}", date.id),
        &format!("{} names a date: {}", date.set_by, day(date.arrives)),
        lines,
        &place_of(row),
    )
}
