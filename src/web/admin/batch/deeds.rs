//! What staff decide about a batch: what will not come, who goes first, what is sold from stock.

use actix_web::{HttpResponse, web};

use super::{href, load, title};
use crate::domain::draft::FieldError;
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::purchase_orders::{self, PurchaseOrderRow};
use crate::web::admin::form::{FormPage, Line, Pairs, Section, Typed, problems_of};
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::id;
use crate::web::view::{Choice, Field, Link, Problems, grouped, plural};
use crate::workflows::allocate::put_first;
use crate::workflows::desk::Problem;
use crate::workflows::receive::{OptionGoods, goods_of};
use crate::workflows::short::declare;
use crate::workflows::stock_sale::put_on_sale;

struct Known {
    campaign: CampaignRow,
    batch: BatchRow,
    goods: Vec<OptionGoods>,
    standing: Option<PurchaseOrderRow>,
}

async fn known(staff: &Staff, path: &str) -> Result<Known, Refusal> {
    let (merchant, batch) = (staff.merchant.clone(), id(path)?);
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let (campaign, batch) = load(conn, &merchant, batch)?;
        Ok(Known {
            goods: goods_of(conn, &campaign, &batch)?,
            standing: purchase_orders::of_batch(conn, batch.id)?
                .into_iter()
                .find(|p| p.state.stands()),
            campaign,
            batch,
        })
    });
    Ok(found.await?)
}

impl Known {
    fn form(&self, staff: &Staff, what: &str, place: &str) -> FormPage {
        let here = href(&self.batch);
        let mut page = FormPage::new(staff.shell("batches"), what, format!("{here}/{place}"));
        page.crumbs = vec![
            Link::new("/admin/batches", "Batches"),
            Link::new(&here, title(&self.campaign, &self.batch)),
        ];
        page.back = Some(Link::new(&here, "Leave it as it is"));
        page
    }

    fn short_page(&self, staff: &Staff, typed: &Typed, problems: Problems) -> HttpResponse {
        let mut page = self.form(staff, "Something will not come", "short");
        page.lead = vec![
            "Units declared here are not awaited any more. As many orders as get nothing then are refunded by themselves, the newest payment first, and their shoppers are told.".to_owned(),
        ];
        if let Some(po) = &self.standing {
            page.lead.push(format!(
                "Would another supplier make them? Then leave this, and order again from the purchase order's page: /admin/purchase-orders/{}",
                po.id
            ));
        }
        let lines = self.goods.iter().enumerate().map(|(at, goods)| {
            let row = &goods.stock;
            let name = format!("short.{at}");
            let value = typed.get(&name).to_owned();
            Line::from(
                Field::input("number", name, format!("{}, units", goods.name))
                    .value(value)
                    .hint(format!(
                        "{} expected, {} damaged, {} wait for units",
                        row.awaited(),
                        row.damaged,
                        goods.waiting
                    ))
                    .optional()
                    .range(Some("0".into()), None)
                    .problems(&problems),
            )
        });
        page.sections = vec![Section::new("Will not come", lines.collect())];
        page.submit = "Declare them short and refund who gets nothing".to_owned();
        page.risk = true;
        page.problems = problems;
        page.answer()
    }

    fn first_page(&self, staff: &Staff, typed: &Typed, problems: Problems) -> HttpResponse {
        let mut page = self.form(staff, "Put an order first", "first");
        page.lead = vec![
            "It is served before all others when units arrive. What was given to others stays theirs.".to_owned(),
        ];
        page.sections = vec![Section::new(
            "Which, and why",
            vec![
                Field::text("order", "Order's number")
                    .value(typed.get("order"))
                    .hint("As on the list, such as M-0012.")
                    .max_length(20)
                    .problems(&problems)
                    .into(),
                Field::text("reason", "Reason")
                    .value(typed.get("reason"))
                    .hint("For your colleagues; the shopper does not read it.")
                    .max_length(300)
                    .problems(&problems)
                    .into(),
            ],
        )];
        page.submit = "Put it first".to_owned();
        page.problems = problems;
        page.answer()
    }

    fn sale_page(&self, staff: &Staff, typed: &Typed, problems: Problems) -> HttpResponse {
        let mut page = self.form(staff, "Sell left-over units", "sale");
        page.lead = vec![
            "Left-over units are sold on the campaign's page as available at once, at the price that was decided, without a threshold. Orders that wait are served first.".to_owned(),
        ];
        let choices = self.goods.iter().map(|g| {
            Choice::new(
                &g.sku,
                format!(
                    "{}: {} left over, {} on sale",
                    g.name,
                    plural((g.stock.free() - g.waiting).max(0), "unit"),
                    grouped(g.stock.on_sale)
                ),
            )
        });
        page.sections = vec![Section::new(
            "What",
            vec![
                Field::select("sku", "Option", choices.collect())
                    .value(typed.get("sku"))
                    .problems(&problems)
                    .into(),
                Field::input("number", "units", "Units on sale")
                    .value(typed.get("units"))
                    .hint("0 takes the offer back.")
                    .range(Some("0".into()), None)
                    .problems(&problems)
                    .into(),
            ],
        )];
        page.submit = "Offer these units".to_owned();
        page.problems = problems;
        page.answer()
    }
}

