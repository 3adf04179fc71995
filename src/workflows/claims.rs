//! Claims after the door (domain section 5): what an order's units are worth, which of them can be claimed, and the
//! reporting of a claim by shopper or staff. Its goods come back in [`returns`]; what becomes of it
//! is decided in [`decide`].

use std::collections::HashMap;

use super::desk::{Concerns, Desk, Problem, happened, lock_campaign, offer, order_number};
use super::join::FrozenQuote;
use super::letters::{After, Letter};
use super::part::cost_of;
use super::payment::frozen;
use super::pictures::Stored;
use crate::domain::claim::{
    ClaimKind, ClaimOutcome, ClaimState, MAX_TEXT, MOST_CLAIMS, MOST_OPEN, MOST_PHOTOS, claimable,
    holds_units,
};
use crate::domain::draft::{CampaignDraft, FieldError};
use crate::domain::ids::{ClaimId, OptionId, OrderId, PhotoId, ShipmentId};
use crate::domain::shipment::{DeliveredBy, ShipmentKind, ShipmentState};
use crate::domain::text::clean_text;
use crate::store::campaigns::CampaignRow;
use crate::store::claims::{ClaimLineRow, ClaimPhotoRow, ClaimRow};
use crate::store::merchants::MerchantRow;
use crate::store::orders::{LineRow, OrderRow};
use crate::store::shipments::{ShipmentLineRow, ShipmentRow};
use crate::store::{Conn, Tx, campaigns, claims, merchants, orders, shipments};

pub mod decide;
pub mod returns;

/// An order with all that happened to its goods.
pub struct Case {
    /// The order.
    pub order: OrderRow,
    /// Its campaign.
    pub campaign: CampaignRow,
    /// The campaign's offer.
    pub draft: CampaignDraft,
    /// Who sold it.
    pub merchant: MerchantRow,
    /// What was agreed at joining.
    pub agreed: FrozenQuote,
    /// Its lines.
    pub lines: Vec<LineRow>,
    /// Its claims with what each is about, first to last.
    pub claims: Vec<(ClaimRow, Vec<ClaimLineRow>)>,
    /// Its parcels with what is in each, first to last.
    pub parcels: Vec<(ShipmentRow, Vec<ShipmentLineRow>)>,
}

