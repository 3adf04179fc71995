//! Lists, page by page: `limit` and an opaque `cursor` in, `data` and `next_cursor` out.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ask::Ask;
use super::fields::Errors;
use crate::workflows::desk::Problem;

/// Entries of a page where no limit is given.
const DEFAULT: i64 = 20;
/// Entries of a page at most.
const MOST: i64 = 100;

/// Which page of a list is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageAsked<C = Uuid> {
    /// How many entries.
    pub(super) limit: i64,
    /// After which one.
    pub(super) after: Option<C>,
}

impl PageAsked {
    /// Reads `limit` and `cursor`.
    pub(super) fn of(ask: &Ask) -> Result<Self, Problem> {
        Self::by(ask, |text| Uuid::try_parse(text).ok())
    }
}

impl<C> PageAsked<C> {
    /// As [`PageAsked::of`], where a cursor is what `read` makes of it.
    pub(super) fn by(ask: &Ask, read: impl Fn(&str) -> Option<C>) -> Result<Self, Problem> {
        let mut e = Errors::default();
        let limit = ask.parameter("limit").map_or(Some(DEFAULT), |text| {
            let limit = text.parse().ok().filter(|n| (1..=MOST).contains(n));
            if limit.is_none() {
                e.add("limit", format!("write a whole number from 1 to {MOST}"));
            }
            limit
        });
        let after = match ask.parameter("cursor") {
            None => Some(None),
            Some(text) => {
                let cursor = read(&text);
                if cursor.is_none() {
                    e.add("cursor", "write the next_cursor of the page before");
                }
                cursor.map(Some)
            }
        };
        match (limit, after) {
            (Some(limit), Some(after)) => Ok(Self { limit, after }),
            _ => Err(Problem::Invalid(e.all())),
        }
    }

    /// How many rows to read: one more than are shown tells whether there are more.
    pub(super) fn rows(&self) -> i64 {
        self.limit + 1
    }

    /// Leaves out the row too many; the cursor of the next page, if there is one.
    pub(super) fn cut<T>(&self, rows: &mut Vec<T>, id: impl Fn(&T) -> C) -> Option<String>
    where
        C: ToString,
    {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        if rows.len() <= limit {
            return None;
        }
        rows.truncate(limit);
        rows.last().map(|row| id(row).to_string())
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct List<T> {
    /// The entries.
    pub(super) data: Vec<T>,
    /// Give it as `cursor` to read on; null at the end.
    #[schema(required)]
    pub(super) next_cursor: Option<String>,
}
