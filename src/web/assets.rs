//! Style, script and art: part of the program, compressed once, named by their content so that browsers may keep them
//! for good.

use std::collections::HashMap;
use std::io::Write;
use std::sync::LazyLock;

use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Embedded;

struct Asset {
    /// "/static/muster.0123456789abcdef.css"
    url: String,
    etag: String,
    content_type: &'static str,
    plain: Bytes,
    /// Where it is smaller.
    gzip: Option<Bytes>,
}

static ASSETS: LazyLock<HashMap<String, Asset>> = LazyLock::new(|| {
    let load = |name: std::borrow::Cow<'static, str>| {
        let file = Embedded::get(&name)?;
        let hash = hex(&file.metadata.sha256_hash()[..8]);
        let plain = Bytes::from(file.data.into_owned());
        let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
        let asset = Asset {
            url: format!("/static/{stem}.{hash}.{ending}"),
            etag: format!("\"{hash}\""),
            content_type: content_type(ending),
            gzip: gzip(&plain).filter(|g| g.len() < plain.len()),
            plain,
        };
        Some((name.into_owned(), asset))
    };
    Embedded::iter().filter_map(load).collect()
});

/// Hashed path below `/static/` -> name.
static BY_URL: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let short = |asset: &'static Asset| asset.url.strip_prefix("/static/").unwrap_or_default();
    ASSETS
        .iter()
        .map(|(name, asset)| (short(asset), name.as_str()))
        .collect()
});

/// The address of a static file, with the hash of its content in it; of an unknown one, the address that answers 404.
pub fn asset(name: &str) -> &str {
    ASSETS.get(name).map_or("/static/missing", |a| &a.url)
}

/// Puts the route in.
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/static/{path:.*}")
            .route(web::get().to(serve))
            .route(web::head().to(serve)),
    );
}

async fn serve(request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    let (asset, kept) = match BY_URL.get(path.as_str()) {
        Some(name) => (ASSETS.get(*name), "public, max-age=31536000, immutable"),
        None => (ASSETS.get(path.as_str()), "public, no-cache"),
    };
    let Some(asset) = asset else {
        return HttpResponse::NotFound()
            .content_type("text/plain; charset=utf-8")
            .body("There is no such file.");
    };
    let head = request.headers();
    let gzip = asset.gzip.as_ref().filter(|_| accepts_gzip(head));
    let etag = match gzip {
        Some(_) => asset.etag.replacen("\"", "\"gz-", 1),
        None => asset.etag.clone(),
    };
    let known = matches(head, &etag);
    let mut answer = if known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    answer
        .insert_header((header::ETAG, etag))
        .insert_header((header::CACHE_CONTROL, kept))
        .insert_header((header::VARY, "Accept-Encoding"));
    if known {
        return answer.finish();
    }
    answer
        .insert_header((header::CONTENT_TYPE, asset.content_type))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    if asset.content_type == "image/svg+xml" {
        let still = "default-src 'none'; style-src 'unsafe-inline'";
        answer.insert_header((header::CONTENT_SECURITY_POLICY, still));
    }
    match gzip {
        Some(body) => answer
            .insert_header((header::CONTENT_ENCODING, "gzip"))
            .body(body.clone()),
        None => answer.body(asset.plain.clone()),
    }
}

fn matches(head: &HeaderMap, etag: &str) -> bool {
    let Some(asked) = head
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok())
    else {
        return false;
    };
    let mut tags = asked.split(',').map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// Whether an answer may be gzipped: named in `Accept-Encoding`, and not with a weight of nought.
pub fn accepts_gzip(head: &HeaderMap) -> bool {
    let Some(asked) = head
        .get(header::ACCEPT_ENCODING)
        .and_then(|v| v.to_str().ok())
    else {
        return false;
    };
    asked.split(',').any(|part| {
        let mut pieces = part.split(';').map(str::trim);
        let named = pieces
            .next()
            .is_some_and(|n| n.eq_ignore_ascii_case("gzip"));
        let weight = pieces.find_map(|p| p.strip_prefix("q="));
        named && weight.is_none_or(|q| q.parse::<f32>().is_ok_and(|q| q > 0.0))
    })
}

fn content_type(ending: &str) -> &'static str {
    match ending {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn gzip(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
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

    #[actix_web::test]
    async fn the_stylesheet_is_kept_for_good_under_its_hash_and_sent_compressed() {
        let app = test::init_service(App::new().configure(configure)).await;
        let url = asset("muster.css");
        let ask = |gzip: bool, etag: Option<&str>| {
            let mut r = test::TestRequest::get().uri(url);
            if gzip {
                r = r.insert_header(("accept-encoding", "br;q=1.0, gzip;q=0.8"));
            }
            if let Some(etag) = etag {
                r = r.insert_header(("if-none-match", etag));
            }
            r.to_request()
        };
        let plain = test::call_service(&app, ask(false, None)).await;
        assert_eq!(plain.status(), 200);
        assert_eq!(
            told(&plain, header::CONTENT_TYPE),
            "text/css; charset=utf-8"
        );
        let kept = told(&plain, header::CACHE_CONTROL);
        assert!(kept.contains("immutable"));
        let etag = told(&plain, header::ETAG).to_owned();
        let again = test::call_service(&app, ask(false, Some(&etag))).await;
        assert_eq!(again.status(), 304);
        let small = test::call_service(&app, ask(true, None)).await;
        assert_eq!(told(&small, header::CONTENT_ENCODING), "gzip");
        assert_ne!(told(&small, header::ETAG), etag);
    }

    #[actix_web::test]
    async fn what_is_not_there_is_404_and_nothing_outside_is_reachable() {
        let app = test::init_service(App::new().configure(configure)).await;
        for path in ["/static/nope.css", "/static/../Cargo.toml", "/static/"] {
            let answer =
                test::call_service(&app, test::TestRequest::get().uri(path).to_request()).await;
            assert_eq!(answer.status(), 404, "{path}");
        }
        let bare = test::TestRequest::get().uri("/static/art/mark.svg");
        let bare = test::call_service(&app, bare.to_request()).await;
        assert_eq!(told(&bare, header::CONTENT_TYPE), "image/svg+xml");
        assert_eq!(told(&bare, header::CACHE_CONTROL), "public, no-cache");
    }

    #[::core::prelude::v1::test]
    fn the_stylesheet_stays_small() {
        let css = Embedded::get("muster.css").unwrap();
        assert!(css.data.len() < 20_000, "{} bytes", css.data.len());
    }
}
