//! Votes for what to run next: an idea's page with its form, and a vote behind its signed link. The link counts nothing
//! by being opened; only its form does.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::form::sentence;
use super::linked::{in_private, sent_page};
use super::{Shop, allow, trouble};
use crate::domain::ids::{IdeaId, MerchantId, VoteId};
use crate::domain::interest::IdeaState;
use crate::domain::text::{markdown_summary, markdown_to_html, normalize_email};
use crate::store::Conn;
use crate::store::ideas::{self as rows, IdeaRow};
use crate::store::merchants::{self, MerchantRow};
use crate::web::guard::{Client, Limit};
use crate::web::pages::{private, see_other};
use crate::web::theme;
use crate::web::view::{
    Html, IdeaCard, IdeaPage, IdeaStand, Link, Problems, Sent, Shell, VotePage,
};
use crate::workflows::desk::{Desk, Problem};
use crate::workflows::ideas;

/// The most ideas a merchant's page shows.
const MOST: i64 = 40;

/// Puts the routes in.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/m/{slug}/ideas/{id}")
                .route(web::get().to(show))
                .route(web::head().to(show))
                .route(web::post().to(vote)),
        )
        .route("/m/{slug}/ideas/{id}/sent", web::get().to(sent))
        .route("/m/{slug}/ideas/{id}/gone", web::get().to(gone))
        .service(
            web::resource("/v/{token}")
                .route(web::get().to(link))
                .route(web::head().to(link))
                .route(web::post().to(confirm)),
        )
        .route("/v/{token}/back", web::post().to(take_back));
}

/// A merchant's ideas as its page lists them, most votes first.
///
/// # Errors
/// What the database says.
pub fn cards(conn: &mut Conn, merchant: MerchantId, slug: &str) -> Result<Vec<IdeaCard>, Problem> {
    let all = rows::of_merchant(conn, merchant, &ideas::SHOWN, MOST)?;
    let running = ideas::campaigns_of(conn, &all)?;
    Ok(all
        .iter()
        .map(|row| IdeaCard {
            title: row.title.clone(),
            summary: markdown_summary(&row.body, 160),
            href: format!("/m/{slug}/ideas/{}", row.id),
            votes: row.votes,
            stand: stand(row, running.get(&row.id)),
        })
        .collect())
}

fn stand(row: &IdeaRow, campaign: Option<&(String, String)>) -> IdeaStand {
    match row.state {
        IdeaState::Open => IdeaStand::Open,
        IdeaState::Ended | IdeaState::Hidden => IdeaStand::Ended,
        IdeaState::Running => {
            IdeaStand::Running(campaign.map(|(slug, title)| Link::new(format!("/c/{slug}"), title)))
        }
    }
}

/// An idea that the public sees, with whose it is.
struct Found {
    idea: IdeaRow,
    merchant: MerchantRow,
    stand: IdeaStand,
}

async fn find(shop: &Shop, slug: &str, id: &str) -> Result<Found, Problem> {
    let id: IdeaId = id.parse().map_err(|_| Problem::NotFound("idea"))?;
    let slug = slug.to_owned();
    let found = shop.office.read(move |conn| -> Result<_, Problem> {
        let idea = rows::by_id(conn, id)?
            .filter(|row| row.state != IdeaState::Hidden)
            .ok_or(Problem::NotFound("idea"))?;
        let merchant = merchants::by_id(conn, idea.merchant_id)?
            .filter(|m| m.slug == slug)
            .ok_or(Problem::NotFound("idea"))?;
        let running = ideas::campaigns_of(conn, std::slice::from_ref(&idea))?;
        Ok(Found {
            stand: stand(&idea, running.get(&idea.id)),
            idea,
            merchant,
        })
    });
    found.await
}

impl Found {
    fn href(&self) -> String {
        format!("/m/{}/ideas/{}", self.merchant.slug, self.idea.id)
    }

    fn seller(&self) -> Link {
        Link::new(format!("/m/{}", self.merchant.slug), &self.merchant.name)
    }

    fn page(&self, shell: Shell, typed: (&str, bool), problems: Problems) -> IdeaPage {
        IdeaPage {
            shell: shell.of_seller(&self.merchant.slug),
            seller: self.seller(),
            title: self.idea.title.clone(),
            body: Html::sanitized(markdown_to_html(&self.idea.body)),
            votes: self.idea.votes,
            stand: self.stand.clone(),
            action: self.href(),
            email: IdeaPage::field(typed.0, &problems),
            tells: typed.1,
            problems,
        }
    }
}

fn shell(shop: &Shop, request: &HttpRequest) -> Shell {
    Shell::public(theme::of(request), request.path(), shop.sandbox())
}

/// `GET /m/{slug}/ideas/{id}`
async fn show(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let shell = shell(&shop, &request);
    match find(&shop, &path.0, &path.1).await {
        Ok(found) => {
            let page = found.page(shell, ("", true), Problems::default());
            private(StatusCode::OK, &page)
        }
        Err(e) => trouble::page(shell, &e),
    }
}

/// What the forms send.
#[derive(Default, Deserialize)]
struct Typed {
    #[serde(default)]
    email: String,
    #[serde(default)]
    tells: String,
}

