//! Who is asking, what that person may do, and how the panel says no.

use std::fmt;

use actix_session::{Session, SessionExt};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use futures_util::future::{FutureExt, LocalBoxFuture};

use super::{IDLE_HOURS, today};
use crate::domain::ids::StaffId;
use crate::domain::staff::Role;
use crate::store::merchants::{self, MerchantRow, StaffRow};
use crate::web::pages;
use crate::web::theme;
use crate::web::view::{Link, PanelShell};
use crate::workflows::accounts::{fingerprint, log_out as log_out_everywhere};
use crate::workflows::desk::Problem;
use crate::workflows::office::Office;
use crate::workflows::ports::{Clock, SystemClock};

/// Keys of what a session holds.
const PERSON: &str = "person";
const MARK: &str = "mark";
const SEEN: &str = "seen";
const FLASH: &str = "flash";

/// Why the panel says no.
#[derive(Debug)]
pub enum Refusal {
    /// Nobody is logged in.
    LogIn,
    /// The role does not allow it; which one does.
    Role(&'static str),
    /// There is no such page, or it is another merchant's.
    NotFound,
    /// The form could not be read.
    Form(String),
    /// A workflow said no.
    Problem(Problem),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::NotFound(_) => Refusal::NotFound,
            other => Refusal::Problem(other),
        }
    }
}

