//! What the example shop sells, and who sells it.

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use super::asked::Idea;
use super::earlier;
use super::later;
use super::life::Deed;
use crate::domain::draft::PaymentMode;
use crate::domain::ids::SupplierId;
use crate::domain::promise::Answer;

/// A merchant of the example.
pub struct Merchant {
    pub name: &'static str,
    pub email: &'static str,
    pub staff: &'static str,
    pub address: &'static str,
    pub imprint: &'static str,
    pub supplier: &'static str,
    pub supplier_email: &'static str,
    pub supplier_address: &'static str,
    pub supplier_minimum: Option<i64>,
    pub case_pack: i64,
    pub unit_costs: &'static str,
    pub offers: &'static [Offer],
    /// Those of the months before.
    pub earlier: &'static [Offer],
    /// Those that are paid later.
    pub later: &'static [Offer],
    /// What it might run next.
    pub ideas: &'static [Idea],
}

/// Of the example's options, those that are only made from so many units on.
const MINIMUMS: [(&str, i64); 1] = [("slate", 12)];

/// An option: code, name, price at each step, cap, limit per shopper.
type Choice = (
    &'static str,
    &'static str,
    &'static [i64],
    Option<i64>,
    Option<i64>,
);

/// A campaign of the example.
pub struct Offer {
    pub title: &'static str,
    pub description: &'static str,
    pub pictures: &'static [(&'static str, &'static str)],
    pub time_zone: &'static str,
    pub steps: &'static [i64],
    /// What can be chosen.
    pub options: &'static [Choice],
    pub threshold: i64,
    /// When it was made and published, in days before now.
    pub begins_days_ago: i64,
    /// Days from its beginning to its opening; 0 opens at once.
    pub opens_after: i64,
    /// Days from its beginning to its deadline.
    pub runs: i64,
    pub published: bool,
    /// How many say what they would buy: it asks first. None: it does not.
    pub would_buy: usize,
    /// Quantities, one order each.
    pub orders: &'static [i64],
    pub leaves_one_unpaid: bool,
    pub one_leaves: bool,
    pub cancelled: Option<&'static str>,
    /// The promised ship date, in days from its beginning; none: 75 days after the deadline.
    pub ships_after: Option<i64>,
    /// The stop-loss date, in days from its beginning; none: 180 days after the deadline.
    pub stop_loss_after: Option<i64>,
    /// When shoppers pay.
    pub pays: PaymentMode,
    /// Whether it is judged as soon as the threshold is paid, and further batches follow.
    pub batches: bool,
    /// What happens, and on which day from its beginning.
    pub life: &'static [(i64, Deed)],
}

/// An offer that opens at once and to which nothing more happens.
pub const PLAIN: Offer = Offer {
    title: "",
    description: "",
    pictures: &[],
    time_zone: "UTC",
    steps: &[1],
    options: &[],
    threshold: 1,
    begins_days_ago: 0,
    opens_after: 0,
    runs: 14,
    published: true,
    would_buy: 0,
    orders: &[],
    leaves_one_unpaid: false,
    one_leaves: false,
    cancelled: None,
    ships_after: None,
    stop_loss_after: None,
    pays: PaymentMode::ChargeNow,
    batches: false,
    life: &[],
};

