//! The tables of an order's page.

use chrono_tz::Tz;

use super::super::kit::{Cell, Table};
use super::Known;
use crate::domain::payment::PaymentKind;
use crate::web::order::claim_badge;
use crate::web::view::{Link, MoneyRow, MoneyTable, grouped, state_word};
use crate::workflows::claims::say_kind;
use crate::workflows::money::say;

/// What an attempt to collect is.
fn kind_words(kind: PaymentKind) -> &'static str {
    match kind {
        PaymentKind::Join => "Page",
        PaymentKind::Setup => "Page that saves the card",
        PaymentKind::Deposit => "Page for the deposit",
        PaymentKind::Charge => "Charge of the card",
        PaymentKind::Fix => "Page for what is owed",
        PaymentKind::Change => "Page for a change",
    }
}

impl Known {
    fn name_of(&self, sku: &str) -> String {
        let line = self.agreed.lines.iter().find(|l| l.sku == sku);
        line.map_or_else(|| sku.to_owned(), |l| l.name.clone())
    }

    pub(super) fn line_table(&self) -> Table {
        let money = |amount: i64| say(amount, &self.order.currency);
        let rows = self.lines.iter().map(|line| {
            vec![
                Cell::text(self.name_of(&line.sku)),
                Cell::text(&line.sku),
                Cell::number(grouped(line.quantity)),
                Cell::number(money(line.unit_price)),
                Cell::number(line.final_price.map_or_else(|| "not judged".into(), money)),
                Cell::state(line.state.as_str()),
            ]
        });
        Table::new(
            "Lines",
            vec![
                ("Option", false),
                ("Code", false),
                ("Units", true),
                ("Price shown", true),
                ("Final price", true),
                ("State", false),
            ],
            rows.collect(),
        )
    }

    pub(super) fn money_table(&self) -> MoneyTable {
        let money = |amount: i64| say(amount, &self.order.currency);
        let quote = &self.agreed.quote;
        let mut rows: Vec<MoneyRow> = self
            .agreed
            .lines
            .iter()
            .zip(&quote.lines)
            .map(|(line, priced)| {
                let label = format!("{} {}", grouped(priced.quantity), line.name);
                MoneyRow::new(label, money(priced.goods))
            })
            .collect();
        rows.push(MoneyRow::new("Shipping", money(quote.shipping)));
        let tax = self.agreed.tax_label(&self.order.country);
        if quote.tax_added > 0 {
            rows.push(MoneyRow::new(tax.as_str(), money(quote.tax_added)));
        }
        let mut sum = MoneyRow::new("Agreed", money(self.order.total));
        if quote.tax_included > 0 {
            sum = sum.note(format!("{} {tax} included", money(quote.tax_included)));
        }
        let order = &self.order;
        let mut movements = vec![MoneyRow::new("Charged", money(order.charged))];
        for (name, amount) in [
            ("On its way back", order.refund_due),
            ("Refunded", order.refunded),
            ("Lost in disputes", order.lost),
            ("Deposit that you keep", order.forfeited),
        ] {
            if amount > 0 {
                movements.push(MoneyRow::new(name, money(-amount)));
            }
        }
        movements.push(MoneyRow::new("Kept", money(order.money().kept())));
        MoneyTable {
            caption: "What the order costs and what was moved".into(),
            rows,
            sum,
            movements,
        }
    }

    pub(super) fn payment_table(&self, zone: Tz) -> Table {
        // A column of its own only where there is something in it.
        let unusual = self.payments.iter().any(|page| page.problem.is_some());
        let rows = self.payments.iter().map(|page| {
            let mut row = vec![
                Cell::text(format!("{} {}", kind_words(page.kind), page.attempt)),
                Cell::state(page.state.as_str()),
                Cell::number(say(page.amount, &self.order.currency)),
                Cell::when(page.settled_at.unwrap_or(page.planned_at), zone),
                Cell::Code(
                    page.intent_id
                        .clone()
                        .or(page.session_id.clone())
                        .unwrap_or_default(),
                ),
            ];
            if unusual {
                row.push(Cell::text(page.problem.clone().unwrap_or_default()));
            }
            row
        });
        let mut head = vec![
            ("Payment", false),
            ("State", false),
            ("Amount", true),
            ("Since", false),
            ("At the provider", false),
        ];
        if unusual {
            head.push(("What was said", false));
        }
        Table::new("Payment pages", head, rows.collect())
    }

    pub(super) fn claim_table(&self, zone: Tz) -> Table {
        let rows = self.claims.iter().map(|claim| {
            let href = format!("/admin/claims/{}", claim.id);
            vec![
                Cell::Link(Link::new(href, state_word(say_kind(claim.kind)))),
                Cell::Badge(claim_badge(claim)),
                Cell::when(claim.opened_at, zone),
                Cell::number(
                    claim
                        .amount
                        .map_or_else(String::new, |amount| say(amount, &self.order.currency)),
                ),
            ]
        });
        Table::new(
            "Claims and withdrawals",
            vec![
                ("What", false),
                ("State", false),
                ("Since", false),
                ("Goes back", true),
            ],
            rows.collect(),
        )
    }

    pub(super) fn dispute_table(&self, zone: Tz) -> Table {
        let rows = self.disputes.iter().map(|dispute| {
            vec![
                Cell::Document(Link::new(
                    crate::workflows::evidence::path(&dispute.provider_id),
                    &dispute.provider_id,
                )),
                Cell::state(dispute.state.as_str()),
                Cell::number(say(dispute.amount, &self.order.currency)),
                Cell::text(state_word(&dispute.reason)),
                Cell::when(dispute.opened_at, zone),
                dispute
                    .closed_at
                    .map_or_else(|| Cell::text(""), |at| Cell::when(at, zone)),
            ]
        });
        Table::new(
            "Disputes",
            vec![
                ("Dispute", false),
                ("State", false),
                ("Amount", true),
                ("Reason", false),
                ("Opened", false),
                ("Closed", false),
            ],
            rows.collect(),
        )
    }
}
