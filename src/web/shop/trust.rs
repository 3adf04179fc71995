//! A merchant's record, campaign by campaign: what was promised against what happened, and the money (look.md, the trust
//! page). Counted from parcels and orders with one grouped query each; where that takes long it is kept for a while, so
//! that a page costs the same however many orders stand behind it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;

use crate::domain::campaign::CampaignState;
use crate::domain::day::day_of;
use crate::domain::ids::{CampaignId, MerchantId};
use crate::store::Conn;
use crate::store::campaigns::CampaignRow;
use crate::store::pages::{self, Handover, PlacedOrder};
use crate::web::tongue::say;
use crate::web::view::{Badge, Day, Link, Moment, TrustRow, plural};
use crate::workflows::desk::{Problem, offer};
use crate::workflows::signs;

/// What is counted for one merchant.
#[derive(Debug, Default)]
struct Counted {
    /// Charged and gone back, in minor units.
    money: HashMap<CampaignId, (i64, i64)>,
    handovers: Vec<Handover>,
    placed: Vec<PlacedOrder>,
}

type Kept = (Instant, Duration, Arc<Counted>);

/// Counts that took long, for a while.
#[derive(Default)]
pub struct Counts {
    kept: Mutex<HashMap<MerchantId, Kept>>,
}

/// What is counted faster than this is counted each time.
const QUICK: Duration = Duration::from_millis(50);
/// The longest that a count is kept.
const LONGEST: Duration = Duration::from_secs(60);

impl Counts {
    fn of(
        &self,
        conn: &mut Conn,
        merchant: MerchantId,
        ids: &[CampaignId],
    ) -> Result<Arc<Counted>, Problem> {
        let lock = || match self.kept.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some((at, long, counted)) = lock().get(&merchant)
            && at.elapsed() < *long
        {
            return Ok(counted.clone());
        }
        let begun = Instant::now();
        let counted = Arc::new(Counted {
            money: pages::money_of(conn, ids)?
                .into_iter()
                .map(|(id, charged, refunded)| (id, (charged, refunded)))
                .collect(),
            handovers: pages::handovers(conn, ids)?,
            placed: pages::placed_orders(conn, ids)?,
        });
        let took = begun.elapsed();
        if took > QUICK {
            // Counting takes a fiftieth of the time at most.
            let long = (took * 50).min(LONGEST);
            let mut kept = lock();
            if kept.len() > 1000 {
                kept.clear();
            }
            kept.insert(merchant, (Instant::now(), long, counted.clone()));
        }
        Ok(counted)
    }

    /// The record of these campaigns of a merchant, in their order.
    ///
    /// # Errors
    /// What the database says.
    pub fn rows(
        &self,
        conn: &mut Conn,
        merchant: MerchantId,
        campaigns: &[CampaignRow],
        now: DateTime<Utc>,
    ) -> Result<Vec<TrustRow>, Problem> {
        let ids: Vec<CampaignId> = campaigns.iter().map(|row| row.id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let counted = self.of(conn, merchant, &ids)?;
        campaigns
            .iter()
            .map(|row| counted.row(row, signs::waits(conn, row)?, now))
            .collect()
    }
}

impl Counted {
    fn row(
        &self,
        campaign: &CampaignRow,
        waits: bool,
        now: DateTime<Utc>,
    ) -> Result<TrustRow, Problem> {
        let draft = offer(campaign)?;
        let zone = draft.time_zone;
        let moment = |at: NaiveDateTime| Moment::new(at.and_utc(), zone);
        let (charged, refunded) = self.money.get(&campaign.id).copied().unwrap_or_default();
        let placed = self.placed.iter().filter(|po| po.campaign == campaign.id);
        let first = placed.clone().map(|po| po.sent_at).min();
        let acknowledged = placed.filter_map(|po| po.acknowledged_at).min();
        let promised = draft.promised_ship_date;
        Ok(TrustRow {
            campaign: Link::new(format!("/c/{}", campaign.slug), &campaign.title),
            badge: Badge::campaign(campaign.state.as_str()),
            promised: Day(promised),
            actual: match lateness(&self.handovers, campaign.id, promised, zone) {
                Some(late) => late.said(),
                None => nothing_shipped(campaign.state, promised, day_of(now, zone)),
            },
            collected: say(charged, &campaign.currency),
            refunded: say(refunded, &campaign.currency),
            placed: first.map(moment),
            acknowledged: acknowledged.map(moment),
            last_sign: campaign.last_sign_at.or(campaign.published_at).map(moment),
            quiet: signs::quiet(campaign, waits, now)
                .filter(|(_, days)| *days >= signs::SHOWN_AFTER)
                .map(|(_, days)| plural(days, "day")),
        })
    }
}

/// How many days after the promised day parcels were handed over; negative: before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lateness {
    parcels: i64,
    first: i64,
    median: i64,
    last: i64,
}

