//! Saved cards at the provider that lives in memory: pages save them, charges of them come to what the test says.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use muster::domain::card::{CardExpiry, Decline};
use muster::workflows::ports::{
    CallError, CardOnFile, Declined, IntentStatus, Listed, NewCharge, ProviderIntent,
};

use super::office::missing;

/// What charges come to from now on.
#[derive(Debug, Clone, Default)]
pub enum Outcome {
    /// The money comes.
    #[default]
    Pays,
    /// The charge is made, and stands there.
    Stands(IntentStatus),
    /// The charge is made and stands there, but this is what is heard of it. A key whose charge was answered with a 5xx
    /// repeats that; any other key repeats how the charge stood.
    Unheard(IntentStatus, CallError),
    /// Nothing is made, and this is said.
    Refuses(CallError),
}

impl Outcome {
    /// The bank says no, with the provider's error code and the bank's decline code.
    pub fn declines(code: &str, bank: &str) -> Self {
        Outcome::Stands(declined(code, bank))
    }
}

/// Where an intent stands after the bank's no.
pub fn declined(code: &str, bank: &str) -> IntentStatus {
    IntentStatus::Wanting(Some(Declined {
        decline: Decline::of(code, bank),
        code: format!("{code}/{bank}"),
        message: "Your card was declined.".into(),
    }))
}

/// The card that a page saves: each page one of its own, good until the end of 2040.
pub fn saved_by(page: &str) -> CardOnFile {
    CardOnFile {
        customer: format!("cus_of_{page}"),
        method: format!("pm_of_{page}"),
        brand: "visa".into(),
        last4: "4242".into(),
        expiry: CardExpiry::new(2040, 12).expect("a month"),
    }
}

/// A charge that was made.
struct Charge {
    customer: String,
    intent: ProviderIntent,
}

/// Cards and the charges of them.
#[derive(Default)]
pub struct Cards {
    charges: Mutex<Vec<Charge>>,
    answers: Mutex<HashMap<String, Result<ProviderIntent, CallError>>>,
    detached: Mutex<HashSet<String>>,
    outcome: Mutex<Outcome>,
}

impl Cards {
    /// What charges come to from now on.
    pub fn come_to(&self, outcome: Outcome) {
        *self.outcome.lock().expect("the outcome") = outcome;
    }

    /// A charge stands somewhere else from now on: what was on its way came, or did not.
    pub fn settle(&self, id: &str, status: IntentStatus) {
        let mut charges = self.charges.lock().expect("charges");
        let charge = charges.iter_mut().find(|charge| charge.intent.id == id);
        charge.expect("the charge").intent.status = status;
    }

    /// How many charges were made, whatever they came to.
    pub fn charge_count(&self) -> usize {
        self.charges.lock().expect("charges").len()
    }

    /// Whether a card was taken from its customer.
    pub fn is_detached(&self, method: &str) -> bool {
        self.detached.lock().expect("cards").contains(method)
    }

    pub(super) fn charge(
        &self,
        charge: NewCharge,
        key: String,
    ) -> Result<ProviderIntent, CallError> {
        let mut answers = self.answers.lock().expect("answers");
        if let Some(first) = answers.get(&key) {
            return first.clone();
        }
        if self.is_detached(&charge.method) {
            return Err(refused("", "this card was detached from its customer"));
        }
        let (status, heard) = match self.outcome.lock().expect("the outcome").clone() {
            Outcome::Pays => (IntentStatus::Succeeded, None),
            Outcome::Stands(status) => (status, None),
            Outcome::Unheard(status, heard) => (status, Some(heard)),
            Outcome::Refuses(why) => return Err(why),
        };
        let mut charges = self.charges.lock().expect("charges");
        let intent = ProviderIntent {
            id: format!("pi_{}_{}", charges.len() + 1, charge.method),
            status,
            amount: charge.amount,
            currency: charge.currency,
            tag: Some(charge.tag),
        };
        charges.push(Charge {
            customer: charge.customer,
            intent: intent.clone(),
        });
        let kept = match &heard {
            Some(heard @ CallError::Broken(_)) => Err(heard.clone()),
            _ => Ok(intent.clone()),
        };
        answers.insert(key, kept);
        heard.map_or(Ok(intent), Err)
    }

    pub(super) fn intent(&self, id: &str) -> Result<ProviderIntent, CallError> {
        let charges = self.charges.lock().expect("charges");
        let charge = charges.iter().find(|charge| charge.intent.id == id);
        charge.map(|c| c.intent.clone()).ok_or_else(missing)
    }

    pub(super) fn cancel(&self, id: &str) -> Result<ProviderIntent, CallError> {
        match self.intent(id)?.status {
            IntentStatus::Succeeded | IntentStatus::Cancelled => Err(refused(
                "payment_intent_unexpected_state",
                "this payment has ended",
            )),
            IntentStatus::Processing | IntentStatus::Wanting(_) | IntentStatus::Unknown => {
                self.settle(id, IntentStatus::Cancelled);
                self.intent(id)
            }
        }
    }

