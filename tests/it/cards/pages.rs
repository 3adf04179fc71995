//! What shoppers and staff read of saved cards, deposits and prices that are waited for, and what they press.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::ids::OrderId;
use muster::domain::order::{OrderState, PaymentState};
use muster::domain::staff::Role;
use muster::store::campaigns::CampaignRow;
use serde_json::{Value, json};

use crate::admin::panel::Panel;
use crate::shop::{Visitor, typed};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

/// Can be saved; each charge is refused.
const FAILS_LATER: &str = "4000000000000341";

fn on_success(shop: &Shop) -> Value {
    let mut body = shop.example_a();
    body["payment_mode"] = json!("charge_on_success");
    body
}

fn deposit(shop: &Shop, unpaid: &str) -> Value {
    let mut body = shop.example_a();
    body["payment_mode"] = json!("deposit");
    body["deposit_percent"] = json!(20);
    body["deposit_unpaid"] = json!(unpaid);
    body
}

/// Joins and completes the page.
async fn joins(
    shop: &Shop,
    campaign: &CampaignRow,
    (email, units): (&str, i64),
    limit: Option<usize>,
    card: &str,
) -> OrderId {
    let mut wish = shop.wish(campaign, email, units);
    wish.limit_step = limit;
    let placed = shop.running.app.office.join(wish).await.unwrap();
    shop.settle().await;
    assert_eq!(shop.pay(placed.order.id, card).await, 303);
    shop.settle().await;
    placed.order.id
}

async fn after_the_deadline(shop: &Shop) {
    shop.advance(Duration::days(7) + Duration::minutes(5)).await;
}

/// An order's page, by its link.
async fn path(shop: &Shop, visitor: &Visitor<'_>, order: OrderId, below: &str) -> String {
    let row = shop.order(order).await;
    visitor.path_of(&row, below)
}

