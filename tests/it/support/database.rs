//! A fresh, empty database for one test, gone when the test ends.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// An empty database and an empty data folder, both of this test alone.
pub struct TestDatabase {
    url: String,
    data_dir: TempDir,
    kept: Option<TempDir>,
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
            kept: None,
            #[cfg(feature = "postgres")]
            _server: None,
        }
    }

    /// A new database on the PostgreSQL that `tests/run` started: with all tables, and nothing in them.
    #[cfg(feature = "postgres")]
    pub fn postgres() -> Self {
        let created = Created::new();
        Self {
            url: created.url.clone(),
            data_dir: tempfile::tempdir().expect("a temporary folder"),
            kept: None,
            _server: Some(created),
        }
    }

    /// The same database, reached at another port of this machine: a wire to the server begins there.
    #[cfg(feature = "postgres")]
    pub fn over(mut self, port: u16) -> Self {
        let mut url = url::Url::parse(&self.url).expect("a URL");
        url.set_host(Some("127.0.0.1")).expect("a host");
        url.set_port(Some(port)).expect("a port");
        // What is said on the wire is read there.
        url.query_pairs_mut().append_pair("sslmode", "disable");
        self.url = url.into();
        self
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

    /// Has its files in memory where the machine has a place for that: what a process wrote outlives the process there,
    /// too, and nothing waits for a disk. Before anybody opened it.
    pub fn in_memory(mut self) -> Self {
        if let Ok(folder) = tempfile::tempdir_in("/dev/shm") {
            self.move_to(folder);
        }
        self.execute(UNHURRIED, "");
        self
    }

    /// Remembers everything as it is, for [`TestDatabase::rewind`]. Nothing may run on it.
    pub fn keep(&mut self) {
        let kept = tempfile::tempdir().expect("a temporary folder");
        for file in files(self.data_dir.path()) {
            let name = file.file_name().expect("it has a name");
            keep_file(&file, &kept.path().join(name));
        }
        self.kept = Some(kept);
        self.execute(KEEP, "");
    }

    /// Makes everything as it was when it was kept, in a folder of its own. Whoever still has the old one open is cut
    /// off.
    pub fn rewind(&mut self) {
        let kept = self.kept.as_ref().expect("it was kept").path();
        let folder = self.data_dir.path().parent().expect("it lies somewhere");
        let fresh = tempfile::tempdir_in(folder).expect("a temporary folder");
        copy_files(kept, fresh.path());
        self.move_to(fresh);
        self.execute(REWIND, "");
    }

    fn move_to(&mut self, folder: TempDir) {
        if !self.is_postgres() {
            self.url = format!("sqlite:{}", folder.path().join("muster.db").display());
        }
        self.data_dir = folder;
    }

    /// Does this behind the program's back: the first text on PostgreSQL, the second on the embedded database.
    pub fn execute(&self, on_postgres: &str, on_sqlite: &str) {
        use diesel::connection::SimpleConnection;
        use diesel::{Connection, SqliteConnection};
        #[cfg(feature = "postgres")]
        if self.is_postgres() {
            on_server(&self.url, on_postgres).expect("the server does it");
            return;
        }
        let _ = on_postgres;
        if !on_sqlite.is_empty() {
            let file = self.data_dir.path().join("muster.db");
            let mut conn =
                SqliteConnection::establish(&file.display().to_string()).expect("it opens");
            conn.batch_execute(on_sqlite).expect("the database does it");
        }
    }
}

/// The server outlives every process of a test, so it may write a commit to the disk a moment later.
const UNHURRIED: &str = "DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database());
END $$";

/// Copies of all tables in a schema of their own.
const KEEP: &str = "DO $$ DECLARE t text; BEGIN
    CREATE SCHEMA kept;
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('CREATE TABLE kept.%I AS TABLE public.%I', t, t);
    END LOOP;
END $$";

