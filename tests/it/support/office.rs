//! An office on a fresh database, with a clock that is set by hand, mails that are kept, and a payment provider that
//! lives in memory: everything behind the pages and the API, without a server.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Duration, Utc};
use muster::domain::ids::MerchantId;
use muster::jobs::Worker;
use muster::mail::{Kept, Templates};
use muster::store::merchants::MerchantRow;
use muster::store::{self, DatabaseUrl, Lane, merchants, orders};
use muster::workflows::accounts;
use muster::workflows::desk::{Desk, Problem};
use muster::workflows::join::Joins;
use muster::workflows::links::Links;
use muster::workflows::office::{Office, Settings, Signals};
use muster::workflows::payment;
use muster::workflows::ports::{
    Balance, Call, CallError, Clock, Listed, NewCharge, NewEvidence, NewPage, NewRefund, Page,
    PageMode, PageStatus, Provider, ProviderCharge, ProviderDispute, ProviderIntent,
    ProviderRefund, ProviderRefundStatus,
};

use super::cards::{self, Cards};
use super::database::TestDatabase;

/// The address links are made with.
pub const PUBLIC_URL: &str = "https://shop.example";

/// A clock that stands still until it is moved.
pub struct TestClock(Mutex<DateTime<Utc>>);

impl TestClock {
    fn new() -> Self {
        // Whole seconds: databases keep microseconds, and tests compare.
        let now = Utc::now().timestamp();
        Self(Mutex::new(
            DateTime::from_timestamp(now, 0).expect("the present"),
        ))
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().expect("the clock") += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("the clock")
    }
}

/// A provider in memory. Pages are completed by [`TestOffice::pay`]; refunds succeed at once.
#[derive(Default)]
pub struct TestProvider {
    pages: Mutex<HashMap<String, Made>>,
    by_key: Mutex<HashMap<String, String>>,
    refunds: Mutex<HashMap<String, ProviderRefund>>,
    /// Pages are not made while it is set: the provider asks to come back later.
    pub is_rushed: AtomicBool,
    /// The cards that pages saved, and what charging them comes to.
    pub cards: Cards,
}

/// A page that was made, and what completing it does.
struct Made {
    page: Page,
    mode: PageMode,
}

impl TestProvider {
    /// Its holder pays the page or saves the card on it, as it asks.
    ///
    /// # Errors
    /// The provider's refusal, where it is not open.
    pub fn complete(&self, id: &str) -> Result<Page, CallError> {
        self.close(id, |made| {
            made.page.status = Some(match made.mode {
                PageMode::Pay | PageMode::PayAndSave => PageStatus::Paid,
                PageMode::Save => PageStatus::Saved,
            });
            if made.mode != PageMode::Save {
                made.page.intent = Some(format!("pi_of_{id}"));
            }
            if made.mode != PageMode::Pay {
                made.page.card = Some(cards::saved_by(id));
            }
        })
    }

    fn close(&self, id: &str, end: impl FnOnce(&mut Made)) -> Result<Page, CallError> {
        let mut pages = self.pages.lock().expect("pages");
        let made = pages.get_mut(id).ok_or_else(missing)?;
        if made.page.status == Some(PageStatus::Open) {
            end(made);
            return Ok(made.page.clone());
        }
        Err(CallError::Refused {
            code: String::new(),
            param: String::new(),
            message: "this page is not open".into(),
        })
    }

    /// How many refunds were made.
    pub fn refund_count(&self) -> usize {
        self.refunds.lock().expect("refunds").len()
    }
}

/// What it says of an object that it does not have.
pub fn missing() -> CallError {
    CallError::Refused {
        code: "resource_missing".into(),
        param: "id".into(),
        message: "no such object".into(),
    }
}

fn ready<'a, T: Send + 'a>(answer: Result<T, CallError>) -> Call<'a, T> {
    Box::pin(async move { answer })
}

