//! What the browser and other programs talk to: pages, static files, the switch of the look, the JSON API.
//!
//! `view` holds the view models and their templates: plain data in, HTML out. They know nothing of the store or of a
//! workflow; a handler fills them. `pages` turns them into answers. `guard` stands before all of them. `snapshot` keeps
//! the public pages in memory, `live` tells those who look at them what moves.

pub mod admin;
pub mod api;
pub mod assets;
pub mod guard;
mod health;
pub mod live;
pub mod order;
pub mod pages;
pub mod shop;
mod site;
pub mod snapshot;
pub mod supplier;
pub mod theme;
mod tongue;
mod upload;
pub mod view;

pub use site::Site;
