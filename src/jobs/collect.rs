//! Saved cards: charged, looked for, let go; and the collecting of a batch (domain sections 2 and 4).

use chrono::Duration;

use super::{Next, Trouble, unreadable};
use crate::domain::ids::{BatchId, CampaignId, OrderId};
use crate::domain::payment::{AttemptState, PaymentKind};
use crate::store::dues::CardRow;
use crate::store::jobs::JobRow;
use crate::store::orders::{OrderRow, PaymentRow};
use crate::workflows::desk::Problem;
use crate::workflows::office::Office;
use crate::workflows::ports::{CallError, IntentStatus, ProviderIntent};
use crate::workflows::{cards, collect};

/// Cancels the intents that refusals left behind, before another attempt of the same order begins. One that cannot be
/// cancelled because it succeeded is heard, and with it nothing more is charged.
pub(super) async fn cancel_left_behind(
    office: &Office,
    order: OrderId,
    left: Vec<(i32, String)>,
) -> Result<Next, Trouble> {
    for (attempt, intent) in left {
        // To cancel twice is harmless, and a refusal would be answered again under the same key for a day.
        let key = format!(
            "muster-cancel-{order}-{attempt}-{}",
            office.now().timestamp()
        );
        match office.provider().cancel_intent(intent.clone(), key).await {
            Ok(_) => {
                office
                    .write(move |_, tx| collect::intent_cancelled(tx, order, attempt))
                    .await?;
            }
            Err(CallError::Refused { .. } | CallError::Broken(_)) => {
                let said = office.provider().intent(intent).await?;
                let over = matches!(
                    said.status,
                    IntentStatus::Succeeded | IntentStatus::Cancelled
                );
                if !over {
                    return Err(Trouble {
                        what: format!("intent {} could not be cancelled", said.id),
                        again_in: Some(Duration::seconds(30)),
                    });
                }
                office
                    .write(move |desk, tx| collect::heard(desk, tx, order, attempt, &said))
                    .await?;
            }
            Err(e) => return Err(e.into()),
        }
    }
    Ok(Next::At(office.now()))
}

/// Charges the saved card.
pub(super) async fn charge(
    office: &Office,
    job: Option<&JobRow>,
    (order, page, card): (OrderRow, PaymentRow, CardRow),
) -> Result<Next, Trouble> {
    let request = collect::charge_request(&order, &page, &card)?;
    let key = page.idempotency_key.clone();
    match office.provider().create_charge(request, key).await {
        Ok(said) => heard(office, job, &page, said).await,
        Err(CallError::Broken(why)) => {
            log::warn!("a charge of order {}: {why}", order.id);
            find(office, job, (page, card)).await
        }
        Err(CallError::Refused { code, .. }) if code == "idempotency_error" => {
            find(office, job, (page, card)).await
        }
        Err(CallError::Refused { code, message, .. }) => {
            log::error!(
                "the provider does not charge order {}: {code} {message}",
                order.id
            );
            let (id, attempt) = (page.order_id, page.attempt);
            office
                .write(move |desk, tx| {
                    collect::refused_for_good(desk, tx, id, attempt, &code, &message)
                })
                .await?;
            Ok(Next::Done)
        }
        Err(e @ (CallError::Unknown(_) | CallError::Later(_))) => Err(e.into()),
    }
}

/// Applies what the provider says of a charge and ends this piece of work, in one commit.
async fn heard(
    office: &Office,
    job: Option<&JobRow>,
    page: &PaymentRow,
    said: ProviderIntent,
) -> Result<Next, Trouble> {
    let (job, id, attempt) = (job.cloned(), page.order_id, page.attempt);
    office
        .write(move |desk, tx| -> Result<(), Problem> {
            let state = collect::heard(desk, tx, id, attempt, &said)?;
            let again = matches!(
                state,
                // A state that is not known: staff see it.
                AttemptState::Processing | AttemptState::Planned | AttemptState::Open
            );
            let next = again.then(|| tx.now + Duration::hours(1));
            super::end_within(tx, job.as_ref(), next)
        })
        .await?;
    Ok(Next::Kept)
}

