//! What staff do with a campaign: make, edit, publish, extend once, close, cancel (domain section 2).

use chrono::{DateTime, NaiveDate, Utc};

mod opening;
mod told;

pub use opening::{Opening, missing_for_publication, open_if_due, publish, schedule};
pub use told::{Told, tell_everybody};

use super::batches;
use super::desk::{Concerns, Desk, Problem, enqueue, happened, lock_campaign, offer, takes_orders};
use super::interest;
use super::judgement::{fail, outlook};
use crate::domain::campaign::{BatchState, CampaignState, Failure};
use crate::domain::day::is_before_day;
use crate::domain::draft::{CampaignDraft, CampaignInput, FieldError, lock_violations};
use crate::domain::ids::{CampaignId, MerchantId, OptionId};
use crate::store::campaigns::{BatchRow, CampaignRow, OptionRow};
use crate::store::{Tx, campaigns, jobs, merchants, orders};

/// Makes a draft of a campaign.
///
/// # Errors
/// Everything that is wrong with the input; a taken address.
pub fn create(
    tx: &mut Tx,
    merchant: MerchantId,
    input: CampaignInput,
) -> Result<CampaignRow, Problem> {
    let draft = input.check(tx.now).map_err(Problem::Invalid)?;
    suppliers_exist(tx, merchant, &draft)?;
    let now = tx.now.naive_utc();
    let row = CampaignRow {
        id: CampaignId::new(),
        merchant_id: merchant,
        slug: free_slug(tx, &draft, None)?,
        title: draft.title.clone(),
        currency: draft.currency.code().to_owned(),
        state: CampaignState::Draft,
        failure: None,
        failure_note: None,
        spec: serde_json::to_string(&draft)?,
        opens_at: draft.opens_at.map(|at| at.naive_utc()),
        deadline: draft.deadline.naive_utc(),
        extended_at: None,
        closed_at: None,
        published_at: None,
        first_order_at: None,
        waiting_for: None,
        orders: 0,
        open_payments: 0,
        committed_units: 0,
        collected_units: 0,
        collected_orders: 0,
        best_step_told: 0,
        version: 1,
        created_at: now,
        updated_at: now,
        last_sign_at: None,
    };
    let batch = BatchRow::gathering(row.id, 1);
    let options = option_rows(row.id, &draft, &[]);
    campaigns::insert(tx.conn, &row, &options, &batch)?;
    Ok(row)
}

fn option_rows(id: CampaignId, draft: &CampaignDraft, old: &[OptionRow]) -> Vec<OptionRow> {
    draft
        .options
        .iter()
        .zip(0..)
        .map(|(option, position)| {
            let before = old.iter().find(|o| o.sku == option.sku);
            OptionRow {
                id: before.map_or_else(OptionId::new, |o| o.id),
                campaign_id: id,
                position,
                sku: option.sku.clone(),
                cap: option.cap.map(i64::from),
                taken: before.map_or(0, |o| o.taken),
                committed: before.map_or(0, |o| o.committed),
                collected: before.map_or(0, |o| o.collected),
            }
        })
        .collect()
}

/// The address wished for, or one made of the title that nobody has.
fn free_slug(
    tx: &mut Tx,
    draft: &CampaignDraft,
    own: Option<CampaignId>,
) -> Result<String, Problem> {
    let wish = draft.slug_or_title();
    let is_free = |tx: &mut Tx, slug: &str| -> Result<bool, Problem> {
        Ok(campaigns::by_slug(tx.conn, slug)?.is_none_or(|other| Some(other.id) == own))
    };
    if is_free(tx, &wish)? {
        return Ok(wish);
    }
    if draft.slug.is_some() {
        return Err(Problem::field(
            "slug",
            format!("Another campaign has the address {wish}; choose another."),
        ));
    }
    for n in 2..1000 {
        let slug = format!("{wish}-{n}");
        if is_free(tx, &slug)? {
            return Ok(slug);
        }
    }
    Err(Problem::field(
        "slug",
        "Choose an address; those made of the title are taken.",
    ))
}

