//! What browsers are given: nothing inline, and nothing from elsewhere.

use super::read::{Findings, read_all, templates};

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
