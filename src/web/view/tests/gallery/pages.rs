//! Name and HTML of every example.

use super::samples::*;
use super::{PanelSample, PanelShell};
use crate::web::view::*;

pub fn all() -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, html: String| out.push((name.to_owned(), html));
    put("home", home().to_string());
    put("home-empty", home_empty().to_string());
    put("campaign", campaign().to_string());
    put("campaign-errors", campaign_with_errors().to_string());
    put("campaign-scheduled", campaign_scheduled().to_string());
    put("campaign-collecting", campaign_collecting().to_string());
    put("campaign-ordered", campaign_ordered().to_string());
    put("campaign-late", campaign_late().to_string());
    put("campaign-failed", campaign_failed().to_string());
    put(
        "campaign-many-steps",
        campaign_with_many_steps().to_string(),
    );
    put("campaign-interest", campaign_interest().to_string());
    put(
        "campaign-interest-errors",
        campaign_interest_with_errors().to_string(),
    );
    put("answer", answer_asking().to_string());
    put("answer-errors", answer_with_errors().to_string());
    let stands = [
        ("opens", AnswerStand::Opens(moment("2026-05-24T08:00:00Z"))),
        ("open", AnswerStand::Open("/i/abc/join".to_owned())),
        ("asked", AnswerStand::Asked),
        ("over", AnswerStand::Over),
    ];
    for (name, stand) in stands {
        put(&format!("answer-{name}"), answer_page(stand).to_string());
    }
    for (name, sent) in [
        ("answer-sent", Sent::Answer),
        ("answer-gone", Sent::AnswerGone),
        ("vote-sent", Sent::Vote),
        ("vote-gone", Sent::VoteGone),
    ] {
        put(name, asked_sent(sent).to_string());
    }
    let none = Problems::default;
    put("idea", idea_page(IdeaStand::Open, "", none()).to_string());
    put("idea-error", idea_with_error().to_string());
    put(
        "idea-running",
        idea_page(IdeaStand::Running(None), "", none()).to_string(),
    );
    put("vote", vote_page(false, true).to_string());
    put("vote-counts", vote_page(true, true).to_string());
    put("vote-closed", vote_page(false, false).to_string());
    put("campaign-saved", campaign_saved().to_string());
    put("campaign-batches", campaign_batches().to_string());
    put("campaign-short", campaign_short().to_string());
    put("campaign-deposit", campaign_deposit().to_string());
    put("review-offered", review_offered().to_string());
    put("waiting", waiting().to_string());
    put("wait", wait().to_string());
    put("review-saved", review_saved().to_string());
    put("review-deposit", review_deposit().to_string());
    put("thanks-saved", thanks_saved().to_string());
    put("order-saved", order_saved().to_string());
    put("order-declined", order_declined().to_string());
    put("review", review().to_string());
    let mut changed = review();
    changed.changed = Some("$92.00".to_owned());
    put("review-changed", changed.to_string());
    put("queue", queue().to_string());
    put("thanks", thanks(true).to_string());
    put("thanks-waiting", thanks(false).to_string());
    put("order", order().to_string());
    put("order-trouble", order_with_trouble().to_string());
    put("cancel", cancel().to_string());
    let form = |typed: &str, error: Option<&str>| LinkAgainPage {
        shell: shell("/orders/link"),
        email: LinkAgainPage::field(typed, error.map(str::to_owned)),
    };
    put("link", form("", None).to_string());
    let wrong = Some("Write an address with an @ in it.");
    put("link-error", form("ana", wrong).to_string());
    let sent = LinkSentPage {
        shell: shell("/orders/link/sent"),
    };
    put("link-sent", sent.to_string());
    put("order-after", order_after().to_string());
    put("report", report().to_string());
    put("report-errors", report_with_errors().to_string());
    put("withdraw", withdraw().to_string());
    put("edit", edit().to_string());
    put("change", change(Problems::default()).to_string());
    let mut wrong = Problems::default();
    wrong.add("lines", "Of Lid there are 2 left. Choose fewer.");
    wrong.add("qty_set", "Write a whole number, 0 for none.");
    put("change-errors", change(wrong).to_string());
    put("change-review", change_review(true).to_string());
    put("change-less", change_review(false).to_string());
    put("order-change", order_with_change().to_string());
    put("merchant", merchant().to_string());
    put("merchant-bare", merchant_bare().to_string());
    put("terms", terms().to_string());
    for status in [403, 404, 409, 410, 422, 429, 500, 503] {
        let page = RefusalPage::new(shell("/c/ridge"), status);
        put(&format!("error-{status}"), page.to_string());
    }
    put("supplier", supplier(SupplierState::Sent).to_string());
    put("supplier-done", supplier(acknowledged()).to_string());
    put("supplier-in-transit", supplier(in_transit()).to_string());
    put("supplier-rejected", supplier(rejected()).to_string());
    put("supplier-reject", reject(Problems::default()).to_string());
    put("supplier-replaced", supplier(replaced(true)).to_string());
    put("print", print().to_string());
    let panel = PanelSample {
        shell: PanelShell {
            here: "today".to_owned(),
            waiting: 9,
            merchant: "Fern & Kiln".to_owned(),
            person: "Ines Okafor, manager".to_owned(),
            flash: Some("The campaign is published.".to_owned()),
            flash_bad: false,
            sandbox: true,
            back: "/admin".to_owned(),
            theme: Theme::Auto,
        },
    };
    // The layout offers a symbol for a refusal, too; this example uses all but that one.
    put(
        "panel",
        panel.to_string().replace(
            "<symbol id=\"i-alert\" viewBox=\"0 0 24 24\"><path d=\"M12 3.5L22 20.5H2z\"/><path d=\"M12 10v5M12 \
             17.9v.1\"/></symbol>",
            "",
        ),
    );
    out.extend(super::delays::all());
    out
}
