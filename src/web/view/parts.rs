//! Small components: badge, meter, money table, pager, empty state, icons.

use askama::Template;
use askama::filters::HtmlSafe;

use super::Html;
use super::time::grouped;

/// What a colour means; never shown without its shape and words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Ours, running.
    Live,
    /// Awaited.
    Wait,
    /// Settled, arrived.
    Good,
    /// Broken, needs a person.
    Bad,
    /// Over, or not begun.
    Idle,
}

impl Tone {
    /// Class of the tone.
    pub fn class(self) -> &'static str {
        match self {
            Tone::Live => "live",
            Tone::Wait => "wait",
            Tone::Good => "good",
            Tone::Bad => "bad",
            Tone::Idle => "idle",
        }
    }

    /// The shape that goes with the colour.
    pub fn shape(self) -> Html {
        Html::sanitized(
            match self {
                Tone::Live => "<circle cx=\"5\" cy=\"5\" r=\"4.5\"/>",
                Tone::Wait => {
                    "<path d=\"M5 .5a4.5 4.5 0 010 9zM5 0a5 5 0 100 10A5 5 0 005 0zm0 1.4a3.6 3.6 0 010 \
                     7.2 3.6 3.6 0 010-7.2z\" fill-rule=\"evenodd\"/>"
                }
                Tone::Good => "<path d=\"M3.7 9.2L0 5.5l1.5-1.5 2.2 2.2L8.5 1.3 10 2.8z\"/>",
                Tone::Bad => "<path d=\"M5 0l5 9.5H0z\"/>",
                Tone::Idle => "<path d=\"M0 4h10v2.2H0z\"/>",
            }
            .to_owned(),
        )
    }
}

/// A state in words, with tone and shape.
#[derive(Clone, Debug, Template)]
#[template(path = "part/badge.html")]
pub struct Badge {
    /// Colour and shape.
    pub tone: Tone,
    /// The words.
    pub text: String,
}

impl HtmlSafe for Badge {}

impl Badge {
    /// Words of one's own.
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self {
            tone,
            text: text.into(),
        }
    }

    /// By a state word of the product: campaign, batch, order, payment, line, refund, purchase order.
    pub fn state(word: &str) -> Self {
        let tone = match word {
            "open" | "ordered" | "fulfilling" | "confirmed" | "backordered" | "saved"
            | "deposit_paid" | "sent" | "in_production" | "in_transit" | "partly_shipped"
            | "shipped" | "allocated" | "picked" | "handed_over" => Tone::Live,
            "scheduled" | "collecting" | "gathering" | "interest" | "pending" | "waitlisted"
            | "unpaid" | "refunding" | "queued" | "held" | "partly_received" => Tone::Wait,
            "completed" | "delivered" | "paid" | "partly_refunded" | "refunded" | "succeeded"
            | "acknowledged" | "received" | "closed" | "paid_otherwise" => Tone::Good,
            "failed" | "disputed" | "rejected" | "blocked" | "stopped" => Tone::Bad,
            _ => Tone::Idle,
        };
        Self::new(tone, state_word(word))
    }

    /// A campaign's state as its public page says it: a failed one is over, not broken, for the money is back.
    pub fn campaign(word: &str) -> Self {
        match word {
            "failed" => Self::new(Tone::Idle, "Failed"),
            _ => Self::state(word),
        }
    }
}

/// "deposit_paid" as it is read: "Deposit paid".
pub fn state_word(word: &str) -> String {
    let mut text = word.replace('_', " ");
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// A place to go.
#[derive(Clone, Debug)]
pub struct Link {
    /// Address.
    pub href: String,
    /// What is read.
    pub text: String,
}

impl Link {
    /// A place to go.
    pub fn new(href: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            href: href.into(),
            text: text.into(),
        }
    }
}

/// A picture of a campaign.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Address.
    pub src: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// What is seen.
    pub alt: String,
}

/// How far the threshold is: a bar with both numbers.
#[derive(Clone, Debug, Template)]
#[template(path = "part/meter.html")]
pub struct Meter {
    /// Whose it is, for those who do not see it: the campaign's title.
    pub of: String,
    /// Units, or minor units of money, so far.
    pub value: i64,
    /// The threshold in the same measure.
    pub target: i64,
    /// So far, as it is read: "88", "$4,120.00".
    pub value_text: String,
    /// The threshold as it is read.
    pub target_text: String,
    /// What stands at the other end: "10 days left".
    pub aside: Option<String>,
}

