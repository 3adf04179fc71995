//! Goods of a claim on their way back: asked for by staff, sent by the shopper, received, and put to stock or scrapped.

use chrono::{Duration, NaiveDate};

use super::decide::{end_parcel, locked, of, over};
use super::lock;
use crate::domain::claim::{ClaimEvent, ClaimKind, ClaimState};
use crate::domain::day::day_of;
use crate::domain::draft::FieldError;
use crate::domain::ids::{ClaimId, MerchantId, OptionId, OrderId};
use crate::domain::shipment::ShipmentEvent;
use crate::domain::text::{clean_line, clean_text};
use crate::store::claims::ClaimRow;
use crate::store::stock::StockRow;
use crate::store::{Tx, claims, jobs, stock};
use crate::workflows::desk::{Desk, Problem, enqueue, order_number};
use crate::workflows::letters::After;

/// Staff ask for the goods: where to and by when. An empty address stands for the merchant's own.
///
/// # Errors
/// Fields `by`, `address`; a conflict where it is beyond that.
pub fn ask_return(
    desk: &Desk,
    tx: &mut Tx,
    merchant: MerchantId,
    id: ClaimId,
    (person, by, address): (&str, NaiveDate, &str),
) -> Result<ClaimRow, Problem> {
    let mut claim = locked(tx, Some(merchant), id)?;
    let today = day_of(tx.now, claim.case.draft.time_zone);
    let mut errors = Vec::new();
    if by <= today || by > today + Duration::days(365) {
        let say = "Write a day after today, within a year.";
        errors.push(FieldError::new("by", say));
    }
    let address = match clean_text(address, 500) {
        Ok(text) if text.trim().is_empty() => claim.case.merchant.address.clone(),
        Ok(text) => text,
        Err(say) => {
            errors.push(FieldError::new("address", say));
            "?".to_owned()
        }
    };
    if address.trim().is_empty() {
        let say =
            "Write where the goods shall be sent, or add your postal address in the settings.";
        errors.push(FieldError::new("address", say));
    }
    if claim.row.state != ClaimState::Open {
        return Err(over(&claim.row));
    }
    if !errors.is_empty() {
        return Err(Problem::Invalid(errors));
    }
    claim.row.return_by = Some(by);
    claim.row.return_address = Some(address.clone());
    let detail = format!(
        "{} shall be sent back by {}.",
        claim.say_units(),
        by.format("%-d %B %Y")
    );
    claim.moved(
        tx,
        ClaimEvent::ReturnAsked,
        (person, "return_asked", detail),
    )?;
    let lines = claim.case.say_units(&claim.units());
    let news = After::ReturnAsked { lines, address, by };
    claim
        .case
        .tell(desk, tx, &format!("return_asked:{id}"), news)?;
    Ok(claim.row)
}

/// The shopper says that the goods are on their way back, with a proof such as the tracking number.
///
/// # Errors
/// Field `proof`; a conflict where nothing is to be sent back.
pub fn mark_sent(
    desk: &Desk,
    tx: &mut Tx,
    order: OrderId,
    id: ClaimId,
    proof: &str,
) -> Result<ClaimRow, Problem> {
    let mut claim = of(lock(tx, order)?, id)?;
    if claim.row.state != ClaimState::AwaitingReturn {
        return Err(over(&claim.row));
    }
    let missing = "Write the tracking number, or the receipt's number and the carrier.";
    let proof = match proof.trim() {
        "" => return Err(Problem::field("proof", missing)),
        text => clean_line(text, 200).map_err(|say| Problem::field("proof", say))?,
    };
    claim.row.return_sent_at = Some(tx.now.naive_utc());
    claim.row.return_proof = Some(proof.clone());
    let detail = format!("{} on the way back: {proof}.", claim.say_units());
    claim.moved(tx, ClaimEvent::SentBack, ("shopper", "return_sent", detail))?;
    let number = order_number(claim.case.order.number);
    desk.tell_staff(
        tx,
        claim.concerns(),
        &format!("return_sent:{id}:{proof}"),
        &format!("Order {number}: goods are on their way back to you"),
        vec![format!(
            "{}. The shopper's proof: {proof}.",
            claim.say_units()
        )],
        &format!("/admin/claims/{id}"),
    )?;
    look_at_withdrawal(tx, &claim.row)?;
    Ok(claim.row)
}

/// A withdrawal's refund may be due now that the goods, or their proof, are there.
fn look_at_withdrawal(tx: &mut Tx, claim: &ClaimRow) -> Result<(), Problem> {
    if claim.kind == ClaimKind::Withdrawal {
        let now = tx.now.naive_utc();
        enqueue(tx, jobs::WITHDRAWAL, &claim.id.to_string(), now)?;
    }
    Ok(())
}

/// The goods came back: of each option so many can be sold, so many cannot. What is left out did not come.
///
/// # Errors
/// Wrong fields, a conflict where they came back already.
pub fn receive(
    desk: &Desk,
    tx: &mut Tx,
    merchant: MerchantId,
    id: ClaimId,
    (person, counted): (&str, &[(OptionId, i64, i64)]),
) -> Result<ClaimRow, Problem> {
    let mut claim = locked(tx, Some(merchant), id)?;
    if claim.row.state.after(ClaimEvent::Received).is_err() {
        return Err(over(&claim.row));
    }
    let mut errors = Vec::new();
    for (i, (option, restocked, scrapped)) in counted.iter().enumerate() {
        let line = claim.lines.iter().find(|l| l.option_id == *option);
        let most = line.map_or(0, |l| l.units);
        let fits = *restocked >= 0 && *scrapped >= 0;
        if !fits || restocked.saturating_add(*scrapped) > most {
            let say = format!("Write 0 or more, {most} in all.");
            errors.push(FieldError::new(format!("lines[{i}].restocked"), say));
        }
    }
    if errors.is_empty() && counted.iter().all(|(_, good, bad)| good + bad == 0) {
        let say = "Write how many came back; if none did, leave it open or refuse it.";
        errors.push(FieldError::new("lines", say));
    }
    if !errors.is_empty() {
        return Err(Problem::Invalid(errors));
    }
    let batch = claim.case.order.batch_id;
    let mut came = Vec::new();
    for (option, restocked, scrapped) in counted {
        if let Some(line) = claim.lines.iter_mut().find(|l| l.option_id == *option) {
            line.restocked = *restocked;
            line.scrapped = *scrapped;
            claims::save_line(tx.conn, line)?;
        }
        let mut row = stock::of_option(tx.conn, batch, *option)?
            .unwrap_or_else(|| StockRow::new(batch, *option));
        row.restocked += restocked;
        row.scrapped += scrapped;
        stock::save(tx.conn, &row)?;
        came.push((*option, restocked + scrapped));
    }
    let now = tx.now.naive_utc();
    if counted.iter().any(|(_, good, _)| *good > 0) {
        // Somebody may still wait for units of this batch.
        enqueue(tx, jobs::ALLOCATE, &batch.to_string(), now)?;
    }
    let lines = claim.case.say_units(&came);
    claim.row.returned_at = Some(now);
    let detail = format!("{} came back.", lines.join("; "));
    claim.moved(
        tx,
        ClaimEvent::Received,
        (person, "return_received", detail),
    )?;
    end_parcel(tx, &claim, &came, ShipmentEvent::Returned)?;
    let news = After::ReturnReceived { lines };
    claim
        .case
        .tell(desk, tx, &format!("return_received:{id}"), news)?;
    look_at_withdrawal(tx, &claim.row)?;
    Ok(claim.row)
}
