//! Staff change what an order is over and where it goes, by the same rules as its shopper: the form, the difference, and the deed.
//! What costs more the shopper pays, or nothing changes.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::addresses::parcel_lines;
use super::form::{FormPage, Line, Pairs, Section, Typed, sentence};
use super::guard::{Refusal, Staff};
use super::kit::{act as run, fact, id};
use crate::domain::ids::OrderId;
use crate::domain::order::Delivery;
use crate::store::orders::{self, OrderRow};
use crate::web::order::{country_choices, is_of_address, new_key, pairs_of, shown_of, typed_of};
use crate::web::pages;
use crate::web::shop::quantity;
use crate::web::view::{Field, Link, Problems, grouped};
use crate::workflows::change::{Destination, Typed as Address};
use crate::workflows::changes::{
    Came, Choice, Offer, Shown, Wish, change, choices, lines_said, preview, withdraw,
};
use crate::workflows::desk::{Problem, order_number};
use crate::workflows::letters::parcels_said;
use crate::workflows::money::say;

/// Mounts it.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/orders/{id}/change", web::get().to(ask))
        .route("/orders/{id}/change", web::post().to(work))
        .route("/orders/{id}/change/back", web::post().to(take_back));
}

/// One request about a change.
pub(super) struct Case {
    staff: Staff,
    order: OrderRow,
}

