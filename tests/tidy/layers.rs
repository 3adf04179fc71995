//! Who knows whom: imports point inwards, and the domain is pure.

use super::read::{Findings, rust, without_comment};

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
