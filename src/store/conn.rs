//! One connection type over both databases, its pool, and the migrations.

use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool, PooledConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::StoreError;

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
#[cfg(feature = "postgres")]
const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// A connection to the embedded database or to PostgreSQL.
#[cfg(feature = "postgres")]
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// The embedded database.
    Sqlite(SqliteConnection),
    /// PostgreSQL.
    Postgres(PgConnection),
}

/// A connection to the embedded database.
#[cfg(not(feature = "postgres"))]
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// The embedded database.
    Sqlite(SqliteConnection),
}

/// Expands one body into an arm for each database, for what does not compile on the enum itself: upserts, batch
/// inserts, row locks.
#[cfg(feature = "postgres")]
macro_rules! each_backend {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::store::Conn::Sqlite($c) => $body,
            $crate::store::Conn::Postgres($c) => $body,
        }
    };
}
#[cfg(not(feature = "postgres"))]
macro_rules! each_backend {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::store::Conn::Sqlite($c) => $body,
        }
    };
}
pub(crate) use each_backend;

/// Where the data lies, read from a database URL by its scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:path`: the embedded database in a file.
    Sqlite(String),
    /// `postgres://...`.
    Postgres(String),
}

impl DatabaseUrl {
    /// Reads the URL by its scheme, never by trial.
    ///
    /// # Errors
    /// A sentence that says what to write instead.
    pub fn parse(url: &str) -> Result<Self, String> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err("name a file after sqlite:, for example sqlite:data/muster.db".into());
            }
            return Ok(Self::Sqlite(path.to_owned()));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            if cfg!(feature = "postgres") {
                return Ok(Self::Postgres(url.to_owned()));
            }
            return Err("this build has the embedded database only; build it with \
                 `cargo build --release --features postgres` (needs libpq-dev) to use PostgreSQL"
                .into());
        }
        Err("write sqlite:path/to/muster.db or postgres://user:password@host/database".into())
    }

    /// Whether it is the embedded database.
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}

/// A pool of connections.
pub type ConnPool = Pool<ConnectionManager<Conn>>;
/// A connection on loan from the pool.
pub type PooledConn = PooledConnection<ConnectionManager<Conn>>;

#[derive(Debug)]
struct Prepare;

impl CustomizeConnection<Conn, diesel::r2d2::Error> for Prepare {
    fn on_acquire(&self, conn: &mut Conn) -> Result<(), diesel::r2d2::Error> {
        prepare(conn).map_err(diesel::r2d2::Error::QueryError)
    }
}

/// Settings of each connection. `synchronous=FULL`: an answer is given only for what is on the disk.
fn prepare(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(c) => c.batch_execute(
            "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA cache_size = -4000; PRAGMA temp_store = MEMORY; \
             PRAGMA wal_autocheckpoint = 2000;",
        ),
        #[cfg(feature = "postgres")]
        Conn::Postgres(c) => {
            c.batch_execute("SET TIME ZONE 'UTC'; SET client_min_messages = warning;")
        }
    }
}

/// Opens one connection, prepared.
///
/// # Errors
/// When the database can't be reached or its folder can't be made.
pub fn connect(url: &DatabaseUrl) -> Result<Conn, StoreError> {
    let mut conn = match url {
        DatabaseUrl::Sqlite(path) => {
            if let Some(folder) = Path::new(path).parent() {
                std::fs::create_dir_all(folder).map_err(|e| {
                    StoreError::Setup(format!("can't make the folder {}: {e}", folder.display()))
                })?;
            }
            Conn::Sqlite(SqliteConnection::establish(path).map_err(unreachable_database)?)
        }
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(url) => {
            Conn::Postgres(PgConnection::establish(url).map_err(unreachable_database)?)
        }
        #[cfg(not(feature = "postgres"))]
        DatabaseUrl::Postgres(_) => {
            return Err(StoreError::Setup(
                "this build has the embedded database only".into(),
            ));
        }
    };
    prepare(&mut conn)?;
    Ok(conn)
}

fn unreachable_database(e: diesel::ConnectionError) -> StoreError {
    StoreError::Setup(format!("can't open the database: {e}"))
}

/// Makes and migrates the database, then opens a pool of `size` connections on it.
///
/// # Errors
/// When the database can't be reached or a migration fails.
pub fn open(url: &DatabaseUrl, size: u32) -> Result<ConnPool, StoreError> {
    let mut conn = connect(url)?;
    migrate(&mut conn)?;
    drop(conn);
    let address = match url {
        DatabaseUrl::Sqlite(path) => path.clone(),
        DatabaseUrl::Postgres(url) => url.clone(),
    };
    Pool::builder()
        .max_size(size)
        .min_idle(Some(1))
        .connection_timeout(Duration::from_secs(10))
        .connection_customizer(Box::new(Prepare))
        // A server may have gone and come back; the embedded database does not.
        .test_on_check_out(!url.is_sqlite())
        .build(ConnectionManager::new(address))
        .map_err(|e| StoreError::Setup(format!("can't open the database: {e}")))
}

/// Applies what is missing of the migrations; several processes may start at once.
fn migrate(conn: &mut Conn) -> Result<(), StoreError> {
    let failed = |e: Box<dyn std::error::Error + Send + Sync>| {
        StoreError::Setup(format!("a migration failed: {e}"))
    };
    match conn {
        Conn::Sqlite(c) => {
            // The write lock is held over all of them, so that a second process waits and then finds them done.
            c.run_pending_migrations(SQLITE_MIGRATIONS)
                .map_err(failed)?;
        }
        #[cfg(feature = "postgres")]
        Conn::Postgres(c) => {
            c.batch_execute("SELECT pg_advisory_lock(7305128420)")?;
            let done = c.run_pending_migrations(POSTGRES_MIGRATIONS).map(|_| ());
            c.batch_execute("SELECT pg_advisory_unlock(7305128420)")?;
            done.map_err(failed)?;
        }
    }
    Ok(())
}
