//! The mails that speak for a merchant, and what became of them.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::guard::{Refusal, Staff};
use super::kit::{Cell, ListPage, PAGE, Table, id};
use super::order::{ShownMail, mail_badge};
use crate::domain::ids::MailId;
use crate::store::mails;
use crate::web::pages;
use crate::web::view::{Choice, Empty, Field, Link, Pager, PanelShell, plural, state_word};
use crate::workflows::desk::Problem;

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/mails", web::get().to(list))
        .route("/mails/{id}", web::get().to(page));
}

const STATES: [&str; 4] = ["queued", "sent", "kept", "refused"];

/// The filter, as it stands in the address.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    state: String,
    cursor: String,
}

/// `GET /admin/mails`
pub async fn list(staff: Staff, asked: web::Query<Asked>) -> Result<HttpResponse, Refusal> {
    let merchant = staff.merchant.id;
    let state = STATES.into_iter().find(|s| *s == asked.state);
    let before = if asked.cursor.is_empty() {
        None
    } else {
        Some(id::<MailId>(&asked.cursor)?)
    };
    let rows = staff.office.read(move |conn| -> Result<_, Problem> {
        Ok(mails::of_merchant(conn, merchant, state, before, PAGE)?)
    });
    let rows = rows.await?;
    let count = i64::try_from(rows.len()).unwrap_or(0);
    let href = |cursor: Option<String>| {
        let cursor = cursor.map_or_else(String::new, |c| format!("&cursor={c}"));
        format!("/admin/mails?state={}{cursor}", state.unwrap_or_default())
    };
    let next = (count == PAGE)
        .then(|| rows.last().map(|m| href(Some(m.id.to_string()))))
        .flatten();
    let mut choices = vec![Choice::new("", "All")];
    choices.extend(STATES.map(|s| Choice::new(s, state_word(s))));
    let table = rows.iter().map(|mail| {
        vec![
            Cell::when(mail.created_at, chrono_tz::UTC),
            Cell::Link(Link::new(
                format!("/admin/mails/{}", mail.id),
                &mail.subject,
            )),
            Cell::text(&mail.recipient),
            Cell::Badge(mail_badge(&mail.state)),
            Cell::text(mail.problem.clone().unwrap_or_default()),
        ]
    });
    let head = vec![
        ("Written, UTC", false),
        ("Subject", false),
        ("To", false),
        ("State", false),
        ("Problem", false),
    ];
    let page = ListPage {
        shell: staff.shell("settings"),
        title: "Mails".into(),
        lead: Some("Sent: a mail server took it. Kept: no server is set, so it stays here. Refused: look at the address.".into()),
        actions: vec![],
        filters: vec![Field::select("state", "State", choices).value(state.unwrap_or_default())],
        action: "/admin/mails".into(),
        table: Table::new("Mails", head, table.collect()),
        empty: Empty {
            text: "No mail fits. They stand here as soon as one is written.".into(),
            action: None,
        },
        pager: (next.is_some() || before.is_some()).then(|| Pager {
            shown: plural(count, "mail"),
            first: before.map(|_| href(None)),
            next,
        }),
    };
    Ok(page.answer())
}

/// `/admin/mails/{id}`
#[derive(Template)]
#[template(path = "admin/mail.html")]
struct MailPage {
    shell: PanelShell,
    mail: ShownMail,
    about: Vec<Link>,
}

/// `GET /admin/mails/{id}`
pub async fn page(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let (merchant, mail) = (staff.merchant.id, id::<MailId>(&path)?);
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        mails::by_id(conn, mail)?
            .filter(|m| m.merchant_id == Some(merchant))
            .ok_or(Problem::NotFound("mail"))
    });
    let row = found.await?;
    let mut about = vec![Link::new("/admin/mails", "Mails")];
    if let Some(order) = row.order_id {
        about.push(Link::new(format!("/admin/orders/{order}"), "Its order"));
    }
    if let Some(po) = row.purchase_order_id {
        about.push(Link::new(
            format!("/admin/purchase-orders/{po}"),
            "Its purchase order",
        ));
    }
    let page = MailPage {
        shell: staff.shell("settings"),
        mail: ShownMail::of(&row, chrono_tz::UTC),
        about,
    };
    Ok(pages::private(StatusCode::OK, &page))
}
