//! What is missing after saved cards were charged, and the merchant's own order that fills it (domain section 2).

use chrono::{DateTime, Utc};

use super::may_buy;
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::CampaignId;
use crate::domain::order::Delivery;
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::merchants::MerchantRow;
use crate::store::{Conn, campaigns};
use crate::workflows::desk::{Problem, offer};
use crate::workflows::join::{Address, JoinRequest, Waits};
use crate::workflows::judgement::{Why, count_missing};

/// What is missing, while the merchant may buy it.
#[derive(Debug, Clone)]
pub struct Gap {
    /// The campaign's offer.
    pub draft: CampaignDraft,
    /// The number of the batch.
    pub batch: i32,
    /// Units, or minor units of goods value, whichever the threshold counts.
    pub missing: i64,
    /// Until when it may be bought.
    pub until: DateTime<Utc>,
    /// What can be bought.
    pub options: Vec<GapOption>,
}

/// An option that the merchant may buy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapOption {
    /// Its code.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// What everybody pays for one, minor units.
    pub price: i64,
    /// Units under its cap; none: no limit.
    pub left: Option<i64>,
}

/// The codes of the options that a batch goes on without: their shoppers were told so.
///
/// # Errors
/// When the batch's row is damaged.
pub fn not_made(batch: &BatchRow) -> Result<Vec<String>, Problem> {
    let why = Why::read(batch)?;
    let gone = why.iter().flat_map(Why::not_made);
    Ok(gone.map(|option| option.sku.clone()).collect())
}

/// Reads what is missing of a campaign and may be bought now.
///
/// # Errors
/// A conflict where nothing is missing or the time for it is over.
pub fn gap(conn: &mut Conn, campaign: &CampaignRow, now: DateTime<Utc>) -> Result<Gap, Problem> {
    let draft = offer(campaign)?;
    let batch = campaigns::batch_of(conn, campaign.id)?.ok_or(Problem::NotFound("batch"))?;
    let until = batch
        .short_until
        .filter(|_| may_buy(campaign, &batch, now.naive_utc()))
        .ok_or(Problem::conflict(
            "nothing-missing",
            "Nothing can be bought for this campaign now: nothing is missing, or the time for it is over.",
        ))?;
    let step = usize::try_from(batch.step.unwrap_or(0)).unwrap_or(0);
    let rows = campaigns::options_of(conn, campaign.id)?;
    let gone = not_made(&batch)?;
    let rows = rows.iter().filter(|row| !gone.contains(&row.sku));
    let options = rows.filter_map(|row| {
        let option = draft.options.iter().find(|o| o.sku == row.sku)?;
        Some(GapOption {
            sku: row.sku.clone(),
            name: option.name.clone(),
            price: option.prices.price_at(step),
            left: row.available(),
        })
    });
    Ok(Gap {
        options: options.collect(),
        batch: batch.number,
        missing: count_missing(conn, campaign, &batch)?,
        until: until.and_utc(),
        draft,
    })
}

/// What a merchant says who buys what is missing.
#[derive(Debug, Clone)]
pub struct OwnOrder {
    /// To whom it goes, and where.
    pub to: (String, Address),
    /// Option codes and quantities.
    pub lines: Vec<(String, i64)>,
    /// Who asks, and from where.
    pub from: String,
    /// What makes a second submit the same order.
    pub form_key: Option<String>,
}

/// The merchant's own order, at the price everybody pays, as a wish to join.
pub fn own_order(merchant: &MerchantRow, campaign: CampaignId, own: OwnOrder) -> JoinRequest {
    let (name, address) = own.to;
    JoinRequest {
        campaign,
        named: None,
        email: merchant.email.trim().to_lowercase(),
        name,
        address,
        lines: own.lines,
        delivery: Delivery::OneParcel,
        agreed_total: None,
        terms_version: None,
        joined_from: own.from,
        form_key: own.form_key,
        limit_step: None,
        buys_missing: true,
        waits: Waits::No,
    }
}
