//! A campaign's form, drawn.

use chrono::{NaiveDate, NaiveDateTime};

use crate::domain::currency::Currency;
use crate::domain::draft::{
    MAX_DESCRIPTION, MAX_OPTION_NAME, MAX_OPTIONS, MAX_SKU, MAX_SUPPLIERS, MAX_TITLE,
};
use crate::store::merchants::SupplierRow;
use crate::web::view::{Choice, Control, Day, Field, Problems};

use super::form::{Line, Section, Typed};
use super::offer_form::{Locks, MAX_ROWS};

/// Why a field is locked.
const ORDERED: &str = "Locked after the first order: shoppers joined on it.";
const PUBLISHED: &str = "Fixed at publication.";

/// The form's lines, made from what was typed.
pub struct OfferForm<'a> {
    /// What was typed.
    pub typed: &'a Typed,
    /// What is wrong.
    pub problems: &'a Problems,
    /// What can't be changed.
    pub locks: Locks,
    /// Options that were sold by the time it was locked.
    pub kept_options: usize,
    /// Whom the merchant buys from.
    pub suppliers: &'a [SupplierRow],
}

impl OfferForm<'_> {
    /// All of it.
    pub fn sections(&self) -> Vec<Section> {
        vec![
            self.words(),
            self.dates(),
            self.threshold(),
            self.paying(),
            self.steps(),
            self.options(),
            self.suppliers(),
            self.shipping(),
            self.tax(),
        ]
    }

    fn field(&self, field: Field) -> Line {
        let typed = self.typed.get(&field.name).to_owned();
        field.value(typed).problems(self.problems).into()
    }

    /// A field that is drawn without a way to change it, where it is locked.
    fn lockable(&self, field: Field, locked: bool, why: &str) -> Line {
        if !locked {
            return self.field(field);
        }
        let value = self.typed.get(&field.name);
        // A choice is shown in its words, a date as it is read.
        let shown = match &field.control {
            Control::Select(choices) => choices
                .iter()
                .find(|c| c.value == value)
                .map(|c| c.label.clone()),
            Control::Input("date") => NaiveDate::parse_from_str(value, "%Y-%m-%d")
                .ok()
                .map(|day| Day(day).text()),
            Control::Input("datetime-local") => ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
                .iter()
                .find_map(|form| NaiveDateTime::parse_from_str(value, form).ok())
                .map(|at| at.format("%-d %B %Y, %H:%M").to_string()),
            _ => None,
        };
        let shown = shown.unwrap_or_else(|| value.to_owned());
        Line::Locked(field.name, field.label, shown, why.to_owned())
    }

    fn words(&self) -> Section {
        let published = self.locks.published;
        let currencies = Currency::all()
            .map(|c| Choice::new(c.code(), c.iso()))
            .collect();
        let limit = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Section::new(
            "What it is",
            vec![
                self.field(Field::text("title", "Title").max_length(limit(MAX_TITLE))),
                self.lockable(
                    Field::text("slug", "Address")
                        .hint("The last part of its web address; made of the title where you leave it empty.")
                        .max_length(80)
                        .optional(),
                    published,
                    "Fixed at publication: links to it are out.",
                ),
                self.field(
                    Field::area("description", "Description", 12)
                        .hint("Markdown. What you get, how it is made, what comes in the parcel.")
                        .max_length(limit(MAX_DESCRIPTION))
                        .optional(),
                ),
                Line::Button("preview".into(), "Show how it reads".into()),
                Line::Row(vec![
                    self.lockable(Field::select("currency", "Currency", currencies), published, PUBLISHED),
                    self.lockable(
                        Field::text("time_zone", "Time zone").hint("Such as Europe/Berlin. Its days begin and end there."),
                        published,
                        PUBLISHED,
                    ),
                ]),
            ],
        )
    }

    /// Whether it asks first who would buy.
    fn asks(&self) -> Line {
        let on = self.typed.ticked("interest");
        if self.locks.published {
            return Line::Text(match on {
                true => "It asked first who would buy.".into(),
                false => "It was published without asking first who would buy.".into(),
            });
        }
        Line::Tick(
            "interest".into(),
            "Ask first who would buy".into(),
            on,
            "Publishing it shows a page without money: shoppers say how many, and up to what price. You open it later, or it \
             opens at the time below."
                .into(),
        )
    }

    fn dates(&self) -> Section {
        let ordered = self.locks.ordered;
        Section::new(
            "Dates",
            vec![
                self.asks(),
                Line::Row(vec![
                    self.lockable(
                        Field::input("datetime-local", "opens_at", "Opens")
                            .hint("Empty: as soon as it is published.")
                            .optional(),
                        self.locks.opened,
                        "It has opened.",
                    ),
                    self.lockable(
                        Field::input("datetime-local", "deadline", "Deadline"),
                        self.locks.deadline,
                        "Published. It moves by extending, once.",
                    ),
                ]),
                Line::Row(vec![
                    self.lockable(
                        Field::input("date", "promised_ship_date", "Promised ship date")
                            .hint("With the carrier by the end of this day."),
                        ordered,
                        ORDERED,
                    ),
                    self.lockable(
                        Field::input("date", "stop_loss_date", "Stop-loss date")
                            .hint("What is not shipped by the end of this day is refunded without being asked."),
                        ordered,
                        ORDERED,
                    ),
                    self.lockable(
                        Field::input("number", "handling_days", "Handling days")
                            .hint("From the supplier's arrival to the carrier.")
                            .range(Some("0".into()), Some("60".into()))
                            .optional(),
                        ordered,
                        ORDERED,
                    ),
                ]),
            ],
        )
        .text("Times are of the campaign's zone. Now, deadline, promised ship date, stop-loss date: in this order.")
    }

    fn threshold(&self) -> Section {
        let ordered = self.locks.ordered;
        let kinds = vec![
            Choice::new("units", "Units"),
            Choice::new("amount", "Goods value"),
        ];
        let triggers = vec![
            Choice::new("at_deadline", "At the deadline"),
            Choice::new("at_threshold", "As soon as the threshold is paid"),
        ];
        let further = vec![
            Choice::new("", "Joining ends: there is one batch"),
            Choice::new(
                "1",
                "Further batches until the deadline, each with its own price and threshold",
            ),
        ];
        let policies = vec![
            Choice::new("ftc", "By the FTC's rule (16 CFR 435)"),
            Choice::new("ask_always", "Silence never agrees"),
        ];
        Section::new(
            "When it goes ahead",
            vec![
                Line::Row(vec![
                    self.lockable(Field::select("threshold.kind", "Threshold in", kinds), ordered, ORDERED),
                    self.lockable(
                        Field::text("threshold.target", "Threshold")
                            .hint("Units, or an amount such as 2500.00.")
                            .inputmode("decimal"),
                        ordered,
                        ORDERED,
                    ),
                ]),
                Line::Row(vec![
                    self.lockable(Field::select("trigger", "Judged", triggers), ordered, ORDERED),
                    self.lockable(
                        Field::select("delay_policy", "If a date slips", policies),
                        ordered,
                        ORDERED,
                    ),
                ]),
                self.lockable(
                    Field::select("late_joins", "After that", further)
                        .hint("Further batches need it to be judged as soon as the threshold is paid."),
                    ordered,
                    ORDERED,
                ),
            ],
        )
        .text("If the threshold is missed at the deadline, everybody gets everything back that was paid.")
    }

    fn paying(&self) -> Section {
        let ordered = self.locks.ordered;
        let modes = vec![
            Choice::new(
                "charge_now",
                "At joining: all of it; the difference, or everything, goes back",
            ),
            Choice::new(
                "charge_on_success",
                "On success: a card is saved, and charged only if it comes together",
            ),
            Choice::new(
                "deposit",
                "Deposit: a part at joining, the rest when the goods arrive",
            ),
        ];
        let unpaid = vec![
            Choice::new("returned", "It goes back to the shopper"),
            Choice::new("kept", "You keep it"),
        ];
        Section::new(
            "How shoppers pay",
            vec![
                self.lockable(Field::select("payment_mode", "Payment", modes), ordered, ORDERED),
                Line::Row(vec![
                    self.lockable(
                        Field::input("number", "deposit_percent", "Deposit, percent")
                            .hint("Of the total, 1 to 99. Only with a deposit.")
                            .range(Some("1".into()), Some("99".into()))
                            .optional(),
                        ordered,
                        ORDERED,
                    ),
                    self.lockable(
                        Field::select(
                            "deposit_unpaid",
                            "A deposit whose rest is never paid",
                            unpaid,
                        )
                        .hint("Shoppers read it before they join. Only with a deposit."),
                        ordered,
                        ORDERED,
                    ),
                ]),
            ],
        )
        .text(
            "With saved cards some will be declined: their holders have 7 days to pay in another way, and shoppers may \
             join only if a price is reached. A rest is told 3 days ahead and charged once the goods are there.",
        )
    }

    fn step_count(&self) -> usize {
        self.typed.rows_up_to("steps", MAX_ROWS).max(1)
    }

    fn steps(&self) -> Section {
        let mut lines = vec![];
        let mut row = vec![];
        for step in 0..self.step_count() {
            let name = format!("steps.{step}");
            let label = format!("Step {}: from units", step + 1);
            let field = Field::text(name, label).inputmode("numeric");
            row.push(self.lockable(field, self.locks.ordered, ORDERED));
        }
        lines.push(Line::Row(row));
        if !self.locks.ordered {
            for step in 1..self.step_count() {
                let label = format!("Remove step {}", step + 1);
                lines.push(Line::Button(format!("remove-step.{step}"), label));
            }
            lines.push(Line::Button("add-step".into(), "Add a step".into()));
        }
        Section::new("Price steps", lines)
            .text("From how many units a price holds, rising; the first is 1. Everybody pays the last step reached.")
    }

    fn options(&self) -> Section {
        let mut lines = vec![];
        let count = self.typed.rows_up_to("options", MAX_OPTIONS + 1).max(1);
        for row in 0..count {
            lines.push(Line::Group(
                format!("Option {}", row + 1),
                self.option(row, count),
            ));
        }
        lines.push(Line::Button("add-option".into(), "Add an option".into()));
        let section = Section::new("Options", lines);
        if self.locks.ordered {
            section
                .text("After the first order: options may be added, caps raised, prices lowered.")
        } else {
            section.text("What a shopper can choose, with its price at each step. A price never rises from step to step.")
        }
    }

    fn option(&self, row: usize, count: usize) -> Vec<Line> {
        let name = |part: &str| format!("options.{row}.{part}");
        let limit = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let kept = self.locks.ordered && row < self.kept_options;
        let code = Field::text(name("sku"), "Code")
            .hint("Your name for the article.")
            .max_length(limit(MAX_SKU));
        let sku = self.lockable(code, kept, "Sold: it stays.");
        let mut prices = vec![];
        for step in 0..self.step_count() {
            let from = self.typed.get(&format!("steps.{step}")).trim();
            let label = if from.is_empty() {
                format!("Price at step {}", step + 1)
            } else {
                format!("Price from {from}")
            };
            let field = Field::text(name(&format!("prices.{step}")), label);
            prices.push(self.field(field.inputmode("decimal")));
        }
        let count_field = |part: &str, label: &str, hint: &str| {
            let field = Field::text(name(part), label)
                .inputmode("numeric")
                .optional();
            self.field(if hint.is_empty() {
                field
            } else {
                field.hint(hint)
            })
        };
        let mut lines = vec![
            Line::Row(vec![
                sku,
                self.field(Field::text(name("name"), "Name").max_length(limit(MAX_OPTION_NAME))),
            ]),
            Line::Row(prices),
            Line::Row(vec![
                count_field(
                    "minimum",
                    "Minimum",
                    "With fewer paid it is not made, and refunded.",
                ),
                count_field("cap", "Cap", "Most units sold."),
                count_field("per_shopper", "Per shopper", "Most units for one."),
                count_field("weight_grams", "Weight", "Grams."),
            ]),
            Line::Tick(
                name("made_to_order"),
                "Exempt from withdrawal".into(),
                self.typed.ticked(&name("made_to_order")),
                "Made to the shopper's order, for example. Shoppers read it before they join. This is not legal advice."
                    .into(),
            ),
        ];
        if kept {
            let value = self.typed.get(&name("sku")).to_owned();
            lines.push(Line::Hidden(name("sku"), value));
        }
        if count > 1 && !kept {
            let label = format!("Remove option {}", row + 1);
            lines.push(Line::Button(format!("remove-option.{row}"), label));
        }
        lines
    }

    fn suppliers(&self) -> Section {
        let mut lines = vec![];
        let filled = self.typed.rows_up_to("supplier_ids", MAX_SUPPLIERS);
        for row in 0..(filled + 1).min(MAX_SUPPLIERS) {
            let mut choices = vec![Choice::new("", "None")];
            let known = self
                .suppliers
                .iter()
                .map(|s| Choice::new(s.id.to_string(), &s.name));
            choices.extend(known);
            let label = if row == 0 { "Asked first" } else { "Backup" };
            lines.push(
                self.field(
                    Field::select(
                        format!("supplier_ids.{row}"),
                        format!("{label} ({})", row + 1),
                        choices,
                    )
                    .optional(),
                ),
            );
        }
        lines.push(
            self.field(
                Field::input("number", "safety_percent", "Safety units, percent")
                    .hint("Bought on top of the paid ones, rounded up.")
                    .range(Some("0".into()), Some("50".into()))
                    .optional(),
            ),
        );
        Section::new("Suppliers", lines).text(
            "The best first. The purchase order goes out by itself as soon as nothing blocks it.",
        )
    }

    fn shipping(&self) -> Section {
        let mut lines = vec![];
        let count = self.typed.rows_up_to("shipping", MAX_ROWS).max(1);
        for row in 0..count {
            lines.push(Line::Row(vec![
                self.field(
                    Field::text(format!("shipping.{row}.countries"), "Countries")
                        .hint("Codes such as DE, AT; * is every other country."),
                ),
                self.field(
                    Field::text(
                        format!("shipping.{row}.price"),
                        "Price of one order's shipping",
                    )
                    .hint("0 is free.")
                    .inputmode("decimal"),
                ),
                self.field(
                    Field::area(
                        format!("shipping.{row}.bands"),
                        "Larger orders pay on top",
                        3,
                    )
                    .hint(
                        "By weight or by units, one band a line: 2 kg: 0, 10 kg: 4.50, more: 9. \
                             Without \"more\" larger orders are not shipped.",
                    )
                    .optional(),
                ),
            ]));
            if count > 1 && !self.locks.ordered {
                let label = format!("Remove rule {}", row + 1);
                lines.push(Line::Button(format!("remove-shipping.{row}"), label));
            }
        }
        lines.push(Line::Button(
            "add-shipping".into(),
            "Add a shipping rule".into(),
        ));
        let section = Section::new("Shipping", lines);
        if self.locks.ordered {
            section
                .text("After the first order prices of shipping may be lowered, and nothing else.")
        } else {
            section
        }
    }

    fn tax(&self) -> Section {
        let mut lines = vec![];
        if self.locks.ordered {
            let rules = self.typed.rows_up_to("tax", MAX_ROWS);
            for row in 0..rules {
                let of = |part: &str| self.typed.get(&format!("tax.{row}.{part}")).to_owned();
                let value = format!("{} {} %", of("name"), of("percent"))
                    .trim()
                    .to_owned();
                lines.push(Line::Locked(
                    format!("tax.{row}"),
                    of("countries"),
                    value,
                    ORDERED.into(),
                ));
            }
            return Section::new("Tax", lines).text("Locked after the first order.");
        }
        let count = self.typed.rows_up_to("tax", MAX_ROWS).max(1);
        let included = || {
            vec![
                Choice::new("yes", "Prices contain it"),
                Choice::new("no", "It is added"),
            ]
        };
        for row in 0..count {
            lines.push(Line::Row(vec![
                self.field(
                    Field::text(format!("tax.{row}.countries"), "Countries")
                        .hint("Codes, or * for the rest.")
                        .optional(),
                ),
                self.field(
                    Field::text(format!("tax.{row}.percent"), "Percent")
                        .hint("Such as 19 or 8.25.")
                        .inputmode("decimal")
                        .optional(),
                ),
                self.field(
                    Field::text(format!("tax.{row}.name"), "Name")
                        .hint("On orders and receipts, such as VAT.")
                        .max_length(40)
                        .optional(),
                ),
                self.field(Field::select(
                    format!("tax.{row}.included"),
                    "In the price",
                    included(),
                )),
            ]));
            if count > 1 {
                let label = format!("Remove tax rule {}", row + 1);
                lines.push(Line::Button(format!("remove-tax.{row}"), label));
            }
        }
        lines.push(Line::Button("add-tax".into(), "Add a tax rule".into()));
        Section::new("Tax", lines).text("A country without a rule has none.")
    }
}
