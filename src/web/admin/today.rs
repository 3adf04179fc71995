//! What waits for a person, most urgent first; what runs; what was moved.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use chrono::{DateTime, Duration, Utc};

mod cards;
mod dates;
mod suppliers;

use super::campaigns::{head, row};
use super::claim_list;
use super::guard::{Refusal, Staff};
use super::kit::{Table, short, zone_of};
use crate::domain::campaign::{BatchState, CampaignState};
use crate::domain::draft::PaymentMode;
use crate::domain::order::PaymentState;
use crate::domain::payment::{DisputeState, RefundState};
use crate::domain::purchase_order::PurchaseOrderState;
use crate::store::campaigns::CampaignRow;
use crate::store::claims as store_claims;
use crate::store::jobs::JobRow;
use crate::store::merchants::MerchantRow;
use crate::store::orders::OrderFilter;
use crate::store::{
    Conn, campaigns, etas, jobs, journal, mails, orders, posts, purchase_orders, refunds,
};
use crate::web::pages;
use crate::web::view::{Link, PanelShell, left, plural, state_word};
use crate::workflows::batches;
use crate::workflows::desk::{Problem, ends_at, offer, order_number};
use crate::workflows::interest;
use crate::workflows::money::say;
use crate::workflows::purchase::say_blocked;
use crate::workflows::signs;

/// How many of a kind are looked for.
const MOST: i64 = 20;

/// Something that waits.
#[derive(Clone, Debug)]
pub struct Thing {
    /// `bad`, `wait` or nothing.
    pub tone: &'static str,
    /// Symbol.
    pub icon: &'static str,
    /// What.
    pub title: String,
    /// Context.
    pub text: String,
    /// How long there is.
    pub when: String,
    /// The deed.
    pub deed: Link,
    /// Days left; what has none comes last.
    pub urgency: i64,
}

/// Everything that waits for a merchant's people, most urgent first.
pub fn things(
    conn: &mut Conn,
    merchant: &MerchantRow,
    now: DateTime<Utc>,
) -> Result<Vec<Thing>, Problem> {
    let mut things = Vec::new();
    failed_refunds(conn, merchant, &mut things)?;
    open_disputes(conn, merchant, &mut things)?;
    suppliers::rejected(conn, merchant, now, &mut things)?;
    suppliers::dates(conn, merchant, now, &mut things)?;
    suppliers::unanswered(conn, merchant, now.naive_utc(), &mut things)?;
    let all = campaigns::of_merchant(conn, merchant.id, None, 200)?;
    for campaign in &all {
        of_campaign(conn, campaign, now, &mut things)?;
        cards::of_campaign(conn, campaign, now, &mut things)?;
        dates::near(conn, campaign, now, &mut things)?;
    }
    claim_list::waiting(conn, merchant, now, &mut things)?;
    refused_mails(conn, merchant, &mut things)?;
    dead_work(conn, merchant, &mut things)?;
    things.sort_by_key(|thing| thing.urgency);
    Ok(things)
}

/// How many things wait.
pub fn waiting(
    conn: &mut Conn,
    merchant: &MerchantRow,
    now: DateTime<Utc>,
) -> Result<i64, Problem> {
    let things = things(conn, merchant, now)?;
    Ok(i64::try_from(things.len()).unwrap_or(i64::MAX))
}

fn failed_refunds(
    conn: &mut Conn,
    merchant: &MerchantRow,
    things: &mut Vec<Thing>,
) -> Result<(), Problem> {
    for refund in refunds::in_states(conn, merchant.id, &[RefundState::Failed], MOST)? {
        let Some(order) = orders::by_id(conn, refund.order_id)? else {
            continue;
        };
        things.push(Thing {
            tone: "bad",
            icon: "alert",
            title: format!(
                "A refund of {} failed",
                say(refund.amount, &refund.currency)
            ),
            text: format!(
                "Order {}, {}. The bank sent it back twice; the shopper was asked for another way.",
                order_number(order.number),
                order.name
            ),
            when: "now".into(),
            deed: Link::new(
                format!("/admin/orders/{}#h-refunds", order.id),
                "Choose another way",
            ),
            urgency: 0,
        });
    }
    Ok(())
}

