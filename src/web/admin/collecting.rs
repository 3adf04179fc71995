//! What is collected from a campaign's saved cards, or of its balances: how far it is, who was declined, and buying what
//! is missing in the end (domain sections 2 and 4).

use actix_web::{HttpResponse, web};
use chrono::NaiveDateTime;
use chrono_tz::Tz;

use super::form::{FormPage, Line, Pairs, Section, Typed, problems_of};
use super::guard::{Refusal, Staff};
use super::kit::{Cell, Facts, Table, fact, own_campaign, short, slug};
use crate::domain::country::Country;
use crate::domain::draft::{CampaignDraft, DepositUnpaid, FieldError, PaymentMode};
use crate::domain::due::DueState;
use crate::domain::price::Threshold;
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::{Conn, campaigns, dues, misc, orders};
use crate::web::order::{address_fields, new_key, typed_of};
use crate::web::pages::see_other;
use crate::web::shop::countries;
use crate::web::view::{Choice, Field, Link, Problems, grouped, plural};
use crate::workflows::change::Destination;
use crate::workflows::collect::{Gap, GapOption, OwnOrder, gap, may_buy, own_order};
use crate::workflows::desk::{Problem, order_number};
use crate::workflows::join::JoinRequest;
use crate::workflows::judgement::{Why, is_missing, missing_now};
use crate::workflows::money::say;

/// How many declined orders are listed.
const LISTED: usize = 50;

/// How far the collecting is, for a campaign's page.
pub struct Collecting {
    /// Orders and sums by where they stand.
    pub facts: Facts,
    /// Whose card was declined.
    pub declined: Table,
}

/// While too little came in: what is missing, in sentences, and where it is bought.
pub struct Short {
    /// "3 units are missing".
    pub title: String,
    /// What happens until when.
    pub lines: Vec<String>,
    /// The form, while it may be bought.
    pub href: Option<String>,
}

/// Reads how far the collecting of a batch is; none where nothing is collected after joining.
///
/// # Errors
/// What the database says.
pub fn read(
    conn: &mut Conn,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
    batch: &BatchRow,
) -> Result<Option<Collecting>, Problem> {
    let released = misc::happened_to(conn, campaign.id, "released")?;
    let sums = dues::sums(conn, batch.id)?;
    if sums.is_empty() && released == 0 {
        return Ok(None);
    }
    let words = |state: DueState| match (state, draft.payment_mode) {
        (DueState::Announced, _) => "Told, charged later",
        (DueState::Charging, _) => "Being charged",
        (DueState::Declined, _) => "Declined",
        (DueState::Paid, PaymentMode::Deposit) => "Rest paid",
        (DueState::Paid, _) => "Charged",
        (DueState::GivenUp, _) => "Not paid in time",
        (DueState::Dropped, _) => "Left before",
    };
    let mut facts: Facts = Vec::new();
    for state in DueState::ALL {
        let Some((_, count, sum)) = sums.iter().find(|(s, ..)| *s == *state) else {
            continue;
        };
        let said = format!(
            "{}, {}",
            plural(*count, "order"),
            say(*sum, &campaign.currency)
        );
        facts.push(fact(words(*state), said));
    }
    if released > 0 {
        let said = format!("{}, uncharged", plural(released, "order"));
        facts.push(fact("Released: their price was not reached", said));
    }
    let zone = draft.time_zone;
    let mut rows = Vec::new();
    let mut last: Option<NaiveDateTime> = None;
    for due in dues::open_orders(conn, batch.id, None, 1000)? {
        if due.state != DueState::Declined {
            continue;
        }
        last = last.max(due.ends_at);
        if rows.len() == LISTED {
            continue;
        }
        let Some(order) = orders::by_id(conn, due.order_id)? else {
            continue;
        };
        rows.push(declined_row(&order, &due, zone));
    }
    facts.extend(last.map(|at| fact("The last may be paid until", short(at, zone))));
    let head = vec![
        ("Order", false),
        ("Shopper", false),
        ("To be paid", true),
        ("What the bank said", false),
        ("Until", false),
    ];
    Ok(Some(Collecting {
        facts,
        declined: Table::new("Declined cards", head, rows),
    }))
}

fn declined_row(order: &crate::store::orders::OrderRow, due: &dues::DueRow, zone: Tz) -> Vec<Cell> {
    vec![
        Cell::Document(Link::new(
            format!("/admin/orders/{}", order.id),
            order_number(order.number),
        )),
        Cell::text(&order.name),
        Cell::number(say(order.owed, &order.currency)),
        Cell::text(due.said.clone().unwrap_or_default()),
        due.ends_at
            .map_or_else(|| Cell::text(""), |at| Cell::when(at, zone)),
    ]
}

