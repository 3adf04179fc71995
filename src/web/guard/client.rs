//! The network address a request came from. What a proxy forwards is believed only of the proxies that the settings
//! name: anybody else can write anything.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName};

/// Who is asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Client(IpAddr);

impl Client {
    /// The other end of the connection.
    pub fn peer(peer: Option<SocketAddr>) -> Self {
        Self(peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| {
            peer.ip().to_canonical()
        }))
    }

    /// The address.
    pub fn address(self) -> IpAddr {
        self.0
    }

    /// What limits are counted by: an IPv4 address, or the 64 bits of an IPv6 address that one customer of a network
    /// is given.
    pub fn network(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        }
    }
}

impl std::fmt::Display for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A network: all addresses that share the first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.trim().parse().ok().filter(|bits| *bits <= most)?,
            None => most,
        };
        Some(Self { address, bits })
    }

    fn contains(self, other: IpAddr) -> bool {
        // A shift by the full width is no shift at all, so nought bits are looked at apart.
        match (self.address, other) {
            (IpAddr::V4(net), IpAddr::V4(other)) => {
                self.bits == 0 || (net.to_bits() ^ other.to_bits()) >> (32 - self.bits) == 0
            }
            (IpAddr::V6(net), IpAddr::V6(other)) => {
                self.bits == 0 || (net.to_bits() ^ other.to_bits()) >> (128 - self.bits) == 0
            }
            _ => false,
        }
    }
}

/// The proxies whose forwarded addresses are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trusted(Vec<Network>);

impl Trusted {
    /// Addresses and networks such as `10.0.0.0/8`.
    ///
    /// # Errors
    /// What is not one, and what to write instead.
    pub fn parse(texts: &[String]) -> Result<Self, String> {
        texts
            .iter()
            .map(|text| {
                Network::parse(text).ok_or_else(|| {
                    format!(
                        "MUSTER_TRUSTED_PROXIES: {text:?} is no address or network; write for example 10.0.0.0/8 or ::1"
                    )
                })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Who is asking: the peer, or, where the peer is a trusted proxy, the rightmost address it forwards that is no
    /// trusted proxy itself. `X-Forwarded-For` counts before `Forwarded`; the proxy must write or remove both.
    pub fn client(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> Client {
        let peer = Client::peer(peer);
        if self.0.is_empty() || !self.has(peer.0) {
            return peer;
        }
        let x_forwarded_for = HeaderName::from_static("x-forwarded-for");
        let mut hops: Vec<Option<IpAddr>> = all(headers, &x_forwarded_for)
            .map(|hop| address(hop.trim()))
            .collect();
        if hops.is_empty() {
            hops = all(headers, &FORWARDED).map(forwarded_for).collect();
        }
        let mut known = peer.0;
        for hop in hops.into_iter().rev() {
            // What is not an address says nothing of what stands left of it.
            let Some(hop) = hop else { break };
            known = hop;
            if !self.has(hop) {
                break;
            }
        }
        Client(known)
    }
}

/// The comma-separated parts of all lines of a header, in their order.
fn all<'a>(headers: &'a HeaderMap, name: &'a HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
}

/// The address in an element of `Forwarded` (RFC 7239), such as `for="[2001:db8::1]:4711";proto=https`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let (_, value) = element
        .split(';')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    address(value.trim().trim_matches('"'))
}

/// An address with or without brackets and port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = |text: &str| text.parse::<IpAddr>().ok();
    bare(text)
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .or_else(|| bare(text.strip_prefix('[')?.strip_suffix(']')?))
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(trusted: &[&str], peer: &str, lines: &[(&str, &str)]) -> String {
        let trusted: Vec<String> = trusted.iter().map(|text| (*text).to_owned()).collect();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                value.parse().unwrap(),
            );
        }
        Trusted::parse(&trusted)
            .unwrap()
            .client(Some(peer.parse().unwrap()), &headers)
            .to_string()
    }

    #[test]
    fn without_trusted_proxies_the_peer_counts_whatever_it_says() {
        let lines = [("x-forwarded-for", "8.8.8.8"), ("forwarded", "for=9.9.9.9")];
        assert_eq!(asked(&[], "203.0.113.7:1", &lines), "203.0.113.7");
        assert_eq!(
            asked(&["10.0.0.0/8"], "203.0.113.7:1", &lines),
            "203.0.113.7"
        );
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_counts() {
        let trusted = ["10.0.0.0/8", "::1"];
        let lines = [
            ("x-forwarded-for", "6.6.6.6, 203.0.113.7"),
            ("x-forwarded-for", "10.1.2.3"),
        ];
        assert_eq!(asked(&trusted, "10.0.0.1:1", &lines), "203.0.113.7");
        assert_eq!(asked(&trusted, "[::1]:1", &lines), "203.0.113.7");
        assert_eq!(
            asked(&trusted, "[::ffff:10.0.0.1]:1", &lines),
            "203.0.113.7"
        );
        assert_eq!(
            asked(
                &trusted,
                "10.0.0.1:1",
                &[("x-forwarded-for", "6.6.6.6, unknown")]
            ),
            "10.0.0.1"
        );
        assert_eq!(asked(&trusted, "10.0.0.1:1", &[]), "10.0.0.1");
    }

    #[test]
    fn the_standard_header_is_read_with_quotes_brackets_and_ports() {
        let trusted = ["10.0.0.0/8"];
        for (said, found) in [
            ("for=203.0.113.7;proto=https", "203.0.113.7"),
            ("proto=http; For=\"[2001:db8::1]:4711\"", "2001:db8::1"),
            (
                "for=6.6.6.6, for=\"203.0.113.7:80\", for=10.3.3.3",
                "203.0.113.7",
            ),
            ("for=_hidden", "10.0.0.1"),
        ] {
            assert_eq!(asked(&trusted, "10.0.0.1:1", &[("forwarded", said)]), found);
        }
    }

    #[test]
    fn a_wrong_network_is_refused_by_name() {
        for wrong in ["10.0.0.0/33", "proxy", "", "10.0.0/8"] {
            let said = Trusted::parse(&[wrong.to_owned()]).unwrap_err();
            assert!(said.contains("MUSTER_TRUSTED_PROXIES"), "{said}");
        }
        assert!(
            Trusted::parse(&["0.0.0.0/0".to_owned()])
                .unwrap()
                .has(IpAddr::from([1, 2, 3, 4]))
        );
    }

    #[test]
    fn one_customer_of_an_ipv6_network_is_one_client() {
        let a = Client("2001:db8:1:2:aaaa::1".parse().unwrap());
        let b = Client("2001:db8:1:2:bbbb::2".parse().unwrap());
        assert_eq!(a.network(), b.network());
    }
}
