//! What one campaign's joins are decided on, one after the other, in memory.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::{FrozenDeposit, FrozenLine, FrozenQuote, JoinRequest, Waits};
use crate::domain::draft::{CampaignDraft, DepositUnpaid, FieldError, OptionDraft, PaymentMode};
use crate::domain::ids::{AllocationId, BatchId, OptionId, OrderId};
use crate::domain::money::Money;
use crate::domain::order::{LineState, OrderState, PaymentState};
use crate::domain::payment::{AttemptState, PagePlan, PaymentKind};
use crate::domain::price::deposit_of;
use crate::domain::tariff::{Quote, QuoteLine, TariffError, quote};
use crate::store::campaigns::{CampaignRow, OptionRow};
use crate::store::orders::{LineRow, OrderRow, PaymentRow};
use crate::store::stock::AllocationRow;
use crate::store::{Conn, campaigns, orders};
use crate::workflows::desk::{Problem, offer};
use crate::workflows::{stock_sale, waiting};

/// Units of an option that one order may wait for, where its merchant sets no limit per shopper.
const MOST_WAITED: i64 = 10;

/// What one campaign's joins are decided on.
pub(super) struct Table<'a> {
    pub(super) campaign: &'a CampaignRow,
    pub(super) batch: BatchId,
    pub(super) offer: &'a CampaignDraft,
    pub(super) options: HashMap<&'a str, (&'a OptionRow, &'a OptionDraft)>,
    pub(super) taken: HashMap<OptionId, i64>,
    /// Units that are waited for: they are kept for those who wait.
    pub(super) waited: HashMap<OptionId, i64>,
    /// Whether there is a waiting list.
    pub(super) lists: bool,
    pub(super) by_shopper: HashMap<(String, OptionId), i64>,
    pub(super) terms_version: i32,
    pub(super) withdrawal: bool,
    pub(super) plan: PagePlan,
    pub(super) step: usize,
    /// Where it is sold from left-over stock: what is on sale.
    pub(super) on_sale: Option<HashMap<OptionId, i64>>,
    pub(super) now: DateTime<Utc>,
}

/// What was granted, ready to be written.
#[derive(Default)]
pub(super) struct Granted {
    pub(super) orders: Vec<OrderRow>,
    pub(super) lines: Vec<LineRow>,
    pub(super) pages: Vec<PaymentRow>,
    pub(super) units: HashMap<OptionId, i64>,
}

impl Granted {
    /// The lines' units as they are given from stock.
    pub(super) fn allocations(&self, batch: BatchId, now: NaiveDateTime) -> Vec<AllocationRow> {
        self.lines
            .iter()
            .map(|line| AllocationRow {
                id: AllocationId::new(),
                batch_id: batch,
                order_id: line.order_id,
                option_id: line.option_id,
                units: line.allocated,
                why: "held for a sale from stock".to_owned(),
                at: now,
            })
            .collect()
    }
}

impl<'a> Table<'a> {
    /// Grants a wish or says why not; what is granted counts for the next one.
    pub(super) fn decide(
        &mut self,
        wish: &JoinRequest,
        granted: &mut Granted,
    ) -> Result<(), Problem> {
        let lines = self.lines(wish)?;
        let frozen = self.agree(wish, &lines)?;
        let waits = self.waits(wish, &lines)?;
        for (row, _, quantity) in &lines {
            *self
                .by_shopper
                .entry((wish.email.clone(), row.id))
                .or_insert(0) += quantity;
            if waits {
                *self.waited.entry(row.id).or_insert(0) += quantity;
                continue;
            }
            if let Some(left) = self.on_sale.as_mut().and_then(|all| all.get_mut(&row.id)) {
                *left -= quantity;
            }
            *self.taken.entry(row.id).or_insert(0) += quantity;
            *granted.units.entry(row.id).or_insert(0) += quantity;
        }
        self.write(wish, &lines, &frozen, waits, granted)
    }

