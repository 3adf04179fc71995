//! A campaign's public page. It carries nothing of its visitor: a snapshot of it may be served from memory, drawn again
//! when the campaign changes and at least once a minute while a countdown stands on it.

mod batches;
mod live;

pub use batches::{BatchLine, BatchPart};
pub use live::CampaignLive;

use askama::Template;

use super::join::OptionRow;
use super::steps::StepRow;
use super::time::{Day, Moment, Timeline, TimelineItem, grouped, plural};
use super::updates::Update;
use super::{
    Badge, Charging, Countdown, Html, InterestForm, JoinForm, Link, Meter, Paying, Picture,
    Problems, Seller, Shell, Steps,
};
use crate::domain::draft::DelayPolicy;

/// How a failed campaign ended.
#[derive(Clone, Debug)]
pub struct Ending {
    /// `missed`, `cancelled`, `shortfall`, `supplier`.
    pub reason: String,
    /// What the seller wrote, where it was cancelled.
    pub said: Option<String>,
    /// Options under their minimum, which were not counted: name, units, and units it needed.
    pub without: Vec<(String, i64, i64)>,
    /// When.
    pub at: Moment,
    /// Orders that had been paid.
    pub orders: i64,
    /// Those whose refund is done.
    pub refunded_orders: i64,
    /// What went back so far: "$1,980.00".
    pub refunded: String,
    /// How it was to be paid.
    pub paying: Paying,
}

impl Ending {
    /// What stands above it.
    pub fn heading(&self) -> &'static str {
        match self.reason.as_str() {
            "cancelled" => "The seller cancelled it",
            "stop-loss" => "It was not shipped in time",
            _ => "It did not come together",
        }
    }

    /// One sentence: why.
    pub fn why(&self, meter: &Meter) -> String {
        match self.reason.as_str() {
            "missed" => {
                let counted = self.paying.counted();
                let mut why = format!(
                    "{} of {} needed were {counted} when it closed.",
                    meter.value_text, meter.target_text
                );
                for (name, units, needed) in &self.without {
                    why.push_str(&format!(
                        " {name} is not counted: {} of the {} it needs were {counted}.",
                        grouped(*units),
                        grouped(*needed)
                    ));
                }
                why
            }
            "cancelled" => "The seller cancelled it.".to_owned(),
            "shortfall" if self.paying == Paying::OnSuccess => {
                "Too little came in when the cards were charged.".to_owned()
            }
            "shortfall" => "Nothing was left to order when the orders were counted.".to_owned(),
            "supplier" => "The supplier could not take the order.".to_owned(),
            "stop-loss" => "The last day for shipping passed.".to_owned(),
            _ => "It did not come together.".to_owned(),
        }
    }

    /// One sentence: what became of the money.
    pub fn money(&self) -> String {
        match (self.orders, self.orders - self.refunded_orders) {
            (0, _) if self.paying == Paying::OnSuccess => {
                "No card was charged, and none is kept.".to_owned()
            }
            (0, _) => "Nobody had paid, so nothing had to go back.".to_owned(),
            (1, 0) => format!("The one order is refunded in full: {}.", self.refunded),
            (n, 0) => format!(
                "All {} orders are refunded in full: {}.",
                grouped(n),
                self.refunded
            ),
            (n, left) => format!(
                "Every order is refunded in full, by itself: {} of {} are done, {} on their way.",
                grouped(n - left),
                grouped(n),
                grouped(left)
            ),
        }
    }
}

/// Where a campaign stands, with what only that state knows.
#[derive(Clone, Debug)]
pub enum Standing {
    /// Published to ask who would buy; nothing is sold.
    Interest {
        /// When joining begins, where that is settled.
        opens: Option<Moment>,
        /// Its date has passed: answers are not taken any more, and the seller has not opened it.
        over: bool,
    },
    /// Published, not yet open.
    Scheduled {
        /// When joining begins.
        opens: Moment,
    },
    /// Takes orders.
    Open,
    /// Joining has ended; judged or about to be.
    Collecting {
        /// The step is settled and the supplier's order is being made ready.
        judged: bool,
    },
    /// The supplier's order went out (also `fulfilling` and `completed`).
    Ordered {
        /// When it went out.
        sent: Option<Moment>,
    },
    /// It failed: what happened to the money.
    Failed(Ending),
}

