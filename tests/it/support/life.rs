//! The life of a process that may end after any of its effects: a commit, a call that moves something at the provider, a
//! mail. Once it has ended nothing of it takes effect any more, and whoever still waits for it is not waited for.
//!
//! Only moments *after* an effect are told apart: what is kept here and at the provider is the same before an effect as
//! it was after the one before it.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use muster::app::Seams;
use muster::store::Gate;
use muster::workflows::ports::{
    Balance, Call, CallError, Delivered, Listed, MailError, Mailer, NewCharge, NewEvidence,
    NewPage, NewRefund, Outgoing, Page, Provider, ProviderCharge, ProviderDispute, ProviderIntent,
    ProviderRefund,
};
use tokio::sync::watch;

/// One life, and what took effect in it.
pub struct Life {
    ends_after: Option<usize>,
    effects: Mutex<Vec<String>>,
    ended: watch::Sender<bool>,
}

impl Life {
    /// A life that ends once so many effects took place; none: it does not end by itself.
    pub fn ending_after(effects: Option<usize>) -> Arc<Life> {
        Arc::new(Life {
            ends_after: effects,
            effects: Mutex::default(),
            ended: watch::Sender::new(effects == Some(0)),
        })
    }

    /// Stands at every seam of a program.
    pub fn seams(self: &Arc<Self>) -> Seams {
        let (gate, calls, mails) = (self.clone(), self.clone(), self.clone());
        Seams {
            gate: Box::new(Mortal(gate)),
            provider: Box::new(|inner| Arc::new(MortalProvider { inner, life: calls })),
            mailer: Box::new(|inner| Arc::new(MortalMailer { inner, life: mails })),
            threads: 1,
        }
    }

    /// Comes back when it has ended.
    pub async fn end(&self) {
        let mut ended = self.ended.subscribe();
        let _ = ended.wait_for(|ended| *ended).await;
    }

    /// What took effect, in order.
    pub fn effects(&self) -> Vec<String> {
        self.effects.lock().expect("the effects").clone()
    }

    fn is_over(&self) -> bool {
        *self.ended.borrow()
    }

    fn took_effect(&self, what: impl Into<String>) {
        let mut effects = self.effects.lock().expect("the effects");
        if self.is_over() {
            return;
        }
        effects.push(what.into());
        if Some(effects.len()) == self.ends_after {
            self.ended.send_replace(true);
        }
    }

    /// A call, unless the life is over; it may end while the call is on its way, and then its answer is not heard.
    fn call<'a, T: Send + 'a>(
        &'a self,
        moves: Option<&'static str>,
        call: impl FnOnce() -> Call<'a, T> + Send + 'a,
    ) -> Call<'a, T> {
        async move {
            if self.is_over() {
                return Err(dead());
            }
            let answer = call().await;
            if let Some(what) = moves {
                self.took_effect(what);
            }
            if self.is_over() { Err(dead()) } else { answer }
        }
        .boxed()
    }
}

fn dead() -> CallError {
    CallError::Unknown("the process is dead".into())
}

struct Mortal(Arc<Life>);

impl Gate for Mortal {
    fn lets_through(&self) -> bool {
        !self.0.is_over()
    }

    fn committed(&self) {
        self.0.took_effect("commit");
    }
}

struct MortalProvider {
    inner: Arc<dyn Provider>,
    life: Arc<Life>,
}

impl Provider for MortalProvider {
    fn create_page(&self, page: NewPage, key: String) -> Call<'_, Page> {
        let call = || self.inner.create_page(page, key);
        self.life.call(Some("page made"), call)
    }

    fn page(&self, id: String) -> Call<'_, Page> {
        self.life.call(None, || self.inner.page(id))
    }

    fn expire_page(&self, id: String, key: String) -> Call<'_, Page> {
        let call = || self.inner.expire_page(id, key);
        self.life.call(Some("page expired"), call)
    }

    fn create_charge(&self, charge: NewCharge, key: String) -> Call<'_, ProviderIntent> {
        let call = || self.inner.create_charge(charge, key);
        self.life.call(Some("card charged"), call)
    }

    fn intent(&self, id: String) -> Call<'_, ProviderIntent> {
        self.life.call(None, || self.inner.intent(id))
    }

    fn cancel_intent(&self, id: String, key: String) -> Call<'_, ProviderIntent> {
        let call = || self.inner.cancel_intent(id, key);
        self.life.call(Some("charge cancelled"), call)
    }

    fn intents(
        &self,
        customer: String,
        cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderIntent>> {
        self.life
            .call(None, move || self.inner.intents(customer, cursor))
    }

    fn detach_card(&self, method: String, key: String) -> Call<'_, ()> {
        let call = || self.inner.detach_card(method, key);
        self.life.call(Some("card detached"), call)
    }

    fn create_refund(&self, refund: NewRefund, key: String) -> Call<'_, ProviderRefund> {
        let call = || self.inner.create_refund(refund, key);
        self.life.call(Some("refund made"), call)
    }

    fn refund(&self, id: String) -> Call<'_, ProviderRefund> {
        self.life.call(None, || self.inner.refund(id))
    }

    fn refunds(
        &self,
        intent: Option<String>,
        since: Option<DateTime<Utc>>,
        cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderRefund>> {
        let call = move || self.inner.refunds(intent, since, cursor);
        self.life.call(None, call)
    }

    fn charges(
        &self,
        since: Option<DateTime<Utc>>,
        cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderCharge>> {
        self.life
            .call(None, move || self.inner.charges(since, cursor))
    }

    fn dispute(&self, id: String) -> Call<'_, ProviderDispute> {
        self.life.call(None, || self.inner.dispute(id))
    }

    fn disputes(
        &self,
        intent: Option<String>,
        since: Option<DateTime<Utc>>,
        cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderDispute>> {
        let call = move || self.inner.disputes(intent, since, cursor);
        self.life.call(None, call)
    }

    fn answer_dispute(&self, evidence: NewEvidence, key: String) -> Call<'_, ProviderDispute> {
        let call = || self.inner.answer_dispute(evidence, key);
        self.life.call(Some("dispute answered"), call)
    }

    fn balance(&self) -> Call<'_, Vec<Balance>> {
        self.life.call(None, || self.inner.balance())
    }
}

struct MortalMailer {
    inner: Arc<dyn Mailer>,
    life: Arc<Life>,
}

impl Mailer for MortalMailer {
    fn send(&self, mail: Outgoing) -> BoxFuture<'_, Result<Delivered, MailError>> {
        async move {
            let dead = || Err(MailError::Later("the process is dead".into()));
            if self.life.is_over() {
                return dead();
            }
            let what = format!("mail to {}: {}", mail.to, mail.message_id);
            let answer = self.inner.send(mail).await;
            self.life.took_effect(what);
            if self.life.is_over() { dead() } else { answer }
        }
        .boxed()
    }
}
