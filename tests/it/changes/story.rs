//! Changes one by one: what is charged, what goes back, what is refused.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::change::ChangeState;
use muster::domain::order::{OrderState, PaymentState};
use muster::domain::payment::RefundPurpose;
use muster::workflows::changes::{Came, Wish, change, take_back};
use muster::workflows::desk::Problem;
use serde_json::json;

use super::{RUN_OUT, asks, changes_of, lines, offer, taken, wants};
use crate::cards::{completes, deadline_passes, saves};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

const DISPUTED: &str = "4000000000000259";

fn kind(problem: &Problem) -> &'static str {
    match problem {
        Problem::Conflict { kind, .. } => kind,
        Problem::Invalid(_) => "invalid",
        _ => "other",
    }
}

both_databases! {
    async fn a_larger_order_is_paid_first_and_then_takes_effect(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(offer(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        assert_eq!(asks(&shop, order, &[("set", 2), ("lid", 1)]).await.unwrap(), Came::ToPay);
        // Held, and nothing else is different before it is paid.
        assert_eq!(wants(&shop, order).await, [("set".into(), 1, 10_000)]);
        assert_eq!((taken(&shop, &campaign, "set").await, taken(&shop, &campaign, "lid").await), (2, 1));
        assert_eq!(shop.campaign(&campaign).await.committed_units, 1);
        shop.audit().await;
        // The same wish again is the same change; another one is told to wait.
        assert_eq!(asks(&shop, order, &[("lid", 1), ("set", 2)]).await.unwrap(), Came::ToPay);
        let refused = asks(&shop, order, &[("set", 3)]).await.unwrap_err();
        assert_eq!(kind(&refused), "change-under-way");
        assert_eq!(shop.payments(order).await.len(), 2);
        assert_eq!(completes(&shop, order, GOOD_CARD).await, 303);
        let row = shop.order(order).await;
        assert_eq!((row.state, row.payment_state), (OrderState::Confirmed, PaymentState::Paid));
        assert_eq!((row.total, row.charged, row.units), (21_000, 21_000, 3));
        assert_eq!(wants(&shop, order).await, [("lid".into(), 1, 1_000), ("set".into(), 2, 10_000)]);
        let counted = shop.campaign(&campaign).await;
        assert_eq!((counted.committed_units, counted.collected_units, counted.open_payments), (3, 3, 0));
        assert_eq!(changes_of(&shop, order).await[0].state, ChangeState::Done);
        let told = shop.mail_to("a@mail.example").await;
        assert!(told.iter().any(|s| s.ends_with("is changed: $110.00 was charged")), "{told:?}");
        assert_eq!(shop.at_provider(order).await, (21_000, 0));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_smaller_order_takes_effect_at_once_and_the_difference_goes_back(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(offer(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 3).await;
        assert_eq!(asks(&shop, order, &[("set", 1), ("lid", 2)]).await.unwrap(), Came::Done);
        let row = shop.order(order).await;
        assert_eq!((row.total, row.charged, row.refunded, row.units), (12_000, 30_000, 18_000, 3));
        assert_eq!(shop.refunds(order).await[0].purpose, RefundPurpose::Change);
        shop.audit().await;
        // And once more: each change has its own refund.
        assert_eq!(asks(&shop, order, &[("set", 1), ("lid", 1)]).await.unwrap(), Came::Done);
        assert_eq!(asks(&shop, order, &[("set", 1), ("lid", 1)]).await.unwrap(), Came::Nothing);
        assert_eq!(shop.at_provider(order).await, (30_000, 19_000));
        assert_eq!((taken(&shop, &campaign, "set").await, taken(&shop, &campaign, "lid").await), (1, 1));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_better_price_goes_back_over_all_that_was_paid(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(offer(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        asks(&shop, order, &[("set", 10)]).await.unwrap();
        assert_eq!(completes(&shop, order, GOOD_CARD).await, 303);
        assert_eq!(shop.order(order).await.charged, 100_000);
        deadline_passes(&shop, &campaign).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        // Twenty off each of ten: more than the first payment was.
        let row = shop.order(order).await;
        assert_eq!((row.final_total, row.refunded), (Some(80_000), 20_000));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_line_that_grows_takes_the_lower_price_and_keeps_it(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(offer(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        shop.join_and_pay(&campaign, "b@mail.example", 5).await;
        // Five by others: step 5 is reached without this order's own.
        assert_eq!(asks(&shop, order, &[("set", 3)]).await.unwrap(), Came::ToPay);
        completes(&shop, order, GOOD_CARD).await;
        assert_eq!(wants(&shop, order).await, [("set".into(), 3, 9_000)]);
        assert_eq!(shop.order(order).await.charged, 27_000);
        // A line that shrinks keeps what it was shown.
        assert_eq!(asks(&shop, order, &[("set", 2)]).await.unwrap(), Came::Done);
        assert_eq!(shop.order(order).await.refunded, 9_000);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_lost_dispute_over_a_changes_payment_leaves_the_first_payment_to_go_back(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(offer(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        asks(&shop, order, &[("set", 3)]).await.unwrap();
        assert_eq!(completes(&shop, order, DISPUTED).await, 303);
        // Before the judgement it cancels the order, and holds what is due.
        let row = shop.order(order).await;
        assert_eq!((row.state, row.charged, row.refund_due), (OrderState::Cancelled, 30_000, 30_000));
        shop.audit().await;
        // Nobody answers the bank: it is lost after a week.
        shop.advance(Duration::days(9)).await;
        let row = shop.order(order).await;
        assert_eq!((row.refunded, row.lost, row.refund_due), (20_000, 10_000, 0), "{row:#?}");
        assert_eq!(row.payment_state, PaymentState::Refunded);
        assert_eq!(shop.at_provider(order).await, (30_000, 20_000));
        shop.audit().await;
        shop.close().await;
    }

    async fn what_is_not_paid_in_time_leaves_the_order_as_it_was(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(offer(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        asks(&shop, order, &[("set", 2)]).await.unwrap();
        shop.advance(RUN_OUT).await;
        assert_eq!(changes_of(&shop, order).await[0].state, ChangeState::Dropped);
        assert_eq!((taken(&shop, &campaign, "set").await, shop.campaign(&campaign).await.open_payments), (1, 0));
        let told = shop.mail_to("a@mail.example").await;
        assert!(told.iter().any(|s| s.ends_with("stays as it was")), "{told:?}");
        shop.audit().await;
        // Taken back by the shopper: the units are free at once, and no letter says so.
        asks(&shop, order, &[("set", 2)]).await.unwrap();
        shop.write(move |_, tx| take_back(tx, order)).await.unwrap();
        shop.settle().await;
        assert_eq!(taken(&shop, &campaign, "set").await, 1);
        assert_eq!(shop.mail_to("a@mail.example").await.len(), told.len());
        shop.audit().await;
        shop.close().await;
    }

    async fn caps_limits_and_forms_hold_and_what_cannot_be_is_said(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = offer(&shop, "charge_now");
        body["options"][0]["per_shopper"] = json!(3);
        let campaign = shop.publish(body).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        for (wanted, says) in [
            (vec![("set", 4)], "limit-per-shopper"),
            (vec![("set", 1), ("lid", 21)], "sold-out"),
            (vec![("set", 0)], "invalid"),
            (vec![("nothing", 1)], "invalid"),
        ] {
            let refused = asks(&shop, order, &wanted).await.unwrap_err();
            assert_eq!(kind(&refused), says, "{wanted:?}");
        }
        let wish = |total, key: &str, wanted: &[(&str, i64)]| Wish {
            lines: Some(lines(wanted)),
            agreed_total: Some(total),
            form_key: Some(key.to_owned()),
            ..Wish::of(order)
        };
        let send = async |wish: Wish| shop.write(move |desk, tx| change(desk, tx, &wish)).await;
        let refused = send(wish(10_500, "one", &[("set", 1), ("lid", 1)])).await.unwrap_err();
        assert_eq!(kind(&refused), "price-changed");
        let first = wish(11_000, "one", &[("set", 1), ("lid", 1)]);
        assert_eq!(send(first.clone()).await.unwrap(), Came::ToPay);
        assert_eq!(send(first.clone()).await.unwrap(), Came::ToPay);
        shop.settle().await;
        // Held units of a change count for the limit as those of an order do.
        completes(&shop, order, GOOD_CARD).await;
        assert_eq!(send(first).await.unwrap(), Came::Done);
        asks(&shop, order, &[("set", 3), ("lid", 1)]).await.unwrap();
        let more = shop.running.app.office.join(shop.wish(&campaign, "a@mail.example", 1)).await;
        assert_eq!(kind(&more.unwrap_err()), "limit-per-shopper");
        completes(&shop, order, GOOD_CARD).await;
        let refused = send(wish(99_999, "one", &[("set", 2)])).await.unwrap_err();
        assert_eq!(kind(&refused), "form-used");
        shop.audit().await;
        deadline_passes(&shop, &campaign).await;
        let refused = asks(&shop, order, &[("set", 1)]).await.unwrap_err();
        assert_eq!(kind(&refused), "order-ended");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_saved_card_owes_what_the_changed_order_costs(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(offer(&shop, "charge_on_success")).await;
        let order = saves(&shop, &campaign, "a@mail.example", 2, GOOD_CARD).await;
        assert_eq!(asks(&shop, order, &[("set", 5), ("lid", 1)]).await.unwrap(), Came::Done);
        let row = shop.order(order).await;
        assert_eq!((row.charged, row.owed, row.total), (0, 51_000, 51_000));
        shop.audit().await;
        assert_eq!(asks(&shop, order, &[("set", 6)]).await.unwrap(), Came::Done);
        shop.audit().await;
        deadline_passes(&shop, &campaign).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(shop.at_provider(order).await, (54_000, 0));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_deposit_follows_its_percentage(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(offer(&shop, "deposit")).await;
        let order = saves(&shop, &campaign, "a@mail.example", 2, GOOD_CARD).await;
        assert_eq!(asks(&shop, order, &[("set", 4)]).await.unwrap(), Came::ToPay);
        completes(&shop, order, GOOD_CARD).await;
        let row = shop.order(order).await;
        assert_eq!((row.charged, row.owed, row.total), (8_000, 32_000, 40_000));
        shop.audit().await;
        // A smaller deposit: the rest of it goes back.
        asks(&shop, order, &[("set", 1)]).await.unwrap();
        let row = shop.order(order).await;
        assert_eq!((row.charged, row.refunded, row.owed), (8_000, 6_000, 8_000));
        shop.audit().await;
        shop.close().await;
    }

    async fn receipts_and_credit_notes_of_changes_carry_their_share_of_the_tax(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = offer(&shop, "charge_now");
        body["tax"] = json!([{"countries": ["PT"], "rate_basis_points": 2300, "included": true}]);
        body["options"][1]["prices"] = json!([999, 999, 999]);
        let campaign = shop.publish(body).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        asks(&shop, order, &[("set", 1), ("lid", 7)]).await.unwrap();
        completes(&shop, order, GOOD_CARD).await;
        let papers = async || shop.read(move |c| muster::store::papers::of_orders(c, &[order])).await;
        let sums = papers().await.iter().fold((0, 0), |(sum, tax), p| (sum + p.amount, tax + p.tax));
        let agreed = muster::workflows::payment::frozen(&shop.order(order).await).unwrap();
        assert_eq!(sums, (16_993, agreed.quote.tax_included));
        asks(&shop, order, &[("lid", 7)]).await.unwrap();
        shop.settle().await;
        let notes = papers().await;
        let back: i64 = notes.iter().skip(2).map(|p| p.amount).sum();
        assert_eq!((notes.len() > 2, back), (true, 10_000));
        shop.audit().await;
        shop.close().await;
    }

    async fn what_a_payment_of_a_change_leaves_says_the_tax_of_what_is_kept(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = offer(&shop, "charge_now");
        body["tax"] = json!([{"countries": ["PT"], "rate_basis_points": 2300, "included": true}]);
        body["options"][0]["prices"] = json!([999, 999, 999]);
        let campaign = shop.publish(body).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        asks(&shop, order, &[("set", 3)]).await.unwrap();
        completes(&shop, order, GOOD_CARD).await;
        asks(&shop, order, &[("set", 2)]).await.unwrap();
        shop.settle().await;
        // One holds 187, two 374, three 560: the first payment goes back whole, and its 187 are not what is over then.
        let papers = shop.read(move |c| muster::store::papers::of_orders(c, &[order])).await;
        let taxes: Vec<(i64, i64)> = papers.iter().map(|p| (p.amount, p.tax)).collect();
        assert_eq!(taxes, [(999, 187), (1_998, 373), (999, 186)]);
        shop.audit().await;
        shop.close().await;
    }

    async fn units_that_a_change_brings_cross_the_threshold(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = offer(&shop, "charge_now");
        body["trigger"] = json!("at_threshold");
        let campaign = shop.publish(body).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        asks(&shop, order, &[("set", 5)]).await.unwrap();
        completes(&shop, order, GOOD_CARD).await;
        shop.advance(Duration::minutes(5)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(shop.at_provider(order).await.0, 50_000);
        shop.audit().await;
        shop.close().await;
    }
}
