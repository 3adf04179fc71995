//! What people would buy: the curve on the campaign's page, the answers as a list and as CSV, and opening.

use actix_web::web;
use askama::Template;
use askama::filters::HtmlSafe;
use chrono::NaiveDateTime;

mod answers;
mod opening;

use super::guard::{Refusal, Staff};
use super::kit::{Cell, Table, own_campaign, short, slug};
use crate::domain::campaign::CampaignState;
use crate::domain::draft::CampaignDraft;
use crate::domain::interest::Demand;
use crate::store::campaigns::CampaignRow;
use crate::store::{Conn, interest as rows};
use crate::web::view::{DemandChart, Planned, grouped, plural};
use crate::workflows::desk::{Problem, offer};
use crate::workflows::interest;
use crate::workflows::money::say;

/// Rows of the table of prices.
const PRICES: usize = 24;
/// Options that get a picture of their own.
const CHARTS: usize = 6;

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/campaigns/{slug}/interest", web::get().to(answers::list))
        .route(
            "/campaigns/{slug}/interest.csv",
            web::get().to(answers::csv),
        )
        .route("/campaigns/{slug}/open", web::get().to(opening::page))
        .route("/campaigns/{slug}/open", web::post().to(opening::open));
}

/// What is known of the answers.
pub struct Known {
    demand: Demand,
    answers: i64,
    ordered: i64,
}

/// What is known of a campaign's answers; none where it never asked.
///
/// # Errors
/// What the database says.
pub fn load(
    conn: &mut Conn,
    row: &CampaignRow,
    draft: &CampaignDraft,
) -> Result<Option<Known>, Problem> {
    if !draft.interest || row.published_at.is_none() {
        return Ok(None);
    }
    Ok(Some(Known {
        demand: interest::demand(conn, row, draft)?,
        answers: rows::count(conn, row.id)?,
        ordered: rows::count_ordered(conn, row.id)?,
    }))
}

/// The part of the campaign's page.
#[derive(Template)]
#[template(path = "admin/part/interest.html")]
pub struct InterestPart {
    answers: String,
    warning: Option<String>,
    advice: Vec<String>,
    charts: Vec<DemandChart>,
    counts: bool,
    by_step: Table,
    by_price: Table,
    manages: bool,
    list_href: String,
    csv_href: String,
}

impl HtmlSafe for InterestPart {}

/// The prices of a step in words; one where all options cost the same.
fn step_prices(draft: &CampaignDraft, step: usize) -> String {
    let mut prices: Vec<i64> = draft
        .options
        .iter()
        .map(|o| o.prices.price_at(step))
        .collect();
    prices.dedup();
    let said: Vec<String> = prices
        .iter()
        .map(|price| say(*price, draft.currency.code()))
        .collect();
    said.join(", ")
}

impl Known {
    /// How many have answered, such as `40 answers`.
    pub fn answered(&self) -> String {
        plural(self.answers, "answer")
    }

    /// The part, drawn.
    pub fn part(
        &self,
        row: &CampaignRow,
        draft: &CampaignDraft,
        manages: bool,
        now: NaiveDateTime,
    ) -> InterestPart {
        let href = format!("/admin/campaigns/{}/interest", row.slug);
        let mut answers = format!(
            "{}, {} wanted in all.",
            plural(self.answers, "answer"),
            plural(self.demand.all.units(), "unit")
        );
        if !matches!(
            row.state,
            CampaignState::Interest | CampaignState::Scheduled
        ) {
            answers.push_str(&format!(
                " {} of those who answered have an order by now.",
                grouped(self.ordered)
            ));
        }
        InterestPart {
            answers,
            warning: self.warning(row, draft, now),
            advice: interest::advice(&self.demand, draft),
            charts: self.charts(draft),
            counts: same_prices(draft),
            by_step: self.by_step(draft),
            by_price: self.by_price(draft),
            manages,
            csv_href: format!("{href}.csv"),
            list_href: href,
        }
    }

    fn warning(
        &self,
        row: &CampaignRow,
        draft: &CampaignDraft,
        now: NaiveDateTime,
    ) -> Option<String> {
        if row.state != CampaignState::Interest {
            return None;
        }
        let left = row.deadline - now;
        let when = short(row.deadline, draft.time_zone);
        if left <= chrono::Duration::zero() {
            return Some(format!(
                "It was {when}. Set a later one, with the dates after it, before you open the campaign."
            ));
        }
        (left < chrono::Duration::days(5)).then(|| {
            format!(
                "It is {when}. Whoever joins has until then; set a later one if that is too short."
            )
        })
    }

