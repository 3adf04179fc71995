//! How often one address may do what is costly or worth guessing at.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::Client;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Trying to log in: 10 a minute.
    LogIn,
    /// Joining by the form: 30 a minute.
    Join,
    /// Answering an interest check, and voting, each of which writes a mail: 10 a minute.
    Interest,
    /// Asking for an order's link by mail: 5 a minute.
    LinkAgain,
    /// Writes of the API without a key: 60 a minute.
    ApiWrite,
}

/// There were too many calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    /// Seconds until there may be one again; at least 1.
    pub retry_after: u64,
}

/// After so many counted calls, addresses that have not asked for a while are forgotten.
const SWEEP_EVERY: usize = 1024;
/// More addresses than this are not told apart any more until some are forgotten.
const MOST_ADDRESSES: usize = 100_000;

struct Counted {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    calls: AtomicUsize,
}

impl Counted {
    fn per_minute(count: u32) -> Self {
        let count = NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        Self {
            limiter: RateLimiter::keyed(Quota::per_minute(count)),
            calls: AtomicUsize::new(0),
        }
    }

    fn count(&self, client: Client) -> Result<(), TooMany> {
        if self.calls.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        let key = if self.limiter.len() < MOST_ADDRESSES {
            client.network()
        } else {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED)
        };
        self.limiter.check_key(&key).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            TooMany {
                retry_after: wait.as_secs().saturating_add(1),
            }
        })
    }
}

/// The counters of all limits.
pub struct Limits {
    log_in: Counted,
    join: Counted,
    interest: Counted,
    link_again: Counted,
    api_write: Counted,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            log_in: Counted::per_minute(10),
            join: Counted::per_minute(30),
            interest: Counted::per_minute(10),
            link_again: Counted::per_minute(5),
            api_write: Counted::per_minute(60),
        }
    }
}

impl Limits {
    /// Counts a call.
    ///
    /// # Errors
    /// When there were too many.
    pub fn count(&self, limit: Limit, client: Client) -> Result<(), TooMany> {
        match limit {
            Limit::LogIn => &self.log_in,
            Limit::Join => &self.join,
            Limit::Interest => &self.interest,
            Limit::LinkAgain => &self.link_again,
            Limit::ApiWrite => &self.api_write,
        }
        .count(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str) -> Client {
        Client::peer(Some(address.parse().unwrap()))
    }

    #[test]
    fn the_sixth_link_in_a_minute_is_refused_and_another_address_is_not() {
        let limits = Limits::default();
        for _ in 0..5 {
            limits
                .count(Limit::LinkAgain, client("203.0.113.7:1"))
                .unwrap();
        }
        let refused = limits
            .count(Limit::LinkAgain, client("203.0.113.7:2"))
            .unwrap_err();
        assert!((1..=13).contains(&refused.retry_after), "{refused:?}");
        limits
            .count(Limit::LinkAgain, client("203.0.113.8:1"))
            .unwrap();
        limits.count(Limit::LogIn, client("203.0.113.7:1")).unwrap();
        for _ in 0..10 {
            limits
                .count(Limit::Interest, client("203.0.113.7:1"))
                .unwrap();
        }
        let eleventh = limits.count(Limit::Interest, client("203.0.113.7:3"));
        assert!(eleventh.is_err(), "each of them writes a mail");
    }
}
