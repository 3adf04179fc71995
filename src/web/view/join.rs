//! The join form and the page between it and paying.
//!
//! The way without JavaScript, in as few steps as the law leaves (domain section 4: seller, address, total, terms and a
//! button that pays are seen before paying):
//!
//! 1. `GET /c/{slug}` shows the form. It carries nothing of the visitor, so it can be served from memory.
//! 2. `POST /c/{slug}/orders` without `confirmed_total`: what is wrong is told on the same page with 422 and everything
//!    typed kept ([`JoinForm`] made from [`JoinInput`] and [`Problems`]); else [`ReviewPage`] with the exact total (200).
//!    `step=edit` shows the form again, filled in.
//! 3. `POST /c/{slug}/orders` with `confirmed_total` (minor units) and `form_key`: places the order, 303 to its payment.
//!    Had the total risen since, [`ReviewPage`] comes again with [`ReviewPage::changed`] set; a lower one is charged as it
//!    is. The same `form_key` again (double submit, back button) leads to the order it made.

use askama::Template;

use crate::domain::button::Words;

use super::time::{Day, grouped};
use super::{Asked, Choice, Field, FieldError, MoneyTable, Problems, Shell};

/// Everything the join form sends, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JoinInput {
    /// Option code and what was typed as its quantity (`qty_{sku}`), in any order.
    pub quantities: Vec<(String, String)>,
    /// `email`
    pub email: String,
    /// `name`
    pub name: String,
    /// `line1`
    pub line1: String,
    /// `line2`
    pub line2: String,
    /// `city`
    pub city: String,
    /// `region`
    pub region: String,
    /// `postal_code`
    pub postal_code: String,
    /// `country`, ISO 3166 code
    pub country: String,
    /// `delivery`: `one_parcel` or `as_available`
    pub delivery: String,
    /// `terms`: the version ticked, empty where it was not
    pub terms: String,
    /// `limit_step`: the index of the step it waits for, empty or 0 where it is in in any case
    pub limit_step: String,
}

impl JoinInput {
    /// What was typed as the quantity of an option.
    pub fn quantity(&self, sku: &str) -> &str {
        let mut found = self.quantities.iter().filter(|(s, _)| s == sku);
        found.next().map_or("", |(_, q)| q.as_str())
    }

    /// Name and value of every field, for the hidden fields of the review.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let quantities = self
            .quantities
            .iter()
            .filter(|(_, q)| !matches!(q.trim(), "" | "0"))
            .map(|(sku, q)| (format!("qty_{sku}"), q.clone()));
        let rest = [
            ("email", &self.email),
            ("name", &self.name),
            ("line1", &self.line1),
            ("line2", &self.line2),
            ("city", &self.city),
            ("region", &self.region),
            ("postal_code", &self.postal_code),
            ("country", &self.country),
            ("delivery", &self.delivery),
            ("terms", &self.terms),
            ("limit_step", &self.limit_step),
        ];
        quantities
            .chain(rest.map(|(name, value)| (name.to_owned(), value.clone())))
            .collect()
    }
}

/// One thing a shopper can choose.
#[derive(Clone, Debug)]
pub struct OptionRow {
    /// The option's code.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// Price at the step reached.
    pub price: String,
    /// Price at the next step, where there is one.
    pub price_next: Option<String>,
    /// Units ordered.
    pub committed: i64,
    /// Units left under its cap; none without one.
    pub available: Option<i64>,
    /// Orders on the waiting list that want it; none where there is no list.
    pub waiting: Option<i64>,
    /// Under so many units it is not made; none where it is made in any case, or that is decided.
    pub minimum: Option<i64>,
    /// Where it is not made: the units it came to, and those it needed.
    pub not_made: Option<(i64, i64)>,
    /// Most units for one shopper.
    pub per_shopper: Option<i64>,
    /// Exempt from withdrawal.
    pub made_to_order: bool,
}

impl OptionRow {
    /// Name of its field, and the field's id.
    pub fn field(&self) -> String {
        format!("qty_{}", self.sku)
    }

    /// Whether none is left for now.
    pub fn sold_out(&self) -> bool {
        self.available.is_some_and(|n| n <= 0)
    }

