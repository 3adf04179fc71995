//! Changing what an order is over and where it goes, before the judgement.

use actix_web::web::Path;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::after::in_body;
use super::after_bodies::{UnitsBody, lines, money, parcels};
use super::answer::{Answer, Response, change as answer};
use super::ask::Ask;
use super::bodies::AddressBody;
use super::document::Refusals;
use super::fields::{Errors, Reader};
use super::order_views::{self, Order};
use super::orders::opened;
use crate::domain::change::Difference;
use crate::domain::currency::Currency;
use crate::domain::ids::OrderId;
use crate::domain::money::Money;
use crate::domain::order::Delivery;
use crate::store::orders::OrderRow;
use crate::store::{Tx, orders};
use crate::workflows::changes::{Came, Wish, asked_for, change, preview};
use crate::workflows::desk::Problem;
use crate::workflows::join::FrozenQuote;
use crate::workflows::money::currency;

/// What an order is to be; what is left out stays. What is left out of the lines leaves the order.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct OrderChangeBody {
    #[schema(min_items = 1, max_items = 100)]
    lines: Option<Vec<UnitsBody>>,
    name: Option<String>,
    /// Whole; in a country to which the campaign shipped when the order joined.
    address: Option<AddressBody>,
    delivery: Option<Delivery>,
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
    /// Whether it is exempt from withdrawal: tell the shopper before.
    made_to_order: bool,
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
    /// Shipping with the change.
    shipping: Money,
    /// Tax with the change, added or included.
    tax: Money,
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
    wish: Wish,
    dry_run: bool,
}

fn read(body: &Value, order: &OrderRow, currency: Currency, e: &mut Errors) -> Option<Said> {
    let mut r = Reader::body(body, e)?;
    let named = body.get("lines").is_some_and(|lines| !lines.is_null());
    let units = lines(&mut r, e);
    let (address, delivery) = parcels(&mut r, order, e)?;
    let agreed_total = money(&mut r, "agreed_total", currency, e);
    let dry_run = r.boolean("dry_run", e).unwrap_or(false);
    r.end(e);
    if !named && address.is_none() && delivery.is_none() && e.is_empty() {
        e.add(
            "lines",
            "write what changes: lines, name, address or delivery",
        );
    }
    let wish = Wish {
        lines: units,
        address,
        delivery,
        agreed_total,
        ..Wish::of(order.id)
    };
    Some(Said { wish, dry_run })
}

/// Changes what an order is over and where it goes, until joining ends. What costs no more takes effect at once, and the difference goes back.
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
    let (body, from) = (ask.json()?, ask.client.to_string());
    answer(&ask.office, ask.keyed(None)?, move |desk, tx| {
        let order = orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
        let currency = currency(&order.currency)?;
        let mut e = Errors::default();
        let said = read(&body, &order, currency, &mut e).filter(|_| e.is_empty());
        let Some(said) = said else {
            // A conflict is told before wrong fields.
            crate::workflows::changes::choices(tx.conn, id, tx.now)?;
            return Err(Problem::Invalid(e.all()));
        };
        let wish = Wish {
            from: Some(from.clone()),
            ..said.wish
        };
        let offer = preview(tx.conn, &wish, tx.now);
        if said.dry_run {
            let offer = offer.map_err(in_body)?;
            let stands = (ChangeStands::Offered, offer.moved);
            let total = offer.before.total;
            return shown(tx, id, (&offer.wanted, total), stands, currency);
        }
        let stands = match change(desk, tx, &wish).map_err(in_body)? {
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
                made_to_order: line.made_to_order,
            })
            .collect(),
        total_before: money(before),
        total: money(wanted.quote.total),
        shipping: money(wanted.quote.shipping),
        tax: money(wanted.quote.tax()),
        to_pay: money(moved.pay),
        back: money(moved.back),
        owed: money(moved.owed),
        order: order_views::order(tx.conn, &order, tx.now)?,
    })
}
