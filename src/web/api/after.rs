//! After ordering: claims, withdrawal, changes of an order, and refunds by the merchant.

use actix_web::web::Path;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::after_bodies::{
    self as bodies, ChangeBody, ClaimBody, RefundBody, ResolveBody, WithdrawBody,
};
use super::answer::{Answer, Fault, Response, change};
use super::ask::Ask;
use super::document::{Public, Refusals};
use super::fields::Errors;
use super::order_views::{self, MerchantOrder, Order};
use super::orders::opened;
use super::paging::List;
use crate::domain::claim::{ClaimKind, ClaimOutcome, ClaimState};
use crate::domain::ids::{ClaimId, MerchantId, OrderId};
use crate::domain::money::Money;
use crate::store::claims::ClaimRow;
use crate::store::{Conn, claims as rows, orders as store};
use crate::workflows::cancel::{self, By};
use crate::workflows::change::{self, Change};
use crate::workflows::claims::decide::resolve as decide;
use crate::workflows::claims::{Case, Report, Who, read, report};
use crate::workflows::desk::Problem;
use crate::workflows::give_back::{Request, give_back, preview};
use crate::workflows::money::currency;
use crate::workflows::withdraw::{Declaration, declare};

/// What went wrong after the door, or a withdrawal.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Claim {
    claim_id: Uuid,
    order_id: Uuid,
    kind: ClaimKind,
    state: ClaimState,
    lines: Vec<ClaimLine>,
    /// In the words of who reported it.
    text: String,
    opened_at: DateTime<Utc>,
    /// Where goods are to be sent back to; null where none are.
    #[schema(required)]
    return_address: Option<String>,
    /// By when.
    #[schema(required)]
    return_by: Option<NaiveDate>,
    /// When the shopper said that they were on their way.
    #[schema(required)]
    return_sent_at: Option<DateTime<Utc>>,
    /// When they came back.
    #[schema(required)]
    returned_at: Option<DateTime<Utc>>,
    /// The last day for a withdrawal's refund.
    #[schema(required)]
    refund_by: Option<NaiveDate>,
    /// How it ended; null while it is open.
    #[schema(required)]
    outcome: Option<ClaimOutcome>,
    /// Why, as the shopper reads it.
    #[schema(required)]
    reason: Option<String>,
    /// What goes back.
    #[schema(required)]
    amount: Option<Money>,
    #[schema(required)]
    resolved_at: Option<DateTime<Utc>>,
    /// How many photos came with it.
    photos: usize,
}

/// Units that a claim is about.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClaimLine {
    sku: String,
    quantity: i64,
    /// Of them, came back and can be sold.
    restocked: i64,
    /// Of them, came back and cannot.
    scrapped: i64,
}

/// What follows from a withdrawal.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Withdrawal {
    /// When it was received.
    received_at: DateTime<Utc>,
    /// What goes back at once: the price of what was not handed over.
    refunded_now: Money,
    /// The claim that waits for the goods, where some were handed over.
    #[schema(required)]
    claim: Option<Claim>,
    order: Order,
}

fn shown(conn: &mut Conn, case: &Case, claim: &ClaimRow) -> Result<Claim, Problem> {
    let utc = |at: Option<chrono::NaiveDateTime>| at.map(|at| at.and_utc());
    let money = currency(&case.order.currency)?;
    let lines = case.claims.iter().find(|(c, _)| c.id == claim.id);
    let sku = |option| {
        let line = case.lines.iter().find(|l| l.option_id == option);
        line.map_or_else(String::new, |l| l.sku.clone())
    };
    Ok(Claim {
        claim_id: claim.id.0,
        order_id: claim.order_id.0,
        kind: claim.kind,
        state: claim.state,
        lines: lines
            .map(|(_, lines)| lines.as_slice())
            .unwrap_or_default()
            .iter()
            .map(|l| ClaimLine {
                sku: sku(l.option_id),
                quantity: l.units,
                restocked: l.restocked,
                scrapped: l.scrapped,
            })
            .collect(),
        text: claim.text.clone(),
        opened_at: claim.opened_at.and_utc(),
        return_address: claim.return_address.clone(),
        return_by: claim.return_by,
        return_sent_at: utc(claim.return_sent_at),
        returned_at: utc(claim.returned_at),
        refund_by: claim.refund_by,
        outcome: claim.outcome,
        reason: claim.outcome_reason.clone(),
        amount: claim.amount.map(|amount| Money::new(amount, money)),
        resolved_at: utc(claim.resolved_at),
        photos: rows::photos_of(conn, &[claim.id])?.len(),
    })
}

