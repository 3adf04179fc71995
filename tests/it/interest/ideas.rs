//! Votes for what to run next.

use chrono::Duration;
use muster::domain::draft::CampaignInput;
use muster::domain::ids::IdeaId;
use muster::domain::interest::IdeaState;
use muster::domain::staff::Role;
use muster::store::ideas::{self, IdeaRow};
use muster::store::mails::MailRow;
use muster::workflows::{campaigns, ideas as workflow};
use serde_json::json;

use super::{asks, housekeeping, letters};
use crate::admin::panel::Panel;
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

async fn idea(shop: &Shop, title: &str) -> IdeaRow {
    let merchant = shop.merchant;
    let new = workflow::Written {
        title: title.to_owned(),
        body: "With a **lid**. <script>alert(1)</script>".to_owned(),
    };
    shop.write(move |_, tx| workflow::add(tx, merchant, &new))
        .await
        .unwrap()
}

async fn votes(shop: &Shop, id: IdeaId) -> i64 {
    let row = shop.read(move |c| ideas::by_id(c, id)).await;
    row.unwrap().votes
}

/// The path of a vote, out of its letter.
fn link_in(shop: &Shop, mail: &MailRow) -> String {
    let before = shop.url("/v/");
    let rest = mail.body_text.split(&before).nth(1).expect("a link");
    format!("/v/{}", rest.split_whitespace().next().unwrap())
}

