//! Currencies: one table for everything that depends on the currency (domain section 3).
//!
//! Books and pages count in *our* minor units, with the decimals of ISO 4217. The provider counts differently for a
//! few currencies; [`Currency::to_provider`] and [`Currency::from_provider`] are the only places that know.
//!
//! Source of the presentment currencies, of the special cases and of the limits: Stripe, "Supported currencies",
//! <https://docs.stripe.com/currencies> (sections "Zero-decimal currencies", "Three-decimal currencies", "Special
//! cases", "Minimum and maximum charge amounts"). Decimals: ISO 4217, list one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How one family of currencies is counted here and at the provider.
struct Kind {
    /// ISO 4217 decimals: how many digits of our minor units stand after the point.
    decimals: u32,
    /// Every amount we charge or refund is a multiple of this (our minor units).
    granularity: i64,
    /// `provider = ours * times / by`.
    times: i64,
    by: i64,
    /// The largest amount the provider takes in one charge, in its units.
    max_at_provider: i64,
}

/// Eight digits: the provider's technical limit for all currencies but one.
const EIGHT_DIGITS: i64 = 99_999_999;
/// Twelve digits: the limit for Indonesian rupiah.
const TWELVE_DIGITS: i64 = 999_999_999_999;

const TWO: Kind = Kind {
    decimals: 2,
    granularity: 1,
    times: 1,
    by: 1,
    max_at_provider: EIGHT_DIGITS,
};
const TWO_LARGE: Kind = Kind {
    max_at_provider: TWELVE_DIGITS,
    ..TWO
};
const ZERO: Kind = Kind { decimals: 0, ..TWO };
/// Amounts in three-decimal currencies must end in 0.
const THREE: Kind = Kind {
    decimals: 3,
    granularity: 10,
    ..TWO
};
/// No decimals in the books, but the provider wants two, and both of them 0 (ISK, UGX).
const ZERO_AS_TWO: Kind = Kind {
    decimals: 0,
    times: 100,
    ..TWO
};
/// Two decimals in the books, none at the provider (MGA).
const TWO_AS_ZERO: Kind = Kind {
    granularity: 100,
    by: 100,
    ..TWO
};

struct Row {
    /// Lower case, as the API and the provider write it.
    code: &'static str,
    /// Upper case, as people read it.
    iso: &'static str,
    symbol: Option<&'static str>,
    kind: Kind,
    min_charge: i64,
}

const fn row(
    code: &'static str,
    iso: &'static str,
    symbol: Option<&'static str>,
    kind: Kind,
    min_charge: i64,
) -> Row {
    Row {
        code,
        iso,
        symbol,
        kind,
        min_charge,
    }
}

