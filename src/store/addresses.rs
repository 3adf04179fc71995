//! What a shopper may change of an order until it is packed: where it goes and in how many parcels.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::orders::OrderRow;
use super::schema::{batches, orders};
use super::{Conn, StoreError};
use crate::domain::ids::{BatchId, OrderId};
use crate::domain::order::Delivery;

/// Keeps the name and the address that an order has now, with its country.
pub fn save(conn: &mut Conn, order: &OrderRow) -> Result<(), StoreError> {
    diesel::update(orders::table.find(order.id))
        .set((
            orders::name.eq(&order.name),
            orders::address.eq(&order.address),
            orders::country.eq(&order.country),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keeps another choice of parcels.
pub fn save_delivery(conn: &mut Conn, id: OrderId, delivery: Delivery) -> Result<(), StoreError> {
    diesel::update(orders::table.find(id))
        .set(orders::delivery.eq(delivery))
        .execute(conn)?;
    Ok(())
}

/// Keeps the first day on which shoppers of a batch cannot change their address any more; none: until it is picked.
pub fn save_lock(conn: &mut Conn, id: BatchId, from: Option<NaiveDate>) -> Result<(), StoreError> {
    diesel::update(batches::table.find(id))
        .set(batches::address_lock.eq(from))
        .execute(conn)?;
    Ok(())
}
