//! Customers: whom cards are saved for.

use serde_json::{Map, Value, json};

use super::super::books::{Books, new_id};
use super::super::errors::Reply;
use super::super::form::Form;
use super::super::store::Record;
use super::merge_metadata;

/// What a customer is made of.
#[derive(Default)]
pub struct New {
    /// Lists can be narrowed to it.
    pub email: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// For the merchant.
    pub description: Option<String>,
    /// The merchant's own.
    pub metadata: Map<String, Value>,
}

/// Keeps a new customer and tells of it.
pub fn make(b: &mut Books, new: New) -> Reply<Record> {
    let id = new_id("cus_", 14);
    let body = json!({
        "id": id,
        "object": "customer",
        "address": null,
        "balance": 0,
        "created": b.now,
        "currency": null,
        "customer_account": null,
        "default_source": null,
        "delinquent": false,
        "description": new.description,
        "discount": null,
        "email": new.email,
        "invoice_prefix": new_id("", 8).to_ascii_uppercase(),
        "invoice_settings": {
            "custom_fields": null, "default_payment_method": null, "footer": null, "rendering_options": null,
        },
        "livemode": false,
        "metadata": new.metadata,
        "name": new.name,
        "next_invoice_sequence": 1,
        "phone": new.phone,
        "preferred_locales": [],
        "shipping": null,
        "tax_exempt": "none",
        "test_clock": null,
    });
    let mut r = b.record("customer", id, body);
    r.tag = new.email;
    b.insert(&r)?;
    b.event("customer.created", &r.body)?;
    Ok(r)
}

/// `POST /v1/customers`.
pub fn create(b: &mut Books, mut form: Form) -> Reply {
    let email = form.text("email")?;
    if let Some(address) = &email {
        super::email(address, "email")?;
    }
    let new = New {
        email,
        name: form.text("name")?,
        phone: form.text("phone")?,
        description: form.text("description")?,
        metadata: form.metadata("metadata")?.unwrap_or_default(),
    };
    form.finish()?;
    Ok(make(b, new)?.body)
}

/// `POST /v1/customers/{id}`.
pub fn update(b: &mut Books, id: &str, mut form: Form) -> Reply {
    let mut r = b.get("customer", id, "customer")?;
    let email = form.text("email")?;
    if let Some(address) = &email {
        super::email(address, "email")?;
    }
    for field in ["name", "phone", "description"] {
        if let Some(value) = form.text(field)? {
            r.body[field] = json!(value);
        }
    }
    let metadata = form.metadata("metadata")?;
    form.finish()?;
    if let Some(address) = email {
        r.body["email"] = json!(address);
        r.tag = Some(address);
    }
    merge_metadata(&mut r.body, metadata);
    b.save(&r)?;
    b.event("customer.updated", &r.body)?;
    Ok(r.body)
}