/// When it ships, against what was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShipsNow {
    /// Nobody said otherwise.
    AsPromised,
    /// Another day.
    On(Day),
    /// The seller said that it is not known.
    NotKnown,
    /// The seller said that the rest will not be shipped.
    Never,
}

/// What a shopper's money does, and when (domain sections 3 and 4).
#[derive(Clone, Debug)]
pub struct MoneyPlan {
    /// The threshold in words: "60 units", "$6,000.00".
    pub threshold: String,
    /// When joining ends and it is judged.
    pub deadline: Moment,
    /// Judged as soon as the threshold is paid for (trigger `at_threshold`).
    pub at_threshold: bool,
    /// Whether some option is only made from a number of units on.
    pub minimums: bool,
    /// The promised ship date.
    pub ships_by: Day,
    /// What is said now.
    pub ships_now: ShipsNow,
    /// What silence does when the date moves.
    pub policy: DelayPolicy,
    /// The stop-loss date.
    pub last_day: Option<Day>,
    /// Where left-over units are sold: within how many days they ship.
    pub from_stock: Option<i64>,
    /// How it is paid.
    pub paying: Paying,
    /// How far the charging of saved cards is.
    pub charging: Charging,
}

impl MoneyPlan {
    /// The plan as a timeline, seen from where the campaign stands.
    pub fn timeline(&self, standing: &Standing, rows: &[StepRow], price: &str) -> Timeline {
        if let Some(days) = self.from_stock {
            return self.timeline_from_stock(days, price);
        }
        let mut items = Vec::new();
        let day = self.deadline.day();
        match standing {
            Standing::Interest { opens, over } => {
                if *over {
                    items.push(asked());
                } else {
                    items.extend(asking(opens.as_ref(), price));
                }
                items.push(
                    TimelineItem::next("Enough: the price is settled").text(self.settling(rows)),
                );
            }
            Standing::Open | Standing::Scheduled { .. } => {
                let at = match standing {
                    Standing::Scheduled { .. } => format!("{price} at first"),
                    _ => format!("{price} now"),
                };
                let (title, text) = self.paying.joining(&at);
                let join = match standing {
                    // Before the opening no step of it has begun.
                    Standing::Scheduled { .. } => TimelineItem::next(title),
                    _ => TimelineItem::now(title),
                };
                items.push(join.text(text));
                items.push(
                    TimelineItem::next("Until the supplier's order goes out: you may leave")
                        .text(self.paying.leaving()),
                );
                let when = if self.at_threshold {
                    let and = if self.minimums {
                        " and every option has its minimum"
                    } else {
                        ""
                    };
                    let enough = &self.threshold;
                    format!("Once {enough} are paid for{and}, at the latest {day}")
                } else {
                    day
                };
                items.push(
                    TimelineItem::next(format!("{when}: the price is settled"))
                        .text(self.settling(rows)),
                );
                items.extend(self.paying.enough());
            }
            Standing::Collecting { judged } => {
                items.push(TimelineItem::done(self.deadline, "Joining has ended"));
                items.push(if *judged {
                    let (title, text) = self.charging.said();
                    TimelineItem::now(title).text(text)
                } else {
                    TimelineItem::now(self.paying.counting())
                        .text("The last payments are waited for, then the price is settled.")
                });
            }
            Standing::Ordered { sent } => {
                items.push(TimelineItem::done(self.deadline, "The price was settled"));
                let mut order = TimelineItem::now("The order is with the supplier");
                order.when = *sent;
                items.push(order.text("It went out for units that were paid for."));
            }
            Standing::Failed(ending) => {
                items.push(TimelineItem::done(ending.at, "It failed").text(ending.money()));
                return Timeline { items };
            }
        }
        items.push(self.shipping(standing));
        if let Some(last) = self.last_day {
            items.push(
                TimelineItem::next(format!("{}: the last day", last.text()))
                    .text("What has not been shipped by then is refunded. You need not ask."),
            );
        }
        Timeline { items }
    }

