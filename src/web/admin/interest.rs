//! What people would buy: the curve on the campaign's page, the answers as a list and as CSV, and opening.

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use askama::Template;
use askama::filters::HtmlSafe;
use chrono::NaiveDateTime;
use futures_util::stream::try_unfold;
use serde::Deserialize;
use serde_json::{Value, json};

use super::form::{FormPage, Line, Pairs, Section, Typed, problems_of};
use super::guard::{Refusal, Staff};
use super::kit::{Cell, ListPage, PAGE, Table, fact, own_campaign, short, slug, zone_of};
use super::offer_form::local;
use crate::domain::campaign::CampaignState;
use crate::domain::day::parse_local;
use crate::domain::draft::{CampaignDraft, FieldError};
use crate::domain::ids::InterestId;
use crate::domain::interest::Demand;
use crate::store::campaigns::CampaignRow;
use crate::store::interest::{self as store, InterestLineRow, InterestRow};
use crate::store::{Conn, interest as rows};
use crate::web::view::{
    DemandChart, Empty, Field, Link, Pager, Planned, Problems, grouped, plural,
};
use crate::workflows::campaigns::{self, Opening};
use crate::workflows::desk::{Desk, Problem, offer};
use crate::workflows::exchange::cell;
use crate::workflows::interest::{self, WishLine};
use crate::workflows::money::say;

