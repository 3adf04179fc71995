//! A form that is sent twice does its deed once: each rendering of it carries a key of its own.

use super::desk::Problem;
use crate::store::{Conn, Tx, misc};

/// Longest key, in characters.
const KEY: usize = 64;

/// Whether a form's key comes for the first time, in the caller's transaction. What does not look like a key is refused.
///
/// # Errors
/// A wrong field; what the database says.
pub fn is_first(tx: &mut Tx, form: &str, key: &str) -> Result<bool, Problem> {
    let fits = (8..=KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    if !fits {
        let say = "The form did not arrive whole. Open the page again and send it once more.";
        return Err(Problem::field("", say));
    }
    let now = tx.now.naive_utc();
    Ok(misc::claim_api_key(
        tx.conn,
        &format!("form:{form}"),
        key,
        &[],
        now,
    )?)
}

/// Whether a form's key came before.
///
/// # Errors
/// What the database says.
pub fn was_sent(conn: &mut Conn, form: &str, key: &str) -> Result<bool, Problem> {
    Ok(misc::api_answer(conn, &format!("form:{form}"), key)?.is_some())
}
