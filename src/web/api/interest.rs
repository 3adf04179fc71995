//! The interest check: what shoppers would buy, and what that means for staff.

use actix_web::web::Path;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Answer, Response, change};
use super::ask::Ask;
use super::campaigns::{own, public, slug};
use super::document::Refusals;
use super::fields::{Errors, Reader};
use super::paging::PageAsked;
use crate::domain::currency::Currency;
use crate::domain::ids::InterestId;
use crate::domain::interest::{Curve, Demand};
use crate::domain::money::Money;
use crate::domain::text::{normalize_email, optional_line};
use crate::store::interest::{self as rows, InterestLineRow, InterestRow};
use crate::store::{Conn, campaigns};
use crate::workflows::desk::{Problem, offer};
use crate::workflows::interest::{self as workflow, NewAnswer, WishLine, must_ask};
use crate::workflows::money;

/// What somebody would buy. Nothing is charged or ordered.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct InterestBody {
    /// The shopper: trimmed and lower-cased, it is who the shopper is.
    email: String,
    name: Option<String>,
    /// Each option once.
    #[schema(min_items = 1, max_items = 100)]
    lines: Vec<InterestLineBody>,
}

/// An option, how many of it, and up to what price.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct InterestLineBody {
    sku: String,
    #[schema(minimum = 1, maximum = 10000)]
    quantity: i64,
    up_to: UpTo,
}

/// The most a unit may cost: money, or whole minor units of the campaign's currency.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code)]
enum UpTo {
    /// With its currency, which must be the campaign's.
    Money(Money),
    /// In minor units.
    Minor(i64),
}

/// An answer as it was understood. It is the same whether the address has answered before or not.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InterestTaken {
    /// The campaign.
    slug: String,
    /// Where a mail went: it tells what is kept, with a link to change it or take it back.
    email: String,
    lines: Vec<InterestLine>,
}

/// A line of an answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InterestLine {
    sku: String,
    quantity: i64,
    /// The most a unit may cost.
    up_to: Money,
}

/// An answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Interest {
    id: Uuid,
    /// Null once it was erased.
    #[schema(required)]
    email: Option<String>,
    #[schema(required)]
    name: Option<String>,
    lines: Vec<InterestLine>,
    created_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
}

/// A page of answers, and what all of them come to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InterestList {
    /// In the order in which they came.
    data: Vec<Interest>,
    /// Give it as `cursor` to read on; null at the end.
    #[schema(required)]
    next_cursor: Option<String>,
    curve: DemandCurve,
}

/// Units by price over all answers, and against the steps that are planned.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DemandCurve {
    /// How many have answered.
    answers: i64,
    /// Units wanted in all, at whatever price.
    units: i64,
    /// Over all options, prices rising.
    points: Vec<DemandPoint>,
    options: Vec<DemandOption>,
    steps: Vec<DemandStep>,
    /// What it means, sentence by sentence.
    advice: Vec<String>,
}

/// A price, and the units of those ready to pay at least that.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DemandPoint {
    price: Money,
    units: i64,
}

/// One option's curve.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DemandOption {
    sku: String,
    points: Vec<DemandPoint>,
}

/// What is wanted at the prices of a step.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DemandStep {
    /// Units from which it holds.
    from: i64,
    /// Units wanted at its prices.
    units: i64,
    /// Whether they come to its count.
    reached: bool,
    /// What they are worth at its prices.
    goods_value: Money,
    /// Whether the threshold is met by them.
    threshold_met: bool,
}

fn line(sku: &str, quantity: i64, up_to: i64, currency: Currency) -> InterestLine {
    InterestLine {
        sku: sku.to_owned(),
        quantity,
        up_to: Money::new(up_to, currency),
    }
}

/// Says what one would buy, how many and up to what price. Nothing is charged. A mail confirms it. An address answers
/// once: a further answer changes nothing, and its mail leads to the first.
#[utoipa::path(post, path = "/campaigns/{slug}/interest", operation_id = "answerInterest", tag = "Interest",
    params(("slug" = String, Path, description = "The campaign's name in addresses."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = InterestBody, security((), ("key" = [])),
    responses((status = 201, description = "What was understood.", body = InterestTaken), Refusals))]
pub(super) async fn answer(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.maybe_merchant().await?;
    if merchant.is_none() {
        ask.count()?;
    }
    let slug = slug(&path)?;
    let body = ask.json()?;
    change(&ask.office, ask.keyed(merchant)?, move |desk, tx| {
        // A state conflict is told before a bad field.
        let row = public(tx.conn, &slug)?;
        must_ask(&row, tx.now.naive_utc())?;
        let draft = offer(&row)?;
        let mut e = Errors::default();
        let new = read(&body, draft.currency, &mut e);
        let Some(new) = new.filter(|_| e.is_empty()) else {
            return Err(Problem::Invalid(e.all()));
        };
        workflow::answer(desk, tx, &slug, &new)?;
        let taken = InterestTaken {
            slug: row.slug,
            lines: new
                .lines
                .iter()
                .map(|l| line(&l.sku, l.quantity, l.up_to, draft.currency))
                .collect(),
            email: new.email,
        };
        Ok(Answer {
            location: None,
            ..Answer::created(String::new(), &taken)?
        })
    })
    .await
}

