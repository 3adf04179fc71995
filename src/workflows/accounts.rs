//! Merchants, the people who work for them, their passwords, and the keys their programs use.

use argon2::password_hash::{PasswordHash as Phc, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;
use tokio::sync::Semaphore;

use super::desk::Problem;
use crate::domain::draft::FieldError;
use crate::domain::ids::{ApiKeyId, MerchantId, StaffId};
use crate::domain::slug::slugify;
use crate::domain::staff::Role;
use crate::domain::text::{clean_line, clean_text, normalize_email};
use crate::store::merchants::{MerchantRow, StaffRow};
use crate::store::{Tx, campaigns, merchants};

/// Least and most characters of a password.
pub const PASSWORD_LENGTH: (usize, usize) = (8, 200);
/// Longest name of a merchant, in characters.
pub const MAX_NAME: usize = 120;
/// Longest postal address, in characters.
pub const MAX_ADDRESS: usize = 500;
/// Longest imprint, terms or privacy page, in characters of Markdown.
pub const MAX_PAGE: usize = 50_000;

/// A password's hash: Argon2id in PHC notation. The password itself is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// Each hash takes 19 MiB and a good part of a core: few at a time.
static HASHING: Semaphore = Semaphore::const_new(2);

/// What an unknown address is compared with, so that its answer takes as long as a known one's.
static NOBODY: LazyLock<String> =
    LazyLock::new(|| hash_with_salt("nobody", &[7; 16]).unwrap_or_default());

fn argon() -> Argon2<'static> {
    // OWASP's first choice: 19 MiB, two passes, one lane.
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

fn hash_with_salt(password: &str, salt: &[u8; 16]) -> Result<String, Problem> {
    let failed = |e: argon2::password_hash::Error| Problem::Internal(format!("argon2: {e}"));
    let salt = SaltString::encode_b64(salt).map_err(failed)?;
    let hash = argon()
        .hash_password(password.as_bytes(), &salt)
        .map_err(failed)?;
    Ok(hash.to_string())
}

/// Bytes from the system's source of randomness.
fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|e| Problem::Internal(format!("no randomness: {e}")))?;
    Ok(bytes)
}

impl PasswordHash {
    /// Hashes a password, on this thread: for commands. Takes tens of milliseconds.
    ///
    /// # Errors
    /// Field `password`: too short or too long.
    pub fn make(password: &str) -> Result<Self, Problem> {
        let (least, most) = PASSWORD_LENGTH;
        let length = password.chars().count();
        if !(least..=most).contains(&length) {
            let say = format!("Write {least} to {most} characters; a few unrelated words do well.");
            return Err(Problem::field("password", say));
        }
        hash_with_salt(password, &random()?).map(Self)
    }
}

/// Hashes a password away from the threads that serve, at most two at a time.
///
/// # Errors
/// As [`PasswordHash::make`].
pub async fn hash_password(password: String) -> Result<PasswordHash, Problem> {
    let _turn = HASHING.acquire().await;
    run(move || PasswordHash::make(&password)).await?
}

/// Whether a password is the one behind a kept hash, at most two at a time. Without a hash (nobody has that address)
/// the work is the same and the answer no.
///
/// # Errors
/// That the work could not be done.
pub async fn is_password(kept: Option<String>, password: String) -> Result<bool, Problem> {
    let _turn = HASHING.acquire().await;
    run(move || {
        let nobody = LazyLock::force(&NOBODY);
        let known = kept.is_some();
        let kept = kept.unwrap_or_else(|| nobody.clone());
        // More than the longest password was never set, and hashing a megabyte would be somebody's sport.
        let fits = password.chars().count() <= PASSWORD_LENGTH.1;
        let password = if fits { password } else { String::new() };
        let same = Phc::new(&kept)
            .is_ok_and(|hash| argon().verify_password(password.as_bytes(), &hash).is_ok());
        same && known && fits
    })
    .await
}

async fn run<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(f)
        .await
        .map_err(|e| Problem::Internal(format!("hashing ended: {e}")))
}

