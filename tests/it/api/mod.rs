//! The JSON API, as programs use it: each answer is checked against the served description.

pub mod caller;
mod campaigns;
mod cards;
mod disputes;
mod guards;
mod ideas;
mod idempotency;
mod orders;
mod refusals;
mod shortfall;
mod story;
