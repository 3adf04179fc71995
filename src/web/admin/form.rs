//! Forms of the panel: what was typed, the fields it is drawn in again, and what is wrong with them.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use askama::filters::HtmlSafe;

use super::kit::Facts;
use crate::domain::draft::FieldError;
use crate::web::pages;
use crate::web::view::{Field, Html, Link, PanelShell, Problems};

/// What a form sent, as pairs; a name that came twice keeps its last value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed(BTreeMap<String, String>);

/// What actix reads a form into.
pub type Pairs = actix_web::web::Form<Vec<(String, String)>>;

impl From<Vec<(String, String)>> for Typed {
    fn from(pairs: Vec<(String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl Typed {
    /// What was typed into a field; nothing where it was not sent.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Puts a value in.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// Puts a value, or a whole list, in the place of what was typed.
    pub fn replace(&mut self, name: &str, other: &Typed) {
        let below = format!("{name}.");
        let is_it = |key: &str| key == name || key.starts_with(&below);
        self.0.retain(|key, _| !is_it(key));
        let theirs = other.0.iter().filter(|(key, _)| is_it(key));
        self.0
            .extend(theirs.map(|(key, value)| (key.clone(), value.clone())));
    }

    /// What was typed into fields whose names begin so, with the rest of their names.
    pub fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let pairs = self.0.iter();
        pairs.filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }

    /// What was typed, where something was.
    pub fn some(&self, name: &str) -> Option<&str> {
        Some(self.get(name).trim()).filter(|text| !text.is_empty())
    }

    /// Whether a box was ticked.
    pub fn ticked(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// How many rows of a list were sent: one more than the highest index under `list.`.
    pub fn rows(&self, list: &str) -> usize {
        let prefix = format!("{list}.");
        let index = |name: &String| -> Option<usize> {
            let rest = name.strip_prefix(&prefix)?;
            rest.split('.').next()?.parse().ok()
        };
        let highest = self.0.keys().filter_map(index).max();
        highest.map_or(0, |highest| highest.saturating_add(1))
    }

    /// As [`Typed::rows`], at most so many.
    pub fn rows_up_to(&self, list: &str, most: usize) -> usize {
        self.rows(list).min(most)
    }

    /// Whether nothing was typed under a name or in a row below it.
    pub fn is_blank(&self, prefix: &str) -> bool {
        let below = format!("{prefix}.");
        !self.0.iter().any(|(name, value)| {
            (name == prefix || name.starts_with(&below)) && !value.trim().is_empty()
        })
    }

    /// Takes a row out of a list; the rows after it move up.
    pub fn remove_row(&mut self, list: &str, row: usize) {
        let prefix = format!("{list}.");
        let old = std::mem::take(&mut self.0);
        for (name, value) in old {
            let moved = name.strip_prefix(&prefix).and_then(|rest| {
                let (index, tail) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
                Some((index.parse::<usize>().ok()?, tail.to_owned()))
            });
            match moved {
                Some((index, _)) if index == row => {}
                Some((index, tail)) if index > row => {
                    self.0.insert(format!("{prefix}{}{tail}", index - 1), value);
                }
                _ => {
                    self.0.insert(name, value);
                }
            }
        }
    }

    /// A whole number where something was typed. What is none is said in `errors`.
    pub fn number(&self, name: &str, errors: &mut Vec<FieldError>) -> Option<i64> {
        let text = self.some(name)?;
        let number = text.parse();
        if number.is_err() {
            errors.push(FieldError::new(name, "write a whole number in digits"));
        }
        number.ok()
    }
}

/// A line of a form.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/part/line.html")]
pub enum Line {
    /// A field.
    One(Box<Field>),
    /// Fields beside each other where there is room.
    Row(Vec<Line>),
    /// A field that can't be changed: name, label, value, why.
    Locked(String, String, String, String),
    /// A box to tick: name, label, whether it is, a hint.
    Tick(String, String, bool, String),
    /// A sentence.
    Text(String),
    /// A value nobody sees.
    Hidden(String, String),
    /// A button that draws the form again: value of `do`, label.
    Button(String, String),
    /// Lines that belong together.
    Group(String, Vec<Line>),
}

impl HtmlSafe for Line {}

impl From<Field> for Line {
    fn from(field: Field) -> Self {
        Line::One(Box::new(field))
    }
}

/// Lines under a headline.
#[derive(Clone, Debug)]
pub struct Section {
    /// Headline; its id is made of it.
    pub title: String,
    /// A sentence under it.
    pub text: Option<String>,
    /// Its lines.
    pub lines: Vec<Line>,
}

impl Section {
    /// A section.
    pub fn new(title: &str, lines: Vec<Line>) -> Self {
        Self {
            title: title.to_owned(),
            text: None,
            lines,
        }
    }

    /// With a sentence under the headline.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    fn id(&self) -> String {
        let word = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        };
        format!("h-{}", self.title.chars().map(word).collect::<String>())
    }
}

/// A page with one form.
#[derive(Template)]
#[template(path = "admin/form.html")]
pub struct FormPage {
    /// Frame.
    pub shell: PanelShell,
    /// Headline.
    pub title: String,
    /// Where it is: the pages above it.
    pub crumbs: Vec<Link>,
    /// Sentences under the headline.
    pub lead: Vec<String>,
    /// Facts under them.
    pub facts: Facts,
    /// What is wrong.
    pub problems: Problems,
    /// Where it posts to.
    pub action: String,
    /// Its fields.
    pub sections: Vec<Section>,
    /// What the button says.
    pub submit: String,
    /// Whether the deed can't be undone.
    pub risk: bool,
    /// Where to go instead.
    pub back: Option<Link>,
    /// What its text will look like; a headline and the text.
    pub preview: Option<(String, Html)>,
}

impl FormPage {
    /// A form.
    pub fn new(shell: PanelShell, title: impl Into<String>, action: impl Into<String>) -> Self {
        Self {
            shell,
            title: title.into(),
            crumbs: Vec::new(),
            lead: Vec::new(),
            facts: Vec::new(),
            problems: Problems::default(),
            action: action.into(),
            sections: Vec::new(),
            submit: "Save".to_owned(),
            risk: false,
            back: None,
            preview: None,
        }
    }

