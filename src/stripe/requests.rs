//! Our words as the provider's parameters. The same row always gives the same bytes: a repeated call must have the same
//! parameters under its key (domain section 4).

use std::collections::HashMap;

use ::stripe::{IdempotencyKey, RequestStrategy};
use chrono::{DateTime, Utc};
use serde_json::json;
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionCustomerCreation, CreateCheckoutSessionLineItems,
    CreateCheckoutSessionLineItemsPriceData, CreateCheckoutSessionPaymentIntentData,
    CreateCheckoutSessionPaymentIntentDataSetupFutureUsage,
    CreateCheckoutSessionPaymentMethodTypes, CreateCheckoutSessionSetupIntentData, ProductData,
};
use stripe_client_core::{RequestBuilder, StripeMethod};
use stripe_core::charge::ListCharge;
use stripe_core::dispute::{ListDispute, UpdateDispute, UpdateDisputeEvidence};
use stripe_core::payment_intent::{
    CreatePaymentIntent, CreatePaymentIntentOffSession, ListPaymentIntent,
};
use stripe_core::refund::{CreateRefund, ListRefund};
use stripe_shared::CheckoutSessionMode;
use stripe_types::RangeQueryTs;
use url::Url;

use super::convert::{CHANGE_BY, CHANGE_COUNTRY, lines_key};
use crate::domain::currency::Currency;
use crate::workflows::ports::{
    CallError, EvidenceField, NewCharge, NewEvidence, NewPage, NewRefund, PageLine, PageMode, Tag,
};

/// How many objects one page of a list has: the most that the provider gives.
const PAGE: i64 = 100;

/// How many characters a value among an object's metadata has at most.
const LONGEST_VALUE: usize = 500;

/// The address of a server that stands in for the provider, with a slash at the end: the client appends `v1/...`.
pub(super) fn base(address: &str) -> Result<String, String> {
    let wrong = || {
        format!(
            "the provider's address {address:?} is none: write it like http://127.0.0.1:8080/sandbox/stripe/"
        )
    };
    let mut url = Url::parse(address).map_err(|_| wrong())?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none();
    if !plain {
        return Err(wrong());
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url.into())
}

/// One attempt under our key. A key that can't be sent is refused here: nothing happened.
pub(super) fn once_with(key: &str) -> Result<RequestStrategy, CallError> {
    let fits = key.bytes().all(|byte| byte.is_ascii_graphic());
    IdempotencyKey::new(key)
        .ok()
        .filter(|_| fits)
        .map(RequestStrategy::Idempotent)
        .ok_or_else(|| refused("parameter_invalid", "idempotency_key", "an unusable key"))
}

/// An id as it stands in a path; what can be no id is not asked for.
pub(super) fn id(id: String) -> Result<String, CallError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if id.is_empty() || !id.bytes().all(fits) {
        return Err(refused("resource_missing", "id", "no id of the provider's"));
    }
    Ok(id)
}

/// The parameters of a payment page: cards only, our ids on the session and on its intent.
pub(super) fn page(page: &NewPage) -> Result<CreateCheckoutSession, CallError> {
    let session = CreateCheckoutSession::new()
        .payment_method_types(vec![CreateCheckoutSessionPaymentMethodTypes::Card])
        .expires_at(page.expires_at.timestamp())
        .client_reference_id(page.tag.order.to_string())
        .customer_email(page.email.as_str())
        .metadata(metadata(&page.tag))
        .success_url(page.success_url.as_str())
        .cancel_url(page.cancel_url.as_str());
    // A card is saved for a customer, and a guest is none.
    let customer = CreateCheckoutSessionCustomerCreation::Always;
    match page.mode {
        PageMode::Pay => paying(session, page, None),
        PageMode::PayAndSave => {
            let later = CreateCheckoutSessionPaymentIntentDataSetupFutureUsage::OffSession;
            paying(session.customer_creation(customer), page, Some(later))
        }
        PageMode::Save => saving(session.customer_creation(customer), page),
    }
}

