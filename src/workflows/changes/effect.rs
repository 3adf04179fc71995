//! A change takes effect: lines, counters, price, and what goes back, in one transaction.

use super::super::change::{Destination, deliver, send_to};
use super::super::desk::{Concerns, Desk, Problem, happened, merchant, offer};
use super::super::judgement::look_again;
use super::super::letters::{After, Letter, parcels_said};
use super::super::money::{self, nonzero_said, say};
use super::super::part::say_back;
use super::super::payment::{after_commitment, frozen};
use super::super::withdraw::information;
use super::super::{cards, counts};
use super::offer::standing;
use super::{Before, FrozenQuote, Offer, goes_to, wanted};
use crate::domain::change::difference;
use crate::domain::country::Country;
use crate::domain::draft::PaymentMode;
use crate::domain::ids::{ChangeId, OptionId};
use crate::domain::order::{Delivery, LineState};
use crate::domain::withdrawal::has_right;
use crate::store::campaigns::CampaignRow;
use crate::store::changes::ChangeRow;
use crate::store::orders::{LineRow, OrderRow};
use crate::store::{Tx, campaigns, changes, orders};

/// Units by option.
type Units = Vec<(OptionId, i64)>;

/// A change that takes effect.
pub(super) struct Effect<'a> {
    /// The campaign, locked.
    pub(super) campaign: &'a CampaignRow,
    /// The change.
    pub(super) change: ChangeId,
    /// Who of the staff asked for it; none: the shopper.
    pub(super) by: Option<String>,
    /// The order as it was.
    pub(super) before: Before,
    /// What is agreed from now on.
    pub(super) wanted: FrozenQuote,
    /// Where it goes from now on; none: where it went.
    pub(super) goes_to: Option<Destination>,
    /// How its parcels come from now on; none: as they did.
    pub(super) delivery: Option<Delivery>,
    /// What was charged for it.
    pub(super) paid: i64,
    /// The number of that payment's receipt, as people say it.
    pub(super) receipt: Option<String>,
}

/// Lines as people read them, at their prices: `2 × Full set, $180.00`.
pub fn lines_said(agreed: &FrozenQuote, currency: &str) -> Vec<String> {
    let lines = agreed.lines.iter().zip(&agreed.quote.lines);
    lines
        .map(|(line, priced)| line_said(priced.quantity, &line.name, priced.goods, currency))
        .collect()
}

/// Shipping, and the tax that comes on top, as people read them: `Shipping to Germany, $15.00`.
pub(super) fn shipping_said(agreed: &FrozenQuote, country: &str, currency: &str) -> Vec<String> {
    let quote = &agreed.quote;
    let to = Country::parse(country).map_or(country, |country| country.name());
    let shipping = match quote.shipping {
        0 => "free".to_owned(),
        amount => say(amount, currency),
    };
    let tax = agreed.tax_label(country);
    let mut said = vec![format!("Shipping to {to}, {shipping}")];
    if let Some(added) = nonzero_said(quote.tax_added, currency) {
        said.push(format!("{tax}, {added}"));
    }
    if let Some(included) = nonzero_said(quote.tax_included, currency) {
        said.push(format!("{tax} in it, {included}"));
    }
    said
}

fn line_said(quantity: i64, name: &str, goods: i64, currency: &str) -> String {
    format!("{quantity} \u{d7} {name}, {}", say(goods, currency))
}

impl Before {
    /// Its lines as people read them.
    pub fn said(&self, currency: &str) -> Vec<String> {
        let lines = self.lines.iter();
        lines
            .map(|l| {
                let goods = l.unit_price.saturating_mul(l.quantity);
                line_said(l.quantity, &l.name, goods, currency)
            })
            .collect()
    }
}

impl<'a> Effect<'a> {
    /// Of a change for which nothing is to be paid.
    pub(super) fn at_once(campaign: &'a CampaignRow, row: &ChangeRow, offer: Offer) -> Self {
        Self {
            campaign,
            change: row.id,
            by: row.asked_by.clone(),
            before: offer.before,
            wanted: offer.wanted,
            goes_to: offer.goes_to,
            delivery: offer.delivery,
            paid: 0,
            receipt: None,
        }
    }

