//! A merchant's public page.

use chrono::{DateTime, Utc};

use super::draw::{address_lines, terms};
use super::drawn;
use super::home::List;
use super::ideas::cards;
use super::trust::Counts;
use crate::domain::campaign::CampaignState;
use crate::domain::text::markdown_to_html;
use crate::store::{Conn, campaigns, merchants};
use crate::web::snapshot::Drawing;
use crate::web::view::{Html, MerchantPage, Shell};
use crate::workflows::desk::Problem;

/// The most campaigns it shows.
const MOST: i64 = 60;

/// Draws it; none where there is no such merchant.
///
/// # Errors
/// What the database says.
pub fn draw(
    conn: &mut Conn,
    counts: &Counts,
    shell: Shell,
    slug: &str,
    now: DateTime<Utc>,
) -> Result<Option<Drawing>, Problem> {
    let Some(merchant) = merchants::by_slug(conn, slug)? else {
        return Ok(None);
    };
    let mut rows = campaigns::of_merchant(conn, merchant.id, None, MOST)?;
    rows.retain(|row| row.state.is_public());
    // Running ones first; the newest of each kind before the others, as they come.
    rows.sort_by_key(|row| match row.state {
        CampaignState::Open => 0,
        CampaignState::Scheduled | CampaignState::Interest => 1,
        CampaignState::Completed | CampaignState::Failed => 3,
        _ => 2,
    });
    let record = counts.rows(conn, merchant.id, &rows, now)?;
    let mut list = List::new(conn, now);
    let offers = list.offers(rows)?;
    let until = list.until;
    let text = |markdown: &str| Html::sanitized(markdown_to_html(markdown));
    let in_force = terms(&merchant)
        .map(|t| format!("<p class=\"quiet\">Version {}.</p>", t.version))
        .unwrap_or_default();
    let page = MerchantPage {
        shell: shell.of_seller(&merchant.slug),
        name: merchant.name.clone(),
        campaigns: offers,
        ideas: cards(conn, merchant.id, &merchant.slug)?,
        record,
        imprint: address_lines(&merchant),
        imprint_text: text(&merchant.imprint),
        email: Some(merchant.email.clone()).filter(|e| !e.is_empty()),
        terms: Html::sanitized(format!("{in_force}{}", markdown_to_html(&merchant.terms))),
        terms_version: None,
        privacy: text(&merchant.privacy),
    };
    Ok(Some(Drawing {
        campaign: None,
        until,
        html: drawn(page, |page, theme| page.shell.theme = theme),
    }))
}
