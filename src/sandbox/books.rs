//! One request's view of the books: the connection, the moment, the faults. Every operation of the API, the pay page and
//! the provider's own due work is written against it, and runs inside one savepoint of the write lane.

use diesel::prelude::*;
use diesel::result::Error;
use rand::Rng;
use rand::distr::Alphanumeric;
use serde_json::{Value, json};

use super::errors::{Failure, Refusal, Reply};
use super::faults::{Balance, Faults, Webhooks};
use super::store::{self, Filter, Page, Record, account, delivery};

/// The API version of every object and event.
pub const API_VERSION: &str = "2026-08-26.dahlia";

/// How late a delayed webhook is, in seconds of the sandbox's clock.
pub const DELAY: i64 = 600;

/// How long reordered webhooks are gathered, in seconds of the sandbox's clock.
const GATHER: i64 = 2;

/// The books, for one request.
pub struct Books<'a> {
    /// Inside a savepoint when writing.
    pub conn: &'a mut SqliteConnection,
    /// Unix seconds of the sandbox's clock.
    pub now: i64,
    /// Where the pay page is.
    pub public_url: &'a str,
    /// What is set to go wrong.
    pub faults: Faults,
    /// The request's idempotency key, for its events.
    pub key: Option<&'a str>,
    /// How many events were written.
    pub events: usize,
}

/// A new id with Stripe's prefix.
pub fn new_id(prefix: &str, length: usize) -> String {
    let mut rng = rand::rng();
    let mut id = String::with_capacity(prefix.len() + length);
    id.push_str(prefix);
    id.extend((0..length).map(|_| char::from(rng.sample(Alphanumeric))));
    id
}