/// The claim as it is now.
fn one(conn: &mut Conn, claim: &ClaimRow) -> Result<Claim, Problem> {
    let case = read(conn, claim.order_id)?;
    shown(conn, &case, claim)
}

/// Who asks about an order: its shopper by the link, or its merchant by the key.
async fn asker(ask: &Ask, path: &str) -> Result<(OrderId, Option<MerchantId>), Fault> {
    if ask.parameter("t").is_some() {
        return Ok((opened(ask, path)?, None));
    }
    let merchant = ask.merchant().await?;
    let id: OrderId = path.parse().map_err(|_| Problem::NotFound("order"))?;
    Ok((id, Some(merchant)))
}

fn owned(case: &Case, merchant: Option<MerchantId>) -> Result<(), Problem> {
    if merchant.is_none_or(|m| m == case.order.merchant_id) {
        Ok(())
    } else {
        Err(Problem::NotFound("order"))
    }
}

/// An order's claims, first to last: by its link, or for its merchant.
#[utoipa::path(get, path = "/orders/{order_id}/claims", operation_id = "listClaims", tag = "Orders",
    params(("order_id" = String, Path, description = "The order."),
        ("t" = Option<String>, Query, description = "The token that joining gave, instead of a key.")),
    security((), ("key" = [])),
    responses((status = 200, description = "The claims, all on one page.", body = List<Claim>), Public))]
pub(super) async fn list(ask: Ask, path: Path<String>) -> Response {
    let (id, merchant) = asker(&ask, &path).await?;
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let case = read(conn, id)?;
            owned(&case, merchant)?;
            let mut data = Vec::with_capacity(case.claims.len());
            for (claim, _) in &case.claims {
                data.push(shown(conn, &case, claim)?);
            }
            let next_cursor = None;
            Answer::ok(&List { data, next_cursor })
        })
        .await?;
    Ok(answer.respond())
}

/// Reports that something which was handed over is lost, damaged, wrong, goes back or was refused.
#[utoipa::path(post, path = "/orders/{order_id}/claims", operation_id = "reportClaim", tag = "Orders",
    params(("order_id" = String, Path, description = "The order."),
        ("t" = Option<String>, Query, description = "The token that joining gave, instead of a key."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = ClaimBody, security((), ("key" = [])),
    responses((status = 201, description = "The claim.", body = Claim,
        headers(("Location" = String, description = "Where the order's claims are."))), Refusals))]
pub(super) async fn create(ask: Ask, path: Path<String>) -> Response {
    let (id, merchant) = asker(&ask, &path).await?;
    if merchant.is_none() {
        ask.count()?;
    }
    let body = ask.json()?;
    let who = match merchant {
        None => Who::Shopper,
        Some(_) => Who::Staff("API".to_owned()),
    };
    change(&ask.office, ask.keyed(merchant)?, move |desk, tx| {
        owned(&read(tx.conn, id)?, merchant)?;
        let mut e = Errors::default();
        let said = bodies::claim(&body, &mut e).filter(|_| e.is_empty());
        let (kind, lines, text) = said.ok_or_else(|| Problem::Invalid(e.all()))?;
        let wish = Report {
            order: id,
            kind,
            lines,
            text,
            photos: Vec::new(),
        };
        let row = report(desk, tx, &wish, &who)?;
        let place = format!("/api/v1/orders/{id}/claims");
        Answer::created(place, &one(tx.conn, &row)?)
    })
    .await
}

