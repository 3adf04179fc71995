//! The example shop: several merchants, campaigns in every state that exists, pictures. It is lived through, not
//! written down: campaigns are published, orders joined and paid at the built-in provider, and the clock is moved, so
//! that every row, mail and journal entry is a real one.

mod asked;
mod earlier;
mod later;
mod life;
mod offers;

use std::collections::BTreeMap;

use chrono::Duration;

use crate::app::Running;
use crate::domain::country::Country;
use crate::domain::draft::{CampaignInput, PaymentMode};
use crate::domain::ids::{BatchId, CampaignId, MerchantId, OrderId, PictureId, SupplierId};
use crate::domain::order::Delivery;
use crate::domain::slug::slugify;
use crate::domain::staff::Role;
use crate::sandbox::Sandbox;
use crate::store::merchants::SupplierRow;
use crate::store::misc::PictureRow;
use crate::store::{merchants, misc, orders, refunds};
use crate::workflows::accounts::{self, PasswordHash};
use crate::workflows::campaigns;
use crate::workflows::cancel::{By, cancel};
use crate::workflows::desk::Problem;
use crate::workflows::evidence;
use crate::workflows::join::{Address, JoinRequest, Waits};

use life::{Deed, Living};
use offers::{MERCHANTS, Offer};

/// How far in the past the example begins.
pub const BEGINS_DAYS_AGO: i64 = 150;
/// Everybody's password in the example.
pub const PASSWORD: &str = "muster-demo";

/// A log-in of the example.
#[derive(Debug, Clone)]
pub struct LogIn {
    /// The merchant.
    pub merchant: String,
    /// The e-mail address.
    pub email: String,
}

/// Fills the shop and moves its clock to the present.
///
/// # Errors
/// A sentence for the terminal.
pub async fn fill(running: &Running, sandbox: &Sandbox) -> Result<Vec<LogIn>, String> {
    let filler = Filler {
        running,
        sandbox,
        http: reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|e| e.to_string())?,
    };
    filler.fill().await
}

/// Something on the example's calendar.
enum Happens {
    /// A campaign is made.
    Begins {
        offer: &'static Offer,
        merchant: MerchantId,
        supplier: SupplierId,
        place: usize,
    },
    /// Somebody does something about the campaign at this place.
    Deed(usize, Deed),
}

struct Filler<'a> {
    running: &'a Running,
    sandbox: &'a Sandbox,
    http: reqwest::Client,
}

/// A card that pays.
const GOOD: &str = "4242424242424242";
/// A card that can be saved, and is refused when it is charged.
const REFUSED_LATER: &str = "4000000000000341";
/// A card that pays, and whose bank then asks about the payment.
const INQUIRED: &str = "4000000000001976";

/// Who joins: name, country, town, postal code.
const PEOPLE: [(&str, &str, &str, &str); 12] = [
    ("Ana Sousa", "PT", "Porto", "4050-262"),
    ("Lena Hartwig", "DE", "Berlin", "10119"),
    ("Aiko Tanabe", "JP", "Kyoto", "604-8005"),
    ("Piet de Vries", "NL", "Utrecht", "3512 JE"),
    ("Rosa Melchior", "DE", "Leipzig", "04109"),
    ("Owen Pryce", "GB", "Cardiff", "CF10 1EP"),
    ("Jonas Lindqvist", "SE", "Malmö", "211 22"),
    ("Marta Kowalska", "PL", "Kraków", "31-010"),
    ("Grace Okoro", "US", "Portland", "97205"),
    ("Luca Ferri", "IT", "Torino", "10121"),
    ("Chloé Martin", "FR", "Lyon", "69001"),
    ("Sam Whitaker", "US", "Austin", "78701"),
];