fn open_disputes(
    conn: &mut Conn,
    merchant: &MerchantRow,
    things: &mut Vec<Thing>,
) -> Result<(), Problem> {
    let filter = OrderFilter {
        payment_state: Some(PaymentState::Disputed),
        ..OrderFilter::default()
    };
    for order in orders::list(conn, merchant.id, &filter, MOST)? {
        for dispute in refunds::disputes_of(conn, order.id)? {
            if dispute.state != DisputeState::Open {
                continue;
            }
            things.push(Thing {
                tone: "bad",
                icon: "shield",
                title: format!(
                    "A dispute over {} is open",
                    say(dispute.amount, &order.currency)
                ),
                text: format!(
                    "Order {}, {}, reason: {}. What answers it is collected on one page.",
                    order_number(order.number),
                    order.name,
                    state_word(&dispute.reason).to_lowercase()
                ),
                when: "soon".into(),
                deed: Link::new(
                    crate::workflows::evidence::path(&dispute.provider_id),
                    "Answer it",
                ),
                urgency: 1,
            });
        }
    }
    Ok(())
}

fn of_campaign(
    conn: &mut Conn,
    campaign: &CampaignRow,
    now: DateTime<Utc>,
    things: &mut Vec<Thing>,
) -> Result<(), Problem> {
    let href = format!("/admin/campaigns/{}", campaign.slug);
    if let Some(why) = &campaign.waiting_for {
        things.push(Thing {
            tone: "wait",
            icon: "clock",
            title: format!("{}: the judgement waits", campaign.title),
            text: why.clone(),
            when: "goes on by itself".into(),
            deed: Link::new(&href, "See why"),
            urgency: 4,
        });
    }
    if interest::is_over(campaign, now.naive_utc()) {
        let until = short(campaign.deadline, zone_of(campaign));
        things.push(Thing {
            tone: "wait",
            icon: "flag",
            title: format!("{}: asking is over", campaign.title),
            text: format!(
                "It asked who would buy until {until} and takes no answers any more. Set a later deadline to ask on or to open it, or end it."
            ),
            when: "any day".into(),
            deed: Link::new(&href, "Decide what follows"),
            urgency: 3,
        });
    }
    let all = campaigns::batches_of(conn, campaign.id)?;
    for batch in &all {
        let (BatchState::Collecting, Some(blocked), Some(since)) =
            (batch.state, batch.blocked, batch.blocked_since)
        else {
            continue;
        };
        let (which, fails) = match all.len() {
            1 => (String::new(), "the campaign".to_owned()),
            _ => {
                let name = format!("batch {}", batch.number);
                (format!(", {name}"), name)
            }
        };
        let po = purchase_orders::of_batch(conn, batch.id)?
            .into_iter()
            .rfind(|po| po.state == PurchaseOrderState::Draft);
        let days = (7 - (now.naive_utc() - since).num_days()).max(0);
        let text = match &po {
            Some(po) => say_blocked(blocked, &serde_json::from_str(&po.document)?),
            None => state_word(blocked.as_str()),
        };
        things.push(Thing {
            tone: "bad",
            icon: "factory",
            title: format!(
                "{}{which}: the supplier's order cannot be sent",
                campaign.title
            ),
            text: format!("{text} Left as it is, {fails} fails and everybody in it is refunded."),
            when: format!("{} left", plural(days, "day")),
            deed: Link::new(
                po.map_or_else(
                    || href.clone(),
                    |po| format!("/admin/purchase-orders/{}", po.id),
                ),
                "Choose a way out",
            ),
            urgency: days.min(2),
        });
    }
    quiet(campaign, signs::waits(conn, campaign)?, now, things);
    let ends = ends_at(campaign).and_utc();
    if campaign.state == CampaignState::Open && ends > now && ends - now < Duration::days(3) {
        things.push(Thing {
            tone: "wait",
            icon: "flag",
            title: format!("{} closes soon", campaign.title),
            text: format!(
                "{}. It closes {}.",
                counted(campaign)?,
                short(ends_at(campaign), zone_of(campaign))
            ),
            when: left(now, ends).unwrap_or_default(),
            deed: Link::new(&href, "Look at it"),
            urgency: 3 + (ends - now).num_days(),
        });
    }
    Ok(())
}

/// What counts of a campaign: what is paid; where cards are only saved, what is committed.
fn counted(campaign: &CampaignRow) -> Result<String, Problem> {
    if offer(campaign)?.payment_mode == PaymentMode::ChargeOnSuccess {
        let units = plural(campaign.committed_units, "unit");
        return Ok(format!("{units} with a saved card"));
    }
    let units = plural(campaign.collected_units, "unit");
    let orders = plural(campaign.collected_orders, "order");
    Ok(format!("{units} paid by {orders}"))
}

