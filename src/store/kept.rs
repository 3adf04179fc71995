//! Statements of a rush, kept prepared and found again by their place in our sources. Diesel writes the text of most
//! statements out each time to find them again, and prepares every UPDATE anew, because the text of some of them depends
//! on their values. The text of those here never does, and in a rush preparing them costs more than running them.

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AsChangeset, AstPass, QueryFragment, QueryId};

/// A statement that diesel keeps prepared by itself, found again without being written out.
pub(super) struct Kept<Q, Place> {
    query: Q,
    place: PhantomData<Place>,
}

impl<Q, Place> Kept<Q, Place> {
    pub(super) fn of(query: Q) -> Self {
        Self {
            query,
            place: PhantomData,
        }
    }
}

/// Finds an INSERT or a DELETE again by this place. Its text must not depend on its values: no lists of varying length, no
/// parts that are left out.
macro_rules! kept {
    ($query:expr) => {{
        struct Here;
        $crate::store::kept::Kept::<_, Here>::of($query)
    }};
}
pub(super) use kept;

impl<Q, Place, DB> QueryFragment<DB> for Kept<Q, Place>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.query.walk_ast(out)
    }
}

impl<Q, Place: 'static> QueryId for Kept<Q, Place> {
    type QueryId = Place;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Q, Place, C> RunQueryDsl<C> for Kept<Q, Place> {}

/// An UPDATE that stays prepared: diesel's own says of itself that it must not.
pub(super) struct Update<Table, Rows, Set, Place> {
    table: Table,
    rows: Rows,
    set: Set,
    place: PhantomData<Place>,
}

impl<Table, Rows, Set, Place> Update<Table, Rows, Set, Place> {
    pub(super) fn of<Changes>(table: Table, rows: Rows, changes: Changes) -> Self
    where
        Changes: AsChangeset<Changeset = Set>,
    {
        Self {
            table,
            rows,
            set: changes.as_changeset(),
            place: PhantomData,
        }
    }
}

/// Updates the rows of a table for which a condition holds. Neither condition nor changes may leave a part out, nor hold
/// lists of varying length.
macro_rules! kept_update {
    ($table:expr, $rows:expr, $changes:expr) => {{
        struct Here;
        $crate::store::kept::Update::<_, _, _, Here>::of($table, $rows, $changes)
    }};
}
pub(super) use kept_update;

impl<Table, Rows, Set, Place, DB> QueryFragment<DB> for Update<Table, Rows, Set, Place>
where
    DB: Backend,
    Table: QueryFragment<DB>,
    Rows: QueryFragment<DB>,
    Set: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        self.table.walk_ast(out.reborrow())?;
        out.push_sql(" SET ");
        self.set.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE ");
        self.rows.walk_ast(out)
    }
}

impl<Table, Rows, Set, Place: 'static> QueryId for Update<Table, Rows, Set, Place> {
    type QueryId = Place;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Table, Rows, Set, Place, C> RunQueryDsl<C> for Update<Table, Rows, Set, Place> {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use diesel::SqliteConnection;
    use diesel::connection::{InstrumentationEvent, SimpleConnection};

    use super::*;

    diesel::table! {
        thing (id) {
            id -> Integer,
            name -> Nullable<Text>,
        }
    }

    #[test]
    fn a_statement_is_prepared_once_and_does_what_it_says_each_time() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        conn.batch_execute("CREATE TABLE thing (id INTEGER PRIMARY KEY NOT NULL, name TEXT)")
            .unwrap();
        let prepared = Arc::new(AtomicUsize::new(0));
        let counted = prepared.clone();
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::CacheQuery { .. }) {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        for id in [1, 2, 3] {
            let new = (thing::id.eq(id), thing::name.eq(Some("old")));
            let insert = diesel::insert_into(thing::table).values(new);
            assert_eq!(kept!(insert).execute(&mut conn).unwrap(), 1);
        }
        assert_eq!(prepared.load(Ordering::SeqCst), 1);
        for (id, name, changed) in [(1, Some("new"), 1), (2, None, 1), (9, Some("x"), 0)] {
            let rows = thing::id.eq(id).and(thing::name.eq(Some("old")));
            let update = kept_update!(thing::table, rows, (thing::name.eq(name),));
            assert_eq!(update.execute(&mut conn).unwrap(), changed);
        }
        assert_eq!(prepared.load(Ordering::SeqCst), 2);
        let all: Vec<(i32, Option<String>)> = thing::table.load(&mut conn).unwrap();
        let old = |id| (id, Some("old".to_owned()));
        assert_eq!(all, [(1, Some("new".to_owned())), (2, None), old(3)]);
    }
}
