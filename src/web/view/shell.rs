//! What every page has around it.

use std::fmt;

/// HTML that is known to be harmless: made by our Markdown renderer and the sanitizer, or written in this crate.
///
/// Anything a person typed goes through the sanitizer before it is wrapped here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Wraps text that the sanitizer let through.
    pub fn sanitized(html: String) -> Self {
        Self(html)
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Html {}

/// Light, dark, or whatever the device says. A cached page is kept once per variant ([`Theme::ALL`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Theme {
    /// The device decides.
    #[default]
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// Every variant, for caches.
    pub const ALL: [Theme; 3] = [Theme::Auto, Theme::Light, Theme::Dark];

    /// The value of the cookie and of `data-theme`; none for [`Theme::Auto`].
    pub fn name(self) -> Option<&'static str> {
        match self {
            Theme::Auto => None,
            Theme::Light => Some("light"),
            Theme::Dark => Some("dark"),
        }
    }

    /// Reads a cookie or a form; anything unknown is [`Theme::Auto`].
    pub fn parse(value: &str) -> Self {
        match value {
            "light" => Theme::Light,
            "dark" => Theme::Dark,
            _ => Theme::Auto,
        }
    }
}

/// The frame of a shopper's or a supplier's page.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    /// From the cookie ([`crate::web::theme::of`]).
    pub theme: Theme,
    /// Where the theme switch comes back to: a path of this server that can be asked for with GET.
    pub back: String,
    /// Draws the sandbox banner.
    pub sandbox: bool,
    /// Asks search engines to stay away: pages behind a signed link. Also keeps the address out of `Referer`.
    pub private: bool,
    /// Seconds until the browser asks again by itself, without script (queue page).
    pub refresh: Option<u32>,
    /// Seller whose terms, privacy and imprint stand in the footer: its slug under `/m/`.
    pub seller_slug: Option<String>,
    /// Drawn once after a redirect, in the words of what was done.
    pub flash: Option<String>,
}

impl Shell {
    /// A public page at `back`.
    pub fn public(theme: Theme, back: &str, sandbox: bool) -> Self {
        Self {
            theme,
            back: back.to_owned(),
            sandbox,
            ..Self::default()
        }
    }

    /// A page behind a signed link.
    pub fn private(theme: Theme, back: &str, sandbox: bool) -> Self {
        Self {
            private: true,
            ..Self::public(theme, back, sandbox)
        }
    }

    /// Puts a seller's links in the footer.
    pub fn of_seller(mut self, slug: &str) -> Self {
        self.seller_slug = Some(slug.to_owned());
        self
    }
}

/// One entry of the panel's side bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NavItem {
    /// Key, compared with [`PanelShell::here`].
    pub key: &'static str,
    /// What is read.
    pub label: &'static str,
    /// Address.
    pub href: &'static str,
    /// Symbol in the sprite.
    pub icon: &'static str,
}

/// The side bar of the panel.
pub const PANEL_NAV: [NavItem; 7] = [
    nav("today", "Today", "/admin", "home"),
    nav("campaigns", "Campaigns", "/admin/campaigns", "flag"),
    nav("orders", "Orders", "/admin/orders", "list"),
    nav("batches", "Batches", "/admin/batches", "box"),
    nav("suppliers", "Suppliers", "/admin/suppliers", "factory"),
    nav("money", "Money", "/admin/money", "coins"),
    nav("settings", "Settings", "/admin/settings", "gear"),
];

const fn nav(
    key: &'static str,
    label: &'static str,
    href: &'static str,
    icon: &'static str,
) -> NavItem {
    NavItem {
        key,
        label,
        href,
        icon,
    }
}

/// The frame of a page of the merchant's panel (`templates/layout/panel.html`, field `shell`).
#[derive(Clone, Debug, Default)]
pub struct PanelShell {
    /// From the cookie.
    pub theme: Theme,
    /// Where the theme switch comes back to.
    pub back: String,
    /// Draws the sandbox banner.
    pub sandbox: bool,
    /// Key of the entry that is open ([`PANEL_NAV`]).
    pub here: String,
    /// How many things wait under *Today*; nought draws nothing.
    pub waiting: i64,
    /// Name of the merchant.
    pub merchant: String,
    /// Who is logged in, with the role: "Ines Okafor, manager".
    pub person: String,
    /// What has just been done; drawn once after a redirect.
    pub flash: Option<String>,
    /// Draws `flash` as a refusal.
    pub flash_bad: bool,
}

impl PanelShell {
    /// Entries of the side bar.
    pub fn nav(&self) -> &'static [NavItem] {
        &PANEL_NAV
    }
}