/// Nothing was heard of a campaign whose shoppers wait.
fn quiet(campaign: &CampaignRow, waits: bool, now: DateTime<Utc>, things: &mut Vec<Thing>) {
    let Some((last, days)) = signs::quiet(campaign, waits, now) else {
        return;
    };
    if days < signs::WARNED_AFTER {
        return;
    }
    let shown = days >= signs::SHOWN_AFTER;
    things.push(Thing {
        tone: if shown { "bad" } else { "wait" },
        icon: "mail",
        title: format!("{}: quiet for {}", campaign.title, plural(days, "day")),
        text: if shown {
            "Its page says so to everybody, until you write.".into()
        } else {
            format!(
                "After {} days its page says so to everybody.",
                signs::SHOWN_AFTER
            )
        },
        when: format!("since {}", short(last, zone_of(campaign))),
        deed: Link::new(
            format!("/admin/campaigns/{}/updates", campaign.slug),
            "Write to the shoppers",
        ),
        urgency: if shown { 2 } else { 4 },
    });
}

fn refused_mails(
    conn: &mut Conn,
    merchant: &MerchantRow,
    things: &mut Vec<Thing>,
) -> Result<(), Problem> {
    let refused = mails::of_merchant(conn, merchant.id, Some("refused"), None, MOST)?;
    let Some(last) = refused.first() else {
        return Ok(());
    };
    let count = i64::try_from(refused.len()).unwrap_or(MOST);
    things.push(Thing {
        tone: "wait",
        icon: "mail",
        title: match count {
            1 => "A mail was refused".into(),
            n => format!("{n} mails were refused"),
        },
        text: format!("The last: \"{}\" to {}.", last.subject, last.recipient),
        when: "any day".into(),
        deed: Link::new("/admin/mails?state=refused", "See them"),
        urgency: 8,
    });
    Ok(())
}

/// Work that was given up and concerns this merchant, or the server as a whole.
fn dead_work(
    conn: &mut Conn,
    merchant: &MerchantRow,
    things: &mut Vec<Thing>,
) -> Result<(), Problem> {
    for job in jobs::dead(conn, 100)? {
        let Some(deed) = concern(conn, merchant, &job)? else {
            continue;
        };
        things.push(Thing {
            tone: "bad",
            icon: "alert",
            title: format!(
                "Work was given up: {}",
                state_word(&job.kind).to_lowercase()
            ),
            text: job.problem.unwrap_or_else(|| "No reason was kept.".into()),
            when: "now".into(),
            deed,
            urgency: 2,
        });
    }
    Ok(())
}

fn concern(conn: &mut Conn, merchant: &MerchantRow, job: &JobRow) -> Result<Option<Link>, Problem> {
    let order_link =
        |id: crate::domain::ids::OrderId| Link::new(format!("/admin/orders/{id}"), "See the order");
    let first = job.subject.split(':').next().unwrap_or_default();
    let mine = |of: crate::domain::ids::MerchantId| of == merchant.id;
    let campaign_link = |row: Option<CampaignRow>| {
        row.filter(|c| mine(c.merchant_id))
            .map(|c| Link::new(format!("/admin/campaigns/{}", c.slug), "See the campaign"))
    };
    Ok(match job.kind.as_str() {
        "payment" => match first.parse() {
            Ok(id) => orders::by_id(conn, id)?
                .filter(|o| mine(o.merchant_id))
                .map(|o| order_link(o.id)),
            Err(_) => None,
        },
        "refund" => match first.parse() {
            Ok(id) => match refunds::by_id(conn, id)? {
                Some(refund) => orders::by_id(conn, refund.order_id)?
                    .filter(|o| mine(o.merchant_id))
                    .map(|o| order_link(o.id)),
                None => None,
            },
            Err(_) => None,
        },
        "post_told" => match first.parse() {
            Ok(id) => match posts::by_id(conn, id)? {
                Some(post) => campaign_link(campaigns::by_id(conn, post.campaign_id)?),
                None => None,
            },
            Err(_) => None,
        },
        "campaign" | "step_told" | "extension_told" | "quiet" => match first.parse() {
            Ok(id) => campaign_link(campaigns::by_id(conn, id)?),
            Err(_) => None,
        },
        "withdrawal" => match first.parse() {
            Ok(id) => store_claims::by_id(conn, id)?
                .filter(|c| mine(c.merchant_id))
                .map(|c| Link::new(format!("/admin/claims/{}", c.id), "See the claim")),
            Err(_) => None,
        },
        "settle" => match first.parse() {
            Ok(id) => match campaigns::batch(conn, id)? {
                Some(batch) => campaign_link(campaigns::by_id(conn, batch.campaign_id)?),
                None => None,
            },
            Err(_) => None,
        },
        "mail" => match first.parse() {
            Ok(id) => mails::by_id(conn, id)?
                .filter(|m| m.merchant_id.is_some_and(mine))
                .map(|m| Link::new(format!("/admin/mails/{}", m.id), "See the mail")),
            Err(_) => None,
        },
        "dates_told" => match first.parse() {
            Ok(id) => match etas::by_id(conn, id)? {
                Some(date) => match campaigns::batch(conn, date.batch_id)? {
                    Some(batch) => campaign_link(campaigns::by_id(conn, batch.campaign_id)?),
                    None => None,
                },
                None => None,
            },
            Err(_) => None,
        },
        "supplier_answer" => match first.parse() {
            Ok(id) => purchase_orders::by_id(conn, id)?
                .filter(|p| mine(p.merchant_id))
                .map(|p| Link::new(format!("/admin/purchase-orders/{}", p.id), "See the order")),
            Err(_) => None,
        },
        // The server's own: whoever sees it can call whoever runs the server.
        _ => Some(Link::new("/admin/money", "See the money")),
    })
}