impl Provider for TestProvider {
    fn create_page(&self, page: NewPage, key: String) -> Call<'_, Page> {
        if self.is_rushed.load(Ordering::SeqCst) {
            return ready(Err(CallError::Later("a rush".into())));
        }
        let mut by_key = self.by_key.lock().expect("keys");
        let mut pages = self.pages.lock().expect("pages");
        let id = by_key
            .entry(key)
            .or_insert_with(|| format!("cs_test_{}_{}", page.tag.order, page.tag.attempt))
            .clone();
        let made = pages.entry(id.clone()).or_insert_with(|| Made {
            mode: page.mode,
            page: Page {
                url: Some(format!("https://pay.example/{id}")),
                id,
                status: Some(PageStatus::Open),
                intent: None,
                amount: (page.mode != PageMode::Save)
                    .then(|| page.lines.iter().map(|l| l.unit_amount * l.quantity).sum()),
                currency: (page.mode != PageMode::Save).then_some(page.currency),
                card: None,
                tag: Some(page.tag),
            },
        });
        ready(Ok(made.page.clone()))
    }

    fn page(&self, id: String) -> Call<'_, Page> {
        let pages = self.pages.lock().expect("pages");
        let page = pages.get(&id).map(|made| made.page.clone());
        ready(page.ok_or_else(missing))
    }

    fn expire_page(&self, id: String, _key: String) -> Call<'_, Page> {
        ready(self.close(&id, |made| made.page.status = Some(PageStatus::Expired)))
    }

    fn create_charge(&self, charge: NewCharge, key: String) -> Call<'_, ProviderIntent> {
        ready(self.cards.charge(charge, key))
    }

    fn intent(&self, id: String) -> Call<'_, ProviderIntent> {
        ready(self.cards.intent(&id))
    }

    fn cancel_intent(&self, id: String, _key: String) -> Call<'_, ProviderIntent> {
        ready(self.cards.cancel(&id))
    }

    fn intents(
        &self,
        customer: String,
        _cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderIntent>> {
        ready(Ok(self.cards.intents_of(&customer)))
    }

    fn detach_card(&self, method: String, _key: String) -> Call<'_, ()> {
        self.cards.detach(method);
        ready(Ok(()))
    }

    fn create_refund(&self, refund: NewRefund, key: String) -> Call<'_, ProviderRefund> {
        let mut refunds = self.refunds.lock().expect("refunds");
        let made = refunds.entry(key).or_insert_with_key(|key| ProviderRefund {
            id: format!("re_{key}"),
            status: ProviderRefundStatus::Succeeded,
            amount: refund.amount,
            intent: Some(refund.intent),
            failure: None,
            tag: Some(refund.tag),
        });
        ready(Ok(made.clone()))
    }

    fn refund(&self, id: String) -> Call<'_, ProviderRefund> {
        let refunds = self.refunds.lock().expect("refunds");
        ready(
            refunds
                .values()
                .find(|r| r.id == id)
                .cloned()
                .ok_or_else(missing),
        )
    }

    fn refunds(
        &self,
        intent: Option<String>,
        _since: Option<DateTime<Utc>>,
        _cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderRefund>> {
        let refunds = self.refunds.lock().expect("refunds");
        let data = refunds
            .values()
            .filter(|r| intent.is_none() || r.intent == intent)
            .cloned()
            .collect();
        ready(Ok(Listed { data, next: None }))
    }

    fn charges(
        &self,
        _since: Option<DateTime<Utc>>,
        _cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderCharge>> {
        ready(Ok(Listed {
            data: Vec::new(),
            next: None,
        }))
    }

    fn dispute(&self, _id: String) -> Call<'_, ProviderDispute> {
        ready(Err(missing()))
    }

    fn disputes(
        &self,
        _intent: Option<String>,
        _since: Option<DateTime<Utc>>,
        _cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderDispute>> {
        ready(Ok(Listed {
            data: Vec::new(),
            next: None,
        }))
    }

    fn answer_dispute(&self, _evidence: NewEvidence, _key: String) -> Call<'_, ProviderDispute> {
        ready(Err(missing()))
    }

    fn balance(&self) -> Call<'_, Vec<Balance>> {
        ready(Ok(Vec::new()))
    }
}

