//! An order's page while its balance is announced, declined, paid, or never paid; and what a viewer may read of it all.

use chrono::Duration;
use muster::domain::due::DueState;
use muster::domain::ids::OrderId;
use muster::domain::staff::Role;
use muster::store::papers;

use super::{
    ASKS_ALWAYS, FAILS_LATER, arrive, asks_to_pay, completes, deadline_passes, due_of, saved,
    saves, with_deposit,
};
use crate::admin::panel::Panel;
use crate::shop::{Seen, Visitor};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

/// An order's page, opened by its link.
async fn page_of(shop: &Shop, order: OrderId) -> Seen {
    let visitor = Visitor::of(shop);
    let row = shop.order(order).await;
    visitor.get(&visitor.path_of(&row, "")).await
}

both_databases! {
    async fn a_balance_is_announced_declined_and_costs_the_deposit_on_the_orders_page(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(with_deposit(&shop, "kept")).await;
        let order = saves(&shop, &campaign, "a@mail.example", 6, ASKS_ALWAYS).await;
        deadline_passes(&shop, &campaign).await;
        // Step 5: 540.00 in all, of which 120.00 are paid.
        page_of(&shop, order).await.is(200).says("When all of your goods are there: $420.00 is charged");
        arrive(&shop, &campaign, 6).await;
        let announced = page_of(&shop, order).await;
        let day = (shop.now() + Duration::days(3)).format("%-d %B").to_string();
        announced.is(200)
            .says("The rest is charged soon")
            .says("$420.00 is charged to Visa ending in 3184")
            .says(&day)
            .says("Pay $420.00 now")
            .says("Save another card")
            .says("the seller keeps your deposit of $120.00");
        shop.advance(Duration::days(3) + Duration::minutes(1)).await;
        assert_eq!(due_of(&shop, order).await, Some(DueState::Declined));
        page_of(&shop, order).await.is(200)
            .says("Your card was declined")
            .says("$420.00 was not charged to Visa ending in 3184")
            .says("Your bank wants you to confirm it yourself")
            .says("Pay $420.00 now")
            .says("the seller keeps your deposit of $120.00");
        shop.audit().await;
        shop.advance(Duration::days(7)).await;
        let over = page_of(&shop, order).await;
        over.is(200)
            .says("It was not paid in time")
            .says("The seller keeps your deposit of $120.00, as was said when you joined.")
            .says("Kept by the seller");
        assert!(!over.html.contains("Pay $420.00 now") && !over.html.contains("Save another card"));
        let panel = Panel::of(&shop, Role::Manager).await;
        panel.get(&format!("/admin/orders/{order}")).await.is(200).says("$120.00");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_balance_that_was_announced_is_paid_on_the_page_and_said_to_be(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(with_deposit(&shop, "returned")).await;
        let order = saves(&shop, &campaign, "a@mail.example", 6, GOOD_CARD).await;
        deadline_passes(&shop, &campaign).await;
        arrive(&shop, &campaign, 6).await;
        page_of(&shop, order).await.is(200).says("your deposit of $120.00 goes back");
        asks_to_pay(&shop, order).await;
        assert_eq!(completes(&shop, order, GOOD_CARD).await, 303);
        let paid = page_of(&shop, order).await;
        paid.is(200).says("$420.00");
        assert!(!paid.html.contains("The rest is charged soon") && !paid.html.contains("Pay $420.00 now"));
        // A receipt for the deposit and one for the balance, each to be printed by shopper and merchant.
        let receipts = shop.read(move |c| papers::of_orders(c, &[order])).await;
        assert_eq!(receipts.len(), 2);
        let panel = Panel::of(&shop, Role::Viewer).await;
        let visitor = Visitor::of(&shop);
        let row = shop.order(order).await;
        for (receipt, amount) in receipts.iter().zip(["$120.00", "$420.00"]) {
            let number = receipt.kind.number(receipt.number);
            visitor.get(&visitor.path_of(&row, &format!("/receipts/{number}"))).await
                .is(200).says(&number).says(amount).says("Rua das Flores 12");
            panel.get(&format!("/admin/documents/{number}")).await
                .is(200).says(&number).says(amount).says("Rua das Flores 12");
        }
        panel.get("/admin/documents/R-99999").await.is(404);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_viewer_reads_what_is_collected_and_presses_nothing(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        saves(&shop, &campaign, "a@mail.example", 4, GOOD_CARD).await;
        saves(&shop, &campaign, "b@mail.example", 2, FAILS_LATER).await;
        deadline_passes(&shop, &campaign).await;
        shop.advance(Duration::days(7) + Duration::hours(1)).await;
        let viewer = Panel::of(&shop, Role::Viewer).await;
        let here = format!("/admin/campaigns/{}", campaign.slug);
        let page = viewer.get(&here).await;
        page.is(200).says("What is collected after joining").says("1 unit is missing");
        for deed in ["/buy", "/cancel", "/extend", "/close", "/edit"] {
            assert!(!page.body.contains(&format!("{here}{deed}\"")), "{deed}");
            viewer.get(&format!("{here}{deed}")).await.is(403);
        }
        viewer.post(&format!("{here}/buy"), &[("qty.set", "1")]).await.is(403);
        assert_eq!(shop.campaign(&campaign).await.orders, 2);
        shop.audit().await;
        shop.close().await;
    }
}
