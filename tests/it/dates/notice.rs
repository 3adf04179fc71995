//! A notice's page: the link decides nothing, one press decides once, and every state says what holds.

use muster::domain::order::OrderState;
use muster::domain::payment::RefundPurpose;
use muster::workflows::ship::When;

use super::{ordered, said};
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn a_link_decides_nothing_and_a_press_decides_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let late = ordered(&shop, &["a@mail.example"]).await;
        late.moves(&shop, Some(late.after(20))).await;
        let visitor = Visitor::of(&shop);
        let page = late.page(&shop, 0).await;
        let mails = shop.mail_to("a@mail.example").await;
        assert!(mails.iter().any(|m| m.contains("ships by")), "{mails:?}");
        let said_new = said(late.after(20));
        for link in [page.clone(), format!("{page}?answer=wait"), format!("{page}?answer=cancel"), format!("{page}?answer=x&answer=y")] {
            let seen = visitor.get(&link).await;
            seen.is(200).says("It will be late").says(&said_new).says("The kiln broke.").says("Cancel and refund $200.00");
            seen.says("we take it that you wait until").says(&said(late.after(21))).says("noindex");
            assert_eq!(seen.headers["cache-control"], "no-store");
        }
        visitor.get(&format!("{page}?answer=cancel")).await.says("decides nothing by itself");
        assert_eq!(shop.order(late.orders[0]).await.state, OrderState::Backordered);
        for form in [vec![], vec![("answer", "")], vec![("answer", "perhaps")], vec![("other", "wait")]] {
            visitor.post(&page, &form).await.is(422).says("Nothing was decided").says("Keep waiting to");
        }
        for _ in 0..2 {
            let done = visitor.post(&page, &[("answer", "wait")]).await;
            assert_eq!(done.is(303).to.as_deref(), Some(page.as_str()));
            visitor.get(&page).await.is(200).says("You keep waiting until").says(&said_new).says("You may cancel until the parcel");
        }
        for _ in 0..2 {
            visitor.post(&page, &[("answer", "cancel")]).await.is(303);
            visitor.get(&page).await.is(200).says("You cancelled this order").says("$200.00");
        }
        shop.settle().await;
        let order = shop.order(late.orders[0]).await;
        assert_eq!((order.state, order.refunded), (OrderState::Cancelled, 20000));
        assert_eq!(shop.refunds(order.id).await.len(), 1);
        visitor.post(&page, &[("answer", "wait")]).await.is(409).says("cancelled already");
        visitor.get(&page).await.is(200).says("went back to you. Nothing is owed any more.");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_foreign_token_opens_nothing(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let late = ordered(&shop, &["a@mail.example"]).await;
        late.moves(&shop, None).await;
        let visitor = Visitor::of(&shop);
        let page = late.page(&shop, 0).await;
        let links = &shop.running.app.office.desk().links;
        let order = links.order_token(late.orders[0]);
        let stranger = links.notice_token(muster::domain::ids::NoticeId::new());
        let other = if page.ends_with('A') { 'B' } else { 'A' };
        let bent = format!("{}{other}", &page[..page.len() - 1]);
        for token in ["/d/nonsense".into(), format!("/d/{order}"), format!("/d/{stranger}"), bent, format!("{page}x")] {
            visitor.get(&format!("{token}?answer=cancel")).await.is(404);
            visitor.post(&token, &[("answer", "cancel")]).await.is(404);
        }
        assert_eq!(shop.order(late.orders[0]).await.state, OrderState::Backordered);
        shop.audit().await;
        shop.close().await;
    }

    async fn after_the_last_day_nobody_can_wait_and_the_money_goes_back_by_itself(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let late = ordered(&shop, &["a@mail.example"]).await;
        late.moves(&shop, None).await;
        let visitor = Visitor::of(&shop);
        let page = late.page(&shop, 0).await;
        let last = late.after(30);
        let seen = visitor.get(&page).await;
        seen.is(200).says("the new date is not known").says("Keep waiting without a date");
        seen.says(&format!("If you say nothing by the end of {}", said(last)));
        late.until(&shop, late.after(31), 0).await;
        visitor.get(&page).await.is(200).says(&format!("The last day was {}", said(last))).says("Refund on its way");
        let refused = visitor.post(&page, &[("answer", "wait")]).await;
        refused.is(409).says("The last day to answer was").says("you need not do anything");
        late.until(&shop, late.after(31), 7).await;
        let order = shop.order(late.orders[0]).await;
        assert_eq!((order.state, order.refunded), (OrderState::Cancelled, 20000));
        assert_eq!(shop.refunds(order.id).await[0].purpose, RefundPurpose::Delay);
        visitor.get(&page).await.is(200).says("This order is cancelled").says("$200.00");
        visitor.post(&page, &[("answer", "cancel")]).await.is(409).says("cancelled already");
        visitor.get(&visitor.path_of(&order, "")).await.is(200).says("It will not be shipped").says("nothing was answered by");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_newer_notice_stands_before_an_older_one(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let late = ordered(&shop, &["a@mail.example"]).await;
        late.moves(&shop, Some(late.after(10))).await;
        let older = late.page(&shop, 0).await;
        late.moves(&shop, Some(late.after(25))).await;
        let newer = late.page(&shop, 0).await;
        assert_ne!(older, newer);
        let visitor = Visitor::of(&shop);
        visitor.get(&older).await.is(200).says("There is a newer notice").says(&newer).says("Cancel and refund $200.00");
        visitor.get(&newer).await.is(200).says(&said(late.after(25))).says("Keep waiting to");
        // An earlier date is only told.
        visitor.post(&newer, &[("answer", "wait")]).await.is(303);
        late.moves(&shop, Some(late.after(20))).await;
        let told = late.page(&shop, 0).await;
        visitor.get(&told).await.is(200).says("For you to know").says(&said(late.after(20))).says("nothing to answer");
        visitor.post(&told, &[("answer", "wait")]).await.is(409).says("nothing to answer");
        shop.audit().await;
        shop.close().await;
    }

    async fn of_a_partly_shipped_order_the_rest_is_cancelled_and_what_came_stays(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let late = ordered(&shop, &["a@mail.example"]).await;
        late.arrive(&shop, 1).await;
        late.send(&shop, 0, 1, When::Now).await;
        late.moves(&shop, Some(late.after(20))).await;
        let visitor = Visitor::of(&shop);
        let page = late.page(&shop, 0).await;
        visitor.get(&page).await.is(200).says("Cancel the rest and refund $100.00").says("What was shipped stays yours");
        for _ in 0..2 {
            visitor.post(&page, &[("answer", "cancel")]).await.is(303);
        }
        visitor.get(&page).await.is(200).says("You cancelled what was not shipped");
        shop.settle().await;
        let order = shop.order(late.orders[0]).await;
        assert_eq!((order.state, order.refunded), (OrderState::Shipped, 10000));
        visitor.post(&page, &[("answer", "wait")]).await.is(409);
        shop.audit().await;
        shop.close().await;
    }

    async fn what_is_with_the_carrier_cannot_be_answered_any_more(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let late = ordered(&shop, &["a@mail.example"]).await;
        late.moves(&shop, Some(late.after(20))).await;
        let page = late.page(&shop, 0).await;
        late.arrive(&shop, 2).await;
        late.send(&shop, 0, 2, When::Now).await;
        let visitor = Visitor::of(&shop);
        visitor.get(&page).await.is(200).says("It has been shipped");
        for answer in ["wait", "cancel"] {
            visitor.post(&page, &[("answer", answer)]).await.is(409).says("handed to the carrier");
        }
        shop.audit().await;
        shop.close().await;
    }
}
