//! From the delivery to the doorstep.

mod api;
mod late;
mod panel;
mod parcels;
mod receipts;
pub mod scene;
mod short;
mod tracking;
