//! Every page, drawn from an example each: what it must say, and what it must never do.
//!
//! `MUSTER_GALLERY=/some/folder cargo test --lib web::view::gallery` also writes them there, to be looked at.

#[path = "gallery/delays.rs"]
mod delays;
#[path = "gallery/pages.rs"]
mod pages;
#[path = "gallery/samples.rs"]
mod samples;

use askama::Template;

use super::*;
use crate::web::assets::asset;
use pages::all;
use samples::*;

fn has(html: &str, sentence: &str) {
    assert!(html.contains(sentence), "not said: {sentence}\n{html}");
}

fn lacks(html: &str, sentence: &str) {
    assert!(
        !html.contains(sentence),
        "said, but must not be: {sentence}"
    );
}

/// Values of an attribute, in order.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    let pieces = html.split(start.as_str()).skip(1);
    pieces.filter_map(|p| p.split('"').next()).collect()
}

#[test]
fn every_page_is_complete_and_carries_nothing_inline() {
    for (name, html) in all() {
        lacks(&html, " style=");
        lacks(&html, "<style");
        lacks(&html, " onclick=");
        assert_eq!(
            html.matches("<script").count(),
            1,
            "{name}: one script, from a file"
        );
        assert_eq!(html.matches("<h1").count(), 1, "{name}: one first heading");
        has(&html, "<html lang=\"en\"");
        has(&html, "<main id=\"main\"");
        lacks(&html, "/static/missing");
        assert!(html.len() < 64 * 1024, "{name}: {} bytes", html.len());
    }
}

#[test]
fn ids_are_unique_and_whatever_points_to_one_finds_it() {
    for (name, html) in all() {
        let ids = values(&html, "id");
        let mut once = ids.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), ids.len(), "{name}: {ids:?}");
        let mut wanted: Vec<&str> = Vec::new();
        for attribute in ["aria-labelledby", "aria-describedby", "for"] {
            let lists = values(&html, attribute).into_iter();
            wanted.extend(lists.flat_map(str::split_whitespace));
        }
        wanted.extend(
            values(&html, "href")
                .iter()
                .filter_map(|h| h.strip_prefix('#')),
        );
        for id in wanted.iter().filter(|id| !id.is_empty()) {
            assert!(ids.contains(id), "{name}: nothing has the id {id}");
        }
        for id in ids.iter().filter(|id| id.starts_with("i-")) {
            let used = format!("href=\"#{id}\"");
            assert!(html.contains(&used), "{name}: {id} is inlined and not used");
        }
        assert_eq!(
            html.contains("url(#u-"),
            html.contains("id=\"u-on\""),
            "{name}: dots"
        );
    }
}

#[test]
fn what_people_typed_never_becomes_markup() {
    let nasty = "<script>alert(1)</script>\"'&";
    let mut page = campaign();
    page.title = nasty.to_owned();
    page.seller.name = nasty.to_owned();
    page.seller.imprint = vec![nasty.to_owned()];
    page.pictures[0].alt = nasty.to_owned();
    page.options[0].name = nasty.to_owned();
    page.steps.option = Some(nasty.to_owned());
    let mut input = typed();
    input.name = nasty.to_owned();
    input.quantities[0].1 = nasty.to_owned();
    let mut problems = Problems::default();
    problems.add("name", format!("{nasty} is no name."));
    page.form = Some(JoinForm::new(offer(), &input, &problems));
    page.problems = problems;
    let html = page.to_string();
    lacks(&html, "<script>");
    lacks(&html, "\"'&\"");
    has(&html, "&#60;script&#62;alert(1)&#60;/script&#62;");
    let mut order = order();
    order.address = vec![nasty.to_owned()];
    order.timeline.items[0].title = nasty.to_owned();
    lacks(&order.to_string(), "<script>");
    let live = live(nasty).fragments();
    assert!(live.values().all(|v| !v.to_string().contains("<script>")));
}

#[test]
fn the_campaign_says_what_happens_to_the_money_and_when() {
    let html = campaign().to_string();
    has(&html, "12 more and everybody pays $80.00.");
    has(&html, "You join at $90.00 and never pay more than that");
    has(&html, "10 days 6 hours left");
    has(&html, "Sunday 31 May 2026, 20:00, Lisbon time");
    has(&html, "datetime=\"2026-05-31T19:00:00Z\"");
    has(&html, "the difference goes back in one refund");
    has(
        &html,
        "Under 50 units everybody gets everything back, by itself.",
    );
    has(&html, "By 1 September 2026: shipped");
    has(&html, "50 needed, 88 ordered");
    has(&html, "name=\"qty_full-chalk\"");
    has(&html, "sold out");
    lacks(&html, "name=\"form_key\"");
    lacks(&html, "confirmed_total");
}

