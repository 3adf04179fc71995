//! What the browser and other programs talk to: pages, static files, the switch of the look, the JSON API.
//!
//! `view` holds the view models and their templates: plain data in, HTML out. They know nothing of the store or of a
//! workflow; a handler fills them. `pages` turns them into answers. `guard` stands before all of them.

pub mod admin;
pub mod api;
pub mod assets;
pub mod guard;
mod health;
pub mod pages;
mod site;
pub mod theme;
pub mod view;
mod webhooks;

pub use site::Site;
