//! Checks requests to, and answers of, a server that speaks Stripe's API against Stripe's official description.
//!
//! An answer is checked object by object: where the description refers to another object of the API, only its kind is
//! asked for, and every object found in the answer is then checked against its own part. So each part is compiled once, is
//! small, and nothing escapes.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

/// Words of OpenAPI that are not words of JSON Schema.
const NOT_SCHEMA: [&str; 8] = [
    "description",
    "format",
    "nullable",
    "title",
    "x-expandableFields",
    "x-expansionResources",
    "x-resourceId",
    "x-stripeBypassValidation",
];

/// Stripe's description.
pub struct Spec {
    doc: Value,
    /// Kind of object -> its part, and the part of its deleted form.
    resources: HashMap<String, (Option<String>, Option<String>)>,
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

/// One call that the description knows.
pub struct Operation<'a> {
    /// Unique name.
    pub id: String,
    method: String,
    body: &'a Value,
}

impl Spec {
    /// The description carried beside this file, read once.
    pub fn get() -> &'static Spec {
        static SPEC: OnceLock<Spec> = OnceLock::new();
        SPEC.get_or_init(|| {
            let file =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stripe_spec/spec3.json.gz");
            let packed = std::fs::File::open(file).expect("the description is there");
            let mut text = String::new();
            flate2::read::GzDecoder::new(packed)
                .read_to_string(&mut text)
                .expect("it unpacks");
            Spec::new(serde_json::from_str(&text).expect("it is JSON"))
        })
    }

    fn new(doc: Value) -> Spec {
        let mut resources: HashMap<String, (Option<String>, Option<String>)> = HashMap::new();
        for (name, part) in doc["components"]["schemas"].as_object().expect("parts") {
            if let Some(kind) = kind_of(part) {
                let both = resources.entry(kind.into()).or_default();
                if name.starts_with("deleted_") {
                    both.1 = Some(name.clone());
                } else {
                    both.0 = Some(name.clone());
                }
            }
        }
        Spec {
            doc,
            resources,
            compiled: Mutex::default(),
        }
    }

    /// The call with this method and path, such as `GET` and `/v1/charges/ch_1`.
    pub fn operation(&self, method: &str, path: &str) -> Result<Operation<'_>, String> {
        let asked: Vec<&str> = path.trim_matches('/').split('/').collect();
        let mut best: Option<(usize, &Value)> = None;
        for (template, calls) in self.doc["paths"].as_object().expect("paths") {
            let parts: Vec<&str> = template.trim_matches('/').split('/').collect();
            let fits = parts.len() == asked.len()
                && parts
                    .iter()
                    .zip(&asked)
                    .all(|(p, a)| p == a || p.starts_with('{'));
            let holes = parts.iter().filter(|p| p.starts_with('{')).count();
            if fits && best.is_none_or(|(fewest, _)| holes < fewest) {
                best = Some((holes, calls));
            }
        }
        let (_, calls) = best.ok_or_else(|| format!("unknown path {path}"))?;
        let body = &calls[method.to_lowercase()];
        match body["operationId"].as_str() {
            Some(id) => Ok(Operation {
                id: id.into(),
                method: method.into(),
                body,
            }),
            None => Err(format!("{path} has no {method}")),
        }
    }

    /// What is wrong with a request's parameters (form text or query).
    pub fn check_request(&self, op: &Operation, parameters: &str) -> Vec<String> {
        let (tree, mut wrong) = decode(parameters);
        let schema = self.request_schema(op);
        let typed = coerce(tree, &schema);
        let validator = self.compile(&format!("request {}", op.id), || schema);
        wrong.extend(explain(&validator, &typed, &op.id));
        wrong
    }

    /// What is wrong with a 200 answer.
    pub fn check_answer(&self, op: &Operation, answer: &Value) -> Vec<String> {
        let schema = &op.body["responses"]["200"]["content"]["application/json"]["schema"];
        let validator = self.compile(&format!("answer {}", op.id), || self.closed_over(schema));
        let mut wrong = explain(&validator, answer, &op.id);
        self.check_objects(answer, &op.id, &mut wrong);
        wrong
    }

    /// Checks every object of the API found anywhere in a value (answers, events) against its own part.
    pub fn check_objects(&self, value: &Value, place: &str, wrong: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(name) = self.part_for(fields) {
                    let part = &self.doc["components"]["schemas"][&name];
                    let validator = self.compile(&name, || self.closed_over(part));
                    wrong.extend(explain(&validator, value, &format!("{place} ({name})")));
                    for field in fields.keys() {
                        if part["properties"].get(field).is_none() {
                            wrong.push(format!("{place} ({name}): {field} is not a field of it"));
                        }
                    }
                }
                for (name, inner) in fields {
                    self.check_objects(inner, &format!("{place}.{name}"), wrong);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.check_objects(item, place, wrong);
                }
            }
            _ => {}
        }
    }

    fn part_for(&self, fields: &Map<String, Value>) -> Option<String> {
        let (whole, deleted) = self.resources.get(fields.get("object")?.as_str()?)?;
        if fields.get("deleted") == Some(&json!(true)) {
            deleted.clone()
        } else {
            whole.clone()
        }
    }

    fn compile(&self, key: &str, schema: impl FnOnce() -> Value) -> Arc<Validator> {
        let mut compiled = self.compiled.lock().expect("nobody panicked");
        if let Some(ready) = compiled.get(key) {
            return ready.clone();
        }
        let made = jsonschema::options()
            .with_draft(Draft::Draft7)
            .build(&schema());
        let made = Arc::new(made.unwrap_or_else(|e| panic!("{key}: {e}")));
        compiled.insert(key.into(), made.clone());
        made
    }

    fn request_schema(&self, op: &Operation) -> Value {
        if op.method == "POST" {
            let content = op.body["requestBody"]["content"].as_object();
            let form = content.and_then(|c| c.iter().find(|(kind, _)| kind.contains("form")));
            return closed(&to_schema(
                &form.map_or(json!({}), |(_, f)| f["schema"].clone()),
            ));
        }
        let mut properties = Map::new();
        let mut required = Vec::new();
        for parameter in op.body["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "query" {
                let name = parameter["name"].as_str().expect("a name");
                properties.insert(name.into(), to_schema(&parameter["schema"]));
                if parameter["required"] == true {
                    required.push(name);
                }
            }
        }
        closed(&json!({ "type": "object", "properties": properties, "required": required }))
    }

    /// A schema with every part it refers to; objects of the API are replaced by their kind.
    fn closed_over(&self, schema: &Value) -> Value {
        let mut parts = BTreeMap::new();
        let mut todo = Vec::new();
        let mut top = to_schema(schema);
        references(&top, &mut todo);
        while let Some(name) = todo.pop() {
            if parts.contains_key(&name) {
                continue;
            }
            let part = &self.doc["components"]["schemas"][&name];
            let ready = match kind_of(part) {
                Some(kind) => json!({
                    "type": "object", "required": ["object"], "properties": { "object": { "enum": [kind] } },
                }),
                None => to_schema(part),
            };
            references(&ready, &mut todo);
            parts.insert(name, ready);
        }
        top["components"] = json!({ "schemas": parts });
        top
    }
}