/// Rows are put back as they were, past triggers and references: the journal refuses to forget otherwise.
const REWIND: &str = "
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
DO $$ DECLARE t text; BEGIN
    SET LOCAL session_replication_role = replica;
    SET LOCAL synchronous_commit = off;
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'kept' LOOP
        EXECUTE format('DELETE FROM public.%I', t);
        EXECUTE format('INSERT INTO public.%I SELECT * FROM kept.%I', t, t);
    END LOOP;
END $$";

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("the data folder");
    let all = entries.map(|entry| entry.expect("a file").path());
    all.filter(|path| path.is_file()).collect()
}

/// Databases are copied by themselves: the last of those who had them open may just be tidying up.
fn keep_file(file: &Path, to: &Path) {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};
    let name = file.display().to_string();
    if name.ends_with(".db") {
        let mut conn = SqliteConnection::establish(&name).expect("it opens");
        // Who tidies up holds it for that long.
        conn.batch_execute("PRAGMA busy_timeout = 20000")
            .expect("it waits");
        let copied = conn.batch_execute(&format!("VACUUM INTO '{}'", to.display()));
        copied.expect("it is copied");
    } else if !name.ends_with("-wal") && !name.ends_with("-shm") {
        fs::copy(file, to).expect("it is copied");
    }
}

fn copy_files(from: &Path, to: &Path) {
    for file in files(from) {
        let name = file.file_name().expect("it has a name");
        fs::copy(&file, to.join(name)).expect("it is copied");
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
        let made = template(&server).and_then(|template| {
            on_server(
                &server,
                &format!("CREATE DATABASE {name} TEMPLATE {template}"),
            )
        });
        made.unwrap_or_else(|e| panic!("could not make a database for this test: {e}"));
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

/// The database that those of tests are copies of: no rows, and every migration applied, which takes longer than many a
/// test. The first test that needs it makes it. Nobody may connect to it, so that it can be copied at any time.
#[cfg(feature = "postgres")]
fn template(server: &str) -> Result<String, Box<dyn std::error::Error>> {
    use diesel::prelude::*;
    use diesel::sql_types::Text;
    let name = format!("muster_template_{}", migrations());
    let mut conn = PgConnection::establish(server)?;
    let is_there = |conn: &mut PgConnection| -> QueryResult<bool> {
        let found =
            diesel::sql_query("SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate")
                .bind::<Text, _>(&name)
                .execute(conn)?;
        Ok(found == 1)
    };
    if is_there(&mut conn)? {
        return Ok(name);
    }
    // One makes it, the others wait. The lock ends with this connection.
    diesel::sql_query("SELECT pg_advisory_lock(7305128421)").execute(&mut conn)?;
    if is_there(&mut conn)? {
        return Ok(name);
    }
    // Whoever began one before did not end it.
    on_server(
        server,
        &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
    )?;
    on_server(
        server,
        &format!("CREATE DATABASE {name} TEMPLATE template0"),
    )?;
    let mut url = url::Url::parse(server)?;
    url.set_path(&name);
    let url = muster::store::DatabaseUrl::parse(url.as_str())?;
    drop(muster::store::open(&url, 1)?);
    let closed = format!("ALTER DATABASE {name} WITH IS_TEMPLATE TRUE ALLOW_CONNECTIONS FALSE");
    on_server(server, &closed)?;
    let gone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ";
    on_server(server, &format!("{gone}'{name}'"))?;
    Ok(name)
}

/// A short name for the migrations as they are.
#[cfg(feature = "postgres")]
fn migrations() -> String {
    use sha2::{Digest, Sha256};
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres");
    let entries = fs::read_dir(folder).expect("the migrations");
    let mut all: Vec<_> = entries.map(|entry| entry.expect("one").path()).collect();
    all.sort();
    let mut hash = Sha256::new();
    for folder in all {
        hash.update(folder.file_name().expect("a name").as_encoded_bytes());
        for file in files(&folder) {
            hash.update(fs::read(file).expect("a migration"));
        }
    }
    hash.finalize()[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(feature = "postgres")]
fn on_server(server: &str, statement: &str) -> Result<(), Box<dyn std::error::Error>> {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, PgConnection};
    PgConnection::establish(server)?.batch_execute(statement)?;
    Ok(())
}
