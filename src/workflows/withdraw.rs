//! Withdrawal from the contract (domain section 6a): what was not handed over leaves at once, what was is to be sent
//! back; the money is back within 14 days.

use chrono::{DateTime, Duration, NaiveTime, Utc};

use super::claims::decide::{Decision, resolve};
use super::claims::{Case, claim_lines, lock};
use super::desk::{Concerns, Desk, Problem, enqueue, happened, order_number};
use super::letters::{After, Letter};
use super::money::{self, nonzero_said};
use super::part::{Which, take_out};
use crate::domain::claim::{ClaimEvent, ClaimKind, ClaimOutcome, ClaimState, claimable};
use crate::domain::country::Country;
use crate::domain::day::instant;
use crate::domain::draft::FieldError;
use crate::domain::ids::{ClaimId, OptionId, OrderId};
use crate::domain::payment::RefundPurpose;
use crate::domain::shipment::{ShipmentEvent, ShipmentKind, ShipmentState};
use crate::domain::text::{clean_line, normalize_email};
use crate::domain::withdrawal::{Period, WARN_DAYS, has_right, refund_by, split};
use crate::store::claims::{self, ClaimRow};
use crate::store::orders::LineRow;
use crate::store::{Tx, jobs, shipments, stock};

/// What is said of withdrawal before joining and in the confirmation's mail. `exempt`: names of chosen options that
/// are; of so many chosen in all.
pub fn information(exempt: &[&str], chosen: usize) -> Vec<String> {
    let mut said = Vec::new();
    if exempt.len() < chosen {
        said.push(
            "You may withdraw from the contract without giving a reason until 14 days after the last parcel has \
             arrived: on your order's page, press \"Withdraw from contract here\"."
                .to_owned(),
        );
        said.push(
            "Within 14 days of that everything you paid for it is back, standard shipping included. Goods that have \
             arrived are sent back within 14 days, at your cost; the refund may wait for them or for the proof that \
             they were sent."
                .to_owned(),
        );
    }
    if !exempt.is_empty() {
        let names = exempt.join(", ");
        said.push(format!(
            "No right of withdrawal, because it is made to order or exempt for another reason: {names}."
        ));
    }
    said
}

/// What an order may still be withdrawn from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// Until when.
    pub period: Period,
    /// Of each option's code, units that can be withdrawn from.
    pub lines: Vec<(String, i64)>,
    /// Names of options that are exempt.
    pub exempt: Vec<String>,
}

impl Case {
    /// Whether a line is exempt: it was so at joining, and still is.
    fn is_exempt(&self, line: &LineRow) -> bool {
        let then = self.agreed.lines.iter().find(|l| l.sku == line.sku);
        let now = self.draft.options.iter().find(|o| o.sku == line.sku);
        then.is_some_and(|l| l.made_to_order) && now.is_none_or(|o| o.made_to_order)
    }

    /// Units that were handed over and that no withdrawal or full refund is about. Other open claims do not stand in
    /// the way: a declared withdrawal waits for nothing else.
    fn shipped_free(&self, line: &LineRow) -> i64 {
        let held = self.claimed(line.option_id, |claim| {
            claim.outcome == Some(ClaimOutcome::Refund)
                || claim.kind == ClaimKind::Withdrawal && claim.outcome.is_none()
        });
        claimable(line.units(), held)
    }

    /// The period of withdrawal.
    pub fn period(&self) -> Period {
        let under_way = |state| matches!(state, ShipmentState::Picked | ShipmentState::HandedOver);
        let coming = self.lines.iter().any(|l| l.units().unshipped() > 0)
            || self.parcels.iter().any(|(p, _)| under_way(p.state));
        let last = self
            .parcels
            .iter()
            .filter_map(|(p, _)| p.delivered_at)
            .max();
        Period::new(!coming, last.map(|at| at.and_utc()), self.draft.time_zone)
    }

