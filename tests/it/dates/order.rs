//! The order's page and the campaign's while a date moves.

use muster::domain::order::OrderState;
use muster::workflows::notices::give_up;
use muster::workflows::ship::When;

use super::{ordered, ordered_as, said};
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn the_order_says_every_date_what_holds_and_what_was_answered(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let late = ordered(&shop, &["a@mail.example"]).await;
        let visitor = Visitor::of(&shop);
        let order = shop.order(late.orders[0]).await;
        let path = visitor.path_of(&order, "");
        let page = visitor.get(&path).await;
        page.is(200).says("What you were promised").says(&said(late.promised())).says("nobody asked you to wait");
        page.says(&format!("By {}: shipped to you", said(late.promised())));
        assert!(!page.html.contains("Changed your mind?"), "the supplier's order is out and no date moved");
        let cancel = visitor.path_of(&order, "/cancel");
        assert_eq!(visitor.get(&cancel).await.is(303).to.as_deref(), Some(path.as_str()));
        visitor.post(&cancel, &[]).await.is(409);
        late.moves(&shop, Some(late.after(20))).await;
        let notice = late.page(&shop, 0).await;
        let page = visitor.get(&path).await;
        page.is(200).says("It will be late").says(&format!("action=\"{notice}\"")).says("Keep waiting to").says("Every date you were told");
        page.says("You were asked whether you wait").says(&format!("By {}: shipped to you", said(late.after(20))));
        page.says("because the date was moved").says(">Open<");
        visitor.post(&notice, &[("answer", "wait")]).await.is(303);
        let page = visitor.get(&path).await;
        page.is(200).says("You keep waiting until").says("You wait until").says("Changed your mind?");
        assert!(!page.html.contains("It will be late"), "it was answered");
        late.moves(&shop, None).await;
        let page = visitor.get(&path).await;
        page.is(200).says("the new date is not known").says("Shipped to you: the date is not known").says("<del>");
        visitor.get(&cancel).await.is(200).says("Cancel and refund $200.00").says("shipping included");
        let gone = visitor.post(&cancel, &[]).await;
        let done = gone.is(303).to.clone().unwrap();
        visitor.post(&cancel, &[]).await.is(303);
        visitor.get(&done).await.is(200).says("Your order is cancelled.").says("You cancelled this order").says("You cancelled the order.");
        shop.settle().await;
        let order = shop.order(order.id).await;
        assert_eq!((order.state, order.refunded), (OrderState::Cancelled, 20000));
        visitor.get(&cancel).await.is(303);
        shop.audit().await;
        shop.close().await;
    }

    async fn the_rest_of_a_partly_shipped_order_is_cancelled_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let late = ordered(&shop, &["a@mail.example"]).await;
        late.moves(&shop, None).await;
        late.arrive(&shop, 1).await;
        late.send(&shop, 0, 1, When::Now).await;
        let visitor = Visitor::of(&shop);
        let order = shop.order(late.orders[0]).await;
        visitor.get(&visitor.path_of(&order, "")).await.is(200).says("Cancel the rest").says("The rest is shipped to you: the date is not known");
        let cancel = visitor.path_of(&order, "/cancel");
        visitor.get(&cancel).await.is(200).says("Cancel the rest and refund $100.00").says("What was shipped stays yours");
        let first = visitor.post(&cancel, &[]).await;
        let second = visitor.post(&cancel, &[]).await;
        assert_eq!(first.is(303).to, second.is(303).to);
        let page = visitor.get(first.to.as_deref().unwrap()).await;
        page.is(200).says("What you have stays yours.").says("You cancelled what was not shipped.");
        assert!(!page.html.contains("Last day of all"), "nothing is still to be shipped");
        shop.settle().await;
        assert_eq!(shop.order(order.id).await.refunded, 10000);
        shop.audit().await;
        shop.close().await;
    }

    async fn the_campaign_says_what_was_promised_and_how_it_moved(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let late = ordered(&shop, &["a@mail.example", "b@mail.example"]).await;
        let visitor = Visitor::of(&shop);
        let path = format!("/c/{}", late.campaign.slug);
        let page = visitor.get(&path).await;
        page.is(200).says(&format!("By {}: shipped", said(late.promised()))).says("a delay of at most 30 days counts as agreed");
        late.moves(&shop, Some(late.after(12))).await;
        let moved = format!("Promised {}, now {}", said(late.promised()), said(late.after(12)));
        visitor.get(&path).await.is(200).says(&moved).says("12 days later than promised");
        late.moves(&shop, None).await;
        visitor.get(&path).await.is(200).says("now not known");
        let batch = late.batch;
        shop.write(move |desk, tx| give_up(desk, tx, batch, "The mould is lost.", "Ines")).await.unwrap();
        let order = shop.order(late.orders[0]).await;
        let before = visitor.get(&visitor.path_of(&order, "")).await;
        before.is(200).says("the seller will not ship what is left").says("The mould is lost.");
        shop.settle().await;
        visitor.get(&visitor.path_of(&order, "")).await.is(200).says("It will not be shipped").says("The mould is lost.").says("$200.00");
        visitor.get(&path).await.is(200);
        for order in &late.orders {
            assert_eq!(shop.order(*order).await.refunded, 20000);
        }
        shop.audit().await;
        shop.close().await;
    }

    async fn who_is_always_asked_reads_that_silence_never_agrees(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let late = ordered_as(&shop, &["a@mail.example"], |body| body["delay_policy"] = "ask_always".into()).await;
        let visitor = Visitor::of(&shop);
        visitor.get(&format!("/c/{}", late.campaign.slug)).await.is(200).says("silence never counts as agreed");
        late.moves(&shop, Some(late.after(5))).await;
        let page = late.page(&shop, 0).await;
        visitor.get(&page).await.is(200).says(&format!("If you say nothing by the end of {}", said(late.promised())));
        shop.audit().await;
        shop.close().await;
    }
}
