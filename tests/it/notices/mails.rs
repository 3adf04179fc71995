//! What the mails say, and where their links lead.

use muster::domain::promise::Answer;
use muster::store::mails;

use super::{answers, days_after, last_notice, promised, ships_by};
use crate::goods::scene::ONE;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn a_notice_says_the_date_the_reason_and_what_silence_does(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE)], |_| {}).await;
        let order = scene.orders[0];
        ships_by(&shop, &scene, days_after(d, 40)).await;
        let notice = last_notice(&shop, order).await;
        let mail = notice.mail_id.unwrap();
        let sent = shop.read(move |c| mails::by_id(c, mail)).await.unwrap();
        let token = shop.running.app.office.desk().links.notice_token(notice.id);
        let day = |date: chrono::NaiveDate| date.format("%-d %B %Y").to_string();
        for said in [
            "The kiln is late.".to_owned(),
            format!("It now ships by {}.", day(days_after(d, 40))),
            format!("If you say nothing by the end of {}", day(days_after(d, 30))),
            format!("$105.00 goes back to the card you paid with on {}.", day(days_after(d, 31))),
            shop.url(&format!("/d/{token}?answer=wait")),
            shop.url(&format!("/d/{token}?answer=cancel")),
        ] {
            assert!(sent.body_text.contains(&said), "{said}\n\n{}", sent.body_text);
        }
        assert!(sent.body_html.contains(&format!("/d/{token}?answer=wait")));
        answers(&shop, order, Answer::Cancel).await.unwrap();
        let all = shop.read(move |c| mails::of_order(c, order)).await;
        let last = all.last().unwrap();
        assert_eq!(last.kind, "delay_refund");
        assert!(last.body_text.contains("is cancelled, as you asked."), "{}", last.body_text);
        shop.audit().await;
        shop.close().await;
    }
}
