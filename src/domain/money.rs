//! Money: whole minor units with their currency, checked arithmetic, no floats (domain section 3).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::currency::Currency;

/// An amount in whole minor units of its currency (cents, pence, yen). May be negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units, with the decimals of [`Currency::decimals`].
    pub amount: i64,
    /// What they are units of.
    pub currency: Currency,
}

/// Why a calculation with money has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The result does not fit 64 bits.
    #[error("the amount is too large to calculate with")]
    Overflow,
    /// Two currencies met in one sum.
    #[error("amounts in {left} and {right} cannot be added up")]
    CurrencyMismatch {
        /// The currency of the first amount.
        left: Currency,
        /// The currency of the second amount.
        right: Currency,
    },
}

/// Why a typed amount was not understood; the text says what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Nothing was typed.
    #[error("write an amount")]
    Empty,
    /// Something else than digits with one decimal point or comma.
    #[error("write the amount in digits, with a point before the decimals and nothing else")]
    NotANumber,
    /// A minus sign.
    #[error("the amount cannot be negative")]
    Negative,
    /// More decimals than the currency has.
    #[error("this currency has {0} decimals at most")]
    TooManyDecimals(u32),
    /// The amount does not fit 64 bits.
    #[error("the amount is too large")]
    Overflow,
}

impl Money {
    /// `amount` minor units of `currency`.
    pub const fn new(amount: i64, currency: Currency) -> Money {
        Money { amount, currency }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Money {
        Money {
            amount: 0,
            currency,
        }
    }

    /// Whether nothing is left.
    pub const fn is_zero(self) -> bool {
        self.amount == 0
    }

    /// The sum. Errors: another currency, or too large.
    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        let amount = self
            .amount
            .checked_add(other.amount)
            .ok_or(MoneyError::Overflow)?;
        Ok(Money { amount, ..self })
    }

    /// The difference. Errors: another currency, or too large.
    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        let amount = self
            .amount
            .checked_sub(other.amount)
            .ok_or(MoneyError::Overflow)?;
        Ok(Money { amount, ..self })
    }

    /// So many times the amount. Error: too large.
    pub fn checked_mul(self, times: i64) -> Result<Money, MoneyError> {
        let amount = self.amount.checked_mul(times).ok_or(MoneyError::Overflow)?;
        Ok(Money { amount, ..self })
    }

    /// As people read it: `$1,234.50`, `¥500`, `CHF 12.00`; a real minus sign (U+2212) where it is negative.
    pub fn format(self) -> String {
        self.to_string()
    }

    /// The bare number without currency or thousands separators, as a form's field takes it back: `1234.50`.
    pub fn to_decimal(self) -> String {
        let (whole, fraction) = self.digits();
        let minus = if self.amount < 0 { "-" } else { "" };
        match fraction {
            Some(fraction) => format!("{minus}{whole}.{fraction}"),
            None => format!("{minus}{whole}"),
        }
    }

    fn same_currency(self, other: Money) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch {
                left: self.currency,
                right: other.currency,
            })
        }
    }

    /// The digits before and after the point, without sign.
    pub(super) fn digits(self) -> (u64, Option<String>) {
        let decimals = self.currency.decimals();
        let minor = self.amount.unsigned_abs();
        if decimals == 0 {
            return (minor, None);
        }
        let one = 10u64.pow(decimals);
        let fraction = format!("{:0width$}", minor % one, width = decimals as usize);
        (minor / one, Some(fraction))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = self.digits();
        if self.amount < 0 {
            f.write_str("\u{2212}")?;
        }
        match self.currency.symbol() {
            Some(symbol) => f.write_str(symbol)?,
            None => write!(f, "{} ", self.currency.iso())?,
        }
        f.write_str(&thousands(whole))?;
        match fraction {
            Some(fraction) => write!(f, ".{fraction}"),
            None => Ok(()),
        }
    }
}

