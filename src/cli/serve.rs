//! `muster serve` and `muster worker`.

use std::process::ExitCode;

use super::Answer;
use crate::app::{App, Role};
use crate::config::Config;

/// Serves until told to stop.
pub(super) async fn run(config: Config, no_worker: bool) -> Answer {
    let role = if no_worker {
        Role::Pages
    } else {
        Role::Everything
    };
    let app = App::build(config, role)?;
    let running = app.start(role).await?;
    log::info!("listening: {}", running.app.public_url);
    if running.app.sandbox.is_some() {
        log::info!("sandbox: {}/sandbox", running.app.public_url);
    }
    running.until_told().await;
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Works until told to stop.
pub(super) async fn work(config: Config) -> Answer {
    let app = App::build(config, Role::Work)?;
    let running = app.start(Role::Work).await?;
    log::info!("working");
    running.until_told().await;
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}