    /// Of a change that was paid for.
    ///
    /// # Errors
    /// When the row is damaged.
    pub(super) fn paid(
        campaign: &'a CampaignRow,
        row: &ChangeRow,
        (paid, receipt): (i64, Option<String>),
    ) -> Result<Self, Problem> {
        let before = Before::read(row)?;
        let mut wanted = wanted(row)?;
        if row.asked_by.is_some() && row.agreed_at.is_none() {
            // Paid for without the page on which it is agreed to: nobody was told what is exempt from withdrawal.
            let had = |sku: &str| before.lines.iter().any(|line| line.sku == sku);
            let enter = wanted.lines.iter_mut().filter(|line| !had(&line.sku));
            enter.for_each(|line| line.made_to_order = false);
        }
        Ok(Self {
            campaign,
            change: row.id,
            by: row.asked_by.clone(),
            before,
            wanted,
            goes_to: goes_to(row)?,
            delivery: row.delivery,
            paid,
            receipt,
        })
    }

    /// Makes the order what was wished. What enters is taken already.
    ///
    /// # Errors
    /// What the database says.
    pub(super) fn take(
        self,
        desk: &Desk,
        tx: &mut Tx,
        order: &mut OrderRow,
    ) -> Result<(), Problem> {
        let draft = offer(self.campaign)?;
        let (entering, leaving) = self.lines(tx, order)?;
        counts::grow(tx, order, &entering)?;
        counts::leave(tx, order, &leaving, false)?;
        let total = self.wanted.quote.total;
        let moved = difference(standing(order, &draft, total)?);
        let had = (frozen(order)?, order.country.clone());
        order.quote = serde_json::to_string(&self.wanted)?;
        order.total = total;
        order.final_total = None;
        changes::save_agreed(tx.conn, order)?;
        let keep = order.money().kept() - moved.back;
        let back = money::refund_of_change(tx, order, self.change, keep)?;
        order.owed = moved.owed;
        if order.mode == PaymentMode::Deposit && order.owed == 0 {
            cards::let_go(tx, order.id)?;
        }
        money::keep(tx, order)?;
        tx.touch(self.campaign.id);
        let actor = self.by.as_deref().unwrap_or("shopper");
        if let Some(to) = &self.goes_to {
            send_to(tx, order, to, actor)?;
        }
        if let Some(delivery) = self.delivery {
            deliver(tx, order, delivery, actor)?;
        }
        self.tell(desk, tx, order, (&had, back))?;
        let sum = |units: &[(OptionId, i64)]| units.iter().map(|(_, n)| n).sum::<i64>();
        after_commitment(
            desk,
            tx,
            self.campaign,
            &draft,
            sum(&entering) - sum(&leaving),
        )?;
        look_again(tx, self.campaign)
    }

    /// Keeps the lines; the units that enter and those that leave, by option.
    fn lines(&self, tx: &mut Tx, order: &mut OrderRow) -> Result<(Units, Units), Problem> {
        let rows = orders::lines_of(tx.conn, order.id)?;
        let options = campaigns::options_of(tx.conn, order.campaign_id)?;
        let (mut entering, mut leaving, mut units) = (Vec::new(), Vec::new(), 0);
        let wanted = |sku: &str| {
            let mut lines = self.wanted.lines.iter().zip(&self.wanted.quote.lines);
            lines.find(|(line, _)| line.sku == sku).map(|(_, q)| *q)
        };
        for row in rows.iter().filter(|row| wanted(&row.sku).is_none()) {
            if row.units().wanted() > 0 {
                leaving.push((row.option_id, row.units().wanted()));
            }
            // What left it before, at the merchant's word, stays on record.
            if row.cancelled == 0 {
                changes::delete_line(tx.conn, row)?;
                continue;
            }
            let mut row = row.clone();
            row.quantity = row.cancelled;
            row.state = LineState::Cancelled;
            units += row.quantity;
            changes::put_line(tx.conn, &row)?;
        }
        for option in &options {
            let Some(line) = wanted(&option.sku) else {
                continue;
            };
            let had = rows.iter().find(|row| row.option_id == option.id);
            let mut row = had.cloned().unwrap_or_else(|| LineRow {
                order_id: order.id,
                option_id: option.id,
                sku: option.sku.clone(),
                quantity: 0,
                unit_price: line.unit_price,
                final_price: None,
                state: LineState::Confirmed,
                cancelled: 0,
                allocated: 0,
                picked: 0,
                shipped: 0,
                delivered: 0,
            });
            match line.quantity - row.units().wanted() {
                0 => {}
                more if more > 0 => entering.push((option.id, more)),
                fewer => leaving.push((option.id, -fewer)),
            }
            row.quantity = line.quantity + row.cancelled;
            row.unit_price = line.unit_price;
            row.state = LineState::Confirmed;
            units += row.quantity;
            changes::put_line(tx.conn, &row)?;
        }
        order.units = units;
        Ok((entering, leaving))
    }

