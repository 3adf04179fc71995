//! Who gets in, and what the roles may.

use muster::domain::staff::Role;

use super::panel::{PASSWORD, Panel, hire};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn only_who_knows_the_password_gets_in_and_goes_where_they_wanted(db: TestDatabase) {
        let shop = Shop::open(db).await;
        hire(&shop, "Fern & Kiln", "ines@fern.example", Role::Owner).await;
        let panel = Panel::stranger(&shop);
        panel.get("/admin").await.leads_to("/admin/login");
        panel.get("/admin/orders?state=paid").await.leads_to("/admin/login?next=%2Fadmin%2Forders%3Fstate%3Dpaid");
        panel.post("/admin/campaigns/new", &[]).await.leads_to("/admin/login");
        for (email, password) in [
            ("ines@fern.example", "wrong words"),
            ("nobody@fern.example", PASSWORD),
            ("", ""),
            ("\u{0}", "\u{0}"),
        ] {
            panel.log_in(email, password).await.is(422).says("do not belong together");
        }
        panel.get("/admin").await.leads_to("/admin/login");
        let form = [("email", " Ines@Fern.example "), ("password", PASSWORD), ("next", "/admin/orders")];
        panel.post("/admin/login", &form).await.leads_to("/admin/orders");
        panel.get("/admin").await.is(200).says("Fern &#38; Kiln").says("ines, owner");
        panel.post("/admin/logout", &[]).await.leads_to("/admin/login");
        panel.get("/admin").await.leads_to("/admin/login");
        shop.close().await;
    }

    async fn who_logs_out_ends_every_session_a_copied_cookie_too(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let here = Panel::of(&shop, Role::Owner).await;
        let elsewhere = Panel::stranger(&shop);
        elsewhere.log_in("owner@fern.example", PASSWORD).await.leads_to("/admin");
        let colleague = Panel::of(&shop, Role::Viewer).await;
        let copied = here.cookie();
        here.post("/admin/logout", &[]).await.leads_to("/admin/login");
        elsewhere.get("/admin").await.leads_to("/admin/login");
        let thief = Panel::stranger(&shop);
        thief.take_cookie(copied.clone());
        thief.get("/admin").await.leads_to("/admin/login");
        colleague.get("/admin").await.is(200);
        // Whoever logs in again is not thrown out by a cookie that is worth nothing.
        here.log_in("owner@fern.example", PASSWORD).await.leads_to("/admin");
        thief.take_cookie(copied);
        thief.post("/admin/logout", &[]).await.leads_to("/admin/login");
        here.get("/admin").await.is(200);
        Panel::stranger(&shop).post("/admin/logout", &[]).await.leads_to("/admin/login");
        shop.close().await;
    }

    async fn a_changed_password_ends_the_other_sessions(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let here = Panel::of(&shop, Role::Manager).await;
        let there = Panel::stranger(&shop);
        there.log_in("manager@fern.example", PASSWORD).await.leads_to("/admin");
        let path = "/admin/settings/password";
        let wrong = [("present", "wrong"), ("password", "more unrelated words"), ("again", "others")];
        here.post(path, &wrong).await.is(422).says("not your present password").says("twice, the same");
        let short = [("present", PASSWORD), ("password", "short"), ("again", "short")];
        here.post(path, &short).await.is(422).says("8 to 200 characters");
        let good = [("present", PASSWORD), ("password", "more words still"), ("again", "more words still")];
        let old = here.cookie();
        here.post(path, &good).await.leads_to("/admin/settings");
        here.get("/admin/settings").await.is(200).says("Your password is changed.");
        there.get("/admin").await.leads_to("/admin/login");
        // A cookie that was copied before is worth nothing either.
        there.take_cookie(old);
        there.get("/admin").await.leads_to("/admin/login");
        there.log_in("manager@fern.example", "more words still").await.leads_to("/admin");
        shop.close().await;
    }

    async fn a_viewer_looks_and_changes_nothing(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        let viewer = Panel::of(&shop, Role::Viewer).await;
        let fulfilment = Panel::of(&shop, Role::Fulfilment).await;
        let href = format!("/admin/campaigns/{}", campaign.slug);
        for panel in [&viewer, &fulfilment] {
            for path in ["/admin", "/admin/campaigns", &href, "/admin/orders", "/admin/suppliers", "/admin/mails", "/admin/settings"] {
                panel.get(path).await.is(200);
            }
            panel.get(&format!("/admin/orders/{order}")).await.is(200);
            for path in [
                "/admin/campaigns/new".to_owned(),
                format!("{href}/edit"),
                format!("{href}/cancel"),
                format!("{href}/extend"),
                format!("{href}/close"),
                format!("/admin/orders/{order}/cancel"),
                "/admin/suppliers/new".to_owned(),
            ] {
                let form = [("reason", "because"), ("do", "save")];
                panel.post(&path, &form).await.is(403).says("manager or owner");
            }
            panel.post("/admin/settings/merchant", &[("name", "x")]).await.is(403).says("the role owner");
            panel.post("/admin/settings/api-keys", &[]).await.is(403);
        }
        viewer.get("/admin/money").await.is(200);
        fulfilment.get("/admin/money").await.is(403);
        assert_eq!(shop.order(order).await.refund_due, 0);
        shop.close().await;
    }

    async fn what_is_another_merchants_does_not_exist(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        hire(&shop, "Somebody Else", "owner@else.example", Role::Owner).await;
        let other = Panel::stranger(&shop);
        other.log_in("owner@else.example", PASSWORD).await.leads_to("/admin");
        let href = format!("/admin/campaigns/{}", campaign.slug);
        for path in [
            href.clone(),
            format!("{href}/edit"),
            format!("{href}/preview"),
            format!("{href}/cancel"),
            format!("{href}/pictures"),
            format!("/admin/orders/{order}"),
            format!("/admin/orders/{order}/cancel"),
            format!("/admin/orders?campaign={}", campaign.slug),
            format!("/admin/suppliers/{}", shop.supplier.id),
            format!("/admin/money/journal.csv?campaign={}", campaign.slug),
            "/admin/orders/nonsense".to_owned(),
            "/admin/purchase-orders/nonsense".to_owned(),
            "/admin/campaigns/%00".to_owned(),
            "/admin/nothing-here".to_owned(),
            "/admin/orders?cursor=nonsense".to_owned(),
        ] {
            other.get(&path).await.is(404).says("There is no such page");
        }
        other.post(&format!("{href}/cancel"), &[("reason", "because")]).await.is(404);
        other.post(&format!("/admin/orders/{order}/cancel"), &[("reason", "because")]).await.is(404);
        let listed = other.get("/admin/orders").await;
        assert!(!listed.body.contains("Ana Sousa"));
        shop.expect_state(&campaign, muster::domain::campaign::CampaignState::Open).await;
        shop.close().await;
    }

    async fn an_owner_edits_the_shops_pages_and_makes_a_key_that_is_shown_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Owner).await;
        let page = panel.get("/admin/settings/merchant").await;
        page.is(200).says("Goods are made to order.").says("Rua do Forno 1\nPorto");
        let wrong = [("name", ""), ("email", "nobody"), ("terms", "kept as typed")];
        let answer = panel.post("/admin/settings/merchant", &wrong).await;
        answer.is(422).says("kept as typed").says("name@example.com").says("Write something here.");
        let good = [
            ("name", "Fern"),
            ("email", "hello@fern.example"),
            ("terms", "New terms."),
            ("payouts_manual", "1"),
        ];
        panel.post("/admin/settings/merchant", &good).await.leads_to("/admin/settings");
        panel.get("/admin/settings").await.says("version 2").says("manual");
        let made = panel.post("/admin/settings/api-keys", &[]).await;
        made.is(200).says("mk_");
        let key = made.body.split("mk_").nth(1).unwrap().split('<').next().unwrap();
        let asked = shop.http.get(shop.url("/api/v1/suppliers")).bearer_auth(format!("mk_{key}"));
        assert_eq!(asked.send().await.unwrap().status(), 200);
        let settings = panel.get("/admin/settings").await;
        assert!(!settings.body.contains("mk_"));
        // Revoked, it opens nothing.
        let revoke = settings.body.split("action=\"").find(|part| part.contains("/revoke\"")).unwrap();
        let revoke = revoke.split('"').next().unwrap().to_owned();
        panel.post(&revoke, &[]).await.leads_to("/admin/settings");
        panel.post(&revoke, &[]).await.is(404);
        let asked = shop.http.get(shop.url("/api/v1/suppliers")).bearer_auth(format!("mk_{key}"));
        assert_eq!(asked.send().await.unwrap().status(), 401);
        shop.close().await;
    }
}
