//! The domain's words and money in the API's description. The domain itself knows nothing of descriptions.

use std::borrow::Cow;

use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{KnownFormat, RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::campaign::{BatchState, CampaignState};
use crate::domain::claim::{ClaimKind, ClaimOutcome, ClaimState};
use crate::domain::currency::Currency;
use crate::domain::draft::{DepositUnpaid, PaymentMode, Trigger};
use crate::domain::due::DueState;
use crate::domain::interest::IdeaState;
use crate::domain::money::Money;
use crate::domain::order::{Delivery, LineState, OrderState, PaymentState};
use crate::domain::payment::{DisputeState, EvidenceState};
use crate::domain::promise::{Answer, NoticeKind, Silence};
use crate::domain::purchase_order::{Blocked, EtaSource, EtaState, PurchaseOrderState};
use crate::domain::shipment::{DeliveredBy, ShipmentState};

macro_rules! words {
    ($($word:ident: $says:literal),+ $(,)?) => {$(
        impl PartialSchema for $word {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($says))
                    .enum_values(Some($word::ALL.iter().map(|word| word.as_str())))
                    .into()
            }
        }

        impl ToSchema for $word {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($word))
            }
        }
    )+};
}

words! {
    CampaignState: "Where a campaign stands.",
    IdeaState: "Where an idea stands.",
    BatchState: "Where a batch stands.",
    OrderState: "Where an order stands.",
    PaymentState: "Where an order's money stands.",
    ClaimKind: "What is the matter.",
    ClaimState: "Where a claim stands.",
    ClaimOutcome: "How a claim ended.",
    LineState: "Where an order line stands.",
    Delivery: "How the shopper wants the parcels.",
    PaymentMode: "When shoppers pay.",
    DepositUnpaid: "What becomes of a deposit whose balance is never paid.",
    DisputeState: "Where a dispute stands.",
    EvidenceState: "Where an answer to a dispute stands.",
    DueState: "Where the collecting of an order stands.",
    Trigger: "When the batch is judged.",
    PurchaseOrderState: "Where a purchase order stands.",
    ShipmentState: "Where a parcel stands.",
    DeliveredBy: "Who says that a parcel arrived.",
    Blocked: "What keeps a purchase order from being sent.",
    NoticeKind: "What a notice of a date is: a first offer to wait or cancel, a further one, or only told.",
    Silence: "What saying nothing does.",
    Answer: "What a shopper answered.",
    EtaSource: "Who a date comes from.",
    EtaState: "Whether shoppers were told of a date.",
}

impl PartialSchema for Currency {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("ISO 4217 code in lower case."))
            .pattern(Some("^[a-z]{3}$"))
            .into()
    }
}

impl ToSchema for Currency {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Currency")
    }
}

impl PartialSchema for Money {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .description(Some("An amount in whole minor units of its currency."))
            .property(
                "amount",
                ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64))),
            )
            .required("amount")
            .property("currency", Currency::schema())
            .required("currency")
            .additional_properties(Some(
                utoipa::openapi::schema::AdditionalProperties::<Schema>::FreeForm(false),
            ))
            .into()
    }
}

impl ToSchema for Money {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Money")
    }
}