/// Rows of the table of prices.
const PRICES: usize = 24;
/// Options that get a picture of their own.
const CHARTS: usize = 6;
/// Answers read at once for a file.
const AT_ONCE: i64 = 500;

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/campaigns/{slug}/interest", web::get().to(list))
        .route("/campaigns/{slug}/interest.csv", web::get().to(csv))
        .route("/campaigns/{slug}/open", web::get().to(open))
        .route("/campaigns/{slug}/open", web::post().to(do_open));
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
        if row.first_order_at.is_some() {
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

/// Where a list goes on.
#[derive(Deserialize)]
pub struct Asked {
    cursor: Option<String>,
}

fn page_of(
    conn: &mut Conn,
    row: &CampaignRow,
    after: Option<InterestId>,
    limit: i64,
) -> Result<(Vec<InterestRow>, Vec<InterestLineRow>), Problem> {
    let rows = store::of_campaign(conn, row.id, after, limit)?;
    let ids: Vec<InterestId> = rows.iter().map(|r| r.id).collect();
    let lines = store::lines_of(conn, &ids)?;
    Ok((rows, lines))
}

/// `GET /admin/campaigns/{slug}/interest`
pub async fn list(
    staff: Staff,
    path: web::Path<String>,
    asked_for: web::Query<Asked>,
) -> Result<HttpResponse, Refusal> {
    let (row, draft) = asked(&staff, &path).await?;
    let after: Option<InterestId> = asked_for.cursor.as_deref().and_then(|c| c.parse().ok());
    let campaign = row.clone();
    let (answers, lines) = staff
        .office
        .read(move |conn| page_of(conn, &campaign, after, PAGE))
        .await?;
    let zone = zone_of(&row);
    let href = format!("/admin/campaigns/{}/interest", row.slug);
    let table = answers.iter().map(|answer| {
        let mine: Vec<WishLine> = lines
            .iter()
            .filter(|line| line.interest_id == answer.id)
            .map(|line| WishLine {
                sku: line.sku.clone(),
                quantity: line.quantity,
                up_to: line.up_to,
            })
            .collect();
        vec![
            Cell::Code(answer.email.clone().unwrap_or_else(|| "erased".to_owned())),
            Cell::text(answer.name.clone().unwrap_or_default()),
            Cell::text(interest::said(&draft, &mine).join("; ")),
            Cell::when(answer.changed_at, zone),
        ]
    });
    let count = i64::try_from(answers.len()).unwrap_or(0);
    let next = (count == PAGE)
        .then(|| {
            answers
                .last()
                .map(|last| format!("{href}?cursor={}", last.id))
        })
        .flatten();
    let page = ListPage {
        shell: staff.shell("campaigns"),
        title: format!("What people would buy of {}", row.title),
        lead: Some(
            "Nothing of it is ordered or charged. Addresses are erased a week after the campaign's end, or after a year."
                .into(),
        ),
        actions: vec![
            Link::new(format!("/admin/campaigns/{}", row.slug), "Back to it"),
            Link::new(format!("{href}.csv"), "All as CSV"),
        ],
        filters: vec![],
        action: href.clone(),
        table: Table::new(
            "Answers, in the order in which they came",
            vec![
                ("E-mail", false),
                ("Name", false),
                ("Would buy", false),
                ("Answered", false),
            ],
            table.collect(),
        ),
        empty: Empty {
            text: "Whoever says what they would buy will stand here.".into(),
            action: None,
        },
        pager: (next.is_some() || after.is_some()).then(|| Pager {
            shown: plural(count, "answer"),
            first: after.map(|_| href.clone()),
            next,
        }),
    };
    Ok(page.answer())
}

const COLUMNS: [&str; 9] = [
    "email",
    "name",
    "sku",
    "option",
    "quantity",
    "up_to",
    "currency",
    "answered_at",
    "changed_at",
];

/// `GET /admin/campaigns/{slug}/interest.csv`: a row for each line of each answer.
pub async fn csv(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let (row, draft) = asked(&staff, &path).await?;
    let office = staff.office.clone();
    let file = format!("interest-{}.csv", row.slug);
    // The next page is read when the browser has taken the one before.
    let begin = (None::<InterestId>, true, false);
    let pages = try_unfold(begin, move |(after, head, done)| {
        let (office, row, draft) = (office.clone(), row.clone(), draft.clone());
        async move {
            if done {
                return Ok(None);
            }
            let mut text = Vec::new();
            if head {
                text.extend(record(COLUMNS.iter().map(|c| Value::from(*c)))?);
            }
            let campaign = row.clone();
            let read = office.read(move |conn| page_of(conn, &campaign, after, AT_ONCE));
            let (answers, lines) = read.await?;
            for answer in &answers {
                for line in lines.iter().filter(|l| l.interest_id == answer.id) {
                    text.extend(record(cells(&row, &draft, answer, line).into_iter())?);
                }
            }
            let last = answers.last().map(|a| a.id);
            let done = i64::try_from(answers.len()).unwrap_or(0) < AT_ONCE;
            Ok::<_, Refusal>(Some((Bytes::from(text), (last, false, done))))
        }
    });
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{file}\""),
        ))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .streaming(pages))
}

