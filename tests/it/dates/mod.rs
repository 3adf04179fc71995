//! Dates that move, as people meet them: the notice's page, the order's, the campaign's, and the panel's.

mod notice;
mod order;
mod panel;
mod today;

use chrono::{Duration, NaiveDate};
use muster::domain::campaign::CampaignState;
use muster::domain::ids::{BatchId, OrderId};
use muster::domain::order::Delivery;
use muster::store::campaigns::CampaignRow;
use muster::store::notices::{self, NoticeRow};
use muster::workflows::notices::{Moved, announce, moved};
use muster::workflows::receive::{Count, Counted, receive};
use muster::workflows::ship::{NewParcel, When, record};
use serde_json::{Value, json};

use crate::support::shop::{GOOD_CARD, Shop};

/// A batch that is with its supplier, and its orders of two sets each.
pub struct Late {
    pub campaign: CampaignRow,
    pub batch: BatchId,
    pub orders: Vec<OrderId>,
}

/// Somebody joins for each address and pays; the supplier's order goes out.
pub async fn ordered(shop: &Shop, mails: &[&str]) -> Late {
    ordered_as(shop, mails, |_| {}).await
}

/// As [`ordered`], of another campaign.
pub async fn ordered_as(shop: &Shop, mails: &[&str], change: impl FnOnce(&mut Value)) -> Late {
    let mut body = shop.example_a();
    body["threshold"]["target"] = json!(1);
    change(&mut body);
    let campaign = shop.publish(body).await;
    let mut orders = Vec::new();
    for mail in mails {
        let mut wish = shop.wish(&campaign, mail, 2);
        wish.delivery = Delivery::AsAvailable;
        let placed = shop.running.app.office.join(wish).await.unwrap();
        shop.settle().await;
        assert_eq!(shop.pay(placed.order.id, GOOD_CARD).await, 303);
        shop.settle().await;
        orders.push(placed.order.id);
    }
    shop.advance(Duration::days(7) + Duration::minutes(5)).await;
    shop.expect_state(&campaign, CampaignState::Ordered).await;
    Late {
        batch: shop.batch(&campaign).await.id,
        campaign,
        orders,
    }
}

impl Late {
    /// The ship date promised to everybody.
    pub fn promised(&self) -> NaiveDate {
        let draft = muster::workflows::desk::offer(&self.campaign).unwrap();
        draft.promised_ship_date
    }

    /// So many days after the promised date.
    pub fn after(&self, days: i64) -> NaiveDate {
        self.promised() + Duration::days(days)
    }

    /// Staff set a date, and its notices are sent. None: not known.
    pub async fn moves(&self, shop: &Shop, ship_date: Option<NaiveDate>) {
        let (batch, now) = (self.batch, shop.now());
        let asked = Moved {
            ship_date,
            reason: "The kiln broke.".into(),
            ..Moved::default()
        };
        shop.write(move |desk, tx| {
            let checked = moved(tx.conn, batch, asked.clone(), now)?;
            announce(desk, tx, batch, checked, "Ines")
        })
        .await
        .unwrap();
        shop.settle().await;
    }

    /// The last notice to an order.
    pub async fn notice(&self, shop: &Shop, order: usize) -> NoticeRow {
        let id = self.orders[order];
        let all = shop.read(move |c| notices::of_order(c, id)).await;
        all.last().cloned().expect("a notice")
    }

    /// The page of the last notice to an order.
    pub async fn page(&self, shop: &Shop, order: usize) -> String {
        let notice = self.notice(shop, order).await;
        let links = &shop.running.app.office.desk().links;
        format!("/d/{}", links.notice_token(notice.id))
    }

    /// Time goes on to an hour of a day.
    pub async fn until(&self, shop: &Shop, day: NaiveDate, hour: u32) {
        let at = day.and_hms_opt(hour, 30, 0).unwrap().and_utc();
        shop.advance(at - shop.now()).await;
    }
}

/// A day as pages say it.
pub fn said(day: NaiveDate) -> String {
    day.format("%-d %B %Y").to_string()
}

impl Late {
    /// Good sets are counted in.
    pub async fn arrive(&self, shop: &Shop, sets: i64) {
        let (merchant, batch) = (shop.merchant, self.batch);
        let count = Count {
            lines: vec![Counted {
                sku: "set".into(),
                good: sets,
                damaged: 0,
            }],
            by: "Ines".into(),
            ..Count::default()
        };
        shop.write(move |_, tx| receive(tx, merchant, batch, &count))
            .await
            .unwrap();
        shop.settle().await;
    }

    /// The carrier takes sets of an order.
    pub async fn send(&self, shop: &Shop, order: usize, sets: i64, when: When) {
        let new = NewParcel {
            order: self.orders[order],
            lines: vec![("set".into(), sets)],
            carrier: Some("UPS".into()),
            tracking_number: Some("1Z999".into()),
            when,
            by: "Ines".into(),
        };
        let merchant = shop.merchant;
        shop.write(move |desk, tx| record(desk, tx, merchant, &new))
            .await
            .unwrap();
        shop.settle().await;
    }
}
