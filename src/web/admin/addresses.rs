//! Where an order goes, changed by staff; and the day from which shoppers of a batch cannot change it any more.

use actix_web::{HttpResponse, web};

use super::form::{FormPage, Line, Pairs, Section, Typed, problems_of};
use super::guard::{Refusal, Staff};
use super::kit::{act, id};
use super::order_change::Case;
use crate::domain::day::parse_date;
use crate::domain::draft::FieldError;
use crate::domain::ids::{BatchId, OrderId};
use crate::domain::order::Delivery;
use crate::store::Tx;
use crate::store::orders::OrderRow;
use crate::web::order::{address_fields, country_choices, typed_of};
use crate::web::view::{Choice, Field, Link, Problems};
use crate::workflows::change::{self, Change, batch_of, lock_addresses};
use crate::workflows::claims::Who;
use crate::workflows::desk::{Desk, Problem, order_number};

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/orders/{id}/address", web::get().to(address))
        .route("/orders/{id}/address", web::post().to(save_address))
        .route("/batches/{id}/addresses", web::get().to(lock))
        .route("/batches/{id}/addresses", web::post().to(save_lock));
}

async fn order_of(staff: &Staff, path: &str) -> Result<OrderRow, Refusal> {
    staff.manages()?;
    let (merchant, order) = (staff.merchant.id, id::<OrderId>(path)?);
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        crate::store::orders::by_id(conn, order)?
            .filter(|o| o.merchant_id == merchant)
            .ok_or(Problem::NotFound("order"))
    });
    Ok(found.await?)
}

/// The fields of name, address and parcels.
pub(super) fn parcel_lines(
    typed: &change::Typed,
    countries: Vec<Choice>,
    delivery: &str,
    problems: &Problems,
) -> Vec<Line> {
    let fields = address_fields(typed, countries, problems).into_iter();
    let mut lines: Vec<Line> = fields.map(Line::from).collect();
    let choices = vec![
        Choice::new("one_parcel", "Everything in one parcel"),
        Choice::new("as_available", "What is there, the rest later"),
    ];
    lines.push(
        Field::select("delivery", "Parcels", choices)
            .value(delivery)
            .into(),
    );
    lines
}

fn address_page(
    staff: &Staff,
    order: &OrderRow,
    typed: &change::Typed,
    delivery: &str,
    problems: Problems,
) -> Result<HttpResponse, Refusal> {
    let href = format!("/admin/orders/{}", order.id);
    let number = order_number(order.number);
    let title = format!("Where order {number} goes");
    let mut page = FormPage::new(staff.shell("orders"), title, format!("{href}/address"));
    page.crumbs = vec![
        Link::new("/admin/orders", "Orders"),
        Link::new(&href, &number),
    ];
    page.back = Some(Link::new(href, "Leave it as it is"));
    page.lead = vec![
        "The shopper is told by mail; the address before is kept in the history. Where shipping or tax come out differently \
         in another country, the next page shows the difference before anything changes; that is possible while joining is \
         open."
            .into(),
    ];
    let lines = parcel_lines(typed, country_choices(order)?, delivery, &problems);
    page.sections = vec![Section::new("Address", lines)];
    page.submit = "Save the address".to_owned();
    page.problems = problems;
    Ok(page.answer())
}

/// `GET /admin/orders/{id}/address`
pub async fn address(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let order = order_of(&staff, &path).await?;
    let typed = change::Typed::of(&order)?;
    let delivery = order.delivery.as_str();
    address_page(&staff, &order, &typed, delivery, Problems::default())
}

