//! The balance and its transactions.

use diesel::prelude::*;
use serde_json::{Value, json};

use super::super::books::Books;
use super::super::errors::Reply;
use super::super::faults;
use super::super::form::Form;
use super::super::store::{self, Filter, account};
use super::{bodies, created, list_of, page};

/// `GET /v1/balance`: test charges are available at once. A short balance has everything still pending.
pub fn retrieve(b: &mut Books, form: Form) -> Reply {
    form.finish()?;
    let mut rows: Vec<(String, i64)> = account::table.order(account::currency).load(b.conn)?;
    if rows.is_empty() {
        rows.push(("usd".into(), 0));
    }
    let short = b.faults.balance == faults::Balance::Short;
    let list = |here: bool| -> Vec<Value> {
        rows.iter()
            .map(|(currency, amount)| {
                let amount = if here { *amount } else { 0 };
                json!({ "amount": amount, "currency": currency, "source_types": { "card": amount } })
            })
            .collect()
    };
    Ok(json!({
        "object": "balance",
        "available": list(!short),
        "livemode": false,
        "pending": list(short),
    }))
}

/// `GET /v1/balance_transactions`.
pub fn list(b: &mut Books, mut form: Form) -> Reply {
    let page = page(&mut form)?;
    let mut filter = Filter::default();
    created(&mut form, &mut filter)?;
    filter.charge = form.text("source")?;
    filter.tags.extend(form.text("type")?);
    form.finish()?;
    let (rows, more) = store::list(b.conn, "balance_transaction", &filter, &page)?;
    Ok(list_of(bodies(rows), more, "/v1/balance_transactions"))
}