impl HtmlSafe for Meter {}

impl Meter {
    /// A threshold in units.
    pub fn units(of: &str, value: i64, target: i64) -> Self {
        Self {
            of: of.to_owned(),
            value,
            target,
            value_text: grouped(value),
            target_text: grouped(target),
            aside: None,
        }
    }

    /// With words at the other end.
    pub fn aside(mut self, text: impl Into<String>) -> Self {
        self.aside = Some(text.into());
        self
    }

    /// Whether the threshold is come to.
    pub fn reached(&self) -> bool {
        self.value >= self.target
    }

    /// Filled part of the bar; over the target it stays full.
    pub fn filled(&self) -> i64 {
        self.value.clamp(0, self.target.max(1))
    }

    /// Length of the bar, never nought.
    pub fn whole(&self) -> i64 {
        self.target.max(1)
    }

    /// Both numbers in words.
    pub fn words(&self) -> String {
        if self.reached() {
            format!("{} needed, {} ordered", self.target_text, self.value_text)
        } else {
            format!("{} of {} needed", self.value_text, self.target_text)
        }
    }
}

/// One line of a money table.
#[derive(Clone, Debug)]
pub struct MoneyRow {
    /// "1 full set, chalk".
    pub label: String,
    /// Small print under it.
    pub note: Option<String>,
    /// "$90.00".
    pub amount: String,
}

impl MoneyRow {
    /// A line.
    pub fn new(label: impl Into<String>, amount: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            note: None,
            amount: amount.into(),
        }
    }

    /// With small print.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

/// Lines, what they come to, and what was charged and went back.
#[derive(Clone, Debug, Template)]
#[template(path = "part/money.html")]
pub struct MoneyTable {
    /// What the table shows, for those who do not see it.
    pub caption: String,
    /// Lines, shipping, tax.
    pub rows: Vec<MoneyRow>,
    /// The sum, with its words.
    pub sum: MoneyRow,
    /// Charges and refunds, oldest first; refunds with U+2212.
    pub movements: Vec<MoneyRow>,
}

impl HtmlSafe for MoneyTable {}

/// A place where something would stand.
#[derive(Clone, Debug, Template)]
#[template(path = "part/empty.html")]
pub struct Empty {
    /// One sentence: what would stand here.
    pub text: String,
    /// The button that brings it.
    pub action: Option<Link>,
}

impl HtmlSafe for Empty {}

/// The next page of a list, by cursor.
#[derive(Clone, Debug, Template)]
#[template(path = "part/pager.html")]
pub struct Pager {
    /// How much is shown: "Orders 1 to 50", "50 orders".
    pub shown: String,
    /// Back to the beginning, where this is not it.
    pub first: Option<String>,
    /// The address with the cursor of what follows.
    pub next: Option<String>,
}

impl HtmlSafe for Pager {}

