//! The ground the tests stand on: a database of their own, empty at first, gone afterwards.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::support::database::TestDatabase;

both_databases! {
    async fn a_test_starts_on_an_empty_database_that_it_alone_uses(db: TestDatabase) {
        let another = if db.is_postgres() { another_postgres() } else { TestDatabase::sqlite() };
        assert_ne!(db.url(), another.url());
        assert!(db.data_dir().is_dir());
        assert_ne!(db.data_dir(), another.data_dir());
        for db in [&db, &another] {
            let made = run(db, "CREATE TABLE pledge (units BIGINT NOT NULL)");
            assert!(made.is_ok(), "the same table is new in each: {made:?}");
        }
    }

    async fn a_program_makes_all_tables_on_an_empty_database(db: TestDatabase) {
        db.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public", "");
        let url = muster::store::DatabaseUrl::parse(db.url()).expect("a database");
        for time in ["made", "found"] {
            let pool = muster::store::open(&url, 1).expect(time);
            drop(pool);
            let made = run(&db, "SELECT kind, subject FROM jobs");
            assert!(made.is_ok(), "{time}: {made:?}");
        }
    }

    async fn the_database_is_gone_when_the_test_ends_though_it_is_still_open(db: TestDatabase) {
        let url = db.url().to_owned();
        let data_dir = db.data_dir().to_owned();
        let _still_open = open(&url).expect("the database opens");
        drop(db);
        assert!(open(&url).is_err());
        assert!(!data_dir.exists());
    }
}

#[cfg(feature = "postgres")]
fn another_postgres() -> TestDatabase {
    TestDatabase::postgres()
}

#[cfg(not(feature = "postgres"))]
fn another_postgres() -> TestDatabase {
    unreachable!("this build knows the embedded database only")
}

fn run(db: &TestDatabase, statement: &str) -> QueryResult<()> {
    open(db.url()).expect("the database opens")(statement)
}

type Session = Box<dyn FnMut(&str) -> QueryResult<()>>;

/// A session that stays open as long as it is kept.
fn open(url: &str) -> ConnectionResult<Session> {
    #[cfg(feature = "postgres")]
    if url.starts_with("postgres") {
        let mut conn = PgConnection::establish(url)?;
        return Ok(Box::new(move |statement| conn.batch_execute(statement)));
    }
    let mut conn = SqliteConnection::establish(url.trim_start_matches("sqlite:"))?;
    Ok(Box::new(move |statement| conn.batch_execute(statement)))
}
