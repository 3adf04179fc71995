//! What staff see of an interest check, and do with it.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::staff::Role;

use super::{asking, letters, would_buy};
use crate::admin::panel::Panel;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn staff_read_the_curve_against_the_steps_and_open(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = asking(&shop).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let href = format!("/admin/campaigns/{}", campaign.slug);
        panel.get(&href).await.is(200).says("0 answers").says("will stand here").says("Open or schedule");
        for (email, sets, up_to) in [("a", "2", "100"), ("b", "4", "90"), ("c", "3", "80")] {
            let email = format!("{email}@mail.example");
            would_buy(&shop, &campaign, &email, sets, up_to).await;
        }
        let page = panel.get(&href).await;
        page.is(200).says("3 answers, 9 units wanted in all.").says("<svg viewBox=\"0 0 400 220\" role=\"img\"");
        page.says("The furthest step that the answers come to is the one from 5 units: 6 units are wanted there, worth $540.00.");
        page.says("1 unit is short. A step from 9 units would be reached.").says("The threshold of 5 units would be met.");
        page.says("it stops at the step from 1 unit").says("Units at each price, as a table").says("not reached");
        panel.get(&format!("{href}/interest")).await.is(200).says("b@mail.example").says("4 \u{d7} Full set, up to $90.00 each");
        let csv = panel.get(&format!("{href}/interest.csv")).await;
        csv.is(200).says("email,name,sku,option,quantity,up_to,currency,answered_at,changed_at");
        csv.says("b@mail.example,,set,Full set,4,9000,usd,");
        assert_eq!(csv.body.lines().count(), 4);

        let open = format!("{href}/open");
        panel.get(&open).await.is(200).says("all 3 who answered are told").says("Open it, now or then");
        panel.post(&open, &[("opens_at", "soon")]).await.is(422).says("value=\"soon\"");
        let late = (shop.now() + Duration::days(30)).format("%Y-%m-%dT%H:%M").to_string();
        panel.post(&open, &[("opens_at", &late)]).await.is(422).says("before the deadline").says(&late);
        panel.post(&open, &[("opens_at", "")]).await.leads_to(&href);
        panel.get(&href).await.says("It is open").says("0 of those who answered have an order");
        shop.expect_state(&campaign, CampaignState::Open).await;
        panel.get(&open).await.is(409);
        shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        panel.get(&href).await.says("1 of those who answered have an order");
        assert_eq!(letters(&shop, "b@mail.example").await.len(), 2);
        shop.audit().await;
        shop.close().await;
    }

    async fn it_is_ticked_in_the_form_and_its_deadline_moves_while_it_asks(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = asking(&shop).await;
        let panel = Panel::of(&shop, Role::Owner).await;
        panel.get("/admin/campaigns/new").await.is(200).says("Ask first who would buy");
        let href = format!("/admin/campaigns/{}", campaign.slug);
        let edit = panel.get(&format!("{href}/edit")).await;
        edit.is(200).says("It asked first who would buy.").says("name=\"deadline\"");
        assert!(!edit.body.contains("name=\"interest\""), "fixed at publication");
        shop.advance(Duration::days(3)).await;
        let page = panel.get(&href).await;
        page.says("Look at the deadline").says("0 answers, asks until").says("The prices");
        assert!(!page.body.contains("How far it is"));
        shop.advance(Duration::days(5)).await;
        panel.get(&href).await.says("Set a later one").says("0 answers, asked until");
        panel.post(&format!("{href}/open"), &[("opens_at", "")]).await.is(422).says("must be in the future");
        panel.get(&format!("{href}/cancel")).await.is(200);
        panel.post(&format!("{href}/cancel"), &[("reason", "No clay.")]).await.leads_to(&href);
        shop.expect_state(&campaign, CampaignState::Failed).await;
        shop.close().await;
    }

    async fn a_viewer_sees_the_curve_and_nobody_who_answered(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = asking(&shop).await;
        would_buy(&shop, &campaign, "ada@mail.example", "2", "100").await;
        let panel = Panel::of(&shop, Role::Viewer).await;
        let href = format!("/admin/campaigns/{}", campaign.slug);
        let page = panel.get(&href).await;
        page.is(200).says("1 answer, 2 units wanted in all.");
        assert!(!page.body.contains("ada@mail.example"));
        for below in ["/interest", "/interest.csv", "/open"] {
            panel.get(&format!("{href}{below}")).await.is(403);
        }
        panel.get("/admin/campaigns/another/interest").await.is(403);
        shop.close().await;
    }
}