    /// What its letter says of withdrawal, as that of joining does: where the order gained the right by going elsewhere, or an
    /// option entered that is exempt. `everywhere`: its seller grants it where no law does.
    fn withdrawal(&self, order: &OrderRow, went_to: &str, everywhere: bool) -> Vec<String> {
        let chosen = everywhere || self.wanted.withdrawal;
        let right = |code: &str| Country::parse(code).is_some_and(|c| has_right(c, chosen));
        let had = |sku: &str| self.before.lines.iter().any(|line| line.sku == sku);
        let exempt = || self.wanted.lines.iter().filter(|line| line.made_to_order);
        if !right(&order.country) || (right(went_to) && exempt().all(|line| had(&line.sku))) {
            return Vec::new();
        }
        let names: Vec<&str> = exempt().map(|line| line.name.as_str()).collect();
        information(&names, self.wanted.lines.len())
    }

    /// Says on the timeline and by mail what it was and what it is.
    fn tell(
        &self,
        desk: &Desk,
        tx: &mut Tx,
        order: &OrderRow,
        ((agreed, went_to), back): (&(FrozenQuote, String), i64),
    ) -> Result<(), Problem> {
        let currency = &order.currency;
        let (mut was, mut is) = (
            self.before.said(currency),
            lines_said(&self.wanted, currency),
        );
        if *went_to != order.country {
            was.extend(shipping_said(agreed, went_to, currency));
            is.extend(shipping_said(&self.wanted, &order.country, currency));
        }
        let (cost, costs) = (say(self.before.total, currency), say(order.total, currency));
        let mut detail = format!(
            "Changed: {} ({cost} in all) became {} ({costs} in all).",
            was.join("; "),
            is.join("; ")
        );
        if let Some(paid) = nonzero_said(self.paid, currency) {
            detail = format!("{detail} {paid} was charged for it.");
        }
        let concerns = Concerns::order(order);
        let actor = self.by.as_deref().unwrap_or("shopper");
        happened(tx, concerns, actor, "changed", detail)?;
        say_back(tx, order, back)?;
        let merchant = merchant(tx, order.merchant_id)?;
        let draft = offer(self.campaign)?;
        let receipt = self.receipt.as_ref();
        let news = After::OrderChanged {
            by_staff: self.by.is_some(),
            before: was,
            cost,
            now: is,
            costs,
            goes_to: self.goes_to.as_ref().map(Destination::lines),
            parcels: self.delivery.map(|d| parcels_said(d).to_owned()),
            paid: nonzero_said(self.paid, currency),
            back: nonzero_said(back, currency),
            later: nonzero_said(order.owed, currency),
            receipt: receipt.map(|number| desk.links.receipt_url(order.id, number)),
            withdrawal: self.withdrawal(order, went_to, merchant.withdrawal_everywhere),
        };
        let letter = Letter::After {
            about: desk.about(&merchant, self.campaign, &draft, order),
            news,
        };
        let once = format!("order_changed:{}", self.change);
        desk.tell_shopper(tx, &merchant, order, &once, letter)
    }
}
