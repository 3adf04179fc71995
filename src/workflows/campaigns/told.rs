//! What everybody in a campaign is told.

use super::super::batches;
use super::super::desk::{AT_ONCE, Desk, Post, Problem, ends_at, merchant, offer};
use super::super::letters::{About, LessToPay, Letter, Stands};
use super::super::money::{nonzero_said, say};
use super::super::payment::frozen;
use crate::domain::campaign::CampaignState;
use crate::domain::country::Country;
use crate::domain::draft::{CampaignDraft, PaymentMode};
use crate::domain::ids::{CampaignId, OrderId};
use crate::domain::order::OrderState;
use crate::domain::price::{final_unit_price, refund_difference};
use crate::domain::tariff::QuoteLine;
use crate::store::campaigns::CampaignRow;
use crate::store::orders::OrderRow;
use crate::store::{Tx, campaigns, orders};

/// What everybody in a campaign is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// A better step was reached: its index.
    Step(usize),
    /// The deadline moved.
    Extension,
}

/// Writes to some more shoppers of a campaign, those after `after`; the last one written to, while there are more.
///
/// # Errors
/// What the database says.
pub fn tell_everybody(
    desk: &Desk,
    tx: &mut Tx,
    id: CampaignId,
    told: Told,
    after: Option<OrderId>,
) -> Result<Option<OrderId>, Problem> {
    let row = campaigns::by_id(tx.conn, id)?.ok_or(Problem::NotFound("campaign"))?;
    let draft = offer(&row)?;
    // Overtaken: a judged campaign has better news.
    if row.state != CampaignState::Open
        || (told != Told::Extension && tx.now.naive_utc() >= ends_at(&row))
    {
        return Ok(None);
    }
    // Told of the batch before, which was judged meanwhile.
    if matches!(told, Told::Step(step) if usize::try_from(row.best_step_told).unwrap_or(0) < step) {
        return Ok(None);
    }
    let batch = campaigns::batch_of(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    let merchant = merchant(tx, row.merchant_id)?;
    let title = batches::title(tx.conn, &row, batch.id)?;
    let some = orders::of_batch(tx.conn, batch.id, after, AT_ONCE)?;
    let mut letters = Vec::with_capacity(some.len());
    for order in &some {
        // Whoever is still to pay hears of the dates, not of prices: those are shown before the payment.
        let is_told = match told {
            Told::Step(_) => order.state == OrderState::Confirmed,
            Told::Extension => matches!(order.state, OrderState::Pending | OrderState::Confirmed),
        };
        if !is_told {
            continue;
        }
        let mut about = desk.about(&merchant, &row, &draft, order);
        about.campaign.clone_from(&title);
        let (once, letter) = match told {
            Told::Step(step) => {
                let Some(letter) = step_letter(&row, &draft, order, about, step)? else {
                    continue;
                };
                (format!("step:{step}"), letter)
            }
            Told::Extension => (
                "extended".to_owned(),
                Letter::Extended {
                    about,
                    deadline: draft.deadline,
                    ships_by: draft.promised_ship_date,
                    ships_by_before: frozen(order)?
                        .promised
                        .filter(|before| *before != draft.promised_ship_date),
                    stands: stands(order),
                },
            ),
        };
        letters.push(Post::to_shopper(&merchant, order, &once, letter));
    }
    desk.post_many(tx, letters)?;
    let more = i64::try_from(some.len()).unwrap_or(0) == AT_ONCE;
    Ok(some.last().filter(|_| more).map(|o| o.id))
}

/// What the deadline that moved means for an order that is in, or is still to be paid.
fn stands(order: &OrderRow) -> Stands {
    if order.state == OrderState::Pending {
        return Stands::Unpaid {
            saves: order.mode == PaymentMode::ChargeOnSuccess,
        };
    }
    nonzero_said(order.money().kept(), &order.currency).map_or(Stands::Saved, Stands::Paid)
}

/// Who joined at this step's price already has nothing to hear.
fn step_letter(
    row: &CampaignRow,
    draft: &CampaignDraft,
    order: &OrderRow,
    about: About,
    step: usize,
) -> Result<Option<Letter>, Problem> {
    // By the same computation as the refund, so that what is told is what comes.
    let agreed = frozen(order)?;
    let kept: Vec<QuoteLine> = agreed
        .lines
        .iter()
        .zip(&agreed.quote.lines)
        .map(|(line, priced)| {
            let option = draft.options.iter().find(|o| o.sku == line.sku);
            let at_step = option.map_or(priced.unit_price, |o| o.prices.price_at(step));
            QuoteLine {
                unit_price: final_unit_price(priced.unit_price, at_step),
                quantity: priced.quantity,
                weight_grams: line.grams(),
            }
        })
        .collect();
    let country = Country::parse(&order.country)
        .ok_or_else(|| Problem::Internal(format!("{} is not a country", order.country)))?;
    let back = refund_difference(order.total, &kept, country, &agreed.tariff)
        .map_err(|e| Problem::Internal(e.to_string()))?;
    if back == 0 {
        return Ok(None);
    }
    // What was not charged yet is charged less; only beyond that something goes back.
    let falls = back.min(order.owed);
    let less = (falls > 0).then(|| LessToPay {
        less: say(falls, &order.currency),
        left: nonzero_said(order.owed - falls, &order.currency),
        deposit: order.mode == PaymentMode::Deposit,
    });
    let count = draft.steps.counts().get(step).copied().unwrap_or(1);
    Ok(Some(Letter::StepReached {
        about,
        units: crate::domain::money::thousands(u64::try_from(count).unwrap_or(0)),
        back: nonzero_said(back - falls, &order.currency),
        less,
        deadline: row.deadline.and_utc(),
    }))
}
