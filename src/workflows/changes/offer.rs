//! What a change would cost: the order's lines at the prices they keep or are shown now, by the tariff frozen at joining.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::super::desk::{Problem, offer as offer_of, takes_orders};
use super::super::join::{FrozenDeposit, FrozenLine, FrozenQuote, under_cap, within_limit};
use super::super::judgement::{step_after, units_by_limit};
use super::super::money::{currency, say};
use super::super::payment::frozen;
use super::super::stock_sale::is_from_stock;
use super::super::waiting;
use super::{Before, under_way};
use crate::domain::campaign::BatchState;
use crate::domain::change::{Difference, Had, Standing, difference, unit_price};
use crate::domain::country::Country;
use crate::domain::draft::{CampaignDraft, FieldError, OptionDraft, PaymentMode};
use crate::domain::ids::{OptionId, OrderId};
use crate::domain::order::OrderState;
use crate::domain::payment::DisputeState;
use crate::domain::price::{MAX_UNITS, deposit_of, shown_step_with_limit};
use crate::domain::tariff::{QuoteLine, quote};
use crate::store::campaigns::{CampaignRow, OptionRow};
use crate::store::orders::{LineRow, OrderRow};
use crate::store::{Conn, campaigns, changes, orders, refunds};

/// What a change would make of an order.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The order as it is.
    pub order: OrderRow,
    /// What it is over, and what it costs, as it is.
    pub before: Before,
    /// What would be agreed.
    pub wanted: FrozenQuote,
    /// Units that enter, by option.
    pub entering: Vec<(OptionId, i64)>,
    /// What is paid, goes back and is owed.
    pub moved: Difference,
    pub(super) changes_lines: bool,
}

impl Offer {
    /// Staff may not let a saved card be charged more later than its holder agreed to: where something is to be paid now,
    /// paying it is the consent.
    ///
    /// # Errors
    /// A conflict where only the shopper may make this change.
    pub fn may_be_made_for_the_shopper(&self) -> Result<(), Problem> {
        if self.moved.pay > 0 || self.wanted.quote.total <= self.before.total {
            return Ok(());
        }
        let agreed = say(self.before.total, &self.order.currency);
        Err(Problem::conflict(
            "shopper-must-agree",
            format!(
                "The shopper agreed to {agreed} at most, which the saved card is charged later. Only the shopper can agree to more, on the page of the order."
            ),
        ))
    }

    /// Whether the order is just so already.
    pub fn is_nothing(&self) -> bool {
        !self.changes_lines
    }
}

/// An option that an order may be changed to.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Its code.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// Units that the order has.
    pub has: i64,
    /// What each of these costs, minor units; nought where it has none.
    pub costs: i64,
    /// What a further one costs, minor units.
    pub shown: i64,
    /// The most units that the order may have, as far as a cap or the limit per shopper says.
    pub most: Option<i64>,
}

/// What an order may be changed to.
///
/// # Errors
/// A conflict where it cannot be changed.
pub fn choices(conn: &mut Conn, id: OrderId, now: DateTime<Utc>) -> Result<Vec<Choice>, Problem> {
    let scene = Scene::read(conn, id, now)?;
    let mine = orders::units_of_shoppers(conn, scene.campaign.id, &[scene.order.email.as_str()])?;
    let all = scene.options.iter().filter_map(|row| {
        let draft = scene.draft_of(&row.sku)?;
        let had = scene.had(&row.sku);
        let has = had.map_or(0, |had| had.quantity);
        let all: i64 = mine.iter().filter(|m| m.1 == row.id).map(|m| m.2).sum();
        let limit = draft
            .per_shopper
            .map(|n| (i64::from(n) - all + has).max(has));
        let left = row
            .available()
            .map(|left| (left - scene.waited(row)).max(0) + has);
        Some(Choice {
            sku: row.sku.clone(),
            name: draft.name.clone(),
            has,
            costs: had.map_or(0, |had| had.unit_price),
            shown: unit_price(had, has + 1, draft.prices.price_at(scene.step)),
            most: limit.into_iter().chain(left).min(),
        })
    });
    Ok(all.collect())
}

