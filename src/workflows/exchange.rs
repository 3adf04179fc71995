//! Data out: campaigns, orders, shipments and waiting lists as rows, read page by page in the order of their ids, so that any number of
//! them takes little memory. Money is in minor units of the row's currency, times are RFC 3339 in UTC. What the columns
//! mean is told in `docs/operators.md`.

use std::collections::HashMap;

use chrono::{NaiveDateTime, SecondsFormat};
use serde_json::{Value, json};
use uuid::Uuid;

use super::batches::counts_whole;
use super::desk::{Problem, offer};
use super::join::Address;
use super::part::cost_of;
use super::stock_sale::is_from_stock;
use crate::domain::ids::{CampaignId, MerchantId, OptionId, OrderId, ShipmentId};
use crate::store::campaigns::CampaignRow;
use crate::store::orders::{LineRow, OrderRow};
use crate::store::shipments::{ShipmentLineRow, ShipmentRow};
use crate::store::waiting::WaitingRow;
use crate::store::{Conn, campaigns, exchange, merchants, orders, shipments};

/// Columns of a campaign that make it: those of `POST /campaigns`.
pub const OFFER: [&str; 24] = [
    "slug",
    "title",
    "description",
    "currency",
    "time_zone",
    "opens_at",
    "interest",
    "threshold",
    "deadline",
    "promised_ship_date",
    "stop_loss_date",
    "handling_days",
    "payment_mode",
    "deposit_percent",
    "deposit_unpaid",
    "trigger",
    "late_joins",
    "steps",
    "options",
    "supplier_ids",
    "safety_percent",
    "delay_policy",
    "shipping",
    "tax",
];

/// Columns of a campaign that only tell what became of it: an import leaves them out.
pub const TOLD: [&str; 11] = [
    "campaign_id",
    "merchant",
    "state",
    "published_at",
    "failure",
    "failure_note",
    "orders",
    "committed_units",
    "collected_units",
    "collected_orders",
    "last_sign_at",
];

const ORDER: [&str; 43] = [
    "order_id",
    "number",
    "merchant",
    "campaign",
    "batch_id",
    "state",
    "payment_state",
    "from_stock",
    "email",
    "name",
    "line1",
    "line2",
    "postal_code",
    "city",
    "region",
    "country",
    "delivery",
    "currency",
    "units",
    "total",
    "final_total",
    "charged",
    "refunded",
    "refund_due",
    "lost",
    "allowances",
    "kept",
    "lines",
    "note",
    "terms_version",
    "created_at",
    "confirmed_at",
    "closed_at",
    "agreed_goods",
    "agreed_shipping",
    "agreed_tax",
    "tax_name",
    "final_shipping",
    "final_tax",
    "payment_mode",
    "limit_step",
    "owed",
    "forfeited",
];

const SHIPMENT: [&str; 19] = [
    "shipment_id",
    "number",
    "merchant",
    "campaign",
    "batch_id",
    "order_id",
    "order_number",
    "kind",
    "state",
    "carrier",
    "tracking_number",
    "lines",
    "picked_at",
    "picked_by",
    "handed_over_at",
    "recorded_at",
    "delivered_at",
    "delivered_by",
    "stopped_at",
];

const WAITING: [&str; 15] = [
    "order_id",
    "order_number",
    "merchant",
    "campaign",
    "place",
    "state",
    "email",
    "name",
    "lines",
    "joined_at",
    "told_at",
    "offered_at",
    "offer_ends",
    "reminded_at",
    "answered_at",
];

/// What is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Campaigns with their offer and their counts.
    Campaigns,
    /// Orders with their lines and their money.
    Orders,
    /// Parcels with what is in them.
    Shipments,
    /// Places on waiting lists.
    Waiting,
}

impl What {
    /// The columns, in their order.
    pub fn columns(self) -> Vec<&'static str> {
        match self {
            What::Campaigns => OFFER.into_iter().chain(TOLD).collect(),
            What::Orders => ORDER.to_vec(),
            What::Shipments => SHIPMENT.to_vec(),
            What::Waiting => WAITING.to_vec(),
        }
    }
}

/// Whose rows are taken out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only of this merchant.
    pub merchant: Option<MerchantId>,
    /// Only of this campaign.
    pub campaign: Option<CampaignId>,
}

/// Rows of one page: values in the order of the columns.
pub type Rows = Vec<Vec<Value>>;