    /// "40 ordered"; "made if 20 are ordered, 16 so far"; "not made: 16 of 20 ordered".
    pub fn so_far(&self) -> String {
        let n = grouped(self.committed);
        match (self.not_made, self.minimum) {
            (Some((units, needed)), _) => {
                format!(
                    "not made: {} of {} ordered",
                    grouped(units),
                    grouped(needed)
                )
            }
            (None, Some(needed)) if self.committed < needed => {
                format!("made if {} are ordered, {n} so far", grouped(needed))
            }
            (None, Some(needed)) => format!("{n} ordered, of {} it needs", grouped(needed)),
            (None, None) => format!("{n} ordered"),
        }
    }

    /// ", made if 20 are ordered", of what is still to be offered; nothing where it is made in any case.
    pub fn condition(&self) -> String {
        let needed = self.minimum.map(grouped);
        needed.map_or_else(String::new, |n| format!(", made if {n} are ordered"))
    }

    /// "40 ordered, 60 left, at most 3 each".
    pub fn stock(&self) -> String {
        let mut parts = vec![self.so_far()];
        if let Some(n) = self.available.filter(|n| *n > 0) {
            parts.push(format!("{} left", grouped(n)));
        }
        match self.waiting {
            Some(1) => parts.push("1 person waits".to_owned()),
            Some(n) if n > 0 => parts.push(format!("{} people wait", grouped(n))),
            _ => {}
        }
        if let Some(n) = self.per_shopper {
            parts.push(format!("at most {} each", grouped(n)));
        }
        if self.made_to_order {
            parts.push("made to order, no withdrawal".to_owned());
        }
        parts.join(", ")
    }

    /// The most one may type.
    pub fn most(&self) -> Option<i64> {
        // Whoever may wait may ask for more than is there.
        let left = self.available.filter(|_| self.waiting.is_none());
        let most = match (left, self.per_shopper) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        most.map(|n| n.max(0))
    }
}

/// Who sells.
#[derive(Clone, Debug)]
pub struct Seller {
    /// Name the shop goes by.
    pub name: String,
    /// Under `/m/`.
    pub slug: String,
    /// Imprint: legal name and postal address, line by line. Empty where the seller has published none.
    pub imprint: Vec<String>,
}

/// The terms in force.
#[derive(Clone, Debug)]
pub struct TermsRef {
    /// Kept with the order.
    pub version: i64,
    /// Where they are read, in this very version.
    pub href: String,
}

/// The join form, filled in with what was typed.
#[derive(Clone, Debug, Template)]
#[template(path = "shop/join.html")]
pub struct JoinForm {
    /// `/c/{slug}/orders`
    pub action: String,
    /// What can be chosen, with what was typed and what is wrong with it.
    pub options: Vec<(OptionRow, String, Option<String>)>,
    /// What is wrong with the choice as a whole.
    pub choice_error: Option<String>,
    /// E-mail and name.
    pub who: Vec<Field>,
    /// Street and the line under it.
    pub street: Vec<Field>,
    /// Postal code, town, region.
    pub place: Vec<Field>,
    /// Country.
    pub country: Field,
    /// `as_available` was chosen.
    pub as_available: bool,
    /// Draws the choice of parcels.
    pub asks_delivery: bool,
    /// Who sells.
    pub seller: Seller,
    /// None where the seller has published no terms.
    pub terms: Option<TermsRef>,
    /// The box is ticked.
    pub terms_ticked: bool,
    /// Why it must be.
    pub terms_error: Option<String>,
    /// It is sold from left-over stock.
    pub from_stock: bool,
    /// What the next page shows, and what its button does.
    pub promise: String,
    /// What can be waited for, and whether it is chosen; empty where nothing can.
    pub limits: Vec<(Choice, bool)>,
    /// What is wrong with that choice.
    pub limit_error: Option<String>,
}

impl askama::filters::HtmlSafe for JoinForm {}

impl JoinForm {
    /// Whether something can be waited for: an option is sold out.
    fn may_wait(&self) -> bool {
        self.options
            .iter()
            .any(|(o, ..)| o.waiting.is_some() && o.sold_out())
    }

