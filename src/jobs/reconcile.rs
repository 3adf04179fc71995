//! Journal and provider, compared both ways: what is safe is repaired, the rest is listed (domain section 7, rule 8).

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::{Next, Trouble, worker::FROZEN};
use crate::domain::ids::OrderId;
use crate::domain::payment::{AttemptState, RefundAttemptState, RefundPurpose};
use crate::store::jobs;
use crate::store::orders::{self, PaymentRow};
use crate::store::{misc, refunds};
use crate::workflows::desk::{Problem, enqueue, payment_subject};
use crate::workflows::office::Office;
use crate::workflows::ports::{CallError, ProviderCharge, ProviderRefund, ProviderRefundStatus};
use crate::workflows::recover::{self, Matched};
use crate::workflows::{ideas, interest, payment};

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What was put right.
    pub repaired: Vec<String>,
    /// What a person must look at.
    pub left: Vec<String>,
    /// How many movements agree.
    pub agree: usize,
}

/// Everything at the provider that carries our ids or belongs to our intents.
struct Theirs {
    charges: Vec<ProviderCharge>,
    refunds: Vec<ProviderRefund>,
}

async fn theirs(office: &Office, since: Option<DateTime<Utc>>) -> Result<Theirs, CallError> {
    let mut all = Theirs {
        charges: Vec::new(),
        refunds: Vec::new(),
    };
    let mut cursor = None;
    loop {
        let listed = office.provider().charges(since, cursor).await?;
        all.charges.extend(listed.data);
        match listed.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let mut cursor = None;
    loop {
        let listed = office.provider().refunds(None, since, cursor).await?;
        all.refunds.extend(listed.data);
        match listed.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    Ok(all)
}

/// Compares and repairs. Ends the wait that follows a restored backup, where nothing is left to do.
///
/// # Errors
/// When the provider or the database can't be asked.
pub async fn reconcile(office: &Office) -> Result<Report, CompareError> {
    let ours = ours(office).await?;
    let theirs = theirs(office, None).await.map_err(CompareError::Provider)?;
    let mut report = matched(office, &theirs).await?;
    report.left.extend(by_hand(office, &theirs).await?);
    report.left.extend(differences(ours, &theirs));
    for dispute in untold(office, None).await? {
        ask_for(office, dispute).await?;
    }
    wake_open_pages(office).await?;
    if report.left.is_empty() {
        office
            .write(|_, tx| -> Result<(), Problem> {
                misc::clear_setting(tx.conn, FROZEN)?;
                tx.effects.work = true;
                Ok(())
            })
            .await?;
    }
    Ok(report)
}

/// Puts what the provider has and our books have not into the books, where that is safe.
async fn matched(office: &Office, theirs: &Theirs) -> Result<Report, Problem> {
    let mut report = Report::default();
    // Charges first: a refund belongs to a charge that the books must know. Oldest first.
    for charge in theirs.charges.iter().rev() {
        let Some(tag) = charge
            .tag
            .clone()
            .filter(|tag| tag.payment_kind().is_some())
        else {
            continue;
        };
        if is_returned(charge, &theirs.refunds) && !is_of(office, tag.order, charge).await? {
            report.agree += 1;
            continue;
        }
        let went_back = went_back_as_late(charge, &theirs.refunds);
        let charge = charge.clone();
        let matched = office
            .write(move |desk, tx| recover::charge(desk, tx, &tag, &charge, went_back))
            .await?;
        report.add(matched);
    }
    for refund in theirs.refunds.iter().rev() {
        let Some(tag) = refund.tag.clone() else {
            continue;
        };
        let Some((id, purpose)) = tag.refund_id() else {
            continue;
        };
        let said = refund.clone();
        let matched = office
            .write(move |desk, tx| {
                recover::refund(desk, tx, tag.order, id, purpose, tag.attempt, &said)
            })
            .await?;
        report.add(matched);
    }
    Ok(report)
}

/// Refunds that somebody made by hand at the provider, of payments that are ours: the books know nothing of them.
async fn by_hand(office: &Office, theirs: &Theirs) -> Result<Vec<String>, Problem> {
    let strange: Vec<(String, i64, String)> = theirs
        .refunds
        .iter()
        .filter(|r| r.tag.as_ref().and_then(|tag| tag.refund_id()).is_none())
        .filter(|r| r.status != ProviderRefundStatus::Failed)
        .filter_map(|r| Some((r.id.clone(), r.amount, r.intent.clone()?)))
        .collect();
    office
        .read(move |conn| {
            let mut found = Vec::new();
            for (id, amount, intent) in strange {
                if let Some(page) = orders::payment_by_intent(conn, &intent)? {
                    found.push(format!(
                        "order {}: refund {id} over {amount} was made at the provider and not here",
                        page.order_id
                    ));
                }
            }
            Ok(found)
        })
        .await
}

/// Disputes that stand otherwise at the provider than in the books: no webhook told.
async fn untold(
    office: &Office,
    since: Option<DateTime<Utc>>,
) -> Result<Vec<String>, CompareError> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let listed = office
            .provider()
            .disputes(None, since, cursor)
            .await
            .map_err(CompareError::Provider)?;
        let tagged = listed.data.into_iter().filter(|d| d.tag.is_some());
        all.extend(tagged.map(|d| (d.id, d.status)));
        match listed.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    Ok(office
        .read(move |conn| -> Result<_, Problem> {
            let mut untold = Vec::new();
            for (id, status) in all {
                let known = refunds::dispute(conn, &id)?;
                if known.is_none_or(|known| known.provider_state != status) {
                    untold.push(id);
                }
            }
            Ok(untold)
        })
        .await?)
}

async fn ask_for(office: &Office, dispute: String) -> Result<(), Problem> {
    office
        .write(move |_, tx| {
            let now = tx.now.naive_utc();
            enqueue(tx, jobs::DISPUTE, &dispute, now)
        })
        .await
}

/// Why a comparison could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The provider could not be asked.
    #[error("the provider could not be asked: {0}")]
    Provider(CallError),
    /// The database failed.
    #[error(transparent)]
    Ours(#[from] Problem),
}

impl Report {
    fn add(&mut self, matched: Matched) {
        match matched {
            Matched::Known => self.agree += 1,
            Matched::Repaired(what) => self.repaired.push(what),
            Matched::Left(what) => self.left.push(what),
        }
    }
}

/// Whether a payment came too late for what it was for, and went back as a whole.
fn went_back_as_late(charge: &ProviderCharge, refunds: &[ProviderRefund]) -> bool {
    let is_late = |refund: &ProviderRefund| {
        let named = refund.tag.as_ref().and_then(|tag| tag.refund_id());
        named.is_some_and(|(_, purpose)| purpose == RefundPurpose::Late)
    };
    refunds.iter().any(|refund| {
        refund.intent.is_some()
            && refund.intent == charge.intent
            && refund.amount == charge.amount
            && refund.status != ProviderRefundStatus::Failed
            && is_late(refund)
    })
}

/// Whether all of a charge went back.
fn is_returned(charge: &ProviderCharge, refunds: &[ProviderRefund]) -> bool {
    use crate::workflows::ports::ProviderRefundStatus as S;
    let back: i64 = refunds
        .iter()
        .filter(|r| r.intent.is_some() && r.intent == charge.intent)
        .filter(|r| matches!(r.status, S::Succeeded | S::Pending))
        .map(|r| r.amount)
        .sum();
    back >= charge.amount
}

/// Whether a charge can be an order's: it is in our books, in the charge's currency.
async fn is_of(office: &Office, id: OrderId, charge: &ProviderCharge) -> Result<bool, Problem> {
    let order = office
        .read(move |conn| Ok::<_, Problem>(orders::by_id(conn, id)?))
        .await?;
    Ok(order.is_some_and(|order| charge.said_against(&order.currency).is_none()))
}

/// What our books have and the provider has not, or has otherwise: rule 8, looked at and not repaired.
///
/// # Errors
/// When the provider or the database can't be asked.
pub async fn compare(office: &Office) -> Result<Vec<String>, CompareError> {
    // Ours first: what is made while we look is then known there, and none of ours is missed there.
    let ours = ours(office).await?;
    let theirs = theirs(office, None).await.map_err(CompareError::Provider)?;
    let mut found = differences(ours, &theirs);
    found.extend(by_hand(office, &theirs).await?);
    for charge in &theirs.charges {
        let Some(tag) = charge
            .tag
            .clone()
            .filter(|t| t.payment_kind().is_some() && charge.paid)
        else {
            continue;
        };
        let (id, intent) = (tag.order, charge.intent.clone());
        let (page, order) = office
            .read(move |conn| -> Result<_, Problem> {
                let page = payment::page_of(conn, Some(&tag), intent.as_deref())?;
                Ok((page, orders::by_id(conn, tag.order)?))
            })
            .await?;
        let foreign = order.and_then(|order| charge.said_against(&order.currency));
        match page {
            Some(_) if foreign.is_some() => {
                let said = foreign.filter(|_| !is_returned(charge, &theirs.refunds));
                found.extend(said.map(|said| format!("order {id}: {said}")));
            }
            None if is_returned(charge, &theirs.refunds) => {}
            None => found.push(format!(
                "order {id}: charge {} is not in the books",
                charge.id
            )),
            // Paid there and not heard of here yet: in flight.
            Some(page) if page.state != AttemptState::Paid => {}
            Some(page) if page.amount != charge.amount => found.push(format!(
                "order {id}: charge {} is over {}, the books say {}",
                charge.id, charge.amount, page.amount
            )),
            Some(_) => {}
        }
    }
    for refund in &theirs.refunds {
        let known = refund.tag.as_ref().and_then(|tag| tag.refund_id());
        let Some((id, _)) = known else {
            continue;
        };
        let row = office
            .read(move |conn| Ok::<_, Problem>(refunds::by_id(conn, id)?))
            .await?;
        if row.is_none() {
            found.push(format!("refund {} is not in the books", refund.id));
        }
    }
    Ok(found)
}

/// What our books say the provider moved.
#[derive(Default)]
struct Ours {
    /// Order, intent, amount of each paid page.
    charges: Vec<(OrderId, Option<String>, i64)>,
    /// Order, id at the provider, amount of each refund, and whether the books have it as done.
    refunds: Vec<(OrderId, Option<String>, i64, bool)>,
}

async fn ours(office: &Office) -> Result<Ours, Problem> {
    office
        .read(|conn| {
            let mut ours = Ours::default();
            orders::each_paid_page(conn, |page: &PaymentRow| {
                let charge = (page.order_id, page.intent_id.clone(), page.amount);
                ours.charges.push(charge);
            })?;
            refunds::each_done_attempt(conn, |refund, call| {
                let done = call.state == RefundAttemptState::Succeeded;
                let id = call.provider_id.clone();
                ours.refunds
                    .push((refund.order_id, id, refund.amount, done));
            })?;
            Ok(ours)
        })
        .await
}

fn differences(ours: Ours, theirs: &Theirs) -> Vec<String> {
    let charged: HashSet<String> = theirs
        .charges
        .iter()
        .filter(|c| c.paid)
        .filter_map(|c| c.intent.clone())
        .collect();
    let mut refunded: HashMap<String, (i64, bool)> = HashMap::new();
    for refund in &theirs.refunds {
        use crate::workflows::ports::ProviderRefundStatus as S;
        let alive = matches!(refund.status, S::Succeeded | S::Pending | S::Unknown);
        refunded.insert(refund.id.clone(), (refund.amount, alive));
    }
    let mut found = Vec::new();
    for (order, intent, amount) in ours.charges {
        if !intent.is_some_and(|i| charged.contains(&i)) {
            found.push(format!(
                "order {order}: the books have a charge over {amount} that the provider does not know"
            ));
        }
    }
    for (order, id, amount, done) in ours.refunds {
        match id.and_then(|id| refunded.get(&id)) {
            Some((there, true)) if *there == amount => {}
            // It came back at the provider; its webhook or the next look tells us: in flight.
            Some((_, false)) => {}
            _ if done => found.push(format!(
                "order {order}: the books have a refund over {amount} that the provider does not know"
            )),
            _ => {}
        }
    }
    found
}

/// Pages whose end no webhook told are asked for soon.
async fn wake_open_pages(office: &Office) -> Result<(), Problem> {
    office
        .write(|_, tx| -> Result<(), Problem> {
            let now = tx.now.naive_utc();
            for page in orders::open_pages(tx.conn, 1000)? {
                if page.planned_at <= now {
                    let subject = payment_subject(page.order_id, page.attempt);
                    jobs::put(tx.conn, jobs::PAYMENT, &subject, now, now)?;
                }
            }
            tx.effects.work = true;
            Ok(())
        })
        .await
}

/// The setting under which the provider's balance is kept for staff.
pub const BALANCE: &str = "provider_balance";

/// A kept balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptBalance {
    /// The currency's code.
    pub currency: String,
    /// What refunds can be paid from, in minor units.
    pub available: i64,
    /// What is on its way there.
    pub pending: i64,
    /// When it was asked.
    pub at: chrono::DateTime<chrono::Utc>,
}