    /// What a wish is agreed at: the lines at the price shown now, the terms in force, and no more than the shopper said
    /// yes to.
    pub(super) fn agree(
        &self,
        wish: &JoinRequest,
        lines: &[Line<'a>],
    ) -> Result<FrozenQuote, Problem> {
        if let Some(accepted) = wish.terms_version
            && accepted != self.terms_version
        {
            return Err(Problem::field(
                "terms",
                "The seller's terms have changed. Read them again and accept the present ones.",
            ));
        }
        let tariff = self.offer.tariff();
        let step = self.shown_to(wish)?;
        let priced: Vec<QuoteLine> = lines
            .iter()
            .map(|(_, draft, quantity)| QuoteLine {
                unit_price: draft.prices.price_at(step),
                quantity: *quantity,
                weight_grams: draft.grams(),
            })
            .collect();
        let quote = quote(&priced, wish.address.country, &tariff).map_err(refused_quote)?;
        self.chargeable(&quote)?;
        if wish.agreed_total.is_some_and(|agreed| quote.total > agreed) {
            let total = Money::new(quote.total, self.offer.currency).format();
            return Err(Problem::conflict(
                "price-changed",
                format!("The total is {total} now. Look at it again before you pay."),
            ));
        }
        Ok(FrozenQuote {
            promised: Some(match self.on_sale {
                Some(_) => stock_sale::ships_by(self.offer, self.now),
                None => self.offer.promised_ship_date,
            }),
            from_stock: self.on_sale.is_some(),
            withdrawal: self.withdrawal,
            title: self.campaign.title.clone(),
            step,
            deposit: self.deposit(wish, &quote),
            lines: lines
                .iter()
                .map(|(row, draft, _)| FrozenLine {
                    sku: row.sku.clone(),
                    name: draft.name.clone(),
                    made_to_order: draft.made_to_order,
                    weight_grams: draft.weight_grams.map(i64::from),
                })
                .collect(),
            quote,
            tariff,
        })
    }

    /// Whether a wish goes on the waiting list; else there is room for it.
    fn waits(&self, wish: &JoinRequest, lines: &[Line]) -> Result<bool, Problem> {
        match (wish.waits, self.room(wish, lines)) {
            (Waits::Only, Ok(())) => Err(Problem::conflict(
                "not-sold-out",
                "There is room for this now. Order it; nobody has to wait.",
            )),
            (_, Ok(())) => Ok(false),
            (
                Waits::IfSoldOut | Waits::Only,
                Err(Problem::Conflict {
                    kind: "sold-out", ..
                }),
            ) if self.lists => {
                for line in lines {
                    self.may_be_waited_for(line)?;
                }
                Ok(true)
            }
            (_, Err(problem)) => Err(problem),
        }
    }

    /// Whether a line may be waited for: only what is sold out, and only a few. Nothing is paid for waiting, and what comes
    /// free is kept from everybody behind until there is enough of it.
    fn may_be_waited_for(&self, (row, draft, quantity): &Line) -> Result<(), Problem> {
        let sum = |units: &HashMap<OptionId, i64>| units.get(&row.id).copied().unwrap_or(0);
        let left = row
            .cap
            .map(|cap| cap - sum(&self.taken) - sum(&self.waited));
        let name = &draft.name;
        if left.is_none_or(|left| left > 0) {
            return Err(Problem::conflict(
                "sold-out",
                match left {
                    Some(left) if left < *quantity => format!(
                        "Of {name} there are {left} left. Order those; only what is sold out can be waited for."
                    ),
                    _ => format!(
                        "{name} is not sold out. Order it by itself, and wait for the rest alone."
                    ),
                },
            ));
        }
        let most = draft.per_shopper.map_or(MOST_WAITED, i64::from);
        let most = row.cap.map_or(most, |cap| most.min(cap));
        if *quantity > most {
            let say = format!("Of {name} one order can wait for {most} at most. Choose fewer.");
            return Err(Problem::conflict("sold-out", say));
        }
        Ok(())
    }

    /// How a wish is paid: what is there already, or what the merchant buys to fill a gap, is paid at once.
    pub(super) fn mode(&self, wish: &JoinRequest) -> PaymentMode {
        if self.on_sale.is_some() || wish.buys_missing {
            PaymentMode::ChargeNow
        } else {
            self.offer.payment_mode
        }
    }

    /// The index of the step whose price a wish is shown: of the later of the current one and the one it waits for.
    fn shown_to(&self, wish: &JoinRequest) -> Result<usize, Problem> {
        let Some(limit) = wish.limit_step else {
            return Ok(self.step);
        };
        if self.mode(wish) != PaymentMode::ChargeOnSuccess {
            return Err(Problem::field(
                "limit_step",
                "Only campaigns that charge a saved card on success let you wait for a price. Leave it out.",
            ));
        }
        let last = self.offer.steps.len() - 1;
        if limit > last {
            return Err(Problem::field(
                "limit_step",
                format!("Write the index of a step, 0 to {last}."),
            ));
        }
        Ok(self.step.max(limit))
    }

    /// The deposit of an order with this quote, where one is paid.
    fn deposit(&self, wish: &JoinRequest, quote: &Quote) -> Option<FrozenDeposit> {
        (self.mode(wish) == PaymentMode::Deposit).then(|| FrozenDeposit {
            amount: deposit_of(quote.total, self.offer.deposit_percent, self.offer.currency),
            forfeited: self.offer.deposit_unpaid == DepositUnpaid::Kept,
        })
    }

    /// The options that were asked for, all of which exist.
    pub(super) fn lines(&self, wish: &JoinRequest) -> Result<Vec<Line<'a>>, Problem> {
        let mut errors = Vec::new();
        let mut lines = Vec::with_capacity(wish.lines.len());
        for (i, (sku, quantity)) in wish.lines.iter().enumerate() {
            match self.options.get(sku.as_str()) {
                None => errors.push(FieldError::new(
                    format!("lines[{i}].sku"),
                    format!("There is no option {sku} in this campaign."),
                )),
                Some(_) if *quantity < 1 => errors.push(FieldError::new(
                    format!("lines[{i}].quantity"),
                    "Write how many you want: 1 or more.",
                )),
                Some((row, draft)) => lines.push((*row, *draft, *quantity)),
            }
        }
        if wish.lines.is_empty() {
            errors.push(FieldError::new("lines", "Choose at least one option."));
        }
        if errors.is_empty() {
            Ok(lines)
        } else {
            Err(Problem::Invalid(errors))
        }
    }

