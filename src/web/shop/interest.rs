//! The interest check of a campaign: the form on its page, and the answer behind its signed link. The link changes
//! nothing by being opened; only its forms do.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use url::form_urlencoded;

use super::form::{quantity, sentence};
use super::join::{empty, whole};
use super::linked::{in_private, sent_page};
use super::load::{self, Facts};
use super::{Shop, allow, trouble};
use crate::domain::campaign::CampaignState;
use crate::domain::ids::InterestId;
use crate::domain::money::{Money, parse_decimal};
use crate::domain::slug::is_valid_slug;
use crate::domain::text::{normalize_email, optional_line};
use crate::store::campaigns;
use crate::store::interest::InterestRow;
use crate::web::guard::{Client, Limit};
use crate::web::pages::{private, refuse, see_other};
use crate::web::theme;
use crate::web::view::{
    AnswerPage, AnswerStand, InterestForm, InterestInput, InterestOffer, JoinInput, Link, Paying,
    Problems, Sent, Shell, grouped,
};
use crate::workflows::desk::{Desk, Problem};
use crate::workflows::interest::{self, NewAnswer, WishLine};

/// Puts the routes in.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/c/{slug}/interest")
                .route(web::post().to(answer))
                .route(web::get().to(back)),
        )
        .route("/c/{slug}/interest/sent", web::get().to(sent))
        .route("/c/{slug}/interest/gone", web::get().to(gone))
        .service(
            web::resource("/i/{token}")
                .route(web::get().to(show))
                .route(web::head().to(show))
                .route(web::post().to(change)),
        )
        .route("/i/{token}/join", web::get().to(join))
        .route("/i/{token}/back", web::post().to(take_back));
}

impl Facts {
    /// What the interest form is made from.
    pub(super) fn interest_offer(&self, action: String, changes: bool) -> InterestOffer {
        let counts = self.draft.steps.counts();
        let options = self.draft.options.iter().map(|option| {
            let prices = option.prices.prices();
            let mut plan = format!("Planned: {}", self.say(option.prices.price_at(0)));
            let last = prices.len() - 1;
            if last > 0 && prices[last] < prices[0] {
                let from = grouped(counts[last]);
                plan = format!(
                    "{plan} at first, {} from {from} units",
                    self.say(prices[last])
                );
            }
            (option.sku.clone(), option.name.clone(), format!("{plan}."))
        });
        InterestOffer {
            action,
            options: options.collect(),
            seller: self.merchant.name.clone(),
            currency: self.draft.currency.iso(),
            changes,
        }
    }

    /// The interest form on its page, while it asks.
    pub(super) fn interest_form(
        &self,
        input: &InterestInput,
        problems: &Problems,
        now: DateTime<Utc>,
    ) -> Option<InterestForm> {
        interest::must_ask(&self.campaign, now.naive_utc()).ok()?;
        let action = format!("/c/{}/interest", self.campaign.slug);
        let offer = self.interest_offer(action, false);
        Some(InterestForm::new(offer, input, problems))
    }
}

/// Reads a form's body; fields it does not know are left out.
fn read(body: &[u8]) -> InterestInput {
    let mut input = InterestInput::default();
    for (name, value) in form_urlencoded::parse(body) {
        let value = value.into_owned();
        match name.as_ref() {
            "email" => input.email = value,
            "name" => input.name = value,
            other => {
                if let Some(sku) = other.strip_prefix("qty_") {
                    input.quantities.push((sku.to_owned(), value));
                } else if let Some(sku) = other.strip_prefix("up_") {
                    input.prices.push((sku.to_owned(), value));
                }
            }
        }
    }
    input
}

