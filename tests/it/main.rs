//! One program for all integration tests: it links once, and shares what the tests stand on.

#[macro_use]
mod support;

mod admin;
mod after;
mod api;
mod bad_days;
mod browser;
mod databases;
mod dates;
mod goods;
mod minimum;
mod notices;
mod shop;
mod story;
mod supply;
mod tell;

#[path = "cards/pages.rs"]
mod card_pages;
