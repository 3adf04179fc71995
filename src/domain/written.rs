//! How amounts are written in different languages: which separators, where the currency stands, from how many digits on
//! they are grouped.
//!
//! Source: Unicode CLDR 45, `main/{language}/numbers.json` (`symbols-numberSystem-latn`, the standard currency pattern,
//! `minimumGroupingDigits`). Arabic, Persian and Hindi amounts keep western digits, as prices in shops do there. The pages
//! are in English: words and dates stay as they are, with the month as a word, so that no date can be misread.

use super::currency::Currency;
use super::money::Money;

/// A no-break space.
const SPACE: &str = "\u{a0}";
/// A narrow no-break space.
const NARROW: &str = "\u{202f}";

/// Where the currency stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// `$1.00`; a code is set apart: `CHF 1.00`.
    Before,
    /// `€ 1,00`.
    BeforeApart,
    /// `1,00 €`.
    After,
}

struct Rules {
    /// Between thousands.
    group: &'static str,
    /// Before the decimals.
    mark: char,
    place: Place,
    /// With fewer digits than this before the mark nothing is grouped.
    grouped_from: usize,
    /// After the last three digits by twos: 12,34,567.
    by_twos: bool,
}

const fn rules(group: &'static str, mark: char, place: Place) -> Rules {
    Rules {
        group,
        mark,
        place,
        grouped_from: 4,
        by_twos: false,
    }
}

const fn from_five(rules: Rules) -> Rules {
    Rules {
        grouped_from: 5,
        ..rules
    }
}

/// How a group of languages writes amounts. There are few of them, so that a page is kept once for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Written(u8);

const ALL: [Rules; 10] = [
    rules(",", '.', Place::Before),
    rules(".", ',', Place::After),
    from_five(rules(".", ',', Place::After)),
    rules(NARROW, ',', Place::After),
    rules(SPACE, ',', Place::After),
    from_five(rules(SPACE, ',', Place::After)),
    rules(".", ',', Place::BeforeApart),
    rules("\u{2019}", '.', Place::BeforeApart),
    rules(".", ',', Place::Before),
    Rules {
        by_twos: true,
        ..rules(",", '.', Place::Before)
    },
];

/// Languages, regions before the language alone. What is not named here is written as in English.
const LANGUAGES: [(&str, u8); 45] = [
    ("en-in", 9),
    ("de-at", 6),
    ("de-ch", 7),
    ("de-li", 7),
    ("it-ch", 7),
    ("de", 1),
    ("da", 1),
    ("el", 1),
    ("it", 1),
    ("ro", 1),
    ("hr", 1),
    ("sl", 1),
    ("sr", 1),
    ("id", 8),
    ("is", 1),
    ("gl", 1),
    ("ca", 1),
    ("vi", 1),
    ("es-mx", 0),
    ("es-us", 0),
    ("es-ar", 6),
    ("es-co", 6),
    ("es", 2),
    ("fr-ch", 3),
    ("fr-ca", 4),
    ("fr", 3),
    ("pt-pt", 5),
    ("pt", 6),
    ("nl", 6),
    ("tr", 8),
    ("sv", 4),
    ("nb", 4),
    ("nn", 4),
    ("no", 4),
    ("fi", 4),
    ("cs", 4),
    ("sk", 4),
    ("uk", 4),
    ("ru", 4),
    ("hu", 4),
    ("lt", 4),
    ("bg", 5),
    ("pl", 5),
    ("et", 5),
    ("hi", 9),
];

/// Most languages of a header that are looked at.
const MOST: usize = 12;

impl Written {
    /// How many ways there are.
    pub const COUNT: usize = ALL.len();

    /// As the first language of an `Accept-Language` header (RFC 9110, 12.5.4) is written; English where there is none.
    pub fn for_header(header: &str) -> Written {
        let mut best: Option<(f32, &str)> = None;
        for part in header.split(',').take(MOST) {
            let mut pieces = part.split(';').map(str::trim);
            let tag = pieces.next().unwrap_or_default();
            let weight = pieces.find_map(|piece| piece.strip_prefix("q="));
            let weight: f32 = weight.map_or(1.0, |q| q.parse().unwrap_or(0.0));
            let better = best.is_none_or(|(most, _)| weight > most);
            if !tag.is_empty() && weight > 0.0 && better {
                best = Some((weight, tag));
            }
        }
        best.map_or(Written(0), |(_, tag)| Written::for_tag(tag))
    }

    /// As a language is written, by its tag (BCP 47).
    pub fn for_tag(tag: &str) -> Written {
        let is = |known: &str| {
            let start = tag.get(..known.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(known))
                && matches!(tag.as_bytes().get(known.len()), None | Some(b'-'))
        };
        let found = LANGUAGES.iter().find(|(known, _)| is(known));
        Written(found.map_or(0, |(_, index)| *index))
    }

