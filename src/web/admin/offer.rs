//! Making and editing a campaign.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::form::{FormPage, Line, Pairs, Typed};
use super::guard::{Refusal, Staff};
use super::kit::{own_campaign, slug};
use super::offer_form::{
    Locks, compact, local, problems, read, remove_step, restore, typed_new, typed_of,
};
use super::offer_view::OfferForm;
use crate::domain::campaign::CampaignState;
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::IdeaId;
use crate::domain::text::markdown_to_html;
use crate::store::campaigns::CampaignRow;
use crate::store::ideas as rows;
use crate::store::merchants::{self, SupplierRow};
use crate::web::view::{Html, Link, Problems};
use crate::workflows::desk::{Problem, offer};
use crate::workflows::{campaigns, ideas};

/// What may be changed of a campaign by now.
fn locks(row: &CampaignRow) -> Locks {
    Locks {
        published: row.published_at.is_some(),
        // While it only asks who would buy, nobody counts on the deadline.
        deadline: row.published_at.is_some() && row.state != CampaignState::Interest,
        opened: !matches!(
            row.state,
            CampaignState::Draft | CampaignState::Interest | CampaignState::Scheduled
        ),
        ordered: row.first_order_at.is_some(),
    }
}

/// Whether anything of a campaign may still be changed.
pub fn is_editable(row: &CampaignRow) -> bool {
    matches!(
        row.state,
        CampaignState::Draft
            | CampaignState::Interest
            | CampaignState::Scheduled
            | CampaignState::Open
            | CampaignState::Collecting
    )
}

/// What a form is drawn for: a new campaign, or one that is there.
struct About {
    row: Option<(CampaignRow, CampaignDraft)>,
    suppliers: Vec<SupplierRow>,
}

async fn about(staff: &Staff, slug: Option<String>) -> Result<About, Refusal> {
    let merchant = staff.merchant.clone();
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let suppliers = merchants::suppliers_of(conn, merchant.id)?;
        let row = match slug {
            Some(slug) => {
                let row = own_campaign(conn, &merchant, &slug)?;
                let draft = offer(&row)?;
                Some((row, draft))
            }
            None => None,
        };
        Ok(About { row, suppliers })
    });
    Ok(found.await?)
}

impl About {
    fn locks(&self) -> Locks {
        self.row
            .as_ref()
            .map_or_else(Locks::default, |(row, _)| locks(row))
    }

    fn draw(
        &self,
        staff: &Staff,
        typed: &Typed,
        problems: Problems,
        preview: bool,
    ) -> HttpResponse {
        let shell = staff.shell("campaigns");
        let mut page = match &self.row {
            Some((row, _)) => {
                let href = format!("/admin/campaigns/{}", row.slug);
                let mut page =
                    FormPage::new(shell, format!("Edit {}", row.title), format!("{href}/edit"));
                page.crumbs = vec![
                    Link::new("/admin/campaigns", "Campaigns"),
                    Link::new(&href, &row.title),
                ];
                page.back = Some(Link::new(href, "Leave it as it was"));
                "Save the changes".clone_into(&mut page.submit);
                page
            }
            None => {
                let mut page = FormPage::new(shell, "New campaign", "/admin/campaigns/new");
                page.crumbs = vec![Link::new("/admin/campaigns", "Campaigns")];
                page.lead =
                    vec!["It is saved as a draft; nobody sees it before you publish it.".into()];
                page.back = Some(Link::new("/admin/campaigns", "Leave it"));
                "Save the draft".clone_into(&mut page.submit);
                page
            }
        };
        let form = OfferForm {
            typed,
            problems: &problems,
            locks: self.locks(),
            kept_options: self
                .row
                .as_ref()
                .map_or(0, |(_, draft)| draft.options.len()),
            suppliers: &self.suppliers,
        };
        page.sections = form.sections();
        let idea = typed.get("idea");
        if let (Some(first), false) = (page.sections.first_mut(), idea.is_empty()) {
            let hidden = Line::Hidden("idea".to_owned(), idea.to_owned());
            first.lines.push(hidden);
        }
        page.problems = problems;
        let text = typed.get("description");
        if preview || (self.row.is_some() && !text.is_empty()) {
            let html = Html::sanitized(markdown_to_html(text));
            page.preview = Some(("How the description reads".to_owned(), html));
        }
        page.answer()
    }
}

/// Of which idea a new campaign is made.
#[derive(Deserialize)]
pub struct Begun {
    idea: Option<String>,
}

