//! A form field with its label, hint and error, and the list of what is wrong.

use askama::Template;
use askama::filters::HtmlSafe;

/// One choice of a select.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What is read.
    pub label: String,
}

impl Choice {
    /// A choice.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            label: label.into(),
        }
    }
}

/// What a field is filled in with.
#[derive(Clone, Debug)]
pub enum Control {
    /// `<input type=...>`.
    Input(&'static str),
    /// `<textarea rows=...>`.
    Area(u8),
    /// `<select>`.
    Select(Vec<Choice>),
}

/// A form field. What was typed comes back in `value`, whatever it was.
#[derive(Clone, Debug, Template)]
#[template(path = "part/field.html")]
pub struct Field {
    /// Name in the form; also its id, so that errors can be linked to it.
    pub name: String,
    /// Label.
    pub label: String,
    /// What it is filled in with.
    pub control: Control,
    /// What was typed.
    pub value: String,
    /// A line of help.
    pub hint: Option<String>,
    /// What to write instead.
    pub error: Option<String>,
    /// Token of the `autocomplete` attribute.
    pub autocomplete: Option<&'static str>,
    /// The keyboard a phone shows.
    pub inputmode: Option<&'static str>,
    /// Must be filled in.
    pub required: bool,
    /// Most characters.
    pub max_length: Option<u32>,
    /// Least and most of a number or date.
    pub range: (Option<String>, Option<String>),
}

impl HtmlSafe for Field {}

impl Field {
    /// A field; required unless [`Field::optional`].
    pub fn new(name: impl Into<String>, label: impl Into<String>, control: Control) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            control,
            value: String::new(),
            hint: None,
            error: None,
            autocomplete: None,
            inputmode: None,
            required: true,
            max_length: None,
            range: (None, None),
        }
    }

    /// One line of text.
    pub fn text(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(name, label, Control::Input("text"))
    }

    /// `<input type=...>`.
    pub fn input(kind: &'static str, name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(name, label, Control::Input(kind))
    }

    /// Several lines of text.
    pub fn area(name: impl Into<String>, label: impl Into<String>, rows: u8) -> Self {
        Self::new(name, label, Control::Area(rows))
    }

    /// One of several.
    pub fn select(name: impl Into<String>, label: impl Into<String>, choices: Vec<Choice>) -> Self {
        Self::new(name, label, Control::Select(choices))
    }

    /// What was typed.
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// A line of help.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Takes its error out of the list, where there is one.
    pub fn problems(mut self, problems: &Problems) -> Self {
        self.error = problems.of(&self.name).map(str::to_owned);
        self
    }

    /// Token of the `autocomplete` attribute.
    pub fn autocomplete(mut self, token: &'static str) -> Self {
        self.autocomplete = Some(token);
        self
    }

    /// The keyboard a phone shows.
    pub fn inputmode(mut self, mode: &'static str) -> Self {
        self.inputmode = Some(mode);
        self
    }

    /// May stay empty; the label says so.
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// Most characters.
    pub fn max_length(mut self, n: u32) -> Self {
        self.max_length = Some(n);
        self
    }

    /// Least and most of a number or a date.
    pub fn range(mut self, least: Option<String>, most: Option<String>) -> Self {
        self.range = (least, most);
        self
    }

    /// Ids of hint and error, for `aria-describedby`.
    pub fn described_by(&self) -> String {
        let mut ids = Vec::new();
        if self.error.is_some() {
            ids.push(format!("{}-e", self.name));
        }
        if self.hint.is_some() {
            ids.push(format!("{}-h", self.name));
        }
        ids.join(" ")
    }
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Name of the field in the form; empty: the form as a whole.
    pub field: String,
    /// What to write instead, in a sentence.
    pub message: String,
}

/// All that is wrong with a form, in the order of its fields: the notice on top.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "part/problems.html")]
pub struct Problems {
    /// In the order of the fields.
    pub errors: Vec<FieldError>,
}

impl HtmlSafe for Problems {}

impl Problems {
    /// Adds one.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.errors.push(FieldError {
            field: field.into(),
            message: message.into(),
        });
    }

    /// The first error of a field.
    pub fn of(&self, field: &str) -> Option<&str> {
        let mut found = self.errors.iter().filter(|e| e.field == field);
        found.next().map(|e| e.message.as_str())
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// "One thing to correct", "3 things to correct".
    pub fn headline(&self) -> String {
        match self.errors.len() {
            1 => "One thing to correct".to_owned(),
            n => format!("{n} things to correct"),
        }
    }
}
