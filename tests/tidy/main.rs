//! Style as a test: what a reviewer would otherwise have to say again and again. Each finding names file and line, and
//! what to do instead. Text is looked at line by line, which is close enough and quick.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// One file, read.
struct Source {
    /// From the root of the project, with `/`.
    path: String,
    text: String,
}

impl Source {
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .split('\n')
            .enumerate()
            .map(|(i, line)| (i + 1, line))
    }

    /// The lines of code: without comments, and without the tests at the file's end.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = if is_test_file(&self.path) {
            0
        } else {
            let lines: Vec<&str> = self.text.split('\n').collect();
            lines
                .windows(2)
                .position(|w| {
                    w[0] == "#[cfg(test)]" && w[1].starts_with("mod ") && w[1].ends_with('{')
                })
                .unwrap_or(lines.len())
        };
        self.lines()
            .take(end)
            .map(|(n, line)| (n, without_comment(line)))
    }

    fn is_in(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }
}

/// What is wrong, gathered, so that one run tells everything.
#[derive(Default)]
struct Findings(String);

impl Findings {
    fn add(&mut self, source: &Source, line: usize, what: &str) {
        let _ = writeln!(self.0, "{}:{line}: {what}", source.path);
    }

    fn must_be_none(self) {
        assert!(self.0.is_empty(), "\n{}", self.0);
    }
}

fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.ends_with("_tests.rs")
}

/// The line without `// ...`. An address inside a string (`http://`) is no comment.
fn without_comment(line: &str) -> &str {
    let mut from = 0;
    while let Some(found) = line[from..].find("//") {
        let at = from + found;
        if !line[..at].ends_with(':') && line[..at].matches('"').count().is_multiple_of(2) {
            return &line[..at];
        }
        from = at + 2;
    }
    line
}