impl Offer {
    /// The body of its making.
    pub fn body(&self, now: DateTime<Utc>, supplier: SupplierId) -> Value {
        let day = |days: i64| (now + Duration::days(days)).date_naive().to_string();
        let deadline = (now + Duration::days(self.runs)).date_naive();
        let options: Vec<Value> = self
            .options
            .iter()
            .map(|(sku, name, prices, cap, per_shopper)| {
                let minimum = MINIMUMS
                    .iter()
                    .find(|(of, _)| of == sku)
                    .map(|(_, units)| units);
                json!({
                    "sku": sku, "name": name, "prices": prices, "minimum": minimum, "cap": cap,
                    "per_shopper": per_shopper,
                })
            })
            .collect();
        let opens_at =
            (self.opens_after > 0).then(|| (now + Duration::days(self.opens_after)).to_rfc3339());
        json!({
            "title": self.title, "description": self.description, "currency": "usd", "time_zone": self.time_zone,
            "opens_at": opens_at, "interest": self.would_buy > 0,
            "threshold": {"kind": "units", "target": self.threshold},
            "deadline": format!("{deadline}T19:00:00Z"),
            "promised_ship_date": day(self.ships_after.unwrap_or(self.runs + 75)),
            "stop_loss_date": day(self.stop_loss_after.unwrap_or(self.runs + 180)),
            "payment_mode": self.pays.as_str(),
            "deposit_percent": (self.pays == PaymentMode::Deposit).then_some(25),
            "trigger": if self.batches { "at_threshold" } else { "at_deadline" }, "late_joins": self.batches,
            "steps": self.steps, "options": options,
            "supplier_ids": [supplier.to_string()], "safety_percent": 2,
            "shipping": [
                {"countries": ["PT", "ES", "FR", "IT", "DE", "NL", "SE", "PL"], "price": 650},
                {"countries": ["*"], "price": 1450, "bands": [{"up_to_units": 4, "price": 0}, {"price": 600}]},
            ],
            "tax": [
                {"countries": ["PT"], "percent": "23", "included": true, "name": "IVA"},
                {"countries": ["DE"], "percent": "19", "included": true, "name": "VAT"},
                {"countries": ["FR"], "percent": "20", "included": true, "name": "TVA"},
            ],
        })
    }
}

/// Streets of the example's shoppers.
pub const STREETS: [&str; 5] = [
    "Rua das Flores",
    "Torstraße",
    "Mill Lane",
    "Oak Street",
    "Via Roma",
];

/// The example's terms.
pub const TERMS: &str = "## How this works\n\nYou pay when you join. Once the threshold is paid, we place the order with our \
     supplier. If it is missed, all of your money goes back to your card by itself.\n\n## Leaving\n\nYou may cancel with a \
     full refund until the supplier's order is sent.\n\n*These are the terms of an example shop.*";

/// The example's privacy page.
pub const PRIVACY: &str = "We keep your name, address and e-mail to ship your order and to answer you, and what the law \
     tells us to keep for the books. Card numbers are seen by the payment provider alone.";

/// Everybody who sells.
pub const MERCHANTS: [Merchant; 3] = [
    Merchant {
        name: "Fern & Kiln",
        email: "hello@fern-kiln.example",
        staff: "demo@fern-kiln.example",
        address: "Rua do Forno 14\n4000-120 Porto\nPortugal",
        imprint: "Fern & Kiln Lda., Rua do Forno 14, 4000-120 Porto, Portugal. Managing director: Inês Moreira.",
        supplier: "Olaria do Monte",
        supplier_email: "encomendas@olaria.example",
        supplier_address: "Estrada do Monte 3, Barcelos",
        supplier_minimum: Some(20),
        case_pack: 4,
        unit_costs: r#"{"chalk":4100,"slate":4300,"dripper":2600,"cup":900,"vase":2100}"#,
        offers: FERN,
        earlier: earlier::FERN,
        later: later::FERN,
        ideas: FERN_IDEAS,
    },
    Merchant {
        name: "Northlight",
        email: "hello@northlight.example",
        staff: "demo@northlight.example",
        address: "Torstraße 92\n10119 Berlin\nGermany",
        imprint: "Northlight GmbH, Torstraße 92, 10119 Berlin. HRB 000000, Amtsgericht Berlin.",
        supplier: "Kasten Woodworks",
        supplier_email: "orders@kasten.example",
        supplier_address: "Holzweg 8, Kassel",
        supplier_minimum: Some(30),
        case_pack: 5,
        unit_costs: r#"{"tactile":9600,"linear":9600,"game":2400,"lamp":7000,"stool":5200}"#,
        offers: NORTHLIGHT,
        earlier: earlier::NORTHLIGHT,
        later: later::NORTHLIGHT,
        ideas: &[],
    },
    Merchant {
        name: "Ferrum Works",
        email: "hello@ferrum.example",
        staff: "demo@ferrum.example",
        address: "Mill Lane 5\nSheffield S3 8AB\nUnited Kingdom",
        imprint: "Ferrum Works Ltd, Mill Lane 5, Sheffield S3 8AB, United Kingdom.",
        supplier: "Brandt Turning",
        supplier_email: "sales@brandt.example",
        supplier_address: "Drehergasse 2, Solingen",
        supplier_minimum: None,
        case_pack: 1,
        unit_costs: r#"{"pen":3100,"watch":6100,"tray":2900,"lamp":8100}"#,
        offers: FERRUM,
        earlier: earlier::FERRUM,
        later: later::FERRUM,
        ideas: FERRUM_IDEAS,
    },
];

