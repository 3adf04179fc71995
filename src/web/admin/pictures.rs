//! A campaign's pictures: upload, describe, reorder, delete; and serving them.

use actix_multipart::{Field as Part, Multipart};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use askama::Template;
use futures_util::TryStreamExt;

use super::form::{Pairs, Typed, problems_of};
use super::guard::{Refusal, Staff};
use super::kit::{act, id, own_campaign, slug};
use crate::domain::draft::FieldError;
use crate::domain::ids::PictureId;
use crate::store::Tx;
use crate::store::misc::{self, PictureRow};
use crate::web::assets::asset;
use crate::web::pages;
use crate::web::upload::{self, Broken};
use crate::web::view::{Field, PanelShell, Picture, Problems};
use crate::workflows::desk::{Desk, Problem};
use crate::workflows::office::Office;
use crate::workflows::pictures::{self, MAX_ALT, MAX_BYTES, MAX_PICTURES};

/// A picture as pages draw it; a file under `art/` is part of the program.
pub fn picture(row: &PictureRow) -> Picture {
    let pixels = |side: i32| u32::try_from(side).unwrap_or(0);
    Picture {
        src: if row.file.starts_with("art/") {
            // Drawn for the example shop; part of the program.
            asset(&row.file).to_owned()
        } else {
            format!("/uploads/{}", row.file)
        },
        width: pixels(row.width),
        height: pixels(row.height),
        alt: row.alt.clone(),
    }
}

/// One picture with its small form.
struct Shown {
    picture: Picture,
    action: String,
    alt: Field,
    first: bool,
}

/// `/admin/campaigns/{slug}/pictures`
#[derive(Template)]
#[template(path = "admin/pictures.html")]
struct PicturesPage {
    shell: PanelShell,
    title: String,
    href: String,
    problems: Problems,
    shown: Vec<Shown>,
    full: bool,
    alt: Field,
    file_error: Option<String>,
}

struct About {
    title: String,
    href: String,
    rows: Vec<PictureRow>,
}

async fn about(staff: &Staff, path: &str) -> Result<About, Refusal> {
    staff.manages()?;
    let (merchant, slug) = (staff.merchant.clone(), slug(path)?);
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let row = own_campaign(conn, &merchant, &slug)?;
        Ok(About {
            rows: misc::pictures_of(conn, row.id)?,
            href: format!("/admin/campaigns/{}", row.slug),
            title: row.title,
        })
    });
    Ok(found.await?)
}

impl About {
    fn draw(
        &self,
        staff: &Staff,
        alt: &str,
        errors: &[FieldError],
        changed: Option<(PictureId, &str)>,
    ) -> HttpResponse {
        let problems = match changed {
            Some((id, _)) => {
                let own: Vec<FieldError> = errors
                    .iter()
                    .map(|e| FieldError::new(format!("{}.{id}", e.field), &e.message))
                    .collect();
                problems_of(&own)
            }
            None => problems_of(errors),
        };
        let limit = u32::try_from(MAX_ALT).unwrap_or(u32::MAX);
        let shown = self.rows.iter().enumerate().map(|(at, row)| {
            let typed = changed
                .filter(|(id, _)| *id == row.id)
                .map(|(_, typed)| typed);
            let name = format!("alt.{}", row.id);
            Shown {
                picture: picture(row),
                action: format!("{}/pictures/{}", self.href, row.id),
                alt: Field::text(name, "What is seen")
                    .value(typed.unwrap_or(&row.alt))
                    .max_length(limit)
                    .problems(&problems),
                first: at == 0,
            }
        });
        let page = PicturesPage {
            shell: staff.shell("campaigns"),
            title: self.title.clone(),
            href: self.href.clone(),
            shown: shown.collect(),
            full: self.rows.len() >= MAX_PICTURES,
            alt: Field::text("alt", "What is seen")
                .hint("Some shoppers hear it. \"A grey mug on a table, from the left.\"")
                .value(alt)
                .max_length(limit)
                .problems(&problems),
            file_error: problems.of("file").map(str::to_owned),
            problems,
        };
        let status = if errors.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        pages::private(status, &page)
    }
}

/// `GET /admin/campaigns/{slug}/pictures`
pub async fn page(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let about = about(&staff, &path).await?;
    Ok(about.draw(&staff, "", &[], None))
}

/// What came with an upload.
#[derive(Default)]
struct Upload {
    alt: String,
    bytes: Vec<u8>,
    too_large: bool,
}

