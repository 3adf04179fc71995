//! Merchants, their staff, keys, suppliers and the counters documents are numbered from.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::{api_keys, counters, merchants, staff, suppliers};
use super::{Conn, StoreError, each_backend};
use crate::domain::ids::{ApiKeyId, MerchantId, StaffId, SupplierId};
use crate::domain::staff::Role;

/// A merchant's row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = merchants)]
pub struct MerchantRow {
    /// Its id.
    pub id: MerchantId,
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Where shoppers' answers go.
    pub email: String,
    /// Its postal address, in lines.
    pub address: String,
    /// Who answers for the pages, Markdown.
    pub imprint: String,
    /// The terms in force, Markdown.
    pub terms: String,
    /// What happens to personal data, Markdown.
    pub privacy: String,
    /// Rises with each change of the terms; 0 for none.
    pub terms_version: i32,
    /// Whether the merchant said that payouts are manual.
    pub payouts_manual: bool,
    /// When it was made.
    pub created_at: NaiveDateTime,
    /// Whether shoppers may withdraw from the contract also where no law says so (domain section 6a).
    pub withdrawal_everywhere: bool,
}

impl MerchantRow {
    /// What a publication still wants of the merchant: seller's name and address, imprint and terms.
    pub fn missing(&self) -> Vec<&'static str> {
        let mut missing = Vec::new();
        if self.address.trim().is_empty() {
            missing.push("the seller's postal address");
        }
        if self.imprint.trim().is_empty() {
            missing.push("the imprint");
        }
        if self.terms.trim().is_empty() {
            missing.push("the terms");
        }
        missing
    }
}

/// A person of the staff.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = staff)]
pub struct StaffRow {
    /// The person's id.
    pub id: StaffId,
    /// For whom the person works.
    pub merchant_id: MerchantId,
    /// The log-in.
    pub email: String,
    /// The name.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// Argon2, in PHC notation.
    pub password_hash: String,
    /// When it was made.
    pub created_at: NaiveDateTime,
    /// Rises when all the person's sessions end.
    pub sessions: i64,
}

/// A supplier's row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = suppliers)]
pub struct SupplierRow {
    /// Its id.
    pub id: SupplierId,
    /// Whose supplier it is.
    pub merchant_id: MerchantId,
    /// Its name.
    pub name: String,
    /// Where purchase orders go.
    pub email: String,
    /// Its postal address.
    pub address: String,
    /// The code of the currency of its costs.
    pub currency: String,
    /// Days from order to arrival.
    pub lead_time_days: i32,
    /// The least units it takes an order for.
    pub minimum_units: Option<i64>,
    /// The most units it can make.
    pub capacity_units: Option<i64>,
    /// Units in a case.
    pub case_pack: i64,
    /// Cost of one unit by the option's code, as JSON.
    pub unit_costs: String,
    /// When it was made.
    pub created_at: NaiveDateTime,
}

/// Keeps a new merchant.
pub fn insert(conn: &mut Conn, merchant: &MerchantRow) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(merchants::table).values(merchant).execute(c)?;
    });
    Ok(())
}

/// The merchant with this id.
pub fn by_id(conn: &mut Conn, id: MerchantId) -> Result<Option<MerchantRow>, StoreError> {
    let found = each_backend!(conn, c => merchants::table
        .find(id)
        .select(MerchantRow::as_select())
        .first(c)
        .optional()?);
    Ok(found)
}

/// The merchant with this name in addresses.
pub fn by_slug(conn: &mut Conn, slug: &str) -> Result<Option<MerchantRow>, StoreError> {
    Ok(merchants::table
        .filter(merchants::slug.eq(slug))
        .select(MerchantRow::as_select())
        .first(conn)
        .optional()?)
}

/// Every merchant.
pub fn all(conn: &mut Conn) -> Result<Vec<MerchantRow>, StoreError> {
    Ok(merchants::table
        .select(MerchantRow::as_select())
        .order(merchants::id.asc())
        .load(conn)?)
}

/// Keeps a merchant's changed pages.
pub fn save(conn: &mut Conn, merchant: &MerchantRow) -> Result<(), StoreError> {
    diesel::update(merchants::table.find(merchant.id))
        .set((
            merchants::name.eq(&merchant.name),
            merchants::email.eq(&merchant.email),
            merchants::address.eq(&merchant.address),
            merchants::imprint.eq(&merchant.imprint),
            merchants::terms.eq(&merchant.terms),
            merchants::privacy.eq(&merchant.privacy),
            merchants::terms_version.eq(merchant.terms_version),
            merchants::payouts_manual.eq(merchant.payouts_manual),
            merchants::withdrawal_everywhere.eq(merchant.withdrawal_everywhere),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keeps a new person of the staff.
pub fn insert_staff(conn: &mut Conn, person: &StaffRow) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(staff::table).values(person).execute(c)?;
    });
    Ok(())
}

/// The person with this log-in.
pub fn staff_by_email(conn: &mut Conn, email: &str) -> Result<Option<StaffRow>, StoreError> {
    Ok(staff::table
        .filter(staff::email.eq(email))
        .select(StaffRow::as_select())
        .first(conn)
        .optional()?)
}

