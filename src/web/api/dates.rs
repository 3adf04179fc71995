//! The date of a batch: set, told to shoppers at once, or only tried. Only the merchant sees it.

use actix_web::web::Path;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Answer, Response, change};
use super::ask::Ask;
use super::document::Refusals;
use super::fields::{Errors, Reader};
use super::goods::{batch_id, own_batch};
use crate::domain::currency::Currency;
use crate::domain::day::parse_date;
use crate::domain::ids::{BatchId, EtaId, MerchantId};
use crate::domain::money::Money;
use crate::store::{Conn, campaigns};
use crate::workflows::desk::Problem;
use crate::workflows::money;
use crate::workflows::notices::{self, Moved, Preview};

/// When the goods of a batch arrive and are shipped now. Both dates null: not known.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct EtaBody {
    /// The day the goods arrive.
    arrives: Option<NaiveDate>,
    /// The revised ship date in the notice; `arrives` and the handling days where it is left out.
    ship_date: Option<NaiveDate>,
    /// Why, as shoppers read it.
    reason: String,
    /// A later stop-loss date that shoppers who keep waiting agree to as well.
    stop_loss: Option<NaiveDate>,
    /// Only answers whom it concerns and what silence would do.
    dry_run: Option<bool>,
}

/// A date, whom it concerns, and what silence does.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DateSet {
    /// The date's id; null in a dry run.
    #[schema(required)]
    id: Option<Uuid>,
    batch_id: Uuid,
    /// Whether nothing was set and nobody told.
    dry_run: bool,
    #[schema(required)]
    arrives: Option<NaiveDate>,
    /// The revised ship date; null: not known.
    #[schema(required)]
    ship_date: Option<NaiveDate>,
    reason: String,
    #[schema(required)]
    stop_loss: Option<NaiveDate>,
    concerns: Concerned,
    silence: OnSilence,
}

/// Orders by what the notice asks of them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Concerned {
    /// Paid and not shipped whole: all that were looked at.
    unshipped: i64,
    /// Only told: nothing to answer.
    told: i64,
    /// Silence agrees.
    agrees: i64,
    /// Must answer: silence cancels.
    cancels: i64,
    /// Hear nothing: the same was said already, or it is over for them.
    unneeded: i64,
}

/// What silence does.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OnSilence {
    /// The date that it agrees to.
    #[schema(required)]
    agreed_until: Option<NaiveDate>,
    /// By when others must answer.
    answer_by: Vec<AnswerBy>,
    /// What goes back if none of them does.
    refunded: Money,
    /// Whether the ship date lies after the stop-loss date and so counts as not known.
    beyond_stop_loss: bool,
}

/// The last day to answer, and what goes back after it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AnswerBy {
    last_day: NaiveDate,
    orders: i64,
    refunded: Money,
}

/// Sets when a batch ships, and tells its shoppers at once. A dry run tells nobody, and answers the same.
#[utoipa::path(post, path = "/batches/{id}/eta", operation_id = "setBatchDate", tag = "Goods",
    params(("id" = String, Path, description = "The batch."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = EtaBody, security(("key" = [])),
    responses((status = 200, description = "The date, whom it concerns, and what silence does.", body = DateSet), Refusals))]
pub(super) async fn set(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let id = batch_id(&path)?;
    let body = ask.json()?;
    let now = ask.office.now();
    // All orders are looked at for it: away from the writer, who would keep others waiting.
    let seen = ask
        .office
        .read(move |conn| Ok::<_, Problem>(prepare(conn, merchant, id, &body, now)))
        .await?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |desk, tx| {
        let seen = seen.clone()?;
        if seen.dry_run {
            return Answer::ok(&seen.shown(id, None));
        }
        own_batch(tx.conn, merchant, id)?;
        let moved = notices::moved(tx.conn, id, seen.moved.clone(), tx.now)?;
        let row = notices::announce(desk, tx, id, moved, "API")?;
        Answer::ok(&seen.shown(id, Some(row.id)))
    })
    .await
}

/// A call that was read and checked.
#[derive(Clone)]
struct Seen {
    moved: Moved,
    dry_run: bool,
    preview: Preview,
    currency: Currency,
}

fn prepare(
    conn: &mut Conn,
    merchant: MerchantId,
    id: BatchId,
    body: &Value,
    now: DateTime<Utc>,
) -> Result<Seen, Problem> {
    let batch = own_batch(conn, merchant, id)?;
    let campaign = campaigns::by_id(conn, batch.campaign_id)?;
    let campaign = campaign.ok_or(Problem::NotFound("campaign"))?;
    let mut e = Errors::default();
    let read = read(body, &mut e).filter(|_| e.is_empty());
    let Some((asked, dry_run)) = read else {
        // A conflict is told before a wrong field.
        return match notices::moved(conn, id, Moved::default(), now) {
            Err(problem @ Problem::Conflict { .. }) => Err(problem),
            Ok(_) | Err(_) => Err(Problem::Invalid(e.all())),
        };
    };
    let moved = notices::moved(conn, id, asked, now)?;
    Ok(Seen {
        preview: notices::preview(conn, id, &moved, now)?,
        moved,
        dry_run,
        currency: money::currency(&campaign.currency)?,
    })
}

fn read(body: &Value, e: &mut Errors) -> Option<(Moved, bool)> {
    let mut r = Reader::body(body, e)?;
    let arrives = date(&mut r, "arrives", e);
    let ship_date = date(&mut r, "ship_date", e);
    let stop_loss = date(&mut r, "stop_loss", e);
    let reason = r.string("reason", e);
    let reason = r.required("reason", reason, e, "shoppers read it");
    let dry_run = r.boolean("dry_run", e).unwrap_or(false);
    r.end(e);
    let moved = Moved {
        arrives,
        ship_date,
        reason: reason?,
        stop_loss,
    };
    Some((moved, dry_run))
}

fn date(r: &mut Reader, name: &'static str, e: &mut Errors) -> Option<NaiveDate> {
    let text = r.text(name, e)?;
    e.keep(name, parse_date(text).ok_or("write a date as YYYY-MM-DD"))
}

impl Seen {
    fn shown(&self, batch: BatchId, id: Option<EtaId>) -> DateSet {
        let money = |amount| Money::new(amount, self.currency);
        let Preview {
            unshipped,
            told,
            agrees,
            cancels,
            unneeded,
            ..
        } = self.preview;
        DateSet {
            id: id.map(|id| id.0),
            batch_id: batch.0,
            dry_run: self.dry_run,
            arrives: self.moved.arrives,
            ship_date: self.moved.ship_date,
            reason: self.moved.reason.clone(),
            stop_loss: self.moved.stop_loss,
            concerns: Concerned {
                unshipped,
                told,
                agrees,
                cancels,
                unneeded,
            },
            silence: OnSilence {
                agreed_until: self.preview.agreed_until,
                answer_by: self
                    .preview
                    .answer_by
                    .iter()
                    .map(|(last_day, orders, amount)| AnswerBy {
                        last_day: *last_day,
                        orders: *orders,
                        refunded: money(*amount),
                    })
                    .collect(),
                refunded: money(self.preview.on_silence),
                beyond_stop_loss: self.preview.beyond_stop_loss,
            },
        }
    }
}
