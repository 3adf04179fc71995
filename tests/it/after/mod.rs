//! What comes after the door, withdrawal, refunds by staff, and what a shopper changes of an order.

mod api;
mod changes;
pub mod claims;
pub mod goods;
mod refunds;
mod withdrawal;