/// Reads rows page by page.
pub struct Export {
    what: What,
    scope: Scope,
    after: Option<Uuid>,
    slugs: HashMap<MerchantId, String>,
    campaigns: HashMap<CampaignId, String>,
    skus: HashMap<OptionId, String>,
}

/// Rows of a page.
const PAGE: i64 = 500;

impl Export {
    /// From the first row on.
    pub fn new(what: What, scope: Scope) -> Self {
        Self {
            what,
            scope,
            after: None,
            slugs: HashMap::new(),
            campaigns: HashMap::new(),
            skus: HashMap::new(),
        }
    }

    /// The next rows; none where there are no more.
    ///
    /// # Errors
    /// What the database says; a damaged row.
    pub fn next(&mut self, conn: &mut Conn) -> Result<Option<Rows>, Problem> {
        let rows = match self.what {
            What::Campaigns => self.next_campaigns(conn)?,
            What::Orders => self.next_orders(conn)?,
            What::Shipments => self.next_shipments(conn)?,
            What::Waiting => self.next_waiting(conn)?,
        };
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }

    fn merchant(&mut self, conn: &mut Conn, id: MerchantId) -> Result<String, Problem> {
        if let Some(slug) = self.slugs.get(&id) {
            return Ok(slug.clone());
        }
        let row = merchants::by_id(conn, id)?.ok_or(Problem::NotFound("merchant"))?;
        self.slugs.insert(id, row.slug.clone());
        Ok(row.slug)
    }

    fn campaign(&mut self, conn: &mut Conn, id: CampaignId) -> Result<String, Problem> {
        if let Some(slug) = self.campaigns.get(&id) {
            return Ok(slug.clone());
        }
        let row = campaigns::by_id(conn, id)?.ok_or(Problem::NotFound("campaign"))?;
        for option in campaigns::options_of(conn, id)? {
            self.skus.insert(option.id, option.sku);
        }
        self.campaigns.insert(id, row.slug.clone());
        Ok(row.slug)
    }

    fn next_campaigns(&mut self, conn: &mut Conn) -> Result<Rows, Problem> {
        let after = self.after.map(CampaignId);
        let Scope { merchant, campaign } = self.scope;
        let some = exchange::campaigns_after(conn, merchant, campaign, after, PAGE)?;
        self.after = some.last().map(|row| row.id.0).or(self.after);
        some.iter()
            .map(|row| {
                let merchant = self.merchant(conn, row.merchant_id)?;
                let batches = campaigns::batches_of(conn, row.id)?;
                campaign_row(row, counts_whole(row, &batches), merchant)
            })
            .collect()
    }

    fn next_orders(&mut self, conn: &mut Conn) -> Result<Rows, Problem> {
        let after = self.after.map(OrderId);
        let Scope { merchant, campaign } = self.scope;
        let some = exchange::orders_after(conn, merchant, campaign, after, PAGE)?;
        self.after = some.last().map(|row| row.id.0).or(self.after);
        let ids: Vec<OrderId> = some.iter().map(|row| row.id).collect();
        let mut lines = lines_by_order(conn, &ids)?;
        some.iter()
            .map(|row| {
                let merchant = self.merchant(conn, row.merchant_id)?;
                let campaign = self.campaign(conn, row.campaign_id)?;
                let lines = lines.remove(&row.id).unwrap_or_default();
                order_row(row, merchant, campaign, &lines)
            })
            .collect()
    }

    fn next_waiting(&mut self, conn: &mut Conn) -> Result<Rows, Problem> {
        let after = self.after.map(OrderId);
        let Scope { merchant, campaign } = self.scope;
        let some = exchange::waiting_after(conn, merchant, campaign, after, PAGE)?;
        self.after = some.last().map(|(row, _)| row.order_id.0).or(self.after);
        let ids: Vec<OrderId> = some.iter().map(|(row, _)| row.order_id).collect();
        let mut lines = lines_by_order(conn, &ids)?;
        some.iter()
            .map(|(row, order)| {
                let merchant = self.merchant(conn, order.merchant_id)?;
                let campaign = self.campaign(conn, row.campaign_id)?;
                let lines = lines.remove(&row.order_id).unwrap_or_default();
                Ok(waiting_row((row, order), merchant, campaign, &lines))
            })
            .collect()
    }

