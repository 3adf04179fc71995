//! Who is offered what, until when, and what becomes of it.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::order::{OrderState, PaymentState};
use muster::domain::waiting::WaitAnswer;
use muster::workflows::campaigns;
use muster::workflows::desk::Problem;
use muster::workflows::join::Waits;
use serde_json::json;

use super::{DAY, accept, five, is_offered, place, taken, waits};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

fn kind(problem: &Problem) -> &str {
    match problem {
        Problem::Conflict { kind, .. } => kind,
        _ => "",
    }
}

both_databases! {
    async fn a_freed_unit_goes_to_the_next_in_line_who_accepts_and_pays(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(five(&shop)).await;
        let full = shop.join_and_pay(&campaign, "ana@mail.example", 5).await;
        let first = waits(&shop, &campaign, "bo@mail.example", 2).await;
        let second = waits(&shop, &campaign, "cy@mail.example", 2).await;
        assert_eq!(shop.order(first).await.state, OrderState::Waitlisted);
        assert_eq!(waits(&shop, &campaign, "bo@mail.example", 2).await, first, "the same form is the same order");
        let row = shop.campaign(&campaign).await;
        assert_eq!((row.orders, row.committed_units, taken(&shop, &campaign).await), (1, 5, 5), "it counts nowhere");
        assert!(!is_offered(&shop, first).await);
        shop.audit().await;

        shop.cancel(full).await.unwrap();
        shop.settle().await;
        assert!(is_offered(&shop, first).await && is_offered(&shop, second).await);
        assert_eq!(taken(&shop, &campaign).await, 4, "what is offered is kept");
        let said = shop.mail_to("bo@mail.example").await;
        assert!(said[0].contains("waiting list") && said[1].contains("are yours until"), "{said:?}");
        shop.audit().await;

        let order = accept(&shop, first, Some(20_000)).await.unwrap();
        assert_eq!((order.state, order.total), (OrderState::Pending, 20_000));
        assert_eq!(accept(&shop, first, Some(20_000)).await.unwrap().state, OrderState::Pending, "twice is once");
        assert_eq!(shop.payments(first).await.len(), 1);
        assert_eq!(shop.pay(first, GOOD_CARD).await, 303);
        shop.settle().await;
        let order = shop.order(first).await;
        assert_eq!((order.state, order.payment_state), (OrderState::Confirmed, PaymentState::Paid));
        assert_eq!(shop.campaign(&campaign).await.collected_units, 2);
        shop.audit().await;
        shop.close().await;
    }

    async fn nobody_is_overtaken_and_freed_units_are_not_sold_past_the_list(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(five(&shop)).await;
        let one = shop.join_and_pay(&campaign, "one@mail.example", 1).await;
        shop.join_and_pay(&campaign, "four@mail.example", 4).await;
        let two = waits(&shop, &campaign, "two@mail.example", 2).await;
        let small = waits(&shop, &campaign, "small@mail.example", 1).await;
        shop.cancel(one).await.unwrap();
        shop.settle().await;
        assert!(!is_offered(&shop, two).await, "two are wanted, one is there");
        assert!(!is_offered(&shop, small).await, "the first in line waits for it");
        let new = shop.running.app.office.join(shop.wish(&campaign, "new@mail.example", 1)).await;
        assert_eq!(kind(&new.unwrap_err()), "sold-out", "it is kept for those who wait");
        // The first leaves, for nothing, and the next has it.
        shop.cancel(two).await.unwrap();
        shop.settle().await;
        assert_eq!(shop.order(two).await.state, OrderState::Cancelled);
        assert_eq!(place(&shop, two).await.answer, Some(WaitAnswer::Left));
        assert!(is_offered(&shop, small).await);
        shop.audit().await;
        shop.close().await;
    }

    async fn an_offer_that_nobody_answers_lapses_and_goes_to_the_next(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(five(&shop)).await;
        let full = shop.join_and_pay(&campaign, "ana@mail.example", 5).await;
        let first = waits(&shop, &campaign, "bo@mail.example", 5).await;
        let second = waits(&shop, &campaign, "cy@mail.example", 5).await;
        shop.cancel(full).await.unwrap();
        shop.settle().await;
        assert!(is_offered(&shop, first).await && !is_offered(&shop, second).await);
        shop.advance(DAY - Duration::hours(3)).await;
        assert!(shop.mail_to("bo@mail.example").await.last().unwrap().contains("kept only until"));
        assert_eq!(shop.order(first).await.state, OrderState::Waitlisted);
        shop.advance(Duration::hours(3)).await;
        assert_eq!(shop.order(first).await.state, OrderState::Expired);
        assert!(shop.mail_to("bo@mail.example").await.last().unwrap().contains("the offer has ended"));
        assert!(is_offered(&shop, second).await);
        assert_eq!(kind(&accept(&shop, first, None).await.unwrap_err()), "offer-over");
        shop.audit().await;
        shop.close().await;
    }

    async fn at_the_end_everybody_who_waits_is_told_and_nothing_was_charged(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(five(&shop)).await;
        shop.join_and_pay(&campaign, "ana@mail.example", 2).await;
        let late = shop.join_and_pay(&campaign, "late@mail.example", 3).await;
        let offered = waits(&shop, &campaign, "bo@mail.example", 3).await;
        let waiting = waits(&shop, &campaign, "cy@mail.example", 1).await;
        shop.advance(Duration::days(7) - Duration::hours(2)).await;
        shop.cancel(late).await.unwrap();
        shop.settle().await;
        let row = place(&shop, offered).await;
        assert_eq!(row.offer_ends, Some(campaign.deadline), "never after the deadline");
        shop.advance(Duration::hours(2) + Duration::minutes(5)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        for (order, email) in [(offered, "bo@mail.example"), (waiting, "cy@mail.example")] {
            let row = shop.order(order).await;
            assert_eq!((row.state, row.charged, row.units_taken), (OrderState::Expired, 0, false));
            assert_eq!(place(&shop, order).await.answer, Some(WaitAnswer::Ended));
            let said = shop.mail_to(email).await;
            assert!(said.last().unwrap().contains("nothing was charged"), "{said:?}");
        }
        assert_eq!(taken(&shop, &campaign).await, 2);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_cancelled_campaign_ends_its_list(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(five(&shop)).await;
        let paid = shop.join_and_pay(&campaign, "ana@mail.example", 5).await;
        let waiting = waits(&shop, &campaign, "bo@mail.example", 1).await;
        let (merchant, slug) = (shop.merchant, campaign.slug.clone());
        shop.write(move |desk, tx| campaigns::cancel(desk, tx, merchant, &slug, "Kiln broke")).await.unwrap();
        shop.settle().await;
        assert_eq!(shop.order(waiting).await.state, OrderState::Expired);
        assert_eq!(shop.order(paid).await.state, OrderState::Cancelled);
        let told = shop.letters_to("bo@mail.example", "waiting_ended").await;
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].contains("cancelled Ridge pour-over set, which you waited for. The reason:\n\nKiln broke"), "{told:#?}");
        assert!(told[0].contains("Nothing was charged"), "{told:#?}");
        shop.audit().await;
        shop.close().await;
    }

    async fn an_offer_that_ends_before_its_time_because_joining_was_closed_says_so(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(five(&shop)).await;
        shop.join_and_pay(&campaign, "ana@mail.example", 3).await;
        let leaves = shop.join_and_pay(&campaign, "late@mail.example", 2).await;
        let offered = waits(&shop, &campaign, "bo@mail.example", 2).await;
        let behind = waits(&shop, &campaign, "cy@mail.example", 1).await;
        shop.cancel(leaves).await.unwrap();
        shop.settle().await;
        assert!(is_offered(&shop, offered).await && !is_offered(&shop, behind).await);
        let (merchant, slug) = (shop.merchant, campaign.slug.clone());
        shop.write(move |_, tx| campaigns::close(tx, merchant, &slug)).await.unwrap();
        shop.settle().await;
        assert_eq!(shop.order(offered).await.state, OrderState::Expired);
        let told = shop.letters_to("bo@mail.example", "waiting_ended").await;
        assert_eq!(told.len(), 1, "{told:#?}");
        for said in ["was ended before its deadline", "cannot be taken any more, sooner than we wrote", "Nothing was charged"] {
            assert!(told[0].contains(said), "{said}: {told:#?}");
        }
        let told = shop.letters_to("cy@mail.example", "waiting_ended").await;
        assert!(told[0].contains("Nothing you waited for was taken up before that."), "{told:#?}");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_hold_that_runs_out_and_an_offer_that_is_not_paid_go_to_the_next(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(five(&shop)).await;
        let held = shop.join(&campaign, "held@mail.example", 5).await.order.id;
        shop.settle().await;
        let first = waits(&shop, &campaign, "bo@mail.example", 5).await;
        let second = waits(&shop, &campaign, "cy@mail.example", 1).await;
        shop.advance(Duration::hours(1)).await;
        assert_eq!(shop.order(held).await.state, OrderState::Expired);
        assert!(is_offered(&shop, first).await && !is_offered(&shop, second).await);
        accept(&shop, first, None).await.unwrap();
        shop.audit().await;
        shop.advance(Duration::hours(1)).await;
        assert_eq!(shop.order(first).await.state, OrderState::Expired, "as every order that is not paid");
        assert!(is_offered(&shop, second).await);
        shop.audit().await;
        shop.close().await;
    }

    async fn what_is_agreed_is_the_price_of_the_day_and_a_higher_one_is_shown_again(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = five(&shop);
        body["steps"] = json!([1, 3, 5]);
        let campaign = shop.publish(body).await;
        let full = shop.join_and_pay(&campaign, "ana@mail.example", 5).await;
        let order = waits(&shop, &campaign, "bo@mail.example", 1).await;
        assert_eq!(shop.order(order).await.total, 8000, "the last step is reached");
        shop.cancel(full).await.unwrap();
        shop.settle().await;
        // Nobody else is in any more: the first step again.
        let refused = accept(&shop, order, Some(8000)).await.unwrap_err();
        assert_eq!(kind(&refused), "price-changed");
        assert_eq!(shop.order(order).await.state, OrderState::Waitlisted);
        let taken_up = accept(&shop, order, Some(10_000)).await.unwrap();
        assert_eq!(taken_up.total, 10_000);
        assert_eq!(shop.payments(order).await[0].amount, 10_000);
        shop.audit().await;
        shop.close().await;
    }

    async fn saved_cards_and_deposits_are_accepted_as_they_are_joined(db: TestDatabase) {
        let shop = Shop::open(db).await;
        for mode in ["charge_on_success", "deposit"] {
            let mut body = five(&shop);
            body["payment_mode"] = json!(mode);
            if mode == "deposit" {
                body["deposit_percent"] = json!(20);
            }
            let campaign = shop.publish(body).await;
            let full = shop.join_and_pay(&campaign, "ana@mail.example", 5).await;
            let order = waits(&shop, &campaign, "bo@mail.example", 3).await;
            shop.cancel(full).await.unwrap();
            shop.settle().await;
            accept(&shop, order, None).await.unwrap();
            assert_eq!(shop.pay(order, GOOD_CARD).await, 303);
            shop.settle().await;
            let row = shop.order(order).await;
            assert_eq!(row.state, OrderState::Confirmed, "{mode}");
            assert_eq!(row.charged, if mode == "deposit" { 6_000 } else { 0 });
            shop.audit().await;
        }
        shop.close().await;
    }

    async fn who_waits_counts_for_the_limit_and_what_can_never_be_is_not_waited_for(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = five(&shop);
        body["options"][0]["per_shopper"] = json!(3);
        let campaign = shop.publish(body).await;
        shop.join_and_pay(&campaign, "ana@mail.example", 3).await;
        shop.join_and_pay(&campaign, "bo@mail.example", 2).await;
        waits(&shop, &campaign, "cy@mail.example", 2).await;
        let mut more = shop.wish(&campaign, "cy@mail.example", 2);
        more.waits = Waits::IfSoldOut;
        let refused = shop.running.app.office.join(more).await.unwrap_err();
        assert_eq!(kind(&refused), "limit-per-shopper");
        let mut body = five(&shop);
        body["options"][0]["cap"] = json!(1);
        body["threshold"]["target"] = json!(1);
        let tiny = shop.publish(body).await;
        let mut never = shop.wish(&tiny, "cy@mail.example", 2);
        never.waits = Waits::IfSoldOut;
        let refused = shop.running.app.office.join(never).await.unwrap_err();
        assert_eq!(kind(&refused), "sold-out");
        let mut room = shop.wish(&tiny, "cy@mail.example", 1);
        room.waits = Waits::Only;
        let refused = shop.running.app.office.join(room.clone()).await.unwrap_err();
        assert_eq!(kind(&refused), "not-sold-out");
        room.waits = Waits::IfSoldOut;
        let placed = shop.running.app.office.join(room).await.unwrap();
        assert_eq!(placed.order.state, OrderState::Pending, "an ordinary join");
        shop.audit().await;
        shop.close().await;
    }

    async fn only_what_is_sold_out_is_waited_for_and_only_a_few(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = five(&shop);
        body["options"][0]["cap"] = json!(20);
        let campaign = shop.publish(body).await;
        shop.join_and_pay(&campaign, "ana@mail.example", 18).await;
        let asks = async |email: &str, units: i64| {
            let mut wish = shop.wish(&campaign, email, units);
            wish.waits = Waits::IfSoldOut;
            shop.running.app.office.join(wish).await
        };
        // Two are left: a wish for three keeps nobody from them.
        let refused = asks("bo@mail.example", 3).await.unwrap_err();
        assert_eq!(kind(&refused), "sold-out");
        assert!(refused.to_string().contains("there are 2 left"), "{refused}");
        assert_eq!(asks("cy@mail.example", 2).await.unwrap().order.state, OrderState::Pending);
        shop.settle().await;
        let refused = asks("bo@mail.example", 11).await.unwrap_err();
        assert!(refused.to_string().contains("10 at most"), "{refused}");
        assert_eq!(asks("bo@mail.example", 10).await.unwrap().order.state, OrderState::Waitlisted);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_raised_cap_serves_the_list(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let body = five(&shop);
        let campaign = shop.publish(body.clone()).await;
        shop.join_and_pay(&campaign, "ana@mail.example", 5).await;
        let order = waits(&shop, &campaign, "bo@mail.example", 2).await;
        let mut raised = body;
        raised["options"][0]["cap"] = json!(6);
        super::edit(&shop, &campaign, raised.clone()).await;
        assert!(!is_offered(&shop, order).await);
        raised["options"][0]["cap"] = json!(7);
        super::edit(&shop, &campaign, raised).await;
        assert!(is_offered(&shop, order).await);
        shop.audit().await;
        shop.close().await;
    }
}