/// Reads an answer.
fn read(body: &Value, currency: Currency, e: &mut Errors) -> Option<NewAnswer> {
    let mut r = Reader::body(body, e)?;
    let email = r.text("email", e);
    let email = r.required("email", email, e, "the shopper's address");
    let email = email.and_then(|text| e.keep("email", normalize_email(text)));
    let name = r.text("name", e);
    let name = e.keep("name", optional_line(name, 200));
    let lines = r.each("lines", e, |value, at, e| {
        let mut r = Reader::at(value, at, e)?;
        let sku = r.string("sku", e);
        let sku = r.required("sku", sku, e, "the option's code");
        let quantity = r.integer("quantity", e);
        let quantity = r.required("quantity", quantity, e, "how many, 1 or more");
        let up_to = up_to(&mut r, value, currency, e);
        r.end(e);
        Some(WishLine {
            sku: sku?,
            quantity: quantity?,
            up_to: up_to?,
        })
    });
    let lines = r.required(
        "lines",
        lines,
        e,
        "which options, how many, up to what price",
    );
    r.end(e);
    Some(NewAnswer {
        email: email?,
        name: name?,
        lines: lines?,
    })
}

/// The most a unit may cost, as money or as a whole number.
fn up_to(r: &mut Reader, line: &Value, currency: Currency, e: &mut Errors) -> Option<i64> {
    if !line["up_to"].is_object() {
        let amount = r.integer("up_to", e);
        return r.required("up_to", amount, e, "the most that one may cost");
    }
    let mut money = r.object("up_to", e)?;
    let amount = money.integer("amount", e);
    let amount = money.required("amount", amount, e, "in whole minor units");
    let code = money.text("currency", e);
    let code = money.required("currency", code, e, "the campaign's currency");
    if let Some(code) = code
        && Currency::parse(code) != Some(currency)
    {
        let say = format!("write the campaign's currency, {}", currency.code());
        e.add(money.path("currency"), say);
    }
    money.end(e);
    amount
}

fn points(curve: &Curve, currency: Currency) -> Vec<DemandPoint> {
    let points = curve.points().iter();
    points
        .map(|p| DemandPoint {
            price: Money::new(p.price, currency),
            units: p.units,
        })
        .collect()
}

fn curve(
    conn: &mut Conn,
    row: &campaigns::CampaignRow,
    draft: &crate::domain::draft::CampaignDraft,
) -> Result<DemandCurve, Problem> {
    let demand: Demand = workflow::demand(conn, row, draft)?;
    let currency = draft.currency;
    Ok(DemandCurve {
        answers: rows::count(conn, row.id)?,
        units: demand.all.units(),
        points: points(&demand.all, currency),
        options: draft
            .options
            .iter()
            .zip(&demand.options)
            .map(|(option, curve)| DemandOption {
                sku: option.sku.clone(),
                points: points(curve, currency),
            })
            .collect(),
        steps: demand
            .steps
            .iter()
            .map(|step| DemandStep {
                from: step.from,
                units: step.units,
                reached: step.reached,
                goods_value: Money::new(step.value, currency),
                threshold_met: step.enough,
            })
            .collect(),
        advice: workflow::advice(&demand, draft),
    })
}

fn shown(row: &InterestRow, lines: &[InterestLineRow], currency: Currency) -> Interest {
    Interest {
        id: row.id.0,
        email: row.email.clone(),
        name: row.name.clone(),
        lines: lines
            .iter()
            .filter(|l| l.interest_id == row.id)
            .map(|l| line(&l.sku, l.quantity, l.up_to, currency))
            .collect(),
        created_at: row.created_at.and_utc(),
        changed_at: row.changed_at.and_utc(),
    }
}

/// What shoppers said they would buy, and the demand curve over all of them.
#[utoipa::path(get, path = "/campaigns/{slug}/interest", operation_id = "listInterest", tag = "Interest",
    params(("slug" = String, Path, description = "The campaign's name in addresses."),
        ("limit" = Option<i64>, Query, description = "Entries of a page, 1 to 100; 20 where it is left out."),
        ("cursor" = Option<String>, Query, description = "The next_cursor of the page before.")),
    security(("key" = [])),
    responses((status = 200, description = "A page of the answers, and the curve.", body = InterestList), Refusals))]
pub(super) async fn list(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let slug = slug(&path)?;
    let page = PageAsked::of(&ask)?;
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let row = own(conn, merchant, &slug)?;
            let draft = offer(&row)?;
            let currency = money::currency(&row.currency)?;
            let mut answers =
                rows::of_campaign(conn, row.id, page.after.map(InterestId), page.rows())?;
            let next_cursor = page.cut(&mut answers, |answer| answer.id.0);
            let ids: Vec<InterestId> = answers.iter().map(|answer| answer.id).collect();
            let lines = rows::lines_of(conn, &ids)?;
            Answer::ok(&InterestList {
                data: answers
                    .iter()
                    .map(|answer| shown(answer, &lines, currency))
                    .collect(),
                next_cursor,
                curve: curve(conn, &row, &draft)?,
            })
        })
        .await?;
    Ok(answer.respond())
}
