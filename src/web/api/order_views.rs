//! Orders as the API shows them: to the shopper who joined, to whoever has the order's link, and to the merchant.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::due_views::{OrderCard, OrderDeposit, OrderDue, limit_step, paying};
use super::promise_views::{Promise, promise};
use crate::domain::currency::Currency;
use crate::domain::draft::PaymentMode;
use crate::domain::ids::OrderId;
use crate::domain::money::Money;
use crate::domain::order::{Delivery, LineState, OrderState, PaymentState};
use crate::domain::payment::AttemptState;
use crate::store::orders::{LineRow, OrderRow, PaymentRow};
use crate::store::{Conn, campaigns, misc, orders, stock};
use crate::workflows::allocate::allocations_told;
use crate::workflows::desk::{Desk, Problem, is_for_staff};
use crate::workflows::join::{FrozenQuote, Placed};
use crate::workflows::money;
use crate::workflows::stock_sale::is_from_stock;

/// A granted hold.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Joined {
    pub(super) order_id: Uuid,
    /// What opens the order: `GET /orders/{order_id}?t={token}`.
    token: String,
    state: OrderState,
    /// When the units are offered to others again.
    hold_expires_at: DateTime<Utc>,
    lines: Vec<JoinedLine>,
    /// What is charged.
    total: Money,
    /// The provider's page where it is paid; null while it is being made.
    #[schema(required)]
    checkout_url: Option<String>,
    /// How many payment pages are made before this one; null once it is there.
    #[schema(required)]
    queue_position: Option<i64>,
}

impl Joined {
    /// Whether its payment page is still being made.
    pub(super) fn waits(&self) -> bool {
        self.queue_position.is_some()
    }
}

/// A line as it was joined.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct JoinedLine {
    sku: String,
    quantity: i64,
    /// The price shown: the most that will be paid.
    unit_price: Money,
}

/// Where an order's present payment page stands.
pub(super) struct PageFace {
    /// Where it is paid, while it can be.
    pub(super) url: Option<String>,
    /// Its place in the queue, while it is being made.
    pub(super) queue_position: Option<i64>,
}

/// The present payment page of an order.
pub(super) fn page_face(
    conn: &mut Conn,
    order: &OrderRow,
    now: DateTime<Utc>,
) -> Result<PageFace, Problem> {
    let mut face = PageFace {
        url: None,
        queue_position: None,
    };
    let pending = order.state == OrderState::Pending;
    let pages = orders::payments_of(conn, order.id)?;
    // Of an order that counts already: one that pays what is owed, or saves another card.
    let present = pages
        .into_iter()
        .rev()
        .find(|page| pending || page.state.is_open() && page.kind.is_later_page());
    let Some(page) = present else {
        return Ok(face);
    };
    match page.state {
        AttemptState::Planned => {
            let ahead = orders::queue_position(conn, page.planned_at, order.id)?;
            face.queue_position = Some(ahead);
        }
        AttemptState::Open if can_be_paid(&page, now) => face.url = page.url,
        _ => {}
    }
    Ok(face)
}

fn can_be_paid(page: &PaymentRow, now: DateTime<Utc>) -> bool {
    !page.close_wanted && now < page.expires_at.and_utc()
}

/// A hold with its page as far as it is. Its lines are those that were agreed at joining: they do not change.
pub(super) fn joined(
    conn: &mut Conn,
    desk: &Desk,
    id: OrderId,
    agreed: &FrozenQuote,
    now: DateTime<Utc>,
) -> Result<Joined, Problem> {
    let order = orders::by_id(conn, id)?.ok_or(Problem::NotFound("order"))?;
    let face = page_face(conn, &order, now)?;
    hold(desk, &order, agreed, face)
}

/// A hold whose page has just come.
pub(super) fn joined_at(desk: &Desk, placed: &Placed, url: String) -> Result<Joined, Problem> {
    let face = PageFace {
        url: Some(url),
        queue_position: None,
    };
    hold(desk, &placed.order, &placed.frozen, face)
}

