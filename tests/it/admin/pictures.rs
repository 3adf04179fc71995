//! Pictures: what is taken, what is refused, what is kept.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use muster::domain::staff::Role;
use muster::store::misc;

use super::panel::Panel;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

fn png(side: u32, blue: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    DynamicImage::ImageRgb8(RgbImage::from_pixel(side, side, Rgb([10, 20, blue])))
        .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
        .unwrap();
    bytes
}

both_databases! {
    async fn pictures_are_added_described_ordered_and_taken_out(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = campaign.id;
        let path = format!("/admin/campaigns/{}/pictures", campaign.slug);
        panel.upload(&path, "First", &png(64, 1)).await.leads_to(&path);
        panel.upload(&path, "Second", &png(64, 2)).await.leads_to(&path);
        let rows = shop.read(move |c| misc::pictures_of(c, id)).await;
        assert_eq!(rows.iter().map(|r| r.alt.as_str()).collect::<Vec<_>>(), ["First", "Second"]);
        let file = shop.http.get(shop.url(&format!("/uploads/{}", rows[0].file))).send().await.unwrap();
        assert_eq!(file.status(), 200);
        assert_eq!(file.headers()["content-type"], "image/jpeg");
        assert_eq!(file.headers()["x-content-type-options"], "nosniff");
        assert!(file.headers()["cache-control"].to_str().unwrap().contains("immutable"));
        assert_eq!(shop.http.get(shop.url("/uploads/nonsense.jpg")).send().await.unwrap().status(), 404);
        let second = format!("{path}/{}", rows[1].id);
        panel.post(&second, &[("do", "up")]).await.leads_to(&path);
        let name = format!("alt.{}", rows[1].id);
        panel.post(&second, &[(&name, " ")]).await.is(422).says("Say in a few words");
        panel.post(&second, &[(&name, "A mug")]).await.leads_to(&path);
        let rows = shop.read(move |c| misc::pictures_of(c, id)).await;
        assert_eq!(rows.iter().map(|r| r.alt.as_str()).collect::<Vec<_>>(), ["A mug", "First"]);
        panel.post(&second, &[("do", "delete")]).await.leads_to(&path);
        panel.post(&second, &[("do", "delete")]).await.is(404);
        panel.get(&format!("/admin/campaigns/{}", campaign.slug)).await.is(200).says("alt=\"First\"");
        shop.close().await;
    }

    async fn fakes_and_files_too_large_are_refused_and_the_words_are_kept(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = campaign.id;
        let path = format!("/admin/campaigns/{}/pictures", campaign.slug);
        let script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
        panel.upload(&path, "Typed words", script).await.is(422).says("not a picture").says("Typed words");
        panel.upload(&path, "Typed words", b"\x89PNG\r\n\x1a\n and nothing").await.is(422).says("not a picture");
        panel.upload(&path, "Typed words", b"").await.is(422).says("Choose a picture");
        let large = vec![0xff; 20 * 1024 * 1024];
        panel.upload(&path, "Typed words", &large).await.is(422).says("at most 8 MiB").says("Typed words");
        panel.upload(&path, "", &png(8, 3)).await.is(422).says("what is seen");
        assert_eq!(panel.post(&path, &[("alt", "no file at all")]).await.status, 400);
        assert!(shop.read(move |c| misc::pictures_of(c, id)).await.is_empty());
        for n in 0..12 {
            panel.upload(&path, "One of many", &png(8, n)).await.leads_to(&path);
        }
        panel.upload(&path, "One too many", &png(8, 99)).await.is(422).says("at most 12");
        shop.close().await;
    }
}
