//! What becomes of a claim: it is sent again, refunded in full or in part, or refused with a reason (domain section 5).

use super::{Case, lock, say_kind};
use crate::domain::claim::{ClaimEvent, ClaimKind, ClaimOutcome, ClaimState};
use crate::domain::draft::FieldError;
use crate::domain::ids::{ClaimId, MerchantId, OptionId, ShipmentId};
use crate::domain::payment::RefundPurpose;
use crate::domain::shipment::{ShipmentEvent, ShipmentKind, ShipmentState};
use crate::domain::text::clean_text;
use crate::store::claims::{ClaimLineRow, ClaimRow};
use crate::store::shipments::{ShipmentLineRow, ShipmentRow};
use crate::store::{Conn, Tx, claims, merchants, shipments, stock};
use crate::workflows::desk::{Concerns, Desk, Problem, happened};
use crate::workflows::letters::After;
use crate::workflows::money::{self, nonzero_said, say};
use crate::workflows::part::say_back;

/// Longest reason, in characters.
const MAX_REASON: usize = 500;
/// The counter that parcels are numbered from.
pub const PARCELS: &str = "shipment";

/// How a claim shall end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The same again, from stock.
    Reship,
    /// The full price of its units. `shown`: the amount that was shown before, if one was; another is not given.
    Refund {
        /// Minor units.
        shown: Option<i64>,
    },
    /// A part of it.
    Part {
        /// Minor units.
        amount: i64,
        /// Why so much.
        reason: String,
    },
    /// Nothing.
    Refuse {
        /// Why.
        reason: String,
    },
}

/// A claim with its order.
pub struct Claim {
    /// The claim.
    pub row: ClaimRow,
    /// What it is about.
    pub lines: Vec<ClaimLineRow>,
    /// Its order.
    pub case: Case,
}

/// Reads a merchant's claim.
///
/// # Errors
/// That there is none, or it is another's.
pub fn read(conn: &mut Conn, merchant: MerchantId, id: ClaimId) -> Result<Claim, Problem> {
    let row = claims::by_id(conn, id)?
        .filter(|claim| claim.merchant_id == merchant)
        .ok_or(Problem::NotFound("claim"))?;
    let case = super::read(conn, row.order_id)?;
    of(case, id)
}

pub(super) fn of(case: Case, id: ClaimId) -> Result<Claim, Problem> {
    let found = case.claims.iter().find(|(c, _)| c.id == id);
    let (row, lines) = found.cloned().ok_or(Problem::NotFound("claim"))?;
    Ok(Claim { row, lines, case })
}

pub(super) fn locked(
    tx: &mut Tx,
    merchant: Option<MerchantId>,
    id: ClaimId,
) -> Result<Claim, Problem> {
    let row = claims::by_id(tx.conn, id)?
        .filter(|claim| merchant.is_none_or(|m| claim.merchant_id == m))
        .ok_or(Problem::NotFound("claim"))?;
    of(lock(tx, row.order_id)?, id)
}

impl Claim {
    /// Its units by option.
    pub fn units(&self) -> Vec<(OptionId, i64)> {
        Case::units_of(&self.lines)
    }

    /// What goes back if it is refunded in full, minor units.
    ///
    /// # Errors
    /// When the order's row is damaged.
    pub fn back(&self) -> Result<i64, Problem> {
        self.case.back_for(&self.units())
    }

    /// Units of each option that lie there and are nobody's, less those it would take; negative: missing.
    ///
    /// # Errors
    /// What the database says.
    pub fn stock(&self, conn: &mut Conn) -> Result<Vec<(OptionId, i64)>, Problem> {
        let batch = self.case.order.batch_id;
        let mut left = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let row = stock::of_option(conn, batch, line.option_id)?;
            let free = row.map_or(0, |row| row.free() - row.on_sale);
            left.push((line.option_id, free.max(0) - line.units));
        }
        Ok(left)
    }

    pub(super) fn concerns(&self) -> Concerns {
        Concerns::order(&self.case.order)
    }

    pub(super) fn say_units(&self) -> String {
        self.case.say_units(&self.units()).join("; ")
    }

    /// Moves it on, keeps it, and says so on the order's timeline.
    pub(super) fn moved(
        &mut self,
        tx: &mut Tx,
        event: ClaimEvent,
        (actor, kind, detail): (&str, &str, String),
    ) -> Result<(), Problem> {
        let from = self.row.state;
        self.row.state = from.after(event).map_err(|_| over(&self.row))?;
        claims::save(tx.conn, &self.row, from)?;
        happened(tx, self.concerns(), actor, kind, detail)
    }
}