/// Reads what is missing, while that is so.
///
/// # Errors
/// What the database says.
pub fn read_short(
    conn: &mut Conn,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
    batch: &BatchRow,
    now: NaiveDateTime,
) -> Result<Option<Short>, Problem> {
    let Some(until) = batch.short_until.filter(|_| batch.collected_at.is_none()) else {
        return Ok(None);
    };
    if campaign.state != crate::domain::campaign::CampaignState::Collecting {
        return Ok(None);
    }
    let missing = missing_now(conn, campaign, batch)?;
    let buys = may_buy(campaign, batch, now);
    let mut lines = vec!["After all cards were charged, too little has come in.".to_owned()];
    lines.push(if buys {
        format!(
            "Until {} you may buy what is missing, and the supplier's order goes out. If you do not, it fails, and everybody gets the money back.",
            short(until, draft.time_zone)
        )
    } else {
        "The time to buy it is over; it is decided in a moment.".to_owned()
    });
    Ok(Some(Short {
        title: is_missing(&missing),
        lines,
        href: buys.then(|| format!("/admin/campaigns/{}/buy", campaign.slug)),
    }))
}

/// Units that count for each step, line by line; nothing where no order waits for a step.
pub fn by_step(why: &Why, draft: &CampaignDraft) -> Vec<String> {
    let Some(round) = why.rounds.last() else {
        return Vec::new();
    };
    if draft.payment_mode != PaymentMode::ChargeOnSuccess || draft.steps.len() < 2 {
        return Vec::new();
    }
    let steps = draft.steps.counts().iter().zip(&round.counted);
    let lines = steps.skip(1).map(|(from, units)| {
        let reached = if units >= from {
            "reached"
        } else {
            "not reached"
        };
        format!(
            "The price from {}: {} joined at it or sooner, {reached}.",
            grouped(*from),
            plural(*units, "unit")
        )
    });
    lines.collect()
}

/// How shoppers pay, in words.
pub fn mode_words(draft: &CampaignDraft) -> String {
    match draft.payment_mode {
        PaymentMode::ChargeNow => "at joining".to_owned(),
        PaymentMode::ChargeOnSuccess => "on success, by saved card".to_owned(),
        PaymentMode::Deposit => {
            let unpaid = match draft.deposit_unpaid {
                DepositUnpaid::Returned => "goes back",
                DepositUnpaid::Kept => "stays with you",
            };
            format!(
                "{} % at joining, the rest when the goods arrive; without the rest the deposit {unpaid}",
                draft.deposit_percent
            )
        }
    }
}

/// What the form that buys is drawn from.
struct About {
    row: CampaignRow,
    gap: Gap,
    short: Short,
    missing: String,
}

async fn about(staff: &Staff, path: &str) -> Result<About, Refusal> {
    staff.manages()?;
    let (merchant, slug) = (staff.merchant.clone(), slug(path)?);
    let now = staff.office.now();
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let row = own_campaign(conn, &merchant, &slug)?;
        let gap = gap(conn, &row, now)?;
        let batch = campaigns::batch_of(conn, row.id)?.ok_or(Problem::NotFound("batch"))?;
        let short = read_short(conn, &row, &gap.draft, &batch, now.naive_utc())?;
        Ok(About {
            short: short.ok_or(Problem::NotFound("batch"))?,
            missing: missing_now(conn, &row, &batch)?,
            row,
            gap,
        })
    });
    Ok(found.await?)
}

impl About {
    fn href(&self) -> String {
        format!("/admin/campaigns/{}", self.row.slug)
    }

    fn page(&self, staff: &Staff, form: &Typed, problems: Problems) -> HttpResponse {
        let mut page = FormPage::new(
            staff.shell("campaigns"),
            "Buy the missing units",
            format!("{}/buy", self.href()),
        );
        page.crumbs = vec![
            Link::new("/admin/campaigns", "Campaigns"),
            Link::new(self.href(), &self.row.title),
        ];
        page.back = Some(Link::new(self.href(), "Leave it as it is"));
        page.lead = self.short.lines.clone();
        page.lead.push(format!(
            "It is an order of your own, at the price everybody pays, for {}. The next page is its payment.",
            staff.merchant.email
        ));
        page.facts = vec![fact("Missing", self.missing.clone())];
        let mut units = Vec::new();
        for option in &self.gap.options {
            let name = format!("qty.{}", option.sku);
            let price = say(option.price, &self.row.currency);
            let mut hint = format!("{price} each");
            if let Some(left) = option.left {
                hint.push_str(&format!(", {} left", grouped(left)));
            }
            let field = Field::text(name.clone(), &option.name)
                .hint(&hint)
                .inputmode("numeric")
                .value(form.get(&name))
                .problems(&problems);
            // Of several options some may be left out.
            let only = self.gap.options.len() == 1;
            units.push(if only { field } else { field.optional() }.into());
        }
        let typed = typed_of(|name| form.get(name).to_owned());
        let mut chosen = countries(&self.gap.draft);
        if !chosen.iter().any(|choice| choice.value == typed.country) {
            chosen.insert(0, Choice::new("", "Choose"));
        }
        let mut to: Vec<Line> = address_fields(&typed, chosen, &problems)
            .into_iter()
            .map(Line::from)
            .collect();
        let key = match form.get("form_key") {
            "" => new_key(),
            key => key.to_owned(),
        };
        to.push(Line::Hidden("form_key".to_owned(), key));
        page.sections = vec![
            Section::new("How many", units),
            Section::new("Where they go", to),
        ];
        page.submit = "Buy them and go to the payment".to_owned();
        page.problems = problems;
        page.answer()
    }

