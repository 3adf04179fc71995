//! A delay notice behind its signed link (domain section 6). The link decides nothing, whatever stands behind its `?`:
//! mail scanners follow links. Only the form does.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::frame;
use super::page::{self, Consent, Facts};
use crate::domain::ids::NoticeId;
use crate::domain::promise::{Answer, NoticeKind, NoticeState, Standing, day_after};
use crate::store::notices::{self, NoticeRow};
use crate::store::{Conn, Tx};
use crate::web::guard::Client;
use crate::web::pages::{private, see_other};
use crate::web::shop::trouble;
use crate::web::view::{
    Badge, CancelInstead, Day, DelayOutcome, DelayPage, DelayStand, Link, Tone, cancel_words,
};
use crate::workflows::desk::{Desk, Problem, order_number};
use crate::workflows::links::Links;
use crate::workflows::notices as engine;
use crate::workflows::office::Office;

/// What stands behind the `?`, or in the form.
#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default)]
    answer: String,
}

/// Puts the routes in.
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/d/{token}")
            .route(web::get().to(show))
            .route(web::head().to(show))
            .route(web::post().to(answer)),
    );
}

/// A notice's page.
pub fn path_of(links: &Links, row: &NoticeRow) -> String {
    format!("/d/{}", links.notice_token(row.id))
}

