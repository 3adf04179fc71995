//! The books: balances by currency and by campaign, entries, and a CSV of them.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::campaign::balances;
use super::guard::{Refusal, Staff};
use super::kit::{Cell, PAGE, Table, id, short};
use super::sheet::{csv_answer, decimal};
use crate::domain::ids::{CampaignId, EntryId, MerchantId};
use crate::store::campaigns::CampaignRow;
use crate::store::journal::{self, EntryRow, PostingRow};
use crate::store::{Conn, campaigns, misc};
use crate::web::pages;
use crate::web::view::{Link, Pager, PanelShell, plural, state_word};
use crate::workflows::desk::Problem;
use crate::workflows::money::say;

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/money", web::get().to(page))
        .route("/money/journal.csv", web::get().to(csv));
}

/// How many campaigns have a line of their own.
const CAMPAIGNS: i64 = 25;
/// Most entries of one CSV file.
const CSV_ENTRIES: usize = 100_000;

/// Where the entries go on.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    cursor: String,
}

/// `/admin/money`
#[derive(Template)]
#[template(path = "admin/money.html")]
struct MoneyPage {
    shell: PanelShell,
    accounts: Table,
    campaigns: Table,
    provider: Table,
    entries: Table,
    pager: Option<Pager>,
}

/// Currency, account, balance.
type Sums = Vec<(String, String, i64)>;

struct Known {
    sums: Sums,
    campaigns: Vec<(CampaignRow, Sums)>,
    balance: Option<String>,
    entries: Vec<(EntryRow, Vec<PostingRow>)>,
}

fn load(conn: &mut Conn, merchant: MerchantId, after: Option<EntryId>) -> Result<Known, Problem> {
    let mut of_campaigns = Vec::new();
    for campaign in campaigns::of_merchant(conn, merchant, None, CAMPAIGNS)? {
        let sums = journal::balances(conn, merchant, Some(campaign.id))?;
        if !sums.is_empty() {
            of_campaigns.push((campaign, sums));
        }
    }
    Ok(Known {
        sums: journal::balances(conn, merchant, None)?,
        campaigns: of_campaigns,
        balance: misc::setting(conn, "provider_balance")?,
        entries: journal::list(conn, merchant, None, None, after, PAGE)?,
    })
}

/// `GET /admin/money`
pub async fn page(staff: Staff, asked: web::Query<Asked>) -> Result<HttpResponse, Refusal> {
    staff.sees_money()?;
    let merchant = staff.merchant.id;
    let after = if asked.cursor.is_empty() {
        None
    } else {
        Some(id::<EntryId>(&asked.cursor)?)
    };
    let known = staff
        .office
        .read(move |conn| load(conn, merchant, after))
        .await?;
    let count = i64::try_from(known.entries.len()).unwrap_or(0);
    let next = (count == PAGE)
        .then(|| {
            known
                .entries
                .last()
                .map(|(e, _)| format!("/admin/money?cursor={}", e.id))
        })
        .flatten();
    let page = MoneyPage {
        shell: staff.shell("money"),
        accounts: known.account_table(),
        campaigns: known.campaign_table(),
        provider: known.provider_table(),
        entries: known.entry_table(),
        pager: (next.is_some() || after.is_some()).then(|| Pager {
            shown: plural(count, "posting group"),
            first: after.map(|_| "/admin/money".to_owned()),
            next,
        }),
    };
    Ok(pages::private(StatusCode::OK, &page))
}

impl Known {
    fn account_table(&self) -> Table {
        let mut sums = self.sums.clone();
        sums.sort();
        let rows = sums.iter().map(|(currency, account, sum)| {
            vec![
                Cell::text(state_word(account)),
                Cell::text(currency.to_uppercase()),
                Cell::number(say(*sum, currency)),
            ]
        });
        let head = vec![("Account", false), ("Currency", false), ("Balance", true)];
        Table::new("Balances", head, rows.collect())
    }