    /// The wish to buy, or what is wrong with the form.
    fn wish(&self, staff: &Staff, form: &Typed) -> Result<JoinRequest, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut lines = Vec::new();
        for GapOption { sku, .. } in &self.gap.options {
            let name = format!("qty.{sku}");
            match form.number(&name, &mut errors) {
                None | Some(0) => {}
                Some(n) if n < 0 => {
                    errors.push(FieldError::new(name, "write how many, 0 for none"));
                }
                Some(n) => lines.push((sku.clone(), n)),
            }
        }
        if lines.is_empty() && errors.is_empty() {
            let first = self.gap.options.first().map_or("", |o| o.sku.as_str());
            errors.push(FieldError::new(
                format!("qty.{first}"),
                "write how many you buy",
            ));
        }
        let typed = typed_of(|name| form.get(name).to_owned());
        let to = match Country::parse(typed.country.trim()) {
            Some(country) => match typed.check(country, &self.gap.draft.tariff()) {
                Ok(to) => Some(to),
                Err(Problem::Invalid(wrong)) => {
                    errors.extend(wrong);
                    None
                }
                Err(_) => None,
            },
            None => {
                errors.push(FieldError::new("country", "choose the country"));
                None
            }
        };
        match to {
            Some(Destination { name, address }) if errors.is_empty() => {
                let own = OwnOrder {
                    to: (name, address),
                    lines,
                    from: format!("panel, {}", staff.name()),
                    form_key: Some(form.get("form_key"))
                        .filter(|key| !key.is_empty() && key.len() <= 64)
                        .map(|key| format!("buy:{key}")),
                };
                Ok(own_order(&staff.merchant, self.row.id, own))
            }
            _ => Err(errors),
        }
    }
}

/// `GET /admin/campaigns/{slug}/buy`
pub async fn buy(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let about = about(&staff, &path).await?;
    let mut typed = Typed::default();
    typed.set("name", &staff.merchant.name);
    // Where the seller sits, as far as the address tells.
    let last = staff.merchant.address.lines().last().unwrap_or_default();
    if let Some(country) = Country::all().find(|c| c.name().eq_ignore_ascii_case(last.trim())) {
        typed.set("country", country.code());
    }
    if let ([option], Threshold::Units(_)) =
        (about.gap.options.as_slice(), about.gap.draft.threshold)
    {
        typed.set(format!("qty.{}", option.sku), about.gap.missing.to_string());
    }
    Ok(about.page(&staff, &typed, Problems::default()))
}

/// `POST /admin/campaigns/{slug}/buy`
pub async fn do_buy(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    let about = about(&staff, &path).await?;
    let form = Typed::from(form.into_inner());
    let wish = match about.wish(&staff, &form) {
        Ok(wish) => wish,
        Err(errors) => return Ok(about.page(&staff, &form, problems_of(&errors))),
    };
    let skus: Vec<String> = wish.lines.iter().map(|(sku, _)| sku.clone()).collect();
    match staff.office.join(wish).await {
        Ok(placed) => {
            let token = staff.office.desk().links.order_token(placed.order.id);
            Ok(see_other(&format!("/o/{}/pay?t={token}", placed.order.id)))
        }
        Err(Problem::Invalid(errors)) => {
            let errors: Vec<FieldError> = errors
                .into_iter()
                .map(|e| FieldError::new(at(&e.field, &skus), e.message))
                .collect();
            Ok(about.page(&staff, &form, problems_of(&errors)))
        }
        Err(Problem::Conflict { message, .. }) => {
            let mut problems = Problems::default();
            problems.add("", message);
            Ok(about.page(&staff, &form, problems))
        }
        Err(other) => Err(other.into()),
    }
}

/// A field of the wish as the form calls it.
fn at(field: &str, skus: &[String]) -> String {
    let first = skus.first().map_or("", String::as_str);
    if let Some(rest) = field.strip_prefix("lines[") {
        let index = rest.split(']').next().and_then(|i| i.parse::<usize>().ok());
        let sku = index
            .and_then(|i| skus.get(i))
            .map_or(first, String::as_str);
        return format!("qty.{sku}");
    }
    match field {
        "lines" => format!("qty.{first}"),
        other => other.strip_prefix("address.").unwrap_or(other).to_owned(),
    }
}
