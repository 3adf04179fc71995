//! One order: its lines, every movement of its money with what comes next, its history and its mails.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono_tz::Tz;

use super::guard::{Refusal, Staff};
use super::kit::{Cell, Facts, Table, fact, id, moment, short, zone_of};
use crate::domain::country::Country;
use crate::domain::draft::{CampaignDraft, PaymentMode};
use crate::domain::due::DueState;
use crate::domain::ids::OrderId;
use crate::domain::order::OrderState;
use crate::domain::paper::Paper;
use crate::domain::payment::{PaymentKind, RefundAttemptState, RefundState};
use crate::store::campaigns::CampaignRow;
use crate::store::claims::ClaimRow;
use crate::store::dues::{CardRow, DueRow};
use crate::store::mails::MailRow;
use crate::store::merchants::MerchantRow;
use crate::store::misc::HappeningRow;
use crate::store::orders::{LineRow, OrderRow, PaymentRow};
use crate::store::papers::PaperRow;
use crate::store::refunds::{DisputeRow, RefundAttemptRow, RefundRow};
use crate::store::{Conn, campaigns, claims, dues, mails, misc, orders, refunds};
use crate::web::order::claim_badge;
use crate::web::pages;
use crate::web::shop::step_words;
use crate::web::view::{
    Badge, Link, MoneyRow, MoneyTable, PanelShell, Timeline, TimelineItem, grouped, state_word,
};
use crate::workflows::cancel::can_staff_cancel;
use crate::workflows::claims::say_kind;
use crate::workflows::desk::{Problem, offer, order_number};
use crate::workflows::join::{Address, FrozenQuote};
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
}

fn own(conn: &mut Conn, merchant: &MerchantRow, id: OrderId) -> Result<OrderRow, Problem> {
    orders::by_id(conn, id)?
        .filter(|order| order.merchant_id == merchant.id)
        .ok_or(Problem::NotFound("order"))
}

pub(super) fn load(conn: &mut Conn, merchant: &MerchantRow, id: OrderId) -> Result<Known, Problem> {
    let order = own(conn, merchant, id)?;
    let mut with_calls = Vec::new();
    for refund in refunds::of_order(conn, id)? {
        let calls = refunds::attempts_of(conn, refund.id)?;
        with_calls.push((refund, calls));
    }
    let campaign =
        campaigns::by_id(conn, order.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
    Ok(Known {
        draft: offer(&campaign)?,
        campaign,
        due: dues::of_order(conn, id)?,
        card: dues::card_of(conn, id)?,
        agreed: frozen(&order)?,
        lines: orders::lines_of(conn, id)?,
        payments: orders::payments_of(conn, id)?,
        refunds: with_calls,
        disputes: refunds::disputes_of(conn, id)?,
        papers: super::papers::of_order(conn, id)?,
        happened: misc::happenings_of_order(conn, id)?,
        mails: mails::of_order(conn, id)?,
        claims: claims::of_order(conn, id)?,
        order,
    })
}

/// What an attempt to collect is.
fn kind_words(kind: PaymentKind) -> &'static str {
    match kind {
        PaymentKind::Join => "Page",
        PaymentKind::Setup => "Page that saves the card",
        PaymentKind::Deposit => "Page for the deposit",
        PaymentKind::Charge => "Charge of the card",
        PaymentKind::Fix => "Page for what is owed",
        PaymentKind::Change => "Page for a change",
    }
}

/// A refund as staff see it.
struct ShownRefund {
    title: String,
    badge: Badge,
    next: String,
    calls: Vec<String>,
    proof: Option<String>,
    deed: Option<String>,
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
    refunds: Vec<ShownRefund>,
    disputes: Table,
    papers: Table,
    timeline: Timeline,
    mails: Vec<ShownMail>,
    facts: Facts,
    address: Vec<String>,
    /// Nothing of it will be sent.
    over: bool,
    shopper_href: String,
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
    let known = staff
        .office
        .read(move |conn| load(conn, &merchant, order))
        .await?;
    Ok(pages::private(StatusCode::OK, &draw(&staff, &known)))
}