/// Stripe's presentment currencies, by code. The last column is the minimum charge in our minor units: the provider's
/// documentation names it for AED AUD BGN BRL CAD CHF CZK DKK EUR GBP HKD HUF INR JPY MXN MYR NOK NZD PLN RON SEK SGD
/// THB USD. For all others it only says that the amount, converted to the account's settlement currency, must reach
/// that currency's minimum; there the table holds about 0.50 US dollars, rounded up.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    row("aed", "AED", None, TWO, 200),
    row("afn", "AFN", None, TWO, 4_000),
    row("all", "ALL", None, TWO, 5_000),
    row("amd", "AMD", None, TWO, 20_000),
    row("ang", "ANG", None, TWO, 90),
    row("aoa", "AOA", None, TWO, 50_000),
    row("ars", "ARS", None, TWO, 100_000),
    row("aud", "AUD", Some("A$"), TWO, 50),
    row("awg", "AWG", None, TWO, 90),
    row("azn", "AZN", None, TWO, 90),
    row("bam", "BAM", None, TWO, 90),
    row("bbd", "BBD", None, TWO, 100),
    row("bdt", "BDT", None, TWO, 7_000),
    row("bgn", "BGN", None, TWO, 100),
    row("bhd", "BHD", None, THREE, 200),
    row("bif", "BIF", None, ZERO, 1_500),
    row("bmd", "BMD", None, TWO, 50),
    row("bnd", "BND", None, TWO, 70),
    row("bob", "BOB", None, TWO, 400),
    row("brl", "BRL", Some("R$"), TWO, 50),
    row("bsd", "BSD", None, TWO, 50),
    row("bwp", "BWP", None, TWO, 800),
    row("byn", "BYN", None, TWO, 170),
    row("bzd", "BZD", None, TWO, 100),
    row("cad", "CAD", Some("CA$"), TWO, 50),
    row("cdf", "CDF", None, TWO, 150_000),
    row("chf", "CHF", None, TWO, 50),
    row("clp", "CLP", None, ZERO, 500),
    row("cny", "CNY", Some("CN¥"), TWO, 400),
    row("cop", "COP", None, TWO, 220_000),
    row("crc", "CRC", None, TWO, 27_000),
    row("cve", "CVE", None, TWO, 5_500),
    row("czk", "CZK", None, TWO, 1_500),
    row("djf", "DJF", None, ZERO, 90),
    row("dkk", "DKK", None, TWO, 250),
    row("dop", "DOP", None, TWO, 3_300),
    row("dzd", "DZD", None, TWO, 7_000),
    row("egp", "EGP", None, TWO, 2_600),
    row("etb", "ETB", None, TWO, 8_000),
    row("eur", "EUR", Some("€"), TWO, 50),
    row("fjd", "FJD", None, TWO, 120),
    row("fkp", "FKP", None, TWO, 40),
    row("gbp", "GBP", Some("£"), TWO, 30),
    row("gel", "GEL", None, TWO, 150),
    row("gip", "GIP", None, TWO, 40),
    row("gmd", "GMD", None, TWO, 4_000),
    row("gnf", "GNF", None, ZERO, 4_500),
    row("gtq", "GTQ", None, TWO, 400),
    row("gyd", "GYD", None, TWO, 11_000),
    row("hkd", "HKD", Some("HK$"), TWO, 400),
    row("hnl", "HNL", None, TWO, 1_400),
    row("htg", "HTG", None, TWO, 7_000),
    row("huf", "HUF", None, TWO, 17_500),
    row("idr", "IDR", None, TWO_LARGE, 900_000),
    row("ils", "ILS", Some("₪"), TWO, 200),
    row("inr", "INR", Some("₹"), TWO, 50),
    row("isk", "ISK", None, ZERO_AS_TWO, 70),
    row("jmd", "JMD", None, TWO, 8_500),
    row("jod", "JOD", None, THREE, 360),
    row("jpy", "JPY", Some("¥"), ZERO, 50),
    row("kes", "KES", None, TWO, 7_000),
    row("kgs", "KGS", None, TWO, 4_500),
    row("khr", "KHR", None, TWO, 220_000),
    row("kmf", "KMF", None, ZERO, 250),
    row("krw", "KRW", Some("₩"), ZERO, 750),
    row("kwd", "KWD", None, THREE, 160),
    row("kyd", "KYD", None, TWO, 50),
    row("kzt", "KZT", None, TWO, 28_000),
    row("lak", "LAK", None, TWO, 1_200_000),
    row("lbp", "LBP", None, TWO, 5_000_000),
    row("lkr", "LKR", None, TWO, 16_000),
    row("lrd", "LRD", None, TWO, 10_000),
    row("lsl", "LSL", None, TWO, 1_000),
    row("mad", "MAD", None, TWO, 500),
    row("mdl", "MDL", None, TWO, 900),
    row("mga", "MGA", None, TWO_AS_ZERO, 250_000),
    row("mkd", "MKD", None, TWO, 3_000),
    row("mmk", "MMK", None, TWO, 110_000),
    row("mnt", "MNT", None, TWO, 180_000),
    row("mop", "MOP", None, TWO, 450),
    row("mur", "MUR", None, TWO, 2_500),
    row("mvr", "MVR", None, TWO, 800),
    row("mwk", "MWK", None, TWO, 90_000),
    row("mxn", "MXN", Some("MX$"), TWO, 1_000),
    row("myr", "MYR", None, TWO, 200),
    row("mzn", "MZN", None, TWO, 3_300),
    row("nad", "NAD", None, TWO, 1_000),
    row("ngn", "NGN", Some("₦"), TWO, 80_000),
    row("nio", "NIO", None, TWO, 2_000),
    row("nok", "NOK", None, TWO, 300),
    row("npr", "NPR", None, TWO, 7_500),
    row("nzd", "NZD", Some("NZ$"), TWO, 50),
    row("omr", "OMR", None, THREE, 200),
    row("pab", "PAB", None, TWO, 50),
    row("pen", "PEN", None, TWO, 200),
    row("pgk", "PGK", None, TWO, 220),
    row("php", "PHP", Some("₱"), TWO, 3_000),
    row("pkr", "PKR", None, TWO, 15_000),
    row("pln", "PLN", None, TWO, 200),
    row("pyg", "PYG", None, ZERO, 4_000),
    row("qar", "QAR", None, TWO, 200),
    row("ron", "RON", None, TWO, 200),
    row("rsd", "RSD", None, TWO, 5_500),
    row("rub", "RUB", None, TWO, 5_000),
    row("rwf", "RWF", None, ZERO, 750),
    row("sar", "SAR", None, TWO, 200),
    row("sbd", "SBD", None, TWO, 450),
    row("scr", "SCR", None, TWO, 800),
    row("sek", "SEK", None, TWO, 300),
    row("sgd", "SGD", Some("S$"), TWO, 50),
    row("shp", "SHP", None, TWO, 40),
    row("sle", "SLE", None, TWO, 1_200),
    row("sos", "SOS", None, TWO, 30_000),
    row("srd", "SRD", None, TWO, 2_000),
    row("std", "STD", None, TWO, 1_200_000),
    row("svc", "SVC", None, TWO, 450),
    row("szl", "SZL", None, TWO, 1_000),
    row("thb", "THB", None, TWO, 1_000),
    row("tjs", "TJS", None, TWO, 550),
    row("tnd", "TND", None, THREE, 1_600),
    row("top", "TOP", None, TWO, 130),
    row("try", "TRY", Some("₺"), TWO, 2_500),
    row("ttd", "TTD", None, TWO, 350),
    row("twd", "TWD", Some("NT$"), TWO, 1_700),
    row("tzs", "TZS", None, TWO, 140_000),
    row("uah", "UAH", Some("₴"), TWO, 2_200),
    row("ugx", "UGX", None, ZERO_AS_TWO, 1_900),
    row("usd", "USD", Some("$"), TWO, 50),
    row("uyu", "UYU", None, TWO, 2_200),
    row("uzs", "UZS", None, TWO, 650_000),
    row("vnd", "VND", Some("₫"), ZERO, 14_000),
    row("vuv", "VUV", None, ZERO, 65),
    row("wst", "WST", None, TWO, 150),
    row("xaf", "XAF", None, ZERO, 300),
    row("xcd", "XCD", None, TWO, 140),
    row("xcg", "XCG", None, TWO, 90),
    row("xof", "XOF", None, ZERO, 300),
    row("xpf", "XPF", None, ZERO, 55),
    row("yer", "YER", None, TWO, 13_000),
    row("zar", "ZAR", None, TWO, 1_000),
    row("zmw", "ZMW", None, TWO, 1_400),
];