fn hold(
    desk: &Desk,
    order: &OrderRow,
    agreed: &FrozenQuote,
    face: PageFace,
) -> Result<Joined, Problem> {
    let currency = money::currency(&order.currency)?;
    let lines = agreed
        .lines
        .iter()
        .zip(&agreed.quote.lines)
        .map(|(line, priced)| JoinedLine {
            sku: line.sku.clone(),
            quantity: priced.quantity,
            unit_price: Money::new(priced.unit_price, currency),
        })
        .collect();
    Ok(Joined {
        order_id: order.id.0,
        token: desk.links.order_token(order.id),
        state: order.state,
        hold_expires_at: order.hold_expires_at.and_utc(),
        lines,
        total: Money::new(order.total, currency),
        checkout_url: face.url,
        queue_position: face.queue_position,
    })
}

/// An order as its shopper sees it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    order_id: Uuid,
    state: OrderState,
    payment_state: PaymentState,
    /// When the units are offered to others again, unless it is paid.
    hold_expires_at: DateTime<Utc>,
    /// When shoppers pay.
    payment_mode: PaymentMode,
    /// An index into the campaign's `steps`: it is in only if that step is reached; null: in any case.
    #[schema(required)]
    limit_step: Option<i32>,
    /// What was paid at joining, with `deposit`; else null.
    #[schema(required)]
    deposit: Option<OrderDeposit>,
    /// The card that is charged; null where none is saved.
    #[schema(required)]
    card: Option<OrderCard>,
    /// What is collected after joining; null before that begins.
    #[schema(required)]
    due: Option<OrderDue>,
    /// The provider's page, while something can be paid, or a card saved, there.
    #[schema(required)]
    checkout_url: Option<String>,
    /// How many payment pages are made before this one's, while it is being made.
    #[schema(required)]
    pub(super) queue_position: Option<i64>,
    lines: Vec<OrderLine>,
    totals: Totals,
    promise: Promise,
    timeline: Vec<TimelineEntry>,
}

/// One option x quantity of an order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OrderLine {
    sku: String,
    quantity: i64,
    /// The price shown at joining: the most that will be paid.
    unit_price: Money,
    /// The price in the end; null until it is judged.
    #[schema(required)]
    final_unit_price: Option<Money>,
    state: LineState,
    /// Received units given to this line.
    allocated: i64,
    /// Units handed to the carrier.
    shipped: i64,
}

/// An order's money.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Totals {
    charged: Money,
    refunded: Money,
    /// Charged, less what went back, is due back, was lost in disputes, or is a deposit that the seller keeps.
    kept: Money,
}

/// Something that happened to the order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TimelineEntry {
    at: DateTime<Utc>,
    /// A constant word for it.
    kind: String,
    /// The sentence for people.
    text: String,
}

fn order_lines(lines: Vec<LineRow>, currency: Currency) -> Vec<OrderLine> {
    lines
        .into_iter()
        .map(|line| OrderLine {
            sku: line.sku,
            quantity: line.quantity,
            unit_price: Money::new(line.unit_price, currency),
            final_unit_price: line.final_price.map(|price| Money::new(price, currency)),
            state: line.state,
            allocated: line.allocated,
            shipped: line.shipped,
        })
        .collect()
}

fn totals(order: &OrderRow, currency: Currency) -> Totals {
    Totals {
        charged: Money::new(order.charged, currency),
        refunded: Money::new(order.refunded, currency),
        kept: Money::new(order.money().kept(), currency),
    }
}

