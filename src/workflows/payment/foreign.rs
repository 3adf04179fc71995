//! Money that came in a currency that nobody asked for.

use super::super::desk::{Concerns, Desk, Problem, happened};
use super::super::ports::Page;
use super::{Loaded, ended_unpaid};
use crate::domain::currency::Currency;
use crate::domain::money::Money;
use crate::domain::payment::AttemptState;
use crate::store::orders::PaymentRow;
use crate::store::{Tx, orders};

/// How the reason of such a page begins.
const TOOK: &str = "The payment page took";

/// Whether a page ended because it took another currency: then not nothing was charged.
pub(in crate::workflows) fn took_another_currency(page: &PaymentRow) -> bool {
    let why = page.problem.as_deref();
    why.is_some_and(|why| why.starts_with(TOOK))
}

/// The page took money in another currency than its order's, as no page of ours does: it pays for nothing, and staff are
/// told to give it back at the provider.
///
/// # Errors
/// What the database says.
pub(super) fn in_another_currency(
    desk: &Desk,
    tx: &mut Tx,
    mut loaded: Loaded,
    said: &Page,
    theirs: Currency,
) -> Result<AttemptState, Problem> {
    let came = said.amount.map_or_else(String::new, |amount| {
        format!(" {}", Money::new(amount, theirs).format())
    });
    let why = format!(
        "{TOOK}{came} in {}, and the order is in {}: it pays for nothing. Refund it at the provider.",
        theirs.code().to_uppercase(),
        loaded.order.currency.to_uppercase()
    );
    if loaded.page.problem.as_deref() == Some(&why) {
        return Ok(loaded.page.state);
    }
    let concerns = Concerns::order(&loaded.order);
    happened(tx, concerns, "system", "other_currency", why.clone())?;
    let subject = "A payment came in another currency";
    let once = format!("other_currency:{}", said.id);
    let path = format!("/admin/orders/{}", loaded.order.id);
    desk.tell_staff(tx, concerns, &once, subject, vec![why.clone()], &path)?;
    // It is nobody's payment here: giving it back by hand there is right.
    loaded.page.intent_id = None;
    if !loaded.page.state.is_open() {
        loaded.page.problem = Some(why);
        orders::save_payment(tx.conn, &loaded.page)?;
        return Ok(loaded.page.state);
    }
    ended_unpaid(desk, tx, loaded, AttemptState::Refused, Some(&why))?;
    Ok(AttemptState::Refused)
}
