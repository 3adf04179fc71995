//! The one decision on a batch, and what it means for each of its orders (domain sections 2 and 3).

use std::collections::BTreeMap;

use super::cancel::leave;
use super::desk::{
    Concerns, Desk, Problem, ends_at, enqueue, happened, lock_campaign, merchant, offer,
};
use super::join::FrozenQuote;
use super::letters::{Letter, LetterLine, WhyFailed};
use super::money::{self, nonzero_said, say};
use super::part::cost_of;
use super::payment::{frozen, letter_lines, say_threshold};
use super::purchase;
use crate::domain::campaign::{BatchState, CampaignEvent, CampaignState, Failure};
use crate::domain::country::Country;
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::{BatchId, CampaignId, OptionId};
use crate::domain::money::thousands;
use crate::domain::order::OrderState;
use crate::domain::payment::RefundPurpose;
use crate::domain::price::{
    PriceTable, Tally, Threshold, final_unit_price, refund_difference, tally,
};
use crate::domain::tariff::QuoteLine;
use crate::store::campaigns::{BatchRow, CampaignRow, OptionRow};
use crate::store::merchants::MerchantRow;
use crate::store::orders::OrderRow;
use crate::store::{Conn, Tx, campaigns, jobs, orders};

/// Prices by option.
///
/// # Errors
/// What the database says.
pub fn prices(
    conn: &mut Conn,
    campaign: CampaignId,
    draft: &CampaignDraft,
) -> Result<BTreeMap<OptionId, PriceTable>, Problem> {
    Ok(table(&campaigns::options_of(conn, campaign)?, draft))
}

fn table(rows: &[OptionRow], draft: &CampaignDraft) -> BTreeMap<OptionId, PriceTable> {
    rows.iter()
        .filter_map(|row| {
            let option = draft.options.iter().find(|o| o.sku == row.sku)?;
            Some((row.id, option.prices.clone()))
        })
        .collect()
}

/// What the paid units of a campaign's batch come to.
///
/// # Errors
/// What the database says.
pub fn tally_of(
    conn: &mut Conn,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
) -> Result<Tally, Problem> {
    let rows = campaigns::options_of(conn, campaign.id)?;
    let units: Vec<(OptionId, i64)> = rows.iter().map(|o| (o.id, o.collected)).collect();
    tally(&draft.steps, &table(&rows, draft), units.iter().copied())
        .map_err(|e| Problem::Internal(e.to_string()))
}

/// What a tally comes to in the threshold's own kind, as people read it.
pub fn say_counted(tally: &Tally, draft: &CampaignDraft) -> String {
    let counted = tally.counted(draft.threshold);
    match draft.threshold {
        Threshold::Units(_) => thousands(u64::try_from(counted).unwrap_or(0)),
        Threshold::Amount(_) => say(counted, draft.currency.code()),
    }
}

/// What came of asking for the judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// Joining has not ended yet.
    TooEarly,
    /// Payment pages may still be paid: they are waited for.
    Waiting,
    /// It was decided, now or before.
    Decided,
}

/// Judges the campaign's batch, once, after joining has ended and every order held before is settled. Outcome, units
/// and draft purchase order are committed in the caller's transaction.
///
/// # Errors
/// What the database says.
pub fn judge(desk: &Desk, tx: &mut Tx, id: CampaignId) -> Result<Judged, Problem> {
    let campaign = lock_campaign(tx, id)?;
    let now = tx.now.naive_utc();
    if campaign.state != CampaignState::Open {
        return Ok(Judged::Decided);
    }
    if now < ends_at(&campaign) {
        return Ok(Judged::TooEarly);
    }
    if campaign.open_payments > 0 {
        let pages = campaign.open_payments;
        let why = format!(
            "{pages} payment {} may still be paid; the provider is asked about {}.",
            if pages == 1 { "page" } else { "pages" },
            if pages == 1 { "it" } else { "each" },
        );
        if campaign.waiting_for.as_deref() != Some(&why) {
            campaigns::set_waiting(tx.conn, id, Some(&why))?;
            tx.touch(id);
        }
        return Ok(Judged::Waiting);
    }
    let draft = offer(&campaign)?;
    let batch = campaigns::batch_of(tx.conn, id)?
        .ok_or_else(|| Problem::Internal(format!("campaign {id} has no batch")))?;
    let paid = orders::paid_units(tx.conn, batch.id)?;
    let table = prices(tx.conn, id, &draft)?;
    let sum = tally(&draft.steps, &table, paid.iter().copied())
        .map_err(|e| Problem::Internal(e.to_string()))?;
    let step = i32::try_from(sum.step).unwrap_or(i32::MAX);
    campaigns::set_judged(tx.conn, batch.id, Some(step), sum.units, now)?;
    if sum.meets(draft.threshold) {
        succeed(tx, &campaign, &batch, &draft, &paid, &sum)?;
    } else {
        let why = format!("{} of {}", say_counted(&sum, &draft), say_threshold(&draft));
        fail(desk, tx, &campaign, Failure::Missed, Some(&why))?;
    }
    Ok(Judged::Decided)
}

