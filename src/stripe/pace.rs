//! Keeps calls to the provider within its limit: joining before collecting before everything else (engineering: calls
//! are paced).

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, timeout_at};

use crate::domain::payment::kept_pace;

/// How long a call stands back for those before it at most: a rush must not keep anybody's money.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Payment pages: a shopper waits.
    Joining,
    /// Charges of saved cards: a whole campaign's at once. They stand back while a page waits.
    Collecting,
    /// Refunds and lists: they stand back while a page or a charge waits.
    Rest,
}

impl Lane {
    /// How many lanes come before this one: its place among them.
    fn place(self) -> usize {
        match self {
            Lane::Joining => 0,
            Lane::Collecting => 1,
            Lane::Rest => 2,
        }
    }
}

/// One lane: a queue (the mutex is fair), how many stand in it, and the notice to its first that nobody waits in a lane
/// before it.
#[derive(Default)]
struct Queue {
    waiting: AtomicUsize,
    turn: Mutex<()>,
    quiet: Notify,
}

/// Hands out turns, evenly spaced. Only the first of each lane stands at the gate, where it comes once nobody waits in a
/// lane before it, or once it has waited long enough: from then on the lanes alternate.
pub(super) struct Pace {
    limiter: Option<DefaultDirectRateLimiter>,
    patience: Duration,
    lanes: [Queue; 3],
    gate: Mutex<()>,
}

impl Pace {
    /// So many turns per second; none: no limit.
    pub(super) fn new(per_second: Option<NonZeroU32>) -> Self {
        Self {
            limiter: per_second.map(|rate| RateLimiter::direct(spaced(rate))),
            patience: PATIENCE,
            lanes: Default::default(),
            gate: Mutex::new(()),
        }
    }

    /// Waits for a turn.
    pub(super) async fn turn(&self, lane: Lane) {
        let Some(limiter) = &self.limiter else {
            return;
        };
        let (before, from) = self.lanes.split_at(lane.place());
        let [own, after @ ..] = from else {
            return;
        };
        let enough = Instant::now() + self.patience;
        let _counted = Counted::new(own, after);
        let _first = own.turn.lock().await;
        // Either ending lets it go to the gate.
        let _ = timeout_at(enough, nobody_waits(before, &own.quiet)).await;
        let _gate = self.gate.lock().await;
        limiter.until_ready().await;
    }
}

/// Turns so far apart that no second has more than `rate` of them. One that comes late, as timers on a busy machine do, lets
/// the next come early, so that the pace is kept; for that one turn a second is left out.
fn spaced(rate: NonZeroU32) -> Quota {
    let kept = NonZeroU32::new(kept_pace(rate.get())).unwrap_or(NonZeroU32::MIN);
    let at_once = if kept < rate { 2 } else { 1 };
    let at_once = NonZeroU32::new(at_once).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(kept).allow_burst(at_once)
}

async fn nobody_waits(before: &[Queue], notice: &Notify) {
    let waits = |queue: &Queue| queue.waiting.load(Ordering::SeqCst) > 0;
    while before.iter().any(waits) {
        // The last one's notice is kept for us if it comes before we wait.
        notice.notified().await;
    }
}

/// A call that waits, counted until it has its turn or is given up; then the first of each lane after it looks again.
struct Counted<'a> {
    own: &'a Queue,
    after: &'a [Queue],
}

impl<'a> Counted<'a> {
    fn new(own: &'a Queue, after: &'a [Queue]) -> Self {
        own.waiting.fetch_add(1, Ordering::SeqCst);
        Self { own, after }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if self.own.waiting.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.after.iter().for_each(|queue| queue.quiet.notify_one());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use governor::clock::FakeRelativeClock;
    use std::cell::RefCell;

    /// Turns far enough apart that a busy machine's pauses do not change their order.
    fn fast(patience: Duration) -> Pace {
        let mut pace = Pace::new(NonZeroU32::new(50));
        pace.patience = patience;
        pace
    }

    /// The turns that are there at once are taken.
    async fn begun(patience: Duration) -> Pace {
        let pace = fast(patience);
        for _ in 0..2 {
            pace.turn(Lane::Joining).await;
        }
        pace
    }

    async fn order_of_turns(pace: &Pace, asked: &[(Lane, &'static str)]) -> Vec<&'static str> {
        let order = RefCell::new(Vec::new());
        join_all(asked.iter().map(|(lane, name)| {
            let order = &order;
            async move {
                pace.turn(*lane).await;
                order.borrow_mut().push(*name);
            }
        }))
        .await;
        order.into_inner()
    }

    const RUSH: [(Lane, &str); 5] = [
        (Lane::Joining, "page 1"),
        (Lane::Rest, "refund 1"),
        (Lane::Joining, "page 2"),
        (Lane::Rest, "refund 2"),
        (Lane::Joining, "page 3"),
    ];

    #[tokio::test]
    async fn refunds_stand_back_while_pages_wait() {
        let pace = begun(PATIENCE).await;
        let order = order_of_turns(&pace, &RUSH).await;
        assert_eq!(
            order,
            ["page 1", "page 2", "page 3", "refund 1", "refund 2"]
        );
    }

    #[tokio::test]
    async fn a_refund_that_waited_long_enough_takes_turns_with_pages() {
        let pace = begun(Duration::ZERO).await;
        let order = order_of_turns(&pace, &RUSH).await;
        assert_eq!(
            order,
            ["page 1", "refund 1", "page 2", "refund 2", "page 3"]
        );
    }

    #[tokio::test]
    async fn a_page_that_was_given_up_keeps_no_refund_waiting() {
        let pace = begun(Duration::from_secs(3600)).await;
        let mut page = Box::pin(pace.turn(Lane::Joining));
        assert!(page.as_mut().now_or_never().is_none());
        let mut refund = Box::pin(pace.turn(Lane::Rest));
        assert!(refund.as_mut().now_or_never().is_none());
        drop(page);
        refund.await;
    }

    #[tokio::test]
    async fn charges_stand_back_for_pages_and_refunds_for_charges() {
        let pace = begun(PATIENCE).await;
        let rush = [
            (Lane::Joining, "page 1"),
            (Lane::Rest, "refund 1"),
            (Lane::Collecting, "charge 1"),
            (Lane::Joining, "page 2"),
            (Lane::Collecting, "charge 2"),
        ];
        assert_eq!(
            order_of_turns(&pace, &rush).await,
            ["page 1", "page 2", "charge 1", "charge 2", "refund 1"]
        );
    }

    #[test]
    fn no_second_has_more_turns_than_the_provider_allows() {
        for rate in [1, 2, 20, 100] {
            let clock = FakeRelativeClock::default();
            let quota = spaced(NonZeroU32::new(rate).unwrap());
            let limiter = RateLimiter::direct_with_clock(quota, clock.clone());
            let mut turns = Vec::new();
            for now in 0..5_000u64 {
                let asks = !(1_500..2_500).contains(&now);
                while asks && limiter.check().is_ok() {
                    turns.push(now);
                }
                clock.advance(Duration::from_millis(1));
            }
            for (at, begun) in turns.iter().enumerate() {
                let within = turns[at..].iter().take_while(|turn| **turn < begun + 1_000);
                assert!(within.count() <= rate as usize, "{rate}: from {begun} ms");
            }
        }
    }

    #[tokio::test]
    async fn without_a_limit_nobody_waits() {
        let pace = Pace::new(None);
        for _ in 0..1_000 {
            assert!(pace.turn(Lane::Rest).now_or_never().is_some());
        }
    }
}
