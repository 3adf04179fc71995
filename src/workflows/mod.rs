//! One use case per file: load and lock, let the domain decide, keep, and enqueue what the world must hear.
//!
//! The only place that changes what is kept. Nothing here talks to the outside: the jobs do, between transactions.

pub mod accounts;
pub mod allocate;
pub mod audit;
pub mod bells;
pub mod campaigns;
pub mod cancel;
pub mod change;
pub mod claims;
pub mod desk;
pub mod dispute;
pub mod eta;
pub mod evidence;
pub mod exchange;
pub mod forms;
pub mod give_back;
pub mod join;
pub mod judgement;
pub mod letters;
pub mod links;
pub mod money;
pub mod names;
pub mod notices;
pub mod office;
pub mod papers;
pub mod part;
pub mod payment;
pub mod pictures;
pub mod ports;
pub mod posts;
pub mod purchase;
pub mod receive;
pub mod recover;
pub mod refund;
pub mod ship;
pub mod short;
pub mod signs;
pub mod stock_sale;
pub mod suppliers;
pub mod tracking;
pub mod withdraw;
