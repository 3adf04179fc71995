//! Accepting what a waiting list offers.

use actix_web::web::Path;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::Response;
use super::ask::Ask;
use super::campaigns::then_refuse;
use super::document::Refusals;
use super::fields::{Errors, Reader};
use super::order_views::Order;
use super::orders::{opened, paged};
use crate::domain::money::Money;
use crate::workflows::desk::Problem;
use crate::workflows::join::Accepted;
use crate::workflows::waiting;

/// What is said yes to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(
    dead_code,
    reason = "read field by field, so that everything wrong is told at once"
)]
pub(super) struct AcceptBody {
    /// The most that it may cost; where it costs more now, that is told and nothing changes. Any total where it is left
    /// out.
    total: Option<Money>,
}

/// Accepts the units that came free for an order that is `waitlisted`: from then on it is `pending`, with a payment page.
/// Accepting twice gives the same page.
#[utoipa::path(post, path = "/orders/{order_id}/accept", operation_id = "acceptOffer", tag = "Orders",
    params(("order_id" = String, Path, description = "The order."),
        ("t" = String, Query, description = "The token that joining gave.")),
    request_body = Option<AcceptBody>,
    responses((status = 200, description = "The order, with the page in `checkout_url`.", body = Order), Refusals))]
pub(super) async fn accept(ask: Ask, path: Path<String>) -> Response {
    ask.count()?;
    let id = opened(&ask, &path)?;
    let body = ask.json_or_nothing()?;
    let from = ask.client.to_string();
    ask.office
        .write(move |desk, tx| -> Result<(), Problem> {
            let order =
                crate::store::orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
            let mut e = Errors::default();
            let total = total(&body, &order.currency, &mut e);
            let accepted = Accepted {
                total,
                terms_version: None,
                from: from.clone(),
            };
            waiting::accept(desk, tx, id, &accepted)?;
            then_refuse(&e.all())
        })
        .await?;
    paged(&ask, id).await
}

fn total(body: &Value, currency: &str, e: &mut Errors) -> Option<i64> {
    let mut r = Reader::body(body, e)?;
    let total = r.object("total", e).and_then(|mut r| {
        let amount = r.integer("amount", e);
        let amount = r.required("amount", amount, e, "minor units");
        let code = r.text("currency", e);
        let code = r.required("currency", code, e, "the order's currency");
        if code.is_some_and(|code| code != currency) {
            let say = format!("write {currency}: the order is in it");
            e.add("total.currency", say);
        }
        r.end(e);
        amount
    });
    r.end(e);
    total
}
