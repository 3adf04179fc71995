//! What a shopper may change until the order is packed: where it goes, and in how many parcels (domain section 5).

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::claims::{Case, Who, lock};
use super::collect::look_again_at_balance;
use super::desk::{Concerns, Desk, Problem, happened, lock_campaign};
use super::join::Address;
use super::letters::After;
use super::part::cost_of;
use super::payment::frozen;
use crate::domain::country::Country;
use crate::domain::day::{day_of, day_start};
use crate::domain::draft::FieldError;
use crate::domain::ids::{BatchId, MerchantId, OrderId};
use crate::domain::order::Delivery;
use crate::domain::tariff::Tariff;
use crate::domain::text::{clean_line, optional_line};
use crate::domain::withdrawal::has_right;
use crate::store::campaigns::BatchRow;
use crate::store::orders::OrderRow;
use crate::store::{Conn, Tx, addresses, campaigns, changes};

/// Longest line of name and address, in characters.
const LINE: usize = 200;

/// Who gets an order, and where: checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The shopper's name.
    pub name: String,
    /// The address.
    pub address: Address,
}

impl Destination {
    /// As it is kept with an order.
    ///
    /// # Errors
    /// When the order's row is damaged.
    pub fn of(order: &OrderRow) -> Result<Self, Problem> {
        Ok(Self {
            name: order.name.clone(),
            address: serde_json::from_str(&order.address)?,
        })
    }

    /// Name and address, line by line.
    pub fn lines(&self) -> Vec<String> {
        lines_of(&self.name, &self.address)
    }

    /// Puts it into an order's row.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn put_into(&self, order: &mut OrderRow) -> Result<(), Problem> {
        order.name.clone_from(&self.name);
        order.address = serde_json::to_string(&self.address)?;
        self.address.country.code().clone_into(&mut order.country);
        Ok(())
    }
}

/// An address as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed {
    /// Name.
    pub name: String,
    /// Street and number.
    pub line1: String,
    /// What else the carrier needs.
    pub line2: String,
    /// Town.
    pub city: String,
    /// State or province.
    pub region: String,
    /// Postal code.
    pub postal_code: String,
    /// Country; empty: the one it had.
    pub country: String,
}

impl Typed {
    /// As it is kept with an order.
    ///
    /// # Errors
    /// When the order's row is damaged.
    pub fn of(order: &OrderRow) -> Result<Self, Problem> {
        let Destination { name, address } = Destination::of(order)?;
        Ok(Self {
            name,
            line1: address.line1,
            line2: address.line2.unwrap_or_default(),
            city: address.city,
            region: address.region.unwrap_or_default(),
            postal_code: address.postal_code.unwrap_or_default(),
            country: address.country.code().to_owned(),
        })
    }

    /// Name and address, checked as at joining: in the country it had, or in another that the tariff ships to.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn check(&self, had: Country, tariff: &Tariff) -> Result<Destination, Problem> {
        let mut errors = Vec::new();
        let mut needed = |field: &str, text: &str, missing: &str| {
            let checked = match text.trim() {
                "" => Err(missing.to_owned()),
                text => clean_line(text, LINE),
            };
            checked.unwrap_or_else(|say| {
                errors.push(FieldError::new(field, say));
                String::new()
            })
        };
        let name = needed("name", &self.name, "Write your name.");
        let line1 = needed("line1", &self.line1, "Write street and number.");
        let city = needed("city", &self.city, "Write the town.");
        let mut maybe = |field: &str, text: &str| {
            optional_line(Some(text), LINE).unwrap_or_else(|say| {
                errors.push(FieldError::new(field, say));
                None
            })
        };
        let line2 = maybe("line2", &self.line2);
        let region = maybe("region", &self.region);
        let postal_code = maybe("postal_code", &self.postal_code);
        let country = self.country(had, tariff).unwrap_or_else(|say| {
            errors.push(FieldError::new("country", say));
            had
        });
        if !errors.is_empty() {
            return Err(Problem::Invalid(errors));
        }
        let address = Address {
            line1,
            line2,
            city,
            region,
            postal_code,
            country,
        };
        Ok(Destination { name, address })
    }

    fn country(&self, had: Country, tariff: &Tariff) -> Result<Country, String> {
        let typed = self.country.trim();
        if typed.is_empty() {
            return Ok(had);
        }
        match Country::parse(typed) {
            None => Err("Choose the country it goes to.".to_owned()),
            Some(country) if country == had || tariff.ships_to(country) => Ok(country),
            Some(country) => Err(format!(
                "This campaign does not ship to {}.",
                country.name()
            )),
        }
    }
}

/// Countries that an order may be sent to: its own, and those that the tariff frozen at joining ships to; by name.
///
/// # Errors
/// When the order's row is damaged.
pub fn countries_of(order: &OrderRow) -> Result<Vec<Country>, Problem> {
    let tariff = frozen(order)?.tariff;
    let own = Country::parse(&order.country);
    let mut all: Vec<Country> = Country::all()
        .filter(|country| Some(*country) == own || tariff.ships_to(*country))
        .collect();
    all.sort_by_key(|country| country.name());
    Ok(all)
}