both_databases! {
    async fn before_a_card_is_saved_its_holder_reads_what_it_means_and_may_wait_for_a_price(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(on_success(&shop)).await;
        let visitor = Visitor::of(&shop);
        let page = format!("/c/{}", campaign.slug);
        visitor.get(&page).await.is(200)
            .says("When you join: your card is saved, nothing is charged")
            .says("In any case")
            .says("Only if it gets that cheap: from 10 units, $80.00");
        let mut form = typed("a@mail.example", "2");
        form.push(("limit_step", "9"));
        visitor.fill_in(&campaign, &form).await.is(422).says("Choose one of the prices");
        form.retain(|(name, _)| *name != "limit_step");
        form.push(("limit_step", "2"));
        let review = visitor.fill_in(&campaign, &form).await;
        review.is(200)
            .says("$160.00 in all")
            .says("only if the price from 10 units is reached")
            .says("at most $160.00")
            .says("nothing; your card is saved")
            .says("Order with obligation to pay $160.00");
        assert_eq!(review.hidden("limit_step"), "2");
        let edit: Vec<(&str, &str)> = form.iter().map(|(n, v)| (*n, if *n == "step" { "edit" } else { *v })).collect();
        visitor.fill_in(&campaign, &edit).await.is(200).says("id=\"limit-2\" value=\"2\" checked");
        let placed = visitor.pay(&campaign, &form, &review).await;
        placed.is(303);
        let order = visitor.orders_of(&campaign).await.remove(0);
        assert_eq!((order.limit_step, order.total), (2, 16000));
        let mine = visitor.path_of(&order, "");
        visitor.get(&mine).await.is(200).says("Your card is waited for").says("Save the card");
        shop.settle().await;
        assert_eq!(shop.pay(order.id, GOOD_CARD).await, 303);
        shop.settle().await;
        visitor.get(&format!("{mine}&paid=1")).await.is(200).says("You are in").says("Nothing was charged.").says("$160.00 at most");
        visitor.get(&mine).await.is(200)
            .says("Your card is saved, nothing is charged")
            .says("Visa ending in 4242 is charged if it comes together: $160.00 at most")
            .says("Save another card");
        visitor.get(&page).await.says("2 units wait for the price from 10.");
        let shown = shop.http.get(shop.url(&format!("/api/v1/campaigns/{}", campaign.slug))).send().await.unwrap();
        let shown: Value = shown.json().await.unwrap();
        assert_eq!(shown["waiting_for_step"], json!([{"step": 2, "units": 2}]));
        shop.close().await;
    }

    async fn a_deposit_says_what_is_paid_now_and_what_becomes_of_it(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(deposit(&shop, "kept")).await;
        let visitor = Visitor::of(&shop);
        visitor.get(&format!("/c/{}", campaign.slug)).await.is(200)
            .says("When you join: you pay a deposit")
            .says("and the seller keeps the deposit");
        let form = typed("a@mail.example", "2");
        let review = visitor.fill_in(&campaign, &form).await;
        review.is(200)
            .says("Order with obligation to pay $200.00, $40.00 now")
            .says("$160.00 at most, told 3 days ahead")
            .says("the seller keeps the deposit");
        visitor.pay(&campaign, &form, &review).await.is(303);
        let order = visitor.orders_of(&campaign).await.remove(0);
        let mine = visitor.path_of(&order, "");
        visitor.get(&mine).await.says("Pay the deposit of $40.00");
        shop.settle().await;
        assert_eq!(shop.pay(order.id, GOOD_CARD).await, 303);
        shop.settle().await;
        visitor.get(&format!("{mine}&paid=1")).await.says("The deposit of $40.00 is paid");
        visitor.get(&mine).await
            .says("Your deposit is paid")
            .says("the seller keeps your deposit of $40.00")
            .says("Charged when the goods arrive");
        let row = shop.order(order.id).await;
        assert_eq!((row.charged, row.owed, row.payment_state), (4000, 16000, PaymentState::DepositPaid));
        let token = mine.split_once("t=").unwrap().1.to_owned();
        let shown = shop.http.get(shop.url(&format!("/api/v1/orders/{}?t={token}", order.id))).send().await.unwrap();
        let shown: Value = shown.json().await.unwrap();
        assert_eq!(shown["deposit"]["unpaid"], "kept");
        assert_eq!(shown["deposit"]["balance"]["amount"], 16000);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_declined_card_is_told_and_the_order_is_paid_with_a_button(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(on_success(&shop)).await;
        let visitor = Visitor::of(&shop);
        let panel = Panel::of(&shop, Role::Manager).await;
        joins(&shop, &campaign, ("a@mail.example", 4), None, GOOD_CARD).await;
        let order = joins(&shop, &campaign, ("b@mail.example", 2), None, FAILS_LATER).await;
        panel.get(&format!("/admin/campaigns/{}", campaign.slug)).await.is(200)
            .says("6 units promised").says("If it were judged now").says("The price from 5: 6 units joined at it or sooner, reached.");
        after_the_deadline(&shop).await;
        let mine = path(&shop, &visitor, order, "").await;
        visitor.get(&mine).await.is(200)
            .says("Your card was declined")
            .says("Pay $180.00 now")
            .says("Save another card")
            .says("your order is cancelled, and nothing is charged");
        panel.get(&format!("/admin/campaigns/{}", campaign.slug)).await
            .says("What is collected after joining").says("1 order, $180.00").says("1 order, $360.00");
        panel.get("/admin").await.says("1 card was declined");
        panel.get(&format!("/admin/orders/{order}")).await.is(200)
            .says("The card was declined. $180.00 can be paid until").says("Charge of the card 2");
        let pay = path(&shop, &visitor, order, "/pay").await;
        visitor.post(&pay.replace("t=", "t=x"), &[]).await.is(404);
        let asked = visitor.post(&pay, &[]).await;
        asked.is(303);
        assert_eq!(asked.to.as_deref(), Some(pay.as_str()));
        visitor.get(&pay).await.is(200).says("You will pay $180.00.");
        shop.settle().await;
        let led = visitor.get(&pay).await;
        led.is(303);
        assert!(led.to.clone().unwrap().contains("/sandbox/pay/"), "{:?}", led.to);
        visitor.post(&pay, &[]).await.is(303);
        assert_eq!(shop.pay(order, GOOD_CARD).await, 303);
        visitor.get(&format!("{mine}&paid=1")).await.is(200).says("The provider has not told us yet");
        shop.settle().await;
        visitor.get(&mine).await.says("Charged to your card").says("$180.00");
        visitor.post(&pay, &[]).await.is(409).says("Nothing is to be paid for this order.");
        assert_eq!(shop.order(order).await.payment_state, PaymentState::Paid);
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn another_card_is_saved_and_charged_in_its_place(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(on_success(&shop)).await;
        let visitor = Visitor::of(&shop);
        let order = joins(&shop, &campaign, ("a@mail.example", 6), None, FAILS_LATER).await;
        after_the_deadline(&shop).await;
        let card = path(&shop, &visitor, order, "/card").await;
        visitor.get(&card).await.is(303);
        visitor.post(&card, &[]).await.is(303);
        shop.settle().await;
        let queue = path(&shop, &visitor, order, "/pay").await;
        visitor.get(&queue).await.is(303);
        assert_eq!(shop.pay(order, GOOD_CARD).await, 303);
        shop.settle().await;
        let row = shop.order(order).await;
        // Shown 100 when nobody had joined before; with 6 units everybody pays 90.
        assert_eq!((row.charged, row.owed, row.payment_state), (54000, 0, PaymentState::Paid));
        shop.audit().await;
        shop.close().await;
    }

    async fn the_merchant_buys_what_is_missing(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(on_success(&shop)).await;
        let visitor = Visitor::of(&shop);
        let panel = Panel::of(&shop, Role::Manager).await;
        let good = joins(&shop, &campaign, ("a@mail.example", 4), None, GOOD_CARD).await;
        let gone = joins(&shop, &campaign, ("b@mail.example", 2), None, FAILS_LATER).await;
        after_the_deadline(&shop).await;
        let buy = format!("/admin/campaigns/{}/buy", campaign.slug);
        panel.get(&buy).await.is(409);
        shop.advance(Duration::days(7) + Duration::hours(1)).await;
        let over = path(&shop, &visitor, gone, "").await;
        visitor.get(&over).await.says("It was not paid in time").says("Nothing was charged, and nothing will be.");
        let mine = path(&shop, &visitor, good, "").await;
        visitor.get(&mine).await.says("1 unit is missing").says("$360.00 goes back to you");
        panel.get("/admin").await.says("1 unit is missing").says("Buy the missing units");
        panel.get(&format!("/admin/campaigns/{}", campaign.slug)).await.says("1 unit is missing").says(&buy);
        panel.get(&buy).await.is(200).says("$90.00 each").says("Buy them and go to the payment");
        panel.post(&buy, &[("name", "Fern"), ("line1", ""), ("country", "PT")]).await
            .is(422).says("Write how many you buy").says("Write street and number.");
        let form = [
            ("qty.set", "1"), ("name", "Fern & Kiln"), ("line1", "Rua do Forno 1"), ("city", "Porto"),
            ("country", "PT"), ("form_key", "k1"),
        ];
        let bought = panel.post(&buy, &form).await;
        assert_eq!(bought.status, 303, "{}", bought.body);
        let again = panel.post(&buy, &form).await;
        assert_eq!(bought.location, again.location, "pressing twice buys once");
        let id = bought.location.strip_prefix("/o/").unwrap().split('/').next().unwrap();
        let id: OrderId = id.parse().unwrap();
        shop.settle().await;
        assert_eq!(shop.pay(id, GOOD_CARD).await, 303);
        shop.settle().await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(shop.order(id).await.charged, 9000);
        shop.audit().await;
        shop.close().await;
    }

    async fn who_waited_for_a_price_in_vain_is_released_and_told(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(on_success(&shop)).await;
        let visitor = Visitor::of(&shop);
        let panel = Panel::of(&shop, Role::Manager).await;
        joins(&shop, &campaign, ("a@mail.example", 5), None, GOOD_CARD).await;
        let waits = joins(&shop, &campaign, ("b@mail.example", 2), Some(2), GOOD_CARD).await;
        panel.get(&format!("/admin/orders/{waits}")).await.says("the price from 10 units").says("on success, by saved card");
        after_the_deadline(&shop).await;
        let row = shop.order(waits).await;
        assert_eq!((row.state, row.charged), (OrderState::Cancelled, 0));
        let mine = path(&shop, &visitor, waits, "").await;
        visitor.get(&mine).await.is(200)
            .says("The price you waited for was not reached")
            .says("It waited for the price from 10 units, which was not reached.")
            .says("No card is kept.");
        panel.get(&format!("/admin/campaigns/{}", campaign.slug)).await
            .says("Released: their price was not reached").says("The price from 10: 7 units joined at it or sooner, not reached.");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_merchant_chooses_how_shoppers_pay_and_errors_stand_at_their_fields(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let campaign = shop.publish(deposit(&shop, "returned")).await;
        panel.get("/admin/campaigns/new").await.is(200)
            .says("How shoppers pay").says("On success: a card is saved, and charged only if it comes together");
        let edit = format!("/admin/campaigns/{}/edit", campaign.slug);
        panel.get(&edit).await.is(200).says("name=\"deposit_percent\"").says("value=\"20\"");
        panel.post("/admin/campaigns/new", &[("payment_mode", "deposit"), ("deposit_percent", "0")]).await
            .is(422).says("id=\"deposit_percent-e\"");
        panel.post("/admin/campaigns/new", &[("payment_mode", "barter")]).await
            .is(422).says("id=\"payment_mode-e\"");
        panel.get(&format!("/admin/campaigns/{}", campaign.slug)).await.says("20 % at joining");
        shop.close().await;
    }
}
