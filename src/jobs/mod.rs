//! Background work: rows that are due are leased, run, and ended or put off. One file per kind of work.
//!
//! Each run is: read or write in a transaction, ask the outside, write what was heard. No transaction is open while the
//! outside is asked. Work is repeatable at each point: it may be run twice, and it may be killed anywhere.

mod campaign;
mod collect;
mod evidence;
mod goods;
mod mail;
mod payment;
mod promise;
mod reconcile;
mod refund;
mod tell;
mod waiting;
mod worker;

pub use reconcile::{BALANCE, CompareError, KeptBalance, Report, compare, reconcile};
pub use worker::{FROZEN, Worker};

use std::time::{Duration as StdDuration, Instant};

use chrono::{DateTime, Duration, Utc};

use crate::store::jobs::{self, JobRow};
use crate::store::{StoreError, Tx};
use crate::workflows::desk::Problem;
use crate::workflows::office::Office;
use crate::workflows::ports::CallError;

/// What the log says of a worker that came too late to say what follows.
const LEASE_ENDED: &str =
    "its lease had ended and another has it; what follows is that one's to say";

/// What follows after a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing: it is done.
    Done,
    /// It is due again then.
    At(DateTime<Utc>),
    /// What follows was kept already, together with what was heard.
    Kept,
}

/// Why a piece of work did not get done. It is tried again, later and later.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    /// What went wrong, for staff and the log.
    pub what: String,
    /// When to try again, where that is known.
    pub again_in: Option<Duration>,
}

/// How long work in many steps goes on before it begins a new turn: well within a lease, so that nobody else begins it too.
const TURN: StdDuration = StdDuration::from_secs(2);
/// How many times as long as a step took it stands back after it: what it leads to, such as charges at the provider's pace,
/// takes longer than that in any case.
const STANDS_BACK: u32 = 3;
/// How long it stands back after a step at most.
const STAND_BACK: StdDuration = StdDuration::from_millis(60);

/// Work in many steps, each a transaction, until one says that there are no more. Between two it stands back for longer than
/// one takes: the others who write, above all those whom a shopper waits for, have their turn.
pub(crate) async fn in_turns<F, S>(office: &Office, step: F) -> Result<Next, Trouble>
where
    F: Fn() -> S,
    S: Future<Output = Result<bool, Problem>>,
{
    let begun = Instant::now();
    loop {
        let asked = Instant::now();
        if !step().await? {
            return Ok(Next::Done);
        }
        if begun.elapsed() >= TURN {
            return Ok(Next::At(office.now()));
        }
        tokio::time::sleep((asked.elapsed() * STANDS_BACK).min(STAND_BACK)).await;
    }
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Trouble {
            what: problem.to_string(),
            again_in: None,
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(e: StoreError) -> Self {
        Problem::from(e).into()
    }
}

impl From<CallError> for Trouble {
    fn from(e: CallError) -> Self {
        Trouble {
            what: e.to_string(),
            again_in: None,
        }
    }
}

/// Ends a piece of work within the transaction that keeps what it came to, or puts it off until `next`: in a rush each commit
/// counts.
///
/// # Errors
/// What the database says.
fn end_within(
    tx: &mut Tx,
    job: Option<&JobRow>,
    next: Option<DateTime<Utc>>,
) -> Result<(), Problem> {
    let (now, next) = (tx.now.naive_utc(), next.map(|at| at.naive_utc()));
    if let Some(job) = job
        && !jobs::done(tx.conn, job, next, now)?
    {
        // What was heard is so all the same.
        log::warn!("{} {}: {LEASE_ENDED}", job.kind, job.subject);
    }
    Ok(())
}

/// Runs one piece of work.
async fn run(office: &Office, job: &JobRow) -> Result<Next, Trouble> {
    use crate::store::jobs as kinds;
    let subject = job.subject.as_str();
    match job.kind.as_str() {
        k if k == kinds::PAYMENT.name => payment::drive(office, subject, Some(job)).await,
        k if k == kinds::REFUND.name => refund::drive(office, subject).await,
        k if k == kinds::REFUND_HEARD.name => refund::named(office, subject).await,
        k if k == kinds::DISPUTE.name => refund::dispute(office, subject).await,
        k if k == kinds::EVIDENCE.name => evidence::drive(office, subject).await,
        k if k == kinds::CAMPAIGN.name => campaign::drive(office, subject).await,
        k if k == kinds::WAITING.name => waiting::drive(office, subject).await,
        k if k == kinds::SETTLE.name => campaign::settle(office, subject).await,
        k if k == kinds::COLLECT.name => collect::batch(office, subject).await,
        k if k == kinds::SHORTFALL_TOLD.name => collect::tell_shortfall(office, subject).await,
        k if k == kinds::DUE.name => collect::due(office, subject).await,
        k if k == kinds::BALANCE.name => collect::balances(office, subject).await,
        k if k == kinds::DETACH.name => collect::detach(office, subject).await,
        k if k == kinds::CARDS_END.name => collect::ending(office, subject).await,
        k if k == kinds::STEP_TOLD.name => campaign::tell_step(office, subject).await,
        k if k == kinds::EXTENSION_TOLD.name => campaign::tell_extension(office, subject).await,
        k if k == kinds::POST_TOLD.name => tell::post(office, subject).await,
        k if k == kinds::INTEREST_TOLD.name => tell::interest(office, subject).await,
        k if k == kinds::IDEA_TOLD.name => tell::idea(office, subject).await,
        k if k == kinds::QUIET.name => tell::quiet(office, subject).await,
        k if k == kinds::SUPPLIER_ANSWER.name => campaign::supplier_answer(office, subject).await,
        k if k == kinds::WITHDRAWAL.name => campaign::withdrawal(office, subject).await,
        k if k == kinds::DATES_TOLD.name => promise::dates(office, subject).await,
        k if k == kinds::PROMISE.name => promise::day(office, subject).await,
        k if k == kinds::GIVEN_UP.name => promise::given_up(office, subject).await,
        k if k == kinds::ALLOCATE.name => goods::allocate(office, subject).await,
        k if k == kinds::SHORT.name => goods::refund_short(office, subject).await,
        k if k == kinds::ASSUME_DELIVERED.name => goods::assume_delivered(office, subject).await,
        k if k == kinds::MAIL.name => mail::send(office, subject, job.attempts).await,
        k if k == kinds::RECONCILE.name => reconcile::balance(office).await,
        k if k == kinds::HOUSEKEEPING.name => reconcile::housekeeping(office).await,
        other => Err(Trouble {
            what: format!("no worker knows {other}"),
            again_in: Some(Duration::hours(1)),
        }),
    }
}

/// A subject that cannot be read: the row is damaged.
fn unreadable(subject: &str) -> Trouble {
    Trouble {
        what: format!("{subject} names nothing"),
        again_in: Some(Duration::days(1)),
    }
}
