//! An order goes to a country with other rules: what was told at joining holds, what is new is agreed to, and papers say the
//! tax of where it went.

use muster::domain::country::Country;
use muster::domain::paper::PaperKind;
use muster::store::papers;
use muster::workflows::change::{self, Change, Typed};
use muster::workflows::changes::Came;
use muster::workflows::claims::Who;
use muster::workflows::desk::Problem;
use muster::workflows::payment::frozen;
use serde_json::json;

use super::abroad::{sends, there};
use super::pages::{get, hidden, post};
use super::{changes_of, offer};
use crate::cards::{completes, deadline_passes};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

both_databases! {
    async fn the_right_to_withdraw_stays_and_is_gained_by_a_change_alone(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = offer(&shop, "charge_now");
        body["shipping"] = json!([{"countries": ["*"], "price": 500}]);
        let campaign = shop.publish(body).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 3).await;
        // Told at joining in Portugal that it may be withdrawn from: so it may in the States.
        assert_eq!(sends(&shop, order, "US").await.unwrap(), Came::Done);
        assert!(changes_of(&shop, order).await.is_empty(), "a correction");
        assert!(frozen(&shop.order(order).await).unwrap().withdrawal);
        assert_eq!(sends(&shop, order, "DE").await.unwrap(), Came::Done);
        assert!(changes_of(&shop, order).await.is_empty());
        // One from the States comes under other rules: that is agreed to, and kept as a change.
        let mut wish = shop.wish(&campaign, "b@mail.example", 3);
        wish.address.country = Country::parse("US").unwrap();
        let other = shop.running.app.office.join(wish).await.unwrap().order.id;
        shop.settle().await;
        completes(&shop, other, GOOD_CARD).await;
        let token = shop.running.app.office.desk().links.order_token(other);
        let path = format!("/o/{other}/edit?t={token}");
        let form = [
            ("name", "Ana Sousa"), ("line1", "Torstra\u{df}e 1"), ("postal_code", "10119"), ("city", "Berlin"),
            ("country", "DE"), ("delivery", "one_parcel"),
        ];
        let (status, _, page) = post(&shop, &path, &form).await;
        assert!(status == 200 && page.contains("withdraw"), "it is said first: {page}");
        assert_eq!(shop.order(other).await.country, "US");
        // Once joining is over nobody gets out of it by an address.
        deadline_passes(&shop, &campaign).await;
        let wish = Change { address: Some(there("DE")), delivery: None };
        let moved = shop
            .write(move |desk, tx| change::change(desk, tx, (None, other), &wish, &Who::Shopper))
            .await;
        match moved {
            Err(Problem::Invalid(errors)) => assert_eq!(errors[0].field, "country", "{errors:?}"),
            other => panic!("{other:?}"),
        }
        shop.audit().await;
        shop.close().await;
    }

    async fn the_credit_note_of_a_move_says_the_tax_of_its_receipt(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = offer(&shop, "charge_now");
        body["shipping"] = json!([{"countries": ["*"], "price": 500}]);
        body["tax"] = json!([{"countries": ["PT"], "rate_basis_points": 2300, "included": false}]);
        let campaign = shop.publish(body).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        assert_eq!(shop.order(order).await.total, 25_215);
        assert_eq!(sends(&shop, order, "US").await.unwrap(), Came::Done);
        shop.settle().await;
        assert_eq!(shop.order(order).await.total, 20_500);
        let said = shop.read(move |c| papers::of_orders(c, &[order])).await;
        let said: Vec<(PaperKind, i64, i64)> = said.iter().map(|p| (p.kind, p.amount, p.tax)).collect();
        assert_eq!(said, [(PaperKind::Receipt, 25_215, 4_715), (PaperKind::CreditNote, 4_715, 4_715)]);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_form_that_is_older_than_the_address_does_not_put_the_old_one_back(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = offer(&shop, "charge_now");
        body["shipping"] = json!([{"countries": ["*"], "price": 500}]);
        let campaign = shop.publish(body).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 3).await;
        let token = shop.running.app.office.desk().links.order_token(order);
        let path = format!("/o/{order}/change?t={token}");
        let was = hidden(&get(&shop, &path).await, "address_was");
        let old = Typed::of(&shop.order(order).await).unwrap();
        assert_eq!(sends(&shop, order, "ES").await.unwrap(), Came::Done);
        let form = [
            ("name", old.name.as_str()), ("line1", &old.line1), ("line2", &old.line2), ("city", &old.city),
            ("region", &old.region), ("postal_code", &old.postal_code), ("country", &old.country),
            ("address_was", &was), ("qty_set", "2"),
        ];
        let (status, _, page) = post(&shop, &path, &form).await;
        assert!(status == 200 && !page.contains("Rua das Flores"), "{page}");
        let (shown, key) = (hidden(&page, "shown"), hidden(&page, "form_key"));
        let agreed = [("qty_set", "2"), ("shown", &shown), ("form_key", &key)];
        assert_eq!(post(&shop, &path, &agreed).await.0, 303);
        let row = shop.order(order).await;
        assert_eq!((row.country.as_str(), row.units), ("ES", 2));
        shop.audit().await;
        shop.close().await;
    }
}
