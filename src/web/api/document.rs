//! The API's description (OpenAPI 3.1), and the page that shows it to people.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use askama::Template;
use serde::Serialize;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, HeaderBuilder, Ref, RefOr};
use utoipa::{IntoResponses, Modify, OpenApi, ToSchema};

use super::answer::Fault;
use super::{
    after, campaigns, changes, dates, disputes, goods, ideas, interest, join, orders, papers,
    shortfall, supply, updates, waiting,
};
use crate::web::view::Html;
use crate::workflows::desk::Problem as Trouble;

/// How a call is refused (RFC 9457).
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Problem {
    /// A stable word for programs, such as `sold-out`.
    #[schema(pattern = "^[a-z-]+$")]
    r#type: String,
    /// What it is in a few words.
    title: String,
    /// The HTTP status again.
    status: u16,
    /// What to do, for a person.
    detail: String,
    /// The wrong fields, with 422.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<ProblemField>>,
}

/// A wrong field.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct ProblemField {
    /// Its path in the body, such as `lines[0].quantity`, or the parameter's name.
    field: String,
    /// What to write instead.
    message: String,
}

/// How every call may be refused.
pub(super) struct Refusals;

/// How a call that nobody needs a key for and that changes nothing may be refused.
pub(super) struct Public;

fn refusals(all: &[(&str, &str)]) -> BTreeMap<String, RefOr<Response>> {
    all.iter()
        .map(|(status, says)| {
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build();
            let mut response = ResponseBuilder::new()
                .description(*says)
                .content("application/problem+json", content);
            if matches!(*status, "429" | "503") {
                let header = HeaderBuilder::new().description(Some("Seconds.")).build();
                response = response.header("Retry-After", header);
            }
            ((*status).to_owned(), response.build().into())
        })
        .collect()
}

const PUBLIC: [(&str, &str); 5] = [
    ("401", "A key was sent that this server does not know."),
    ("404", "There is no such thing, or it is not this caller's."),
    (
        "422",
        "Fields or parameters are wrong; each says what to write instead.",
    ),
    (
        "500",
        "It failed on our side; the answer carries a reference.",
    ),
    ("503", "Busy: nothing was done."),
];

impl IntoResponses for Public {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&PUBLIC)
    }
}

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut all = PUBLIC.to_vec();
        all.extend([
            (
                "400",
                "The JSON is malformed, or the Idempotency-Key is not usable.",
            ),
            ("403", "The request came from another site's page."),
            (
                "409",
                "The state of things does not allow it; `type` says why.",
            ),
            ("413", "The body is too large."),
            ("415", "The body is not JSON."),
            ("429", "Too many requests from this address."),
        ]);
        refusals(&all)
    }
}

struct Key;

impl Modify for Key {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A merchant's key, made by `muster api-key create`."))
            .build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "muster",
        description = "Group buys: campaigns, orders, suppliers, money. JSON in snake_case; times are RFC 3339 in \
            UTC; dates are days in the campaign's zone; money is in whole minor units. Refusals are RFC 9457 problems; \
            a state conflict (409) is told before a wrong field (422)."
    ),
    servers((url = "/api/v1")),
    paths(
        campaigns::list, campaigns::one, campaigns::create, campaigns::edit, campaigns::publish, campaigns::extend,
        campaigns::close, campaigns::cancel, campaigns::batches,
        join::join, orders::list, orders::one, orders::cancel, orders::pay, orders::card, waiting::accept, changes::lines_of,
        after::refund, after::edit,
        after::list, after::create, after::resolve, after::withdraw,
        interest::answer, interest::list,
        ideas::public, ideas::list, ideas::one, ideas::create, ideas::edit, ideas::campaign,
        shortfall::one, shortfall::buy, disputes::list, disputes::one, disputes::answer,
        updates::list, updates::write, updates::correct,
        supply::suppliers, supply::create_supplier, supply::purchase_order, supply::send, supply::replace,
        supply::entries, papers::of_order, papers::list,
        goods::batch, dates::set, goods::receipts, goods::short, goods::create, goods::handover, goods::delivered, goods::list,
    ),
    components(schemas(Problem)),
    modifiers(&Key),
    tags(
        (name = "Campaigns", description = "Offers: what is sold, at which prices, until when."),
        (name = "Orders", description = "What shoppers committed to."),
        (name = "Interest", description = "What shoppers would buy, before anything is sold, and what they would like to see next."),
        (name = "Updates", description = "What the seller writes to everybody who joined."),
        (name = "Suppliers", description = "Whom the merchant buys from, and what was ordered there."),
        (name = "Goods", description = "What arrived, whom it was given to, and its parcels."),
        (name = "Disputes", description = "What banks take back or ask about, what is known, and the answer."),
        (name = "Journal", description = "The books."),
    )
)]
struct Document;

static JSON: LazyLock<String> = LazyLock::new(|| {
    Document::openapi()
        .to_json()
        .unwrap_or_else(|e| format!("{{\"error\": {:?}}}", e.to_string()))
});

/// The description.
pub(super) async fn json() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(JSON.as_str())
}

#[derive(Template)]
#[template(path = "api/docs.html")]
struct Page {
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    summary: Html,
    needs_key: bool,
    parameters: Vec<Parameter>,
    body: Option<String>,
    responses: Vec<(String, Html)>,
}

struct Parameter {
    name: String,
    place: String,
    required: bool,
    description: Html,
}

/// The page for people.
pub(super) async fn page() -> Result<HttpResponse, Fault> {
    let html = Page {
        operations: operations(),
    }
    .render()
    .map_err(|e| Trouble::Internal(format!("the description's page: {e}")))?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(html))
}

/// The operations as the description tells them: the page shows what programs read.
fn operations() -> Vec<Operation> {
    let document: serde_json::Value = serde_json::from_str(&JSON).unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let body = operation["requestBody"]["content"]
                .as_object()
                .and_then(|content| content.values().next())
                .map(|content| last_word(&content["schema"]));
            operations.push(Operation {
                id: text(&operation["operationId"]),
                method: method.to_uppercase(),
                path: format!("/api/v1{path}"),
                summary: prose(&operation["summary"]),
                needs_key: operation["security"]
                    .as_array()
                    .is_some_and(|all| all.len() == 1),
                parameters: operation["parameters"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|parameter| Parameter {
                        name: text(&parameter["name"]),
                        place: text(&parameter["in"]),
                        required: parameter["required"] == true,
                        description: prose(&parameter["description"]),
                    })
                    .collect(),
                body,
                responses: operation["responses"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(status, response)| (status.clone(), prose(&response["description"])))
                    .collect(),
            });
        }
    }
    operations
}

/// A sentence of the description, escaped; what stands between backticks is code.
fn prose(value: &serde_json::Value) -> Html {
    let mut html = String::new();
    for (i, part) in value.as_str().unwrap_or_default().split('`').enumerate() {
        let part = ammonia::clean_text(part);
        if i % 2 == 1 {
            html.push_str(&format!("<code>{part}</code>"));
        } else {
            html.push_str(&part);
        }
    }
    Html::sanitized(html)
}

/// The name of the schema that is referred to, wherever in it.
fn last_word(schema: &serde_json::Value) -> String {
    let reference = schema["$ref"].as_str().or_else(|| {
        schema["oneOf"]
            .as_array()?
            .iter()
            .find_map(|part| part["$ref"].as_str())
    });
    reference
        .and_then(|reference| reference.rsplit('/').next())
        .unwrap_or("JSON")
        .to_owned()
}
