//! The provider's webhooks: verified, stored once, acknowledged; what they ask for is done at our own pace (domain
//! section 4). A webhook is never more than a hint to ask for the object again.

use actix_web::{HttpRequest, HttpResponse, web};

use super::webhook::{Event, WebhookError, verify};
use crate::store::{Tx, jobs, misc, refunds};
use crate::workflows::desk::{Problem, enqueue, payment_subject};
use crate::workflows::office::Office;
use crate::workflows::payment;

/// The largest delivery that is read, in bytes.
const LARGEST: usize = 512 * 1024;

/// The route.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.service(
        web::resource("/webhooks/stripe")
            .app_data(web::PayloadConfig::new(LARGEST))
            .route(web::post().to(receive)),
    );
}

async fn receive(
    request: HttpRequest,
    body: web::Bytes,
    office: web::Data<Office>,
) -> HttpResponse {
    let Some(secret) = office.settings().webhook_secret.as_deref() else {
        return refuse("STRIPE_WEBHOOK_SECRET is not set, so deliveries can't be verified");
    };
    let Ok(payload) = std::str::from_utf8(&body) else {
        return refuse("the body is not text");
    };
    let signature = request
        .headers()
        .get("stripe-signature")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    // Signatures are made and judged by the machine's own time, never by the sandbox's clock.
    let event = match verify(payload, signature, secret, machine_time()) {
        Ok(event) => event,
        Err(e @ (WebhookError::BadSignature | WebhookError::TooOld | WebhookError::Unreadable)) => {
            return refuse(&e.to_string());
        }
    };
    let body = payload.to_owned();
    let stored = office
        .write(move |_, tx| -> Result<(), Problem> {
            let now = tx.now.naive_utc();
            if misc::store_webhook(tx.conn, &event.id, &event.kind, &body, now)? {
                let outcome = ask_for(tx, &event)?;
                misc::webhook_done(tx.conn, &event.id, outcome, now)?;
            }
            Ok(())
        })
        .await;
    match stored {
        Ok(()) => HttpResponse::Ok().content_type("text/plain").body("ok"),
        Err(e) => {
            // Not acknowledged: the provider delivers it again.
            log::error!("a webhook could not be stored: {e}");
            HttpResponse::ServiceUnavailable()
                .content_type("text/plain")
                .body("later")
        }
    }
}

fn machine_time() -> i64 {
    crate::workflows::ports::Clock::now(&crate::workflows::ports::SystemClock).timestamp()
}

fn refuse(why: &str) -> HttpResponse {
    log::warn!("a webhook was refused: {why}");
    HttpResponse::BadRequest()
        .content_type("text/plain")
        .body(why.to_owned())
}

/// Puts down the work that an event asks for; what that was.
fn ask_for(tx: &mut Tx, event: &Event) -> Result<&'static str, Problem> {
    let now = tx.now.naive_utc();
    if event.kind.starts_with("charge.dispute.") {
        enqueue(tx, jobs::DISPUTE, &event.object_id, now)?;
        return Ok("dispute");
    }
    let refund = event.tag.as_ref().and_then(|tag| tag.refund_id());
    if let Some((id, _)) = refund {
        if refunds::by_id(tx.conn, id)?.is_some() {
            // A refund that ended may have come back: it is asked for by its id at the provider.
            enqueue(tx, jobs::REFUND_HEARD, &event.object_id, now)?;
            return Ok("refund");
        }
        return Ok("a refund that is not in the books");
    }
    let session = (event.object_kind == "checkout.session").then_some(event.object_id.as_str());
    let page = payment::find_page(
        tx.conn,
        session,
        event.payment_intent.as_deref(),
        event.tag.as_ref(),
    )?;
    match page {
        Some((order, attempt)) if event.kind.starts_with("checkout.session.") => {
            if let Some(session) = session {
                payment::named(tx, order, attempt, session)?;
            }
            enqueue(tx, jobs::PAYMENT, &payment_subject(order, attempt), now)?;
            Ok("payment")
        }
        Some(_) => Ok("told by another event"),
        None => Ok("not ours"),
    }
}