#[test]
fn a_wrong_form_names_each_error_at_its_field_and_keeps_what_was_typed() {
    let html = campaign_with_errors().to_string();
    has(&html, "<title>3 things to correct: Ridge pour-over set");
    has(&html, "<a href=\"#email\">The part after @ is missing");
    has(
        &html,
        "aria-invalid=\"true\" aria-describedby=\"email-e email-h\"",
    );
    has(&html, "value=\"ana.sousa@\"");
    has(&html, "<option value=\"PT\" selected>Portugal</option>");
    has(
        &html,
        "name=\"qty_full-chalk\" type=\"number\" inputmode=\"numeric\" min=\"0\" max=\"3\" value=\"7\"",
    );
    has(&html, "id=\"terms-e\"");
}

#[test]
fn before_paying_stand_seller_address_total_terms_and_a_button_that_says_that_it_pays() {
    let html = review().to_string();
    has(&html, "Order with obligation to pay $96.50");
    has(&html, "Fern &#38; Kiln Lda");
    has(&html, "terms, version 3");
    has(&html, "name=\"confirmed_total\" value=\"9650\"");
    has(&html, "name=\"form_key\" value=\"k-1\"");
    has(&html, "name=\"qty_full-chalk\" value=\"1\"");
    has(&html, "name=\"email\" value=\"ana.sousa@mail.example\"");
    let mut risen = review();
    risen.changed = Some("$92.00".to_owned());
    has(&risen.to_string(), "It was $92.00 when you last saw it");
}

#[test]
fn a_saved_card_and_a_deposit_say_what_is_paid_when() {
    let html = campaign_saved().to_string();
    has(&html, "your card is saved, nothing is charged");
    has(&html, "12 units wait for the price from 100.");
    has(
        &html,
        "Under 50 units nothing is charged, and no card is kept.",
    );
    has(
        &html,
        "name=\"limit_step\" id=\"limit-0\" value=\"0\" checked",
    );
    has(
        &campaign_batches().to_string(),
        "Batch 1 of 104 units is ordered.",
    );
    has(
        &campaign_short().to_string(),
        "the seller may buy what is missing",
    );
    has(
        &campaign_deposit().to_string(),
        "You are told 3 days ahead.",
    );
    let html = review_saved().to_string();
    has(&html, "Order with obligation to pay $96.50</button>");
    has(&html, "at most $96.50, after 31 May 2026");
    let html = review_deposit().to_string();
    has(
        &html,
        "Order with obligation to pay $96.50, $19.30 now</button>",
    );
    has(&html, "the seller keeps the deposit");
    has(&thanks_saved().to_string(), "Nothing was charged.");
    has(&order_declined().to_string(), "Pay $86.50 now");
}

#[test]
fn a_failed_campaign_says_why_and_what_became_of_the_money() {
    let html = campaign_failed().to_string();
    has(&html, "22 of 60 needed were paid for when it closed.");
    has(&html, "All 22 orders are refunded in full: $1,980.00.");
    lacks(&html, "id=\"join\"");
    let mut ending = ending();
    ending.refunded_orders = 20;
    has(&ending.money(), "20 of 22 are done, 2 on their way");
}

#[test]
fn a_moved_date_stands_beside_the_promised_one_and_the_policy_before_joining() {
    let html = campaign_late().to_string();
    has(&html, "Promised 1 September 2026, now 19 September 2026");
    has(&html, "18 days later than promised");
    has(
        &campaign().to_string(),
        "a delay of at most 30 days counts as agreed",
    );
    let mut strict = campaign();
    strict.money.policy = crate::domain::draft::DelayPolicy::AskAlways;
    has(&strict.to_string(), "silence never counts as agreed");
    let mut unknown = campaign_ordered();
    unknown.money.ships_now = ShipsNow::NotKnown;
    has(
        &unknown.to_string(),
        "Promised 1 September 2026, now not known",
    );
    unknown.money.ships_now = ShipsNow::Never;
    has(&unknown.to_string(), "what is left will not be shipped");
}

#[test]
fn other_states_have_no_form_and_tell_what_comes() {
    let html = campaign_scheduled().to_string();
    has(&html, "It starts at $100.00.");
    has(&html, "Opens in 3 days");
    lacks(&html, "id=\"join\"");
    let html = campaign_ordered().to_string();
    has(&html, "Everybody pays $80.00.");
    has(&html, "The supplier&#39;s order is placed");
    has(
        &campaign_collecting().to_string(),
        "The paid orders are being counted",
    );
}

#[test]
fn the_order_shows_each_charge_and_refund_and_what_waits_for_the_shopper() {
    let html = order().to_string();
    has(&html, "\u{2212}$10.00");
    has(&html, "Cancel this order");
    has(&html, "noindex");
    let html = order_with_trouble().to_string();
    has(&html, "Pay $96.50");
    has(&html, "A mail to you did not arrive");
    has(&html, "Your refund needs another way");
    has(&cancel().to_string(), "Cancel and refund $96.50");
    let mut nothing_paid = cancel();
    nothing_paid.amount = None;
    has(&nothing_paid.to_string(), "Nothing was charged");
}

