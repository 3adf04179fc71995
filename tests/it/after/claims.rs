//! Claims, from the report to the money.

use std::io::Cursor;

use chrono::Duration;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use muster::domain::claim::{ClaimKind, ClaimOutcome, ClaimState};
use muster::domain::ids::{ClaimId, OrderId};
use muster::domain::payment::RefundPurpose;
use muster::domain::shipment::{DeliveredBy, ShipmentKind, ShipmentState};
use muster::domain::staff::Role;
use muster::store::{claims, shipments, stock};
use muster::workflows::claims::decide::{Decision, resolve};
use muster::workflows::claims::returns::{ask_return, mark_sent, receive};
use muster::workflows::claims::{Report, Who, read, report};
use muster::workflows::desk::Problem;

use super::goods::{delivered, ordered, pair, parcel, shipped, spare};
use crate::admin::panel::Panel;
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

fn png(blue: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    DynamicImage::ImageRgb8(RgbImage::from_pixel(32, 24, Rgb([10, 20, blue])))
        .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
        .unwrap();
    bytes
}

/// Sends the report form: status and page.
async fn send(shop: &Shop, path: &str, form: &[(&str, &str)], photos: &[Vec<u8>]) -> (u16, String) {
    let mut body = Vec::new();
    for (name, value) in form {
        body.extend_from_slice(
            format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                .as_bytes(),
        );
    }
    for photo in photos {
        body.extend_from_slice(
            b"--cut\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"p.png\"\r\nContent-Type: image/png\r\n\r\n",
        );
        body.extend_from_slice(photo);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--cut--\r\n");
    let answer = shop
        .http
        .post(shop.url(path))
        .header("content-type", "multipart/form-data; boundary=cut")
        .body(body)
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn claims_of(shop: &Shop, order: OrderId) -> Vec<claims::ClaimRow> {
    shop.read(move |c| claims::of_order(c, order)).await
}

/// The shopper reports one thing.
pub async fn opened(
    shop: &Shop,
    order: OrderId,
    kind: ClaimKind,
    sku: &str,
    units: i64,
) -> Result<ClaimId, Problem> {
    let wish = Report {
        order,
        kind,
        lines: vec![(sku.to_owned(), units)],
        text: "A crack along the rim.".into(),
        photos: Vec::new(),
    };
    shop.write(move |desk, tx| report(desk, tx, &wish, &Who::Shopper).map(|c| c.id))
        .await
}

/// Staff decide a claim.
pub async fn decided(shop: &Shop, claim: ClaimId, decision: Decision) -> Result<(), Problem> {
    let merchant = shop.merchant;
    shop.write(move |desk, tx| {
        resolve(desk, tx, Some(merchant), claim, ("Ana", &decision)).map(|_| ())
    })
    .await
}

const REFUND: Decision = Decision::Refund { shown: None };

both_databases! {
    async fn a_damaged_unit_is_reported_with_photos_and_refunded_by_staff(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let order = ordered(&shop, pair(&shop), 6, 1).await;
        let visitor = Visitor::of(&shop);
        let row = shop.order(order).await;
        assert!(!visitor.get(&visitor.path_of(&row, "")).await.html.contains("Report it"));
        let parcel = shipped(&shop, order, &[("set", 6), ("lid", 1)]).await;
        delivered(&shop.running.app.office, parcel, DeliveredBy::Carrier).await;
        visitor.get(&visitor.path_of(&row, "")).await.is(200).says("Report it").says("Withdraw from contract here");
        let path = visitor.path_of(&row, "/claims");
        visitor.get(&path).await.is(200).says("Full set").says("0 to 6");
        let good = [("form_key", "a-key-of-the-form"), ("kind", "damaged"), ("qty_set", "1"), ("qty_lid", ""), ("text", "A crack along the rim.")];
        for (field, value, says) in [
            ("kind", "sad", "Choose what is the matter"),
            ("qty_set", "7", "from 1 to 6"),
            ("qty_set", "-1", "from 1 to 6"),
            ("qty_set", "two", "from 1 to 6"),
            ("qty_set", "0", "Choose at least one unit"),
            ("text", " ", "what is the matter"),
            ("form_key", "", "Open the page again"),
        ] {
            let mut form = good.to_vec();
            form.iter_mut().filter(|(name, _)| *name == field).for_each(|pair| pair.1 = value);
            let (status, page) = send(&shop, &path, &form, &[]).await;
            assert_eq!(status, 422, "{field} {value}");
            assert!(page.contains(says), "{says}: {page}");
        }
        let (status, page) = send(&shop, &path, &good, &[b"<svg/>".to_vec()]).await;
        assert_eq!(status, 422);
        assert!(page.contains("not a picture") && page.contains("A crack along the rim."), "{page}");
        let (status, page) = send(&shop, &path, &good, &[vec![0xff; 20 * 1024 * 1024]]).await;
        assert_eq!(status, 422);
        assert!(page.contains("at most 8 MiB"), "{page}");
        let six: Vec<Vec<u8>> = (0..6).map(png).collect();
        assert_eq!(send(&shop, &path, &good, &six).await.0, 422);
        assert!(claims_of(&shop, order).await.is_empty());

        // Pressed twice: one claim.
        for _ in 0..2 {
            assert_eq!(send(&shop, &path, &good, &[png(1), png(2)]).await.0, 303);
        }
        let all = claims_of(&shop, order).await;
        assert_eq!(all.len(), 1);
        let claim = all[0].id;
        let photos = shop.read(move |c| claims::photos_of(c, &[claim])).await;
        assert_eq!(photos.len(), 2);
        let photo = visitor.path_of(&row, &format!("/claims/photos/{}", photos[0].id));
        visitor.get(&photo).await.is(200);
        for closed in [
            format!("/uploads/{}", photos[0].file),
            photo.split("?t=").next().unwrap().to_owned(),
            photo.replace("?t=", "?t=x"),
        ] {
            visitor.get(&closed).await.is(404);
        }
        shop.settle().await;
        assert!(shop.mail_to("a@mail.example").await.iter().any(|s| s.contains("your report is here")));
        assert!(shop.mail_to("hello@fern.example").await.iter().any(|s| s.contains("arrived damaged")));

        let panel = Panel::of(&shop, Role::Manager).await;
        panel.get("/admin").await.says("arrived damaged");
        panel.get("/admin/claims").await.is(200).says(&format!("/admin/claims/{claim}"));
        let href = format!("/admin/claims/{claim}");
        let page = panel.get(&href).await;
        page.is(200).says("A crack along the rim.").says("Refund $90.00").says("too few in stock");
        panel.get(&format!("{href}/photos/{}", photos[0].id)).await.is(200);
        Panel::stranger(&shop).get(&format!("{href}/photos/{}", photos[0].id)).await.leads_to(&format!("/admin/login?next=%2Fadmin%2Fclaims%2F{claim}%2Fphotos%2F{}", photos[0].id));
        panel.post(&format!("{href}/refund"), &[("form_key", "key-number-1"), ("shown", "9001")]).await.is(409).says("$90.00");
        panel.post(&format!("{href}/part"), &[("form_key", "key-number-2"), ("amount", "90.01"), ("part_reason", "")]).await.is(422).says("at most $90.00").says("Write the reason");
        for _ in 0..2 {
            panel.post(&format!("{href}/refund"), &[("form_key", "key-number-3"), ("shown", "9000")]).await.leads_to(&href);
        }
        panel.post(&format!("{href}/refuse"), &[("form_key", "key-number-4"), ("reason", "No.")]).await.is(409);
        shop.settle().await;
        let kept = shop.order(order).await;
        assert_eq!((kept.allowances, kept.money().kept()), (9000, 6 * 9000 + 2000 + 500 - 9000));
        let given = shop.refunds(order).await.pop().unwrap();
        assert_eq!((given.purpose, given.amount), (RefundPurpose::Claim, 9000));
        visitor.get(&visitor.path_of(&row, "")).await.says("$90.00 of it goes back to you").says("Photo that came");
        panel.get("/admin/claims").await.says("No claim stands here");
        panel.get("/admin/claims?state=resolved").await.says(&href);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_lost_parcel_is_sent_again_from_stock_that_is_nobodys(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let order = ordered(&shop, pair(&shop), 6, 0).await;
        let first = shipped(&shop, order, &[("set", 6)]).await;
        // That it is assumed to have come does not say that it did.
        delivered(&shop.running.app.office, first, DeliveredBy::Assumed).await;
        let claim = opened(&shop, order, ClaimKind::Lost, "set", 6).await.unwrap();
        let none = decided(&shop, claim, Decision::Reship).await;
        assert!(matches!(none, Err(Problem::Conflict { kind: "no-stock", .. })), "{none:?}");
        spare(&shop, order, "set", 7).await;
        decided(&shop, claim, Decision::Reship).await.unwrap();
        let parcels = shop.read(move |c| shipments::of_order(c, order)).await;
        assert_eq!(parcels.len(), 2);
        assert_eq!((parcels[0].state, parcels[1].kind, parcels[1].state), (ShipmentState::Lost, ShipmentKind::Reship, ShipmentState::Picked));
        assert_eq!((parcels[1].claim_id, parcels[1].number), (Some(claim), 2));
        let batch = shop.order(order).await.batch_id;
        let rows = shop.read(move |c| stock::of_batch(c, batch)).await;
        assert_eq!((rows[0].reshipped, rows[0].free()), (6, 1));
        // What is on its way again cannot be claimed meanwhile.
        assert!(matches!(opened(&shop, order, ClaimKind::Damaged, "set", 1).await, Err(Problem::Invalid(_))));
        shop.settle().await;
        assert!(shop.mail_to("a@mail.example").await.iter().any(|s| s.contains("sent to you again")));
        assert!(shop.refunds(order).await.iter().all(|r| r.purpose == RefundPurpose::Difference));
        shop.audit().await;
        shop.close().await;
    }

    async fn goods_come_back_before_the_money_goes(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let order = ordered(&shop, pair(&shop), 6, 2).await;
        let parcel = shipped(&shop, order, &[("set", 6), ("lid", 2)]).await;
        delivered(&shop.running.app.office, parcel, DeliveredBy::Carrier).await;
        let claim = opened(&shop, order, ClaimKind::Returned, "set", 2).await.unwrap();
        let (merchant, today) = (shop.merchant, shop.now().date_naive());
        let past = shop.write(move |desk, tx| ask_return(desk, tx, merchant, claim, ("Ana", today, ""))).await;
        assert!(matches!(past, Err(Problem::Invalid(_))));
        let early = shop.write(move |desk, tx| mark_sent(desk, tx, order, claim, "RR1")).await;
        assert!(matches!(early, Err(Problem::Conflict { kind: "claim-moved-on", .. })));
        let by = today + Duration::days(14);
        shop.write(move |desk, tx| ask_return(desk, tx, merchant, claim, ("Ana", by, ""))).await.unwrap();
        let visitor = Visitor::of(&shop);
        let row = shop.order(order).await;
        let page = visitor.get(&visitor.path_of(&row, "")).await;
        page.is(200).says("Rua do Forno 1").says("It is on its way");
        let sent = visitor.path_of(&row, &format!("/claims/{claim}/sent"));
        visitor.post(&sent, &[("proof", " ")]).await.is(422).says("tracking number");
        visitor.post(&sent.replace("?t=", "?t=x"), &[("proof", "RR1")]).await.is(404);
        for _ in 0..2 {
            visitor.post(&sent, &[("proof", "RR123456785PT")]).await.is(303);
        }
        let option = shop.read(move |c| claims::lines_of(c, &[claim])).await[0].option_id;
        for wrong in [vec![(option, 3, 0)], vec![(option, -1, 0)], vec![(option, 0, 0)]] {
            let too_many = shop.write(move |desk, tx| receive(desk, tx, merchant, claim, ("Ana", &wrong))).await;
            assert!(matches!(too_many, Err(Problem::Invalid(_))));
        }
        shop.write(move |desk, tx| receive(desk, tx, merchant, claim, ("Ana", &[(option, 1, 1)]))).await.unwrap();
        let twice = shop.write(move |desk, tx| receive(desk, tx, merchant, claim, ("Ana", &[(option, 1, 1)]))).await;
        assert!(matches!(twice, Err(Problem::Conflict { .. })));
        let batch = row.batch_id;
        let rows = shop.read(move |c| stock::of_batch(c, batch)).await;
        assert_eq!(rows.iter().map(|r| (r.restocked, r.scrapped)).max(), Some((1, 1)));
        decided(&shop, claim, REFUND).await.unwrap();
        shop.settle().await;
        let given = shop.refunds(order).await.pop().unwrap();
        assert_eq!((given.purpose, given.amount), (RefundPurpose::Returned, 18000));
        assert_eq!(claims_of(&shop, order).await[0].state, ClaimState::Resolved);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_part_may_go_back_and_then_the_rest_and_never_more(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let order = ordered(&shop, pair(&shop), 6, 1).await;
        assert!(matches!(opened(&shop, order, ClaimKind::Lost, "set", 1).await, Err(Problem::Conflict { kind: "nothing-shipped", .. })));
        shipped(&shop, order, &[("set", 2)]).await;
        assert!(matches!(opened(&shop, order, ClaimKind::Damaged, "set", 3).await, Err(Problem::Invalid(_))), "two were shipped");
        let scratch = opened(&shop, order, ClaimKind::Damaged, "set", 1).await.unwrap();
        let reason = "A scratch, you keep it.".to_owned();
        decided(&shop, scratch, Decision::Part { amount: 2500, reason }).await.unwrap();
        assert!(matches!(decided(&shop, scratch, REFUND).await, Err(Problem::Conflict { .. })));
        // The same unit, broken after all: what it had back is taken off.
        let broken = opened(&shop, order, ClaimKind::Damaged, "set", 1).await.unwrap();
        decided(&shop, broken, REFUND).await.unwrap();
        assert_eq!(claims_of(&shop, order).await[1].amount, Some(6500));
        shipped(&shop, order, &[("set", 4), ("lid", 1)]).await;
        let all = opened(&shop, order, ClaimKind::Wrong, "set", 5).await.unwrap();
        decided(&shop, all, REFUND).await.unwrap();
        assert!(matches!(opened(&shop, order, ClaimKind::Wrong, "set", 1).await, Err(Problem::Invalid(_))), "all six are refunded");
        let lid = opened(&shop, order, ClaimKind::Lost, "lid", 1).await.unwrap();
        assert!(matches!(decided(&shop, lid, Decision::Refuse { reason: " ".into() }).await, Err(Problem::Invalid(_))));
        decided(&shop, lid, Decision::Refuse { reason: "The carrier has your signature.".into() }).await.unwrap();
        let again = opened(&shop, order, ClaimKind::Lost, "lid", 1).await.unwrap();
        decided(&shop, again, REFUND).await.unwrap();
        shop.settle().await;
        // With the last unit goes the shipping.
        let row = shop.order(order).await;
        assert_eq!((row.money().kept(), row.refunded), (0, row.charged));
        let outcomes: Vec<_> = claims_of(&shop, order).await.iter().map(|c| c.outcome.unwrap()).collect();
        assert_eq!(outcomes, [ClaimOutcome::PartialRefund, ClaimOutcome::Refund, ClaimOutcome::Refund, ClaimOutcome::Refused, ClaimOutcome::Refund]);
        shop.audit().await;
        shop.close().await;
    }

    async fn who_said_that_it_came_cannot_say_that_it_is_lost(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let order = ordered(&shop, pair(&shop), 6, 0).await;
        let first = shipped(&shop, order, &[("set", 4)]).await;
        delivered(&shop.running.app.office, first, DeliveredBy::Shopper).await;
        shipped(&shop, order, &[("set", 2)]).await;
        assert!(matches!(opened(&shop, order, ClaimKind::Lost, "set", 3).await, Err(Problem::Invalid(_))));
        opened(&shop, order, ClaimKind::Lost, "set", 2).await.unwrap();
        opened(&shop, order, ClaimKind::Damaged, "set", 1).await.unwrap();
        for _ in 0..3 {
            opened(&shop, order, ClaimKind::Damaged, "set", 1).await.unwrap();
        }
        let many = opened(&shop, order, ClaimKind::Damaged, "set", 1).await;
        assert!(matches!(many, Err(Problem::Conflict { kind: "too-many-claims", .. })), "{many:?}");
        shop.audit().await;
        shop.close().await;
    }

    async fn what_is_packed_again_outlives_a_cancelled_rest(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let order = ordered(&shop, pair(&shop), 6, 1).await;
        shipped(&shop, order, &[("set", 2)]).await;
        spare(&shop, order, "set", 6).await;
        let lost = opened(&shop, order, ClaimKind::Lost, "set", 2).await.unwrap();
        decided(&shop, lost, Decision::Reship).await.unwrap();
        parcel(&shop.running.app.office, order, &[("set", 1)], false).await;
        let merchant = shop.merchant;
        shop.write(move |desk, tx| {
            muster::workflows::give_back::give_back(desk, tx, &muster::workflows::give_back::Request {
                merchant, order, what: muster::workflows::give_back::What::Lines(vec![("set".into(), 4)]),
                reason: "The kiln broke.".into(), shown: None, person: "Ana".into(), once: None,
            })
        }).await.unwrap();
        let states: Vec<_> = shop.read(move |c| shipments::of_order(c, order)).await.iter().map(|p| p.state).collect();
        assert_eq!(states, [ShipmentState::Lost, ShipmentState::Picked, ShipmentState::Stopped]);
        let case = shop.running.app.office.read_here(|c| read(c, order)).unwrap();
        assert!(case.lines.iter().all(|l| l.picked == 0));
        shop.settle().await;
        shop.audit().await;
        shop.close().await;
    }
}