    fn next_shipments(&mut self, conn: &mut Conn) -> Result<Rows, Problem> {
        let after = self.after.map(ShipmentId);
        let Scope { merchant, campaign } = self.scope;
        let some = exchange::shipments_after(conn, merchant, campaign, after, PAGE)?;
        self.after = some.last().map(|row| row.id.0).or(self.after);
        let ids: Vec<ShipmentId> = some.iter().map(|row| row.id).collect();
        let inside = shipments::lines_of(conn, &ids)?;
        let of: Vec<OrderId> = some.iter().map(|row| row.order_id).collect();
        let known: HashMap<OrderId, OrderRow> = exchange::orders_of(conn, &of)?
            .into_iter()
            .map(|order| (order.id, order))
            .collect();
        some.iter()
            .map(|row| {
                let order = known.get(&row.order_id).ok_or(Problem::NotFound("order"))?;
                let merchant = self.merchant(conn, row.merchant_id)?;
                let campaign = self.campaign(conn, order.campaign_id)?;
                Ok(self.shipment_row(row, order.number, merchant, campaign, &inside))
            })
            .collect()
    }

    fn shipment_row(
        &self,
        row: &ShipmentRow,
        order_number: i64,
        merchant: String,
        campaign: String,
        inside: &[ShipmentLineRow],
    ) -> Vec<Value> {
        let lines: Vec<Value> = inside
            .iter()
            .filter(|line| line.shipment_id == row.id)
            .map(|line| json!({"sku": self.skus.get(&line.option_id), "units": line.units}))
            .collect();
        vec![
            json!(row.id.to_string()),
            json!(row.number),
            json!(merchant),
            json!(campaign),
            json!(row.batch_id.to_string()),
            json!(row.order_id.to_string()),
            json!(order_number),
            json!(row.kind.as_str()),
            json!(row.state.as_str()),
            json!(row.carrier),
            json!(row.tracking_number),
            Value::Array(lines),
            at(Some(row.picked_at)),
            json!(row.picked_by),
            at(row.handed_over_at),
            at(row.recorded_at),
            at(row.delivered_at),
            json!(row.delivered_by.map(|by| by.as_str())),
            at(row.stopped_at),
        ]
    }
}

/// Lines by their order, in the order of their codes.
fn lines_by_order(
    conn: &mut Conn,
    ids: &[OrderId],
) -> Result<HashMap<OrderId, Vec<LineRow>>, Problem> {
    let mut all: HashMap<OrderId, Vec<LineRow>> = HashMap::new();
    for line in orders::lines_of_all(conn, ids)? {
        all.entry(line.order_id).or_default().push(line);
    }
    for lines in all.values_mut() {
        lines.sort_by(|a, b| a.sku.cmp(&b.sku));
    }
    Ok(all)
}

