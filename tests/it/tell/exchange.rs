//! Data in and out by the program's commands.

use std::path::Path;
use std::process::{Command, Output};

use muster::domain::campaign::CampaignState;
use muster::domain::staff::Role;
use muster::store::campaigns;
use serde_json::{Value, json};

use super::left_over;
use crate::admin::panel::Panel;
use crate::batches::late_joins;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;
use crate::waiting::{accept, five, waits};

async fn muster(shop: &Shop, command: &[&str]) -> Output {
    let (settings, command) = (
        shop.settings(),
        command.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>(),
    );
    tokio::task::spawn_blocking(move || {
        Command::new(env!("CARGO_BIN_EXE_muster"))
            .args(settings)
            .args(command)
            .output()
            .expect("the program runs")
    })
    .await
    .unwrap()
}

async fn said(shop: &Shop, command: &[&str], code: i32) -> String {
    let done = muster(shop, command).await;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(code), "{text}{wrong}");
    text + &wrong
}

fn table(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    reader
        .records()
        .map(|r| r.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

fn column(rows: &[Vec<String>], name: &str) -> Vec<String> {
    let at = rows[0]
        .iter()
        .position(|n| n == name)
        .unwrap_or_else(|| panic!("no {name}"));
    rows[1..].iter().map(|row| row[at].clone()).collect()
}

async fn slugs(shop: &Shop) -> Vec<(String, CampaignState)> {
    let merchant = shop.merchant;
    let rows = shop
        .read(move |c| campaigns::of_merchant(c, merchant, None, 100))
        .await;
    rows.into_iter().map(|c| (c.slug, c.state)).collect()
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

both_databases! {
    async fn orders_and_campaigns_are_taken_out_as_csv_and_json(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, ..) = left_over(&shop, shop.example_a()).await;
        let mut wish = shop.wish(&campaign, "b@mail.example", 1);
        wish.name = "=HYPERLINK(1)".into();
        shop.running.app.office.join(wish).await.unwrap();
        shop.settle().await;
        let rows = table(&said(&shop, &["export", "--what", "orders"], 0).await);
        assert_eq!(rows.len(), 3);
        assert_eq!(column(&rows, "email"), ["a@mail.example", "b@mail.example"]);
        assert_eq!(column(&rows, "name"), ["Ana Sousa", "'=HYPERLINK(1)"]);
        assert_eq!(column(&rows, "charged"), ["60000", "0"]);
        assert_eq!(column(&rows, "final_total"), ["54000", ""]);
        assert_eq!(column(&rows, "final_shipping"), ["0", ""]);
        assert_eq!(column(&rows, "final_tax"), ["0", ""]);
        assert_eq!(column(&rows, "payment_mode"), ["charge_now", "charge_now"]);
        assert_eq!(column(&rows, "from_stock"), ["false", "true"]);
        assert_eq!(column(&rows, "currency"), ["usd", "usd"]);
        let lines: Value = serde_json::from_str(&column(&rows, "lines")[0]).unwrap();
        assert_eq!((&lines[0]["sku"], &lines[0]["quantity"], &lines[0]["allocated"]), (&json!("set"), &json!(6), &json!(6)));
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("orders.json").display().to_string();
        said(&shop, &["export", "--what", "orders", "--format", "json", "--campaign", &campaign.slug, "--out", &out], 0).await;
        let all: Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
        assert_eq!((all[0]["campaign"].as_str(), all[0]["units"].as_i64()), (Some(campaign.slug.as_str()), Some(6)));
        let none = said(&shop, &["export", "--what", "shipments", "--format", "json"], 0).await;
        assert_eq!(none, "[]\n");
        let wrong = said(&shop, &["export", "--what", "orders", "--merchant", "nobody"], 2).await;
        assert!(wrong.contains("--merchant: there is no merchant nobody"), "{wrong}");
        let wrong = said(&shop, &["export", "--what", "orders", "--campaign", "nothing"], 2).await;
        assert!(wrong.contains("--campaign"), "{wrong}");
        shop.close().await;
    }

    async fn waiting_lists_are_taken_out_with_places_and_what_became_of_them(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(five(&shop)).await;
        let bought = shop.join_and_pay(&campaign, "a@mail.example", 5).await;
        let first = waits(&shop, &campaign, "b@mail.example", 2).await;
        let second = waits(&shop, &campaign, "c@mail.example", 4).await;
        shop.cancel(second).await.unwrap();
        waits(&shop, &campaign, "d@mail.example", 1).await;
        shop.cancel(bought).await.unwrap();
        shop.settle().await;
        accept(&shop, first, None).await.unwrap();
        let export = ["export", "--what", "waiting"];
        let rows = table(&said(&shop, &export, 0).await);
        assert_eq!(column(&rows, "email"), ["b@mail.example", "c@mail.example", "d@mail.example"]);
        assert_eq!(column(&rows, "place"), ["1", "2", "3"]);
        assert_eq!(column(&rows, "state"), ["accepted", "left", "offered"]);
        let lines: Value = serde_json::from_str(&column(&rows, "lines")[0]).unwrap();
        assert_eq!(lines, json!([{"sku": "set", "quantity": 2}]));
        assert!(column(&rows, "joined_at").iter().all(|at| at.ends_with('Z')));
        assert_eq!(column(&rows, "offer_ends").iter().filter(|at| at.is_empty()).count(), 1);
        let of_none = said(&shop, &["export", "--what", "waiting", "--format", "json", "--merchant", "fern-kiln"], 0).await;
        assert_eq!(serde_json::from_str::<Value>(&of_none).unwrap().as_array().unwrap().len(), 3);
        let panel = Panel::of(&shop, Role::Manager).await;
        let list = format!("/admin/campaigns/{}/waiting", campaign.slug);
        let href = format!("/admin/export/waiting.csv?campaign={}", campaign.slug);
        panel.get(&list).await.is(200).says(&href);
        assert_eq!(panel.get(&href).await.is(200).body, said(&shop, &export, 0).await);
        let packer = Panel::of(&shop, Role::Fulfilment).await;
        packer.get(&href).await.is(403);
        let wrong = said(&shop, &["import", "--what", "waiting", "--merchant", "fern-kiln", "x.csv"], 2).await;
        assert!(wrong.contains("campaigns"), "lists are not brought in: {wrong}");
        shop.audit().await;
        shop.close().await;
    }

    async fn the_panel_gives_the_same_files_to_who_may_have_them(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, ..) = left_over(&shop, shop.example_a()).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        panel.get("/admin/orders").await.is(200).says("/admin/export/orders.csv");
        let file = panel.get(&format!("/admin/export/orders.csv?campaign={}", campaign.slug)).await;
        assert_eq!(file.is(200).body, said(&shop, &["export", "--what", "orders"], 0).await);
        panel.get("/admin/export/campaigns.csv").await.is(200).says("Ridge pour-over set");
        panel.get("/admin/export/shipments.csv").await.is(200).says("tracking_number");
        panel.get("/admin/export/secrets.csv").await.is(404);
        panel.get("/admin/export/orders.csv?campaign=another").await.is(404);
        let packer = Panel::of(&shop, Role::Fulfilment).await;
        packer.get("/admin/export/shipments.csv").await.is(200);
        packer.get("/admin/export/orders.csv").await.is(403);
        shop.close().await;
    }

    async fn what_was_taken_out_comes_in_as_drafts(db: TestDatabase) {
        let shop = Shop::open(db).await;
        // Further batches are part of the offer, and come in again.
        let campaign = shop.publish(late_joins(&shop)).await;
        let folder = tempfile::tempdir().unwrap();
        for format in ["csv", "json"] {
            let text = said(&shop, &["export", "--what", "campaigns", "--format", format, "--campaign", &campaign.slug], 0).await;
            let other = format!("ridge-{format}");
            let file = write(folder.path(), &format!("one.{format}"), &text.replace(&campaign.slug, &other));
            let import = ["import", "--what", "campaigns", "--merchant", "fern-kiln", &file];
            let mut dry = import.to_vec();
            dry.push("--dry-run");
            let told = said(&shop, &dry, 0).await;
            assert!(told.contains("1 good, 0 wrong; nothing was changed"), "{told}");
            assert!(!slugs(&shop).await.iter().any(|(slug, _)| *slug == other));
            let told = said(&shop, &import, 0).await;
            assert!(told.contains(&format!("row 1: made, {other}")), "{told}");
            assert!(slugs(&shop).await.contains(&(other.clone(), CampaignState::Draft)));
            let told = said(&shop, &import, 1).await;
            assert!(told.contains("row 1: slug:"), "the address is taken: {told}");
            let made = shop.read(move |c| campaigns::by_slug(c, &other)).await.unwrap();
            let offers = [&made, &shop.campaign(&campaign).await].map(|row| {
                let mut offer: Value = serde_json::from_str(&row.spec).unwrap();
                offer.as_object_mut().unwrap().remove("slug");
                offer
            });
            assert_eq!(offers[0], offers[1], "the same offer");
            assert_eq!(offers[0]["late_joins"], json!(true));
        }
        shop.close().await;
    }

    async fn every_row_is_reported_and_a_wrong_one_changes_nothing(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let folder = tempfile::tempdir().unwrap();
        let mut good = shop.example_a();
        good["title"] = json!("Good bowl");
        let mut wrong = shop.example_a();
        wrong["deadline"] = json!("2001-01-01T00:00:00Z");
        wrong["options"] = json!([]);
        wrong["colour"] = json!("red");
        let file = write(folder.path(), "two.json", &json!([good, wrong, 7]).to_string());
        let import = ["import", "--what", "campaigns", "--merchant", "fern-kiln", &file];
        let told = said(&shop, &import, 1).await;
        for words in ["row 1: good, good-bowl", "row 2: deadline:", "row 2: options:", "row 2: colour:", "row 3: write a JSON object", "nothing was changed"] {
            assert!(told.contains(words), "{words} is not in {told}");
        }
        assert!(slugs(&shop).await.is_empty());
        let mut keep = import.to_vec();
        keep.push("--keep-good");
        let told = said(&shop, &keep, 1).await;
        assert!(told.contains("1 made as drafts, 2 refused"), "{told}");
        assert_eq!(slugs(&shop).await, [("good-bowl".to_owned(), CampaignState::Draft)]);

        let latin = folder.path().join("latin.csv");
        std::fs::write(&latin, b"title\nCaf\xe9\n").unwrap();
        let latin = latin.display().to_string();
        let told = said(&shop, &["import", "--what", "campaigns", "--merchant", "fern-kiln", &latin], 2).await;
        assert!(told.contains("UTF-8"), "{told}");
        let columns = write(folder.path(), "columns.csv", "titel\nx\n");
        let told = said(&shop, &["import", "--what", "campaigns", "--merchant", "fern-kiln", &columns], 2).await;
        assert!(told.contains("there is no column titel"), "{told}");
        let told = said(&shop, &["import", "--what", "orders", "--merchant", "fern-kiln", &columns], 2).await;
        assert!(told.contains("campaigns"), "orders are not brought in: {told}");
        shop.close().await;
    }
}
