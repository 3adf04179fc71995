//! The dates of a purchase order's batch: their history, and what staff do with one that waits.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};

use super::{Known, one};
use crate::domain::day::parse_date;
use crate::domain::ids::EtaId;
use crate::domain::purchase_order::EtaState;
use crate::store::Tx;
use crate::store::etas::EtaRow;
use crate::web::admin::dates::{day, sentence, table};
use crate::web::admin::form::{FormPage, Line, Pairs, Section, Typed, problems_of};
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::{Table, act, fact, id, short};
use crate::web::view::{Field, Link, Problems, left};
use crate::workflows::desk::{Desk, Problem};
use crate::workflows::eta::{self, passes_at};

/// A date that waits for staff.
pub(super) struct Waiting {
    pub(super) title: String,
    pub(super) lines: Vec<String>,
    /// Its deeds are below this address.
    pub(super) href: String,
}

impl Known {
    pub(super) fn waiting(&self, zone: chrono_tz::Tz, now: DateTime<Utc>) -> Vec<Waiting> {
        let mine = self.dates.iter().filter(|date| {
            date.state == EtaState::Waiting && date.purchase_order_id == Some(self.row.id)
        });
        mine.map(|date| Waiting {
            title: format!("{} says: it arrives on {}", date.set_by, day(date.arrives)),
            lines: vec![
                format!(
                    "{} Parcels would go out on {}.",
                    sentence(&date.reason),
                    day(date.ship_date)
                ),
                match left(now, passes_at(date)) {
                    Some(left) => format!(
                        "Shoppers do not know it yet. It is passed on by itself in {left}, {}.",
                        short(passes_at(date).naive_utc(), zone)
                    ),
                    None => "Shoppers do not know it yet. It is passed on in a moment.".to_owned(),
                },
            ],
            href: format!("/admin/purchase-orders/{}/dates/{}", self.row.id, date.id),
        })
        .collect()
    }

    /// Every date of the batch, the last first, with what it replaced.
    pub(super) fn date_table(&self, zone: chrono_tz::Tz) -> Table {
        table(&self.dates, zone, None)
    }

    fn date(&self, text: &str) -> Result<&EtaRow, Refusal> {
        let wanted: EtaId = id(text)?;
        let found = self.dates.iter().find(|date| date.id == wanted);
        found.ok_or(Refusal::NotFound)
    }

    fn href(&self) -> String {
        format!("/admin/purchase-orders/{}", self.row.id)
    }

    /// Where whoever decided about a date came from: the batch's dates, or this order.
    fn back(&self, from: &str) -> String {
        match from {
            "batch" => format!("/admin/batches/{}/dates", self.batch.id),
            _ => self.href(),
        }
    }
}

/// `POST /admin/purchase-orders/{id}/dates/{date}/pass-on`
pub(super) async fn pass_on(
    staff: Staff,
    path: web::Path<(String, String)>,
    form: Option<Pairs>,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = one(&staff, &path.0).await?;
    let (date, by) = (known.date(&path.1)?.id, staff.name());
    let f = move |_: &Desk, tx: &mut Tx| eta::pass_on(tx, date, &by).map(|_| ());
    act(
        &staff,
        f,
        "The date counts now, and shoppers are told.",
        &known.back(&from_of(form)),
    )
    .await
}

/// `POST /admin/purchase-orders/{id}/dates/{date}/keep`
pub(super) async fn keep(
    staff: Staff,
    path: web::Path<(String, String)>,
    form: Option<Pairs>,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = one(&staff, &path.0).await?;
    let (date, by) = (known.date(&path.1)?.id, staff.name());
    let f = move |_: &Desk, tx: &mut Tx| eta::withhold(tx, date, &by).map(|_| ());
    act(
        &staff,
        f,
        "The date stays with you; shoppers are not told of it.",
        &known.back(&from_of(form)),
    )
    .await
}

/// From which page a deed without fields was done.
fn from_of(form: Option<Pairs>) -> String {
    let typed = Typed::from(form.map(Pairs::into_inner).unwrap_or_default());
    typed.get("from").to_owned()
}

impl Known {
    fn edit_page(
        &self,
        staff: &Staff,
        date: &EtaRow,
        typed: &Typed,
        problems: Problems,
    ) -> FormPage {
        let (href, back) = (self.href(), self.back(typed.get("from")));
        let mut page = FormPage::new(
            staff.shell("campaigns"),
            format!("Pass on {}'s date, changed", date.set_by),
            format!("{href}/dates/{}/edit", date.id),
        );
        page.crumbs = vec![Link::new(&href, self.title())];
        page.lead = vec![
            "Shoppers are told of the ship date and of the reason as you write them here.".into(),
        ];
        page.facts = vec![
            fact("The goods arrive on", day(date.arrives)),
            fact("The supplier's reason", &date.reason),
        ];
        page.sections = vec![Section::new(
            "What shoppers are told",
            vec![
                Field::input("date", "ship_date", "Parcels go out on")
                    .value(typed.get("ship_date"))
                    .problems(&problems)
                    .into(),
                Field::area("reason", "Why", 3)
                    .max_length(500)
                    .value(typed.get("reason"))
                    .problems(&problems)
                    .into(),
                Line::Hidden("from".into(), typed.get("from").to_owned()),
            ],
        )];
        page.submit = "Pass it on".into();
        page.back = Some(Link::new(back, "Leave it as it is"));
        page.problems = problems;
        page
    }
}

/// `GET /admin/purchase-orders/{id}/dates/{date}/edit`
pub(super) async fn ask(
    staff: Staff,
    path: web::Path<(String, String)>,
    asked: web::Query<Vec<(String, String)>>,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = one(&staff, &path.0).await?;
    let date = known.date(&path.1)?;
    let mut typed = Typed::from(asked.into_inner());
    typed.set(
        "ship_date",
        date.ship_date
            .map_or_else(String::new, |day| day.to_string()),
    );
    typed.set("reason", &date.reason);
    Ok(known
        .edit_page(&staff, date, &typed, Problems::default())
        .answer())
}

/// `POST /admin/purchase-orders/{id}/dates/{date}/edit`
pub(super) async fn edit(
    staff: Staff,
    path: web::Path<(String, String)>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = one(&staff, &path.0).await?;
    let date = known.date(&path.1)?;
    let typed = Typed::from(form.into_inner());
    let Some(ship_date) = parse_date(typed.get("ship_date").trim()) else {
        let mut problems = Problems::default();
        problems.add("ship_date", "Write a day, such as 2027-06-05.");
        return Ok(known.edit_page(&staff, date, &typed, problems).answer());
    };
    let (id, by, reason) = (date.id, staff.name(), typed.get("reason").to_owned());
    let f = move |_: &Desk, tx: &mut Tx| {
        eta::edit_and_pass_on(tx, id, ship_date, &reason, &by).map(|_| ())
    };
    match act(
        &staff,
        f,
        "The date counts now, and shoppers are told.",
        &known.back(typed.get("from")),
    )
    .await
    {
        Err(Refusal::Problem(Problem::Invalid(errors))) => Ok(known
            .edit_page(&staff, date, &typed, problems_of(&errors))
            .answer()),
        other => other,
    }
}
