//! Joining: a hold on units, committed before anything is asked of the provider (domain sections 2, 3 and 4).
//!
//! Joins come in a rush, so they are placed together: the campaign is loaded and locked once, each request is decided
//! in its order on counters in memory, and what was granted is written with one statement a table. The statement that
//! takes units is guarded by the cap, so that no other process can oversell either.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chrono::{Duration, NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};

mod anew;
mod same;
mod table;

pub use anew::{Accepted, price_anew};
use same::{asks_for_the_same, form_used, is_same, was_same};
use table::{Granted, Table};
pub use table::{first_page, new_page, no_room};
pub(super) use table::{under_cap, within_limit};

use super::collect;
use super::desk::{Problem, ends_at, takes_orders};
use super::judgement::current_step;
use super::ports::Clock;
use super::stock_sale;
use super::waiting;
use crate::domain::campaign::CampaignState;
use crate::domain::country::Country;
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::{BatchId, CampaignId, OptionId, OrderId};
use crate::domain::order::Delivery;
use crate::domain::payment::PagePlan;
use crate::domain::tariff::{Quote, Tariff};
use crate::store::campaigns::{CampaignRow, Moved};
use crate::store::orders::OrderRow;
use crate::store::{Group, StoreError, Tx, campaigns, changes, jobs, merchants, orders, stock};

/// Where an order goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Street and number.
    pub line1: String,
    /// What else the carrier needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// Town.
    pub city: String,
    /// State or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// ISO 3166 code.
    pub country: Country,
}

/// A checked wish to join.
#[derive(Debug, Clone)]
pub struct JoinRequest {
    /// The campaign.
    pub campaign: CampaignId,
    /// The name it was asked by, where that was remembered: it must still be the campaign's.
    pub named: Option<String>,
    /// The shopper: trimmed and lower-cased.
    pub email: String,
    /// The shopper's name.
    pub name: String,
    /// Where it goes.
    pub address: Address,
    /// Option codes and quantities, each code once, each quantity at least 1.
    pub lines: Vec<(String, i64)>,
    /// How the shopper wants the parcels.
    pub delivery: Delivery,
    /// The total the shopper was shown and agreed to; a higher one is not charged but shown again.
    pub agreed_total: Option<i64>,
    /// The version of the terms that was accepted; none where the caller is a program that the merchant runs.
    pub terms_version: Option<i32>,
    /// The network address it came from.
    pub joined_from: String,
    /// What makes a second submit the same order.
    pub form_key: Option<String>,
    /// In only if the step with this index is reached.
    pub limit_step: Option<usize>,
    /// The merchant buys what is missing after saved cards were charged.
    pub buys_missing: bool,
    /// Whether it may go on the waiting list.
    pub waits: Waits,
}

/// Whether a wish may go on the waiting list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Waits {
    /// No: where there is no room it is refused.
    #[default]
    No,
    /// Where there is no room; else it is a join like any other.
    IfSoldOut,
    /// It is for the list alone: where there is room, that is said and nothing is held.
    Only,
}

/// A line as it is frozen at joining.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenLine {
    /// The option's code.
    pub sku: String,
    /// Its name then.
    pub name: String,
    /// Whether it was exempt from withdrawal then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub made_to_order: bool,
    /// The weight of one unit then, grams; none where it was not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<i64>,
}

impl FrozenLine {
    /// The weight of one unit as a tariff takes it, grams.
    pub fn grams(&self) -> i64 {
        self.weight_grams.unwrap_or(0)
    }
}

/// A deposit as it is agreed at joining.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenDeposit {
    /// What is paid at joining, minor units.
    pub amount: i64,
    /// Whether the merchant keeps it where the balance is not paid; else it goes back.
    pub forfeited: bool,
}

/// What was agreed at joining: it never changes, whatever becomes of the campaign's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenQuote {
    /// The campaign's title then.
    pub title: String,
    /// The ship date that was promised; none in orders older than this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised: Option<NaiveDate>,
    /// Whether its merchant grants withdrawal where no law does (domain section 6a).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawal: bool,
    /// Whether it is made from left-over stock: nothing is decided about it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_stock: bool,
    /// The deposit, where one is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit: Option<FrozenDeposit>,
    /// The index of the step whose price was shown.
    pub step: usize,
    /// The lines, in the quote's order.
    pub lines: Vec<FrozenLine>,
    /// What it came to.
    pub quote: Quote,
    /// The tariff by which it is computed again.
    pub tariff: Tariff,
}

impl FrozenQuote {
    /// What the tax of an order to this country is called with its rate, such as `VAT 19 %`.
    pub fn tax_label(&self, country: &str) -> String {
        Country::parse(country).map_or_else(|| "Tax".to_owned(), |c| self.tariff.tax_label(c))
    }
}

