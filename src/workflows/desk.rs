//! What every workflow is given, and how it says no.

use std::sync::Arc;

use chrono::NaiveDateTime;

use super::letters::{About, Letter};
use super::links::Links;
use super::ports::{Clock, Scribe};
use crate::domain::campaign::CampaignState;
use crate::domain::draft::{CampaignDraft, FieldError};
use crate::domain::ids::{CampaignId, HappeningId, MailId, MerchantId, OrderId, PurchaseOrderId};
use crate::domain::words::WrongState;
use crate::store::campaigns::CampaignRow;
use crate::store::merchants::MerchantRow;
use crate::store::misc::HappeningRow;
use crate::store::orders::OrderRow;
use crate::store::{IsPassing, LaneError, StoreError, Tx, jobs, mails, merchants, misc};

/// What every workflow is given.
pub struct Desk {
    /// The one clock.
    pub clock: Arc<dyn Clock>,
    /// Writes the letters.
    pub scribe: Arc<dyn Scribe>,
    /// Signs and checks links.
    pub links: Links,
    /// How long a hold lasts, in minutes; at least 35 (domain section 2).
    pub hold_minutes: i64,
    /// Calls to the provider in a second; none where they are not paced.
    pub provider_rate: Option<u32>,
    /// Whether a live key is used.
    pub live: bool,
}

/// Why a workflow says no. Each says to the person what to do; the log gets the rest.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Problem {
    /// There is no such thing, or it is not this caller's.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The state of things does not allow it.
    #[error("{message}")]
    Conflict {
        /// A stable word for programs, such as `sold-out`.
        kind: &'static str,
        /// What to do, for a person.
        message: String,
    },
    /// Fields are wrong.
    #[error("{} fields are wrong", .0.len())]
    Invalid(Vec<FieldError>),
    /// The server can't just now.
    #[error("busy: {0}")]
    Busy(String),
    /// It failed in a way that is for the log.
    #[error("internal: {0}")]
    Internal(String),
    /// It met somebody else's change: the same step again.
    #[error("again: {0}")]
    Again(String),
}

impl Problem {
    /// A conflict.
    pub fn conflict(kind: &'static str, message: impl Into<String>) -> Self {
        Problem::Conflict {
            kind,
            message: message.into(),
        }
    }

    /// One wrong field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Problem::Invalid(vec![FieldError::new(field, message)])
    }

    /// A campaign's offer changed, and it is locked.
    pub fn locked(violations: Vec<FieldError>) -> Self {
        let said: Vec<String> = violations
            .iter()
            .map(|v| format!("{}: {}", v.field, v.message))
            .collect();
        Problem::conflict("locked", said.join("; "))
    }
}

impl From<StoreError> for Problem {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Lane(e) => e.into(),
            StoreError::Pool(e) => Problem::Busy(e.to_string()),
            StoreError::Lost => Problem::Again(e.to_string()),
            e if e.is_passing() => Problem::Again(e.to_string()),
            e => Problem::Internal(e.to_string()),
        }
    }
}

impl From<LaneError> for Problem {
    fn from(e: LaneError) -> Self {
        Problem::Busy(e.to_string())
    }
}

impl From<diesel::result::Error> for Problem {
    fn from(e: diesel::result::Error) -> Self {
        StoreError::from(e).into()
    }
}

impl From<WrongState> for Problem {
    fn from(e: WrongState) -> Self {
        Problem::conflict("wrong-state", e.to_string())
    }
}

impl From<serde_json::Error> for Problem {
    fn from(e: serde_json::Error) -> Self {
        Problem::Internal(format!("kept JSON: {e}"))
    }
}

impl IsPassing for Problem {
    fn is_passing(&self) -> bool {
        matches!(self, Problem::Again(_))
    }
}

/// The checked offer kept in a campaign's row.
///
/// # Errors
/// When the row is damaged.
pub fn offer(campaign: &CampaignRow) -> Result<CampaignDraft, Problem> {
    Ok(serde_json::from_str(&campaign.spec)?)
}

/// An order's number as people say it.
pub fn order_number(number: i64) -> String {
    format!("M-{number:04}")
}

/// A purchase order's number as people say it.
pub fn purchase_number(number: i64) -> String {
    format!("PO-{number:04}")
}

/// When joining ends or ended: the deadline, or the moment it was closed before.
pub fn ends_at(campaign: &CampaignRow) -> NaiveDateTime {
    campaign
        .closed_at
        .map_or(campaign.deadline, |closed| closed.min(campaign.deadline))
}

