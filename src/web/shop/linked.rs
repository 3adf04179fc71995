//! What the pages of an answer and of a vote have in common. They are one shopper's own; a signed link opens them, or says
//! that it opens nothing.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::{Shop, trouble};
use crate::web::pages::private;
use crate::web::theme;
use crate::web::view::{AskedSentPage, Link, Sent, Shell};
use crate::workflows::desk::Problem;

/// Answers in the frame of a page that is one shopper's own: what `answer` makes in it, or the page that says why not.
pub(super) async fn in_private(
    shop: &Shop,
    request: &HttpRequest,
    answer: impl AsyncFnOnce(Shell) -> Result<HttpResponse, Problem>,
) -> HttpResponse {
    let shell = Shell::private(theme::of(request), request.path(), shop.sandbox());
    match answer(shell.clone()).await {
        Ok(answered) => answered,
        Err(e) => trouble::page(shell, &e),
    }
}

/// The page after a form: what was sent is on its way, or was taken back. `seller`: the merchant's name in addresses.
pub(super) fn sent_page(shell: Shell, seller: &str, sent: Sent, about: Link) -> HttpResponse {
    let page = AskedSentPage {
        shell: shell.of_seller(seller),
        sent,
        about,
    };
    private(StatusCode::OK, &page)
}
