//! The port against a stand-in that remembers each request: parameters, answers and bad endings.

mod calls;
mod endings;
mod fake;
mod objects;
mod webhooks;
