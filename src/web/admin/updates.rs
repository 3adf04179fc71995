//! What a merchant writes to everybody who joined: what was written, a new one in two steps (what it says, then how many
//! get it), and a correction under one.

use actix_web::{HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::form::{FormPage, Line, Pairs, Section, Typed, problems_of};
use super::guard::{Refusal, Staff};
use super::kit::{Cell, ListPage, PAGE, Table, act, fact, id, own_campaign, slug, zone_of};
use crate::domain::draft::{MAX_DESCRIPTION, MAX_TITLE};
use crate::domain::ids::PostId;
use crate::domain::text::markdown_to_html;
use crate::store::campaigns::CampaignRow;
use crate::store::posts::{self, PostRow};
use crate::web::view::{Empty, Field, Html, Link, Pager, Problems, grouped, plural};
use crate::workflows::desk::Problem;
use crate::workflows::posts::{self as workflow, MAX_CORRECTION, NewPost};

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/campaigns/{slug}/updates", web::get().to(list))
        .route("/campaigns/{slug}/updates/new", web::get().to(new))
        .route("/campaigns/{slug}/updates/new", web::post().to(send))
        .route("/campaigns/{slug}/updates/{id}", web::get().to(one))
        .route("/campaigns/{slug}/updates/{id}", web::post().to(correct));
}

/// A campaign of the merchant's, and how many would get an update now.
struct About {
    row: CampaignRow,
    recipients: i64,
}

async fn about(staff: &Staff, path: &str) -> Result<About, Refusal> {
    let (merchant, slug) = (staff.merchant.clone(), slug(path)?);
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let row = own_campaign(conn, &merchant, &slug)?;
        let recipients = workflow::recipients(conn, &row)?;
        Ok(About { row, recipients })
    });
    Ok(found.await?)
}

impl About {
    fn href(&self) -> String {
        format!("/admin/campaigns/{}/updates", self.row.slug)
    }

    fn page(&self, staff: &Staff, title: String, action: String) -> FormPage {
        let mut page = FormPage::new(staff.shell("campaigns"), title, action);
        let campaign = format!("/admin/campaigns/{}", self.row.slug);
        page.crumbs = vec![
            Link::new("/admin/campaigns", "Campaigns"),
            Link::new(campaign, &self.row.title),
            Link::new(self.href(), "Updates"),
        ];
        page.back = Some(Link::new(self.href(), "Leave it"));
        page
    }
}

/// Where the list goes on.
#[derive(Deserialize)]
pub struct Asked {
    cursor: Option<String>,
}

/// `GET /admin/campaigns/{slug}/updates`
pub async fn list(
    staff: Staff,
    path: web::Path<String>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, Refusal> {
    let about = about(&staff, &path).await?;
    let campaign = about.row.id;
    let before: Option<PostId> = asked.cursor.as_deref().and_then(|c| c.parse().ok());
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let rows = posts::of_campaign(conn, campaign, before, PAGE + 1)?;
        let ids: Vec<PostId> = rows.iter().map(|row| row.id).collect();
        let corrections = posts::corrections_of(conn, &ids)?;
        Ok((rows, corrections))
    });
    let (mut rows, corrections) = found.await?;
    let most = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let (zone, href) = (zone_of(&about.row), about.href());
    let table = rows.iter().map(|row| {
        let count = corrections.iter().filter(|c| c.post_id == row.id).count();
        vec![
            Cell::Link(Link::new(format!("{href}/{}", row.id), &row.title)),
            Cell::when(row.posted_at, zone),
            Cell::text(&row.written_by),
            Cell::number(grouped(row.recipients)),
            Cell::text(match row.told_at {
                Some(_) => "all letters written",
                None => "letters are being written",
            }),
            Cell::number(count.to_string()),
        ]
    });
    let head = vec![
        ("Update", false),
        ("Written", false),
        ("By", false),
        ("To shoppers", true),
        ("Mail", false),
        ("Corrections", true),
    ];
    let mut actions = Vec::new();
    if staff.person.role.may_manage() && about.row.state.is_public() {
        actions.push(Link::new(format!("{href}/new"), "Write an update"));
    }
    let page = ListPage {
        shell: staff.shell("campaigns"),
        title: format!("Updates of {}", about.row.title),
        lead: Some(format!(
            "{} paid and {} written to.",
            plural(about.recipients, "shopper"),
            if about.recipients == 1 { "is" } else { "are" }
        )),
        empty: Empty {
            text: "What you write to everybody who joined will stand here.".into(),
            action: actions.first().cloned(),
        },
        actions,
        filters: vec![],
        action: href.clone(),
        pager: (more || before.is_some()).then(|| Pager {
            shown: plural(i64::try_from(rows.len()).unwrap_or(0), "update"),
            first: before.map(|_| href.clone()),
            next: rows
                .last()
                .filter(|_| more)
                .map(|last| format!("{href}?cursor={}", last.id)),
        }),
        table: Table::new("Updates, newest first", head, table.collect()),
    };
    Ok(page.answer())
}

