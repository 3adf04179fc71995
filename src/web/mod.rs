//! What the browser talks to: pages, static files, the switch of the look.
//!
//! `view` holds the view models and their templates: plain data in, HTML out. They know nothing of the store or of a
//! workflow; a handler fills them. `pages` turns them into answers.

pub mod admin;
pub mod assets;
pub mod pages;
pub mod theme;
pub mod view;
