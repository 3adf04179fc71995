//! The way back to an order whose link is lost: there are no accounts. The answer is always the same, so that nobody can
//! ask whether an address has ordered here.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::{Shop, allow, trouble};
use crate::domain::text::normalize_email;
use crate::store::Tx;
use crate::store::{campaigns, orders};
use crate::web::guard::{Client, Limit};
use crate::web::pages::{private, refuse, see_other};
use crate::web::theme;
use crate::web::view::{LinkAgainPage, LinkSentPage, Shell};
use crate::workflows::desk::{Desk, Post, Problem, order_number};
use crate::workflows::letters::Letter;

/// The most orders one letter names.
const MOST: i64 = 200;
/// An address is written to once in so many seconds.
const EVERY: i64 = 600;

/// Puts the routes in.
pub fn configure(config: &mut web::ServiceConfig) {
    for path in ["/orders", "/orders/link"] {
        config.service(
            web::resource(path)
                .route(web::get().to(form))
                .route(web::post().to(send)),
        );
    }
    config.route("/orders/link/sent", web::get().to(sent));
}

#[derive(Default, Deserialize)]
struct Typed {
    #[serde(default)]
    email: String,
}

fn shell(shop: &Shop, request: &HttpRequest) -> Shell {
    Shell::public(theme::of(request), "/orders/link", shop.sandbox())
}

async fn form(shop: web::Data<Shop>, request: HttpRequest) -> HttpResponse {
    let page = LinkAgainPage {
        shell: shell(&shop, &request),
        email: LinkAgainPage::field("", None),
    };
    private(StatusCode::OK, &page)
}

async fn sent(shop: web::Data<Shop>, request: HttpRequest) -> HttpResponse {
    let page = LinkSentPage {
        shell: shell(&shop, &request),
    };
    private(StatusCode::OK, &page)
}

async fn send(
    shop: web::Data<Shop>,
    request: HttpRequest,
    client: Client,
    typed: Option<web::Form<Typed>>,
) -> HttpResponse {
    let typed = typed.map(|t| t.into_inner().email).unwrap_or_default();
    let email = match normalize_email(&typed) {
        Ok(email) => email,
        Err(why) => {
            let why = format!("This is not an e-mail address: {why}.");
            let page = LinkAgainPage {
                shell: shell(&shop, &request),
                email: LinkAgainPage::field(&typed, Some(why)),
            };
            return private(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    if let Err(too_many) = allow(&request, Limit::LinkAgain, client) {
        let answer = refuse(shell(&shop, &request), StatusCode::TOO_MANY_REQUESTS);
        return trouble::again_in(answer, too_many.retry_after);
    }
    let post = move |desk: &Desk, tx: &mut Tx| post(desk, tx, &email);
    match shop.office.write(post).await {
        Ok(()) => see_other("/orders/link/sent"),
        Err(e) => trouble::page(shell(&shop, &request), &e),
    }
}

/// Writes the letter with all links of an address; nothing where it has none.
fn post(desk: &Desk, tx: &mut Tx, email: &str) -> Result<(), Problem> {
    let mut named = Vec::new();
    for order in orders::of_email(tx.conn, email, MOST)? {
        let campaign = campaigns::by_id(tx.conn, order.campaign_id)?;
        let title = campaign.map(|c| c.title).unwrap_or_default();
        let link = desk.links.order_url(order.id);
        named.push((title, order_number(order.number), link));
    }
    if named.is_empty() {
        return Ok(());
    }
    let window = tx.now.timestamp().div_euclid(EVERY);
    desk.post(
        tx,
        Post {
            once: format!("link_again:{email}:{window}"),
            to: email,
            reply_to: None,
            concerns: None,
            purchase_order: None,
            letter: Letter::LinkAgain {
                server: desk.links.server().to_owned(),
                orders: named,
            },
        },
    )
}