    fn campaign_table(&self) -> Table {
        let rows = self.campaigns.iter().map(|(campaign, sums)| {
            let of: BTreeMap<&str, i64> =
                sums.iter().map(|(_, a, sum)| (a.as_str(), *sum)).collect();
            let sum = |account: &str| of.get(account).copied().unwrap_or(0);
            let money = |amount: i64| Cell::number(say(amount, &campaign.currency));
            vec![
                Cell::Link(Link::new(
                    format!("/admin/campaigns/{}", campaign.slug),
                    &campaign.title,
                )),
                Cell::state(campaign.state.as_str()),
                money(-sum("customer_deposits")),
                money(-sum("refunds_due")),
                money(sum("disputes_held")),
                money(sum("dispute_losses")),
            ]
        });
        let head = vec![
            ("Campaign", false),
            ("State", false),
            ("Held", true),
            ("Refunds due", true),
            ("In disputes", true),
            ("Lost", true),
        ];
        Table::new("By campaign", head, rows.collect())
    }

    fn provider_table(&self) -> Table {
        let known = self
            .balance
            .as_deref()
            .and_then(balances)
            .unwrap_or_default();
        let rows = known.iter().map(|b| {
            vec![
                Cell::text(b.currency.to_uppercase()),
                Cell::number(say(b.available, &b.currency)),
                Cell::number(say(b.pending, &b.currency)),
                Cell::text(asked_at(b.at.as_deref())),
            ]
        });
        let head = vec![
            ("Currency", false),
            ("Available", true),
            ("On its way", true),
            ("Asked", false),
        ];
        Table::new("At the provider", head, rows.collect())
    }

    fn entry_table(&self) -> Table {
        let mut rows = Vec::new();
        for (entry, postings) in &self.entries {
            let say = |p: &PostingRow| {
                let side = if p.amount >= 0 { "debit" } else { "credit" };
                let amount = say(p.amount.saturating_abs(), &entry.currency);
                format!("{} {side} {amount}", state_word(&p.account))
            };
            let moved: i64 = postings.iter().map(|p| p.amount.max(0)).sum();
            let order = entry
                .order_id
                .map(|order| Cell::Link(Link::new(format!("/admin/orders/{order}"), "Order")));
            rows.push(vec![
                Cell::text(entry.created_at.format("%-d %B %Y, %H:%M").to_string()),
                Cell::text(state_word(&entry.kind)),
                Cell::number(crate::workflows::money::say(moved, &entry.currency)),
                Cell::text(postings.iter().map(say).collect::<Vec<_>>().join("; ")),
                order.unwrap_or_else(|| Cell::text("")),
            ]);
        }
        let head = vec![
            ("When, UTC", false),
            ("What", false),
            ("Amount", true),
            ("Postings", false),
            ("Order", false),
        ];
        Table::new("Entries, oldest first", head, rows)
    }
}

/// Of which campaign.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Export {
    campaign: String,
}

/// `GET /admin/money/journal.csv`
pub async fn csv(staff: Staff, asked: web::Query<Export>) -> Result<HttpResponse, Refusal> {
    staff.sees_money()?;
    let merchant = staff.merchant.clone();
    let slug = asked.campaign.clone();
    let rows = staff.office.read(move |conn| -> Result<_, Problem> {
        let campaign: Option<CampaignId> = if slug.is_empty() {
            None
        } else {
            Some(super::kit::own_campaign(conn, &merchant, &slug)?.id)
        };
        let head = [
            "entry", "at", "kind", "campaign", "order", "account", "amount", "currency",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        let mut after = None;
        loop {
            let some = journal::list(conn, merchant.id, campaign, None, after, 500)?;
            for (entry, postings) in &some {
                for posting in postings {
                    rows.push(line(entry, posting));
                }
            }
            after = some.last().map(|(e, _)| e.id);
            if some.len() < 500 || rows.len() > CSV_ENTRIES {
                return Ok(rows);
            }
        }
    });
    csv_answer("journal", rows.await?)
}

fn line(entry: &EntryRow, posting: &PostingRow) -> Vec<String> {
    let optional = |id: Option<String>| id.unwrap_or_default();
    vec![
        entry.id.to_string(),
        entry.created_at.and_utc().to_rfc3339(),
        entry.kind.clone(),
        optional(entry.campaign_id.map(|id| id.to_string())),
        optional(entry.order_id.map(|id| id.to_string())),
        posting.account.clone(),
        decimal(posting.amount, &entry.currency),
        entry.currency.clone(),
    ]
}

/// When the balance was asked, as people read it; as it was kept where it can't be read.
fn asked_at(kept: Option<&str>) -> String {
    let kept = kept.unwrap_or_default();
    match chrono::DateTime::parse_from_rfc3339(kept) {
        Ok(at) => format!("{} UTC", short(at.naive_utc(), chrono_tz::Tz::UTC)),
        Err(_) => kept.to_owned(),
    }
}
