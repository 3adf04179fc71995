//! The list of claims and withdrawals, and those among them that wait for staff today.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::guard::{Refusal, Staff};
use super::kit::{Cell, ListPage, PAGE, Table, id};
use super::today::Thing;
use crate::domain::claim::ClaimState;
use crate::domain::ids::ClaimId;
use crate::domain::withdrawal::WARN_DAYS;
use crate::store::claims::{self as rows, ClaimRow};
use crate::store::merchants::MerchantRow;
use crate::store::orders::OrderRow;
use crate::store::{Conn, orders};
use crate::web::order::claim_badge;
use crate::web::view::{Choice, Day, Empty, Field, Link, Pager, plural};
use crate::workflows::claims::say_kind;
use crate::workflows::desk::{Problem, order_number};

/// The filter, as it stands in the address.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    state: String,
    cursor: String,
}

/// `GET /admin/claims`
pub async fn list(staff: Staff, asked: web::Query<Asked>) -> Result<HttpResponse, Refusal> {
    let open = asked.state != "resolved";
    let before = match asked.cursor.as_str() {
        "" => None,
        text => Some(id::<ClaimId>(text)?),
    };
    let merchant = staff.merchant.id;
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let claims = rows::of_merchant(conn, merchant, open, before, PAGE + 1)?;
        let mut listed = Vec::with_capacity(claims.len());
        for claim in claims {
            let order = orders::by_id(conn, claim.order_id)?.ok_or(Problem::NotFound("order"))?;
            listed.push((claim, order));
        }
        Ok(listed)
    });
    let mut listed = found.await?;
    let more = listed.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
    listed.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    let next = listed.last().filter(|_| more).map(|(c, _)| c.id);
    let state = if open { "open" } else { "resolved" };
    let page = ListPage {
        shell: staff.shell("orders"),
        title: "Claims and withdrawals".to_owned(),
        lead: Some(
            "What went wrong after the door, and who withdrew from the contract.".to_owned(),
        ),
        actions: Vec::new(),
        filters: vec![
            Field::select(
                "state",
                "Show",
                vec![
                    Choice::new("open", "Open"),
                    Choice::new("resolved", "Decided"),
                ],
            )
            .value(state),
        ],
        action: "/admin/claims".to_owned(),
        table: table(&listed),
        empty: Empty {
            text: "No claim stands here. They come from orders' pages, or from you.".into(),
            action: None,
        },
        pager: (next.is_some() || before.is_some()).then(|| Pager {
            shown: plural(i64::try_from(listed.len()).unwrap_or(0), "claim"),
            first: before.map(|_| format!("/admin/claims?state={state}")),
            next: next.map(|next| format!("/admin/claims?state={state}&cursor={next}")),
        }),
    };
    Ok(page.answer())
}

fn table(listed: &[(ClaimRow, OrderRow)]) -> Table {
    let rows = listed.iter().map(|(claim, order)| {
        let refund_by = claim.refund_by.filter(|_| claim.state.is_open());
        vec![
            Cell::Document(Link::new(
                format!("/admin/claims/{}", claim.id),
                order_number(order.number),
            )),
            Cell::text(order.name.clone()),
            Cell::text(say_kind(claim.kind)),
            Cell::Badge(claim_badge(claim)),
            Cell::when(claim.opened_at, chrono_tz::Tz::UTC),
            Cell::text(refund_by.map_or_else(String::new, |day| Day(day).text())),
        ]
    });
    Table::new(
        "Claims",
        vec![
            ("Order", false),
            ("Shopper", false),
            ("What", false),
            ("State", false),
            ("Since (UTC)", false),
            ("Refund due by", false),
        ],
        rows.collect(),
    )
}

/// Claims that wait for staff, the refunds of withdrawals before their last day among them.
///
/// # Errors
/// What the database says.
pub fn waiting(
    conn: &mut Conn,
    merchant: &MerchantRow,
    now: DateTime<Utc>,
    things: &mut Vec<Thing>,
) -> Result<(), Problem> {
    for claim in rows::of_merchant(conn, merchant.id, true, None, 20)? {
        let sent = claim.return_sent_at.is_some() || claim.state == ClaimState::Returned;
        // What the shopper has to send first waits for the shopper.
        if claim.state == ClaimState::AwaitingReturn && !sent {
            continue;
        }
        let Some(order) = orders::by_id(conn, claim.order_id)? else {
            continue;
        };
        let left = claim
            .refund_by
            .map(|day| (day - now.date_naive()).num_days());
        let number = order_number(order.number);
        things.push(Thing {
            tone: if left.is_some_and(|days| days <= WARN_DAYS) {
                "bad"
            } else {
                "wait"
            },
            icon: "box",
            title: format!("Order {number}: something {}", say_kind(claim.kind)),
            text: format!(
                "{}, since {}.",
                order.name,
                claim.opened_at.format("%-d %B")
            ),
            when: match claim.refund_by {
                Some(day) => format!("refund by {}", day.format("%-d %B")),
                None => "soon".to_owned(),
            },
            deed: Link::new(format!("/admin/claims/{}", claim.id), "Decide it"),
            urgency: left.unwrap_or(4).max(0),
        });
    }
    Ok(())
}
