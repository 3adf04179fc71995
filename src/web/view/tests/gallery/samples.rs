//! Examples: a pour-over set at 88 of 50 units, and its like.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Europe::Lisbon;

mod after;

pub use after::*;

use crate::web::assets::asset;
use crate::web::view::*;

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn moment(text: &str) -> Moment {
    Moment::new(at(text), Lisbon)
}

fn day(y: i32, m: u32, d: u32) -> Day {
    Day(NaiveDate::from_ymd_opt(y, m, d).unwrap())
}

pub fn shell(back: &str) -> Shell {
    Shell::public(Theme::Auto, back, true)
}

fn private() -> Shell {
    Shell::private(Theme::Auto, "/o/1?t=abc", true).of_seller("fern-kiln")
}

fn picture(name: &str, alt: &str) -> Picture {
    Picture {
        src: asset(name).to_owned(),
        width: 800,
        height: 600,
        alt: alt.to_owned(),
    }
}

fn pour_over() -> Picture {
    picture(
        "art/pour-over.svg",
        "Chalk dripper on a glass server, on an oak tray",
    )
}

fn steps(units: i64, current: usize, phase: StepsPhase) -> Steps {
    Steps {
        rows: vec![
            StepRow::new(1, "$100.00"),
            StepRow::new(50, "$90.00"),
            StepRow::new(100, "$80.00"),
        ],
        current,
        units,
        option: Some("Full set, chalk".to_owned()),
        phase,
    }
}

fn option(sku: &str, name: &str, price: &str, next: &str, committed: i64) -> OptionRow {
    OptionRow {
        sku: sku.to_owned(),
        name: name.to_owned(),
        price: price.to_owned(),
        price_next: Some(next.to_owned()),
        committed,
        available: None,
        per_shopper: Some(3),
        made_to_order: false,
    }
}

fn options() -> Vec<OptionRow> {
    let mut all = vec![
        option("full-chalk", "Full set, chalk", "$90.00", "$80.00", 41),
        option("dripper", "Dripper, chalk", "$60.00", "$54.00", 40),
        option("full-slate", "Full set, slate", "$94.00", "$84.00", 7),
    ];
    all[1].available = Some(60);
    all[2].available = Some(0);
    all
}

pub fn live(name: &str) -> CampaignLive {
    let mut steps = steps(88, 1, StepsPhase::Open);
    steps.option = Some(name.to_owned());
    CampaignLive {
        from_stock: false,
        state: "open".to_owned(),
        steps,
        meter: Meter::units("Ridge pour-over set", 88, 50),
        options: options(),
    }
}

fn seller() -> Seller {
    Seller {
        name: "Fern & Kiln".to_owned(),
        slug: "fern-kiln".to_owned(),
        imprint: vec![
            "Fern & Kiln Lda".to_owned(),
            "Rua das Flores 12".to_owned(),
            "4050-262 Porto, Portugal".to_owned(),
        ],
    }
}

fn terms_ref() -> TermsRef {
    TermsRef {
        version: 3,
        href: "/m/fern-kiln/terms/3".to_owned(),
    }
}

pub fn offer() -> JoinOffer {
    JoinOffer {
        from_stock: false,
        slug: "ridge".to_owned(),
        options: options(),
        countries: vec![
            Choice::new("PT", "Portugal"),
            Choice::new("DE", "Germany"),
            Choice::new("US", "United States of America"),
        ],
        seller: seller(),
        terms: Some(terms_ref()),
    }
}

pub fn typed() -> JoinInput {
    JoinInput {
        quantities: vec![("full-chalk".to_owned(), "1".to_owned())],
        email: "ana.sousa@mail.example".to_owned(),
        name: "Ana Sousa".to_owned(),
        line1: "Rua do Almada 5".to_owned(),
        line2: String::new(),
        city: "Porto".to_owned(),
        region: String::new(),
        postal_code: "4050-036".to_owned(),
        country: "PT".to_owned(),
        delivery: "one_parcel".to_owned(),
        terms: "3".to_owned(),
    }
}

