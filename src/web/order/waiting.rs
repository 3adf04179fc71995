//! An order that waits for a sold-out option: its place, and the offer when units came free.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};

use super::Opened;
use crate::domain::country::Country;
use crate::domain::draft::{CampaignDraft, PaymentMode};
use crate::domain::ids::OrderId;
use crate::domain::order::{Delivery, OrderState};
use crate::domain::withdrawal::has_right;
use crate::store::Conn;
use crate::store::campaigns::{self, CampaignRow};
use crate::store::merchants::{self, MerchantRow};
use crate::store::orders::{self, OrderRow};
use crate::store::waiting::{self as list, WaitingRow};
use crate::web::guard::Client;
use crate::web::pages::{private, see_other};
use crate::web::shop::{
    address_lines, asked, line_row_with_price, money_table, seller, step_words, terms,
    threshold_words,
};
use crate::web::tongue::say;
use crate::web::view::{
    Asked, Countdown, Day, FieldError, Moment, MoneyRow, MoneyTable, OfferPart, ReviewPage,
    WaitingPage,
};
use crate::workflows::desk::{Problem, ends_at, offer, order_number};
use crate::workflows::join::{Accepted, Address, FrozenQuote, price_anew};
use crate::workflows::payment::frozen;
use crate::workflows::{waiting, withdraw};

/// What its page is drawn from.
struct Facts {
    order: OrderRow,
    row: WaitingRow,
    campaign: CampaignRow,
    draft: CampaignDraft,
    merchant: MerchantRow,
    /// What it would be agreed at now, and how it is paid; where that cannot be reckoned, what it was on the day it was
    /// put on the list.
    priced: (FrozenQuote, PaymentMode),
    place: i64,
}

/// An order that waits; none where it does not.
fn read(conn: &mut Conn, id: OrderId, now: DateTime<Utc>) -> Result<Option<Facts>, Problem> {
    let order = orders::by_id(conn, id)?.ok_or(Problem::NotFound("order"))?;
    let row = list::of_order(conn, id)?.filter(|row| row.answer.is_none());
    let Some(row) = row.filter(|_| order.state == OrderState::Waitlisted) else {
        return Ok(None);
    };
    let campaign =
        campaigns::by_id(conn, order.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
    let merchant =
        merchants::by_id(conn, order.merchant_id)?.ok_or(Problem::NotFound("merchant"))?;
    let priced = match price_anew(conn, &campaign, &order, &Accepted::default(), now) {
        Ok(priced) => priced,
        Err(Problem::Conflict { .. } | Problem::Invalid(_)) => (frozen(&order)?, order.mode),
        Err(e) => return Err(e),
    };
    Ok(Some(Facts {
        draft: offer(&campaign)?,
        place: list::before(conn, &row)? + 1,
        order,
        row,
        campaign,
        merchant,
        priced,
    }))
}

/// The page of an order that waits; none where it does not, or not any more.
pub(super) async fn page(opened: &Opened) -> Result<Option<HttpResponse>, Problem> {
    let (id, now) = (opened.id, opened.office.now());
    let Some(facts) = opened.office.read(move |conn| read(conn, id, now)).await? else {
        return Ok(None);
    };
    Ok(Some(match facts.row.open_offer() {
        Some(_) => {
            let said = (StatusCode::OK, None, Vec::new());
            facts.offered(opened, now, said)
        }
        None => private(StatusCode::OK, &facts.waits(opened)),
    }))
}

/// `POST /o/{id}/accept?t=`
pub(super) async fn accept(
    opened: Opened,
    client: Client,
    form: web::Form<Vec<(String, String)>>,
) -> HttpResponse {
    let pairs = form.into_inner();
    let of = |wanted: &str| {
        let found = pairs.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.trim())
    };
    let accepted = Accepted {
        total: of("confirmed_total").and_then(|total| total.parse().ok()),
        // The version that the page named; one that is not read is none in force.
        terms_version: Some(of("terms").and_then(|v| v.parse().ok()).unwrap_or(0)),
        from: client.to_string(),
    };
    if accepted.total.is_none() {
        return see_other(&opened.path(""));
    }
    let (order, before) = (opened.id, accepted.total);
    let done = opened
        .office
        .write(move |desk, tx| waiting::accept(desk, tx, order, &accepted))
        .await;
    let problem = match done {
        Ok(_) => return see_other(&opened.path("/pay")),
        Err(problem) => problem,
    };
    let now = opened.office.now();
    let facts = opened.office.read(move |conn| read(conn, order, now)).await;
    match (problem, facts) {
        (
            Problem::Conflict {
                kind: "price-changed",
                ..
            },
            Ok(Some(facts)),
        ) => {
            let said = (StatusCode::CONFLICT, before, Vec::new());
            facts.offered(&opened, now, said)
        }
        (Problem::Invalid(errors), Ok(Some(facts))) => {
            let errors = errors.into_iter().map(|e| FieldError {
                field: e.field,
                message: e.message,
            });
            let said = (StatusCode::UNPROCESSABLE_ENTITY, None, errors.collect());
            facts.offered(&opened, now, said)
        }
        (problem, _) => opened.trouble(&problem),
    }
}