/// What a change to these lines would make of an order; what is not named leaves it.
///
/// # Errors
/// A conflict where it cannot be changed or units are missing; wrong fields.
pub fn preview(
    conn: &mut Conn,
    id: OrderId,
    lines: &[(String, i64)],
    now: DateTime<Utc>,
) -> Result<Offer, Problem> {
    let scene = Scene::read(conn, id, now)?;
    let wanted = scene.check(lines)?;
    scene.room(conn, &wanted)?;
    let offer = scene.offer(&wanted)?;
    scene.chargeable(offer.wanted.quote.total, offer.moved.pay)?;
    Ok(offer)
}

/// What the lines of a change that a restored backup lost made of an order, at the prices that it noted. Nothing is asked
/// about time: it took effect when it could.
///
/// # Errors
/// Wrong fields; what the database says.
pub(super) fn noted(
    conn: &mut Conn,
    id: OrderId,
    lines: &[(String, i64, i64)],
) -> Result<Offer, Problem> {
    let scene = Scene::around(conn, id)?;
    let units: Vec<(String, i64)> = lines.iter().map(|l| (l.0.clone(), l.1)).collect();
    let mut wanted = scene.check(&units)?;
    for line in &mut wanted {
        let noted = lines.iter().find(|noted| noted.0 == line.row.sku);
        line.unit_price = noted.map_or(line.unit_price, |noted| noted.2);
    }
    scene.offer(&wanted)
}

struct Scene {
    order: OrderRow,
    campaign: CampaignRow,
    draft: CampaignDraft,
    agreed: FrozenQuote,
    lines: Vec<LineRow>,
    options: Vec<OptionRow>,
    /// Units that are waited for: they are kept for those who wait.
    waited: HashMap<OptionId, i64>,
    /// The index of the step whose price is shown to this order's shopper.
    step: usize,
}

/// An option with how many of it are wanted, more than nought, and what each costs.
struct Wanted<'a> {
    row: &'a OptionRow,
    draft: &'a OptionDraft,
    quantity: i64,
    unit_price: i64,
}

impl Scene {
    fn read(conn: &mut Conn, id: OrderId, now: DateTime<Utc>) -> Result<Self, Problem> {
        let scene = Self::around(conn, id)?;
        allowed(conn, &scene.order, &scene.campaign, now)?;
        Ok(scene)
    }

    fn around(conn: &mut Conn, id: OrderId) -> Result<Self, Problem> {
        let order = orders::by_id(conn, id)?.ok_or(Problem::NotFound("order"))?;
        let campaign =
            campaigns::by_id(conn, order.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
        let draft = offer_of(&campaign)?;
        let lines = orders::lines_of(conn, id)?;
        let own = lines.iter().map(|line| line.units().wanted()).sum();
        let step = step_without(conn, &campaign, &draft, (&order, own))?;
        Ok(Self {
            agreed: frozen(&order)?,
            options: campaigns::options_of(conn, campaign.id)?,
            waited: waiting::units(conn, campaign.id)?,
            order,
            campaign,
            draft,
            lines,
            step,
        })
    }

    fn draft_of(&self, sku: &str) -> Option<&OptionDraft> {
        self.draft.options.iter().find(|option| option.sku == sku)
    }

    fn waited(&self, row: &OptionRow) -> i64 {
        self.waited.get(&row.id).copied().unwrap_or(0)
    }

    fn had(&self, sku: &str) -> Option<Had> {
        let line = self.lines.iter().find(|line| line.sku == sku)?;
        let quantity = line.units().wanted();
        (quantity > 0).then_some(Had {
            quantity,
            unit_price: line.unit_price,
        })
    }

    /// The wanted options in the order of the quote: those that are there first, as they stand there.
    fn check(&self, lines: &[(String, i64)]) -> Result<Vec<Wanted<'_>>, Problem> {
        let mut errors = Vec::new();
        for (at, (sku, quantity)) in lines.iter().enumerate() {
            if self.draft_of(sku).is_none() {
                let say = format!("There is no option {sku} in this campaign.");
                errors.push(FieldError::new(format!("lines[{at}].sku"), say));
            } else if lines[..at].iter().any(|(other, _)| other == sku) {
                let say = "Name each option once.";
                errors.push(FieldError::new(format!("lines[{at}].sku"), say));
            } else if !(0..=MAX_UNITS).contains(quantity) {
                let say = "Write how many you want: 0 or more.";
                errors.push(FieldError::new(format!("lines[{at}].quantity"), say));
            }
        }
        if errors.is_empty() && lines.iter().all(|(_, quantity)| *quantity == 0) {
            let say = "Nothing would be left of the order. Cancel it instead.";
            errors.push(FieldError::new("lines", say));
        }
        if !errors.is_empty() {
            return Err(Problem::Invalid(errors));
        }
        let there = self.agreed.lines.iter().map(|line| line.sku.as_str());
        let others = self.options.iter().map(|row| row.sku.as_str());
        let new = others.filter(|sku| self.agreed.lines.iter().all(|line| line.sku != **sku));
        let wanted = there.chain(new).filter_map(|sku| {
            let (_, quantity) = lines.iter().find(|(wanted, n)| wanted == sku && *n > 0)?;
            let row = self.options.iter().find(|row| row.sku == sku)?;
            let draft = self.draft_of(sku)?;
            let shown = draft.prices.price_at(self.step);
            Some(Wanted {
                row,
                draft,
                quantity: *quantity,
                unit_price: unit_price(self.had(sku), *quantity, shown),
            })
        });
        Ok(wanted.collect())
    }

