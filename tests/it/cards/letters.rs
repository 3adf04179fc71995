//! What is written to who saved a card or paid a deposit: no letter speaks of money that was not charged, or will not go
//! back.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::card::CardState;
use muster::domain::ids::OrderId;
use muster::domain::order::OrderState;
use muster::store::campaigns::CampaignRow;
use muster::store::{dues, jobs};
use muster::workflows::collect;
use muster::workflows::desk::enqueue;
use muster::workflows::join::JoinRequest;
use serde_json::{Value, json};

use super::{
    ASKS_ALWAYS, FAILS_LATER, completes, deadline_passes, due_of, joins, saved, saves, with_deposit,
};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

const ANA: &str = "a@mail.example";
const BO: &str = "b@mail.example";

/// The only letter of a kind to an address.
async fn letter(shop: &Shop, email: &str, kind: &str) -> String {
    let mut all = shop.letters_to(email, kind).await;
    assert_eq!(all.len(), 1, "{kind} to {email}: {all:#?}");
    all.remove(0)
}

fn says(letter: &str, words: &[&str]) {
    for said in words {
        assert!(letter.contains(said), "{said}: {letter}");
    }
}

fn says_nothing_of(letter: &str, words: &[&str]) {
    for said in words {
        assert!(!letter.contains(said), "{said}: {letter}");
    }
}

/// Red is made from three on; black from one on.
fn black_and_red(mut body: Value) -> Value {
    body["options"] = json!([
        {"sku": "set", "name": "Black", "prices": [10000, 9000, 8000]},
        {"sku": "lid", "name": "Red", "prices": [2000, 1800, 1500], "minimum": 3},
    ]);
    body
}

/// Joins with these lines, and saves the card or pays the deposit.
async fn saves_lines(
    shop: &Shop,
    campaign: &CampaignRow,
    email: &str,
    lines: &[(&str, i64)],
) -> OrderId {
    let mut wish = shop.wish(campaign, email, 1);
    wish.lines = lines.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect();
    let placed = shop.running.app.office.join(wish).await;
    let id = placed.expect("there is room").order.id;
    shop.settle().await;
    assert_eq!(completes(shop, id, GOOD_CARD).await, 303);
    id
}

/// Four of five were charged, and the grace window is over.
async fn one_is_missing(shop: &Shop) -> CampaignRow {
    let campaign = shop.publish(saved(shop)).await;
    saves(shop, &campaign, ANA, 4, GOOD_CARD).await;
    saves(shop, &campaign, BO, 2, FAILS_LATER).await;
    deadline_passes(shop, &campaign).await;
    shop.advance(Duration::days(7)).await;
    let short = letter(shop, ANA, "short_collected").await;
    says(&short, &["1 unit is missing", "If not, $360.00 goes back"]);
    campaign
}