/// An office with its worker, gone when the test ends.
pub struct TestOffice {
    pub office: Office,
    pub clock: Arc<TestClock>,
    pub provider: Arc<TestProvider>,
    pub worker: Worker,
}

impl Drop for TestOffice {
    fn drop(&mut self) {
        self.office.stop();
    }
}

impl TestOffice {
    /// Puts the office together; its worker works in the background.
    pub async fn start(db: &TestDatabase) -> Self {
        let url = DatabaseUrl::parse(db.url()).expect("the test's database");
        let pool = store::open(&url, 4).expect("it opens and migrates");
        let clock = Arc::new(TestClock::new());
        let provider = Arc::new(TestProvider::default());
        let signals = Signals::default();
        let desk = Arc::new(Desk {
            clock: clock.clone(),
            scribe: Arc::new(Templates),
            links: Links::new(PUBLIC_URL, b"a secret of the test's own"),
            hold_minutes: 45,
            provider_rate: None,
            live: false,
        });
        let joins = Joins::new(clock.clone(), 45, None);
        let (ticks, told) = (clock.clone(), signals.clone());
        let lane = Lane::start(
            Box::new(move || store::connect(&url)),
            joins,
            Box::new(move || ticks.now()),
            Box::new(move |effects| told.tell(effects)),
        )
        .expect("the writer starts");
        let settings = Settings {
            data_dir: db.data_dir().to_owned(),
            sandbox: false,
            live: false,
            smtp: false,
            webhook_secret: None,
            trusted_proxies: vec!["127.0.0.1".into()],
            provider_timeout: std::time::Duration::from_secs(1),
        };
        let office = Office::new(
            pool,
            lane,
            desk,
            provider.clone(),
            Arc::new(Kept),
            settings,
            signals,
        );
        let worker = Worker::new(office.clone());
        worker.start(true).await.expect("the worker starts");
        Self {
            office,
            clock,
            provider,
            worker,
        }
    }

    /// A merchant whose pages are complete, and a key that speaks for it.
    pub async fn merchant(&self, name: &str) -> (MerchantId, String) {
        let id = MerchantId::new();
        let name = name.to_owned();
        let key = self
            .office
            .write(move |_, tx| -> Result<String, Problem> {
                let now = tx.now.naive_utc();
                let row = MerchantRow {
                    id,
                    slug: muster::domain::slug::slugify(&name),
                    name: name.clone(),
                    email: format!("{}@shop.example", muster::domain::slug::slugify(&name)),
                    address: "1 Mill Lane\nBath".into(),
                    imprint: "Who answers".into(),
                    terms: "The terms".into(),
                    privacy: String::new(),
                    terms_version: 1,
                    payouts_manual: false,
                    created_at: now,
                    withdrawal_everywhere: false,
                };
                merchants::insert(tx.conn, &row)?;
                accounts::create_api_key(tx, id)
            })
            .await
            .expect("the merchant is kept");
        (id, key)
    }

    /// Does all work that is due.
    pub async fn work(&self) {
        self.worker.run_until_idle(3).await.expect("work is done");
    }

    /// Moves the clock and does what falls due.
    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.work().await;
    }

    /// A shopper pays at this address, or saves the card there, and the provider tells it.
    pub async fn pay(&self, checkout_url: &str) {
        let session = checkout_url
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let said = self.provider.complete(&session).expect("the page is open");
        self.office
            .write(move |desk, tx| -> Result<(), Problem> {
                let page = orders::payment_by_session(tx.conn, &session)?
                    .ok_or(Problem::NotFound("payment"))?;
                payment::heard(desk, tx, page.order_id, page.attempt, &said)?;
                Ok(())
            })
            .await
            .expect("the payment is taken");
        self.work().await;
    }
}