/// An order for its shopper.
pub(super) fn order(
    conn: &mut Conn,
    order: &OrderRow,
    now: DateTime<Utc>,
) -> Result<Order, Problem> {
    let currency = money::currency(&order.currency)?;
    let campaign =
        campaigns::by_id(conn, order.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
    let face = page_face(conn, order, now)?;
    let mut timeline = vec![TimelineEntry {
        at: order.created_at.and_utc(),
        kind: "placed".to_owned(),
        text: "The order was placed; its units are held.".to_owned(),
    }];
    timeline.extend(
        allocations_told(&stock::allocations_of(conn, order.id)?)
            .into_iter()
            .map(|(at, text)| TimelineEntry {
                at: at.and_utc(),
                kind: "allocated".to_owned(),
                text,
            }),
    );
    timeline.extend(
        misc::happenings_of_order(conn, order.id)?
            .into_iter()
            .filter(|happening| !is_for_staff(&happening.kind))
            .map(|happening| TimelineEntry {
                at: happening.at.and_utc(),
                kind: happening.kind,
                text: happening.detail,
            }),
    );
    timeline.sort_by_key(|entry| entry.at);
    let pays = paying(conn, order, currency)?;
    Ok(Order {
        order_id: order.id.0,
        state: order.state,
        payment_state: order.payment_state,
        payment_mode: order.mode,
        limit_step: limit_step(order),
        deposit: pays.deposit,
        card: pays.card,
        due: pays.due,
        hold_expires_at: order.hold_expires_at.and_utc(),
        checkout_url: face.url,
        queue_position: face.queue_position,
        lines: order_lines(orders::lines_of(conn, order.id)?, currency),
        totals: totals(order, currency),
        promise: promise(conn, &campaign, order)?,
        timeline,
    })
}

/// An order as its merchant sees it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MerchantOrder {
    order_id: Uuid,
    /// Its number at the merchant.
    number: i64,
    state: OrderState,
    payment_state: PaymentState,
    email: String,
    name: String,
    address: OrderAddress,
    delivery: Delivery,
    lines: Vec<OrderLine>,
    /// What was agreed at joining.
    total: Money,
    /// It was bought from left-over stock, after the campaign.
    from_stock: bool,
    /// When it is paid.
    payment_mode: PaymentMode,
    /// An index into the campaign's `steps`: it is in only if that step is reached; null: in any case.
    #[schema(required)]
    limit_step: Option<i32>,
    totals: Totals,
    /// What staff should know.
    #[schema(required)]
    note: Option<String>,
    created_at: DateTime<Utc>,
    #[schema(required)]
    confirmed_at: Option<DateTime<Utc>>,
    #[schema(required)]
    closed_at: Option<DateTime<Utc>>,
}

/// Where an order goes.
#[derive(Debug, Serialize, serde::Deserialize, ToSchema)]
struct OrderAddress {
    /// Street and number.
    line1: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line2: Option<String>,
    city: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    /// ISO 3166-1 code.
    country: String,
}

/// Orders for their merchant.
pub(super) fn merchant_orders(
    conn: &mut Conn,
    rows: &[OrderRow],
) -> Result<Vec<MerchantOrder>, Problem> {
    let ids: Vec<_> = rows.iter().map(|order| order.id).collect();
    let mut lines = orders::lines_of_all(conn, &ids)?;
    lines.sort_by(|a, b| (a.order_id, &a.sku).cmp(&(b.order_id, &b.sku)));
    rows.iter()
        .map(|order| {
            let currency = money::currency(&order.currency)?;
            let own = lines
                .iter()
                .filter(|line| line.order_id == order.id)
                .cloned()
                .collect();
            Ok(MerchantOrder {
                order_id: order.id.0,
                number: order.number,
                state: order.state,
                payment_state: order.payment_state,
                email: order.email.clone(),
                name: order.name.clone(),
                address: serde_json::from_str(&order.address)?,
                delivery: order.delivery,
                lines: order_lines(own, currency),
                total: Money::new(order.total, currency),
                from_stock: is_from_stock(order),
                payment_mode: order.mode,
                limit_step: limit_step(order),
                totals: totals(order, currency),
                note: order.note.clone(),
                created_at: order.created_at.and_utc(),
                confirmed_at: order.confirmed_at.map(|at| at.and_utc()),
                closed_at: order.closed_at.map(|at| at.and_utc()),
            })
        })
        .collect()
}

/// One order for its merchant.
pub(super) fn merchant_order(conn: &mut Conn, row: &OrderRow) -> Result<MerchantOrder, Problem> {
    merchant_orders(conn, std::slice::from_ref(row))?
        .pop()
        .ok_or(Problem::NotFound("order"))
}
