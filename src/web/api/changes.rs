//! Changing what an order is over, before the judgement.

use actix_web::web::Path;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::after_bodies::{UnitsBody, lines, money};
use super::answer::{Answer, Response, change as answer};
use super::ask::Ask;
use super::document::Refusals;
use super::fields::{Errors, Reader};
use super::order_views::{self, Order};
use super::orders::opened;
use crate::domain::change::Difference;
use crate::domain::currency::Currency;
use crate::domain::ids::OrderId;
use crate::domain::money::Money;
use crate::store::{Tx, orders};
use crate::workflows::changes::{Came, Wish, asked_for, change, preview};
use crate::workflows::desk::Problem;
use crate::workflows::join::FrozenQuote;
use crate::workflows::money::currency;

/// What an order is to be over. What is left out of the lines leaves the order.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct OrderChangeBody {
    #[schema(min_items = 1, max_items = 100)]
    lines: Vec<UnitsBody>,
    /// The new total that was shown: a higher one is refused (`price-changed`).
    agreed_total: Option<Money>,
    /// Only answers what the change would come to.
    dry_run: Option<bool>,
}

/// Where a change stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ChangeStands {
    /// Nothing was changed: a dry run.
    Offered,
    /// It took effect.
    Done,
    /// It takes effect once its page, in the order's `checkout_url`, is paid.
    ToPay,
}

/// A line as it is after the change.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangedLine {
    sku: String,
    quantity: i64,
    unit_price: Money,
}

/// What a change comes to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderChange {
    state: ChangeStands,
    lines: Vec<ChangedLine>,
    /// What the order cost before.
    total_before: Money,
    /// What it costs with the change, shipping and tax included.
    total: Money,
    /// What is paid before it takes effect; nought where nothing is.
    to_pay: Money,
    /// What goes back; nought where nothing does.
    back: Money,
    /// What of the total is collected later.
    owed: Money,
    /// The order as it is now.
    order: Order,
}

struct Said {
    lines: Vec<(String, i64)>,
    agreed_total: Option<i64>,
    dry_run: bool,
}

fn read(body: &Value, currency: Currency, e: &mut Errors) -> Option<Said> {
    let mut r = Reader::body(body, e)?;
    let units = lines(&mut r, e);
    let units = r.required("lines", units, e, "what the order is to be over");
    let agreed_total = money(&mut r, "agreed_total", currency, e);
    let dry_run = r.boolean("dry_run", e).unwrap_or(false);
    r.end(e);
    Some(Said {
        lines: units?,
        agreed_total,
        dry_run,
    })
}

/// Changes what an order is over, until joining ends. What costs no more takes effect at once, and the difference goes back.
/// What costs more is paid first: its units are held, and `GET /orders/{order_id}` shows the page in `checkout_url`.
#[utoipa::path(post, path = "/orders/{order_id}/change", operation_id = "changeOrderLines", tag = "Orders",
    params(("order_id" = String, Path, description = "The order."),
        ("t" = String, Query, description = "The token that joining gave."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = OrderChangeBody,
    responses((status = 200, description = "What the change comes to, and the order.", body = OrderChange), Refusals))]
pub(super) async fn lines_of(ask: Ask, path: Path<String>) -> Response {
    ask.count()?;
    let id = opened(&ask, &path)?;
    let body = ask.json()?;
    answer(&ask.office, ask.keyed(None)?, move |desk, tx| {
        let order = orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
        let currency = currency(&order.currency)?;
        let mut e = Errors::default();
        let said = read(&body, currency, &mut e).filter(|_| e.is_empty());
        let Some(said) = said else {
            // A conflict is told before wrong fields.
            crate::workflows::changes::choices(tx.conn, id, tx.now)?;
            return Err(Problem::Invalid(e.all()));
        };
        let offer = preview(tx.conn, id, &said.lines, tx.now);
        if said.dry_run {
            let offer = offer?;
            let stands = (ChangeStands::Offered, offer.moved);
            let total = offer.before.total;
            return shown(tx, id, (&offer.wanted, total), stands, currency);
        }
        let wish = Wish {
            order: id,
            lines: said.lines,
            agreed_total: said.agreed_total,
            form_key: None,
            by: None,
        };
        let stands = match change(desk, tx, &wish)? {
            Came::ToPay => ChangeStands::ToPay,
            Came::Done | Came::Nothing => ChangeStands::Done,
        };
        if let Ok(offer) = offer {
            let total = offer.before.total;
            return shown(
                tx,
                id,
                (&offer.wanted, total),
                (stands, offer.moved),
                currency,
            );
        }
        // It was asked for before, and is being paid.
        let (_, offer) = asked_for(tx.conn, &order)?.ok_or(Problem::NotFound("change"))?;
        let (wanted, total) = (&offer.wanted, offer.before.total);
        shown(tx, id, (wanted, total), (stands, offer.moved), currency)
    })
    .await
}

fn shown(
    tx: &mut Tx,
    id: OrderId,
    (wanted, before): (&FrozenQuote, i64),
    (state, moved): (ChangeStands, Difference),
    currency: Currency,
) -> Result<Answer, Problem> {
    let money = |amount| Money::new(amount, currency);
    let order = orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
    let lines = wanted.lines.iter().zip(&wanted.quote.lines);
    Answer::ok(&OrderChange {
        state,
        lines: lines
            .map(|(line, priced)| ChangedLine {
                sku: line.sku.clone(),
                quantity: priced.quantity,
                unit_price: money(priced.unit_price),
            })
            .collect(),
        total_before: money(before),
        total: money(wanted.quote.total),
        to_pay: money(moved.pay),
        back: money(moved.back),
        owed: money(moved.owed),
        order: order_views::order(tx.conn, &order, tx.now)?,
    })
}