    fn chargeable(&self, quote: &Quote) -> Result<(), Problem> {
        let currency = self.offer.currency;
        if quote.total < currency.min_charge() {
            let least = Money::new(currency.min_charge(), currency).format();
            return Err(Problem::field(
                "lines",
                format!("Cards can be charged from {least} on. Choose more."),
            ));
        }
        if !currency.is_chargeable(quote.total) {
            let most = Money::new(currency.max_charge(), currency).format();
            return Err(Problem::field(
                "lines",
                format!("One order can be {most} at most. Choose fewer."),
            ));
        }
        Ok(())
    }

    /// Whether caps and the limit per shopper leave room for all lines.
    fn room(&self, wish: &JoinRequest, lines: &[Line]) -> Result<(), Problem> {
        for (row, draft, quantity) in lines {
            // Who sells it may buy all that is missing.
            if let Some(limit) = draft.per_shopper.filter(|_| !wish.buys_missing) {
                let has = self.by_shopper.get(&(wish.email.clone(), row.id)).copied();
                within_limit(draft, limit, has.unwrap_or(0), *quantity)?;
            }
        }
        for (row, draft, quantity) in lines {
            if let Some(on_sale) = &self.on_sale {
                let left = on_sale.get(&row.id).copied().unwrap_or(0);
                still_there(draft, left, *quantity)?;
            }
            if let Some(cap) = row.cap {
                let of = |units: &HashMap<OptionId, i64>| units.get(&row.id).copied().unwrap_or(0);
                let gone = of(&self.taken).saturating_add(of(&self.waited));
                under_cap(draft, cap, gone, *quantity)?;
            }
        }
        Ok(())
    }

