//! An option that too few ordered is not made: its lines go back, and what is left is judged (domain section 3).

use chrono::Duration;
use muster::domain::campaign::{CampaignState, Failure};
use muster::domain::draft::CampaignDraft;
use muster::domain::ids::OrderId;
use muster::domain::order::{LineState, OrderState, PaymentState};
use muster::domain::payment::{RefundPurpose, RefundState};
use muster::domain::staff::Role;
use muster::store::campaigns::{self, CampaignRow};
use muster::store::orders;
use muster::workflows::desk::Problem;
use muster::workflows::purchase::Document;
use serde_json::{Value, json};

use crate::admin::panel::Panel;
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

/// Black from 30 units on, red from 20 on; shipping costs 5 for an order.
pub fn black_and_red(shop: &Shop, threshold: i64) -> Value {
    let mut body = shop.example_a();
    body["threshold"]["target"] = json!(threshold);
    body["steps"] = json!([1, 40]);
    body["options"] = json!([
        {"sku": "set", "name": "Black", "prices": [10000, 9000], "minimum": 30},
        {"sku": "lid", "name": "Red", "prices": [2000, 1800], "minimum": 20},
    ]);
    body["shipping"] = json!([{"countries": ["*"], "price": 500}]);
    body
}

/// Joins with these lines, and pays.
pub async fn pays(
    shop: &Shop,
    campaign: &CampaignRow,
    email: &str,
    lines: &[(&str, i64)],
) -> OrderId {
    let mut wish = shop.wish(campaign, email, 1);
    wish.lines = lines.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect();
    let id = shop
        .running
        .app
        .office
        .join(wish)
        .await
        .expect("there is room")
        .order
        .id;
    shop.settle().await;
    assert_eq!(shop.pay(id, GOOD_CARD).await, 303);
    shop.settle().await;
    id
}

/// Worked example C: black 45, red 16. One order is over both, one over red alone.
pub async fn black_45_and_red_16(shop: &Shop, campaign: &CampaignRow) -> [OrderId; 3] {
    [
        pays(shop, campaign, "black@mail.example", &[("set", 30)]).await,
        pays(
            shop,
            campaign,
            "both@mail.example",
            &[("set", 15), ("lid", 6)],
        )
        .await,
        pays(shop, campaign, "red@mail.example", &[("lid", 10)]).await,
    ]
}

/// The states of an order's lines, by code.
pub async fn states(shop: &Shop, order: OrderId) -> Vec<(String, LineState)> {
    let lines = shop.read(move |c| orders::lines_of(c, order)).await;
    lines.into_iter().map(|l| (l.sku, l.state)).collect()
}

/// Taken, committed and collected units of an option.
async fn counted(shop: &Shop, campaign: &CampaignRow, sku: &str) -> (i64, i64, i64) {
    let id = campaign.id;
    let rows = shop.read(move |c| campaigns::options_of(c, id)).await;
    let row = rows.into_iter().find(|row| row.sku == sku).unwrap();
    (row.taken, row.committed, row.collected)
}

async fn page_of(shop: &Shop, order: OrderId) -> String {
    let visitor = Visitor::of(shop);
    let row = shop.order(order).await;
    visitor.get(&visitor.path_of(&row, "")).await.html
}

async fn close(shop: &Shop, campaign: &CampaignRow) -> Result<CampaignRow, Problem> {
    let (merchant, slug) = (shop.merchant, campaign.slug.clone());
    shop.write(move |_, tx| muster::workflows::campaigns::close(tx, merchant, &slug))
        .await
}

fn at_threshold(shop: &Shop) -> Value {
    let mut body = black_and_red(shop, 10);
    body["trigger"] = json!("at_threshold");
    body["options"][0]["minimum"] = Value::Null;
    body["options"][1]["minimum"] = json!(3);
    body
}