/// The word in `object`, where a part is an object of the API.
fn kind_of(part: &Value) -> Option<&str> {
    let needed = part["required"].as_array()?.iter().any(|r| r == "object");
    if needed {
        part["properties"]["object"]["enum"][0].as_str()
    } else {
        None
    }
}

fn references(schema: &Value, out: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(name) = fields.get("$ref").and_then(Value::as_str) {
                out.extend(name.rsplit('/').next().map(String::from));
            }
            fields.values().for_each(|v| references(v, out));
        }
        Value::Array(items) => items.iter().for_each(|v| references(v, out)),
        _ => {}
    }
}

/// OpenAPI 3.0 -> JSON Schema.
fn to_schema(s: &Value) -> Value {
    match s {
        Value::Array(items) => items.iter().map(to_schema).collect(),
        Value::Object(fields) => {
            let mut out = Map::new();
            for (name, value) in fields {
                let value = match name.as_str() {
                    "enum" | "required" | "default" | "example" => value.clone(),
                    // Names of fields, not words of a schema.
                    "properties" => named(value, to_schema),
                    n if NOT_SCHEMA.contains(&n) => continue,
                    _ => to_schema(value),
                };
                out.insert(name.clone(), value);
            }
            match fields.get("nullable") {
                Some(Value::Bool(true)) => json!({ "anyOf": [out, { "type": "null" }] }),
                _ => Value::Object(out),
            }
        }
        other => other.clone(),
    }
}