/// Decides a claim: sent again, refunded in full or in part, or refused with a reason.
#[utoipa::path(post, path = "/claims/{claim_id}/resolve", operation_id = "resolveClaim", tag = "Orders",
    params(("claim_id" = String, Path, description = "The claim."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = ResolveBody, security(("key" = [])),
    responses((status = 200, description = "The decided claim.", body = Claim), Refusals))]
pub(super) async fn resolve(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let id: ClaimId = path.parse().map_err(|_| Problem::NotFound("claim"))?;
    let body = ask.json()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |desk, tx| {
        let row = rows::by_id(tx.conn, id)?.filter(|c| c.merchant_id == merchant);
        let row = row.ok_or(Problem::NotFound("claim"))?;
        if !row.state.is_open() {
            let say = "This was decided already.";
            return Err(Problem::conflict("claim-moved-on", say));
        }
        let order = store::by_id(tx.conn, row.order_id)?.ok_or(Problem::NotFound("order"))?;
        let mut e = Errors::default();
        let decision = bodies::decision(&body, currency(&order.currency)?, &mut e);
        let decision = decision.filter(|_| e.is_empty());
        let decision = decision.ok_or_else(|| Problem::Invalid(e.all()))?;
        let row = decide(desk, tx, Some(merchant), id, ("API", &decision))?;
        Answer::ok(&one(tx.conn, &row)?)
    })
    .await
}

/// Withdraws from the contract, for any reason, where the law or the merchant grants it.
#[utoipa::path(post, path = "/orders/{order_id}/withdraw", operation_id = "withdrawOrder", tag = "Orders",
    params(("order_id" = String, Path, description = "The order."),
        ("t" = String, Query, description = "The token that joining gave."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = WithdrawBody,
    responses((status = 200, description = "The acknowledgement.", body = Withdrawal), Refusals))]
pub(super) async fn withdraw(ask: Ask, path: Path<String>) -> Response {
    ask.count()?;
    let id = opened(&ask, &path)?;
    let body = ask.json_or_nothing()?;
    change(&ask.office, ask.keyed(None)?, move |desk, tx| {
        let case = read(tx.conn, id)?;
        let mut e = Errors::default();
        let said = bodies::withdrawal(&body, &mut e);
        // A conflict comes before a wrong field; the workflow tells it.
        let right = case.right(tx.now);
        let said = match (said.filter(|_| e.is_empty()), &right) {
            (Some(said), _) => said,
            (None, Some(_)) => return Err(Problem::Invalid(e.all())),
            (None, None) => (None, None, None),
        };
        let all = || right.map(|r| r.lines).unwrap_or_default();
        let declaration = Declaration {
            order: id,
            lines: said.0.unwrap_or_else(all),
            name: said.1.unwrap_or_else(|| case.order.name.clone()),
            email: said.2.unwrap_or_else(|| case.order.email.clone()),
        };
        let declared = declare(desk, tx, &declaration)?;
        let row = store::by_id(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
        let claim = match declared.claim {
            None => None,
            Some(claim) => {
                let claim = rows::by_id(tx.conn, claim)?.ok_or(Problem::NotFound("claim"))?;
                Some(one(tx.conn, &claim)?)
            }
        };
        Answer::ok(&Withdrawal {
            received_at: tx.now,
            refunded_now: Money::new(declared.back, currency(&row.currency)?),
            claim,
            order: order_views::order(tx.conn, &row, tx.now)?,
        })
    })
    .await
}

/// Changes where an order goes, or in how many parcels, until it is packed.
#[utoipa::path(patch, path = "/orders/{order_id}", operation_id = "changeOrder", tag = "Orders",
    params(("order_id" = String, Path, description = "The order."),
        ("t" = String, Query, description = "The token that joining gave.")),
    request_body = ChangeBody,
    responses((status = 200, description = "The order.", body = Order), Refusals))]
