//! The switch between light and dark: a form in the footer, a cookie, and back to where it was.

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::view::Theme;

/// Name of the cookie.
pub const COOKIE: &str = "muster_theme";

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct Switch {
    /// `light`, `dark`, anything else: as the device.
    #[serde(default)]
    pub theme: String,
    /// Where to go back to.
    #[serde(default)]
    pub back: String,
}

/// The theme a request asks for.
pub fn of(request: &HttpRequest) -> Theme {
    request
        .cookie(COOKIE)
        .map(|c| Theme::parse(c.value()))
        .unwrap_or_default()
}

/// `POST /theme`
pub async fn switch(form: web::Form<Switch>) -> HttpResponse {
    let theme = Theme::parse(&form.theme);
    let cookie = Cookie::build(COOKIE, theme.name().unwrap_or(""))
        .path("/")
        .same_site(SameSite::Lax)
        .http_only(true)
        .max_age(match theme.name() {
            Some(_) => Duration::days(365),
            None => Duration::ZERO,
        })
        .finish();
    HttpResponse::SeeOther()
        .cookie(cookie)
        .insert_header((header::LOCATION, safe_back(&form.back)))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// A path of this very server, else `/`: no scheme, no host (`//host`, `/\host`), nothing that could end a header.
pub fn safe_back(back: &str) -> &str {
    let bytes = back.as_bytes();
    let local = bytes.first() == Some(&b'/')
        && !matches!(bytes.get(1), Some(b'/' | b'\\'))
        && bytes.len() <= 2048
        && bytes.iter().all(|b| b.is_ascii_graphic() && *b != b'\\');
    if local { back } else { "/" }
}

/// Puts the route in.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/theme", web::post().to(switch));
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::dev::ServiceResponse;
    use actix_web::{App, test};

    fn told(answer: &ServiceResponse, name: header::HeaderName) -> &str {
        answer
            .headers()
            .get(name)
            .map_or("", |v| v.to_str().unwrap())
    }

    #[::core::prelude::v1::test]
    fn only_paths_of_this_server_are_gone_back_to() {
        for good in ["/", "/c/ridge?sort=newest", "/o/1?t=abc#h"] {
            assert_eq!(safe_back(good), good);
        }
        for bad in [
            "",
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "/a\\b",
            "/a b",
            "/a\r\nSet-Cookie: x=1",
            "javascript:alert(1)",
            "c/ridge",
        ] {
            assert_eq!(safe_back(bad), "/", "{bad:?}");
        }
    }

    #[actix_web::test]
    async fn the_switch_keeps_the_choice_for_a_year_and_forgets_it_on_auto() {
        let app = test::init_service(App::new().configure(configure)).await;
        let ask = |body: &'static str| {
            test::TestRequest::post()
                .uri("/theme")
                .insert_header(("content-type", "application/x-www-form-urlencoded"))
                .set_payload(body)
                .to_request()
        };
        let dark = test::call_service(&app, ask("theme=dark&back=%2Fc%2Fridge")).await;
        assert_eq!(dark.status(), 303);
        assert_eq!(told(&dark, header::LOCATION), "/c/ridge");
        let cookie = told(&dark, header::SET_COOKIE);
        assert!(cookie.starts_with("muster_theme=dark;") && cookie.contains("SameSite=Lax"));
        assert!(cookie.contains("Max-Age=31536000"));
        let auto = test::call_service(&app, ask("theme=auto&back=//evil.example")).await;
        assert_eq!(told(&auto, header::LOCATION), "/");
        let cookie = told(&auto, header::SET_COOKIE);
        assert!(cookie.contains("Max-Age=0"));
    }
}
