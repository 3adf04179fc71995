//! When a campaign was published, and when it opens.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::domain::ids::CampaignId;
use crate::store::schema::campaigns;
use crate::store::{Conn, StoreError};

/// Marks a campaign as published. None: when it opens is not settled yet.
pub fn set_published(
    conn: &mut Conn,
    id: CampaignId,
    opens_at: Option<NaiveDateTime>,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::update(campaigns::table.find(id))
        .set((
            campaigns::published_at.eq(now),
            campaigns::opens_at.eq(opens_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Settles when a campaign opens, with the offer that says so.
pub fn set_opening(
    conn: &mut Conn,
    id: CampaignId,
    opens_at: NaiveDateTime,
    spec: &str,
) -> Result<(), StoreError> {
    diesel::update(campaigns::table.find(id))
        .set((campaigns::opens_at.eq(opens_at), campaigns::spec.eq(spec)))
        .execute(conn)?;
    Ok(())
}
