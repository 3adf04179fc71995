//! Text that people typed: Markdown, e-mail addresses, single lines.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// An e-mail address has at most so many characters (RFC 5321, 4.5.3.1.3, less the angle brackets).
pub const MAX_EMAIL: usize = 254;

/// Markdown as HTML that may stand on any page: no scripts, styles or forms; links say `rel="nofollow noopener"`;
/// pictures only from this server, others leave their description. HTML in the source is shown, not obeyed. Headings
/// start at level 2, because the page has its own.
pub fn markdown_to_html(markdown: &str) -> String {
    let mut unsafe_html = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut unsafe_html, events(markdown).into_iter());
    SANITIZER.clean(&unsafe_html).to_string()
}

/// The words of a Markdown text in one line, cut at a word's end to `max` characters with an ellipsis: for lists,
/// previews and the page's description.
pub fn markdown_summary(markdown: &str, max: usize) -> String {
    let mut words = String::new();
    for event in Parser::new_ext(markdown, options()) {
        match event {
            Event::Text(text) | Event::Code(text) => words.push_str(&text),
            Event::SoftBreak | Event::HardBreak | Event::Rule | Event::End(_) => words.push(' '),
            _ => {}
        }
    }
    // Inline ends put a blank before a full stop or comma; take it out again.
    let mut line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    for mark in [".", ",", ";", ":", "!", "?"] {
        line = line.replace(&format!(" {mark}"), mark);
    }
    cut(&line, max)
}

/// At most `max` characters, cut at the end of a word, with an ellipsis where something is missing.
fn cut(line: &str, max: usize) -> String {
    let Some((at, _)) = line.char_indices().nth(max) else {
        return line.to_owned();
    };
    let end = line
        .char_indices()
        .nth(max.saturating_sub(1))
        .map_or(at, |(end, _)| end);
    let kept = &line[..end];
    let kept = kept.rfind(' ').map_or(kept, |space| &kept[..space]);
    format!(
        "{}\u{2026}",
        kept.trim_end_matches([' ', ',', ';', ':', '.'])
    )
}

/// Elements nested deeper lose their mark-up and leave their words: the sanitizer's time grows with the square of the
/// depth, and 20,000 quotation marks in a row would keep it busy for seconds.
const MAX_DEPTH: usize = 24;

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH
}

/// The parsed text with HTML turned into words, foreign pictures into their descriptions, and headings lowered.
fn events(markdown: &str) -> Vec<Event<'_>> {
    let mut out = Vec::new();
    let mut foreign_pictures = Vec::new();
    let mut depth = 0usize;
    for event in Parser::new_ext(markdown, options()) {
        // An element begins one deeper than it ends, so both of its events see the same depth.
        let here = match event {
            Event::Start(_) => {
                depth += 1;
                depth
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                depth + 1
            }
            _ => 0,
        };
        if here > MAX_DEPTH {
            continue;
        }
        out.push(match event {
            Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
            Event::Start(Tag::Image { ref dest_url, .. }) => {
                let foreign = !is_own_path(dest_url);
                foreign_pictures.push(foreign);
                if foreign {
                    continue;
                }
                event
            }
            Event::End(TagEnd::Image) => {
                if foreign_pictures.pop().unwrap_or(false) {
                    continue;
                }
                event
            }
            Event::Start(Tag::Heading { level, .. }) => Event::Start(Tag::Heading {
                level: lower(level),
                id: None,
                classes: vec![],
                attrs: vec![],
            }),
            Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lower(level))),
            other => other,
        });
    }
    out
}

fn lower(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H2,
        HeadingLevel::H2 => HeadingLevel::H3,
        HeadingLevel::H3 => HeadingLevel::H4,
        HeadingLevel::H4 => HeadingLevel::H5,
        HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

/// Whether an address is a path on this server. `//host` and `/\host` are other hosts to a browser.
fn is_own_path(address: &str) -> bool {
    address.starts_with('/') && !address[1..].starts_with(['/', '\\'])
}

/// The second fence: whatever the Markdown writer lets through, only these elements and addresses stay.
static SANITIZER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder
        .tags(HashSet::from([
            "p",
            "br",
            "hr",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "strong",
            "em",
            "del",
            "code",
            "pre",
            "blockquote",
            "ul",
            "ol",
            "li",
            "a",
            "img",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
        ]))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(Some("nofollow noopener"))
        .attribute_filter(|element, attribute, value| match (element, attribute) {
            ("img", "src") if !is_own_path(value) => None,
            ("img", "src" | "alt" | "title")
            | ("a", "href" | "title" | "rel")
            | ("ol", "start")
            | ("th" | "td", "align") => Some(Cow::Borrowed(value)),
            _ => None,
        });
    builder
});

