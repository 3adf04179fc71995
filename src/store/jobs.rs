//! Background work as rows: one row for a kind and a subject, due at a time, leased by one worker at a time.

mod kinds;

use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;

use super::kept::{kept, kept_update};
use super::schema::jobs;
use super::{Conn, StoreError, each_backend};
use crate::domain::ids::LeaseId;

pub use kinds::*;

/// A unit of work that was put down.
#[derive(Debug, Clone, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = jobs)]
pub struct JobRow {
    /// The kind's name.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// When it is due.
    pub run_at: NaiveDateTime,
    /// Its turn: the lower goes first.
    pub priority: i32,
    /// How often it was asked for.
    pub wanted: i64,
    /// How often it failed in a row.
    pub attempts: i32,
    /// Until when a worker has it.
    pub leased_until: Option<NaiveDateTime>,
    /// Whose turn it is or was last: who was given this row by [`lease`] holds it while it is still this one.
    pub lease: Option<LeaseId>,
    /// What went wrong last.
    pub problem: Option<String>,
    /// Whether it was given up: a person is needed.
    pub dead: bool,
}

macro_rules! ask_for {
    ($rows:expr) => {{
        use diesel::upsert::excluded;
        diesel::insert_into(jobs::table)
            .values($rows)
            .on_conflict((jobs::kind, jobs::subject))
            .do_update()
            .set((
                jobs::run_at.eq(diesel::dsl::case_when(
                    jobs::run_at
                        .lt(excluded(jobs::run_at))
                        .and(jobs::dead.eq(false)),
                    jobs::run_at,
                )
                .otherwise(excluded(jobs::run_at))),
                jobs::wanted.eq(jobs::wanted + 1),
                jobs::attempts.eq(0),
                jobs::dead.eq(false),
            ))
    }};
}

/// Asks for work at a time. Work that is asked for again is done at the earlier time; if it runs just now, it runs
/// again afterwards.
pub fn put(
    conn: &mut Conn,
    kind: Kind,
    subject: &str,
    run_at: NaiveDateTime,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    put_many(conn, kind, &[(subject.to_owned(), run_at)], now)
}

/// Asks for several pieces of work of a kind.
pub fn put_many(
    conn: &mut Conn,
    kind: Kind,
    work: &[(String, NaiveDateTime)],
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let rows = work.iter().map(|(subject, run_at)| {
        (
            jobs::kind.eq(kind.name),
            jobs::subject.eq(subject),
            jobs::run_at.eq(*run_at),
            jobs::priority.eq(kind.priority),
            jobs::created_at.eq(now),
        )
    });
    match conn {
        // In the same process a prepared statement for each row is cheaper than preparing a long one for all.
        Conn::Sqlite(c) => {
            for row in rows {
                kept!(ask_for!(row)).execute(c)?;
            }
        }
        // Over a wire it is the round trips.
        #[cfg(feature = "postgres")]
        Conn::Postgres(c) => {
            let rows: Vec<_> = rows.collect();
            for some in rows.chunks(60) {
                ask_for!(some).execute(c)?;
            }
        }
    }
    Ok(())
}

/// How much is leased at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Of all work.
    pub all: i64,
    /// Of calls, see [`is_call`].
    pub calls: i64,
}

/// Leases what is due, at most `limit`, lower priorities first. Each is run by nobody else until the lease ends.
pub fn lease(
    conn: &mut Conn,
    limit: i64,
    now: NaiveDateTime,
    lease: Duration,
) -> Result<Vec<JobRow>, StoreError> {
    let room = Room {
        all: limit,
        calls: limit,
    };
    lease_within(conn, room, now, lease)
}

macro_rules! free {
    ($now:expr) => {
        jobs::dead
            .eq(false)
            .and(jobs::run_at.le($now))
            .and(jobs::leased_until.is_null().or(jobs::leased_until.lt($now)))
    };
}

/// As [`lease`], with a limit for calls among it.
pub fn lease_within(
    conn: &mut Conn,
    room: Room,
    now: NaiveDateTime,
    lease: Duration,
) -> Result<Vec<JobRow>, StoreError> {
    // Leases run on the clock given; a worker that dies leaves a lease that ends.
    let free = free!(now);
    let mut due = whose_turn(conn, room, now)?;
    // All of them have one limit together.
    let mut calls = 0;
    due.retain(|job| {
        calls += i64::from(is_call(job.priority));
        !is_call(job.priority) || calls <= room.calls
    });
    let (turn, until) = (LeaseId::new(), now + lease);
    let mut leased = Vec::with_capacity(due.len());
    for mut job in due {
        // The condition again: another worker may have been faster.
        let row = jobs::kind
            .eq(&job.kind)
            .and(jobs::subject.eq(&job.subject))
            .and(jobs::wanted.eq(job.wanted))
            .and(free);
        let changes = (jobs::leased_until.eq(until), jobs::lease.eq(turn));
        let got = each_backend!(conn, c => kept_update!(jobs::table, row, changes).execute(c)?);
        if got == 1 {
            job.leased_until = Some(until);
            job.lease = Some(turn);
            leased.push(job);
        }
    }
    Ok(leased)
}

