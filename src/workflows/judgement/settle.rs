//! What a judgement means for each order of its batch: final prices, options that are not produced, one refund; or
//! everything back (domain sections 2 and 3).

use std::collections::BTreeMap;

use super::super::batches;
use super::super::cancel::leave;
use super::super::collect;
use super::super::desk::{
    Concerns, Desk, Problem, enqueue, happened, lock_campaign, merchant, offer,
};
use super::super::join::FrozenQuote;
use super::super::letters::{
    About, AfterDeposit, CardNews, Letter, LetterLine, WhyCancelled, WhyFailed,
};
use super::super::money::{self, nonzero_said, say};
use super::super::part::{cost_of, say_back};
use super::super::payment::{frozen, letter_lines};
use super::{Why, prices};
use crate::domain::campaign::{BatchState, Failure};
use crate::domain::country::Country;
use crate::domain::draft::{CampaignDraft, PaymentMode};
use crate::domain::due::DueKind;
use crate::domain::ids::{BatchId, OptionId};
use crate::domain::order::OrderState;
use crate::domain::payment::{AttemptState, PaymentKind, RefundPurpose};
use crate::domain::price::{PriceTable, final_unit_price, refund_difference};
use crate::domain::tariff::QuoteLine;
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::merchants::MerchantRow;
use crate::store::orders::{LineRow, OrderRow, PaymentRow};
use crate::store::{Tx, campaigns, dues, jobs, orders, stock};

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
        several: !batches::said(tx.conn, &batch)?.is_empty(),
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
        if batch.collecting_since.is_some() && batch.state == BatchState::Collecting {
            enqueue(tx, jobs::COLLECT, &id.to_string(), now)?;
            enqueue(tx, jobs::CAMPAIGN, &campaign.id.to_string(), now)?;
        }
    }
    Ok(more)
}

/// An order of a failed batch whose payment came before its turn: everything goes back now, and it is never said to
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
        several: !batches::said(tx.conn, &batch)?.is_empty(),
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
    /// Whether its campaign has other batches.
    several: bool,
}