/// An e-mail address trimmed and lower-cased, which is what a shopper is for limits (domain section 1). Refused with
/// what to write instead: more than 254 characters, not exactly one `@`, a domain without a dot, characters that mail
/// servers do not take. Letters beyond ASCII may stand after the `@` only.
pub fn normalize_email(text: &str) -> Result<String, &'static str> {
    const SHAPE: &str = "write an e-mail address such as name@example.com";
    let email = text.trim().to_lowercase();
    if email.is_empty() {
        return Err("write your e-mail address");
    }
    if email.chars().count() > MAX_EMAIL || email.len() > MAX_EMAIL {
        return Err("an e-mail address has at most 254 characters");
    }
    let (local, host) = email.split_once('@').ok_or(SHAPE)?;
    if host.contains('@') {
        return Err("an e-mail address has exactly one @");
    }
    if !local.is_ascii() {
        return Err(
            "before the @ only unaccented letters, digits and .!#$%&'*+/=?^_`{|}~- can be \
             delivered to",
        );
    }
    let atom = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&b))
    };
    if local.len() > 64 || !local.split('.').all(atom) {
        return Err(SHAPE);
    }
    if is_mail_host(host) {
        Ok(email)
    } else {
        Err(SHAPE)
    }
}

/// A dotted domain name, not a bare host and not an address of numbers.
fn is_mail_host(host: &str) -> bool {
    let ascii = if host.is_ascii() {
        host.to_owned()
    } else {
        // What is invisible is mapped away by servers, and would make one mailbox look like two.
        if !host
            .chars()
            .all(|c| c.is_alphanumeric() || "-.".contains(c))
        {
            return false;
        }
        match url::Host::parse(host) {
            Ok(url::Host::Domain(domain)) => domain,
            _ => return false,
        }
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let top = ascii.rsplit('.').next().unwrap_or_default();
    ascii.len() <= 253
        && ascii.contains('.')
        && ascii.split('.').all(label)
        && top.len() >= 2
        && !top.bytes().all(|b| b.is_ascii_digit())
}

/// One line of typed text: trimmed, 1 to `max` characters, no control characters and none that turn the direction of
/// writing. The error says what to write instead.
pub fn clean_line(text: &str, max: usize) -> Result<String, String> {
    let line = text.trim();
    if line.is_empty() {
        return Err("write something here".to_owned());
    }
    let length = line.chars().count();
    if length > max {
        return Err(format!(
            "write at most {max} characters; these are {length}"
        ));
    }
    if line.chars().any(is_forbidden) {
        return Err("write one line without line breaks, tabs or control characters".to_owned());
    }
    Ok(line.to_owned())
}

/// [`clean_line`] where nothing may be written: missing and blank are `None`.
pub fn optional_line(text: Option<&str>, max: usize) -> Result<Option<String>, String> {
    match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(line) => clean_line(line, max).map(Some),
    }
}

/// Several lines of typed text: line ends as `\n`, trailing blanks gone, at most `max` characters, no control
/// characters but tabs. May be empty. The error says what to write instead.
pub fn clean_text(text: &str, max: usize) -> Result<String, String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.trim_end();
    let length = text.chars().count();
    if length > max {
        return Err(format!(
            "write at most {max} characters; these are {length}"
        ));
    }
    if text
        .chars()
        .any(|letter| !matches!(letter, '\n' | '\t') && is_forbidden(letter))
    {
        return Err("take out the control characters".to_owned());
    }
    Ok(text.to_owned())
}

/// Control characters, line and paragraph separators, overrides of the direction of writing, and the byte order mark.
fn is_forbidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
#[path = "tests/text.rs"]
mod tests;