/// A granted hold.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The order, pending.
    pub order: OrderRow,
    /// What was agreed.
    pub frozen: FrozenQuote,
    /// Whether a form's earlier submit had placed it already.
    pub again: bool,
}

/// Places joins together; the write lane's group.
pub struct Joins {
    clock: Arc<dyn Clock>,
    hold_minutes: i64,
    provider_rate: Option<u32>,
    offers: Mutex<HashMap<CampaignId, (String, Arc<CampaignDraft>)>>,
}

impl Joins {
    /// Places joins by this clock, under holds of this length.
    pub fn new(clock: Arc<dyn Clock>, hold_minutes: i64, provider_rate: Option<u32>) -> Self {
        Self {
            clock,
            hold_minutes,
            provider_rate,
            offers: Mutex::new(HashMap::new()),
        }
    }

    /// The campaign's offer, parsed once for each text of it.
    fn offer(&self, campaign: &CampaignRow) -> Result<Arc<CampaignDraft>, StoreError> {
        let mut offers = match self.offers.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some((text, offer)) = offers.get(&campaign.id)
            && *text == campaign.spec
        {
            return Ok(offer.clone());
        }
        let offer: Arc<CampaignDraft> = Arc::new(
            serde_json::from_str(&campaign.spec)
                .map_err(|e| StoreError::Damaged(format!("offer of {}: {e}", campaign.id)))?,
        );
        if offers.len() > 256 {
            offers.clear();
        }
        offers.insert(campaign.id, (campaign.spec.clone(), offer.clone()));
        Ok(offer)
    }
}

impl Group for Joins {
    type Request = JoinRequest;
    type Answer = Result<Placed, Problem>;

    fn run(&self, tx: &mut Tx, requests: &[JoinRequest]) -> Result<Vec<Self::Answer>, StoreError> {
        let mut answers: Vec<Option<Self::Answer>> = requests.iter().map(|_| None).collect();
        let mut ids: Vec<CampaignId> = requests.iter().map(|r| r.campaign).collect();
        // Locks are taken in one order everywhere.
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let mine: Vec<usize> = (0..requests.len())
                .filter(|i| requests[*i].campaign == id)
                .collect();
            let wishes: Vec<&JoinRequest> = mine.iter().map(|i| &requests[*i]).collect();
            let placed = self.place(tx, id, &wishes)?;
            for (i, answer) in mine.into_iter().zip(placed) {
                answers[i] = Some(answer);
            }
        }
        Ok(answers
            .into_iter()
            .map(|a| a.unwrap_or(Err(Problem::Internal("a join was not decided".into()))))
            .collect())
    }
}

