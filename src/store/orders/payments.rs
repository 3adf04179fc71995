//! The payment pages of orders.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::domain::ids::{CampaignId, OrderId};
use crate::domain::payment::{AttemptState, PaymentKind};
use crate::store::kept::{kept, kept_update};
use crate::store::schema::{orders, payments};
use crate::store::{Conn, StoreError, each_backend};

/// A payment page's row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = payments, treat_none_as_default_value = false)]
pub struct PaymentRow {
    /// Its order.
    pub order_id: OrderId,
    /// 1 for the first page of the order.
    pub attempt: i32,
    /// Where it stands.
    pub state: AttemptState,
    /// What it charges; once it is paid, what was captured.
    pub amount: i64,
    /// The key of its creation.
    pub idempotency_key: String,
    /// When its creation is planned.
    pub planned_at: NaiveDateTime,
    /// Its expiry at the provider.
    pub expires_at: NaiveDateTime,
    /// When its creation was first sent.
    pub sent_at: Option<NaiveDateTime>,
    /// Its id at the provider.
    pub session_id: Option<String>,
    /// Where it is paid.
    pub url: Option<String>,
    /// The payment intent behind it.
    pub intent_id: Option<String>,
    /// Whether it is to be expired at the provider.
    pub close_wanted: bool,
    /// What is unusual about it, for staff.
    pub problem: Option<String>,
    /// When its end was known.
    pub settled_at: Option<NaiveDateTime>,
    /// What it is.
    pub kind: PaymentKind,
    /// When the provider's lists were last read for it, after an answer that left its making open.
    pub looked_at: Option<NaiveDateTime>,
}

/// Keeps a new page for an order.
pub fn insert_payment(conn: &mut Conn, page: &PaymentRow) -> Result<(), StoreError> {
    each_backend!(conn, c => kept!(diesel::insert_into(payments::table).values(page)).execute(c)?);
    Ok(())
}

/// An order's pages, first to last.
pub fn payments_of(conn: &mut Conn, id: OrderId) -> Result<Vec<PaymentRow>, StoreError> {
    let found = each_backend!(conn, c => payments::table
        .filter(payments::order_id.eq(id))
        .select(PaymentRow::as_select())
        .order(payments::attempt.asc())
        .load(c)?);
    Ok(found)
}

/// One page of an order.
pub fn payment(
    conn: &mut Conn,
    id: OrderId,
    attempt: i32,
) -> Result<Option<PaymentRow>, StoreError> {
    // For each database by itself: on the enum diesel writes a statement's text out again and again, and this one is asked
    // in a rush.
    let found = each_backend!(conn, c => payments::table
        .find((id, attempt))
        .select(PaymentRow::as_select())
        .first(c)
        .optional()?);
    Ok(found)
}

/// The page behind a payment intent.
pub fn payment_by_intent(conn: &mut Conn, intent: &str) -> Result<Option<PaymentRow>, StoreError> {
    Ok(payments::table
        .filter(payments::intent_id.eq(intent))
        .select(PaymentRow::as_select())
        .first(conn)
        .optional()?)
}

/// The page with this id at the provider.
pub fn payment_by_session(
    conn: &mut Conn,
    session: &str,
) -> Result<Option<PaymentRow>, StoreError> {
    Ok(payments::table
        .filter(payments::session_id.eq(session))
        .select(PaymentRow::as_select())
        .first(conn)
        .optional()?)
}

/// Keeps what became of a page: of a paid one, also the amount that was captured, from which refunds are counted.
pub fn save_payment(conn: &mut Conn, page: &PaymentRow) -> Result<(), StoreError> {
    let row = payments::order_id
        .eq(page.order_id)
        .and(payments::attempt.eq(page.attempt));
    let changes = (
        payments::state.eq(page.state),
        payments::amount.eq(page.amount),
        payments::sent_at.eq(page.sent_at),
        payments::session_id.eq(&page.session_id),
        payments::url.eq(&page.url),
        payments::intent_id.eq(&page.intent_id),
        payments::close_wanted.eq(page.close_wanted),
        payments::problem.eq(&page.problem),
        payments::settled_at.eq(page.settled_at),
        payments::looked_at.eq(page.looked_at),
    );
    each_backend!(conn, c => kept_update!(payments::table, row, changes).execute(c)?);
    Ok(())
}