const SYMBOLS: &[(&str, &str)] = &[
    (
        "alert",
        "<path d=\"M12 3.5L22 20.5H2z\"/><path d=\"M12 10v5M12 17.9v.1\"/>",
    ),
    (
        "box",
        "<path d=\"M12 2.5l8.5 4.5v10L12 21.5 3.5 17V7z\"/><path d=\"M3.5 7L12 11.5 20.5 7M12 11.5v10\"/>",
    ),
    (
        "calendar",
        "<rect x=\"3\" y=\"5\" width=\"18\" height=\"16\" rx=\"2\"/><path d=\"M3 10h18M8 2.5v4M16 2.5v4\"/>",
    ),
    (
        "card",
        "<rect x=\"2.5\" y=\"5\" width=\"19\" height=\"14\" rx=\"2\"/><path d=\"M2.5 10h19M6 15h4\"/>",
    ),
    ("check", "<path d=\"M4 12.5l5.5 5.5L20 7\"/>"),
    (
        "clock",
        "<circle cx=\"12\" cy=\"12\" r=\"9\"/><path d=\"M12 7v5l3.5 2\"/>",
    ),
    (
        "coins",
        "<ellipse cx=\"9\" cy=\"7\" rx=\"6\" ry=\"3\"/><path d=\"M3 7v5c0 1.7 2.7 3 6 3M15 7v2M9 15v2c0 1.7 2.7 \
         3 6 3s6-1.3 6-3v-5\"/><ellipse cx=\"15\" cy=\"12\" rx=\"6\" ry=\"3\"/>",
    ),
    (
        "factory",
        "<path d=\"M3 21V10l6 4v-4l6 4V4h6v17z\"/><path d=\"M7 17.5h2M12 17.5h2M17 17.5h1\"/>",
    ),
    ("flag", "<path d=\"M5 21V4h12l-2.5 4L17 12H5\"/>"),
    (
        "gear",
        "<path d=\"M4 7h10M18 7h2M4 17h2M10 17h10\"/><circle cx=\"16\" cy=\"7\" r=\"2\"/><circle cx=\"8\" \
         cy=\"17\" r=\"2\"/>",
    ),
    ("home", "<path d=\"M4 11l8-7 8 7v9h-5.5v-6h-5v6H4z\"/>"),
    (
        "list",
        "<path d=\"M8 6h13M8 12h13M8 18h13M3.5 6h.1M3.5 12h.1M3.5 18h.1\"/>",
    ),
    (
        "lock",
        "<rect x=\"4.5\" y=\"11\" width=\"15\" height=\"10\" rx=\"2\"/><path d=\"M8 11V7.5a4 4 0 018 0V11\"/>",
    ),
    (
        "mail",
        "<rect x=\"2.5\" y=\"5\" width=\"19\" height=\"14\" rx=\"2\"/><path d=\"M3 7l9 6.5L21 7\"/>",
    ),
    (
        "pin",
        "<path d=\"M12 21.5c-4.5-5-7-8.5-7-12a7 7 0 0114 0c0 3.5-2.5 7-7 12z\"/><circle cx=\"12\" cy=\"9.5\" \
         r=\"2.5\"/>",
    ),
    (
        "print",
        "<path d=\"M7 8V3h10v5M7 17H3.5V8h17v9H17\"/><path d=\"M7 14h10v7H7z\"/>",
    ),
    (
        "shield",
        "<path d=\"M12 3l7.5 2.5v6c0 4.6-3 7.9-7.5 9.5-4.5-1.6-7.5-4.9-7.5-9.5v-6z\"/><path d=\"M8.5 12l2.5 \
         2.5 4.5-5\"/>",
    ),
    (
        "truck",
        "<path d=\"M2 6.5h12v10H2zM14 10h4.5l3 3.5v3H14\"/><circle cx=\"6.5\" cy=\"18\" r=\"2\"/><circle cx=\"17.5\" cy=\"18\" r=\"2\"/>",
    ),
];

const DOTS: &str = "<defs>\
    <pattern id=\"u-on\" width=\"10\" height=\"10\" patternUnits=\"userSpaceOnUse\">\
    <circle class=\"dot-on\" cx=\"5\" cy=\"5\" r=\"3.6\"/></pattern>\
    <pattern id=\"u-next\" width=\"10\" height=\"10\" patternUnits=\"userSpaceOnUse\">\
    <circle class=\"dot-next\" cx=\"5\" cy=\"5\" r=\"3.3\"/></pattern>\
    <pattern id=\"u-off\" width=\"10\" height=\"10\" patternUnits=\"userSpaceOnUse\">\
    <circle class=\"dot-off\" cx=\"5\" cy=\"5\" r=\"3.1\"/></pattern></defs>";

/// The symbols a page uses, by name, parted by blanks; `dots` brings the patterns of the price steps. Stands once, at the
/// top of the body; an unknown name draws nothing (a test over every page finds it).
pub fn sprite(names: &str) -> Html {
    let mut out = String::new();
    for name in names.split_whitespace() {
        if name == "dots" {
            out.push_str(DOTS);
        } else if let Some((id, paths)) = SYMBOLS.iter().find(|(id, _)| *id == name) {
            out.push_str(&format!(
                "<symbol id=\"i-{id}\" viewBox=\"0 0 24 24\">{paths}</symbol>"
            ));
        }
    }
    if out.is_empty() {
        return Html::default();
    }
    Html::sanitized(format!(
        "<svg width=\"0\" height=\"0\" class=\"hide\" aria-hidden=\"true\">{out}</svg>"
    ))
}