fn named(fields: &Value, each: impl Fn(&Value) -> Value) -> Value {
    let fields = fields.as_object().into_iter().flatten();
    Value::Object(fields.map(|(n, v)| (n.clone(), each(v))).collect())
}

/// Stripe closes only the outermost object; nested ones must be closed too, or slips of the pen pass.
fn closed(s: &Value) -> Value {
    match s {
        Value::Array(items) => items.iter().map(closed).collect(),
        Value::Object(fields) => {
            let mut out = Map::new();
            for (name, value) in fields {
                let value = match name.as_str() {
                    "enum" | "required" => value.clone(),
                    "properties" => named(value, closed),
                    _ => closed(value),
                };
                out.insert(name.clone(), value);
            }
            if out.get("type") == Some(&json!("object")) && out.contains_key("properties") {
                out.entry("additionalProperties").or_insert(json!(false));
            }
            Value::Object(out)
        }
        other => other.clone(),
    }
}

/// Bracket notation -> a tree of texts, and what is wrong with it.
fn decode(parameters: &str) -> (Value, Vec<String>) {
    let mut root = Map::new();
    let mut wrong = Vec::new();
    for (name, value) in url::form_urlencoded::parse(parameters.as_bytes()) {
        let path: Vec<&str> = name.split('[').map(|p| p.trim_end_matches(']')).collect();
        if !put(&mut root, &path, &value) {
            wrong.push(format!(
                "{name} is given twice, or is a value and an object"
            ));
        }
    }
    (fold(Value::Object(root)), wrong)
}

fn put(tree: &mut Map<String, Value>, path: &[&str], value: &str) -> bool {
    let [head, rest @ ..] = path else {
        return false;
    };
    let key = if head.is_empty() {
        format!("{:06}", tree.len())
    } else {
        head.to_string()
    };
    if rest.is_empty() {
        return tree.insert(key, json!(value)).is_none();
    }
    match tree.entry(key).or_insert_with(|| json!({})) {
        Value::Object(inner) => put(inner, rest, value),
        _ => false,
    }
}

/// Objects whose names are all numbers are arrays.
fn fold(value: Value) -> Value {
    let Value::Object(fields) = value else {
        return value;
    };
    let mut places: Vec<(u32, Value)> = Vec::new();
    if !fields.is_empty() && fields.keys().all(|k| k.parse::<u32>().is_ok()) {
        places.extend(
            fields
                .into_iter()
                .map(|(k, v)| (k.parse().expect("a number"), fold(v))),
        );
        places.sort_by_key(|(place, _)| *place);
        return places.into_iter().map(|(_, v)| v).collect();
    }
    Value::Object(fields.into_iter().map(|(k, v)| (k, fold(v))).collect())
}

/// Turns texts into the types that the schema asks for, where that is possible.
fn coerce(value: Value, schema: &Value) -> Value {
    if let Some(choices) = schema["anyOf"].as_array() {
        let mut best = None;
        for choice in choices {
            let typed = coerce(value.clone(), choice);
            if jsonschema::is_valid(choice, &typed) {
                return typed;
            }
            if best.is_none() && (typed.is_object() || typed.is_array()) {
                best = Some(typed);
            }
        }
        return best.unwrap_or(value);
    }
    match value {
        Value::Object(fields) => {
            let inner = |name: &str| match schema["properties"].get(name) {
                Some(s) => s.clone(),
                None => schema["additionalProperties"].clone(),
            };
            Value::Object(
                fields
                    .into_iter()
                    .map(|(n, v)| (n.clone(), coerce(v, &inner(&n))))
                    .collect(),
            )
        }
        Value::Array(items) => items
            .into_iter()
            .map(|v| coerce(v, &schema["items"]))
            .collect(),
        Value::String(text) => match (schema["type"].as_str(), text.as_str()) {
            (Some("integer"), t) if t.parse::<i64>().is_ok() => json!(t.parse::<i64>().ok()),
            (Some("number"), t) if t.parse::<f64>().is_ok() => json!(t.parse::<f64>().ok()),
            (Some("boolean"), "true") => json!(true),
            (Some("boolean"), "false") => json!(false),
            _ => Value::String(text),
        },
        other => other,
    }
}

fn explain(validator: &Validator, value: &Value, place: &str) -> Vec<String> {
    validator
        .iter_errors(value)
        .map(|e| {
            format!(
                "{place} at {}: {}",
                e.instance_path(),
                e.to_string().chars().take(300).collect::<String>()
            )
        })
        .collect()
}