const FERN_IDEAS: &[Idea] = &[
    (
        "A travel mug in the Ridge shape",
        "350 ml, double wall, with a lid that closes. Stoneware inside, steel outside.",
        27,
    ),
    (
        "A teapot for two",
        "700 ml with a strainer in the spout. We have made three by hand; a kiln run would hold forty.",
        19,
    ),
    (
        "Ridge planters",
        "Small, middle and large, with saucers. Would you want them glazed or raw?",
        8,
    ),
];

const FERRUM_IDEAS: &[Idea] = &[(
    "A titanium pencil, 0.9 mm",
    "The Datum pen's body with a clutch for thick leads.",
    14,
)];

const FERN: &[Offer] = &[
    Offer {
        title: "Ridge dripper in a new glaze",
        description: "The dripper of the Ridge set in a glaze we have not fired yet: moss or rust. A glaze costs us a trial kiln, \
             so we ask first. Say which one you would take, how many, and what it is worth to you; nothing is charged.\n\nIf \
             there are enough, we fire the trial, show it here, and open the campaign. Prices and dates may still change until \
             then.",
        pictures: &[(
            "pour-over-glazes.svg",
            "Three drippers side by side: slate, chalk and clay glaze",
        )],
        time_zone: "Europe/Lisbon",
        steps: &[1, 20, 50],
        options: &[
            ("moss", "Dripper, moss", &[6000, 5400, 4800], None, Some(5)),
            ("rust", "Dripper, rust", &[6000, 5400, 4800], None, Some(5)),
        ],
        threshold: 20,
        begins_days_ago: 6,
        runs: 30,
        would_buy: 41,
        ..PLAIN
    },
    Offer {
        title: "Ridge pour-over set",
        description: "A ribbed stoneware dripper on a glass server, thrown and glazed in one kiln run. The more of us, \
             the fuller the kiln, the lower the price.\n\n## The set\n\nRidge is a cone with 18 ribs, so the paper stands \
             off the wall and the water runs at its own pace. Dripper, 600 ml server and lid; fits size 2 papers.\n\n- \
             Stoneware and borosilicate glass\n- 1.1 kg packed\n- Dishwasher safe",
        pictures: &[
            (
                "pour-over.svg",
                "Chalk dripper on a glass server, coffee running through, on an oak tray",
            ),
            (
                "pour-over-glazes.svg",
                "Three drippers side by side: slate, chalk and clay glaze",
            ),
        ],
        time_zone: "Europe/Lisbon",
        steps: &[1, 20, 40],
        options: &[
            (
                "chalk",
                "Full set, chalk",
                &[10000, 9000, 8000],
                None,
                Some(5),
            ),
            (
                "slate",
                "Full set, slate",
                &[10400, 9400, 8400],
                Some(40),
                Some(5),
            ),
            (
                "dripper",
                "Dripper alone, chalk",
                &[6000, 5400, 4800],
                None,
                None,
            ),
        ],
        threshold: 20,
        begins_days_ago: 5,
        runs: 15,
        orders: &[3, 2, 4, 2, 3, 1, 4, 3, 2, 4, 3, 2, 2],
        leaves_one_unpaid: true,
        one_leaves: true,
        life: &[
            (1, Deed::Changes(3, &[("chalk", 3), ("dripper", 1)])),
            (2, Deed::Changes(7, &[("slate", 2)])),
            (2, Deed::AsksForChange(6, &[("chalk", 5)])),
        ],
        ..PLAIN
    },
    Offer {
        title: "Ridge espresso cups",
        description: "Six small cups from the same clay as the Ridge set.",
        pictures: &[(
            "espresso-cups.svg",
            "Six ribbed espresso cups in slate, chalk and clay glaze",
        )],
        time_zone: "Europe/Lisbon",
        steps: &[1, 15],
        options: &[("cup", "Six cups", &[4200, 3600], None, None)],
        threshold: 15,
        begins_days_ago: 29,
        runs: 10,
        orders: &[2, 3, 4, 2, 3, 4, 5],
        ..PLAIN
    },
    Offer {
        title: "Tall vase, clay glaze",
        description: "A vase for one branch. A draft that nobody has seen yet.",
        pictures: &[],
        time_zone: "Europe/Lisbon",
        steps: &[1, 30],
        options: &[("vase", "Tall vase", &[5200, 4500], None, None)],
        threshold: 30,
        begins_days_ago: 1,
        runs: 30,
        published: false,
        orders: &[],
        ..PLAIN
    },
];

