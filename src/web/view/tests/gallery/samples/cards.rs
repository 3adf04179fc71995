//! Examples of saved cards, deposits, and prices that are waited for.

use super::*;
use crate::web::view::*;

pub fn campaign_saved() -> CampaignPage {
    let mut page = campaign();
    page.money.paying = Paying::OnSuccess;
    page.steps.counted = vec![70, 76, 88];
    let mut with_limits = offer();
    with_limits.promise = "The next page shows the total with shipping and tax, and a button that orders: your card is \
                           saved then, and charged only if it comes together, after 31 May 2026."
        .to_owned();
    with_limits.limits = vec![
        Choice::new("0", "In any case"),
        Choice::new(
            "1",
            "Only if it gets that cheap: from 50 units, $90.00 for Full set, chalk",
        ),
        Choice::new(
            "2",
            "Only if it gets that cheap: from 100 units, $80.00 for Full set, chalk",
        ),
    ];
    page.form = Some(JoinForm::new(
        with_limits,
        &JoinInput::default(),
        &Problems::default(),
    ));
    page
}

pub fn campaign_short() -> CampaignPage {
    let mut page = without_form(
        "collecting",
        Standing::Collecting { judged: true },
        steps(104, 2, StepsPhase::Settled),
    );
    page.money.paying = Paying::OnSuccess;
    page.money.charging = Charging::Short(moment("2026-06-09T19:00:00Z"));
    page
}

pub fn campaign_deposit() -> CampaignPage {
    let mut page = campaign();
    page.money.paying = Paying::Deposit {
        percent: 20,
        kept: true,
    };
    page
}

pub fn review_saved() -> ReviewPage {
    let mut page = review();
    page.asked = Asked::Saved {
        waits_for: Some("the price from 100 units".to_owned()),
    };
    page
}

pub fn review_deposit() -> ReviewPage {
    let mut page = review();
    page.asked = Asked::Deposit {
        now: "$19.30".to_owned(),
        later: "$77.20".to_owned(),
        kept: true,
    };
    page
}

pub fn thanks_saved() -> ThanksPage {
    let mut page = thanks(true);
    page.asked = Asked::Saved { waits_for: None };
    page
}

pub fn order_saved() -> OrderPage {
    let mut page = order();
    page.payment_state = "saved".to_owned();
    page.due = Some(DuePart {
        tone: Tone::Live,
        icon: "card",
        title: "Your card is saved, nothing is charged".to_owned(),
        lines: vec![
            "Visa ending in 4242 is charged if it comes together: $96.50 at most, after 31 May 2026."
                .to_owned(),
        ],
        pay: None,
        card: Some("/o/1/card?t=abc".to_owned()),
    });
    page
}

pub fn order_declined() -> OrderPage {
    let mut page = order_saved();
    page.due = Some(DuePart {
        tone: Tone::Bad,
        icon: "alert",
        title: "Your card was declined".to_owned(),
        lines: vec![
            "$86.50 was not charged to Visa ending in 0341. Your bank says: Your card was declined."
                .to_owned(),
            "Pay it, or save another card, until Sunday 7 June 2026, 20:01, Lisbon time. After that your order is \
             cancelled, and nothing is charged."
                .to_owned(),
            "The same card is tried again by itself on 2 June 2026.".to_owned(),
        ],
        pay: Some(("/o/1/pay?t=abc".to_owned(), "Pay $86.50 now".to_owned())),
        card: Some("/o/1/card?t=abc".to_owned()),
    });
    page
}
