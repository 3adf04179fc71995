//! How typed ids and state words lie in columns, on both databases.
//!
//! The domain knows no database, so what diesel's derives would write beside each type is written here.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, Queryable};
use diesel::expression::AsExpression;
use diesel::internal::derives::as_expression::Bound;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{Binary, Nullable, SingleValue, Text};

/// A type becomes a bound value and a column of `$sql`.
macro_rules! column {
    ($type:ty, $sql:ty) => {
        impl AsExpression<$sql> for $type {
            type Expression = Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }

        impl AsExpression<Nullable<$sql>> for $type {
            type Expression = Bound<Nullable<$sql>, Self>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }

        impl<'expr> AsExpression<$sql> for &'expr $type {
            type Expression = Bound<$sql, &'expr $type>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }

        impl<'expr> AsExpression<Nullable<$sql>> for &'expr $type {
            type Expression = Bound<Nullable<$sql>, &'expr $type>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }

        impl<DB: Backend> ToSql<Nullable<$sql>, DB> for $type
        where
            Self: ToSql<$sql, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                <Self as ToSql<$sql, DB>>::to_sql(self, out)
            }
        }

        impl<DB: Backend, ST: SingleValue> Queryable<ST, DB> for $type
        where
            Self: FromSql<ST, DB>,
        {
            type Row = Self;
            fn build(row: Self) -> deserialize::Result<Self> {
                Ok(row)
            }
        }
    };
}

/// Ids lie as 16 bytes.
macro_rules! id_columns {
    ($($id:ident),+ $(,)?) => {$(
        const _: () = {
            use crate::domain::ids::$id;

            column!($id, Binary);

            impl<DB: Backend> ToSql<Binary, DB> for $id
            where
                [u8]: ToSql<Binary, DB>,
            {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                    <[u8] as ToSql<Binary, DB>>::to_sql(self.0.as_bytes().as_slice(), out)
                }
            }

            impl<DB: Backend> FromSql<Binary, DB> for $id
            where
                Vec<u8>: FromSql<Binary, DB>,
            {
                fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
                    let bytes = <Vec<u8> as FromSql<Binary, DB>>::from_sql(bytes)?;
                    Ok($id(uuid::Uuid::from_slice(&bytes)?))
                }
            }
        };
    )+};
}

/// State words lie as their text; a word that is not of the enum is an error when it is read.
macro_rules! word_columns {
    ($($word:path),+ $(,)?) => {$(
        const _: () = {
            use $word as Word;

            column!(Word, Text);

            impl<DB: Backend> ToSql<Text, DB> for Word
            where
                str: ToSql<Text, DB>,
            {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                    <str as ToSql<Text, DB>>::to_sql(self.as_str(), out)
                }
            }

            impl<DB: Backend> FromSql<Text, DB> for Word
            where
                String: FromSql<Text, DB>,
            {
                fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
                    let text = <String as FromSql<Text, DB>>::from_sql(bytes)?;
                    Ok(text.parse::<Word>()?)
                }
            }
        };
    )+};
}

id_columns!(
    MerchantId,
    StaffId,
    SupplierId,
    CampaignId,
    OptionId,
    BatchId,
    OrderId,
    RefundId,
    PurchaseOrderId,
    PaperId,
    EntryId,
    MailId,
    PictureId,
    ApiKeyId,
    HappeningId,
    EtaId,
    NoticeId,
    ReceiptId,
    AllocationId,
    CancellationId,
    ShipmentId,
    ClaimId,
    PhotoId,
    PostId,
    LeaseId,
    CorrectionId,
    InterestId,
    IdeaId,
    VoteId,
    ChangeId,
);

word_columns!(
    crate::domain::campaign::CampaignState,
    crate::domain::claim::ClaimKind,
    crate::domain::claim::ClaimState,
    crate::domain::claim::ClaimOutcome,
    crate::domain::campaign::Failure,
    crate::domain::campaign::BatchState,
    crate::domain::order::OrderState,
    crate::domain::order::PaymentState,
    crate::domain::order::LineState,
    crate::domain::order::Delivery,
    crate::domain::waiting::WaitAnswer,
    crate::domain::paper::PaperKind,
    crate::domain::payment::AttemptState,
    crate::domain::payment::RefundState,
    crate::domain::payment::RefundAttemptState,
    crate::domain::payment::RefundPurpose,
    crate::domain::payment::DisputeState,
    crate::domain::payment::PaymentKind,
    crate::domain::due::DueKind,
    crate::domain::due::DueState,
    crate::domain::card::CardState,
    crate::domain::card::Decline,
    crate::domain::draft::PaymentMode,
    crate::domain::payment::EvidenceState,
    crate::domain::purchase_order::PurchaseOrderState,
    crate::domain::purchase_order::Blocked,
    crate::domain::purchase_order::EtaSource,
    crate::domain::purchase_order::EtaState,
    crate::domain::promise::NoticeKind,
    crate::domain::promise::NoticeState,
    crate::domain::promise::Silence,
    crate::domain::shipment::ShipmentKind,
    crate::domain::shipment::ShipmentState,
    crate::domain::shipment::DeliveredBy,
    crate::domain::staff::Role,
    crate::domain::interest::IdeaState,
    crate::domain::change::ChangeState,
);
