//! Staff change what an order is over, by the same rules as its shopper: how many of each, the difference, and the deed.
//! What costs more the shopper pays, or nothing changes.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::form::{FormPage, Line, Pairs, Section, Typed, sentence};
use super::guard::{Refusal, Staff};
use super::kit::{act as run, fact, id};
use crate::domain::ids::OrderId;
use crate::store::orders::{self, OrderRow};
use crate::web::order::new_key;
use crate::web::pages;
use crate::web::shop::quantity;
use crate::web::view::{Field, Link, Problems, grouped};
use crate::workflows::changes::{
    Came, Choice, Offer, Wish, change, choices, lines_said, preview, withdraw,
};
use crate::workflows::desk::{Problem, order_number};
use crate::workflows::money::say;

/// Mounts it.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/orders/{id}/change", web::get().to(ask))
        .route("/orders/{id}/change", web::post().to(work))
        .route("/orders/{id}/change/back", web::post().to(take_back));
}

/// One request about a change.
struct Case {
    staff: Staff,
    order: OrderRow,
}

impl Case {
    async fn of(staff: Staff, path: &str) -> Result<Self, Refusal> {
        staff.manages()?;
        let (merchant, order) = (staff.merchant.id, id::<OrderId>(path)?);
        let found = staff.office.read(move |conn| -> Result<_, Problem> {
            orders::by_id(conn, order)?
                .filter(|order| order.merchant_id == merchant)
                .ok_or(Problem::NotFound("order"))
        });
        let order = found.await?;
        Ok(Self { staff, order })
    }

    fn href(&self) -> String {
        format!("/admin/orders/{}", self.order.id)
    }

    fn frame(&self, title: String) -> FormPage {
        let href = self.href();
        let mut page = FormPage::new(self.staff.shell("orders"), title, format!("{href}/change"));
        page.crumbs = vec![
            Link::new("/admin/orders", "Orders"),
            Link::new(&href, order_number(self.order.number)),
        ];
        page.back = Some(Link::new(href, "Leave it as it is"));
        page
    }

    async fn choices(&self) -> Result<Vec<Choice>, Refusal> {
        let (id, now) = (self.order.id, self.staff.office.now());
        let found = self.staff.office.read(move |conn| choices(conn, id, now));
        found.await.map_err(|e| said(e).into())
    }

    /// The form, as it was typed or as the order is.
    async fn form(&self, typed: &Typed, problems: Problems) -> Result<HttpResponse, Refusal> {
        let number = order_number(self.order.number);
        let mut page = self.frame(format!("Change order {number}"));
        page.lead = vec![
            "The rules are the shopper's: what is there keeps its price, and of what grows the lower of that and the price \
             of the moment counts. The next page shows the difference; nothing changes before."
                .into(),
        ];
        page.facts = vec![
            fact("Shopper", self.order.name.clone()),
            fact("Costs now", self.money(self.order.total)),
        ];
        let fields = self.choices().await?.into_iter().map(|choice| {
            let name = format!("qty_{}", choice.sku);
            let value = if typed.ticked(&name) {
                typed.get(&name).to_owned()
            } else {
                choice.has.to_string()
            };
            Line::from(
                Field::text(name, choice.name.clone())
                    .hint(self.hint(&choice))
                    .inputmode("numeric")
                    .max_length(7)
                    .value(value)
                    .problems(&problems),
            )
        });
        page.sections = vec![Section::new("How many of each", fields.collect())];
        page.submit = "Show the difference".to_owned();
        page.problems = problems;
        Ok(page.answer())
    }

    fn money(&self, amount: i64) -> String {
        say(amount, &self.order.currency)
    }

    fn hint(&self, choice: &Choice) -> String {
        let shown = self.money(choice.shown);
        let mut hint = match choice.has {
            0 => format!("{shown} each"),
            has if choice.costs == choice.shown => {
                format!("{} ordered, {shown} each", grouped(has))
            }
            has => format!(
                "{} ordered, {} each; with more of it, {shown} each",
                grouped(has),
                self.money(choice.costs)
            ),
        };
        if let Some(most) = choice.most {
            hint = format!("{hint}; {} at most", grouped(most));
        }
        hint
    }

    /// What a form asks for; else what is wrong with it, at its fields.
    fn lines(typed: &Typed, choices: &[Choice]) -> Result<Vec<(String, i64)>, Problems> {
        let (mut lines, mut problems) = (Vec::new(), Problems::default());
        for choice in choices {
            let name = format!("qty_{}", choice.sku);
            match quantity(typed.get(&name)) {
                Ok(n) => lines.push((choice.sku.clone(), n)),
                Err(why) => problems.add(name, why),
            }
        }
        if problems.is_empty() {
            Ok(lines)
        } else {
            Err(problems)
        }
    }

