//! Campaigns, batches, suppliers and the journal as the API shows them. Amounts in campaigns and
//! suppliers are plain integers of their currency; everywhere else money is an object.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::campaign::{BatchState, CampaignState};
use crate::domain::currency::Currency;
use crate::domain::draft::{CampaignDraft, DepositUnpaid, PaymentMode, Trigger};
use crate::domain::money::Money;
use crate::domain::purchase_order::PurchaseOrderState;
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::journal::{EntryRow, PostingRow};
use crate::store::merchants::SupplierRow;
use crate::store::waiting as waiting_list;
use crate::store::{Conn, dues, orders, purchase_orders};
use crate::workflows::batches;
use crate::workflows::desk::{Problem, offer};
use crate::workflows::judgement::counted;
use crate::workflows::stock_sale;

/// A campaign.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Campaign {
    /// Its name in addresses.
    slug: String,
    /// Its name.
    title: String,
    /// Where it stands.
    state: CampaignState,
    /// The currency of every amount in it.
    currency: Currency,
    /// Where its days begin and end: an IANA name.
    time_zone: String,
    /// When orders are taken from; null for a draft that opens on publishing, and where it is asked who would buy
    /// without a time set.
    #[schema(required)]
    opens_at: Option<DateTime<Utc>>,
    /// Orders are taken before this moment.
    deadline: DateTime<Utc>,
    /// The day by the end of which goods are handed to the carrier.
    promised_ship_date: NaiveDate,
    /// The day after which unshipped lines are refunded without being asked.
    stop_loss_date: NaiveDate,
    /// When shoppers pay.
    payment_mode: PaymentMode,
    /// Percent of the total that is paid at joining; null without a deposit.
    #[schema(required)]
    deposit_percent: Option<i32>,
    /// What becomes of a deposit whose balance is never paid; null without a deposit.
    #[schema(required)]
    deposit_unpaid: Option<DepositUnpaid>,
    /// When it is judged.
    trigger: Trigger,
    /// Whether joining goes on after a batch was judged, for further batches.
    late_joins: bool,
    /// The number of the batch that the counts, the step and the state speak of: the one that gathers; after the deadline the
    /// least advanced one that did not fail.
    batch: i32,
    /// What must be collected.
    threshold: CampaignThreshold,
    /// Unit counts at which the price changes.
    steps: Vec<i64>,
    /// The index of the furthest step reached.
    current_step: usize,
    /// Units of orders that are in only if a further step is reached, by that step; with `charge_on_success`.
    waiting_for_step: Vec<WaitingForStep>,
    /// What shoppers can choose.
    options: Vec<CampaignOption>,
    /// What the seller should add before shoppers come; told on publishing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) warnings: Vec<String>,
}

/// Units that wait for a step.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WaitingForStep {
    /// An index into `steps`.
    step: usize,
    units: i64,
}

/// What must be collected, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CampaignThreshold {
    /// `units`, or `amount`: goods value at the price of the step reached.
    #[schema(pattern = "^(units|amount)$")]
    kind: &'static str,
    /// Units or minor units.
    target: i64,
    /// What is paid.
    collected: i64,
    /// What confirmed orders come to, without those that wait for a further step.
    committed: i64,
}

/// One thing a shopper can choose.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CampaignOption {
    /// Its code.
    sku: String,
    /// Its name.
    name: String,
    /// Its price at each of `steps`, in minor units.
    prices: Vec<i64>,
    /// Under so many units it is not produced, and its lines are refunded; null: no minimum.
    #[schema(required)]
    minimum: Option<i64>,
    /// At most so many units are sold; null: no limit.
    #[schema(required)]
    cap: Option<i64>,
    /// At most so many units for one shopper; null: no limit.
    #[schema(required)]
    per_shopper: Option<i64>,
    /// Units that can still be taken; null: no limit. Once goods have arrived: what is left over and on sale.
    #[schema(required)]
    available: Option<i64>,
    /// Orders on the waiting list that want it.
    waiting: i64,
    /// Units of confirmed orders.
    committed: i64,
    /// Whether it is exempt from withdrawal.
    made_to_order: bool,
}

/// A campaign with its counters.
pub(super) fn campaign(conn: &mut Conn, row: &CampaignRow) -> Result<Campaign, Problem> {
    let draft = offer(row)?;
    let batch = batches::shown_of(conn, row)?;
    let rows = batches::options_shown(conn, row, batch.as_ref())?;
    let number = batch.as_ref().map_or(1, |batch| batch.number);
    let counted = counted(conn, row, &draft)?;
    let on_sale = stock_sale::on_sale(conn, row)?;
    let list = waiting_list::waited(conn, row.id)?;
    let waited = |option| list.iter().find(|w| w.option == option);
    let options = rows
        .iter()
        .filter_map(|row| {
            let option = draft.options.iter().find(|o| o.sku == row.sku)?;
            Some(CampaignOption {
                sku: row.sku.clone(),
                name: option.name.clone(),
                prices: option.prices.prices().to_vec(),
                minimum: option.minimum.map(i64::from),
                cap: row.cap,
                per_shopper: option.per_shopper.map(i64::from),
                available: stock_sale::available(row, on_sale.as_ref())
                    .map(|left| (left - waited(row.id).map_or(0, |w| w.units)).max(0)),
                waiting: waited(row.id).map_or(0, |w| w.orders),
                committed: row.committed,
                made_to_order: option.made_to_order,
            })
        })
        .collect();
    // Once judged, the step stays as judged, whoever leaves.
    let current = counted.committed.step;
    let deposit = draft.payment_mode == PaymentMode::Deposit;
    Ok(Campaign {
        waiting_for_step: waiting(conn, row, &draft, current)?,
        deposit_percent: deposit.then_some(draft.deposit_percent),
        deposit_unpaid: deposit.then_some(draft.deposit_unpaid),
        slug: row.slug.clone(),
        title: row.title.clone(),
        state: row.state,
        currency: draft.currency,
        time_zone: draft.time_zone.name().to_owned(),
        opens_at: row.opens_at.map(|at| at.and_utc()),
        deadline: row.deadline.and_utc(),
        promised_ship_date: draft.promised_ship_date,
        stop_loss_date: draft.stop_loss_date,
        payment_mode: draft.payment_mode,
        trigger: draft.trigger,
        late_joins: draft.late_joins,
        batch: number,
        threshold: CampaignThreshold {
            kind: draft.threshold.kind(),
            target: draft.threshold.target(),
            collected: counted.collected.counted(draft.threshold),
            committed: counted.committed.counted(draft.threshold),
        },
        steps: draft.steps.counts().to_vec(),
        current_step: current,
        options,
        warnings: Vec::new(),
    })
}

