//! `muster reconcile`.

use std::process::ExitCode;

use super::Answer;
use crate::app::{App, Role};
use crate::config::Config;
use crate::jobs::reconcile;

/// Compares and repairs; exit 1 where a person is needed, or the provider could not be asked.
pub(super) async fn run(config: Config) -> Answer {
    let app = App::build(config, Role::Command)?;
    let report = reconcile(&app.office).await;
    let office = app.office.clone();
    let _ = tokio::task::spawn_blocking(move || office.stop()).await;
    let report = match report {
        Ok(report) => report,
        Err(e) => {
            println!("not compared: {e}");
            return Ok(ExitCode::FAILURE);
        }
    };
    for line in &report.repaired {
        println!("repaired: {line}");
    }
    for line in &report.left {
        println!("left: {line}");
    }
    println!(
        "{} movements agree, {} repaired, {} left",
        report.agree,
        report.repaired.len(),
        report.left.len()
    );
    Ok(if report.left.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