fn cells(
    row: &CampaignRow,
    draft: &CampaignDraft,
    answer: &InterestRow,
    line: &InterestLineRow,
) -> [Value; 9] {
    let option = draft.options.iter().find(|o| o.sku == line.sku);
    let at = |at: NaiveDateTime| {
        at.and_utc()
            .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    [
        json!(answer.email),
        json!(answer.name),
        json!(line.sku),
        json!(option.map(|o| &o.name)),
        json!(line.quantity),
        json!(line.up_to),
        json!(row.currency),
        json!(at(answer.created_at)),
        json!(at(answer.changed_at)),
    ]
}

fn record(values: impl Iterator<Item = Value>) -> Result<Vec<u8>, Refusal> {
    let broken = |e: String| Refusal::Problem(Problem::Internal(format!("csv: {e}")));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(values.map(|value| cell(&value)))
        .map_err(|e| broken(e.to_string()))?;
    writer.into_inner().map_err(|e| broken(e.to_string()))
}

/// What the opening's form is drawn for.
struct Opens {
    row: CampaignRow,
    draft: CampaignDraft,
    answers: i64,
}

async fn opens(staff: &Staff, path: &str) -> Result<Opens, Refusal> {
    let (row, draft) = asked(staff, path).await?;
    if row.state != CampaignState::Interest {
        let say = "This campaign does not ask who would buy, or not any more.";
        return Err(Problem::conflict("wrong-state", say).into());
    }
    let id = row.id;
    let answers = staff
        .office
        .read(move |conn| Ok::<_, Problem>(rows::count(conn, id)?))
        .await?;
    Ok(Opens {
        row,
        draft,
        answers,
    })
}

impl Opens {
    fn page(&self, staff: &Staff, typed: &str, problems: Problems) -> HttpResponse {
        let href = format!("/admin/campaigns/{}", self.row.slug);
        let mut page = FormPage::new(
            staff.shell("campaigns"),
            format!("Open {}", self.row.title),
            format!("{href}/open"),
        );
        page.crumbs = vec![
            Link::new("/admin/campaigns", "Campaigns"),
            Link::new(&href, &self.row.title),
        ];
        page.lead = vec![format!(
            "When it opens, {} by mail, once, with a link in which their answer is filled in. From the first order on, what \
             shoppers joined for stays; until then you may still edit texts, prices and dates.",
            match self.answers {
                1 => "the one who answered is told".to_owned(),
                n => format!("all {} who answered are told", grouped(n)),
            }
        )];
        page.facts = vec![
            fact("Deadline", short(self.row.deadline, self.draft.time_zone)),
            fact("First prices", step_prices(&self.draft, 0)),
            fact("Answers", grouped(self.answers)),
        ];
        page.sections = vec![Section::new(
            "When",
            vec![Line::from(
                Field::input("datetime-local", "opens_at", "Opens")
                    .hint(format!(
                        "Empty: now. In the campaign's zone, {}.",
                        self.draft.time_zone.name()
                    ))
                    .optional()
                    .value(typed)
                    .problems(&problems),
            )],
        )];
        page.back = Some(Link::new(href, "Leave it as it is"));
        "Open it, now or then".clone_into(&mut page.submit);
        page.problems = problems;
        page.answer()
    }
}

/// `GET /admin/campaigns/{slug}/open`
pub async fn open(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let opens = opens(&staff, &path).await?;
    let typed = opens
        .row
        .opens_at
        .map(|at| local(at.and_utc(), opens.draft.time_zone))
        .unwrap_or_default();
    Ok(opens.page(&staff, &typed, Problems::default()))
}

/// `POST /admin/campaigns/{slug}/open`
pub async fn do_open(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    let opens = opens(&staff, &path).await?;
    let typed = Typed::from(form.into_inner());
    let opening = match typed.some("opens_at") {
        None => Opening::Now,
        Some(text) => match parse_local(text, opens.draft.time_zone) {
            Some(at) => Opening::At(at),
            None => {
                let say = "write date and time, such as 2026-12-01T18:00, or leave it empty";
                let problems = problems_of(&[FieldError::new("opens_at", say)]);
                return Ok(opens.page(&staff, text, problems));
            }
        },
    };
    let (merchant, slug) = (staff.merchant.id, opens.row.slug.clone());
    let opened = staff
        .office
        .write(move |desk: &Desk, tx| campaigns::schedule(desk, tx, merchant, &slug, opening));
    match opened.await {
        Ok(row) => {
            let said = match row.state {
                CampaignState::Open => "It is open; the mails to those who answered go out.",
                _ => "It is announced; those who answered are told when it opens.",
            };
            staff.done(said, &format!("/admin/campaigns/{}", row.slug))
        }
        Err(Problem::Invalid(errors)) => {
            let mut problems = Problems::default();
            for e in errors {
                let own = e.field == "opens_at";
                let field = if own { "opens_at" } else { "" };
                let say = if own {
                    e.message
                } else {
                    format!("{}: {}. Edit the campaign first", e.field, e.message)
                };
                problems.add(field, super::form::sentence(&say));
            }
            Ok(opens.page(&staff, typed.get("opens_at"), problems))
        }
        Err(other) => Err(other.into()),
    }
}