    /// The difference, before the button that makes the change. `before`: the total when it was last shown.
    async fn review(
        &self,
        typed: &Typed,
        lines: &[(String, i64)],
        before: Option<i64>,
    ) -> Result<HttpResponse, Refusal> {
        let (id, now, wanted) = (self.order.id, self.staff.office.now(), lines.to_vec());
        let found = self
            .staff
            .office
            .read(move |conn| preview(conn, id, &wanted, now));
        let offer = match found.await {
            Ok(offer) if offer.is_nothing() => {
                return self
                    .form(typed, at(lines, "This is what is ordered already."))
                    .await;
            }
            Ok(offer) => match offer.may_be_made_for_the_shopper() {
                Ok(()) => offer,
                Err(e) => return self.refused(typed, lines, e).await,
            },
            Err(e) => return self.refused(typed, lines, e).await,
        };
        let (mut page, status) = (self.review_page(lines, &offer), before.is_some());
        if let Some(before) = before {
            page.lead.insert(
                0,
                format!(
                    "The total has changed since you last saw it: it was {}. Nothing was done; look at it again.",
                    self.money(before)
                ),
            );
        }
        let status = if status {
            StatusCode::CONFLICT
        } else {
            StatusCode::OK
        };
        Ok(pages::private(status, &page))
    }

    fn review_page(&self, lines: &[(String, i64)], offer: &Offer) -> FormPage {
        let (was, total) = (offer.before.total, offer.wanted.quote.total);
        let title = match total - was {
            0 => "The same total".to_owned(),
            more if more > 0 => format!("{} more", self.money(more)),
            less => format!("{} less", self.money(-less)),
        };
        let mut page = self.frame(title);
        let currency = self.order.currency.as_str();
        page.facts = vec![
            fact("Is over", offer.before.said(currency).join("; ")),
            fact("Costs", self.money(was)),
            fact(
                "Will be over",
                lines_said(&offer.wanted, currency).join("; "),
            ),
            fact("Will cost", self.money(total)),
        ];
        let moved = offer.moved;
        let mut submit = "Change the order".to_owned();
        page.lead = vec![if moved.pay > 0 {
            let pay = self.money(moved.pay);
            page.facts.push(fact("To pay now", pay.clone()));
            submit = format!("Ask the shopper for {pay}");
            format!(
                "The shopper gets a letter with the way to pay {pay}. The units are kept meanwhile; if it is not paid, the \
                 order stays as it is."
            )
        } else if moved.back > 0 {
            let back = self.money(moved.back);
            page.facts.push(fact("Goes back", back.clone()));
            submit = format!("Change the order, {back} goes back");
            "It takes effect at once. The shopper is told by mail.".to_owned()
        } else {
            "Nothing is to be paid now: it takes effect at once. The shopper is told by mail."
                .to_owned()
        }];
        if moved.owed > 0 {
            page.facts
                .push(fact("Collected later, at most", self.money(moved.owed)));
        }
        let hidden = |name: String, value: String| Line::Hidden(name, value);
        let mut all: Vec<Line> = lines
            .iter()
            .map(|(sku, n)| hidden(format!("qty_{sku}"), n.to_string()))
            .collect();
        all.push(hidden("agreed_total".into(), total.to_string()));
        all.push(hidden("form_key".into(), new_key()));
        all.push(Line::Text("Agree on it with the shopper first.".into()));
        all.push(Line::Button("edit".into(), "Change something".into()));
        page.sections = vec![Section::new("Sure?", all)];
        page.submit = submit;
        page
    }

    async fn agree(
        &self,
        typed: &Typed,
        lines: Vec<(String, i64)>,
        agreed: i64,
    ) -> Result<HttpResponse, Refusal> {
        let wish = Wish {
            order: self.order.id,
            lines: lines.clone(),
            agreed_total: Some(agreed),
            form_key: typed
                .some("form_key")
                .filter(|key| key.len() <= 64)
                .map(|key| format!("panel:{key}")),
            by: Some(self.staff.name()),
        };
        let f = move |desk: &crate::workflows::desk::Desk, tx: &mut crate::store::Tx| {
            change(desk, tx, &wish)
        };
        match self.staff.office.write(f).await {
            Ok(Came::Done) => self.staff.done("The order is changed; the shopper is told.", &self.href()),
            Ok(Came::ToPay) => self.staff.done(
                "The shopper has a letter with the way to pay. Until then the order stays as it is.",
                &self.href(),
            ),
            Ok(Came::Nothing) => {
                self.form(typed, at(&lines, "This is what is ordered already.")).await
            }
            Err(Problem::Conflict { kind: "price-changed", .. }) => {
                self.review(typed, &lines, Some(agreed)).await
            }
            Err(e) => self.refused(typed, &lines, e).await,
        }
    }