/// `GET /admin/campaigns/{slug}/updates/new`
pub async fn new(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let about = about(&staff, &path).await?;
    Ok(about.form(&staff, &Typed::default(), Problems::default()))
}

impl About {
    /// The first step: what it says.
    fn form(&self, staff: &Staff, typed: &Typed, problems: Problems) -> HttpResponse {
        let title = format!("Write to everybody who joined {}", self.row.title);
        let mut page = self.page(staff, title, format!("{}/new", self.href()));
        let limit = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let field = |field: Field| -> Line {
            let value = typed.get(&field.name).to_owned();
            field.value(value).problems(&problems).into()
        };
        page.lead = vec![
            "It goes by mail to each shopper who paid and was not cancelled, and stands on the campaign's page and on \
             their orders. What is sent stays as it is; later you can put a correction under it."
                .into(),
        ];
        page.sections = vec![Section::new(
            "The update",
            vec![
                field(
                    Field::text("title", "Title")
                        .hint("It is the mail's subject, after the campaign's name.")
                        .max_length(limit(MAX_TITLE)),
                ),
                field(
                    Field::area("body", "Text", 12)
                        .hint("Markdown: **bold**, lists, links.")
                        .max_length(limit(MAX_DESCRIPTION)),
                ),
            ],
        )];
        "Look at it first".clone_into(&mut page.submit);
        page.problems = problems;
        page.answer()
    }

    /// The second step: how it looks, and how many get it.
    fn asks(&self, staff: &Staff, title: &str, body: &str, once: &str) -> HttpResponse {
        let to = plural(self.recipients, "shopper");
        let mut page = self.page(
            staff,
            format!("Send it to {to}"),
            format!("{}/new", self.href()),
        );
        page.lead = vec![format!(
            "{to} get{} it by mail, once. It can't be called back.",
            if self.recipients == 1 { "s" } else { "" }
        )];
        page.facts = vec![
            fact("Subject", format!("{}: {title}", self.row.title)),
            fact("Shoppers who get it", grouped(self.recipients)),
        ];
        let hidden = |name: &str, value: &str| Line::Hidden(name.to_owned(), value.to_owned());
        page.sections = vec![Section::new(
            "Not yet?",
            vec![
                hidden("title", title),
                hidden("body", body),
                hidden("once", once),
                Line::Button("edit".into(), "Change something".into()),
            ],
        )];
        page.submit = format!("Send it to {to}");
        page.preview = Some((title.to_owned(), Html::sanitized(markdown_to_html(body))));
        page.answer()
    }
}