    fn more(&self, line: &Wanted<'_>) -> i64 {
        line.quantity - self.had(&line.row.sku).map_or(0, |had| had.quantity)
    }

    /// Whether caps and the limit per shopper leave room for what enters.
    fn room(&self, conn: &mut Conn, wanted: &[Wanted<'_>]) -> Result<(), Problem> {
        let shopper = [self.order.email.as_str()];
        let mine = orders::units_of_shoppers(conn, self.campaign.id, &shopper)?;
        for line in wanted {
            let Wanted { row, draft, .. } = line;
            let more = self.more(line);
            if more <= 0 {
                continue;
            }
            if let Some(limit) = draft.per_shopper {
                let has = mine.iter().filter(|m| m.1 == row.id).map(|m| m.2).sum();
                within_limit(draft, limit, has, more)?;
            }
            if let Some(cap) = row.cap {
                under_cap(draft, cap, row.taken + self.waited(row), more)?;
            }
        }
        Ok(())
    }

    fn offer(&self, wanted: &[Wanted<'_>]) -> Result<Offer, Problem> {
        let mut lines = Vec::with_capacity(wanted.len());
        let mut priced = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let line = self.frozen_line(wanted.row, wanted.draft);
            priced.push(QuoteLine {
                unit_price: wanted.unit_price,
                quantity: wanted.quantity,
                weight_grams: line.grams(),
            });
            lines.push(line);
        }
        let country = Country::parse(&self.order.country)
            .ok_or_else(|| Problem::Internal(format!("{} is not a country", self.order.country)))?;
        let quote = quote(&priced, country, &self.agreed.tariff)
            .map_err(|e| Problem::field("lines", e.to_string()))?;
        let moved = difference(standing(&self.order, &self.draft, quote.total)?);
        let deposit = self.agreed.deposit.map(|deposit| FrozenDeposit {
            amount: quote.total - moved.owed,
            ..deposit
        });
        let enters = |line: &Wanted<'_>| (line.row.id, self.more(line));
        Ok(Offer {
            before: Before::of(&self.order, &self.agreed, &self.lines),
            entering: wanted.iter().map(enters).filter(|e| e.1 > 0).collect(),
            changes_lines: self.is_other(wanted),
            wanted: FrozenQuote {
                lines,
                quote,
                deposit,
                ..self.agreed.clone()
            },
            moved,
            order: self.order.clone(),
        })
    }

    /// A line as it was frozen at joining, or, of an option that was not in the order, as it is now.
    fn frozen_line(&self, row: &OptionRow, draft: &OptionDraft) -> FrozenLine {
        let mut had = self.agreed.lines.iter().filter(|line| line.sku == row.sku);
        had.next().cloned().unwrap_or_else(|| FrozenLine {
            sku: row.sku.clone(),
            name: draft.name.clone(),
            made_to_order: draft.made_to_order,
            weight_grams: draft.weight_grams.map(i64::from),
        })
    }

    fn is_other(&self, wanted: &[Wanted<'_>]) -> bool {
        let has = self.lines.iter().filter(|line| line.units().wanted() > 0);
        has.count() != wanted.len() || wanted.iter().any(|line| self.more(line) != 0)
    }

    fn chargeable(&self, total: i64, pay: i64) -> Result<(), Problem> {
        let currency = currency(&self.order.currency)?;
        let least = say(currency.min_charge(), currency.code());
        if total < currency.min_charge() {
            let say = format!("Cards can be charged from {least} on. Choose more.");
            return Err(Problem::field("lines", say));
        }
        if !currency.is_chargeable(total) {
            let most = say(currency.max_charge(), currency.code());
            let say = format!("One order can be {most} at most. Choose fewer.");
            return Err(Problem::field("lines", say));
        }
        if pay > 0 && !currency.is_chargeable(pay) {
            let more = say(pay, currency.code());
            let say = format!(
                "This costs {more} more, and cards can be charged from {least} on. Choose something else."
            );
            return Err(Problem::field("lines", say));
        }
        Ok(())
    }
}

/// Where an order would stand if it cost so much.
///
/// # Errors
/// When the order's row is damaged.
pub(super) fn standing(
    order: &OrderRow,
    draft: &CampaignDraft,
    total: i64,
) -> Result<Standing, Problem> {
    let currency = currency(&order.currency)?;
    Ok(Standing {
        mode: order.mode,
        kept: order.money().kept(),
        less: order.allowances + order.lost,
        total,
        deposit: match order.mode {
            PaymentMode::Deposit => deposit_of(total, draft.deposit_percent, currency),
            PaymentMode::ChargeNow | PaymentMode::ChargeOnSuccess => 0,
        },
        least: currency.min_charge(),
    })
}

/// Whether an order may be changed now; what to do, where it may not.
///
/// # Errors
/// Why not.
fn allowed(
    conn: &mut Conn,
    order: &OrderRow,
    campaign: &CampaignRow,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let refuse = |kind, say: &str| Err(Problem::conflict(kind, say));
    if is_from_stock(order) {
        return refuse(
            "order-from-stock",
            "What is there already cannot be changed. Cancel it while it is not packed, and order again.",
        );
    }
    match order.state {
        OrderState::Confirmed => {}
        OrderState::Pending => {
            return refuse(
                "order-not-paid",
                "This order is not paid yet. Pay it first, or cancel it and join again.",
            );
        }
        OrderState::Cancelled | OrderState::Expired => {
            return refuse(
                "order-ended",
                "This order has ended. Join again to order something else.",
            );
        }
        OrderState::Waitlisted => {
            return refuse(
                "order-waits",
                "This order waits for units and is not placed yet. Leave the list and go on it again to wait for something else.",
            );
        }
        OrderState::Backordered
        | OrderState::PartlyShipped
        | OrderState::Shipped
        | OrderState::Delivered => {
            return refuse(
                "order-sent-to-supplier",
                "The supplier's order was sent, so what you ordered cannot be changed here any more. Write to the seller.",
            );
        }
    }
    let batch = campaigns::batch(conn, order.batch_id)?;
    let gathers = batch.is_some_and(|batch| batch.state == BatchState::Gathering);
    let takes_orders = takes_orders(campaign, now.naive_utc());
    if !gathers && takes_orders {
        return refuse(
            "batch-judged",
            "Your batch has come together, so what you ordered cannot be changed any more. You can still cancel until the supplier's order goes out.",
        );
    }
    if !gathers || !takes_orders {
        return refuse(
            "campaign-closed",
            "Joining has ended, so what you ordered cannot be changed any more. You can still cancel until the supplier's order goes out.",
        );
    }
    let disputes = refunds::disputes_of(conn, order.id)?;
    if disputes.iter().any(|d| d.state == DisputeState::Open) {
        return refuse(
            "order-disputed",
            "A payment of this order is disputed. Until the bank has decided nothing of it can be changed.",
        );
    }
    if changes::under_way(conn, order.id)?.is_some() {
        return Err(under_way());
    }
    Ok(())
}

/// The index of the step whose price an order's shopper is shown: the one reached without these units of the order.
fn step_without(
    conn: &mut Conn,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
    (order, own): (&OrderRow, i64),
) -> Result<usize, Problem> {
    if draft.payment_mode != PaymentMode::ChargeOnSuccess {
        return step_after(conn, campaign, draft, -own);
    }
    let limit = usize::try_from(order.limit_step).unwrap_or(0);
    let mut by_limit = units_by_limit(conn, campaign, draft)?;
    if let Some(sum) = by_limit.get_mut(limit) {
        *sum -= own;
    }
    Ok(shown_step_with_limit(&draft.steps, &by_limit, limit))
}
