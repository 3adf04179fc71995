//! What of an order's page is about the time after ordering: claims, withdrawal, changes.

use chrono::{DateTime, Utc};

use super::{Facts, WrongProof};
use crate::domain::claim::{ClaimKind, ClaimOutcome, ClaimState, MOST_CLAIMS, MOST_OPEN};
use crate::store::claims::{ClaimLineRow, ClaimPhotoRow, ClaimRow};
use crate::web::view::{
    AfterPart, Badge, Day, Field, Picture, Problems, ShownClaim, Tone, WithdrawOffer,
};
use crate::workflows::change::locked;
use crate::workflows::claims::{Case, Who, say_kind};
use crate::workflows::desk::Problem;

impl Facts {
    /// What may be done now. `path` makes an address below the order's own, with its token. `wrong`: a proof that could
    /// not be taken.
    pub(super) fn after(
        &self,
        path: &dyn Fn(&str) -> String,
        now: DateTime<Utc>,
        wrong: Option<&WrongProof>,
    ) -> AfterPart {
        let Some(case) = &self.case else {
            return AfterPart::default();
        };
        let open = case.claims.iter().filter(|(c, _)| c.state.is_open());
        let room = open.count() < MOST_OPEN && case.claims.len() < MOST_CLAIMS;
        let some = case.lines.iter().any(|l| case.claimable(l) > 0);
        let right = case.right(now);
        let claims = case.claims.iter().rev();
        AfterPart {
            claims: claims
                .map(|(claim, lines)| self.shown(case, claim, lines, path, wrong))
                .collect(),
            report: (room && some).then(|| path("/claims")),
            change: self.may_change(now).then(|| path("/change")),
            edit: locked(case, self.batch.as_ref(), &Who::Shopper, now)
                .is_none()
                .then(|| path("/edit")),
            withdraw: right.map(|right| WithdrawOffer {
                href: path("/withdraw"),
                last_day: right.period.last_day(case.draft.time_zone).map(Day),
                exempt: right.exempt,
            }),
        }
    }

    fn shown(
        &self,
        case: &Case,
        claim: &ClaimRow,
        lines: &[ClaimLineRow],
        path: &dyn Fn(&str) -> String,
        wrong: Option<&WrongProof>,
    ) -> ShownClaim {
        let units = case.say_units(&Case::units_of(lines)).join("; ");
        let awaited = claim.state == ClaimState::AwaitingReturn;
        let photos = self.photos.iter().filter(|p| p.claim_id == claim.id);
        ShownClaim {
            title: format!("{units}: {}", say_kind(claim.kind)),
            badge: badge(claim),
            lines: self.said(claim),
            return_to: claim
                .return_address
                .iter()
                .filter(|_| awaited)
                .flat_map(|address| address.lines())
                .map(str::to_owned)
                .collect(),
            photos: photos
                .map(|p| picture(p, path(&format!("/claims/photos/{}", p.id))))
                .collect(),
            sent: (awaited && claim.return_sent_at.is_none()).then(|| {
                let name = format!("proof-{}", claim.id);
                let mut field =
                    Field::text(name.clone(), "Tracking number, or carrier and receipt")
                        .max_length(200);
                if let Some((_, typed, say)) = wrong.filter(|(c, ..)| *c == claim.id) {
                    let mut problems = Problems::default();
                    problems.add(name, say.clone());
                    field = field.value(typed.clone()).problems(&problems);
                }
                (path(&format!("/claims/{}/sent", claim.id)), field)
            }),
        }
    }

    /// What follows of a claim.
    fn said(&self, claim: &ClaimRow) -> Vec<String> {
        let mut said = Vec::new();
        let withdrawal = claim.kind == ClaimKind::Withdrawal;
        match (claim.state, claim.return_by) {
            (ClaimState::Open, _) => {
                said.push("The seller looks at it and answers by mail.".to_owned());
            }
            (ClaimState::AwaitingReturn, by) => {
                if claim.return_sent_at.is_some() {
                    let proof = claim.return_proof.clone().unwrap_or_default();
                    said.push(format!("You said that it is on its way back: {proof}."));
                } else if let Some(by) = by {
                    said.push(format!("Send it back by {}, to:", Day(by).text()));
                }
            }
            (ClaimState::Returned, _) => {
                said.push("What you sent back has arrived.".to_owned());
            }
            (ClaimState::Resolved, _) => said.push(self.answer(claim)),
        }
        if let (true, true, Some(day)) = (withdrawal, claim.state.is_open(), claim.refund_by) {
            said.push(format!(
                "The money is due by {}. It may wait for the goods, or for the proof that you sent them.",
                Day(day).text()
            ));
        }
        said
    }

    fn answer(&self, claim: &ClaimRow) -> String {
        let amount = self.say(claim.amount.unwrap_or(0));
        let reason = claim.outcome_reason.clone().unwrap_or_default();
        match claim.outcome {
            Some(ClaimOutcome::Reship) => "It is sent to you again, at no cost.".to_owned(),
            Some(ClaimOutcome::Refund) if claim.amount == Some(0) => {
                "All you paid for it had gone back before.".to_owned()
            }
            Some(ClaimOutcome::Refund) => format!("{amount} of it goes back to you, in full."),
            Some(ClaimOutcome::PartialRefund) => {
                format!("{amount} goes back to you, and you keep the goods. {reason}")
            }
            Some(ClaimOutcome::Refused) => format!("Not refunded: {reason}"),
            None => String::new(),
        }
    }
}

/// A claim's state as it is read.
pub fn badge(claim: &ClaimRow) -> Badge {
    match (claim.state, claim.outcome) {
        (ClaimState::Open, _) => Badge::new(Tone::Wait, "Open"),
        (ClaimState::AwaitingReturn, _) if claim.return_sent_at.is_some() => {
            Badge::new(Tone::Wait, "On its way back")
        }
        (ClaimState::AwaitingReturn, _) => Badge::new(Tone::Wait, "To be sent back"),
        (ClaimState::Returned, _) => Badge::new(Tone::Live, "Came back"),
        (ClaimState::Resolved, Some(ClaimOutcome::Reship)) => Badge::new(Tone::Good, "Sent again"),
        (ClaimState::Resolved, Some(ClaimOutcome::Refund)) => Badge::new(Tone::Good, "Refunded"),
        (ClaimState::Resolved, Some(ClaimOutcome::PartialRefund)) => {
            Badge::new(Tone::Good, "Partly refunded")
        }
        (ClaimState::Resolved, _) => Badge::new(Tone::Idle, "Refused"),
    }
}

/// A photo of a claim, behind an address that only its order's link and staff can open.
pub fn picture(photo: &ClaimPhotoRow, src: String) -> Picture {
    let side = |pixels: i32| u32::try_from(pixels).unwrap_or(1);
    Picture {
        src,
        width: side(photo.width),
        height: side(photo.height),
        alt: "Photo that came with the report".to_owned(),
    }
}

/// Reads the photos of an order's claims.
///
/// # Errors
/// What the database says.
pub(super) fn photos(
    conn: &mut crate::store::Conn,
    case: &Case,
) -> Result<Vec<ClaimPhotoRow>, Problem> {
    let ids: Vec<_> = case.claims.iter().map(|(c, _)| c.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(crate::store::claims::photos_of(conn, &ids)?)
}
