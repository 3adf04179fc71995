//! What was read of an order, as the models of its pages.

mod after;
mod changing;
mod due;
mod ending;
mod goods;
mod paying;
mod promise;

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::domain::campaign::CampaignState;
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::{ClaimId, OrderId};
use crate::domain::order::{Delivery, LineState, OrderState};
use crate::domain::payment::{AttemptState, PaymentKind, RefundPurpose, RefundState};
use crate::store::campaigns::{self, BatchRow, CampaignRow};
use crate::store::mails::{self, MailRow};
use crate::store::merchants::{self, MerchantRow};
use crate::store::misc::{self, HappeningRow};
use crate::store::orders::{self, LineRow, OrderRow, PaymentRow};
use crate::store::papers::{self, PaperRow};
use crate::store::refunds::{self, RefundRow};
use crate::store::{Conn, changes::ChangeRow, claims::ClaimPhotoRow, notices::NoticeRow};
use crate::web::shop::updates::{self, Written};
use crate::web::shop::{address_lines, line_row, line_row_with_price, money_table};
use crate::web::tongue::{nonzero_said, say};
use crate::web::view::{
    CancelOffer, Day, MailProblem, Moment, MoneyRow, MoneyTable, OrderGoods, OrderPage, PayOffer,
    Shell, Timeline, TimelineItem,
};
use crate::workflows::batches;
use crate::workflows::cancel::can_cancel;
use crate::workflows::change::locked;
use crate::workflows::claims::{self, Case, Who};
use crate::workflows::desk::{Problem, ends_at, is_for_staff, offer, order_number, takes_orders};
use crate::workflows::join::{Address, FrozenQuote};
use crate::workflows::payment::frozen;
use crate::workflows::stock_sale;

/// How many updates of its campaign an order's page shows.
const UPDATES: i64 = 3;

/// A proof that something was sent back which could not be taken: of which claim, what was typed, what to write.
pub type WrongProof = (ClaimId, String, String);

/// Where an order's page leads to.
pub struct Ways<'a> {
    /// A page below the order's own: "/cancel".
    pub below: &'a dyn Fn(&str) -> String,
    /// A notice's page.
    pub notice: &'a dyn Fn(&NoticeRow) -> String,
}

/// An order with all that its pages say.
pub struct Facts {
    /// The order.
    pub order: OrderRow,
    /// Its payment pages, first to last.
    pub payments: Vec<PaymentRow>,
    /// Its campaign.
    pub campaign: CampaignRow,
    lines: Vec<LineRow>,
    refunds: Vec<RefundRow>,
    papers: Vec<PaperRow>,
    happenings: Vec<HappeningRow>,
    mails: Vec<MailRow>,
    draft: CampaignDraft,
    batch: Option<BatchRow>,
    /// The batch's number, where its campaign has several.
    number: Option<i32>,
    merchant: MerchantRow,
    agreed: FrozenQuote,
    address: Address,
    case: Option<Case>,
    photos: Vec<ClaimPhotoRow>,
    goods: goods::Goods,
    updates: Written,
    consent: Option<Consent>,
    owes: due::Owes,
    change: Option<ChangeRow>,
}

pub use after::{badge as claim_badge, picture as claim_picture};
pub use promise::Consent;

