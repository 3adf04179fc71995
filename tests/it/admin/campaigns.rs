//! A campaign's life through the panel's forms.

use chrono::Duration;
use muster::domain::campaign::{CampaignState, Failure};
use muster::domain::staff::Role;
use muster::store::campaigns;

use super::panel::Panel;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

/// What a merchant types for worked example A.
fn typed(shop: &Shop) -> Vec<(String, String)> {
    let day = |days: i64| {
        (shop.now() + Duration::days(days))
            .format("%Y-%m-%d")
            .to_string()
    };
    let pairs = [
        ("title", "Ridge pour-over set".to_owned()),
        ("description", "Thrown in **one** kiln run.".to_owned()),
        ("currency", "usd".to_owned()),
        ("time_zone", "Europe/Lisbon".to_owned()),
        ("deadline", format!("{}T20:00", day(7))),
        ("promised_ship_date", day(60)),
        ("stop_loss_date", day(120)),
        ("handling_days", "2".to_owned()),
        ("threshold.kind", "units".to_owned()),
        ("threshold.target", "5".to_owned()),
        ("trigger", "at_deadline".to_owned()),
        ("delay_policy", "ftc".to_owned()),
        ("steps.0", "1".to_owned()),
        ("steps.1", "5".to_owned()),
        ("options.0.sku", "set".to_owned()),
        ("options.0.name", "Full set".to_owned()),
        ("options.0.prices.0", "100.00".to_owned()),
        ("options.0.prices.1", "90".to_owned()),
        ("supplier_ids.0", shop.supplier.id.to_string()),
        ("shipping.0.countries", "*".to_owned()),
        ("shipping.0.price", "0".to_owned()),
        ("tax.0.included", "yes".to_owned()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

fn with<'a>(form: &'a [(String, String)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut pairs: Vec<(&str, &str)> = form
        .iter()
        .filter(|(name, _)| more.iter().all(|(other, _)| other != name))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    pairs.extend_from_slice(more);
    pairs
}

const HREF: &str = "/admin/campaigns/ridge-pour-over-set";

async fn made(shop: &Shop, panel: &Panel<'_>) -> campaigns::CampaignRow {
    let form = typed(shop);
    panel
        .post("/admin/campaigns/new", &with(&form, &[]))
        .await
        .leads_to(HREF);
    shop.read(|c| campaigns::by_slug(c, "ridge-pour-over-set"))
        .await
        .unwrap()
}

both_databases! {
    async fn a_campaign_is_made_edited_published_and_extended(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        panel.get("/admin/campaigns/new").await.is(200).says("Save the draft");
        let campaign = made(&shop, &panel).await;
        assert_eq!(campaign.state, CampaignState::Draft);
        panel.get(HREF).await.says("The draft is saved").says("Publish");
        panel.get(&format!("{HREF}/preview")).await.is(200).says("<strong>one</strong>");
        let edit = format!("{HREF}/edit");
        panel.get(&edit).await.is(200).says("value=\"100.00\"").says("T20:00").says("<strong>one</strong>");
        let form = typed(&shop);
        panel.post(&edit, &with(&form, &[("title", "Ridge set"), ("slug", "ridge-pour-over-set")])).await.leads_to(HREF);
        panel.get(&format!("{HREF}/publish")).await.is(200).says("Address, currency, time zone");
        panel.post(&format!("{HREF}/publish"), &[]).await.leads_to(HREF);
        panel.get(HREF).await.says("It is published.").says("Ridge set").says("/c/ridge-pour-over-set");
        panel.post(&format!("{HREF}/publish"), &[]).await.is(409).says("published already");

        let extend = format!("{HREF}/extend");
        panel.get(&extend).await.is(200).says("This works once");
        let day = (shop.now() + Duration::days(10)).format("%Y-%m-%d").to_string();
        panel.post(&extend, &[("deadline", "soon"), ("promised_ship_date", "never")]).await
            .is(422).says("value=\"soon\"").says("value=\"never\"");
        let earlier = format!("{}T00:00", (shop.now() + Duration::days(1)).format("%Y-%m-%d"));
        panel.post(&extend, &[("deadline", &earlier)]).await.is(422).says("after the present deadline");
        let later = format!("{day}T20:00");
        panel.post(&extend, &[("deadline", &later)]).await.leads_to(HREF);
        panel.post(&extend, &[("deadline", &later)]).await.is(409).says("extended once already");
        shop.close().await;
    }

    async fn nonsense_in_every_field_is_said_at_each_and_nothing_typed_is_lost(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Owner).await;
        let names: Vec<String> = typed(&shop).into_iter().map(|(name, _)| name).collect();
        let long = "x".repeat(30_000);
        for nonsense in ["<script>alert(1)</script>", "-1", "99999999999999999999999", "\u{0}", "0", "٣", &long, "1e9"] {
            let mut form: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), nonsense)).collect();
            form.push(("do", "save"));
            let answer = panel.post("/admin/campaigns/new", &form).await;
            answer.is(422).says("things to correct").says("aria-invalid");
            assert!(!answer.body.contains("<script>alert"));
        }
        let form = typed(&shop);
        let wrong = with(&form, &[
            ("title", "Kept \"as\" typed"),
            ("options.0.prices.1", "a lot"),
            ("options.0.cap", "some"),
            ("deadline", "2020-01-01T00:00"),
            ("shipping.0.countries", "Atlantis"),
        ]);
        let answer = panel.post("/admin/campaigns/new", &wrong).await;
        answer.is(422).says("Kept &#34;as&#34; typed").says("value=\"a lot\"").says("value=\"some\"").says("Atlantis")
            .says("The deadline must be in the future.").says("href=\"#options.0.prices.1\"").says("4 things to correct");
        assert_eq!(panel.post("/admin/campaigns/new", &[]).await.status, 422);
        shop.close().await;
    }

    async fn rows_come_and_go_without_script_and_nothing_is_lost(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Owner).await;
        let form = typed(&shop);
        let answer = panel.post("/admin/campaigns/new", &with(&form, &[("do", "add-step")])).await;
        answer.is(200).says("name=\"steps.2\"").says("name=\"options.0.prices.2\"").says("value=\"Full set\"");
        let answer = panel.post("/admin/campaigns/new", &with(&form, &[("do", "add-option")])).await;
        answer.is(200).says("name=\"options.1.sku\"");
        let answer = panel.post("/admin/campaigns/new", &with(&form, &[("do", "remove-step.0")])).await;
        assert!(!answer.body.contains("name=\"steps.1\""));
        answer.says("value=\"90\"");
        panel.post("/admin/campaigns/new", &with(&form, &[("do", "preview")])).await.says("<strong>one</strong>");
        shop.close().await;
    }

    async fn after_the_first_order_the_offer_is_locked_but_for_what_makes_it_better(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Owner).await;
        let campaign = made(&shop, &panel).await;
        panel.post(&format!("{HREF}/publish"), &[]).await.leads_to(HREF);
        shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        let edit = format!("{HREF}/edit");
        panel.get(&edit).await.is(200).says("Locked after the first order").says("disabled");
        let form = typed(&shop);
        let dearer = with(&form, &[("options.0.prices.0", "120.00")]);
        panel.post(&edit, &dearer).await.is(422).says("a price may only be lowered").says("value=\"120.00\"");
        // What is locked is not taken from a form that sends it all the same.
        let better = with(&form, &[("options.0.prices.1", "85"), ("threshold.target", "1"), ("title", "Ridge")]);
        panel.post(&edit, &better).await.leads_to(HREF);
        let kept = shop.campaign(&campaign).await;
        assert_eq!(kept.title, "Ridge");
        assert!(kept.spec.contains("\"target\":5") && kept.spec.contains("8500"), "{}", kept.spec);
        shop.close().await;
    }

    async fn a_campaign_is_closed_once_the_threshold_is_paid(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let campaign = made(&shop, &panel).await;
        panel.post(&format!("{HREF}/publish"), &[]).await.leads_to(HREF);
        panel.post(&format!("{HREF}/close"), &[]).await.is(409).says("once the threshold is paid");
        for n in 0..3 {
            shop.join_and_pay(&campaign, &format!("s{n}@mail.example"), 2).await;
        }
        panel.get(HREF).await.says("Close now");
        panel.get(&format!("{HREF}/close")).await.is(200).says("No new orders");
        panel.post(&format!("{HREF}/close"), &[]).await.leads_to(HREF);
        shop.advance(Duration::minutes(1)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        let po = shop.purchase_orders(&campaign).await.remove(0);
        let href = format!("/admin/purchase-orders/{}", po.id);
        panel.get(HREF).await.is(200).says(&href).says("PO-0001");
        panel.get(&href).await.is(200).says("Kasten Woodworks").says("$240.00");
        panel.get(&format!("{href}/print")).await.is(200).says("PO-0001");
        panel.get(&format!("{href}/lines.csv")).await.is(200).says("set,Full set,6,0,0,0,6,40.00,240.00,usd");
        panel.post(&format!("{href}/mail"), &[]).await.leads_to(&href);
        shop.advance(Duration::minutes(1)).await;
        assert_eq!(shop.mail_to("orders@kasten.example").await.len(), 2);
        panel.post(&format!("{href}/send"), &[]).await.is(409);
        shop.close().await;
    }

    async fn a_cancelled_campaign_gives_everything_back_after_saying_how_much(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Owner).await;
        let campaign = made(&shop, &panel).await;
        panel.post(&format!("{HREF}/publish"), &[]).await.leads_to(HREF);
        let order = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        let cancel = format!("{HREF}/cancel");
        panel.get(&cancel).await.is(200).says("1 order and $200.00 go back").says("Cancel and refund $200.00");
        panel.post(&cancel, &[("reason", "  ")]).await.is(422).says("Write the reason");
        panel.post(&cancel, &[("reason", "The kiln broke.")]).await.leads_to(HREF);
        shop.advance(Duration::minutes(5)).await;
        assert_eq!(shop.campaign(&campaign).await.failure, Some(Failure::Cancelled));
        assert_eq!(shop.order(order).await.refunded, 20000);
        panel.get(HREF).await.is(200).says("The kiln broke.");
        panel.get("/admin/money").await.is(200).says("Refund committed");
        panel.get("/admin/money/journal.csv").await.is(200).says("customer_deposits,200.00,usd");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_blocked_purchase_order_waits_on_today_and_goes_to_another_supplier(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let campaign = made(&shop, &panel).await;
        let path = format!("/admin/suppliers/{}", shop.supplier.id);
        let terms = [
            ("name", "Kasten Woodworks"), ("email", "orders@kasten.example"), ("currency", "usd"),
            ("lead_time_days", "35"), ("minimum_units", "100"), ("costs.0.sku", "set"), ("costs.0.cost", "40"),
        ];
        panel.post(&path, &terms).await.leads_to("/admin/suppliers");
        panel.post(&format!("{HREF}/publish"), &[]).await.leads_to(HREF);
        for n in 0..3 {
            shop.join_and_pay(&campaign, &format!("s{n}@mail.example"), 2).await;
        }
        shop.advance(Duration::days(8)).await;
        shop.expect_state(&campaign, CampaignState::Collecting).await;
        panel.get("/admin").await.says("order cannot be sent").says("Choose a way out");
        panel.get(HREF).await.says("6 units are under what Kasten Woodworks takes");
        let po = shop.purchase_orders(&campaign).await.remove(0);
        let href = format!("/admin/purchase-orders/{}", po.id);
        panel.get(&href).await.is(200).says("It cannot be sent as it is").says("Send it to this supplier");
        panel.post(&format!("{href}/send"), &[("supplier", &shop.supplier.id.to_string())]).await.leads_to(&href);
        panel.get(&href).await.says("It is still blocked");
        let backup = [
            ("name", "Backup"), ("email", "b@backup.example"), ("currency", "usd"), ("lead_time_days", "20"),
            ("costs.0.sku", "set"), ("costs.0.cost", "44.50"),
        ];
        panel.post("/admin/suppliers/new", &backup).await.leads_to("/admin/suppliers");
        let merchant = shop.merchant;
        let all = shop.read(move |c| muster::store::merchants::suppliers_of(c, merchant)).await;
        let backup = all.iter().find(|s| s.name == "Backup").unwrap().id.to_string();
        panel.post(&format!("{href}/send"), &[("supplier", "019aaaaa-0000-7000-8000-000000000000")]).await.is(404);
        panel.post(&format!("{href}/send"), &[("supplier", &backup)]).await.leads_to(&href);
        panel.get(&href).await.says("on its way to the supplier").says("PO-0001").says("$267.00");
        shop.advance(Duration::minutes(1)).await;
        assert_eq!(shop.mail_to("b@backup.example").await.len(), 1);
        shop.close().await;
    }
}
