//! Examples of joining and of an order.

use super::*;
use crate::web::view::*;

pub fn money() -> MoneyTable {
    MoneyTable {
        caption: "What you pay".to_owned(),
        rows: vec![
            MoneyRow::new("1 Full set, chalk", "$90.00"),
            MoneyRow::new("Shipping to Portugal", "$6.50").note("included tax: $1.22"),
        ],
        sum: MoneyRow::new("Total", "$96.50"),
        movements: Vec::new(),
    }
}

pub fn held() -> Countdown {
    Countdown::held(
        moment("2026-05-21T13:00:00Z").at,
        moment("2026-05-21T13:45:00Z"),
    )
}

pub fn review() -> ReviewPage {
    ReviewPage {
        from_stock: false,
        offer: None,
        shell: shell("/c/ridge").of_seller("fern-kiln"),
        title: "Ridge pour-over set".to_owned(),
        slug: "ridge".to_owned(),
        money: money(),
        total: "$96.50".to_owned(),
        confirmed_total: 9650,
        changed: None,
        asked: Asked::Now,
        may_fall: true,
        threshold: "50 units".to_owned(),
        deadline: moment("2026-05-31T19:00:00Z"),
        ships_by: day(2026, 9, 1),
        seller: seller(),
        terms: Some(terms_ref()),
        button: crate::domain::button::ENGLISH,
        withdrawal: vec!["You may withdraw within 14 days.".to_owned()],
        address: vec![
            "Ana Sousa".to_owned(),
            "Rua do Almada 5".to_owned(),
            "4050-036 Porto, Portugal".to_owned(),
        ],
        email: "ana.sousa@mail.example".to_owned(),
        one_parcel: true,
        fields: typed().pairs(),
        form_key: "k-1".to_owned(),
        problems: Vec::new(),
    }
}

pub fn queue() -> QueuePage {
    let mut shell = private();
    shell.refresh = Some(3);
    QueuePage {
        shell,
        title: "Ridge pour-over set".to_owned(),
        before: 214,
        says: "You will pay $96.50. Nothing is charged before you say so there.".to_owned(),
        held: Some(held()),
        order_href: "/o/1?t=abc".to_owned(),
        events: Some("/o/1/events?t=abc".to_owned()),
    }
}

pub fn thanks(paid: bool) -> ThanksPage {
    ThanksPage {
        from_stock: None,
        shell: private(),
        title: "Ridge pour-over set".to_owned(),
        campaign_href: "/c/ridge".to_owned(),
        paid,
        total: "$96.50".to_owned(),
        asked: Asked::Now,
        email: "ana.sousa@mail.example".to_owned(),
        deadline: moment("2026-05-31T19:00:00Z"),
        threshold: "50 units".to_owned(),
        next_step: Some("11 more and everybody pays $80.00.".to_owned()),
        order_href: "/o/1?t=abc".to_owned(),
    }
}

