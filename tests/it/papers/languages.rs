//! Amounts are written as in the visitor's language, also on pages that are kept in memory.

use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn a_kept_page_is_written_for_each_language_and_follows_changes_in_all(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let visitor = Visitor::of(&shop);
        let path = format!("/c/{}", campaign.slug);
        let german = [("accept-language", "de-DE,de;q=0.9,en;q=0.8")];
        for _ in 0..2 {
            visitor.get(&path).await.is(200).says("$100.00");
            visitor.get_with(&path, &german).await.is(200).says("100,00\u{a0}$");
            visitor.get_with(&path, &[("accept-language", "nl")]).await.is(200).says("$\u{a0}100,00");
        }
        let answer = shop.http.get(shop.url(&path)).send().await.unwrap();
        let vary = answer.headers().get("vary").unwrap().to_str().unwrap().to_lowercase();
        assert!(vary.contains("accept-language"), "{vary}");
        // Six units: the step is reached for everybody, whatever his language.
        for n in 0..3 {
            shop.join_and_pay(&campaign, &format!("s{n}@mail.example"), 2).await;
        }
        for (headers, price) in [(&[][..], "Now $90.00"), (&german[..], "Now 90,00\u{a0}$")] {
            let mut html = String::new();
            // One request draws, the others are served the page as it was.
            for _ in 0..50 {
                html = visitor.get_with(&path, headers).await.html;
                if html.contains(&price[4..]) {
                    break;
                }
            }
            assert!(html.contains(&price[4..]), "{html}");
        }
        let order = visitor.orders_of(&campaign).await.remove(0);
        let own = visitor.path_of(&order, "");
        visitor.get_with(&own, &german).await.is(200).says("200,00\u{a0}$");
        visitor.get(&own).await.is(200).says("$200.00");
        shop.close().await;
    }
}
