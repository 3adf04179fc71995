//! One order: its lines, every movement of its money with what comes next, its history and its mails.

mod refunds;
mod tables;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono_tz::Tz;

use super::guard::{Refusal, Staff};
use super::kit::{Facts, Table, fact, id, moment, short, zone_of};
use crate::domain::country::Country;
use crate::domain::draft::{CampaignDraft, PaymentMode};
use crate::domain::due::DueState;
use crate::domain::ids::OrderId;
use crate::domain::order::OrderState;
use crate::domain::paper::Paper;
use crate::domain::payment::RefundState;
use crate::store::campaigns::CampaignRow;
use crate::store::changes::ChangeRow;
use crate::store::claims::ClaimRow;
use crate::store::dues::{CardRow, DueRow};
use crate::store::mails::MailRow;
use crate::store::merchants::MerchantRow;
use crate::store::misc::HappeningRow;
use crate::store::orders::{LineRow, OrderRow, PaymentRow};
use crate::store::papers::PaperRow;
use crate::store::refunds::{DisputeRow, RefundAttemptRow, RefundRow};
use crate::store::{Conn, campaigns, claims, dues, mails, misc, orders, refunds as refund_rows};
use crate::web::pages;
use crate::web::shop::step_words;
use crate::web::view::{Badge, Link, MoneyTable, PanelShell, Timeline, TimelineItem, state_word};
use crate::workflows::batches;
use crate::workflows::cancel::can_staff_cancel;
use crate::workflows::changes::{Offer, asked_for, choices, lines_said};
use crate::workflows::desk::{Problem, offer, order_number};
use crate::workflows::join::{Address, FrozenQuote};
use crate::workflows::letters::parcels_said;
use crate::workflows::money::say;
use crate::workflows::payment::frozen;

/// All that is kept of an order.
pub(super) struct Known {
    pub(super) order: OrderRow,
    pub(super) campaign: CampaignRow,
    agreed: FrozenQuote,
    lines: Vec<LineRow>,
    payments: Vec<PaymentRow>,
    pub(super) refunds: Vec<(RefundRow, Vec<RefundAttemptRow>)>,
    disputes: Vec<DisputeRow>,
    papers: Vec<(PaperRow, Paper)>,
    happened: Vec<HappeningRow>,
    mails: Vec<MailRow>,
    claims: Vec<ClaimRow>,
    draft: CampaignDraft,
    due: Option<DueRow>,
    card: Option<CardRow>,
    /// The number of its batch, where its campaign has several.
    batch: Option<i32>,
    /// A change that is being paid.
    change: Option<(ChangeRow, Offer)>,
}

fn own(conn: &mut Conn, merchant: &MerchantRow, id: OrderId) -> Result<OrderRow, Problem> {
    orders::by_id(conn, id)?
        .filter(|order| order.merchant_id == merchant.id)
        .ok_or(Problem::NotFound("order"))
}

pub(super) fn load(conn: &mut Conn, merchant: &MerchantRow, id: OrderId) -> Result<Known, Problem> {
    let order = own(conn, merchant, id)?;
    let mut with_calls = Vec::new();
    for refund in refund_rows::of_order(conn, id)? {
        let calls = refund_rows::attempts_of(conn, refund.id)?;
        with_calls.push((refund, calls));
    }
    let campaign =
        campaigns::by_id(conn, order.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
    Ok(Known {
        batch: match campaigns::batch(conn, order.batch_id)? {
            Some(batch) => batches::number(conn, &batch)?,
            None => None,
        },
        change: asked_for(conn, &order)?,
        draft: offer(&campaign)?,
        campaign,
        due: dues::of_order(conn, id)?,
        card: dues::card_of(conn, id)?,
        agreed: frozen(&order)?,
        lines: orders::lines_of(conn, id)?,
        payments: orders::payments_of(conn, id)?,
        refunds: with_calls,
        disputes: refund_rows::disputes_of(conn, id)?,
        papers: super::papers::of_order(conn, id)?,
        happened: misc::happenings_of_order(conn, id)?,
        mails: mails::of_order(conn, id)?,
        claims: claims::of_order(conn, id)?,
        order,
    })
}

/// A mail as staff see it.
pub struct ShownMail {
    /// Its subject.
    pub subject: String,
    /// Its state.
    pub badge: Badge,
    /// To whom and when.
    pub line: String,
    /// Why it was refused.
    pub problem: Option<String>,
    /// Its text.
    pub text: String,
}

impl ShownMail {
    /// Of a row.
    pub fn of(row: &MailRow, zone: Tz) -> Self {
        Self {
            subject: row.subject.clone(),
            badge: mail_badge(&row.state),
            line: format!("To {}, {}", row.recipient, short(row.created_at, zone)),
            problem: row.problem.clone(),
            text: row.body_text.clone(),
        }
    }
}

/// A mail's state.
pub fn mail_badge(state: &str) -> Badge {
    use crate::web::view::Tone;
    let tone = match state {
        "sent" | "kept" => Tone::Good,
        "refused" => Tone::Bad,
        _ => Tone::Wait,
    };
    Badge::new(tone, state_word(state))
}

/// `/admin/orders/{id}`
#[derive(Template)]
#[template(path = "admin/order.html")]
struct OrderPage {
    shell: PanelShell,
    number: String,
    state: Badge,
    money_state: Badge,
    shopper: String,
    email: String,
    next: String,
    campaign: Link,
    lines: Table,
    money: MoneyTable,
    payments: Table,
    refunds: Vec<refunds::ShownRefund>,
    disputes: Table,
    papers: Table,
    timeline: Timeline,
    mails: Vec<ShownMail>,
    facts: Facts,
    address: Vec<String>,
    /// Nothing of it will be sent.
    over: bool,
    shopper_href: String,
    change: Option<ShownChange>,
    change_href: Option<String>,
    cancel_href: Option<String>,
    refund_href: Option<String>,
    claim_href: Option<String>,
    address_href: Option<String>,
    claims: Table,
    note: Option<String>,
}

/// `GET /admin/orders/{id}`
pub async fn page(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let (merchant, order) = (staff.merchant.clone(), id(&path)?);
    let (manages, now) = (staff.person.role.may_manage(), staff.office.now());
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let known = load(conn, &merchant, order)?;
        let changes = manages && choices(conn, order, now).is_ok();
        Ok((known, changes))
    });
    let (known, changes) = found.await?;
    Ok(pages::private(
        StatusCode::OK,
        &draw(&staff, &known, changes),
    ))
}