    /// The promise as it stands, the first date and the present one side by side.
    pub fn promised(&self) -> String {
        let first = self.ships_by.text();
        match self.ships_now {
            ShipsNow::AsPromised => format!("By {first}: shipped"),
            ShipsNow::On(day) if day == self.ships_by => format!("By {first}: shipped"),
            ShipsNow::On(day) => format!("Promised {first}, now {}", day.text()),
            ShipsNow::NotKnown => format!("Promised {first}, now not known"),
            ShipsNow::Never => format!("Promised {first}; what is left will not be shipped"),
        }
    }

    fn shipping(&self, standing: &Standing) -> TimelineItem {
        let item = TimelineItem::next(self.promised());
        let late = match self.ships_now {
            ShipsNow::On(day) => day.0.signed_duration_since(self.ships_by.0).num_days(),
            ShipsNow::AsPromised | ShipsNow::NotKnown | ShipsNow::Never => 0,
        };
        match (standing, self.ships_now) {
            (Standing::Open | Standing::Scheduled { .. } | Standing::Interest { .. }, _) => {
                item.text(self.delay_words())
            }
            (_, ShipsNow::On(_)) if late > 0 => item.text(format!(
                "{} later than promised. Everybody who joined was asked.",
                plural(late, "day")
            )),
            (_, ShipsNow::On(_)) if late < 0 => {
                item.text(format!("{} sooner than promised.", plural(-late, "day")))
            }
            (_, ShipsNow::Never) => {
                item.text("The seller said so: everything that was not shipped is refunded, shipping included.")
            }
            (_, ShipsNow::NotKnown) => item.text(
                "Everybody who joined was asked. Who does not agree to wait is refunded, shipping included.",
            ),
            _ => item.text(self.delay_words()),
        }
    }

    /// What the seller's delay policy means, before joining (domain section 6).
    fn delay_words(&self) -> String {
        let choice =
            "If this date moves, you choose: keep waiting, or everything back, shipping included.";
        let silence = match self.policy {
            DelayPolicy::Ftc => {
                "If you say nothing, a delay of at most 30 days counts as agreed; a longer one, or one without a date, is \
                 refunded by itself 30 days after the promised date."
            }
            DelayPolicy::AskAlways => {
                "If you say nothing, you are refunded the day after the promised date: silence never counts as agreed."
            }
        };
        format!(
            "{choice} {silence} If nobody tells you of a delay, you are refunded the day after."
        )
    }

    /// What happens to the money of who buys what is left over.
    fn timeline_from_stock(&self, days: i64, price: &str) -> Timeline {
        let items = vec![
            TimelineItem::done(self.deadline, "The price was settled"),
            TimelineItem::now("When you buy: you pay, once").text(format!(
                "{price} and shipping, by card. The units are there, so nothing has to come together any more."
            )),
            TimelineItem::next("Until it is packed: you may cancel")
                .text("On your order's page; all of it goes back to your card."),
            TimelineItem::next(format!("It ships {}", within(days))).text(
                "Your order names the day, and the last one: if it has not been shipped by then, it is refunded. \
                 You need not ask.",
            ),
        ];
        Timeline { items }
    }

    /// What is settled: the steps in words, and both ends.
    fn settling(&self, rows: &[StepRow]) -> String {
        let steps: Vec<String> = rows
            .iter()
            .skip(1)
            .map(|r| format!("{} from {} units", r.price, grouped(r.from)))
            .collect();
        let back = if steps.is_empty() {
            String::new()
        } else {
            format!("{}. {}", steps.join(", "), self.paying.cheaper())
        };
        let minimums = if self.minimums {
            "What is ordered less often than its minimum is not made, and its price goes back. "
        } else {
            ""
        };
        format!("{back}{minimums}{}", self.paying.missed(&self.threshold))
    }
}

