//! What public pages ask: versions to tell whether a kept page is still true, and sums that are told to everybody.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use super::orders::sum_of;
use super::schema::{
    batches, campaigns, journal_entries, journal_postings, orders, promises, purchase_orders,
    shipments,
};
use super::{Conn, StoreError};
use crate::domain::campaign::{CampaignState, Failure};
use crate::domain::ids::{CampaignId, MerchantId};
use crate::domain::shipment::ShipmentKind;

/// The versions of some campaigns: each rises with every change of its public face.
pub fn versions(conn: &mut Conn, ids: &[CampaignId]) -> Result<Vec<(CampaignId, i64)>, StoreError> {
    Ok(campaigns::table
        .filter(campaigns::id.eq_any(ids))
        .select((campaigns::id, campaigns::version))
        .load(conn)?)
}

/// The id, version and merchant of the campaign with this address, where the public sees it.
pub fn published(
    conn: &mut Conn,
    slug: &str,
) -> Result<Option<(CampaignId, i64, MerchantId)>, StoreError> {
    Ok(campaigns::table
        .filter(campaigns::slug.eq(slug))
        .filter(campaigns::state.ne(CampaignState::Draft))
        .select((campaigns::id, campaigns::version, campaigns::merchant_id))
        .first(conn)
        .optional()?)
}

/// How many campaigns there are and what their versions come to, of all merchants or of one: another number means
/// that one of them changed.
pub fn pulse(conn: &mut Conn, merchant: Option<MerchantId>) -> Result<(i64, i64), StoreError> {
    let all = campaigns::table.select((
        diesel::dsl::sql::<diesel::sql_types::BigInt>("COUNT(*)"),
        sum_of("campaigns.version"),
    ));
    let (count, sum): (i64, Option<i64>) = match merchant {
        Some(merchant) => all
            .filter(campaigns::merchant_id.eq(merchant))
            .first(conn)?,
        None => all.first(conn)?,
    };
    Ok((count, sum.unwrap_or(0)))
}

/// What became of the money of a failed campaign's orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GivenBack {
    /// Orders that had been paid.
    pub orders: i64,
    /// Those with nothing on its way any more.
    pub done: i64,
    /// What went back so far, in minor units.
    pub refunded: i64,
}

/// What became of the money of a failed campaign's orders.
pub fn given_back(conn: &mut Conn, campaign: CampaignId) -> Result<GivenBack, StoreError> {
    let paid = orders::table
        .filter(orders::campaign_id.eq(campaign))
        .filter(orders::charged.gt(0))
        .into_boxed();
    let (count, refunded): (i64, Option<i64>) = paid
        .select((
            diesel::dsl::sql::<diesel::sql_types::BigInt>("COUNT(*)"),
            sum_of("orders.refunded"),
        ))
        .first(conn)?;
    let done: i64 = orders::table
        .filter(orders::campaign_id.eq(campaign))
        .filter(orders::charged.gt(0))
        .filter(orders::settled.eq(true))
        .filter(orders::refund_due.eq(0))
        .count()
        .get_result(conn)?;
    Ok(GivenBack {
        orders: count,
        done,
        refunded: refunded.unwrap_or(0),
    })
}

/// Campaigns of a merchant that have ended or gone to the supplier, but for one: state and reason of each.
pub fn ended_of(
    conn: &mut Conn,
    merchant: MerchantId,
    before: NaiveDateTime,
    but: CampaignId,
) -> Result<Vec<(CampaignState, Option<Failure>)>, StoreError> {
    Ok(campaigns::table
        .filter(campaigns::merchant_id.eq(merchant))
        .filter(campaigns::id.ne(but))
        .filter(campaigns::created_at.le(before))
        .filter(campaigns::state.eq_any([
            CampaignState::Ordered,
            CampaignState::Fulfilling,
            CampaignState::Completed,
            CampaignState::Failed,
        ]))
        .filter(campaigns::published_at.is_not_null())
        .select((campaigns::state, campaigns::failure))
        .load(conn)?)
}

