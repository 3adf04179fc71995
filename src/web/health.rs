//! For those who watch over the server: alive, ready, and numbers.

use std::sync::LazyLock;

use actix_web::{HttpResponse, web};
use prometheus::{Encoder, IntGauge, Registry, TextEncoder};

use crate::store::{jobs, orders};
use crate::workflows::desk::Problem;
use crate::workflows::office::Office;

/// The routes.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/healthz", web::get().to(alive))
        .route("/readyz", web::get().to(ready))
        .route("/metrics", web::get().to(metrics));
}

async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

async fn ready(office: web::Data<Office>) -> HttpResponse {
    let asked = office
        .read(|conn| Ok::<_, Problem>(jobs::next_due(conn)?))
        .await;
    match asked {
        Ok(_) => HttpResponse::Ok()
            .content_type("text/plain")
            .body("ready\n"),
        Err(e) => {
            log::error!("not ready: {e}");
            HttpResponse::ServiceUnavailable()
                .content_type("text/plain")
                .body("the database does not answer\n")
        }
    }
}

struct Gauges {
    registry: Registry,
    due: IntGauge,
    given_up: IntGauge,
    pages: IntGauge,
}

static GAUGES: LazyLock<Option<Gauges>> = LazyLock::new(|| {
    let make = || -> Result<Gauges, prometheus::Error> {
        let gauges = Gauges {
            registry: Registry::new(),
            due: IntGauge::new("muster_jobs_due", "Pieces of work that are due")?,
            given_up: IntGauge::new("muster_jobs_dead", "Pieces of work that were given up")?,
            pages: IntGauge::new(
                "muster_payment_pages_waiting",
                "Payment pages that are committed and not made yet",
            )?,
        };
        for gauge in [&gauges.due, &gauges.given_up, &gauges.pages] {
            gauges.registry.register(Box::new(gauge.clone()))?;
        }
        Ok(gauges)
    };
    make().map_err(|e| log::error!("metrics: {e}")).ok()
});

async fn metrics(office: web::Data<Office>) -> HttpResponse {
    let now = office.now().naive_utc();
    let read = office
        .read(move |conn| {
            Ok::<_, Problem>((
                jobs::due_count(conn, now)?,
                jobs::dead(conn, 1000)?.len(),
                orders::queue_length(conn)?,
            ))
        })
        .await;
    let (Ok((due, dead, pages)), Some(gauges)) = (read, GAUGES.as_ref()) else {
        return HttpResponse::ServiceUnavailable().finish();
    };
    gauges.due.set(due);
    gauges.given_up.set(i64::try_from(dead).unwrap_or(i64::MAX));
    gauges.pages.set(pages);
    let mut out = Vec::new();
    let encoder = TextEncoder::new();
    match encoder.encode(&gauges.registry.gather(), &mut out) {
        Ok(()) => HttpResponse::Ok()
            .content_type(encoder.format_type().to_owned())
            .body(out),
        Err(e) => {
            log::error!("metrics: {e}");
            HttpResponse::InternalServerError().finish()
        }
    }
}