/// A count with thousands separators: `12,345`.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// An amount typed into a form, in minor units: `96.50`, `96,50`, `96.5` and `96` are understood. One decimal mark, no
/// thousands separators: `1,234` could be either, so it is refused where the currency has fewer than three decimals.
pub fn parse_decimal(text: &str, currency: Currency) -> Result<i64, AmountError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(AmountError::Empty);
    }
    if text.starts_with(['-', '\u{2212}']) {
        return Err(AmountError::Negative);
    }
    let (whole, fraction) = match text.split_once(['.', ',']) {
        Some((_, "")) => return Err(AmountError::NotANumber),
        Some((whole, fraction)) => (whole, fraction),
        None => (text, ""),
    };
    let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits_only(whole) || !digits_only(fraction) {
        return Err(AmountError::NotANumber);
    }
    let decimals = currency.decimals() as usize;
    if fraction.len() > decimals {
        return Err(AmountError::TooManyDecimals(currency.decimals()));
    }
    let padding = std::iter::repeat_n(b'0', decimals - fraction.len());
    whole
        .bytes()
        .chain(fraction.bytes())
        .chain(padding)
        .try_fold(0i64, |minor, digit| {
            minor.checked_mul(10)?.checked_add(i64::from(digit - b'0'))
        })
        .ok_or(AmountError::Overflow)
}