pub fn campaign() -> CampaignPage {
    let deadline = moment("2026-05-31T19:00:00Z");
    CampaignPage {
        shell: shell("/c/ridge").of_seller("fern-kiln"),
        slug: "ridge".to_owned(),
        title: "Ridge pour-over set".to_owned(),
        state: "open".to_owned(),
        standing: Standing::Open,
        description: Html::sanitized(
            "<p>Ridge is a cone with 18 ribs, so the paper stands off the wall and the water runs at its own \
             pace. Dripper, 600 ml server and lid.</p><h3>Why the steps</h3><p>One kiln run holds 120 sets. Half a \
             run costs almost as much as a full one.</p><ul><li>Stoneware, borosilicate glass</li><li>1.1 kg \
             packed</li></ul>"
                .to_owned(),
        ),
        pictures: vec![
            pour_over(),
            picture(
                "art/pour-over-glazes.svg",
                "Three drippers side by side: slate, chalk and clay glaze",
            ),
        ],
        seller: seller(),
        steps: steps(88, 1, StepsPhase::Open),
        meter: Meter::units("Ridge pour-over set", 88, 50),
        countdown: Some(Countdown::closes(at("2026-05-21T13:00:00Z"), deadline)),
        money: MoneyPlan {
            threshold: "50 units".to_owned(),
            deadline,
            at_threshold: false,
            ships_by: day(2026, 9, 1),
            last_day: Some(day(2026, 12, 31)),
            from_stock: None,
        },
        options: options(),
        from_stock: false,
        form: Some(JoinForm::new(
            offer(),
            &JoinInput::default(),
            &Problems::default(),
        )),
        problems: Problems::default(),
        shipping: vec![
            ShippingRow {
                countries: "Portugal, Spain".to_owned(),
                price: "$6.50".to_owned(),
            },
            ShippingRow {
                countries: "All other countries".to_owned(),
                price: "$14.00".to_owned(),
            },
        ],
        updates: vec![Update {
            id: "0197a0".to_owned(),
            title: "The kiln is booked".to_owned(),
            when: moment("2026-05-20T09:00:00Z"),
            body: Html::sanitized("<p>We fire on 2 June.</p>".to_owned()),
            corrections: vec![(
                moment("2026-05-20T12:00:00Z"),
                Html::sanitized("<p>On 3 June, that is.</p>".to_owned()),
            )],
        }],
        earlier_updates: Some(Link::new("/c/ridge/updates?before=0197a0", "Earlier updates")),
        quiet: None,
        record: Some(Record {
            earlier: 6,
            earlier_refunded: 1,
            collected: "$48,210.00".to_owned(),
            refunded: "$3,940.00".to_owned(),
            order_sent: None,
        }),
        events: Some("/c/ridge/events".to_owned()),
    }
}

pub fn campaign_with_errors() -> CampaignPage {
    let mut problems = Problems::default();
    problems.add("qty_full-chalk", "At most 3 per person: write 3 or less.");
    problems.add(
        "email",
        "The part after @ is missing, for example mail.example.",
    );
    problems.add(
        "terms",
        "Tick the box to accept the terms, or do not order.",
    );
    let mut input = typed();
    input.quantities[0].1 = "7".to_owned();
    input.email = "ana.sousa@".to_owned();
    input.terms = String::new();
    let mut page = campaign();
    page.form = Some(JoinForm::new(offer(), &input, &problems));
    page.problems = problems;
    page
}

fn without_form(state: &str, standing: Standing, steps: Steps) -> CampaignPage {
    let mut page = campaign();
    page.state = state.to_owned();
    page.standing = standing;
    page.steps = steps;
    page.form = None;
    page.countdown = None;
    page
}

pub fn campaign_scheduled() -> CampaignPage {
    let opens = moment("2026-05-24T08:00:00Z");
    let mut page = without_form(
        "scheduled",
        Standing::Scheduled { opens },
        steps(0, 0, StepsPhase::Scheduled),
    );
    page.countdown = Some(Countdown::opens(at("2026-05-21T08:00:00Z"), opens));
    page.meter = Meter::units("Ridge pour-over set", 0, 50);
    page
}