/// `GET /admin/batches/{id}/short`
pub async fn short(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = known(&staff, &path).await?;
    Ok(known.short_page(&staff, &Typed::default(), Problems::default()))
}

/// `POST /admin/batches/{id}/short`
pub async fn do_short(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = known(&staff, &path).await?;
    let typed = Typed::from(form.into_inner());
    let mut errors = Vec::new();
    let mut places = Vec::new();
    let mut lines = Vec::new();
    for (at, goods) in known.goods.iter().enumerate() {
        let units = typed.number(&format!("short.{at}"), &mut errors);
        if let Some(units) = units.filter(|n| *n != 0) {
            places.push(at);
            lines.push((goods.sku.clone(), units));
        }
    }
    if !errors.is_empty() {
        return Ok(known.short_page(&staff, &typed, problems_of(&errors)));
    }
    let (merchant, batch, by) = (staff.merchant.id, known.batch.id, staff.name());
    let done = staff
        .office
        .write(move |_, tx| declare(tx, merchant, batch, &lines, &by))
        .await;
    match done {
        Ok(declared) => {
            let refunded: i64 = declared.iter().map(|d| d.refunded).sum();
            let short: i64 = declared.iter().map(|d| d.short).sum();
            staff.done(
                format!(
                    "{} will not come; {} of orders are being refunded.",
                    plural(short, "unit"),
                    plural(refunded, "unit")
                ),
                &href(&known.batch),
            )
        }
        Err(Problem::Invalid(errors)) => {
            let ours: Vec<FieldError> = errors
                .into_iter()
                .map(|e| {
                    let rest = e.field.strip_prefix("lines[");
                    let at = rest.and_then(|r| r.split(']').next()?.parse::<usize>().ok());
                    let at = at.and_then(|at| places.get(at).copied()).unwrap_or(0);
                    FieldError::new(format!("short.{at}"), e.message)
                })
                .collect();
            Ok(known.short_page(&staff, &typed, problems_of(&ours)))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// `GET /admin/batches/{id}/first`
pub async fn first(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.ships()?;
    let known = known(&staff, &path).await?;
    Ok(known.first_page(&staff, &Typed::default(), Problems::default()))
}

/// `POST /admin/batches/{id}/first`
pub async fn do_first(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.ships()?;
    let known = known(&staff, &path).await?;
    let typed = Typed::from(form.into_inner());
    let (merchant, batch, by) = (staff.merchant.id, known.batch.id, staff.name());
    let (number, reason) = (
        typed.get("order").to_owned(),
        typed.get("reason").to_owned(),
    );
    let done = staff
        .office
        .write(move |_, tx| put_first(tx, merchant, batch, &number, &reason, &by))
        .await;
    match done {
        Ok(_) => staff.done("The order goes first from now on.", &href(&known.batch)),
        Err(Problem::Invalid(errors)) => Ok(known.first_page(&staff, &typed, problems_of(&errors))),
        Err(problem) => Err(problem.into()),
    }
}

/// `GET /admin/batches/{id}/sale`
pub async fn sale(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = known(&staff, &path).await?;
    Ok(known.sale_page(&staff, &Typed::default(), Problems::default()))
}

/// `POST /admin/batches/{id}/sale`
pub async fn do_sale(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = known(&staff, &path).await?;
    let typed = Typed::from(form.into_inner());
    let mut errors = Vec::new();
    let units = typed.number("units", &mut errors);
    let Some(units) = units else {
        if errors.is_empty() {
            errors.push(FieldError::new(
                "units",
                "write how many units are on sale, or 0",
            ));
        }
        return Ok(known.sale_page(&staff, &typed, problems_of(&errors)));
    };
    let (merchant, batch, by) = (staff.merchant.id, known.batch.id, staff.name());
    let sku = typed.get("sku").to_owned();
    let done = staff
        .office
        .write(move |_, tx| put_on_sale(tx, merchant, batch, &sku, units, &by))
        .await;
    match done {
        Ok(()) => staff.done("The offer is kept.", &href(&known.batch)),
        Err(Problem::Invalid(errors)) => Ok(known.sale_page(&staff, &typed, problems_of(&errors))),
        Err(problem) => Err(problem.into()),
    }
}
