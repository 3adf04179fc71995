//! What shoppers say, change and take back.

use chrono::Duration;
use muster::store::interest;
use muster::workflows::campaigns;

use super::{
    answer_of, answers, asking, asks, housekeeping, letters, lines_of, path_of, would_buy,
};
use crate::shop::{Visitor, typed};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn somebody_answers_without_money_and_a_mail_confirms_it(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = asking(&shop).await;
        let visitor = Visitor::of(&shop);
        let page = visitor.get(&format!("/c/{}", campaign.slug)).await;
        page.is(200).says("Would you buy it?").says("Nothing is charged").says("name=\"qty_set\"").says("name=\"up_lid\"");
        assert!(!page.html.contains("id=\"join\""), "nothing can be joined");
        visitor.get("/").await.says("Would you buy it?").says("Ridge pour-over set");
        let form = [("qty_set", "2"), ("up_set", "85.50"), ("qty_lid", "1"), ("up_lid", "15"),
            ("email", " Ada@Mail.Example "), ("name", "Ada")];
        let sent = answers(&shop, &campaign, &form).await;
        let to = sent.is(303).to.clone().unwrap();
        visitor.get(&to).await.is(200).says("Look at your mail").says("Nothing is charged");
        let row = answer_of(&shop, &campaign, "ada@mail.example").await.expect("an answer");
        assert_eq!(lines_of(&shop, row.id).await, [("lid".into(), 1, 1500), ("set".into(), 2, 8550)]);
        let mails = letters(&shop, "ada@mail.example").await;
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].subject, "Ridge pour-over set: your answer is kept, nothing is charged");
        assert!(mails[0].body_text.contains("2 \u{d7} Full set, up to $85.50 each"), "{}", mails[0].body_text);
        assert!(mails[0].body_text.contains(&shop.url(&path_of(&shop, &row))));
        // The form once more, as by a double click: nothing new, and no further letter.
        answers(&shop, &campaign, &form).await.is(303);
        assert_eq!(letters(&shop, "ada@mail.example").await.len(), 1);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_stranger_neither_overwrites_an_answer_nor_learns_of_it(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = asking(&shop).await;
        would_buy(&shop, &campaign, "ada@mail.example", "2", "90").await;
        // The same answer as to an address that was never heard of.
        for up_to in ["1", "2", "3"] {
            would_buy(&shop, &campaign, "ada@mail.example", "9", up_to).await;
        }
        let row = answer_of(&shop, &campaign, "ada@mail.example").await.unwrap();
        assert_eq!(lines_of(&shop, row.id).await, [("set".into(), 2, 9000)], "the first one stays");
        let mails = letters(&shop, "ada@mail.example").await;
        assert_eq!(mails.len(), 2, "and one letter a day says so: {mails:#?}");
        assert!(mails[1].subject.contains("you answered before"));
        assert!(mails[1].body_text.contains("up to $90.00"), "{}", mails[1].body_text);
        shop.advance(Duration::days(1)).await;
        would_buy(&shop, &campaign, "ada@mail.example", "9", "4").await;
        assert_eq!(letters(&shop, "ada@mail.example").await.len(), 3);
        shop.close().await;
    }

    async fn the_link_changes_an_answer_and_takes_it_back(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = asking(&shop).await;
        would_buy(&shop, &campaign, "ada@mail.example", "2", "90").await;
        letters(&shop, "ada@mail.example").await;
        let row = answer_of(&shop, &campaign, "ada@mail.example").await.unwrap();
        let (visitor, path) = (Visitor::of(&shop), path_of(&shop, &row));
        visitor.get(&path).await.is(200).says("up to $90.00 each").says("value=\"90.00\"").says("noindex");
        let wrong = visitor.post(&path, &[("qty_set", "many"), ("up_set", "80")]).await;
        wrong.is(422).says("Write a whole number").says("value=\"many\"");
        visitor.post(&path, &[("qty_set", "0")]).await.is(422).says("Choose at least one");
        let changed = visitor.post(&path, &[("qty_set", "3"), ("up_set", "80"), ("name", "Ada")]).await;
        assert_eq!(changed.is(303).to.clone().unwrap(), format!("{path}?said=changed"));
        visitor.get(&format!("{path}?said=changed")).await.says("Your changed answer is kept.").says("up to $80.00 each");
        assert_eq!(lines_of(&shop, row.id).await, [("set".into(), 3, 8000)]);
        // It is not open: there is nothing to join.
        assert_eq!(visitor.get(&format!("{path}/join")).await.is(303).to.clone().unwrap(), path);

        let gone = visitor.post(&format!("{path}/back"), &[]).await;
        visitor.get(&gone.is(303).to.clone().unwrap()).await.is(200).says("Your answer is taken back");
        assert_eq!(answer_of(&shop, &campaign, "ada@mail.example").await, None);
        assert!(lines_of(&shop, row.id).await.is_empty());
        assert!(letters(&shop, "ada@mail.example").await.is_empty(), "the letters are gone with the address");
        visitor.get(&path).await.is(404);
        visitor.post(&format!("{path}/back"), &[]).await.is(404);
        visitor.get("/i/nonsense").await.is(404);
        // Whoever took it back may answer anew.
        would_buy(&shop, &campaign, "ada@mail.example", "1", "70").await;
        assert_eq!(letters(&shop, "ada@mail.example").await.len(), 1);
        shop.close().await;
    }

    async fn what_is_wrong_is_said_at_its_field_and_everything_typed_is_kept(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = asking(&shop).await;
        let empty = answers(&shop, &campaign, &[]).await;
        empty.is(422).says("Choose at least one").says("Write your e-mail address").says("2 things to correct");
        for (wrong, said) in [
            (("qty_set", "-1"), "Write a whole number"),
            (("qty_set", "10001"), "Write 10,000 at most."),
            (("qty_set", "0"), "Write how many, or leave the price empty."),
            (("up_set", ""), "Write an amount."),
            (("up_set", "much"), "Write the amount in digits"),
            (("up_set", "0"), "more than nought"),
            (("up_set", "99999999999"), "at most"),
            (("up_set", "-5"), "negative"),
            (("email", "ada@"), "Write an e-mail address such as"),
            (("name", "a\u{7}b"), "control characters"),
        ] {
            let form = [("qty_set", "2"), ("up_set", "90"), ("qty_lid", "3"), ("up_lid", "12.34"),
                ("email", "keeps@mail.example"), ("name", "Kept Name")];
            let form = form.map(|(name, value)| if name == wrong.0 { wrong } else { (name, value) });
            let again = answers(&shop, &campaign, &form).await;
            again.is(422).says(said).says("One thing to correct").says("value=\"12.34\"");
        }
        let over = [("qty_lid", "4"), ("up_lid", "12"), ("email", "a@mail.example")];
        answers(&shop, &campaign, &over).await.is(422).says("Each shopper may have 3 at most.");
        let odd = [("qty_set", "1"), ("up_set", "<script>alert(1)</script>"), ("email", "a@mail.example")];
        let odd = answers(&shop, &campaign, &odd).await;
        assert!(!odd.is(422).html.contains("<script>alert"));
        let id = campaign.id;
        assert_eq!(shop.read(move |c| interest::count(c, id)).await, 0);
        shop.close().await;
    }

    async fn nothing_can_be_ordered_and_only_what_asks_is_answered(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = asking(&shop).await;
        let visitor = Visitor::of(&shop);
        visitor.fill_in(&campaign, &typed("a@mail.example", "1")).await.is(409).says("takes no orders now");
        let wish = shop.wish(&campaign, "a@mail.example", 1);
        let refused = shop.running.app.office.join(wish).await.unwrap_err();
        assert!(refused.to_string().contains("asks first who would buy"), "{refused}");
        let mut plain = shop.example_a();
        plain["title"] = "Another".into();
        let open = shop.publish(plain).await;
        let form = [("qty_set", "1"), ("up_set", "90"), ("email", "a@mail.example")];
        answers(&shop, &open, &form).await.is(409).says("It is open by now");
        let merchant = shop.merchant;
        let mut draft = asks(&shop);
        draft["title"] = "A draft".into();
        let draft: muster::domain::draft::CampaignInput = serde_json::from_value(draft).unwrap();
        let draft = shop.write(move |_, tx| campaigns::create(tx, merchant, draft.clone())).await.unwrap();
        answers(&shop, &draft, &form).await.is(404);
        visitor.get(&format!("/c/{}/interest", campaign.slug)).await.is(303);
        shop.close().await;
    }

    async fn who_answered_is_forgotten_a_week_after_the_end_and_after_a_year(db: TestDatabase) {
        let shop = Shop::open(db).await;
        housekeeping(&shop).await;
        let campaign = asking(&shop).await;
        let mut other = asks(&shop);
        other["title"] = "Another".into();
        let waits = shop.publish(other).await;
        would_buy(&shop, &campaign, "ada@mail.example", "2", "90").await;
        would_buy(&shop, &waits, "bo@mail.example", "1", "80").await;
        let (merchant, slug) = (shop.merchant, campaign.slug.clone());
        shop.write(move |desk, tx| campaigns::cancel(desk, tx, merchant, &slug, "No clay.")).await.unwrap();
        assert_eq!(letters(&shop, "ada@mail.example").await.len(), 2);
        shop.advance(Duration::days(6)).await;
        let row = answer_of(&shop, &campaign, "ada@mail.example").await.expect("still there");
        shop.advance(Duration::days(3)).await;
        assert_eq!(answer_of(&shop, &campaign, "ada@mail.example").await, None);
        assert!(letters(&shop, "ada@mail.example").await.is_empty());
        // What was wanted stays, as numbers.
        assert_eq!(lines_of(&shop, row.id).await, [("set".into(), 2, 9000)]);
        Visitor::of(&shop).get(&path_of(&shop, &row)).await.is(404);
        assert!(answer_of(&shop, &waits, "bo@mail.example").await.is_some());
        shop.advance(Duration::days(360)).await;
        assert_eq!(answer_of(&shop, &waits, "bo@mail.example").await, None, "a year is enough");
        shop.close().await;
    }
}