/// The states of a page that may still be paid.
pub const OPEN_PAGES: [AttemptState; 3] = [
    AttemptState::Planned,
    AttemptState::Open,
    AttemptState::Processing,
];

/// Wants every page of a campaign that may still be paid expired at the provider; which they are.
pub fn close_pages_of_campaign(
    conn: &mut Conn,
    campaign: CampaignId,
) -> Result<Vec<(OrderId, i32)>, StoreError> {
    let open: Vec<(OrderId, i32)> = payments::table
        .inner_join(orders::table)
        .filter(orders::campaign_id.eq(campaign))
        .filter(payments::state.eq_any(OPEN_PAGES))
        .select((payments::order_id, payments::attempt))
        .load(conn)?;
    for (order, attempt) in &open {
        diesel::update(payments::table.find((*order, *attempt)))
            .set(payments::close_wanted.eq(true))
            .execute(conn)?;
    }
    Ok(open)
}

/// What somebody waits for on a page.
const PAGES: [PaymentKind; 5] = [
    PaymentKind::Join,
    PaymentKind::Setup,
    PaymentKind::Deposit,
    PaymentKind::Change,
    PaymentKind::Fix,
];

/// How many pages that are not made yet stand before this one: the shopper's place in the queue, from nought.
pub fn queue_position(
    conn: &mut Conn,
    planned_at: NaiveDateTime,
    order: OrderId,
) -> Result<i64, StoreError> {
    Ok(payments::table
        .filter(payments::state.eq(AttemptState::Planned))
        .filter(payments::kind.eq_any(PAGES))
        .filter(
            payments::planned_at.lt(planned_at).or(payments::planned_at
                .eq(planned_at)
                .and(payments::order_id.lt(order))),
        )
        .count()
        .get_result(conn)?)
}

/// How many pages are committed and not made yet. Charges of saved cards are none: nobody waits for them, and pages go
/// before them.
pub fn queue_length(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(payments::table
        .filter(payments::state.eq(AttemptState::Planned))
        .filter(payments::kind.eq_any(PAGES))
        .count()
        .get_result(conn)?)
}

/// Pages whose end is not known, for the reconciler.
pub fn open_pages(conn: &mut Conn, limit: i64) -> Result<Vec<PaymentRow>, StoreError> {
    Ok(payments::table
        .filter(payments::state.eq_any(OPEN_PAGES))
        .select(PaymentRow::as_select())
        .order(payments::planned_at.asc())
        .limit(limit)
        .load(conn)?)
}

/// Visits every paid page, some at a time.
pub fn each_paid_page(
    conn: &mut Conn,
    mut visit: impl FnMut(&PaymentRow),
) -> Result<(), StoreError> {
    let mut after: Option<OrderId> = None;
    loop {
        let mut query = payments::table
            .filter(payments::state.eq(AttemptState::Paid))
            .select(PaymentRow::as_select())
            .order((payments::order_id.asc(), payments::attempt.asc()))
            .limit(500)
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(payments::order_id.ge(after));
        }
        let rows: Vec<PaymentRow> = query.load(conn)?;
        let last = rows.last().map(|r| r.order_id);
        // The last order of a full page may have more pages: it comes again with the next.
        let whole = rows.len() < 500 || rows.first().map(|r| r.order_id) == last;
        for row in &rows {
            if whole || Some(row.order_id) != last {
                visit(row);
            }
        }
        if whole {
            return Ok(());
        }
        after = last;
    }
}
