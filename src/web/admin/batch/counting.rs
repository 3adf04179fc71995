//! Counting a delivery, and correcting a count.

use actix_web::{HttpResponse, web};

use super::{href, load, title};
use crate::domain::draft::FieldError;
use crate::domain::purchase_order::PurchaseOrderState;
use crate::domain::text::optional_line;
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::purchase_orders::{self, PurchaseOrderRow};
use crate::web::admin::form::{FormPage, Line, Pairs, Section, Typed, problems_of};
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::id;
use crate::web::view::{Choice, Field, Link, Problems, grouped};
use crate::workflows::desk::{Problem, purchase_number};
use crate::workflows::receive::{Count, Counted, OptionGoods, goods_of, receive};

/// What the forms need to know.
struct Known {
    campaign: CampaignRow,
    batch: BatchRow,
    goods: Vec<OptionGoods>,
    orders: Vec<PurchaseOrderRow>,
}

async fn known(staff: &Staff, path: &str) -> Result<Known, Refusal> {
    staff.ships()?;
    let (merchant, batch) = (staff.merchant.clone(), id(path)?);
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let (campaign, batch) = load(conn, &merchant, batch)?;
        let mut orders = purchase_orders::of_batch(conn, batch.id)?;
        orders.retain(|p| p.state.stands() && p.state != PurchaseOrderState::Closed);
        Ok(Known {
            goods: goods_of(conn, &campaign, &batch)?,
            orders,
            campaign,
            batch,
        })
    });
    Ok(found.await?)
}

/// `GET /admin/batches/{id}/receipts`
pub async fn form(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let known = known(&staff, &path).await?;
    Ok(known.draw(&staff, false, &fresh(), Problems::default(), None))
}

/// `GET /admin/batches/{id}/correction`
pub async fn correction(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let known = known(&staff, &path).await?;
    Ok(known.draw(&staff, true, &fresh(), Problems::default(), None))
}

/// `POST /admin/batches/{id}/receipts`
pub async fn keep(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    submit(staff, &path, form, false).await
}

/// `POST /admin/batches/{id}/correction`
pub async fn correct(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    submit(staff, &path, form, true).await
}

/// A form that was not sent yet: its key makes a second submit the same receipt.
fn fresh() -> Typed {
    let mut typed = Typed::default();
    typed.set("key", uuid::Uuid::now_v7().to_string());
    typed
}

async fn submit(
    staff: Staff,
    path: &str,
    form: Pairs,
    correction: bool,
) -> Result<HttpResponse, Refusal> {
    let known = known(&staff, path).await?;
    let typed = Typed::from(form.into_inner());
    let mut errors = Vec::new();
    let count = known.read(&staff, &typed, correction, &mut errors);
    if !errors.is_empty() {
        return Ok(known.draw(&staff, correction, &typed, problems_of(&errors), None));
    }
    let (merchant, batch) = (staff.merchant.id, known.batch.id);
    let kept = staff
        .office
        .write(move |_, tx| receive(tx, merchant, batch, &count))
        .await;
    match kept {
        Ok(received) => {
            let units: i64 = received.lines.iter().map(|l| l.good + l.damaged).sum();
            let said = format!(
                "Receipt {} is saved: {} counted, {} good units went to {} orders.",
                received.receipt.number,
                grouped(units),
                grouped(received.allocated.units),
                received.allocated.orders
            );
            staff.done(said, &href(&known.batch))
        }
        Err(Problem::Conflict {
            kind: "over-ordered",
            message,
        }) => Ok(known.draw(
            &staff,
            correction,
            &typed,
            Problems::default(),
            Some(message),
        )),
        Err(Problem::Invalid(errors)) => {
            let ours: Vec<FieldError> = errors
                .into_iter()
                .map(|e| known.as_ours(e, &typed))
                .collect();
            Ok(known.draw(&staff, correction, &typed, problems_of(&ours), None))
        }
        Err(problem) => Err(problem.into()),
    }
}

impl Known {
    /// What was typed as a count.
    fn read(
        &self,
        staff: &Staff,
        typed: &Typed,
        correction: bool,
        errors: &mut Vec<FieldError>,
    ) -> Count {
        let mut lines = Vec::new();
        for at in 0..self.goods.len() {
            let good = typed.number(&format!("good.{at}"), errors).unwrap_or(0);
            let damaged = typed.number(&format!("damaged.{at}"), errors).unwrap_or(0);
            if good != 0 || damaged != 0 {
                lines.push(Counted {
                    sku: self.goods[at].sku.clone(),
                    good,
                    damaged,
                });
            }
        }
        let note = optional_line(typed.some("note"), 500).unwrap_or_else(|message| {
            errors.push(FieldError::new("note", message));
            None
        });
        Count {
            lines,
            note,
            by: staff.name(),
            purchase_order: typed.some("purchase_order").and_then(|t| t.parse().ok()),
            confirm: typed.ticked("confirm"),
            correction,
            once: typed
                .some("key")
                .map(|key| format!("form:{}:{key}", self.batch.id)),
        }
    }

