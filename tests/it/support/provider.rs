//! Stands between a shop and its provider: changes what the provider says on its way, and keeps a call waiting for its
//! turn.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use muster::app::Seams;
use muster::workflows::ports::{
    Balance, Call, CallError, Listed, NewCharge, NewEvidence, NewPage, NewRefund, Page, Provider,
    ProviderCharge, ProviderDispute, ProviderIntent, ProviderRefund,
};
use tokio::sync::Semaphore;

/// What is changed of the provider's words; nothing at first.
pub struct Between {
    pub page: Mutex<fn(&mut Page)>,
    /// What is asked of it where a card is charged.
    pub charge: Mutex<fn(&mut NewCharge)>,
    pub intent: Mutex<fn(&mut ProviderIntent)>,
    pub refund: Mutex<fn(&mut ProviderRefund)>,
    pub dispute: Mutex<fn(&mut ProviderDispute)>,
    /// Each refund's call waits for one of these.
    pub turns: Semaphore,
    /// The keys of the refunds' calls, in the order in which they began to wait.
    pub keys: Mutex<Vec<String>>,
    /// The answer to each charge that was made waits for one of these.
    pub answers: Semaphore,
    /// How many charges were made of which nothing may have been heard yet.
    pub charges: AtomicUsize,
    /// What is heard of each charge that was made instead of its answer.
    pub unheard: Mutex<Option<CallError>>,
}

impl Between {
    /// Changes nothing, and nobody waits.
    pub fn new() -> Arc<Between> {
        Arc::new(Between {
            page: Mutex::new(|_| {}),
            charge: Mutex::new(|_| {}),
            intent: Mutex::new(|_| {}),
            refund: Mutex::new(|_| {}),
            dispute: Mutex::new(|_| {}),
            turns: Semaphore::new(Semaphore::MAX_PERMITS),
            keys: Mutex::default(),
            answers: Semaphore::new(Semaphore::MAX_PERMITS),
            charges: AtomicUsize::new(0),
            unheard: Mutex::default(),
        })
    }

    /// From now on nothing is heard of charges that were made.
    pub fn hold_answers(&self) {
        self.answers.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Waits until so many charges were made.
    pub async fn charged(&self, count: usize) {
        while self.charges.load(Ordering::SeqCst) < count {
            tokio::task::yield_now().await;
        }
    }

    /// Stands in front of a program's provider.
    pub fn seams(self: &Arc<Self>) -> Seams {
        let between = self.clone();
        Seams {
            provider: Box::new(|inner| Arc::new(Changed { inner, between })),
            ..Seams::default()
        }
    }
}

struct Changed {
    inner: Arc<dyn Provider>,
    between: Arc<Between>,
}

impl Changed {
    fn say<'a, T: Send + 'a>(
        &'a self,
        how: &'a Mutex<fn(&mut T)>,
        call: Call<'a, T>,
    ) -> Call<'a, T> {
        async move {
            let mut said = call.await?;
            let change = *how.lock().expect("how");
            change(&mut said);
            Ok(said)
        }
        .boxed()
    }

    fn say_all<'a, T: Send + 'a>(
        &'a self,
        how: &'a Mutex<fn(&mut T)>,
        call: Call<'a, Listed<T>>,
    ) -> Call<'a, Listed<T>> {
        async move {
            let mut listed = call.await?;
            let change = *how.lock().expect("how");
            listed.data.iter_mut().for_each(change);
            Ok(listed)
        }
        .boxed()
    }
}

impl Provider for Changed {
    fn create_page(&self, page: NewPage, key: String) -> Call<'_, Page> {
        self.say(&self.between.page, self.inner.create_page(page, key))
    }

    fn page(&self, id: String) -> Call<'_, Page> {
        self.say(&self.between.page, self.inner.page(id))
    }

    fn expire_page(&self, id: String, key: String) -> Call<'_, Page> {
        self.say(&self.between.page, self.inner.expire_page(id, key))
    }

    fn create_charge(&self, mut charge: NewCharge, key: String) -> Call<'_, ProviderIntent> {
        let change = *self.between.charge.lock().expect("charge");
        change(&mut charge);
        let call = async move {
            let said = self.inner.create_charge(charge, key).await;
            self.between.charges.fetch_add(1, Ordering::SeqCst);
            let _answer = self.between.answers.acquire().await;
            match self.between.unheard.lock().expect("unheard").clone() {
                Some(unheard) => Err(unheard),
                None => said,
            }
        };
        self.say(&self.between.intent, call.boxed())
    }

    fn intent(&self, id: String) -> Call<'_, ProviderIntent> {
        self.say(&self.between.intent, self.inner.intent(id))
    }

    fn cancel_intent(&self, id: String, key: String) -> Call<'_, ProviderIntent> {
        self.say(&self.between.intent, self.inner.cancel_intent(id, key))
    }

    fn intents(
        &self,
        customer: String,
        cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderIntent>> {
        let call = self.inner.intents(customer, cursor);
        self.say_all(&self.between.intent, call)
    }

    fn detach_card(&self, method: String, key: String) -> Call<'_, ()> {
        self.inner.detach_card(method, key)
    }

    fn create_refund(&self, refund: NewRefund, key: String) -> Call<'_, ProviderRefund> {
        self.between.keys.lock().expect("keys").push(key.clone());
        let call = async move {
            let _turn = self.between.turns.acquire().await;
            self.inner.create_refund(refund, key).await
        };
        self.say(&self.between.refund, call.boxed())
    }

    fn refund(&self, id: String) -> Call<'_, ProviderRefund> {
        self.say(&self.between.refund, self.inner.refund(id))
    }

    fn refunds(
        &self,
        intent: Option<String>,
        since: Option<DateTime<Utc>>,
        cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderRefund>> {
        let call = self.inner.refunds(intent, since, cursor);
        self.say_all(&self.between.refund, call)
    }

    fn charges(
        &self,
        since: Option<DateTime<Utc>>,
        cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderCharge>> {
        self.inner.charges(since, cursor)
    }

    fn dispute(&self, id: String) -> Call<'_, ProviderDispute> {
        self.say(&self.between.dispute, self.inner.dispute(id))
    }

    fn disputes(
        &self,
        intent: Option<String>,
        since: Option<DateTime<Utc>>,
        cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderDispute>> {
        let call = self.inner.disputes(intent, since, cursor);
        self.say_all(&self.between.dispute, call)
    }

    fn answer_dispute(&self, evidence: NewEvidence, key: String) -> Call<'_, ProviderDispute> {
        self.say(
            &self.between.dispute,
            self.inner.answer_dispute(evidence, key),
        )
    }

    fn balance(&self) -> Call<'_, Vec<Balance>> {
        self.inner.balance()
    }
}
