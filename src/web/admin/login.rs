//! Log in and out.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::guard::{Refusal, Staff, log_out};
use super::limit;
use crate::domain::text::normalize_email;
use crate::store::merchants;
use crate::web::guard::{Client, Guards, Limit};
use crate::web::view::{Field, Problems, Theme};
use crate::web::{pages, theme};
use crate::workflows::accounts::is_password;
use crate::workflows::desk::Problem;
use crate::workflows::office::Office;

/// The two fields, and nothing else.
#[derive(Template)]
#[template(path = "admin/login.html")]
struct LoginPage {
    theme: Theme,
    sandbox: bool,
    problems: Problems,
    email: Field,
    password: Field,
    next: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Typed {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// Where to go afterwards.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    next: String,
}

fn draw(
    request: &HttpRequest,
    office: &Office,
    status: StatusCode,
    typed: (&str, &str),
    problem: Option<&str>,
) -> HttpResponse {
    let (email, next) = typed;
    let mut problems = Problems::default();
    if let Some(problem) = problem {
        problems.add("email", problem);
    }
    let page = LoginPage {
        theme: theme::of(request),
        sandbox: office.settings().sandbox,
        email: Field::input("email", "email", "E-mail")
            .value(email)
            .autocomplete("username")
            .problems(&problems),
        password: Field::input("password", "password", "Password").autocomplete("current-password"),
        problems,
        next: next.to_owned(),
    };
    pages::private(status, &page)
}

/// `GET /admin/login`
pub async fn page(
    request: HttpRequest,
    office: web::Data<Office>,
    asked: web::Query<Asked>,
) -> HttpResponse {
    draw(&request, &office, StatusCode::OK, ("", &asked.next), None)
}

/// `POST /admin/login`
pub async fn submit(
    request: HttpRequest,
    office: web::Data<Office>,
    session: Session,
    client: Client,
    guards: Option<web::Data<Guards>>,
    typed: web::Form<Typed>,
) -> Result<HttpResponse, Refusal> {
    let email = normalize_email(&typed.email).unwrap_or_default();
    let from = client.address();
    let spared = office.settings().sandbox && from.is_loopback();
    let counted = guards.map_or(Ok(()), |guards| guards.allow(Limit::LogIn, client));
    let refuse = |status, say| {
        let kept = (typed.email.as_str(), typed.next.as_str());
        Ok(draw(&request, &office, status, kept, Some(say)))
    };
    if counted.is_err() || !spared && !limit::may_try(client.network(), &email) {
        return refuse(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many tries for this address. Wait 15 minutes, then try again.",
        );
    }
    let asked = email.clone();
    let person = office
        .read(move |conn| -> Result<_, Problem> { Ok(merchants::staff_by_email(conn, &asked)?) })
        .await?;
    let kept = person.as_ref().map(|p| p.password_hash.clone());
    let same = is_password(kept, typed.password.clone()).await?;
    match person.filter(|_| same) {
        Some(person) => {
            Staff::log_in(&session, &person)?;
            Ok(pages::see_other(next(&typed.next)))
        }
        // Which of the two is wrong is nobody's business.
        None => refuse(
            StatusCode::UNPROCESSABLE_ENTITY,
            "E-mail and password do not belong together. Look at both and try again.",
        ),
    }
}

/// Only pages of the panel are gone on to.
fn next(asked: &str) -> &str {
    let path = theme::safe_back(asked);
    let inside = path == "/admin" || path.starts_with("/admin/") || path.starts_with("/admin?");
    if inside && !path.starts_with("/admin/log") {
        path
    } else {
        "/admin"
    }
}

/// `POST /admin/logout`
pub async fn leave(session: Session, office: web::Data<Office>) -> Result<HttpResponse, Refusal> {
    log_out(&session, &office).await?;
    Ok(pages::see_other("/admin/login"))
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn a_log_in_leads_into_the_panel_only() {
        assert_eq!(next("/admin/orders?state=paid"), "/admin/orders?state=paid");
        for elsewhere in [
            "",
            "/c/ridge",
            "//evil.example/admin",
            "/admin/logout",
            "/administer",
        ] {
            assert_eq!(next(elsewhere), "/admin");
        }
    }
}