fn suppliers_exist(
    tx: &mut Tx,
    merchant: MerchantId,
    draft: &CampaignDraft,
) -> Result<(), Problem> {
    let mut errors = Vec::new();
    for (i, id) in draft.supplier_ids.iter().enumerate() {
        if merchants::supplier(tx.conn, *id)?.is_none_or(|s| s.merchant_id != merchant) {
            errors.push(FieldError::new(
                format!("supplier_ids[{i}]"),
                "There is no such supplier; make it first.",
            ));
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::Invalid(errors))
    }
}

/// The merchant's own campaign with this address, locked.
///
/// # Errors
/// [`Problem::NotFound`], also where it is another merchant's.
pub fn own(tx: &mut Tx, merchant: MerchantId, slug: &str) -> Result<CampaignRow, Problem> {
    let row = campaigns::by_slug(tx.conn, slug)?
        .filter(|c| c.merchant_id == merchant)
        .ok_or(Problem::NotFound("campaign"))?;
    lock_campaign(tx, row.id)
}

/// Edits a campaign: everything while it is a draft; less once it is published; after the first order only what the
/// domain leaves open (`locked`).
///
/// # Errors
/// Everything that is wrong with the input; `locked`; a campaign that has ended.
pub fn edit(
    tx: &mut Tx,
    merchant: MerchantId,
    slug: &str,
    input: CampaignInput,
) -> Result<CampaignRow, Problem> {
    let mut row = own(tx, merchant, slug)?;
    if !matches!(
        row.state,
        CampaignState::Draft
            | CampaignState::Interest
            | CampaignState::Scheduled
            | CampaignState::Open
            | CampaignState::Collecting
    ) {
        return Err(Problem::conflict(
            "campaign-ended",
            "This campaign can't be changed any more.",
        ));
    }
    let old = offer(&row)?;
    // A state conflict is told before a bad field.
    let new = match input.check_change(tx.now, &old) {
        Ok(new) => new,
        Err(errors) => return Err(Problem::Invalid(errors)),
    };
    may_become(tx, &row, &old, &new)?;
    suppliers_exist(tx, merchant, &new)?;
    let before = campaigns::options_of(tx.conn, row.id)?;
    caps_hold(&before, &new)?;
    // An address that was published stays: links to it are out in the world.
    if row.published_at.is_none() {
        row.slug = free_slug(tx, &new, Some(row.id))?;
    }
    let now = tx.now.naive_utc();
    row.title = new.title.clone();
    row.currency = new.currency.code().to_owned();
    row.spec = serde_json::to_string(&new)?;
    row.deadline = new.deadline.naive_utc();
    if matches!(
        row.state,
        CampaignState::Draft | CampaignState::Interest | CampaignState::Scheduled
    ) {
        // A time that has passed opens no campaign that asks: that is done on purpose.
        let asks = row.state == CampaignState::Interest;
        let opens_at = new.opens_at.map(|at| at.naive_utc());
        row.opens_at = opens_at.filter(|at| !asks || *at > now);
    }
    row.updated_at = now;
    let options = option_rows(row.id, &new, &before);
    campaigns::save_offer(tx.conn, &row, &options)?;
    super::waiting::freed(tx, row.id)?;
    if row.published_at.is_some() {
        enqueue(tx, jobs::CAMPAIGN, &row.id.to_string(), now)?;
    }
    tx.touch(row.id);
    lock_campaign(tx, row.id)
}

/// What an offer cannot become any more: what was settled by publication, by the first order, or by a judgement.
fn may_become(
    tx: &mut Tx,
    row: &CampaignRow,
    old: &CampaignDraft,
    new: &CampaignDraft,
) -> Result<(), Problem> {
    if row.first_order_at.is_some() {
        let violations = lock_violations(old, new);
        if !violations.is_empty() {
            return Err(Problem::locked(violations));
        }
    }
    if row.state == CampaignState::Collecting && !same_terms(old, new) {
        return Err(Problem::conflict(
            "locked",
            "The campaign was judged: options, prices, steps, threshold, shipping and tax are settled.",
        ));
    }
    if row.state == CampaignState::Open
        && !same_terms(old, new)
        && batches::is_settling(tx.conn, row.id)?
    {
        return Err(Problem::conflict(
            "locked",
            "A batch was judged just now and its prices are being settled. Save this again in a few minutes.",
        ));
    }
    if row.published_at.is_some()
        && (new.time_zone != old.time_zone || new.currency != old.currency)
    {
        return Err(Problem::conflict(
            "locked",
            "Time zone and currency are fixed at publication.",
        ));
    }
    if row.published_at.is_some() && new.interest != old.interest {
        return Err(Problem::conflict(
            "locked",
            "Whether it asks first who would buy is fixed at publication.",
        ));
    }
    Ok(())
}

