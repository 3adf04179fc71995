//! The JSON API: `/api/v1`, its description, and the page about it.
//!
//! A handler reads the call ([`ask`]), gives it to one workflow, and shows what came of it ([`views`], [`order_views`]).
//! What changes something goes through [`answer`], where claim, effect and answer of a keyed call are one transaction.

mod after;
mod after_bodies;
mod answer;
mod ask;
mod bodies;
mod campaigns;
mod changes;
mod dates;
mod disputes;
mod document;
mod due_views;
mod fields;
mod goods;
mod goods_bodies;
mod goods_views;
mod ideas;
mod interest;
mod join;
mod order_views;
mod orders;
mod paging;
mod papers;
mod promise_views;
mod shortfall;
mod supplier_body;
mod supply;
mod supply_views;
mod updates;
mod views;
mod waiting;
mod words;

use actix_web::http::header::ALLOW;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, Resource, Route, guard, web};

pub use answer::problem;
pub use campaigns::input as campaign_input;

use crate::web::guard::Refusal;

/// Serves `/api/v1`, `/api/docs`, and a problem for everything else under `/api`. The app's data holds the
/// [`Office`](crate::workflows::office::Office) and the [`Guards`](crate::web::guard::Guards).
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.service(
        web::scope("/api")
            .app_data(web::PayloadConfig::new(ask::MAX_BODY))
            .service(at("/docs", "GET, HEAD").route(get().to(document::page)))
            .service(
                web::scope("/v1")
                    .service(at("/openapi.json", "GET, HEAD").route(get().to(document::json)))
                    .configure(routes)
                    .default_service(web::to(not_found)),
            )
            .default_service(web::to(not_found)),
    );
}

fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(
        at("/campaigns", "GET, HEAD, POST")
            .route(get().to(campaigns::list))
            .route(web::post().to(campaigns::create)),
    )
    .service(
        at("/campaigns/{slug}", "GET, HEAD, PATCH")
            .route(get().to(campaigns::one))
            .route(web::patch().to(campaigns::edit)),
    )
    .service(
        at("/campaigns/{slug}/orders", "GET, HEAD, POST")
            .route(get().to(orders::list))
            .route(web::post().to(join::join)),
    )
    .service(at("/campaigns/{slug}/batches", "GET, HEAD").route(get().to(campaigns::batches)))
    .service(at("/campaigns/{slug}/publish", "POST").route(web::post().to(campaigns::publish)))
    .service(at("/campaigns/{slug}/extend", "POST").route(web::post().to(campaigns::extend)))
    .service(at("/campaigns/{slug}/close", "POST").route(web::post().to(campaigns::close)))
    .service(at("/campaigns/{slug}/cancel", "POST").route(web::post().to(campaigns::cancel)))
    .service(
        at("/campaigns/{slug}/interest", "GET, HEAD, POST")
            .route(get().to(interest::list))
            .route(web::post().to(interest::answer)),
    )
    .service(at("/campaigns/{slug}/shortfall", "GET, HEAD").route(get().to(shortfall::one)))
    .service(at("/campaigns/{slug}/shortfall/orders", "POST").route(web::post().to(shortfall::buy)))
    .configure(ideas_and_disputes)
    .service(
        at("/campaigns/{slug}/updates", "GET, HEAD, POST")
            .route(get().to(updates::list))
            .route(web::post().to(updates::write)),
    )
    .service(
        at("/campaigns/{slug}/updates/{id}/corrections", "POST")
            .route(web::post().to(updates::correct)),
    )
    .service(
        at("/orders/{id}", "GET, HEAD, PATCH")
            .route(get().to(orders::one))
            .route(web::patch().to(after::edit)),
    )
    .service(
        at("/orders/{id}/claims", "GET, HEAD, POST")
            .route(get().to(after::list))
            .route(web::post().to(after::create)),
    )
    .service(at("/orders/{id}/withdraw", "POST").route(web::post().to(after::withdraw)))
    .service(at("/claims/{id}/resolve", "POST").route(web::post().to(after::resolve)))
    .service(at("/orders/{id}/cancel", "POST").route(web::post().to(orders::cancel)))
    .service(at("/orders/{id}/pay", "POST").route(web::post().to(orders::pay)))
    .service(at("/orders/{id}/accept", "POST").route(web::post().to(waiting::accept)))
    .service(at("/orders/{id}/card", "POST").route(web::post().to(orders::card)))
    .service(at("/orders/{id}/change", "POST").route(web::post().to(changes::lines_of)))
    .service(at("/orders/{id}/refund", "POST").route(web::post().to(after::refund)))
    .service(
        at("/suppliers", "GET, HEAD, POST")
            .route(get().to(supply::suppliers))
            .route(web::post().to(supply::create_supplier)),
    )
    .service(at("/purchase-orders/{id}", "GET, HEAD").route(get().to(supply::purchase_order)))
    .service(at("/purchase-orders/{id}/send", "POST").route(web::post().to(supply::send)))
    .service(at("/purchase-orders/{id}/replace", "POST").route(web::post().to(supply::replace)))
    .service(at("/batches/{id}", "GET, HEAD").route(get().to(goods::batch)))
    .service(at("/batches/{id}/eta", "POST").route(web::post().to(dates::set)))
    .service(at("/batches/{id}/receipts", "POST").route(web::post().to(goods::receipts)))
    .service(at("/batches/{id}/short", "POST").route(web::post().to(goods::short)))
    .service(at("/campaigns/{slug}/shipments", "GET, HEAD").route(get().to(goods::list)))
    .service(at("/shipments", "POST").route(web::post().to(goods::create)))
    .service(at("/shipments/{id}/handover", "POST").route(web::post().to(goods::handover)))
    .service(at("/shipments/{id}/delivered", "POST").route(web::post().to(goods::delivered)))
    .service(at("/orders/{id}/receipts", "GET, HEAD").route(get().to(papers::of_order)))
    .service(at("/documents", "GET, HEAD").route(get().to(papers::list)))
    .service(at("/journal", "GET, HEAD").route(get().to(supply::entries)));
}

