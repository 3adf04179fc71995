//! Orders: for whoever has the order's link, and for the merchant.

use std::time::{Duration, Instant};

use actix_web::web::Path;

use super::answer::{Answer, Response, change};
use super::ask::Ask;
use super::bodies::NothingBody;
use super::campaigns::{nothing, own, slug, then_refuse};
use super::document::{Public, Refusals};
use super::order_views::{self, MerchantOrder, Order};
use super::paging::{List, PageAsked};
use crate::domain::ids::OrderId;
use crate::store::orders::OrderFilter;
use crate::store::{Tx, orders as store};
use crate::workflows::cancel::{self, By};
use crate::workflows::collect::{self, AskedForPage};
use crate::workflows::desk::{Desk, Problem};

/// The order of an address, where the token opens it. A foreign token is told nothing.
pub(super) fn opened(ask: &Ask, path: &str) -> Result<OrderId, Problem> {
    let id: OrderId = path.parse().map_err(|_| Problem::NotFound("order"))?;
    let token = ask.parameter("t").unwrap_or_default();
    if ask.office.desk().links.opens_order(id, &token) {
        Ok(id)
    } else {
        Err(Problem::NotFound("order"))
    }
}

/// An order, by its link.
#[utoipa::path(get, path = "/orders/{order_id}", operation_id = "getOrder", tag = "Orders",
    params(("order_id" = String, Path, description = "The order."),
        ("t" = String, Query, description = "The token that joining gave.")),
    responses((status = 200, description = "The order.", body = Order), Public))]
pub(super) async fn one(ask: Ask, path: Path<String>) -> Response {
    let id = opened(&ask, &path)?;
    let now = ask.office.now();
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let row = store::by_id(conn, id)?.ok_or(Problem::NotFound("order"))?;
            Answer::ok(&order_views::order(conn, &row, now)?)
        })
        .await?;
    Ok(answer.respond())
}

/// Cancels an order with a full refund, until the supplier's order is sent; where its ship date moved, until it is
/// shipped. Of a partly shipped order the rest is cancelled.
#[utoipa::path(post, path = "/orders/{order_id}/cancel", operation_id = "cancelOrder", tag = "Orders",
    params(("order_id" = String, Path, description = "The order."),
        ("t" = String, Query, description = "The token that joining gave."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gives the first answer again.")),
    request_body = Option<NothingBody>,
    responses((status = 200, description = "The cancelled order.", body = Order), Refusals))]
pub(super) async fn cancel(ask: Ask, path: Path<String>) -> Response {
    ask.count()?;
    let id = opened(&ask, &path)?;
    let wrong = nothing(&ask)?;
    change(&ask.office, ask.keyed(None)?, move |desk, tx| {
        let row = cancel::cancel(desk, tx, id, &By::Shopper)?;
        then_refuse(&wrong)?;
        Answer::ok(&order_views::order(tx.conn, &row, tx.now)?)
    })
    .await
}

/// Has a page made on which what is owed of an order is paid, after the saved card was declined or before a balance is
/// charged; the page that is there already is given again.
#[utoipa::path(post, path = "/orders/{order_id}/pay", operation_id = "payOrder", tag = "Orders",
    params(("order_id" = String, Path, description = "The order."),
        ("t" = String, Query, description = "The token that joining gave.")),
    request_body = Option<NothingBody>,
    responses((status = 200, description = "The order, with the page in `checkout_url`.", body = Order), Refusals))]
pub(super) async fn pay(ask: Ask, path: Path<String>) -> Response {
    with_page(&ask, &path, collect::pay).await
}

/// Has a page made on which another card is saved for an order; where the first was declined, the new one is charged at
/// once.
#[utoipa::path(post, path = "/orders/{order_id}/card", operation_id = "saveAnotherCard", tag = "Orders",
    params(("order_id" = String, Path, description = "The order."),
        ("t" = String, Query, description = "The token that joining gave.")),
    request_body = Option<NothingBody>,
    responses((status = 200, description = "The order, with the page in `checkout_url`.", body = Order), Refusals))]
pub(super) async fn card(ask: Ask, path: Path<String>) -> Response {
    with_page(&ask, &path, collect::save_another_card).await
}

/// How long an answer waits for the page to be made.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// After how long it looks again without a bell.
const LOOK: Duration = Duration::from_millis(500);

/// Asks for a page, and waits a moment until it is there. Asking twice gives the same page.
async fn with_page(
    ask: &Ask,
    path: &str,
    deed: fn(&Desk, &mut Tx, OrderId) -> Result<AskedForPage, Problem>,
) -> Response {
    ask.count()?;
    let id = opened(ask, path)?;
    let wrong = nothing(ask)?;
    let asked = ask
        .office
        .write(move |desk, tx| -> Result<AskedForPage, Problem> {
            let asked = deed(desk, tx, id)?;
            then_refuse(&wrong)?;
            Ok(asked)
        })
        .await?;
    asked.there()?;
    paged(ask, id).await
}

/// The order with its page, as soon as that is made, or after the longest wait.
pub(super) async fn paged(ask: &Ask, id: OrderId) -> Response {
    let end = Instant::now() + LONGEST_WAIT;
    loop {
        let bell = ask.office.signals().bells.listen(id);
        let now = ask.office.now();
        let order = ask
            .office
            .read(move |conn| -> Result<Order, Problem> {
                let row = store::by_id(conn, id)?.ok_or(Problem::NotFound("order"))?;
                order_views::order(conn, &row, now)
            })
            .await?;
        if order.queue_position.is_none() || Instant::now() >= end {
            return Ok(Answer::ok(&order)?.respond());
        }
        bell.wait(LOOK).await;
    }
}

/// A campaign's orders, newest first.
#[utoipa::path(get, path = "/campaigns/{slug}/orders", operation_id = "listOrders", tag = "Orders",
    params(("slug" = String, Path, description = "The campaign's name in addresses."),
        ("limit" = Option<i64>, Query, description = "Entries of a page, 1 to 100; 20 where it is left out."),
        ("cursor" = Option<String>, Query, description = "The next_cursor of the page before.")),
    security(("key" = [])),
    responses((status = 200, description = "A page of the list.", body = List<MerchantOrder>), Refusals))]
pub(super) async fn list(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let slug = slug(&path)?;
    let page = PageAsked::of(&ask)?;
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let campaign = own(conn, merchant, &slug)?;
            let filter = OrderFilter {
                campaign: Some(campaign.id),
                before: page.after.map(OrderId),
                ..OrderFilter::default()
            };
            let mut rows = store::list(conn, merchant, &filter, page.rows())?;
            let next_cursor = page.cut(&mut rows, |row| row.id.0);
            let data = order_views::merchant_orders(conn, &rows)?;
            Answer::ok(&List { data, next_cursor })
        })
        .await?;
    Ok(answer.respond())
}
