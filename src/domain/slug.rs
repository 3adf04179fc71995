//! Slugs: the words in a campaign's or merchant's address, in ASCII lower case, joined by `-`.

/// A slug has at most so many characters.
pub const MAX_SLUG: usize = 80;

/// Words in ASCII lower case, joined by `-`: `Käse & Brot` becomes `kaese-brot`. Latin letters lose their accents,
/// German umlauts become two letters, apostrophes vanish, everything else parts words. Cut at a word's end to
/// [`MAX_SLUG`] characters. Empty where the text has no Latin letter and no digit.
pub fn slugify(text: &str) -> String {
    let mut slug = String::new();
    let mut gap = false;
    for letter in text.chars().flat_map(char::to_lowercase) {
        let folded = match fold(letter) {
            Fold::Nothing => continue,
            Fold::Gap => {
                gap = true;
                continue;
            }
            Fold::Ascii(letter) => letter.encode_utf8(&mut [0; 4]).to_owned(),
            Fold::Letters(letters) => letters.to_owned(),
        };
        if gap && !slug.is_empty() {
            slug.push('-');
        }
        gap = false;
        slug.push_str(&folded);
    }
    if slug.len() <= MAX_SLUG {
        return slug;
    }
    // All ASCII, so a byte is a character. The byte after the cut tells whether a word ends there.
    let cut = if slug.as_bytes()[MAX_SLUG] == b'-' {
        MAX_SLUG
    } else {
        slug[..MAX_SLUG].rfind('-').unwrap_or(MAX_SLUG)
    };
    slug.truncate(cut);
    slug
}

/// Whether a text is a slug: 1 to [`MAX_SLUG`] characters, lower-case ASCII letters and digits in words joined by one
/// `-` each.
pub fn is_valid_slug(text: &str) -> bool {
    text.len() <= MAX_SLUG
        && text.split('-').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

enum Fold {
    /// Leaves no trace and parts no word.
    Nothing,
    /// Parts words.
    Gap,
    Ascii(char),
    Letters(&'static str),
}

/// What becomes of a lower-case letter.
fn fold(letter: char) -> Fold {
    Fold::Letters(match letter {
        'a'..='z' | '0'..='9' => return Fold::Ascii(letter),
        // Apostrophes, soft hyphens and combining accents stand inside words.
        '\'' | '\u{2019}' | '\u{ad}' | '\u{300}'..='\u{36f}' => return Fold::Nothing,
        'ä' | 'æ' | 'ǽ' => "ae",
        'ö' | 'œ' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        'þ' => "th",
        'ĳ' => "ij",
        'à'..='å'
        | 'ā'
        | 'ă'
        | 'ą'
        | 'ǎ'
        | 'ạ'
        | 'ả'
        | 'ấ'
        | 'ầ'
        | 'ẩ'
        | 'ẫ'
        | 'ậ'
        | 'ắ'
        | 'ằ'
        | 'ẳ'
        | 'ẵ'
        | 'ặ' => "a",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ð' | 'ď' | 'đ' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' | 'ẹ' | 'ẻ' | 'ẽ' | 'ế' | 'ề' | 'ể' | 'ễ' | 'ệ' => {
            "e"
        }
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' | 'ỉ' | 'ị' => "i",
        'ĵ' => "j",
        'ķ' | 'ĸ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' | 'ŉ' | 'ŋ' => "n",
        'ò'..='õ'
        | 'ø'
        | 'ō'
        | 'ŏ'
        | 'ő'
        | 'ơ'
        | 'ọ'
        | 'ỏ'
        | 'ố'
        | 'ồ'
        | 'ổ'
        | 'ỗ'
        | 'ộ'
        | 'ớ'
        | 'ờ'
        | 'ở'
        | 'ỡ'
        | 'ợ' => "o",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'ù'..='û'
        | 'ũ'
        | 'ū'
        | 'ŭ'
        | 'ů'
        | 'ű'
        | 'ų'
        | 'ư'
        | 'ụ'
        | 'ủ'
        | 'ứ'
        | 'ừ'
        | 'ử'
        | 'ữ'
        | 'ự' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' | 'ỳ' | 'ỵ' | 'ỷ' | 'ỹ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return Fold::Gap,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_become_addresses_that_people_can_type() {
        for (name, slug) in [
            ("Käse & Brot", "kaese-brot"),
            ("Größe: Übermaß", "groesse-uebermass"),
            ("Crème brûlée à la carte", "creme-brulee-a-la-carte"),
            ("Cre\u{300}me", "creme"),
            ("Don't panic! — 2nd edition", "dont-panic-2nd-edition"),
            ("  --Łódź__Smørrebrød.. ", "lodz-smorrebrod"),
            ("ÇAĞRI İSTANBUL", "cagri-istanbul"),
            ("Phở bò", "pho-bo"),
            ("日本酒", ""),
            ("日本酒 Box 2", "box-2"),
            ("<script>alert(1)</script>", "script-alert-1-script"),
            ("", ""),
        ] {
            assert_eq!(slugify(name), slug, "{name}");
        }
    }

    #[test]
    fn a_long_name_is_cut_at_the_end_of_a_word() {
        let slug = slugify(&"keyboard ".repeat(30));
        assert!(slug.len() <= MAX_SLUG && slug.ends_with("keyboard"));
        assert_eq!(slugify(&"k".repeat(200)).len(), MAX_SLUG);
    }

    #[test]
    fn only_lower_case_words_joined_by_one_hyphen_are_slugs() {
        for good in ["a", "kaese-brot", "42", "a-1-b"] {
            assert!(is_valid_slug(good), "{good}");
        }
        for bad in [
            "", "-", "a-", "-a", "a--b", "A", "käse", "a b", "a/b", "a_b", "a.b",
        ] {
            assert!(!is_valid_slug(bad), "{bad}");
        }
        assert!(!is_valid_slug(&"a".repeat(MAX_SLUG + 1)));
    }

    proptest! {
        #[test]
        fn every_slug_made_is_a_slug_and_stays_itself(text in "\\PC*") {
            let slug = slugify(&text);
            prop_assert!(slug.is_empty() || is_valid_slug(&slug), "{}", slug);
            prop_assert_eq!(slugify(&slug), slug);
        }
    }
}