    /// What may be withdrawn from at `now`; none where there is no right, or it has ended, or nothing is left.
    pub fn right(&self, now: DateTime<Utc>) -> Option<Right> {
        let country = Country::parse(&self.order.country)?;
        let chosen = self.agreed.withdrawal || self.merchant.withdrawal_everywhere;
        let period = self.period();
        if !self.order.state.is_paid() || !has_right(country, chosen) || !period.is_open(now) {
            return None;
        }
        let (exempt, free): (Vec<&LineRow>, Vec<&LineRow>) =
            self.lines.iter().partition(|l| self.is_exempt(l));
        let lines: Vec<(String, i64)> = free
            .iter()
            .map(|l| (l.sku.clone(), l.units().unshipped() + self.shipped_free(l)))
            .filter(|(_, units)| *units > 0)
            .collect();
        (!lines.is_empty()).then(|| Right {
            period,
            lines,
            exempt: exempt.iter().map(|l| self.name_of(l.option_id)).collect(),
        })
    }
}

/// A declaration of withdrawal.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// The order.
    pub order: OrderId,
    /// Option codes and quantities.
    pub lines: Vec<(String, i64)>,
    /// Who declares it.
    pub name: String,
    /// Where the acknowledgement goes.
    pub email: String,
}

/// What follows from a declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// What goes back at once, minor units.
    pub back: i64,
    /// The claim that waits for the goods, where some were handed over.
    pub claim: Option<ClaimId>,
}

/// Withdraws from the contract over these units.
///
/// # Errors
/// Wrong fields; a conflict where there is no right, or it has ended.
pub fn declare(desk: &Desk, tx: &mut Tx, said: &Declaration) -> Result<Declared, Problem> {
    let mut case = lock(tx, said.order)?;
    let right = case.right(tx.now).ok_or_else(|| no_right(&case, tx.now))?;
    let (units, name, email) = checked(&case, &right, said)?;
    let (mut leaving, mut coming_back) = (Vec::new(), Vec::new());
    for (option, wished) in &units {
        let line = case.lines.iter().find(|l| l.option_id == *option);
        let (before, after) = split(*wished, line.map_or(0, |l| l.units().unshipped()));
        leaving.extend((before > 0).then_some((*option, before)));
        coming_back.extend((after > 0).then_some((*option, after)));
    }
    let lines = case.say_units(&units);
    let detail = format!("{name} withdrew from the contract: {}.", lines.join("; "));
    let concerns = Concerns::order(&case.order);
    happened(tx, concerns, "shopper", "withdrawn", detail)?;
    let mut back = 0;
    if !leaving.is_empty() {
        let which = Which::These(leaving);
        let purpose = RefundPurpose::Withdrawal;
        let left = take_out(tx, &case.campaign, &mut case.order, &which, purpose)?;
        money::keep(tx, &mut case.order)?;
        back = left.back;
    }
    let claim = if coming_back.is_empty() {
        None
    } else {
        Some(await_return(tx, &case, &coming_back, &name)?)
    };
    acknowledge(desk, tx, &case, (lines, back, claim.as_ref(), &email))?;
    Ok(Declared {
        back,
        claim: claim.map(|c| c.id),
    })
}

fn no_right(case: &Case, now: DateTime<Utc>) -> Problem {
    let period = case.period();
    match period.last_day(case.draft.time_zone) {
        Some(day) if !period.is_open(now) => Problem::conflict(
            "withdrawal-ended",
            format!(
                "The time to withdraw ended with {}. If something is wrong with the goods, report it on the order's page.",
                day.format("%-d %B %Y")
            ),
        ),
        _ => Problem::conflict(
            "no-right-of-withdrawal",
            "This order cannot be withdrawn from: nothing of it is left to withdraw from, or no right applies to it.",
        ),
    }
}

type Checked = (Vec<(OptionId, i64)>, String, String);

fn checked(case: &Case, right: &Right, said: &Declaration) -> Result<Checked, Problem> {
    let mut errors = Vec::new();
    let most = |line: &LineRow| {
        let free = right.lines.iter().find(|(sku, _)| *sku == line.sku);
        free.map_or(0, |(_, units)| *units)
    };
    let units = match case.units_by_code(&said.lines, most) {
        Ok(units) => units,
        Err(Problem::Invalid(wrong)) => {
            errors.extend(wrong);
            Vec::new()
        }
        Err(other) => return Err(other),
    };
    let name = match said.name.trim() {
        "" => Err("Write your name.".to_owned()),
        name => clean_line(name, 200),
    };
    let name = name.unwrap_or_else(|say| {
        errors.push(FieldError::new("name", say));
        String::new()
    });
    let email = normalize_email(&said.email).unwrap_or_else(|say| {
        errors.push(FieldError::new("email", say));
        String::new()
    });
    if errors.is_empty() {
        Ok((units, name, email))
    } else {
        Err(Problem::Invalid(errors))
    }
}