/// The lines and the name that were typed.
fn lines(
    facts: &Facts,
    input: &InterestInput,
    problems: &mut Problems,
) -> (Vec<WishLine>, Option<String>) {
    let mut lines = Vec::new();
    let mut wrong = false;
    for option in &facts.draft.options {
        let (count, price) = input.of(&option.sku);
        let count = match quantity(count) {
            Ok(count) => count,
            Err(why) => {
                problems.add(format!("qty_{}", option.sku), why);
                wrong = true;
                continue;
            }
        };
        if count == 0 {
            if !price.trim().is_empty() {
                let say = "Write how many, or leave the price empty.";
                problems.add(format!("qty_{}", option.sku), say);
                wrong = true;
            }
            continue;
        }
        match parse_decimal(price, facts.draft.currency) {
            Ok(up_to) => lines.push(WishLine {
                sku: option.sku.clone(),
                quantity: count,
                up_to,
            }),
            Err(why) => {
                problems.add(format!("up_{}", option.sku), sentence(&why.to_string()));
                wrong = true;
            }
        }
    }
    for error in interest::wrong_lines(&facts.draft, &lines) {
        match field_of(&error.field, &lines) {
            field if field == "options" && wrong => {}
            field => problems.add(field, sentence(&error.message)),
        }
    }
    let name = optional_line(Some(&input.name), 200).unwrap_or_else(|why| {
        problems.add("name", sentence(&why));
        None
    });
    (lines, name)
}

/// A workflow's name of a field as the form spells it.
fn field_of(field: &str, lines: &[WishLine]) -> String {
    let found = field.strip_prefix("lines[").and_then(|rest| {
        let (index, part) = rest.split_once("].")?;
        let line = lines.get(index.parse::<usize>().ok()?)?;
        let part = if part == "up_to" { "up" } else { "qty" };
        Some(format!("{part}_{}", line.sku))
    });
    found.unwrap_or_else(|| "options".to_owned())
}

async fn facts_of(shop: &Shop, slug: &str) -> Result<Facts, Problem> {
    let slug = slug.to_owned();
    let found = shop.office.read(move |conn| load::campaign(conn, &slug));
    found.await?.ok_or(Problem::NotFound("campaign"))
}

/// `POST /c/{slug}/interest`
async fn answer(
    shop: web::Data<Shop>,
    request: HttpRequest,
    client: Client,
    slug: web::Path<String>,
    body: Result<web::Bytes, actix_web::Error>,
) -> HttpResponse {
    let shell = Shell::public(theme::of(&request), &format!("/c/{slug}"), shop.sandbox());
    let body = match whole(body) {
        Ok(body) => body,
        Err(status) => return refuse(shell, status),
    };
    let facts = match facts_of(&shop, &slug).await {
        Ok(facts) => facts,
        Err(e) => return trouble::page(shell, &e),
    };
    let input = read(&body);
    let mut problems = Problems::default();
    if let Err(Problem::Conflict { message, .. }) =
        interest::must_ask(&facts.campaign, shop.office.now().naive_utc())
    {
        let say = format!("{message} Nothing was charged.");
        problems.add("", say);
        return again(&shop, &facts, shell, &input, problems, StatusCode::CONFLICT).await;
    }
    let (lines, name) = lines(&facts, &input, &mut problems);
    let email = normalize_email(&input.email).map_err(|why| problems.add("email", sentence(why)));
    let (Ok(email), true) = (email, problems.is_empty()) else {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return again(&shop, &facts, shell, &input, problems, status).await;
    };
    if let Err(too_many) = allow(&request, Limit::Interest, client) {
        let say = "Too many answers came from your network in a minute. Send it again later.";
        problems.add("", say);
        let status = StatusCode::TOO_MANY_REQUESTS;
        let answer = again(&shop, &facts, shell, &input, problems, status).await;
        return trouble::again_in(answer, too_many.retry_after);
    }
    let new = NewAnswer { email, name, lines };
    let name = facts.campaign.slug.clone();
    let kept = shop
        .office
        .write(move |desk: &Desk, tx| interest::answer(desk, tx, &name, &new));
    match kept.await {
        Ok(()) => see_other(&format!("/c/{}/interest/sent", facts.campaign.slug)),
        Err(Problem::Invalid(errors)) => {
            for error in errors {
                problems.add("options", error.message);
            }
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            again(&shop, &facts, shell, &input, problems, status).await
        }
        Err(e) => trouble::page(shell, &e),
    }
}

/// The campaign's page with the form as it was typed.
async fn again(
    shop: &Shop,
    facts: &Facts,
    shell: Shell,
    input: &InterestInput,
    problems: Problems,
    status: StatusCode,
) -> HttpResponse {
    let plain = (&empty(), Problems::default());
    match shop.campaign_page(facts, shell.clone(), plain).await {
        Ok(mut page) => {
            page.interest = facts.interest_form(input, &problems, shop.office.now());
            page.problems = problems;
            private(status, &page)
        }
        Err(e) => trouble::page(shell, &e),
    }
}

