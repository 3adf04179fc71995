//! One campaign's joins, decided together: who was answered already, who may join at all, who is granted units, and
//! what is written of it.

use std::collections::HashMap;

use chrono::NaiveDateTime;

use super::same::{asks_for_the_same, form_used, is_same, was_same};
use super::table::{Granted, Table};
use super::{JoinRequest, Joins, Placed, plan_page};
use crate::domain::campaign::CampaignState;
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::{CampaignId, OptionId, OrderId};
use crate::store::campaigns::{BatchRow, CampaignRow, Moved, OptionRow};
use crate::store::orders::OrderRow;
use crate::store::{StoreError, Tx, campaigns, changes, jobs, merchants, orders, stock};
use crate::workflows::collect;
use crate::workflows::desk::{Problem, ends_at, payment_subject, takes_orders};
use crate::workflows::judgement::current_step;
use crate::workflows::{stock_sale, waiting};

type Answer = Result<Placed, Problem>;

/// What a campaign sells just now.
struct Selling {
    batch: BatchRow,
    /// Where it is sold from left-over stock: what is on sale.
    on_sale: Option<HashMap<OptionId, i64>>,
    /// Whether only what is missing after all cards were charged may be bought.
    gap: bool,
}

impl Selling {
    fn of(tx: &mut Tx, campaign: &CampaignRow) -> Result<Self, StoreError> {
        let (batch, on_sale) = match stock_sale::sale_of(tx.conn, campaign).map_err(damaged)? {
            Some((batch, units)) => (batch, Some(units)),
            None => {
                let batch = campaigns::batch_of(tx.conn, campaign.id)?.ok_or_else(|| {
                    StoreError::Damaged(format!("campaign {} has no batch", campaign.id))
                })?;
                (batch, None)
            }
        };
        let gap = collect::may_buy(campaign, &batch, tx.now.naive_utc());
        Ok(Self {
            batch,
            on_sale,
            gap,
        })
    }

    fn is_from_stock(&self) -> bool {
        self.on_sale.is_some()
    }

    /// Whether it is a join before the deadline, as most are.
    fn is_usual(&self) -> bool {
        !self.is_from_stock() && !self.gap
    }

    fn is_open_to(&self, wish: &JoinRequest, takes_orders: bool) -> bool {
        match &self.on_sale {
            // While units are missing only who buys them may; else nobody buys them.
            None if self.gap => wish.buys_missing,
            Some(_) => !wish.buys_missing,
            None => takes_orders && !wish.buys_missing,
        }
    }

    /// The index of the step whose price is shown.
    fn step(
        &self,
        tx: &mut Tx,
        campaign: &CampaignRow,
        offer: &CampaignDraft,
    ) -> Result<usize, StoreError> {
        Ok(match self.batch.step.filter(|_| self.is_from_stock()) {
            Some(judged) => usize::try_from(judged).unwrap_or(0),
            // What the merchant buys to fill a gap costs what everybody pays.
            None if self.gap => usize::try_from(self.batch.step.unwrap_or(0)).unwrap_or(0),
            None => current_step(tx.conn, campaign, offer).map_err(damaged)?,
        })
    }
}

/// A wish whose answer is an order granted just now, once that has its number.
struct Numbered {
    /// Which of the wishes.
    wish: usize,
    /// Which of the granted orders.
    order: usize,
    /// Whether it is the same form once more.
    again: bool,
}

impl Joins {
    /// Decides all wishes for one campaign, in their order, and writes what is granted.
    pub(super) fn place(
        &self,
        tx: &mut Tx,
        id: CampaignId,
        wishes: &[&JoinRequest],
    ) -> Result<Vec<Answer>, StoreError> {
        let Some(campaign) = campaigns::lock(tx.conn, id)? else {
            return Ok(wishes
                .iter()
                .map(|_| Err(Problem::NotFound("campaign")))
                .collect());
        };
        let mut answers = self.placed_before(tx, &campaign, wishes)?;
        let selling = Selling::of(tx, &campaign)?;
        turn_away(
            &campaign,
            &selling,
            tx.now.naive_utc(),
            wishes,
            &mut answers,
        );
        if answers.iter().all(Option::is_some) {
            return Ok(all_of(answers));
        }
        let offer = self.offer(&campaign)?;
        let mut options = campaigns::options_of(tx.conn, id)?;
        if selling.gap {
            let gone = collect::not_made(&selling.batch).map_err(damaged)?;
            options.retain(|row| !gone.contains(&row.sku));
        }
        let mut table = self.table(tx, &campaign, &selling, (&offer, &options), wishes)?;
        let mut granted = Granted::default();
        let numbered = grant(&mut table, wishes, &mut answers, &mut granted);
        self.keep(tx, &campaign, &selling, &mut granted)?;
        for one in numbered {
            answers[one.wish] = Some(placed(granted.orders[one.order].clone(), one.again));
        }
        // A hold is granted only if the clock at its commit reads before the deadline.
        if selling.is_usual()
            && !granted.orders.is_empty()
            && self.clock.now().naive_utc() >= ends_at(&campaign)
        {
            return Err(StoreError::Conflict(
                "the deadline passed during the commit",
            ));
        }
        Ok(all_of(answers))
    }