const NORTHLIGHT: &[Offer] = &[
    Offer {
        title: "Tern split keyboard, batch 3",
        description: "Two halves in oiled walnut, hot-swap switches, no software needed.\n\nThe case is milled from one \
             board, so the grain runs on from left to right.",
        pictures: &[(
            "split-keyboard.svg",
            "Split keyboard in walnut, seen from above",
        )],
        time_zone: "Europe/Berlin",
        steps: &[1, 30, 60],
        options: &[
            (
                "tactile",
                "Walnut, tactile",
                &[19900, 18900, 17400],
                Some(12),
                Some(2),
            ),
            (
                "linear",
                "Walnut, linear",
                &[19900, 18900, 17400],
                None,
                Some(2),
            ),
        ],
        threshold: 30,
        begins_days_ago: 4,
        runs: 21,
        orders: &[2, 1, 2, 1, 2, 2, 1, 2, 2, 2, 1, 2, 2],
        life: &[
            (4, Deed::Waits(7, "tactile", 1)),
            (4, Deed::Waits(9, "tactile", 2)),
            (4, Deed::Waits(11, "tactile", 1)),
            (4, Deed::Leaves(0)),
        ],
        ..PLAIN
    },
    Offer {
        title: "Tideway, the board game",
        description: "Currents, moorings and four wooden fleets. Two to four players, an hour.",
        pictures: &[(
            "board-game.svg",
            "Board game Tideway: box, tiles and wooden figures",
        )],
        time_zone: "Europe/Berlin",
        steps: &[1, 25],
        options: &[("game", "Tideway", &[6200, 5400], None, None)],
        threshold: 20,
        begins_days_ago: 27,
        runs: 12,
        orders: &[4, 3, 2, 5, 4, 3, 2, 4],
        life: &[
            (
                14,
                Deed::Acknowledges("Material is here, we begin on Monday."),
            ),
            (18, Deed::InProduction),
            (19, Deed::Writes("It is being made", UPDATE)),
        ],
        ..PLAIN
    },
    Offer {
        title: "Folding stool, ash",
        description: "Folds flat, carries 140 kg. Too few of us wanted it.",
        pictures: &[(
            "folding-stool.svg",
            "Folding stool in ash, and one like it folded flat",
        )],
        time_zone: "Europe/Berlin",
        steps: &[1, 40],
        options: &[("stool", "Stool, ash", &[8900, 7900], None, None)],
        threshold: 40,
        begins_days_ago: 26,
        runs: 9,
        orders: &[2, 1, 2, 1, 3],
        ..PLAIN
    },
    Offer {
        title: "Harbour desk lamp",
        description: "Brass and enamel, made to be repaired.",
        pictures: &[("desk-lamp.svg", "Brass desk lamp with an enamel shade")],
        time_zone: "Europe/Berlin",
        steps: &[1, 50],
        options: &[("lamp", "Desk lamp", &[15900, 13900], None, None)],
        threshold: 50,
        begins_days_ago: 2,
        opens_after: 6,
        runs: 30,
        orders: &[],
        ..PLAIN
    },
];