/// A cap leaves room for what is taken of its option.
fn caps_hold(before: &[OptionRow], new: &CampaignDraft) -> Result<(), Problem> {
    for option in before {
        let cap = new
            .options
            .iter()
            .find(|o| o.sku == option.sku)
            .and_then(|o| o.cap);
        if let Some(cap) = cap
            && i64::from(cap) < option.taken
        {
            let message = format!(
                "{} of {} are taken already; the cap can't be lower.",
                option.taken, option.sku
            );
            return Err(Problem::conflict("locked", message));
        }
    }
    Ok(())
}

/// Whether what everybody pays, and for what, is the same.
fn same_terms(old: &CampaignDraft, new: &CampaignDraft) -> bool {
    old.options == new.options
        && old.steps == new.steps
        && old.threshold == new.threshold
        && old.shipping == new.shipping
        && old.tax == new.tax
}

/// Extends the deadline, once, before it passes. Every shopper is told and may leave for a full refund.
///
/// # Errors
/// A conflict where it was extended, closed or judged before; wrong dates.
pub fn extend(
    tx: &mut Tx,
    merchant: MerchantId,
    slug: &str,
    deadline: DateTime<Utc>,
    promised_ship_date: Option<NaiveDate>,
) -> Result<CampaignRow, Problem> {
    let row = own(tx, merchant, slug)?;
    let now = tx.now.naive_utc();
    if row.extended_at.is_some() {
        return Err(Problem::conflict(
            "already-extended",
            "The deadline was extended once already; it can't be moved again.",
        ));
    }
    if !takes_orders(&row, now) {
        return Err(Problem::conflict(
            "campaign-closed",
            "The deadline can be extended only while the campaign takes orders.",
        ));
    }
    let mut draft = offer(&row)?;
    let ships_by = promised_ship_date.unwrap_or(draft.promised_ship_date);
    let errors = wrong_dates(&row, &draft, deadline, ships_by);
    if !errors.is_empty() {
        return Err(Problem::Invalid(errors));
    }
    draft.deadline = deadline;
    draft.promised_ship_date = ships_by;
    let spec = serde_json::to_string(&draft)?;
    if !campaigns::extend(tx.conn, row.id, deadline.naive_utc(), &spec, now)? {
        return Err(Problem::conflict(
            "campaign-closed",
            "The deadline passed while you were writing.",
        ));
    }
    let said = format!(
        "The deadline moved to {}.",
        deadline
            .with_timezone(&draft.time_zone)
            .format("%-d %B %Y, %H:%M")
    );
    happened(tx, Concerns::campaign(&row), "staff", "extended", said)?;
    enqueue(tx, jobs::CAMPAIGN, &row.id.to_string(), now)?;
    enqueue(tx, jobs::EXTENSION_TOLD, &row.id.to_string(), now)?;
    // A card that was good until the old deadline may end before the new one.
    enqueue(tx, jobs::CARDS_END, &row.id.to_string(), now)?;
    tx.touch(row.id);
    lock_campaign(tx, row.id)
}

/// What is wrong with the dates of an extension, field by field.
fn wrong_dates(
    row: &CampaignRow,
    draft: &CampaignDraft,
    deadline: DateTime<Utc>,
    ships_by: NaiveDate,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if deadline.naive_utc() <= row.deadline {
        errors.push(FieldError::new(
            "deadline",
            "Write a moment after the present deadline.",
        ));
    }
    if ships_by < draft.promised_ship_date {
        errors.push(FieldError::new(
            "promised_ship_date",
            "An extension can move the ship date later, not earlier.",
        ));
    }
    if !is_before_day(deadline, ships_by, draft.time_zone) {
        errors.push(FieldError::new(
            "deadline",
            format!("It must lie before the promised ship date, {ships_by}."),
        ));
    }
    if ships_by >= draft.stop_loss_date {
        errors.push(FieldError::new(
            "promised_ship_date",
            format!(
                "It must lie before the stop-loss date, {}.",
                draft.stop_loss_date
            ),
        ));
    }
    errors
}

