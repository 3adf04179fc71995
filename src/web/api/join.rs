//! Joining by a program: the hold is committed, then the answer waits a little for the payment page.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Path;
use serde_json::Value;

use super::answer::{
    Answer, Claim, Fault, Response, claim, is_answer, keep, refused, replayed, reused,
};
use super::ask::{Ask, Keyed};
use super::bodies::{self, Asked, JoinBody, Wish};
use super::campaigns::{public, slug};
use super::document::Refusals;
use super::fields::Errors;
use super::order_views::{Joined, joined, joined_at};
use crate::domain::draft::FieldError;
use crate::domain::ids::CampaignId;
use crate::domain::order::OrderState;
use crate::store::misc;
use crate::workflows::desk::{Problem, takes_orders};
use crate::workflows::join::{JoinRequest, Placed, Waits, no_room};
use crate::workflows::office::Office;
use crate::workflows::stock_sale;

/// How long the answer waits for the payment page.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// After how long it is looked for without a bell: another machine may have made it.
const LOOK: Duration = Duration::from_millis(500);

/// Joins a campaign: holds units and makes a payment page. The answer waits up to 2 seconds for the page.
#[utoipa::path(post, path = "/campaigns/{slug}/orders", operation_id = "joinCampaign", tag = "Orders",
    params(("slug" = String, Path, description = "The campaign's name in addresses."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the same order again.")),
    request_body = JoinBody, security((), ("key" = [])),
    responses((status = 201, description = "The hold.", body = Joined,
        headers(("Location" = String, description = "Where the order is."))), Refusals))]
pub(super) async fn join(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.maybe_merchant().await?;
    if merchant.is_none() {
        ask.count()?;
    }
    let slug = slug(&path)?;
    let body = ask.json()?;
    let keyed = ask.keyed(merchant)?;
    let place = async |form_key| place(&ask, &slug, &body, form_key).await;
    placed_once(&ask.office, keyed, place).await
}

/// Places an order, at most once for a key: the order carries the key, so that whatever happens between the order and the
/// kept answer, the same call finds the same order.
pub(super) async fn placed_once(
    office: &Office,
    keyed: Option<Keyed>,
    place: impl AsyncFn(Option<String>) -> Result<Answer, Problem>,
) -> Response {
    let Some(keyed) = keyed else {
        return Ok(place(None).await?.respond());
    };
    if let Some(answer) = claimed(office, &keyed).await? {
        return Ok(replayed(&answer, true));
    }
    let form_key = format!("api:{}:{}", keyed.scope, keyed.key);
    let answer = match place(Some(form_key)).await {
        Ok(answer) => answer,
        Err(problem) if is_answer(&problem) => refused(problem),
        Err(problem) => {
            release(office, keyed).await;
            return Err(problem.into());
        }
    };
    let (answer, again) = office
        .write(move |_, tx| -> Result<(Answer, bool), Problem> {
            // The same call twice at once: the answer that was kept first is the answer.
            match claim(tx, &keyed)? {
                Claim::Answered(first) => Ok((*first, true)),
                Claim::Reused => Err(reused()),
                Claim::Open => {
                    keep(tx, &keyed, &answer)?;
                    Ok((answer.clone(), false))
                }
            }
        })
        .await?;
    Ok(replayed(&answer, again))
}

/// The answer that was given to this key, if there is one; else the key is claimed.
async fn claimed(office: &Office, keyed: &Keyed) -> Result<Option<Answer>, Fault> {
    let keyed = keyed.clone();
    let answer = office
        .write(move |_, tx| -> Result<Option<Answer>, Problem> {
            match claim(tx, &keyed)? {
                Claim::Open => Ok(None),
                Claim::Answered(answer) => Ok(Some(*answer)),
                Claim::Reused => Err(reused()),
            }
        })
        .await?;
    Ok(answer)
}

/// Gives a key up. Where even that fails the key stays claimed for the same request, which is no harm.
async fn release(office: &Office, keyed: Keyed) {
    let released = office
        .write(move |_, tx| -> Result<(), Problem> {
            misc::release_api_key(tx.conn, &keyed.scope, &keyed.key)?;
            Ok(())
        })
        .await;
    if let Err(problem) = released {
        log::warn!("an idempotency key stays claimed: {problem}");
    }
}

