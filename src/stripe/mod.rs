//! The provider port on the async-stripe crates: one attempt per call, with our key, never a retry of the client's own.
//!
//! `requests` turns our words into the provider's parameters, `convert` turns its objects into ours, `errors` says what
//! follows from each bad ending (domain section 4), `cards` reads saved cards and what charging them came to, `pace`
//! keeps to its limits, `webhook` verifies what it sends.

mod cards;
mod convert;
pub mod endpoint;
mod errors;
mod pace;
mod requests;
pub mod webhook;

#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::num::NonZeroU32;
use std::time::Duration;

use ::stripe::{Client, ClientBuilder, RequestStrategy, StripeError, StripeRequest};
use chrono::{DateTime, Utc};
use stripe_checkout::checkout_session::{ExpireCheckoutSession, RetrieveCheckoutSession};
use stripe_core::balance::RetrieveForMyAccountBalance;
use stripe_core::dispute::RetrieveDispute;
use stripe_core::payment_intent::{CancelPaymentIntent, RetrievePaymentIntent};
use stripe_core::refund::RetrieveRefund;
use stripe_shared::{CheckoutSession, Dispute, PaymentIntent, PaymentMethod, Refund};

use self::pace::{Lane, Pace};
use crate::workflows::ports::{
    Balance, Call, CallError, Listed, NewCharge, NewEvidence, NewPage, NewRefund, Page, Provider,
    ProviderCharge, ProviderDispute, ProviderIntent, ProviderRefund,
};

/// Where the provider is, who we are there, and how fast we may ask.
#[derive(Clone)]
pub struct StripeConfig {
    /// The secret key (`sk_live_...`, `sk_test_...`).
    pub secret_key: String,
    /// The server that stands in for the provider, such as `http://127.0.0.1:8080/sandbox/stripe/`; none: the provider
    /// itself. A missing slash at the end is added.
    pub api_base: Option<String>,
    /// How long one call may take, its answer's body included.
    pub timeout: Duration,
    /// Calls per second; none: as fast as they come.
    pub calls_per_second: Option<NonZeroU32>,
}

impl fmt::Debug for StripeConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StripeConfig")
            .field("api_base", &self.api_base)
            .field("timeout", &self.timeout)
            .field("calls_per_second", &self.calls_per_second)
            .finish_non_exhaustive()
    }
}

/// The payment provider, asked through its client crate.
pub struct StripeProvider {
    client: Client,
    pace: Pace,
}

impl StripeProvider {
    /// A provider of this configuration; nothing is asked yet.
    ///
    /// # Errors
    /// A sentence for the operator, when the key or the address can't be used.
    pub fn new(config: StripeConfig) -> Result<Self, String> {
        let key = config.secret_key;
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(
                "the provider's secret key must be one word, such as sk_test_...".to_owned(),
            );
        }
        let mut builder = ClientBuilder::new(key)
            .timeout(config.timeout)
            .request_strategy(RequestStrategy::Once)
            .app_info("muster", Some(env!("CARGO_PKG_VERSION").to_owned()), None);
        if let Some(base) = config.api_base {
            builder = builder.url(requests::base(&base)?);
        }
        Ok(Self {
            client: builder.build().map_err(|error| error.to_string())?,
            pace: Pace::new(config.calls_per_second),
        })
    }

    /// Waits for its turn, calls once, and says what a bad ending means.
    async fn call<T>(
        &self,
        lane: Lane,
        call: impl Future<Output = Result<T, StripeError>>,
    ) -> Result<T, CallError> {
        self.pace.turn(lane).await;
        call.await.map_err(errors::meaning)
    }

    /// Whether a card belongs to nobody any more.
    async fn is_detached(&self, method: &str) -> Result<bool, CallError> {
        let call = requests::method(method)
            .customize::<PaymentMethod>()
            .send(&self.client);
        Ok(self.call(Lane::Rest, call).await?.customer.is_none())
    }
}

