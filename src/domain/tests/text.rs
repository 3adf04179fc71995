use super::*;
use proptest::prelude::*;

#[test]
fn a_description_is_formatted_as_its_author_meant() {
    let html = markdown_to_html(
        "# Kit\n\nA *fine* **kit**.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
    );
    for part in [
        "<h2>Kit</h2>",
        "<em>fine</em>",
        "<strong>kit</strong>",
        "<li>one</li>",
        "<td>1</td>",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
}

#[test]
fn html_in_a_description_is_shown_not_obeyed() {
    let html = markdown_to_html("Hi <b onclick=x()>you</b>\n\n<script>alert(1)</script>\n");
    assert!(!html.contains("<b") && !html.contains("<script"), "{html}");
    assert!(html.contains("&lt;script&gt;"), "{html}");
}

#[test]
fn a_link_gives_no_credit_and_runs_no_script() {
    let html = markdown_to_html("[a](https://example.com/x) [b](javascript:alert(1)) [c](/c/kit)");
    assert!(
        html.contains(r#"<a href="https://example.com/x" rel="nofollow noopener">a</a>"#),
        "{html}"
    );
    assert!(!html.contains("javascript"), "{html}");
    assert!(html.contains(r#"href="/c/kit""#), "{html}");
}

#[test]
fn pictures_come_from_this_server_only() {
    let html = markdown_to_html(
        "![ours](/pictures/1.webp) ![theirs](https://evil.example/1.gif) ![hidden](//evil.example/2.gif) \
         ![odd](/\\evil.example/3.gif) ![data](data:image/png;base64,AAAA)",
    );
    assert!(
        html.contains(r#"<img src="/pictures/1.webp" alt="ours">"#),
        "{html}"
    );
    assert_eq!(html.matches("<img").count(), 1, "{html}");
    assert!(!html.contains("evil") && html.contains("theirs"), "{html}");
}

#[test]
fn deep_nesting_does_not_bring_the_server_down() {
    for piece in [">", "- ", "*a ", "[", "![", "`", "<div>"] {
        let html = markdown_to_html(&piece.repeat(20_000 / piece.len()));
        assert!(html.matches("<blockquote").count() <= 24);
    }
}

#[test]
fn a_summary_is_one_line_of_plain_words() {
    let text = "# Title\n\nA *fine* [kit](https://x.example), and `more`.\n\n- one\n- two";
    assert_eq!(
        markdown_summary(text, 200),
        "Title A fine kit, and more. one two"
    );
    assert_eq!(markdown_summary(text, 12), "Title A\u{2026}");
    assert_eq!(markdown_summary("", 10), "");
    assert_eq!(markdown_summary("äöüäöüäöüäöü", 5), "äöüä\u{2026}");
}

#[test]
fn an_address_is_trimmed_and_lower_cased_and_nothing_else() {
    assert_eq!(
        normalize_email("  Anna.Smith+Kit@Example.COM "),
        Ok("anna.smith+kit@example.com".into())
    );
    assert_eq!(
        normalize_email("o'neil@mail.example.co.uk"),
        Ok("o'neil@mail.example.co.uk".into())
    );
    assert_eq!(
        normalize_email("info@müller.example"),
        Ok("info@müller.example".into())
    );
}

#[test]
fn an_address_that_no_mail_reaches_is_refused_with_advice() {
    let long = format!("{}@example.com", "a".repeat(65));
    let longer = format!("a@{}.com", "b.".repeat(130));
    for wrong in [
        "",
        "  ",
        "anna",
        "anna@",
        "@example.com",
        "anna@localhost",
        "a@b@example.com",
        "a b@example.com",
        "anna@example..com",
        ".anna@example.com",
        "anna.@example.com",
        "a..b@example.com",
        "anna@-x.com",
        "anna@example.c",
        "anna@127.0.0.1",
        "anna@[127.0.0.1]",
        "anna@example.com\nBcc: x@y.zz",
        "\"a\"@example.com",
        "ännа@example.com",
        "anna@exa_mple.com",
        "anna@example.com,x@y.zz",
        long.as_str(),
        longer.as_str(),
    ] {
        assert!(normalize_email(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_line_is_trimmed_and_holds_nothing_invisible() {
    assert_eq!(clean_line("  Łódź 12 ", 20), Ok("Łódź 12".into()));
    assert_eq!(clean_line("äöü", 3), Ok("äöü".into()));
    assert!(clean_line("äöüx", 3).unwrap_err().contains("at most 3"));
    for wrong in [
        "",
        " \u{a0} ",
        "a\nb",
        "a\tb",
        "a\0b",
        "a\u{202e}b",
        "a\u{2028}b",
        "a\u{7f}b",
    ] {
        assert!(clean_line(wrong, 20).is_err(), "{wrong:?}");
    }
}

#[test]
fn an_optional_line_may_be_missing_or_blank() {
    assert_eq!(optional_line(None, 5), Ok(None));
    assert_eq!(optional_line(Some("  "), 5), Ok(None));
    assert_eq!(optional_line(Some(" x "), 5), Ok(Some("x".into())));
    assert!(optional_line(Some("abcdef"), 5).is_err());
}

#[test]
fn a_text_keeps_its_lines_and_tabs_and_loses_odd_line_ends() {
    assert_eq!(clean_text("a\r\nb\rc\td \n\n", 20), Ok("a\nb\nc\td".into()));
    assert_eq!(clean_text("", 20), Ok(String::new()));
    assert!(clean_text("a\0b", 20).is_err());
    assert!(clean_text("abc", 2).is_err());
}

proptest! {
    #[test]
    fn no_text_gets_an_active_element_or_foreign_picture_onto_a_page(text in "\\PC*|[\\[\\]()!<>/a-z:\"'=\\\\ \n]{0,80}") {
        let html = markdown_to_html(&text).to_lowercase();
        for wrong in ["<script", "<iframe", "<style", "href=\"javascript:", "src=\"http", "src=\"//", "<form"] {
            prop_assert!(!html.contains(wrong), "{}", html);
        }
    }

    #[test]
    fn a_summary_is_never_longer_than_asked(text in "\\PC*", max in 1usize..50) {
        prop_assert!(markdown_summary(&text, max).chars().count() <= max);
    }

    #[test]
    fn a_normalised_address_stays_itself(text in "[a-zA-Z0-9.+@ -]{0,40}|\\PC*") {
        if let Ok(email) = normalize_email(&text) {
            prop_assert_eq!(normalize_email(&email), Ok(email.clone()));
        }
    }
}
