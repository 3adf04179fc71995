//! One campaign: where it stands, what it waits for, its money and its history; and how a draft will look.

use std::collections::BTreeMap;

mod batches;
mod money;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDateTime;

use self::batches::Blocked;
pub use self::money::balances;
use super::collecting::{self, Collecting, Short};
use super::confirm::deeds;
use super::guard::{Refusal, Staff};
use super::interest::{self, InterestPart};
use super::kit::{Cell, Facts, Table, fact, moment, own_campaign, short, slug};
use super::pictures::picture;
use crate::domain::campaign::CampaignState;
use crate::domain::draft::{CampaignDraft, PaymentMode, Trigger};
use crate::domain::price::{Tally, Threshold};
use crate::domain::text::markdown_to_html;
use crate::store::campaigns::{BatchRow, CampaignRow, OptionRow};
use crate::store::merchants::SupplierRow;
use crate::store::misc::{HappeningRow, PictureRow};
use crate::store::purchase_orders::PurchaseOrderRow;
use crate::store::waiting::{self, Waited};
use crate::store::{Conn, campaigns, journal, merchants, misc, purchase_orders};
use crate::web::pages;
use crate::web::shop::load::counted_by_step;
use crate::web::view::{
    Badge, Day, Html, Link, Meter, PanelShell, Picture, StepRow, Steps, StepsPhase, Timeline,
    TimelineItem, grouped, plural, state_word,
};
use crate::workflows::batches as of_batches;
use crate::workflows::desk::{Problem, ends_at, offer};
use crate::workflows::judgement::{Outlook, Why, current_step, outlook, say_counted, tally_shown};
use crate::workflows::money::say;
use crate::workflows::payment::say_threshold;

/// What is known of a campaign.
struct Known {
    row: CampaignRow,
    draft: CampaignDraft,
    /// The furthest step that committed orders reach, limits respected.
    current: usize,
    collecting: Option<Collecting>,
    short: Option<Short>,
    /// Units that count for each step, where orders may wait for one.
    counted: Vec<i64>,
    tally: Tally,
    outlook: Outlook,
    why: Option<Why>,
    options: Vec<OptionRow>,
    /// The batch that its state speaks of.
    batch: Option<BatchRow>,
    /// All of them.
    batches: Vec<BatchRow>,
    /// The purchase orders of all of them.
    orders: Vec<PurchaseOrderRow>,
    happened: Vec<HappeningRow>,
    pictures: Vec<PictureRow>,
    sums: BTreeMap<String, i64>,
    balance: Option<String>,
    suppliers: Vec<SupplierRow>,
    interest: Option<interest::Known>,
    waited: Vec<Waited>,
}

fn load(
    conn: &mut Conn,
    staff: &merchants::MerchantRow,
    slug: &str,
    now: NaiveDateTime,
) -> Result<Known, Problem> {
    let row = own_campaign(conn, staff, slug)?;
    let draft = offer(&row)?;
    let tally = tally_shown(conn, &row, &draft)?;
    let all = campaigns::batches_of(conn, row.id)?;
    let batch = of_batches::shown(&all, row.state).cloned();
    let mut orders = Vec::new();
    for batch in &all {
        orders.extend(purchase_orders::of_batch(conn, batch.id)?);
    }
    let (collecting, short) = match &batch {
        Some(batch) => (
            collecting::read(conn, &row, &draft, batch)?,
            collecting::read_short(conn, &row, &draft, batch, now)?,
        ),
        None => (None, None),
    };
    let sums = journal::balances(conn, staff.id, Some(row.id))?;
    let suppliers = merchants::suppliers_of(conn, staff.id)?;
    Ok(Known {
        tally,
        interest: interest::load(conn, &row, &draft)?,
        waited: waiting::waited(conn, row.id)?,
        collecting,
        short,
        current: current_step(conn, &row, &draft)?,
        counted: counted_by_step(conn, row.id, &draft)?,
        outlook: outlook(conn, &row, &draft)?,
        why: batch.as_ref().map(Why::read).transpose()?.flatten(),
        options: of_batches::options_shown(conn, &row, batch.as_ref())?,
        orders,
        happened: misc::happenings_of_campaign(conn, row.id, 30)?,
        pictures: misc::pictures_of(conn, row.id)?,
        sums: sums
            .into_iter()
            .map(|(_, account, sum)| (account, sum))
            .collect(),
        balance: misc::setting(conn, "provider_balance")?,
        suppliers: draft
            .supplier_ids
            .iter()
            .filter_map(|id| suppliers.iter().find(|s| s.id == *id).cloned())
            .collect(),
        batch,
        batches: all,
        row,
        draft,
    })
}

