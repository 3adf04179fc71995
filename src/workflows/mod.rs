//! One use case per file: load and lock, let the domain decide, keep, and enqueue what the world must hear.

pub mod letters;
pub mod ports;