    fn write(
        &self,
        wish: &JoinRequest,
        lines: &[Line],
        frozen: &FrozenQuote,
        waits: bool,
        granted: &mut Granted,
    ) -> Result<(), Problem> {
        let id = OrderId::new();
        let mode = self.mode(wish);
        let held_until = if waits {
            self.now
        } else {
            let (kind, amount) = first_page(mode, frozen);
            granted.pages.push(new_page(id, 1, amount, self.plan, kind));
            self.plan.hold_expires_at
        };
        let units = lines.iter().map(|(_, _, quantity)| quantity).sum();
        granted
            .lines
            .extend(
                lines
                    .iter()
                    .zip(&frozen.quote.lines)
                    .map(|((row, _, quantity), line)| LineRow {
                        order_id: id,
                        option_id: row.id,
                        sku: row.sku.clone(),
                        quantity: *quantity,
                        unit_price: line.unit_price,
                        final_price: None,
                        state: LineState::Held,
                        cancelled: 0,
                        // Units from stock are the order's at once.
                        allocated: if frozen.from_stock { *quantity } else { 0 },
                        picked: 0,
                        shipped: 0,
                        delivered: 0,
                    }),
            );
        granted.orders.push(OrderRow {
            id,
            number: 0,
            merchant_id: self.campaign.merchant_id,
            campaign_id: self.campaign.id,
            batch_id: self.batch,
            state: if waits {
                OrderState::Waitlisted
            } else {
                OrderState::Pending
            },
            payment_state: PaymentState::Unpaid,
            email: wish.email.clone(),
            name: wish.name.clone(),
            address: serde_json::to_string(&wish.address)?,
            country: wish.address.country.code().to_owned(),
            delivery: wish.delivery,
            currency: self.campaign.currency.clone(),
            units,
            quote: serde_json::to_string(frozen)?,
            total: frozen.quote.total,
            final_total: None,
            charged: 0,
            refund_due: 0,
            refunded: 0,
            lost: 0,
            units_taken: !waits,
            settled: false,
            hold_expires_at: held_until.naive_utc(),
            terms_version: self.terms_version,
            joined_from: wish.joined_from.clone(),
            form_key: wish.form_key.clone(),
            note: None,
            created_at: self.now.naive_utc(),
            confirmed_at: None,
            closed_at: None,
            allowances: 0,
            mode,
            limit_step: wish.limit_step.map_or(Ok(0), i32::try_from).unwrap_or(0),
            collected: false,
            owed: 0,
            forfeited: 0,
        });
        Ok(())
    }
}

fn sold_out(name: &str, left: i64) -> Problem {
    let say = if left == 0 {
        format!("{name} is sold out. Units come back when a payment runs out.")
    } else {
        format!("Of {name} there are {left} left. Choose fewer.")
    };
    Problem::conflict("sold-out", say)
}

pub(super) type Line<'a> = (&'a OptionRow, &'a OptionDraft, i64);

/// Whether the limit per shopper leaves room for so many more.
///
/// # Errors
/// That it does not.
pub(in crate::workflows) fn within_limit(
    draft: &OptionDraft,
    limit: i32,
    has: i64,
    wanted: i64,
) -> Result<(), Problem> {
    let limit = i64::from(limit);
    if has.saturating_add(wanted) <= limit {
        return Ok(());
    }
    let left = (limit - has).max(0);
    Err(Problem::conflict(
        "limit-per-shopper",
        format!(
            "Each shopper may have {limit} of {}; {left} more can be joined with this e-mail address.",
            draft.name
        ),
    ))
}

