//! The merchant's panel, through its forms.

mod campaigns;
mod entrance;
mod orders;
pub mod panel;
mod pictures;
mod suppliers;