impl Outcome<'_> {
    /// What a letter begins with. Where there are several batches it speaks of this one, unless the seller cancelled.
    fn about(&self, order: &OrderRow) -> About {
        let mut about = self
            .desk
            .about(self.merchant, self.campaign, self.draft, order);
        if self.several && self.batch.failure != Some(Failure::Cancelled) {
            about.campaign = format!("{}, batch {}", about.campaign, self.batch.number);
        }
        about
    }

    /// Everybody finally pays the price of the step judged, never more than the one shown when they joined; the
    /// difference goes back in one refund.
    fn final_price(&self, tx: &mut Tx, order: &mut OrderRow) -> Result<(), Problem> {
        if !matches!(order.state, OrderState::Confirmed | OrderState::Backordered) {
            return Ok(());
        }
        if order.limit_step > self.batch.step.unwrap_or(0) {
            return self.release(tx, order);
        }
        let step = usize::try_from(self.batch.step.unwrap_or(0)).unwrap_or(0);
        let agreed = frozen(order)?;
        let lines = orders::lines_of(tx.conn, order.id)?;
        if lines.iter().all(|line| line.units().wanted() == 0) {
            return self.nothing_left(tx, order, &agreed);
        }
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
                weight_grams: frozen.grams(),
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
        let given = match order.mode {
            PaymentMode::ChargeNow if !is_changed(tx, order)? => {
                self.give_difference(tx, order, back)?
            }
            mode => {
                let keep = order.total - back - order.allowances - order.lost;
                let given = money::refund_down_to(tx, order, RefundPurpose::Difference, keep)?;
                if mode == PaymentMode::ChargeNow {
                    say_difference(tx, order, given)?;
                }
                given
            }
        };
        if self.charges(order) {
            return self.charge(tx, order, Vec::new());
        }
        let prices: Vec<i64> = kept.iter().map(|k| k.unit_price).collect();
        let (paid, deposit) = said_paid(order, given, order.total);
        let letter = Letter::Succeeded {
            about: self.about(order),
            lines: letter_lines(&agreed, Some(&prices), &order.currency),
            shipping: nonzero_said(agreed.quote.shipping, &order.currency),
            total: say(order.total - back, &order.currency),
            charged: paid,
            deposit,
            back: nonzero_said(given, &order.currency),
            ships_by: self.draft.promised_ship_date,
            not_made: Vec::new(),
        };
        self.desk
            .tell_shopper(tx, self.merchant, order, "succeeded", letter)
    }

    /// As [`Outcome::final_price`], of an order of which some units left before or are not produced: what the rest costs
    /// by itself at the final prices, which are kept already.
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
        let not_made = not_made(tx, order, agreed)?;
        let purpose = if not_made.is_empty() {
            RefundPurpose::Difference
        } else {
            RefundPurpose::OptionDropped
        };
        let given = money::refund_down_to(tx, order, purpose, keep)?;
        if !not_made.is_empty() {
            say_not_made(tx, order, "option_dropped", &not_made)?;
            say_back(tx, order, given)?;
        }
        if self.charges(order) {
            return self.charge(tx, order, not_made);
        }
        let (paid, deposit) = said_paid(order, given, order.charged);
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
            about: self.about(order),
            lines: left,
            shipping: nonzero_said(costs.shipping, &order.currency),
            total: say(total, &order.currency),
            charged: paid,
            deposit,
            back: nonzero_said(given, &order.currency),
            ships_by: self.draft.promised_ship_date,
            not_made,
        };
        // Told before where this is the second judgement, of what was collected: that one may leave options out.
        let once = if self.batch.collected_at.is_some() {
            "left_out"
        } else {
            "succeeded"
        };
        self.desk
            .tell_shopper(tx, self.merchant, order, once, letter)
    }

    /// Whether an order's price is to be charged to its saved card now.
    fn charges(&self, order: &OrderRow) -> bool {
        order.mode == PaymentMode::ChargeOnSuccess && !order.collected && order.owed > 0
    }

    /// Charges the price to the saved card, as work.
    fn charge(
        &self,
        tx: &mut Tx,
        order: &mut OrderRow,
        not_made: Vec<String>,
    ) -> Result<(), Problem> {
        if !collect::begin(tx, order, DueKind::Success)? {
            return Ok(());
        }
        let card = dues::card_of(tx.conn, order.id)?.map(|card| card.said());
        let lines = orders::lines_of(tx.conn, order.id)?;
        let fell = lines.iter().any(|line| {
            let price = line.final_price.unwrap_or(line.unit_price);
            line.units().wanted() > 0 && price < line.unit_price
        });
        let news = CardNews::Charging {
            amount: say(order.owed, &order.currency),
            card: card.unwrap_or_else(|| "your card".to_owned()),
            at_most: say(order.total, &order.currency),
            fell,
            not_made,
            ships_by: self.draft.promised_ship_date,
        };
        let letter = Letter::Card {
            about: self.about(order),
            news,
        };
        self.desk
            .tell_shopper(tx, self.merchant, order, "charging", letter)
    }

    /// The step that the order waited for was not reached: it leaves, uncharged, and is told so.
    fn release(&self, tx: &mut Tx, order: &mut OrderRow) -> Result<(), Problem> {
        let waited_for = usize::try_from(order.limit_step)
            .ok()
            .and_then(|at| self.draft.steps.counts().get(at))
            .map_or_else(String::new, |units| format!("the price from {units} units"));
        let detail =
            format!("It waited for {waited_for}, which was not reached. Nothing was charged.");
        order.note = Some(detail.clone());
        happened(tx, Concerns::order(order), "system", "released", detail)?;
        leave(tx, self.campaign, order, RefundPurpose::Cancelled)?;
        let letter = Letter::Card {
            about: self.about(order),
            news: CardNews::Released { waited_for },
        };
        self.desk
            .tell_shopper(tx, self.merchant, order, "released", letter)
    }

    /// The campaign came together, and none of what the order is over is produced: it is cancelled, and everything goes
    /// back, shipping included.
    fn nothing_left(
        &self,
        tx: &mut Tx,
        order: &mut OrderRow,
        agreed: &FrozenQuote,
    ) -> Result<(), Problem> {
        let not_made = not_made(tx, order, agreed)?;
        say_not_made(tx, order, "not_made", &not_made)?;
        let back = leave(tx, self.campaign, order, RefundPurpose::OptionDropped)?;
        let letter = Letter::Cancelled {
            about: self.about(order),
            why: WhyCancelled::NotMade(not_made.join(", ")),
            back: nonzero_said(back, &order.currency),
        };
        self.desk
            .tell_shopper(tx, self.merchant, order, "cancelled", letter)
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
        say_difference(tx, order, given)?;
        Ok(given)
    }

    /// The batch failed: the order is cancelled and everything it paid goes back.
    fn give_back(&self, tx: &mut Tx, order: &mut OrderRow) -> Result<(), Problem> {
        if !matches!(
            order.state,
            OrderState::Pending | OrderState::Confirmed | OrderState::Backordered
        ) {
            return Ok(());
        }
        let failure = self.batch.failure.unwrap_or(Failure::Cancelled);
        let purpose = match failure {
            Failure::Missed => RefundPurpose::Missed,
            Failure::Cancelled => RefundPurpose::Cancelled,
            Failure::Shortfall => RefundPurpose::Shortfall,
            Failure::Supplier => RefundPurpose::Supplier,
            Failure::StopLoss => RefundPurpose::StopLoss,
        };
        let note = self.batch.failure_note.clone().unwrap_or_default();
        let said = match failure {
            Failure::Missed if self.several => {
                format!("Batch {} did not come together: {note}.", self.batch.number)
            }
            Failure::Missed => format!("The campaign did not come together: {note}."),
            Failure::Cancelled => format!("The seller cancelled the campaign: {note}"),
            Failure::Shortfall if note.is_empty() => "Nothing was left to order.".to_owned(),
            Failure::Shortfall => format!("Too little was left to order: {note}."),
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
            Failure::Missed => WhyFailed::Missed(match Why::read(self.batch)? {
                Some(why) => why.with_not_made(&note, self.draft),
                None => note,
            }),
            Failure::Cancelled => WhyFailed::Cancelled(note),
            Failure::StopLoss => WhyFailed::StopLoss,
            Failure::Shortfall => WhyFailed::Shortfall(note),
            Failure::Supplier => WhyFailed::Supplier,
        };
        let letter = Letter::Failed {
            about: self.about(order),
            why,
            back: nonzero_said(back, &order.currency),
        };
        self.desk
            .tell_shopper(tx, self.merchant, order, "failed", letter)
    }
}