/// Units that wait for a step beyond the one reached.
fn waiting(
    conn: &mut Conn,
    row: &CampaignRow,
    draft: &CampaignDraft,
    reached: usize,
) -> Result<Vec<WaitingForStep>, Problem> {
    if draft.payment_mode != PaymentMode::ChargeOnSuccess {
        return Ok(Vec::new());
    }
    let all = dues::limits_of(conn, row.id)?;
    let waits = all.into_iter().filter_map(|(step, units)| {
        let step = usize::try_from(step).ok()?;
        (step > reached && units > 0).then_some(WaitingForStep { step, units })
    });
    Ok(waits.collect())
}

/// All units of a campaign that are bought in one go.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Batch {
    id: Uuid,
    /// 1 for the campaign's first.
    number: i32,
    /// Where it stands.
    state: BatchState,
    /// Units of paid orders.
    units_paid: i64,
    /// When the supplier's goods arrive; null: not known.
    #[schema(required)]
    eta: Option<NaiveDate>,
    /// When they are shipped to shoppers; null: not known.
    #[schema(required)]
    ship_date: Option<NaiveDate>,
    /// What was ordered for it.
    purchase_orders: Vec<BatchPurchaseOrder>,
}

/// A batch's purchase order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BatchPurchaseOrder {
    id: Uuid,
    /// Its number at the merchant; null until it is sent.
    #[schema(required)]
    number: Option<i64>,
    version: i32,
    state: PurchaseOrderState,
    /// What is bought.
    units: i64,
}

/// A batch with its purchase orders. A date that is only derived from a lead time counts as not known.
pub(super) fn batch(conn: &mut Conn, row: &BatchRow) -> Result<Batch, Problem> {
    let units_paid = orders::paid_units(conn, row.id)?
        .iter()
        .map(|(_, units)| units)
        .sum();
    let purchase_orders = purchase_orders::of_batch(conn, row.id)?
        .into_iter()
        .map(|po| BatchPurchaseOrder {
            id: po.id.0,
            number: po.number,
            version: po.version,
            state: po.state,
            units: po.units,
        })
        .collect();
    Ok(Batch {
        id: row.id.0,
        number: row.number,
        state: row.state,
        units_paid,
        eta: row.arrives,
        ship_date: row.ship_date,
        purchase_orders,
    })
}

/// Whom the merchant buys from. Costs are in minor units of its currency.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Supplier {
    pub(super) id: Uuid,
    name: String,
    /// Where purchase orders go.
    email: String,
    /// Its postal address.
    address: String,
    currency: String,
    /// The least units it takes an order for.
    #[schema(required)]
    minimum_units: Option<i64>,
    /// The most units it can make.
    #[schema(required)]
    capacity_units: Option<i64>,
    /// Units in a case.
    case_pack: i64,
    /// Days from order to arrival.
    lead_time_days: i32,
    /// Cost of one unit by the option's code.
    unit_costs: BTreeMap<String, i64>,
}

/// A supplier.
pub(super) fn supplier(row: &SupplierRow) -> Result<Supplier, Problem> {
    Ok(Supplier {
        id: row.id.0,
        name: row.name.clone(),
        email: row.email.clone(),
        address: row.address.clone(),
        currency: row.currency.clone(),
        minimum_units: row.minimum_units,
        capacity_units: row.capacity_units,
        case_pack: row.case_pack,
        lead_time_days: row.lead_time_days,
        unit_costs: serde_json::from_str(&row.unit_costs)?,
    })
}

/// One entry of the journal: postings that come to nought.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JournalEntry {
    id: Uuid,
    at: DateTime<Utc>,
    /// What happened.
    kind: String,
    #[schema(required)]
    order_id: Option<Uuid>,
    postings: Vec<JournalPosting>,
}

/// One posting: a debit is positive, a credit negative.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct JournalPosting {
    account: String,
    amount: Money,
}

/// An entry with its postings.
pub(super) fn journal_entry(
    entry: &EntryRow,
    postings: &[PostingRow],
) -> Result<JournalEntry, Problem> {
    let currency = crate::workflows::money::currency(&entry.currency)?;
    Ok(JournalEntry {
        id: entry.id.0,
        at: entry.created_at.and_utc(),
        kind: entry.kind.clone(),
        order_id: entry.order_id.map(|id| id.0),
        postings: postings
            .iter()
            .map(|posting| JournalPosting {
                account: posting.account.clone(),
                amount: Money::new(posting.amount, currency),
            })
            .collect(),
    })
}