/// Why an order's parcels cannot be changed any more; none while they can. `now` is compared with the day from which
/// addresses are locked, which binds shoppers alone.
pub fn locked(
    case: &Case,
    batch: Option<&BatchRow>,
    who: &Who,
    now: DateTime<Utc>,
) -> Option<&'static str> {
    let live = case.order.state.is_live();
    let to_come = case.lines.iter().any(|l| l.units().unshipped() > 0);
    let picked = case.lines.iter().any(|l| l.picked > 0);
    let lock = batch.and_then(|b| b.address_lock);
    let locked = lock.is_some_and(|day| now >= day_start(day, case.draft.time_zone));
    match (live && to_come, who) {
        (false, _) => {
            Some("Nothing of this order is still to be shipped, so nothing can be changed.")
        }
        (true, _) if picked => Some(
            "The parcel is packed already, so it cannot be changed here any more. Write to the seller at once.",
        ),
        (true, Who::Shopper) if locked => Some(
            "The labels are being made, so addresses cannot be changed here any more. Write to the seller at once.",
        ),
        (true, _) => None,
    }
}

fn may(tx: &mut Tx, case: &Case, who: &Who) -> Result<(), Problem> {
    // Who gets the goods is what the bank decides about.
    if super::money::dispute_is_open(tx, case.order.id)? {
        return Err(Problem::conflict(
            "order-disputed",
            "A payment of this order is disputed. Until the bank has decided nothing of it can be changed.",
        ));
    }
    let batch = campaigns::batch(tx.conn, case.order.batch_id)?;
    match locked(case, batch.as_ref(), who, tx.now) {
        None => Ok(()),
        Some(why) => Err(Problem::conflict("order-packed", why)),
    }
}

/// What changes of an order's parcels.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Another address.
    pub address: Option<Typed>,
    /// Another choice of parcels.
    pub delivery: Option<Delivery>,
}

/// Sends an order elsewhere, or in other parcels, where it costs the same. The address before is kept for staff.
///
/// # Errors
/// Wrong fields; a conflict once it is packed, or while a change that sends it elsewhere is being paid.
pub fn change(
    desk: &Desk,
    tx: &mut Tx,
    (merchant, order): (Option<MerchantId>, OrderId),
    change: &Change,
    who: &Who,
) -> Result<OrderRow, Problem> {
    let mut case = lock(tx, order)?;
    if merchant.is_some_and(|m| m != case.order.merchant_id) {
        return Err(Problem::NotFound("order"));
    }
    may(tx, &case, who)?;
    if let Some(typed) = &change.address {
        readdress(desk, tx, &mut case, typed, who)?;
    }
    if let Some(delivery) = change.delivery.filter(|d| *d != case.order.delivery) {
        deliver(tx, &mut case.order, delivery, who.actor())?;
    }
    Ok(case.order)
}

/// Keeps another choice of parcels.
///
/// # Errors
/// What the database says.
pub(super) fn deliver(
    tx: &mut Tx,
    order: &mut OrderRow,
    delivery: Delivery,
    actor: &str,
) -> Result<(), Problem> {
    addresses::save_delivery(tx.conn, order.id, delivery)?;
    order.delivery = delivery;
    look_again_at_balance(tx, order)?;
    let detail = match delivery {
        Delivery::OneParcel => "It is to come in one parcel.",
        Delivery::AsAvailable => "What is there is to be sent, the rest later.",
    };
    happened(
        tx,
        Concerns::order(order),
        actor,
        "delivery_changed",
        detail,
    )
}

/// Keeps where an order goes from now on. The address before is kept for staff.
///
/// # Errors
/// What the database says.
pub(super) fn send_to(
    tx: &mut Tx,
    order: &mut OrderRow,
    to: &Destination,
    actor: &str,
) -> Result<(), Problem> {
    let had = Destination::of(order)?;
    to.put_into(order)?;
    addresses::save(tx.conn, order)?;
    keep_right(tx, order, had.address.country, to.address.country)?;
    let concerns = Concerns::order(order);
    let before = format!("Before: {}", had.lines().join(", "));
    happened(tx, concerns, actor, "address_before", before)?;
    let country = to.address.country;
    let detail = if country == had.address.country {
        "The delivery address was changed.".to_owned()
    } else {
        let before = had.address.country.name();
        format!(
            "The delivery address was changed: it goes to {}, not to {before}.",
            country.name()
        )
    };
    happened(tx, concerns, actor, "address_changed", detail)
}

/// Whoever was told at joining that the order may be withdrawn from may do so wherever it goes.
fn keep_right(tx: &mut Tx, order: &mut OrderRow, had: Country, to: Country) -> Result<(), Problem> {
    let mut agreed = frozen(order)?;
    if has_right(to, agreed.withdrawal) || !has_right(had, agreed.withdrawal) {
        return Ok(());
    }
    agreed.withdrawal = true;
    order.quote = serde_json::to_string(&agreed)?;
    Ok(changes::save_agreed(tx.conn, order)?)
}

