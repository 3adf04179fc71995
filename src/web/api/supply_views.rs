//! Purchase orders as the API shows them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::money::Money;
use crate::domain::purchase_order::{
    Blocked, EtaSource, EtaState, PurchaseLine, PurchaseOrderState,
};
use crate::store::purchase_orders::PurchaseOrderRow;
use crate::store::{Conn, campaigns, etas, purchase_orders};
use crate::workflows::desk::{Desk, Problem};
use crate::workflows::purchase::Document;

/// A numbered, versioned document to one supplier.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PurchaseOrder {
    id: Uuid,
    /// Its number at the merchant; null until it is sent.
    #[schema(required)]
    number: Option<i64>,
    version: i32,
    state: PurchaseOrderState,
    /// The campaign it is for.
    campaign: String,
    batch_id: Uuid,
    #[schema(required)]
    supplier_id: Option<Uuid>,
    /// The supplier's name; empty while there is none.
    supplier: String,
    lines: Vec<PurchaseOrderLine>,
    /// What is bought.
    units: i64,
    /// The paid units it was made for.
    units_paid: i64,
    /// What it costs.
    total: Money,
    /// When the goods are wanted, by the supplier's lead time.
    #[schema(required)]
    wanted_by: Option<NaiveDate>,
    /// What keeps it from being sent.
    #[schema(required)]
    blocked: Option<Blocked>,
    #[schema(required)]
    sent_at: Option<DateTime<Utc>>,
    #[schema(required)]
    acknowledged_at: Option<DateTime<Utc>>,
    /// What the supplier wrote.
    #[schema(required)]
    note: Option<String>,
    /// Units that staff added, beyond safety and full cases.
    added_units: i64,
    /// The purchase order whose place it takes: an earlier version, or another supplier's.
    #[schema(required)]
    replaces: Option<Uuid>,
    #[schema(required)]
    in_production_at: Option<DateTime<Utc>>,
    /// When the supplier shipped it.
    #[schema(required)]
    shipped_at: Option<DateTime<Utc>>,
    #[schema(required)]
    carrier: Option<String>,
    #[schema(required)]
    tracking_number: Option<String>,
    /// When all of it had arrived or was given up.
    #[schema(required)]
    received_at: Option<DateTime<Utc>>,
    #[schema(required)]
    closed_at: Option<DateTime<Utc>>,
    #[schema(required)]
    rejected_at: Option<DateTime<Utc>>,
    /// Why the supplier said no.
    #[schema(required)]
    rejection_reason: Option<String>,
    /// When it was replaced or cancelled.
    #[schema(required)]
    withdrawn_at: Option<DateTime<Utc>>,
    /// Why, as its supplier reads it.
    #[schema(required)]
    withdrawal_reason: Option<String>,
    /// Every version of its number, the first one first.
    versions: Vec<PurchaseOrderVersion>,
    /// Every date its supplier gave, the first one first.
    dates: Vec<PurchaseOrderDate>,
    /// The supplier's link; null until it is sent.
    #[schema(required)]
    supplier_url: Option<String>,
}

/// One line of a purchase order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PurchaseOrderLine {
    sku: String,
    name: String,
    /// Units that shoppers paid for.
    paid: i64,
    /// Units added for safety.
    safety: i64,
    /// Units that staff added.
    added: i64,
    /// Units added to fill the last case.
    case_fill: i64,
    /// What is bought: the sum of the four.
    units: i64,
    /// The supplier's price for one; null where none is named.
    #[schema(required)]
    unit_cost: Option<Money>,
}

/// One version of a purchase order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PurchaseOrderVersion {
    id: Uuid,
    version: i32,
    state: PurchaseOrderState,
    #[schema(required)]
    sent_at: Option<DateTime<Utc>>,
}

/// A date a supplier gave.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PurchaseOrderDate {
    id: Uuid,
    /// When the goods arrive; null: not known.
    #[schema(required)]
    arrives: Option<NaiveDate>,
    /// When parcels go out; null: not known.
    #[schema(required)]
    ship_date: Option<NaiveDate>,
    source: EtaSource,
    /// The person's or the supplier's name.
    set_by: String,
    reason: String,
    set_at: DateTime<Utc>,
    state: EtaState,
    #[schema(required)]
    passed_on_at: Option<DateTime<Utc>>,
    /// By whom; `system` where nobody did within 24 hours.
    #[schema(required)]
    passed_on_by: Option<String>,
}