fn read_all(folder: &str, endings: &[&str]) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path: PathBuf = entry.expect("a folder can be listed").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path
                .strip_prefix(root)
                .expect("it lies in the project")
                .display()
                .to_string();
            if endings.iter().any(|ending| name.ends_with(ending)) {
                let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
                found.push(Source {
                    path: name.replace('\\', "/"),
                    text,
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn rust() -> Vec<Source> {
    let sources = read_all("src", &[".rs"]);
    assert!(
        sources.len() > 5,
        "the sources are where this test looks for them"
    );
    sources
}

fn templates() -> Vec<Source> {
    read_all("templates", &[".html", ".txt"])
}

/// All modules at the root of the crate that `text` names: `crate::store`, `crate::{domain, store::Conn}`.
fn named_modules(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let word = |text: &str| -> String {
        text.trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let Some(list) = rest.strip_prefix('{') else {
            found.push((at, word(rest)));
            continue;
        };
        // The names at the first depth of the braces.
        let (mut depth, mut start) = (0, 0);
        for (i, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    found.push((at, word(&list[start..i])));
                    start = i + 1;
                    if c == '}' {
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    found.retain(|(_, name)| !name.is_empty());
    found
}

/// Who may import whom. `sandbox` sees the ports alone, as a stranger would.
const MAY_IMPORT: [(&str, &[&str]); 8] = [
    ("domain", &["domain"]),
    ("store", &["domain", "store"]),
    ("workflows", &["domain", "store", "workflows"]),
    ("sandbox", &["sandbox", "workflows"]),
    ("web", &["domain", "store", "workflows", "web"]),
    ("jobs", &["domain", "store", "workflows", "jobs"]),
    ("stripe", &["domain", "store", "workflows", "stripe"]),
    ("mail", &["domain", "store", "workflows", "mail"]),
];

#[test]
fn imports_point_inwards() {
    let mut findings = Findings::default();
    for source in rust() {
        let inner = &source.path["src/".len()..];
        let module = inner
            .split('/')
            .next()
            .unwrap_or(inner)
            .trim_end_matches(".rs");
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == module) else {
            continue;
        };
        // Tests at a file's end may stand on outer layers.
        let code: String = source.code().fold(String::new(), |mut text, (_, line)| {
            text.push_str(line);
            text.push('\n');
            text
        });
        for (at, name) in named_modules(&code) {
            let line = code[..at].matches('\n').count() + 1;
            let whole = code[at..].lines().next().unwrap_or_default();
            // Macros and crate-wide values at the root are named like anything else; only modules have directions.
            let is_module = MAY_IMPORT.iter().any(|(module, _)| *module == name)
                || ["app", "cli", "config"].contains(&name.as_str());
            if is_module && !allowed.contains(&name.as_str()) {
                findings.add(
                    &source,
                    line,
                    &format!(
                        "{module} must not know {name}: it may import {}; hand it in through a port or from app.rs",
                        allowed.join(", ")
                    ),
                );
            } else if module == "sandbox"
                && name == "workflows"
                && !whole.starts_with("crate::workflows::ports")
            {
                findings.add(
                    &source,
                    line,
                    "sandbox may import crate::workflows::ports only: it is a stranger",
                );
            }
        }
    }
    findings.must_be_none();
}

#[test]
fn the_domain_touches_no_database_web_or_machine() {
    let mut findings = Findings::default();
    for source in rust().iter().filter(|s| s.is_in("src/domain/")) {
        for (n, line) in source.code() {
            for outside in [
                "diesel::",
                "actix_web::",
                "tokio::",
                "reqwest::",
                "lettre::",
                "stripe",
                "std::fs",
                "std::net",
                "std::env",
            ] {
                let used = line.trim_start().starts_with("use ") || line.contains("::");
                if used && line.contains(outside) {
                    let outside = outside.trim_end_matches("::");
                    findings.add(
                        source,
                        n,
                        &format!("the domain is pure: {outside} belongs into an adapter"),
                    );
                }
            }
        }
    }
    findings.must_be_none();
}

#[test]
fn files_stay_short_enough_to_read() {
    let mut findings = Findings::default();
    let tests = read_all("tests", &[".rs"]);
    for source in rust().iter().chain(&tests) {
        let in_tests = source.is_in("tests/") || is_test_file(&source.path);
        let (limit, lines) = (
            if in_tests { 800 } else { 600 },
            source.text.lines().count(),
        );
        if lines > limit {
            let what = format!(
                "{lines} lines, more than {limit}: split it by what it does (about 500 reads well)"
            );
            findings.add(source, lines, &what);
        }
    }
    findings.must_be_none();
}

#[test]
fn nothing_is_left_half_done() {
    let mut findings = Findings::default();
    let this = "tests/tidy.rs";
    let tests = read_all("tests", &[".rs"]);
    for source in rust().iter().chain(tests.iter().filter(|s| s.path != this)) {
        for (n, line) in source.lines() {
            for word in ["todo!", "unimplemented!", "dbg!"] {
                if without_comment(line).contains(&format!("{word}(")) {
                    findings.add(
                        source,
                        n,
                        &format!("{word} is not for keeping: write the code, or return an error"),
                    );
                }
            }
        }
    }
    let everything = [
        templates(),
        read_all("migrations", &[".sql"]),
        read_all("static", &[".css", ".js"]),
    ]
    .concat_all();
    for source in rust()
        .iter()
        .chain(&everything)
        .chain(tests.iter().filter(|s| s.path != this))
    {
        for (n, line) in source.lines() {
            for mark in ["TODO", "FIXME", "XXX"] {
                let alone = line
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .any(|word| word == mark);
                if alone {
                    findings.add(source, n, &format!("{mark}: do it, or open an issue"));
                }
            }
        }
    }
    findings.must_be_none();
}

#[test]
fn nothing_that_input_can_cause_panics() {
    let mut findings = Findings::default();
    for source in &rust() {
        for (n, line) in source.code() {
            if line.contains(".unwrap()") {
                findings.add(source, n, "no .unwrap() outside tests: return an error, or say why it cannot be with .expect()");
            }
        }
    }
    findings.must_be_none();
}

#[test]
fn there_is_one_clock() {
    let mut findings = Findings::default();
    for source in rust()
        .iter()
        .filter(|s| s.path != "src/workflows/ports.rs" && !s.is_in("src/sandbox"))
    {
        for (n, line) in source.code() {
            for read in ["SystemTime::now", "Utc::now", "Local::now"] {
                if line.contains(read) {
                    findings.add(
                        source,
                        n,
                        &format!(
                            "no {read} here: take the time from the Clock port, as an argument"
                        ),
                    );
                }
            }
        }
    }
    findings.must_be_none();
}

#[test]
fn tests_do_not_sleep() {
    let mut findings = Findings::default();
    let tests = read_all("tests", &[".rs"]);
    // The support may: it waits for other programs, within a bound.
    for source in tests
        .iter()
        .filter(|s| s.path != "tests/tidy.rs" && !s.is_in("tests/it/support/"))
    {
        for (n, line) in source.lines() {
            if without_comment(line).contains("sleep(") {
                findings.add(
                    source,
                    n,
                    "tests do not sleep: wait for what must happen, or move the clock",
                );
            }
        }
    }
    findings.must_be_none();
}

#[test]
fn templates_obey_the_content_security_policy() {
    let mut findings = Findings::default();
    // Mail programs read inline styles only.
    for source in templates().iter().filter(|s| !s.is_in("templates/email/")) {
        let text = source.text.to_lowercase();
        for (n, line) in source.lines() {
            let line = line.to_lowercase();
            if line.contains(" style=") || line.contains("<style") {
                findings.add(
                    source,
                    n,
                    "no inline style: give it a class in static/muster.css",
                );
            }
            let handler = [
                "onclick=",
                "onchange=",
                "onsubmit=",
                "onload=",
                "oninput=",
                "onerror=",
            ];
            if handler.iter().any(|h| line.contains(&format!(" {h}")))
                || line.contains("javascript:")
            {
                findings.add(
                    source,
                    n,
                    "no inline script: put it into a file under static/",
                );
            }
        }
        for (at, _) in text.match_indices("<script") {
            let Some((tag, rest)) = text[at..].split_once('>') else {
                continue;
            };
            let content = rest
                .split_once("</script")
                .map_or("", |(content, _)| content);
            let line = text[..at].matches('\n').count() + 1;
            if !content.trim().is_empty() || !tag.contains("src=") {
                findings.add(
                    source,
                    line,
                    "no inline script: put it into a file under static/ and name it by src",
                );
            }
        }
    }
    findings.must_be_none();
}

#[test]
fn pages_load_nothing_from_other_hosts() {
    let mut findings = Findings::default();
    let sheets = read_all("static", &[".css", ".js"]);
    for source in templates().iter().chain(&sheets) {
        for (n, line) in source.lines() {
            let addresses = line
                .match_indices("http://")
                .chain(line.match_indices("https://"));
            for (at, scheme) in addresses {
                let host = &line[at + scheme.len()..];
                // A name space is an identifier; an address with a value in it is the server's own.
                if !host.starts_with("www.w3.org/") && !host.starts_with("{{") {
                    findings.add(source, n, "no address of another host: serve it from static/, or build it from the public URL");
                }
            }
            if ["src=\"//", "href=\"//", "url(//"]
                .iter()
                .any(|other| line.contains(other))
            {
                findings.add(
                    source,
                    n,
                    "no address of another host: serve it from static/",
                );
            }
        }
    }
    findings.must_be_none();
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |database: &str| -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("migrations")
            .join(database);
        let mut names: Vec<String> = fs::read_dir(&folder)
            .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
            .map(|entry| {
                entry
                    .expect("a folder can be listed")
                    .file_name()
                    .display()
                    .to_string()
            })
            .collect();
        names.sort();
        names
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    assert!(!sqlite.is_empty(), "migrations/sqlite holds the tables");
    assert_eq!(
        sqlite, postgres,
        "migrations/sqlite and migrations/postgres must have the same names: write the missing one"
    );
}

#[test]
fn lines_end_without_blanks() {
    let mut findings = Findings::default();
    let kept = [
        rust(),
        read_all("tests", &[".rs"]),
        templates(),
        read_all("migrations", &[".sql"]),
        read_all("static", &[".css", ".js"]),
    ]
    .concat_all();
    for source in &kept {
        for (n, line) in source.lines() {
            if line.ends_with([' ', '\t', '\r']) {
                findings.add(source, n, "blanks at the line's end: take them away");
            }
        }
        if !source.text.is_empty() && !source.text.ends_with('\n') {
            findings.add(
                source,
                source.text.lines().count(),
                "the last line wants its end: add a line break",
            );
        }
    }
    findings.must_be_none();
}

#[test]
fn public_items_of_the_domain_say_what_they_are() {
    let mut findings = Findings::default();
    let item = |line: &str| {
        [
            "fn", "const fn", "struct", "enum", "trait", "const", "static", "type", "mod",
        ]
        .iter()
        .any(|kind| line.starts_with(&format!("pub {kind} ")))
    };
    for source in rust().iter().filter(|s| s.is_in("src/domain/")) {
        let lines: Vec<&str> = source.text.split('\n').collect();
        for (n, line) in source.code() {
            let line = line.trim();
            if !item(line) || line.contains('$') {
                continue;
            }
            // What serde calls in a `with` module needs no words.
            if line.starts_with("pub fn serialize<") || line.starts_with("pub fn deserialize<") {
                continue;
            }
            // A module says it in its own first line.
            if line.starts_with("pub mod ") && line.ends_with(';') {
                continue;
            }
            // Above it, past its attributes.
            let above = lines[..n - 1]
                .iter()
                .rev()
                .map(|line| line.trim())
                .find(|line| !(line.starts_with("#[") || line.ends_with(")]") || line.is_empty()));
            if !above.is_some_and(|line| line.starts_with("///") || line.ends_with("*/")) {
                findings.add(source, n, "a public item of the domain needs a doc comment: what it is, units, errors, the rule's source");
            }
        }
    }
    findings.must_be_none();
}

#[test]
fn every_module_says_what_it_is_for() {
    let mut findings = Findings::default();
    for source in rust()
        .iter()
        .filter(|s| s.path != "src/main.rs" && !is_test_file(&s.path))
    {
        if !source.text.starts_with("//!") {
            findings.add(source, 1, "begin the file with //! and what it is for");
        }
    }
    findings.must_be_none();
}

/// Several lists of files as one.
trait ConcatAll {
    fn concat_all(self) -> Vec<Source>;
}

impl<const N: usize> ConcatAll for [Vec<Source>; N] {
    fn concat_all(self) -> Vec<Source> {
        self.into_iter().flatten().collect()
    }
}

#[test]
fn this_test_reads_imports_and_comments_right() {
    let names = |code| {
        named_modules(code)
            .into_iter()
            .map(|(_, name)| name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names("use crate::store::{Conn, orders};"), ["store"]);
    assert_eq!(
        names("use crate::{domain::{money, ids::OrderId}, web};"),
        ["domain", "web"]
    );
    assert_eq!(
        names("use crate::{\n    domain,\n    store::Conn,\n};"),
        ["domain", "store"]
    );
    assert_eq!(
        names("let x = crate::app::run($crate::jobs::X)"),
        ["app", "jobs"]
    );
    assert_eq!(without_comment("let a = 1; // crate::web"), "let a = 1; ");
    assert_eq!(
        without_comment("let a = \"http://x\"; // b"),
        "let a = \"http://x\"; "
    );
    assert_eq!(without_comment("/// crate::web"), "");
}
