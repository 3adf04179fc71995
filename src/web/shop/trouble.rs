//! A workflow's *no* as a page: what the person can do about it. The log gets the rest, under a reference that the page
//! shows too.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use uuid::Uuid;

use crate::web::pages;
use crate::web::view::{RefusalPage, Shell};
use crate::workflows::desk::Problem;

/// The status that goes with a problem.
pub fn status(problem: &Problem) -> StatusCode {
    match problem {
        Problem::NotFound(_) => StatusCode::NOT_FOUND,
        Problem::Conflict { .. } => StatusCode::CONFLICT,
        Problem::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Problem::Busy(_) | Problem::Again(_) => StatusCode::SERVICE_UNAVAILABLE,
        Problem::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The error page of a problem.
pub fn page(shell: Shell, problem: &Problem) -> HttpResponse {
    let usual = RefusalPage::new(shell, status(problem).as_u16());
    match problem {
        Problem::NotFound(_) => pages::refusal(&usual),
        Problem::Conflict { message, .. } => {
            let title = usual.title.clone();
            pages::refusal(&usual.saying(title, message))
        }
        Problem::Invalid(errors) => {
            let said: Vec<&str> = errors.iter().map(|e| e.message.as_str()).collect();
            let title = usual.title.clone();
            pages::refusal(&usual.saying(title, said.join(" ")))
        }
        Problem::Busy(_) | Problem::Again(_) => busy(pages::refusal(&usual)),
        Problem::Internal(why) => {
            let reference = logged(why);
            let (title, text) = (usual.title.clone(), usual.text.clone());
            pages::refusal(&usual.saying(title, format!("{text} Reference: {reference}.")))
        }
    }
}

/// Adds when to come again.
pub fn busy(answer: HttpResponse) -> HttpResponse {
    again_in(answer, 5)
}

/// Adds in how many seconds to come again.
pub fn again_in(mut answer: HttpResponse, seconds: u64) -> HttpResponse {
    let seconds = header::HeaderValue::from(seconds);
    answer.headers_mut().insert(header::RETRY_AFTER, seconds);
    answer
}

/// Writes to the log what went wrong; the reference it is found by.
pub fn logged(why: &str) -> String {
    let reference = Uuid::now_v7().simple().to_string()[20..].to_owned();
    log::error!("{reference}: {why}");
    reference
}
