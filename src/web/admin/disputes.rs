//! Disputes: the list, and for each all that is known of its order, to be printed and sent to the provider.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::form::{Line, Pairs, Typed, problems_of};
use super::guard::{Refusal, Staff};
use super::kit::{Cell, Facts, ListPage, PAGE, Table, act, fact, short, zone_of};
use crate::domain::payment::EvidenceState;
use crate::store::evidence::{self as rows, EvidenceRow};
use crate::store::orders::OrderRow;
use crate::store::refunds::DisputeRow;
use crate::store::{Conn, Tx, campaigns, orders};
use crate::web::pages;
use crate::web::view::{Badge, Empty, Field, Link, PanelShell, Problems, state_word};
use crate::workflows::desk::{Desk, Problem, order_number};
use crate::workflows::evidence::{self, MAX_NOTE, Part, collect, why_not};
use crate::workflows::money::say;

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/disputes", web::get().to(list))
        .route("/disputes/{id}", web::get().to(page))
        .route("/disputes/{id}/send", web::post().to(send));
}

/// The address of a dispute; what can be no id of the provider's is no page.
fn known(path: &str) -> Result<String, Refusal> {
    match evidence::is_id(path) {
        true => Ok(path.to_owned()),
        false => Err(Refusal::NotFound),
    }
}

/// `GET /admin/disputes`
pub async fn list(staff: Staff) -> Result<HttpResponse, Refusal> {
    staff.sees_money()?;
    let merchant = staff.merchant.id;
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let mut listed = Vec::new();
        for dispute in rows::disputes_of(conn, merchant, None, PAGE)? {
            let order = orders::by_id(conn, dispute.order_id)?.ok_or(Problem::NotFound("order"))?;
            listed.push((dispute, order));
        }
        Ok(listed)
    });
    let listed = found.await?;
    let row = |(dispute, order): &(DisputeRow, OrderRow)| {
        vec![
            Cell::Document(Link::new(
                evidence::path(&dispute.provider_id),
                order_number(order.number),
            )),
            Cell::text(&order.name),
            Cell::state(dispute.state.as_str()),
            Cell::number(say(dispute.amount, &order.currency)),
            Cell::text(state_word(&dispute.reason)),
            Cell::when(dispute.opened_at, Tz::UTC),
            dispute
                .due_by
                .filter(|_| !dispute.state.is_over())
                .map_or_else(|| Cell::text(""), |at| Cell::when(at, Tz::UTC)),
        ]
    };
    let head = vec![
        ("Order", false),
        ("Shopper", false),
        ("State", false),
        ("Amount", true),
        ("Reason", false),
        ("Opened, UTC", false),
        ("Answer before, UTC", false),
    ];
    let page = ListPage {
        shell: staff.shell("money"),
        title: "Disputes".into(),
        lead: Some(
            "A cardholder's bank takes money back, or asks about it. The newest first.".into(),
        ),
        actions: vec![Link::new("/admin/money", "The books")],
        filters: vec![],
        action: "/admin/disputes".into(),
        table: Table::new("Disputes", head, listed.iter().map(row).collect()),
        empty: Empty {
            text: "None. If a bank disputes a payment, it stands here.".into(),
            action: None,
        },
        pager: None,
    };
    Ok(page.answer())
}

/// A dispute with all that is known of its order.
struct Known {
    dispute: DisputeRow,
    order: OrderRow,
    zone: Tz,
    answers: Vec<EvidenceRow>,
    parts: Vec<Part>,
}

/// `/admin/disputes/{id}`
#[derive(Template)]
#[template(path = "admin/dispute.html")]
struct DisputePage {
    shell: PanelShell,
    title: String,
    badge: Badge,
    order: Link,
    next: String,
    problems: Problems,
    facts: Facts,
    action: Option<String>,
    note: Line,
    answers: Table,
    parts: Vec<Part>,
}

