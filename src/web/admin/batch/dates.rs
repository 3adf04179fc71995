//! A batch's dates: where the promises stand, what waits, every date with who heard of it, and what shoppers answered.

mod answers;
mod give_up;
mod set;
mod words;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::{href, load, one, title};
use crate::domain::campaign::BatchState;
use crate::domain::day::day_of;
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::{BatchId, EtaId, NoticeId};
use crate::domain::promise::{NoticeState, day_after};
use crate::domain::purchase_order::EtaState;
use crate::store::answers::{AnswerRow, Ending, Stand};
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::etas::EtaRow;
use crate::store::merchants::MerchantRow;
use crate::store::promises::GivenUpRow;
use crate::store::{Conn, answers as store_answers, etas, promises, purchase_orders};
use crate::web::admin::dates::{amount_of, day, sentence, table};
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::{Facts, Table, fact, id, short};
use crate::web::pages;
use crate::web::view::{Badge, Day, Field, Link, Pager, PanelShell, left, plural};
use crate::workflows::desk::{Problem, offer};
use crate::workflows::eta::passes_at;
use crate::workflows::notices::{Moved, Preview, preview};

pub(super) use answers::word as answer_word;

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/batches/{id}/dates", web::get().to(page))
        .route("/batches/{id}/dates/new", web::get().to(set::form))
        .route("/batches/{id}/dates/new", web::post().to(set::act))
        .route("/batches/{id}/will-not-ship", web::get().to(give_up::ask))
        .route("/batches/{id}/will-not-ship", web::post().to(give_up::act));
}

/// How far ahead the page says what happens by itself, in days.
const AHEAD: i64 = 400;

/// What the page is about.
struct Known {
    campaign: CampaignRow,
    batch: BatchRow,
    draft: CampaignDraft,
    dates: Vec<EtaRow>,
    /// Later last days that shoppers were asked for, by date.
    later: Vec<(EtaId, NaiveDate)>,
    told: Vec<(Option<EtaId>, NoticeState, i64)>,
    waiting: Vec<(EtaRow, Option<Preview>)>,
    counts: Vec<(Stand, i64)>,
    answers: Vec<AnswerRow>,
    unshipped: (i64, i64, i64),
    asked: Vec<Ending>,
    unasked: Vec<Ending>,
    stop_loss: Vec<Ending>,
    given_up: Option<GivenUpRow>,
}

fn read(
    conn: &mut Conn,
    merchant: &MerchantRow,
    id: BatchId,
    asked: &answers::Asked,
    before: Option<NoticeId>,
    now: DateTime<Utc>,
) -> Result<Known, Problem> {
    let (campaign, batch) = load(conn, merchant, id)?;
    let draft = offer(&campaign)?;
    let dates = etas::of_batch(conn, id)?;
    let mut later = Vec::new();
    for date in &dates {
        let asked = etas::stop_loss_of(conn, date.id)?;
        later.extend(asked.map(|day| (date.id, day)));
    }
    let orders = purchase_orders::of_batch(conn, id)?;
    let alone = orders.iter().filter(|p| p.state.stands()).count() < 2;
    let mut waiting = Vec::new();
    for date in dates.iter().filter(|d| d.state == EtaState::Waiting) {
        let looked = match alone && is_open(&batch) {
            true => looked(conn, id, date, now)?,
            false => None,
        };
        waiting.push((date.clone(), looked));
    }
    let until = day_of(now, draft.time_zone) + Duration::days(AHEAD);
    Ok(Known {
        told: store_answers::told(conn, id)?,
        counts: store_answers::counts(conn, id)?,
        answers: store_answers::list(conn, id, asked.stand(), before, answers::ROWS)?,
        unshipped: store_answers::unshipped(conn, id)?,
        asked: store_answers::ending(conn, id, until, true)?,
        unasked: store_answers::ending(conn, id, until, false)?,
        stop_loss: store_answers::stop_loss(conn, id, until)?,
        given_up: promises::given_up(conn, id)?,
        campaign,
        batch,
        draft,
        dates,
        later,
        waiting,
    })
}

