//! What moves on a campaign's page while it is looked at.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

use super::{all_taken, join_words};
use crate::web::view::join::OptionRow;
use crate::web::view::{Badge, Meter, Steps};

/// What moves on a campaign's page while it is looked at: the message of its event stream.
#[derive(Clone, Debug)]
pub struct CampaignLive {
    /// The state word.
    pub state: String,
    /// Prices and how far the next is.
    pub steps: Steps,
    /// The threshold.
    pub meter: Meter,
    /// Stock and prices.
    pub options: Vec<OptionRow>,
    /// What is left over is sold from stock.
    pub from_stock: bool,
}

impl CampaignLive {
    /// The message as it goes over the event stream, in JSON, with the clock ("@now") that countdowns go by.
    pub fn message(&self, now: DateTime<Utc>) -> String {
        let mut out = self.fragments();
        let now = now.to_rfc3339_opts(SecondsFormat::Secs, true);
        out.insert("@now".to_owned(), Value::String(now));
        Value::Object(out).to_string()
    }

    /// The message: keys of `data-live` and what stands there now.
    pub fn fragments(&self) -> Map<String, Value> {
        let mut out = Map::new();
        let mut put = |key: String, html: String| out.insert(key, Value::String(html));
        put("state".into(), Badge::campaign(&self.state).to_string());
        put("steps".into(), self.steps.to_string());
        put("meter".into(), self.meter.to_string());
        put(
            "join".into(),
            escape(&join_words(
                &self.steps,
                all_taken(&self.options),
                self.from_stock,
            )),
        );
        for o in &self.options {
            put(format!("stock-{}", o.sku), escape(&o.stock()));
            let price = match (&o.price_next, o.sold_out()) {
                (_, true) => "sold out".to_owned(),
                (None, _) => escape(&o.price),
                (Some(next), _) => format!(
                    "{}<br><span class=\"small quiet\">next {}</span>",
                    escape(&o.price),
                    escape(next)
                ),
            };
            put(format!("price-{}", o.sku), price);
        }
        out
    }
}

fn escape(text: &str) -> String {
    match askama::filters::escape(text, askama::filters::Html) {
        Ok(safe) => safe.to_string(),
        Err(never) => match never {},
    }
}
