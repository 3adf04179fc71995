//! A change of an order that is under way, as its page shows it, and whether another may be asked for.

use chrono::{DateTime, Utc};

use super::Facts;
use crate::domain::campaign::BatchState;
use crate::domain::order::OrderState;
use crate::store::changes::{self as rows, ChangeRow};
use crate::store::misc::HappeningRow;
use crate::store::orders::OrderRow;
use crate::store::{Conn, StoreError};
use crate::web::view::{ChangePart, Countdown, grouped};
use crate::workflows::changes::{goes_to, wanted};
use crate::workflows::desk::takes_orders;

/// Reads the change of an order that is under way.
///
/// # Errors
/// What the database says.
pub(super) fn read(conn: &mut Conn, order: &OrderRow) -> Result<Option<ChangeRow>, StoreError> {
    match order.state {
        OrderState::Confirmed => rows::under_way(conn, order.id),
        _ => Ok(None),
    }
}

/// What happened to a change, as the timeline has it: a few words, and what there is to say.
pub(super) fn told(happening: &HappeningRow) -> Option<(&'static str, &str)> {
    let by_shopper = happening.actor == "shopper";
    let title = match happening.kind.as_str() {
        "changed" if by_shopper => "You changed your order",
        "changed" => "The seller changed your order",
        "change_planned" if by_shopper => "You asked for a change",
        "change_planned" => "The seller asked for a change",
        "change_agreed" => "You agreed to the change",
        "change_address_lost" => "A change is lost",
        "change_withdrawn" => "The seller took it back",
        "change_ran_out" => "The change was not made",
        "change_too_late" => "The change came too late",
        _ => return None,
    };
    // The title says that it was changed, or was to be.
    let detail = happening.detail.as_str();
    Some((title, detail.strip_prefix("Changed: ").unwrap_or(detail)))
}

impl Facts {
    /// Whether what it is over may be changed now.
    pub fn may_change(&self, now: DateTime<Utc>) -> bool {
        let gathers = self
            .batch
            .as_ref()
            .is_some_and(|batch| batch.state == BatchState::Gathering);
        self.order.state == OrderState::Confirmed
            && self.change.is_none()
            && gathers
            && !self.agreed.from_stock
            && takes_orders(&self.campaign, now.naive_utc())
    }

    /// The change that is being paid.
    pub(super) fn change_part(
        &self,
        below: &dyn Fn(&str) -> String,
        now: DateTime<Utc>,
    ) -> Option<ChangePart> {
        let row = self.change.as_ref()?;
        let (agreed, to) = (wanted(row).ok()?, goes_to(row).ok()?);
        let mut pages = self.payments.iter();
        let page = pages.find(|page| Some(page.attempt) == row.attempt)?;
        let lines = agreed.lines.iter().zip(&agreed.quote.lines);
        let lines: Vec<String> = lines
            .map(|(line, priced)| format!("{} \u{d7} {}", grouped(priced.quantity), line.name))
            .collect();
        let open = !page.close_wanted;
        let asked = row.asked_by.is_some();
        Some(ChangePart {
            title: if open && asked {
                "A change of your order waits for you"
            } else if open {
                "Your change is not paid yet"
            } else {
                "The change is being taken back"
            },
            lines: vec![
                format!(
                    "{} for {}{}: {} in all.",
                    if asked {
                        format!("{} asks", self.seller().name)
                    } else {
                        "You asked".to_owned()
                    },
                    lines.join("; "),
                    to.map_or_else(String::new, |to| format!(
                        ", sent to {}",
                        to.lines().join(", ")
                    )),
                    self.say(agreed.quote.total),
                ),
                format!(
                    "{} is to be paid for it now. Until then your order stays as it is.",
                    self.say(page.amount)
                ),
            ],
            countdown: Countdown {
                now,
                until: self.moment(row.hold_expires_at),
                verb: "Its units are kept until",
                after: "",
            },
            pay: open.then(|| {
                if asked {
                    (below("/change/asked"), "Look at it and pay".to_owned())
                } else {
                    (below("/pay"), format!("Pay {}", self.say(page.amount)))
                }
            }),
            take_back: open.then(|| below("/change/back")),
        })
    }
}
