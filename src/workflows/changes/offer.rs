//! What a change would cost: the order's lines at the prices they keep or are shown now, by the tariff frozen at joining, in
//! the country to which it is to go.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::super::change::Destination;
use super::super::desk::{Problem, offer as offer_of};
use super::super::join::{FrozenDeposit, FrozenLine, FrozenQuote, under_cap, within_limit};
use super::super::judgement::{step_after, units_by_limit};
use super::super::money::{currency, say};
use super::super::payment::frozen;
use super::super::{waiting, withdraw};
use super::allowed::{allowed, parcels_may_change};
use super::{Before, Shown, Wish, lines_said};
use crate::domain::change::{Difference, Had, Standing, difference, unit_price};
use crate::domain::country::Country;
use crate::domain::draft::{CampaignDraft, FieldError, OptionDraft, PaymentMode};
use crate::domain::ids::{OptionId, OrderId};
use crate::domain::order::Delivery;
use crate::domain::price::{MAX_UNITS, deposit_of, shown_step_with_limit};
use crate::domain::tariff::{Quote, QuoteLine, TariffError, quote};
use crate::domain::withdrawal::has_right;
use crate::store::campaigns::{CampaignRow, OptionRow};
use crate::store::orders::{LineRow, OrderRow};
use crate::store::{Conn, campaigns, orders};

