//! Stripe's parameters: form text with brackets (`line_items[0][quantity]=2`), taken apart into a tree from which each
//! operation takes what it knows. What is left over at the end is an unknown parameter, and refused.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::errors::{Failure, Refusal, Reply};

/// A value, or more brackets.
#[derive(Debug, Clone)]
enum Node {
    Text(String),
    Tree(BTreeMap<String, Node>),
}

/// The parameters of one request, or of one bracket of it.
#[derive(Debug, Clone, Default)]
pub struct Form {
    prefix: String,
    fields: BTreeMap<String, Node>,
}

/// The most brackets one name may have, so that a hostile name cannot exhaust the stack.
const DEEPEST: usize = 8;

impl Form {
    /// Takes form text apart.
    pub fn parse(text: &str) -> Reply<Form> {
        let mut form = Form::default();
        for (n, (name, value)) in url::form_urlencoded::parse(text.as_bytes()).enumerate() {
            let path = split_name(&name, n)
                .ok_or_else(|| Refusal::invalid(format!("Invalid parameter name: {name}")))?;
            put(&mut form.fields, &path, value.into_owned(), &name)?;
        }
        Ok(form)
    }

    /// One canonical text of everything, for comparing two requests.
    pub fn canonical(&self) -> String {
        fn walk(out: &mut String, fields: &BTreeMap<String, Node>) {
            for (name, node) in fields {
                out.push_str(name);
                match node {
                    Node::Text(t) => {
                        out.push('=');
                        out.push_str(t);
                        out.push('\u{1}');
                    }
                    Node::Tree(t) => {
                        out.push('{');
                        walk(out, t);
                        out.push('}');
                    }
                }
            }
        }
        let mut out = String::new();
        walk(&mut out, &self.fields);
        out
    }

    /// The full name of a field here, as the caller wrote it.
    pub fn name_of(&self, field: &str) -> String {
        if self.prefix.is_empty() {
            field.into()
        } else {
            format!("{}[{field}]", self.prefix)
        }
    }

    /// Whether a field is there.
    pub fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// A text field; empty counts as absent.
    pub fn text(&mut self, field: &str) -> Reply<Option<String>> {
        self.text_up_to(field, 5000)
    }

    /// A text field of at most so many bytes.
    pub fn text_up_to(&mut self, field: &str, most: usize) -> Reply<Option<String>> {
        match self.fields.remove(field) {
            None => Ok(None),
            Some(Node::Text(t)) if t.is_empty() => Ok(None),
            Some(Node::Text(t)) if t.len() > most => {
                let message = format!("Invalid string: must be at most {most} characters");
                Err(Refusal::invalid(message).param(self.name_of(field)).into())
            }
            Some(Node::Text(t)) => Ok(Some(t)),
            Some(Node::Tree(_)) => Err(Refusal::invalid("Invalid string")
                .param(self.name_of(field))
                .into()),
        }
    }

    /// A text field that must be there.
    pub fn need_text(&mut self, field: &str) -> Reply<String> {
        self.text(field)?.ok_or_else(|| self.missing(field))
    }

    /// The error for a field that must be there and is not.
    pub fn missing(&self, field: &str) -> Failure {
        let name = self.name_of(field);
        let message = format!("Missing required param: {name}.");
        Refusal::invalid(message)
            .code("parameter_missing")
            .param(name)
            .into()
    }