fn succeed(
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    draft: &CampaignDraft,
    paid: &[(OptionId, i64)],
    sum: &Tally,
) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    let to = campaign.state.after(CampaignEvent::Succeeded)?;
    campaigns::move_state(tx.conn, campaign.id, campaign.state, to, None, now)?;
    campaigns::move_batch(
        tx.conn,
        batch.id,
        BatchState::Gathering,
        BatchState::Collecting,
    )?;
    purchase::draft(tx, campaign, batch, draft, paid)?;
    happened(
        tx,
        Concerns::campaign(campaign),
        "system",
        "judged",
        format!(
            "The threshold of {} is paid: {} units at the price from {}.",
            say_threshold(draft),
            sum.units,
            draft.steps.counts()[sum.step]
        ),
    )?;
    tx.touch(campaign.id);
    enqueue(tx, jobs::CAMPAIGN, &campaign.id.to_string(), now)?;
    enqueue(tx, jobs::SETTLE, &batch.id.to_string(), now)
}

/// Ends a campaign with everybody's money going back. What it means for each order follows as work.
///
/// # Errors
/// A conflict where the campaign's state does not allow it; what the database says.
pub fn fail(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    failure: Failure,
    note: Option<&str>,
) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    let to = campaign.state.after(CampaignEvent::Failed(failure))?;
    campaigns::move_state(
        tx.conn,
        campaign.id,
        campaign.state,
        to,
        Some((failure, note)),
        now,
    )?;
    if let Some(batch) = campaigns::batch_of(tx.conn, campaign.id)? {
        campaigns::move_batch(tx.conn, batch.id, batch.state, BatchState::Failed)?;
        campaigns::set_settled(tx.conn, batch.id, None)?;
        campaigns::set_blocked(tx.conn, batch.id, None, None, 0)?;
        orders::unsettle(tx.conn, batch.id)?;
        purchase::cancel_all(desk, tx, batch.id)?;
        enqueue(tx, jobs::SETTLE, &batch.id.to_string(), now)?;
    }
    let said = match failure {
        Failure::Missed => "The threshold was missed. Everybody gets the money back.",
        Failure::Cancelled => "The campaign was cancelled. Everybody gets the money back.",
        Failure::Shortfall => "Nothing was left to order. Everybody gets the money back.",
        Failure::Supplier => {
            "The supplier's order could not be placed. Everybody gets the money back."
        }
        Failure::StopLoss => "The last day has passed. What was not shipped is refunded.",
    };
    happened(tx, Concerns::campaign(campaign), "system", "failed", said)?;
    tx.touch(campaign.id);
    Ok(())
}

/// How many orders are settled in one transaction.
const CHUNK: i64 = 50;

/// Applies the outcome to some more orders of a batch; whether there are more. Each is settled once: its final price
/// and the difference back, or everything back.
///
/// # Errors
/// What the database says.
pub fn settle(desk: &Desk, tx: &mut Tx, id: BatchId) -> Result<bool, Problem> {
    let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign = lock_campaign(tx, batch.campaign_id)?;
    let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    if batch.settled_at.is_some() || batch.state == BatchState::Gathering {
        return Ok(false);
    }
    let draft = offer(&campaign)?;
    let merchant = merchant(tx, campaign.merchant_id)?;
    let outcome = Outcome {
        desk,
        campaign: &campaign,
        batch: &batch,
        draft: &draft,
        merchant: &merchant,
        prices: prices(tx.conn, campaign.id, &draft)?,
    };
    let some = orders::unsettled(tx.conn, id, CHUNK)?;
    for order in &some {
        let mut order = order.clone();
        if batch.state == BatchState::Failed {
            outcome.give_back(tx, &mut order)?;
        } else {
            outcome.final_price(tx, &mut order)?;
        }
        order.settled = true;
        money::keep(tx, &mut order)?;
    }
    let more = i64::try_from(some.len()).unwrap_or(0) == CHUNK;
    if !more {
        let now = tx.now.naive_utc();
        campaigns::set_settled(tx.conn, id, Some(now))?;
    }
    Ok(more)
}