/// What a change would make of an order.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The order as it is.
    pub order: OrderRow,
    /// What it is over, and what it costs, as it is.
    pub before: Before,
    /// What is agreed as it is.
    pub agreed: FrozenQuote,
    /// What would be agreed.
    pub wanted: FrozenQuote,
    /// Units that enter, by option.
    pub entering: Vec<(OptionId, i64)>,
    /// What is paid, goes back and is owed.
    pub moved: Difference,
    /// Where it would go; none: where it goes now.
    pub goes_to: Option<Destination>,
    /// How its parcels would come; none: as they do now.
    pub delivery: Option<Delivery>,
    pub(super) changes_lines: bool,
    /// Whether the lines that it wants cost something else where it would go.
    pub(super) changes_cost: bool,
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
        !self.changes_lines && self.goes_to.is_none() && self.delivery.is_none()
    }

    /// Whether only address or parcels would be others, and it all costs the same, with the same right to withdraw: nothing is
    /// to be agreed to.
    pub fn is_correction(&self) -> bool {
        let same = !self.changes_lines && !self.changes_cost && !self.gains_right(false);
        same && !self.is_nothing()
    }

    /// The code of the country to which it would go.
    pub fn country(&self) -> &str {
        let to = self.goes_to.as_ref();
        to.map_or(self.order.country.as_str(), |to| to.address.country.code())
    }

    /// The name of the country to which it would go, where that is another one.
    pub fn abroad(&self) -> Option<&'static str> {
        let to = self.goes_to.as_ref()?.address.country;
        (to.code() != self.order.country).then(|| to.name())
    }

    /// What it would be over, and where it would go, in a few words.
    pub fn said(&self) -> String {
        let lines = lines_said(&self.wanted, &self.order.currency).join("; ");
        let to = self.abroad().map(|country| format!("to {country}"));
        let to = to.or_else(|| {
            self.goes_to
                .as_ref()
                .map(|_| "to another address".to_owned())
        });
        let total = say(self.wanted.quote.total, &self.order.currency);
        match to {
            Some(to) => format!("{lines}, {to} ({total} in all)"),
            None => format!("{lines} ({total} in all)"),
        }
    }

    /// Names of options that are exempt from withdrawal and that were not in the order before.
    pub fn exempt(&self) -> Vec<&str> {
        let had = |sku: &str| self.before.lines.iter().any(|line| line.sku == sku);
        let lines = self.wanted.lines.iter();
        let enter = lines.filter(|line| line.made_to_order && !had(&line.sku));
        enter.map(|line| line.name.as_str()).collect()
    }

    /// What is said of withdrawal before it is agreed to, as at joining: where an exempt option enters, or where it would go
    /// gives the right anew. `everywhere`: its seller grants it where no law does.
    pub fn withdrawal(&self, everywhere: bool) -> Vec<String> {
        let has = self.right(self.country(), everywhere);
        if !has || (!self.gains_right(everywhere) && self.exempt().is_empty()) {
            return Vec::new();
        }
        let lines = self.wanted.lines.iter();
        let exempt = lines.filter(|line| line.made_to_order);
        let exempt: Vec<&str> = exempt.map(|line| line.name.as_str()).collect();
        withdraw::information(&exempt, self.wanted.lines.len())
    }

    /// Whether an order to a country may be withdrawn from.
    fn right(&self, country: &str, everywhere: bool) -> bool {
        let chosen = everywhere || self.agreed.withdrawal;
        Country::parse(country).is_some_and(|country| has_right(country, chosen))
    }

    /// Whether it could not be withdrawn from where it goes now, and could be where it would go.
    fn gains_right(&self, everywhere: bool) -> bool {
        self.right(self.country(), everywhere) && !self.right(&self.order.country, everywhere)
    }

    /// What is shown of it before it is agreed to.
    pub fn shown(&self) -> Shown {
        Shown::of(self)
    }

    /// Nobody tells the shopper what is exempt from withdrawal: then nothing of it is.
    fn without_exemptions(&mut self) {
        let gained = self.gains_right(false);
        let before = &self.before.lines;
        for line in &mut self.wanted.lines {
            if gained || before.iter().all(|had| had.sku != line.sku) {
                line.made_to_order = false;
            }
        }
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

/// What a wish would make of an order.
///
/// # Errors
/// A conflict where it cannot be changed or units are missing; wrong fields.
pub fn preview(conn: &mut Conn, wish: &Wish, now: DateTime<Utc>) -> Result<Offer, Problem> {
    let scene = Scene::read(conn, wish.order, now)?;
    let wanted = match &wish.lines {
        Some(lines) => scene.check(lines)?,
        None => scene.check(&scene.as_they_are())?,
    };
    scene.room(conn, &wanted)?;
    let goes_to = scene.elsewhere(wish)?;
    let delivery = wish.delivery.filter(|d| *d != scene.order.delivery);
    if goes_to.is_some() || delivery.is_some() {
        parcels_may_change(conn, wish.order, &wish.who(), now)?;
    }
    let mut offer = scene.offer(&wanted, goes_to, delivery)?;
    if offer.changes_lines || offer.changes_cost {
        scene.chargeable(offer.wanted.quote.total, offer.moved.pay)?;
    }
    if wish.by.is_some() && offer.moved.pay == 0 {
        offer.without_exemptions();
    }
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
    scene.offer(&wanted, None, None)
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

    /// The lines that it has.
    fn as_they_are(&self) -> Vec<(String, i64)> {
        let lines = self.lines.iter().filter(|line| line.units().wanted() > 0);
        lines
            .map(|line| (line.sku.clone(), line.units().wanted()))
            .collect()
    }

    /// Where it is to go; none where it goes there already.
    fn elsewhere(&self, wish: &Wish) -> Result<Option<Destination>, Problem> {
        let Some(typed) = &wish.address else {
            return Ok(None);
        };
        let had = Destination::of(&self.order)?;
        let to = typed.check(had.address.country, &self.agreed.tariff)?;
        Ok((to != had).then_some(to))
    }

    /// What so much costs in a country; what is wrong, at the field of the country where that is another one.
    fn quote(&self, priced: &[QuoteLine], country: Country) -> Result<Quote, Problem> {
        let abroad = country.code() != self.order.country;
        quote(priced, country, &self.agreed.tariff).map_err(|e| match e {
            TariffError::NotShippedTo(_) | TariffError::TooLarge(_) if abroad => {
                Problem::field("country", capital(&e.to_string()))
            }
            _ => Problem::field("lines", e.to_string()),
        })
    }

    fn offer(
        &self,
        wanted: &[Wanted<'_>],
        goes_to: Option<Destination>,
        delivery: Option<Delivery>,
    ) -> Result<Offer, Problem> {
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
        let had = Country::parse(&self.order.country)
            .ok_or_else(|| Problem::Internal(format!("{} is not a country", self.order.country)))?;
        let country = goes_to.as_ref().map_or(had, |to| to.address.country);
        let quote = self.quote(&priced, country)?;
        let changes_cost = country != had && self.quote(&priced, had).ok() != Some(quote.clone());
        let moved = difference(standing(&self.order, &self.draft, quote.total)?);
        let deposit = self.agreed.deposit.map(|deposit| FrozenDeposit {
            amount: quote.total - moved.owed,
            ..deposit
        });
        let enters = |line: &Wanted<'_>| (line.row.id, self.more(line));
        Ok(Offer {
            before: Before {
                country: (country != had).then(|| had.code().to_owned()),
                ..Before::of(&self.order, &self.agreed, &self.lines)
            },
            entering: wanted.iter().map(enters).filter(|e| e.1 > 0).collect(),
            changes_lines: self.is_other(wanted),
            changes_cost,
            wanted: FrozenQuote {
                lines,
                quote,
                deposit,
                ..self.agreed.clone()
            },
            agreed: self.agreed.clone(),
            moved,
            goes_to,
            delivery,
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

fn capital(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    text
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