fn draw(staff: &Staff, known: &Known) -> OrderPage {
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
            .map(|(r, c)| shown(order, r, c, manages))
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

fn shown(
    order: &OrderRow,
    refund: &RefundRow,
    calls: &[RefundAttemptRow],
    manages: bool,
) -> ShownRefund {
    let amount = say(refund.amount, &refund.currency);
    let purpose = state_word(refund.purpose.as_str()).to_lowercase();
    ShownRefund {
        title: format!("{amount}, because: {purpose}"),
        badge: Badge::state(refund.state.as_str()),
        next: next_step(refund).to_owned(),
        calls: calls.iter().map(call).collect(),
        proof: refund.proof.clone(),
        deed: (manages && refund.state == RefundState::Failed).then(|| {
            format!(
                "/admin/orders/{}/refunds/{}/paid-otherwise",
                order.id, refund.id
            )
        }),
    }
}

/// What comes next of a refund, in words (domain section 4).
fn next_step(refund: &RefundRow) -> &'static str {
    match refund.state {
        _ if refund.held && refund.state.is_due() => {
            "An open dispute holds it. Won, it goes out; lost, it is dropped."
        }
        RefundState::Queued if refund.failures > 0 => {
            "The bank sent it back once; it goes out once more by itself."
        }
        RefundState::Queued => "It goes to the provider by itself.",
        RefundState::Sent => {
            "The provider was asked and its answer is not known yet. It is asked again under the same key, so nothing \
             is paid twice."
        }
        RefundState::Pending => {
            "The provider took it and waits for money or the bank. It is asked again."
        }
        RefundState::Succeeded => "Done. Banks take up to 10 days to show it.",
        RefundState::Failed => {
            "It needs you: the bank sent it back twice. The shopper was asked for another way; pay it so, and record it \
             with proof."
        }
        RefundState::PaidOtherwise => "Done, in another way.",
        RefundState::Dropped => "Dropped: a dispute took the money instead.",
    }
}

fn call(call: &RefundAttemptRow) -> String {
    let said = match call.state {
        RefundAttemptState::Planned => "not sent yet",
        RefundAttemptState::Sent => "sent, answer not known",
        RefundAttemptState::Unknown => "the provider failed; its list is read",
        RefundAttemptState::Absent => "it never happened",
        RefundAttemptState::Pending => "pending",
        RefundAttemptState::Succeeded => "succeeded",
        RefundAttemptState::Failed => "failed",
    };
    let at = call.first_sent_at.unwrap_or(call.created_at);
    let mut text = format!(
        "Call {}, {} UTC: {said}",
        call.attempt,
        at.format("%-d %B %Y, %H:%M")
    );
    if let Some(id) = &call.provider_id {
        text.push_str(&format!(", {id}"));
    }
    if let Some(problem) = &call.problem {
        text.push_str(&format!(". {problem}"));
    }
    text
}

impl Known {
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

    fn name_of(&self, sku: &str) -> String {
        let line = self.agreed.lines.iter().find(|l| l.sku == sku);
        line.map_or_else(|| sku.to_owned(), |l| l.name.clone())
    }

    fn line_table(&self) -> Table {
        let money = |amount: i64| say(amount, &self.order.currency);
        let rows = self.lines.iter().map(|line| {
            vec![
                Cell::text(self.name_of(&line.sku)),
                Cell::text(&line.sku),
                Cell::number(grouped(line.quantity)),
                Cell::number(money(line.unit_price)),
                Cell::number(line.final_price.map_or_else(|| "not judged".into(), money)),
                Cell::state(line.state.as_str()),
            ]
        });
        Table::new(
            "Lines",
            vec![
                ("Option", false),
                ("Code", false),
                ("Units", true),
                ("Price shown", true),
                ("Final price", true),
                ("State", false),
            ],
            rows.collect(),
        )
    }

