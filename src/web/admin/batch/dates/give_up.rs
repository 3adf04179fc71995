//! The merchant says that the rest of a batch will not be shipped: everything unshipped goes back at once (16 CFR
//! 435.2(c)(4)).

use actix_web::{HttpResponse, web};

use super::{is_open, one};
use crate::domain::campaign::BatchState;
use crate::domain::text::clean_text;
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::{Tx, answers, promises};
use crate::web::admin::batch::{href, title};
use crate::web::admin::dates::amount_of;
use crate::web::admin::form::{FormPage, Line, Pairs, Section, Typed, problems_of, sentence};
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::fact;
use crate::web::order::new_key;
use crate::web::view::{Field, Link, Problems, plural};
use crate::workflows::desk::{Desk, Problem};
use crate::workflows::forms::{is_first, was_sent};
use crate::workflows::notices::give_up;

/// The longest reason, in characters.
const REASON: u32 = 500;

struct Known {
    campaign: CampaignRow,
    batch: BatchRow,
    /// Orders, what they have with the merchant, how many are partly shipped.
    unshipped: (i64, i64, i64),
    given_up: bool,
}

/// Whether the supplier's order is out: before that a campaign is cancelled as a whole.
pub fn is_ordered(batch: &BatchRow) -> bool {
    matches!(batch.state, BatchState::Ordered | BatchState::Fulfilling)
}

async fn known(staff: &Staff, path: &str) -> Result<Known, Refusal> {
    staff.manages()?;
    let (campaign, batch) = one(staff, path).await?;
    let id = batch.id;
    let (unshipped, given_up) = staff
        .office
        .read(move |conn| -> Result<_, Problem> {
            let given_up = promises::given_up(conn, id)?.is_some();
            Ok((answers::unshipped(conn, id)?, given_up))
        })
        .await?;
    Ok(Known {
        campaign,
        batch,
        unshipped,
        given_up,
    })
}

impl Known {
    /// Why it cannot be said any more, or not yet.
    fn refuse(&self) -> Result<(), Refusal> {
        let say = if self.given_up {
            "It was said already that the rest of this batch will not be shipped."
        } else if !is_open(&self.batch) {
            "This batch is over: nothing of it is still to be shipped."
        } else if !is_ordered(&self.batch) {
            "Nothing was ordered from the supplier yet. Cancel the campaign: everybody gets the money back."
        } else if self.unshipped.0 == 0 {
            "No order of this batch waits to be shipped."
        } else {
            return Ok(());
        };
        Err(Problem::conflict("wrong-state", say).into())
    }

    fn page(&self, staff: &Staff, reason: &str, problems: Problems) -> HttpResponse {
        let here = href(&self.batch);
        let dates = format!("{here}/dates");
        let mut page = FormPage::new(
            staff.shell("batches"),
            "The rest will not be shipped",
            format!("{here}/will-not-ship"),
        );
        page.crumbs = vec![
            Link::new(&here, title(&self.campaign, &self.batch)),
            Link::new(&dates, "Dates and answers"),
        ];
        let (orders, kept, part) = self.unshipped;
        let amount = amount_of((kept, part), &self.campaign.currency);
        page.lead = vec![
            format!(
                "{} and {amount} go back to the cards they came from, at once{}. Each shopper is told. This can't be undone.",
                plural(orders, "order"),
                if part == 0 { ", shipping included" } else { "" }
            ),
            "Parcels that were handed to the carrier stay as they are; packed ones are stopped."
                .to_owned(),
        ];
        page.facts = vec![
            fact("Orders not shipped", orders.to_string()),
            fact("Of these partly shipped", part.to_string()),
            fact("Goes back", amount.clone()),
        ];
        page.sections = vec![Section::new(
            "Why",
            vec![
                Field::area("reason", "Reason", 4)
                    .hint("Every shopper reads it in the mail.")
                    .max_length(REASON)
                    .value(reason)
                    .problems(&problems)
                    .into(),
                Line::Hidden("form_key".into(), new_key()),
            ],
        )];
        page.submit = format!("Give it up and refund {amount}");
        page.risk = true;
        page.back = Some(Link::new(dates, "Leave it as it is"));
        page.problems = problems;
        page.answer()
    }
}

/// `GET /admin/batches/{id}/will-not-ship`
pub async fn ask(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let known = known(&staff, &path).await?;
    known.refuse()?;
    Ok(known.page(&staff, "", Problems::default()))
}

/// `POST /admin/batches/{id}/will-not-ship`
pub async fn act(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    let known = known(&staff, &path).await?;
    let typed = Typed::from(form.into_inner());
    let back = format!("{}/dates", href(&known.batch));
    let said = "It is said. Everything unshipped goes back, and every shopper is told.";
    let (form, key) = (
        format!("give_up:{}", known.batch.id),
        typed.get("form_key").to_owned(),
    );
    let asked = (form.clone(), key.clone());
    let sent = staff
        .office
        .read(move |conn| was_sent(conn, &asked.0, &asked.1))
        .await?;
    if sent {
        return staff.done(said, &back);
    }
    known.refuse()?;
    let reason = clean_text(typed.get("reason"), REASON as usize);
    let wrong = match &reason {
        Ok(text) if text.trim().is_empty() => {
            Some("Write the reason; every shopper reads it.".to_owned())
        }
        Ok(_) => None,
        Err(say) => Some(sentence(say)),
    };
    if let Some(say) = wrong {
        let mut problems = Problems::default();
        problems.add("reason", say);
        return Ok(known.page(&staff, typed.get("reason"), problems));
    }
    let (id, by, reason) = (known.batch.id, staff.name(), reason.unwrap_or_default());
    let done = staff
        .office
        .write(move |desk: &Desk, tx: &mut Tx| -> Result<(), Problem> {
            if is_first(tx, &form, &key)? {
                give_up(desk, tx, id, &reason, &by)?;
            }
            Ok(())
        })
        .await;
    match done {
        Ok(()) => staff.done(said, &back),
        Err(Problem::Invalid(errors)) => {
            Ok(known.page(&staff, typed.get("reason"), problems_of(&errors)))
        }
        Err(other) => Err(other.into()),
    }
}