/// Keeps that goods are to come back, and by when the money is due. Open claims over the same units end with it.
fn await_return(
    tx: &mut Tx,
    case: &Case,
    units: &[(OptionId, i64)],
    name: &str,
) -> Result<ClaimRow, Problem> {
    give_way(tx, case, units)?;
    let zone = case.draft.time_zone;
    let last_day = refund_by(tx.now, zone);
    let row = ClaimRow {
        id: ClaimId::new(),
        merchant_id: case.order.merchant_id,
        campaign_id: case.order.campaign_id,
        order_id: case.order.id,
        shipment_id: None,
        kind: ClaimKind::Withdrawal,
        state: ClaimState::AwaitingReturn,
        reported_by: "shopper".to_owned(),
        text: format!("{name} withdrew from the contract."),
        opened_at: tx.now.naive_utc(),
        return_sent_at: None,
        return_proof: None,
        returned_at: None,
        refund_by: Some(last_day),
        outcome: None,
        outcome_reason: None,
        amount: None,
        resolved_by: None,
        resolved_at: None,
        return_address: Some(case.merchant.address.clone()),
        return_by: Some(last_day),
    };
    claims::insert(tx.conn, &row, &claim_lines(row.id, units), &[])?;
    let warn = instant((last_day - Duration::days(WARN_DAYS)).and_time(SIX), zone);
    enqueue(tx, jobs::WITHDRAWAL, &row.id.to_string(), warn.naive_utc())?;
    Ok(row)
}

/// Open claims over units that are withdrawn from are answered by the withdrawal.
fn give_way(tx: &mut Tx, case: &Case, units: &[(OptionId, i64)]) -> Result<(), Problem> {
    for (claim, lines) in &case.claims {
        let same = lines.iter().any(|l| {
            let line = case.lines.iter().find(|x| x.option_id == l.option_id);
            let wished = units.iter().find(|(o, _)| *o == l.option_id);
            // Only where there are not units enough for both.
            wished.is_some_and(|(_, n)| line.is_some_and(|x| case.claimable(x) < *n))
        });
        if !claim.state.is_open() || claim.kind == ClaimKind::Withdrawal || !same {
            continue;
        }
        let (mut row, from) = (claim.clone(), claim.state);
        row.state = from.after(ClaimEvent::Resolved)?;
        row.outcome = Some(ClaimOutcome::Refused);
        row.outcome_reason = Some("The withdrawal from the contract takes its place.".to_owned());
        row.resolved_by = Some("system".to_owned());
        row.resolved_at = Some(tx.now.naive_utc());
        claims::save(tx.conn, &row, from)?;
    }
    stop_reships(tx, case, units)
}

/// What was to be sent again for units that are withdrawn from stays here.
fn stop_reships(tx: &mut Tx, case: &Case, units: &[(OptionId, i64)]) -> Result<(), Problem> {
    for (parcel, inside) in &case.parcels {
        let same = inside
            .iter()
            .any(|l| units.iter().any(|(o, _)| *o == l.option_id));
        let waits = parcel.kind == ShipmentKind::Reship && parcel.state == ShipmentState::Picked;
        if !same || !waits {
            continue;
        }
        let (mut row, from) = (parcel.clone(), parcel.state);
        row.state = from.after(ShipmentEvent::Stopped)?;
        row.stopped_at = Some(tx.now.naive_utc());
        shipments::save(tx.conn, &row, from)?;
        for line in inside {
            if let Some(mut free) = stock::of_option(tx.conn, parcel.batch_id, line.option_id)? {
                free.reshipped -= line.units;
                stock::save(tx.conn, &free)?;
            }
        }
    }
    Ok(())
}

