//! What a shopper may change until the order is packed: where it goes, and in how many parcels (domain section 5).

use chrono::{DateTime, NaiveDate, Utc};

use super::claims::{Case, Who, lock};
use super::desk::{Concerns, Desk, Problem, happened, lock_campaign};
use super::join::Address;
use super::letters::After;
use crate::domain::country::Country;
use crate::domain::day::{day_of, day_start};
use crate::domain::draft::FieldError;
use crate::domain::ids::{BatchId, MerchantId, OrderId};
use crate::domain::order::Delivery;
use crate::domain::text::{clean_line, optional_line};
use crate::store::campaigns::BatchRow;
use crate::store::orders::OrderRow;
use crate::store::{Conn, Tx, addresses, campaigns};

/// Longest line of name and address, in characters.
const LINE: usize = 200;

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
        let address: Address = serde_json::from_str(&order.address)?;
        Ok(Self {
            name: order.name.clone(),
            line1: address.line1,
            line2: address.line2.unwrap_or_default(),
            city: address.city,
            region: address.region.unwrap_or_default(),
            postal_code: address.postal_code.unwrap_or_default(),
            country: address.country.code().to_owned(),
        })
    }

    /// Name and address, checked as at joining; the country stays.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn check(&self, had: Country) -> Result<(String, Address), Problem> {
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
        let typed = self.country.trim();
        if !typed.is_empty() && Country::parse(typed) != Some(had) {
            let say = format!(
                "It stays in {}: shipping and tax were charged for it. Write to the seller to send it elsewhere.",
                had.name()
            );
            errors.push(FieldError::new("country", say));
        }
        if !errors.is_empty() {
            return Err(Problem::Invalid(errors));
        }
        let address = Address {
            line1,
            line2,
            city,
            region,
            postal_code,
            country: had,
        };
        Ok((name, address))
    }
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

/// Sends an order elsewhere, or in other parcels. The address before is kept for staff.
///
/// # Errors
/// Wrong fields; a conflict once it is packed.
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
        addresses::save_delivery(tx.conn, order, delivery)?;
        case.order.delivery = delivery;
        let detail = match delivery {
            Delivery::OneParcel => "It is to come in one parcel.",
            Delivery::AsAvailable => "What is there is to be sent, the rest later.",
        };
        let concerns = Concerns::order(&case.order);
        happened(tx, concerns, who.actor(), "delivery_changed", detail)?;
    }
    Ok(case.order)
}

fn readdress(
    desk: &Desk,
    tx: &mut Tx,
    case: &mut Case,
    typed: &Typed,
    who: &Who,
) -> Result<(), Problem> {
    let had: Address = serde_json::from_str(&case.order.address)?;
    let (name, address) = typed.check(had.country)?;
    if name == case.order.name && address == had {
        return Ok(());
    }
    let concerns = Concerns::order(&case.order);
    let before = lines_of(&case.order.name, &had).join(", ");
    let kept = serde_json::to_string(&address)?;
    addresses::save(tx.conn, case.order.id, &name, &kept)?;
    case.order.name.clone_from(&name);
    case.order.address = kept;
    let detail = format!("Before: {before}");
    happened(tx, concerns, who.actor(), "address_before", detail)?;
    let detail = "The delivery address was changed.";
    happened(tx, concerns, who.actor(), "address_changed", detail)?;
    let once = format!("address_changed:{}", crate::domain::ids::HappeningId::new());
    let news = After::AddressChanged {
        lines: lines_of(&name, &address),
        by_shopper: *who == Who::Shopper,
    };
    case.tell(desk, tx, &once, news)
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