impl Joins {
    fn place(
        &self,
        tx: &mut Tx,
        id: CampaignId,
        wishes: &[&JoinRequest],
    ) -> Result<Vec<Result<Placed, Problem>>, StoreError> {
        let Some(campaign) = campaigns::lock(tx.conn, id)? else {
            return Ok(wishes
                .iter()
                .map(|_| Err(Problem::NotFound("campaign")))
                .collect());
        };
        let mut answers = self.placed_before(tx, &campaign, wishes)?;
        for (wish, answer) in wishes.iter().zip(&mut answers) {
            if wish
                .named
                .as_ref()
                .is_some_and(|name| *name != campaign.slug)
            {
                *answer = Some(Err(Problem::NotFound("campaign")));
            }
        }
        let now = tx.now.naive_utc();
        let sale = stock_sale::sale_of(tx.conn, &campaign).map_err(damaged)?;
        let from_stock = sale.is_some();
        let (batch, on_sale) = match sale {
            Some((batch, units)) => (batch, Some(units)),
            None => {
                let batch = campaigns::batch_of(tx.conn, id)?
                    .ok_or_else(|| StoreError::Damaged(format!("campaign {id} has no batch")))?;
                (batch, None)
            }
        };
        let gap = collect::may_buy(&campaign, &batch, now);
        let takes = takes_orders(&campaign, now);
        for (wish, answer) in wishes.iter().zip(&mut answers) {
            let open = match &on_sale {
                // While units are missing only who buys them may; else nobody buys them.
                None if gap => wish.buys_missing,
                Some(_) => !wish.buys_missing,
                None => takes && !wish.buys_missing,
            };
            if !open && answer.is_none() {
                *answer = Some(Err(closed(&campaign, now)));
            }
        }
        if answers.iter().all(Option::is_some) {
            return Ok(answers.into_iter().flatten().collect());
        }
        let offer = self.offer(&campaign)?;
        let option_rows = campaigns::options_of(tx.conn, id)?;
        let merchant = merchants::by_id(tx.conn, campaign.merchant_id)?
            .ok_or_else(|| StoreError::Damaged(format!("campaign {id} has no merchant")))?;
        let mut table = Table {
            campaign: &campaign,
            batch: batch.id,
            offer: &offer,
            options: option_rows
                .iter()
                .filter_map(|row| {
                    let draft = offer.options.iter().find(|o| o.sku == row.sku)?;
                    Some((row.sku.as_str(), (row, draft)))
                })
                .collect(),
            taken: option_rows.iter().map(|o| (o.id, o.taken)).collect(),
            waited: waiting::units(tx.conn, id)?,
            lists: !from_stock && !gap,
            by_shopper: self.units_of_shoppers(tx, &offer, id, wishes)?,
            terms_version: merchant.terms_version,
            withdrawal: merchant.withdrawal_everywhere,
            plan: plan_page(tx, self.provider_rate, self.hold_minutes)?,
            step: match batch.step.filter(|_| from_stock) {
                Some(judged) => usize::try_from(judged).unwrap_or(0),
                // What the merchant buys to fill a gap costs what everybody pays.
                None if gap => usize::try_from(batch.step.unwrap_or(0)).unwrap_or(0),
                None => current_step(tx.conn, &campaign, &offer).map_err(damaged)?,
            },
            on_sale,
            now: tx.now,
        };
        let mut granted = Granted::default();
        let mut again: HashMap<&str, (&JoinRequest, usize)> = HashMap::new();
        let mut numbers = Vec::new();
        for (i, wish) in wishes.iter().enumerate() {
            if answers[i].is_some() {
                continue;
            }
            let known = wish.form_key.as_deref().and_then(|key| again.get(key));
            if let Some((first, at)) = known {
                // The same form twice in one commit: the first one's answer, once it has its number.
                if asks_for_the_same(first, wish) {
                    numbers.push((i, *at, true));
                } else {
                    answers[i] = Some(Err(form_used()));
                }
                continue;
            }
            match table.decide(wish, &mut granted) {
                Ok(()) => {
                    let at = granted.orders.len() - 1;
                    if let Some(key) = wish.form_key.as_deref() {
                        again.insert(key, (*wish, at));
                    }
                    numbers.push((i, at, false));
                }
                Err(problem) => answers[i] = Some(Err(problem)),
            }
        }
        self.keep(tx, &campaign, (batch.id, from_stock), &mut granted)?;
        for (i, at, again) in numbers {
            answers[i] = Some(placed(granted.orders[at].clone(), again));
        }
        // A hold is granted only if the clock at its commit reads before the deadline.
        if !from_stock
            && !gap
            && !granted.orders.is_empty()
            && self.clock.now().naive_utc() >= ends_at(&campaign)
        {
            return Err(StoreError::Conflict(
                "the deadline passed during the commit",
            ));
        }
        Ok(answers
            .into_iter()
            .map(|a| a.unwrap_or(Err(Problem::Internal("a join was not decided".into()))))
            .collect())
    }

    /// Answers for forms that placed their order already: the back button, a double click, a repeated call.
    fn placed_before(
        &self,
        tx: &mut Tx,
        campaign: &CampaignRow,
        wishes: &[&JoinRequest],
    ) -> Result<Vec<Option<Result<Placed, Problem>>>, StoreError> {
        let keys: Vec<String> = wishes.iter().filter_map(|w| w.form_key.clone()).collect();
        let known = if keys.is_empty() {
            Vec::new()
        } else {
            orders::by_form(tx.conn, campaign.id, &keys)?
        };
        let ids: Vec<OrderId> = known.iter().map(|order| order.id).collect();
        let changed = if ids.is_empty() {
            Vec::new()
        } else {
            changes::of_orders(tx.conn, &ids)?
        };
        Ok(wishes
            .iter()
            .map(|wish| {
                let key = wish.form_key.as_ref()?;
                let order = known.iter().find(|o| o.form_key.as_ref() == Some(key))?;
                let again = placed(order.clone(), true);
                Some(match again {
                    Ok(first)
                        if order.email != wish.email
                            || usize::try_from(order.limit_step).ok()
                                != Some(wish.limit_step.unwrap_or(0))
                            || !(is_same(&first.frozen, wish)
                                || was_same(&changed, order.id, wish)) =>
                    {
                        Err(form_used())
                    }
                    again => again,
                })
            })
            .collect())
    }

