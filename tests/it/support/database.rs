//! A fresh, empty database for one test, gone when the test ends.

use std::path::Path;

use tempfile::TempDir;

/// An empty database and an empty data folder, both of this test alone.
pub struct TestDatabase {
    url: String,
    data_dir: TempDir,
    #[cfg(feature = "postgres")]
    _server: Option<Created>,
}

impl TestDatabase {
    /// The embedded database, in the data folder. The file is made by whoever opens it first.
    pub fn sqlite() -> Self {
        let data_dir = tempfile::tempdir().expect("a temporary folder");
        Self {
            url: format!("sqlite:{}", data_dir.path().join("muster.db").display()),
            data_dir,
            #[cfg(feature = "postgres")]
            _server: None,
        }
    }

    /// A new database on the PostgreSQL that `tests/run` started.
    #[cfg(feature = "postgres")]
    pub fn postgres() -> Self {
        let created = Created::new();
        Self {
            url: created.url.clone(),
            data_dir: tempfile::tempdir().expect("a temporary folder"),
            _server: Some(created),
        }
    }

    /// The value for `MUSTER_DATABASE_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The value for `MUSTER_DATA_DIR`.
    pub fn data_dir(&self) -> &Path {
        self.data_dir.path()
    }

    /// Whether this is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }
}

/// A database made on the server, dropped with this value.
#[cfg(feature = "postgres")]
struct Created {
    server: String,
    name: String,
    url: String,
}

#[cfg(feature = "postgres")]
impl Created {
    fn new() -> Self {
        let server = std::env::var("MUSTER_TEST_POSTGRES_URL").unwrap_or_else(|_| {
            panic!(
                "MUSTER_TEST_POSTGRES_URL is not set: run the tests with tests/run, which starts a PostgreSQL, \
                 or set it to postgres://user:password@host:port/postgres of a server where databases may be made"
            )
        });
        let name = format!("muster_test_{}", uuid::Uuid::now_v7().simple());
        // template0 has no connections ever, so that tests may start side by side.
        on_server(
            &server,
            &format!("CREATE DATABASE {name} TEMPLATE template0"),
        )
        .unwrap_or_else(|e| panic!("could not make a database for this test: {e}"));
        let mut url = url::Url::parse(&server).expect("MUSTER_TEST_POSTGRES_URL is a URL");
        url.set_path(&name);
        Self {
            server,
            name,
            url: url.into(),
        }
    }
}

#[cfg(feature = "postgres")]
impl Drop for Created {
    fn drop(&mut self) {
        // FORCE: pools of the server under test may still be open.
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        if let Err(e) = on_server(&self.server, &statement) {
            eprintln!("{} stays behind: {e}", self.name);
        }
    }
}

#[cfg(feature = "postgres")]
fn on_server(server: &str, statement: &str) -> Result<(), Box<dyn std::error::Error>> {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, PgConnection};
    PgConnection::establish(server)?.batch_execute(statement)?;
    Ok(())
}