/// `GET /c/{slug}/interest`: a reload or the address bar, after a form; back to it.
async fn back(slug: web::Path<String>) -> HttpResponse {
    let slug = slug.into_inner();
    if is_valid_slug(&slug) {
        see_other(&format!("/c/{slug}#interest"))
    } else {
        see_other("/")
    }
}

async fn sent(
    shop: web::Data<Shop>,
    request: HttpRequest,
    slug: web::Path<String>,
) -> HttpResponse {
    after(&shop, &request, &slug, Sent::Answer).await
}

async fn gone(
    shop: web::Data<Shop>,
    request: HttpRequest,
    slug: web::Path<String>,
) -> HttpResponse {
    after(&shop, &request, &slug, Sent::AnswerGone).await
}

async fn after(shop: &Shop, request: &HttpRequest, slug: &str, sent: Sent) -> HttpResponse {
    in_private(shop, request, async |shell| {
        let facts = facts_of(shop, slug).await?;
        let about = campaign_link(&facts);
        Ok(sent_page(shell, &facts.merchant.slug, sent, about))
    })
    .await
}

fn campaign_link(facts: &Facts) -> Link {
    Link::new(format!("/c/{}", facts.campaign.slug), &facts.campaign.title)
}

/// An answer with its campaign.
struct Answered {
    row: InterestRow,
    lines: Vec<WishLine>,
    facts: Facts,
    path: String,
}

/// The answer a token opens; a foreign or damaged one opens none, and neither does that of one taken back.
async fn open(shop: &Shop, token: &str) -> Result<Answered, Problem> {
    let links = &shop.office.desk().links;
    let nothing = Problem::NotFound("answer");
    let id: InterestId = links.opens_interest(token).ok_or(nothing)?;
    let path = links.interest_path(id);
    let found = shop.office.read(move |conn| -> Result<_, Problem> {
        let row = interest::kept(conn, id)?;
        let lines = interest::kept_lines(conn, id)?;
        let campaign =
            campaigns::by_id(conn, row.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
        Ok((row, lines, load::facts(conn, campaign)?))
    });
    let (row, lines, facts) = found.await?;
    Ok(Answered {
        row,
        lines,
        facts,
        path,
    })
}

impl Answered {
    fn typed(&self) -> InterestInput {
        let currency = self.facts.draft.currency;
        let mut input = InterestInput {
            name: self.row.name.clone().unwrap_or_default(),
            ..InterestInput::default()
        };
        for line in &self.lines {
            let up_to = Money::new(line.up_to, currency).to_decimal();
            input
                .quantities
                .push((line.sku.clone(), line.quantity.to_string()));
            input.prices.push((line.sku.clone(), up_to));
        }
        input
    }

    /// The step that a join form waits for, where an answer named the most that it may cost: the first at which every line
    /// costs no more; the cheapest where none is cheap enough. Empty where it is in in any case.
    fn limit(&self) -> String {
        let draft = &self.facts.draft;
        if self.facts.paying() != Paying::OnSuccess {
            return String::new();
        }
        let is_cheap_enough = |at: &usize| {
            self.lines.iter().all(|line| {
                let option = draft.options.iter().find(|o| o.sku == line.sku);
                option.is_none_or(|o| o.prices.price_at(*at) <= line.up_to)
            })
        };
        let last = draft.steps.len() - 1;
        match (0..last).find(is_cheap_enough).unwrap_or(last) {
            0 => String::new(),
            at => at.to_string(),
        }
    }

    fn stand(&self, shop: &Shop, input: &InterestInput, problems: &Problems) -> AnswerStand {
        let facts = &self.facts;
        if facts.takes_orders(shop.office.now()) {
            return AnswerStand::Open(format!("{}/join", self.path));
        }
        match (facts.campaign.state, facts.campaign.opens_at) {
            (CampaignState::Interest, _)
                if interest::is_over(&facts.campaign, shop.office.now().naive_utc()) =>
            {
                AnswerStand::Asked
            }
            (CampaignState::Interest, _) => {
                let offer = facts.interest_offer(self.path.clone(), true);
                AnswerStand::Asking(Box::new(InterestForm::new(offer, input, problems)))
            }
            (CampaignState::Scheduled, Some(at)) => AnswerStand::Opens(facts.moment(at)),
            _ => AnswerStand::Over,
        }
    }

    fn page(
        &self,
        shop: &Shop,
        shell: Shell,
        input: &InterestInput,
        problems: Problems,
    ) -> AnswerPage {
        AnswerPage {
            shell: shell.of_seller(&self.facts.merchant.slug),
            campaign: campaign_link(&self.facts),
            lines: interest::said(&self.facts.draft, &self.lines),
            email: self.row.email.clone().unwrap_or_default(),
            at: self.facts.moment(self.row.changed_at),
            stand: self.stand(shop, input, &problems),
            problems,
            back_action: format!("{}/back", self.path),
        }
    }
}

/// What stands behind the `?` after a form.
#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    said: String,
}