/// A currency that can be charged: an index into the one table. Ordered by code; serialised as the lower-case code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(u8);

impl Currency {
    /// US dollar.
    pub const USD: Currency = known("usd");
    /// Euro.
    pub const EUR: Currency = known("eur");
    /// Pound sterling.
    pub const GBP: Currency = known("gbp");
    /// Japanese yen: no decimals.
    pub const JPY: Currency = known("jpy");
    /// Swiss franc.
    pub const CHF: Currency = known("chf");

    fn row(self) -> &'static Row {
        &TABLE[usize::from(self.0)]
    }

    /// The currency of an ISO 4217 code in either case; `None` if it cannot be charged.
    pub fn parse(code: &str) -> Option<Currency> {
        if code.len() != 3 || !code.is_ascii() {
            return None;
        }
        let lower = code.to_ascii_lowercase();
        let at = TABLE
            .binary_search_by(|row| row.code.cmp(lower.as_str()))
            .ok()?;
        u8::try_from(at).ok().map(Currency)
    }

    /// Every currency of the table, by code.
    pub fn all() -> impl Iterator<Item = Currency> {
        (0..TABLE.len()).filter_map(|at| u8::try_from(at).ok().map(Currency))
    }

    /// The ISO code in lower case: `usd`. So it stands in the API, the database and the provider's requests.
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// The ISO code in upper case, for people: `USD`.
    pub fn iso(self) -> &'static str {
        self.row().iso
    }

    /// How many decimals books and pages use (ISO 4217).
    pub fn decimals(self) -> u32 {
        self.row().kind.decimals
    }

    /// What stands before an amount (`$`, `€`); `None` where people write the code.
    pub fn symbol(self) -> Option<&'static str> {
        self.row().symbol
    }

    /// Prices, shipping, tax and split parts are multiples of this many of our minor units (domain section 3).
    pub fn granularity(self) -> i64 {
        self.row().kind.granularity
    }

    /// Whether an amount in our minor units can be charged as it is, as far as the granularity goes.
    pub fn is_granular(self, minor: i64) -> bool {
        minor % self.granularity() == 0
    }

    /// Our minor units as the provider counts them. `None` if the amount is not a multiple of the granularity, or too
    /// large for an `i64`.
    pub fn to_provider(self, minor: i64) -> Option<i64> {
        if !self.is_granular(minor) {
            return None;
        }
        let kind = &self.row().kind;
        Some(minor.checked_mul(kind.times)? / kind.by)
    }

    /// An amount of the provider in our minor units. `None` if it has parts that our books cannot hold, or is too
    /// large for an `i64`.
    pub fn from_provider(self, amount: i64) -> Option<i64> {
        let kind = &self.row().kind;
        let scaled = amount.checked_mul(kind.by)?;
        (scaled % kind.times == 0).then(|| scaled / kind.times)
    }

    /// The smallest charge the provider takes, in our minor units.
    pub fn min_charge(self) -> i64 {
        self.row().min_charge
    }

    /// Whether the provider takes a charge of so many of our minor units: within its limits, a multiple of the
    /// granularity.
    pub fn is_chargeable(self, minor: i64) -> bool {
        (self.min_charge()..=self.max_charge()).contains(&minor) && self.is_granular(minor)
    }

    /// The largest charge the provider takes, in our minor units, a multiple of the granularity.
    pub fn max_charge(self) -> i64 {
        let kind = &self.row().kind;
        let ours = kind.max_at_provider / kind.times * kind.by;
        ours - ours % kind.granularity
    }
}

