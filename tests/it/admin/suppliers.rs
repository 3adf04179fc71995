//! Suppliers in the panel.

use muster::domain::staff::Role;

use super::panel::Panel;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn a_suppliers_terms_are_checked_all_at_once_and_nothing_is_lost(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let wrong = [
            ("name", ""), ("email", "nowhere"), ("currency", "xxx"), ("lead_time_days", "soon"),
            ("minimum_units", "-5"), ("capacity_units", "0"), ("case_pack", "1.5"),
            ("costs.0.sku", "a b"), ("costs.0.cost", "cheap"), ("costs.1.sku", ""), ("costs.1.cost", "4"),
        ];
        let answer = panel.post("/admin/suppliers/new", &wrong).await;
        answer.is(422).says("value=\"soon\"").says("value=\"nowhere\"").says("value=\"cheap\"").says("things to correct");
        let good = [
            ("name", "Kiln & Co"), ("email", "po@kiln.example"), ("address", "Road 1\nTown"), ("currency", "jpy"),
            ("lead_time_days", "20"), ("minimum_units", "10"), ("capacity_units", "500"), ("case_pack", "6"),
            ("costs.0.sku", "set"), ("costs.0.cost", "4500"),
        ];
        panel.post("/admin/suppliers/new", &good).await.leads_to("/admin/suppliers");
        let listed = panel.get("/admin/suppliers").await;
        listed.is(200).says("Kiln &#38; Co is saved.").says("JPY");
        let merchant = shop.merchant;
        let all = shop.read(move |c| muster::store::merchants::suppliers_of(c, merchant)).await;
        let row = all.iter().find(|s| s.name == "Kiln & Co").unwrap();
        let edit = format!("/admin/suppliers/{}", row.id);
        panel.get(&edit).await.is(200).says("value=\"4500\"").says("Road 1");
        let mut more = good.to_vec();
        more.push(("do", "add-cost"));
        panel.post(&edit, &more).await.is(200).says("costs.1.sku").says("value=\"4500\"");
        let mut twice = good.to_vec();
        twice.extend([("costs.1.sku", "set"), ("costs.1.cost", "4")]);
        panel.post(&edit, &twice).await.is(422).says("twice");
        shop.close().await;
    }
}