impl Case {
    pub(super) async fn of(staff: Staff, path: &str) -> Result<Self, Refusal> {
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
        let is = Address::of(&self.order)?;
        let was = shown_of(&is);
        let address = address_of(typed).unwrap_or(is);
        let delivery = typed.some("delivery");
        let mut lines = parcel_lines(
            &address,
            country_choices(&self.order)?,
            delivery.unwrap_or(self.order.delivery.as_str()),
            &problems,
        );
        lines.push(Line::Hidden("address_was".to_owned(), was));
        page.sections.push(
            Section::new("Where it goes", lines)
                .text("Leave it as it is, or let it go elsewhere in the same change."),
        );
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
    fn wish(&self, typed: &Typed, choices: &[Choice]) -> Result<Wish, Problems> {
        let (mut lines, mut problems) = (Vec::new(), Problems::default());
        for choice in choices {
            let name = format!("qty_{}", choice.sku);
            match quantity(typed.get(&name)) {
                Ok(n) => lines.push((choice.sku.clone(), n)),
                Err(why) => problems.add(name, why),
            }
        }
        if problems.is_empty() {
            Ok(self.wished(typed, lines))
        } else {
            Err(problems)
        }
    }

    /// What a form asks for, with these lines; the lines stay where it names none.
    fn wished(&self, typed: &Typed, lines: Vec<(String, i64)>) -> Wish {
        let names_lines = typed.below("qty_").next().is_some();
        let key = typed.some("form_key").filter(|key| key.len() <= 64);
        Wish {
            lines: names_lines.then_some(lines),
            address: address_of(typed),
            delivery: typed.get("delivery").parse::<Delivery>().ok(),
            shown: typed.some("shown").and_then(Shown::read),
            form_key: key.map(|key| format!("panel:{key}")),
            by: Some(self.staff.name()),
            ..Wish::of(self.order.id)
        }
    }

    async fn preview(&self, wish: &Wish) -> Result<Offer, Problem> {
        let (wish, now) = (wish.clone(), self.staff.office.now());
        let found = self
            .staff
            .office
            .read(move |conn| preview(conn, &wish, now));
        found.await
    }

    /// What the form of an address leads to where it names another country: the difference, where there is one; none where it
    /// is a correction, or nothing can be priced any more.
    pub(super) async fn priced(&self, typed: &Typed) -> Result<Option<HttpResponse>, Problem> {
        let wish = self.wished(typed, Vec::new());
        let offer = match self.preview(&wish).await {
            Ok(offer) if offer.is_correction() || offer.is_nothing() => return Ok(None),
            Ok(offer) => offer,
            Err(Problem::Conflict { .. }) => return Ok(None),
            Err(e) => return Err(e),
        };
        match offer.may_be_made_for_the_shopper() {
            Ok(()) => {}
            Err(Problem::Conflict { message, .. }) => {
                return Err(Problem::field("country", message));
            }
            Err(e) => return Err(e),
        }
        Ok(Some(pages::private(
            StatusCode::OK,
            &self.review_page(&wish, &offer)?,
        )))
    }

    /// The difference, before the button that makes the change; what costs the same is done at once. `before`: what was shown
    /// when it was last looked at.
    async fn review(
        &self,
        typed: &Typed,
        wish: Wish,
        before: Option<Shown>,
    ) -> Result<HttpResponse, Refusal> {
        let offer = match self.preview(&wish).await {
            Ok(offer) if offer.is_nothing() => {
                return self
                    .form(typed, at(&wish, "This is what is ordered already."))
                    .await;
            }
            Ok(offer) if offer.is_correction() => {
                let shown = Some(offer.shown());
                return self.agree(typed, Wish { shown, ..wish }).await;
            }
            Ok(offer) => match offer.may_be_made_for_the_shopper() {
                Ok(()) => offer,
                Err(e) => return self.refused(typed, &wish, e).await,
            },
            Err(e) => return self.refused(typed, &wish, e).await,
        };
        let mut page = self.review_page(&wish, &offer)?;
        let Some(before) = before else {
            return Ok(pages::private(StatusCode::OK, &page));
        };
        let mut lead = before.moved(&offer);
        lead.push("Nothing was done; look at it again.".to_owned());
        lead.append(&mut page.lead);
        page.lead = lead;
        Ok(pages::private(StatusCode::CONFLICT, &page))
    }

    fn review_page(&self, wish: &Wish, offer: &Offer) -> Result<FormPage, Problem> {
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
        page.facts.extend(self.parcel_facts(offer));
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
        let lines = wish.lines.iter().flatten();
        let mut all: Vec<Line> = lines
            .map(|(sku, n)| hidden(format!("qty_{sku}"), n.to_string()))
            .collect();
        let address = wish.address.iter().flat_map(pairs_of);
        all.extend(address.map(|(name, value)| hidden(name.into(), value.into())));
        if let Some(delivery) = wish.delivery {
            all.push(hidden("delivery".into(), delivery.to_string()));
        }
        all.push(hidden("shown".into(), offer.shown().written()?));
        all.push(hidden("form_key".into(), new_key()));
        all.push(Line::Text("Agree on it with the shopper first.".into()));
        all.push(Line::Button("edit".into(), "Change something".into()));
        page.sections = vec![Section::new("Sure?", all)];
        page.submit = submit;
        Ok(page)
    }

    /// Where it goes, how, and what shipping and tax are there, as far as that changes.
    fn parcel_facts(&self, offer: &Offer) -> super::kit::Facts {
        let mut facts = Vec::new();
        if let Some(to) = &offer.goes_to {
            let here = Destination::of(&self.order).map(|here| here.lines().join(", "));
            facts.push(fact("Goes to", here.unwrap_or_default()));
            facts.push(fact("Will go to", to.lines().join(", ")));
        }
        if offer.abroad().is_some() {
            let (was, is) = (&offer.agreed.quote, &offer.wanted.quote);
            facts.push(fact("Shipping", self.moves(was.shipping, is.shipping)));
            facts.push(fact("Tax", self.moves(was.tax(), is.tax())));
        }
        if let Some(delivery) = offer.delivery {
            facts.push(fact("Parcels", parcels_said(delivery)));
        }
        facts
    }

    fn moves(&self, was: i64, is: i64) -> String {
        format!("{}, before {}", self.money(is), self.money(was))
    }

    async fn agree(&self, typed: &Typed, wish: Wish) -> Result<HttpResponse, Refusal> {
        let asked = wish.clone();
        let f = move |desk: &crate::workflows::desk::Desk, tx: &mut crate::store::Tx| {
            change(desk, tx, &asked)
        };
        match self.staff.office.write(f).await {
            Ok(Came::Done) => self.staff.done("The order is changed; the shopper is told.", &self.href()),
            Ok(Came::ToPay) => self.staff.done(
                "The shopper has a letter with the way to pay. Until then the order stays as it is.",
                &self.href(),
            ),
            Ok(Came::Nothing) => {
                self.form(typed, at(&wish, "This is what is ordered already.")).await
            }
            Err(Problem::Conflict { kind: "price-changed", .. }) => {
                let (before, wish) = (wish.shown.clone(), Wish { shown: None, ..wish });
                Box::pin(self.review(typed, wish, before)).await
            }
            Err(e) => self.refused(typed, &wish, e).await,
        }
    }

    /// What was wished cannot be: the form again, where another wish may help.
    async fn refused(
        &self,
        typed: &Typed,
        wish: &Wish,
        problem: Problem,
    ) -> Result<HttpResponse, Refusal> {
        let lines = wish.lines.as_deref().unwrap_or_default();
        let problems = match problem {
            Problem::Conflict {
                kind: "sold-out" | "limit-per-shopper" | "shopper-must-agree",
                message,
            } => at(wish, &message),
            Problem::Invalid(errors) => {
                let mut problems = Problems::default();
                for error in errors {
                    if is_of_address(&error.field) {
                        problems.add(error.field, sentence(&error.message));
                        continue;
                    }
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

/// The address that a form names, if it asks for one.
fn address_of(typed: &Typed) -> Option<Address> {
    let asked = typed.ticked("line1");
    let address = asked.then(|| typed_of(|name| typed.get(name).to_owned()));
    address.filter(|address| shown_of(address) != typed.get("address_was"))
}

/// What is wrong with the choice as a whole, at its first field.
fn at(wish: &Wish, what: &str) -> Problems {
    let mut problems = Problems::default();
    let first = wish.lines.iter().flatten().next();
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
    let agreed = typed.some("shown").and_then(Shown::read).is_some();
    // A form that was sent twice finds the order changed already; what it names is taken as it is.
    let wish = match case.choices().await {
        Ok(_) if typed.below("qty_").next().is_none() => case.wished(&typed, Vec::new()),
        Ok(choices) => match case.wish(&typed, &choices) {
            Ok(wish) => wish,
            Err(problems) => return case.form(&typed, problems).await,
        },
        Err(_) if agreed => case.wished(&typed, named(&typed)),
        Err(e) => return Err(e),
    };
    if agreed {
        case.agree(&typed, wish).await
    } else {
        case.review(&typed, wish, None).await
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
