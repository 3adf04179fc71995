//! Typed ids: UUID v7 under a kind, so that an order's id is never handed over where a campaign's is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, ordered by its time of making.
            #[allow(clippy::new_without_default)]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(s).map(Self)
            }
        }
    };
}

id!(/** A seller on this server. */ MerchantId);
id!(/** A person who works for a merchant. */ StaffId);
id!(/** Whom a merchant buys from. */ SupplierId);
id!(/** One offer. */ CampaignId);
id!(/** One thing a shopper can choose in a campaign. */ OptionId);
id!(/** All units of a campaign bought in one go. */ BatchId);
id!(/** What one shopper committed to. */ OrderId);
id!(/** One movement of money back to a shopper. */ RefundId);

impl RefundId {
    /// The id of what a change of an order gives back of one payment page.
    pub fn of_change(change: ChangeId, payment_attempt: i32) -> Self {
        Self::of_event(&format!("change:{change}"), payment_attempt)
    }

    /// The id of the refund that an event gives back of one payment page. It is the same whenever that event is dealt
    /// with, so that a refund which the provider remembers and a restored database forgot is known again.
    pub fn of_event(event: &str, payment_attempt: i32) -> Self {
        let digest = Sha256::new()
            .chain_update(b"muster refund ")
            .chain_update(event.as_bytes())
            .chain_update(payment_attempt.to_be_bytes())
            .finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

id!(/** A numbered, versioned document to one supplier. */ PurchaseOrderId);
id!(/** A receipt or a credit note. */ PaperId);
id!(/** One entry of the journal: postings that balance. */ EntryId);
id!(/** A mail to one address. */ MailId);
id!(/** A picture of a campaign. */ PictureId);
id!(/** A key of a program that speaks for a merchant. */ ApiKeyId);
id!(/** Something that happened, for timelines. */ HappeningId);
id!(/** A date that was set for a batch. */ EtaId);
id!(/** A notice to one shopper that a date moved. */ NoticeId);
id!(/** A counted arrival. */ ReceiptId);
id!(/** Units given to a line. */ AllocationId);
id!(/** Units that left an order. */ CancellationId);
id!(/** A parcel to one shopper. */ ShipmentId);
id!(/** What went wrong after the door, or a withdrawal. */ ClaimId);
id!(/** A photo that came with a claim. */ PhotoId);
id!(/** An update to everybody who joined. */ PostId);
id!(/** One worker's turn at a piece of work. */ LeaseId);
id!(/** A correction under an update. */ CorrectionId);
id!(/** What somebody would buy, and up to what price. */ InterestId);
id!(/** Something a merchant might run next. */ IdeaId);
id!(/** A vote for an idea. */ VoteId);
id!(/** What a shopper changes of an order. */ ChangeId);