/// `changes`: what it is over may be changed now.
fn draw(staff: &Staff, known: &Known, changes: bool) -> OrderPage {
    let Known {
        order, campaign, ..
    } = known;
    let zone = zone_of(campaign);
    let manages = staff.person.role.may_manage();
    let done = |h: &HappeningRow| {
        TimelineItem::done(moment(h.at, zone), state_word(&h.kind))
            .text(format!("{} ({})", h.detail, h.actor))
    };
    OrderPage {
        shell: staff.shell("orders"),
        number: order_number(order.number),
        state: Badge::state(order.state.as_str()),
        money_state: Badge::state(order.payment_state.as_str()),
        shopper: order.name.clone(),
        email: order.email.clone(),
        next: known.next(),
        campaign: Link::new(
            format!("/admin/campaigns/{}", campaign.slug),
            &campaign.title,
        ),
        lines: known.line_table(),
        money: known.money_table(),
        payments: known.payment_table(zone),
        refunds: known
            .refunds
            .iter()
            .map(|(r, c)| refunds::shown(order, r, c, manages))
            .collect(),
        disputes: known.dispute_table(zone),
        papers: super::papers::table(&known.papers),
        timeline: Timeline {
            items: known.happened.iter().map(done).collect(),
        },
        mails: known.mails.iter().map(|m| ShownMail::of(m, zone)).collect(),
        facts: known.facts(zone),
        address: known.address(),
        over: matches!(order.state, OrderState::Cancelled | OrderState::Expired),
        shopper_href: staff.office.desk().links.order_path(order.id),
        change: known.change_shown(zone, manages),
        change_href: changes.then(|| format!("/admin/orders/{}/change", order.id)),
        cancel_href: (manages && can_staff_cancel(order, campaign))
            .then(|| format!("/admin/orders/{}/cancel", order.id)),
        refund_href: (manages && order.state.is_paid())
            .then(|| format!("/admin/orders/{}/refund", order.id)),
        claim_href: (manages && known.lines.iter().any(|l| l.shipped > 0))
            .then(|| format!("/admin/orders/{}/claims/new", order.id)),
        address_href: (manages && known.lines.iter().any(|l| l.units().unshipped() > 0))
            .then(|| format!("/admin/orders/{}/address", order.id)),
        claims: known.claim_table(zone),
        note: order.note.clone(),
    }
}

/// A change that waits for its payment.
struct ShownChange {
    /// Who asks for it, and until when it can be paid.
    lines: Vec<String>,
    /// What the order would be over.
    wanted: Vec<String>,
    /// Where taking it back posts to.
    take_back: Option<String>,
}

impl Known {
    fn change_shown(&self, zone: Tz, manages: bool) -> Option<ShownChange> {
        let (row, offer) = self.change.as_ref()?;
        let pages = &self.payments;
        let page = pages
            .iter()
            .find(|page| Some(page.attempt) == row.attempt)?;
        let money = |amount| say(amount, &self.order.currency);
        let who = row.asked_by.as_deref().unwrap_or("The shopper");
        let mut lines = vec![format!(
            "{who} asked for it. The shopper pays {} for it; until then the order stays as it is.",
            money(offer.moved.pay)
        )];
        lines.push(if page.close_wanted {
            "It is being taken back.".to_owned()
        } else {
            let until = short(page.expires_at, zone);
            format!("It can be paid until {until}; unpaid, it is dropped by itself.")
        });
        let mut wanted = lines_said(&offer.wanted, &self.order.currency);
        if let Some(to) = &offer.goes_to {
            wanted.push(format!("to {}", to.lines().join(", ")));
        }
        wanted.extend(offer.delivery.map(|d| parcels_said(d).to_owned()));
        wanted.push(format!("{} in all", money(offer.wanted.quote.total)));
        let own = manages && row.asked_by.is_some() && !page.close_wanted;
        Some(ShownChange {
            lines,
            wanted,
            take_back: own.then(|| format!("/admin/orders/{}/change/back", self.order.id)),
        })
    }

