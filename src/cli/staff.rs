//! `muster staff add` and `muster api-key`.

use std::process::ExitCode;

use super::Answer;
use crate::app::ground;
use crate::config::Config;
use crate::domain::ids::MerchantId;
use crate::domain::staff::Role;
use crate::store::{Tx, merchants, write_on};
use crate::workflows::accounts::{self, PasswordHash};
use crate::workflows::desk::Problem;

/// Where the password may stand, so that it is not asked for.
const PASSWORD: &str = "MUSTER_PASSWORD";

/// Lets a person work for a merchant; makes the merchant where there is none.
pub(super) fn add(config: &Config, merchant: &str, email: &str, role: &str) -> Answer {
    let role: Role = role
        .parse()
        .map_err(|_| "--role: write owner, manager, fulfilment or viewer".to_owned())?;
    let password = match std::env::var(PASSWORD) {
        Ok(given) => given,
        Err(_) => rpassword::prompt_password("Password: ")
            .map_err(|e| format!("{PASSWORD}: set it, or run this where it can be asked: {e}"))?,
    };
    let password = PasswordHash::make(&password).map_err(|e| said(&e))?;
    let ground = ground(config, "http://localhost", 1)?;
    let mut conn = ground.pool.get().map_err(|e| e.to_string())?;
    let now = ground.clock.now();
    let person = write_on(&mut conn, now, |tx| {
        accounts::add_staff(tx, merchant, email, role, &password)
    })
    .map_err(|e| said(&e))?;
    println!("{} may log in as {}", person.email, person.role);
    Ok(ExitCode::SUCCESS)
}

/// Makes a key for a merchant's programs and prints it, alone, once.
pub(super) fn create_key(config: &Config, slug: &str) -> Answer {
    let key = for_merchant(config, slug, |tx, merchant| {
        accounts::create_api_key(tx, merchant)
    })?;
    println!("{key}");
    Ok(ExitCode::SUCCESS)
}

/// Prints a merchant's keys.
pub(super) fn list_keys(config: &Config, slug: &str) -> Answer {
    let keys = for_merchant(config, slug, |tx, merchant| {
        Ok(merchants::keys_of(tx.conn, merchant)?)
    })?;
    for (id, made) in keys {
        println!("{id} {}", made.format("%Y-%m-%dT%H:%M:%SZ"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Revokes a key.
pub(super) fn revoke_key(config: &Config, slug: &str, id: &str) -> Answer {
    let missing =
        || format!("there is no key {id}; `muster api-key list --merchant {slug}` names them");
    let key = id.parse().map_err(|_| missing())?;
    let found = for_merchant(config, slug, |tx, merchant| {
        Ok(merchants::delete_key(tx.conn, merchant, key)?)
    })?;
    if found {
        Ok(ExitCode::SUCCESS)
    } else {
        Err(missing())
    }
}

fn for_merchant<T>(
    config: &Config,
    slug: &str,
    work: impl FnOnce(&mut Tx, MerchantId) -> Result<T, Problem>,
) -> Result<T, String> {
    let ground = ground(config, "http://localhost", 1)?;
    let mut conn = ground.pool.get().map_err(|e| e.to_string())?;
    let now = ground.clock.now();
    write_on(&mut conn, now, |tx| {
        let merchant =
            merchants::by_slug(tx.conn, slug)?.ok_or(Problem::NotFound("merchant"))?;
        work(tx, merchant.id)
    })
    .map_err(|e| match e {
        Problem::NotFound("merchant") => format!(
            "--merchant: there is no merchant {slug}; make it with `muster staff add --merchant NAME ...`"
        ),
        other => said(&other),
    })
}

/// A problem as a sentence for the terminal.
fn said(problem: &Problem) -> String {
    match problem {
        Problem::Invalid(errors) => errors
            .iter()
            .map(|e| format!("--{}: {}", e.field, e.message))
            .collect::<Vec<_>>()
            .join("; "),
        other => other.to_string(),
    }
}