const FERRUM: &[Offer] = &[
    Offer {
        title: "Datum pen, sandblasted",
        description: "The Datum pen with a matt skin, blasted by hand. The blaster takes twenty at a time, so we order batch by \
             batch: once twenty are paid for, they are ordered, and the next twenty begin.",
        pictures: &[(
            "titanium-pen.svg",
            "Titanium pen with a knurled grip beside a notebook",
        )],
        time_zone: "Europe/London",
        steps: &[1, 20, 30],
        options: &[("pen", "Datum pen, matt", &[7800, 7100, 6600], None, Some(6))],
        threshold: 20,
        begins_days_ago: 7,
        runs: 28,
        orders: &[4, 5, 3, 4, 5, 3, 2, 4],
        batches: true,
        ..PLAIN
    },
    Offer {
        title: "Datum titanium pen",
        description: "Turned from one bar. Takes the refill that every stationer has.",
        pictures: &[(
            "titanium-pen.svg",
            "Titanium pen with a knurled grip beside a notebook",
        )],
        time_zone: "Europe/London",
        steps: &[1, 50, 100],
        options: &[("pen", "Datum pen", &[7400, 6800, 6100], Some(150), None)],
        threshold: 40,
        begins_days_ago: 6,
        runs: 8,
        orders: &[3, 4, 2, 5, 4, 3, 4, 5, 3, 4],
        ..PLAIN
    },
    Offer {
        title: "Meridian field watch",
        description: "A petrol dial, a screwed back, and a strap that can be changed without tools.",
        pictures: &[(
            "field-watch.svg",
            "Field watch with a petrol dial on a leather strap",
        )],
        time_zone: "Europe/London",
        steps: &[1, 20],
        options: &[("watch", "Field watch", &[13900, 12200], None, Some(4))],
        threshold: 15,
        begins_days_ago: 28,
        runs: 14,
        orders: &[2, 3, 2, 4, 2, 3, 2, 4],
        life: &[
            (16, Deed::Acknowledges("Movements are on the shelf.")),
            (20, Deed::Writes("It is being made", UPDATE)),
            (
                24,
                Deed::Announces(
                    110,
                    "The dial maker delivers a month later than he said: the kiln for the petrol enamel is being rebuilt.",
                ),
            ),
            (25, Deed::Answers(0, Answer::Wait)),
            (26, Deed::Answers(3, Answer::Cancel)),
        ],
        ..PLAIN
    },
    Offer {
        title: "Copper key tray",
        description: "Spun from one sheet.",
        pictures: &[(
            "key-tray.svg",
            "Copper key tray with two keys and a coin in it",
        )],
        time_zone: "Europe/London",
        steps: &[1, 20],
        options: &[("pen", "Key tray", &[4900, 4200], None, None)],
        threshold: 20,
        begins_days_ago: 20,
        runs: 40,
        orders: &[1, 2, 1],
        cancelled: Some("The spinner has closed the workshop. Everybody gets the money back."),
        ..PLAIN
    },
];

/// What sellers write to everybody who waits.
pub const UPDATE: &str = "The supplier has the order and has begun.

- **This week:** material is cut, the first pieces are checked by hand.
- **Next:** we show you the first finished piece here.

The ship date stands. If it ever moves, you hear of it first and choose.";
