//! The list of campaigns.

use askama::Template;

use super::{Badge, Empty, Meter, Pager, Picture, Shell, Steps};

/// Order of the open campaigns: the value of `sort` in the address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// Closing first.
    #[default]
    Closing,
    /// Newest first.
    Newest,
    /// Fewest units missing to the next step.
    Nearest,
}

impl Sort {
    /// Every order, for the control and for caches.
    pub const ALL: [Sort; 3] = [Sort::Closing, Sort::Newest, Sort::Nearest];

    /// Value in the address.
    pub fn value(self) -> &'static str {
        match self {
            Sort::Closing => "closing",
            Sort::Newest => "newest",
            Sort::Nearest => "nearest",
        }
    }

    /// What is read.
    pub fn label(self) -> &'static str {
        match self {
            Sort::Closing => "closing first",
            Sort::Newest => "newest",
            Sort::Nearest => "nearest to a step",
        }
    }

    /// Reads the address; anything unknown is the default.
    pub fn parse(value: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|s| s.value() == value).unwrap_or_default()
    }
}

/// The campaign nearest to its next step.
#[derive(Clone, Debug)]
pub struct Featured {
    /// Its name.
    pub title: String,
    /// Its address.
    pub href: String,
    /// Its cover.
    pub picture: Option<Picture>,
    /// "Open, 10 days left".
    pub badge: Badge,
    /// Its prices.
    pub steps: Steps,
}

/// A campaign in a list.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Its name.
    pub title: String,
    /// Its address.
    pub href: String,
    /// Its cover.
    pub picture: Option<Picture>,
    /// Its state.
    pub badge: Badge,
    /// Who sells.
    pub seller: String,
    /// One sentence: what is missing, or what happened. May be empty.
    pub text: String,
    /// The threshold.
    pub meter: Option<Meter>,
    /// "$68.00".
    pub price: String,
    /// "now, $61.00 from 150", "was paid by all".
    pub price_note: String,
}

/// A campaign that ended.
#[derive(Clone, Debug)]
pub struct EndedRow {
    /// Its name.
    pub title: String,
    /// Its address.
    pub href: String,
    /// How it ended: "Completed", "Missed, all 22 orders refunded".
    pub badge: Badge,
    /// The promised ship date: "1 March 2026".
    pub promised: String,
    /// What became of it: "26 February 2026", "no order placed".
    pub shipped: String,
}

/// `/`
#[derive(Clone, Debug, Template)]
#[template(path = "shop/home.html")]
pub struct HomePage {
    /// Frame.
    pub shell: Shell,
    /// The campaign nearest to its next step, where one is open.
    pub featured: Option<Featured>,
    /// Open ones, in the order asked for.
    pub open: Vec<Offer>,
    /// How they are ordered.
    pub sort: Sort,
    /// More open ones.
    pub pager: Option<Pager>,
    /// Those that ask who would buy.
    pub asking: Vec<Offer>,
    /// Scheduled ones.
    pub scheduled: Vec<Offer>,
    /// Collecting, ordered, fulfilling.
    pub making: Vec<Offer>,
    /// Completed and failed ones, latest first.
    pub ended: Vec<EndedRow>,
    /// Event stream; keys `steps` and `badge` of the featured one.
    pub events: Option<String>,
}

impl HomePage {
    /// Whether there is nothing at all yet.
    pub fn is_new(&self) -> bool {
        self.open.is_empty()
            && self.asking.is_empty()
            && self.scheduled.is_empty()
            && self.making.is_empty()
            && self.ended.is_empty()
    }

    fn icons(&self) -> &'static str {
        if self.featured.is_some() { "dots" } else { "" }
    }

    fn nothing_open(&self) -> Empty {
        Empty {
            text: if self.is_new() {
                "No campaign has been published here yet. The first one will stand here with its prices, its \
                 deadline and what is still missing."
                    .to_owned()
            } else {
                "No campaign takes orders at this moment. The next one to open will stand here."
                    .to_owned()
            },
            action: None,
        }
    }
}
