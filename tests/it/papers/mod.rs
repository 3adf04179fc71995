//! Shipping and tax as they are charged, the papers about money, and how amounts are written.

mod evidence;
mod languages;
mod receipts;
mod shipping;