both_databases! {
    async fn success_after_a_deposit_says_what_was_paid_and_what_follows(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(with_deposit(&shop, "returned")).await;
        saves(&shop, &campaign, ANA, 6, GOOD_CARD).await;
        deadline_passes(&shop, &campaign).await;
        let told = letter(&shop, ANA, "succeeded").await;
        says(&told, &["$540.00", "Deposit, paid", "$120.00",
            "The balance of $420.00 is charged when the goods arrive; you are told 3 days ahead"]);
        says_nothing_of(&told, &["$600.00", "Nothing more is charged", "You paid"]);
        shop.audit().await;
        shop.close().await;
    }

    async fn success_after_a_deposit_takes_what_is_not_made_off_the_balance(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(black_and_red(with_deposit(&shop, "returned"))).await;
        // 540.00 at joining, of which 108.00 now; 450.00 without the red ones, at step 5.
        let order = saves_lines(&shop, &campaign, ANA, &[("set", 5), ("lid", 2)]).await;
        deadline_passes(&shop, &campaign).await;
        let row = shop.order(order).await;
        assert_eq!((row.charged, row.final_total, row.owed), (10_800, Some(45_000), 34_200));
        let told = letter(&shop, ANA, "succeeded").await;
        says(&told, &["2 \u{d7} Red: too few were ordered", "what your order costs is computed without it",
            "$108.00", "The balance of $342.00"]);
        says_nothing_of(&told, &["in what goes back to you", "$540.00"]);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_saved_card_hears_what_is_not_made_and_why_less_is_charged(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(black_and_red(saved(&shop))).await;
        saves_lines(&shop, &campaign, ANA, &[("set", 5), ("lid", 1)]).await;
        let red = saves_lines(&shop, &campaign, BO, &[("lid", 1)]).await;
        deadline_passes(&shop, &campaign).await;
        let told = letter(&shop, ANA, "charging").await;
        says(&told, &["$450.00 is charged", "not made and not sent: 1 \u{d7} Red",
            "You joined for $520.00 at the most; the price fell, and what is not made is taken off."]);
        // Nothing of this one is left, and nothing was charged for it.
        assert_eq!(shop.order(red).await.state, OrderState::Cancelled);
        let told = letter(&shop, BO, "cancelled").await;
        says(&told, &["but without 1 \u{d7} Red", "Nothing was charged for it, and nothing will be"]);
        says_nothing_of(&told, &["goes back", "refund"]);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_moved_deadline_says_what_it_means_for_a_saved_card_and_for_who_waits(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = saved(&shop);
        body["options"][0]["cap"] = json!(7);
        let campaign = shop.publish(body).await;
        saves(&shop, &campaign, ANA, 5, GOOD_CARD).await;
        joins(&shop, &campaign, BO, 2, None).await;
        crate::waiting::waits(&shop, &campaign, "w@mail.example", 1).await;
        let (merchant, slug) = (shop.merchant, campaign.slug.clone());
        let (ends, ships) = (shop.now() + Duration::days(12), shop.now() + Duration::days(80));
        shop.write(move |_, tx| {
            muster::workflows::campaigns::extend(tx, merchant, &slug, ends, Some(ships.date_naive()))
        }).await.unwrap();
        shop.settle().await;
        let told = letter(&shop, ANA, "extended").await;
        says(&told, &["A mail of its own asks", "your card is charged only if the campaign comes together",
            "cancel on your order page, and nothing is charged"]);
        says_nothing_of(&told, &["go to others", "You may still", "goes back"]);
        let told = letter(&shop, BO, "extended").await;
        says(&told, &["go to others when its payment page runs out", "You may still save your card"]);
        let told = letter(&shop, "w@mail.example", "waiting_extended").await;
        says(&told, &["You still wait, at place 1", "joining now ends on", "The promised ship date moves from",
            "Nothing was charged"]);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_better_price_says_what_is_charged_less_later(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        saves(&shop, &campaign, ANA, 4, GOOD_CARD).await;
        saves(&shop, &campaign, BO, 1, GOOD_CARD).await;
        let told = letter(&shop, ANA, "step_reached").await;
        says(&told, &["your card is charged $360.00", "$40.00 less than was said when you joined",
            "cancel on your order page, and nothing is charged"]);
        says_nothing_of(&told, &["what you paid", "goes back"]);
        let mut body = with_deposit(&shop, "kept");
        body["title"] = json!("With a deposit");
        let campaign = shop.publish(body).await;
        saves(&shop, &campaign, "c@mail.example", 4, GOOD_CARD).await;
        saves(&shop, &campaign, "d@mail.example", 1, GOOD_CARD).await;
        let told = letter(&shop, "c@mail.example", "step_reached").await;
        says(&told, &["the balance of your order", "is $280.00, $40.00 less than was said when you joined"]);
        says_nothing_of(&told, &["goes back"]);
        shop.audit().await;
        shop.close().await;
    }

    async fn what_was_made_up_in_time_is_told_once_to_those_who_heard_that_it_was_missing(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = one_is_missing(&shop).await;
        let wish = JoinRequest {
            buys_missing: true,
            ..shop.wish(&campaign, "hello@fern.example", 1)
        };
        let bought = shop.running.app.office.join(wish).await.unwrap().order;
        shop.settle().await;
        assert_eq!(completes(&shop, bought.id, GOOD_CARD).await, 303);
        shop.advance(Duration::minutes(2)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        shop.advance(Duration::days(1)).await;
        let told = letter(&shop, ANA, "short_made_up").await;
        says(&told, &["was made up in time", "orders from the supplier", "Nothing more is charged"]);
        // Neither who was not paid in time, nor the merchant who bought it, heard that it was missing.
        for other in [BO, "hello@fern.example"] {
            assert!(shop.letters_to(other, "short_made_up").await.is_empty(), "{other}");
        }
        shop.audit().await;
        shop.close().await;
    }

    async fn each_round_about_a_shortfall_is_told_once_however_often_it_is_gone_through(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = one_is_missing(&shop).await;
        let batch = shop.batch(&campaign).await.id;
        let again = async |round: &str| {
            let subject = format!("{batch}:{round}");
            shop.write(move |_, tx| {
                let now = tx.now.naive_utc();
                enqueue(tx, jobs::SHORTFALL_TOLD, &subject, now)
            }).await.unwrap();
            shop.settle().await;
            let short = shop.letters_to(ANA, "short_collected").await.len();
            (short, shop.letters_to(ANA, "short_made_up").await.len())
        };
        for _ in 0..2 {
            assert_eq!(again("begun").await, (1, 0));
        }
        let wish = JoinRequest {
            buys_missing: true,
            ..shop.wish(&campaign, "hello@fern.example", 1)
        };
        let bought = shop.running.app.office.join(wish).await.unwrap().order;
        shop.settle().await;
        assert_eq!(completes(&shop, bought.id, GOOD_CARD).await, 303);
        shop.advance(Duration::minutes(2)).await;
        for round in ["made_up", "made_up", "begun"] {
            assert_eq!(again(round).await, (1, 1), "{round}");
        }
        // Who bought what was missing never hears that it was: not even when the first round comes late.
        assert!(shop.letters_to("hello@fern.example", "short_collected").await.is_empty());
        shop.audit().await;
        shop.close().await;
    }

    async fn what_stays_missing_is_the_reason_that_the_last_letter_gives(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = one_is_missing(&shop).await;
        shop.advance(Duration::hours(48) + Duration::minutes(1)).await;
        shop.expect_state(&campaign, CampaignState::Failed).await;
        let told = letter(&shop, ANA, "failed").await;
        says(&told, &["1 unit was missing after all cards were charged", "$360.00 goes back"]);
        says_nothing_of(&told, &["nothing was left to order"]);
        assert!(shop.letters_to(ANA, "short_made_up").await.is_empty());
        shop.audit().await;
        shop.close().await;
    }

    async fn a_card_saved_after_its_order_was_cancelled_is_said_not_to_be_kept(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let order = joins(&shop, &campaign, ANA, 6, None).await;
        shop.cancel(order).await.unwrap();
        assert_eq!(completes(&shop, order, GOOD_CARD).await, 303);
        let row = shop.order(order).await;
        assert_eq!((row.state, row.charged, row.units_taken), (OrderState::Cancelled, 0, false));
        let cards = shop.read(move |c| dues::cards_of(c, order)).await;
        let states: Vec<CardState> = cards.into_iter().map(|card| card.state).collect();
        assert_eq!(states, [CardState::Detached]);
        let told = shop.letters_to(ANA, "cancelled").await;
        assert_eq!(told.len(), 2, "the cancellation, and the card: {told:#?}");
        says(&told[1], &["the order had been cancelled already", "Nothing is charged to that card, and it is not kept"]);
        shop.audit().await;
        shop.close().await;
    }

    async fn each_card_that_is_refused_is_told_of_also_on_the_same_day(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let order = saves(&shop, &campaign, ANA, 6, FAILS_LATER).await;
        deadline_passes(&shop, &campaign).await;
        assert_eq!(shop.letters_to(ANA, "card_declined").await.len(), 1);
        shop.advance(Duration::days(1)).await;
        shop.write(move |desk, tx| collect::save_another_card(desk, tx, order)).await.unwrap();
        shop.settle().await;
        assert_eq!(completes(&shop, order, ASKS_ALWAYS).await, 303);
        shop.advance(Duration::minutes(2)).await;
        assert!(due_of(&shop, order).await.is_some_and(|due| due.is_open()));
        let told = shop.letters_to(ANA, "card_declined").await;
        assert_eq!(told.len(), 2, "{told:#?}");
        says(&told[1], &["Your bank wants you to confirm the payment"]);
        // The second day's letter is still written, once.
        shop.advance(Duration::days(1)).await;
        assert_eq!(shop.letters_to(ANA, "card_declined").await.len(), 3);
        shop.audit().await;
        shop.close().await;
    }
}