    /// What was wished cannot be: the form again, where another wish may help.
    async fn refused(
        &self,
        typed: &Typed,
        lines: &[(String, i64)],
        problem: Problem,
    ) -> Result<HttpResponse, Refusal> {
        let problems = match problem {
            Problem::Conflict {
                kind: "sold-out" | "limit-per-shopper" | "shopper-must-agree",
                message,
            } => at(lines, &message),
            Problem::Invalid(errors) => {
                let mut problems = Problems::default();
                for error in errors {
                    let index = error.field.strip_prefix("lines[");
                    let index =
                        index.and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
                    let line = lines.get(index.unwrap_or(0));
                    let field = line.map_or_else(String::new, |(sku, _)| format!("qty_{sku}"));
                    problems.add(field, sentence(&error.message));
                }
                problems
            }
            other => return Err(said(other).into()),
        };
        self.form(typed, problems).await
    }
}

/// Option codes and quantities that a form names.
fn named(typed: &Typed) -> Vec<(String, i64)> {
    let all = typed.below("qty_");
    all.filter_map(|(sku, n)| Some((sku.to_owned(), n.parse().ok()?)))
        .collect()
}

/// What is wrong with the choice as a whole, at its first field.
fn at(lines: &[(String, i64)], what: &str) -> Problems {
    let mut problems = Problems::default();
    let first = lines.first();
    problems.add(
        first.map_or_else(String::new, |(sku, _)| format!("qty_{sku}")),
        what,
    );
    problems
}

/// A refusal in words for staff; the workflow's speak to the shopper.
fn said(problem: Problem) -> Problem {
    let Problem::Conflict { kind, message } = problem else {
        return problem;
    };
    let message = match kind {
        "order-not-paid" => "This order is not paid yet. It can be changed once it is.".to_owned(),
        "order-ended" => "This order has ended.".to_owned(),
        "order-waits" => "This order waits for units and is not placed yet.".to_owned(),
        "order-sent-to-supplier" => {
            "The supplier's order was sent. Units that will not be shipped can be refunded on the order's page.".to_owned()
        }
        "batch-judged" | "campaign-closed" => {
            "Its batch is judged, or joining has ended. The order can be cancelled, or a part refunded, on its page.".to_owned()
        }
        "change-under-way" => {
            "A change of this order waits for its payment. It is shown on the order's page; it has to be paid or taken back \
             before another one."
                .to_owned()
        }
        _ => message,
    };
    Problem::Conflict { kind, message }
}

/// `GET /admin/orders/{id}/change`
pub async fn ask(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let case = Case::of(staff, &path).await?;
    case.form(&Typed::default(), Problems::default()).await
}

/// `POST /admin/orders/{id}/change`: first the difference, then, with it agreed to, the change.
pub async fn work(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    let case = Case::of(staff, &path).await?;
    let typed = Typed::from(form.into_inner());
    if typed.get("do") == "edit" {
        return case.form(&typed, Problems::default()).await;
    }
    let agreed = typed.get("agreed_total").parse().ok();
    // A form that was sent twice finds the order changed already; what it names is taken as it is.
    let choices = match (case.choices().await, agreed) {
        (Ok(choices), _) => choices,
        (Err(_), Some(agreed)) => return case.agree(&typed, named(&typed), agreed).await,
        (Err(e), None) => return Err(e),
    };
    let lines = match Case::lines(&typed, &choices) {
        Ok(lines) => lines,
        Err(problems) => return case.form(&typed, problems).await,
    };
    match agreed {
        None => case.review(&typed, &lines, None).await,
        Some(agreed) => case.agree(&typed, lines, agreed).await,
    }
}

/// `POST /admin/orders/{id}/change/back`: a change that staff asked for and that is not paid yet is taken back.
pub async fn take_back(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let case = Case::of(staff, &path).await?;
    let (order, name) = (case.order.id, case.staff.name());
    let f = move |_: &crate::workflows::desk::Desk, tx: &mut crate::store::Tx| {
        withdraw(tx, order, &name)
    };
    let said = "The change is taken back; the order stays as it is.";
    run(&case.staff, f, said, &case.href()).await
}
