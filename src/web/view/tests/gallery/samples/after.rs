//! Examples of what comes after the door.

use super::*;
use crate::web::view::*;

pub fn units(value: &str) -> Vec<Field> {
    vec![
        Field::input("number", "qty_set", "Full set, chalk")
            .hint("0 to 2")
            .range(Some("0".to_owned()), Some("2".to_owned()))
            .value(value)
            .optional(),
    ]
}

pub fn order_form(problems: Problems) -> OrderForm {
    OrderForm {
        number: "M-2417".to_owned(),
        order_href: "/o/1?t=abc".to_owned(),
        action: "/o/1/claims?t=abc".to_owned(),
        form_key: "k-1".to_owned(),
        problems,
    }
}

pub fn order_after() -> OrderPage {
    let mut page = order();
    page.state = "delivered".to_owned();
    page.cancel = None;
    page.after = AfterPart {
        claims: vec![ShownClaim {
            title: "2 \u{d7} Full set, chalk: arrived damaged".to_owned(),
            badge: Badge::new(Tone::Wait, "To be sent back"),
            lines: vec!["Send it back by 24 September 2026, to:".to_owned()],
            return_to: vec!["Fern & Kiln".to_owned(), "Rua das Flores 12".to_owned()],
            photos: vec![pour_over()],
            sent: Some((
                "/o/1/claims/2/sent?t=abc".to_owned(),
                Field::text("proof-2", "Tracking number, or carrier and receipt"),
            )),
        }],
        report: Some("/o/1/claims?t=abc".to_owned()),
        change: None,
        edit: None,
        withdraw: Some(WithdrawOffer {
            href: "/o/1/withdraw?t=abc".to_owned(),
            last_day: Some(day(2026, 9, 24)),
            exempt: vec!["Lid".to_owned()],
        }),
    };
    page
}

pub fn report() -> ReportPage {
    ReportPage {
        shell: private(),
        form: order_form(Problems::default()),
        kind: Field::select(
            "kind",
            "What is the matter?",
            vec![Choice::new("damaged", "It arrived damaged")],
        ),
        units: units(""),
        text: Field::area("text", "In your words", 5).optional(),
        units_error: None,
        photos_error: None,
        most_photos: 5,
    }
}

pub fn report_with_errors() -> ReportPage {
    let mut problems = Problems::default();
    problems.add("lines", "Choose at least one unit.");
    problems.add("photos", "This file is not a picture that can be read.");
    let mut page = report();
    page.units_error = problems.of("lines").map(str::to_owned);
    page.photos_error = problems.of("photos").map(str::to_owned);
    page.form = order_form(problems);
    page
}

pub fn withdraw() -> WithdrawPage {
    WithdrawPage {
        shell: private(),
        form: order_form(Problems::default()),
        title: "Ridge pour-over set".to_owned(),
        units: units("2"),
        units_error: None,
        who: vec![
            Field::text("name", "Your name").value("Ana Sousa"),
            Field::input("email", "email", "E-mail").value("ana.sousa@mail.example"),
        ],
        last_day: Some(day(2026, 9, 24)),
        exempt: vec!["Lid".to_owned()],
        some_arrived: true,
    }
}

pub fn edit() -> EditPage {
    EditPage {
        shell: private(),
        form: order_form(Problems::default()),
        address: vec![
            Field::text("name", "Name").value("Ana Sousa"),
            Field::text("line1", "Street and number").value("Rua do Almada 5"),
        ],
        priced: true,
        as_available: true,
    }
}
