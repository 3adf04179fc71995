//! Balances of deposits (domain sections 4 and 5): told three days ahead, charged when the goods arrive.

use chrono::{DateTime, Duration, Utc};

use super::super::desk::{AT_ONCE, Desk, Problem, enqueue, lock_campaign, offer};
use super::super::letters::CardNews;
use super::super::money::say;
use super::{at_the_end, forgive, tell};
use crate::domain::day::day_start;
use crate::domain::draft::PaymentMode;
use crate::domain::due::{DueKind, DueState, TOLD_AHEAD_DAYS};
use crate::domain::ids::BatchId;
use crate::domain::order::Delivery;
use crate::store::campaigns::CampaignRow;
use crate::store::dues::DueRow;
use crate::store::orders::{LineRow, OrderRow};
use crate::store::{Tx, campaigns, dues, jobs};
use crate::workflows::money;

/// What came of looking at a batch's balances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Balances {
    /// There are none, or the day is not known yet: a date or an arrival asks for this again.
    None,
    /// Look again then.
    At(DateTime<Utc>),
    /// Some were asked for; there are more.
    More,
}

/// Asks for the balances of a batch where it is time: three days before its goods arrive, or once they have.
///
/// # Errors
/// What the database says.
pub fn ask(desk: &Desk, tx: &mut Tx, id: BatchId) -> Result<Balances, Problem> {
    let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign = lock_campaign(tx, batch.campaign_id)?;
    let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    let draft = offer(&campaign)?;
    if draft.payment_mode != PaymentMode::Deposit {
        return Ok(Balances::None);
    }
    let now = tx.now;
    let in_time = now + Duration::days(TOLD_AHEAD_DAYS);
    let some = dues::with_balance(tx.conn, id, true, AT_ONCE)?;
    if tell_some(desk, tx, &campaign, some, in_time)? {
        return Ok(Balances::More);
    }
    // Those that were told before their goods came are charged from their day on.
    let told = dues::announced_with_goods(tx.conn, id)?;
    let work: Vec<_> = told
        .into_iter()
        .map(|(order, at)| (order.to_string(), at))
        .collect();
    if !work.is_empty() {
        jobs::put_many(tx.conn, jobs::DUE, &work, now.naive_utc())?;
        tx.effects.work = true;
    }
    // The others are told before the day on which the goods should come.
    let Some(arrives) = batch.arrives else {
        return Ok(Balances::None);
    };
    let arrives = day_start(arrives, draft.time_zone);
    let tell_at = arrives - Duration::days(TOLD_AHEAD_DAYS);
    if now < tell_at {
        return Ok(Balances::At(tell_at));
    }
    let some = dues::with_balance(tx.conn, id, false, AT_ONCE)?;
    Ok(
        if tell_some(desk, tx, &campaign, some, arrives.max(in_time))? {
            Balances::More
        } else {
            Balances::None
        },
    )
}

/// Tells these of their balances; whether there may be more.
fn tell_some(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    some: Vec<OrderRow>,
    charge_at: DateTime<Utc>,
) -> Result<bool, Problem> {
    let more = i64::try_from(some.len()).unwrap_or(0) == AT_ONCE;
    for mut order in some {
        let currency = money::currency(&order.currency)?;
        if order.owed < currency.min_charge() {
            forgive(tx, &mut order)?;
            money::keep(tx, &mut order)?;
            continue;
        }
        announce(tx, &order, charge_at)?;
        ask_for(desk, tx, campaign, &order, (charge_at, "balance_asked"))?;
    }
    Ok(more)
}

fn ask_for(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &OrderRow,
    (charge_at, once): (DateTime<Utc>, &str),
) -> Result<(), Problem> {
    let news = CardNews::BalanceAsked {
        amount: say(order.owed, &order.currency),
        card: dues::card_of(tx.conn, order.id)?.map(|card| card.said()),
        on: charge_at,
        then: at_the_end(order)?,
    };
    tell(desk, tx, campaign, order, once, news)
}

/// Whether a balance was told of so long ago that it is told again before it is charged.
pub(super) fn is_stale(due: &DueRow, now: DateTime<Utc>) -> bool {
    now - due.charge_at.and_utc() > Duration::days(TOLD_AHEAD_DAYS)
}

/// Tells of a balance again, three days ahead; when it is charged.
pub(super) fn announce_again(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &OrderRow,
    before: DueRow,
) -> Result<DateTime<Utc>, Problem> {
    let charge_at = tx.now + Duration::days(TOLD_AHEAD_DAYS);
    announce(tx, order, charge_at)?;
    let once = format!("balance_asked:{}", before.charge_at.date());
    ask_for(desk, tx, campaign, order, (charge_at, &once))?;
    Ok(charge_at)
}

fn announce(tx: &mut Tx, order: &OrderRow, charge_at: DateTime<Utc>) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    let due = DueRow {
        order_id: order.id,
        campaign_id: order.campaign_id,
        batch_id: order.batch_id,
        kind: DueKind::Balance,
        state: DueState::Announced,
        amount: order.owed,
        opened_at: now,
        charge_at: charge_at.naive_utc(),
        ends_at: None,
        reminded: 0,
        decline: None,
        said: None,
        closed_at: None,
    };
    dues::put(tx.conn, &due)?;
    let detail = format!(
        "{} is charged on {}.",
        say(order.owed, &order.currency),
        charge_at.format("%-d %B %Y")
    );
    super::happened(
        tx,
        super::Concerns::order(order),
        "system",
        "balance_asked",
        detail,
    )?;
    enqueue(tx, jobs::DUE, &order.id.to_string(), due.charge_at)
}

/// Whether the goods that an order's balance is for are there: it is not charged before. Who wants one parcel pays when
/// everything is there, for nothing is sent before; who takes parts as they come, with the first of them.
pub fn goods_are_there(order: &OrderRow, lines: &[LineRow]) -> bool {
    let all = |line: &LineRow| line.allocated >= line.units().wanted();
    let whole = order.delivery == Delivery::AsAvailable || lines.iter().all(all);
    whole && lines.iter().any(|line| line.allocated > 0)
}

/// Units left an order, or it is sent in another way: what is there may be all that its balance waits for.
///
/// # Errors
/// What the database says.
pub fn look_again(tx: &mut Tx, order: &OrderRow) -> Result<(), Problem> {
    if order.mode == PaymentMode::Deposit && order.owed > 0 && order.state.awaits_goods() {
        let now = tx.now.naive_utc();
        enqueue(tx, jobs::BALANCE, &order.batch_id.to_string(), now)?;
    }
    Ok(())
}