pub fn campaign_collecting() -> CampaignPage {
    without_form(
        "collecting",
        Standing::Collecting { judged: false },
        steps(104, 2, StepsPhase::Counting),
    )
}

pub fn campaign_ordered() -> CampaignPage {
    let sent = Some(moment("2026-06-01T08:00:00Z"));
    let mut page = without_form(
        "ordered",
        Standing::Ordered { sent },
        steps(126, 2, StepsPhase::Settled),
    );
    page.meter = Meter::units("Ridge pour-over set", 126, 50);
    page
}

pub fn ending() -> Ending {
    Ending {
        reason: "missed".to_owned(),
        said: None,
        at: moment("2026-05-31T19:01:00Z"),
        orders: 22,
        refunded_orders: 22,
        refunded: "$1,980.00".to_owned(),
    }
}

pub fn campaign_failed() -> CampaignPage {
    let mut page = without_form(
        "failed",
        Standing::Failed(ending()),
        steps(22, 0, StepsPhase::Failed),
    );
    page.meter = Meter::units("Ridge pour-over set", 22, 60);
    page
}

pub fn campaign_with_many_steps() -> CampaignPage {
    let mut page = campaign();
    page.steps.rows = [1, 100, 250, 500, 1000, 2500]
        .iter()
        .zip([
            "1,250.00", "1,190.00", "1,120.00", "1,050.00", "990.00", "945.50",
        ])
        .map(|(from, price)| StepRow::new(*from, format!("${price}")))
        .collect();
    page.steps.units = 312;
    page.steps.current = 2;
    page.steps.option = None;
    page.pictures.truncate(1);
    page.record = None;
    page
}