/// `/admin/campaigns/{slug}`
#[derive(Template)]
#[template(path = "admin/campaign.html")]
struct CampaignPage<'a> {
    shell: PanelShell,
    collecting: Option<&'a Collecting>,
    short: Option<&'a Short>,
    title: String,
    badge: Badge,
    line: String,
    deeds: Vec<Link>,
    waits: Vec<String>,
    blocked: Vec<Blocked>,
    batches: Option<Table>,
    failed: Option<String>,
    interest: Option<InterestPart>,
    /// None while nothing can be ordered yet.
    meter: Option<Meter>,
    steps: Steps,
    why: Option<(&'static str, Vec<String>)>,
    options: Table,
    orders: Table,
    facts: Facts,
    dates_href: Option<String>,
    money: Facts,
    exposed: String,
    thumbs: Vec<Picture>,
    pictures_href: String,
    public_href: Option<String>,
    preview_href: String,
    orders_href: String,
    waiting_href: String,
    updates_href: String,
    manages: bool,
    timeline: Timeline,
}

/// `GET /admin/campaigns/{slug}`
pub async fn page(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let (merchant, slug) = (staff.merchant.clone(), slug(&path)?);
    let now = staff.office.now().naive_utc();
    let known = staff
        .office
        .read(move |conn| load(conn, &merchant, &slug, now))
        .await?;
    Ok(pages::private(StatusCode::OK, &draw(&staff, &known)))
}

fn draw<'a>(staff: &Staff, known: &'a Known) -> CampaignPage<'a> {
    let Known { row, draft, .. } = known;
    let zone = draft.time_zone;
    let now = staff.office.now().naive_utc();
    let manages = staff.person.role.may_manage();
    let href = format!("/admin/campaigns/{}", row.slug);
    let mut waits = Vec::new();
    waits.extend(row.waiting_for.clone());
    if row.state == CampaignState::Open && now >= ends_at(row) && row.waiting_for.is_none() {
        waits.push(
            "Joining has ended; it is judged as soon as every payment page is settled.".into(),
        );
    }
    let mut items: Vec<TimelineItem> = Vec::new();
    for happening in &known.happened {
        let item = TimelineItem::done(moment(happening.at, zone), state_word(&happening.kind));
        items.push(item.text(format!("{} ({})", happening.detail, happening.actor)));
    }
    CampaignPage {
        shell: staff.shell("campaigns"),
        collecting: known.collecting.as_ref(),
        short: known.short.as_ref(),
        title: row.title.clone(),
        badge: Badge::state(row.state.as_str()),
        line: known.line(now),
        deeds: if manages {
            // Where an earlier batch came together, the one that gathers may be judged at any time.
            let met = known.outlook.succeeds || known.batches.len() > 1;
            deeds(row, draft, met, now)
        } else {
            Vec::new()
        },
        waits,
        blocked: known.blocked(now),
        batches: known.batch_table(),
        failed: row.failure.map(|failure| {
            let note = row.failure_note.clone().unwrap_or_default();
            format!("Why: {}. {note}", state_word(failure.as_str()))
        }),
        interest: known
            .interest
            .as_ref()
            .map(|interest| interest.part(row, draft, manages, now)),
        meter: (row.state != CampaignState::Interest).then(|| known.meter()),
        steps: known.steps(),
        why: known.why(),
        options: known.option_table(),
        orders: known.order_table(),
        facts: known.facts(),
        dates_href: known
            .batch
            .as_ref()
            .filter(|_| row.state.is_public())
            .map(|batch| format!("/admin/batches/{}/dates", batch.id)),
        money: known.money(),
        exposed: known.exposed(),
        thumbs: known.pictures.iter().map(picture).collect(),
        pictures_href: format!("{href}/pictures"),
        public_href: row.state.is_public().then(|| format!("/c/{}", row.slug)),
        preview_href: format!("{href}/preview"),
        orders_href: format!("/admin/orders?campaign={}", row.slug),
        waiting_href: format!("{href}/waiting"),
        updates_href: format!("{href}/updates"),
        manages,
        timeline: Timeline { items },
    }
}