/// Looks for a charge in the provider's lists of its customer: found, it is recorded; absent twice, a minute apart, a new
/// attempt begins.
pub(super) async fn find(
    office: &Office,
    job: Option<&JobRow>,
    (page, card): (PaymentRow, CardRow),
) -> Result<Next, Trouble> {
    let (id, attempt) = (page.order_id, page.attempt);
    let mut cursor = None;
    loop {
        let listed = office
            .provider()
            .intents(card.customer_id.clone(), cursor)
            .await?;
        let ours = |said: &ProviderIntent| {
            said.tag.as_ref().is_some_and(|tag| {
                tag.order == id
                    && tag.attempt == attempt
                    && tag.payment_kind() == Some(PaymentKind::Charge)
            })
        };
        if let Some(said) = listed.data.into_iter().find(ours) {
            return heard(office, job, &page, said).await;
        }
        match listed.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let found = office
        .write(move |_, tx| collect::absent(tx, id, attempt))
        .await?;
    Ok(match found {
        collect::Find::Again => Next::At(office.now() + Duration::seconds(61)),
        collect::Find::Anew => Next::Done,
    })
}

/// Asks where a charge's intent stands.
pub(super) async fn intent(
    office: &Office,
    id: OrderId,
    attempt: i32,
    intent: String,
) -> Result<Next, Trouble> {
    let said = office.provider().intent(intent).await?;
    let state = office
        .write(move |desk, tx| collect::heard(desk, tx, id, attempt, &said))
        .await?;
    Ok(match state {
        AttemptState::Processing | AttemptState::Planned | AttemptState::Open => {
            Next::At(office.now() + Duration::hours(1))
        }
        _ => Next::Done,
    })
}

/// Does what the collecting of one order asks for.
pub(super) async fn due(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: OrderId = subject.parse().map_err(|_| unreadable(subject))?;
    let next = office
        .write(move |desk, tx| collect::follow(desk, tx, id))
        .await?;
    Ok(next.map_or(Next::Done, Next::At))
}

/// Looks whether the collecting of a batch is over.
pub(super) async fn batch(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: BatchId = subject.parse().map_err(|_| unreadable(subject))?;
    let looked = office
        .write(move |desk, tx| collect::look(desk, tx, id))
        .await?;
    Ok(match looked {
        collect::Looked::Done => Next::Done,
        collect::Looked::At(at) => Next::At(at),
    })
}

/// Tells the shoppers of a batch that too little was collected, or that this was made up.
pub(super) async fn tell_shortfall(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let (id, told) = collect::Shortfall::of_subject(subject).ok_or_else(|| unreadable(subject))?;
    // Each letter is written once, so starting from the first again after a crash does no harm.
    let mut after = None;
    loop {
        after = office
            .write(move |desk, tx| collect::tell_shortfall(desk, tx, id, told, after))
            .await?;
        if after.is_none() {
            return Ok(Next::Done);
        }
    }
}

/// Asks for a batch's balances.
pub(super) async fn balances(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: BatchId = subject.parse().map_err(|_| unreadable(subject))?;
    loop {
        let asked = office
            .write(move |desk, tx| collect::ask_balances(desk, tx, id))
            .await?;
        match asked {
            collect::Balances::None => return Ok(Next::Done),
            collect::Balances::At(at) => return Ok(Next::At(at)),
            collect::Balances::More => {}
        }
    }
}

/// Takes a card from its customer at the provider.
pub(super) async fn detach(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let method = subject.to_owned();
    let wanted = office
        .write(move |_, tx| cards::is_unwanted(tx, &method))
        .await?;
    if !wanted {
        return Ok(Next::Done);
    }
    let key = format!("muster-detach-{subject}");
    office
        .provider()
        .detach_card(subject.to_owned(), key)
        .await?;
    let method = subject.to_owned();
    office
        .write(move |_, tx| cards::detached(tx, &method))
        .await?;
    Ok(Next::Done)
}

/// Tells holders of cards that end before they are charged.
pub(super) async fn ending(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: CampaignId = subject.parse().map_err(|_| unreadable(subject))?;
    let next = office
        .write(move |desk, tx| collect::tell_ending(desk, tx, id))
        .await?;
    Ok(next.map_or(Next::Done, Next::At))
}