/// A notice that asks nothing any more: tone and words of its badge, headline, and a paragraph each.
type Closed = (Tone, &'static str, String, Vec<String>);

/// A notice with its order.
struct Noticed {
    facts: Facts,
    /// Which of the order's notices it is.
    index: usize,
}

fn read(conn: &mut Conn, id: NoticeId) -> Result<Noticed, Problem> {
    let row = notices::by_id(conn, id)?.ok_or(Problem::NotFound("notice"))?;
    let facts = page::read(conn, row.order_id)?;
    let index = facts
        .consent()
        .and_then(|c| c.rows.iter().position(|r| r.id == id));
    Ok(Noticed {
        index: index.ok_or(Problem::NotFound("notice"))?,
        facts,
    })
}

/// The notice a token opens; a foreign or damaged one opens none.
async fn open(office: &Office, token: &str) -> Result<(NoticeId, Noticed), Problem> {
    let nothing = Problem::NotFound("notice");
    let id = office.desk().links.opens_notice(token).ok_or(nothing)?;
    let found = office.read(move |conn| read(conn, id)).await?;
    Ok((id, found))
}

/// `GET /d/{token}`
async fn show(
    office: web::Data<Office>,
    request: HttpRequest,
    token: web::Path<String>,
    asked: Option<web::Query<Asked>>,
) -> HttpResponse {
    let (_, found) = match open(&office, &token).await {
        Ok(found) => found,
        Err(e) => return trouble::page(frame(&office, &request, "/"), &e),
    };
    let chosen = asked.and_then(|a| a.answer.parse().ok());
    let page = found.page(&office, &request, chosen);
    private(StatusCode::OK, &page)
}

/// `POST /d/{token}`
async fn answer(
    office: web::Data<Office>,
    request: HttpRequest,
    client: Client,
    token: web::Path<String>,
    form: Option<web::Form<Asked>>,
) -> HttpResponse {
    let (id, found) = match open(&office, &token).await {
        Ok(found) => found,
        Err(e) => return trouble::page(frame(&office, &request, "/"), &e),
    };
    let said = form.and_then(|f| f.answer.parse::<Answer>().ok());
    let Some(said) = said else {
        let mut page = found.page(&office, &request, None);
        page.error = Some(
            "Nothing was decided. Press one of the buttons: keep waiting, or cancel.".to_owned(),
        );
        return private(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let from = client.address().to_string();
    let given = office
        .write(move |desk: &Desk, tx: &mut Tx| engine::answer(desk, tx, id, said, &from))
        .await;
    match given {
        Ok(_) => see_other(&found.path(&office)),
        Err(Problem::Conflict { message, .. }) => {
            refused(&office, &request, &token, said, message).await
        }
        Err(e) => trouble::page(frame(&office, &request, &found.path(&office)), &e),
    }
}

/// An answer that came too late: the notice's page as it is now, with why.
async fn refused(
    office: &Office,
    request: &HttpRequest,
    token: &str,
    said: Answer,
    why: String,
) -> HttpResponse {
    match open(office, token).await {
        // The second of two clicks.
        Ok((_, found)) if said == Answer::Cancel && found.is_refused() => {
            see_other(&found.path(office))
        }
        Ok((_, found)) => {
            let mut page = found.page(office, request, None);
            page.error = Some(why);
            private(StatusCode::CONFLICT, &page)
        }
        Err(e) => trouble::page(frame(office, request, "/"), &e),
    }
}

impl Noticed {
    fn consent(&self) -> Option<&Consent> {
        self.facts.consent()
    }

    fn row(&self) -> Option<&NoticeRow> {
        self.consent()?.rows.get(self.index)
    }

    /// Whether *cancel* was said to it.
    fn is_refused(&self) -> bool {
        self.row().is_some_and(|row| row.cancelled_at.is_some())
    }

    fn path(&self, office: &Office) -> String {
        let links = &office.desk().links;
        self.row()
            .map_or_else(|| "/".to_owned(), |row| path_of(links, row))
    }

    fn page(&self, office: &Office, request: &HttpRequest, chosen: Option<Answer>) -> DelayPage {
        let now = office.now();
        let path = self.path(office);
        let order_href = office.desk().links.order_path(self.facts.order.id);
        let (stand, badge) = self.stand(&office.desk().links, &path, &order_href, chosen, now);
        let seller = self.facts.seller();
        let instead = matches!(stand, DelayStand::Closed(_)).then(|| self.instead(&path, now));
        DelayPage {
            shell: frame(office, request, &path).of_seller(&seller.slug),
            number: order_number(self.facts.order.number),
            title: self.facts.title().to_owned(),
            order_href,
            badge,
            stand,
            error: None,
            cancel_instead: instead.flatten(),
            seller_name: seller.name.clone(),
            seller_href: format!("/m/{}", seller.slug),
        }
    }

    /// *Cancel* while it is possible, where it is not one of two choices.
    fn instead(&self, path: &str, now: DateTime<Utc>) -> Option<CancelInstead> {
        let lapsed = matches!(self.facts.standing(now), Some(Standing::Lapsed { .. }));
        if lapsed || !self.facts.may_cancel_late(now) {
            return None;
        }
        let (amount, part) = (self.facts.late_back(), self.consent()?.part_shipped());
        let back = match (&amount, part) {
            (None, _) => String::new(),
            (Some(amount), false) => {
                format!(" {amount} goes back to your card at once, shipping included.")
            }
            (Some(amount), true) => {
                format!(" What was shipped stays yours; {amount} goes back to your card at once.")
            }
        };
        Some(CancelInstead {
            action: path.to_owned(),
            text: format!("You may cancel until the parcel is with the carrier.{back}"),
            button: cancel_words(amount.as_deref(), part),
        })
    }

    /// What stands first: the notice, or what became of it.
    fn stand(
        &self,
        links: &Links,
        path: &str,
        order_href: &str,
        chosen: Option<Answer>,
        now: DateTime<Utc>,
    ) -> (DelayStand, Badge) {
        let closed = |(tone, badge, title, lines): Closed| {
            let outcome = DelayOutcome {
                tone,
                title,
                lines,
                way: Some(Link::new(order_href, "See your order")),
            };
            (DelayStand::Closed(outcome), Badge::new(tone, badge))
        };
        let (Some(consent), Some(standing)) = (self.consent(), self.facts.standing(now)) else {
            let lines = vec!["There is nothing to answer.".to_owned()];
            let title = "This order has no delay".to_owned();
            return closed((Tone::Idle, "Over", title, lines));
        };
        let row = &consent.rows[self.index];
        if let Some(over) = self.settled(consent, row, standing) {
            return closed(over);
        }
        if row.kind == NoticeKind::Told {
            let (title, lines) = told(row);
            return closed((Tone::Live, "For you to know", title, lines));
        }
        if let Some(newer) = consent.last_asked().filter(|at| *at > self.index) {
            let lines = vec![
                "The date moved again since, and we wrote to you. Answer the newer notice: what it says about silence \
                 and days is what counts."
                    .to_owned(),
            ];
            let outcome = DelayOutcome {
                tone: Tone::Wait,
                title: "There is a newer notice".to_owned(),
                lines,
                way: Some(Link::new(
                    path_of(links, &consent.rows[newer]),
                    "Read the newer notice",
                )),
            };
            let badge = Badge::new(Tone::Idle, "Replaced");
            return (DelayStand::Closed(outcome), badge);
        }
        if consent.is_open(self.index, self.facts.today(now))
            && let Some(mut offer) = self.facts.delay_offer(self.index, path.to_owned())
        {
            offer.chosen = chosen;
            let badge = Badge::new(Tone::Wait, "Waiting for your answer");
            return (DelayStand::Open(Box::new(offer)), badge);
        }
        let (title, lines) = self.agreed(row, standing);
        closed((Tone::Good, "You keep waiting", title, lines))
    }

    /// What became of an order of which nothing is asked any more, whatever the notice said: nothing where it still waits.
    fn settled(&self, consent: &Consent, row: &NoticeRow, standing: Standing) -> Option<Closed> {
        let back = || {
            self.facts.late_back().map_or_else(String::new, |amount| {
                format!("{amount} goes back to the card you paid with. ")
            })
        };
        if let Some(reason) = consent.given_up() {
            let lines = vec![
                reason.to_owned(),
                format!(
                    "{}You need not do anything. Banks take up to 10 days to show it.",
                    back()
                ),
            ];
            let title = "The seller will not ship it".to_owned();
            return Some((Tone::Wait, "Refund on its way", title, lines));
        }
        match standing {
            Standing::Shipped if row.cancelled_at.is_some() => {
                let title = "You cancelled what was not shipped".to_owned();
                let (_, lines) = self.over(row);
                Some((Tone::Good, "The rest is cancelled", title, lines))
            }
            Standing::Shipped => {
                let lines = vec![
                    "There is nothing to answer any more: the parcel is with the carrier. Your order's page says how \
                     to follow it."
                        .to_owned(),
                ];
                let title = "It has been shipped".to_owned();
                Some((Tone::Good, "Shipped", title, lines))
            }
            Standing::Cancelled => {
                let (title, lines) = self.over(row);
                Some(if self.facts.order.refund_due > 0 {
                    (Tone::Wait, "Refund on its way", title, lines)
                } else {
                    (Tone::Good, "Cancelled", title, lines)
                })
            }
            Standing::Lapsed { last_day, .. } => {
                let title = format!("The last day was {}", Day(last_day).text());
                let lines = vec![format!(
                    "Your refund is on its way. {}You need not do anything. Banks take up to 10 days to show it.",
                    back()
                )];
                Some((Tone::Wait, "Refund on its way", title, lines))
            }
            Standing::Promised { .. }
            | Standing::Agreed { .. }
            | Standing::OpenEnded { .. }
            | Standing::Asked { .. } => None,
        }
    }

    /// What was agreed: nothing is asked now.
    fn agreed(&self, row: &NoticeRow, standing: Standing) -> (String, Vec<String>) {
        let mut lines = Vec::new();
        if let Some(at) = row.waited_at {
            lines.push(format!("You said so on {}.", self.facts.moment(at).text()));
        }
        if row.state == NoticeState::Undelivered && row.waited_at.is_none() {
            lines.push(
                "The mail with this notice did not arrive, so it counts for nothing.".to_owned(),
            );
        }
        let amount = self.facts.late_back().unwrap_or_default();
        let (title, until) = match standing {
            Standing::OpenEnded { stop_loss } => {
                ("You keep waiting, without a date".to_owned(), stop_loss)
            }
            Standing::Agreed { until, .. }
            | Standing::Asked { until, .. }
            | Standing::Promised { until } => (
                format!("You keep waiting until {}", Day(until).text()),
                until,
            ),
            Standing::Lapsed { last_day, .. } => ("The last day is over".to_owned(), last_day),
            Standing::Cancelled | Standing::Shipped => return (String::new(), lines),
        };
        let unless = match standing {
            Standing::OpenEnded { .. } => "",
            _ => ", unless you agree to another date before",
        };
        lines.push(format!(
            "If it is not shipped by the end of {}, {amount} goes back to your card on {}{unless}.",
            Day(until).text(),
            Day(day_after(until)).text()
        ));
        (title, lines)
    }

    /// It was cancelled: by this notice, or otherwise.
    fn over(&self, row: &NoticeRow) -> (String, Vec<String>) {
        let title = match row.cancelled_at {
            Some(_) => "You cancelled this order".to_owned(),
            None => "This order is cancelled".to_owned(),
        };
        let mut lines = Vec::new();
        if let Some(at) = row.cancelled_at {
            lines.push(format!("You said so on {}.", self.facts.moment(at).text()));
        }
        lines.push(self.facts.money_back());
        (title, lines)
    }
}

/// A date that is only told.
fn told(row: &NoticeRow) -> (String, Vec<String>) {
    let title = match row.revised {
        Some(day) => format!("It ships by {}", Day(day).text()),
        None => "The new date is not known".to_owned(),
    };
    let mut lines = vec![row.reason.clone()];
    lines.retain(|line| !line.is_empty());
    lines.push("There is nothing to answer: what you agreed to stays.".to_owned());
    (title, lines)
}