/// `POST /m/{slug}/ideas/{id}`
async fn vote(
    shop: web::Data<Shop>,
    request: HttpRequest,
    client: Client,
    path: web::Path<(String, String)>,
    form: Option<web::Form<Typed>>,
) -> HttpResponse {
    let shell = shell(&shop, &request);
    let found = match find(&shop, &path.0, &path.1).await {
        Ok(found) => found,
        Err(e) => return trouble::page(shell, &e),
    };
    let typed = form.map(web::Form::into_inner).unwrap_or_default();
    let tells = typed.tells == "1";
    let kept = (typed.email.as_str(), tells);
    let mut problems = Problems::default();
    let email = match normalize_email(&typed.email) {
        Ok(email) => email,
        Err(why) => {
            problems.add("email", sentence(why));
            let page = found.page(shell, kept, problems);
            return private(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    if let Err(too_many) = allow(&request, Limit::Interest, client) {
        let say = "Too many votes came from your network in a minute. Send it again later.";
        problems.add("", say);
        let page = found.page(shell, kept, problems);
        let answer = private(StatusCode::TOO_MANY_REQUESTS, &page);
        return trouble::again_in(answer, too_many.retry_after);
    }
    let (merchant, id) = (found.merchant.id, found.idea.id);
    let cast = shop
        .office
        .write(move |desk: &Desk, tx| ideas::vote(desk, tx, merchant, id, &email, tells));
    match cast.await {
        Ok(()) => see_other(&format!("{}/sent", found.href())),
        Err(e) => trouble::page(shell, &e),
    }
}

async fn sent(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    after(&shop, &request, &path, Sent::Vote).await
}

async fn gone(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    after(&shop, &request, &path, Sent::VoteGone).await
}

async fn after(
    shop: &Shop,
    request: &HttpRequest,
    path: &(String, String),
    sent: Sent,
) -> HttpResponse {
    in_private(shop, request, async |shell| {
        let found = find(shop, &path.0, &path.1).await?;
        let about = Link::new(found.href(), &found.idea.title);
        Ok(sent_page(shell, &found.merchant.slug, sent, about))
    })
    .await
}

/// The vote a token opens; a foreign or damaged one opens none, and neither does that of one taken back.
fn opened(shop: &Shop, token: &str) -> Result<(VoteId, String), Problem> {
    let links = &shop.office.desk().links;
    let id = links.opens_vote(token).ok_or(Problem::NotFound("vote"))?;
    Ok((id, links.vote_path(id)))
}

/// `GET /v/{token}`
async fn link(
    shop: web::Data<Shop>,
    request: HttpRequest,
    token: web::Path<String>,
) -> HttpResponse {
    in_private(&shop, &request, async |shell| {
        let (id, action) = opened(&shop, &token)?;
        let found = shop.office.read(move |conn| -> Result<_, Problem> {
            let (vote, idea) = ideas::kept(conn, id)?;
            let merchant =
                merchants::by_id(conn, idea.merchant_id)?.ok_or(Problem::NotFound("merchant"))?;
            Ok((vote, idea, merchant))
        });
        let (vote, idea, merchant) = found.await?;
        let page = VotePage {
            shell: shell.of_seller(&merchant.slug),
            seller: Link::new(format!("/m/{}", merchant.slug), &merchant.name),
            idea: Link::new(
                format!("/m/{}/ideas/{}", merchant.slug, idea.id),
                &idea.title,
            ),
            email: vote.email.unwrap_or_default(),
            counts: vote.confirmed_at.is_some(),
            open: idea.state == IdeaState::Open,
            votes: idea.votes,
            tells: vote.tells,
            action,
        };
        Ok(private(StatusCode::OK, &page))
    })
    .await
}

/// `POST /v/{token}`
async fn confirm(
    shop: web::Data<Shop>,
    request: HttpRequest,
    token: web::Path<String>,
    form: Option<web::Form<Typed>>,
) -> HttpResponse {
    let tells = form.is_some_and(|f| f.tells == "1");
    in_private(&shop, &request, async |_| {
        let (id, path) = opened(&shop, &token)?;
        shop.office
            .write(move |_, tx| ideas::confirm(tx, id, tells))
            .await?;
        Ok(see_other(&path))
    })
    .await
}

/// `POST /v/{token}/back`
async fn take_back(
    shop: web::Data<Shop>,
    request: HttpRequest,
    token: web::Path<String>,
) -> HttpResponse {
    in_private(&shop, &request, async |_| {
        let (id, _) = opened(&shop, &token)?;
        let gone = shop.office.write(move |_, tx| -> Result<_, Problem> {
            let (_, idea) = ideas::kept(tx.conn, id)?;
            let merchant = merchants::by_id(tx.conn, idea.merchant_id)?
                .ok_or(Problem::NotFound("merchant"))?;
            ideas::take_back(tx, id)?;
            Ok(match idea.state {
                IdeaState::Hidden => format!("/m/{}", merchant.slug),
                _ => format!("/m/{}/ideas/{}/gone", merchant.slug, idea.id),
            })
        });
        Ok(see_other(&gone.await?))
    })
    .await
}