fn paying(
    session: CreateCheckoutSession,
    page: &NewPage,
    usage: Option<CreateCheckoutSessionPaymentIntentDataSetupFutureUsage>,
) -> Result<CreateCheckoutSession, CallError> {
    let lines = page
        .lines
        .iter()
        .map(|line| page_line(page.currency, line))
        .collect::<Result<Vec<_>, _>>()?;
    let mut intent = CreateCheckoutSessionPaymentIntentData::new();
    intent.metadata = Some(metadata(&page.tag));
    intent.setup_future_usage = usage;
    Ok(session
        .mode(CheckoutSessionMode::Payment)
        .line_items(lines)
        .payment_intent_data(intent))
}

fn saving(
    session: CreateCheckoutSession,
    page: &NewPage,
) -> Result<CreateCheckoutSession, CallError> {
    if !page.lines.is_empty() {
        let message = "a page that only saves a card charges nothing";
        return Err(refused("parameter_invalid", "line_items", message));
    }
    let mut intent = CreateCheckoutSessionSetupIntentData::new();
    intent.metadata = Some(metadata(&page.tag));
    Ok(session
        .mode(CheckoutSessionMode::Setup)
        .currency(theirs(page.currency))
        .setup_intent_data(intent))
}

/// What a page is asked for with, so that it comes with the card that it saved.
pub(super) fn cards() -> Vec<String> {
    [
        "setup_intent.payment_method",
        "payment_intent.payment_method",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn page_line(
    currency: Currency,
    line: &PageLine,
) -> Result<CreateCheckoutSessionLineItems, CallError> {
    let mut price = CreateCheckoutSessionLineItemsPriceData::new(theirs(currency));
    price.unit_amount = Some(amount(currency, line.unit_amount)?);
    price.product_data = Some(ProductData::new(line.name.as_str()));
    let quantity = u64::try_from(line.quantity).map_err(|_| {
        refused(
            "parameter_invalid_integer",
            "quantity",
            "a negative quantity",
        )
    })?;
    let mut item = CreateCheckoutSessionLineItems::new();
    item.price_data = Some(price);
    item.quantity = Some(quantity);
    Ok(item)
}

/// The parameters of a charge of a saved card: made, and charged at once, without its holder.
pub(super) fn charge(charge: &NewCharge) -> Result<CreatePaymentIntent, CallError> {
    let amount = amount(charge.currency, charge.amount)?;
    // The provider's pages show metadata too, and its values have a limit.
    let about = charge.description.chars().take(LONGEST_VALUE).collect();
    let mut metadata = metadata(&charge.tag);
    metadata.insert("about".to_owned(), about);
    Ok(CreatePaymentIntent::new(amount, theirs(charge.currency))
        .customer(charge.customer.as_str())
        .payment_method(charge.method.as_str())
        .payment_method_types(vec!["card".to_owned()])
        .confirm(true)
        .off_session(CreatePaymentIntentOffSession::Bool(true))
        .metadata(metadata))
}

/// One page of a customer's payment intents, newest first.
pub(super) fn intents(customer: String, cursor: Option<String>) -> ListPaymentIntent {
    let list = ListPaymentIntent::new().limit(PAGE).customer(customer);
    match cursor {
        Some(cursor) => list.starting_after(cursor),
        None => list,
    }
}

/// Asks for a saved card. This and the next stand in a crate of the client's that is large, and used for nothing else.
pub(super) fn method(id: &str) -> RequestBuilder {
    RequestBuilder::new(StripeMethod::Get, format!("/payment_methods/{id}"))
}

/// Takes a saved card from its customer.
pub(super) fn detach(id: &str) -> RequestBuilder {
    RequestBuilder::new(StripeMethod::Post, format!("/payment_methods/{id}/detach"))
}

/// The parameters of a refund of one payment intent's money.
pub(super) fn refund(refund: &NewRefund) -> Result<CreateRefund, CallError> {
    Ok(CreateRefund::new()
        .payment_intent(refund.intent.as_str())
        .amount(amount(refund.currency, refund.amount)?)
        .metadata(metadata(&refund.tag)))
}

/// One page of the refunds, newest first.
pub(super) fn refunds(
    intent: Option<String>,
    since: Option<DateTime<Utc>>,
    cursor: Option<String>,
) -> ListRefund {
    let mut list = ListRefund::new().limit(PAGE);
    if let Some(intent) = intent {
        list = list.payment_intent(intent);
    }
    if let Some(since) = since {
        list = list.created(RangeQueryTs::gte(since.timestamp()));
    }
    if let Some(cursor) = cursor {
        list = list.starting_after(cursor);
    }
    list
}

/// One page of the charges, newest first.
pub(super) fn charges(since: Option<DateTime<Utc>>, cursor: Option<String>) -> ListCharge {
    let mut list = ListCharge::new().limit(PAGE);
    if let Some(since) = since {
        list = list.created(RangeQueryTs::gte(since.timestamp()));
    }
    if let Some(cursor) = cursor {
        list = list.starting_after(cursor);
    }
    list
}

/// One page of the disputes, newest first, with the charges they concern.
pub(super) fn disputes(
    intent: Option<String>,
    since: Option<DateTime<Utc>>,
    cursor: Option<String>,
) -> ListDispute {
    let mut list = ListDispute::new()
        .limit(PAGE)
        .expand(vec!["data.charge".to_owned()]);
    if let Some(intent) = intent {
        list = list.payment_intent(intent);
    }
    if let Some(since) = since {
        list = list.created(RangeQueryTs::gte(since.timestamp()));
    }
    if let Some(cursor) = cursor {
        list = list.starting_after(cursor);
    }
    list
}

/// The parameters of an answer to a dispute.
pub(super) fn evidence(answer: &NewEvidence) -> Result<UpdateDispute, CallError> {
    use EvidenceField as F;
    let mut words = UpdateDisputeEvidence::new();
    for (field, text) in &answer.fields {
        let place = match field {
            F::ProductDescription => &mut words.product_description,
            F::CustomerName => &mut words.customer_name,
            F::CustomerEmail => &mut words.customer_email_address,
            F::PurchaseIp => &mut words.customer_purchase_ip,
            F::ShippingAddress => &mut words.shipping_address,
            F::ShippingCarrier => &mut words.shipping_carrier,
            F::ShippingDate => &mut words.shipping_date,
            F::TrackingNumber => &mut words.shipping_tracking_number,
            F::RefundPolicy => &mut words.refund_policy_disclosure,
            F::CancellationPolicy => &mut words.cancellation_policy_disclosure,
            F::Everything => &mut words.uncategorized_text,
        };
        *place = Some(text.clone());
    }
    Ok(UpdateDispute::new(id(answer.dispute.clone())?)
        .evidence(words)
        .submit(answer.submits)
        .expand(vec!["charge".to_owned()]))
}

/// A form with its parameters in the order of their names. The client keeps metadata in hash maps, whose order differs
/// from call to call; a repeat should differ in no byte.
pub(super) fn in_order(form: &str) -> String {
    let mut pairs: Vec<&str> = form.split('&').collect();
    pairs.sort_unstable();
    pairs.join("&")
}

/// Our ids as metadata: what the provider's lists are read by.
fn metadata(tag: &Tag) -> HashMap<String, String> {
    let mut words = HashMap::from([
        ("order".to_owned(), tag.order.to_string()),
        ("purpose".to_owned(), tag.purpose.clone()),
        ("attempt".to_owned(), tag.attempt.to_string()),
    ]);
    if let Some(note) = &tag.change {
        words.insert("change".to_owned(), note.change.to_string());
        let lines: Vec<char> = json!(note.lines).to_string().chars().collect();
        let parts = lines.chunks(LONGEST_VALUE).enumerate();
        words.extend(parts.map(|(at, part)| (lines_key(at + 1), part.iter().collect())));
        if note.by_staff {
            words.insert(CHANGE_BY.to_owned(), "staff".to_owned());
        }
        if let Some(country) = note.country {
            words.insert(CHANGE_COUNTRY.to_owned(), country.code().to_owned());
        }
    }
    words
}

fn theirs(currency: Currency) -> stripe_types::Currency {
    match currency.code().parse() {
        Ok(theirs) => theirs,
        Err(never) => match never {},
    }
}

/// An amount in the provider's units; one that it can't charge is refused here: nothing happened.
fn amount(currency: Currency, minor: i64) -> Result<i64, CallError> {
    currency.to_provider(minor).ok_or_else(|| {
        let message = format!("{minor} can't be charged in {}", currency.iso());
        refused("parameter_invalid_integer", "amount", &message)
    })
}

fn refused(code: &str, param: &str, message: &str) -> CallError {
    CallError::Refused {
        code: code.to_owned(),
        param: param.to_owned(),
        message: message.to_owned(),
    }
}
