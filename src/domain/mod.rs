//! The rules, pure: no database, no web, no provider, no clock read.

pub mod country;
pub mod currency;
pub mod ids;
pub mod money;
pub mod price;
pub mod tariff;