impl Facts {
    fn say(&self, amount: i64) -> String {
        say(amount, &self.order.currency)
    }

    fn moment(&self, at: chrono::NaiveDateTime) -> Moment {
        Moment::new(at.and_utc(), self.draft.time_zone)
    }

    fn address(&self) -> Vec<String> {
        let mut lines = vec![self.order.name.clone()];
        if let Ok(address) = serde_json::from_str::<Address>(&self.order.address) {
            lines.extend(address_lines(&address));
        }
        lines
    }

    fn money(&self, caption: &str) -> MoneyTable {
        let (frozen, _) = &self.priced;
        let currency = self.order.currency.as_str();
        let lines = frozen.lines.iter().zip(&frozen.quote.lines);
        let rows = lines.map(|(line, priced)| line_row_with_price(&line.name, priced, currency));
        let tax = frozen.tax_label(&self.order.country);
        let sum = MoneyRow::new("Total", self.say(frozen.quote.total));
        money_table(
            caption,
            rows.collect(),
            (&frozen.quote, &tax, currency),
            sum,
        )
    }

    fn waits(&self, opened: &Opened) -> WaitingPage {
        WaitingPage {
            shell: opened.shell("").of_seller(&self.merchant.slug),
            number: order_number(self.order.number),
            title: self.campaign.title.clone(),
            campaign_href: format!("/c/{}", self.campaign.slug),
            place: self.place,
            money: self.money("What it would cost now"),
            deadline: self.moment(ends_at(&self.campaign)),
            email: self.order.email.clone(),
            address: self.address(),
            leave_href: opened.path("/cancel"),
            seller_name: self.merchant.name.clone(),
            seller_href: format!("/m/{}", self.merchant.slug),
        }
    }

    fn asked(&self) -> Asked {
        let (frozen, mode) = &self.priced;
        let total = (frozen.quote.total, self.order.currency.as_str());
        let deposit = frozen.deposit.map(|d| (d.amount, d.forfeited));
        asked(*mode, total, deposit, || {
            let step = usize::try_from(self.order.limit_step).unwrap_or(0);
            step_words(&self.draft, step)
        })
    }

    fn withdrawal(&self, country: Option<Country>) -> Vec<String> {
        let chosen = self.merchant.withdrawal_everywhere;
        if !country.is_some_and(|country| has_right(country, chosen)) {
            return Vec::new();
        }
        let (frozen, _) = &self.priced;
        let exempt = frozen.lines.iter().filter(|line| line.made_to_order);
        let exempt: Vec<&str> = exempt.map(|line| line.name.as_str()).collect();
        withdraw::information(&exempt, frozen.lines.len())
    }

    /// The offer: the exact total, the terms, and the button that pays, as everybody sees them who joins.
    fn offered(
        &self,
        opened: &Opened,
        now: DateTime<Utc>,
        (status, before, problems): (StatusCode, Option<i64>, Vec<FieldError>),
    ) -> HttpResponse {
        let until = self.row.offer_ends.unwrap_or(self.row.joined_at);
        let (frozen, _) = &self.priced;
        let country = Country::parse(&self.order.country);
        let page = ReviewPage {
            shell: opened.shell("").of_seller(&self.merchant.slug),
            title: self.campaign.title.clone(),
            slug: self.campaign.slug.clone(),
            money: self.money("What it costs"),
            total: self.say(frozen.quote.total),
            confirmed_total: frozen.quote.total,
            changed: before.map(|total| self.say(total)),
            asked: self.asked(),
            may_fall: frozen.step + 1 < self.draft.steps.len(),
            threshold: threshold_words(&self.draft),
            deadline: self.moment(ends_at(&self.campaign)),
            ships_by: Day(self.draft.promised_ship_date),
            from_stock: false,
            seller: seller(&self.merchant),
            terms: terms(&self.merchant),
            button: opened.button_words(country),
            withdrawal: self.withdrawal(country),
            address: self.address(),
            email: self.order.email.clone(),
            one_parcel: self.order.delivery == Delivery::OneParcel,
            fields: vec![("terms".to_owned(), self.merchant.terms_version.to_string())],
            form_key: String::new(),
            offer: Some(OfferPart {
                number: order_number(self.order.number),
                action: opened.path("/accept"),
                countdown: Countdown::offered(now, self.moment(until)),
                decline_href: opened.path("/cancel"),
            }),
            problems,
        };
        private(status, &page)
    }
}
