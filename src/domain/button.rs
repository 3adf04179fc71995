//! The words of the button that orders, per language, as data (Directive 2011/83/EU, Art. 8(2): "order with obligation to
//! pay" or a corresponding unambiguous formulation, in the shopper's language). The same words stand on it where a card
//! is only saved, or a part is paid: the duty to pay is entered into then, also where it depends on something that is
//! still to happen (Court of Justice, C-400/22, Conny).

use super::country::Country;

/// One language's button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// ISO 639-1 code: what the `lang` attribute says.
    pub language: &'static str,
    /// What stands on the button, before the amount.
    pub text: &'static str,
}

/// The words where none of a country's languages is known.
pub const ENGLISH: Words = Words {
    language: "en",
    text: "Order with obligation to pay",
};

/// Languages and their words, as the laws that took over the directive put them.
static WORDS: &[Words] = &[
    ENGLISH,
    words("cs", "Objedn\u{e1}vka zavazuj\u{ed}c\u{ed} k platb\u{11b}"),
    words("da", "Ordre med betalingsforpligtelse"),
    words("de", "Zahlungspflichtig bestellen"),
    words("es", "Pedido con obligaci\u{f3}n de pago"),
    words("fi", "Tilaukseen liittyy maksuvelvollisuus"),
    words("fr", "Commande avec obligation de paiement"),
    words("it", "Ordine con obbligo di pagare"),
    words("nl", "Bestelling met betalingsverplichting"),
    words("pl", "Zam\u{f3}wienie z obowi\u{105}zkiem zap\u{142}aty"),
    words("pt", "Encomenda com obriga\u{e7}\u{e3}o de pagar"),
    words("sv", "Best\u{e4}llning med betalningsskyldighet"),
];

const fn words(language: &'static str, text: &'static str) -> Words {
    Words { language, text }
}

/// The languages of a country among those that are known, the most spoken first. Countries without one speak English
/// here.
#[rustfmt::skip]
static LANGUAGES: &[(&str, &[&str])] = &[
    ("AT", &["de"]), ("BE", &["nl", "fr", "de"]), ("CZ", &["cs"]), ("DE", &["de"]), ("DK", &["da"]), ("ES", &["es"]),
    ("FI", &["fi", "sv"]), ("FR", &["fr"]), ("GB", &["en"]), ("IE", &["en"]), ("IT", &["it", "de"]), ("LI", &["de"]),
    ("LU", &["fr", "de"]), ("MT", &["en"]), ("NL", &["nl"]), ("PL", &["pl"]), ("PT", &["pt"]), ("SE", &["sv"]),
];

/// The button's words for an order to a country. Of several languages of the country the one that the browser prefers
/// (`Accept-Language`) is taken, else the first; a language that is none of the country's is not.
pub fn button(country: Country, accept_language: &str) -> Words {
    let spoken = LANGUAGES
        .binary_search_by(|(code, _)| (*code).cmp(country.code()))
        .map_or(&[][..], |at| LANGUAGES[at].1);
    let preferred = preferences(accept_language)
        .into_iter()
        .find(|language| spoken.contains(&language.as_str()));
    let language = preferred.as_deref().or(spoken.first().copied());
    WORDS
        .iter()
        .find(|words| Some(words.language) == language)
        .copied()
        .unwrap_or(ENGLISH)
}

/// The languages of an `Accept-Language` header (RFC 9110, 12.5.4), the most wanted first, without their regions.
fn preferences(header: &str) -> Vec<String> {
    let mut wanted: Vec<(u32, String)> = header
        .split(',')
        .take(20)
        .filter_map(|part| {
            let mut pieces = part.split(';');
            let tag = pieces
                .next()?
                .trim()
                .split('-')
                .next()?
                .to_ascii_lowercase();
            let weight = pieces
                .find_map(|piece| piece.trim().strip_prefix("q="))
                .map_or(Some(1000), thousandths)?;
            (!tag.is_empty() && weight > 0).then_some((weight, tag))
        })
        .collect();
    // Of the same weight, the first stays first.
    wanted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    wanted.into_iter().map(|(_, tag)| tag).collect()
}

/// A weight such as `0.8` in thousandths.
fn thousandths(weight: &str) -> Option<u32> {
    let (whole, part) = weight.trim().split_once('.').unwrap_or((weight.trim(), ""));
    let fits = part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
    let part = format!("{part:0<3}").parse::<u32>().ok().filter(|_| fits)?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(country: &str, header: &str) -> &'static str {
        button(Country::parse(country).unwrap(), header).text
    }

    #[test]
    fn each_country_reads_its_own_language() {
        assert_eq!(text("DE", ""), "Zahlungspflichtig bestellen");
        assert_eq!(text("AT", "en-GB,en;q=0.9"), "Zahlungspflichtig bestellen");
        assert_eq!(text("FR", ""), "Commande avec obligation de paiement");
        assert_eq!(text("PT", "de"), "Encomenda com obrigação de pagar");
        assert_eq!(text("US", "de-DE,de"), ENGLISH.text);
        assert_eq!(text("GR", "el"), ENGLISH.text);
    }

    #[test]
    fn of_several_languages_the_browsers_is_taken() {
        assert_eq!(text("BE", ""), "Bestelling met betalingsverplichting");
        assert_eq!(
            text("BE", "fr-BE,nl;q=0.8"),
            "Commande avec obligation de paiement"
        );
        assert_eq!(
            text("BE", "en, fr;q=0.2, de;q=0.9"),
            "Zahlungspflichtig bestellen"
        );
        assert_eq!(text("FI", "sv"), "Beställning med betalningsskyldighet");
        assert_eq!(
            text("BE", ";;;q=x,,fr;q=0"),
            "Bestelling met betalingsverplichting"
        );
    }

    #[test]
    fn the_tables_fit_each_other() {
        assert!(LANGUAGES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (code, languages) in LANGUAGES {
            assert!(
                Country::parse(code).is_some_and(Country::is_eu_eea_uk),
                "{code}"
            );
            for language in *languages {
                assert!(WORDS.iter().any(|w| w.language == *language), "{language}");
            }
        }
        assert!(WORDS.len() >= 12);
    }
}
