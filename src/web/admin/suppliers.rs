//! Suppliers: the list, a new one, and changing one.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};

use super::form::{FormPage, Line, Pairs, Section, Typed, sentence};
use super::guard::{Refusal, Staff};
use super::kit::{Cell, ListPage, Table, id};
use crate::domain::currency::Currency;
use crate::domain::draft::{FieldError, MAX_SKU};
use crate::domain::ids::SupplierId;
use crate::domain::money::{Money, parse_decimal};
use crate::store::merchants;
use crate::web::view::{Choice, Empty, Field, Link, Problems, grouped, plural};
use crate::workflows::desk::Problem;
use crate::workflows::suppliers::{self, MAX_COSTS, SupplierInput, to_input};

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/suppliers", web::get().to(list))
        .route("/suppliers/new", web::get().to(new))
        .route("/suppliers/new", web::post().to(create))
        .route("/suppliers/{id}", web::get().to(edit))
        .route("/suppliers/{id}", web::post().to(save));
}

/// `GET /admin/suppliers`
pub async fn list(staff: Staff) -> Result<HttpResponse, Refusal> {
    let merchant = staff.merchant.id;
    let rows = staff
        .office
        .read(move |conn| -> Result<_, Problem> { Ok(merchants::suppliers_of(conn, merchant)?) });
    let rows = rows.await?;
    let number = |n: Option<i64>| Cell::number(n.map_or_else(|| "none".to_owned(), grouped));
    let table = rows.iter().map(|s| {
        vec![
            Cell::Link(Link::new(format!("/admin/suppliers/{}", s.id), &s.name)),
            Cell::text(&s.email),
            Cell::number(plural(s.lead_time_days.into(), "day")),
            number(s.minimum_units),
            number(s.capacity_units),
            number(Some(s.case_pack)),
            Cell::text(s.currency.to_uppercase()),
        ]
    });
    let head = vec![
        ("Supplier", false),
        ("Purchase orders go to", false),
        ("Lead time", true),
        ("Minimum", true),
        ("Capacity", true),
        ("Case of", true),
        ("Costs in", false),
    ];
    let mut actions = Vec::new();
    if staff.person.role.may_manage() {
        actions.push(Link::new("/admin/suppliers/new", "New supplier"));
    }
    let page = ListPage {
        shell: staff.shell("suppliers"),
        title: "Suppliers".into(),
        lead: None,
        empty: Empty {
            text: "Whom you buy from will stand here.".into(),
            action: actions.first().cloned(),
        },
        actions,
        filters: vec![],
        action: "/admin/suppliers".into(),
        table: Table::new("Suppliers", head, table.collect()),
        pager: None,
    };
    Ok(page.answer())
}

fn draw(staff: &Staff, of: Option<SupplierId>, typed: &Typed, problems: Problems) -> HttpResponse {
    let (title, action) = match of {
        Some(id) => (
            "Edit the supplier".to_owned(),
            format!("/admin/suppliers/{id}"),
        ),
        None => ("New supplier".to_owned(), "/admin/suppliers/new".to_owned()),
    };
    let mut page = FormPage::new(staff.shell("suppliers"), title, action);
    page.crumbs = vec![Link::new("/admin/suppliers", "Suppliers")];
    page.back = Some(Link::new("/admin/suppliers", "Leave it"));
    "Save the supplier".clone_into(&mut page.submit);
    let field = |field: Field| -> Line {
        let value = typed.get(&field.name).to_owned();
        field.value(value).problems(&problems).into()
    };
    let count = |name: &str, label: &str, hint: &str| {
        field(
            Field::text(name, label)
                .hint(hint)
                .inputmode("numeric")
                .optional(),
        )
    };
    let currencies = Currency::all()
        .map(|c| Choice::new(c.code(), c.iso()))
        .collect();
    let mut costs = vec![field(Field::select("currency", "Costs in", currencies))];
    let rows = typed.rows_up_to("costs", MAX_COSTS).max(1);
    let limit = u32::try_from(MAX_SKU).unwrap_or(u32::MAX);
    for row in 0..rows {
        let code = Field::text(format!("costs.{row}.sku"), "Option's code").max_length(limit);
        let cost =
            Field::text(format!("costs.{row}.cost"), "Cost of one unit").inputmode("decimal");
        costs.push(Line::Row(vec![
            field(code.optional()),
            field(cost.optional()),
        ]));
    }
    costs.push(Line::Button("add-cost".into(), "Add a cost".into()));
    page.sections = vec![
        Section::new(
            "Who it is",
            vec![
                Line::Row(vec![
                    field(Field::text("name", "Name").max_length(120)),
                    field(
                        Field::input("email", "email", "E-mail").hint("Purchase orders go there."),
                    ),
                ]),
                field(
                    Field::area("address", "Postal address", 3)
                        .max_length(500)
                        .optional(),
                ),
            ],
        ),
        Section::new(
            "Terms",
            vec![Line::Row(vec![
                field(
                    Field::text("lead_time_days", "Lead time, days")
                        .hint("From order to arrival.")
                        .inputmode("numeric"),
                ),
                count(
                    "minimum_units",
                    "Minimum, units",
                    "The least it takes an order for.",
                ),
                count("capacity_units", "Capacity, units", "The most it can make."),
                count(
                    "case_pack",
                    "Case of, units",
                    "Each option is rounded up to whole cases.",
                ),
            ])],
        ),
        Section::new("Costs", costs).text(
            "By the option's code. A purchase order needs a cost for every option that was sold.",
        ),
    ];
    page.problems = problems;
    page.answer()
}

/// `GET /admin/suppliers/new`
pub async fn new(staff: Staff) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let mut typed = Typed::default();
    typed.set("currency", "usd");
    typed.set("case_pack", "1");
    Ok(draw(&staff, None, &typed, Problems::default()))
}

