//! The rules, pure: no database, no web, no provider, no clock read.

pub mod ids;
