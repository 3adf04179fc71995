//! Campaigns of the months before: on order, late, arriving, shipped, done, refunded in part.

use super::life::Deed;
use super::offers::{Offer, PLAIN};
use crate::domain::promise::Answer;

/// Of Fern & Kiln.
pub const FERN: &[Offer] = &[Offer {
    title: "Ridge pour-over set, autumn firing",
    description: "The same ribbed dripper, from the autumn kiln: ash glaze over chalk. Fired once a year.",
    pictures: &[(
        "pour-over-glazes.svg",
        "Three drippers side by side: slate, chalk and clay glaze",
    )],
    time_zone: "Europe/Lisbon",
    steps: &[1, 20, 40],
    options: &[
        (
            "chalk",
            "Full set, ash over chalk",
            &[10200, 9200, 8200],
            None,
            Some(5),
        ),
        ("dripper", "Dripper alone", &[6000, 5400, 4800], None, None),
    ],
    threshold: 20,
    begins_days_ago: 60,
    orders: &[3, 2, 4, 1, 2, 3, 2, 1, 4, 2],
    ships_after: Some(78),
    stop_loss_after: Some(170),
    life: &[
        (
            17,
            Deed::Acknowledges("The kiln is booked for your firing."),
        ),
        (24, Deed::InProduction),
        (
            40,
            Deed::Writes(
                "Two hundred ribs a day",
                "The cones are thrown and drying. Glazing begins next week, the kiln is lit on the first dry day.",
            ),
        ),
        (
            60,
            Deed::SupplierDateWaits(
                26,
                "The kiln cracked and is being mended; we fire a week later.",
            ),
        ),
    ],
    ..PLAIN
}];

/// Of Northlight.
pub const NORTHLIGHT: &[Offer] = &[
    Offer {
        title: "Tern split keyboard, batch 2",
        description: "The batch before: two halves in oiled walnut, hot-swap switches. All of it is with its owners; \
             what was left over is sold from stock.",
        pictures: &[(
            "split-keyboard.svg",
            "Split keyboard in walnut, seen from above",
        )],
        time_zone: "Europe/Berlin",
        steps: &[1, 20, 40],
        options: &[
            (
                "tactile",
                "Walnut, tactile",
                &[20400, 19400, 17900],
                None,
                Some(3),
            ),
            (
                "linear",
                "Walnut, linear",
                &[20400, 19400, 17900],
                None,
                Some(3),
            ),
        ],
        threshold: 20,
        begins_days_ago: 140,
        orders: &[2, 3, 2, 1, 2, 3, 3, 2, 2, 1, 3, 2, 1, 3],
        ships_after: Some(75),
        stop_loss_after: Some(150),
        life: &[
            (16, Deed::Acknowledges("Walnut is reserved.")),
            (21, Deed::InProduction),
            (
                44,
                Deed::Writes(
                    "The first case",
                    "One board, two halves: the grain runs on. The rest is being milled.",
                ),
            ),
            (55, Deed::SupplierShips("DB Schenker", "DBS-4471-0932")),
            (62, Deed::Arrives(&[("tactile", 20, 0), ("linear", 19, 1)])),
            (63, Deed::Packs),
            (64, Deed::HandsOver(99)),
            (69, Deed::Delivers(99)),
            (
                71,
                Deed::ReportsDamage(
                    0,
                    "tactile",
                    "One half arrived with a crack along the edge.",
                ),
            ),
            (72, Deed::RefundsClaims),
            (75, Deed::OnSale("tactile", 2)),
        ],
        ..PLAIN
    },
    Offer {
        title: "Harbour desk lamp, first run",
        description: "Brass and enamel. The spinner lost his lease half-way: what was made was shipped, the rest was \
             refunded the day after the stop-loss date.",
        pictures: &[("desk-lamp.svg", "Brass desk lamp with an enamel shade")],
        time_zone: "Europe/Berlin",
        steps: &[1, 30],
        options: &[("lamp", "Desk lamp", &[15900, 14400], None, None)],
        threshold: 20,
        begins_days_ago: 150,
        runs: 10,
        orders: &[5, 4, 6, 3, 5, 4, 3, 2],
        ships_after: Some(50),
        stop_loss_after: Some(130),
        life: &[
            (12, Deed::Acknowledges("We begin next week.")),
            (18, Deed::InProduction),
            (
                40,
                Deed::AnnouncesUnknown(
                    "The spinner has to leave his workshop and does not know yet where he goes on.",
                ),
            ),
            (41, Deed::Answers(0, Answer::Wait)),
            (42, Deed::Answers(1, Answer::Wait)),
            (43, Deed::Answers(2, Answer::Wait)),
            (44, Deed::Answers(3, Answer::Cancel)),
            (95, Deed::Arrives(&[("lamp", 9, 1)])),
            (96, Deed::Packs),
            (97, Deed::HandsOver(99)),
            (102, Deed::Delivers(99)),
        ],
        ..PLAIN
    },
];

/// Of Ferrum Works.
pub const FERRUM: &[Offer] = &[Offer {
    title: "Datum titanium pen, first run",
    description: "Turned from one bar. The first delivery is here and on its way to those who paid first; the second \
         comes next week.",
    pictures: &[(
        "titanium-pen.svg",
        "Titanium pen with a knurled grip beside a notebook",
    )],
    time_zone: "Europe/London",
    steps: &[1, 20, 50],
    options: &[("pen", "Datum pen", &[7600, 7000, 6300], Some(150), None)],
    threshold: 20,
    begins_days_ago: 110,
    runs: 12,
    orders: &[3, 2, 4, 3, 2, 5, 3, 2, 4, 2, 3, 2],
    ships_after: Some(80),
    stop_loss_after: Some(190),
    life: &[
        (14, Deed::Acknowledges("Bar stock is ordered.")),
        (30, Deed::InProduction),
        (
            62,
            Deed::SupplierDate(
                36,
                "The second lathe stands still until a part comes from Switzerland.",
            ),
        ),
        (64, Deed::Answers(0, Answer::Wait)),
        (65, Deed::Answers(1, Answer::Cancel)),
        (
            66,
            Deed::Writes(
                "Later, and why",
                "One of two lathes stands still. You have a mail with the new date: keep \
                 waiting, or take the money back.",
            ),
        ),
        (92, Deed::Arrives(&[("pen", 20, 2)])),
        (93, Deed::Packs),
        (94, Deed::HandsOver(4)),
        (
            95,
            Deed::Announces(
                28,
                "The other half leaves the workshop at the end of the month.",
            ),
        ),
        (96, Deed::Answers(8, Answer::Wait)),
        (97, Deed::Answers(9, Answer::Wait)),
        (98, Deed::Answers(10, Answer::Cancel)),
        (99, Deed::Delivers(3)),
        (108, Deed::Packs),
    ],
    ..PLAIN
}];
