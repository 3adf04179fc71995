//! The provider's books: one SQLite file of its own, `sandbox.db`, outside the shop's database, its backup and restore.
//! Objects are kept as the JSON that is answered, beside the few columns that lists and due work need.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sqlite::Sqlite;
use serde_json::Value;

use super::errors::{Refusal, Reply};

diesel::table! {
    object (seq) {
        seq -> BigInt,
        id -> Text,
        kind -> Text,
        created -> BigInt,
        customer -> Nullable<Text>,
        payment_intent -> Nullable<Text>,
        charge -> Nullable<Text>,
        tag -> Nullable<Text>,
        due_at -> Nullable<BigInt>,
        body -> Text,
        hidden -> Text,
    }
}
diesel::table! {
    answer (key) {
        key -> Text,
        created -> BigInt,
        request -> Binary,
        status -> Integer,
        body -> Text,
    }
}
diesel::table! {
    delivery (id) {
        id -> BigInt,
        event -> Text,
        endpoint -> Text,
        created -> BigInt,
        attempts -> Integer,
        next_at -> BigInt,
        grouped -> Bool,
    }
}
diesel::table! {
    setting (name) {
        name -> Text,
        value -> Text,
    }
}
diesel::table! {
    account (currency) {
        currency -> Text,
        available -> BigInt,
    }
}

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, created INTEGER NOT NULL,
    customer TEXT, payment_intent TEXT, charge TEXT, tag TEXT, due_at INTEGER, body TEXT NOT NULL, hidden TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS object_kind ON object (kind, seq);
CREATE INDEX IF NOT EXISTS object_customer ON object (customer, kind, seq) WHERE customer IS NOT NULL;
CREATE INDEX IF NOT EXISTS object_intent ON object (payment_intent, kind, seq) WHERE payment_intent IS NOT NULL;
CREATE INDEX IF NOT EXISTS object_charge ON object (charge, kind, seq) WHERE charge IS NOT NULL;
CREATE INDEX IF NOT EXISTS object_due ON object (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, created INTEGER NOT NULL, request BLOB NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, endpoint TEXT NOT NULL, created INTEGER NOT NULL,
    attempts INTEGER NOT NULL, next_at INTEGER NOT NULL, grouped BOOLEAN NOT NULL);
CREATE INDEX IF NOT EXISTS delivery_next ON delivery (next_at);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS account (currency TEXT PRIMARY KEY, available INTEGER NOT NULL) WITHOUT ROWID;
";

/// One object of the provider.
#[derive(Debug, Clone)]
pub struct Record {
    /// Order of creation; nought until it is kept.
    pub seq: i64,
    /// Stripe's id, with its prefix.
    pub id: String,
    /// Stripe's `object` word.
    pub kind: &'static str,
    /// Unix seconds of the sandbox's clock.
    pub created: i64,
    /// The customer it is listed under.
    pub customer: Option<String>,
    /// The intent it is listed under.
    pub payment_intent: Option<String>,
    /// The charge it is listed under.
    pub charge: Option<String>,
    /// Its state; of an event, its type.
    pub tag: Option<String>,
    /// When the provider does something about it by itself, in Unix seconds.
    pub due_at: Option<i64>,
    /// What is answered.
    pub body: Value,
    /// What only the provider knows (card number, what comes next).
    pub hidden: Value,
}

type Row = (
    i64,
    String,
    String,
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
    String,
    String,
);

/// The words that `kind` takes; anything else in the file is a broken file.
const KINDS: [&str; 11] = [
    "checkout.session",
    "payment_intent",
    "setup_intent",
    "payment_method",
    "customer",
    "charge",
    "refund",
    "dispute",
    "event",
    "balance_transaction",
    "webhook_endpoint",
];

fn broken(what: String) -> Error {
    Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(what))
}

