mod after;
mod asked;
mod cards;
mod delays;
mod letters;
mod smtp;
mod suppliers;
mod typed;
mod waiting;

use chrono::{DateTime, NaiveDate, Utc};

use crate::workflows::letters::{About, LetterLine};

fn about() -> About {
    About {
        merchant: "Fern & Kiln".to_owned(),
        merchant_address: "Rua das Flores 12\n1200-195 Lisboa\nPortugal".to_owned(),
        campaign: "Ridge pour-over set".to_owned(),
        campaign_url: "https://shop.example.org/c/ridge-pour-over-set".to_owned(),
        time_zone: "Europe/Lisbon".to_owned(),
        name: "Inês Alves".to_owned(),
        number: "M-2417".to_owned(),
        order_url: "https://shop.example.org/o/0190?t=abc".to_owned(),
    }
}

fn line(quantity: i64, name: &str, amount: &str) -> LetterLine {
    LetterLine {
        quantity,
        name: name.to_owned(),
        amount: amount.to_owned(),
    }
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}