/// Why a claim takes this no more.
pub(super) fn over(claim: &ClaimRow) -> Problem {
    let message = match claim.state {
        ClaimState::Resolved => "This was decided already. Reload the page to see how.",
        ClaimState::Returned => "The goods came back already. Reload the page.",
        ClaimState::AwaitingReturn => "The goods were asked for already. Reload the page.",
        ClaimState::Open => "The goods were not asked for yet. Reload the page.",
    };
    Problem::conflict("claim-moved-on", message)
}

fn reason(text: &str) -> Result<String, Problem> {
    let text = clean_text(text, MAX_REASON).map_err(|say| Problem::field("reason", say))?;
    if text.trim().is_empty() {
        let say = "Write the reason; the shopper reads it.";
        return Err(Problem::field("reason", say));
    }
    Ok(text)
}

/// A parcel of which everything came back, or is lost, ends so.
pub(super) fn end_parcel(
    tx: &mut Tx,
    claim: &Claim,
    units: &[(OptionId, i64)],
    event: ShipmentEvent,
) -> Result<(), Problem> {
    let found = claim
        .case
        .parcels
        .iter()
        .find(|(parcel, _)| Some(parcel.id) == claim.row.shipment_id);
    let Some((parcel, inside)) = found else {
        return Ok(());
    };
    let all = inside.iter().all(|l| {
        units
            .iter()
            .any(|(o, n)| *o == l.option_id && *n >= l.units)
    });
    if let (true, Ok(state)) = (all, parcel.state.after(event)) {
        let (mut row, from) = (parcel.clone(), parcel.state);
        row.state = state;
        shipments::save(tx.conn, &row, from)?;
    }
    Ok(())
}

/// Decides a claim.
///
/// # Errors
/// Wrong fields; a conflict where it was decided, no unit is free to be sent again, or another amount was shown.
pub fn resolve(
    desk: &Desk,
    tx: &mut Tx,
    merchant: Option<MerchantId>,
    id: ClaimId,
    (person, decision): (&str, &Decision),
) -> Result<ClaimRow, Problem> {
    let mut claim = locked(tx, merchant, id)?;
    if claim.row.state.after(ClaimEvent::Resolved).is_err() {
        return Err(over(&claim.row));
    }
    claim.row.resolved_by = Some(person.to_owned());
    claim.row.resolved_at = Some(tx.now.naive_utc());
    let lines = claim.case.say_units(&claim.units());
    let (detail, news) = match decision {
        Decision::Reship => {
            send_again(tx, &claim, person)?;
            claim.row.outcome = Some(ClaimOutcome::Reship);
            let detail = format!("{} sent again, in a new parcel.", lines.join("; "));
            (detail, After::Reship { lines })
        }
        Decision::Refund { shown } => {
            let back = claim.back()?;
            if shown.is_some_and(|shown| shown != back) {
                let now = say(back, &claim.case.order.currency);
                let say = format!("The amount is {now} now. Look at it again before it is sent.");
                return Err(Problem::conflict("amount-changed", say));
            }
            claim.row.outcome = Some(ClaimOutcome::Refund);
            let (back, held) = give_back(tx, &mut claim, back)?;
            claim.row.amount = Some(back);
            let amount = nonzero_said(back, &claim.case.order.currency);
            let what = say_kind(claim.row.kind);
            let detail = format!("Refunded in full: {}, which {what}.", lines.join("; "));
            (
                detail,
                After::Refunded {
                    lines,
                    amount,
                    held,
                },
            )
        }
        Decision::Part {
            amount,
            reason: why,
        } => {
            let (amount, why) = part(&claim, *amount, why)?;
            claim.row.outcome = Some(ClaimOutcome::PartialRefund);
            claim.row.outcome_reason = Some(why.clone());
            let (amount, held) = give_back(tx, &mut claim, amount)?;
            claim.row.amount = Some(amount);
            let said = say(amount, &claim.case.order.currency);
            let detail = format!("Refunded in part: {said}. {why}");
            let news = After::PartlyRefunded {
                amount: said,
                reason: why,
                held,
            };
            (detail, news)
        }
        Decision::Refuse { reason: why } => {
            let why = reason(why)?;
            claim.row.outcome = Some(ClaimOutcome::Refused);
            claim.row.outcome_reason = Some(why.clone());
            let detail = format!("The report was answered with no: {why}");
            (detail, After::Refused { reason: why })
        }
    };
    claim.moved(tx, ClaimEvent::Resolved, (person, "claim_resolved", detail))?;
    if claim.row.kind == ClaimKind::Lost && claim.row.outcome != Some(ClaimOutcome::Refused) {
        end_parcel(tx, &claim, &claim.units(), ShipmentEvent::Lost)?;
    }
    claim
        .case
        .tell(desk, tx, &format!("claim_resolved:{id}"), news)?;
    Ok(claim.row)
}