/// As [`upload::take`], refusals as the panel draws them.
async fn take(part: &mut Part, limit: usize, read: &mut usize) -> Result<(Vec<u8>, bool), Refusal> {
    upload::take(part, limit, read).await.map_err(|e| match e {
        Broken::Form(e) => Refusal::Form(e.to_string()),
        Broken::Endless => pictures::too_many_bytes().into(),
    })
}

async fn read(mut form: Multipart) -> Result<Upload, Refusal> {
    let mut upload = Upload::default();
    let mut read = 0;
    let broken = |e: actix_multipart::MultipartError| Refusal::Form(e.to_string());
    while let Some(mut part) = form.try_next().await.map_err(broken)? {
        match part.name() {
            Some("file") => {
                let (bytes, more) = take(&mut part, MAX_BYTES, &mut read).await?;
                upload.bytes = bytes;
                upload.too_large = more;
            }
            Some("alt") => {
                let (bytes, _) = take(&mut part, 8 * 1024, &mut read).await?;
                upload.alt = String::from_utf8_lossy(&bytes).into_owned();
            }
            _ => {
                take(&mut part, 0, &mut read).await?;
            }
        }
    }
    Ok(upload)
}

/// `POST /admin/campaigns/{slug}/pictures`
pub async fn add(
    staff: Staff,
    path: web::Path<String>,
    form: Multipart,
) -> Result<HttpResponse, Refusal> {
    let about = about(&staff, &path).await?;
    let upload = read(form).await?;
    let kept = async {
        if upload.too_large {
            return Err(pictures::too_many_bytes());
        }
        let dir = staff.office.settings().data_dir.clone();
        if upload.alt.trim().is_empty() {
            // Said together with what is wrong with the file.
            let mut errors = vec![FieldError::new(
                "alt",
                "say in a few words what is seen; some shoppers hear it",
            )];
            if let Err(Problem::Invalid(wrong)) = pictures::keep(&dir, upload.bytes.clone()).await {
                errors.extend(wrong);
            }
            return Err(Problem::Invalid(errors));
        }
        let stored = pictures::keep(&dir, upload.bytes.clone()).await?;
        let (merchant, slug, alt) = (staff.merchant.id, slug_of(&about.href), upload.alt.clone());
        staff
            .office
            .write(move |_, tx| pictures::add(tx, merchant, &slug, &stored, &alt).map(|_| ()))
            .await
    };
    match kept.await {
        Ok(()) => staff.done("The picture is there.", &format!("{}/pictures", about.href)),
        Err(Problem::Invalid(errors)) => Ok(about.draw(&staff, &upload.alt, &errors, None)),
        Err(other) => Err(other.into()),
    }
}

fn slug_of(href: &str) -> String {
    href.rsplit('/').next().unwrap_or_default().to_owned()
}

/// `POST /admin/campaigns/{slug}/pictures/{id}`
pub async fn change(
    staff: Staff,
    path: web::Path<(String, String)>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    let about = about(&staff, &path.0).await?;
    let picture: PictureId = id(&path.1)?;
    let typed = Typed::from(form.into_inner());
    let alt = typed.get(&format!("alt.{picture}")).to_owned();
    let (merchant, slug) = (staff.merchant.id, slug_of(&about.href));
    let deed = typed.get("do").to_owned();
    let said = match deed.as_str() {
        "delete" => "The picture is deleted.",
        "up" => "The picture moved up.",
        _ => "The description is saved.",
    };
    let words = alt.clone();
    let f = move |_: &Desk, tx: &mut Tx| match deed.as_str() {
        "delete" => pictures::delete(tx, merchant, &slug, picture),
        "up" => pictures::move_up(tx, merchant, &slug, picture),
        _ => pictures::describe(tx, merchant, &slug, picture, &words),
    };
    match act(&staff, f, said, &format!("{}/pictures", about.href)).await {
        Err(Refusal::Problem(Problem::Invalid(errors))) => {
            Ok(about.draw(&staff, "", &errors, Some((picture, &alt))))
        }
        other => other,
    }
}

/// `GET /uploads/{file}`: named by its content, so it may be kept for good.
pub async fn serve(office: web::Data<Office>, file: web::Path<String>) -> HttpResponse {
    let dir = office.settings().data_dir.clone();
    let found = web::block(move || pictures::read(&dir, &file))
        .await
        .ok()
        .flatten();
    let Some((bytes, media_type)) = found else {
        return HttpResponse::NotFound()
            .content_type("text/plain; charset=utf-8")
            .body("There is no such picture.");
    };
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media_type))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(bytes)
}