    /// A whole number.
    pub fn integer(&mut self, field: &str) -> Reply<Option<i64>> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            Refusal::invalid(format!("Invalid integer: {text}"))
                .code("parameter_invalid_integer")
                .param(self.name_of(field))
                .into()
        })
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, field: &str) -> Reply<Option<bool>> {
        match self.text(field)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Refusal::invalid(format!("Invalid boolean: {other}"))
                .param(self.name_of(field))
                .into()),
        }
    }

    /// One of some words.
    pub fn choice(&mut self, field: &str, words: &[&str]) -> Reply<Option<String>> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        if words.contains(&text.as_str()) {
            return Ok(Some(text));
        }
        let name = self.name_of(field);
        let message = format!("Invalid {name}: must be one of {}", words.join(", "));
        Err(Refusal::invalid(message).param(name).into())
    }

    /// An absolute web address.
    pub fn address(&mut self, field: &str) -> Reply<Option<String>> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        match url::Url::parse(&text) {
            Ok(u) if matches!(u.scheme(), "http" | "https") => Ok(Some(text)),
            _ => Err(Refusal::invalid("Not a valid URL")
                .code("url_invalid")
                .param(self.name_of(field))
                .into()),
        }
    }

    /// A bracket with named fields.
    pub fn object(&mut self, field: &str) -> Reply<Option<Form>> {
        let name = self.name_of(field);
        match self.fields.remove(field) {
            None => Ok(None),
            Some(Node::Text(t)) if t.is_empty() => Ok(None),
            Some(Node::Text(_)) => Err(Refusal::invalid("Invalid object").param(name).into()),
            Some(Node::Tree(fields)) => Ok(Some(Form {
                prefix: name,
                fields,
            })),
        }
    }

    /// A bracket of numbered objects, in their order.
    pub fn objects(&mut self, field: &str) -> Reply<Vec<Form>> {
        let name = self.name_of(field);
        let mut out = Vec::new();
        for (n, node) in self.items(field)?.into_iter().enumerate() {
            let prefix = format!("{name}[{n}]");
            match node {
                Node::Tree(fields) => out.push(Form { prefix, fields }),
                Node::Text(_) => {
                    return Err(Refusal::invalid("Invalid object").param(prefix).into());
                }
            }
        }
        Ok(out)
    }

    /// A bracket of numbered texts, in their order.
    pub fn texts(&mut self, field: &str) -> Reply<Vec<String>> {
        let name = self.name_of(field);
        self.items(field)?
            .into_iter()
            .map(|node| match node {
                Node::Text(t) => Ok(t),
                Node::Tree(_) => Err(Refusal::invalid("Invalid string")
                    .param(name.clone())
                    .into()),
            })
            .collect()
    }

    fn items(&mut self, field: &str) -> Reply<Vec<Node>> {
        let name = self.name_of(field);
        match self.fields.remove(field) {
            None => Ok(Vec::new()),
            Some(Node::Text(t)) if t.is_empty() => Ok(Vec::new()),
            Some(Node::Text(_)) => Err(Refusal::invalid("Invalid array").param(name).into()),
            Some(Node::Tree(fields)) => {
                let mut items = Vec::with_capacity(fields.len());
                for (key, node) in fields {
                    let place: u32 = key
                        .trim_start_matches('\0')
                        .parse()
                        .map_err(|_| Refusal::invalid("Invalid array").param(name.clone()))?;
                    items.push((place, node));
                }
                items.sort_by_key(|(place, _)| *place);
                Ok(items.into_iter().map(|(_, node)| node).collect())
            }
        }
    }

    /// `metadata[...]`: at most 50 names of 40 letters with values of 500.
    pub fn metadata(&mut self, field: &str) -> Reply<Option<Map<String, Value>>> {
        let Some(mut form) = self.object(field)? else {
            return Ok(None);
        };
        if form.fields.len() > 50 {
            let message = "Metadata can have at most 50 keys";
            return Err(Refusal::invalid(message).param(self.name_of(field)).into());
        }
        let mut out = Map::new();
        let names: Vec<String> = form.fields.keys().cloned().collect();
        for name in names {
            let value = form.text(&name)?.unwrap_or_default();
            if name.chars().count() > 40 || value.chars().count() > 500 {
                let message = "Metadata keys can have up to 40 characters, values up to 500";
                return Err(Refusal::invalid(message).param(form.name_of(&name)).into());
            }
            out.insert(name, Value::String(value));
        }
        Ok(Some(out))
    }

    /// Parameters the provider takes and that change nothing here.
    pub fn without_effect(&mut self, fields: &[&str]) {
        for field in fields {
            self.fields.remove(*field);
        }
    }

    /// Refuses what nobody took.
    pub fn finish(self) -> Reply<()> {
        let Some(field) = self.fields.keys().next() else {
            return Ok(());
        };
        let name = self.name_of(field.trim_start_matches('\0'));
        Err(
            Refusal::invalid(format!("Received unknown parameter: {name}"))
                .code("parameter_unknown")
                .param(name)
                .into(),
        )
    }
}

/// `a[b][]` -> `a`, `b`, a numbered place. None where the brackets make no sense.
fn split_name(name: &str, nth: usize) -> Option<Vec<String>> {
    let (head, mut rest) = match name.find('[') {
        Some(at) => name.split_at(at),
        None => (name, ""),
    };
    let mut path = vec![head.to_string()];
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[')?;
        let end = inner.find(']')?;
        let key = &inner[..end];
        // `a[]` means: the next one. The NUL keeps such places apart from numbers that were written.
        path.push(if key.is_empty() {
            format!("\0{nth}")
        } else {
            key.to_string()
        });
        rest = &inner[end + 1..];
    }
    (!head.is_empty() && !head.contains(']') && path.len() <= DEEPEST).then_some(path)
}

fn put(
    fields: &mut BTreeMap<String, Node>,
    path: &[String],
    value: String,
    name: &str,
) -> Reply<()> {
    let (key, rest) = match path {
        [] => return Ok(()),
        [key, rest @ ..] => (key, rest),
    };
    if rest.is_empty() {
        return match fields.insert(key.clone(), Node::Text(value)) {
            None => Ok(()),
            Some(_) => Err(Refusal::invalid(format!("Duplicate parameter: {name}")).into()),
        };
    }
    let node = fields
        .entry(key.clone())
        .or_insert_with(|| Node::Tree(BTreeMap::new()));
    match node {
        Node::Tree(tree) => put(tree, rest, value, name),
        Node::Text(_) => Err(Refusal::invalid(format!(
            "Invalid parameter: {name} is both a value and an object"
        ))
        .into()),
    }
}
