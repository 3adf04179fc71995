//! One program for all integration tests: it links once, and shares what the tests stand on.

#[macro_use]
mod support;

mod admin;
mod after;
mod api;
mod bad_days;
mod batches;
mod browser;
mod cards;
mod changes;
mod databases;
mod dates;
mod goods;
mod interest;
mod minimum;
mod notices;
mod papers;
mod shop;
mod story;
mod supply;
mod tell;
mod waiting;