/// Whether a campaign takes orders at `now`.
pub fn takes_orders(campaign: &CampaignRow, now: NaiveDateTime) -> bool {
    campaign.state == CampaignState::Open && campaign.closed_at.is_none() && now < campaign.deadline
}

/// The campaign, locked for the rest of the transaction.
///
/// # Errors
/// [`Problem::NotFound`], or what the database says.
pub fn lock_campaign(tx: &mut Tx, id: CampaignId) -> Result<CampaignRow, Problem> {
    crate::store::campaigns::lock(tx.conn, id)?.ok_or(Problem::NotFound("campaign"))
}

/// The merchant.
///
/// # Errors
/// [`Problem::NotFound`], or what the database says.
pub fn merchant(tx: &mut Tx, id: MerchantId) -> Result<MerchantRow, Problem> {
    merchants::by_id(tx.conn, id)?.ok_or(Problem::NotFound("merchant"))
}

/// Asks for work, due at `run_at`.
///
/// # Errors
/// What the database says.
pub fn enqueue(
    tx: &mut Tx,
    kind: jobs::Kind,
    subject: &str,
    run_at: NaiveDateTime,
) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    jobs::put(tx.conn, kind, subject, run_at, now)?;
    tx.effects.work = true;
    Ok(())
}

/// The subject of a payment page's work.
pub fn payment_subject(order: OrderId, attempt: i32) -> String {
    format!("{order}:{attempt}")
}

/// Who and what something that happened is about.
#[derive(Debug, Clone, Copy)]
pub struct Concerns {
    /// At whose shop.
    pub merchant: MerchantId,
    /// In which campaign.
    pub campaign: Option<CampaignId>,
    /// To which order.
    pub order: Option<OrderId>,
}

impl Concerns {
    /// An order.
    pub fn order(order: &OrderRow) -> Self {
        Self {
            merchant: order.merchant_id,
            campaign: Some(order.campaign_id),
            order: Some(order.id),
        }
    }

    /// A campaign as a whole.
    pub fn campaign(campaign: &CampaignRow) -> Self {
        Self {
            merchant: campaign.merchant_id,
            campaign: Some(campaign.id),
            order: None,
        }
    }
}

/// Whether a happening is for staff alone: an unknown state of the provider, the address an order had before.
pub fn is_for_staff(kind: &str) -> bool {
    matches!(kind, "dispute_unknown" | "address_before")
}

/// Keeps what happened, for timelines and staff.
///
/// # Errors
/// What the database says.
pub fn happened(
    tx: &mut Tx,
    concerns: Concerns,
    actor: &str,
    kind: &str,
    detail: impl Into<String>,
) -> Result<(), Problem> {
    let row = HappeningRow {
        id: HappeningId::new(),
        merchant_id: concerns.merchant,
        campaign_id: concerns.campaign,
        order_id: concerns.order,
        actor: actor.to_owned(),
        kind: kind.to_owned(),
        detail: detail.into(),
        at: tx.now.naive_utc(),
    };
    misc::happened(tx.conn, &row)?;
    Ok(())
}

/// A letter on its way into the outbox.
pub struct Post<'a> {
    /// What makes it unrepeatable, such as `order_confirmed:{order}`.
    pub once: String,
    /// To whom.
    pub to: &'a str,
    /// Where answers go.
    pub reply_to: Option<&'a str>,
    /// What it is about.
    pub concerns: Option<Concerns>,
    /// The purchase order it carries.
    pub purchase_order: Option<PurchaseOrderId>,
    /// What it says.
    pub letter: Letter,
}

impl<'a> Post<'a> {
    /// A letter to an order's shopper; `once` needs to be unrepeatable for this order only.
    pub fn to_shopper(
        merchant: &'a MerchantRow,
        order: &'a OrderRow,
        once: &str,
        letter: Letter,
    ) -> Self {
        Self {
            once: format!("{once}:{}", order.id),
            to: &order.email,
            reply_to: Some(&merchant.email),
            concerns: Some(Concerns::order(order)),
            purchase_order: None,
            letter,
        }
    }
}

/// How many letters of a round are written in one transaction.
pub const AT_ONCE: i64 = 400;

impl Desk {
    /// Writes a letter and keeps it, to be sent after the commit. One with the same `once` is written once.
    ///
    /// # Errors
    /// When its template fails, or what the database says.
    pub fn post(&self, tx: &mut Tx, post: Post) -> Result<(), Problem> {
        self.post_many(tx, vec![post]).map(|_| ())
    }

