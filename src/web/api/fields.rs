//! Reading a JSON body field by field, so that everything that is wrong with it is told at once, each at its path.

use serde_json::{Map, Value};

use crate::domain::draft::FieldError;

/// What is wrong so far.
#[derive(Debug, Default)]
pub(super) struct Errors(Vec<FieldError>);

impl Errors {
    pub(super) fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldError::new(field, message));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The good part of a check; its error goes to `field`.
    pub(super) fn keep<T>(&mut self, field: &str, checked: Result<T, impl ToString>) -> Option<T> {
        checked
            .map_err(|message| self.add(field, message.to_string()))
            .ok()
    }

    /// All errors; of further ones those at fields that are not wrong already.
    pub(super) fn with(mut self, more: Vec<FieldError>) -> Vec<FieldError> {
        for error in more {
            if !self.0.iter().any(|known| known.field == error.field) {
                self.0.push(error);
            }
        }
        self.0
    }

    pub(super) fn all(self) -> Vec<FieldError> {
        self.0
    }
}

/// One object of a body. A field that is `null` counts as left out.
pub(super) struct Reader<'a> {
    object: &'a Map<String, Value>,
    at: String,
    known: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    /// The whole body.
    pub(super) fn body(body: &'a Value, e: &mut Errors) -> Option<Self> {
        Self::at(body, String::new(), e)
    }

    /// The object at a path.
    pub(super) fn at(value: &'a Value, at: String, e: &mut Errors) -> Option<Self> {
        let Some(object) = value.as_object() else {
            e.add(at, "write a JSON object");
            return None;
        };
        Some(Self {
            object,
            at,
            known: Vec::new(),
        })
    }

    /// The path of a field.
    pub(super) fn path(&self, name: &str) -> String {
        if self.at.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.at)
        }
    }

    fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn typed<T>(
        &mut self,
        name: &'static str,
        e: &mut Errors,
        say: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(name)?;
        let read = read(value);
        if read.is_none() {
            e.add(self.path(name), say);
        }
        read
    }

    /// A text, where there is one.
    pub(super) fn text(&mut self, name: &'static str, e: &mut Errors) -> Option<&'a str> {
        self.typed(name, e, "write a text", Value::as_str)
    }

    /// As [`Reader::text`], owned.
    pub(super) fn string(&mut self, name: &'static str, e: &mut Errors) -> Option<String> {
        self.text(name, e).map(str::to_owned)
    }

    /// A whole number, where there is one.
    pub(super) fn integer(&mut self, name: &'static str, e: &mut Errors) -> Option<i64> {
        self.typed(name, e, "write a whole number", Value::as_i64)
    }

    /// Yes or no, where it is said.
    pub(super) fn boolean(&mut self, name: &'static str, e: &mut Errors) -> Option<bool> {
        self.typed(name, e, "write true or false", Value::as_bool)
    }

    /// A list, where there is one.
    pub(super) fn list(&mut self, name: &'static str, e: &mut Errors) -> Option<&'a Vec<Value>> {
        self.typed(name, e, "write a list", Value::as_array)
    }

    /// An object, where there is one.
    pub(super) fn object(&mut self, name: &'static str, e: &mut Errors) -> Option<Reader<'a>> {
        let value = self.value(name)?;
        Reader::at(value, self.path(name), e)
    }

    /// The entries of an object whose names are data.
    pub(super) fn entries(
        &mut self,
        name: &'static str,
        e: &mut Errors,
    ) -> Option<&'a Map<String, Value>> {
        self.typed(name, e, "write a JSON object", Value::as_object)
    }

    /// A list of which each part is read by `read`.
    pub(super) fn each<T>(
        &mut self,
        name: &'static str,
        e: &mut Errors,
        mut read: impl FnMut(&'a Value, String, &mut Errors) -> Option<T>,
    ) -> Option<Vec<T>> {
        let list = self.list(name, e)?;
        let path = self.path(name);
        Some(
            list.iter()
                .enumerate()
                .filter_map(|(i, value)| read(value, format!("{path}[{i}]"), e))
                .collect(),
        )
    }

    /// Says that a field which must be there is not, unless it is wrong anyway.
    pub(super) fn required<T>(
        &self,
        name: &str,
        value: Option<T>,
        e: &mut Errors,
        say: &str,
    ) -> Option<T> {
        let missing = self.object.get(name).is_none_or(Value::is_null);
        if value.is_none() && missing {
            e.add(self.path(name), format!("is required: {say}"));
        }
        value
    }

    /// Whether a field is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(|value| !value.is_null())
    }

    /// Refuses every field that was not read.
    pub(super) fn end(self, e: &mut Errors) {
        for name in self.object.keys() {
            if !self.known.contains(&name.as_str()) {
                e.add(self.path(name), "there is no such field; leave it out");
            }
        }
    }
}

/// A text in a list.
pub(super) fn text_at(value: &Value, at: String, e: &mut Errors) -> Option<String> {
    let text = value.as_str().map(str::to_owned);
    if text.is_none() {
        e.add(at, "write a text");
    }
    text
}

/// A whole number in a list.
pub(super) fn integer_at(value: &Value, at: String, e: &mut Errors) -> Option<i64> {
    let number = value.as_i64();
    if number.is_none() {
        e.add(at, "write a whole number");
    }
    number
}
