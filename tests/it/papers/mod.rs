//! Shipping and tax as they are charged, and the papers about money.

mod shipping;