impl Filler<'_> {
    async fn fill(&self) -> Result<Vec<LogIn>, String> {
        let password = PasswordHash::make(PASSWORD).map_err(|e| e.to_string())?;
        let mut log_ins = Vec::new();
        let mut made = Vec::new();
        for who in &MERCHANTS {
            let (merchant, supplier) = self.merchant(who, &password).await?;
            log_ins.push(LogIn {
                merchant: who.name.to_owned(),
                email: who.staff.to_owned(),
            });
            made.push((who, merchant, supplier));
        }
        // Everything in the order in which it happens, so that the clock only goes forward.
        let mut plan: Vec<(i64, Happens)> = Vec::new();
        let mut places = 0;
        for (who, merchant, supplier) in &made {
            for offer in who.earlier.iter().chain(who.offers).chain(who.later) {
                let ago = offer.begins_days_ago;
                let (merchant, supplier) = (*merchant, *supplier);
                plan.push((
                    -ago,
                    Happens::Begins {
                        offer,
                        merchant,
                        supplier,
                        place: places,
                    },
                ));
                let deeds = offer.life.iter();
                plan.extend(deeds.map(|(day, deed)| (day - ago, Happens::Deed(places, *deed))));
                places += 1;
            }
        }
        plan.sort_by_key(|(day, _)| *day);
        let today = self.running.app.office.now() + Duration::days(BEGINS_DAYS_AGO);
        let mut living: BTreeMap<usize, Living> = BTreeMap::new();
        for (day, what) in plan {
            self.move_to(today + Duration::days(day)).await?;
            match what {
                Happens::Begins {
                    offer,
                    merchant,
                    supplier,
                    place,
                } => {
                    let begun = self.campaign(offer, merchant, supplier).await?;
                    living.insert(place, begun);
                }
                Happens::Deed(place, deed) => {
                    let campaign = living.get(&place).ok_or("a deed before its campaign")?;
                    self.happens(campaign, deed).await?;
                }
            }
        }
        for (who, merchant, _) in &made {
            self.ideas(*merchant, who.ideas).await?;
        }
        self.move_to(today).await?;
        Ok(log_ins)
    }

    async fn move_to(&self, at: chrono::DateTime<chrono::Utc>) -> Result<(), String> {
        if at > self.running.app.office.now() {
            self.sandbox
                .move_clock(at)
                .await
                .map_err(|e| e.to_string())?;
        } else {
            self.settle().await?;
        }
        Ok(())
    }

    async fn settle(&self) -> Result<(), String> {
        self.sandbox
            .advance_clock(Duration::zero())
            .await
            .map(drop)
            .map_err(|e| e.to_string())
    }

    async fn merchant(
        &self,
        who: &'static offers::Merchant,
        password: &PasswordHash,
    ) -> Result<(MerchantId, SupplierId), String> {
        let password = password.clone();
        self.running
            .app
            .office
            .write(move |_, tx| -> Result<_, Problem> {
                let person = accounts::add_staff(tx, who.name, who.staff, Role::Owner, &password)?;
                let mut merchant = merchants::by_id(tx.conn, person.merchant_id)?
                    .ok_or(Problem::NotFound("merchant"))?;
                merchant.email = who.email.to_owned();
                merchant.address = who.address.to_owned();
                merchant.imprint = who.imprint.to_owned();
                merchant.terms = offers::TERMS.to_owned();
                merchant.privacy = offers::PRIVACY.to_owned();
                merchant.terms_version = 1;
                merchant.payouts_manual = true;
                merchants::save(tx.conn, &merchant)?;
                let supplier = SupplierRow {
                    id: SupplierId::new(),
                    merchant_id: merchant.id,
                    name: who.supplier.to_owned(),
                    email: who.supplier_email.to_owned(),
                    address: who.supplier_address.to_owned(),
                    currency: "usd".to_owned(),
                    lead_time_days: 35,
                    minimum_units: who.supplier_minimum,
                    capacity_units: None,
                    case_pack: who.case_pack,
                    unit_costs: who.unit_costs.to_owned(),
                    created_at: tx.now.naive_utc(),
                };
                merchants::insert_supplier(tx.conn, &supplier)?;
                Ok((merchant.id, supplier.id))
            })
            .await
            .map_err(|e| said(who.name, &e))
    }

    async fn campaign(
        &self,
        offer: &'static Offer,
        merchant: MerchantId,
        supplier: SupplierId,
    ) -> Result<Living, String> {
        let now = self.running.app.office.now();
        let body = offer.body(now, supplier);
        let input: CampaignInput =
            serde_json::from_value(body).map_err(|e| format!("{}: {e}", offer.title))?;
        let row = self
            .running
            .app
            .office
            .write(move |desk, tx| -> Result<_, Problem> {
                let row = campaigns::create(tx, merchant, input.clone())?;
                for ((file, alt), position) in offer.pictures.iter().zip(0..) {
                    let picture = PictureRow {
                        id: PictureId::new(),
                        campaign_id: row.id,
                        position,
                        file: format!("art/{file}"),
                        media_type: "image/svg+xml".to_owned(),
                        width: 800,
                        height: 600,
                        alt: (*alt).to_owned(),
                        created_at: tx.now.naive_utc(),
                    };
                    misc::insert_picture(tx.conn, &picture)?;
                }
                if offer.published {
                    campaigns::publish(desk, tx, merchant, &row.slug)
                } else {
                    Ok(row)
                }
            })
            .await
            .map_err(|e| said(offer.title, &e))?;
        if offer.would_buy > 0 {
            self.answers(offer, row.id).await?;
        }
        let orders = self.orders(offer, row.id).await?;
        if let Some(reason) = offer.cancelled {
            let slug = row.slug.clone();
            self.running
                .app
                .office
                .write(move |desk, tx| campaigns::cancel(desk, tx, merchant, &slug, reason))
                .await
                .map_err(|e| said(offer.title, &e))?;
            self.settle().await?;
        }
        let id = row.id;
        let batch = self
            .running
            .app
            .office
            .read(move |conn| Ok::<_, Problem>(crate::store::campaigns::batch_of(conn, id)?))
            .await
            .map_err(|e| said(offer.title, &e))?;
        Ok(Living {
            title: offer.title,
            merchant,
            slug: row.slug,
            batch: batch.map_or_else(BatchId::new, |batch| batch.id),
            orders,
        })
    }

    async fn orders(
        &self,
        offer: &'static Offer,
        campaign: CampaignId,
    ) -> Result<Vec<OrderId>, String> {
        let mut placed = Vec::with_capacity(offer.orders.len());
        for (i, quantity) in offer.orders.iter().enumerate() {
            let person = PEOPLE[i % PEOPLE.len()];
            let sku = offer.options[i % offer.options.len()].0;
            let order = self
                .join(campaign, offer, person, i, (sku, *quantity, Waits::No))
                .await?;
            placed.push(order);
            self.settle().await?;
            // The last shopper of an open campaign is still at the payment page.
            if offer.leaves_one_unpaid && i + 1 == offer.orders.len() {
                continue;
            }
            // Of an open campaign one shopper's bank asks about the payment.
            let asked = offer.leaves_one_unpaid && i == 2;
            // Of those whose cards are charged later, one says no then.
            let refuses = offer.pays == PaymentMode::ChargeOnSuccess && i == 1;
            let card = match (asked, refuses) {
                (true, _) => INQUIRED,
                (_, true) => REFUSED_LATER,
                _ => GOOD,
            };
            self.pay(order, card).await?;
            self.settle().await?;
            if asked {
                self.answer_bank(order).await?;
            }
            if offer.one_leaves && i == 1 {
                self.running
                    .app
                    .office
                    .write(move |desk, tx| cancel(desk, tx, order, &By::Shopper))
                    .await
                    .map_err(|e| said(offer.title, &e))?;
                self.settle().await?;
            }
        }
        Ok(placed)
    }

    async fn join(
        &self,
        campaign: CampaignId,
        offer: &Offer,
        (name, country, city, postal_code): (&str, &str, &str, &str),
        i: usize,
        (sku, quantity, waits): (&str, i64, Waits),
    ) -> Result<OrderId, String> {
        let mailbox = slugify(name).replace('-', ".");
        let request = JoinRequest {
            campaign,
            named: None,
            email: format!("{mailbox}{}@mail.example", i / PEOPLE.len()),
            name: name.to_owned(),
            address: Address {
                line1: format!("{} {}", offers::STREETS[i % offers::STREETS.len()], i + 3),
                line2: None,
                city: city.to_owned(),
                region: None,
                postal_code: Some(postal_code.to_owned()),
                country: Country::parse(country)
                    .ok_or_else(|| format!("{country} is not a country"))?,
            },
            lines: vec![(sku.to_owned(), quantity)],
            delivery: if i % 3 == 1 {
                Delivery::AsAvailable
            } else {
                Delivery::OneParcel
            },
            agreed_total: None,
            terms_version: Some(1),
            joined_from: "127.0.0.1".to_owned(),
            form_key: None,
            // Every third waits for the best price, where that can be said.
            limit_step: (offer.pays == PaymentMode::ChargeOnSuccess && i % 3 == 2)
                .then(|| offer.steps.len() - 1),
            buys_missing: false,
            waits,
        };
        let placed = self
            .running
            .app
            .office
            .join(request)
            .await
            .map_err(|e| said(offer.title, &e))?;
        Ok(placed.order.id)
    }

    /// Somebody goes on a waiting list.
    async fn waits(
        &self,
        living: &Living,
        person: usize,
        (sku, units): (&'static str, i64),
    ) -> Result<(), String> {
        let batch = living.batch;
        let campaign = self
            .running
            .app
            .office
            .read(move |conn| Ok::<_, Problem>(crate::store::campaigns::batch(conn, batch)?))
            .await
            .map_err(|e| said(living.title, &e))?
            .ok_or("a campaign without a batch")?
            .campaign_id;
        let who = PEOPLE[person % PEOPLE.len()];
        // A second mailbox of theirs: the first one has an order already.
        let at = person + 5 * PEOPLE.len();
        let wish = (sku, units, Waits::Only);
        self.join(campaign, &offers::PLAIN, who, at, wish).await?;
        self.settle().await
    }

    /// Staff lay down what is known of an order that a bank asks about.
    async fn answer_bank(&self, order: OrderId) -> Result<(), String> {
        self.running
            .app
            .office
            .write(move |_, tx| -> Result<(), Problem> {
                let row = orders::by_id(tx.conn, order)?.ok_or(Problem::NotFound("order"))?;
                for dispute in refunds::disputes_of(tx.conn, order)? {
                    let who = (row.merchant_id, "Ines");
                    let note =
                        "The shopper wrote on the day he joined that he looks forward to it.";
                    evidence::answer(tx, who, &dispute.provider_id, note, false)?;
                }
                Ok(())
            })
            .await
            .map_err(|e| said("an answer to a bank", &e))?;
        self.settle().await
    }

    /// Pays an order's page as a shopper does.
    async fn pay(&self, order: OrderId, card: &str) -> Result<(), String> {
        let office = &self.running.app.office;
        let pages = office
            .read(move |conn| Ok::<_, Problem>(orders::payments_of(conn, order)?))
            .await
            .map_err(|e| e.to_string())?;
        let session = pages
            .last()
            .and_then(|page| page.session_id.clone())
            .ok_or("the built-in provider made no payment page")?;
        let url = format!("{}/sandbox/pay/{session}", self.running.app.public_url);
        let answer = self
            .http
            .post(url)
            .form(&[("card", card)])
            .send()
            .await
            .map_err(|e| format!("the pay page does not answer: {e}"))?;
        if answer.status().as_u16() == 303 {
            Ok(())
        } else {
            Err(format!("the pay page answered {}", answer.status()))
        }
    }
}

fn said(what: &str, problem: &Problem) -> String {
    match problem {
        Problem::Invalid(errors) => {
            let all: Vec<String> = errors
                .iter()
                .map(|e| format!("{}: {}", e.field, e.message))
                .collect();
            format!("{what}: {}", all.join("; "))
        }
        other => format!("{what}: {other}"),
    }
}