/// What an order's letter says was paid, and, where that is a deposit, what follows. `paid` is what it is where everything
/// was charged at joining, minor units.
fn said_paid(order: &OrderRow, given: i64, paid: i64) -> (String, Option<AfterDeposit>) {
    if order.mode != PaymentMode::Deposit {
        return (say(paid, &order.currency), None);
    }
    // What the order costs is the deposit and the balance, less what goes back.
    let total = order.final_total.unwrap_or(order.total);
    let balance = nonzero_said(order.owed, &order.currency);
    let deposit = say(total + given - order.owed, &order.currency);
    (deposit, Some(AfterDeposit { balance }))
}

fn say_difference(tx: &mut Tx, order: &OrderRow, given: i64) -> Result<(), Problem> {
    let Some(given) = nonzero_said(given, &order.currency) else {
        return Ok(());
    };
    let detail = format!("The price fell: {given} goes back to the card.");
    happened(tx, Concerns::order(order), "system", "difference", detail)
}

/// Whether an order was paid by more than one page, because it was changed: then no single one may cover what goes back.
fn is_changed(tx: &mut Tx, order: &OrderRow) -> Result<bool, Problem> {
    let pages = orders::payments_of(tx.conn, order.id)?;
    let of_change = |p: &PaymentRow| p.kind == PaymentKind::Change && p.state == AttemptState::Paid;
    Ok(pages.iter().any(of_change))
}

/// What of an order is not produced, such as `2 × Red`, in the quote's order.
fn not_made(tx: &mut Tx, order: &OrderRow, agreed: &FrozenQuote) -> Result<Vec<String>, Problem> {
    let lines: Vec<LineRow> = orders::lines_of(tx.conn, order.id)?;
    let gone = stock::cancellations_of(tx.conn, order.id)?;
    let said = agreed.lines.iter().filter_map(|frozen| {
        let line = lines.iter().find(|l| l.sku == frozen.sku)?;
        let units: i64 = gone
            .iter()
            .filter(|c| c.option_id == line.option_id && c.purpose == RefundPurpose::OptionDropped)
            .map(|c| c.units)
            .sum();
        (units > 0).then(|| format!("{units} \u{d7} {}", frozen.name))
    });
    Ok(said.collect())
}

fn say_not_made(
    tx: &mut Tx,
    order: &OrderRow,
    kind: &str,
    not_made: &[String],
) -> Result<(), Problem> {
    let detail = format!(
        "Not made, because too few were ordered: {}.",
        not_made.join(", ")
    );
    happened(tx, Concerns::order(order), "system", kind, detail)
}