pub fn order() -> OrderPage {
    let mut money = money();
    money.rows[0] = MoneyRow::new("1 Full set, chalk", "$80.00").note("step from 100 reached");
    money.sum = MoneyRow::new("This order costs", "$86.50");
    money.movements = vec![
        MoneyRow::new("Charged 21 May 2026", "$96.50"),
        MoneyRow::new("Back on 1 June 2026, price step", "\u{2212}$10.00"),
    ];
    OrderPage {
        shell: private(),
        number: "M-2417".to_owned(),
        title: "Ridge pour-over set".to_owned(),
        campaign_href: "/c/ridge".to_owned(),
        state: "confirmed".to_owned(),
        payment_state: "partly_refunded".to_owned(),
        placed: moment("2026-05-21T13:00:00Z"),
        batch: None,
        timeline: Timeline {
            items: vec![
                TimelineItem::done(moment("2026-05-21T13:00:00Z"), "You joined")
                    .text("$96.50 was charged."),
                TimelineItem::done(
                    moment("2026-05-31T19:01:00Z"),
                    "It came together: 104 units",
                )
                .text("Everybody pays $80.00. $10.00 goes back to your card."),
                TimelineItem::now("The order to the supplier is made ready")
                    .text("Until it is sent you may still leave."),
                TimelineItem::next("By 1 September 2026: shipped"),
            ],
        },
        money,
        due: None,
        change: None,
        delay: None,
        promise: Some(PromiseTable {
            rows: vec![PromiseRow {
                told: moment("2026-05-21T13:00:00Z"),
                ships: Some(day(2026, 9, 1)),
                replaced: false,
                why: "When you joined".to_owned(),
                answer: None,
                href: None,
            }],
            now: None,
            last_day: Some(day(2026, 12, 31)),
            terms: Some(terms_ref()),
        }),
        address: vec![
            "Ana Sousa".to_owned(),
            "Rua do Almada 5".to_owned(),
            "4050-036 Porto, Portugal".to_owned(),
        ],
        one_parcel: true,
        pay: None,
        cancel: Some(CancelOffer {
            href: "/o/1/cancel?t=abc".to_owned(),
            amount: Some("$86.50".to_owned()),
            until: "the order to the supplier goes out",
            late: false,
            part: false,
        }),
        mail_problem: None,
        refund_needs_way: None,
        seller_name: "Fern & Kiln".to_owned(),
        seller_href: "/m/fern-kiln".to_owned(),
        seller_email: Some("hello@fern-kiln.example".to_owned()),
        end: None,
        papers: vec![Link::new("/o/1/receipts/R-00001?t=x", "Receipt R-00001")],
        after: AfterPart {
            claims: Vec::new(),
            report: None,
            change: Some("/o/1/change?t=abc".to_owned()),
            edit: Some("/o/1/edit?t=abc".to_owned()),
            withdraw: Some(WithdrawOffer {
                href: "/o/1/withdraw?t=abc".to_owned(),
                last_day: None,
                exempt: Vec::new(),
            }),
        },
        goods: None,
        updates: Vec::new(),
        updates_href: "/c/ridge#updates".to_owned(),
        events: Some("/o/1/events?t=abc".to_owned()),
    }
}

pub fn order_with_trouble() -> OrderPage {
    let mut page = order();
    page.state = "pending".to_owned();
    page.payment_state = "unpaid".to_owned();
    page.pay = Some(PayOffer {
        href: "/o/1/pay?t=abc".to_owned(),
        title: "Not paid yet",
        words: "Pay $96.50".to_owned(),
        held: held(),
    });
    page.mail_problem = Some(MailProblem {
        email: "ana.sousa@mail.example".to_owned(),
        subject: "Your order M-2417".to_owned(),
        reason: "550 no such mailbox".to_owned(),
    });
    page.refund_needs_way = Some("$86.50".to_owned());
    page.flash_words("Your order is placed.");
    page
}

impl OrderPage {
    fn flash_words(&mut self, words: &str) {
        self.shell.flash = Some(words.to_owned());
    }
}

pub fn cancel() -> CancelPage {
    CancelPage {
        shell: private(),
        number: "M-2417".to_owned(),
        title: "Ridge pour-over set".to_owned(),
        action: "/o/1/cancel?t=abc".to_owned(),
        amount: Some("$96.50".to_owned()),
        late: false,
        part: false,
        order_href: "/o/1?t=abc".to_owned(),
    }
}

pub fn review_offered() -> ReviewPage {
    ReviewPage {
        shell: shell("/o/1?t=x"),
        offer: Some(OfferPart {
            number: "M-2417".to_owned(),
            action: "/o/1/accept?t=x".to_owned(),
            countdown: Countdown::offered(
                moment("2026-05-21T13:00:00Z").at,
                moment("2026-05-22T12:10:00Z"),
            ),
            decline_href: "/o/1/cancel?t=x".to_owned(),
        }),
        ..review()
    }
}

pub fn waiting() -> WaitingPage {
    WaitingPage {
        shell: shell("/o/1?t=x"),
        number: "M-2417".to_owned(),
        title: "Ridge pour-over set".to_owned(),
        campaign_href: "/c/ridge".to_owned(),
        place: 3,
        money: money(),
        deadline: moment("2026-05-31T19:00:00Z"),
        email: "ana@mail.example".to_owned(),
        address: review().address,
        leave_href: "/o/1/cancel?t=x".to_owned(),
        seller_name: "Fern Kiln".to_owned(),
        seller_href: "/m/fern-kiln".to_owned(),
    }
}

pub fn wait() -> WaitPage {
    let review = review();
    WaitPage {
        shell: shell("/c/ridge").of_seller("fern-kiln"),
        title: review.title,
        slug: review.slug,
        money: review.money,
        deadline: review.deadline,
        seller: review.seller,
        terms: review.terms,
        address: review.address,
        email: review.email,
        fields: review.fields,
        form_key: review.form_key,
        problems: Vec::new(),
    }
}
