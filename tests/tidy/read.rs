//! The files of the project, read, and what is found wrong with them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// One file, read.
pub struct Source {
    /// From the root of the project, with `/`.
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .split('\n')
            .enumerate()
            .map(|(i, line)| (i + 1, line))
    }

    /// The lines of code: without comments, and without the tests at the file's end.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
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

    pub fn is_in(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }
}

/// What is wrong, gathered, so that one run tells everything.
#[derive(Default)]
pub struct Findings(String);

impl Findings {
    pub fn add(&mut self, source: &Source, line: usize, what: &str) {
        let _ = writeln!(self.0, "{}:{line}: {what}", source.path);
    }

    pub fn must_be_none(self) {
        assert!(self.0.is_empty(), "\n{}", self.0);
    }
}

pub fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.ends_with("_tests.rs")
}

/// The line without `// ...`. An address inside a string (`http://`) is no comment.
pub fn without_comment(line: &str) -> &str {
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

pub fn read_all(folder: &str, endings: &[&str]) -> Vec<Source> {
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

pub fn rust() -> Vec<Source> {
    let sources = read_all("src", &[".rs"]);
    assert!(
        sources.len() > 5,
        "the sources are where this test looks for them"
    );
    sources
}

pub fn templates() -> Vec<Source> {
    read_all("templates", &[".html", ".txt"])
}

/// Several lists of files as one.
pub trait ConcatAll {
    fn concat_all(self) -> Vec<Source>;
}

impl<const N: usize> ConcatAll for [Vec<Source>; N] {
    fn concat_all(self) -> Vec<Source> {
        self.into_iter().flatten().collect()
    }
}
