//! What one machine tells the others: over PostgreSQL, together with the commit it is about (`NOTIFY`). The embedded
//! database has one machine only, and nothing to tell.
//!
//! It makes things quicker, never right: who missed a word finds out by looking, as if there were none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use diesel::prelude::*;

use super::lane::{Effects, OnCommit};
use super::{Conn, DatabaseUrl, StoreError};
use crate::domain::ids::{CampaignId, OrderId};

const CHANNEL: &str = "muster";
/// PostgreSQL takes less than 8,000 bytes; what does not fit is found out by looking.
const LONGEST: usize = 7_500;
/// How often words that have come are read: they lie ready in the connection, so that costs no query.
const LOOK: Duration = Duration::from_millis(50);
/// How long after a broken connection it is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// Tells the effects of this transaction, if it is committed. `me` is the writer that tells.
pub(super) fn tell(conn: &mut Conn, me: &str, effects: &Effects) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(_) => Ok(()),
        #[cfg(feature = "postgres")]
        Conn::Postgres(c) => match words(me, effects) {
            Some(words) => diesel::sql_query("SELECT pg_notify($1, $2)")
                .bind::<diesel::sql_types::Text, _>(CHANNEL)
                .bind::<diesel::sql_types::Text, _>(words)
                .execute(c)
                .map(|_| ()),
            None => Ok(()),
        },
    }
}

/// `writer w c{campaign} o{order}`; none where there is nothing to tell.
fn words(me: &str, effects: &Effects) -> Option<String> {
    if !effects.work && effects.touched.is_empty() && effects.heard.is_empty() {
        return None;
    }
    let mut words = me.to_owned();
    if effects.work {
        words.push_str(" w");
    }
    let campaigns = effects.touched.iter().map(|id| format!(" c{id}"));
    let orders = effects.heard.iter().map(|(id, _)| format!(" o{id}"));
    for word in campaigns.chain(orders) {
        if words.len() + word.len() <= LONGEST {
            words.push_str(&word);
        }
    }
    Some(words)
}

/// What was told by another writer than `me`. A word that is not known is a newer version's.
fn effects(me: &str, words: &str) -> Option<Effects> {
    let mut words = words.split(' ');
    if words.next() == Some(me) {
        return None;
    }
    let mut effects = Effects::default();
    for word in words {
        match word.split_at_checked(1) {
            Some(("w", "")) => effects.work = true,
            Some(("c", id)) => effects.touched.extend(id.parse::<CampaignId>()),
            Some(("o", id)) => effects
                .heard
                .extend(id.parse::<OrderId>().map(|id| (id, None))),
            _ => {}
        }
    }
    Some(effects)
}

/// Hears what other machines tell, until it is dropped.
pub struct Hearing {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Hearing {
    /// Begins to hear; `me` is the own writer's name. None on the embedded database.
    ///
    /// # Errors
    /// When the thread can't be started.
    pub fn start(url: &DatabaseUrl, me: &str, on: OnCommit) -> Result<Option<Self>, StoreError> {
        if url.is_sqlite() {
            return Ok(None);
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (url, me, stopped) = (url.clone(), me.to_owned(), stop.clone());
        let thread = std::thread::Builder::new()
            .name("hearing".into())
            .spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    if let Err(e) = hear(&url, &me, &on, &stopped) {
                        log::warn!("other machines are not heard for a moment: {e}");
                        wait(AGAIN, &stopped);
                    }
                }
            })
            .map_err(|e| StoreError::Setup(format!("can't start to hear: {e}")))?;
        Ok(Some(Self {
            stop,
            thread: Some(thread),
        }))
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn wait(long: Duration, stopped: &AtomicBool) {
    let end = std::time::Instant::now() + long;
    while std::time::Instant::now() < end && !stopped.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK);
    }
}

/// Hears until it is stopped or the connection breaks.
fn hear(
    url: &DatabaseUrl,
    me: &str,
    on: &OnCommit,
    stopped: &AtomicBool,
) -> Result<(), StoreError> {
    let mut conn = super::connect(url)?;
    match &mut conn {
        Conn::Sqlite(_) => {
            stopped.store(true, Ordering::Relaxed);
            Ok(())
        }
        #[cfg(feature = "postgres")]
        Conn::Postgres(c) => {
            diesel::sql_query(format!("LISTEN {CHANNEL}")).execute(c)?;
            // What was told before is not told again.
            let missed = Effects {
                work: true,
                ..Effects::default()
            };
            on(missed);
            while !stopped.load(Ordering::Relaxed) {
                for told in c.notifications_iter() {
                    if let Some(effects) = effects(me, &told?.payload) {
                        on(effects);
                    }
                }
                std::thread::sleep(LOOK);
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_heard_by_others_and_only_by_them() {
        let told = Effects {
            touched: vec![CampaignId::new(), CampaignId::new()],
            heard: vec![(OrderId::new(), None)],
            work: true,
        };
        let words = words("one", &told).unwrap();
        assert!(effects("one", &words).is_none());
        let heard = effects("two", &words).unwrap();
        assert_eq!(
            (heard.touched, heard.heard, heard.work),
            (told.touched, told.heard, true)
        );
        assert!(super::words("one", &Effects::default()).is_none());
    }

    #[test]
    fn too_much_is_cut_at_a_whole_word() {
        let told = Effects {
            heard: (0..1000).map(|_| (OrderId::new(), None)).collect(),
            ..Effects::default()
        };
        let words = words("one", &told).unwrap();
        assert!(words.len() < 8000);
        let heard = effects("two", &words).unwrap().heard;
        assert_eq!(heard, told.heard[..heard.len()]);
    }
}