    pub(super) fn intents_of(&self, customer: &str) -> Listed<ProviderIntent> {
        let charges = self.charges.lock().expect("charges");
        let theirs = charges.iter().rev().filter(|c| c.customer == customer);
        Listed {
            data: theirs.map(|charge| charge.intent.clone()).collect(),
            next: None,
        }
    }

    pub(super) fn detach(&self, method: String) {
        self.detached.lock().expect("cards").insert(method);
    }
}

fn refused(code: &str, message: &str) -> CallError {
    CallError::Refused {
        code: code.into(),
        param: String::new(),
        message: message.into(),
    }
}

mod tests {
    use muster::domain::currency::Currency;
    use muster::domain::ids::OrderId;
    use muster::domain::payment::PaymentKind;
    use muster::workflows::ports::{NewPage, PageMode, PageStatus, Provider, Tag};

    use super::*;
    use crate::support::office::TestProvider;

    fn page(mode: PageMode) -> NewPage {
        NewPage {
            tag: Tag::payment(OrderId::new(), PaymentKind::Setup, 1),
            mode,
            currency: Currency::USD,
            lines: Vec::new(),
            email: "ada@shop.example".into(),
            expires_at: chrono::Utc::now(),
            success_url: "https://shop.example".into(),
            cancel_url: "https://shop.example".into(),
        }
    }

    fn charge(card: &CardOnFile) -> NewCharge {
        NewCharge {
            tag: Tag::payment(OrderId::new(), PaymentKind::Charge, 1),
            currency: Currency::USD,
            amount: 4_500,
            customer: card.customer.clone(),
            method: card.method.clone(),
            description: "Brass pen".into(),
        }
    }

    #[actix_web::test]
    async fn a_page_saves_a_card_that_is_charged_until_it_is_detached() {
        let provider = TestProvider::default();
        let made = provider.create_page(page(PageMode::Save), "p".into());
        let id = made.await.expect("a page").id;
        let page = provider.complete(&id).expect("it is open");
        assert_eq!((page.status, page.amount), (Some(PageStatus::Saved), None));
        let card = page.card.expect("a card");
        let first = provider.create_charge(charge(&card), "k1".into()).await;
        let first = first.expect("an answer");
        assert_eq!(
            (first.status.clone(), first.amount),
            (IntentStatus::Succeeded, 4_500)
        );
        let again = provider.create_charge(charge(&card), "k1".into()).await;
        assert_eq!(again.expect("the same"), first);
        assert_eq!(provider.cards.charge_count(), 1);
        let cancelled = provider.cancel_intent(first.id, "c".into()).await;
        assert!(matches!(cancelled, Err(CallError::Refused { .. })));
        let detached = provider.detach_card(card.method.clone(), "d".into());
        detached.await.expect("it is taken");
        assert!(provider.cards.is_detached(&card.method));
        let refused = provider.create_charge(charge(&card), "k2".into()).await;
        assert!(matches!(refused, Err(CallError::Refused { .. })));
    }

    #[actix_web::test]
    async fn charges_come_to_what_the_test_says() {
        let provider = TestProvider::default();
        let card = saved_by("cs_1");
        let ask = async |key: &str| provider.create_charge(charge(&card), key.into()).await;
        provider
            .cards
            .come_to(Outcome::declines("card_declined", "lost_card"));
        let no = ask("k1").await.expect("an answer");
        let IntentStatus::Wanting(Some(said)) = &no.status else {
            panic!("{no:?}");
        };
        assert_eq!(said.decline, Decline::Hard);
        let cancelled = provider.cancel_intent(no.id.clone(), "c".into()).await;
        assert_eq!(
            cancelled.expect("it was open").status,
            IntentStatus::Cancelled
        );

        let broken = CallError::Broken("500".into());
        provider
            .cards
            .come_to(Outcome::Unheard(IntentStatus::Succeeded, broken));
        assert!(matches!(ask("k2").await, Err(CallError::Broken(_))));
        provider
            .cards
            .come_to(Outcome::Refuses(CallError::Later("later".into())));
        assert!(matches!(ask("k2").await, Err(CallError::Broken(_))));
        assert!(matches!(ask("k3").await, Err(CallError::Later(_))));
        let listed = provider.intents(card.customer.clone(), None).await;
        let listed = listed.expect("a list").data;
        assert_eq!(listed.len(), 2);
        assert_eq!(listed[0].status, IntentStatus::Succeeded);
        assert_eq!(listed[1].id, no.id);

        let processing = Outcome::Stands(IntentStatus::Processing);
        provider.cards.come_to(processing);
        let waits = ask("k3").await.expect("an answer");
        provider
            .cards
            .settle(&waits.id, declined("card_declined", "generic_decline"));
        let found = provider.intent(waits.id).await.expect("it is there");
        assert!(matches!(found.status, IntentStatus::Wanting(Some(_))));
    }
}