/// Ends joining before the deadline, once the threshold is collected: what is held is paid or runs out, then it is
/// judged.
///
/// # Errors
/// A conflict where the threshold is not collected yet, or joining has ended.
pub fn close(tx: &mut Tx, merchant: MerchantId, slug: &str) -> Result<CampaignRow, Problem> {
    let row = own(tx, merchant, slug)?;
    let now = tx.now.naive_utc();
    if !takes_orders(&row, now) {
        return Err(Problem::conflict(
            "campaign-closed",
            "Joining has ended already.",
        ));
    }
    let draft = offer(&row)?;
    // With further batches one has come together already; the one that gathers is judged as at the deadline.
    let before = campaigns::batches_of(tx.conn, row.id)?.len() > 1;
    if !before && !outlook(tx.conn, &row, &draft)?.succeeds {
        return Err(Problem::conflict(
            "threshold-not-reached",
            "A campaign can be closed before its deadline once the threshold is paid, options under their minimum left out. To end it without an order, cancel it.",
        ));
    }
    if !campaigns::close(tx.conn, row.id, now)? {
        return Err(Problem::conflict(
            "campaign-closed",
            "Joining has ended already.",
        ));
    }
    super::changes::end_of_joining(tx, row.id)?;
    happened(
        tx,
        Concerns::campaign(&row),
        "staff",
        "closed",
        "Joining was closed by the merchant.",
    )?;
    enqueue(tx, jobs::CAMPAIGN, &row.id.to_string(), now)?;
    tx.touch(row.id);
    lock_campaign(tx, row.id)
}

/// Cancels a campaign: everybody gets the money back, open payment pages are expired. A batch of which goods have arrived
/// goes on, where there is another one to cancel.
///
/// # Errors
/// A conflict where it has ended; a missing reason.
pub fn cancel(
    desk: &Desk,
    tx: &mut Tx,
    merchant: MerchantId,
    slug: &str,
    reason: &str,
) -> Result<CampaignRow, Problem> {
    let row = own(tx, merchant, slug)?;
    if matches!(row.state, CampaignState::Failed | CampaignState::Completed) {
        return Err(Problem::conflict(
            "campaign-ended",
            "This campaign has ended already.",
        ));
    }
    if row.state == CampaignState::Draft {
        return Err(Problem::conflict(
            "not-published",
            "A draft was never shown; there is nothing to cancel.",
        ));
    }
    let batches: Vec<_> = campaigns::batches_of(tx.conn, row.id)?
        .into_iter()
        .filter(|batch| {
            matches!(
                batch.state,
                BatchState::Gathering | BatchState::Collecting | BatchState::Ordered
            )
        })
        .collect();
    if batches.is_empty() {
        return Err(Problem::conflict(
            "wrong-state",
            "Goods have arrived, so the campaign is not cancelled as a whole. Say of the batch that the rest will not be shipped: it is refunded at once.",
        ));
    }
    let reason = crate::domain::text::clean_text(reason, 500)
        .map_err(|message| Problem::field("reason", message))?;
    if reason.is_empty() {
        return Err(Problem::field(
            "reason",
            "Write the reason; the shoppers read it.",
        ));
    }
    for batch in &batches {
        fail(desk, tx, &row, batch, Failure::Cancelled, Some(&reason))?;
    }
    if matches!(
        row.state,
        CampaignState::Interest | CampaignState::Scheduled
    ) {
        interest::tell_all(tx, &row, interest::Told::Cancelled)?;
    }
    // Now, not when each order's turn comes: nobody should still be able to pay.
    let now = tx.now.naive_utc();
    for (order, attempt) in orders::close_pages_of_campaign(tx.conn, row.id)? {
        enqueue(
            tx,
            jobs::PAYMENT,
            &super::desk::payment_subject(order, attempt),
            now,
        )?;
    }
    lock_campaign(tx, row.id)
}