/// `GET /i/{token}`
async fn show(
    shop: web::Data<Shop>,
    request: HttpRequest,
    token: web::Path<String>,
    said: Option<web::Query<Said>>,
) -> HttpResponse {
    in_private(&shop, &request, async |mut shell| {
        let found = open(&shop, &token).await?;
        if said.is_some_and(|s| s.said == "changed") {
            shell.flash = Some("Your changed answer is kept.".to_owned());
        }
        let page = found.page(&shop, shell, &found.typed(), Problems::default());
        Ok(private(StatusCode::OK, &page))
    })
    .await
}

/// `POST /i/{token}`
async fn change(
    shop: web::Data<Shop>,
    request: HttpRequest,
    token: web::Path<String>,
    body: Result<web::Bytes, actix_web::Error>,
) -> HttpResponse {
    in_private(&shop, &request, async |shell| {
        let body = match whole(body) {
            Ok(body) => body,
            Err(status) => return Ok(refuse(shell, status)),
        };
        let found = open(&shop, &token).await?;
        let input = read(&body);
        let mut problems = Problems::default();
        let (lines, name) = lines(&found.facts, &input, &mut problems);
        let now = shop.office.now().naive_utc();
        let asks = interest::must_ask(&found.facts.campaign, now).is_ok();
        if asks && !problems.is_empty() {
            let page = found.page(&shop, shell, &input, problems);
            return Ok(private(StatusCode::UNPROCESSABLE_ENTITY, &page));
        }
        let id = found.row.id;
        shop.office
            .write(move |_, tx| interest::change(tx, id, name.as_deref(), &lines).map(drop))
            .await?;
        Ok(see_other(&format!("{}?said=changed", found.path)))
    })
    .await
}

/// `GET /i/{token}/join`: the join form with the answer filled in.
async fn join(
    shop: web::Data<Shop>,
    request: HttpRequest,
    token: web::Path<String>,
) -> HttpResponse {
    in_private(&shop, &request, async |mut shell| {
        let found = open(&shop, &token).await?;
        if !found.facts.takes_orders(shop.office.now()) {
            return Ok(see_other(&found.path));
        }
        shell.flash = Some(
            "Your answer is filled in below. Nothing is ordered yet: change what you like."
                .to_owned(),
        );
        let input = JoinInput {
            quantities: found.typed().quantities,
            email: found.row.email.clone().unwrap_or_default(),
            name: found.row.name.clone().unwrap_or_default(),
            limit_step: found.limit(),
            ..JoinInput::default()
        };
        let typed = (&input, Problems::default());
        let page = shop.campaign_page(&found.facts, shell, typed).await?;
        Ok(private(StatusCode::OK, &page))
    })
    .await
}

/// `POST /i/{token}/back`
async fn take_back(
    shop: web::Data<Shop>,
    request: HttpRequest,
    token: web::Path<String>,
) -> HttpResponse {
    in_private(&shop, &request, async |_| {
        let found = open(&shop, &token).await?;
        let id = found.row.id;
        shop.office
            .write(move |_, tx| interest::take_back(tx, id))
            .await?;
        let gone = format!("/c/{}/interest/gone", found.facts.campaign.slug);
        Ok(see_other(&gone))
    })
    .await
}