    /// What the order waits for.
    fn next(&self) -> String {
        use crate::domain::order::OrderState as S;
        if self
            .refunds
            .iter()
            .any(|(r, _)| r.state == RefundState::Failed)
        {
            return "A refund needs another way; see below.".into();
        }
        match self.order.state {
            S::Pending => "The shopper is paying. Unpaid, the hold runs out by itself.".into(),
            _ if self.owed_next().is_some() => self.owed_next().unwrap_or_default(),
            S::Confirmed => "Paid. It waits for the judgement and the supplier's order.".into(),
            S::Backordered => "The supplier's order is out; it waits for its goods.".into(),
            S::PartlyShipped => "A part is with the carrier; the rest waits for its goods.".into(),
            S::Shipped => "Everything is with the carrier.".into(),
            S::Delivered => "Everything arrived.".into(),
            S::Cancelled => "Cancelled.".into(),
            S::Expired => "Never paid; its hold ran out.".into(),
            other => state_word(other.as_str()),
        }
    }

    /// What is still to be collected, in words; none where nothing is.
    fn owed_next(&self) -> Option<String> {
        if self.order.owed <= 0 || !self.order.state.is_paid() {
            return None;
        }
        let owed = say(self.order.owed, &self.order.currency);
        let zone = self.draft.time_zone;
        let due = self.due.as_ref().filter(|due| due.state.is_open());
        Some(match due {
            Some(due) => match due.state {
                DueState::Announced => {
                    format!(
                        "{owed} is charged on {}, once the goods are there.",
                        short(due.charge_at, zone)
                    )
                }
                DueState::Declined => format!(
                    "The card was declined. {owed} can be paid until {}.",
                    due.ends_at.map_or_else(String::new, |at| short(at, zone))
                ),
                DueState::Charging | DueState::Paid | DueState::GivenUp | DueState::Dropped => {
                    format!("{owed} is being charged to the saved card.")
                }
            },
            None if self.order.mode == PaymentMode::Deposit => {
                format!("The deposit is paid. {owed} is charged when the goods arrive.")
            }
            None => format!("The card is saved. {owed} at most is charged if it comes together."),
        })
    }

    /// How it is paid, for the facts.
    fn paying_facts(&self) -> Facts {
        let order = &self.order;
        let mode = match order.mode {
            PaymentMode::ChargeNow => "at joining",
            PaymentMode::ChargeOnSuccess => "on success, by saved card",
            PaymentMode::Deposit => "a deposit, the rest when the goods arrive",
        };
        let mut facts = vec![fact("Is paid", mode)];
        let limit = usize::try_from(order.limit_step).unwrap_or(0);
        facts.extend(step_words(&self.draft, limit).map(|step| fact("In only if reached", step)));
        if let Some(card) = &self.card {
            let until = card.expiry().map_or_else(String::new, |e| format!(", {e}"));
            facts.push(fact("Card", format!("{}{until}", card.said())));
        }
        if order.owed > 0 {
            facts.push(fact("Still to be paid", say(order.owed, &order.currency)));
        }
        facts
    }

    fn facts(&self, zone: Tz) -> Facts {
        let order = &self.order;
        let mut facts = vec![
            fact("Placed", short(order.created_at, zone)),
            fact("From address", order.joined_from.clone()),
            fact("Terms accepted", format!("version {}", order.terms_version)),
            fact("Parcels", state_word(order.delivery.as_str())),
            fact("Hold until", short(order.hold_expires_at, zone)),
        ];
        if let Some(batch) = self.batch {
            facts.insert(0, fact("Batch", batch.to_string()));
        }
        facts.extend(self.paying_facts());
        if let Some(at) = order.confirmed_at {
            let counts = match order.mode {
                PaymentMode::ChargeNow => "Paid",
                PaymentMode::ChargeOnSuccess | PaymentMode::Deposit => "Counts since",
            };
            facts.push(fact(counts, short(at, zone)));
        }
        if let Some(at) = order.closed_at {
            facts.push(fact("Closed", short(at, zone)));
        }
        facts
    }

    fn address(&self) -> Vec<String> {
        let Ok(address) = serde_json::from_str::<Address>(&self.order.address) else {
            return vec![self.order.name.clone()];
        };
        let mut lines = vec![self.order.name.clone(), address.line1];
        lines.extend(address.line2);
        let town = [address.postal_code, Some(address.city), address.region];
        lines.push(town.into_iter().flatten().collect::<Vec<_>>().join(" "));
        let country: Country = address.country;
        lines.push(country.name().to_owned());
        lines
    }
}