/// What happens to nobody's money while a campaign asks who would buy, and what comes then.
fn asked() -> TimelineItem {
    TimelineItem::now("Asking is over: the seller decides")
        .text("Nothing was charged, and nobody has ordered. Who answered gets a mail if it opens.")
}

fn asking(opens: Option<&Moment>, price: &str) -> [TimelineItem; 2] {
    let then = match opens {
        Some(at) => format!("{}: it opens", at.day()),
        None => "The seller opens it, or does not".to_owned(),
    };
    [
        TimelineItem::now("Now: you say what you would buy")
            .text("How many, and up to what price. Nothing is charged, and you have not ordered."),
        TimelineItem::next(then).text(format!(
            "A mail tells you, with your answer filled in. Whoever joins then pays once, by card, {price} at first; prices \
             and dates may change until then."
        )),
    ]
}

/// A seller's record, read from the payment journal.
#[derive(Clone, Debug)]
pub struct Record {
    /// Campaigns that ended before this one.
    pub earlier: i64,
    /// Those of them that were refunded in full.
    pub earlier_refunded: i64,
    /// Collected over all campaigns: "$48,210.00".
    pub collected: String,
    /// Gone back over all campaigns.
    pub refunded: String,
    /// When the supplier's order of this campaign went out.
    pub order_sent: Option<Moment>,
}

impl Record {
    /// "6, of which 1 refunded in full".
    pub fn campaigns(&self) -> String {
        match (self.earlier, self.earlier_refunded) {
            (0, _) => "none, this is the first".to_owned(),
            (n, 0) => grouped(n),
            (n, r) => format!("{}, of which {} refunded in full", grouped(n), grouped(r)),
        }
    }
}

/// What shipping costs where.
#[derive(Clone, Debug)]
pub struct ShippingRow {
    /// "Portugal, Spain", "All other countries".
    pub countries: String,
    /// "$6.50", "from $6.50".
    pub price: String,
    /// Where larger orders cost more: "$6.50 up to 2 kg", "$9.00 above that".
    pub bands: Vec<String>,
}

/// `/c/{slug}`
#[derive(Clone, Debug, Template)]
#[template(path = "shop/campaign.html")]
pub struct CampaignPage {
    /// Frame, with the seller's links in the footer.
    pub shell: Shell,
    /// Under `/c/`.
    pub slug: String,
    /// Name of the campaign.
    pub title: String,
    /// The state word.
    pub state: String,
    /// What only this state knows.
    pub standing: Standing,
    /// Its batches, where it has or may have several.
    pub batches: Option<BatchPart>,
    /// What one gets, from Markdown, sanitized.
    pub description: Html,
    /// Pictures; the first is the cover.
    pub pictures: Vec<Picture>,
    /// Who sells.
    pub seller: Seller,
    /// Prices at the steps of the first option, and how far the next is.
    pub steps: Steps,
    /// The threshold.
    pub meter: Meter,
    /// Time left, while it is open or scheduled.
    pub countdown: Option<Countdown>,
    /// What happens to the money.
    pub money: MoneyPlan,
    /// The options, for when there is no form; the form has its own.
    pub options: Vec<OptionRow>,
    /// What is left over is sold from stock.
    pub from_stock: bool,
    /// The join form, while orders are taken.
    pub form: Option<JoinForm>,
    /// The form that asks who would buy, while that is asked.
    pub interest: Option<InterestForm>,
    /// What was wrong with the form; the answer is then a 422 and not kept.
    pub problems: Problems,
    /// Shipping per group of countries.
    pub shipping: Vec<ShippingRow>,
    /// The seller's record.
    pub record: Option<Record>,
    /// What the seller wrote, newest first.
    pub updates: Vec<Update>,
    /// What was written before.
    pub earlier_updates: Option<Link>,
    /// Since when nothing was heard, and for how long, where that is too long.
    pub quiet: Option<(Moment, String)>,
    /// Address of the event stream, while anything can still move.
    pub events: Option<String>,
}

