//! Examples of a campaign's page.

use super::*;
use crate::domain::campaign::BatchState;
use crate::web::view::*;

pub fn steps(units: i64, current: usize, phase: StepsPhase) -> Steps {
    Steps {
        rows: vec![
            StepRow::new(1, "$100.00"),
            StepRow::new(50, "$90.00"),
            StepRow::new(100, "$80.00"),
        ],
        current,
        units,
        counted: Vec::new(),
        option: Some("Full set, chalk".to_owned()),
        phase,
    }
}

pub fn option(sku: &str, name: &str, price: &str, next: &str, committed: i64) -> OptionRow {
    OptionRow {
        sku: sku.to_owned(),
        name: name.to_owned(),
        price: price.to_owned(),
        price_next: Some(next.to_owned()),
        committed,
        available: None,
        waiting: Some(0),
        minimum: None,
        not_made: None,
        per_shopper: Some(3),
        made_to_order: false,
    }
}

pub fn options() -> Vec<OptionRow> {
    let mut all = vec![
        option("full-chalk", "Full set, chalk", "$90.00", "$80.00", 41),
        option("dripper", "Dripper, chalk", "$60.00", "$54.00", 40),
        option("full-slate", "Full set, slate", "$94.00", "$84.00", 7),
    ];
    all[1].available = Some(60);
    all[2].available = Some(0);
    all[2].waiting = Some(3);
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

pub fn seller() -> Seller {
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

pub fn terms_ref() -> TermsRef {
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
        promise: "The next page shows the total with shipping and tax, and a button that pays."
            .to_owned(),
        limits: Vec::new(),
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
        limit_step: String::new(),
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
        batches: None,
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
            minimums: false,
            ships_by: day(2026, 9, 1),
            ships_now: ShipsNow::AsPromised,
            policy: DelayPolicy::Ftc,
            last_day: Some(day(2026, 12, 31)),
            from_stock: None,
            paying: Paying::Now,
            charging: Charging::Done,
        },
        options: options(),
        form: Some(JoinForm::new(
            offer(),
            &JoinInput::default(),
            &Problems::default(),
        )),
        interest: None,
        problems: Problems::default(),
        shipping: vec![
            ShippingRow {
                countries: "Portugal, Spain".to_owned(),
                price: "$6.50".to_owned(),
                bands: vec![],
            },
            ShippingRow {
                countries: "All other countries".to_owned(),
                price: "$14.00".to_owned(),
                bands: vec![],
            },
        ],
        from_stock: false,
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

pub fn without_form(state: &str, standing: Standing, steps: Steps) -> CampaignPage {
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

pub fn campaign_late() -> CampaignPage {
    let mut page = campaign_ordered();
    page.money.ships_now = ShipsNow::On(day(2026, 9, 19));
    page
}

pub fn ending() -> Ending {
    Ending {
        reason: "missed".to_owned(),
        said: None,
        without: Vec::new(),
        at: moment("2026-05-31T19:01:00Z"),
        orders: 22,
        refunded_orders: 22,
        refunded: "$1,980.00".to_owned(),
        paying: Paying::Now,
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

pub fn campaign_batches() -> CampaignPage {
    let line = |number, state, units| BatchLine {
        number,
        state,
        units,
        missed: None,
    };
    let mut page = campaign();
    page.batches = Some(BatchPart {
        shown: Some(2),
        title: "You join batch 2".to_owned(),
        lines: vec![
            line(1, BatchState::Ordered, 104).said(),
            line(2, BatchState::Gathering, 88).said(),
        ],
        joining: Some(
            "It has its own price and its own threshold of 60 units, and counts from nought."
                .to_owned(),
        ),
    });
    page
}
