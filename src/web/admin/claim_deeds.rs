//! What staff can do with a claim: each a form of its own on the claim's page.

use chrono::{DateTime, Duration, Utc};

use super::claims::Known;
use super::form::{Line, Typed};
use crate::domain::claim::{ClaimKind, ClaimState};
use crate::domain::day::day_of;
use crate::web::view::{Field, Problems};

/// One thing that can be done with a claim: a form of its own.
pub(super) struct Deed {
    pub(super) title: &'static str,
    pub(super) text: String,
    pub(super) action: String,
    pub(super) form_key: String,
    pub(super) lines: Vec<Line>,
    /// What its button says; nothing where it cannot be pressed.
    pub(super) submit: String,
    /// Whether it cannot be taken back.
    pub(super) risk: bool,
}

impl Deed {
    /// What its headline is found by.
    pub(super) fn id(&self) -> String {
        format!("h-{}", self.action.rsplit('/').next().unwrap_or_default())
    }

    fn takes(mut self, lines: Vec<Line>) -> Self {
        self.lines = lines;
        self
    }

    fn risky(mut self) -> Self {
        self.risk = true;
        self
    }
}

/// What can be done with a claim as it is now; nothing once it is decided.
pub(super) fn of(
    known: &Known,
    typed: &Typed,
    problems: &Problems,
    now: DateTime<Utc>,
) -> Vec<Deed> {
    let row = &known.claim.row;
    if !row.state.is_open() {
        return Vec::new();
    }
    let forms = Forms {
        known,
        typed,
        problems,
    };
    let mut deeds = vec![forms.refund()];
    if row.kind != ClaimKind::Withdrawal {
        deeds.push(forms.send_again());
        deeds.push(forms.refund_a_part());
    }
    if row.state != ClaimState::Returned {
        deeds.push(forms.came_back());
    }
    if row.state == ClaimState::Open {
        deeds.push(forms.ask_back(now));
    }
    deeds.push(forms.refuse());
    deeds
}

/// What the forms are made of.
struct Forms<'a> {
    known: &'a Known,
    typed: &'a Typed,
    problems: &'a Problems,
}

impl Forms<'_> {
    fn deed(
        &self,
        name: &str,
        title: &'static str,
        text: impl Into<String>,
        submit: impl Into<String>,
    ) -> Deed {
        Deed {
            title,
            text: text.into(),
            action: format!("/admin/claims/{}/{name}", self.known.claim.row.id),
            form_key: crate::web::order::new_key(),
            lines: Vec::new(),
            submit: submit.into(),
            risk: false,
        }
    }

    fn reason(&self, name: &str) -> Line {
        Field::area(name, "Reason", 3)
            .hint("The shopper reads it in the mail.")
            .max_length(500)
            .value(self.typed.get(name))
            .problems(self.problems)
            .into()
    }

    fn refund(&self) -> Deed {
        let amount = self.known.money(self.known.back);
        let shipping = if self.known.claim.row.kind == ClaimKind::Withdrawal {
            " and standard shipping, as far as it was charged for them"
        } else {
            ""
        };
        let text = format!(
            "{amount} goes back: the price of these units, with their share of tax{shipping}."
        );
        let shown = Line::Hidden("shown".into(), self.known.back.to_string());
        self.deed(
            "refund",
            "Refund it in full",
            text,
            format!("Refund {amount}"),
        )
        .takes(vec![shown])
        .risky()
    }

    fn send_again(&self) -> Deed {
        let again = |text: String, submit| self.deed("reship", "Send it again", text, submit);
        match self.known.stock.iter().find(|(_, left)| *left < 0) {
            None => again(
                "A new parcel is put on the pick list, from units of this batch that are nobody's."
                    .to_owned(),
                "Send it again",
            ),
            // Without stock there is nothing to press.
            Some((option, short)) => again(
                format!(
                    "Not possible now: of {} there are {} too few in stock.",
                    self.known.claim.case.name_of(*option),
                    -short
                ),
                "",
            ),
        }
    }

    fn refund_a_part(&self) -> Deed {
        let most = self.known.money(self.known.back);
        let amount = Field::text("amount", "Amount")
            .hint("Such as 12.50.")
            .inputmode("decimal")
            .value(self.typed.get("amount"))
            .problems(self.problems);
        self.deed(
            "part",
            "Refund a part",
            format!("The shopper keeps the goods. At most {most}."),
            "Refund this part",
        )
        .takes(vec![amount.into(), self.reason("part_reason")])
        .risky()
    }

    fn came_back(&self) -> Deed {
        self.deed(
            "received",
            "The goods came back",
            "What can be sold goes to stock.",
            "Write down what came back",
        )
        .takes(self.received_lines())
    }

    fn received_lines(&self) -> Vec<Line> {
        let field = |name: String, label: String, value: String, most: i64| -> Line {
            let typed = self.typed.some(&name).map_or(value, str::to_owned);
            Field::input("number", name, label)
                .range(Some("0".into()), Some(most.to_string()))
                .value(typed)
                .problems(self.problems)
                .into()
        };
        let lines = self.known.claim.lines.iter().map(|line| {
            let name = self.known.claim.case.name_of(line.option_id);
            Line::Row(vec![
                field(
                    format!("good_{}", line.option_id),
                    format!("{name}: to stock"),
                    line.units.to_string(),
                    line.units,
                ),
                field(
                    format!("bad_{}", line.option_id),
                    format!("{name}: scrapped"),
                    "0".into(),
                    line.units,
                ),
            ])
        });
        lines.collect()
    }

    fn ask_back(&self, now: DateTime<Utc>) -> Deed {
        let case = &self.known.claim.case;
        let typed = |name: &str, or: String| self.typed.some(name).map_or(or, str::to_owned);
        let day = day_of(now, case.draft.time_zone) + Duration::days(14);
        let by = Field::input("date", "by", "By when")
            .value(typed("by", day.to_string()))
            .problems(self.problems);
        let address = Field::area("address", "Where to", 4)
            .max_length(500)
            .value(typed("address", case.merchant.address.clone()))
            .problems(self.problems);
        self.deed(
            "return",
            "Ask for the goods first",
            "The shopper is told where to and by when, and can say that it is on its way.",
            "Ask for the goods",
        )
        .takes(vec![by.into(), address.into()])
    }

    fn refuse(&self) -> Deed {
        self.deed(
            "refuse",
            "Say no",
            "Nothing goes back. The shopper may report it again.",
            "Refuse it",
        )
        .takes(vec![self.reason("reason")])
        .risky()
    }
}