impl Books<'_> {
    /// An object by id and kind; `resource_missing` in the words of Stripe where there is none.
    pub fn get(&mut self, kind: &'static str, id: &str, param: &str) -> Reply<Record> {
        match store::find(self.conn, id)? {
            Some(r) if r.kind == kind => Ok(r),
            _ => {
                let what = if kind == "checkout.session" {
                    "checkout session"
                } else {
                    kind
                };
                let words = match what {
                    "payment_method" => "PaymentMethod",
                    other => other,
                };
                Err(Refusal::missing(words, id, param).into())
            }
        }
    }

    /// The same for an id in a parameter: 400, as Stripe does for references.
    pub fn refer(&mut self, kind: &'static str, id: &str, param: &str) -> Reply<Record> {
        self.get(kind, id, param).map_err(|e| match e {
            Failure::Refused(r) => Failure::Refused(Box::new(r.status(400))),
            other => other,
        })
    }

    /// A new object, not yet kept.
    pub fn record(&self, kind: &'static str, id: String, body: Value) -> Record {
        Record {
            seq: 0,
            id,
            kind,
            created: self.now,
            customer: None,
            payment_intent: None,
            charge: None,
            tag: None,
            due_at: None,
            body,
            hidden: json!({}),
        }
    }

    /// Keeps a new object.
    pub fn insert(&mut self, r: &Record) -> Result<(), Error> {
        store::insert(self.conn, r)
    }

    /// Keeps a changed object.
    pub fn save(&mut self, r: &Record) -> Result<(), Error> {
        store::update(self.conn, r)
    }

    /// Everything of a kind that matches, newest first, up to 100.
    pub fn all(&mut self, kind: &str, filter: &Filter) -> Reply<Vec<Record>> {
        let page = Page {
            limit: 100,
            starting_after: None,
            ending_before: None,
        };
        Ok(store::list(self.conn, kind, filter, &page)?.0)
    }

    /// Tells the world: keeps the event and queues its deliveries as the faults have it.
    pub fn event(&mut self, kind: &str, object: &Value) -> Result<(), Error> {
        self.event_with(kind, object, None)
    }

    /// The same, with the values before the change.
    pub fn event_with(
        &mut self,
        kind: &str,
        object: &Value,
        previous: Option<Value>,
    ) -> Result<(), Error> {
        let id = new_id("evt_1", 23);
        let endpoints = self.endpoints_for(kind)?;
        let mut data = json!({ "object": object });
        if let Some(previous) = previous {
            data["previous_attributes"] = previous;
        }
        let body = json!({
            "id": id,
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now,
            "data": data,
            "livemode": false,
            "pending_webhooks": endpoints.len(),
            "request": { "id": self.key.map(|_| new_id("req_", 14)), "idempotency_key": self.key },
            "type": kind,
        });
        let mut r = self.record("event", id.clone(), body);
        r.tag = Some(kind.into());
        self.insert(&r)?;
        for endpoint in endpoints {
            self.queue(&id, &endpoint)?;
        }
        self.events += 1;
        Ok(())
    }

    fn endpoints_for(&mut self, kind: &str) -> Result<Vec<String>, Error> {
        let page = Page {
            limit: 16,
            starting_after: None,
            ending_before: None,
        };
        let filter = Filter {
            tags: vec!["enabled".into()],
            ..Filter::default()
        };
        let (all, _) = match store::list(self.conn, "webhook_endpoint", &filter, &page) {
            Ok(list) => list,
            Err(Failure::Broken(e)) => return Err(e),
            Err(Failure::Refused(_)) => (Vec::new(), false),
        };
        let wants = |r: &Record| {
            let list = r.body["enabled_events"].as_array();
            list.is_some_and(|l| l.iter().any(|e| e == "*" || e == kind))
        };
        Ok(all.into_iter().filter(wants).map(|r| r.id).collect())
    }

    fn queue(&mut self, event: &str, endpoint: &str) -> Result<(), Error> {
        let (copies, wait) = match self.faults.webhooks {
            Webhooks::Normal => (1, 0),
            Webhooks::Duplicate => (2, 0),
            Webhooks::Reorder => (1, GATHER),
            Webhooks::Delay => (1, DELAY),
            Webhooks::Drop => (0, 0),
        };
        for _ in 0..copies {
            diesel::insert_into(delivery::table)
                .values((
                    delivery::event.eq(event),
                    delivery::endpoint.eq(endpoint),
                    delivery::created.eq(self.now),
                    delivery::attempts.eq(0),
                    delivery::next_at.eq(self.now + wait),
                    delivery::grouped.eq(self.faults.webhooks == Webhooks::Reorder),
                ))
                .execute(self.conn)?;
        }
        Ok(())
    }

    /// What is available in a currency, in minor units, by the books.
    pub fn available(&mut self, currency: &str) -> Result<i64, Error> {
        let kept: Option<i64> = account::table
            .find(currency)
            .select(account::available)
            .first(self.conn)
            .optional()?;
        Ok(kept.unwrap_or(0))
    }

    /// Whether an amount can go out now.
    pub fn covers(&mut self, currency: &str, amount: i64) -> Result<bool, Error> {
        Ok(self.faults.balance == Balance::Normal && self.available(currency)? >= amount)
    }

    /// Moves money in (positive) or out of the balance and keeps the balance transaction. Test charges are available
    /// at once and cost no fee, so that what came in can always go back. Gives its id.
    pub fn book(
        &mut self,
        kind: &str,
        amount: i64,
        currency: &str,
        source: &str,
    ) -> Result<String, Error> {
        diesel::insert_into(account::table)
            .values((
                account::currency.eq(currency),
                account::available.eq(amount),
            ))
            .on_conflict(account::currency)
            .do_update()
            .set(account::available.eq(account::available + amount))
            .execute(self.conn)?;
        let id = new_id("txn_3", 23);
        let category = match kind {
            "charge" => "charge",
            "refund" => "refund",
            "refund_failure" => "refund_failure",
            _ => "dispute",
        };
        let body = json!({
            "id": id,
            "object": "balance_transaction",
            "amount": amount,
            "available_on": self.now,
            "balance_type": "payments",
            "created": self.now,
            "currency": currency,
            "description": null,
            "exchange_rate": null,
            "fee": 0,
            "fee_details": [],
            "net": amount,
            "reporting_category": category,
            "source": source,
            "status": "available",
            "type": kind,
        });
        let mut r = self.record("balance_transaction", id.clone(), body);
        r.tag = Some(kind.into());
        r.charge = Some(source.into());
        self.insert(&r)?;
        Ok(id)
    }
}

/// A text field of an object, empty where it is absent.
pub fn text<'a>(body: &'a Value, field: &str) -> &'a str {
    body[field].as_str().unwrap_or_default()
}

/// A number field of an object, nought where it is absent.
pub fn number(body: &Value, field: &str) -> i64 {
    body[field].as_i64().unwrap_or_default()
}

/// A text field that may be null.
pub fn text_or_none(body: &Value, field: &str) -> Option<String> {
    body[field].as_str().map(Into::into)
}