/// How far back the worker looks for what no webhook told, in days: a refund may come back weeks later, and a dispute
/// opens later still, but then some webhook of all those that the provider repeats for days has told.
const LOOKS_BACK_DAYS: i64 = 40;

/// Asks for what no webhook told: charges, refunds that came back, disputes. What a person must look at is logged; the
/// audit says it too.
async fn catch_up(office: &Office) -> Result<(), Trouble> {
    let since = office.now() - Duration::days(LOOKS_BACK_DAYS);
    let theirs = theirs(office, Some(since)).await?;
    let report = matched(office, &theirs).await?;
    for line in &report.repaired {
        log::info!("reconciled: {line}");
    }
    for line in &report.left {
        log::warn!("a person is needed: {line}");
    }
    for dispute in untold(office, Some(since)).await.map_err(trouble)? {
        ask_for(office, dispute).await?;
    }
    Ok(())
}

fn trouble(e: CompareError) -> Trouble {
    match e {
        CompareError::Provider(e) => e.into(),
        CompareError::Ours(e) => e.into(),
    }
}

/// Asks what lies at the provider and keeps it for staff, and for what no webhook told; again in six hours.
pub(super) async fn balance(office: &Office) -> Result<Next, Trouble> {
    let at = office.now();
    let kept: Vec<KeptBalance> = office
        .provider()
        .balance()
        .await?
        .into_iter()
        .map(|b| KeptBalance {
            currency: b.currency.code().to_owned(),
            available: b.available,
            pending: b.pending,
            at,
        })
        .collect();
    office
        .write(move |_, tx| -> Result<(), Problem> {
            misc::set_setting(tx.conn, BALANCE, &serde_json::to_string(&kept)?)?;
            Ok(())
        })
        .await?;
    catch_up(office).await?;
    Ok(Next::At(office.now() + Duration::hours(6)))
}

/// Throws away what is kept for a time only: answers to keyed calls after a day, worked-off webhooks after a month.
pub(super) async fn housekeeping(office: &Office) -> Result<Next, Trouble> {
    office
        .write(|_, tx| -> Result<(), Problem> {
            let now = tx.now.naive_utc();
            misc::prune_api_answers(tx.conn, now - Duration::days(1))?;
            misc::prune_webhooks(tx.conn, now - Duration::days(30))?;
            Ok(())
        })
        .await?;
    while office.write(|_, tx| interest::forget(tx)).await? {}
    while office.write(|_, tx| ideas::forget(tx)).await? {}
    Ok(Next::At(office.now() + Duration::days(1)))
}