/// Reads an order with its claims and parcels.
///
/// # Errors
/// That there is none; what the database says.
pub fn read(conn: &mut Conn, id: OrderId) -> Result<Case, Problem> {
    let order = orders::by_id(conn, id)?.ok_or(Problem::NotFound("order"))?;
    let campaign =
        campaigns::by_id(conn, order.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
    let rows = claims::of_order(conn, id)?;
    let ids: Vec<ClaimId> = rows.iter().map(|c| c.id).collect();
    let about = claims::lines_of(conn, &ids)?;
    let parcels = shipments::of_order(conn, id)?;
    let ids: Vec<ShipmentId> = parcels.iter().map(|p| p.id).collect();
    let inside = shipments::lines_of(conn, &ids)?;
    Ok(Case {
        draft: offer(&campaign)?,
        merchant: merchants::by_id(conn, order.merchant_id)?
            .ok_or(Problem::NotFound("merchant"))?,
        agreed: frozen(&order)?,
        lines: orders::lines_of(conn, id)?,
        claims: rows
            .into_iter()
            .map(|claim| {
                let its = about.iter().filter(|l| l.claim_id == claim.id);
                let its = its.cloned().collect();
                (claim, its)
            })
            .collect(),
        parcels: parcels
            .into_iter()
            .map(|parcel| {
                let its = inside.iter().filter(|l| l.shipment_id == parcel.id);
                let its = its.cloned().collect();
                (parcel, its)
            })
            .collect(),
        order,
        campaign,
    })
}

/// As [`read`], with the campaign locked.
///
/// # Errors
/// As [`read`].
pub fn lock(tx: &mut Tx, id: OrderId) -> Result<Case, Problem> {
    let campaign = orders::campaign_of(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
    lock_campaign(tx, campaign)?;
    read(tx.conn, id)
}

impl Case {
    /// The line of an option's code.
    pub fn line(&self, sku: &str) -> Option<&LineRow> {
        self.lines.iter().find(|l| l.sku == sku)
    }

    /// What an option is called.
    pub fn name_of(&self, option: OptionId) -> String {
        let Some(line) = self.lines.iter().find(|l| l.option_id == option) else {
            return "units".to_owned();
        };
        let frozen = self.agreed.lines.iter().find(|l| l.sku == line.sku);
        frozen.map_or_else(|| line.sku.clone(), |l| l.name.clone())
    }

    /// Units as people read them: "2 × Full set".
    pub fn say_units(&self, units: &[(OptionId, i64)]) -> Vec<String> {
        let some = units.iter().filter(|(_, n)| *n > 0);
        some.map(|(option, n)| format!("{n} \u{d7} {}", self.name_of(*option)))
            .collect()
    }

    fn reship_waits(&self, claim: ClaimId) -> bool {
        self.parcels.iter().any(|(parcel, _)| {
            parcel.kind == ShipmentKind::Reship
                && parcel.claim_id == Some(claim)
                && parcel.state == ShipmentState::Picked
        })
    }

    /// Units of an option in claims that `which` picks.
    pub(super) fn claimed(&self, option: OptionId, which: impl Fn(&ClaimRow) -> bool) -> i64 {
        self.claims
            .iter()
            .filter(|(claim, _)| which(claim))
            .flat_map(|(_, lines)| lines)
            .filter(|line| line.option_id == option)
            .map(|line| line.units)
            .sum()
    }

    /// Units of a line that can be claimed.
    pub fn claimable(&self, line: &LineRow) -> i64 {
        let held = self.claimed(line.option_id, |claim| {
            holds_units(claim.outcome, self.reship_waits(claim.id))
        });
        claimable(line.units(), held)
    }

    /// Units of a line that were refunded by claims.
    fn compensated(&self, option: OptionId) -> i64 {
        self.claimed(option, |claim| claim.outcome == Some(ClaimOutcome::Refund))
    }

    /// What goes back for these units, in minor units: what the order costs with them less what the rest costs by
    /// itself, less what was given back for the same units in part, and at most what is kept.
    ///
    /// # Errors
    /// When the order's row is damaged.
    pub fn back_for(&self, units: &[(OptionId, i64)]) -> Result<i64, Problem> {
        let of = |option: OptionId| {
            let mine = units.iter().filter(|(o, _)| *o == option);
            mine.map(|(_, n)| *n).sum::<i64>()
        };
        let stays = |line: &LineRow| line.units().wanted() - self.compensated(line.option_id);
        let with = cost_of(&self.order, &self.lines, |l| stays(l).max(0))?.total;
        let without = cost_of(&self.order, &self.lines, |l| {
            (stays(l) - of(l.option_id)).max(0)
        })?
        .total;
        let before = self.part_refunds_of_what_stays(|option| self.compensated(option));
        let after = self.part_refunds_of_what_stays(|option| self.compensated(option) + of(option));
        let by = super::money::currency(&self.order.currency)?.granularity();
        let given = (before - after) / by * by;
        let kept = self.order.money().kept().max(0);
        Ok((with - without - given).clamp(0, kept))
    }

    /// What was refunded in part for units that are not refunded in full: of those refunded in full are taken first
    /// the ones that had a part back.
    fn part_refunds_of_what_stays(&self, refunded: impl Fn(OptionId) -> i64) -> i64 {
        let mut left: HashMap<OptionId, i64> = self
            .lines
            .iter()
            .map(|l| (l.option_id, refunded(l.option_id)))
            .collect();
        let mut sum = 0;
        for (claim, lines) in &self.claims {
            if claim.outcome != Some(ClaimOutcome::PartialRefund) {
                continue;
            }
            let amount = claim.amount.unwrap_or(0);
            let all: i64 = lines.iter().map(|l| l.units).sum();
            let mut staying = 0;
            for line in lines {
                let left = left.entry(line.option_id).or_insert(0);
                let gone = line.units.min(*left);
                *left -= gone;
                staying += line.units - gone;
            }
            sum += amount.saturating_mul(staying) / all.max(1);
        }
        sum
    }

    /// The units of a claim by option.
    pub fn units_of(lines: &[ClaimLineRow]) -> Vec<(OptionId, i64)> {
        lines.iter().map(|l| (l.option_id, l.units)).collect()
    }

    /// The parcel that these units came in, where one holds them all.
    fn parcel_of(&self, units: &[(OptionId, i64)]) -> Option<ShipmentId> {
        let holds = |inside: &[ShipmentLineRow]| {
            units
                .iter()
                .all(|(o, n)| inside.iter().any(|l| l.option_id == *o && l.units >= *n))
        };
        let mut out = self
            .parcels
            .iter()
            .filter(|(parcel, inside)| parcel.handed_over_at.is_some() && holds(inside));
        out.next_back().map(|(parcel, _)| parcel.id)
    }

    /// Units of an option that the shopper said to have received.
    fn said_to_have_come(&self, option: OptionId) -> i64 {
        self.parcels
            .iter()
            .filter(|(parcel, _)| parcel.delivered_by == Some(DeliveredBy::Shopper))
            .flat_map(|(_, inside)| inside)
            .filter(|l| l.option_id == option)
            .map(|l| l.units)
            .sum()
    }

    /// Lines by code as units by option.
    ///
    /// # Errors
    /// A code that is none of the order's, a quantity that `most` does not allow, no line at all.
    pub fn units_by_code(
        &self,
        wished: &[(String, i64)],
        most: impl Fn(&LineRow) -> i64,
    ) -> Result<Vec<(OptionId, i64)>, Problem> {
        let mut errors = Vec::new();
        let mut units: Vec<(OptionId, i64)> = Vec::new();
        for (i, (sku, quantity)) in wished.iter().enumerate() {
            let Some(line) = self.line(sku) else {
                let say = format!("There is no {sku} in this order.");
                errors.push(FieldError::new(format!("lines[{i}].sku"), say));
                continue;
            };
            let most = most(line);
            if units.iter().any(|(o, _)| *o == line.option_id) {
                let say = "This option is in the list already; add the quantities up.";
                errors.push(FieldError::new(format!("lines[{i}].sku"), say));
            } else if *quantity < 1 || *quantity > most {
                let say = match most {
                    0 => "None of it can be named here. Leave it out.".to_owned(),
                    most => format!("Write a number from 1 to {most}."),
                };
                errors.push(FieldError::new(format!("lines[{i}].quantity"), say));
            } else {
                units.push((line.option_id, *quantity));
            }
        }
        if wished.is_empty() {
            errors.push(FieldError::new("lines", "Choose at least one unit."));
        }
        if errors.is_empty() {
            Ok(units)
        } else {
            Err(Problem::Invalid(errors))
        }
    }

    /// Writes to the order's shopper.
    pub(super) fn tell(
        &self,
        desk: &Desk,
        tx: &mut Tx,
        once: &str,
        news: After,
    ) -> Result<(), Problem> {
        let about = desk.about(&self.merchant, &self.campaign, &self.draft, &self.order);
        let letter = Letter::After { about, news };
        desk.tell_shopper(tx, &self.merchant, &self.order, once, letter)
    }
}

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// The order's shopper.
    Shopper,
    /// A person of the staff, by name.
    Staff(String),
}

impl Who {
    /// As the history writes it down.
    pub fn actor(&self) -> &str {
        match self {
            Who::Shopper => "shopper",
            Who::Staff(name) => name,
        }
    }
}

/// What is reported.
#[derive(Debug, Clone)]
pub struct Report {
    /// Of which order.
    pub order: OrderId,
    /// What is the matter.
    pub kind: ClaimKind,
    /// Option codes and quantities.
    pub lines: Vec<(String, i64)>,
    /// In which words.
    pub text: String,
    /// Photos, kept already.
    pub photos: Vec<Stored>,
}

/// Opens a claim on units that were handed over. The shopper has it by mail, staff too where it is the shopper's.
///
/// # Errors
/// Wrong fields; a conflict where nothing was handed over or too many claims are open.
pub fn report(desk: &Desk, tx: &mut Tx, report: &Report, who: &Who) -> Result<ClaimRow, Problem> {
    let case = lock(tx, report.order)?;
    if case.lines.iter().all(|l| l.shipped == 0) {
        return Err(Problem::conflict(
            "nothing-shipped",
            "Nothing of this order was handed over to the carrier yet, so there is nothing to report.",
        ));
    }
    let open = case.claims.iter().filter(|(c, _)| c.state.is_open());
    if open.count() >= MOST_OPEN || case.claims.len() >= MOST_CLAIMS {
        return Err(Problem::conflict(
            "too-many-claims",
            "Several reports of this order wait for an answer already. Write to the seller, and name the order.",
        ));
    }
    let (units, text) = check(&case, report, who)?;
    let now = tx.now.naive_utc();
    let row = ClaimRow {
        id: ClaimId::new(),
        merchant_id: case.order.merchant_id,
        campaign_id: case.order.campaign_id,
        order_id: case.order.id,
        shipment_id: case.parcel_of(&units),
        kind: report.kind,
        state: ClaimState::Open,
        reported_by: who.actor().to_owned(),
        text,
        opened_at: now,
        return_sent_at: None,
        return_proof: None,
        returned_at: None,
        refund_by: None,
        outcome: None,
        outcome_reason: None,
        amount: None,
        resolved_by: None,
        resolved_at: None,
        return_address: None,
        return_by: None,
    };
    let side = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
    let photos: Vec<ClaimPhotoRow> = report
        .photos
        .iter()
        .map(|photo| ClaimPhotoRow {
            id: PhotoId::new(),
            claim_id: row.id,
            file: photo.file.clone(),
            media_type: photo.media_type.to_owned(),
            width: side(photo.width),
            height: side(photo.height),
            created_at: now,
        })
        .collect();
    claims::insert(tx.conn, &row, &claim_lines(row.id, &units), &photos)?;
    told(desk, tx, &case, &row, &units)?;
    Ok(row)
}

/// Units as the lines of a claim.
pub(super) fn claim_lines(id: ClaimId, units: &[(OptionId, i64)]) -> Vec<ClaimLineRow> {
    units
        .iter()
        .map(|(option, units)| ClaimLineRow {
            claim_id: id,
            option_id: *option,
            units: *units,
            restocked: 0,
            scrapped: 0,
        })
        .collect()
}

/// Checks a report without keeping it: its units and its text.
///
/// # Errors
/// Everything that is wrong with its fields.
pub fn check(
    case: &Case,
    report: &Report,
    who: &Who,
) -> Result<(Vec<(OptionId, i64)>, String), Problem> {
    let mut errors = Vec::new();
    if report.kind == ClaimKind::Withdrawal {
        let say = "Withdrawing from the contract has a way of its own; choose what is the matter.";
        errors.push(FieldError::new("kind", say));
    }
    let units = case.units_by_code(&report.lines, |line| {
        let free = case.claimable(line);
        // That a parcel is assumed to have come does not say that it did; that the shopper said so does.
        if report.kind == ClaimKind::Lost && *who == Who::Shopper {
            free.min(line.shipped - case.said_to_have_come(line.option_id))
                .max(0)
        } else {
            free
        }
    });
    let units = units.unwrap_or_else(|problem| {
        if let Problem::Invalid(wrong) = problem {
            errors.extend(wrong);
        }
        Vec::new()
    });
    let text = clean_text(&report.text, MAX_TEXT).unwrap_or_else(|say| {
        errors.push(FieldError::new("text", say));
        String::new()
    });
    if text.trim().is_empty() && report.kind != ClaimKind::Lost && !report.text.contains('\0') {
        let say = "Write in a few words what is the matter.";
        errors.push(FieldError::new("text", say));
    }
    if report.photos.len() > MOST_PHOTOS {
        let say = format!("Choose at most {MOST_PHOTOS} photos.");
        errors.push(FieldError::new("photos", say));
    }
    // One message for a field.
    let mut seen = Vec::new();
    errors.retain(|e| {
        let new = !seen.contains(&e.field);
        seen.push(e.field.clone());
        new
    });
    if errors.is_empty() {
        Ok((units, text))
    } else {
        Err(Problem::Invalid(errors))
    }
}

/// What a claim is called in a sentence.
pub fn say_kind(kind: ClaimKind) -> &'static str {
    match kind {
        ClaimKind::Lost => "never arrived",
        ClaimKind::Damaged => "arrived damaged",
        ClaimKind::Wrong => "is not what was ordered",
        ClaimKind::Returned => "goes back",
        ClaimKind::Refused => "was not accepted at the door",
        ClaimKind::Withdrawal => "was withdrawn from",
    }
}

fn told(
    desk: &Desk,
    tx: &mut Tx,
    case: &Case,
    claim: &ClaimRow,
    units: &[(OptionId, i64)],
) -> Result<(), Problem> {
    let lines = case.say_units(units);
    let what = say_kind(claim.kind);
    let detail = format!("Reported: {} {what}.", lines.join("; "));
    let concerns = Concerns::order(&case.order);
    happened(tx, concerns, &claim.reported_by, "claim_opened", detail)?;
    let by_shopper = claim.reported_by == "shopper";
    let news = After::ClaimOpened {
        what: what.to_owned(),
        lines: lines.clone(),
        by_shopper,
    };
    case.tell(desk, tx, &format!("claim_opened:{}", claim.id), news)?;
    if !by_shopper {
        return Ok(());
    }
    let number = order_number(case.order.number);
    let mut said = vec![format!("{}: {what}.", lines.join("; "))];
    if !claim.text.is_empty() {
        said.push(format!("{} writes: {}", case.order.name, claim.text));
    }
    desk.tell_staff(
        tx,
        concerns,
        &format!("claim_opened:{}", claim.id),
        &format!("Order {number}: something {what}"),
        said,
        &format!("/admin/claims/{}", claim.id),
    )
}