/// Divides `total` in proportion to `weights` by largest remainder (domain section 3): the parts add up to `total`
/// exactly and each is a multiple of `granularity`; of equal remainders the earlier part gets more. `None` where there
/// is no such split: nothing or a negative weight to go by, a negative total, or one that is not a multiple itself.
pub fn split(total: i64, weights: &[i64], granularity: i64) -> Option<Vec<i64>> {
    if total < 0 || granularity < 1 || total % granularity != 0 || weights.iter().any(|w| *w < 0) {
        return None;
    }
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if sum == 0 {
        return None;
    }
    let grains = i128::from(total / granularity);
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    let mut left = grains;
    for (at, weight) in weights.iter().enumerate() {
        let exact = grains.checked_mul(i128::from(*weight))?;
        parts.push(exact / sum);
        remainders.push((exact % sum, at));
        left -= exact / sum;
    }
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, at) in remainders.into_iter().take(usize::try_from(left).ok()?) {
        parts[at] += 1;
    }
    parts
        .into_iter()
        .map(|part| i64::try_from(part).ok()?.checked_mul(granularity))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(amount: i64, code: &str) -> Money {
        Money::new(amount, Currency::parse(code).unwrap())
    }

    #[test]
    fn amounts_read_as_people_write_them() {
        assert_eq!(money(9_650, "usd").format(), "$96.50");
        assert_eq!(money(1_200, "eur").format(), "€12.00");
        assert_eq!(money(500, "jpy").format(), "¥500");
        assert_eq!(money(123_450, "usd").format(), "$1,234.50");
        assert_eq!(money(100_000_000, "usd").format(), "$1,000,000.00");
        assert_eq!(money(1_200, "chf").format(), "CHF 12.00");
        assert_eq!(money(5_120, "kwd").format(), "KWD 5.120");
        assert_eq!(money(5, "usd").format(), "$0.05");
        assert_eq!(money(0, "usd").format(), "$0.00");
    }

    #[test]
    fn a_negative_amount_carries_a_real_minus_sign() {
        assert_eq!(money(-9_650, "usd").format(), "\u{2212}$96.50");
        assert_eq!(money(-5, "chf").format(), "\u{2212}CHF 0.05");
        assert!(
            money(i64::MIN, "jpy")
                .format()
                .ends_with("9,223,372,036,854,775,808")
        );
    }

    #[test]
    fn money_in_json_is_an_amount_and_a_currency() {
        let json = r#"{"amount":4500,"currency":"usd"}"#;
        assert_eq!(serde_json::to_string(&money(4_500, "usd")).unwrap(), json);
        assert_eq!(
            serde_json::from_str::<Money>(json).unwrap(),
            money(4_500, "usd")
        );
        assert!(serde_json::from_str::<Money>(r#"{"amount":4.5,"currency":"usd"}"#).is_err());
    }

    #[test]
    fn sums_are_checked_and_never_mix_currencies() {
        let ten = money(10, "usd");
        assert_eq!(ten.checked_add(money(5, "usd")), Ok(money(15, "usd")));
        assert_eq!(ten.checked_sub(money(15, "usd")), Ok(money(-5, "usd")));
        assert_eq!(ten.checked_mul(3), Ok(money(30, "usd")));
        assert_eq!(ten.checked_mul(i64::MAX), Err(MoneyError::Overflow));
        assert_eq!(
            money(i64::MAX, "usd").checked_add(ten),
            Err(MoneyError::Overflow)
        );
        assert_eq!(
            money(i64::MIN, "usd").checked_sub(ten),
            Err(MoneyError::Overflow)
        );
        assert_eq!(
            ten.checked_add(money(5, "eur")),
            Err(MoneyError::CurrencyMismatch {
                left: Currency::USD,
                right: Currency::EUR
            })
        );
    }

    #[test]
    fn a_typed_amount_is_understood_with_point_or_comma() {
        for (text, minor) in [
            ("96.50", 9_650),
            ("96,50", 9_650),
            (" 96.5 ", 9_650),
            ("96", 9_600),
            ("0.05", 5),
        ] {
            assert_eq!(parse_decimal(text, Currency::USD), Ok(minor), "{text}");
        }
        assert_eq!(parse_decimal("500", Currency::JPY), Ok(500));
    }

    #[test]
    fn a_typed_amount_that_could_mean_something_else_is_refused() {
        use AmountError::*;
        for (text, error) in [
            ("", Empty),
            ("  ", Empty),
            ("-1", Negative),
            ("\u{2212}1", Negative),
            ("1,234", TooManyDecimals(2)),
            ("1,234.50", NotANumber),
            ("1e3", NotANumber),
            (".5", NotANumber),
            ("5.", NotANumber),
            ("$5", NotANumber),
            ("٥", NotANumber),
            ("+5", NotANumber),
            ("92233720368547758.08", Overflow),
            ("99999999999999999999999999", Overflow),
        ] {
            assert_eq!(parse_decimal(text, Currency::USD), Err(error), "{text}");
        }
        assert_eq!(parse_decimal("5.0", Currency::JPY), Err(TooManyDecimals(0)));
    }

    #[test]
    fn ten_cents_among_three_leave_nothing_over() {
        assert_eq!(split(10, &[1, 1, 1], 1), Some(vec![4, 3, 3]));
        assert_eq!(split(100, &[1, 2], 10), Some(vec![30, 70]));
        assert_eq!(split(0, &[1, 2], 1), Some(vec![0, 0]));
    }

    #[test]
    fn a_split_without_an_answer_is_none() {
        assert_eq!(split(10, &[], 1), None);
        assert_eq!(split(10, &[0, 0], 1), None);
        assert_eq!(split(10, &[1, -1], 1), None);
        assert_eq!(split(15, &[1, 1], 10), None);
        assert_eq!(split(-10, &[1, 1], 1), None);
    }

    proptest! {
        #[test]
        fn the_parts_of_a_split_add_up_and_stay_within_one_grain_of_their_share(
            grains in 0i64..1_000_000_000,
            granularity in prop::sample::select(vec![1i64, 10, 100]),
            weights in prop::collection::vec(0i64..1_000_000, 1..12),
        ) {
            prop_assume!(weights.iter().sum::<i64>() > 0);
            let total = grains * granularity;
            let parts = split(total, &weights, granularity).unwrap();
            prop_assert_eq!(parts.iter().sum::<i64>(), total);
            let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert_eq!(part % granularity, 0);
                let off = i128::from(*part) * sum - i128::from(total) * i128::from(*weight);
                prop_assert!(off.abs() < sum * i128::from(granularity));
            }
        }

        #[test]
        fn what_a_form_shows_is_read_back_the_same(amount in 0i64..i64::MAX, at in 0usize..130) {
            let currency = Currency::all().nth(at).unwrap();
            let shown = Money::new(amount, currency).to_decimal();
            prop_assert_eq!(parse_decimal(&shown, currency), Ok(amount));
        }

        #[test]
        fn no_text_makes_the_reader_of_amounts_fall_over(text in "\\PC*") {
            let _ = parse_decimal(&text, Currency::EUR);
        }
    }
}