    fn charts(&self, draft: &CampaignDraft) -> Vec<DemandChart> {
        let mut charts = Vec::new();
        let all_same = same_prices(draft);
        let planned = |option: &crate::domain::draft::OptionDraft, counted: bool| {
            self.demand
                .steps
                .iter()
                .enumerate()
                .map(|(i, step)| Planned {
                    price: option.prices.price_at(i),
                    needed: counted.then_some(step.from),
                    reached: step.reached,
                })
                .collect::<Vec<_>>()
        };
        let single = draft.options.len() == 1;
        let title = match draft.options.first() {
            Some(only) if single => only.name.as_str(),
            _ => "All options",
        };
        let marks = match draft.options.first() {
            Some(first) if all_same => planned(first, true),
            _ => Vec::new(),
        };
        charts.extend(DemandChart::new(
            "all",
            title,
            &self.demand.all,
            &marks,
            draft.currency,
        ));
        if !single {
            let each = draft.options.iter().zip(&self.demand.options);
            charts.extend(
                each.take(CHARTS)
                    .enumerate()
                    .filter_map(|(i, (option, curve))| {
                        let marks = planned(option, false);
                        let key = format!("o{i}");
                        DemandChart::new(&key, &option.name, curve, &marks, draft.currency)
                    }),
            );
        }
        charts
    }

    fn by_step(&self, draft: &CampaignDraft) -> Table {
        let lines = self.demand.steps.iter().enumerate().map(|(i, step)| {
            let mut cells = vec![
                Cell::text(format!("From {}", plural(step.from, "unit"))),
                Cell::number(step_prices(draft, i)),
            ];
            let each: Vec<String> = draft
                .options
                .iter()
                .zip(&step.by_option)
                .map(|(option, units)| format!("{}: {}", option.name, grouped(*units)))
                .collect();
            let each = if draft.options.len() > 1 {
                each.join(", ")
            } else {
                String::new()
            };
            cells.extend([
                Cell::number(grouped(step.units)),
                Cell::text(each),
                Cell::number(say(step.value, draft.currency.code())),
                Cell::text(match (step.reached, step.enough) {
                    (true, true) => "reached, threshold met",
                    (true, false) => "reached, threshold missed",
                    (false, true) => "not reached, threshold met",
                    (false, false) => "not reached",
                }),
            ]);
            cells
        });
        Table::new(
            "What is wanted at the prices of each step",
            vec![
                ("Step", false),
                ("Price", true),
                ("Wanted", true),
                ("Of each option", false),
                ("Worth", true),
                ("Result", false),
            ],
            lines.collect(),
        )
    }

    fn by_price(&self, draft: &CampaignDraft) -> Table {
        let lines = self.demand.all.thinned(PRICES).into_iter().map(|point| {
            let each: Vec<String> = draft
                .options
                .iter()
                .zip(&self.demand.options)
                .map(|(option, curve)| {
                    format!("{}: {}", option.name, grouped(curve.units_at(point.price)))
                })
                .collect();
            vec![
                Cell::number(say(point.price, draft.currency.code())),
                Cell::number(grouped(point.units)),
                Cell::text(each.join(", ")),
                Cell::number(say(
                    point.price.saturating_mul(point.units),
                    draft.currency.code(),
                )),
            ]
        });
        Table::new(
            "Units of those ready to pay at least a price",
            vec![
                ("Price", true),
                ("Units", true),
                ("Of each option", false),
                ("Worth at that price", true),
            ],
            lines.collect(),
        )
    }
}

/// Whether all options have the same prices, so that a price has one count.
fn same_prices(draft: &CampaignDraft) -> bool {
    draft
        .options
        .windows(2)
        .all(|pair| pair[0].prices == pair[1].prices)
}

/// A campaign of the merchant's that asks, or asked.
async fn asked(staff: &Staff, path: &str) -> Result<(CampaignRow, CampaignDraft), Refusal> {
    staff.manages()?;
    let (merchant, slug) = (staff.merchant.clone(), slug(path)?);
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let row = own_campaign(conn, &merchant, &slug)?;
        let draft = offer(&row)?;
        if draft.interest && row.published_at.is_some() {
            Ok((row, draft))
        } else {
            Err(Problem::NotFound("interest check"))
        }
    });
    Ok(found.await?)
}