/// `POST /admin/orders/{id}/address`
pub async fn save_address(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    let order = order_of(&staff, &path).await?;
    let form = Typed::from(form.into_inner());
    let typed = typed_of(|name| form.get(name).to_owned());
    let again = |errors: &[FieldError]| {
        let problems = problems_of(errors);
        address_page(&staff, &order, &typed, form.get("delivery"), problems)
    };
    let case = Case::of(staff.clone(), &path).await?;
    match case.priced(&form).await {
        Ok(Some(review)) => return Ok(review),
        Ok(None) => {}
        Err(Problem::Invalid(errors)) => return again(&errors),
        Err(e) => return Err(e.into()),
    }
    let wish = Change {
        address: Some(typed.clone()),
        delivery: form.get("delivery").parse::<Delivery>().ok(),
    };
    let (of, who) = (
        (Some(staff.merchant.id), order.id),
        Who::Staff(staff.name()),
    );
    let f = move |desk: &Desk, tx: &mut Tx| change::change(desk, tx, of, &wish, &who).map(|_| ());
    let to = format!("/admin/orders/{}", order.id);
    match act(&staff, f, "The address is saved.", &to).await {
        Err(Refusal::Problem(Problem::Invalid(errors))) => again(&errors),
        other => other,
    }
}

fn lock_page(
    staff: &Staff,
    (id, title, slug): (BatchId, &str, &str),
    typed: &str,
    problems: Problems,
) -> HttpResponse {
    let action = format!("/admin/batches/{id}/addresses");
    let mut page = FormPage::new(staff.shell("campaigns"), "When addresses are fixed", action);
    let href = format!("/admin/campaigns/{slug}");
    page.crumbs = vec![
        Link::new("/admin/campaigns", "Campaigns"),
        Link::new(&href, title),
    ];
    page.back = Some(Link::new(href, "Leave it as it is"));
    page.lead = vec![
        "Shoppers may change where their order goes until it is packed. Set a day to have the addresses fixed before, for \
         labels. You may still change each one."
            .into(),
    ];
    page.sections = vec![Section::new(
        "Fixed from",
        vec![
            Field::input("date", "address_lock", "First day without changes")
                .hint("In the campaign's zone. Empty: until each order is packed.")
                .optional()
                .value(typed)
                .problems(&problems)
                .into(),
        ],
    )];
    page.submit = "Save the day".to_owned();
    page.problems = problems;
    page.answer()
}

/// `GET /admin/batches/{id}/addresses`
pub async fn lock(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let (merchant, batch) = (staff.merchant.id, id::<BatchId>(&path)?);
    let found = staff
        .office
        .read(move |conn| batch_of(conn, merchant, batch));
    let (row, campaign) = found.await?;
    let day = row.address_lock.map_or_else(String::new, |d| d.to_string());
    let about = (batch, campaign.title.as_str(), campaign.slug.as_str());
    Ok(lock_page(&staff, about, &day, Problems::default()))
}

/// `POST /admin/batches/{id}/addresses`
pub async fn save_lock(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let (merchant, batch) = (staff.merchant.id, id::<BatchId>(&path)?);
    let found = staff
        .office
        .read(move |conn| batch_of(conn, merchant, batch));
    let (_, campaign) = found.await?;
    let typed = Typed::from(form.into_inner());
    let text = typed.get("address_lock").trim().to_owned();
    let about = (batch, campaign.title.as_str(), campaign.slug.as_str());
    let day = match text.as_str() {
        "" => None,
        text => match parse_date(text) {
            Some(day) => Some(day),
            None => {
                let mut problems = Problems::default();
                problems.add("address_lock", "Write a date as YYYY-MM-DD, or nothing.");
                return Ok(lock_page(&staff, about, text, problems));
            }
        },
    };
    let name = staff.name();
    let f = move |_: &Desk, tx: &mut Tx| lock_addresses(tx, merchant, batch, (day, &name));
    let to = format!("/admin/campaigns/{}", campaign.slug);
    match act(&staff, f, "The day is saved.", &to).await {
        Err(Refusal::Problem(Problem::Invalid(errors))) => {
            Ok(lock_page(&staff, about, &text, problems_of(&errors)))
        }
        other => other,
    }
}
