//! One refund, and one dispute, until the provider has said how it ended (domain section 4).

use chrono::Duration;

use super::{Next, Trouble, unreadable};
use crate::domain::ids::RefundId;
use crate::store::jobs;
use crate::workflows::desk::{Problem, enqueue, payment_subject};
use crate::workflows::dispute::Heard;
use crate::workflows::office::Office;
use crate::workflows::ports::{CallError, ProviderRefund, Tag};
use crate::workflows::refund::{self, Step};
use crate::workflows::{dispute as disputes, evidence, ports};

/// Does the next thing for a refund.
pub(super) async fn drive(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: RefundId = subject.parse().map_err(|_| unreadable(subject))?;
    let step = office.write(move |_, tx| refund::next(tx, id)).await?;
    match step {
        Step::Nothing => Ok(Next::Done),
        Step::Call(call) => {
            let (new, key) = *call;
            let (tag, intent) = (new.tag.clone(), new.intent.clone());
            match office.provider().create_refund(new, key).await {
                Ok(said) => heard(office, id, tag.attempt, said).await,
                Err(CallError::Broken(why)) => {
                    office
                        .write(move |_, tx| refund::broke(tx, id, &why))
                        .await?;
                    Ok(Next::At(office.now()))
                }
                Err(CallError::Refused { code, message, .. }) => {
                    let disputed = code == "charge_disputed";
                    let why = format!("{code} {message}");
                    refused(office, id, intent, tag, disputed, why).await
                }
                Err(e @ (CallError::Unknown(_) | CallError::Later(_))) => Err(e.into()),
            }
        }
        Step::Look { intent, tag } => match find(office, intent, &tag).await? {
            Some(said) => heard(office, id, tag.attempt, said).await,
            None => {
                let settled = office.write(move |_, tx| refund::absent(tx, id)).await?;
                Ok(if settled {
                    Next::Done
                } else {
                    Next::At(office.now() + Duration::seconds(60))
                })
            }
        },
        Step::Ask(provider_id) => {
            let said = office.provider().refund(provider_id).await?;
            let attempt = said.tag.as_ref().map(|tag| tag.attempt);
            match attempt {
                Some(attempt) => heard(office, id, attempt, said).await,
                None => Err(Trouble {
                    what: format!("refund {} lost its metadata", said.id),
                    again_in: Some(Duration::hours(6)),
                }),
            }
        }
    }
}

/// Asks for a refund that a webhook named, also one that had succeeded: it may have come back from the bank.
pub(super) async fn named(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let said = office.provider().refund(subject.to_owned()).await?;
    let Some((tag, id)) = said
        .tag
        .clone()
        .and_then(|tag| Some((tag.clone(), tag.refund_id()?.0)))
    else {
        return Ok(Next::Done);
    };
    heard(office, id, tag.attempt, said).await?;
    Ok(Next::Done)
}

async fn heard(
    office: &Office,
    id: RefundId,
    attempt: i32,
    said: ProviderRefund,
) -> Result<Next, Trouble> {
    let pending = office
        .write(move |desk, tx| refund::heard(desk, tx, id, attempt, &said))
        .await?;
    Ok(if pending {
        // Webhooks tell sooner; this asks for what none told.
        Next::At(office.now() + Duration::hours(6))
    } else {
        Next::Done
    })
}

/// Refused: it may be that it was made before (an older backup was restored, a key was forgotten). The provider's list
/// knows.
async fn refused(
    office: &Office,
    id: RefundId,
    intent: String,
    tag: Tag,
    disputed: bool,
    why: String,
) -> Result<Next, Trouble> {
    if let Some(said) = find(office, intent.clone(), &tag).await? {
        return heard(office, id, tag.attempt, said).await;
    }
    if disputed && let Some(dispute) = holding(office, intent).await? {
        // No webhook told, or none yet: it is asked for now.
        office
            .write(move |_, tx| -> Result<(), Problem> {
                let now = tx.now.naive_utc();
                refund::held_by_dispute(tx, id, &why)?;
                enqueue(tx, jobs::DISPUTE, &dispute, now)
            })
            .await?;
        return Ok(Next::Done);
    }
    office
        .write(move |desk, tx| refund::refused(desk, tx, id, &why))
        .await?;
    Ok(Next::Done)
}

/// The dispute that holds a payment's refunds, or held them until now. One that is over, and is known to be, holds nothing any
/// more: what is due all the same, because it was over a part, needs another way.
async fn holding(office: &Office, intent: String) -> Result<Option<String>, Trouble> {
    let all = office.provider().disputes(Some(intent), None, None).await?;
    for dispute in all.data {
        if !disputes::is_over(&dispute) {
            return Ok(Some(dispute.id));
        }
        let id = dispute.id.clone();
        let known = office
            .read(move |conn| disputes::knows_as_over(conn, &dispute))
            .await?;
        if !known {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// The refund with our ids in the provider's list of a payment's refunds.
async fn find(
    office: &Office,
    intent: String,
    tag: &Tag,
) -> Result<Option<ports::ProviderRefund>, Trouble> {
    let mut cursor = None;
    loop {
        let listed = office
            .provider()
            .refunds(Some(intent.clone()), None, cursor)
            .await?;
        if let Some(found) = listed.data.into_iter().find(|r| {
            r.tag
                .as_ref()
                .is_some_and(|other| other.names_the_same(tag))
        }) {
            return Ok(Some(found));
        }
        match listed.next {
            Some(next) => cursor = Some(next),
            None => return Ok(None),
        }
    }
}

/// Asks for a dispute and applies it; while it is open, again each day.
pub(super) async fn dispute(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let said = office.provider().dispute(subject.to_owned()).await?;
    let over = disputes::is_over(&said);
    let again = said.clone();
    let mut heard = office
        .write(move |desk, tx| disputes::heard(desk, tx, &said))
        .await?;
    if let Heard::TooEarly(order, attempt) = heard {
        // Heard of before its payment: that one is asked for first.
        super::payment::drive(office, &payment_subject(order, attempt), None).await?;
        heard = office
            .write(move |desk, tx| disputes::heard(desk, tx, &again))
            .await?;
    }
    match heard {
        Heard::TooEarly(order, _) => Err(Trouble {
            what: format!("dispute {subject}: order {order} is not known as paid yet"),
            again_in: None,
        }),
        Heard::Foreign => Ok(Next::Done),
        Heard::Known if over => Ok(Next::Done),
        Heard::Known => {
            let id = subject.to_owned();
            let remind = office
                .write(move |desk, tx| evidence::remind(desk, tx, &id))
                .await?;
            let tomorrow = office.now() + Duration::days(1);
            Ok(Next::At(remind.map_or(tomorrow, |at| at.min(tomorrow))))
        }
    }
}
