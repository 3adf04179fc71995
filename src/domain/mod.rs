//! The rules, pure: no database, no web, no provider, no clock read.

pub mod campaign;
pub mod ids;
pub mod order;
pub mod payment;
pub mod purchase_order;
pub mod staff;
pub mod words;
