//! The port against a stand-in that remembers each request: parameters, answers and bad endings.

mod cards;
mod endings;
mod fake;
mod money;
mod objects;
mod pages;
mod rows;
mod webhooks;