impl Lateness {
    fn said(self) -> String {
        if self.parcels == 1 {
            return days(self.last);
        }
        if self.first == self.last {
            return format!("all {}", days(self.last));
        }
        format!("median {}, last {}", days(self.median), days(self.last))
    }
}

/// What stands where nothing was handed over.
fn nothing_shipped(state: CampaignState, promised: NaiveDate, today: NaiveDate) -> String {
    let over = (today - promised).num_days();
    match state {
        CampaignState::Failed => "not shipped, refunded".to_owned(),
        CampaignState::Ordered | CampaignState::Fulfilling if over > 0 => {
            format!("not shipped, {} late", plural(over, "day"))
        }
        _ => "not shipped yet".to_owned(),
    }
}

/// "3 days late", "on the day", "2 days early".
fn days(late: i64) -> String {
    match late {
        0 => "on the day".to_owned(),
        n if n > 0 => format!("{} late", plural(n, "day")),
        n => format!("{} early", plural(-n, "day")),
    }
}

/// The lateness of a campaign's parcels, by the days of its zone; of an even number the later of the two in the middle.
fn lateness(
    handovers: &[Handover],
    campaign: CampaignId,
    promised: NaiveDate,
    zone: Tz,
) -> Option<Lateness> {
    let mut late: Vec<(i64, i64)> = handovers
        .iter()
        .filter(|h| h.campaign == campaign)
        .map(|h| {
            let day = day_of(h.handed_over_at.and_utc(), zone);
            ((day - h.promised.unwrap_or(promised)).num_days(), h.parcels)
        })
        .collect();
    late.sort_unstable();
    let sum: i64 = late.iter().map(|(_, parcels)| parcels).sum();
    let ((first, _), (last, _)) = (*late.first()?, *late.last()?);
    let mut seen = 0;
    let middle = late.iter().find(|(_, parcels)| {
        seen += parcels;
        seen > sum / 2
    });
    let median = middle.map_or(last, |(days, _)| *days);
    Some(Lateness {
        parcels: sum,
        first,
        median,
        last,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handed_over(campaign: CampaignId, at: &str, parcels: i64) -> Handover {
        Handover {
            campaign,
            handed_over_at: at.parse().unwrap(),
            promised: Some("2026-09-01".parse().unwrap()),
            parcels,
        }
    }

    /// Where the campaign promised 11 September.
    fn told(all: &[Handover], id: CampaignId, zone: Tz) -> Option<Lateness> {
        lateness(all, id, "2026-09-11".parse().unwrap(), zone)
    }

    #[test]
    fn the_median_is_of_parcels_and_the_last_is_the_latest() {
        let id = CampaignId::new();
        let all = [
            handed_over(id, "2026-09-14T10:00:00", 1),
            handed_over(id, "2026-08-30T10:00:00", 2),
            handed_over(id, "2026-09-04T10:00:00", 4),
            handed_over(CampaignId::new(), "2026-12-24T10:00:00", 90),
        ];
        let late = told(&all, id, Tz::UTC).unwrap();
        assert_eq!(late.said(), "median 3 days late, last 13 days late");
        assert_eq!(told(&all[..1], id, Tz::UTC).unwrap().said(), "13 days late");
        assert_eq!(
            told(&all[2..3], id, Tz::UTC).unwrap().said(),
            "all 3 days late"
        );
        assert_eq!(told(&[], id, Tz::UTC), None);
        let by_campaign = Handover {
            promised: None,
            ..all[0].clone()
        };
        let late = told(&[by_campaign], id, Tz::UTC).unwrap();
        assert_eq!(late.said(), "3 days late");
    }

    #[test]
    fn days_are_those_of_the_campaigns_zone() {
        let id = CampaignId::new();
        let all = [handed_over(id, "2026-09-01T23:30:00", 1)];
        assert_eq!(told(&all, id, Tz::UTC).unwrap().said(), "on the day");
        let lisbon = told(&all, id, Tz::Europe__Lisbon).unwrap();
        assert_eq!(lisbon.said(), "1 day late");
    }

    #[test]
    fn what_was_not_shipped_says_so() {
        let promised: NaiveDate = "2026-09-01".parse().unwrap();
        let said = |state, today: &str| nothing_shipped(state, promised, today.parse().unwrap());
        assert_eq!(
            said(CampaignState::Ordered, "2026-09-01"),
            "not shipped yet"
        );
        assert_eq!(
            said(CampaignState::Ordered, "2026-09-13"),
            "not shipped, 12 days late"
        );
        assert_eq!(
            said(CampaignState::Failed, "2026-09-13"),
            "not shipped, refunded"
        );
    }
}
