//! How often a log-in may be tried with one e-mail address, beside the guards' count of all tries from one place.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::LazyLock;
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Tries in a row.
const TRIES: u32 = 10;
/// One more try comes back after so many seconds: 10 in 15 minutes.
const SECONDS_A_TRY: u64 = 90;
/// Keys that are remembered before those long quiet are forgotten.
const KEYS: usize = 10_000;

static TRIED: LazyLock<DefaultKeyedRateLimiter<(IpAddr, String)>> = LazyLock::new(|| {
    let burst = NonZeroU32::new(TRIES).unwrap_or(NonZeroU32::MIN);
    let quota = Quota::with_period(Duration::from_secs(SECONDS_A_TRY))
        .unwrap_or_else(|| Quota::per_minute(NonZeroU32::MIN))
        .allow_burst(burst);
    RateLimiter::keyed(quota)
});

/// Whether a log-in with this address may be tried once more from there.
pub fn may_try(from: IpAddr, email: &str) -> bool {
    if TRIED.len() > KEYS {
        TRIED.retain_recent();
    }
    let email: String = email.chars().take(254).collect();
    TRIED.check_key(&(from, email)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_tries_and_then_a_pause_for_that_address_alone() {
        let from = IpAddr::from([203, 0, 113, 9]);
        let tries = (0..11).filter(|_| may_try(from, "ten@example.com")).count();
        assert_eq!(tries, 10);
        assert!(may_try(from, "other@example.com"));
    }
}