/// `POST /admin/campaigns/{slug}/updates/new`: looks at it, and with the form's key sends it.
pub async fn send(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let about = about(&staff, &path).await?;
    let typed = Typed::from(form.into_inner());
    if typed.get("do") == "edit" {
        return Ok(about.form(&staff, &typed, Problems::default()));
    }
    let (title, body) = match workflow::check(typed.get("title"), typed.get("body")) {
        Ok(checked) => checked,
        Err(Problem::Invalid(errors)) => {
            return Ok(about.form(&staff, &typed, problems_of(&errors)));
        }
        Err(problem) => return Err(problem.into()),
    };
    let Some(once) = typed.some("once") else {
        return Ok(about.asks(&staff, &title, &body, &new_key()));
    };
    let post = NewPost {
        title,
        body,
        by: staff.name(),
        once: Some(once.chars().take(64).collect()),
    };
    let (merchant, slug) = (staff.merchant.id, about.row.slug.clone());
    act(
        &staff,
        move |_, tx| workflow::write(tx, merchant, &slug, &post).map(|_| ()),
        "It is written; the letters go out.",
        &about.href(),
    )
    .await
}

async fn found(staff: &Staff, about: &About, path: &str) -> Result<PostRow, Refusal> {
    let (campaign, post) = (about.row.id, id::<PostId>(path)?);
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        posts::by_id(conn, post)?
            .filter(|row| row.campaign_id == campaign)
            .ok_or(Problem::NotFound("update"))
    });
    Ok(found.await?)
}

/// `GET /admin/campaigns/{slug}/updates/{id}`
pub async fn one(staff: Staff, path: web::Path<(String, String)>) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let about = about(&staff, &path.0).await?;
    let post = found(&staff, &about, &path.1).await?;
    Ok(about.correction(&staff, &post, ("", &new_key()), Problems::default()))
}

impl About {
    fn correction(
        &self,
        staff: &Staff,
        post: &PostRow,
        (typed, once): (&str, &str),
        problems: Problems,
    ) -> HttpResponse {
        let mut page = self.page(
            staff,
            format!("Correct \"{}\"", post.title),
            format!("{}/{}", self.href(), post.id),
        );
        page.lead = vec![
            "What was sent stays as it was. A correction stands under it wherever it is shown; nobody is written to \
             again."
                .into(),
        ];
        page.sections = vec![Section::new(
            "The correction",
            vec![
                Field::area("body", "What is right", 6)
                    .hint("Markdown.")
                    .max_length(u32::try_from(MAX_CORRECTION).unwrap_or(u32::MAX))
                    .value(typed)
                    .problems(&problems)
                    .into(),
                Line::Hidden("once".into(), once.to_owned()),
            ],
        )];
        "Put it under the update".clone_into(&mut page.submit);
        page.problems = problems;
        page.preview = Some((
            post.title.clone(),
            Html::sanitized(markdown_to_html(&post.body)),
        ));
        page.answer()
    }
}

/// `POST /admin/campaigns/{slug}/updates/{id}`
pub async fn correct(
    staff: Staff,
    path: web::Path<(String, String)>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let about = about(&staff, &path.0).await?;
    let post = found(&staff, &about, &path.1).await?;
    let typed = Typed::from(form.into_inner());
    let once = typed.some("once").map_or_else(new_key, str::to_owned);
    let new = NewPost {
        title: String::new(),
        body: typed.get("body").to_owned(),
        by: staff.name(),
        once: Some(once.chars().take(64).collect()),
    };
    let (merchant, slug, id) = (staff.merchant.id, about.row.slug.clone(), post.id);
    let done = act(
        &staff,
        move |_, tx| workflow::correct(tx, merchant, &slug, id, &new).map(|_| ()),
        "The correction stands under it.",
        &about.href(),
    )
    .await;
    match done {
        Err(Refusal::Problem(Problem::Invalid(errors))) => {
            let typed = (typed.get("body"), once.as_str());
            Ok(about.correction(&staff, &post, typed, problems_of(&errors)))
        }
        other => other,
    }
}

/// What makes a second submit of a form the same deed.
fn new_key() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}