/// `GET /admin/campaigns/new`
pub async fn new(staff: Staff, begun: web::Query<Begun>) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let about = about(&staff, None).await?;
    let mut typed = typed_new();
    if let Some(id) = begun.idea.as_deref().and_then(|id| id.parse().ok()) {
        let merchant = staff.merchant.id;
        let found = staff.office.read(move |conn| -> Result<_, Problem> {
            Ok(rows::by_id(conn, id)?.filter(|idea| idea.merchant_id == merchant))
        });
        if let Some(idea) = found.await? {
            typed.set("title", idea.title);
            typed.set("description", idea.body);
            typed.set("idea", idea.id.to_string());
        }
    }
    Ok(about.draw(&staff, &typed, Problems::default(), false))
}

/// `GET /admin/campaigns/{slug}/edit`
pub async fn edit(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let about = about(&staff, Some(slug(&path)?)).await?;
    if let Some((row, _)) = &about.row
        && !is_editable(row)
    {
        let say = "This campaign can't be changed any more: it is ordered or over.";
        return Err(Problem::conflict("campaign-ended", say).into());
    }
    let typed = about.row.as_ref().map(|(row, draft)| {
        let mut typed = typed_of(draft);
        // What publication fixed is shown, not only that it is fixed.
        if row.state != CampaignState::Draft {
            typed.set("slug", &row.slug);
            if let Some(at) = row.opens_at {
                typed.set("opens_at", local(at.and_utc(), draft.time_zone));
            }
        }
        typed
    });
    Ok(about.draw(
        &staff,
        &typed.unwrap_or_default(),
        Problems::default(),
        false,
    ))
}

/// `POST /admin/campaigns/new`
pub async fn create(staff: Staff, form: Pairs) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    submit(staff, None, form).await
}

/// `POST /admin/campaigns/{slug}/edit`
pub async fn save(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    submit(staff, Some(slug(&path)?), form).await
}

async fn submit(staff: Staff, slug: Option<String>, form: Pairs) -> Result<HttpResponse, Refusal> {
    let about = about(&staff, slug.clone()).await?;
    let mut typed = Typed::from(form.into_inner());
    let deed = typed.get("do").to_owned();
    if let Some((row, draft)) = &about.row {
        restore(&mut typed, draft, locks(row));
    }
    compact(&mut typed);
    if !matches!(deed.as_str(), "" | "save") {
        change_rows(&mut typed, &deed);
        return Ok(about.draw(&staff, &typed, Problems::default(), deed == "preview"));
    }
    let old = about.row.as_ref().map(|(_, draft)| draft);
    let (input, errors) = read(&typed, old, about.locks());
    let said = if errors.is_empty() {
        let merchant = staff.merchant.id;
        let idea: Option<IdeaId> = typed.get("idea").parse().ok();
        let kept = staff.office.write(move |_, tx| match &slug {
            Some(slug) => campaigns::edit(tx, merchant, slug, input.clone()),
            None => {
                let row = campaigns::create(tx, merchant, input.clone())?;
                if let Some(idea) = idea {
                    ideas::made(tx, merchant, idea, row.id)?;
                }
                Ok(row)
            }
        });
        match kept.await {
            Ok(row) => {
                let said = match &about.row {
                    Some(_) => "The changes are saved.",
                    None => "The draft is saved. Look at it, add pictures, then publish it.",
                };
                return staff.done(said, &format!("/admin/campaigns/{}", row.slug));
            }
            Err(Problem::Invalid(checked)) => checked,
            // Locked, overtaken, ended: said on top, with everything still there.
            Err(Problem::Conflict { message, .. }) => {
                let mut problems = Problems::default();
                problems.add("", message);
                return Ok(about.draw(&staff, &typed, problems, false));
            }
            Err(other) => return Err(other.into()),
        }
    } else {
        let now = staff.office.now();
        let checked = match old {
            Some(old) => input.check_change(now, old),
            None => input.check(now),
        };
        checked.err().unwrap_or_default()
    };
    Ok(about.draw(&staff, &typed, problems(&errors, &said), false))
}

/// A button that adds or takes out a row; the form is drawn again with all that was typed.
fn change_rows(typed: &mut Typed, deed: &str) {
    let mut add = |list: &str, part: &str| {
        let rows = typed.rows_up_to(list, 200).max(1);
        typed.set(format!("{list}.{rows}{part}"), "");
    };
    match deed {
        "add-step" => add("steps", ""),
        "add-option" => add("options", ".sku"),
        "add-shipping" => add("shipping", ".countries"),
        "add-tax" => add("tax", ".countries"),
        _ => {
            let Some((what, row)) = deed.split_once('.') else {
                return;
            };
            let Ok(row) = row.parse() else { return };
            match what {
                "remove-step" => remove_step(typed, row),
                "remove-option" => typed.remove_row("options", row),
                "remove-shipping" => typed.remove_row("shipping", row),
                "remove-tax" => typed.remove_row("tax", row),
                _ => {}
            }
        }
    }
}
