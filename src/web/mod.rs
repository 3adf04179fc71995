//! What the browser talks to: pages, static files, the switch of the look.
//!
//! `view` holds the view models and their templates: plain data in, HTML out. They know nothing of the store or of a
//! workflow; a handler fills them. `pages` turns them into answers.

pub mod assets;
mod health;
pub mod pages;
mod site;
pub mod theme;
pub mod view;
mod webhooks;

pub use site::{Site, guard_requests};