    /// As an answer: 422 where something is wrong.
    pub fn answer(&self) -> HttpResponse {
        let status = if self.problems.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        pages::private(status, self)
    }
}

/// A sentence of its own: capital first, full stop last.
pub fn sentence(text: &str) -> String {
    let mut text = text.trim().replace("is required: ", "Missing: ");
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    if !text.ends_with(['.', '?']) {
        text.push('.');
    }
    text
}

/// Errors as the form shows them: under names of the form, as sentences.
pub fn problems_of(errors: &[FieldError]) -> Problems {
    let mut problems = Problems::default();
    for error in errors {
        problems.add(dotted(&error.field), sentence(&error.message));
    }
    problems
}

/// `options[0].prices[1]` as the form's fields are called: `options.0.prices.1`.
pub fn dotted(path: &str) -> String {
    path.replace('[', ".").replace(']', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(pairs: &[(&str, &str)]) -> Typed {
        let pairs: Vec<(String, String)> = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Typed::from(pairs)
    }

    #[test]
    fn a_row_taken_out_lets_the_others_move_up() {
        let mut form = typed(&[
            ("options.0.sku", "a"),
            ("options.1.sku", "b"),
            ("options.2.prices.0", "3"),
            ("title", "t"),
        ]);
        form.remove_row("options", 1);
        assert_eq!(form.rows("options"), 2);
        assert_eq!(
            (form.get("options.0.sku"), form.get("options.1.prices.0")),
            ("a", "3")
        );
        assert_eq!(form.get("title"), "t");
    }

    #[test]
    fn an_index_beyond_all_reason_makes_no_rows_overflow() {
        let form = typed(&[
            ("steps.18446744073709551615", "1"),
            ("steps.99999999999999999999", "1"),
        ]);
        assert_eq!(form.rows("steps"), usize::MAX);
        assert_eq!(form.rows_up_to("steps", 20), 20);
    }

    #[test]
    fn errors_become_sentences_at_the_forms_fields() {
        let problems = problems_of(&[FieldError::new("options[0].prices[1]", "write an amount")]);
        assert_eq!(problems.of("options.0.prices.1"), Some("Write an amount."));
    }
}
