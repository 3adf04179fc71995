//! Too little was collected from saved cards: what is missing, and the merchant's own order that fills the gap.

use actix_web::web::Path;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::{Answer, Response};
use super::ask::Ask;
use super::bodies::{AddressBody, JoinLineBody, address, join_lines};
use super::campaigns::{own, slug};
use super::document::Refusals;
use super::fields::{Errors, Reader};
use super::join::{made, placed_once};
use super::order_views::Joined;
use crate::domain::ids::MerchantId;
use crate::domain::money::Money;
use crate::domain::text::clean_line;
use crate::store::merchants;
use crate::workflows::collect::{Gap, OwnOrder, gap, own_order};
use crate::workflows::desk::Problem;
use crate::workflows::join::{Address, no_room};

/// What is missing after the cards were charged, while it may be bought.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Shortfall {
    /// The number of the batch.
    batch: i32,
    /// What the threshold counts: `units`, or `amount`: goods value.
    #[schema(pattern = "^(units|amount)$")]
    kind: &'static str,
    /// Units or minor units.
    target: i64,
    /// Units or minor units that are missing to it; an option under its minimum is left out before.
    missing: i64,
    /// Until when it may be bought; then everybody gets the money back.
    until: DateTime<Utc>,
    /// What can be bought.
    options: Vec<ShortfallOption>,
}

/// An option that can be bought.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShortfallOption {
    sku: String,
    name: String,
    /// What everybody pays for one.
    unit_price: Money,
    /// Units that can still be taken; null: no limit.
    #[schema(required)]
    available: Option<i64>,
}

/// The missing units as an order of the merchant's own.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct ShortfallOrderBody {
    name: String,
    address: AddressBody,
    /// Each option once. More than is missing may be bought, and less: then it stays short until more is bought.
    #[schema(min_items = 1, max_items = 100)]
    lines: Vec<JoinLineBody>,
}

fn shown(gap: Gap) -> Shortfall {
    let draft = &gap.draft;
    let option = |o: crate::workflows::collect::GapOption| ShortfallOption {
        sku: o.sku,
        name: o.name,
        unit_price: Money::new(o.price, draft.currency),
        available: o.left,
    };
    Shortfall {
        batch: gap.batch,
        kind: draft.threshold.kind(),
        target: draft.threshold.target(),
        missing: gap.missing,
        until: gap.until,
        options: gap.options.into_iter().map(option).collect(),
    }
}

/// What is missing after saved cards were charged, and until when the merchant may buy it. A conflict, `nothing-missing`,
/// at any other time.
#[utoipa::path(get, path = "/campaigns/{slug}/shortfall", operation_id = "getShortfall", tag = "Campaigns",
    params(("slug" = String, Path, description = "The campaign's name in addresses.")),
    security(("key" = [])),
    responses((status = 200, description = "What is missing.", body = Shortfall), Refusals))]
pub(super) async fn one(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let slug = slug(&path)?;
    let now = ask.office.now();
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let row = own(conn, merchant, &slug)?;
            Answer::ok(&shown(gap(conn, &row, now)?))
        })
        .await?;
    Ok(answer.respond())
}

/// Buys units that are missing, as an order of the merchant's own at the price everybody pays, for the merchant's e-mail
/// address. It counts once it is paid; the answer waits up to 2 seconds for its payment page.
#[utoipa::path(post, path = "/campaigns/{slug}/shortfall/orders", operation_id = "buyMissingUnits", tag = "Campaigns",
    params(("slug" = String, Path, description = "The campaign's name in addresses."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the same order again.")),
    request_body = ShortfallOrderBody, security(("key" = [])),
    responses((status = 201, description = "The hold.", body = Joined,
        headers(("Location" = String, description = "Where the order is."))), Refusals))]
pub(super) async fn buy(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let slug = slug(&path)?;
    let body = ask.json()?;
    let keyed = ask.keyed(Some(merchant))?;
    let place = async |form_key| place(&ask, (merchant, &slug), &body, form_key).await;
    placed_once(&ask.office, keyed, place).await
}

async fn place(
    ask: &Ask,
    (merchant, slug): (MerchantId, &str),
    body: &Value,
    form_key: Option<String>,
) -> Result<Answer, Problem> {
    let mut e = Errors::default();
    let (lines, to) = read(body, &mut e);
    let errors = e.all();
    // Who repeats the call is given the order that was placed, whatever is missing now.
    let repeats = form_key.is_some() && errors.is_empty();
    let (slug, wanted, now) = (slug.to_owned(), lines.clone(), ask.office.now());
    let found = ask
        .office
        .read(move |conn| -> Result<_, Problem> {
            let row = own(conn, merchant, &slug)?;
            if !repeats {
                gap(conn, &row, now)?;
            }
            // A conflict is told before a wrong field.
            let full = match errors.is_empty() {
                true => None,
                false => no_room(conn, &row, None, None, &wanted)?,
            };
            if let Some(full) = full {
                return Err(full);
            }
            if !errors.is_empty() {
                return Err(Problem::Invalid(errors));
            }
            let merchant =
                merchants::by_id(conn, merchant)?.ok_or(Problem::NotFound("merchant"))?;
            Ok((merchant, row))
        })
        .await;
    let (merchant, row) = found?;
    let own = OwnOrder {
        to: to.ok_or_else(|| Problem::Internal("an address was lost".into()))?,
        lines,
        from: format!("API, {}", ask.client),
        form_key,
    };
    match ask.office.join(own_order(&merchant, row.id, own)).await {
        Ok(placed) => made(&ask.office, placed).await,
        // Joining has ended: why nothing is missing says more.
        Err(
            closed @ Problem::Conflict {
                kind: "campaign-closed",
                ..
            },
        ) => {
            let found = ask.office.read(move |conn| gap(conn, &row, now)).await;
            Err(found.err().unwrap_or(closed))
        }
        Err(problem) => Err(problem),
    }
}

/// Option codes and quantities; to whom it goes, and where.
type Wanted = (Vec<(String, i64)>, Option<(String, Address)>);

/// What was sent, as far as it can be read.
fn read(body: &Value, e: &mut Errors) -> Wanted {
    let Some(mut r) = Reader::body(body, e) else {
        return (Vec::new(), None);
    };
    let name = r.text("name", e);
    let name = r.required("name", name, e, "to whom it goes");
    let name = name.and_then(|text| e.keep("name", clean_line(text, 200)));
    let parcel = r.object("address", e);
    let parcel = r.required("address", parcel, e, "where it goes");
    let parcel = parcel.and_then(|r| address(r, e));
    let lines = join_lines(&mut r, e);
    r.end(e);
    (lines, name.zip(parcel))
}