impl From<crate::store::StoreError> for Refusal {
    fn from(e: crate::store::StoreError) -> Self {
        Problem::from(e).into()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Refusal {}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Refusal::LogIn => StatusCode::SEE_OTHER,
            Refusal::Role(_) => StatusCode::FORBIDDEN,
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::Form(_) => StatusCode::BAD_REQUEST,
            Refusal::Problem(problem) => match problem {
                Problem::NotFound(_) => StatusCode::NOT_FOUND,
                Problem::Conflict { .. } => StatusCode::CONFLICT,
                Problem::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
                Problem::Busy(_) | Problem::Again(_) => StatusCode::SERVICE_UNAVAILABLE,
                Problem::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    fn error_response(&self) -> HttpResponse {
        // `frame` draws the page around it.
        HttpResponse::new(self.status_code())
    }
}

impl Refusal {
    fn words(&self) -> (String, String) {
        let said = |title: &str, text: &str| (title.to_owned(), text.to_owned());
        match self {
            Refusal::LogIn => said("Log in first", "This page is for staff."),
            Refusal::Role(needed) => (
                "Your role does not allow this".to_owned(),
                format!("It needs the role {needed}. Ask the owner of the shop."),
            ),
            Refusal::NotFound => said(
                "There is no such page",
                "The address may have a slip of the pen in it, or the thing belongs to another shop.",
            ),
            Refusal::Form(_) => said(
                "This could not be read",
                "The form did not arrive whole. Go back and send it again.",
            ),
            Refusal::Problem(problem) => match problem {
                Problem::Conflict { message, .. } => {
                    ("It cannot be done now".to_owned(), message.clone())
                }
                Problem::Invalid(errors) => (
                    "Something is not filled in right".to_owned(),
                    errors
                        .iter()
                        .map(|e| e.message.clone())
                        .collect::<Vec<_>>()
                        .join(" "),
                ),
                Problem::Busy(_) => said(
                    "The server is busy",
                    "It cannot take this at the moment. Nothing was changed. Try again in a minute.",
                ),
                Problem::Again(_) => said(
                    "The server could not finish this",
                    "Look whether it was done before you try again.",
                ),
                Problem::NotFound(_) | Problem::Internal(_) => said(
                    "The server made a mistake",
                    "It is written down in the log. Look whether it was done before you try again.",
                ),
            },
        }
    }
}

/// A page of the panel that says no.
#[derive(Template)]
#[template(path = "admin/refusal.html")]
struct RefusalPage {
    shell: PanelShell,
    title: String,
    text: String,
    ways: Vec<Link>,
}

/// Draws refusals as pages.
pub async fn frame<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?;
    let refusal = match response.response().error() {
        Some(error) => error.as_error::<Refusal>().map(|refusal| {
            let path = response.request().path();
            match refusal {
                Refusal::Problem(problem @ Problem::Internal(_)) => {
                    log::error!("panel, {path}: {problem}");
                }
                Refusal::Form(why) => log::info!("panel, {path}: {why}"),
                _ => {}
            }
            draw(response.request(), refusal)
        }),
        None => (response.status() == StatusCode::NOT_FOUND
            && !response.headers().contains_key(header::CONTENT_TYPE))
        .then(|| draw(response.request(), &Refusal::NotFound)),
    };
    Ok(match refusal {
        Some(answer) => response.into_response(answer),
        None => response.map_into_boxed_body(),
    })
}

fn draw(request: &HttpRequest, refusal: &Refusal) -> HttpResponse {
    if matches!(refusal, Refusal::LogIn) {
        let back = request
            .uri()
            .path_and_query()
            .map_or("/admin", |path| path.as_str());
        let to = if request.method() == Method::GET && back != "/admin" {
            format!("/admin/login?next={}", escape(back))
        } else {
            "/admin/login".to_owned()
        };
        return pages::see_other(&to);
    }
    let (title, text) = refusal.words();
    let shell = request.extensions().get::<PanelShell>().cloned();
    let page = RefusalPage {
        shell: shell.unwrap_or_else(|| PanelShell {
            theme: theme::of(request),
            back: "/admin".to_owned(),
            ..PanelShell::default()
        }),
        title,
        text,
        ways: ways(request.path()),
    };
    pages::private(refusal.status_code(), &page)
}

/// The way on from a refusal: to the thing whose page it was, and to the first page.
fn ways(path: &str) -> Vec<Link> {
    let mut ways = Vec::new();
    // `/admin/orders/{id}/cancel` belongs to `/admin/orders/{id}`.
    if let Some((thing, _)) = path
        .rsplit_once('/')
        .filter(|(thing, _)| thing.matches('/').count() >= 3)
    {
        ways.push(Link::new(thing, "Back to it"));
    }
    ways.push(Link::new("/admin", "Today"));
    ways
}

/// A text for a query string.
pub fn escape(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Somebody who is logged in.
#[derive(Clone)]
pub struct Staff {
    /// The way in.
    pub office: web::Data<Office>,
    /// The person.
    pub person: StaffRow,
    /// For whom the person works.
    pub merchant: MerchantRow,
    session: Session,
    shell: PanelShell,
}

impl Staff {
    /// May change campaigns, suppliers and money.
    pub fn manages(&self) -> Result<(), Refusal> {
        if self.person.role.may_manage() {
            Ok(())
        } else {
            Err(Refusal::Role("manager or owner"))
        }
    }

    /// May count deliveries and send parcels.
    pub fn ships(&self) -> Result<(), Refusal> {
        if self.person.role.may_ship() {
            Ok(())
        } else {
            Err(Refusal::Role("fulfilment, manager or owner"))
        }
    }

    /// May change settings.
    pub fn owns(&self) -> Result<(), Refusal> {
        if self.person.role.may_own() {
            Ok(())
        } else {
            Err(Refusal::Role("owner"))
        }
    }

    /// May see money as a whole.
    pub fn sees_money(&self) -> Result<(), Refusal> {
        if self.person.role == Role::Fulfilment {
            Err(Refusal::Role("viewer, manager or owner"))
        } else {
            Ok(())
        }
    }

    /// What is written down as the doer.
    pub fn name(&self) -> String {
        self.person.name.clone()
    }

    /// The frame of a page under an entry of the side bar; takes the line that was left for it.
    pub fn shell(&self, here: &str) -> PanelShell {
        let mut shell = self.shell.clone();
        shell.here = here.to_owned();
        shell.flash = self.session.remove_as::<String>(FLASH).and_then(Result::ok);
        shell
    }

    /// Leaves a line for the next page, and sends the browser there.
    pub fn done(&self, said: impl Into<String>, to: &str) -> Result<HttpResponse, Refusal> {
        // It travels in the cookie, which holds 4 KB.
        let line: String = said.into().chars().take(300).collect();
        if let Err(e) = self.session.insert(FLASH, line) {
            log::warn!("a line for the next page was lost: {e}");
        }
        Ok(pages::see_other(to))
    }

    /// Logs a person in; other sessions of the browser end.
    pub fn log_in(session: &Session, person: &StaffRow) -> Result<(), Problem> {
        session.renew();
        remember(session, person).map_err(|e| Problem::Internal(format!("session: {e}")))
    }

    /// The own password changed: this session goes on.
    pub fn stay(&self, person: &StaffRow) -> Result<(), Problem> {
        Staff::log_in(&self.session, person)
    }
}

/// Whose session it says it is, and the mark it began with.
fn claimed(session: &Session) -> Option<(StaffId, String)> {
    let text = |key: &str| session.get::<String>(key).ok().flatten();
    let id = text(PERSON)?.parse().ok()?;
    Some((id, text(MARK)?))
}

/// Logs out whoever it is: every session of that person ends, and this browser's cookie goes.
pub async fn log_out(session: &Session, office: &Office) -> Result<(), Problem> {
    if let Some((person, mark)) = claimed(session) {
        office
            .write(move |_, tx| log_out_everywhere(tx, person, &mark))
            .await?;
    }
    session.purge();
    Ok(())
}

fn remember(session: &Session, person: &StaffRow) -> Result<(), actix_session::SessionInsertError> {
    session.insert(PERSON, person.id.to_string())?;
    session.insert(MARK, fingerprint(person))?;
    // Browsers keep cookies by the machine's time, so idleness is judged by it too.
    session.insert(SEEN, SystemClock.now().timestamp())
}

impl FromRequest for Staff {
    type Error = Refusal;
    type Future = LocalBoxFuture<'static, Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move { who(&request).await }.boxed_local()
    }
}

async fn who(request: &HttpRequest) -> Result<Staff, Refusal> {
    let office = request
        .app_data::<web::Data<Office>>()
        .cloned()
        .ok_or_else(|| Problem::Internal("the app has no office".to_owned()))?;
    let session = request.get_session();
    let Some((id, mark)) = claimed(&session) else {
        return Err(Refusal::LogIn);
    };
    let now = SystemClock.now().timestamp();
    let seen = session.get::<i64>(SEEN).ok().flatten().unwrap_or(0);
    if now - seen > IDLE_HOURS * 3600 {
        session.purge();
        return Err(Refusal::LogIn);
    }
    let at = office.now();
    let found = office
        .read(move |conn| -> Result<_, Problem> {
            let Some(person) = merchants::staff_by_id(conn, id)? else {
                return Ok(None);
            };
            let Some(merchant) = merchants::by_id(conn, person.merchant_id)? else {
                return Ok(None);
            };
            let waiting = today::waiting(conn, &merchant, at)?;
            Ok(Some((person, merchant, waiting)))
        })
        .await?;
    let Some((person, merchant, waiting)) = found.filter(|(p, ..)| fingerprint(p) == mark) else {
        session.purge();
        return Err(Refusal::LogIn);
    };
    if now - seen > 60
        && let Err(e) = session.insert(SEEN, now)
    {
        log::warn!("a session could not be renewed: {e}");
    }
    let back = if request.method() == Method::GET {
        request.path()
    } else {
        "/admin"
    };
    let shell = PanelShell {
        theme: theme::of(request),
        back: back.to_owned(),
        sandbox: office.settings().sandbox,
        waiting,
        merchant: merchant.name.clone(),
        person: format!("{}, {}", person.name, person.role),
        ..PanelShell::default()
    };
    request.extensions_mut().insert(shell.clone());
    Ok(Staff {
        office,
        person,
        merchant,
        session,
        shell,
    })
}
