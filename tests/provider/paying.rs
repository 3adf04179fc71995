//! Sessions, the pay page, and what each test card does.

use serde_json::json;

use crate::driver::{s, serve};

#[actix_web::test]
async fn a_shopper_pays_once_and_the_shop_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let session = shop.session().await;
    assert_eq!(session["payment_intent"], json!(null));
    assert_eq!(session["amount_total"], 4500);
    let (status, page) = shop.page(&s(&session, "/url")).await;
    assert_eq!(status, 200);
    assert!(
        page.contains("Pay $45.00") && page.contains("2 × Brass pen"),
        "{page}"
    );

    let paid = shop.paid("4242424242424242").await;
    assert_eq!(s(&paid, "/payment_status"), "paid");
    assert_eq!(
        s(&paid, "/payment_intent/latest_charge/status"),
        "succeeded"
    );
    assert_eq!(s(&paid, "/payment_intent/metadata/order"), "order-1");
    let told = shop.told().await;
    for kind in [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ] {
        assert_eq!(
            told.iter().filter(|t| *t == kind).count(),
            1,
            "{kind} in {told:?}"
        );
    }
}