#[test]
fn the_queue_tells_the_place_and_asks_again_by_itself() {
    let html = queue().to_string();
    has(&html, "<meta http-equiv=\"refresh\" content=\"3\">");
    has(&html, "214 orders are before yours.");
    has(&html, "You will pay $96.50.");
    assert_eq!(QueuePage::place_words(0), "It is your turn now.");
}

#[test]
fn thanks_are_only_said_once_the_provider_confirmed() {
    has(&thanks(true).to_string(), "You are in");
    let waiting = thanks(false).to_string();
    lacks(&waiting, "You are in");
    has(&waiting, "Your payment is being confirmed");
}

#[test]
fn a_new_server_says_what_would_stand_there() {
    has(
        &home_empty().to_string(),
        "No campaign has been published here yet.",
    );
    let html = home().to_string();
    has(&html, "Missed, all 22 orders refunded");
    has(&html, "<option value=\"nearest\" selected>");
}

#[test]
fn every_error_page_says_what_to_do() {
    for status in [400, 403, 404, 405, 409, 410, 413, 422, 429, 500, 503] {
        let page = RefusalPage::new(shell("/c/ridge"), status);
        assert!(page.text.len() > 40 && !page.ways.is_empty());
        has(&page.to_string(), &format!("Error {status}"));
    }
}

#[test]
fn the_supplier_acknowledges_once() {
    let html = supplier(SupplierState::Sent).to_string();
    has(&html, "Fern &#38; Kiln orders 126 units");
    has(&html, "We have the order");
    let done = supplier(acknowledged()).to_string();
    has(&done, "You acknowledged it");
    lacks(&done, "We have the order");
    has(&done, "We have begun");
    has(&print().to_string(), "PO-0031");
}

#[test]
fn a_supplier_finds_no_form_on_what_does_not_stand_any_more() {
    for state in [
        rejected(),
        replaced(true),
        replaced(false),
        SupplierState::Cancelled,
        SupplierState::Received,
        SupplierState::Closed,
    ] {
        lacks(&supplier(state).to_string(), "action=\"/s/abc");
    }
    has(&supplier(replaced(true)).to_string(), "href=\"/s/def\"");
    has(
        &supplier(in_transit()).to_string(),
        "Save carrier and number",
    );
    let mut wrong = Problems::default();
    wrong.add("reason", "Write why.");
    has(&reject(wrong).to_string(), "href=\"#reason\"");
}

#[test]
fn a_campaign_that_asks_says_that_nothing_is_charged_and_sells_nothing() {
    let page = campaign_interest().to_string();
    has(&page, "Nothing is charged");
    has(&page, "Would you buy it?");
    lacks(&page, "id=\"join\"");
    lacks(&page, "data-live=\"meter\"");
    let wrong = campaign_interest_with_errors().to_string();
    has(&wrong, "href=\"#qty_full\"");
    has(&wrong, "value=\"two\"");
}

#[test]
fn the_demand_is_drawn_with_classes_and_told_in_words() {
    let chart = demand_chart().to_string();
    has(&chart, "role=\"img\" aria-labelledby=\"d-all-t d-all-d\"");
    has(
        &chart,
        "106 units are wanted at $70.00 or less, 12 units are at $100.00.",
    );
    has(&chart, "class=\"good\"");
    has(&chart, "class=\"wait\"");
    lacks(&chart, "style=");
}

#[test]
fn the_theme_is_set_by_the_server() {
    let mut page = campaign();
    lacks(&page.to_string(), "data-theme");
    page.shell.theme = Theme::Dark;
    has(&page.to_string(), "<html lang=\"en\" data-theme=\"dark\">");
}

#[test]
fn live_fragments_are_what_the_page_itself_draws() {
    let page = campaign().to_string();
    let live = live("Full set, chalk").fragments();
    for key in [
        "state",
        "steps",
        "meter",
        "join",
        "stock-full-chalk",
        "price-full-chalk",
    ] {
        let html = live[key].as_str().unwrap_or_default();
        has(&page, &format!("data-live=\"{key}\""));
        has(&page, html);
    }
    let message =
        super::gallery::samples::live("Full set, chalk").message(at("2026-05-21T13:00:00Z"));
    has(&message, "\"@now\":\"2026-05-21T13:00:00Z\"");
    if let Ok(folder) = std::env::var("MUSTER_GALLERY") {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(format!("{folder}/live.json"), message).unwrap();
    }
}

#[test]
fn the_gallery_is_written_where_it_is_asked_for() {
    assert!(asset("live.js").starts_with("/static/live."));
    let Ok(folder) = std::env::var("MUSTER_GALLERY") else {
        return;
    };
    std::fs::create_dir_all(&folder).unwrap();
    for (name, html) in all() {
        std::fs::write(format!("{folder}/{name}.html"), html).unwrap();
    }
}

/// A page of the panel's layout, for the panel has its own views elsewhere.
#[derive(Template)]
#[template(
    ext = "html",
    source = "{% extends \"layout/panel.html\" %}{% block title %}Today{% endblock %}\
              {% block main %}<h1>Nothing waits for you</h1>{% endblock %}"
)]
struct PanelSample {
    shell: PanelShell,
}
