//! Shipping by weight: charged at joining, computed again by the frozen weights for what stays.

use muster::domain::payment::RefundPurpose;
use muster::store::mails;
use muster::workflows::desk::Problem;
use serde_json::json;

use crate::goods::scene::{ONE, Scene, ordered_with};
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

/// 5.00 for each order, and from 2 kg on 4.00 more; nothing above 10 kg. A set weighs 1.5 kg, a cup 300 g.
fn by_weight(body: &mut serde_json::Value) {
    body["options"][0]["weight_grams"] = json!(1500);
    body["options"][1]["weight_grams"] = json!(300);
    body["shipping"] = json!([{
        "countries": ["*"], "price": 500,
        "bands": [{"up_to_grams": 2000, "price": 0}, {"up_to_grams": 10000, "price": 400}],
    }]);
    body["tax"] = json!([
        {"countries": ["PT"], "rate_basis_points": 2300, "included": true, "name": "IVA"},
    ]);
}

async fn back(shop: &Shop, scene: &Scene, order: usize) -> Vec<i64> {
    let all = shop.refunds(scene.orders[order]).await;
    let some = all.iter().filter(|r| r.purpose == RefundPurpose::Delay);
    some.map(|r| r.amount).collect()
}

both_databases! {
    async fn an_order_that_becomes_lighter_gets_shipping_back_too(db: TestDatabase) {
        let shop = Shop::open(db).await;
        // 3.3 kg, 9.00 shipping; and 1.5 kg, 5.00.
        let scene = ordered_with(&shop, &[(2, 1, ONE), (1, 0, ONE)], by_weight).await;
        let heavy = shop.order(scene.orders[0]).await;
        let cost = 2 * 10_000 + 1_999 + 900;
        assert_eq!((heavy.total, shop.order(scene.orders[1]).await.total), (cost, 10_500));
        let left = scene.cancel(&shop, 0, &[("set", 1)]).await;
        assert_eq!(left.back, 10_000 + 400, "1.8 kg are left, which ship for 5.00");
        shop.settle().await;
        assert_eq!(back(&shop, &scene, 0).await, [10_400]);
        shop.audit().await;
        shop.close().await;
    }

    async fn an_order_too_heavy_to_ship_is_refused_at_its_field(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = shop.example_a();
        body["options"][0]["weight_grams"] = json!(1500);
        body["shipping"] = json!([{"countries": ["*"], "price": 0, "bands": [{"up_to_grams": 9000, "price": 300}]}]);
        let campaign = shop.publish(body).await;
        let refused = shop.running.app.office.join(shop.wish(&campaign, "a@mail.example", 7)).await;
        let Err(Problem::Invalid(errors)) = refused else { panic!("{refused:?}") };
        assert_eq!(errors[0].field, "lines");
        assert!(errors[0].message.contains("not shipped to Portugal"), "{errors:?}");
        let fits = shop.join(&campaign, "a@mail.example", 6).await;
        assert_eq!(fits.order.total, 60_300);
        let page = shop.http.get(shop.url(&format!("/c/{}", campaign.slug))).send().await.unwrap().text().await.unwrap();
        for words in ["from $3.00", "$3.00 up to 9 kg, not shipped above 9 kg"] {
            assert!(page.contains(words), "{words}");
        }
        shop.close().await;
    }

    async fn tax_is_told_by_its_name(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered_with(&shop, &[(1, 0, ONE)], by_weight).await;
        let visitor = Visitor::of(&shop);
        let row = shop.order(scene.orders[0]).await;
        let page = visitor.get(&visitor.path_of(&row, "")).await.html;
        assert!(page.contains("$19.63 IVA 23 % included"), "{page}");
        let mails = shop.read(|c| mails::delivered(c, 1000)).await;
        assert!(mails.iter().any(|m| m.body_text.contains("$19.63 included, IVA 23 %")));
        shop.close().await;
    }
}