impl Provider for StripeProvider {
    fn create_page(&self, page: NewPage, key: String) -> Call<'_, Page> {
        Box::pin(async move {
            let strategy = requests::once_with(&key)?;
            let mut request = requests::page(&page)?.build();
            request.body = request.body.map(|body| requests::in_order(&body));
            let call = request
                .customize::<CheckoutSession>()
                .request_strategy(strategy)
                .send(&self.client);
            Ok(convert::page(self.call(Lane::Joining, call).await?))
        })
    }

    fn page(&self, id: String) -> Call<'_, Page> {
        Box::pin(async move {
            let request = RetrieveCheckoutSession::new(requests::id(id)?).expand(requests::cards());
            let call = request.customize().send(&self.client);
            Ok(convert::page(self.call(Lane::Joining, call).await?))
        })
    }

    fn expire_page(&self, id: String, key: String) -> Call<'_, Page> {
        Box::pin(async move {
            let strategy = requests::once_with(&key)?;
            let request = ExpireCheckoutSession::new(requests::id(id)?);
            let call = request
                .customize()
                .request_strategy(strategy)
                .send(&self.client);
            Ok(convert::page(self.call(Lane::Joining, call).await?))
        })
    }

    fn create_charge(&self, charge: NewCharge, key: String) -> Call<'_, ProviderIntent> {
        Box::pin(async move {
            let strategy = requests::once_with(&key)?;
            let mut request = requests::charge(&charge)?.build();
            request.body = request.body.map(|body| requests::in_order(&body));
            let call = request
                .customize::<PaymentIntent>()
                .request_strategy(strategy)
                .send(&self.client);
            self.pace.turn(Lane::Collecting).await;
            match call.await {
                Ok(intent) => cards::intent(intent),
                Err(error) => cards::no(error),
            }
        })
    }

    fn intent(&self, id: String) -> Call<'_, ProviderIntent> {
        Box::pin(async move {
            let request = RetrievePaymentIntent::new(requests::id(id)?);
            let call = request.customize().send(&self.client);
            cards::intent(self.call(Lane::Collecting, call).await?)
        })
    }

    fn cancel_intent(&self, id: String, key: String) -> Call<'_, ProviderIntent> {
        Box::pin(async move {
            let strategy = requests::once_with(&key)?;
            let request = CancelPaymentIntent::new(requests::id(id)?);
            let call = request
                .customize()
                .request_strategy(strategy)
                .send(&self.client);
            cards::intent(self.call(Lane::Collecting, call).await?)
        })
    }

    fn intents(
        &self,
        customer: String,
        cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderIntent>> {
        Box::pin(async move {
            let request = requests::intents(customer, cursor);
            let call = request.customize().send(&self.client);
            cards::intents(self.call(Lane::Collecting, call).await?)
        })
    }

    fn detach_card(&self, method: String, key: String) -> Call<'_, ()> {
        Box::pin(async move {
            let strategy = requests::once_with(&key)?;
            let method = requests::id(method)?;
            let call = requests::detach(&method)
                .customize::<PaymentMethod>()
                .request_strategy(strategy)
                .send(&self.client);
            match self.call(Lane::Rest, call).await {
                Ok(_) => Ok(()),
                Err(gone) if gone.is_missing() => Ok(()),
                // The refusal of a card that was taken before has no code of its own: the card is asked for instead.
                Err(refused @ CallError::Refused { .. }) => {
                    let is_detached = self.is_detached(&method).await?;
                    is_detached.then_some(()).ok_or(refused)
                }
                Err(other) => Err(other),
            }
        })
    }

    fn create_refund(&self, refund: NewRefund, key: String) -> Call<'_, ProviderRefund> {
        Box::pin(async move {
            let strategy = requests::once_with(&key)?;
            let mut request = requests::refund(&refund)?.build();
            request.body = request.body.map(|body| requests::in_order(&body));
            let call = request
                .customize::<Refund>()
                .request_strategy(strategy)
                .send(&self.client);
            convert::refund(self.call(Lane::Rest, call).await?)
        })
    }

    fn refund(&self, id: String) -> Call<'_, ProviderRefund> {
        Box::pin(async move {
            let request = RetrieveRefund::new(requests::id(id)?);
            let call = request.customize().send(&self.client);
            convert::refund(self.call(Lane::Rest, call).await?)
        })
    }

    fn refunds(
        &self,
        intent: Option<String>,
        since: Option<DateTime<Utc>>,
        cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderRefund>> {
        Box::pin(async move {
            let request = requests::refunds(intent, since, cursor);
            let call = request.customize().send(&self.client);
            convert::refunds(self.call(Lane::Rest, call).await?)
        })
    }

    fn charges(
        &self,
        since: Option<DateTime<Utc>>,
        cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderCharge>> {
        Box::pin(async move {
            let request = requests::charges(since, cursor);
            let call = request.customize().send(&self.client);
            convert::charges(self.call(Lane::Rest, call).await?)
        })
    }

    fn dispute(&self, id: String) -> Call<'_, ProviderDispute> {
        Box::pin(async move {
            // The charge carries our ids: a dispute may be heard of before its payment.
            let request = RetrieveDispute::new(requests::id(id)?).expand(vec!["charge".to_owned()]);
            let call = request.customize().send(&self.client);
            convert::dispute(self.call(Lane::Rest, call).await?)
        })
    }

    fn disputes(
        &self,
        intent: Option<String>,
        since: Option<DateTime<Utc>>,
        cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderDispute>> {
        Box::pin(async move {
            let request = requests::disputes(intent, since, cursor);
            let call = request.customize().send(&self.client);
            convert::disputes(self.call(Lane::Rest, call).await?)
        })
    }

    fn answer_dispute(&self, evidence: NewEvidence, key: String) -> Call<'_, ProviderDispute> {
        Box::pin(async move {
            let strategy = requests::once_with(&key)?;
            let mut request = requests::evidence(&evidence)?.build();
            request.body = request.body.map(|body| requests::in_order(&body));
            let call = request
                .customize::<Dispute>()
                .request_strategy(strategy)
                .send(&self.client);
            convert::dispute(self.call(Lane::Rest, call).await?)
        })
    }

    fn balance(&self) -> Call<'_, Vec<Balance>> {
        Box::pin(async move {
            let request = RetrieveForMyAccountBalance::new();
            let call = request.customize().send(&self.client);
            Ok(convert::balance(self.call(Lane::Rest, call).await?))
        })
    }
}