/// What is due and free, priority by priority: each is read in the order of its index and no further than there is room,
/// however much of it is due, or will be.
fn whose_turn(conn: &mut Conn, room: Room, now: NaiveDateTime) -> Result<Vec<JobRow>, StoreError> {
    match conn {
        Conn::Sqlite(c) => {
            let (mut due, mut left) = (Vec::new(), room.all);
            let mut next = next_priority(c, i32::MIN)?;
            while let Some(priority) = next.filter(|_| left > 0) {
                let most = if is_call(priority) {
                    left.min(room.calls)
                } else {
                    left
                };
                let some: Vec<JobRow> = jobs::table
                    .filter(free!(now).and(jobs::priority.eq(priority)))
                    .order(jobs::run_at.asc())
                    .select(JobRow::as_select())
                    .limit(most)
                    .load(c)?;
                left -= i64::try_from(some.len()).unwrap_or(left);
                due.extend(some);
                next = next_priority(c, priority)?;
            }
            Ok(due)
        }
        // Over a wire it is the round trips.
        #[cfg(feature = "postgres")]
        Conn::Postgres(c) => {
            use diesel::sql_types::{Array, BigInt, Integer, Timestamp};
            Ok(diesel::sql_query(WHOSE_TURN)
                .bind::<BigInt, _>(room.all)
                .bind::<BigInt, _>(room.calls)
                .bind::<Array<Integer>, _>(&CALLS[..])
                .bind::<Timestamp, _>(now)
                .load(c)?)
        }
    }
}

/// The next priority of which there is any work.
fn next_priority(c: &mut SqliteConnection, after: i32) -> Result<Option<i32>, StoreError> {
    Ok(jobs::table
        .filter(jobs::dead.eq(false).and(jobs::priority.gt(after)))
        .order(jobs::priority.asc())
        .select(jobs::priority)
        .first(c)
        .optional()?)
}

/// The same in one statement: the priorities of which there is any work, one after the other, and the first rows of each.
#[cfg(feature = "postgres")]
const WHOSE_TURN: &str = "
WITH RECURSIVE turn (priority) AS (
    (SELECT priority FROM jobs WHERE dead = FALSE ORDER BY priority LIMIT 1)
    UNION ALL
    SELECT (SELECT j.priority FROM jobs AS j WHERE j.dead = FALSE AND j.priority > turn.priority
        ORDER BY j.priority LIMIT 1)
    FROM turn WHERE turn.priority IS NOT NULL)
SELECT due.* FROM turn, LATERAL (
    SELECT * FROM jobs AS j WHERE j.dead = FALSE AND j.priority = turn.priority AND j.run_at <= $4
        AND (j.leased_until IS NULL OR j.leased_until < $4)
    ORDER BY j.run_at LIMIT CASE WHEN turn.priority = ANY ($3) THEN least($1, $2) ELSE $1 END) AS due
ORDER BY due.priority, due.run_at LIMIT $1";

/// That a row is a piece of work's, and still this turn's: whoever has it after the lease ended decides about it.
macro_rules! own {
    ($job:expr) => {
        jobs::kind
            .eq(&$job.kind)
            .and(jobs::subject.eq(&$job.subject))
            .and(jobs::lease.eq($job.lease))
    };
}

/// Ends a lease. With `next`, the work stays, due then; without, it is gone, unless it was asked for again meanwhile.
/// Nothing, and false, where the lease had ended and another has the work.
pub fn done(
    conn: &mut Conn,
    job: &JobRow,
    next: Option<NaiveDateTime>,
    now: NaiveDateTime,
) -> Result<bool, StoreError> {
    if next.is_none() {
        let ending = diesel::delete(jobs::table.filter(own!(job).and(jobs::wanted.eq(job.wanted))));
        let gone = each_backend!(conn, c => kept!(ending).execute(c)?);
        if gone == 1 {
            return Ok(true);
        }
    }
    let row = own!(job).and(jobs::wanted.eq(job.wanted));
    let ended = (
        jobs::run_at.eq(next.unwrap_or(now)),
        jobs::attempts.eq(0),
        jobs::leased_until.eq(None::<NaiveDateTime>),
        jobs::lease.eq(None::<LeaseId>),
        jobs::problem.eq(None::<String>),
    );
    let same = each_backend!(conn, c => kept_update!(jobs::table, row, ended).execute(c)?);
    if same == 1 {
        return Ok(true);
    }
    // Asked for again while it ran: it is due at the time that was asked for.
    let again = diesel::update(jobs::table.filter(own!(job)))
        .set((
            jobs::attempts.eq(0),
            jobs::leased_until.eq(None::<NaiveDateTime>),
            jobs::lease.eq(None::<LeaseId>),
        ))
        .execute(conn)?;
    Ok(again == 1)
}