fn ideas_and_disputes(cfg: &mut web::ServiceConfig) {
    cfg.service(at("/merchants/{slug}/ideas", "GET, HEAD").route(get().to(ideas::public)))
        .service(
            at("/ideas", "GET, HEAD, POST")
                .route(get().to(ideas::list))
                .route(web::post().to(ideas::create)),
        )
        .service(
            at("/ideas/{id}", "GET, HEAD, PATCH")
                .route(get().to(ideas::one))
                .route(web::patch().to(ideas::edit)),
        )
        .service(at("/ideas/{id}/campaign", "POST").route(web::post().to(ideas::campaign)))
        .service(at("/disputes", "GET, HEAD").route(get().to(disputes::list)))
        .service(at("/disputes/{id}", "GET, HEAD").route(get().to(disputes::one)))
        .service(at("/disputes/{id}/evidence", "POST").route(web::post().to(disputes::answer)));
}

/// A place that tells which methods it has to whoever used another.
fn at(path: &str, allowed: &'static str) -> Resource {
    web::resource(path).default_service(web::to(move || async move {
        let refusal = Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "Not with this method",
            format!("Use one of: {allowed}."),
        );
        let mut response = problem(&refusal);
        response.headers_mut().insert(
            ALLOW,
            actix_web::http::header::HeaderValue::from_static(allowed),
        );
        response
    }))
}

/// GET, and HEAD, which is GET without the body.
fn get() -> Route {
    web::route().guard(guard::Any(guard::Method(Method::GET)).or(guard::Method(Method::HEAD)))
}

async fn not_found() -> HttpResponse {
    problem(&Refusal::new(
        StatusCode::NOT_FOUND,
        "not-found",
        "Not found",
        "There is nothing at this address. The description is at /api/v1/openapi.json.",
    ))
}
