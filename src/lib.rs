//! muster: the group-buy server that shops run themselves.
//!
//! Data flows one way: a request, a due date or a webhook comes in at an adapter (`web`, `jobs`, `stripe`, `mail`,
//! `sandbox`), one workflow loads and decides with the pure `domain`, the `store` keeps it, and a job row carries what
//! the world must hear. `domain <- store <- workflows <- adapters <- app`; `tests/tidy.rs` keeps the directions.

pub mod app;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod hooks;
pub mod jobs;
pub mod mail;
pub mod sandbox;
pub mod secret;
pub mod store;
pub mod stripe;
pub mod web;
pub mod workflows;
