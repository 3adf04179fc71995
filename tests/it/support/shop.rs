//! A whole muster on a port of its own, with the built-in provider and a clock that tests move. Background work runs
//! when a test says so, so that nothing is waited for.

use chrono::{DateTime, Duration, Utc};
use clap::Parser;
use muster::app::{App, Role, Running, Seams};
use muster::config::Settings;
use muster::domain::campaign::CampaignState;
use muster::domain::country::Country;
use muster::domain::draft::CampaignInput;
use muster::domain::ids::{MerchantId, OrderId};
use muster::domain::order::Delivery;
use muster::store::campaigns::{BatchRow, CampaignRow};
use muster::store::merchants::{MerchantRow, SupplierRow};
use muster::store::orders::{OrderRow, PaymentRow};
use muster::store::purchase_orders::PurchaseOrderRow;
use muster::store::refunds::RefundRow;
use muster::store::{campaigns, mails, merchants, orders, purchase_orders, refunds};
use muster::workflows::audit::audit;
use muster::workflows::cancel;
use muster::workflows::desk::Problem;
use muster::workflows::join::{Address, JoinRequest, Placed, Waits};
use serde_json::{Value, json};

use super::database::TestDatabase;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    settings: Settings,
}

/// A running muster.
pub struct Shop {
    pub running: Running,
    pub http: reqwest::Client,
    pub merchant: MerchantId,
    pub supplier: SupplierRow,
    timeout: u32,
    db: TestDatabase,
}

/// A card that pays.
pub const GOOD_CARD: &str = "4242424242424242";

impl Shop {
    /// Opens a shop with one merchant and one supplier.
    pub async fn open(db: TestDatabase) -> Shop {
        Self::open_with_timeout(db, 5).await
    }

    /// Opens a shop that gives a call to the provider up after so many seconds.
    pub async fn open_with_timeout(db: TestDatabase, timeout: u32) -> Shop {
        Self::open_with(db, timeout, Seams::default()).await
    }

    /// Opens a shop with something between it and the outside.
    pub async fn open_with(db: TestDatabase, timeout: u32, seams: Seams) -> Shop {
        let running = start(&db, timeout, seams).await;
        let now = running.app.office.now();
        let merchant = MerchantRow {
            id: MerchantId::new(),
            slug: "fern-kiln".into(),
            name: "Fern & Kiln".into(),
            email: "hello@fern.example".into(),
            address: "Rua do Forno 1\nPorto".into(),
            imprint: "Fern & Kiln Lda.".into(),
            terms: "Goods are made to order.".into(),
            privacy: "We keep your address to ship.".into(),
            terms_version: 1,
            payouts_manual: true,
            created_at: now.naive_utc(),
            withdrawal_everywhere: false,
        };
        let supplier = SupplierRow {
            id: muster::domain::ids::SupplierId::new(),
            merchant_id: merchant.id,
            name: "Kasten Woodworks".into(),
            email: "orders@kasten.example".into(),
            address: "Kassel".into(),
            currency: "usd".into(),
            lead_time_days: 35,
            minimum_units: None,
            capacity_units: None,
            case_pack: 1,
            unit_costs: json!({"set": 4000, "lid": 500}).to_string(),
            created_at: now.naive_utc(),
        };
        let (m, s) = (merchant.clone(), supplier.clone());
        running
            .app
            .office
            .write(move |_, tx| -> Result<(), Problem> {
                merchants::insert(tx.conn, &m)?;
                merchants::insert_supplier(tx.conn, &s)?;
                Ok(())
            })
            .await
            .unwrap();
        Shop {
            running,
            http: client(),
            merchant: merchant.id,
            supplier,
            timeout,
            db,
        }
    }

    /// Stops it and starts it again on the same data.
    pub async fn restart(self) -> Shop {
        self.stop().await.start().await
    }

    /// Stops it; its data stay. Of a shop that died nothing more takes effect.
    pub async fn stop(self) -> Stopped {
        let Shop {
            running,
            merchant,
            supplier,
            timeout,
            db,
            ..
        } = self;
        running.stop().await;
        Stopped {
            merchant,
            supplier,
            timeout,
            db,
        }
    }

    /// The settings of the program on the same data, as arguments.
    pub fn settings(&self) -> Vec<String> {
        settings(&self.db)
    }

    /// Where its files lie, the provider's books among them.
    pub fn data_dir(&self) -> &std::path::Path {
        self.db.data_dir()
    }

    pub fn is_on_postgres(&self) -> bool {
        self.db.is_postgres()
    }

