//! Delays: the shopper decides (domain section 6). Ship dates that move, what shoppers answer, what their silence does.

mod answers;
mod api;
mod days;
mod endings;
mod examples;
mod mails;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc};
use muster::domain::ids::{BatchId, NoticeId, OrderId};
use muster::domain::order::OrderState;
use muster::domain::promise::{Answer, Answered};
use muster::store::etas::EtaRow;
use muster::store::notices::{self as rows, NoticeRow};
use muster::store::promises::{self, PromiseRow};
use muster::workflows::desk::Problem;
use muster::workflows::notices::{self, Moved};
use serde_json::{Value, json};

use crate::goods::scene::{Scene, Wish, ordered_with};
use crate::support::shop::Shop;

/// D of the worked examples: a first of March, far enough ahead.
pub fn first_of_march(shop: &Shop) -> NaiveDate {
    let today = shop.now().date_naive();
    let this_year = NaiveDate::from_ymd_opt(today.year(), 3, 1).unwrap();
    if today + Days::new(60) < this_year {
        this_year
    } else {
        NaiveDate::from_ymd_opt(today.year() + 1, 3, 1).unwrap()
    }
}

/// A day of that year.
pub fn of_year(d: NaiveDate, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(d.year(), month, day).unwrap()
}

/// Orders whose supplier's order is out, promised to be shipped by D; the stop-loss date is the first of July.
pub async fn promised(
    shop: &Shop,
    wishes: &[Wish],
    differs: impl FnOnce(&mut Value),
) -> (Scene, NaiveDate) {
    let d = first_of_march(shop);
    let scene = ordered_with(shop, wishes, |body| {
        body["promised_ship_date"] = json!(d);
        body["stop_loss_date"] = json!(of_year(d, 7, 1));
        differs(body);
    })
    .await;
    (scene, d)
}

/// A time of a day.
pub fn at(date: NaiveDate, time: &str) -> DateTime<Utc> {
    let time: NaiveTime = format!("{time}:00").parse().unwrap();
    date.and_time(time).and_utc()
}

/// The clock comes to this time, visiting each due time, if it is not later already.
pub async fn until(shop: &Shop, time: DateTime<Utc>) {
    let left = time - shop.now();
    shop.advance(left.max(chrono::Duration::zero())).await;
}

/// Noon of a day comes.
pub async fn noon(shop: &Shop, date: NaiveDate) {
    until(shop, at(date, "12:00")).await;
}

pub fn days_after(date: NaiveDate, days: u64) -> NaiveDate {
    date + Days::new(days)
}

pub fn days_before(date: NaiveDate, days: u64) -> NaiveDate {
    date - Days::new(days)
}

/// What staff write.
pub fn ships(date: Option<NaiveDate>) -> Moved {
    Moved {
        ship_date: date,
        reason: "The kiln is late.".into(),
        ..Moved::default()
    }
}

/// Staff set a date, and everybody is told.
pub async fn announce(shop: &Shop, batch: BatchId, moved: Moved) -> Result<EtaRow, Problem> {
    let row = shop
        .write(move |desk, tx| {
            let moved = notices::moved(tx.conn, batch, moved.clone(), tx.now)?;
            notices::announce(desk, tx, batch, moved, "Ines")
        })
        .await;
    shop.settle().await;
    row
}

/// Staff say that it ships then.
pub async fn ships_by(shop: &Shop, scene: &Scene, date: NaiveDate) -> EtaRow {
    announce(shop, scene.batch, ships(Some(date)))
        .await
        .unwrap()
}

pub async fn notices_of(shop: &Shop, order: OrderId) -> Vec<NoticeRow> {
    shop.read(move |c| rows::of_order(c, order)).await
}

/// The last notice to an order.
pub async fn last_notice(shop: &Shop, order: OrderId) -> NoticeRow {
    notices_of(shop, order)
        .await
        .pop()
        .expect("it was written to")
}

pub async fn promise_of(shop: &Shop, order: OrderId) -> PromiseRow {
    shop.read(move |c| promises::of_order(c, order))
        .await
        .expect("it was paid")
}

/// A shopper answers a notice.
pub async fn answer(shop: &Shop, notice: NoticeId, said: Answer) -> Result<Answered, Problem> {
    let answered = shop
        .write(move |desk, tx| notices::answer(desk, tx, notice, said, "203.0.113.7"))
        .await;
    shop.settle().await;
    answered
}

/// A shopper answers the last notice.
pub async fn answers(shop: &Shop, order: OrderId, said: Answer) -> Result<Answered, Problem> {
    let notice = last_notice(shop, order).await;
    answer(shop, notice.id, said).await
}

/// The order is cancelled, and everything it paid went back.
pub async fn is_refunded(shop: &Shop, order: OrderId) {
    let row = shop.order(order).await;
    assert_eq!(row.state, OrderState::Cancelled, "{row:#?}");
    assert_eq!((row.refunded, row.refund_due), (row.charged, 0), "{row:#?}");
    assert_eq!(shop.at_provider(order).await, (row.charged, row.charged));
}

/// The order still waits, and nothing but a price difference went back.
pub async fn waits(shop: &Shop, order: OrderId) {
    let row = shop.order(order).await;
    assert_eq!(row.state, OrderState::Backordered, "{row:#?}");
    assert!(row.money().kept() > 0, "{row:#?}");
}

/// How many mails to the n-th shopper say it in their subject.
pub async fn told(shop: &Shop, n: usize, words: &str) -> usize {
    let all = shop.mail_to(&format!("s{n}@mail.example")).await;
    all.iter().filter(|subject| subject.contains(words)).count()
}

/// How many mails to staff say it in their subject.
pub async fn staff_told(shop: &Shop, words: &str) -> usize {
    let all = shop.mail_to("hello@fern.example").await;
    all.iter().filter(|subject| subject.contains(words)).count()
}