/// `GET /admin/suppliers/{id}`
pub async fn edit(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let (merchant, id) = (staff.merchant.id, id::<SupplierId>(&path)?);
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        merchants::supplier(conn, id)?
            .filter(|s| s.merchant_id == merchant)
            .ok_or(Problem::NotFound("supplier"))
    });
    let typed = typed_of(to_input(&found.await?)?);
    Ok(draw(&staff, Some(id), &typed, Problems::default()))
}

fn typed_of(input: SupplierInput) -> Typed {
    let mut typed = Typed::default();
    let currency = input.currency.as_deref().and_then(Currency::parse);
    let number = |n: Option<i64>| n.map_or_else(String::new, |n| n.to_string());
    typed.set("minimum_units", number(input.minimum_units));
    typed.set("capacity_units", number(input.capacity_units));
    typed.set("case_pack", number(input.case_pack));
    typed.set("lead_time_days", number(input.lead_time_days));
    for (name, value) in [
        ("name", input.name),
        ("email", input.email),
        ("address", input.address),
        ("currency", input.currency),
    ] {
        typed.set(name, value.unwrap_or_default());
    }
    for (row, (sku, cost)) in input.unit_costs.unwrap_or_default().into_iter().enumerate() {
        let shown = currency.map_or_else(|| cost.to_string(), |c| Money::new(cost, c).to_decimal());
        typed.set(format!("costs.{row}.sku"), sku);
        typed.set(format!("costs.{row}.cost"), shown);
    }
    typed
}

fn read(typed: &Typed) -> (SupplierInput, Vec<FieldError>) {
    let mut errors = Vec::new();
    let text = |name: &str| Some(typed.get(name).to_owned());
    let currency = Currency::parse(typed.get("currency").trim());
    let mut costs = BTreeMap::new();
    for row in 0..typed.rows_up_to("costs", MAX_COSTS) {
        let (code, cost) = (format!("costs.{row}.sku"), format!("costs.{row}.cost"));
        let sku = typed.get(&code).trim().to_owned();
        if sku.is_empty() {
            errors.push(FieldError::new(
                code,
                "write the option's code, or empty the cost",
            ));
            continue;
        }
        match currency.map(|currency| parse_decimal(typed.get(&cost), currency)) {
            Some(Ok(amount)) => {
                let before = costs.insert(sku, amount);
                if before.is_some() {
                    errors.push(FieldError::new(
                        code,
                        "this code stands here twice: keep one",
                    ));
                }
            }
            Some(Err(e)) => errors.push(FieldError::new(cost, e.to_string())),
            None => {}
        }
    }
    let input = SupplierInput {
        name: text("name"),
        email: text("email"),
        address: text("address"),
        minimum_units: typed.number("minimum_units", &mut errors),
        capacity_units: typed.number("capacity_units", &mut errors),
        case_pack: typed.number("case_pack", &mut errors),
        lead_time_days: typed.number("lead_time_days", &mut errors),
        unit_costs: Some(costs),
        currency: text("currency"),
    };
    (input, errors)
}

/// All that is wrong, at the form's fields; a cost's error stands at its row.
fn problems(typed: &Typed, read: &[FieldError], checked: &[FieldError]) -> Problems {
    let mut problems = Problems::default();
    for error in read {
        problems.add(&error.field, sentence(&error.message));
    }
    for error in checked {
        let field = match error.field.strip_prefix("unit_costs.") {
            None => error.field.clone(),
            Some(sku) => (0..typed.rows_up_to("costs", MAX_COSTS))
                .map(|row| format!("costs.{row}.sku"))
                .find(|name| typed.get(name).trim() == sku)
                .unwrap_or_default(),
        };
        if problems.of(&field).is_none() {
            problems.add(field, sentence(&error.message));
        }
    }
    problems
}

/// `POST /admin/suppliers/new`
pub async fn create(staff: Staff, form: Pairs) -> Result<HttpResponse, Refusal> {
    submit(staff, None, form).await
}

/// `POST /admin/suppliers/{id}`
pub async fn save(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    submit(staff, Some(id(&path)?), form).await
}

async fn submit(
    staff: Staff,
    of: Option<SupplierId>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let merchant = staff.merchant.id;
    if let Some(id) = of {
        let own = staff.office.read(move |conn| -> Result<_, Problem> {
            Ok(merchants::supplier(conn, id)?.is_some_and(|s| s.merchant_id == merchant))
        });
        if !own.await? {
            return Err(Refusal::NotFound);
        }
    }
    let mut typed = Typed::from(form.into_inner());
    for row in (0..typed.rows_up_to("costs", MAX_COSTS)).rev() {
        if typed.is_blank(&format!("costs.{row}")) {
            typed.remove_row("costs", row);
        }
    }
    if typed.get("do") == "add-cost" {
        let rows = typed.rows_up_to("costs", MAX_COSTS).max(1);
        typed.set(format!("costs.{rows}.sku"), "");
        return Ok(draw(&staff, of, &typed, Problems::default()));
    }
    let (input, errors) = read(&typed);
    let checked = if errors.is_empty() {
        let kept = staff.office.write(move |_, tx| match of {
            Some(id) => suppliers::edit(tx, merchant, id, input.clone()),
            None => suppliers::create(tx, merchant, input.clone()),
        });
        match kept.await {
            Ok(row) => return staff.done(format!("{} is saved.", row.name), "/admin/suppliers"),
            Err(Problem::Invalid(checked)) => checked,
            Err(other) => return Err(other.into()),
        }
    } else {
        input.check().err().unwrap_or_default()
    };
    let problems = problems(&typed, &errors, &checked);
    Ok(draw(&staff, of, &typed, problems))
}