fn load(
    conn: &mut Conn,
    merchant: crate::domain::ids::MerchantId,
    id: &str,
) -> Result<Known, Problem> {
    let (dispute, order) = evidence::of_merchant(conn, merchant, id)?;
    let campaign =
        campaigns::by_id(conn, order.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
    Ok(Known {
        zone: zone_of(&campaign),
        answers: rows::of_dispute(conn, id)?,
        parts: collect(conn, &dispute, &order)?.parts,
        dispute,
        order,
    })
}

/// `GET /admin/disputes/{id}`
pub async fn page(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let page = draw(&staff, &path, "", Problems::default()).await?;
    Ok(pages::private(StatusCode::OK, &page))
}

async fn draw(
    staff: &Staff,
    path: &str,
    typed: &str,
    problems: Problems,
) -> Result<DisputePage, Refusal> {
    staff.sees_money()?;
    let (merchant, id) = (staff.merchant.id, known(path)?);
    let read = staff.office.read(move |conn| load(conn, merchant, &id));
    let known = read.await?;
    let Known { dispute, order, .. } = &known;
    let why = why_not(dispute, &known.answers, staff.office.now());
    let may = staff.person.role.may_manage() && why.is_none();
    Ok(DisputePage {
        shell: staff.shell("money"),
        title: format!("Dispute over {}", say(dispute.amount, &order.currency)),
        badge: Badge::state(dispute.state.as_str()),
        order: Link::new(
            format!("/admin/orders/{}", order.id),
            order_number(order.number),
        ),
        next: known.next(why, staff.office.now()),
        facts: known.facts(),
        action: may.then(|| format!("{}/send", evidence::path(&dispute.provider_id))),
        note: Line::from(
            Field::area("note", "Your own words", 5)
                .hint("They stand under what is collected. The bank reads them.")
                .max_length(u32::try_from(MAX_NOTE).unwrap_or(u32::MAX))
                .optional()
                .value(typed)
                .problems(&problems),
        ),
        problems,
        answers: known.answer_table(),
        parts: known.parts,
    })
}

impl Known {
    fn next(&self, why: Option<&'static str>, now: DateTime<Utc>) -> String {
        match (why, self.dispute.due_by) {
            (Some(why), _) => why.to_owned(),
            (None, Some(due)) if due.and_utc() > now => format!(
                "Send what stands here to the provider before {}. It is taken once; a dispute that is not answered is lost.",
                short(due, self.zone)
            ),
            (None, _) => {
                "Send what stands here to the provider. It is taken once; a dispute that is not answered is lost."
                    .to_owned()
            }
        }
    }

    fn facts(&self) -> Facts {
        let dispute = &self.dispute;
        let mut facts = vec![
            fact("Reason", state_word(&dispute.reason)),
            fact("Opened", short(dispute.opened_at, self.zone)),
        ];
        if let Some(due) = dispute.due_by {
            facts.push(fact("Answer before", short(due, self.zone)));
        }
        if let Some(closed) = dispute.closed_at {
            facts.push(fact("Decided", short(closed, self.zone)));
        }
        facts.push(fact("Shopper", self.order.name.clone()));
        facts.push(fact("At the provider", dispute.provider_id.clone()));
        facts
    }

    fn answer_table(&self) -> Table {
        let said = |row: &EvidenceRow| match row.state {
            EvidenceState::Planned | EvidenceState::Sent => "on its way".to_owned(),
            EvidenceState::Done => "the provider has it".to_owned(),
            EvidenceState::Absent => "did not arrive; sent anew".to_owned(),
            EvidenceState::Refused => format!(
                "refused: {}",
                row.problem.as_deref().unwrap_or("no reason was given")
            ),
        };
        let row = |row: &EvidenceRow| {
            let what = match row.submits {
                true => "Sent to the bank",
                false => "Laid down at the provider",
            };
            vec![
                Cell::text(what),
                Cell::when(row.created_at, self.zone),
                Cell::text(&row.prepared_by),
                Cell::text(said(row)),
            ]
        };
        let head = vec![
            ("What", false),
            ("When", false),
            ("By", false),
            ("Outcome", false),
        ];
        Table::new("Answers", head, self.answers.iter().map(row).collect())
    }
}

/// `POST /admin/disputes/{id}/send`
pub async fn send(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let id = known(&path)?;
    let typed = Typed::from(form.into_inner());
    let submits = typed.get("do") != "stage";
    let (merchant, name) = (staff.merchant.id, staff.person.name.clone());
    let (note, own) = (typed.get("note").to_owned(), id.clone());
    let f =
        move |_: &Desk, tx: &mut Tx| evidence::answer(tx, (merchant, &name), &own, &note, submits);
    let said = match submits {
        true => "It goes to the provider now.",
        false => "It is laid down at the provider. Send it before the last day.",
    };
    match act(&staff, f, said, &evidence::path(&id)).await {
        Err(Refusal::Problem(Problem::Invalid(errors))) => {
            let problems = problems_of(&errors);
            let page = draw(&staff, &id, typed.get("note"), problems).await?;
            Ok(pages::private(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        done => done,
    }
}