/// What a date that waits would do, passed on as it is. None where it could not be passed on so.
fn looked(
    conn: &mut Conn,
    batch: BatchId,
    date: &EtaRow,
    now: DateTime<Utc>,
) -> Result<Option<Preview>, Problem> {
    let asked = Moved {
        arrives: date.arrives,
        ship_date: date.ship_date,
        reason: date.reason.clone(),
        stop_loss: None,
    };
    match preview(conn, batch, &asked, now) {
        Ok(looked) => Ok(Some(looked)),
        Err(Problem::Invalid(_) | Problem::Conflict { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Whether there is anything left to ship, so that dates matter.
fn is_open(batch: &BatchRow) -> bool {
    !matches!(batch.state, BatchState::Completed | BatchState::Failed)
}

/// A supplier's date that waits.
struct Waiting {
    title: String,
    lines: Vec<String>,
    /// Its deeds are below this address.
    href: String,
}

/// `/admin/batches/{id}/dates`
#[derive(Template)]
#[template(path = "admin/dates.html")]
struct DatesPage {
    shell: PanelShell,
    title: String,
    batch: Link,
    href: String,
    badge: Badge,
    line: String,
    given_up: Option<Vec<String>>,
    waiting: Vec<Waiting>,
    facts: Facts,
    ahead: Facts,
    filters: Vec<Field>,
    answers: Table,
    asked_any: bool,
    pager: Option<Pager>,
    dates: Table,
    system: Option<String>,
    manages: bool,
    open: bool,
    ordered: bool,
}

/// `GET /admin/batches/{id}/dates`
async fn page(
    staff: Staff,
    path: web::Path<String>,
    asked: web::Query<answers::Asked>,
) -> Result<HttpResponse, Refusal> {
    let (merchant, batch, now) = (staff.merchant.clone(), id(&path)?, staff.office.now());
    let asked = asked.into_inner();
    let before = asked.before()?;
    let filter = asked.clone();
    let known = staff
        .office
        .read(move |conn| read(conn, &merchant, batch, &filter, before, now))
        .await?;
    Ok(pages::private(
        StatusCode::OK,
        &known.draw(&staff, &asked, now),
    ))
}

impl Known {
    fn draw(&self, staff: &Staff, asked: &answers::Asked, now: DateTime<Utc>) -> DatesPage {
        let manages = staff.person.role.may_manage();
        let told = |date: &EtaRow| self.told_of(date);
        DatesPage {
            shell: staff.shell("batches"),
            title: "Dates and answers".to_owned(),
            batch: Link::new(href(&self.batch), title(&self.campaign, &self.batch)),
            href: href(&self.batch),
            badge: Badge::state(self.batch.state.as_str()),
            line: self.line(),
            given_up: self.given_up.as_ref().map(|row| self.over(row)),
            waiting: self.waiting(now),
            facts: self.facts(),
            ahead: self.ahead(),
            filters: answers::filters(&self.counts, asked),
            answers: answers::table(&self.answers, self.draft.time_zone),
            asked_any: !self.counts.is_empty(),
            pager: answers::pager(&self.answers, asked, &href(&self.batch)),
            dates: table(&self.dates, self.draft.time_zone, Some(&told)),
            system: self.by_system(),
            manages,
            open: is_open(&self.batch) && self.given_up.is_none(),
            ordered: give_up::is_ordered(&self.batch),
        }
    }

    fn line(&self) -> String {
        let promised = Day(self.draft.promised_ship_date).text();
        let told = self
            .dates
            .iter()
            .rev()
            .find(|d| d.state == EtaState::PassedOn);
        match (self.batch.ship_date, told) {
            (Some(now), _) => format!("promised {promised}, now {}", Day(now).text()),
            (None, Some(_)) => format!("promised {promised}, now not known"),
            (None, None) => format!("promised {promised}; nobody said otherwise"),
        }
    }

    /// That the rest will not be shipped.
    fn over(&self, row: &GivenUpRow) -> Vec<String> {
        vec![
            format!(
                "{} said so on {}: {}",
                row.given_up_by,
                short(row.at, self.draft.time_zone),
                sentence(&row.reason)
            ),
            "Everything that was not shipped is refunded, in rounds, and its shoppers are told."
                .to_owned(),
        ]
    }

    fn waiting(&self, now: DateTime<Utc>) -> Vec<Waiting> {
        let cards = self.waiting.iter().filter_map(|(date, looked)| {
            let order = date.purchase_order_id?;
            let mut lines = vec![format!(
                "{} Parcels would go out on {}.",
                sentence(&date.reason),
                day(date.ship_date)
            )];
            lines.push(match looked {
                Some(looked) => words::in_short(looked, &self.campaign.currency),
                None => {
                    "Where several suppliers deliver, the latest of their days counts.".to_owned()
                }
            });
            lines.push(match left(now, passes_at(date)) {
                Some(left) => format!(
                    "Shoppers do not know it yet. It is passed on by itself in {left}, {}.",
                    short(passes_at(date).naive_utc(), self.draft.time_zone)
                ),
                None => "Shoppers do not know it yet. It is passed on in a moment.".to_owned(),
            });
            Some(Waiting {
                title: format!("{} says: it arrives on {}", date.set_by, day(date.arrives)),
                lines,
                href: format!("/admin/purchase-orders/{order}/dates/{}", date.id),
            })
        });
        cards.collect()
    }

    fn facts(&self) -> Facts {
        let (orders, kept, part) = self.unshipped;
        let count = |wanted: Stand| {
            let found = self.counts.iter().find(|(stand, _)| *stand == wanted);
            found.map_or(0, |(_, n)| *n)
        };
        let mut facts = vec![
            fact("Promised", Day(self.draft.promised_ship_date).text()),
            fact("The goods arrive", day(self.batch.arrives)),
            fact("Parcels go out", day(self.batch.ship_date)),
            fact("Stop-loss", Day(self.draft.stop_loss_date).text()),
            fact("Orders not shipped", orders.to_string()),
            fact(
                "Their money with you",
                amount_of((kept, part), &self.campaign.currency),
            ),
        ];
        for stand in Stand::ALL {
            let n = count(*stand);
            if n > 0 {
                facts.push(fact(answers::word(*stand).text.as_str(), n.to_string()));
            }
        }
        facts
    }

    /// What happens by itself, day by day.
    fn ahead(&self) -> Facts {
        let mut days: Vec<(NaiveDate, String)> = Vec::new();
        let mut add = |ends: &[Ending], what: &str| {
            for end in ends {
                let amount = amount_of((end.kept, end.part), &self.campaign.currency);
                let said = format!("{}, {amount}: {what}", plural(end.orders, "order"));
                days.push((day_after(end.day), said));
            }
        };
        add(&self.unasked, "refunded, if not shipped before");
        add(&self.asked, "refunded, if not shipped or answered before");
        add(&self.stop_loss, "refunded: the stop-loss date has passed");
        days.sort();
        let rows = days.into_iter();
        rows.map(|(at, said)| (Day(at).text(), said)).collect()
    }

    /// Whom a date reached.
    fn told_of(&self, date: &EtaRow) -> String {
        let mut said = Vec::new();
        for (of, state, n) in &self.told {
            if *of == Some(date.id) {
                said.push(format!("{n} {}", told_word(*state)));
            }
        }
        if let Some((_, later)) = self.later.iter().find(|(of, _)| *of == date.id) {
            said.push(format!(
                "asked to agree to a last day of {}",
                Day(*later).text()
            ));
        }
        match (said.is_empty(), date.state) {
            (false, _) => said.join(", "),
            (true, EtaState::PassedOn) => "nobody needed to hear of it".to_owned(),
            (true, _) => "not told".to_owned(),
        }
    }

    /// What the system wrote because nobody had named a date that covers the promise.
    fn by_system(&self) -> Option<String> {
        let all: Vec<String> = self
            .told
            .iter()
            .filter(|(of, ..)| of.is_none())
            .map(|(_, state, n)| format!("{n} {}", told_word(*state)))
            .collect();
        (!all.is_empty()).then(|| {
            format!(
                "Beside these the system itself wrote to shoppers whose date came near, or whose deadline was extended: {}.",
                all.join(", ")
            )
        })
    }
}

fn told_word(state: NoticeState) -> &'static str {
    match state {
        NoticeState::Prepared => "on their way",
        NoticeState::Sent => "told",
        NoticeState::Undelivered => "not delivered",
    }
}
