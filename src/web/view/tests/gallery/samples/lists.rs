//! Examples of the first page and of a merchant's.

use super::*;
use crate::web::view::*;

pub fn in_list(
    title: &str,
    art: &str,
    badge: Badge,
    text: &str,
    meter: Meter,
    price: &str,
) -> Offer {
    Offer {
        title: title.to_owned(),
        href: "/c/x".to_owned(),
        picture: Some(picture(art, title)),
        badge,
        seller: "Fern & Kiln".to_owned(),
        text: text.to_owned(),
        meter: Some(meter),
        price: price.to_owned(),
        price_note: "now, $61.00 from 150".to_owned(),
    }
}

fn asking() -> Offer {
    Offer {
        title: "Ridge travel mug".to_owned(),
        href: "/c/mug".to_owned(),
        picture: None,
        badge: Badge::campaign("interest"),
        seller: "Fern & Kiln".to_owned(),
        text: "Say how many, and up to what price. Nothing is charged.".to_owned(),
        meter: None,
        price: "$48.00".to_owned(),
        price_note: "planned at first".to_owned(),
    }
}

pub fn home() -> HomePage {
    let pen = Meter::units("Datum titanium pen", 97, 100).aside("5 hours left");
    let set = Meter::units("Ridge pour-over set", 88, 50).aside("10 days left");
    let watch = Meter::units("Meridian field watch", 180, 150).aside("ships by 1 August 2026");
    HomePage {
        shell: shell("/"),
        featured: Some(Featured {
            title: "Ridge pour-over set".to_owned(),
            href: "/c/ridge".to_owned(),
            picture: Some(pour_over()),
            badge: Badge::new(Tone::Live, "Open, 10 days left"),
            steps: steps(88, 1, StepsPhase::Open),
        }),
        open: vec![
            in_list(
                "Datum titanium pen",
                "art/titanium-pen.svg",
                Badge::new(Tone::Wait, "Closes tonight"),
                "3 more and the first run is ordered.",
                pen,
                "$68.00",
            ),
            in_list(
                "Ridge pour-over set",
                "art/pour-over.svg",
                Badge::campaign("open"),
                "It will be made. 12 more and it costs $80.00 for all.",
                set,
                "$90.00",
            ),
        ],
        sort: Sort::Nearest,
        pager: Some(Pager {
            shown: "Campaigns 1 to 2".to_owned(),
            first: None,
            next: Some("/?cursor=abc".to_owned()),
        }),
        asking: vec![asking()],
        scheduled: Vec::new(),
        making: vec![in_list(
            "Meridian field watch",
            "art/field-watch.svg",
            Badge::campaign("ordered"),
            "180 watches ordered on 4 May 2026.",
            watch,
            "$122.00",
        )],
        ended: vec![EndedRow {
            title: "Folding stool, ash".to_owned(),
            href: "/c/stool".to_owned(),
            badge: Badge::new(Tone::Idle, "Missed, all 22 orders refunded"),
            promised: "1 April 2026".to_owned(),
            shipped: "no order placed".to_owned(),
        }],
        events: Some("/events".to_owned()),
    }
}

pub fn home_empty() -> HomePage {
    HomePage {
        shell: shell("/"),
        featured: None,
        open: Vec::new(),
        sort: Sort::Closing,
        pager: None,
        asking: Vec::new(),
        scheduled: Vec::new(),
        making: Vec::new(),
        ended: Vec::new(),
        events: None,
    }
}

pub fn merchant() -> MerchantPage {
    let home = home();
    MerchantPage {
        shell: shell("/m/fern-kiln").of_seller("fern-kiln"),
        name: "Fern & Kiln".to_owned(),
        campaigns: home.open,
        ideas: idea_cards(),
        record: vec![
            TrustRow {
                campaign: Link::new("/c/ridge", "Ridge pour-over set"),
                badge: Badge::campaign("open"),
                promised: day(2026, 9, 1),
                actual: "not shipped yet".to_owned(),
                collected: "$8,491.50".to_owned(),
                refunded: "$96.50".to_owned(),
                placed: None,
                acknowledged: None,
                last_sign: Some(moment("2026-05-20T09:00:00Z")),
                quiet: None,
            },
            TrustRow {
                campaign: Link::new("/c/key-tray", "Key tray"),
                badge: Badge::campaign("fulfilling"),
                promised: day(2026, 4, 1),
                actual: "median 3 days late, last 12 days late".to_owned(),
                collected: "$4,120.00".to_owned(),
                refunded: "$310.00".to_owned(),
                placed: Some(moment("2026-02-02T19:00:00Z")),
                acknowledged: Some(moment("2026-02-03T08:00:00Z")),
                last_sign: Some(moment("2026-04-14T09:00:00Z")),
                quiet: Some("37 days".to_owned()),
            },
        ],
        imprint: seller().imprint,
        imprint_text: Html::sanitized("<p>Register of Porto, 512 345 678.</p>".to_owned()),
        email: Some("hello@fern-kiln.example".to_owned()),
        terms: Html::sanitized("<p>We deliver what is shown.</p>".to_owned()),
        terms_version: Some((terms_ref(), moment("2026-01-02T10:00:00Z"))),
        privacy: Html::sanitized("<p>We keep your address to send the parcel.</p>".to_owned()),
    }
}

pub fn merchant_bare() -> MerchantPage {
    let mut page = merchant();
    page.campaigns = Vec::new();
    page.ideas = Vec::new();
    page.record = Vec::new();
    page.imprint = Vec::new();
    page.imprint_text = Html::default();
    page.email = None;
    page.terms = Html::default();
    page.terms_version = None;
    page.privacy = Html::default();
    page
}

pub fn terms() -> TermsPage {
    TermsPage {
        shell: shell("/m/fern-kiln/terms/2"),
        seller_name: "Fern & Kiln".to_owned(),
        seller_slug: "fern-kiln".to_owned(),
        version: 2,
        since: moment("2025-01-02T10:00:00Z"),
        replaced: true,
        text: Html::sanitized("<p>We deliver what is shown.</p>".to_owned()),
    }
}