    /// Its place among all ways; 0 is English.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    fn rules(self) -> &'static Rules {
        ALL.get(self.index()).unwrap_or(&ALL[0])
    }

    /// An amount as it is written in these languages.
    pub fn money(self, money: Money) -> String {
        if self.0 == 0 {
            return money.format();
        }
        let rules = self.rules();
        let (whole, fraction) = money.digits();
        let mut number = self.grouped(&whole.to_string());
        if let Some(fraction) = fraction {
            number.push(rules.mark);
            number.push_str(&fraction);
        }
        let minus = if money.amount < 0 { "\u{2212}" } else { "" };
        let (sign, is_code) = sign_of(money.currency);
        match rules.place {
            Place::After => format!("{minus}{number}{SPACE}{sign}"),
            Place::BeforeApart => format!("{minus}{sign}{SPACE}{number}"),
            Place::Before if is_code => format!("{minus}{sign}{SPACE}{number}"),
            Place::Before => format!("{minus}{sign}{number}"),
        }
    }

    fn grouped(self, digits: &str) -> String {
        let rules = self.rules();
        let mut out = String::with_capacity(digits.len() * 2);
        for (at, digit) in digits.chars().enumerate() {
            let left = digits.len() - at;
            let cut = match rules.by_twos && left > 3 {
                true => (left - 3).is_multiple_of(2),
                false => left.is_multiple_of(3),
            };
            if at > 0 && cut && digits.len() >= rules.grouped_from {
                out.push_str(rules.group);
            }
            out.push(digit);
        }
        out
    }
}

/// The currency's symbol, or its code.
fn sign_of(currency: Currency) -> (&'static str, bool) {
    match currency.symbol() {
        Some(symbol) => (symbol, false),
        None => (currency.iso(), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(header: &str, amount: i64, code: &str) -> String {
        let currency = Currency::parse(code).unwrap();
        Written::for_header(header).money(Money::new(amount, currency))
    }

    #[test]
    fn an_amount_is_written_as_in_the_visitor_s_language() {
        for (header, text) in [
            ("", "€1,234.50"),
            ("en-GB,en;q=0.9", "€1,234.50"),
            ("de", "1.234,50\u{a0}€"),
            ("de-CH, de;q=0.8", "€\u{a0}1\u{2019}234.50"),
            ("fr-FR,fr;q=0.9,en;q=0.8", "1\u{202f}234,50\u{a0}€"),
            ("es-ES", "1234,50\u{a0}€"),
            ("nl-NL", "€\u{a0}1.234,50"),
            ("pt-BR", "€\u{a0}1.234,50"),
            ("sv-SE", "1\u{a0}234,50\u{a0}€"),
            ("pl", "1234,50\u{a0}€"),
            ("tr", "€1.234,50"),
            ("ja-JP", "€1,234.50"),
            ("den", "€1,234.50"),
        ] {
            assert_eq!(said(header, 123_450, "eur"), text, "{header}");
        }
        assert_eq!(said("en-IN", 12_345_678_900, "inr"), "₹12,34,56,789.00");
        assert_eq!(said("es", 1_234_500, "eur"), "12.345,00\u{a0}€");
        assert_eq!(said("de", -500, "jpy"), "\u{2212}500\u{a0}¥");
        assert_eq!(said("tr", 1_200, "chf"), "CHF\u{a0}12,00");
    }

    #[test]
    fn the_language_with_the_highest_weight_counts() {
        assert_eq!(
            Written::for_header("en;q=0.5, de;q=0.9"),
            Written::for_tag("de")
        );
        assert_eq!(Written::for_header("fr;q=0, sv"), Written::for_tag("sv"));
        assert_eq!(Written::for_header("*"), Written::default());
        assert_eq!(
            Written::for_header("\u{fe}\u{ff};;;,,,q=q"),
            Written::default()
        );
    }

    #[test]
    fn each_language_names_a_way_that_exists() {
        assert!(
            LANGUAGES
                .iter()
                .all(|(_, index)| usize::from(*index) < Written::COUNT)
        );
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_as_the_same_minor_units(
            amount: i64,
            language in prop::sample::select(LANGUAGES.iter().map(|(tag, _)| *tag).chain(["en"]).collect::<Vec<_>>()),
            code in prop::sample::select(vec!["eur", "usd", "jpy", "kwd", "chf", "isk", "mga"]),
        ) {
            let currency = Currency::parse(code).unwrap();
            let way = Written::for_tag(language);
            let text = way.money(Money::new(amount, currency));
            // The digits alone, after the sign: what else stands there groups them, or marks the decimals.
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let value: i128 = digits.parse().unwrap();
            let negative = text.contains('\u{2212}');
            prop_assert_eq!(if negative { -value } else { value }, i128::from(amount));
            // The decimals stand behind the language's mark, all of them.
            let decimals = currency.decimals() as usize;
            let number: String = text.chars().filter(|c| c.is_ascii_digit() || *c == way.rules().mark).collect();
            let behind = number.rsplit_once(way.rules().mark).map_or(0, |(_, part)| part.len());
            if decimals > 0 {
                prop_assert_eq!(behind, decimals, "{}", text);
            }
        }
    }
}
