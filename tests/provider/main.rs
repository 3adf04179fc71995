//! The built-in payment provider, from outside: every endpoint, every test card, and each exchange checked against
//! Stripe's official description.

mod driver;
#[path = "../stripe_spec/mod.rs"]
mod stripe_spec;

mod api;
mod checker;
mod client;
mod keys;
mod kill;
mod money;
mod paying;
mod saved;
mod world;
