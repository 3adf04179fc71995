//! Events: everything that happened, delivered or not.

use super::super::books::Books;
use super::super::errors::{Refusal, Reply};
use super::super::form::Form;
use super::super::store::{self, Filter};
use super::{bodies, created, list_of, page};

/// `GET /v1/events`, by `type`, `types[]` and `created`.
pub fn list(b: &mut Books, mut form: Form) -> Reply {
    let page = page(&mut form)?;
    let mut filter = Filter::default();
    created(&mut form, &mut filter)?;
    let kind = form.text("type")?;
    let kinds = form.texts("types")?;
    form.finish()?;
    if kind.is_some() && !kinds.is_empty() {
        let message = "You may only specify one of these parameters: type, types.";
        return Err(Refusal::invalid(message).into());
    }
    if kinds.len() > 20 {
        let message = "You can pass at most 20 types.";
        return Err(Refusal::invalid(message).param("types").into());
    }
    filter.tags = kinds;
    filter.tags.extend(kind);
    let (rows, more) = store::list(b.conn, "event", &filter, &page)?;
    Ok(list_of(bodies(rows), more, "/v1/events"))
}