    /// Writes some letters and keeps them, to be sent after the commit: [`AT_ONCE`] at most, so that nobody else waits
    /// long for the writer. Those with the same `once` are written once. The mails' ids, in the order of the letters; the
    /// id of one that was written before names nothing.
    ///
    /// # Errors
    /// As [`Desk::post`].
    pub fn post_many(&self, tx: &mut Tx, posts: Vec<Post>) -> Result<Vec<MailId>, Problem> {
        let now = tx.now.naive_utc();
        let rows: Vec<mails::MailRow> = posts
            .into_iter()
            .map(|post| self.write(post, now))
            .collect::<Result<_, _>>()?;
        let work: Vec<(String, NaiveDateTime)> = mails::insert(tx.conn, &rows)?
            .into_iter()
            .map(|id| (id.to_string(), now))
            .collect();
        if !work.is_empty() {
            jobs::put_many(tx.conn, jobs::MAIL, &work, now)?;
            tx.effects.work = true;
        }
        Ok(rows.iter().map(|row| row.id).collect())
    }

    fn write(&self, post: Post, now: NaiveDateTime) -> Result<mails::MailRow, Problem> {
        let written = self.scribe.write(&post.letter).map_err(Problem::Internal)?;
        let attachments = if written.attachments.is_empty() {
            None
        } else {
            Some(serde_json::to_string(&written.attachments)?)
        };
        Ok(mails::MailRow {
            id: MailId::new(),
            once: post.once,
            kind: post.letter.kind().to_owned(),
            merchant_id: post.concerns.map(|c| c.merchant),
            campaign_id: post.concerns.and_then(|c| c.campaign),
            order_id: post.concerns.and_then(|c| c.order),
            purchase_order_id: post.purchase_order,
            recipient: post.to.to_owned(),
            reply_to: post.reply_to.filter(|r| !r.is_empty()).map(str::to_owned),
            subject: written.subject,
            body_text: written.text,
            body_html: written.html,
            attachments,
            state: "queued".to_owned(),
            problem: None,
            created_at: now,
            sent_at: None,
        })
    }

    /// Writes to everybody of a merchant's staff who may act, and to the merchant's own address.
    ///
    /// # Errors
    /// As [`Desk::post`].
    pub fn tell_staff(
        &self,
        tx: &mut Tx,
        concerns: Concerns,
        once: &str,
        subject: &str,
        lines: Vec<String>,
        path: &str,
    ) -> Result<(), Problem> {
        let merchant = merchant(tx, concerns.merchant)?;
        let mut to: Vec<String> = merchants::staff_of(tx.conn, merchant.id)?
            .into_iter()
            .filter(|person| person.role.may_manage())
            .map(|person| person.email)
            .collect();
        if !merchant.email.is_empty() && !to.contains(&merchant.email) {
            to.push(merchant.email.clone());
        }
        for address in to {
            self.post(
                tx,
                Post {
                    once: format!("{once}:{address}"),
                    to: &address,
                    reply_to: None,
                    concerns: Some(concerns),
                    purchase_order: None,
                    letter: Letter::Staff {
                        merchant: merchant.name.clone(),
                        subject: subject.to_owned(),
                        lines: lines.clone(),
                        link: self.links.url(path),
                    },
                },
            )?;
        }
        Ok(())
    }

    /// What every letter to an order's shopper knows.
    pub fn about(
        &self,
        merchant: &MerchantRow,
        campaign: &CampaignRow,
        draft: &CampaignDraft,
        order: &OrderRow,
    ) -> About {
        About {
            merchant: merchant.name.clone(),
            merchant_address: merchant.address.clone(),
            campaign: campaign.title.clone(),
            campaign_url: self.links.url(&format!("/c/{}", campaign.slug)),
            time_zone: draft.time_zone.name().to_owned(),
            name: order.name.clone(),
            number: order_number(order.number),
            order_url: self.links.order_url(order.id),
        }
    }

    /// Writes to an order's shopper.
    ///
    /// # Errors
    /// As [`Desk::post`].
    pub fn tell_shopper(
        &self,
        tx: &mut Tx,
        merchant: &MerchantRow,
        order: &OrderRow,
        once: &str,
        letter: Letter,
    ) -> Result<(), Problem> {
        self.post(tx, Post::to_shopper(merchant, order, once, letter))
    }
}