    fn units_of_shoppers(
        &self,
        tx: &mut Tx,
        offer: &CampaignDraft,
        campaign: CampaignId,
        wishes: &[&JoinRequest],
    ) -> Result<HashMap<(String, OptionId), i64>, StoreError> {
        let mut units = HashMap::new();
        if offer.options.iter().any(|o| o.per_shopper.is_some()) {
            let emails: Vec<&str> = wishes.iter().map(|w| w.email.as_str()).collect();
            for (email, option, quantity) in orders::units_of_shoppers(tx.conn, campaign, &emails)?
            {
                *units.entry((email, option)).or_insert(0) += quantity;
            }
        }
        Ok(units)
    }

    /// Writes what was granted: numbers, counters, rows, and the work of making the pages.
    fn keep(
        &self,
        tx: &mut Tx,
        campaign: &CampaignRow,
        (batch, from_stock): (BatchId, bool),
        granted: &mut Granted,
    ) -> Result<(), StoreError> {
        if granted.orders.is_empty() {
            return Ok(());
        }
        let now = tx.now.naive_utc();
        let count =
            |n: usize| i64::try_from(n).map_err(|_| StoreError::Damaged("too many joins".into()));
        let numbers = count(granted.orders.len())?;
        // Who waits takes no units, and has no page.
        let count = count(granted.pages.len())?;
        let first = merchants::take_numbers(tx.conn, campaign.merchant_id, "order", numbers)?;
        for (order, number) in granted.orders.iter_mut().zip(first..) {
            order.number = number;
        }
        let mut options: Vec<(&OptionId, &i64)> = granted.units.iter().collect();
        options.sort_unstable();
        for (option, units) in options {
            if !campaigns::take(tx.conn, *option, *units)? {
                // Somebody else took them between our reading and our writing: decide again.
                return Err(StoreError::Conflict("an option's cap"));
            }
            if from_stock && !stock::take_on_sale(tx.conn, batch, *option, *units)? {
                return Err(StoreError::Conflict("what is on sale of an option"));
            }
        }
        orders::insert(tx.conn, &granted.orders, &granted.lines, &granted.pages)?;
        if from_stock {
            stock::log_allocations(tx.conn, &granted.allocations(batch, now))?;
        }
        campaigns::count(
            tx.conn,
            campaign.id,
            Moved {
                orders: count,
                open_payments: count,
                ..Moved::default()
            },
            now,
        )?;
        if campaign.first_order_at.is_none() && count > 0 {
            campaigns::set_first_order(tx.conn, campaign.id, now)?;
        }
        waiting::put_on(tx, campaign.id, &granted.orders)?;
        let work: Vec<_> = granted
            .pages
            .iter()
            .map(|p| {
                (
                    super::desk::payment_subject(p.order_id, p.attempt),
                    p.planned_at,
                )
            })
            .collect();
        jobs::put_many(tx.conn, jobs::PAYMENT, &work, now)?;
        tx.effects.work = true;
        tx.touch(campaign.id);
        Ok(())
    }
}

/// When the next payment page will be made: now, or later in a rush, at the pace the provider allows.
///
/// # Errors
/// What the database says.
pub fn plan_page(
    tx: &mut Tx,
    provider_rate: Option<u32>,
    hold_minutes: i64,
) -> Result<PagePlan, StoreError> {
    let wait = match provider_rate {
        Some(rate) if rate > 0 => {
            let waiting = orders::queue_length(tx.conn)?;
            Duration::milliseconds(waiting.saturating_mul(1000) / i64::from(rate))
        }
        _ => Duration::zero(),
    };
    Ok(PagePlan::at(tx.now + wait, hold_minutes))
}

fn damaged(e: Problem) -> StoreError {
    StoreError::Damaged(e.to_string())
}

fn placed(order: OrderRow, again: bool) -> Result<Placed, Problem> {
    let frozen = serde_json::from_str(&order.quote)?;
    Ok(Placed {
        order,
        frozen,
        again,
    })
}

/// Why a campaign takes no orders.
fn closed(campaign: &CampaignRow, now: NaiveDateTime) -> Problem {
    let message = match campaign.state {
        CampaignState::Interest => {
            "This campaign asks first who would buy; it takes no orders yet. Nothing was charged."
        }
        CampaignState::Draft | CampaignState::Scheduled => "This campaign has not opened yet.",
        CampaignState::Open if now >= campaign.deadline => {
            "The deadline has passed. Nothing was charged."
        }
        CampaignState::Open => "Joining has ended. Nothing was charged.",
        CampaignState::Failed => "This campaign has ended without an order. Nothing was charged.",
        _ => "This campaign has closed. Nothing was charged.",
    };
    Problem::conflict("campaign-closed", message)
}
