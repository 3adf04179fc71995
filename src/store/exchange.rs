//! Rows of everybody, one merchant or one campaign in the order of their ids, page by page: what is taken out of the
//! program.

use diesel::prelude::*;

use super::campaigns::CampaignRow;
use super::orders::OrderRow;
use super::schema::{batches, campaigns, orders, shipments, waiting};
use super::shipments::ShipmentRow;
use super::waiting::WaitingRow;
use super::{Conn, StoreError};
use crate::domain::ids::{CampaignId, MerchantId, OrderId, ShipmentId};

/// Campaigns in the order of their ids, of everybody or of one merchant, after `after`; with `one`, that one alone.
pub fn campaigns_after(
    conn: &mut Conn,
    merchant: Option<MerchantId>,
    one: Option<CampaignId>,
    after: Option<CampaignId>,
    limit: i64,
) -> Result<Vec<CampaignRow>, StoreError> {
    let mut query = campaigns::table
        .select(CampaignRow::as_select())
        .order(campaigns::id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(merchant) = merchant {
        query = query.filter(campaigns::merchant_id.eq(merchant));
    }
    if let Some(one) = one {
        query = query.filter(campaigns::id.eq(one));
    }
    if let Some(after) = after {
        query = query.filter(campaigns::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Orders in the order of their ids, of everybody, one merchant or one campaign, after `after`.
pub fn orders_after(
    conn: &mut Conn,
    merchant: Option<MerchantId>,
    campaign: Option<CampaignId>,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<OrderRow>, StoreError> {
    let mut query = orders::table
        .select(OrderRow::as_select())
        .order(orders::id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(merchant) = merchant {
        query = query.filter(orders::merchant_id.eq(merchant));
    }
    if let Some(campaign) = campaign {
        let its_batches = batches::table
            .filter(batches::campaign_id.eq(campaign))
            .select(batches::id);
        query = query.filter(orders::batch_id.eq_any(its_batches));
    }
    if let Some(after) = after {
        query = query.filter(orders::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Places on waiting lists with their orders, in the order of the orders' ids, of everybody, one merchant or one campaign,
/// after `after`.
pub fn waiting_after(
    conn: &mut Conn,
    merchant: Option<MerchantId>,
    campaign: Option<CampaignId>,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<(WaitingRow, OrderRow)>, StoreError> {
    let mut query = waiting::table
        .inner_join(orders::table.on(orders::id.eq(waiting::order_id)))
        .select((WaitingRow::as_select(), OrderRow::as_select()))
        .order(waiting::order_id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(merchant) = merchant {
        query = query.filter(orders::merchant_id.eq(merchant));
    }
    if let Some(campaign) = campaign {
        query = query.filter(waiting::campaign_id.eq(campaign));
    }
    if let Some(after) = after {
        query = query.filter(waiting::order_id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// The orders with these ids, in any order.
pub fn orders_of(conn: &mut Conn, ids: &[OrderId]) -> Result<Vec<OrderRow>, StoreError> {
    Ok(orders::table
        .filter(orders::id.eq_any(ids))
        .select(OrderRow::as_select())
        .load(conn)?)
}

/// Parcels in the order of their ids, of everybody, one merchant or one campaign, after `after`.
pub fn shipments_after(
    conn: &mut Conn,
    merchant: Option<MerchantId>,
    campaign: Option<CampaignId>,
    after: Option<ShipmentId>,
    limit: i64,
) -> Result<Vec<ShipmentRow>, StoreError> {
    let mut query = shipments::table
        .select(ShipmentRow::as_select())
        .order(shipments::id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(merchant) = merchant {
        query = query.filter(shipments::merchant_id.eq(merchant));
    }
    if let Some(campaign) = campaign {
        let its_batches = batches::table
            .filter(batches::campaign_id.eq(campaign))
            .select(batches::id);
        query = query.filter(shipments::batch_id.eq_any(its_batches));
    }
    if let Some(after) = after {
        query = query.filter(shipments::id.gt(after));
    }
    Ok(query.load(conn)?)
}