/// A purchase order with what it says.
pub(super) fn purchase_order(
    conn: &mut Conn,
    desk: &Desk,
    row: &PurchaseOrderRow,
) -> Result<PurchaseOrder, Problem> {
    let document: Document = serde_json::from_str(&row.document)?;
    let currency = crate::workflows::money::currency(&document.currency)?;
    let batch = campaigns::batch(conn, row.batch_id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign =
        campaigns::by_id(conn, batch.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
    let line = |line: PurchaseLine| PurchaseOrderLine {
        sku: line.sku,
        name: line.name,
        paid: line.paid,
        safety: line.safety,
        added: line.added,
        case_fill: line.case_fill,
        units: line.units,
        unit_cost: line.unit_cost.map(|cost| Money::new(cost, currency)),
    };
    let is_draft = row.state == PurchaseOrderState::Draft;
    Ok(PurchaseOrder {
        id: row.id.0,
        number: row.number,
        version: row.version,
        state: row.state,
        campaign: campaign.slug,
        batch_id: row.batch_id.0,
        supplier_id: row.supplier_id.map(|id| id.0),
        supplier: document.supplier,
        lines: document.lines.into_iter().map(line).collect(),
        units: row.units,
        units_paid: row.units_paid,
        total: Money::new(document.total, currency),
        wanted_by: document.wanted_by,
        blocked: batch.blocked.filter(|_| is_draft),
        sent_at: row.sent_at.map(|at| at.and_utc()),
        acknowledged_at: row.acknowledged_at.map(|at| at.and_utc()),
        note: row.note.clone(),
        added_units: row.added_units,
        replaces: row.replaces.map(|id| id.0),
        in_production_at: row.in_production_at.map(|at| at.and_utc()),
        shipped_at: row.shipped_at.map(|at| at.and_utc()),
        carrier: row.carrier.clone(),
        tracking_number: row.tracking_number.clone(),
        received_at: row.received_at.map(|at| at.and_utc()),
        closed_at: row.closed_at.map(|at| at.and_utc()),
        rejected_at: row.rejected_at.map(|at| at.and_utc()),
        rejection_reason: row.rejected_because.clone(),
        withdrawn_at: row.withdrawn_at.map(|at| at.and_utc()),
        withdrawal_reason: row.withdrawn_because.clone(),
        versions: versions(conn, row)?,
        dates: dates(conn, row)?,
        supplier_url: row
            .sent_at
            .map(|_| desk.links.supplier_url(row.id, row.version)),
    })
}

fn versions(conn: &mut Conn, row: &PurchaseOrderRow) -> Result<Vec<PurchaseOrderVersion>, Problem> {
    let all = purchase_orders::of_batch(conn, row.batch_id)?;
    let same = all
        .into_iter()
        .filter(|other| other.number.is_some() && other.number == row.number);
    Ok(same
        .map(|other| PurchaseOrderVersion {
            id: other.id.0,
            version: other.version,
            state: other.state,
            sent_at: other.sent_at.map(|at| at.and_utc()),
        })
        .collect())
}

fn dates(conn: &mut Conn, row: &PurchaseOrderRow) -> Result<Vec<PurchaseOrderDate>, Problem> {
    let all = etas::of_batch(conn, row.batch_id)?;
    let mine = all
        .into_iter()
        .filter(|date| date.purchase_order_id == Some(row.id));
    Ok(mine
        .map(|date| PurchaseOrderDate {
            id: date.id.0,
            arrives: date.arrives,
            ship_date: date.ship_date,
            source: date.source,
            set_by: date.set_by,
            reason: date.reason,
            set_at: date.set_at.and_utc(),
            state: date.state,
            passed_on_at: date.passed_on_at.map(|at| at.and_utc()),
            passed_on_by: date.passed_on_by,
        })
        .collect())
}