fn money() -> MoneyTable {
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

pub fn review() -> ReviewPage {
    ReviewPage {
        from_stock: false,
        shell: shell("/c/ridge").of_seller("fern-kiln"),
        title: "Ridge pour-over set".to_owned(),
        slug: "ridge".to_owned(),
        money: money(),
        total: "$96.50".to_owned(),
        confirmed_total: 9650,
        changed: None,
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
        total: "$96.50".to_owned(),
        held_until: moment("2026-05-21T13:45:00Z"),
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
        ships_by: Some(day(2026, 9, 1)),
        last_day: Some(day(2026, 12, 31)),
        address: vec![
            "Ana Sousa".to_owned(),
            "Rua do Almada 5".to_owned(),
            "4050-036 Porto, Portugal".to_owned(),
        ],
        one_parcel: true,
        terms: Some(terms_ref()),
        pay: None,
        cancel: Some(CancelOffer {
            href: "/o/1/cancel?t=abc".to_owned(),
            amount: Some("$86.50".to_owned()),
            until: "the order to the supplier goes out",
        }),
        mail_problem: None,
        refund_needs_way: None,
        seller_name: "Fern & Kiln".to_owned(),
        seller_href: "/m/fern-kiln".to_owned(),
        seller_email: Some("hello@fern-kiln.example".to_owned()),
        end: None,
        after: AfterPart {
            claims: Vec::new(),
            report: None,
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
        total: "$96.50".to_owned(),
        until: moment("2026-05-21T13:45:00Z"),
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
        order_href: "/o/1?t=abc".to_owned(),
    }
}

fn in_list(title: &str, art: &str, badge: Badge, text: &str, meter: Meter, price: &str) -> Offer {
    Offer {
        title: title.to_owned(),
        href: "/c/x".to_owned(),
        picture: Some(picture(art, title)),
        badge,
        seller: "Fern & Kiln".to_owned(),
        text: text.to_owned(),
        meter: Some(meter),
        price: price.to_owned(),
        price_note: "now, $61.00 from 150".to_owned(),
    }
}

pub fn home() -> HomePage {
    let pen = Meter::units("Datum titanium pen", 97, 100).aside("5 hours left");
    let set = Meter::units("Ridge pour-over set", 88, 50).aside("10 days left");
    let watch = Meter::units("Meridian field watch", 180, 150).aside("ships by 1 August 2026");
    HomePage {
        shell: shell("/"),
        featured: Some(Featured {
            title: "Ridge pour-over set".to_owned(),
            href: "/c/ridge".to_owned(),
            picture: Some(pour_over()),
            badge: Badge::new(Tone::Live, "Open, 10 days left"),
            steps: steps(88, 1, StepsPhase::Open),
        }),
        open: vec![
            in_list(
                "Datum titanium pen",
                "art/titanium-pen.svg",
                Badge::new(Tone::Wait, "Closes tonight"),
                "3 more and the first run is ordered.",
                pen,
                "$68.00",
            ),
            in_list(
                "Ridge pour-over set",
                "art/pour-over.svg",
                Badge::campaign("open"),
                "It will be made. 12 more and it costs $80.00 for all.",
                set,
                "$90.00",
            ),
        ],
        sort: Sort::Nearest,
        pager: Some(Pager {
            shown: "Campaigns 1 to 2".to_owned(),
            first: None,
            next: Some("/?cursor=abc".to_owned()),
        }),
        scheduled: Vec::new(),
        making: vec![in_list(
            "Meridian field watch",
            "art/field-watch.svg",
            Badge::campaign("ordered"),
            "180 watches ordered on 4 May 2026.",
            watch,
            "$122.00",
        )],
        ended: vec![EndedRow {
            title: "Folding stool, ash".to_owned(),
            href: "/c/stool".to_owned(),
            badge: Badge::new(Tone::Idle, "Missed, all 22 orders refunded"),
            promised: "1 April 2026".to_owned(),
            shipped: "no order placed".to_owned(),
        }],
        events: Some("/events".to_owned()),
    }
}

pub fn home_empty() -> HomePage {
    HomePage {
        shell: shell("/"),
        featured: None,
        open: Vec::new(),
        sort: Sort::Closing,
        pager: None,
        scheduled: Vec::new(),
        making: Vec::new(),
        ended: Vec::new(),
        events: None,
    }
}

pub fn merchant() -> MerchantPage {
    let home = home();
    MerchantPage {
        shell: shell("/m/fern-kiln").of_seller("fern-kiln"),
        name: "Fern & Kiln".to_owned(),
        campaigns: home.open,
        record: vec![
            TrustRow {
                campaign: Link::new("/c/ridge", "Ridge pour-over set"),
                badge: Badge::campaign("open"),
                promised: day(2026, 9, 1),
                actual: "not shipped yet".to_owned(),
                collected: "$8,491.50".to_owned(),
                refunded: "$96.50".to_owned(),
                placed: None,
                acknowledged: None,
                last_sign: Some(moment("2026-05-20T09:00:00Z")),
                quiet: None,
            },
            TrustRow {
                campaign: Link::new("/c/key-tray", "Key tray"),
                badge: Badge::campaign("fulfilling"),
                promised: day(2026, 4, 1),
                actual: "median 3 days late, last 12 days late".to_owned(),
                collected: "$4,120.00".to_owned(),
                refunded: "$310.00".to_owned(),
                placed: Some(moment("2026-02-02T19:00:00Z")),
                acknowledged: Some(moment("2026-02-03T08:00:00Z")),
                last_sign: Some(moment("2026-04-14T09:00:00Z")),
                quiet: Some("37 days".to_owned()),
            },
        ],
        imprint: seller().imprint,
        imprint_text: Html::sanitized("<p>Register of Porto, 512 345 678.</p>".to_owned()),
        email: Some("hello@fern-kiln.example".to_owned()),
        terms: Html::sanitized("<p>We deliver what is shown.</p>".to_owned()),
        terms_version: Some((terms_ref(), moment("2026-01-02T10:00:00Z"))),
        privacy: Html::sanitized("<p>We keep your address to send the parcel.</p>".to_owned()),
    }
}

pub fn merchant_bare() -> MerchantPage {
    let mut page = merchant();
    page.campaigns = Vec::new();
    page.record = Vec::new();
    page.imprint = Vec::new();
    page.imprint_text = Html::default();
    page.email = None;
    page.terms = Html::default();
    page.terms_version = None;
    page.privacy = Html::default();
    page
}

pub fn terms() -> TermsPage {
    TermsPage {
        shell: shell("/m/fern-kiln/terms/2"),
        seller_name: "Fern & Kiln".to_owned(),
        seller_slug: "fern-kiln".to_owned(),
        version: 2,
        since: moment("2025-01-02T10:00:00Z"),
        replaced: true,
        text: Html::sanitized("<p>We deliver what is shown.</p>".to_owned()),
    }
}

fn document() -> PoDocument {
    let line = |sku: &str, name: &str, units: i64, total: &str| PoLine {
        sku: sku.to_owned(),
        name: name.to_owned(),
        units,
        unit_cost: "$41.00".to_owned(),
        total: total.to_owned(),
    };
    PoDocument {
        number: "PO-0031".to_owned(),
        version: 1,
        date: moment("2026-06-01T08:00:00Z"),
        buyer: seller().imprint,
        supplier: vec!["Olaria Lopes".to_owned(), "Barcelos, Portugal".to_owned()],
        deliver_to: seller().imprint,
        campaign: "Ridge pour-over set".to_owned(),
        lines: vec![
            line("full-chalk", "Full set, chalk", 80, "$3,280.00"),
            line("dripper", "Dripper, chalk", 46, "$1,886.00"),
        ],
        units: 126,
        total: "$5,166.00".to_owned(),
        wanted_by: Some(day(2026, 8, 20)),
    }
}

pub fn acknowledged() -> SupplierState {
    SupplierState::Acknowledged {
        at: moment("2026-06-02T09:30:00Z"),
        note: Some("Our number is 5512.".to_owned()),
    }
}

pub fn in_transit() -> SupplierState {
    SupplierState::InTransit {
        at: moment("2026-08-10T09:30:00Z"),
        by: "DHL, 00340434161094042557".to_owned(),
    }
}

pub fn rejected() -> SupplierState {
    SupplierState::Rejected {
        at: moment("2026-06-02T09:30:00Z"),
        reason: "The kiln is out of order until September.".to_owned(),
    }
}

pub fn replaced(newer: bool) -> SupplierState {
    SupplierState::Replaced {
        at: Some(moment("2026-06-04T09:30:00Z")),
        newer: newer.then(|| Link::new("/s/def", "version 2")),
        reason: Some("12 units more.".to_owned()),
    }
}

pub fn supplier(state: SupplierState) -> SupplierPage {
    let none = Problems::default();
    let days = (day(2026, 6, 3), day(2028, 6, 1));
    SupplierPage {
        shell: Shell::private(Theme::Auto, "/s/abc", true),
        document: document(),
        buyer_name: "Fern & Kiln".to_owned(),
        buyer_email: Some("hello@fern-kiln.example".to_owned()),
        sent: moment("2026-06-01T08:00:00Z"),
        state,
        here: "/s/abc".to_owned(),
        note: SupplierPage::note_field("", &none),
        date: SupplierPage::date_fields("", "", days, true, &none),
        shipping: SupplierPage::shipping_fields("", "", &none),
        dates: vec![GivenDate {
            arrives: "20 August 2026".to_owned(),
            reason: "The glaze came late.".to_owned(),
            at: moment("2026-06-02T09:30:00Z"),
        }],
        problems: none,
    }
}

pub fn reject(problems: Problems) -> RejectPage {
    RejectPage {
        shell: Shell::private(Theme::Auto, "/s/abc/reject", true),
        number: "PO-0031".to_owned(),
        buyer_name: "Fern & Kiln".to_owned(),
        units: 126,
        here: "/s/abc".to_owned(),
        reason: RejectPage::reason_field("", &problems),
        problems,
    }
}

pub fn print() -> PurchaseOrderPage {
    PurchaseOrderPage {
        document: document(),
        back: "/s/abc".to_owned(),
    }
}
