//! How often a log-in may be tried, and whose address a request comes from.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::LazyLock;
use std::time::Duration;

use actix_web::HttpRequest;
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

/// The address a request comes from: the peer's, or, where the peer is a trusted proxy, the last forwarded one that
/// is none.
pub fn address(request: &HttpRequest, trusted: &[String]) -> IpAddr {
    let unknown = IpAddr::from([0, 0, 0, 0]);
    let Some(peer) = request.peer_addr().map(|peer| peer.ip()) else {
        return unknown;
    };
    let is_trusted = |ip: IpAddr| trusted.iter().any(|network| contains(network, ip));
    if !is_trusted(peer) {
        return peer;
    }
    let hops = request
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|hop| hop.trim().parse().ok())
        .collect::<Vec<IpAddr>>();
    hops.into_iter()
        .rev()
        .find(|ip| !is_trusted(*ip))
        .unwrap_or(peer)
}

/// Whether a network (`10.0.0.0/8`, or one address) contains an address.
fn contains(network: &str, ip: IpAddr) -> bool {
    let (base, bits) = match network.split_once('/') {
        Some((base, bits)) => (base, bits.parse::<u32>().ok()),
        None => (network, Some(128)),
    };
    let (Ok(base), Some(bits)) = (base.trim().parse::<IpAddr>(), bits) else {
        return false;
    };
    let number = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => (u128::from(ip.to_bits()) << 96, 32),
        IpAddr::V6(ip) => (ip.to_bits(), 128),
    };
    let ((a, width), (b, other)) = (number(base), number(ip));
    if width != other {
        return false;
    }
    match bits.min(width) {
        0 => true,
        bits => (a ^ b) >> (128 - bits) == 0,
    }
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

    #[test]
    fn a_network_contains_its_addresses() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(contains("10.0.0.0/8", ip("10.200.3.4")));
        assert!(!contains("10.0.0.0/8", ip("11.0.0.1")));
        assert!(contains("192.0.2.7", ip("192.0.2.7")));
        assert!(!contains("192.0.2.7", ip("192.0.2.8")));
        assert!(contains("2001:db8::/32", ip("2001:db8:1::1")));
        assert!(contains("0.0.0.0/0", ip("1.2.3.4")));
        assert!(!contains("nonsense", ip("1.2.3.4")));
    }
}