/// What a merchant's journal says was captured, and what went back, in one currency.
pub fn flows(
    conn: &mut Conn,
    merchant: MerchantId,
    currency: &str,
) -> Result<(i64, i64), StoreError> {
    let rows: Vec<(String, Option<i64>)> = journal_postings::table
        .inner_join(journal_entries::table)
        .filter(journal_entries::merchant_id.eq(merchant))
        .filter(journal_entries::currency.eq(currency))
        .filter(journal_entries::kind.eq_any([
            "payment_captured",
            "refund_done",
            "refund_undone",
            "refund_paid_otherwise",
        ]))
        .filter(journal_postings::amount.gt(0))
        .group_by(journal_entries::kind)
        .select((journal_entries::kind, sum_of("journal_postings.amount")))
        .load(conn)?;
    let of = |kind: &str| -> i64 {
        let found = rows.iter().find(|(k, _)| k == kind);
        found.and_then(|(_, sum)| *sum).unwrap_or(0)
    };
    let back = of("refund_done") + of("refund_paid_otherwise") - of("refund_undone");
    Ok((of("payment_captured"), back))
}

/// What was charged and what went back in each of these campaigns, in minor units of its currency.
pub fn money_of(
    conn: &mut Conn,
    ids: &[CampaignId],
) -> Result<Vec<(CampaignId, i64, i64)>, StoreError> {
    let rows: Vec<(CampaignId, Option<i64>, Option<i64>)> = orders::table
        .filter(orders::campaign_id.eq_any(ids))
        .group_by(orders::campaign_id)
        .select((
            orders::campaign_id,
            sum_of("orders.charged"),
            sum_of("orders.refunded"),
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, charged, refunded)| (id, charged.unwrap_or(0), refunded.unwrap_or(0)))
        .collect())
}

/// Parcels of a campaign that were handed over at one moment, to shoppers who were promised one day first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// The campaign.
    pub campaign: CampaignId,
    /// When the carrier took them.
    pub handed_over_at: NaiveDateTime,
    /// The day that was promised first; none where it is the campaign's.
    pub promised: Option<NaiveDate>,
    /// How many.
    pub parcels: i64,
}

/// The parcels of these campaigns that were handed over, those sent again left out.
pub fn handovers(conn: &mut Conn, ids: &[CampaignId]) -> Result<Vec<Handover>, StoreError> {
    type Row = (CampaignId, Option<NaiveDateTime>, Option<NaiveDate>, i64);
    let rows: Vec<Row> = shipments::table
        .inner_join(orders::table)
        .left_join(promises::table.on(promises::order_id.eq(shipments::order_id)))
        .filter(orders::campaign_id.eq_any(ids))
        .filter(shipments::kind.eq(ShipmentKind::Order))
        .filter(shipments::handed_over_at.is_not_null())
        .group_by((
            orders::campaign_id,
            shipments::handed_over_at,
            promises::first_date,
        ))
        .select((
            orders::campaign_id,
            shipments::handed_over_at,
            promises::first_date.nullable(),
            diesel::dsl::sql::<diesel::sql_types::BigInt>("COUNT(*)"),
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(campaign, at, promised, parcels)| {
            Some(Handover {
                campaign,
                handed_over_at: at?,
                promised,
                parcels,
            })
        })
        .collect())
}

/// When a supplier's order of a campaign went out, and when the supplier said yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedOrder {
    /// The campaign.
    pub campaign: CampaignId,
    /// When it went out.
    pub sent_at: NaiveDateTime,
    /// When the supplier acknowledged it.
    pub acknowledged_at: Option<NaiveDateTime>,
}

/// The supplier's orders of these campaigns that went out.
pub fn placed_orders(conn: &mut Conn, ids: &[CampaignId]) -> Result<Vec<PlacedOrder>, StoreError> {
    let rows: Vec<(CampaignId, Option<NaiveDateTime>, Option<NaiveDateTime>)> =
        purchase_orders::table
            .inner_join(batches::table)
            .filter(batches::campaign_id.eq_any(ids))
            .filter(purchase_orders::sent_at.is_not_null())
            .select((
                batches::campaign_id,
                purchase_orders::sent_at,
                purchase_orders::acknowledged_at,
            ))
            .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(campaign, sent_at, acknowledged_at)| {
            Some(PlacedOrder {
                campaign,
                sent_at: sent_at?,
                acknowledged_at,
            })
        })
        .collect())
}
