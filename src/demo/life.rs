//! What happens to the example's campaigns after the supplier's order, day by day, as suppliers, sellers, carriers and
//! shoppers do it.

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::{Filler, GOOD, said};
use crate::domain::claim::ClaimKind;
use crate::domain::day::day_of;
use crate::domain::ids::{
    BatchId, EtaId, MerchantId, NoticeId, OrderId, PurchaseOrderId, ShipmentId,
};
use crate::domain::promise::{Answer, NoticeKind};
use crate::domain::shipment::{DeliveredBy, ShipmentState};
use crate::store::{Tx, campaigns, claims as claim_rows, notices, purchase_orders, shipments};
use crate::workflows::cancel::{By, cancel};
use crate::workflows::changes::{self, Came, Wish};
use crate::workflows::claims::decide::{Decision, resolve};
use crate::workflows::claims::{Report, Who, report};
use crate::workflows::desk::{Desk, Problem, offer};
use crate::workflows::notices::{Moved, announce, answer, moved};
use crate::workflows::posts::{self, NewPost};
use crate::workflows::purchase::{self, Shipping};
use crate::workflows::receive::{Count, Counted, receive};
use crate::workflows::ship::{self, Handed};
use crate::workflows::{eta, stock_sale};

/// Something that somebody does.
#[derive(Debug, Clone, Copy)]
pub enum Deed {
    /// The supplier says yes, in these words.
    Acknowledges(&'static str),
    /// The supplier has begun.
    InProduction,
    /// The supplier names a day, so many days ahead, with the reason; staff pass it on.
    SupplierDate(u64, &'static str),
    /// The supplier names such a day, and staff have not looked at it yet.
    SupplierDateWaits(u64, &'static str),
    /// The seller tells everybody that it ships so many days from then, and why.
    Announces(u64, &'static str),
    /// The seller tells everybody that nobody knows when it ships, and why.
    AnnouncesUnknown(&'static str),
    /// The shopper of the order with this index answers the last notice.
    Answers(usize, Answer),
    /// The supplier ships: carrier and number.
    SupplierShips(&'static str, &'static str),
    /// A delivery is counted: code, good, damaged.
    Arrives(&'static [(&'static str, i64, i64)]),
    /// What can be packed is packed.
    Packs,
    /// The carrier takes so many of the packed parcels.
    HandsOver(usize),
    /// So many of the parcels under way arrive.
    Delivers(usize),
    /// The shopper of the order with this index reports one damaged unit.
    ReportsDamage(usize, &'static str, &'static str),
    /// Staff refund every claim that is open.
    RefundsClaims,
    /// So many left-over units of an option are sold from stock.
    OnSale(&'static str, i64),
    /// The seller writes to everybody who joined: title and text.
    Writes(&'static str, &'static str),
    /// The person with this index goes on the waiting list for so many units of an option that is sold out.
    Waits(usize, &'static str, i64),
    /// The shopper of the order with this index cancels it.
    Leaves(usize),
    /// The shopper of the order with this index changes it to these units, and pays what it costs more.
    Changes(usize, &'static [(&'static str, i64)]),
    /// Staff ask for a change of the order with this index; its shopper does not pay it.
    AsksForChange(usize, &'static [(&'static str, i64)]),
}

/// A campaign that lives on.
pub struct Living {
    /// What it is called.
    pub title: &'static str,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Its address.
    pub slug: String,
    /// Its batch.
    pub batch: BatchId,
    /// Its orders, in the order in which they were placed.
    pub orders: Vec<OrderId>,
}

/// Who packs and counts.
const HANDS: &str = "Ines";

/// What an order is to be over, at the word of a person of the staff or of its shopper.
fn wish(order: OrderId, lines: &[(&str, i64)], by: Option<&str>) -> Wish {
    let lines = lines.iter().map(|(sku, units)| ((*sku).to_owned(), *units));
    Wish {
        lines: Some(lines.collect()),
        by: by.map(str::to_owned),
        from: by.is_none().then(|| "127.0.0.1".to_owned()),
        ..Wish::of(order)
    }
}

impl Filler<'_> {
    async fn changes(
        &self,
        living: &Living,
        order: usize,
        lines: &'static [(&'static str, i64)],
    ) -> Result<(), String> {
        let order = *living
            .orders
            .get(order)
            .ok_or("a change without its order")?;
        let came = self
            .running
            .app
            .office
            .write(move |desk, tx| changes::change(desk, tx, &wish(order, lines, None)))
            .await
            .map_err(|e| said(living.title, &e))?;
        self.settle().await?;
        if came == Came::ToPay {
            self.pay(order, GOOD).await?;
            self.settle().await?;
        }
        Ok(())
    }

    /// Does it, and everything that follows from it.
    pub(super) async fn happens(&self, living: &Living, deed: Deed) -> Result<(), String> {
        if let Deed::Waits(person, sku, units) = deed {
            return self.waits(living, person, (sku, units)).await;
        }
        if let Deed::Changes(order, lines) = deed {
            return self.changes(living, order, lines).await;
        }
        let (merchant, batch) = (living.merchant, living.batch);
        let (slug, orders) = (living.slug.clone(), living.orders.clone());
        self.running
            .app
            .office
            .write(move |desk, tx| -> Result<(), Problem> {
                let scene = Scene {
                    merchant,
                    batch,
                    slug: &slug,
                    orders: &orders,
                };
                scene.act(desk, tx, deed)
            })
            .await
            .map_err(|e| said(&format!("{}, {deed:?}", living.title), &e))?;
        self.settle().await
    }
}

