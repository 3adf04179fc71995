//! Journal and provider, compared both ways: what is safe is repaired, the rest is listed (domain section 7, rule 8).

use std::collections::{HashMap, HashSet};

use chrono::Duration;
use serde::{Deserialize, Serialize};

use super::{Next, Trouble, worker::FROZEN};
use crate::domain::payment::{AttemptState, RefundAttemptState};
use crate::store::jobs;
use crate::store::orders::{self, PaymentRow};
use crate::store::{misc, refunds};
use crate::workflows::desk::{Problem, payment_subject};
use crate::workflows::office::Office;
use crate::workflows::ports::{CallError, ProviderCharge, ProviderRefund};
use crate::workflows::recover::{self, Matched};

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

async fn theirs(office: &Office) -> Result<Theirs, CallError> {
    let mut all = Theirs {
        charges: Vec::new(),
        refunds: Vec::new(),
    };
    let mut cursor = None;
    loop {
        let listed = office.provider().charges(None, cursor).await?;
        all.charges.extend(listed.data);
        match listed.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let mut cursor = None;
    loop {
        let listed = office.provider().refunds(None, None, cursor).await?;
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
    let theirs = theirs(office).await.map_err(CompareError::Provider)?;
    let mut report = Report::default();
    // Charges first: a refund belongs to a charge that the books must know. Oldest first.
    for charge in theirs.charges.iter().rev() {
        let Some(tag) = charge.tag.clone().filter(|tag| tag.purpose == "join") else {
            continue;
        };
        if is_returned(charge, &theirs.refunds) && !knows_order(office, tag.order).await? {
            report.agree += 1;
            continue;
        }
        let charge = charge.clone();
        let matched = office
            .write(move |desk, tx| recover::charge(desk, tx, tag.order, tag.attempt, &charge))
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
    report.left.extend(differences(office, &theirs).await?);
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

async fn knows_order(office: &Office, id: crate::domain::ids::OrderId) -> Result<bool, Problem> {
    office
        .read(move |conn| Ok(orders::by_id(conn, id)?.is_some()))
        .await
}

/// What our books have and the provider has not, or has otherwise: rule 8, looked at and not repaired.
///
/// # Errors
/// When the provider or the database can't be asked.
pub async fn compare(office: &Office) -> Result<Vec<String>, CompareError> {
    let theirs = theirs(office).await.map_err(CompareError::Provider)?;
    let mut found = differences(office, &theirs).await?;
    for charge in &theirs.charges {
        let Some(tag) = charge
            .tag
            .clone()
            .filter(|t| t.purpose == "join" && charge.paid)
        else {
            continue;
        };
        let page = office
            .read(move |conn| Ok::<_, Problem>(orders::payment(conn, tag.order, tag.attempt)?))
            .await?;
        match page {
            None if is_returned(charge, &theirs.refunds) => {}
            None => found.push(format!(
                "order {}: charge {} is not in the books",
                tag.order, charge.id
            )),
            // Paid there and not heard of here yet: in flight.
            Some(page) if page.state != AttemptState::Paid => {}
            Some(page) if page.amount != charge.amount => found.push(format!(
                "order {}: charge {} is over {}, the books say {}",
                tag.order, charge.id, charge.amount, page.amount
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

async fn differences(office: &Office, theirs: &Theirs) -> Result<Vec<String>, Problem> {
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
    office
        .read(move |conn| {
            let mut found = Vec::new();
            orders::each_paid_page(conn, |page: &PaymentRow| {
                let known = page.intent_id.as_ref().is_some_and(|i| charged.contains(i));
                if !known {
                    found.push(format!(
                        "order {}: the books have a charge over {} that the provider does not know",
                        page.order_id, page.amount
                    ));
                }
            })?;
            refunds::each_done_attempt(conn, |refund, call| {
                let there = call.provider_id.as_ref().and_then(|id| refunded.get(id));
                match there {
                    Some((amount, true)) if *amount == refund.amount => {}
                    // It came back at the provider; its webhook or the next look tells us: in flight.
                    Some((_, false)) => {}
                    _ if call.state == RefundAttemptState::Succeeded => found.push(format!(
                        "order {}: the books have a refund over {} that the provider does not know",
                        refund.order_id, refund.amount
                    )),
                    _ => {}
                }
            })?;
            Ok(found)
        })
        .await
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

/// Asks what lies at the provider and keeps it for staff; again in six hours.
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
    Ok(Next::At(office.now() + Duration::days(1)))
}
