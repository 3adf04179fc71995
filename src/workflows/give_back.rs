//! Refunds by staff (domain sections 4, 5 and 7): units that will not be shipped leave the order, or an amount is given out
//! of goodwill. Both also after the supplier's order was sent; the merchant who will not ship refunds at once (16 CFR
//! 435.2(c)(4)).

use super::claims::{Case, lock};
use super::desk::{Concerns, Desk, Problem, happened};
use super::letters::{After, Letter, WhyCancelled};
use super::money::{self, nonzero_said, say};
use super::part::{Which, cost_of, take_out};
use crate::domain::ids::{MerchantId, OptionId, OrderId};
use crate::domain::payment::RefundPurpose;
use crate::domain::text::clean_text;
use crate::store::Tx;
use crate::store::orders::OrderRow;

/// Longest reason, in characters.
pub const MAX_REASON: usize = 500;

/// What staff give back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Units that were not handed over, by option code.
    Lines(Vec<(String, i64)>),
    /// Minor units, out of goodwill.
    Amount(i64),
}

/// A refund by staff.
#[derive(Debug, Clone)]
pub struct Request {
    /// At whose shop.
    pub merchant: MerchantId,
    /// Of which order.
    pub order: OrderId,
    /// What.
    pub what: What,
    /// Why, as the shopper reads it.
    pub reason: String,
    /// The amount that was shown before, if one was; another is not given.
    pub shown: Option<i64>,
    /// Who gives it.
    pub person: String,
    /// What tells this gift from another: the key of the form or of the call. Without one the same amount for the same
    /// reason is the same gift, and is given once.
    pub once: Option<String>,
}

/// Checks a request and says what goes back, in minor units, without doing it.
///
/// # Errors
/// Wrong fields; a conflict where nothing can be given back.
pub fn preview(case: &Case, what: &What, dispute_open: bool) -> Result<i64, Problem> {
    let order = &case.order;
    if !order.state.is_paid() {
        return Err(Problem::conflict(
            "wrong-state",
            "This order is not paid, or is closed: there is nothing to give back.",
        ));
    }
    match what {
        What::Lines(wished) => {
            let units = case.units_by_code(wished, |line| line.units().unshipped())?;
            Ok(back_of(case, &units)?)
        }
        What::Amount(_) if dispute_open => Err(Problem::conflict(
            "dispute-open",
            "The cardholder disputes this payment. Nothing is given out of goodwill until the bank has decided; what is \
             owed by then is kept for it.",
        )),
        What::Amount(amount) => {
            let kept = order.money().kept().max(0);
            let currency = money::currency(&order.currency)?;
            let wrong = if *amount < 1 || *amount > kept {
                let most = say(kept, &order.currency);
                Some(format!(
                    "Write an amount above 0, at most {most}: that much is kept."
                ))
            } else if !currency.is_granular(*amount) {
                let by = currency.granularity();
                Some(format!("Write a multiple of {by} minor units."))
            } else {
                None
            };
            match wrong {
                Some(say) => Err(Problem::field("amount", say)),
                None => Ok(*amount),
            }
        }
    }
}

/// What is kept beyond what the order costs without these units.
fn back_of(case: &Case, units: &[(OptionId, i64)]) -> Result<i64, Problem> {
    let order = &case.order;
    let kept = order.money().kept().max(0);
    let leaves = |option: OptionId| {
        let mine = units.iter().find(|(o, _)| *o == option);
        mine.map_or(0, |(_, n)| *n)
    };
    let stays = |l: &crate::store::orders::LineRow| l.units().wanted() - leaves(l.option_id);
    let costs = cost_of(order, &case.lines, stays)?.total;
    let costs = order.final_total.unwrap_or(order.total).min(costs);
    Ok((kept - (costs - order.allowances - order.lost).max(0)).max(0))
}

/// Gives it back.
///
/// # Errors
/// As [`preview`]; field `reason`; a conflict where another amount was shown.
pub fn give_back(desk: &Desk, tx: &mut Tx, request: &Request) -> Result<OrderRow, Problem> {
    let mut case = lock(tx, request.order)?;
    if case.order.merchant_id != request.merchant {
        return Err(Problem::NotFound("order"));
    }
    let open = money::dispute_is_open(tx, case.order.id)?;
    let back = preview(&case, &request.what, open)?;
    let reason = clean_text(&request.reason, MAX_REASON)
        .map_err(|message| Problem::field("reason", message))?;
    if reason.trim().is_empty() {
        let say = "Write the reason; the shopper reads it.";
        return Err(Problem::field("reason", say));
    }
    if request.shown.is_some_and(|shown| shown != back) {
        let now = say(back, &case.order.currency);
        let say = format!("{now} would go back now. Look at it again before it is sent.");
        return Err(Problem::conflict("amount-changed", say));
    }
    match &request.what {
        What::Lines(wished) => {
            let units = case.units_by_code(wished, |line| line.units().unshipped())?;
            units_leave(desk, tx, &mut case, (units, &reason, &request.person))?;
        }
        What::Amount(amount) => {
            let once = request.once.as_deref().unwrap_or(&reason);
            let event = format!("goodwill:{}:{amount}:{once}", request.order);
            let before = case.order.refund_due;
            let purpose = RefundPurpose::Goodwill;
            money::commit_allowance(tx, &mut case.order, purpose, &event, *amount)?;
            if case.order.refund_due == before {
                return Ok(case.order);
            }
            money::keep(tx, &mut case.order)?;
            let amount = say(*amount, &case.order.currency);
            let detail = format!("{amount} back out of goodwill: {reason}");
            let concerns = Concerns::order(&case.order);
            happened(tx, concerns, &request.person, "goodwill", detail)?;
            let once = format!("goodwill:{}", crate::domain::ids::HappeningId::new());
            case.tell(desk, tx, &once, After::Goodwill { amount, reason })?;
        }
    }
    Ok(case.order)
}

fn units_leave(
    desk: &Desk,
    tx: &mut Tx,
    case: &mut Case,
    (units, reason, person): (Vec<(OptionId, i64)>, &str, &str),
) -> Result<(), Problem> {
    let lines = case.say_units(&units);
    let concerns = Concerns::order(&case.order);
    let detail = format!("Will not be shipped: {}. {reason}", lines.join("; "));
    let which = Which::These(units);
    let left = take_out(
        tx,
        &case.campaign,
        &mut case.order,
        &which,
        RefundPurpose::Change,
    )?;
    let amount = nonzero_said(left.back, &case.order.currency);
    if left.whole {
        let detail = format!("Cancelled by staff: {reason}");
        case.order.note = Some(detail.clone());
        money::keep(tx, &mut case.order)?;
        happened(tx, concerns, person, "cancelled", detail)?;
        let letter = Letter::Cancelled {
            about: desk.about(&case.merchant, &case.campaign, &case.draft, &case.order),
            why: WhyCancelled::Staff(reason.to_owned()),
            back: amount,
        };
        return desk.tell_shopper(tx, &case.merchant, &case.order, "cancelled", letter);
    }
    happened(tx, concerns, person, "units_left", detail)?;
    let held = money::dispute_is_open(tx, case.order.id)?;
    let once = format!("units_left:{}", crate::domain::ids::HappeningId::new());
    let news = After::UnitsLeft {
        lines,
        amount,
        reason: reason.to_owned(),
        held,
    };
    case.tell(desk, tx, &once, news)
}