async fn place(
    ask: &Ask,
    slug: &str,
    body: &Value,
    form_key: Option<String>,
) -> Result<Answer, Problem> {
    let campaign = named(&ask.office, slug).await?;
    let mut e = Errors::default();
    let (asked, wish) = bodies::join(body, &mut e);
    let wish = match wish {
        Some(wish) if e.is_empty() => wish,
        _ => return Err(conflict_first(&ask.office, slug, asked, e.all()).await),
    };
    let request = request(ask, (campaign, slug), wish, asked.lines.clone(), form_key);
    let placed = match ask.office.join(request).await {
        Ok(placed) => placed,
        Err(Problem::NotFound(what)) => {
            ask.office.names().forget(slug);
            return Err(Problem::NotFound(what));
        }
        Err(Problem::Invalid(errors)) => {
            return Err(conflict_first(&ask.office, slug, asked, errors).await);
        }
        Err(problem) => return Err(problem),
    };
    made(&ask.office, placed).await
}

/// The answer about a placed order, with its page where that comes soon.
pub(super) async fn made(office: &Office, placed: Placed) -> Result<Answer, Problem> {
    let order = placed.order.id;
    let shown = with_page(office, placed).await?;
    let token = office.desk().links.order_token(order);
    Answer::created(format!("/api/v1/orders/{order}?t={token}"), &shown)
}

/// The campaign of this name: asked of the database once, for a name keeps its campaign.
async fn named(office: &Office, slug: &str) -> Result<CampaignId, Problem> {
    if let Some(known) = office.names().find(slug) {
        return Ok(known);
    }
    let wanted = slug.to_owned();
    let found = office.read(move |conn| public(conn, &wanted)).await?.id;
    office.names().keep(slug, found);
    Ok(found)
}

fn request(
    ask: &Ask,
    (campaign, slug): (CampaignId, &str),
    wish: Wish,
    lines: Vec<(String, i64)>,
    form_key: Option<String>,
) -> JoinRequest {
    JoinRequest {
        campaign,
        named: Some(slug.to_owned()),
        email: wish.email,
        name: wish.name,
        address: wish.address,
        lines,
        delivery: wish.delivery,
        agreed_total: None,
        terms_version: None,
        joined_from: ask.client.to_string(),
        form_key,
        limit_step: wish.limit_step,
        buys_missing: false,
        waits: if wish.waitlist {
            Waits::IfSoldOut
        } else {
            Waits::No
        },
    }
}

/// Wrong fields, unless the campaign takes no orders, or an option that is asked for is sold out or over the shopper's
/// limit: a conflict is told before a wrong field.
async fn conflict_first(
    office: &Office,
    slug: &str,
    asked: Asked,
    errors: Vec<FieldError>,
) -> Problem {
    let slug = slug.to_owned();
    let waitlist = asked.waitlist;
    let now = office.now().naive_utc();
    let found = office
        .read(move |conn| -> Result<Option<Problem>, Problem> {
            let row = public(conn, &slug)?;
            let on_sale = stock_sale::on_sale(conn, &row)?;
            if !takes_orders(&row, now) && on_sale.is_none() {
                return Ok(Some(Problem::conflict(
                    "campaign-closed",
                    "This campaign takes no orders now. Nothing was charged.",
                )));
            }
            no_room(
                conn,
                &row,
                on_sale.as_ref(),
                asked.email.as_deref(),
                &asked.lines,
            )
        })
        .await;
    match found {
        Ok(None) => Problem::Invalid(errors),
        // It would be waited for.
        Ok(Some(Problem::Conflict {
            kind: "sold-out", ..
        })) if waitlist => Problem::Invalid(errors),
        Ok(Some(problem)) | Err(problem) => problem,
    }
}

/// The order, as soon as its page is there or will not come, or after the longest wait.
async fn with_page(office: &Office, placed: Placed) -> Result<Joined, Problem> {
    let placed = Arc::new(placed);
    let end = Instant::now() + LONGEST_WAIT;
    loop {
        // An order that was placed before may have its page since long, and one that waits gets none: nobody rings.
        let waits = placed.order.state == OrderState::Waitlisted;
        let longest = if placed.again || waits {
            Duration::ZERO
        } else {
            LOOK
        };
        let bell = office.signals().bells.listen(placed.order.id);
        if let Some(url) = bell.wait(longest).await {
            return joined_at(office.desk(), &placed, url);
        }
        let now = office.now();
        let (desk, asked) = (office.desk().clone(), placed.clone());
        let shown = office
            .read(move |conn| joined(conn, &desk, asked.order.id, &asked.frozen, now))
            .await?;
        if !shown.waits() || Instant::now() >= end {
            return Ok(shown);
        }
        if placed.again {
            tokio::time::sleep(LOOK).await;
        }
    }
}