    /// What the wishes are decided on.
    fn table<'a>(
        &self,
        tx: &mut Tx,
        campaign: &'a CampaignRow,
        selling: &Selling,
        (offer, options): (&'a CampaignDraft, &'a [OptionRow]),
        wishes: &[&JoinRequest],
    ) -> Result<Table<'a>, StoreError> {
        let id = campaign.id;
        let merchant = merchants::by_id(tx.conn, campaign.merchant_id)?
            .ok_or_else(|| StoreError::Damaged(format!("campaign {id} has no merchant")))?;
        Ok(Table {
            campaign,
            batch: selling.batch.id,
            offer,
            options: options
                .iter()
                .filter_map(|row| {
                    let draft = offer.options.iter().find(|o| o.sku == row.sku)?;
                    Some((row.sku.as_str(), (row, draft)))
                })
                .collect(),
            taken: options.iter().map(|o| (o.id, o.taken)).collect(),
            waited: waiting::units(tx.conn, id)?,
            lists: selling.is_usual(),
            by_shopper: self.units_of_shoppers(tx, offer, id, wishes)?,
            terms_version: merchant.terms_version,
            withdrawal: merchant.withdrawal_everywhere,
            plan: plan_page(tx, self.provider_rate, self.hold_minutes)?,
            step: selling.step(tx, campaign, offer)?,
            on_sale: selling.on_sale.clone(),
            now: tx.now,
        })
    }

    /// Answers for forms that placed their order already: the back button, a double click, a repeated call.
    fn placed_before(
        &self,
        tx: &mut Tx,
        campaign: &CampaignRow,
        wishes: &[&JoinRequest],
    ) -> Result<Vec<Option<Answer>>, StoreError> {
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
        selling: &Selling,
        granted: &mut Granted,
    ) -> Result<(), StoreError> {
        if granted.orders.is_empty() {
            return Ok(());
        }
        let now = tx.now.naive_utc();
        let (batch, from_stock) = (selling.batch.id, selling.is_from_stock());
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
            .map(|p| (payment_subject(p.order_id, p.attempt), p.planned_at))
            .collect();
        jobs::put_many(tx.conn, jobs::PAYMENT, &work, now)?;
        tx.effects.work = true;
        tx.touch(campaign.id);
        Ok(())
    }
}

/// Answers those who asked for a campaign by a name that it has no more, and those who may not join now.
fn turn_away(
    campaign: &CampaignRow,
    selling: &Selling,
    now: NaiveDateTime,
    wishes: &[&JoinRequest],
    answers: &mut [Option<Answer>],
) {
    let takes_orders = takes_orders(campaign, now);
    for (wish, answer) in wishes.iter().zip(answers) {
        let renamed = wish.named.as_ref().is_some_and(|n| *n != campaign.slug);
        if renamed {
            *answer = Some(Err(Problem::NotFound("campaign")));
        } else if answer.is_none() && !selling.is_open_to(wish, takes_orders) {
            *answer = Some(Err(closed(campaign, now)));
        }
    }
}

/// Decides who is not answered yet; gives those whose answer waits for an order's number.
fn grant(
    table: &mut Table,
    wishes: &[&JoinRequest],
    answers: &mut [Option<Answer>],
    granted: &mut Granted,
) -> Vec<Numbered> {
    let mut by_form: HashMap<&str, (&JoinRequest, usize)> = HashMap::new();
    let mut numbered = Vec::new();
    for (i, wish) in wishes.iter().enumerate() {
        if answers[i].is_some() {
            continue;
        }
        let known = wish.form_key.as_deref().and_then(|key| by_form.get(key));
        if let Some((first, order)) = known {
            // The same form twice in one commit: the first one's answer.
            if asks_for_the_same(first, wish) {
                numbered.push(Numbered {
                    wish: i,
                    order: *order,
                    again: true,
                });
            } else {
                answers[i] = Some(Err(form_used()));
            }
            continue;
        }
        match table.decide(wish, granted) {
            Ok(()) => {
                let order = granted.orders.len() - 1;
                if let Some(key) = wish.form_key.as_deref() {
                    by_form.insert(key, (*wish, order));
                }
                numbered.push(Numbered {
                    wish: i,
                    order,
                    again: false,
                });
            }
            Err(problem) => answers[i] = Some(Err(problem)),
        }
    }
    numbered
}

fn all_of(answers: Vec<Option<Answer>>) -> Vec<Answer> {
    let undecided = || Err(Problem::Internal("a join was not decided".into()));
    answers
        .into_iter()
        .map(|answer| answer.unwrap_or_else(undecided))
        .collect()
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
