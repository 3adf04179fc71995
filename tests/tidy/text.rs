//! How the text reads: its length, what it must not hold, what it must say.

use std::fs;
use std::path::Path;

use super::read::{ConcatAll, Findings, is_test_file, read_all, rust, templates, without_comment};

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
    let this = "tests/tidy/text.rs";
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
fn tests_do_not_sleep() {
    let mut findings = Findings::default();
    let tests = read_all("tests", &[".rs"]);
    // The support may: it waits for other programs, within a bound.
    for source in tests
        .iter()
        .filter(|s| !s.is_in("tests/tidy/") && !s.is_in("tests/it/support/"))
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