/// The mail that acknowledges it, with its time, and a line for staff.
fn acknowledge(
    desk: &Desk,
    tx: &mut Tx,
    case: &Case,
    (lines, back, claim, email): (Vec<String>, i64, Option<&ClaimRow>, &str),
) -> Result<(), Problem> {
    let once = format!("withdrawn:{}", ClaimId::new());
    let return_to = claim.and_then(|c| Some((c.return_address.clone()?, c.return_by?)));
    let held = money::dispute_is_open(tx, case.order.id)?;
    let news = After::Withdrawn {
        at: tx.now,
        lines: lines.clone(),
        back: nonzero_said(back, &case.order.currency),
        held,
        return_to,
        refund_by: claim.and_then(|c| c.refund_by),
    };
    case.tell(desk, tx, &once, news.clone())?;
    if email != case.order.email {
        let about = desk.about(&case.merchant, &case.campaign, &case.draft, &case.order);
        desk.post(
            tx,
            super::desk::Post {
                once: format!("{once}:{email}"),
                to: email,
                reply_to: Some(&case.merchant.email),
                concerns: Some(Concerns::order(&case.order)),
                purchase_order: None,
                letter: Letter::After { about, news },
            },
        )?;
    }
    let number = order_number(case.order.number);
    let mut said = vec![format!("{}: {}.", case.order.name, lines.join("; "))];
    if let Some(back) = nonzero_said(back, &case.order.currency) {
        said.push(format!(
            "What was not handed over left the order: {back} goes back."
        ));
    }
    if let Some(day) = claim.and_then(|c| c.refund_by) {
        said.push(format!(
            "What was handed over is to come back. Its refund is due by {}; it may wait for the goods or for the proof \
             that they were sent.",
            day.format("%-d %B %Y")
        ));
    }
    let path = claim.map_or_else(
        || format!("/admin/orders/{}", case.order.id),
        |c| format!("/admin/claims/{}", c.id),
    );
    let subject = format!("Order {number}: the shopper withdrew from the contract");
    desk.tell_staff(
        tx,
        Concerns::order(&case.order),
        &once,
        &subject,
        said,
        &path,
    )
}

/// When things that nobody asks for are done on their day.
const SIX: NaiveTime = match NaiveTime::from_hms_opt(6, 0, 0) {
    Some(six) => six,
    None => NaiveTime::MIN,
};

/// Looks after a withdrawal's refund: warns staff three days before its last day, and gives it on that day if the goods,
/// or the proof that they were sent, are there; else as soon as they are. When to look again.
///
/// # Errors
/// What the database says.
pub fn due(desk: &Desk, tx: &mut Tx, id: ClaimId) -> Result<Option<DateTime<Utc>>, Problem> {
    let Some(row) = claims::by_id(tx.conn, id)? else {
        return Ok(None);
    };
    let (true, Some(last_day)) = (row.state.is_open(), row.refund_by) else {
        return Ok(None);
    };
    let case = lock(tx, row.order_id)?;
    let Some(row) = claims::by_id(tx.conn, id)?.filter(|c| c.state.is_open()) else {
        return Ok(None);
    };
    let zone = case.draft.time_zone;
    let warn = instant((last_day - Duration::days(WARN_DAYS)).and_time(SIX), zone);
    let pay = instant(last_day.and_time(SIX), zone);
    if tx.now < warn {
        return Ok(Some(warn));
    }
    let there = row.returned_at.is_some() || row.return_sent_at.is_some();
    if tx.now >= pay && there {
        resolve(
            desk,
            tx,
            None,
            id,
            ("system", &Decision::Refund { shown: None }),
        )?;
        return Ok(None);
    }
    let number = order_number(case.order.number);
    let day = last_day.format("%-d %B %Y");
    let said = if there {
        format!("If you do not give it before, it goes out by itself on {day}.")
    } else {
        "Neither the goods nor a proof that they were sent are there yet; until then it may wait."
            .to_owned()
    };
    desk.tell_staff(
        tx,
        Concerns::order(&case.order),
        &format!("withdrawal_due:{id}"),
        &format!("Order {number}: the refund of a withdrawal is due by {day}"),
        vec![said],
        &format!("/admin/claims/{id}"),
    )?;
    // Without goods or proof nothing happens on its own; their arrival asks for this work again.
    Ok((tx.now < pay).then_some(pay))
}