impl Known {
    /// Why it has the price it has, line by line; before the judgement, what would come of it now.
    fn why(&self) -> Option<(&'static str, Vec<String>)> {
        match (&self.why, self.row.state) {
            (Some(why), _) => {
                let mut lines = collecting::by_step(why, &self.draft);
                lines.extend(why.lines(&self.draft));
                Some(("Why this price", lines))
            }
            (None, CampaignState::Open) if self.counts() > 0 => {
                let mut lines = collecting::by_step(&self.outlook.why, &self.draft);
                lines.extend(self.outlook.why.lines(&self.draft));
                let waits = self.outlook.why.not_made().next().is_some();
                if waits && self.draft.trigger == Trigger::AtThreshold {
                    lines.push(
                        "It waits: it is judged once no option is under its minimum, at the latest at the deadline."
                            .to_owned(),
                    );
                }
                Some(("If it were judged now", lines))
            }
            (None, _) => None,
        }
    }

    fn meter(&self) -> Meter {
        let value = self.tally.counted(self.draft.threshold);
        let target = self.draft.threshold.target();
        let mut meter = Meter::units(&self.row.title, value, target);
        if let Threshold::Amount(_) = self.draft.threshold {
            meter.value_text = say_counted(&self.tally, &self.draft);
            meter.target_text = say_threshold(&self.draft);
        }
        meter.aside(if self.is_promised() {
            "promised"
        } else {
            "paid"
        })
    }

    /// Whether what counts is not charged yet: cards are saved.
    fn is_promised(&self) -> bool {
        self.draft.payment_mode == PaymentMode::ChargeOnSuccess
            && matches!(
                self.row.state,
                CampaignState::Open | CampaignState::Collecting
            )
    }

    /// Units that count before the judgement.
    fn counts(&self) -> i64 {
        let (committed, collected, _) = self.counted_now();
        if self.is_promised() {
            committed
        } else {
            collected
        }
    }

    /// How far it is and until when it takes orders, or answers.
    fn line(&self, now: NaiveDateTime) -> String {
        let ends = ends_at(&self.row);
        let at = short(ends, self.draft.time_zone);
        let over = ends <= now;
        match &self.interest {
            Some(interest) if self.row.state == CampaignState::Interest => {
                let asks = if over { "asked until" } else { "asks until" };
                format!("{}, {asks} {at}", interest.answered())
            }
            _ => {
                let closes = if over { "closed" } else { "closes" };
                format!("{}, {closes} {at}", self.counted_words())
            }
        }
    }

    /// How much counts, and how much of it is paid.
    fn counted_words(&self) -> String {
        let (committed, collected, orders) = self.counted_now();
        let paid = format!(
            "{}, {}",
            plural(orders, "paid order"),
            plural(collected, "paid unit")
        );
        let paid = match &self.batch {
            Some(batch) if self.batches.len() > 1 => format!("batch {}: {paid}", batch.number),
            _ => paid,
        };
        if self.is_promised() {
            format!("{} promised, {paid}", plural(committed, "unit"))
        } else {
            paid
        }
    }

    fn steps(&self) -> Steps {
        let judged = self.batch.as_ref().and_then(|b| b.step);
        let first = self.draft.options.first();
        let prices = first
            .map(|o| o.prices.prices().to_vec())
            .unwrap_or_default();
        let counts = self.draft.steps.counts();
        Steps {
            rows: counts
                .iter()
                .zip(&prices)
                .map(|(from, price)| StepRow::new(*from, say(*price, &self.row.currency)))
                .collect(),
            current: match judged.and_then(|step| usize::try_from(step).ok()) {
                Some(step) => step,
                None => self.current,
            },
            units: self.counted_now().0,
            counted: if judged.is_some() {
                Vec::new()
            } else {
                self.counted.clone()
            },
            option: first
                .filter(|_| self.draft.options.len() > 1)
                .map(|o| o.name.clone()),
            phase: match self.row.state {
                CampaignState::Failed => StepsPhase::Failed,
                _ if judged.is_some() => StepsPhase::Settled,
                CampaignState::Open => StepsPhase::Open,
                _ => StepsPhase::Scheduled,
            },
        }
    }