/// What is wrong with a refund in part.
fn part(claim: &Claim, amount: i64, why: &str) -> Result<(i64, String), Problem> {
    let order = &claim.case.order;
    let most = claim.back()?;
    let currency = money::currency(&order.currency)?;
    let mut errors = Vec::new();
    if amount < 1 || amount > most {
        let say = format!(
            "Write an amount above 0, at most {}.",
            say(most, &order.currency)
        );
        errors.push(FieldError::new("amount", say));
    } else if !currency.is_granular(amount) {
        let say = format!(
            "Write a multiple of {} minor units.",
            currency.granularity()
        );
        errors.push(FieldError::new("amount", say));
    }
    let why = match reason(why) {
        Ok(why) => why,
        Err(Problem::Invalid(wrong)) => {
            errors.extend(wrong);
            String::new()
        }
        Err(other) => return Err(other),
    };
    if errors.is_empty() {
        Ok((amount, why))
    } else {
        Err(Problem::Invalid(errors))
    }
}

/// Commits the refund of so much of what is kept, once for a claim; how much goes back, and whether an open dispute holds
/// it.
fn give_back(tx: &mut Tx, claim: &mut Claim, amount: i64) -> Result<(i64, bool), Problem> {
    let purpose = match claim.row.kind {
        ClaimKind::Lost | ClaimKind::Damaged | ClaimKind::Wrong => RefundPurpose::Claim,
        ClaimKind::Returned | ClaimKind::Refused | ClaimKind::Withdrawal => RefundPurpose::Returned,
    };
    let event = format!("claim:{}", claim.row.id);
    let order = &mut claim.case.order;
    let back = money::commit_allowance(tx, order, purpose, &event, amount)?;
    money::keep(tx, order)?;
    say_back(tx, order, back)?;
    Ok((back, money::dispute_is_open(tx, order.id)?))
}

/// Puts a new parcel on the pick list, from units of the batch that are nobody's.
fn send_again(tx: &mut Tx, claim: &Claim, person: &str) -> Result<(), Problem> {
    if claim.row.kind == ClaimKind::Withdrawal {
        return Err(Problem::conflict(
            "withdrawn",
            "The shopper withdrew from the contract: the goods are refunded, not sent again.",
        ));
    }
    let missing = claim
        .stock(tx.conn)?
        .into_iter()
        .find(|(_, left)| *left < 0);
    if let Some((option, short)) = missing {
        return Err(Problem::conflict(
            "no-stock",
            format!(
                "Of {} there are {} too few in stock. Refund it, or send it again once there are more.",
                claim.case.name_of(option),
                -short
            ),
        ));
    }
    let order = &claim.case.order;
    for line in &claim.lines {
        if let Some(mut row) = stock::of_option(tx.conn, order.batch_id, line.option_id)? {
            row.reshipped += line.units;
            stock::save(tx.conn, &row)?;
        }
    }
    let number = merchants::take_numbers(tx.conn, order.merchant_id, PARCELS, 1)?;
    let row = ShipmentRow {
        id: ShipmentId::new(),
        merchant_id: order.merchant_id,
        batch_id: order.batch_id,
        order_id: order.id,
        number,
        kind: ShipmentKind::Reship,
        state: ShipmentState::Picked,
        claim_id: Some(claim.row.id),
        carrier: None,
        tracking_number: None,
        picked_at: tx.now.naive_utc(),
        picked_by: person.to_owned(),
        handed_over_at: None,
        recorded_at: None,
        delivered_at: None,
        delivered_by: None,
        stopped_at: None,
    };
    let inside: Vec<ShipmentLineRow> = claim
        .lines
        .iter()
        .map(|line| ShipmentLineRow {
            shipment_id: row.id,
            option_id: line.option_id,
            units: line.units,
        })
        .collect();
    shipments::insert(tx.conn, &row, &inside)?;
    Ok(())
}