fn at(at: Option<NaiveDateTime>) -> Value {
    match at {
        Some(at) => json!(at.and_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        None => Value::Null,
    }
}

fn campaign_row(
    row: &CampaignRow,
    (committed, collected, orders): (i64, i64, i64),
    merchant: String,
) -> Result<Vec<Value>, Problem> {
    let mut input = offer(row)?.to_input();
    input.slug = Some(row.slug.clone());
    let body = serde_json::to_value(&input)?;
    let mut values: Vec<Value> = OFFER
        .iter()
        .map(|name| body.get(name).cloned().unwrap_or(Value::Null))
        .collect();
    values.extend([
        json!(row.id.to_string()),
        json!(merchant),
        json!(row.state.as_str()),
        at(row.published_at),
        json!(row.failure.map(|failure| failure.as_str())),
        json!(row.failure_note),
        json!(row.orders),
        json!(committed),
        json!(collected),
        json!(orders),
        at(row.last_sign_at),
    ]);
    Ok(values)
}

fn order_row(
    row: &OrderRow,
    merchant: String,
    campaign: String,
    lines: &[LineRow],
) -> Result<Vec<Value>, Problem> {
    let address: Address = serde_json::from_str(&row.address)?;
    let agreed = super::payment::frozen(row)?;
    // Nothing is final before the judgement.
    let finally = match row.final_total {
        Some(_) => Some(cost_of(row, lines, |line| line.units().wanted())?),
        None => None,
    };
    let lines: Vec<Value> = lines
        .iter()
        .map(|line| {
            json!({
                "sku": line.sku, "quantity": line.quantity, "unit_price": line.unit_price,
                "final_price": line.final_price, "state": line.state.as_str(), "cancelled": line.cancelled,
                "allocated": line.allocated, "picked": line.picked, "shipped": line.shipped,
                "delivered": line.delivered,
            })
        })
        .collect();
    Ok(vec![
        json!(row.id.to_string()),
        json!(row.number),
        json!(merchant),
        json!(campaign),
        json!(row.batch_id.to_string()),
        json!(row.state.as_str()),
        json!(row.payment_state.as_str()),
        json!(is_from_stock(row)),
        json!(row.email),
        json!(row.name),
        json!(address.line1),
        json!(address.line2),
        json!(address.postal_code),
        json!(address.city),
        json!(address.region),
        json!(address.country.code()),
        json!(row.delivery.as_str()),
        json!(row.currency),
        json!(row.units),
        json!(row.total),
        json!(row.final_total),
        json!(row.charged),
        json!(row.refunded),
        json!(row.refund_due),
        json!(row.lost),
        json!(row.allowances),
        json!(row.money().kept()),
        Value::Array(lines),
        json!(row.note),
        json!(row.terms_version),
        at(Some(row.created_at)),
        at(row.confirmed_at),
        at(row.closed_at),
        json!(agreed.quote.goods),
        json!(agreed.quote.shipping),
        json!(agreed.quote.tax()),
        json!((agreed.quote.tax() > 0).then(|| agreed.tax_label(&row.country))),
        json!(finally.as_ref().map(|quote| quote.shipping)),
        json!(finally.as_ref().map(|quote| quote.tax())),
        json!(row.mode.as_str()),
        json!((row.limit_step > 0).then_some(row.limit_step)),
        json!(row.owed),
        json!(row.forfeited),
    ])
}

fn waiting_row(
    (row, order): (&WaitingRow, &OrderRow),
    merchant: String,
    campaign: String,
    lines: &[LineRow],
) -> Vec<Value> {
    let state = match (row.answer, row.offered_at) {
        (Some(answer), _) => answer.as_str(),
        (None, Some(_)) => "offered",
        (None, None) => "waiting",
    };
    let lines: Vec<Value> = lines
        .iter()
        .map(|line| json!({"sku": line.sku, "quantity": line.quantity}))
        .collect();
    vec![
        json!(row.order_id.to_string()),
        json!(order.number),
        json!(merchant),
        json!(campaign),
        json!(row.place),
        json!(state),
        json!(order.email),
        json!(order.name),
        Value::Array(lines),
        at(Some(row.joined_at)),
        at(row.told_at),
        at(row.offered_at),
        at(row.offer_ends),
        at(row.reminded_at),
        at(row.answered_at),
    ]
}

/// A value as a cell of a spreadsheet: nothing where there is nothing, JSON where it is a list, and a text never as a
/// formula.
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => no_formula(text),
        other => other.to_string(),
    }
}

/// A text that a spreadsheet would take for a formula gets an apostrophe, and so does one that has some already, so that
/// each comes back as it was.
fn no_formula(text: &str) -> String {
    if is_formula(text) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// A cell as it was before it was made safe for a spreadsheet.
pub fn uncelled(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => cell,
    }
}

/// Whether a spreadsheet would take a text for a formula, apostrophes before it aside.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'')
        .starts_with(['=', '+', '-', '@', '\t', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_comes_back_as_it_was() {
        for text in [
            "=1+1", "+49", "-2", "@x", "plain", "'quoted'", "", "'=1", "''+2",
        ] {
            let safe = cell(&json!(text));
            assert!(!safe.starts_with(['=', '+', '-', '@']), "{safe}");
            assert_eq!(uncelled(&safe), text);
        }
        assert_eq!(cell(&json!(-450)), "-450", "numbers are numbers");
        assert_eq!(cell(&Value::Null), "");
    }

    #[test]
    fn columns_are_as_many_as_values_and_none_comes_twice() {
        for what in [
            What::Campaigns,
            What::Orders,
            What::Shipments,
            What::Waiting,
        ] {
            let columns = what.columns();
            let mut once = columns.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), columns.len());
        }
        let input = serde_json::to_value(crate::domain::draft::CampaignInput::default()).unwrap();
        let mut fields: Vec<&str> = input
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut offer = OFFER.to_vec();
        fields.sort_unstable();
        offer.sort_unstable();
        assert_eq!(
            offer, fields,
            "every field of the API's body has its column"
        );
    }
}