    /// Whether nothing can be ordered just now.
    fn none_left(&self) -> bool {
        !self.options.is_empty() && self.options.iter().all(|(option, ..)| option.sold_out())
    }

    /// Whether there is nothing to ask: all is taken, nobody can wait, and nobody has begun to type.
    fn all_taken(&self) -> bool {
        !self.options.is_empty()
            && !self.may_wait()
            && self.options.iter().all(|(option, ..)| option.sold_out())
            && self.who.iter().all(|field| field.value.is_empty())
    }
}

/// What a [`JoinForm`] is made from, besides what was typed.
#[derive(Clone, Debug)]
pub struct JoinOffer {
    /// The campaign's slug.
    pub slug: String,
    /// What can be chosen.
    pub options: Vec<OptionRow>,
    /// Countries it ships to: code and name.
    pub countries: Vec<Choice>,
    /// Who sells.
    pub seller: Seller,
    /// The terms in force.
    pub terms: Option<TermsRef>,
    /// It is sold from left-over stock.
    pub from_stock: bool,
    /// What the next page shows, and what its button does.
    pub promise: String,
    /// What can be waited for: indexes of steps, 0 for nothing; empty where nothing can.
    pub limits: Vec<Choice>,
}

impl JoinForm {
    /// The form for an offer. `problems` name fields as the form does (`qty_{sku}`, `email`...); `options` stands for the
    /// choice as a whole (nothing chosen).
    pub fn new(offer: JoinOffer, input: &JoinInput, problems: &Problems) -> Self {
        let text = |name: &str, label: &str, value: &str| {
            Field::text(name, label)
                .value(value)
                .max_length(200)
                .problems(problems)
        };
        let email = Field::input("email", "email", "E-mail")
            .value(&input.email)
            .hint("Your order's link goes there.")
            .autocomplete("email")
            .max_length(254)
            .problems(problems);
        let mut countries = offer.countries;
        if countries.len() > 1 {
            countries.insert(0, Choice::new("", "Choose a country"));
        }
        let limit = match input.limit_step.trim() {
            "" => "0",
            typed => typed,
        };
        let limits = offer.limits.into_iter().map(|choice| {
            let chosen = choice.value == limit;
            (choice, chosen)
        });
        let limits = limits.collect();
        let only_one = offer.options.len() == 1 && input.quantities.is_empty();
        let options = offer
            .options
            .into_iter()
            .map(|o| {
                let typed = match input.quantity(&o.sku) {
                    "" if only_one => "1",
                    "" => "0",
                    typed => typed,
                };
                let (typed, field) = (typed.to_owned(), o.field());
                (o, typed, problems.of(&field).map(str::to_owned))
            })
            .collect();
        Self {
            action: format!("/c/{}/orders", offer.slug),
            options,
            choice_error: problems.of("options").map(str::to_owned),
            who: vec![
                email,
                text("name", "Name", &input.name).autocomplete("name"),
            ],
            street: vec![
                text("line1", "Street and number", &input.line1).autocomplete("address-line1"),
                text("line2", "Flat, company, floor", &input.line2)
                    .autocomplete("address-line2")
                    .optional(),
            ],
            place: vec![
                text("postal_code", "Postal code", &input.postal_code)
                    .autocomplete("postal-code")
                    .optional(),
                text("city", "Town", &input.city).autocomplete("address-level2"),
                text("region", "Region", &input.region)
                    .autocomplete("address-level1")
                    .optional(),
            ],
            country: Field::select("country", "Ship to", countries)
                .value(&input.country)
                .autocomplete("country")
                .problems(problems),
            as_available: input.delivery == "as_available",
            asks_delivery: true,
            seller: offer.seller,
            terms_ticked: !input.terms.is_empty(),
            terms: offer.terms,
            terms_error: problems.of("terms").map(str::to_owned),
            from_stock: offer.from_stock,
            promise: offer.promise,
            limits,
            limit_error: problems.of("limit_step").map(str::to_owned),
        }
    }
}