both_databases! {
    async fn worked_example_c_an_option_under_its_minimum_takes_the_campaign_along(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(black_and_red(&shop, 60)).await;
        let placed = black_45_and_red_16(&shop, &campaign).await;
        // 61 units are paid, and without red it would fail: nobody may end it early by mistake.
        assert_eq!(shop.campaign(&campaign).await.collected_units, 61);
        assert!(close(&shop, &campaign).await.unwrap_err().to_string().contains("under their minimum"));
        let panel = Panel::of(&shop, Role::Manager).await;
        let href = format!("/admin/campaigns/{}", campaign.slug);
        panel.get(&href).await.says("If it were judged now").says("everybody gets the money back");
        shop.advance(Duration::days(8)).await;
        let failed = shop.campaign(&campaign).await;
        assert_eq!((failed.state, failed.failure), (CampaignState::Failed, Some(Failure::Missed)));
        assert_eq!(failed.failure_note.as_deref(), Some("45 of 60 units"));
        for (order, charged) in placed.into_iter().zip([300_500, 162_500, 18_500]) {
            let row = shop.order(order).await;
            assert_eq!((row.state, row.payment_state), (OrderState::Cancelled, PaymentState::Refunded));
            assert_eq!((row.charged, row.refunded, row.refund_due), (charged, charged, 0));
            let refunds = shop.refunds(order).await;
            assert_eq!(refunds.len(), 1, "{refunds:#?}");
            assert_eq!((refunds[0].purpose, refunds[0].state), (RefundPurpose::Missed, RefundState::Succeeded));
            assert!(states(&shop, order).await.iter().all(|(_, state)| *state == LineState::Cancelled));
        }
        assert!(shop.purchase_orders(&campaign).await.is_empty());
        panel.get(&href).await.says("Why this price").says("Red has 16 of its minimum of 20")
            .says("45 units against the threshold of 60 units: everybody gets the money back.");
        Visitor::of(&shop).get(&format!("/c/{}", campaign.slug)).await
            .says("45 of 60 needed were paid for when it closed. Red is not counted: 16 of the 20 it needs were paid for.");
        assert!(page_of(&shop, placed[2]).await.contains("Not counted, being under its minimum: Red, 16 of 20 units."));
        shop.audit().await;
        shop.close().await;
    }

    async fn an_option_is_dropped_and_the_rest_goes_ahead(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(black_and_red(&shop, 40)).await;
        let visitor = Visitor::of(&shop);
        let path = format!("/c/{}", campaign.slug);
        let [black, both, red] = black_45_and_red_16(&shop, &campaign).await;
        visitor.get(&path).await.says("made if 20 are ordered, 16 so far").says("45 ordered, of 30 it needs");
        shop.advance(Duration::days(8)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        // 61 paid units reach the step of 40, and so do the 45 that are left: black falls from 100 to 90.
        let kept = shop.order(black).await;
        assert_eq!((kept.state, kept.charged, kept.refunded), (OrderState::Backordered, 300_500, 30_000));
        // One refund for both: 15 times the difference, and six red lids that are not made.
        let part = shop.order(both).await;
        assert_eq!((part.state, part.payment_state), (OrderState::Backordered, PaymentState::PartlyRefunded));
        assert_eq!((part.charged, part.refunded, part.final_total), (162_500, 27_000, Some(135_500)));
        let refunds = shop.refunds(both).await;
        assert_eq!((refunds.len(), refunds[0].purpose), (1, RefundPurpose::OptionDropped));
        assert_eq!(states(&shop, both).await, [
            ("lid".to_owned(), LineState::Dropped),
            ("set".to_owned(), LineState::Backordered),
        ]);
        // Nothing is left of this one: all of it goes back, shipping included.
        let whole = shop.order(red).await;
        assert_eq!((whole.state, whole.payment_state), (OrderState::Cancelled, PaymentState::Refunded));
        assert_eq!((whole.charged, whole.refunded, whole.units_taken), (18_500, 18_500, false));
        assert_eq!(states(&shop, red).await, [("lid".to_owned(), LineState::Dropped)]);
        assert_eq!(counted(&shop, &campaign, "lid").await, (0, 0, 0));
        assert_eq!(counted(&shop, &campaign, "set").await, (45, 45, 45));
        let row = shop.campaign(&campaign).await;
        assert_eq!((row.committed_units, row.collected_units, row.collected_orders), (45, 45, 2));
        let sent = shop.purchase_orders(&campaign).await;
        assert_eq!((sent.len(), sent[0].units, sent[0].units_paid), (1, 45, 45));
        let document: Document = serde_json::from_str(&sent[0].document).unwrap();
        assert_eq!(document.lines.iter().map(|l| l.sku.as_str()).collect::<Vec<_>>(), ["set"]);
        shop.audit().await;
        told(&shop, &campaign, both, red).await;
        shop.close().await;
    }

    async fn at_threshold_waits_until_no_option_is_under_its_minimum(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(at_threshold(&shop)).await;
        pays(&shop, &campaign, "a@mail.example", &[("set", 10)]).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        let mut second = at_threshold(&shop);
        second["title"] = json!("Again");
        let campaign = shop.publish(second).await;
        pays(&shop, &campaign, "a@mail.example", &[("set", 8), ("lid", 1)]).await;
        pays(&shop, &campaign, "b@mail.example", &[("set", 4)]).await;
        let open = shop.campaign(&campaign).await;
        assert_eq!((open.state, open.collected_units, open.closed_at), (CampaignState::Open, 13, None));
        pays(&shop, &campaign, "c@mail.example", &[("lid", 2)]).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        let sent = shop.purchase_orders(&campaign).await;
        assert_eq!(sent[0].units, 15);
        shop.audit().await;
        shop.close().await;
    }

    async fn at_threshold_goes_ahead_when_the_last_who_wanted_an_option_leaves(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(at_threshold(&shop)).await;
        let alone = pays(&shop, &campaign, "a@mail.example", &[("lid", 1)]).await;
        pays(&shop, &campaign, "b@mail.example", &[("set", 12)]).await;
        shop.expect_state(&campaign, CampaignState::Open).await;
        shop.cancel(alone).await.unwrap();
        shop.settle().await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(shop.purchase_orders(&campaign).await[0].units, 12);
        shop.audit().await;
        shop.close().await;
    }

    async fn at_threshold_goes_ahead_when_the_minimum_is_lowered(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(at_threshold(&shop)).await;
        pays(&shop, &campaign, "a@mail.example", &[("set", 11), ("lid", 2)]).await;
        shop.expect_state(&campaign, CampaignState::Open).await;
        let edit = |minimum: i64| {
            let (merchant, slug) = (shop.merchant, campaign.slug.clone());
            let kept: CampaignDraft = serde_json::from_str(&campaign.spec).unwrap();
            let mut input = kept.to_input();
            input.options.as_mut().unwrap()[1].minimum = Some(minimum);
            shop.write(move |_, tx| {
                muster::workflows::campaigns::edit(tx, merchant, &slug, input.clone())
            })
        };
        assert!(edit(4).await.unwrap_err().to_string().contains("locked"));
        edit(2).await.unwrap();
        shop.settle().await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn at_the_deadline_it_goes_ahead_without_what_too_few_ordered(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(at_threshold(&shop)).await;
        let order = pays(&shop, &campaign, "a@mail.example", &[("set", 11), ("lid", 2)]).await;
        shop.advance(Duration::days(6)).await;
        shop.expect_state(&campaign, CampaignState::Open).await;
        close(&shop, &campaign).await.unwrap();
        shop.settle().await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(shop.order(order).await.refunded, 4_000);
        shop.audit().await;
        shop.close().await;
    }

    async fn of_an_order_that_lost_an_option_the_rest_may_still_be_cancelled(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut supplier = shop.supplier.clone();
        supplier.minimum_units = Some(1_000);
        shop.write(move |_, tx| Ok(muster::store::merchants::save_supplier(tx.conn, &supplier)?)).await.unwrap();
        let campaign = shop.publish(black_and_red(&shop, 30)).await;
        let [black, both, _] = black_45_and_red_16(&shop, &campaign).await;
        shop.advance(Duration::days(8)).await;
        // The supplier's minimum keeps the order back: who lost an option may leave with the rest.
        shop.expect_state(&campaign, CampaignState::Collecting).await;
        shop.cancel(both).await.unwrap();
        shop.settle().await;
        let left = shop.order(both).await;
        assert_eq!((left.state, left.refunded, left.refund_due), (OrderState::Cancelled, 162_500, 0));
        assert_eq!(states(&shop, both).await[0], ("lid".to_owned(), LineState::Dropped));
        shop.audit().await;
        shop.advance(Duration::days(8)).await;
        assert_eq!(shop.campaign(&campaign).await.failure, Some(Failure::Supplier));
        let back = shop.order(black).await;
        assert_eq!((back.refunded, back.refund_due), (back.charged, 0));
        shop.audit().await;
        shop.close().await;
    }
}

/// What shoppers and staff read after an option was dropped.
async fn told(shop: &Shop, campaign: &CampaignRow, both: OrderId, red: OrderId) {
    let page = Visitor::of(shop)
        .get(&format!("/c/{}", campaign.slug))
        .await;
    page.is(200)
        .says("not made: 16 of 20 ordered")
        .says("Not made, because too few were ordered: Red.");
    let kept = page_of(shop, both).await;
    assert!(kept.contains("dropped: too few were ordered, so it is not made"));
    assert!(kept.contains("Not made, because too few were ordered: 6 \u{d7} Red."));
    assert!(kept.contains("$270.00 goes back to the card."));
    let ended = page_of(shop, red).await;
    assert!(ended.contains("What you ordered is not made"), "{ended}");
    let last = shop.mail_to("red@mail.example").await.pop().unwrap();
    assert!(last.ends_with("is cancelled: $185.00 goes back to you"));
    let last = shop.mail_to("both@mail.example").await.pop().unwrap();
    assert!(last.contains("$270.00"), "{last}");
    let panel = Panel::of(shop, Role::Viewer).await;
    panel
        .get(&format!("/admin/campaigns/{}", campaign.slug))
        .await
        .says("Why this price")
        .says("Red has 16 of its minimum of 20: it is not made, and its price goes back.")
        .says("45 units against the threshold of 40 units: it goes ahead.");
}