/// Gives a lease back untouched; false where another has the work.
pub fn release(conn: &mut Conn, job: &JobRow) -> Result<bool, StoreError> {
    let released = diesel::update(jobs::table.filter(own!(job)))
        .set((
            jobs::leased_until.eq(None::<NaiveDateTime>),
            jobs::lease.eq(None::<LeaseId>),
        ))
        .execute(conn)?;
    Ok(released == 1)
}

/// Ends a lease after a failure: due again at `next`, or given up. False where another has the work.
pub fn failed(
    conn: &mut Conn,
    job: &JobRow,
    problem: &str,
    next: Option<NaiveDateTime>,
) -> Result<bool, StoreError> {
    let problem: String = problem.chars().take(500).collect();
    let kept = diesel::update(jobs::table.filter(own!(job)))
        .set((
            jobs::run_at.eq(next.unwrap_or(job.run_at)),
            jobs::attempts.eq(jobs::attempts + 1),
            jobs::leased_until.eq(None::<NaiveDateTime>),
            jobs::lease.eq(None::<LeaseId>),
            jobs::problem.eq(problem),
            jobs::dead.eq(next.is_none()),
        ))
        .execute(conn)?;
    Ok(kept == 1)
}

/// When the next work is due that nobody has.
pub fn next_due(conn: &mut Conn) -> Result<Option<NaiveDateTime>, StoreError> {
    Ok(jobs::table
        .filter(jobs::dead.eq(false))
        .select(diesel::dsl::min(jobs::run_at))
        .first(conn)?)
}

/// Frees every lease: at the start of the only worker of an embedded database, whoever had them is gone.
pub fn free_all(conn: &mut Conn) -> Result<(), StoreError> {
    diesel::update(jobs::table.filter(jobs::leased_until.is_not_null()))
        .set((
            jobs::leased_until.eq(None::<NaiveDateTime>),
            jobs::lease.eq(None::<LeaseId>),
        ))
        .execute(conn)?;
    Ok(())
}

/// The earliest pieces of work, leased ones too.
pub fn earliest(conn: &mut Conn, limit: i64) -> Result<Vec<JobRow>, StoreError> {
    Ok(jobs::table
        .filter(jobs::dead.eq(false))
        .order(jobs::run_at.asc())
        .select(JobRow::as_select())
        .limit(limit)
        .load(conn)?)
}

/// How many pieces of work are due, or leased, at `now`.
pub fn due_count(conn: &mut Conn, now: NaiveDateTime) -> Result<i64, StoreError> {
    Ok(jobs::table
        .filter(jobs::dead.eq(false))
        .filter(jobs::run_at.le(now))
        .count()
        .get_result(conn)?)
}

/// Whether any piece of work is due at `now`.
pub fn is_any_due(conn: &mut Conn, now: NaiveDateTime) -> Result<bool, StoreError> {
    let one: Option<String> = jobs::table
        .filter(jobs::dead.eq(false))
        .filter(jobs::run_at.le(now))
        .filter(jobs::leased_until.is_null().or(jobs::leased_until.lt(now)))
        .select(jobs::kind)
        .first(conn)
        .optional()?;
    Ok(one.is_some())
}

/// The row of one piece of work.
pub fn find(conn: &mut Conn, kind: Kind, subject: &str) -> Result<Option<JobRow>, StoreError> {
    Ok(jobs::table
        .find((kind.name, subject))
        .select(JobRow::as_select())
        .first(conn)
        .optional()?)
}

/// Work that was given up, oldest first.
pub fn dead(conn: &mut Conn, limit: i64) -> Result<Vec<JobRow>, StoreError> {
    Ok(jobs::table
        .filter(jobs::dead.eq(true))
        .order(jobs::run_at.asc())
        .select(JobRow::as_select())
        .limit(limit)
        .load(conn)?)
}
