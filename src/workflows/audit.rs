//! The rules that must always be true (domain section 7), checked on what is kept, also in the middle of work: all is
//! read in one snapshot. Rule 8, which needs the provider, is checked by the reconciler.

use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

mod changes;
mod goods;
mod papers;
mod promises;
mod waiting;

use super::desk::{Problem, offer, order_number};
use crate::domain::campaign::CampaignState;
use crate::domain::draft::PaymentMode;
use crate::domain::ids::{BatchId, CampaignId, OptionId, OrderId};
use crate::domain::ledger::Account;
use crate::domain::order::OrderState;
use crate::domain::payment::{AttemptState, RefundAttemptState, RefundState};
use crate::store::campaigns::{CampaignRow, OptionRow};
use crate::store::orders::{LineRow, OrderRow, PaymentRow};
use crate::store::refunds::RefundRow;
use crate::store::{Conn, audit as reads, campaigns, dues, merchants, orders, refunds};

/// The number under which the promises of section 6 are counted: one more than section 7 has rules.
const PROMISES: u8 = 9;
/// The number under which receipts and credit notes are counted.
const PAPERS: u8 = 10;

/// A rule that is broken, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The rule's number in domain section 7; 9: the promises of section 6; 10: receipts and credit notes.
    pub rule: u8,
    /// The order, where it is one's.
    pub order: Option<OrderId>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule {
            PROMISES => f.write_str("promises: ")?,
            PAPERS => f.write_str("receipts: ")?,
            rule => write!(f, "rule {rule}: ")?,
        }
        match self.order {
            Some(order) => write!(f, "order {order}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// Checks rules 1 to 7, and the promises of section 6 as they should stand at `now`, in one snapshot of the database.
///
/// # Errors
/// What the database says.
pub fn audit(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<Breach>, Problem> {
    reads::snapshot(conn, |conn| {
        let mut books = Books {
            newest: campaigns::newest_batches(conn)?,
            ..Books::default()
        };
        for (entry, once, sum) in reads::unbalanced(conn)? {
            books.found(
                1,
                None,
                format!("journal entry {entry} ({once}) is off by {sum}"),
            );
        }
        let mut after = None;
        loop {
            let page = reads::orders_after(conn, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            check_page(conn, &mut books, &page)?;
            promises::check(conn, &mut books, &page, now)?;
        }
        check_counters(conn, &mut books)?;
        waiting::check(conn, &mut books)?;
        check_purchase_orders(conn, &mut books)?;
        papers::check_numbers(conn, &mut books)?;
        goods::check_units_bought(conn, &mut books)?;
        goods::check_stock(conn, &mut books)?;
        Ok(books.breaches)
    })
}

const PAGE: i64 = 400;

#[derive(Default)]
struct Books {
    breaches: Vec<Breach>,
    taken: HashMap<OptionId, i64>,
    paid: HashMap<OptionId, i64>,
    committed: HashMap<OptionId, i64>,
    limits: HashMap<(OptionId, i32), i64>,
    by_shopper: HashMap<(CampaignId, String, OptionId), i64>,
    open_pages: HashMap<CampaignId, i64>,
    allocated: HashMap<(BatchId, OptionId), i64>,
    zones: HashMap<CampaignId, Tz>,
    newest: HashMap<CampaignId, BatchId>,
    /// Orders that wait, and whether units are kept for them.
    waiting: HashMap<OrderId, bool>,
}

impl Books {
    fn found(&mut self, rule: u8, order: Option<OrderId>, what: impl Into<String>) {
        self.breaches.push(Breach {
            rule,
            order,
            what: what.into(),
        });
    }
}

fn check_page(conn: &mut Conn, books: &mut Books, page: &[OrderRow]) -> Result<(), Problem> {
    let ids: Vec<OrderId> = page.iter().map(|o| o.id).collect();
    let mut lines: HashMap<OrderId, Vec<LineRow>> = HashMap::new();
    for line in orders::lines_of_all(conn, &ids)? {
        lines.entry(line.order_id).or_default().push(line);
    }
    let mut journal: HashMap<OrderId, HashMap<String, i64>> = HashMap::new();
    for (order, kind, account, amount) in reads::postings_of(conn, &ids)? {
        *journal
            .entry(order)
            .or_default()
            .entry(format!("{kind}/{account}"))
            .or_insert(0) += amount;
    }
    let sent = goods::Sent::read(conn, &ids)?;
    let issued = papers::Issued::read(conn, &ids)?;
    let altered = changes::Changes::read(conn, &ids)?;
    for order in page {
        let empty = Vec::new();
        let its_lines = lines.get(&order.id).unwrap_or(&empty);
        let none = HashMap::new();
        let entries = journal.get(&order.id).unwrap_or(&none);
        let pages = orders::payments_of(conn, order.id)?;
        check_money(conn, books, order, entries, (&issued, &pages))?;
        papers::check_tax(conn, books, &issued, order, its_lines)?;
        check_units(books, order, its_lines);
        changes::check_order(books, &altered, order, &pages)?;
        changes::check_agreed(books, order, its_lines)?;
        goods::check_order(books, &sent, order, its_lines);
        goods::check_revenue(books, order, its_lines, entries)?;
    }
    Ok(())
}

/// Rules 2, 3 and 5.
fn check_money(
    conn: &mut Conn,
    books: &mut Books,
    order: &OrderRow,
    journal: &HashMap<String, i64>,
    (issued, pages): (&papers::Issued, &[PaymentRow]),
) -> Result<(), Problem> {
    check_sums(books, order, journal);
    check_pages(books, order, pages);
    let given = refunds::of_order(conn, order.id)?;
    check_owed(books, order, &given);
    check_calls(conn, books, order, &given)?;
    let undone = booked(journal, "refund_undone", Account::ProviderClearing).abs();
    papers::check_order(books, issued, order, (pages, &given), undone);
    check_kept(books, order);
    Ok(())
}

/// What the journal of an order says of an account, of entries of this kind; minor units.
fn booked(journal: &HashMap<String, i64>, kind: &str, account: Account) -> i64 {
    let key = format!("{kind}/{}", account.as_str());
    journal.get(&key).copied().unwrap_or(0)
}

/// Rule 2: an order's sums are those of its journal.
fn check_sums(books: &mut Books, order: &OrderRow, journal: &HashMap<String, i64>) {
    use Account::{Allowances, Bank, CustomerDeposits, DisputesHeld, ProviderClearing, RefundsDue};
    let of = |kind, account| booked(journal, kind, account);
    let done = -of("refund_done", ProviderClearing) - of("refund_undone", ProviderClearing);
    let otherwise = -of("refund_paid_otherwise", Bank);
    let due: i64 = [
        "refund_committed",
        "refund_done",
        "refund_undone",
        "refund_paid_otherwise",
        "refund_dropped",
        "allowance_committed",
        "allowance_dropped",
    ]
    .iter()
    .map(|kind| -of(kind, RefundsDue))
    .sum();
    let allowances = of("allowance_committed", Allowances) + of("allowance_dropped", Allowances);
    // What a lost dispute took beyond what was kept had gone back before: it is no loss of this order's money.
    let lost = order.lost.min(-of("dispute_lost", DisputesHeld));
    for (name, ours, theirs) in [
        (
            "charged",
            order.charged,
            -of("payment_captured", CustomerDeposits),
        ),
        ("refunded", order.refunded, done + otherwise),
        ("due back", order.refund_due, due),
        ("allowances", order.allowances, allowances),
        ("lost in disputes", order.lost, lost),
        (
            "forfeited",
            order.forfeited,
            of("deposit_forfeited", CustomerDeposits),
        ),
    ] {
        if ours != theirs {
            let said = format!("{name} is {ours}, the journal says {theirs}");
            books.found(2, Some(order.id), said);
        }
    }
}

/// Rule 5: what an order was charged is what its pages took. Those that are open are counted for their campaign.
fn check_pages(books: &mut Books, order: &OrderRow, pages: &[PaymentRow]) {
    let paid: i64 = pages
        .iter()
        .filter(|p| p.state == AttemptState::Paid)
        .map(|p| p.amount)
        .sum();
    if paid != order.charged {
        let said = format!("its pages took {paid}, it is charged {}", order.charged);
        books.found(5, Some(order.id), said);
    }
    let open = i64::try_from(pages.iter().filter(|p| p.state.is_open()).count()).unwrap_or(0);
    *books.open_pages.entry(order.campaign_id).or_insert(0) += open;
}

/// Rule 2: what is due back is what its refunds still owe.
fn check_owed(books: &mut Books, order: &OrderRow, given: &[RefundRow]) {
    let owed: i64 = given
        .iter()
        .filter(|r| r.state.is_due())
        .map(|r| r.amount)
        .sum();
    if owed != order.refund_due {
        let said = format!("its refunds owe {owed}, {} is due", order.refund_due);
        books.found(2, Some(order.id), said);
    }
}

/// Rule 5: each refund that succeeded moved its money once, every other one never.
fn check_calls(
    conn: &mut Conn,
    books: &mut Books,
    order: &OrderRow,
    given: &[RefundRow],
) -> Result<(), Problem> {
    for refund in given {
        let calls = refunds::attempts_of(conn, refund.id)?;
        let moved = calls
            .iter()
            .filter(|c| c.state == RefundAttemptState::Succeeded)
            .count();
        let expected = usize::from(refund.state == RefundState::Succeeded);
        if moved != expected {
            books.found(
                5,
                Some(order.id),
                format!(
                    "refund {} is {} and moved {moved} times",
                    refund.id, refund.state
                ),
            );
        }
    }
    Ok(())
}

/// Rules 2 and 3: what is kept is what the order costs, and nothing of an order that is not wanted any more.
fn check_kept(books: &mut Books, order: &OrderRow) {
    let kept = order.money().kept();
    let should = match order.state {
        OrderState::Pending
        | OrderState::Waitlisted
        | OrderState::Expired
        | OrderState::Cancelled => 0,
        OrderState::Confirmed
        | OrderState::Backordered
        | OrderState::PartlyShipped
        | OrderState::Shipped
        | OrderState::Delivered => {
            // A dispute takes what was charged, a difference that was still due back included.
            let costs = order.final_total.unwrap_or(order.total) - order.allowances;
            (costs - order.lost - order.owed).max(0)
        }
    };
    if kept != should {
        let number = order_number(order.number);
        let rule = if order.state == OrderState::Cancelled {
            3
        } else {
            2
        };
        books.found(
            rule,
            Some(order.id),
            format!(
                "{number} is {} and keeps {kept} instead of {should}",
                order.state
            ),
        );
    }
}

fn check_units(books: &mut Books, order: &OrderRow, lines: &[LineRow]) {
    if order.state == OrderState::Waitlisted {
        books.waiting.insert(order.id, order.units_taken);
    }
    let paid = order.state.is_paid();
    // The counters of what is committed and collected are those of the newest batch.
    let counted = paid && books.newest.get(&order.campaign_id) == Some(&order.batch_id);
    let sum: i64 = lines.iter().map(|l| l.quantity).sum();
    if sum != order.units {
        books.found(
            2,
            Some(order.id),
            format!("its lines are {sum} units, it says {}", order.units),
        );
    }
    for line in lines {
        if order.units_taken {
            *books.taken.entry(line.option_id).or_insert(0) += line.units().wanted();
            *books
                .by_shopper
                .entry((order.campaign_id, order.email.clone(), line.option_id))
                .or_insert(0) += line.units().wanted();
        }
        if counted {
            *books.committed.entry(line.option_id).or_insert(0) += line.units().wanted();
        }
        if counted && order.collected {
            *books.paid.entry(line.option_id).or_insert(0) += line.units().wanted();
        }
    }
    if paid && order.mode == PaymentMode::ChargeOnSuccess {
        for line in lines {
            let waits = (line.option_id, order.limit_step);
            *books.limits.entry(waits).or_insert(0) += line.units().wanted();
        }
    }
    if order.collected && !paid {
        books.found(2, Some(order.id), "it is not in, and counts as collected");
    }
    if order.owed > 0 && (!paid || order.mode == PaymentMode::ChargeNow) {
        let owed = order.owed;
        books.found(
            2,
            Some(order.id),
            format!("it owes {owed}, and nothing is to be paid for it"),
        );
    }
    if paid && !order.units_taken {
        books.found(4, Some(order.id), "it is paid, and its units are not taken");
    }
}

/// Rule 4, and the counters that it hangs on.
fn check_counters(conn: &mut Conn, books: &mut Books) -> Result<(), Problem> {
    let shoppers = std::mem::take(&mut books.by_shopper);
    for campaign in reads::campaigns(conn)? {
        let draft = offer(&campaign)?;
        let slug = &campaign.slug;
        let open = books.open_pages.get(&campaign.id).copied().unwrap_or(0);
        if open != campaign.open_payments {
            let counted = campaign.open_payments;
            let said = format!("campaign {slug} has {open} open pages and counts {counted}");
            books.found(4, None, said);
        }
        for (option, step, counted) in dues::limits_by_option(conn, campaign.id)? {
            let waits = books.limits.remove(&(option, step)).unwrap_or(0);
            if waits != counted {
                let said = format!(
                    "campaign {slug}: {waits} committed units of option {option} wait for step {step}, {counted} counted"
                );
                books.found(4, None, said);
            }
        }
        check_batches(conn, books, &campaign)?;
        for option in campaigns::options_of(conn, campaign.id)? {
            let name = format!("{} of {slug}", option.sku);
            check_option(books, &option, &name);
            let offered = draft.options.iter().find(|o| o.sku == option.sku);
            let Some(limit) = offered.and_then(|o| o.per_shopper) else {
                continue;
            };
            // Who sells it may buy all that is missing.
            let seller = merchants::by_id(conn, campaign.merchant_id)?;
            let seller = seller.map(|seller| seller.email).unwrap_or_default();
            for ((_, email, _), units) in shoppers.iter().filter(|((c, who, o), _)| {
                *c == campaign.id && *o == option.id && !who.eq_ignore_ascii_case(&seller)
            }) {
                if *units > i64::from(limit) {
                    let said = format!("{name}: {email} has {units}, the limit is {limit}");
                    books.found(4, None, said);
                }
            }
        }
    }
    Ok(())
}

/// That an option's counters are what its orders come to, and none is sold over its cap.
fn check_option(books: &mut Books, option: &OptionRow, name: &str) {
    let of = |units: &HashMap<OptionId, i64>| units.get(&option.id).copied().unwrap_or(0);
    let (taken, paid, committed) = (of(&books.taken), of(&books.paid), of(&books.committed));
    if taken != option.taken {
        let said = format!("{name}: {taken} units are taken, {} counted", option.taken);
        books.found(4, None, said);
    }
    if paid != option.collected || committed != option.committed {
        let said = format!(
            "{name}: {committed} units are committed and {paid} paid, {} counted as collected, {} as committed",
            option.collected, option.committed
        );
        books.found(4, None, said);
    }
    if option.cap.is_some_and(|cap| taken > cap) {
        books.found(4, None, format!("{name}: {taken} units are over the cap"));
    }
}

/// That a campaign is where its batches bring it, and counts what its options count.
fn check_batches(
    conn: &mut Conn,
    books: &mut Books,
    campaign: &CampaignRow,
) -> Result<(), Problem> {
    let all = campaigns::batches_of(conn, campaign.id)?;
    let state = CampaignState::of_batches(all.iter().map(|batch| batch.state));
    let unopened = matches!(
        campaign.state,
        CampaignState::Draft | CampaignState::Interest | CampaignState::Scheduled
    );
    if state != campaign.state && !(unopened && state == CampaignState::Open) {
        let slug = &campaign.slug;
        let what = format!(
            "campaign {slug} is {}, its batches come to {state}",
            campaign.state
        );
        books.found(4, None, what);
    }
    let options = campaigns::options_of(conn, campaign.id)?;
    let committed: i64 = options.iter().map(|option| option.committed).sum();
    let collected: i64 = options.iter().map(|option| option.collected).sum();
    if (committed, collected) != (campaign.committed_units, campaign.collected_units) {
        books.found(
            4,
            None,
            format!(
                "campaign {} counts {} units as committed and {} as paid, its options {committed} and {collected}",
                campaign.slug, campaign.committed_units, campaign.collected_units
            ),
        );
    }
    Ok(())
}

/// Rule 6.
fn check_purchase_orders(conn: &mut Conn, books: &mut Books) -> Result<(), Problem> {
    for (merchant, issued, highest, counted) in reads::purchase_order_numbers(conn)? {
        if issued != highest || counted != highest {
            books.found(
                6,
                None,
                format!("merchant {merchant} issued {issued} purchase orders, the highest number is {highest}, counted {counted}"),
            );
        }
    }
    Ok(())
}
