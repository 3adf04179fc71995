//! From an interest check to orders: at once, at a time, or not at all.

use chrono::{Duration, SubsecRound};
use muster::domain::campaign::CampaignState;
use muster::domain::draft::CampaignInput;
use muster::domain::order::OrderState;
use muster::domain::staff::Role;
use muster::store::{jobs, mails};
use muster::workflows::campaigns::{self, Opening};
use muster::workflows::desk::Problem;
use muster::workflows::interest as workflow;
use serde_json::json;

use super::{answer_of, answers, asking, asks, letters, path_of, would_buy};
use crate::admin::panel::Panel;
use crate::shop::{Visitor, but, typed};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

async fn open(shop: &Shop, slug: &str, opening: Opening) -> Result<CampaignState, Problem> {
    let (merchant, slug) = (shop.merchant, slug.to_owned());
    let opened =
        shop.write(move |desk, tx| campaigns::schedule(desk, tx, merchant, &slug, opening));
    opened.await.map(|row| row.state)
}

both_databases! {
    async fn it_opens_and_the_mail_carries_the_answer_into_the_order(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = asking(&shop).await;
        would_buy(&shop, &campaign, "ada@mail.example", "2", "100").await;
        would_buy(&shop, &campaign, "bo@mail.example", "1", "80").await;
        would_buy(&shop, &campaign, "cy@mail.example", "1", "80").await;
        let gone = answer_of(&shop, &campaign, "cy@mail.example").await.unwrap();
        shop.write(move |_, tx| workflow::take_back(tx, gone.id)).await.unwrap();
        assert_eq!(open(&shop, &campaign.slug, Opening::Now).await.unwrap(), CampaignState::Open);
        assert!(open(&shop, &campaign.slug, Opening::Now).await.is_err(), "once");

        let row = answer_of(&shop, &campaign, "ada@mail.example").await.unwrap();
        let path = path_of(&shop, &row);
        let mails = letters(&shop, "ada@mail.example").await;
        assert_eq!(mails.len(), 2, "{mails:#?}");
        assert!(mails[1].subject.starts_with("Ridge pour-over set is open: join at $100.00 or less until "));
        assert!(mails[1].body_text.contains(&shop.url(&format!("{path}/join"))));
        assert_eq!(letters(&shop, "bo@mail.example").await.len(), 2);
        assert!(letters(&shop, "cy@mail.example").await.iter().all(|m| m.kind != "interest_opened"));
        let visitor = Visitor::of(&shop);
        visitor.get(&path).await.is(200).says("takes orders now").says("Join with my answer");
        let page = visitor.get(&format!("{path}/join")).await;
        page.is(200).says("Your answer is filled in below").says("value=\"ada@mail.example\"").says("value=\"2\"").says("noindex");
        // The form that is filled in is the join form: it leads to the order.
        let form = but(typed("ada@mail.example", "2"), "name", "Ada");
        let review = visitor.fill_in(&campaign, &form).await;
        visitor.pay(&campaign, &form, &review).await.is(303);
        let order = visitor.orders_of(&campaign).await.remove(0);
        shop.settle().await;
        assert_eq!(shop.pay(order.id, GOOD_CARD).await, 303);
        shop.settle().await;
        assert_eq!(shop.order(order.id).await.state, OrderState::Confirmed);
        // What was answered can't be changed any more, but taken back.
        visitor.post(&path, &[("qty_set", "3"), ("up_set", "80")]).await.is(409).says("It is open by now");
        visitor.post(&format!("{path}/back"), &[]).await.is(303);
        shop.audit().await;
        shop.close().await;
    }

    async fn the_most_that_it_may_cost_is_carried_over_as_the_price_that_is_waited_for(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut offer = asks(&shop);
        offer["payment_mode"] = json!("charge_on_success");
        let campaign = shop.publish(offer).await;
        let said = [("ada", "100", 0), ("bo", "95", 1), ("cy", "80", 2), ("dee", "60", 2)];
        for (who, up_to, _) in said {
            would_buy(&shop, &campaign, &format!("{who}@mail.example"), "1", up_to).await;
        }
        open(&shop, &campaign.slug, Opening::Now).await.unwrap();
        let visitor = Visitor::of(&shop);
        for (who, _, limit) in said {
            let row = answer_of(&shop, &campaign, &format!("{who}@mail.example")).await.unwrap();
            let page = visitor.get(&format!("{}/join", path_of(&shop, &row))).await;
            page.is(200).says(&format!("id=\"limit-{limit}\" value=\"{limit}\" checked"));
        }
        shop.close().await;
    }

    async fn it_is_announced_and_opens_by_itself(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = asking(&shop).await;
        would_buy(&shop, &campaign, "ada@mail.example", "2", "100").await;
        let at = (shop.now() + Duration::days(2)).trunc_subsecs(0);
        assert_eq!(open(&shop, &campaign.slug, Opening::At(at)).await.unwrap(), CampaignState::Scheduled);
        assert_eq!(letters(&shop, "ada@mail.example").await.len(), 1, "nobody is told before it opens");
        let row = answer_of(&shop, &campaign, "ada@mail.example").await.unwrap();
        Visitor::of(&shop).get(&path_of(&shop, &row)).await.is(200).says("opens on");
        shop.advance(Duration::days(2) + Duration::minutes(1)).await;
        shop.expect_state(&campaign, CampaignState::Open).await;
        assert_eq!(letters(&shop, "ada@mail.example").await.len(), 2);
        shop.advance(Duration::days(1)).await;
        assert_eq!(letters(&shop, "ada@mail.example").await.len(), 2, "once");
        shop.close().await;
    }

    async fn one_with_a_time_asks_until_then(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut offer = asks(&shop);
        offer["opens_at"] = json!((shop.now() + Duration::days(3)).to_rfc3339());
        let campaign = shop.publish(offer).await;
        assert_eq!(campaign.state, CampaignState::Interest);
        would_buy(&shop, &campaign, "ada@mail.example", "2", "100").await;
        shop.advance(Duration::days(2)).await;
        shop.expect_state(&campaign, CampaignState::Interest).await;
        shop.advance(Duration::days(1) + Duration::minutes(1)).await;
        shop.expect_state(&campaign, CampaignState::Open).await;
        assert_eq!(letters(&shop, "ada@mail.example").await.len(), 2);
        shop.close().await;
    }

    async fn a_time_that_has_passed_opens_nothing_by_itself(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut offer = asks(&shop);
        offer["opens_at"] = json!((shop.now() - Duration::days(1)).to_rfc3339());
        let campaign = shop.publish(offer.clone()).await;
        shop.advance(Duration::days(1)).await;
        shop.expect_state(&campaign, CampaignState::Interest).await;
        offer["description"] = json!("Another word.");
        offer["slug"] = json!(campaign.slug);
        let (merchant, slug) = (shop.merchant, campaign.slug.clone());
        let input: CampaignInput = serde_json::from_value(offer).unwrap();
        shop.write(move |_, tx| campaigns::edit(tx, merchant, &slug, input.clone())).await.unwrap();
        shop.advance(Duration::days(1)).await;
        shop.expect_state(&campaign, CampaignState::Interest).await;
        assert_eq!(open(&shop, &campaign.slug, Opening::AsOffered).await.unwrap(), CampaignState::Open);
        shop.close().await;
    }

    async fn dates_are_checked_again_and_may_be_moved_until_then(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = asking(&shop).await;
        let late = shop.now() + Duration::days(9);
        let refused = open(&shop, &campaign.slug, Opening::At(late)).await.unwrap_err();
        assert!(matches!(refused, Problem::Invalid(_)), "{refused:?}");
        shop.advance(Duration::days(8)).await;
        shop.expect_state(&campaign, CampaignState::Interest).await;
        let refused = open(&shop, &campaign.slug, Opening::Now).await.unwrap_err();
        assert!(matches!(&refused, Problem::Invalid(e) if e[0].field == "deadline"), "{refused:?}");
        // Texts, prices and dates may change until the first order.
        let mut body = asks(&shop);
        body["options"][0]["prices"] = json!([11000, 9500, 8000]);
        body["slug"] = json!(campaign.slug);
        let (merchant, slug) = (shop.merchant, campaign.slug.clone());
        let input: CampaignInput = serde_json::from_value(body.clone()).unwrap();
        shop.write(move |_, tx| campaigns::edit(tx, merchant, &slug, input.clone())).await.unwrap();
        body["interest"] = json!(false);
        let slug = campaign.slug.clone();
        let input: CampaignInput = serde_json::from_value(body).unwrap();
        let locked = shop.write(move |_, tx| campaigns::edit(tx, merchant, &slug, input.clone())).await.unwrap_err();
        assert!(matches!(locked, Problem::Conflict { kind: "locked", .. }), "{locked:?}");
        assert_eq!(open(&shop, &campaign.slug, Opening::AsOffered).await.unwrap(), CampaignState::Open);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_deadline_that_passes_ends_the_asking_and_staff_are_told_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = asking(&shop).await;
        would_buy(&shop, &campaign, "ada@mail.example", "2", "100").await;
        let told = async || {
            let subjects = shop.mail_to("hello@fern.example").await;
            subjects.iter().filter(|s| s.ends_with(": asking is over")).count()
        };
        shop.advance(Duration::days(6)).await;
        assert_eq!(told().await, 0);
        shop.advance(Duration::days(3)).await;
        shop.expect_state(&campaign, CampaignState::Interest).await;
        assert_eq!(told().await, 1);
        let panel = Panel::of(&shop, Role::Manager).await;
        panel.get("/admin").await.is(200).says("Ridge pour-over set: asking is over").says("Decide what follows");
        // Nobody is asked any more, and what was answered stays as it is.
        let visitor = Visitor::of(&shop);
        let page = visitor.get(&format!("/c/{}", campaign.slug)).await;
        page.is(200).says("Asking is over: answers are not taken any more.").says("What it was about");
        assert!(!page.html.contains("Say what you would buy"));
        let form = [("qty_set", "1"), ("up_set", "90"), ("email", "bo@mail.example")];
        answers(&shop, &campaign, &form).await.is(409).says("Asking is over: its date has passed.");
        let row = answer_of(&shop, &campaign, "ada@mail.example").await.unwrap();
        let path = path_of(&shop, &row);
        visitor.get(&path).await.is(200).says("asks no more and has not opened");
        visitor.post(&path, &[("qty_set", "3"), ("up_set", "80")]).await.is(409);
        // A later deadline, and it asks on.
        let mut body = asks(&shop);
        body["slug"] = json!(campaign.slug);
        let (merchant, slug) = (shop.merchant, campaign.slug.clone());
        let input: CampaignInput = serde_json::from_value(body).unwrap();
        shop.write(move |_, tx| campaigns::edit(tx, merchant, &slug, input.clone())).await.unwrap();
        shop.settle().await;
        would_buy(&shop, &campaign, "bo@mail.example", "1", "90").await;
        assert_eq!(told().await, 1);
        shop.advance(Duration::days(8)).await;
        assert_eq!(told().await, 2, "it passed again");
        shop.audit().await;
        shop.close().await;
    }

    async fn cancelled_before_it_opened_everybody_who_answered_is_told_why(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = asking(&shop).await;
        would_buy(&shop, &campaign, "ada@mail.example", "2", "100").await;
        let (merchant, slug) = (shop.merchant, campaign.slug.clone());
        shop.write(move |desk, tx| campaigns::cancel(desk, tx, merchant, &slug, "The clay is gone.")).await.unwrap();
        let mails = letters(&shop, "ada@mail.example").await;
        assert_eq!(mails.len(), 2);
        assert_eq!(mails[1].subject, "Ridge pour-over set will not open: nothing was charged");
        assert!(mails[1].body_text.contains("The clay is gone."));
        let page = Visitor::of(&shop).get(&format!("/c/{}", campaign.slug)).await;
        page.is(200).says("The seller cancelled it").says("Nobody had paid");
        shop.expect_state(&campaign, CampaignState::Failed).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn a_thousand_who_answered_are_told_once_each_in_rounds(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = asking(&shop).await;
        let slug = campaign.slug.clone();
        shop.write(move |desk, tx| {
            for n in 0..1000 {
                let new = workflow::NewAnswer {
                    email: format!("{n}@mail.example"),
                    name: None,
                    lines: vec![workflow::WishLine { sku: "set".into(), quantity: 1, up_to: 8000 + n }],
                };
                workflow::answer(desk, tx, &slug, &new)?;
            }
            Ok(())
        }).await.unwrap();
        open(&shop, &campaign.slug, Opening::Now).await.unwrap();
        // A round that ended in the middle begins anew.
        let id = campaign.id;
        let after = shop.write(move |desk, tx| workflow::tell(desk, tx, id, workflow::Told::Opened, None)).await.unwrap();
        assert!(after.is_some());
        shop.settle().await;
        let all = shop.read(|c| mails::delivered(c, 5000)).await;
        let told: Vec<&str> = all.iter().filter(|m| m.kind == "interest_opened").map(|m| m.recipient.as_str()).collect();
        let each: std::collections::HashSet<&str> = told.iter().copied().collect();
        assert_eq!((told.len(), each.len()), (1000, 1000));
        shop.close().await;
    }

    async fn a_campaign_that_asked_before_its_end_was_work_is_followed_too(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = asking(&shop).await;
        let job = async |shop: &Shop| {
            let subject = campaign.id.to_string();
            shop.read(move |c| jobs::find(c, jobs::CAMPAIGN, &subject)).await
        };
        assert!(job(&shop).await.is_some());
        let stopped = shop.stop().await;
        let gone = "DELETE FROM jobs WHERE kind = 'campaign';";
        stopped.db.execute(gone, gone);
        // Done to a database that knows the work already it adds nothing.
        for _ in 0..2 {
            stopped.db.execute(
                include_str!("../../../migrations/postgres/2026-11-30-000026_interest_ends/up.sql"),
                include_str!("../../../migrations/sqlite/2026-11-30-000026_interest_ends/up.sql"),
            );
        }
        let shop = stopped.start().await;
        assert_eq!(job(&shop).await.unwrap().run_at, campaign.deadline);
        shop.advance(Duration::days(7) + Duration::minutes(1)).await;
        let told = shop.mail_to("hello@fern.example").await;
        assert!(told.iter().any(|subject| subject.ends_with("asking is over")), "{told:?}");
        assert!(job(&shop).await.is_none());
        shop.close().await;
    }
}