    /// Another process on the same data, which serves nothing; its worker works when it is told to.
    #[cfg(feature = "postgres")]
    pub fn colleague(&self, seams: Seams) -> App {
        let mut line = vec!["muster".to_owned()];
        line.extend(self.settings());
        line.push(format!("--public-url={}", self.running.app.public_url));
        let settings = Line::parse_from(line).settings;
        App::build_with(settings.check().unwrap(), Role::Work, seams).unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.app.public_url)
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.running.app.office.now()
    }

    /// Does what is due now.
    pub async fn settle(&self) {
        self.advance(Duration::zero()).await;
    }

    /// Moves the clock, visiting each due time.
    pub async fn advance(&self, by: Duration) {
        let sandbox = self.running.app.sandbox.as_ref().unwrap();
        sandbox.advance_clock(by).await.unwrap();
    }

    pub async fn faults(&self, faults: Value) {
        let answer = self
            .http
            .post(self.url("/sandbox/faults"))
            .json(&faults)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{faults}");
    }

    /// Worked example A of domain section 3, seven days long.
    pub fn example_a(&self) -> Value {
        let deadline = self.now() + Duration::days(7);
        let day = |days: i64| (self.now() + Duration::days(days)).date_naive().to_string();
        json!({
            "title": "Ridge pour-over set", "description": "Thrown in one kiln run.", "currency": "usd",
            "threshold": {"kind": "units", "target": 5}, "deadline": deadline.to_rfc3339(),
            "promised_ship_date": day(60), "stop_loss_date": day(120), "payment_mode": "charge_now",
            "trigger": "at_deadline", "steps": [1, 5, 10],
            "options": [{"sku": "set", "name": "Full set", "prices": [10000, 9000, 8000]}],
            "supplier_ids": [self.supplier.id.to_string()],
            "shipping": [{"countries": ["*"], "price": 0}],
        })
    }

    /// Makes and publishes a campaign.
    pub async fn publish(&self, body: Value) -> CampaignRow {
        let merchant = self.merchant;
        let input: CampaignInput = serde_json::from_value(body).unwrap();
        self.running
            .app
            .office
            .write(move |desk, tx| {
                let row = muster::workflows::campaigns::create(tx, merchant, input.clone())?;
                muster::workflows::campaigns::publish(desk, tx, merchant, &row.slug)
            })
            .await
            .unwrap()
    }

    pub fn wish(&self, campaign: &CampaignRow, email: &str, quantity: i64) -> JoinRequest {
        JoinRequest {
            campaign: campaign.id,
            named: None,
            email: email.to_owned(),
            name: "Ana Sousa".into(),
            address: Address {
                line1: "Rua das Flores 12".into(),
                line2: None,
                city: "Porto".into(),
                region: None,
                postal_code: Some("4050-262".into()),
                country: Country::parse("PT").unwrap(),
            },
            lines: vec![("set".into(), quantity)],
            delivery: Delivery::OneParcel,
            agreed_total: None,
            terms_version: Some(1),
            joined_from: "127.0.0.1".into(),
            form_key: None,
            limit_step: None,
            buys_missing: false,
            waits: Waits::No,
        }
    }

    pub async fn join(&self, campaign: &CampaignRow, email: &str, quantity: i64) -> Placed {
        let wish = self.wish(campaign, email, quantity);
        self.running.app.office.join(wish).await.unwrap()
    }

    /// Joins, makes the page, and pays it.
    pub async fn join_and_pay(
        &self,
        campaign: &CampaignRow,
        email: &str,
        quantity: i64,
    ) -> OrderId {
        let placed = self.join(campaign, email, quantity).await;
        self.settle().await;
        assert_eq!(self.pay(placed.order.id, GOOD_CARD).await, 303);
        self.settle().await;
        placed.order.id
    }

    /// Pays the order's page; the pay page's status.
    pub async fn pay(&self, order: OrderId, card: &str) -> u16 {
        let page = self.payments(order).await.pop().unwrap();
        let session = page.session_id.expect("the page was made");
        self.http
            .post(self.url(&format!("/sandbox/pay/{session}")))
            .form(&[("card", card)])
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    }

    /// Cancels an order as its shopper does.
    pub async fn cancel(&self, order: OrderId) -> Result<OrderRow, Problem> {
        self.running
            .app
            .office
            .write(move |desk, tx| cancel::cancel(desk, tx, order, &cancel::By::Shopper))
            .await
    }

    /// Runs a workflow as staff or a job does.
    pub async fn write<T: Send + 'static>(
        &self,
        f: impl Fn(&muster::workflows::desk::Desk, &mut muster::store::Tx) -> Result<T, Problem>
        + Send
        + 'static,
    ) -> Result<T, Problem> {
        self.running.app.office.write(f).await
    }

    /// Asks the provider itself, behind the shop's back.
    pub async fn provider(&self, path: &str) -> Value {
        let answer = self
            .http
            .get(self.url(&format!("/sandbox/stripe/v1/{path}")))
            .bearer_auth("sk_test_tests")
            .send()
            .await
            .unwrap();
        answer.json().await.unwrap()
    }

    /// What the provider charged for an order and what went back or is on its way, by our ids on its objects.
    pub async fn at_provider(&self, order: OrderId) -> (i64, i64) {
        let sum = |list: Value, alive: &[&str]| -> i64 {
            let ours = |one: &&Value| {
                one["metadata"]["order"] == order.to_string()
                    && alive.contains(&one["status"].as_str().unwrap_or_default())
            };
            let all = list["data"].as_array().unwrap().iter();
            all.filter(ours)
                .map(|o| o["amount"].as_i64().unwrap())
                .sum()
        };
        (
            sum(self.provider("charges?limit=100").await, &["succeeded"]),
            sum(
                self.provider("refunds?limit=100").await,
                &["succeeded", "pending"],
            ),
        )
    }

    pub async fn order(&self, id: OrderId) -> OrderRow {
        self.read(move |c| orders::by_id(c, id)).await.unwrap()
    }

    pub async fn payments(&self, id: OrderId) -> Vec<PaymentRow> {
        self.read(move |c| orders::payments_of(c, id)).await
    }

    pub async fn refunds(&self, id: OrderId) -> Vec<RefundRow> {
        self.read(move |c| refunds::of_order(c, id)).await
    }

    pub async fn campaign(&self, row: &CampaignRow) -> CampaignRow {
        let id = row.id;
        self.read(move |c| campaigns::by_id(c, id)).await.unwrap()
    }

    pub async fn batch(&self, row: &CampaignRow) -> BatchRow {
        let id = row.id;
        self.read(move |c| campaigns::batch_of(c, id))
            .await
            .unwrap()
    }

    pub async fn purchase_orders(&self, row: &CampaignRow) -> Vec<PurchaseOrderRow> {
        let batch = self.batch(row).await.id;
        self.read(move |c| purchase_orders::of_batch(c, batch))
            .await
    }

    /// Subjects of the mails to an address, oldest first.
    pub async fn mail_to(&self, address: &str) -> Vec<String> {
        let address = address.to_owned();
        let all = self.read(move |c| mails::delivered(c, 1000)).await;
        all.into_iter()
            .filter(|m| m.recipient == address)
            .map(|m| m.subject)
            .collect()
    }

    /// Texts of the mails of a kind to an address, oldest first.
    pub async fn letters_to(&self, address: &str, kind: &str) -> Vec<String> {
        let (address, kind) = (address.to_owned(), kind.to_owned());
        let all = self.read(move |c| mails::delivered(c, 1000)).await;
        all.into_iter()
            .filter(|m| m.recipient == address && m.kind == kind)
            .map(|m| m.body_text)
            .collect()
    }

    pub async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut muster::store::Conn) -> Result<T, muster::store::StoreError>
        + Send
        + 'static,
    ) -> T {
        self.running.app.office.read(f).await.unwrap()
    }

    /// Ends with the rules of domain section 7: ours, and the comparison with the provider.
    pub async fn audit(&self) {
        let now = self.now();
        let office = &self.running.app.office;
        let breaches = office.read(move |c| audit(c, now)).await.unwrap();
        assert!(breaches.is_empty(), "{breaches:#?}");
        match muster::jobs::compare(&self.running.app.office).await {
            Ok(found) => assert!(found.is_empty(), "{found:#?}"),
            Err(muster::jobs::CompareError::Provider(_)) => {}
            Err(e) => panic!("{e}"),
        }
    }

    pub async fn expect_state(&self, row: &CampaignRow, state: CampaignState) {
        let now = self.campaign(row).await;
        assert_eq!(now.state, state, "{now:#?}");
    }

    pub async fn close(self) {
        self.running.stop().await;
    }
}

