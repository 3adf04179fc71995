//! Statements that are kept prepared although diesel would prepare them anew each time: it does so with every INSERT,
//! UPDATE and upsert, because the text of some of them depends on their values. The text of those that are wrapped here
//! never does, and in a rush preparing them costs more than running them.

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::RunQueryDsl;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};

/// A statement whose text is always the same. It is found again by its place in our sources, without being written out.
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

/// Keeps a statement prepared. Its text must not depend on its values: no lists of varying length, no parts that are left
/// out.
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

    fn is_safe_to_cache_prepared(&self, _backend: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q, Place: 'static> QueryId for Kept<Q, Place> {
    type QueryId = Place;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Q, Place, C> RunQueryDsl<C> for Kept<Q, Place> {}