    /// An error at a line of the count as one at the form's field.
    fn as_ours(&self, error: FieldError, typed: &Typed) -> FieldError {
        let Some(rest) = error.field.strip_prefix("lines[") else {
            let field = if error.field == "lines" {
                "good.0"
            } else {
                &error.field
            };
            return FieldError::new(field, error.message.clone());
        };
        let (at, name) = rest.split_once("].").unwrap_or((rest, "good"));
        let at: usize = at.parse().unwrap_or(0);
        // Only lines with something typed were sent.
        let filled = (0..self.goods.len()).filter(|n| {
            ["good", "damaged"]
                .iter()
                .any(|f| typed.some(&format!("{f}.{n}")).is_some_and(|t| t != "0"))
        });
        let at = filled.into_iter().nth(at).unwrap_or(0);
        FieldError::new(format!("{name}.{at}"), error.message)
    }

    fn draw(
        &self,
        staff: &Staff,
        correction: bool,
        typed: &Typed,
        problems: Problems,
        asks: Option<String>,
    ) -> HttpResponse {
        let what = if correction {
            "Correct a count"
        } else {
            "Count a delivery"
        };
        let here = href(&self.batch);
        let place = if correction { "correction" } else { "receipts" };
        let mut page = FormPage::new(staff.shell("batches"), what, format!("{here}/{place}"));
        page.crumbs = vec![
            Link::new("/admin/batches", "Batches"),
            Link::new(&here, title(&self.campaign, &self.batch)),
        ];
        page.back = Some(Link::new(&here, "Leave it as it is"));
        page.lead = vec![if correction {
            "Write what must be added or, with a minus sign, taken back. What is given to orders cannot be taken back."
                .to_owned()
        } else {
            "Write what lies there. Good units go to the orders that wait at once, oldest payment first.".to_owned()
        }];
        page.lead.extend(asks.clone());
        page.sections = vec![Section::new(
            "Units",
            self.unit_lines(typed, correction, &problems),
        )];
        let mut rest: Vec<Line> = vec![Line::Hidden("key".into(), typed.get("key").to_owned())];
        if asks.is_some() {
            rest.push(Line::Hidden("confirm".into(), "1".into()));
        }
        if self.orders.len() > 1 && !correction {
            let mut choices = vec![Choice::new("", "Not known")];
            choices.extend(self.orders.iter().map(|po| {
                let name = po.number.map_or_else(|| "draft".into(), purchase_number);
                Choice::new(po.id.to_string(), name)
            }));
            rest.push(
                Field::select("purchase_order", "Came on", choices)
                    .value(typed.get("purchase_order"))
                    .into(),
            );
        }
        let note = Field::text("note", "Note")
            .value(typed.get("note"))
            .max_length(500)
            .problems(&problems);
        rest.push(if correction {
            note.into()
        } else {
            note.optional().into()
        });
        page.sections.push(Section::new("About it", rest));
        page.submit = match (correction, asks.is_some()) {
            (_, true) => "Keep this count, it is right".to_owned(),
            (true, false) => "Keep the correction".to_owned(),
            (false, false) => "Keep this count".to_owned(),
        };
        page.problems = problems;
        page.answer()
    }

    fn unit_lines(&self, typed: &Typed, correction: bool, problems: &Problems) -> Vec<Line> {
        let least = (!correction).then(|| "0".to_owned());
        let field = |name: String, label: String, hint: String| {
            let value = typed.get(&name).to_owned();
            Field::input("number", name, label)
                .value(value)
                .hint(hint)
                .optional()
                .range(least.clone(), None)
                .problems(problems)
        };
        self.goods
            .iter()
            .enumerate()
            .map(|(at, goods)| {
                let row = &goods.stock;
                Line::Row(vec![
                    field(
                        format!("good.{at}"),
                        format!("{}, good", goods.name),
                        format!("{} so far, {} expected", row.good, row.awaited()),
                    )
                    .into(),
                    field(
                        format!("damaged.{at}"),
                        format!("{}, damaged", goods.name),
                        format!("{} so far", row.damaged),
                    )
                    .into(),
                ])
            })
            .collect()
    }
}