/// A muster that does not run, with its data.
pub struct Stopped {
    merchant: MerchantId,
    supplier: SupplierRow,
    timeout: u32,
    pub db: TestDatabase,
}

impl Stopped {
    /// Starts it on its data.
    pub async fn start(self) -> Shop {
        self.start_with(Seams::default()).await
    }

    /// Starts it on its data with something between it and the outside.
    pub async fn start_with(self, seams: Seams) -> Shop {
        let Stopped {
            merchant,
            supplier,
            timeout,
            db,
        } = self;
        Shop {
            running: start(&db, timeout, seams).await,
            http: client(),
            merchant,
            supplier,
            timeout,
            db,
        }
    }

    /// The settings of the program on the same data, as arguments.
    pub fn settings(&self) -> Vec<String> {
        settings(&self.db)
    }
}

fn settings(db: &TestDatabase) -> Vec<String> {
    vec![
        "--sandbox".to_owned(),
        format!("--database-url={}", db.url()),
        format!("--data-dir={}", db.data_dir().display()),
    ]
}

pub fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

async fn start(db: &TestDatabase, timeout: u32, seams: Seams) -> Running {
    let data = db.data_dir().display().to_string();
    let line = Line::parse_from([
        "muster",
        "--sandbox",
        "--listen=127.0.0.1:0",
        &format!("--provider-timeout={timeout}"),
        &format!("--database-url={}", db.url()),
        &format!("--data-dir={data}"),
    ]);
    let app = App::build_with(line.settings.check().unwrap(), Role::Pages, seams).unwrap();
    app.start(Role::Pages).await.unwrap()
}
