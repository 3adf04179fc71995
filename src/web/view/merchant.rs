//! A merchant's public page and one version of its terms.

use askama::Template;

use super::{Badge, Day, Html, IdeaCard, IdeaStand, Link, Moment, Offer, Shell, TermsRef};

/// `/m/{slug}`
#[derive(Clone, Debug, Template)]
#[template(path = "shop/merchant.html")]
pub struct MerchantPage {
    /// Frame, with this seller's links in the footer.
    pub shell: Shell,
    /// Name the shop goes by.
    pub name: String,
    /// Its campaigns, running ones first.
    pub campaigns: Vec<Offer>,
    /// What it might run next, most votes first.
    pub ideas: Vec<IdeaCard>,
    /// Promised against actual, campaign by campaign.
    pub record: Vec<TrustRow>,
    /// Imprint, line by line: legal name, address, register. Empty where none is published.
    pub imprint: Vec<String>,
    /// What else the imprint says, sanitized; may be empty.
    pub imprint_text: Html,
    /// Where to write to.
    pub email: Option<String>,
    /// Terms in force, sanitized; empty where none are published.
    pub terms: Html,
    /// Their version, with the address of that very version, and since when.
    pub terms_version: Option<(TermsRef, Moment)>,
    /// Privacy notice, sanitized; empty where none is published.
    pub privacy: Html,
}

/// A campaign in its seller's record.
#[derive(Clone, Debug)]
pub struct TrustRow {
    /// Its title, and where it is.
    pub campaign: Link,
    /// Its state.
    pub badge: Badge,
    /// The promised ship date.
    pub promised: Day,
    /// "median 3 days late, last 12 days late", "not shipped yet".
    pub actual: String,
    /// "$48,210.00".
    pub collected: String,
    /// What went back of it.
    pub refunded: String,
    /// When the order went to the supplier.
    pub placed: Option<Moment>,
    /// When the supplier said yes.
    pub acknowledged: Option<Moment>,
    /// When something was last heard.
    pub last_sign: Option<Moment>,
    /// For how long nothing was, where that is too long.
    pub quiet: Option<String>,
}

/// One version of a merchant's terms, as it was accepted with an order.
#[derive(Clone, Debug, Template)]
#[template(path = "shop/terms.html")]
pub struct TermsPage {
    /// Frame.
    pub shell: Shell,
    /// Name of the merchant.
    pub seller_name: String,
    /// Under `/m/`.
    pub seller_slug: String,
    /// The version.
    pub version: i64,
    /// Since when it is, or was, in force.
    pub since: Moment,
    /// A later one is in force.
    pub replaced: bool,
    /// The text, sanitized.
    pub text: Html,
}
