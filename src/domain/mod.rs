//! The rules, pure: no database, no web, no provider, no clock read.

pub mod country;
pub mod currency;
pub mod day;
pub mod ids;
pub mod ledger;
pub mod money;
pub mod price;
pub mod slug;
pub mod tariff;
pub mod text;
