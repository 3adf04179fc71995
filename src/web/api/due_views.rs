//! How an order is paid, as the API shows it: the deposit, the saved card, and what is collected after joining.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::currency::Currency;
use crate::domain::draft::{DepositUnpaid, PaymentMode};
use crate::domain::due::DueState;
use crate::domain::money::Money;
use crate::store::orders::OrderRow;
use crate::store::{Conn, dues};
use crate::workflows::desk::Problem;
use crate::workflows::payment::frozen;

/// A deposit, as it was agreed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderDeposit {
    /// What is paid at joining.
    amount: Money,
    /// What is still to be paid when the goods arrive; nothing once it is.
    balance: Money,
    /// What becomes of the deposit where the balance is never paid.
    unpaid: DepositUnpaid,
}

/// The card that is charged.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderCard {
    brand: String,
    /// Its last four digits.
    last4: String,
    /// The last month in which it is good, such as `12/30`.
    expiry: String,
}

/// What is collected after joining.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderDue {
    amount: Money,
    state: DueState,
    /// Until when it can be paid after the card was declined; null before.
    #[schema(required)]
    until: Option<DateTime<Utc>>,
}

/// How an order is paid.
pub(super) struct Paying {
    pub(super) deposit: Option<OrderDeposit>,
    pub(super) card: Option<OrderCard>,
    pub(super) due: Option<OrderDue>,
}

/// The step that an order waits for; none where it is in in any case.
pub(super) fn limit_step(order: &OrderRow) -> Option<i32> {
    (order.limit_step > 0).then_some(order.limit_step)
}

/// How an order is paid.
pub(super) fn paying(
    conn: &mut Conn,
    order: &OrderRow,
    currency: Currency,
) -> Result<Paying, Problem> {
    if order.mode == PaymentMode::ChargeNow {
        return Ok(Paying {
            deposit: None,
            card: None,
            due: None,
        });
    }
    let deposit = frozen(order)?.deposit.map(|deposit| OrderDeposit {
        amount: Money::new(deposit.amount, currency),
        balance: Money::new(order.owed, currency),
        unpaid: if deposit.forfeited {
            DepositUnpaid::Kept
        } else {
            DepositUnpaid::Returned
        },
    });
    let card = dues::card_of(conn, order.id)?.map(|card| OrderCard {
        expiry: card.expiry().map_or_else(String::new, |e| e.to_string()),
        brand: card.brand,
        last4: card.last4,
    });
    let due = dues::of_order(conn, order.id)?.map(|due| OrderDue {
        amount: Money::new(due.amount, currency),
        state: due.state,
        until: due.ends_at.map(|at| at.and_utc()),
    });
    Ok(Paying { deposit, card, due })
}