fn to_record(row: Row) -> Result<Record, Error> {
    let (seq, id, kind, created, customer, payment_intent, charge, tag, due_at, body, hidden) = row;
    let kind = KINDS
        .into_iter()
        .find(|k| *k == kind)
        .ok_or_else(|| broken(format!("{id} has the unknown kind {kind}")))?;
    let parse = |text: &str| -> Result<Value, Error> {
        serde_json::from_str(text).map_err(|e| broken(format!("{id}: {e}")))
    };
    let (body, hidden) = (parse(&body)?, parse(&hidden)?);
    Ok(Record {
        seq,
        id,
        kind,
        created,
        customer,
        payment_intent,
        charge,
        tag,
        due_at,
        body,
        hidden,
    })
}

/// An object by its id, of whatever kind.
pub fn find(conn: &mut SqliteConnection, id: &str) -> Result<Option<Record>, Error> {
    let row: Option<Row> = object::table
        .filter(object::id.eq(id))
        .first(conn)
        .optional()?;
    row.map(to_record).transpose()
}

/// Keeps a new object.
pub fn insert(conn: &mut SqliteConnection, r: &Record) -> Result<(), Error> {
    diesel::insert_into(object::table)
        .values((
            object::id.eq(&r.id),
            object::kind.eq(r.kind),
            object::created.eq(r.created),
            object::customer.eq(&r.customer),
            object::payment_intent.eq(&r.payment_intent),
            object::charge.eq(&r.charge),
            object::tag.eq(&r.tag),
            object::due_at.eq(r.due_at),
            object::body.eq(r.body.to_string()),
            object::hidden.eq(r.hidden.to_string()),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keeps a changed object.
pub fn update(conn: &mut SqliteConnection, r: &Record) -> Result<(), Error> {
    let changed = diesel::update(object::table.filter(object::id.eq(&r.id)))
        .set((
            object::customer.eq(&r.customer),
            object::payment_intent.eq(&r.payment_intent),
            object::charge.eq(&r.charge),
            object::tag.eq(&r.tag),
            object::due_at.eq(r.due_at),
            object::body.eq(r.body.to_string()),
            object::hidden.eq(r.hidden.to_string()),
        ))
        .execute(conn)?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

/// Forgets an object.
pub fn delete(conn: &mut SqliteConnection, id: &str) -> Result<(), Error> {
    diesel::delete(object::table.filter(object::id.eq(id))).execute(conn)?;
    Ok(())
}

/// What is due at or before a moment, earliest first.
pub fn due(conn: &mut SqliteConnection, now: i64, most: i64) -> Result<Vec<Record>, Error> {
    let rows: Vec<Row> = object::table
        .filter(object::due_at.is_not_null())
        .filter(object::due_at.le(now))
        .order((object::due_at.asc(), object::seq.asc()))
        .limit(most)
        .load(conn)?;
    rows.into_iter().map(to_record).collect()
}

/// The earliest due moment of any object.
pub fn next_due(conn: &mut SqliteConnection) -> Result<Option<i64>, Error> {
    object::table
        .filter(object::due_at.is_not_null())
        .select(diesel::dsl::min(object::due_at))
        .first(conn)
}

/// What a list is narrowed to.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    /// Only of this customer.
    pub customer: Option<String>,
    /// Only of this intent.
    pub payment_intent: Option<String>,
    /// Only of this charge.
    pub charge: Option<String>,
    /// Only with one of these tags; empty: any.
    pub tags: Vec<String>,
    /// Created at or after.
    pub from: Option<i64>,
    /// Created at or before.
    pub to: Option<i64>,
}

/// Which part of a list.
#[derive(Debug, Clone)]
pub struct Page {
    /// 1 to 100.
    pub limit: i64,
    /// Older than this object.
    pub starting_after: Option<String>,
    /// Newer than this object.
    pub ending_before: Option<String>,
}

fn place_of(conn: &mut SqliteConnection, kind: &str, id: &str, param: &str) -> Reply<i64> {
    let seq: Option<i64> = object::table
        .filter(object::id.eq(id).and(object::kind.eq(kind)))
        .select(object::seq)
        .first(conn)
        .optional()?;
    Ok(seq.ok_or_else(|| Refusal::missing(kind, id, param).status(400))?)
}

/// A page of a list, newest first, and whether there is more in the same direction.
pub fn list(
    conn: &mut SqliteConnection,
    kind: &str,
    filter: &Filter,
    page: &Page,
) -> Reply<(Vec<Record>, bool)> {
    let after = match &page.starting_after {
        Some(id) => Some(place_of(conn, kind, id, "starting_after")?),
        None => None,
    };
    let before = match &page.ending_before {
        Some(id) => Some(place_of(conn, kind, id, "ending_before")?),
        None => None,
    };
    let mut query = object::table
        .filter(object::kind.eq(kind))
        .into_boxed::<Sqlite>();
    if let Some(v) = &filter.customer {
        query = query.filter(object::customer.eq(v));
    }
    if let Some(v) = &filter.payment_intent {
        query = query.filter(object::payment_intent.eq(v));
    }
    if let Some(v) = &filter.charge {
        query = query.filter(object::charge.eq(v));
    }
    if !filter.tags.is_empty() {
        query = query.filter(object::tag.eq_any(&filter.tags));
    }
    if let Some(v) = filter.from {
        query = query.filter(object::created.ge(v));
    }
    if let Some(v) = filter.to {
        query = query.filter(object::created.le(v));
    }
    if let Some(seq) = after {
        query = query.filter(object::seq.lt(seq));
    }
    let backwards = before.is_some();
    if let Some(seq) = before {
        query = query.filter(object::seq.gt(seq)).order(object::seq.asc());
    } else {
        query = query.order(object::seq.desc());
    }
    let mut rows: Vec<Row> = query.limit(page.limit + 1).load(conn)?;
    let more = rows.len() as i64 > page.limit;
    rows.truncate(page.limit as usize);
    if backwards {
        rows.reverse();
    }
    let records = rows
        .into_iter()
        .map(to_record)
        .collect::<Result<Vec<_>, _>>()?;
    Ok((records, more))
}

/// A setting's value.
pub fn get_setting(conn: &mut SqliteConnection, name: &str) -> Result<Option<String>, Error> {
    setting::table
        .find(name)
        .select(setting::value)
        .first(conn)
        .optional()
}

/// Keeps a setting.
pub fn put_setting(conn: &mut SqliteConnection, name: &str, value: &str) -> Result<(), Error> {
    diesel::insert_into(setting::table)
        .values((setting::name.eq(name), setting::value.eq(value)))
        .on_conflict(setting::name)
        .do_update()
        .set(setting::value.eq(value))
        .execute(conn)?;
    Ok(())
}

/// Opens one connection: durable before a commit returns, and patient with other processes.
pub fn connect(path: &Path) -> Result<SqliteConnection, String> {
    let url = path
        .to_str()
        .ok_or("the data folder's name is not valid UTF-8")?;
    let mut conn = SqliteConnection::establish(url).map_err(|e| format!("{url}: {e}"))?;
    conn.batch_execute(
        "PRAGMA busy_timeout=10000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;",
    )
    .map_err(|e| format!("{url}: {e}"))?;
    Ok(conn)
}

/// Makes the tables that are not there.
pub fn make_tables(conn: &mut SqliteConnection) -> Result<(), Error> {
    conn.batch_execute(TABLES)
}

/// Connections that only read; opened when needed, a few kept.
pub struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<SqliteConnection>>,
}

/// How many reading connections are kept open.
const KEPT: usize = 4;

impl Readers {
    /// None is opened yet.
    pub fn new(path: PathBuf) -> Readers {
        Readers {
            path,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Runs `work` on a reading connection; blocks.
    pub fn read<T>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let kept = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut conn = match kept {
            Some(conn) => conn,
            None => connect(&self.path).map_err(broken)?,
        };
        let out = work(&mut conn);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(conn);
        }
        out
    }
}