fn readdress(
    desk: &Desk,
    tx: &mut Tx,
    case: &mut Case,
    typed: &Typed,
    who: &Who,
) -> Result<(), Problem> {
    let had = Destination::of(&case.order)?;
    let to = typed.check(had.address.country, &case.agreed.tariff)?;
    if to == had {
        return Ok(());
    }
    let country = to.address.country;
    let abroad = country != had.address.country;
    let waits = changes::under_way(tx.conn, case.order.id)?;
    if waits.is_some_and(|row| abroad || row.goes_to.is_some()) {
        return Err(super::changes::under_way());
    }
    if abroad {
        may_go_abroad(case, had.address.country, country)?;
    }
    if abroad && !costs_the_same(case, &to)? {
        let say = format!(
            "Shipping and tax come out differently in {}. That is a change of the order with a new total, which can be made while joining is open; after that, write to the seller.",
            country.name()
        );
        return Err(Problem::field("country", say));
    }
    send_to(tx, &mut case.order, &to, who.actor())?;
    let once = format!("address_changed:{}", crate::domain::ids::HappeningId::new());
    let news = After::AddressChanged {
        lines: to.lines(),
        by_shopper: *who == Who::Shopper,
    };
    case.tell(desk, tx, &once, news)
}

/// Whether what an order costs alone decides if it may go to another country without its shopper agreeing to a change.
///
/// # Errors
/// At the field of the country: part of it was sent, at the shipping of where it went; or it could be withdrawn from there,
/// which is to be said before it is agreed to (domain section 6a).
fn may_go_abroad(case: &Case, had: Country, to: Country) -> Result<(), Problem> {
    let refuse = |say: String| Err(Problem::field("country", say));
    if case.lines.iter().any(|line| line.shipped > 0) {
        return refuse(format!(
            "Part of this order went to {} already, so the rest cannot go to another country. Write to the seller.",
            had.name()
        ));
    }
    let chosen = case.agreed.withdrawal || case.merchant.withdrawal_everywhere;
    if has_right(to, chosen) && !has_right(had, chosen) {
        return refuse(format!(
            "Other rules hold for orders to {}. That is a change of the order, which can be made while joining is open; after that, write to the seller.",
            to.name()
        ));
    }
    Ok(())
}

/// Whether shipping and tax of what is still wanted of an order come out the same elsewhere.
fn costs_the_same(case: &Case, to: &Destination) -> Result<bool, Problem> {
    let mut there = case.order.clone();
    to.put_into(&mut there)?;
    let cost = |order: &OrderRow| cost_of(order, &case.lines, |line| line.units().wanted());
    // What is too large for the other country's shipping has no price there.
    Ok(cost(&there).ok() == Some(cost(&case.order)?))
}

/// Name and address, line by line.
pub fn lines_of(name: &str, address: &Address) -> Vec<String> {
    let town = [
        address.postal_code.as_deref(),
        Some(address.city.as_str()),
        address.region.as_deref(),
    ];
    let mut lines = vec![name.to_owned(), address.line1.clone()];
    lines.extend(address.line2.clone());
    lines.push(town.into_iter().flatten().collect::<Vec<_>>().join(" "));
    lines.push(address.country.name().to_owned());
    lines
}

/// A merchant's batch.
///
/// # Errors
/// That there is none, or it is another's.
pub fn batch_of(
    conn: &mut Conn,
    merchant: MerchantId,
    id: BatchId,
) -> Result<(BatchRow, campaigns::CampaignRow), Problem> {
    let batch = campaigns::batch(conn, id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign = campaigns::by_id(conn, batch.campaign_id)?
        .filter(|c| c.merchant_id == merchant)
        .ok_or(Problem::NotFound("batch"))?;
    Ok((batch, campaign))
}

/// Sets the first day on which shoppers of a batch cannot change their address any more; none: until it is packed.
///
/// # Errors
/// Field `address_lock` where the day is past.
pub fn lock_addresses(
    tx: &mut Tx,
    merchant: MerchantId,
    id: BatchId,
    (from, person): (Option<NaiveDate>, &str),
) -> Result<(), Problem> {
    let (batch, campaign) = batch_of(tx.conn, merchant, id)?;
    let campaign = lock_campaign(tx, campaign.id)?;
    let zone = super::desk::offer(&campaign)?.time_zone;
    if from.is_some_and(|day| day < day_of(tx.now, zone)) {
        let say = "Write today or a later day, or leave it empty.";
        return Err(Problem::field("address_lock", say));
    }
    if batch.address_lock == from {
        return Ok(());
    }
    addresses::save_lock(tx.conn, id, from)?;
    let detail = match from {
        Some(day) => format!(
            "Addresses can be changed before {}.",
            day.format("%-d %B %Y")
        ),
        None => "Addresses can be changed until the parcel is packed.".to_owned(),
    };
    let concerns = Concerns::campaign(&campaign);
    happened(tx, concerns, person, "addresses_locked", detail)
}
