//! Saved cards and the intents that charge them, in our words (domain section 4).

use ::stripe::{ApiErrors, StripeError};
use stripe_shared::{
    CheckoutSession, CheckoutSessionMode, Customer, PaymentIntent, PaymentIntentStatus,
    PaymentMethod, SetupIntent, SetupIntentStatus,
};
use stripe_types::{Expandable, List};

use super::{convert, errors};
use crate::domain::card::{CardExpiry, Decline};
use crate::workflows::ports::{
    CallError, CardOnFile, Declined, IntentStatus, Listed, ProviderIntent,
};

/// The status of an answer that says: your parameters are right, and the bank said no.
const REQUEST_FAILED: u16 = 402;

/// Whether a page that only saves a card saved it. The session must come with its intent.
pub(super) fn is_set_up(session: &CheckoutSession) -> bool {
    set_up(session).is_some()
}

fn set_up(session: &CheckoutSession) -> Option<&SetupIntent> {
    let intent = session.setup_intent.as_ref()?.as_object()?;
    (intent.status == SetupIntentStatus::Succeeded).then_some(intent)
}

/// The card that a page saved, where the session comes with its intent and the intent with its card.
pub(super) fn on_file(session: &CheckoutSession) -> Option<CardOnFile> {
    let (customer, method) = match session.mode {
        CheckoutSessionMode::Setup => {
            let intent = set_up(session)?;
            (&intent.customer, &intent.payment_method)
        }
        CheckoutSessionMode::Payment => {
            let intent = session.payment_intent.as_ref()?.as_object()?;
            let is_paid = intent.status == PaymentIntentStatus::Succeeded;
            (is_paid && intent.setup_future_usage.is_some()).then_some(())?;
            (&intent.customer, &intent.payment_method)
        }
        _ => return None,
    };
    card(customer.as_ref().or(session.customer.as_ref())?, method)
}

fn card(
    customer: &Expandable<Customer>,
    method: &Option<Expandable<PaymentMethod>>,
) -> Option<CardOnFile> {
    let method = method.as_ref()?.as_object()?;
    let card = method.card.as_ref()?;
    let year = i32::try_from(card.exp_year).ok()?;
    let month = u32::try_from(card.exp_month).ok()?;
    Some(CardOnFile {
        customer: customer.id().as_str().to_owned(),
        method: method.id.as_str().to_owned(),
        brand: card.brand.clone(),
        last4: card.last4.clone(),
        expiry: CardExpiry::new(year, month)?,
    })
}

/// A payment intent.
///
/// # Errors
/// Unknown, when its amount can't be held in our units: an answer that can't be read.
pub(super) fn intent(intent: PaymentIntent) -> Result<ProviderIntent, CallError> {
    let status = status(&intent);
    let theirs = match status {
        IntentStatus::Succeeded => intent.amount_received,
        _ => intent.amount,
    };
    let (currency, amount) = convert::currency(&intent.currency)
        .and_then(|ours| Some((ours, ours.from_provider(theirs)?)))
        .ok_or_else(|| convert::odd(intent.id.as_str(), theirs, &intent.currency))?;
    Ok(ProviderIntent {
        status,
        amount,
        currency,
        tag: convert::tag(&intent.metadata),
        id: intent.id.as_str().to_owned(),
    })
}

/// Never guessed. `requires_capture` never comes: nothing of ours asks for a capture of its own.
fn status(intent: &PaymentIntent) -> IntentStatus {
    match intent.status {
        PaymentIntentStatus::Succeeded => IntentStatus::Succeeded,
        PaymentIntentStatus::Processing => IntentStatus::Processing,
        PaymentIntentStatus::Canceled => IntentStatus::Cancelled,
        PaymentIntentStatus::RequiresAction
        | PaymentIntentStatus::RequiresConfirmation
        | PaymentIntentStatus::RequiresPaymentMethod => {
            let error = intent.last_payment_error.as_deref();
            IntentStatus::Wanting(error.map(declined))
        }
        _ => IntentStatus::Unknown,
    }
}

/// A page of intents.
///
/// # Errors
/// Unknown, when one of ours can't be read.
pub(super) fn intents(list: List<PaymentIntent>) -> Result<Listed<ProviderIntent>, CallError> {
    convert::listed(list, |intent| intent.id.as_str(), intent_of_list)
}

fn intent_of_list(one: PaymentIntent) -> Result<Option<ProviderIntent>, CallError> {
    let ours = convert::tag(&one.metadata).is_some();
    convert::left_alone_unless(ours, intent(one))
}

/// What a charge that was not answered well means. A bank's no is an answer: it leaves an intent behind, and says so.
///
/// # Errors
/// Every other ending, and a no that names no intent: what is left there then can't be named, and moved no money.
pub(super) fn no(error: StripeError) -> Result<ProviderIntent, CallError> {
    let StripeError::Stripe(mut answer, REQUEST_FAILED) = error else {
        return Err(errors::meaning(error));
    };
    let Some(left) = answer.payment_intent.take() else {
        return Err(errors::meaning(StripeError::Stripe(answer, REQUEST_FAILED)));
    };
    let mut left = intent(left)?;
    if let IntentStatus::Wanting(why) = &mut left.status {
        *why = Some(declined(&answer));
    }
    Ok(left)
}

fn declined(error: &ApiErrors) -> Declined {
    let code = error.code.as_ref().map_or("", |code| code.as_str());
    let bank = error.decline_code.as_deref().unwrap_or_default();
    let words: Vec<&str> = match bank {
        same if same == code => vec![code],
        bank => [code, bank].into_iter().filter(|w| !w.is_empty()).collect(),
    };
    Declined {
        decline: Decline::of(code, bank),
        code: words.join("/"),
        message: errors::sentence(error, REQUEST_FAILED),
    }
}