/// A number, what it counts, and a line more.
struct Stat {
    name: &'static str,
    value: String,
    note: String,
}

/// `/admin`
#[derive(Template)]
#[template(path = "admin/today.html")]
struct TodayPage {
    shell: PanelShell,
    title: String,
    lead: String,
    things: Vec<Thing>,
    running: Table,
    stats: Vec<Stat>,
}

/// `GET /admin`
pub async fn page(staff: Staff) -> Result<HttpResponse, Refusal> {
    let merchant = staff.merchant.clone();
    let now = staff.office.now();
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let things = things(conn, &merchant, now)?;
        let all = campaigns::of_merchant(conn, merchant.id, None, 50)?;
        let mut moved: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for campaign in &all {
            let (charged, refunded, _) = orders::kept_in_campaign(conn, campaign.id)?;
            let sums = moved.entry(campaign.currency.clone()).or_default();
            sums.0 = sums.0.saturating_add(charged);
            sums.1 = sums.1.saturating_add(refunded);
        }
        let running: Vec<CampaignRow> = all
            .into_iter()
            .filter(|c| !matches!(c.state, CampaignState::Completed | CampaignState::Failed))
            .collect();
        let running = batches::with_counts_shown(conn, running)?;
        let sums = journal::balances(conn, merchant.id, None)?;
        Ok((things, running, sums, moved))
    });
    let (things, running, sums, moved) = found.await?;
    let stats = if staff.sees_money().is_ok() {
        stats(&sums, &moved)
    } else {
        Vec::new()
    };
    let day = now.format("%A %-d %B");
    let title = match things.len() {
        0 => format!("{day}: nothing waits for you"),
        1 => format!("{day}: one thing waits for you"),
        n => format!("{day}: {n} things wait for you"),
    };
    let page = TodayPage {
        shell: staff.shell("today"),
        title,
        lead: "Everything else runs by itself.".into(),
        things,
        running: Table::new(
            "Campaigns that are not over",
            head(),
            running.iter().map(row).collect(),
        ),
        stats,
    };
    Ok(pages::private(StatusCode::OK, &page))
}

/// What shoppers paid, what is still theirs, and what went back, by currency.
fn stats(sums: &[(String, String, i64)], moved: &BTreeMap<String, (i64, i64)>) -> Vec<Stat> {
    let mut stats = Vec::new();
    for (currency, (charged, refunded)) in moved {
        let of = |account: &str| {
            let mine = sums
                .iter()
                .filter(|(c, a, _)| c == currency && a == account);
            mine.map(|(.., sum)| *sum).sum::<i64>()
        };
        let mut add = |name, amount, note: &str| {
            stats.push(Stat {
                name,
                value: say(amount, currency),
                note: note.to_owned(),
            });
        };
        add("Collected", *charged, "Captured at the provider");
        add(
            "Held, not yet yours",
            -of("customer_deposits"),
            "Paid and not yet shipped",
        );
        let due = say(-of("refunds_due"), currency);
        add("Refunded", *refunded, &format!("{due} more on its way"));
        if of("disputes_held") != 0 {
            add(
                "Held in disputes",
                of("disputes_held"),
                "Until they are decided",
            );
        }
    }
    stats
}
