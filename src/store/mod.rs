//! What is kept. The only place with queries: one file per aggregate, free functions on a connection.
//!
//! Times in rows are naive and mean UTC; money is whole minor units.

pub mod addresses;
pub mod answers;
pub mod audit;
pub mod campaigns;
pub mod changes;
pub mod claims;
mod conn;
pub mod dues;
pub mod etas;
pub mod evidence;
pub mod exchange;
pub mod ideas;
pub mod interest;
pub mod jobs;
pub mod journal;
mod kept;
mod lane;
pub mod mails;
pub mod merchants;
pub mod misc;
pub mod notices;
#[cfg_attr(
    not(feature = "postgres"),
    allow(dead_code, unused_variables, reason = "one machine has nobody to tell")
)]
mod notify;
pub mod orders;
pub mod pages;
pub mod papers;
pub mod posts;
pub mod promises;
pub mod purchase_orders;
pub mod refunds;
pub mod schema;
pub mod shipments;
pub mod stock;
mod types;
pub mod waiting;

pub(crate) use conn::each_backend;
pub use conn::{Conn, ConnPool, DatabaseUrl, PooledConn, connect, open};
pub use lane::{
    Connect, Effects, Gate, Group, IsPassing, Lane, LaneError, Now, OnCommit, Open, Tx, write_on,
};
pub use notify::Hearing;

/// What can go wrong when something is kept or read. Violations of constraints that mean something to a person are
/// turned into domain errors where they happen; the rest is for the log.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database can't be opened.
    #[error("{0}")]
    Setup(String),
    /// A query failed.
    #[error("database: {0}")]
    Query(#[from] diesel::result::Error),
    /// No connection was free in time.
    #[error("no database connection is free: {0}")]
    Pool(#[from] diesel::r2d2::PoolError),
    /// A row holds what it cannot hold.
    #[error("damaged row: {0}")]
    Damaged(String),
    /// The connection broke during a commit: whether it was made is not known. Who asks again is answered by what is kept.
    #[error("the connection to the database broke; whether the change was kept is not known")]
    Lost,
    /// Somebody else changed the row in between: try the whole step again.
    #[error("changed in between: {0}")]
    Conflict(&'static str),
    /// The write lane takes nothing more just now.
    #[error(transparent)]
    Lane(#[from] LaneError),
}

impl StoreError {
    /// Whether the same step may well succeed when it is run again.
    pub fn is_passing(&self) -> bool {
        use diesel::result::{DatabaseErrorKind as K, Error as E};
        match self {
            StoreError::Conflict(_) | StoreError::Pool(_) => true,
            StoreError::Query(E::DatabaseError(kind, info)) => {
                matches!(
                    kind,
                    K::SerializationFailure | K::ClosedConnection | K::UnableToSendCommand
                ) || info.message().contains("deadlock")
                    || info.message().contains("locked")
            }
            _ => false,
        }
    }

    /// Whether the connection is of no use any more.
    pub fn is_broken(&self) -> bool {
        use diesel::result::{DatabaseErrorKind as K, Error as E};
        match self {
            StoreError::Lost => true,
            StoreError::Query(E::BrokenTransactionManager | E::RollbackErrorOnCommit { .. }) => {
                true
            }
            StoreError::Query(E::DatabaseError(kind, info)) => {
                matches!(kind, K::ClosedConnection | K::UnableToSendCommand)
                    || info.message().contains("terminating connection")
                    || info.message().contains("server closed the connection")
                    || info.message().contains("no connection to the server")
            }
            _ => false,
        }
    }
}