    fn option_table(&self) -> Table {
        let rows = self.draft.options.iter().map(|option| {
            let row = self.options.iter().find(|o| o.sku == option.sku);
            let number = |n: Option<i64>| n.map_or_else(|| "none".to_owned(), grouped);
            let count = |f: fn(&OptionRow) -> i64| Cell::number(grouped(row.map_or(0, f)));
            let prices: Vec<String> = option
                .prices
                .prices()
                .iter()
                .map(|price| say(*price, &self.row.currency))
                .collect();
            vec![
                Cell::text(&option.name),
                Cell::text(&option.sku),
                Cell::text(prices.join(", ")),
                count(|o| o.taken),
                count(|o| o.collected),
                Cell::number(number(option.minimum.map(i64::from))),
                Cell::number(number(option.cap.map(i64::from))),
                Cell::number(row.map_or_else(String::new, |row| self.waiting(row))),
            ]
        });
        Table::new(
            "Options",
            vec![
                ("Option", false),
                ("Code", false),
                ("Prices", false),
                ("Taken", true),
                ("Paid", true),
                ("Minimum", true),
                ("Cap", true),
                ("Waited for", true),
            ],
            rows.collect(),
        )
    }

    /// Units of an option that are waited for, and by how many.
    fn waiting(&self, option: &OptionRow) -> String {
        match self.waited.iter().find(|w| w.option == option.id) {
            Some(w) => format!("{} by {}", grouped(w.units), grouped(w.orders)),
            None => "0".to_owned(),
        }
    }

    fn facts(&self) -> Facts {
        let zone = self.draft.time_zone;
        let mut facts = vec![
            fact("Address", format!("/c/{}", self.row.slug)),
            fact("Time zone", zone.name()),
        ];
        if let Some(at) = self.row.opens_at {
            facts.push(fact("Opens", short(at, zone)));
        }
        facts.push(fact("Deadline", short(self.row.deadline, zone)));
        if let Some(at) = self.row.extended_at {
            facts.push(fact("Extended", short(at, zone)));
        }
        if let Some(at) = self.row.closed_at {
            facts.push(fact("Closed early", short(at, zone)));
        }
        facts.push(fact(
            "Promised ship date",
            Day(self.draft.promised_ship_date).text(),
        ));
        let ships = self.batch.as_ref().and_then(|b| b.ship_date);
        facts.extend(ships.map(|day| fact("Ships now", Day(day).text())));
        facts.push(fact(
            "Stop-loss date",
            Day(self.draft.stop_loss_date).text(),
        ));
        facts.push(fact("Threshold", say_threshold(&self.draft)));
        facts.push(fact("Paid", collecting::mode_words(&self.draft)));
        facts.push(fact("Judged", state_word(self.draft.trigger.as_str())));
        if self.draft.late_joins {
            facts.push(fact("Further batches", "until the deadline"));
        }
        let names: Vec<&str> = self.suppliers.iter().map(|s| s.name.as_str()).collect();
        let names = if names.is_empty() {
            "none chosen".to_owned()
        } else {
            names.join(", ")
        };
        facts.push(fact("Suppliers", names));
        if let Some(batch) = &self.batch {
            facts.push(fact("Batch", state_word(batch.state.as_str())));
            if let Some(at) = batch.judged_at {
                facts.push(fact("Judged on", short(at, zone)));
            }
        }
        facts.push(fact("Open payment pages", grouped(self.row.open_payments)));
        facts
    }
}

/// `/admin/campaigns/{slug}/preview`
#[derive(Template)]
#[template(path = "admin/preview.html")]
struct PreviewPage {
    shell: PanelShell,
    title: String,
    href: String,
    pictures: Vec<Picture>,
    steps: Steps,
    options: Table,
    facts: Facts,
    description: Html,
}

/// `GET /admin/campaigns/{slug}/preview`
pub async fn preview(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let (merchant, slug) = (staff.merchant.clone(), slug(&path)?);
    let now = staff.office.now().naive_utc();
    let known = staff
        .office
        .read(move |conn| load(conn, &merchant, &slug, now))
        .await?;
    let page = PreviewPage {
        shell: staff.shell("campaigns"),
        title: known.row.title.clone(),
        href: format!("/admin/campaigns/{}", known.row.slug),
        pictures: known.pictures.iter().map(picture).collect(),
        steps: known.steps(),
        options: known.option_table(),
        facts: known.facts(),
        description: Html::sanitized(markdown_to_html(&known.draft.description)),
    };
    Ok(pages::private(StatusCode::OK, &page))
}