/// The exact total, the seller, the terms, and the button that pays.
#[derive(Clone, Debug, Template)]
#[template(path = "shop/review.html")]
pub struct ReviewPage {
    /// Frame; `back` is the campaign's address, for this page is the answer to a POST.
    pub shell: Shell,
    /// The campaign's title.
    pub title: String,
    /// The campaign's slug.
    pub slug: String,
    /// The lines at the prices shown, shipping, tax, and the total.
    pub money: MoneyTable,
    /// The total as it is read: "$96.50".
    pub total: String,
    /// The total in minor units, sent back as `confirmed_total`.
    pub confirmed_total: i64,
    /// Set where the total rose since it was last shown: what it was.
    pub changed: Option<String>,
    /// It is sold from left-over stock: nothing is decided any more.
    pub from_stock: bool,
    /// What is paid now, and what later.
    pub asked: Asked,
    /// The lowest price that can still be reached is not the one shown.
    pub may_fall: bool,
    /// The threshold in words: "60 units", "$6,000.00".
    pub threshold: String,
    /// When it is judged.
    pub deadline: super::Moment,
    /// The promised ship date.
    pub ships_by: Day,
    /// Who sells.
    pub seller: Seller,
    /// The terms in force.
    pub terms: Option<TermsRef>,
    /// What the button says before the amount, in the shopper's language.
    pub button: Words,
    /// What is said of withdrawal, sentence by sentence.
    pub withdrawal: Vec<String>,
    /// Name and address, line by line.
    pub address: Vec<String>,
    /// Where the mails go.
    pub email: String,
    /// In one parcel, or as it becomes available.
    pub one_parcel: bool,
    /// Everything typed ([`JoinInput::pairs`]).
    pub fields: Vec<(String, String)>,
    /// Random, made for this rendering; the same one again is the same order.
    pub form_key: String,
    /// Set where it is what a waiting list offers.
    pub offer: Option<super::OfferPart>,
    /// What the provider or the room left said against it since.
    pub problems: Vec<FieldError>,
}

impl ReviewPage {
    /// Whether only a card is saved.
    fn is_saved(&self) -> bool {
        matches!(self.asked, Asked::Saved { .. })
    }

    /// What happens to the money, in a few sentences.
    fn lead(&self) -> String {
        if self.from_stock {
            return "Charged once you pay on the next page. The units are there and the price is settled: nothing has to \
                    come together any more."
                .to_owned();
        }
        let (total, threshold, day) = (&self.total, &self.threshold, self.deadline.day());
        let mut said = Vec::new();
        match &self.asked {
            Asked::Now => {
                said.push("Charged once you pay on the next page.".to_owned());
                if self.may_fall {
                    said.push(
                        "Should a lower price be reached by the deadline, the difference comes back in one refund."
                            .to_owned(),
                    );
                }
                said.push(format!(
                    "Should {threshold} not be paid for by then, all of it comes back."
                ));
            }
            Asked::Saved { waits_for } => {
                said.push(format!(
                    "Your card is saved now and charged only if it comes together, at most {total}, after {day}."
                ));
                if let Some(step) = waits_for {
                    said.push(format!(
                        "You are in only if {step} is reached; if not, your order is released and nothing is charged."
                    ));
                }
                if self.may_fall {
                    said.push("Should a lower price be reached, less is charged.".to_owned());
                }
                said.push(format!(
                    "Should fewer than {threshold} come together, nothing is charged and the card is not kept."
                ));
            }
            Asked::Deposit { now, later, .. } => {
                said.push(format!(
                    "You pay {now} now and {later} when the goods arrive; you are told 3 days ahead."
                ));
                if self.may_fall {
                    said.push("Should a lower price be reached, less is left to pay.".to_owned());
                }
                said.push(format!(
                    "Should {threshold} not come together by {day}, the deposit comes back."
                ));
            }
        }
        said.join(" ")
    }

    /// Symbols of the page.
    fn icons(&self) -> &'static str {
        let wrong = self.changed.is_some() || !self.problems.is_empty();
        match (self.offer.is_some(), wrong) {
            (true, true) => "alert clock lock",
            (true, false) => "clock lock",
            (false, true) => "alert lock",
            (false, false) => "lock",
        }
    }
}