/// Whether a cap leaves room for so many more.
///
/// # Errors
/// That it does not.
pub(in crate::workflows) fn under_cap(
    draft: &OptionDraft,
    cap: i64,
    taken: i64,
    wanted: i64,
) -> Result<(), Problem> {
    if taken.saturating_add(wanted) <= cap {
        return Ok(());
    }
    Err(sold_out(&draft.name, (cap - taken).max(0)))
}

fn still_there(draft: &OptionDraft, left: i64, wanted: i64) -> Result<(), Problem> {
    if wanted <= left {
        return Ok(());
    }
    Err(sold_out(&draft.name, left))
}

/// What stands in the way of these units besides fields that are wrong: the limit per shopper, where the shopper is known,
/// a cap, or, where left-over stock is sold, that so many are not on sale. For whoever is refused anyway; nothing is held.
///
/// # Errors
/// What the database says.
pub fn no_room(
    conn: &mut Conn,
    campaign: &CampaignRow,
    on_sale: Option<&HashMap<OptionId, i64>>,
    email: Option<&str>,
    lines: &[(String, i64)],
) -> Result<Option<Problem>, Problem> {
    let offer = offer(campaign)?;
    let shopper: Vec<&str> = email.into_iter().collect();
    let has = orders::units_of_shoppers(conn, campaign.id, &shopper)?;
    let waited = waiting::units(conn, campaign.id)?;
    for row in campaigns::options_of(conn, campaign.id)? {
        let Some(draft) = offer.options.iter().find(|o| o.sku == row.sku) else {
            continue;
        };
        let wanted = lines.iter().find(|(sku, _)| *sku == row.sku);
        let Some((_, wanted)) = wanted else { continue };
        let mine = has.iter().filter(|(_, option, _)| *option == row.id);
        let mine = mine.map(|(_, _, units)| units).sum();
        let limit = draft.per_shopper.filter(|_| email.is_some());
        let checked = limit
            .map_or(Ok(()), |limit| within_limit(draft, limit, mine, *wanted))
            .and_then(|()| match on_sale {
                Some(units) => {
                    let left = units.get(&row.id).copied().unwrap_or(0);
                    still_there(draft, left, *wanted)
                }
                None => Ok(()),
            })
            .and_then(|()| match row.cap {
                Some(cap) => {
                    let waited = waited.get(&row.id).copied().unwrap_or(0);
                    under_cap(draft, cap, row.taken.saturating_add(waited), *wanted)
                }
                None => Ok(()),
            });
        if let Err(problem) = checked {
            return Ok(Some(problem));
        }
    }
    Ok(None)
}

/// What the first page of an order does, and what it charges.
pub fn first_page(mode: PaymentMode, frozen: &FrozenQuote) -> (PaymentKind, i64) {
    match (mode, &frozen.deposit) {
        (PaymentMode::ChargeOnSuccess, _) => (PaymentKind::Setup, 0),
        (PaymentMode::Deposit, Some(deposit)) => (PaymentKind::Deposit, deposit.amount),
        _ => (PaymentKind::Join, frozen.quote.total),
    }
}

/// A page's row: committed before the provider hears of it.
pub fn new_page(
    order: OrderId,
    attempt: i32,
    amount: i64,
    plan: PagePlan,
    kind: PaymentKind,
) -> PaymentRow {
    PaymentRow {
        order_id: order,
        attempt,
        state: AttemptState::Planned,
        amount,
        idempotency_key: format!("muster-{kind}-{order}-{attempt}"),
        planned_at: plan.planned_at.naive_utc(),
        expires_at: plan.expires_at.naive_utc(),
        sent_at: None,
        session_id: None,
        url: None,
        intent_id: None,
        close_wanted: false,
        problem: None,
        settled_at: None,
        kind,
        looked_at: None,
    }
}

fn refused_quote(e: TariffError) -> Problem {
    match e {
        TariffError::NotShippedTo(_) => Problem::field("address.country", e.to_string()),
        TariffError::TooLarge(_) | TariffError::Invalid | TariffError::Overflow => {
            Problem::field("lines", e.to_string())
        }
    }
}