/// What a session remembers of its person: it changes with the password and with each log-out, and tells nothing of them.
pub fn fingerprint(person: &StaffRow) -> String {
    let mut hash = Sha256::new();
    hash.update(b"session");
    hash.update(person.sessions.to_be_bytes());
    hash.update(person.password_hash.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..12])
}

/// The merchant with this name, made where there is none.
///
/// # Errors
/// Field `merchant`: not a name.
pub fn merchant_named(tx: &mut Tx, name: &str) -> Result<MerchantRow, Problem> {
    let name = clean_line(name, MAX_NAME).map_err(|say| Problem::field("merchant", say))?;
    let slug = Some(slugify(&name)).filter(|s| !s.is_empty());
    let slug = slug.unwrap_or_else(|| "shop".to_owned());
    if let Some(known) = merchants::by_slug(tx.conn, &slug)? {
        if known.name == name || slug != "shop" {
            return Ok(known);
        }
        return Err(Problem::field(
            "merchant",
            "Write a name with Latin letters or digits: its address is made of it.",
        ));
    }
    let row = MerchantRow {
        id: MerchantId::new(),
        slug,
        name,
        email: String::new(),
        address: String::new(),
        imprint: String::new(),
        terms: String::new(),
        privacy: String::new(),
        terms_version: 0,
        payouts_manual: false,
        created_at: tx.now.naive_utc(),
        withdrawal_everywhere: false,
    };
    merchants::insert(tx.conn, &row)?;
    Ok(row)
}

/// Lets a person work for a merchant; makes the merchant where there is none.
///
/// # Errors
/// Fields `merchant`, `email`; a conflict where the address has a log-in already.
pub fn add_staff(
    tx: &mut Tx,
    merchant_name: &str,
    email: &str,
    role: Role,
    password: &PasswordHash,
) -> Result<StaffRow, Problem> {
    let email = normalize_email(email).map_err(|say| Problem::field("email", say))?;
    if merchants::staff_by_email(tx.conn, &email)?.is_some() {
        return Err(Problem::conflict(
            "email-taken",
            format!("{email} has a log-in already."),
        ));
    }
    let mut merchant = merchant_named(tx, merchant_name)?;
    if merchant.email.is_empty() {
        // Somebody must be reachable from the first day; the settings change it.
        merchant.email = email.clone();
        merchants::save(tx.conn, &merchant)?;
    }
    let name = email.split('@').next().unwrap_or(&email).to_owned();
    let row = StaffRow {
        id: StaffId::new(),
        merchant_id: merchant.id,
        email,
        name,
        role,
        password_hash: password.0.clone(),
        created_at: tx.now.naive_utc(),
        sessions: 0,
    };
    merchants::insert_staff(tx.conn, &row)?;
    Ok(row)
}

/// A person logs out: the session that says `mark`, and every other one of that person, also where its cookie was copied.
/// A mark of a session that is over ends nothing.
///
/// # Errors
/// What the database says.
pub fn log_out(tx: &mut Tx, person: StaffId, mark: &str) -> Result<(), Problem> {
    let known = merchants::staff_by_id(tx.conn, person)?;
    if known.is_some_and(|person| fingerprint(&person) == mark) {
        merchants::end_sessions(tx.conn, person)?;
    }
    Ok(())
}

/// A person changes the own password; every other session of the person ends with it. `seen` is the hash that the
/// present password was compared with.
///
/// # Errors
/// A conflict where it was changed meanwhile.
pub fn change_password(
    tx: &mut Tx,
    person: StaffId,
    seen: &str,
    new: &PasswordHash,
) -> Result<StaffRow, Problem> {
    if !merchants::set_password(tx.conn, person, seen, &new.0)? {
        return Err(Problem::conflict(
            "password-changed",
            "The password was changed meanwhile; log in with the new one.",
        ));
    }
    merchants::staff_by_id(tx.conn, person)?.ok_or(Problem::NotFound("person"))
}

/// A merchant's settings as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MerchantInput {
    /// Name.
    pub name: String,
    /// Where shoppers' answers go.
    pub email: String,
    /// Postal address, in lines.
    pub address: String,
    /// Markdown.
    pub imprint: String,
    /// Markdown.
    pub terms: String,
    /// Markdown.
    pub privacy: String,
    /// Whether payouts at the provider are manual.
    pub payouts_manual: bool,
    /// Whether shoppers may withdraw also where no law says so.
    pub withdrawal_everywhere: bool,
}