pub(super) async fn edit(ask: Ask, path: Path<String>) -> Response {
    ask.count()?;
    let id = opened(&ask, &path)?;
    let body = ask.json()?;
    change(&ask.office, ask.keyed(None)?, move |desk, tx| {
        let case = read(tx.conn, id)?;
        let batch = crate::store::campaigns::batch(tx.conn, case.order.batch_id)?;
        if let Some(why) = change::locked(&case, batch.as_ref(), &Who::Shopper, tx.now) {
            return Err(Problem::conflict("order-packed", why));
        }
        let mut e = Errors::default();
        let wish: Option<Change> = bodies::change(&body, &case.order, &mut e);
        let wish = wish.filter(|_| e.is_empty());
        let wish = wish.ok_or_else(|| Problem::Invalid(e.all()))?;
        let row = change::change(desk, tx, (None, id), &wish, &Who::Shopper).map_err(in_body)?;
        Answer::ok(&order_views::order(tx.conn, &row, tx.now)?)
    })
    .await
}

/// The fields of an address as the body nests them.
pub(super) fn in_body(problem: Problem) -> Problem {
    let Problem::Invalid(mut errors) = problem else {
        return problem;
    };
    for error in &mut errors {
        let nested = ["line1", "line2", "city", "region", "postal_code", "country"];
        if nested.contains(&error.field.as_str()) {
            error.field = format!("address.{}", error.field);
        }
    }
    Problem::Invalid(errors)
}

/// Gives something back by the merchant: units that will not be shipped, an amount out of goodwill, or all of an order
/// of which nothing was handed over.
#[utoipa::path(post, path = "/orders/{order_id}/refund", operation_id = "refundOrder", tag = "Orders",
    params(("order_id" = String, Path, description = "The order."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = RefundBody, security(("key" = [])),
    responses((status = 200, description = "The order.", body = MerchantOrder), Refusals))]
pub(super) async fn refund(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let id: OrderId = path.parse().map_err(|_| Problem::NotFound("order"))?;
    let body: Value = ask.json()?;
    let keyed = ask.keyed(Some(merchant))?;
    let once = keyed.as_ref().map(|keyed| keyed.key.clone());
    change(&ask.office, keyed, move |desk, tx| {
        let order = store::by_id(tx.conn, id)?.filter(|order| order.merchant_id == merchant);
        let order = order.ok_or(Problem::NotFound("order"))?;
        let mut e = Errors::default();
        let said = bodies::refund(&body, currency(&order.currency)?, &mut e);
        let Some((what, reason)) = said.filter(|_| e.is_empty()) else {
            return Err(
                conflict_first(tx.conn, &order, &body)?.unwrap_or(Problem::Invalid(e.all()))
            );
        };
        let row = match what {
            None => {
                let name = "API".to_owned();
                cancel::cancel(desk, tx, id, &By::Staff { name, reason })?
            }
            Some(what) => {
                let request = Request {
                    merchant,
                    order: id,
                    what,
                    reason,
                    shown: None,
                    person: "API".to_owned(),
                    once: once.clone(),
                };
                give_back(desk, tx, &request)?
            }
        };
        Answer::ok(&order_views::merchant_order(tx.conn, &row)?)
    })
    .await
}

/// A conflict that is told before wrong fields.
fn conflict_first(
    conn: &mut Conn,
    order: &store::OrderRow,
    body: &Value,
) -> Result<Option<Problem>, Problem> {
    use crate::workflows::give_back::What;
    let whole = body.get("lines").is_none() && body.get("amount").is_none();
    if !whole {
        let case = read(conn, order.id)?;
        let looked = preview(&case, &What::Lines(Vec::new()), false);
        return Ok(looked
            .err()
            .filter(|p| matches!(p, Problem::Conflict { .. })));
    }
    let campaign = crate::store::campaigns::by_id(conn, order.campaign_id)?;
    let closed = order.state.is_live()
        && campaign.is_some_and(|campaign| !cancel::can_staff_cancel(order, &campaign));
    Ok(closed.then(|| {
        Problem::conflict(
            "order-sent-to-supplier",
            "This order cannot be cancelled as a whole any more. Refund its units that were not shipped.",
        )
    }))
}