impl CampaignPage {
    /// Badge of the state.
    pub fn badge(&self) -> Badge {
        Badge::campaign(&self.state)
    }

    /// Price of the first option at the step reached.
    pub fn price_now(&self) -> &str {
        let row = self.steps.rows.get(self.steps.current);
        row.map_or("", |r| r.price.as_str())
    }

    /// The batch that is spoken of, where there are several.
    fn batch_shown(&self) -> Option<i64> {
        self.batches.as_ref().and_then(|part| part.shown)
    }

    /// What is not made, in one sentence; nothing where everything is.
    fn not_made_words(&self) -> String {
        let gone = self.options.iter().filter(|o| o.not_made.is_some());
        let names: Vec<&str> = gone.map(|o| o.name.as_str()).collect();
        if names.is_empty() {
            return String::new();
        }
        format!(
            "Not made, because too few were ordered: {}. Its price goes back. ",
            names.join(", ")
        )
    }

    /// Words of the button that leads to the form.
    pub fn join_words(&self) -> String {
        join_words(&self.steps, all_taken(&self.options), self.from_stock)
    }

    /// Whether nothing is left to join with for now.
    pub fn sold_out(&self) -> bool {
        all_taken(&self.options)
    }

    /// When a shopper's order ships, as a sentence.
    pub fn ships_words(&self) -> String {
        match self.money.from_stock {
            Some(days) => format!("What is left over ships {}.", within(days)),
            None => match self.money.ships_now {
                ShipsNow::AsPromised => {
                    format!("Promised to be shipped by {}.", self.money.ships_by.text())
                }
                _ => format!("{}.", self.money.promised()),
            },
        }
    }

    /// Whether one price holds for every number of units.
    fn ships_flat(&self) -> bool {
        self.shipping.iter().all(|row| row.bands.is_empty())
    }

    /// The money's timeline.
    pub fn timeline(&self) -> Timeline {
        self.money
            .timeline(&self.standing, &self.steps.rows, self.price_now())
    }

    /// The page in one sentence, for search engines.
    pub fn description_text(&self) -> String {
        match self.standing {
            Standing::Interest { over: true, .. } => {
                format!(
                    "The seller asked who would buy it. {}",
                    self.steps.headline()
                )
            }
            Standing::Interest { .. } => format!(
                "Would you buy it, how many and up to what price? Nothing is charged. {}",
                self.steps.headline()
            ),
            _ => format!("{} {}.", self.steps.headline(), self.meter.words()),
        }
    }

    fn icons(&self) -> &'static str {
        match (&self.standing, self.problems.is_empty()) {
            (Standing::Interest { opens: None, .. }, false) => "alert dots",
            (Standing::Interest { opens: None, .. }, true) => "dots",
            (_, false) => "alert clock dots",
            (Standing::Ordered { .. }, _) if self.quiet.is_some() => "alert factory dots",
            (Standing::Open | Standing::Scheduled { .. } | Standing::Interest { .. }, _) => {
                "clock dots"
            }
            (Standing::Collecting { .. }, _) => "calendar dots",
            (Standing::Ordered { .. }, _) => "factory dots",
            (Standing::Failed(_), _) => "coins dots",
        }
    }
}

/// "within 2 days", "on the same day".
fn within(days: i64) -> String {
    match days {
        0 => "on the same day".to_owned(),
        1 => "within 1 day".to_owned(),
        n => format!("within {n} days"),
    }
}

/// Whether nothing is left to join with; freed units are offered again.
fn all_taken(options: &[OptionRow]) -> bool {
    !options.is_empty() && options.iter().all(OptionRow::sold_out)
}

fn join_words(steps: &Steps, all_taken: bool, from_stock: bool) -> String {
    if all_taken {
        return "Sold out for now".to_owned();
    }
    let price = steps.rows.get(steps.current).map_or("", |r| &r.price);
    if from_stock {
        format!("Buy one that is there, {price}")
    } else if steps.current + 1 < steps.rows.len() {
        format!("Join at {price} or less")
    } else {
        format!("Join at {price}")
    }
}