struct Scene<'a> {
    merchant: MerchantId,
    batch: BatchId,
    slug: &'a str,
    orders: &'a [OrderId],
}

impl Scene<'_> {
    fn act(&self, desk: &Desk, tx: &mut Tx, deed: Deed) -> Result<(), Problem> {
        match deed {
            Deed::Acknowledges(note) => {
                let id = self.purchase_order(tx)?;
                purchase::acknowledge(tx, id, Some(note)).map(drop)
            }
            Deed::InProduction => {
                let id = self.purchase_order(tx)?;
                purchase::in_production(tx, id).map(drop)
            }
            Deed::SupplierShips(carrier, tracking) => {
                let shipping = Shipping {
                    carrier: carrier.to_owned(),
                    tracking: tracking.to_owned(),
                };
                let id = self.purchase_order(tx)?;
                purchase::shipped(tx, id, &shipping).map(drop)
            }
            Deed::SupplierDate(days, reason) => {
                let eta = self.supplier_date(desk, tx, days, reason)?;
                eta::pass_on(tx, eta, HANDS).map(drop)
            }
            Deed::SupplierDateWaits(days, reason) => {
                self.supplier_date(desk, tx, days, reason).map(drop)
            }
            Deed::Announces(days, reason) => {
                let day = self.day(tx, days)?;
                self.announces(desk, tx, Some(day), reason)
            }
            Deed::AnnouncesUnknown(reason) => self.announces(desk, tx, None, reason),
            Deed::Answers(order, said) => self.answers(desk, tx, order, said),
            Deed::Arrives(units) => {
                let lines = units.iter().map(|(sku, good, damaged)| Counted {
                    sku: (*sku).to_owned(),
                    good: *good,
                    damaged: *damaged,
                });
                let count = Count {
                    lines: lines.collect(),
                    by: HANDS.to_owned(),
                    ..Count::default()
                };
                receive(tx, self.merchant, self.batch, &count).map(drop)
            }
            Deed::Packs => ship::pick_ready(tx, self.merchant, self.batch, 100, HANDS).map(drop),
            Deed::HandsOver(most) => self.hands_over(desk, tx, most),
            Deed::Delivers(most) => {
                for parcel in self.parcels(tx, ShipmentState::HandedOver, most)? {
                    let by = DeliveredBy::Carrier;
                    ship::arrived(tx, self.merchant, parcel, None, by, "DHL")?;
                }
                Ok(())
            }
            Deed::ReportsDamage(order, sku, text) => self.reports(desk, tx, order, (sku, text)),
            Deed::RefundsClaims => self.refunds_claims(desk, tx),
            Deed::Leaves(order) => cancel(desk, tx, self.order(order)?, &By::Shopper).map(drop),
            // What is paid has a way of its own.
            Deed::Waits(..) | Deed::Changes(..) => Ok(()),
            Deed::AsksForChange(order, lines) => {
                let wish = wish(self.order(order)?, lines, Some(HANDS));
                changes::change(desk, tx, &wish).map(drop)
            }
            Deed::OnSale(sku, units) => {
                stock_sale::put_on_sale(tx, self.merchant, self.batch, sku, units, HANDS)
            }
            Deed::Writes(title, body) => {
                let new = NewPost {
                    title: title.to_owned(),
                    body: body.to_owned(),
                    by: HANDS.to_owned(),
                    once: Some(format!("example:{title}")),
                };
                posts::write(tx, self.merchant, self.slug, &new).map(drop)
            }
        }
    }

    fn order(&self, at: usize) -> Result<OrderId, Problem> {
        let order = self.orders.get(at).copied();
        order.ok_or_else(|| Problem::Internal(format!("the example has no order {at}")))
    }

    /// The purchase order that stands.
    fn purchase_order(&self, tx: &mut Tx) -> Result<PurchaseOrderId, Problem> {
        let found = purchase_orders::of_batch(tx.conn, self.batch)?
            .into_iter()
            .find(|row| row.number.is_some() && row.state.stands());
        found
            .map(|row| row.id)
            .ok_or(Problem::NotFound("purchase order"))
    }

    fn supplier_date(
        &self,
        desk: &Desk,
        tx: &mut Tx,
        days: u64,
        reason: &str,
    ) -> Result<EtaId, Problem> {
        let id = self.purchase_order(tx)?;
        let day = self.day(tx, days)?;
        Ok(purchase::set_date(desk, tx, id, day, reason)?.id)
    }

    /// The day so many days from now, on the campaign's calendar.
    fn day(&self, tx: &mut Tx, days: u64) -> Result<NaiveDate, Problem> {
        let batch = campaigns::batch(tx.conn, self.batch)?.ok_or(Problem::NotFound("batch"))?;
        let campaign = campaigns::by_id(tx.conn, batch.campaign_id)?;
        let draft = offer(&campaign.ok_or(Problem::NotFound("campaign"))?)?;
        let now: DateTime<Utc> = tx.now;
        Ok(day_of(now, draft.time_zone) + Days::new(days))
    }

    fn announces(
        &self,
        desk: &Desk,
        tx: &mut Tx,
        ship_date: Option<NaiveDate>,
        reason: &str,
    ) -> Result<(), Problem> {
        let asked = Moved {
            ship_date,
            reason: reason.to_owned(),
            ..Moved::default()
        };
        let now = tx.now;
        let checked = moved(tx.conn, self.batch, asked, now)?;
        announce(desk, tx, self.batch, checked, HANDS).map(drop)
    }

    fn answers(&self, desk: &Desk, tx: &mut Tx, at: usize, said: Answer) -> Result<(), Problem> {
        let id: Option<NoticeId> = notices::of_order(tx.conn, self.order(at)?)?
            .into_iter()
            .rfind(|notice| notice.kind != NoticeKind::Told)
            .map(|notice| notice.id);
        let id = id.ok_or(Problem::NotFound("notice"))?;
        answer(desk, tx, id, said, "127.0.0.1").map(drop)
    }

    /// The first parcels of the batch in a state, by order.
    fn parcels(
        &self,
        tx: &mut Tx,
        state: ShipmentState,
        most: usize,
    ) -> Result<Vec<ShipmentId>, Problem> {
        let mut found = Vec::new();
        for order in self.orders {
            let of_order = shipments::of_order(tx.conn, *order)?;
            found.extend(of_order.iter().filter(|p| p.state == state).map(|p| p.id));
        }
        found.truncate(most);
        Ok(found)
    }

    fn hands_over(&self, desk: &Desk, tx: &mut Tx, most: usize) -> Result<(), Problem> {
        let parcels = self.parcels(tx, ShipmentState::Picked, most)?;
        for (n, parcel) in parcels.into_iter().enumerate() {
            let handed = Handed {
                at: None,
                carrier: Some("DHL".to_owned()),
                tracking_number: Some(format!("JJD0030{:08}", 41_207_300 + n * 17)),
                by: HANDS.to_owned(),
            };
            ship::hand_over(desk, tx, self.merchant, parcel, &handed)?;
        }
        Ok(())
    }

    fn reports(
        &self,
        desk: &Desk,
        tx: &mut Tx,
        at: usize,
        (sku, text): (&str, &str),
    ) -> Result<(), Problem> {
        let wish = Report {
            order: self.order(at)?,
            kind: ClaimKind::Damaged,
            lines: vec![(sku.to_owned(), 1)],
            text: text.to_owned(),
            photos: Vec::new(),
        };
        report(desk, tx, &wish, &Who::Shopper).map(drop)
    }

    fn refunds_claims(&self, desk: &Desk, tx: &mut Tx) -> Result<(), Problem> {
        for order in self.orders {
            for claim in claim_rows::of_order(tx.conn, *order)? {
                if claim.outcome.is_none() {
                    let decision = Decision::Refund { shown: None };
                    let merchant = Some(self.merchant);
                    resolve(desk, tx, merchant, claim.id, (HANDS, &decision))?;
                }
            }
        }
        Ok(())
    }
}