/// An order of a failed campaign whose payment came before its turn: everything goes back now, and it is never said to
/// be confirmed.
///
/// # Errors
/// What the database says.
pub fn settle_paid_late(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &mut OrderRow,
) -> Result<(), Problem> {
    let batch = campaigns::batch(tx.conn, order.batch_id)?.ok_or(Problem::NotFound("batch"))?;
    let draft = offer(campaign)?;
    let merchant = merchant(tx, campaign.merchant_id)?;
    let outcome = Outcome {
        desk,
        campaign,
        batch: &batch,
        draft: &draft,
        merchant: &merchant,
        prices: BTreeMap::new(),
    };
    outcome.give_back(tx, order)?;
    order.settled = true;
    money::keep(tx, order)
}

/// What a batch's outcome is applied with.
struct Outcome<'a> {
    desk: &'a Desk,
    campaign: &'a CampaignRow,
    batch: &'a BatchRow,
    draft: &'a CampaignDraft,
    merchant: &'a MerchantRow,
    prices: BTreeMap<OptionId, PriceTable>,
}

impl Outcome<'_> {
    /// Everybody finally pays the price of the step judged, never more than the one shown when they joined; the
    /// difference goes back in one refund.
    fn final_price(&self, tx: &mut Tx, order: &mut OrderRow) -> Result<(), Problem> {
        if !matches!(order.state, OrderState::Confirmed | OrderState::Backordered) {
            return Ok(());
        }
        let step = usize::try_from(self.batch.step.unwrap_or(0)).unwrap_or(0);
        let agreed = frozen(order)?;
        let lines = orders::lines_of(tx.conn, order.id)?;
        let mut kept = Vec::with_capacity(lines.len());
        for frozen in &agreed.lines {
            // In the quote's order, so that tax is rounded line by line as it was at joining.
            let line = lines
                .iter()
                .find(|l| l.sku == frozen.sku)
                .ok_or_else(|| Problem::Internal(format!("order {} lost a line", order.id)))?;
            let at_step = self
                .prices
                .get(&line.option_id)
                .map_or(line.unit_price, |p| p.price_at(step));
            let price = final_unit_price(line.unit_price, at_step);
            orders::set_final_price(tx.conn, order.id, line.option_id, price)?;
            kept.push(QuoteLine {
                unit_price: price,
                quantity: line.quantity,
            });
        }
        if lines.iter().any(|l| l.cancelled > 0) {
            return self.final_price_of_rest(tx, order, &agreed);
        }
        let country = Country::parse(&order.country)
            .ok_or_else(|| Problem::Internal(format!("{} is not a country", order.country)))?;
        let back = refund_difference(order.total, &kept, country, &agreed.tariff)
            .map_err(|e| Problem::Internal(e.to_string()))?;
        // Given back already, as the provider told after an old backup was restored: that stands.
        let back = order.final_total.map_or(back, |total| order.total - total);
        order.final_total = Some(order.total - back);
        let given = self.give_difference(tx, order, back)?;
        let prices: Vec<i64> = kept.iter().map(|k| k.unit_price).collect();
        let letter = Letter::Succeeded {
            about: self
                .desk
                .about(self.merchant, self.campaign, self.draft, order),
            lines: letter_lines(&agreed, Some(&prices), &order.currency),
            shipping: nonzero_said(agreed.quote.shipping, &order.currency),
            total: say(order.total - back, &order.currency),
            charged: say(order.total, &order.currency),
            back: nonzero_said(given, &order.currency),
            ships_by: self.draft.promised_ship_date,
        };
        self.desk
            .tell_shopper(tx, self.merchant, order, "succeeded", letter)
    }

    /// As [`Outcome::final_price`], of an order of which some units left before: what the rest costs by itself at the
    /// final prices, which are kept already.
    fn final_price_of_rest(
        &self,
        tx: &mut Tx,
        order: &mut OrderRow,
        agreed: &FrozenQuote,
    ) -> Result<(), Problem> {
        let lines = orders::lines_of(tx.conn, order.id)?;
        let costs = cost_of(order, &lines, |line| line.units().wanted())?;
        let total = order.final_total.unwrap_or(order.total).min(costs.total);
        order.final_total = Some(total);
        let keep = total - order.allowances - order.lost;
        let given = money::refund_down_to(tx, order, RefundPurpose::Difference, keep)?;
        let left: Vec<LetterLine> = agreed
            .lines
            .iter()
            .filter_map(|frozen| {
                let line = lines.iter().find(|l| l.sku == frozen.sku)?;
                let units = line.units().wanted();
                let price = line.final_price.unwrap_or(line.unit_price);
                (units > 0).then(|| LetterLine {
                    quantity: units,
                    name: frozen.name.clone(),
                    amount: say(price * units, &order.currency),
                })
            })
            .collect();
        let letter = Letter::Succeeded {
            about: self
                .desk
                .about(self.merchant, self.campaign, self.draft, order),
            lines: left,
            shipping: nonzero_said(costs.shipping, &order.currency),
            total: say(total, &order.currency),
            charged: say(order.charged, &order.currency),
            back: nonzero_said(given, &order.currency),
            ships_by: self.draft.promised_ship_date,
        };
        self.desk
            .tell_shopper(tx, self.merchant, order, "succeeded", letter)
    }

    /// Commits the refund of the difference; how much that is. Of what a lost dispute took nothing is left to give back.
    fn give_difference(
        &self,
        tx: &mut Tx,
        order: &mut OrderRow,
        back: i64,
    ) -> Result<i64, Problem> {
        // The page whose payment made the order count: the first one that is paid and not given back as late.
        let paid = money::rest_of_pages(tx, order)?
            .into_iter()
            .find(|(_, rest)| *rest > 0);
        let Some((attempt, rest)) = paid.filter(|_| back > 0) else {
            return Ok(0);
        };
        let given = back.min(rest);
        money::commit_refund(tx, order, attempt, RefundPurpose::Difference, given)?;
        happened(
            tx,
            Concerns::order(order),
            "system",
            "difference",
            format!(
                "The price fell: {} goes back to the card.",
                say(given, &order.currency)
            ),
        )?;
        Ok(given)
    }

    /// The campaign failed: the order is cancelled and everything it paid goes back.
    fn give_back(&self, tx: &mut Tx, order: &mut OrderRow) -> Result<(), Problem> {
        if !matches!(
            order.state,
            OrderState::Pending | OrderState::Confirmed | OrderState::Backordered
        ) {
            return Ok(());
        }
        let failure = self.campaign.failure.unwrap_or(Failure::Cancelled);
        let purpose = match failure {
            Failure::Missed => RefundPurpose::Missed,
            Failure::Cancelled => RefundPurpose::Cancelled,
            Failure::Shortfall => RefundPurpose::Shortfall,
            Failure::Supplier => RefundPurpose::Supplier,
            Failure::StopLoss => RefundPurpose::StopLoss,
        };
        let note = self.campaign.failure_note.clone().unwrap_or_default();
        let said = match failure {
            Failure::Missed => format!("The campaign did not come together: {note}."),
            Failure::Cancelled => format!("The seller cancelled the campaign: {note}"),
            Failure::Shortfall => "Nothing was left to order.".to_owned(),
            Failure::Supplier => "The supplier's order could not be placed.".to_owned(),
            Failure::StopLoss => "The last day for shipping has passed.".to_owned(),
        };
        happened(
            tx,
            Concerns::order(order),
            "system",
            "campaign_failed",
            said,
        )?;
        let back = leave(tx, self.campaign, order, purpose)?;
        let why = match failure {
            Failure::Missed => WhyFailed::Missed(note),
            Failure::Cancelled => WhyFailed::Cancelled(note),
            Failure::StopLoss => WhyFailed::StopLoss,
            Failure::Shortfall => WhyFailed::Shortfall,
            Failure::Supplier => WhyFailed::Supplier,
        };
        let letter = Letter::Failed {
            about: self
                .desk
                .about(self.merchant, self.campaign, self.draft, order),
            why,
            back: nonzero_said(back, &order.currency),
        };
        self.desk
            .tell_shopper(tx, self.merchant, order, "failed", letter)
    }
}
