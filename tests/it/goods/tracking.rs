//! Files of tracking numbers.

use chrono::Duration;
use muster::domain::order::OrderState;
use muster::domain::shipment::ShipmentState;
use muster::domain::staff::Role;
use muster::workflows::desk::order_number;
use muster::workflows::ship::parcel_number;

use super::scene::{ONE, Scene, ordered};
use crate::admin::panel::{Answer, Panel};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

/// The text in the hidden field of a page that shows what a file does.
fn hidden(page: &Answer) -> String {
    let start = page
        .body
        .find("name=\"text\" value=\"")
        .expect("a looked-at file")
        + 19;
    let rest = &page.body[start..];
    let text = &rest[..rest.find('"').unwrap()];
    text.replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
        .replace("&#38;", "&")
}

async fn packed(shop: &Shop) -> Scene {
    let scene = ordered(shop, &[(1, 0, ONE), (1, 0, ONE), (1, 0, ONE)]).await;
    scene.arrive(shop, 3, 0).await;
    assert_eq!(scene.pick(shop).await, 3);
    shop.advance(Duration::hours(2)).await;
    scene
}

both_databases! {
    async fn a_file_is_looked_at_then_kept_and_the_same_again_changes_nothing(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = packed(&shop).await;
        let panel = Panel::of(&shop, Role::Fulfilment).await;
        let path = format!("/admin/batches/{}/tracking", scene.batch);
        panel.get(&path).await.is(200).says("Choose a file");
        let number = order_number(shop.order(scene.orders[0]).await.number);
        let parcel = parcel_number(scene.parcels(&shop, 1).await[0].number);
        let text = format!("carrier;note;parcel;order;tracking\nÖsterreichische Post;x;;{number};A 1\nUPS;y;{parcel};;1Z2\n");
        // As an old spreadsheet writes it.
        let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let looked = panel.upload(&path, "", &bytes).await;
        looked.is(200).says("All 2 rows are good").says("Columns that are not used: note");
        assert_eq!(scene.parcels(&shop, 0).await[0].state, ShipmentState::Picked, "only looked at");
        let kept = hidden(&looked);
        for _ in 0..2 {
            panel.post(&format!("{path}/keep"), &[("text", &kept)]).await.is(303);
        }
        let first = scene.parcels(&shop, 0).await.remove(0);
        assert_eq!((first.state, first.carrier.as_deref(), first.tracking_number.as_deref()),
            (ShipmentState::HandedOver, Some("Österreichische Post"), Some("A 1")));
        assert_eq!(scene.parcels(&shop, 1).await[0].state, ShipmentState::HandedOver);
        assert_eq!(scene.parcels(&shop, 2).await[0].state, ShipmentState::Picked);
        shop.settle().await;
        let mails = shop.mail_to("s0@mail.example").await;
        assert_eq!(mails.iter().filter(|m| m.contains("on its way")).count(), 1);
        let text = format!("order,delivered_at\n{number},{}\n", (shop.now() + Duration::minutes(0)).to_rfc3339());
        let looked = panel.upload(&path, "", text.as_bytes()).await;
        panel.post(&format!("{path}/keep"), &[("text", &hidden(&looked))]).await.is(303);
        assert_eq!(shop.order(scene.orders[0]).await.state, OrderState::Delivered);
        shop.audit().await;
        shop.close().await;
    }

    async fn every_bad_row_is_told_and_the_good_ones_are_kept_on_request(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = packed(&shop).await;
        let panel = Panel::of(&shop, Role::Fulfilment).await;
        let path = format!("/admin/batches/{}/tracking", scene.batch);
        scene.cancel(&shop, 1, &[]).await;
        let of = async |n: usize| order_number(shop.order(scene.orders[n]).await.number);
        let (a, b, c) = (of(0).await, of(1).await, of(2).await);
        let text = format!(
            "order,tracking,handed_over_at\nM-99999,1,\n{a},2,\n{b},3,\n{c},4,2999-01-01\n{c},5,soon\nx,6,\n"
        );
        let looked = panel.upload(&path, "", text.as_bytes()).await;
        looked.is(200).says("5 of 6 rows are wrong").says("no order M-99999").says("must not go out").says("in the future").says("soon is no time");
        let kept = hidden(&looked);
        // Without the wish to keep the good ones alone nothing is kept.
        panel.post(&format!("{path}/keep"), &[("text", &kept)]).await.is(200).says("5 of 6 rows are wrong");
        assert_eq!(scene.parcels(&shop, 0).await[0].state, ShipmentState::Picked);
        panel.post(&format!("{path}/keep"), &[("text", &kept), ("good_rows", "1")]).await.is(303);
        assert_eq!(scene.parcels(&shop, 0).await[0].state, ShipmentState::HandedOver);
        assert_eq!(scene.parcels(&shop, 1).await[0].state, ShipmentState::Stopped);
        assert_eq!(scene.parcels(&shop, 2).await[0].state, ShipmentState::Picked);
        shop.settle().await;
        shop.audit().await;
        shop.close().await;
    }

    async fn what_is_no_such_file_is_told(db: TestDatabase) {
        let shop = Shop::open(db.in_memory()).await;
        let scene = packed(&shop).await;
        let panel = Panel::of(&shop, Role::Fulfilment).await;
        let path = format!("/admin/batches/{}/tracking", scene.batch);
        for (bytes, says) in [
            (Vec::new(), "Choose a file"),
            (b"name,weight\nAna,3\n".to_vec(), "No column is called order or parcel"),
            (b"order\n".to_vec(), "has heads and no rows"),
            (vec![0, 159, 146, 150], "No column"),
            (vec![b'x'; 1024 * 1024 + 10], "larger than 1 MB"),
        ] {
            panel.upload(&path, "", &bytes).await.is(422).says(says);
        }
        shop.audit().await;
        shop.close().await;
    }
}