    fn money_table(&self) -> MoneyTable {
        let money = |amount: i64| say(amount, &self.order.currency);
        let quote = &self.agreed.quote;
        let mut rows: Vec<MoneyRow> = self
            .agreed
            .lines
            .iter()
            .zip(&quote.lines)
            .map(|(line, priced)| {
                let label = format!("{} {}", grouped(priced.quantity), line.name);
                MoneyRow::new(label, money(priced.goods))
            })
            .collect();
        rows.push(MoneyRow::new("Shipping", money(quote.shipping)));
        let tax = self.agreed.tax_label(&self.order.country);
        if quote.tax_added > 0 {
            rows.push(MoneyRow::new(tax.as_str(), money(quote.tax_added)));
        }
        let mut sum = MoneyRow::new("Agreed at joining", money(self.order.total));
        if quote.tax_included > 0 {
            sum = sum.note(format!("{} {tax} included", money(quote.tax_included)));
        }
        let order = &self.order;
        let mut movements = vec![MoneyRow::new("Charged", money(order.charged))];
        for (name, amount) in [
            ("On its way back", order.refund_due),
            ("Refunded", order.refunded),
            ("Lost in disputes", order.lost),
            ("Deposit that you keep", order.forfeited),
        ] {
            if amount > 0 {
                movements.push(MoneyRow::new(name, money(-amount)));
            }
        }
        movements.push(MoneyRow::new("Kept", money(order.money().kept())));
        MoneyTable {
            caption: "What the order costs and what was moved".into(),
            rows,
            sum,
            movements,
        }
    }

    fn payment_table(&self, zone: Tz) -> Table {
        // A column of its own only where there is something in it.
        let unusual = self.payments.iter().any(|page| page.problem.is_some());
        let rows = self.payments.iter().map(|page| {
            let mut row = vec![
                Cell::text(format!("{} {}", kind_words(page.kind), page.attempt)),
                Cell::state(page.state.as_str()),
                Cell::number(say(page.amount, &self.order.currency)),
                Cell::when(page.settled_at.unwrap_or(page.planned_at), zone),
                Cell::Code(
                    page.intent_id
                        .clone()
                        .or(page.session_id.clone())
                        .unwrap_or_default(),
                ),
            ];
            if unusual {
                row.push(Cell::text(page.problem.clone().unwrap_or_default()));
            }
            row
        });
        let mut head = vec![
            ("Payment", false),
            ("State", false),
            ("Amount", true),
            ("Since", false),
            ("At the provider", false),
        ];
        if unusual {
            head.push(("What was said", false));
        }
        Table::new("Payment pages", head, rows.collect())
    }

    fn claim_table(&self, zone: Tz) -> Table {
        let rows = self.claims.iter().map(|claim| {
            let href = format!("/admin/claims/{}", claim.id);
            vec![
                Cell::Link(Link::new(href, state_word(say_kind(claim.kind)))),
                Cell::Badge(claim_badge(claim)),
                Cell::when(claim.opened_at, zone),
                Cell::number(
                    claim
                        .amount
                        .map_or_else(String::new, |amount| say(amount, &self.order.currency)),
                ),
            ]
        });
        Table::new(
            "Claims and withdrawals",
            vec![
                ("What", false),
                ("State", false),
                ("Since", false),
                ("Goes back", true),
            ],
            rows.collect(),
        )
    }

    fn dispute_table(&self, zone: Tz) -> Table {
        let rows = self.disputes.iter().map(|dispute| {
            vec![
                Cell::Document(Link::new(
                    crate::workflows::evidence::path(&dispute.provider_id),
                    &dispute.provider_id,
                )),
                Cell::state(dispute.state.as_str()),
                Cell::number(say(dispute.amount, &self.order.currency)),
                Cell::text(state_word(&dispute.reason)),
                Cell::when(dispute.opened_at, zone),
                dispute
                    .closed_at
                    .map_or_else(|| Cell::text(""), |at| Cell::when(at, zone)),
            ]
        });
        Table::new(
            "Disputes",
            vec![
                ("Dispute", false),
                ("State", false),
                ("Amount", true),
                ("Reason", false),
                ("Opened", false),
                ("Closed", false),
            ],
            rows.collect(),
        )
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
