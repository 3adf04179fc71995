//! Examples of the interest check and of votes.

use super::*;
use crate::domain::currency::Currency;
use crate::domain::interest::Curve;
use crate::web::view::*;

pub fn interest_offer(changes: bool) -> InterestOffer {
    let plan =
        |first: &str, last: &str| format!("Planned: {first} at first, {last} from 100 units.");
    InterestOffer {
        action: "/c/ridge/interest".to_owned(),
        options: vec![
            (
                "full".to_owned(),
                "Full set".to_owned(),
                plan("$100.00", "$80.00"),
            ),
            (
                "dripper".to_owned(),
                "Dripper".to_owned(),
                plan("$66.00", "$54.00"),
            ),
        ],
        seller: "Fern & Kiln".to_owned(),
        currency: "USD",
        changes,
    }
}

pub fn answer_input() -> InterestInput {
    InterestInput {
        quantities: vec![("full".to_owned(), "2".to_owned())],
        prices: vec![("full".to_owned(), "85.00".to_owned())],
        email: "ana.sousa@mail.example".to_owned(),
        name: "Ana Sousa".to_owned(),
    }
}

fn wrong() -> (InterestInput, Problems) {
    let mut problems = Problems::default();
    problems.add("qty_full", "Write a whole number, 0 for none.");
    problems.add("up_dripper", "Write an amount.");
    problems.add("email", "Write an address with an @ in it.");
    let mut input = answer_input();
    input.quantities = vec![
        ("full".to_owned(), "two".to_owned()),
        ("dripper".to_owned(), "1".to_owned()),
    ];
    input.email = "ana".to_owned();
    (input, problems)
}

pub fn campaign_interest() -> CampaignPage {
    let mut page = without_form(
        "interest",
        Standing::Interest {
            opens: None,
            over: false,
        },
        steps(0, 0, StepsPhase::Scheduled),
    );
    page.interest = Some(InterestForm::new(
        interest_offer(false),
        &InterestInput::default(),
        &Problems::default(),
    ));
    page
}

pub fn campaign_interest_with_errors() -> CampaignPage {
    let (input, problems) = wrong();
    let opens = moment("2026-05-24T08:00:00Z");
    let mut page = campaign_interest();
    page.standing = Standing::Interest {
        opens: Some(opens),
        over: false,
    };
    page.countdown = Some(Countdown::opens(at("2026-05-21T08:00:00Z"), opens));
    page.interest = Some(InterestForm::new(interest_offer(false), &input, &problems));
    page.problems = problems;
    page
}

pub fn answer_page(stand: AnswerStand) -> AnswerPage {
    AnswerPage {
        shell: private(),
        campaign: Link::new("/c/ridge", "Ridge pour-over set"),
        lines: vec!["2 \u{d7} Full set, up to $85.00 each".to_owned()],
        email: "ana.sousa@mail.example".to_owned(),
        at: moment("2026-05-20T09:00:00Z"),
        stand,
        problems: Problems::default(),
        back_action: "/i/abc/back".to_owned(),
    }
}

pub fn answer_asking() -> AnswerPage {
    answer_page(AnswerStand::Asking(Box::new(InterestForm::new(
        interest_offer(true),
        &answer_input(),
        &Problems::default(),
    ))))
}

pub fn answer_with_errors() -> AnswerPage {
    let (input, mut problems) = wrong();
    // The address of an answer that is there is not asked for.
    problems.errors.retain(|e| e.field != "email");
    let form = InterestForm::new(interest_offer(true), &input, &problems);
    let mut page = answer_page(AnswerStand::Asking(Box::new(form)));
    page.problems = problems;
    page
}

pub fn asked_sent(sent: Sent) -> AskedSentPage {
    AskedSentPage {
        shell: private(),
        sent,
        about: Link::new("/c/ridge", "Ridge pour-over set"),
    }
}

pub fn demand_chart() -> DemandChart {
    let curve = Curve::of([
        (10_000, 12),
        (9500, 9),
        (9000, 31),
        (8500, 14),
        (8000, 22),
        (7000, 18),
    ]);
    let planned = [(10_000, 1), (9000, 50), (8000, 100)].map(|(price, needed)| Planned {
        price,
        needed: Some(needed),
        reached: curve.units_at(price) >= needed,
    });
    let usd = Currency::parse("usd").unwrap();
    DemandChart::new("all", "Full set", &curve, &planned, usd).unwrap()
}

pub fn idea_cards() -> Vec<IdeaCard> {
    let card = |title: &str, votes, stand| IdeaCard {
        title: title.to_owned(),
        summary: "350 ml, double wall, with a lid that closes.".to_owned(),
        href: "/m/fern-kiln/ideas/1".to_owned(),
        votes,
        stand,
    };
    let mug = Link::new("/c/mug", "Ridge travel mug");
    vec![
        card("A travel mug", 27, IdeaStand::Open),
        card("A teapot for two", 1, IdeaStand::Running(Some(mug))),
        card("Planters", 0, IdeaStand::Ended),
    ]
}

pub fn idea_page(stand: IdeaStand, email: &str, problems: Problems) -> IdeaPage {
    IdeaPage {
        shell: shell("/m/fern-kiln/ideas/1").of_seller("fern-kiln"),
        seller: Link::new("/m/fern-kiln", "Fern & Kiln"),
        title: "A travel mug".to_owned(),
        body: Html::sanitized("<p>350 ml, double wall.</p>".to_owned()),
        votes: 27,
        stand,
        action: "/m/fern-kiln/ideas/1".to_owned(),
        email: IdeaPage::field(email, &problems),
        tells: true,
        problems,
    }
}

pub fn idea_with_error() -> IdeaPage {
    let mut problems = Problems::default();
    problems.add("email", "Write an address with an @ in it.");
    idea_page(IdeaStand::Open, "ana", problems)
}

pub fn vote_page(counts: bool, open: bool) -> VotePage {
    VotePage {
        shell: private(),
        seller: Link::new("/m/fern-kiln", "Fern & Kiln"),
        idea: Link::new("/m/fern-kiln/ideas/1", "A travel mug"),
        email: "ana.sousa@mail.example".to_owned(),
        counts,
        open,
        votes: 27,
        tells: true,
        action: "/v/abc".to_owned(),
    }
}