/// The person with this id.
pub fn staff_by_id(conn: &mut Conn, id: StaffId) -> Result<Option<StaffRow>, StoreError> {
    Ok(staff::table
        .find(id)
        .select(StaffRow::as_select())
        .first(conn)
        .optional()?)
}

/// Everybody who works for a merchant.
pub fn staff_of(conn: &mut Conn, merchant: MerchantId) -> Result<Vec<StaffRow>, StoreError> {
    Ok(staff::table
        .filter(staff::merchant_id.eq(merchant))
        .select(StaffRow::as_select())
        .order(staff::id.asc())
        .load(conn)?)
}

/// Ends all sessions of a person.
pub fn end_sessions(conn: &mut Conn, id: StaffId) -> Result<(), StoreError> {
    diesel::update(staff::table.find(id))
        .set(staff::sessions.eq(staff::sessions + 1))
        .execute(conn)?;
    Ok(())
}

/// Changes a person's password where its hash is still `from`; whether it was.
pub fn set_password(
    conn: &mut Conn,
    id: StaffId,
    from: &str,
    to: &str,
) -> Result<bool, StoreError> {
    let changed = diesel::update(
        staff::table
            .filter(staff::id.eq(id))
            .filter(staff::password_hash.eq(from)),
    )
    .set(staff::password_hash.eq(to))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Keeps a key's hash.
pub fn insert_key(
    conn: &mut Conn,
    id: ApiKeyId,
    merchant: MerchantId,
    hash: &[u8],
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::insert_into(api_keys::table)
        .values((
            api_keys::id.eq(id),
            api_keys::merchant_id.eq(merchant),
            api_keys::key_hash.eq(hash),
            api_keys::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// The merchant that a key speaks for.
pub fn merchant_of_key(conn: &mut Conn, hash: &[u8]) -> Result<Option<MerchantId>, StoreError> {
    Ok(api_keys::table
        .filter(api_keys::key_hash.eq(hash))
        .select(api_keys::merchant_id)
        .first(conn)
        .optional()?)
}

/// A merchant's keys, oldest first: id and when it was made.
pub fn keys_of(
    conn: &mut Conn,
    merchant: MerchantId,
) -> Result<Vec<(ApiKeyId, NaiveDateTime)>, StoreError> {
    Ok(api_keys::table
        .filter(api_keys::merchant_id.eq(merchant))
        .select((api_keys::id, api_keys::created_at))
        .order(api_keys::id.asc())
        .load(conn)?)
}

/// Throws a merchant's key away; whether there was one.
pub fn delete_key(conn: &mut Conn, merchant: MerchantId, id: ApiKeyId) -> Result<bool, StoreError> {
    let gone = diesel::delete(
        api_keys::table
            .find(id)
            .filter(api_keys::merchant_id.eq(merchant)),
    )
    .execute(conn)?;
    Ok(gone == 1)
}

/// Keeps a new supplier.
pub fn insert_supplier(conn: &mut Conn, supplier: &SupplierRow) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(suppliers::table).values(supplier).execute(c)?;
    });
    Ok(())
}

/// Keeps a changed supplier.
pub fn save_supplier(conn: &mut Conn, supplier: &SupplierRow) -> Result<(), StoreError> {
    diesel::update(suppliers::table.find(supplier.id))
        .set((
            suppliers::name.eq(&supplier.name),
            suppliers::email.eq(&supplier.email),
            suppliers::address.eq(&supplier.address),
            suppliers::currency.eq(&supplier.currency),
            suppliers::lead_time_days.eq(supplier.lead_time_days),
            suppliers::minimum_units.eq(supplier.minimum_units),
            suppliers::capacity_units.eq(supplier.capacity_units),
            suppliers::case_pack.eq(supplier.case_pack),
            suppliers::unit_costs.eq(&supplier.unit_costs),
        ))
        .execute(conn)?;
    Ok(())
}

/// The supplier with this id.
pub fn supplier(conn: &mut Conn, id: SupplierId) -> Result<Option<SupplierRow>, StoreError> {
    Ok(suppliers::table
        .find(id)
        .select(SupplierRow::as_select())
        .first(conn)
        .optional()?)
}

/// A merchant's suppliers.
pub fn suppliers_of(conn: &mut Conn, merchant: MerchantId) -> Result<Vec<SupplierRow>, StoreError> {
    Ok(suppliers::table
        .filter(suppliers::merchant_id.eq(merchant))
        .select(SupplierRow::as_select())
        .order(suppliers::id.asc())
        .load(conn)?)
}

/// Takes `count` numbers of a merchant's documents of a kind, without gaps, from a row that stays locked until the
/// transaction ends; the first of them.
pub fn take_numbers(
    conn: &mut Conn,
    merchant: MerchantId,
    kind: &str,
    count: i64,
) -> Result<i64, StoreError> {
    let value: i64 = each_backend!(conn, c => {
        diesel::insert_into(counters::table)
            .values((
                counters::merchant_id.eq(merchant),
                counters::kind.eq(kind),
                counters::value.eq(count),
            ))
            .on_conflict((counters::merchant_id, counters::kind))
            .do_update()
            .set(counters::value.eq(counters::value + count))
            .returning(counters::value)
            .get_result(c)?
    });
    Ok(value - count + 1)
}