/// Keeps a merchant's settings. The version of the terms rises when their text changes: orders keep the version they
/// were placed under.
///
/// # Errors
/// Everything that is wrong with the fields.
pub fn edit_merchant(
    tx: &mut Tx,
    id: MerchantId,
    input: &MerchantInput,
) -> Result<MerchantRow, Problem> {
    let mut errors = Vec::new();
    let mut keep = |field: &str, result: Result<String, String>| {
        result.unwrap_or_else(|say| {
            errors.push(FieldError::new(field, say));
            String::new()
        })
    };
    let name = keep("name", clean_line(&input.name, MAX_NAME));
    let email = keep("email", normalize_email(&input.email).map_err(Into::into));
    let address = keep("address", clean_text(&input.address, MAX_ADDRESS));
    let imprint = keep("imprint", clean_text(&input.imprint, MAX_PAGE));
    let terms = keep("terms", clean_text(&input.terms, MAX_PAGE));
    let privacy = keep("privacy", clean_text(&input.privacy, MAX_PAGE));
    if !errors.is_empty() {
        return Err(Problem::Invalid(errors));
    }
    let mut row = merchants::by_id(tx.conn, id)?.ok_or(Problem::NotFound("merchant"))?;
    if row.terms != terms {
        row.terms_version = row.terms_version.saturating_add(1);
    }
    row.name = name;
    row.email = email;
    row.address = address;
    row.imprint = imprint;
    row.terms = terms;
    row.privacy = privacy;
    row.payouts_manual = input.payouts_manual;
    row.withdrawal_everywhere = input.withdrawal_everywhere;
    merchants::save(tx.conn, &row)?;
    // The seller's name, address and terms stand on every page of its campaigns.
    let mut before = None;
    loop {
        let some = campaigns::of_merchant(tx.conn, id, before, 100)?;
        for campaign in &some {
            tx.touch(campaign.id);
        }
        before = some.last().map(|c| c.id);
        if some.len() < 100 {
            break;
        }
    }
    Ok(row)
}

/// Makes a key for a merchant's programs. It is shown this once; only its hash is kept.
///
/// # Errors
/// What the database says.
pub fn create_api_key(tx: &mut Tx, merchant: MerchantId) -> Result<String, Problem> {
    let key = format!("mk_{}", URL_SAFE_NO_PAD.encode(random::<32>()?));
    let now = tx.now.naive_utc();
    merchants::insert_key(tx.conn, ApiKeyId::new(), merchant, &key_hash(&key), now)?;
    Ok(key)
}

/// Revokes a key: it opens nothing from now on.
///
/// # Errors
/// [`Problem::NotFound`], also where it is another merchant's.
pub fn revoke_api_key(tx: &mut Tx, merchant: MerchantId, id: ApiKeyId) -> Result<(), Problem> {
    if merchants::delete_key(tx.conn, merchant, id)? {
        Ok(())
    } else {
        Err(Problem::NotFound("key"))
    }
}

/// What is kept of a key. It holds 256 random bits, so a fast hash will do.
pub fn key_hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_nobody_has_none() {
        let hash = hash_password("unrelated words".into()).await.unwrap();
        assert!(hash.0.starts_with("$argon2id$"));
        let kept = Some(hash.0);
        assert!(
            is_password(kept.clone(), "unrelated words".into())
                .await
                .unwrap()
        );
        assert!(
            !is_password(kept.clone(), "unrelated word".into())
                .await
                .unwrap()
        );
        assert!(!is_password(kept, "x".repeat(1_000_000)).await.unwrap());
        assert!(!is_password(None, "nobody".into()).await.unwrap());
    }

    #[test]
    fn a_short_password_is_refused_and_no_two_hashes_are_alike() {
        assert!(PasswordHash::make("short").is_err());
        assert_ne!(
            PasswordHash::make("long enough").unwrap(),
            PasswordHash::make("long enough").unwrap()
        );
    }
}
