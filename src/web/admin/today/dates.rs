//! What waits because days come near: promises with unshipped orders, answers that are still out, last days, notices that
//! did not arrive.

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::Thing;
use crate::domain::campaign::{BatchState, CampaignState};
use crate::domain::day::day_of;
use crate::domain::promise::{PROMISE_WARNINGS, STOP_LOSS_WARNINGS, day_after, warning_due};
use crate::store::answers::{self, Ending, Stand};
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::{Conn, campaigns};
use crate::web::admin::dates::amount_of;
use crate::web::admin::kit::zone_of;
use crate::web::view::{Day, Link, plural};
use crate::workflows::desk::Problem;

/// How far ahead is looked, in days: as far as the first warning.
const AHEAD: i64 = 14;

/// A batch, and the day it is for its campaign.
struct Case<'a> {
    campaign: &'a CampaignRow,
    batch: &'a BatchRow,
    today: NaiveDate,
}

/// What comes near of a campaign's batches that are not over.
pub(super) fn near(
    conn: &mut Conn,
    campaign: &CampaignRow,
    now: DateTime<Utc>,
    things: &mut Vec<Thing>,
) -> Result<(), Problem> {
    if !matches!(
        campaign.state,
        CampaignState::Open
            | CampaignState::Collecting
            | CampaignState::Ordered
            | CampaignState::Fulfilling
    ) {
        return Ok(());
    }
    for batch in campaigns::batches_of(conn, campaign.id)? {
        if !matches!(batch.state, BatchState::Ordered | BatchState::Fulfilling) {
            continue;
        }
        let case = Case {
            campaign,
            batch: &batch,
            today: day_of(now, zone_of(campaign)),
        };
        let until = case.today + Duration::days(AHEAD);
        let unasked = answers::ending(conn, batch.id, until, false)?;
        things.extend(unasked.iter().filter_map(|end| case.promise(end)));
        let asked = answers::ending(conn, batch.id, until, true)?;
        things.extend(asked.iter().filter_map(|end| case.answers(end)));
        let last = answers::stop_loss(conn, batch.id, until)?;
        things.extend(last.iter().filter_map(|end| case.stop_loss(end)));
        things.extend(case.undelivered(answers::undelivered(conn, batch.id)?));
    }
    Ok(())
}

impl Case<'_> {
    fn about(&self) -> String {
        format!("{}, batch {}.", self.campaign.title, self.batch.number)
    }

    fn href(&self, stand: Option<Stand>) -> String {
        let page = format!("/admin/batches/{}/dates", self.batch.id);
        match stand {
            Some(stand) => format!("{page}?stand={}#h-answers", stand.as_str()),
            None => page,
        }
    }

    /// Days to go, where one of the warnings for a day has come.
    fn left(&self, day: NaiveDate, warnings: &[i64]) -> Option<i64> {
        warning_due(day, warnings, self.today)?;
        Some(day.signed_duration_since(self.today).num_days())
    }

    fn thing(&self, left: i64, title: String, text: String, deed: Link) -> Thing {
        Thing {
            tone: if left <= 3 { "bad" } else { "wait" },
            icon: "calendar",
            title,
            text: format!("{} {text}", self.about()),
            when: match left {
                0 => "until tonight".to_owned(),
                days => plural(days, "day"),
            },
            deed,
            urgency: left.max(1),
        }
    }

    /// Orders whose date comes, and of which nobody asked the shoppers to wait.
    fn promise(&self, end: &Ending) -> Option<Thing> {
        let left = self.left(end.day, PROMISE_WARNINGS)?;
        let title = match end.orders {
            1 => format!(
                "1 order is promised by {} and not shipped",
                Day(end.day).text()
            ),
            n => format!(
                "{n} orders are promised by {} and not shipped",
                Day(end.day).text()
            ),
        };
        let text = format!(
            "What is not shipped by then and was not asked to wait is refunded on {}: {} in all. 5 days before, the system \
             itself asks where the goods are not there or late.",
            Day(day_after(end.day)).text(),
            self.say(end)
        );
        let deed = Link::new(self.href(None), "Ship, or set a date");
        Some(self.thing(left, title, text, deed))
    }

    /// Shoppers who are still to answer.
    fn answers(&self, end: &Ending) -> Option<Thing> {
        let left = self.left(end.day, &[AHEAD])?;
        let title = match end.orders {
            1 => "1 shopper has not said whether to wait".to_owned(),
            n => format!("{n} shoppers have not said whether they wait"),
        };
        let text = format!(
            "If they say nothing by the end of {}, and it is not shipped, {} goes back the day after.",
            Day(end.day).text(),
            self.say(end)
        );
        let deed = Link::new(self.href(Some(Stand::Silent)), "See the answers");
        Some(Thing {
            tone: "wait",
            ..self.thing(left, title, text, deed)
        })
    }

    /// The last day of all comes near.
    fn stop_loss(&self, end: &Ending) -> Option<Thing> {
        let left = self.left(end.day, STOP_LOSS_WARNINGS)?;
        let title = format!(
            "{}: stop-loss in {}, {} unshipped",
            self.campaign.title,
            plural(left, "day"),
            plural(end.orders, "order")
        );
        let text = format!(
            "{} goes back by itself on {} if they are not with the carrier.",
            self.say(end),
            Day(day_after(end.day)).text()
        );
        let deed = Link::new(self.href(None), "Ship, or ask for a later day");
        Some(self.thing(left, title, text, deed))
    }

    /// Notices whose mail was given up.
    fn undelivered(&self, orders: i64) -> Option<Thing> {
        if orders == 0 {
            return None;
        }
        let title = match orders {
            1 => "A notice of a delay did not arrive".to_owned(),
            n => format!("{n} notices of a delay did not arrive"),
        };
        let text = "It counts as not sent: without another one the order is refunded after its date. Its page still takes \
                    an answer, so call or write another way."
            .to_owned();
        let deed = Link::new(self.href(Some(Stand::Undelivered)), "See whose");
        let mut thing = self.thing(2, title, text, deed);
        thing.icon = "mail";
        thing.when = "before the date".to_owned();
        Some(thing)
    }

    fn say(&self, end: &Ending) -> String {
        amount_of((end.kept, end.part), &self.campaign.currency)
    }
}