both_databases! {
    async fn a_vote_counts_once_its_link_was_used(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let idea = idea(&shop, "A travel mug").await;
        let visitor = Visitor::of(&shop);
        let page = format!("/m/fern-kiln/ideas/{}", idea.id);
        visitor.get("/m/fern-kiln").await.is(200).says("A travel mug").says(&page).says("No votes yet");
        let one = visitor.get(&page).await;
        one.is(200).says("<strong>lid</strong>").says("Send my vote");
        assert!(!one.html.contains("<script>alert"));
        visitor.post(&page, &[("email", "ada@")]).await.is(422).says("value=\"ada@\"").says("Write an e-mail address");
        for _ in 0..2 {
            let sent = visitor.post(&page, &[("email", " Ada@Mail.Example"), ("tells", "1")]).await;
            assert_eq!(sent.is(303).to.clone().unwrap(), format!("{page}/sent"));
        }
        visitor.get(&format!("{page}/sent")).await.is(200).says("Look at your mail");
        let mails = letters(&shop, "ada@mail.example").await;
        assert_eq!(mails.len(), 1, "one letter a day");
        assert_eq!(mails[0].subject, "Confirm your vote for A travel mug");
        let link = link_in(&shop, &mails[0]);
        visitor.get(&link).await.is(200).says("Count my vote").says("noindex");
        assert_eq!(votes(&shop, idea.id).await, 0, "looking counts nothing");
        for _ in 0..2 {
            visitor.post(&link, &[("tells", "1")]).await.is(303);
        }
        assert_eq!(votes(&shop, idea.id).await, 1);
        visitor.get(&link).await.is(200).says("Your vote counts");
        visitor.get(&page).await.says("1 vote");
        // The same words to whoever asks with an address that has voted; its letter knows.
        let again = visitor.post(&page, &[("email", "ada@mail.example")]).await;
        assert_eq!(again.is(303).to.clone().unwrap(), format!("{page}/sent"));
        let mails = letters(&shop, "ada@mail.example").await;
        assert_eq!(mails[1].subject, "Your vote for A travel mug counts already");
        assert_eq!(votes(&shop, idea.id).await, 1);

        let gone = visitor.post(&format!("{link}/back"), &[]).await;
        visitor.get(&gone.is(303).to.clone().unwrap()).await.is(200).says("Your vote is taken back");
        assert_eq!(votes(&shop, idea.id).await, 0);
        assert!(letters(&shop, "ada@mail.example").await.is_empty());
        visitor.get(&link).await.is(404);
        visitor.get("/v/nonsense").await.is(404);
        visitor.get("/m/another/ideas/nothing").await.is(404);
        visitor.get(&page.replace("fern-kiln", "another")).await.is(404);
        shop.close().await;
    }

    async fn staff_end_hide_and_run_ideas_and_voters_are_told(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        panel.get("/admin/ideas").await.is(200).says("will stand here");
        panel.post("/admin/ideas/new", &[("title", " ")]).await.is(422);
        panel.post("/admin/ideas/new", &[("title", "A travel mug"), ("body", "With a lid.")]).await.leads_to("/admin/ideas");
        let merchant = shop.merchant;
        let row = shop.read(move |c| ideas::of_merchant(c, merchant, IdeaState::ALL, 9)).await.remove(0);
        let (visitor, page) = (Visitor::of(&shop), format!("/m/fern-kiln/ideas/{}", row.id));
        for (email, tells) in [("ada", "1"), ("bo", "0"), ("cy", "1")] {
            let email = format!("{email}@mail.example");
            visitor.post(&page, &[("email", &email), ("tells", tells)]).await.is(303);
            let mail = letters(&shop, &email).await.remove(0);
            if !email.starts_with("cy") {
                visitor.post(&link_in(&shop, &mail), &[("tells", tells)]).await.is(303);
            }
        }
        panel.get("/admin/ideas").await.says("A travel mug").says("Make a campaign of it");
        let one = format!("/admin/ideas/{}", row.id);
        panel.get(&one).await.is(200).says("2 votes").says("End the voting");
        panel.post(&one, &[("do", "hidden")]).await.leads_to(&one);
        visitor.get(&page).await.is(404);
        panel.post(&one, &[("do", "ended")]).await.leads_to(&one);
        visitor.get(&page).await.is(200).says("Votes are not taken any more");
        visitor.post(&page, &[("email", "dee@mail.example")]).await.is(409);
        panel.post(&one, &[("do", "open")]).await.leads_to(&one);
        panel.post(&one, &[("title", "A travel mug, 350 ml"), ("body", "With a lid."), ("do", "save")]).await.leads_to(&one);

        let new = panel.get(&format!("/admin/campaigns/new?idea={}", row.id)).await;
        new.is(200).says("value=\"A travel mug, 350 ml\"").says("With a lid.").says("name=\"idea\"");
        let body = asks(&shop);
        let day = |name: &str| body[name].as_str().unwrap().to_owned();
        let deadline = (shop.now() + Duration::days(7)).format("%Y-%m-%dT%H:%M").to_string();
        let (ships, stop) = (day("promised_ship_date"), day("stop_loss_date"));
        let id = row.id.to_string();
        let form = [
            ("title", "A travel mug, 350 ml"), ("description", "With a lid."), ("currency", "usd"), ("time_zone", "UTC"),
            ("interest", "1"), ("deadline", &deadline), ("promised_ship_date", &ships), ("stop_loss_date", &stop),
            ("threshold.kind", "units"), ("threshold.target", "5"), ("trigger", "at_deadline"), ("delay_policy", "ftc"),
            ("steps.0", "1"), ("options.0.sku", "mug"), ("options.0.name", "Mug"), ("options.0.prices.0", "40"),
            ("shipping.0.countries", "*"), ("shipping.0.price", "0"), ("idea", &id),
        ];
        let href = "/admin/campaigns/a-travel-mug-350-ml";
        panel.post("/admin/campaigns/new", &form).await.leads_to(href);
        assert!(letters(&shop, "ada@mail.example").await.len() == 1, "a draft is nobody's news");
        panel.post(&format!("{href}/publish"), &[]).await.leads_to(href);
        let told = letters(&shop, "ada@mail.example").await;
        assert_eq!(told.len(), 2);
        assert!(told[1].subject.ends_with("a campaign came of it, A travel mug, 350 ml"), "{}", told[1].subject);
        assert!(told[1].body_text.contains("asks first who would buy it"), "{}", told[1].body_text);
        assert_eq!(letters(&shop, "bo@mail.example").await.len(), 1, "did not ask for it");
        assert_eq!(letters(&shop, "cy@mail.example").await.len(), 1, "never confirmed");
        visitor.get(&page).await.is(200).says("A campaign came of it").says("/c/a-travel-mug-350-ml");
        panel.post(&one, &[("do", "open")]).await.is(409);
        // It can be hidden, no more: not even then it takes votes again.
        panel.post(&one, &[("do", "hidden")]).await.leads_to(&one);
        let hidden = panel.get(&one).await;
        hidden.is(200).says("it takes no votes again");
        assert!(!hidden.body.contains("Show it, and take votes"));
        panel.post(&one, &[("do", "open")]).await.is(409);
        panel.post(&one, &[("do", "ended")]).await.is(409);
        panel.get("/admin/ideas").await.says("/admin/campaigns/a-travel-mug-350-ml");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_second_draft_of_an_idea_is_refused_while_the_first_lives(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let idea = idea(&shop, "A travel mug").await;
        let (visitor, page) = (Visitor::of(&shop), format!("/m/fern-kiln/ideas/{}", idea.id));
        visitor.post(&page, &[("email", "ada@mail.example"), ("tells", "1")]).await.is(303);
        let mail = letters(&shop, "ada@mail.example").await.remove(0);
        visitor.post(&link_in(&shop, &mail), &[("tells", "1")]).await.is(303);
        let (merchant, id) = (shop.merchant, idea.id);
        let mut drafts = Vec::new();
        for title in ["First mug", "Second mug"] {
            let mut body = shop.example_a();
            body["title"] = json!(title);
            let input: CampaignInput = serde_json::from_value(body).unwrap();
            drafts.push(shop.write(move |_, tx| {
                let row = campaigns::create(tx, merchant, input.clone())?;
                workflow::made(tx, merchant, id, row.id)?;
                Ok(row)
            }).await);
        }
        let refused = drafts.pop().unwrap().unwrap_err();
        assert!(refused.to_string().contains("First mug"), "{refused}");
        let first = drafts.pop().unwrap().unwrap();
        shop.write(move |desk, tx| campaigns::publish(desk, tx, merchant, &first.slug)).await.unwrap();
        let told = letters(&shop, "ada@mail.example").await;
        assert_eq!(told.len(), 2, "the first one's voters are told");
        assert!(told[1].subject.ends_with("a campaign came of it, First mug"), "{}", told[1].subject);
        shop.close().await;
    }

    async fn programs_read_the_ideas(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let one = idea(&shop, "A travel mug").await;
        let hidden = idea(&shop, "A secret").await;
        let merchant = shop.merchant;
        shop.write(move |_, tx| workflow::set_state(tx, merchant, hidden.id, IdeaState::Hidden)).await.unwrap();
        let got = shop.http.get(shop.url("/api/v1/merchants/fern-kiln/ideas")).send().await.unwrap();
        let got: serde_json::Value = got.json().await.unwrap();
        assert_eq!(got["data"].as_array().unwrap().len(), 1);
        assert_eq!((&got["data"][0]["id"], &got["data"][0]["votes"]), (&json!(one.id.to_string()), &json!(0)));
        assert_eq!((&got["data"][0]["state"], &got["data"][0]["campaign"]), (&json!("open"), &json!(null)));
        let none = shop.http.get(shop.url("/api/v1/merchants/nobody/ideas")).send().await.unwrap();
        assert_eq!(none.status(), 404);
        shop.close().await;
    }

    async fn who_voted_is_forgotten_and_the_count_stays(db: TestDatabase) {
        let shop = Shop::open(db).await;
        housekeeping(&shop).await;
        let idea = idea(&shop, "A travel mug").await;
        let (visitor, page) = (Visitor::of(&shop), format!("/m/fern-kiln/ideas/{}", idea.id));
        for email in ["ada@mail.example", "bo@mail.example"] {
            visitor.post(&page, &[("email", email)]).await.is(303);
        }
        let mail = letters(&shop, "ada@mail.example").await.remove(0);
        visitor.post(&link_in(&shop, &mail), &[]).await.is(303);
        let unconfirmed = letters(&shop, "bo@mail.example").await.remove(0);
        shop.advance(Duration::days(9)).await;
        visitor.get(&link_in(&shop, &unconfirmed)).await.is(404);
        visitor.get(&link_in(&shop, &mail)).await.is(200);
        shop.advance(Duration::days(366)).await;
        visitor.get(&link_in(&shop, &mail)).await.is(404);
        assert!(letters(&shop, "ada@mail.example").await.is_empty());
        assert_eq!(votes(&shop, idea.id).await, 1);
        shop.close().await;
    }

    async fn a_viewer_reads_ideas_and_changes_none(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let idea = idea(&shop, "A travel mug").await;
        let viewer = Panel::of(&shop, Role::Viewer).await;
        let page = viewer.get("/admin/ideas").await;
        page.is(200).says("A travel mug").says("none yet");
        assert!(!page.body.contains("New idea") && !page.body.contains("Make a campaign of it"));
        let one = format!("/admin/ideas/{}", idea.id);
        for path in ["/admin/ideas/new", &one, &format!("/admin/campaigns/new?idea={}", idea.id)] {
            viewer.get(path).await.is(403);
        }
        for path in ["/admin/ideas/new", &one] {
            viewer.post(path, &[("title", "Mine"), ("body", "x"), ("do", "end")]).await.is(403);
        }
        let kept = shop.read(move |c| ideas::by_id(c, idea.id)).await.unwrap();
        assert_eq!((kept.title.as_str(), kept.state), ("A travel mug", IdeaState::Open));
        shop.close().await;
    }
}
