//! `muster audit`.

use std::process::ExitCode;

use super::Answer;
use crate::app::{App, Role};
use crate::config::Config;
use crate::jobs::{CompareError, compare};
use crate::workflows::audit::audit;

/// Checks every rule; also in the middle of work.
pub(super) async fn run(config: Config) -> Answer {
    let app = App::build(config, Role::Command)?;
    let now = app.office.now();
    let ours = app.office.read(move |conn| audit(conn, now)).await;
    let ours = ours.map_err(|e| e.to_string())?;
    let theirs = compare(&app.office).await;
    let office = app.office.clone();
    let _ = tokio::task::spawn_blocking(move || office.stop()).await;
    for breach in &ours {
        println!("{breach}");
    }
    let mut some = !ours.is_empty();
    let asked = match theirs {
        Ok(found) => {
            some |= !found.is_empty();
            for line in found {
                println!("rule 8: {line}");
            }
            true
        }
        Err(CompareError::Provider(e)) => {
            println!("rule 8 was not checked: the provider could not be asked: {e}");
            false
        }
        Err(CompareError::Ours(e)) => return Err(e.to_string()),
    };
    Ok(match (some, asked) {
        (true, _) => ExitCode::FAILURE,
        (false, false) => ExitCode::from(2),
        (false, true) => {
            println!("no breach");
            ExitCode::SUCCESS
        }
    })
}
