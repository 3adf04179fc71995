//! From the form over the exact total to the order.

use muster::domain::campaign::CampaignState;
use muster::domain::order::OrderState;
use serde_json::json;

use super::{Visitor, but, typed};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn a_shopper_sees_the_exact_total_then_pays_at_the_provider(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut offer = shop.example_a();
        offer["shipping"] = json!([{"countries": ["GB"], "price": 650}]);
        let campaign = shop.publish(offer).await;
        let visitor = Visitor::of(&shop);
        visitor.get(&format!("/c/{}", campaign.slug)).await.is(200).says("name=\"qty_set\"").says("United Kingdom");
        let form = typed(" Ada@Mail.Example ", "2");
        let review = visitor.fill_in(&campaign, &form).await;
        review.is(200).says("$206.50").says("obligation to pay").says("Rua do Forno 1").says("version 1");
        assert_eq!(review.hidden("confirmed_total"), "20650");
        assert!(visitor.orders_of(&campaign).await.is_empty(), "nothing is placed by looking");
        let placed = visitor.pay(&campaign, &form, &review).await;
        placed.is(303);
        let order = visitor.orders_of(&campaign).await.pop().unwrap();
        assert_eq!((order.email.as_str(), order.total), ("ada@mail.example", 20650));
        assert_eq!((order.terms_version, order.joined_from.as_str()), (1, "127.0.0.1"));
        assert_eq!(placed.to.unwrap(), visitor.path_of(&order, "/pay"));
        // The provider's page is not made yet: the place in the queue, which asks again by itself.
        let queue = visitor.get(&visitor.path_of(&order, "/pay")).await;
        queue.is(200).says("Your units are kept").says("It is your turn now.").says("http-equiv=\"refresh\"");
        shop.settle().await;
        let made = visitor.get(&visitor.path_of(&order, "/pay")).await;
        made.is(303);
        assert!(made.to.unwrap().contains("/sandbox/pay/"));
        shop.close().await;
    }

    async fn a_form_never_opens_the_order_of_a_program(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let body = json!({"email": "ada@mail.example", "name": "Ada", "lines": [{"sku": "set", "quantity": 2}],
            "address": {"line1": "1 Mill Lane", "city": "Leeds", "country": "GB"}, "delivery": "one_parcel"});
        let joined = shop.http.post(shop.url(&format!("/api/v1/campaigns/{}/orders", campaign.slug)));
        let joined = joined.header("idempotency-key", "order-1001").json(&body).send().await.unwrap();
        assert_eq!(joined.status(), 201);
        let visitor = Visitor::of(&shop);
        let form = typed("ada@mail.example", "2");
        let review = visitor.fill_in(&campaign, &form).await;
        let total = review.hidden("confirmed_total");
        let stolen = [("confirmed_total", total.as_str()), ("form_key", "api:public:order-1001"), ("step", "pay")];
        let all: Vec<(&str, &str)> = form.iter().copied().filter(|(name, _)| *name != "step").chain(stolen).collect();
        visitor.fill_in(&campaign, &all).await.is(303);
        assert_eq!(visitor.orders_of(&campaign).await.len(), 2, "an order of its own");
        shop.close().await;
    }

    async fn everything_that_is_wrong_is_told_at_once_and_everything_typed_is_kept(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let visitor = Visitor::of(&shop);
        let empty = visitor.fill_in(&campaign, &[("step", "review")]).await;
        empty.is(422).says("7 things to correct").says("Accept the terms").says("Choose at least one");
        empty.says("Choose the country").says("Write your name.").says("Write the town.");
        for (field, value, said) in [
            ("qty_set", "-1", "Write a whole number"),
            ("qty_set", "two", "Write a whole number"),
            ("qty_set", "10001", "Write 10,000 at most."),
            ("qty_set", "", "Choose at least one"),
            ("email", "ada@", "Write an e-mail address such as"),
            ("name", "a\u{7}b", "control characters"),
            ("country", "XX", "Choose the country"),
            ("delivery", "by owl", "Choose how"),
            ("terms", "7", "terms have changed"),
        ] {
            let form = but(typed("keeps@mail.example", "3"), field, value);
            let again = visitor.fill_in(&campaign, &form).await;
            again.is(422).says(said).says("1 Mill Lane").says("One thing to correct");
        }
        let long = "x".repeat(201);
        let form = but(typed("keeps@mail.example", "3"), "city", &long);
        visitor.fill_in(&campaign, &form).await.is(422).says("at most 200 characters");
        let mut form = typed("keeps@mail.example", "3");
        form.push(("qty_gone", "1"));
        visitor.fill_in(&campaign, &form).await.is(422).says("not offered any more");
        let edit = but(typed("keeps@mail.example", "3"), "step", "edit");
        visitor.fill_in(&campaign, &edit).await.is(200).says("keeps@mail.example").says("value=\"3\"");
        assert!(visitor.orders_of(&campaign).await.is_empty());
        shop.close().await;
    }

    async fn what_is_typed_is_never_taken_for_markup(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let visitor = Visitor::of(&shop);
        let form = but(typed("a@mail.example", "1"), "name", "\"><script>alert(1)</script>");
        let review = visitor.fill_in(&campaign, &form).await;
        review.is(200);
        assert!(!review.html.contains("<script>alert"));
        shop.close().await;
    }

    async fn the_button_pressed_twice_makes_one_order(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let visitor = Visitor::of(&shop);
        let form = typed("a@mail.example", "2");
        let review = visitor.fill_in(&campaign, &form).await;
        let (one, two) = tokio::join!(
            visitor.pay(&campaign, &form, &review),
            visitor.pay(&campaign, &form, &review),
        );
        assert_eq!((one.status, &one.to), (303, &two.to));
        let later = visitor.pay(&campaign, &form, &review).await;
        assert_eq!(later.to, one.to);
        assert_eq!(visitor.orders_of(&campaign).await.len(), 1);
        shop.close().await;
    }

    async fn a_total_that_rose_is_shown_again_before_anything_is_placed(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let visitor = Visitor::of(&shop);
        let form = typed("a@mail.example", "2");
        let review = visitor.fill_in(&campaign, &form).await;
        let shown = review.html.replace("name=\"confirmed_total\" value=\"20000\"", "name=\"confirmed_total\" value=\"18000\"");
        let review = super::Seen { html: shown, ..review };
        let again = visitor.pay(&campaign, &form, &review).await;
        again.is(409).says("The total has changed").says("$180.00").says("$200.00 now");
        assert!(visitor.orders_of(&campaign).await.is_empty());
        assert_eq!(visitor.pay(&campaign, &form, &again).await.status, 303);
        shop.close().await;
    }

    async fn what_is_sold_out_or_closed_is_said_at_the_form(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut offer = shop.example_a();
        offer["threshold"]["target"] = json!(3);
        offer["options"][0]["cap"] = json!(3);
        offer["options"][0]["per_shopper"] = json!(2);
        let campaign = shop.publish(offer).await;
        let visitor = Visitor::of(&shop);
        visitor.fill_in(&campaign, &typed("a@mail.example", "3")).await.is(422).says("Each shopper may have 2 at most.");
        let (mine, late) = (typed("a@mail.example", "2"), typed("b@mail.example", "2"));
        let review_of_late = visitor.fill_in(&campaign, &late).await;
        visitor.join(&campaign, "a@mail.example", "2").await;
        // Sold meanwhile: told when the button is pressed, and told by the form.
        let pressed = visitor.pay(&campaign, &late, &review_of_late).await;
        pressed.is(409).says("there are 1 left").says("b@mail.example").says("1 Mill Lane");
        visitor.fill_in(&campaign, &late).await.is(409).says("There are 1 left. Choose fewer.");
        let more = but(mine, "qty_set", "1");
        let review = visitor.fill_in(&campaign, &more).await;
        visitor.pay(&campaign, &more, &review).await.is(409).says("Each shopper may have 2");
        shop.advance(chrono::Duration::days(8)).await;
        shop.expect_state(&campaign, CampaignState::Failed).await;
        let closed = visitor.fill_in(&campaign, &late).await;
        closed.is(409).says("takes no orders now");
        visitor.pay(&campaign, &late, &review_of_late).await.is(409).says("Nothing was charged");
        let last = visitor.orders_of(&campaign).await;
        assert_eq!((last.len(), last[0].state), (1, OrderState::Expired));
        shop.close().await;
    }

    async fn there_is_no_form_where_there_is_no_campaign(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let visitor = Visitor::of(&shop);
        visitor.post("/c/nothing/orders", &typed("a@mail.example", "1")).await.is(404);
        visitor.get("/c/nothing").await.is(404).says("There is no such page");
        visitor.get("/c/nothing/events").await.is(404);
        visitor.get("/m/nobody").await.is(404);
        visitor.get("/nowhere").await.is(404).says("There is no such page");
        shop.close().await;
    }
}
