//! The interest check: the form on a campaign's page, and the page behind a signed link.

use askama::Template;
use askama::filters::HtmlSafe;

use super::{Field, Link, Problems, Shell};

/// Everything the form sends, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterestInput {
    /// Option code and what was typed as its quantity (`qty_{sku}`).
    pub quantities: Vec<(String, String)>,
    /// Option code and what was typed as the most for one (`up_{sku}`).
    pub prices: Vec<(String, String)>,
    /// `email`
    pub email: String,
    /// `name`
    pub name: String,
}

impl InterestInput {
    /// What was typed for an option: quantity, and the most for one.
    pub fn of(&self, sku: &str) -> (&str, &str) {
        let find = |all: &[(String, String)]| all.iter().position(|(s, _)| s == sku);
        (
            find(&self.quantities).map_or("", |i| self.quantities[i].1.as_str()),
            find(&self.prices).map_or("", |i| self.prices[i].1.as_str()),
        )
    }
}

/// An option that can be answered for.
#[derive(Clone, Debug)]
pub struct InterestOption {
    /// The option's code.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// The prices planned: "$100.00 at first, $80.00 from 100 units".
    pub plan: String,
    /// What was typed as quantity.
    pub quantity: String,
    /// What was typed as the most for one.
    pub up_to: String,
    /// What is wrong with the quantity.
    pub quantity_error: Option<String>,
    /// What is wrong with the price.
    pub up_to_error: Option<String>,
}

/// What an [`InterestForm`] is made from, besides what was typed.
#[derive(Clone, Debug)]
pub struct InterestOffer {
    /// Where it goes.
    pub action: String,
    /// Code, name and planned prices of each option.
    pub options: Vec<(String, String, String)>,
    /// Who asks.
    pub seller: String,
    /// The currency of prices: "USD".
    pub currency: &'static str,
    /// An answer that is there is changed: its address stays.
    pub changes: bool,
}

/// The form, filled in with what was typed.
#[derive(Clone, Debug, Template)]
#[template(path = "shop/interest.html")]
pub struct InterestForm {
    /// What it is made from.
    pub offer: InterestOffer,
    /// What can be answered for.
    pub options: Vec<InterestOption>,
    /// What is wrong with the choice as a whole.
    pub choice_error: Option<String>,
    /// E-mail, where it is asked for, and name.
    pub who: Vec<Field>,
}

impl HtmlSafe for InterestForm {}

impl InterestForm {
    /// The form. `problems` name fields as the form does; `options` stands for the choice as a whole.
    pub fn new(offer: InterestOffer, input: &InterestInput, problems: &Problems) -> Self {
        let only_one = offer.options.len() == 1 && input.quantities.is_empty();
        let options = offer
            .options
            .iter()
            .map(|(sku, name, plan)| {
                let (quantity, up_to) = input.of(sku);
                InterestOption {
                    sku: sku.clone(),
                    name: name.clone(),
                    plan: plan.clone(),
                    quantity: match quantity {
                        "" if only_one => "1".to_owned(),
                        "" => "0".to_owned(),
                        typed => typed.to_owned(),
                    },
                    up_to: up_to.to_owned(),
                    quantity_error: problems.of(&format!("qty_{sku}")).map(str::to_owned),
                    up_to_error: problems.of(&format!("up_{sku}")).map(str::to_owned),
                }
            })
            .collect();
        let mut who = Vec::new();
        if !offer.changes {
            who.push(
                Field::input("email", "email", "E-mail")
                    .value(&input.email)
                    .hint("For one mail now and one when it opens. Each address answers once.")
                    .autocomplete("email")
                    .max_length(254)
                    .problems(problems),
            );
        }
        who.push(
            Field::text("name", "Name")
                .value(&input.name)
                .autocomplete("name")
                .max_length(200)
                .optional()
                .problems(problems),
        );
        Self {
            offer,
            options,
            choice_error: problems.of("options").map(str::to_owned),
            who,
        }
    }
}

/// What became of a form that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// An answer came in: the same words whether it is the first or not.
    Answer,
    /// An answer was taken back.
    AnswerGone,
    /// A vote came in: the same words whether it is the first or not.
    Vote,
    /// A vote was taken back.
    VoteGone,
}

/// The page after a form: nothing on it tells whether the address was known.
#[derive(Clone, Debug, Template)]
#[template(path = "shop/asked_sent.html")]
pub struct AskedSentPage {
    /// Frame.
    pub shell: Shell,
    /// What was sent.
    pub sent: Sent,
    /// What it was about.
    pub about: Link,
}

/// What can be done with an answer now.
#[derive(Clone, Debug)]
pub enum AnswerStand {
    /// It can be changed.
    Asking(Box<InterestForm>),
    /// Asking is over, and it has not opened.
    Asked,
    /// It opens then.
    Opens(super::Moment),
    /// It is open: where the answer is filled in.
    Open(String),
    /// It takes no orders any more, or never did.
    Over,
}

/// `/i/{token}`
#[derive(Clone, Debug, Template)]
#[template(path = "shop/answer.html")]
pub struct AnswerPage {
    /// Frame, private.
    pub shell: Shell,
    /// The campaign.
    pub campaign: Link,
    /// Each line as it is kept.
    pub lines: Vec<String>,
    /// Who answered.
    pub email: String,
    /// When it came.
    pub at: super::Moment,
    /// What can be done.
    pub stand: AnswerStand,
    /// What is wrong with the form.
    pub problems: Problems,
    /// Where it is taken back.
    pub back_action: String,
}

impl AnswerPage {
    fn icons(&self) -> &'static str {
        if self.problems.is_empty() {
            ""
        } else {
            "alert"
        }
    }
}
