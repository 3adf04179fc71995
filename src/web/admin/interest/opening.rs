//! Opening a campaign that asks who would buy, now or at a time.

use actix_web::{HttpResponse, web};

use super::{asked, step_prices};
use crate::domain::campaign::CampaignState;
use crate::domain::day::parse_local;
use crate::domain::draft::{CampaignDraft, FieldError};
use crate::store::campaigns::CampaignRow;
use crate::store::interest as rows;
use crate::web::admin::form::{FormPage, Line, Pairs, Section, Typed, problems_of, sentence};
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::{fact, short};
use crate::web::admin::offer_form::local;
use crate::web::view::{Field, Link, Problems, grouped};
use crate::workflows::campaigns::{self, Opening};
use crate::workflows::desk::{Desk, Problem};

/// What the opening's form is drawn for.
struct Opens {
    row: CampaignRow,
    draft: CampaignDraft,
    answers: i64,
}

async fn opens(staff: &Staff, path: &str) -> Result<Opens, Refusal> {
    let (row, draft) = asked(staff, path).await?;
    if row.state != CampaignState::Interest {
        let say = "This campaign does not ask who would buy, or not any more.";
        return Err(Problem::conflict("wrong-state", say).into());
    }
    let id = row.id;
    let answers = staff
        .office
        .read(move |conn| Ok::<_, Problem>(rows::count(conn, id)?))
        .await?;
    Ok(Opens {
        row,
        draft,
        answers,
    })
}

impl Opens {
    fn page(&self, staff: &Staff, typed: &str, problems: Problems) -> HttpResponse {
        let href = format!("/admin/campaigns/{}", self.row.slug);
        let mut page = FormPage::new(
            staff.shell("campaigns"),
            format!("Open {}", self.row.title),
            format!("{href}/open"),
        );
        page.crumbs = vec![
            Link::new("/admin/campaigns", "Campaigns"),
            Link::new(&href, &self.row.title),
        ];
        page.lead = vec![format!(
            "When it opens, {} by mail, once, with a link in which their answer is filled in. From the first order on, what \
             shoppers joined for stays; until then you may still edit texts, prices and dates.",
            match self.answers {
                1 => "the one who answered is told".to_owned(),
                n => format!("all {} who answered are told", grouped(n)),
            }
        )];
        page.facts = vec![
            fact("Deadline", short(self.row.deadline, self.draft.time_zone)),
            fact("First prices", step_prices(&self.draft, 0)),
            fact("Answers", grouped(self.answers)),
        ];
        page.sections = vec![Section::new(
            "When",
            vec![Line::from(
                Field::input("datetime-local", "opens_at", "Opens")
                    .hint(format!(
                        "Empty: now. In the campaign's zone, {}.",
                        self.draft.time_zone.name()
                    ))
                    .optional()
                    .value(typed)
                    .problems(&problems),
            )],
        )];
        page.back = Some(Link::new(href, "Leave it as it is"));
        "Open it, now or then".clone_into(&mut page.submit);
        page.problems = problems;
        page.answer()
    }
}

/// `GET /admin/campaigns/{slug}/open`
pub async fn page(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let opens = opens(&staff, &path).await?;
    let typed = opens
        .row
        .opens_at
        .map(|at| local(at.and_utc(), opens.draft.time_zone))
        .unwrap_or_default();
    Ok(opens.page(&staff, &typed, Problems::default()))
}

/// `POST /admin/campaigns/{slug}/open`
pub async fn open(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    let opens = opens(&staff, &path).await?;
    let typed = Typed::from(form.into_inner());
    let opening = match typed.some("opens_at") {
        None => Opening::Now,
        Some(text) => match parse_local(text, opens.draft.time_zone) {
            Some(at) => Opening::At(at),
            None => {
                let say = "write date and time, such as 2026-12-01T18:00, or leave it empty";
                let problems = problems_of(&[FieldError::new("opens_at", say)]);
                return Ok(opens.page(&staff, text, problems));
            }
        },
    };
    let (merchant, slug) = (staff.merchant.id, opens.row.slug.clone());
    let opened = staff
        .office
        .write(move |desk: &Desk, tx| campaigns::schedule(desk, tx, merchant, &slug, opening));
    match opened.await {
        Ok(row) => {
            let said = match row.state {
                CampaignState::Open => "It is open; the mails to those who answered go out.",
                _ => "It is announced; those who answered are told when it opens.",
            };
            staff.done(said, &format!("/admin/campaigns/{}", row.slug))
        }
        Err(Problem::Invalid(errors)) => {
            let mut problems = Problems::default();
            for e in errors {
                let own = e.field == "opens_at";
                let field = if own { "opens_at" } else { "" };
                let say = if own {
                    e.message
                } else {
                    format!("{}: {}. Edit the campaign first", e.field, e.message)
                };
                problems.add(field, sentence(&say));
            }
            Ok(opens.page(&staff, typed.get("opens_at"), problems))
        }
        Err(other) => Err(other.into()),
    }
}
