//! An order that waited, priced anew when units are offered to it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::table::Table;
use super::{FrozenQuote, JoinRequest, Waits};
use crate::domain::draft::PaymentMode;
use crate::domain::payment::PagePlan;
use crate::store::campaigns::CampaignRow;
use crate::store::orders::OrderRow;
use crate::store::{Conn, campaigns, merchants, orders};
use crate::workflows::desk::{Problem, offer};
use crate::workflows::judgement::current_step;

/// What a shopper says yes to when units are offered.
#[derive(Debug, Clone, Default)]
pub struct Accepted {
    /// The total that was shown; a higher one is not charged but shown again.
    pub total: Option<i64>,
    /// The version of the terms that was accepted; none where a program says yes.
    pub terms_version: Option<i32>,
    /// The network address it came from.
    pub from: String,
}

/// What an order that waits is agreed at if it is accepted now, and how it is paid.
///
/// The offer's prices, tariff and promised date as they are now count, not those of the day it was put on the list:
/// nothing was agreed then, nobody was bound, and accepting is a join like any other. The price is that of the step
/// reached without this order, which counted nowhere while it waited.
///
/// # Errors
/// A total over the one agreed to; terms that are not in force; what the database says.
pub fn price_anew(
    conn: &mut Conn,
    campaign: &CampaignRow,
    order: &OrderRow,
    accepted: &Accepted,
    now: DateTime<Utc>,
) -> Result<(FrozenQuote, PaymentMode), Problem> {
    let draft = offer(campaign)?;
    let rows = campaigns::options_of(conn, campaign.id)?;
    let merchant =
        merchants::by_id(conn, order.merchant_id)?.ok_or(Problem::NotFound("merchant"))?;
    let lines = orders::lines_of(conn, order.id)?;
    let wish = JoinRequest {
        campaign: campaign.id,
        named: None,
        email: order.email.clone(),
        name: order.name.clone(),
        address: serde_json::from_str(&order.address)?,
        lines: lines.into_iter().map(|l| (l.sku, l.quantity)).collect(),
        delivery: order.delivery,
        agreed_total: accepted.total,
        terms_version: accepted.terms_version,
        joined_from: accepted.from.clone(),
        form_key: None,
        limit_step: usize::try_from(order.limit_step).ok().filter(|at| *at > 0),
        buys_missing: false,
        waits: Waits::No,
    };
    let table = Table {
        campaign,
        batch: order.batch_id,
        offer: &draft,
        options: rows
            .iter()
            .filter_map(|row| {
                let option = draft.options.iter().find(|o| o.sku == row.sku)?;
                Some((row.sku.as_str(), (row, option)))
            })
            .collect(),
        // Its units are taken already, and the limit was looked at when it was put on the list.
        taken: HashMap::new(),
        waited: HashMap::new(),
        lists: false,
        by_shopper: HashMap::new(),
        terms_version: merchant.terms_version,
        withdrawal: merchant.withdrawal_everywhere,
        plan: PagePlan::at(now, 0),
        step: current_step(conn, campaign, &draft)?,
        on_sale: None,
        now,
    };
    let frozen = table.agree(&wish, &table.lines(&wish)?)?;
    Ok((frozen, table.mode(&wish)))
}
