//! Campaigns that are paid later: with a saved card and limits, with a card that says no, also for good, with a deposit.

use super::offers::{Offer, PLAIN};
use crate::domain::draft::PaymentMode;

/// Of Fern & Kiln: one card was never paid, so that a unit is missing, which the merchant may buy until tomorrow.
pub const FERN: &[Offer] = &[Offer {
    title: "Ridge espresso cups, autumn firing",
    description: "The six small cups once more, from the last firing before winter. The kiln is lit from thirteen sets on; cards are \
         saved and charged only then.",
    pictures: &[(
        "espresso-cups.svg",
        "Six ribbed espresso cups in slate, chalk and clay glaze",
    )],
    time_zone: "Europe/Lisbon",
    steps: &[1, 13],
    options: &[("cup", "Six cups", &[4200, 3600], None, None)],
    threshold: 13,
    begins_days_ago: 22,
    runs: 14,
    orders: &[3, 2, 2, 1, 3, 1, 2],
    pays: PaymentMode::ChargeOnSuccess,
    ..PLAIN
}];

/// Of Ferrum Works.
pub const FERRUM: &[Offer] = &[
    Offer {
        title: "Datum key tray",
        description: "A shallow tray, turned from one bar of brass. The bar is the price: twenty of us halve the cutting.\n\nYour \
             card is saved and charged only if it comes together. Say \"only if it gets that cheap\", and you are in \
             only at that price.",
        pictures: &[("key-tray.svg", "A round brass tray with two keys in it")],
        time_zone: "Europe/London",
        steps: &[1, 20, 60],
        options: &[(
            "tray",
            "Key tray, brass",
            &[7800, 6400, 5200],
            None,
            Some(4),
        )],
        threshold: 20,
        begins_days_ago: 5,
        runs: 21,
        orders: &[2, 1, 3, 1, 2, 1, 4, 2, 1, 2, 3, 1],
        pays: PaymentMode::ChargeOnSuccess,
        ..PLAIN
    },
    Offer {
        title: "Datum desk lamp",
        description: "A lamp on a titanium arm, one hinge and no screws in sight.",
        pictures: &[("desk-lamp.svg", "A desk lamp on a thin arm, lit")],
        time_zone: "Europe/London",
        steps: &[1, 10, 30],
        options: &[("lamp", "Desk lamp", &[18900, 16900, 14900], None, Some(2))],
        threshold: 10,
        begins_days_ago: 16,
        runs: 14,
        orders: &[1, 2, 1, 1, 2, 1, 2, 1, 1, 2],
        pays: PaymentMode::ChargeOnSuccess,
        ..PLAIN
    },
];

/// Of Northlight.
pub const NORTHLIGHT: &[Offer] = &[Offer {
    title: "Atlas folding stool, oak",
    description: "A stool that folds flat, in oiled oak. Wood is bought a season ahead: a quarter is paid now, the rest when the \
         stools arrive.",
    pictures: &[("folding-stool.svg", "A folding stool of oak, open")],
    time_zone: "Europe/Berlin",
    steps: &[1, 30, 60],
    options: &[("stool", "Folding stool", &[14900, 12900, 10900], None, None)],
    threshold: 30,
    begins_days_ago: 9,
    runs: 30,
    orders: &[2, 4, 1, 2, 3, 2, 1, 2, 4, 2],
    pays: PaymentMode::Deposit,
    ..PLAIN
}];