/// The place of a code in the table, at compile time; an unknown code does not compile.
const fn known(code: &str) -> Currency {
    let wanted = code.as_bytes();
    let mut at = 0;
    while at < TABLE.len() {
        let have = TABLE[at].code.as_bytes();
        if have[0] == wanted[0] && have[1] == wanted[1] && have[2] == wanted[2] {
            return Currency(at as u8);
        }
        at += 1;
    }
    panic!("no such currency in the table")
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.iso())
    }
}

/// The text is no currency that can be charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown currency: write a three-letter ISO 4217 code such as usd or eur")]
pub struct UnknownCurrency;

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Currency::parse(s).ok_or(UnknownCurrency)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        code.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn c(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn the_table_is_sorted_and_fits_its_index() {
        assert!(TABLE.len() <= 256);
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
        for currency in Currency::all() {
            assert_eq!(Currency::parse(currency.code()), Some(currency));
            assert_eq!(currency.code().to_ascii_uppercase(), currency.iso());
        }
    }

    #[test]
    fn codes_are_read_in_either_case_and_unknown_ones_refused() {
        assert_eq!(Currency::parse("UsD"), Some(Currency::USD));
        for wrong in ["", "us", "usdd", "xxx", "u$d", "€€€", "btc"] {
            assert_eq!(Currency::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_currency_is_serialised_as_its_lower_case_code() {
        assert_eq!(serde_json::to_string(&Currency::EUR).unwrap(), "\"eur\"");
        assert_eq!(
            serde_json::from_str::<Currency>("\"EUR\"").unwrap(),
            Currency::EUR
        );
        assert!(serde_json::from_str::<Currency>("\"zzz\"").is_err());
    }

    #[test]
    fn kronur_and_ugandan_shillings_go_to_the_provider_in_hundredths() {
        for code in ["isk", "ugx"] {
            assert_eq!(c(code).decimals(), 0);
            assert_eq!(c(code).to_provider(5), Some(500));
            assert_eq!(c(code).from_provider(500), Some(5));
            assert_eq!(c(code).from_provider(550), None);
            assert_eq!(c(code).max_charge(), 999_999);
        }
    }

    #[test]
    fn ariary_have_two_decimals_here_and_none_at_the_provider() {
        assert_eq!(c("mga").decimals(), 2);
        assert_eq!(c("mga").to_provider(250_000), Some(2_500));
        assert_eq!(c("mga").to_provider(250_050), None);
        assert_eq!(c("mga").from_provider(2_500), Some(250_000));
    }

    #[test]
    fn three_decimal_amounts_end_in_nought() {
        for code in ["bhd", "jod", "kwd", "omr", "tnd"] {
            assert_eq!(c(code).decimals(), 3);
            assert_eq!(c(code).to_provider(5_120), Some(5_120));
            assert_eq!(c(code).to_provider(5_124), None);
            assert_eq!(c(code).max_charge(), 99_999_990);
        }
    }

    #[test]
    fn the_limits_of_a_charge_are_the_providers() {
        assert_eq!(Currency::USD.min_charge(), 50);
        assert_eq!(Currency::GBP.min_charge(), 30);
        assert_eq!(Currency::JPY.min_charge(), 50);
        assert_eq!(c("huf").min_charge(), 17_500);
        assert_eq!(Currency::USD.max_charge(), 99_999_999);
        assert_eq!(c("idr").max_charge(), 999_999_999_999);
        for currency in Currency::all() {
            assert!(currency.is_granular(currency.min_charge()), "{currency:?}");
            assert!(currency.is_granular(currency.max_charge()), "{currency:?}");
            assert!(
                currency.min_charge() < currency.max_charge(),
                "{currency:?}"
            );
        }
    }

    #[test]
    fn an_amount_too_large_for_the_provider_is_refused_not_wrapped() {
        assert_eq!(c("isk").to_provider(i64::MAX), None);
        assert_eq!(c("mga").from_provider(i64::MAX), None);
    }

    proptest! {
        #[test]
        fn what_goes_to_the_provider_comes_back_the_same(
            at in 0..TABLE.len(),
            steps in -1_000_000_000i64..1_000_000_000,
        ) {
            let currency = Currency::all().nth(at).unwrap();
            let minor = steps * currency.granularity();
            let there = currency.to_provider(minor).unwrap();
            prop_assert_eq!(currency.from_provider(there), Some(minor));
        }
    }
}