/// Reads an order.
///
/// # Errors
/// That there is none; what the database says.
pub fn read(conn: &mut Conn, id: OrderId) -> Result<Facts, Problem> {
    let order = orders::by_id(conn, id)?.ok_or(Problem::NotFound("order"))?;
    let campaign =
        campaigns::by_id(conn, order.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
    let merchant =
        merchants::by_id(conn, order.merchant_id)?.ok_or(Problem::NotFound("merchant"))?;
    // Who has not paid yet has nothing to claim, and waits for the page: that is asked for often.
    let case = match order.confirmed_at {
        Some(_) => Some(claims::read(conn, id)?),
        None => None,
    };
    let photos = match &case {
        Some(case) => after::photos(conn, case)?,
        None => Vec::new(),
    };
    let (lines, draft) = (orders::lines_of(conn, id)?, offer(&campaign)?);
    let batch = campaigns::batch(conn, order.batch_id)?;
    Ok(Facts {
        case,
        photos,
        payments: orders::payments_of(conn, id)?,
        consent: promise::read(conn, &order, &lines, draft.time_zone)?,
        lines,
        refunds: refunds::of_order(conn, id)?,
        papers: papers::of_orders(conn, &[id])?,
        happenings: misc::happenings_of_order(conn, id)?,
        mails: mails::of_order(conn, id)?,
        draft,
        change: changing::read(conn, &order)?,
        owes: due::read(conn, &order, &campaign, batch.as_ref())?,
        number: match &batch {
            Some(batch) if !batches::said(conn, batch)?.is_empty() => Some(batch.number),
            _ => None,
        },
        batch,
        agreed: frozen(&order)?,
        goods: goods::read(conn, &order)?,
        address: serde_json::from_str(&order.address)?,
        updates: updates::read(conn, campaign.id, None, UPDATES)?,
        order,
        campaign,
        merchant,
    })
}

impl Facts {
    /// Its goods with what happened to them; none before it was paid.
    pub fn case(&self) -> Option<&Case> {
        self.case.as_ref()
    }

    /// Why the shopper cannot change where it goes; none while that can be changed.
    pub fn why_locked(&self, now: DateTime<Utc>) -> Option<&'static str> {
        match &self.case {
            Some(case) => locked(case, self.batch.as_ref(), &Who::Shopper, now),
            None => Some("This order is not paid yet. Pay it first, or cancel it and join again."),
        }
    }

    /// The campaign's title, as it was when the order was placed.
    pub fn title(&self) -> &str {
        &self.agreed.title
    }

    /// Who sells.
    pub fn seller(&self) -> &MerchantRow {
        &self.merchant
    }

    /// Where the order's batch stands, in the campaign's words: further batches of the campaign may be elsewhere.
    fn stage(&self) -> CampaignState {
        match &self.batch {
            Some(batch) => CampaignState::of_batches([batch.state]),
            None => self.campaign.state,
        }
    }

    /// A moment told in the campaign's zone.
    pub fn moment(&self, at: NaiveDateTime) -> Moment {
        Moment::new(at.and_utc(), self.draft.time_zone)
    }

    fn say(&self, amount: i64) -> String {
        say(amount, &self.order.currency)
    }

    fn campaign_href(&self) -> String {
        format!("/c/{}", self.campaign.slug)
    }

    /// What was promised at joining.
    fn promised(&self) -> Day {
        let agreed = self.agreed.promised;
        Day(agreed.unwrap_or(self.draft.promised_ship_date))
    }

    fn last_day(&self) -> Day {
        match self.agreed.promised.filter(|_| self.agreed.from_stock) {
            Some(promised) => Day(stock_sale::last_day(&self.draft, promised)),
            None => Day(self.draft.stop_loss_date),
        }
    }

    /// Whether it can be cancelled: of an order from stock nothing may be packed yet.
    pub fn can_leave(&self) -> bool {
        let packed = |line: &LineRow| line.picked > 0 || line.shipped > 0;
        can_cancel(&self.order, &self.campaign)
            && !(self.agreed.from_stock && self.lines.iter().any(packed))
    }

    /// What goes back if it is cancelled.
    pub fn comes_back(&self) -> Option<String> {
        nonzero_said(self.order.money().kept(), &self.order.currency)
    }

    /// The order's own page.
    pub fn page(
        &self,
        shell: Shell,
        ways: &Ways<'_>,
        now: DateTime<Utc>,
        wrong: Option<&WrongProof>,
    ) -> OrderPage {
        let live = self.order.state.is_live() && self.stage() != CampaignState::Failed;
        let end = self.ending(now);
        let refused = self.mails.iter().rev().find(|m| m.state == "refused");
        let lost: i64 = self
            .refunds
            .iter()
            .filter(|r| r.state == RefundState::Failed)
            .map(|r| r.amount)
            .sum();
        let mut address = vec![self.order.name.clone()];
        address.extend(address_lines(&self.address));
        OrderPage {
            shell: shell.of_seller(&self.merchant.slug),
            number: order_number(self.order.number),
            title: self.agreed.title.clone(),
            campaign_href: self.campaign_href(),
            state: self.order.state.as_str().to_owned(),
            payment_state: self.order.payment_state.as_str().to_owned(),
            placed: self.moment(self.order.created_at),
            batch: self.number.map(i64::from),
            timeline: self.timeline(now),
            money: self.money(),
            papers: super::papers::links(&self.papers, ways.below),
            due: self.due_part(ways.below, now).filter(|_| end.is_none()),
            change: self.change_part(ways.below, now).filter(|_| end.is_none()),
            delay: self.open_delay(now, ways.notice).filter(|_| end.is_none()),
            promise: live.then(|| self.promise_table(now, ways.notice)),
            address,
            one_parcel: self.order.delivery == Delivery::OneParcel,
            // Nobody is led to a payment of what will not be made.
            pay: self
                .open_page()
                .filter(|_| end.is_none() && self.order.state == OrderState::Pending)
                .map(|page| PayOffer {
                    href: (ways.below)("/pay"),
                    title: if page.kind == PaymentKind::Setup {
                        "Your card is not saved yet"
                    } else {
                        "Not paid yet"
                    },
                    words: self.pay_words(page),
                    held: self.held(now),
                }),
            cancel: self.cancel_offer((ways.below)("/cancel"), now),
            mail_problem: refused.map(|mail| MailProblem {
                email: mail.recipient.clone(),
                subject: mail.subject.clone(),
                reason: mail.problem.clone().unwrap_or_default(),
            }),
            refund_needs_way: (lost > 0).then(|| self.say(lost)),
            seller_name: self.merchant.name.clone(),
            seller_href: format!("/m/{}", self.merchant.slug),
            seller_email: Some(self.merchant.email.clone()).filter(|e| !e.is_empty()),
            end,
            after: self.after(ways.below, now, wrong),
            goods: None,
            updates: self.updates.shown(self.draft.time_zone),
            updates_href: format!("{}#updates", self.campaign_href()),
            events: None,
        }
    }

    /// What the page shows of goods; nothing before some are there.
    pub fn goods(&self, arrived_action: &str) -> Option<OrderGoods> {
        self.order_goods(arrived_action)
    }

    /// Leaving: until the supplier's order goes out, or because the date was moved until the parcel is with the carrier.
    fn cancel_offer(&self, href: String, now: DateTime<Utc>) -> Option<CancelOffer> {
        let early = self.can_leave();
        if !early && !self.may_cancel_late(now) {
            return None;
        }
        Some(CancelOffer {
            href,
            amount: if early {
                self.comes_back()
            } else {
                self.late_back()
            },
            until: if self.agreed.from_stock {
                "it is packed"
            } else {
                "the order to the supplier goes out"
            },
            late: !early,
            part: !early && self.consent().is_some_and(Consent::part_shipped),
        })
    }

    fn money(&self) -> MoneyTable {
        let agreed = &self.agreed;
        let currency = self.order.currency.as_str();
        let mut rows = Vec::new();
        for (line, priced) in agreed.lines.iter().zip(&agreed.quote.lines) {
            let row = line_row(&line.name, priced, currency);
            let kept = self.lines.iter().find(|l| l.sku == line.sku);
            if kept.is_some_and(|l| l.state == LineState::Dropped) {
                rows.push(row.note("dropped: too few were ordered, so it is not made"));
                continue;
            }
            rows.push(match kept.and_then(|l| l.final_price) {
                Some(price) if price < priced.unit_price => row.note(format!(
                    "{} each when you joined, {} in the end",
                    self.say(priced.unit_price),
                    self.say(price)
                )),
                _ => line_row_with_price(&line.name, priced, currency),
            });
        }
        let mut movements = self.movements();
        movements.extend(self.owed_rows());
        if let Some(last) = self.in_the_end() {
            movements.push(MoneyRow::new("What it costs in the end", self.say(last)));
        }
        let caption = "What it costs, and what was charged and went back";
        let tax = agreed.tax_label(&self.order.country);
        let sum = MoneyRow::new(self.sum_words(), self.say(self.order.total));
        MoneyTable {
            movements,
            ..money_table(caption, rows, (&agreed.quote, &tax, currency), sum)
        }
    }

    /// What is kept of it, where that is less than was agreed: none of one that is cancelled.
    fn in_the_end(&self) -> Option<i64> {
        let order = &self.order;
        let kept = order.money().kept() + order.owed;
        let paid = order.state.is_paid() && order.lost == 0;
        (paid && kept < order.total).then_some(kept)
    }

    fn movements(&self) -> Vec<MoneyRow> {
        let mut rows = Vec::new();
        for page in self
            .payments
            .iter()
            .filter(|p| p.state == AttemptState::Paid)
        {
            let row = MoneyRow::new("Charged to your card", self.say(page.amount));
            rows.push(match page.settled_at {
                Some(at) => row.note(self.moment(at).day()),
                None => row,
            });
        }
        for refund in &self.refunds {
            let label = match refund.purpose {
                RefundPurpose::Difference => "The price fell",
                _ => "Refunded",
            };
            let note = match refund.state {
                RefundState::Succeeded => self.moment(refund.updated_at).day(),
                RefundState::Dropped => continue,
                RefundState::PaidOtherwise => "paid in another way".to_owned(),
                RefundState::Failed => "came back from the bank".to_owned(),
                _ if refund.held => "held while the bank looks at a dispute".to_owned(),
                _ => "on its way".to_owned(),
            };
            let amount = format!("\u{2212}{}", self.say(refund.amount));
            rows.push(MoneyRow::new(label, amount).note(note));
        }
        rows
    }

    /// What happened to it, and what comes.
    fn timeline(&self, now: DateTime<Utc>) -> Timeline {
        let mut items = vec![TimelineItem::done(
            self.moment(self.order.created_at),
            "You joined",
        )];
        let mut told = self.goods_told();
        told.extend(self.dates_told());
        told.extend(self.judged_told());
        told.sort_by_key(|(at, _)| *at);
        let mut told = told.iter().peekable();
        let mut happenings: Vec<&HappeningRow> = self.happenings.iter().collect();
        // Of one moment, the cancelling comes before what follows from it.
        happenings.sort_by_key(|h| (h.at, h.kind != "cancelled"));
        for happening in happenings {
            while let Some((at, text)) = told.next_if(|(at, _)| *at <= happening.at) {
                items.push(TimelineItem::done(self.moment(*at), text.clone()));
            }
            if let Some((title, text)) = changing::told(happening) {
                let at = self.moment(happening.at);
                items.push(TimelineItem::done(at, title).text(text));
            } else if !is_for_staff(&happening.kind) {
                items.push(TimelineItem::done(
                    self.moment(happening.at),
                    match (happening.kind.as_str(), happening.actor.as_str()) {
                        ("cancelled", "shopper") => self.left_words(),
                        ("withdrawn", "shopper") => match happening.detail.split_once(" withdrew ")
                        {
                            Some((_, rest)) => format!("You withdrew {rest}"),
                            None => happening.detail.clone(),
                        },
                        ("delay_waits", "shopper") => {
                            happening
                                .detail
                                .replacen("The shopper keeps", "You keep", 1)
                        }
                        ("delivered", "shopper") => "You said that the parcel arrived.".to_owned(),
                        _ => happening.detail.clone(),
                    },
                ));
            }
        }
        for (at, text) in told {
            items.push(TimelineItem::done(self.moment(*at), text.clone()));
        }
        if self.order.state.is_live() {
            self.ahead(&mut items, now);
        }
        Timeline { items }
    }

    /// What comes of an order from left-over stock.
    fn ahead_from_stock(&self, items: &mut Vec<TimelineItem>) {
        let shipped = format!("By {}: shipped to you", self.promised().text());
        items.push(match self.order.state {
            OrderState::Pending => TimelineItem::next(shipped),
            OrderState::Backordered => {
                TimelineItem::now(shipped).text("It is there and set aside for you.")
            }
            _ => return,
        });
        let last = format!("{}: the last day", self.last_day().text());
        items.push(
            TimelineItem::next(last)
                .text("If it has not been shipped by then, it is refunded. You need not ask."),
        );
    }

    /// That its shopper left, wholly or with what was not shipped.
    fn left_words(&self) -> String {
        match self.order.state {
            OrderState::Cancelled | OrderState::Expired => "You cancelled the order.".to_owned(),
            _ => "You cancelled what was not shipped.".to_owned(),
        }
    }

    /// Whether its shopper cancelled it, or what was left of it.
    pub fn left_by_shopper(&self) -> bool {
        let mine = |h: &HappeningRow| h.kind == "cancelled" && h.actor == "shopper";
        self.happenings.iter().any(mine)
    }

    fn ahead(&self, items: &mut Vec<TimelineItem>, now: DateTime<Utc>) {
        if self.order.state == OrderState::Pending {
            items.push(TimelineItem::now(self.waited_for()).text(format!(
                "Your units are kept until {}.",
                self.moment(self.order.hold_expires_at).text()
            )));
        }
        if self.agreed.from_stock {
            self.ahead_from_stock(items);
            return;
        }
        let decided = format!(
            "{}: it is decided",
            self.moment(ends_at(&self.campaign)).day()
        );
        let enough = self.enough_words();
        match self.stage() {
            CampaignState::Failed => {
                items.push(TimelineItem::now("It did not come together").text(self.failed_words()));
                return;
            }
            CampaignState::Open if takes_orders(&self.campaign, now.naive_utc()) => {
                let pending = self.order.state == OrderState::Pending;
                let item = if pending {
                    TimelineItem::next(decided)
                } else {
                    TimelineItem::now(decided)
                };
                items.push(item.text(enough));
                items.push(TimelineItem::next("The order goes to the supplier"));
            }
            CampaignState::Open => {
                items.push(
                    TimelineItem::now("Joining has ended: the orders are counted").text(enough),
                );
                items.push(TimelineItem::next("The order goes to the supplier"));
            }
            CampaignState::Collecting => self.charging_ahead(items),
            _ => {
                if !self.goods_ahead(items) {
                    return;
                }
            }
        }
        self.balance_ahead(items);
        self.promised_ahead(items, now);
    }
}
