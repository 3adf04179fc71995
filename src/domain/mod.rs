//! The rules, pure: no database, no web, no provider, no clock read.

pub mod allocation;
pub mod button;
pub mod campaign;
pub mod claim;
pub mod country;
pub mod currency;
pub mod day;
pub mod draft;
pub mod ids;
pub mod ledger;
pub mod money;
pub mod order;
pub mod outcome;
pub mod paper;
pub mod payment;
pub mod price;
pub mod promise;
pub mod purchase_order;
pub mod shipment;
pub mod slug;
pub mod staff;
pub mod tariff;
pub mod text;
pub mod withdrawal;
pub mod words;
pub mod written;
