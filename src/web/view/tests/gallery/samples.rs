//! Examples: a pour-over set at 88 of 50 units, and its like.

#[path = "samples/after.rs"]
mod after;
#[path = "samples/campaigns.rs"]
mod campaigns;
#[path = "samples/cards.rs"]
mod cards;
#[path = "samples/changes.rs"]
mod changes;
#[path = "samples/interest.rs"]
mod interest;
#[path = "samples/lists.rs"]
mod lists;
#[path = "samples/orders.rs"]
mod orders;
#[path = "samples/suppliers.rs"]
mod suppliers;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Europe::Lisbon;

use crate::domain::draft::DelayPolicy;
use crate::web::assets::asset;
use crate::web::view::*;

pub use after::*;
pub use campaigns::*;
pub use cards::*;
pub use changes::*;
pub use interest::*;
pub use lists::*;
pub use orders::*;
pub use suppliers::*;

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn moment(text: &str) -> Moment {
    Moment::new(at(text), Lisbon)
}

pub fn day(y: i32, m: u32, d: u32) -> Day {
    Day(NaiveDate::from_ymd_opt(y, m, d).unwrap())
}

pub fn shell(back: &str) -> Shell {
    Shell::public(Theme::Auto, back, true)
}

pub fn private() -> Shell {
    Shell::private(Theme::Auto, "/o/1?t=abc", true).of_seller("fern-kiln")
}

pub fn picture(name: &str, alt: &str) -> Picture {
    Picture {
        src: asset(name).to_owned(),
        width: 800,
        height: 600,
        alt: alt.to_owned(),
    }
}

pub fn pour_over() -> Picture {
    picture(
        "art/pour-over.svg",
        "Chalk dripper on a glass server, on an oak tray",
    )
}
