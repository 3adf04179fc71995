//! `muster demo`: a throw-away example shop, served in the sandbox.

use std::process::ExitCode;

use chrono::Duration;

use super::Answer;
use crate::app::{App, Role};
use crate::config::Config;
use crate::demo;
use crate::sandbox::Sandbox;
use crate::store::DatabaseUrl;

/// Fills a new shop in a folder of its own, serves it until told to stop, and throws it away.
pub(super) async fn run(mut config: Config) -> Answer {
    if config.provider.as_ref().is_some_and(|p| p.live) {
        return Err("STRIPE_SECRET_KEY: the example shop takes no live key; leave it out".into());
    }
    let folder = std::env::temp_dir().join(format!("muster-demo-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    config.sandbox = true;
    config.provider = None;
    config.data_dir.clone_from(&folder);
    config.database = DatabaseUrl::Sqlite(folder.join("muster.db").display().to_string());
    let served = serve(config, &folder).await;
    let _ = std::fs::remove_dir_all(&folder);
    served
}

async fn serve(config: Config, folder: &std::path::Path) -> Answer {
    Sandbox::begin_earlier(folder, Duration::days(demo::BEGINS_DAYS_AGO))
        .map_err(|e| e.to_string())?;
    let app = App::build(config, Role::Pages)?;
    let running = app.start(Role::Pages).await?;
    let Some(sandbox) = running.app.sandbox.clone() else {
        return Err("the sandbox is not on".into());
    };
    println!("filling the example shop ...");
    let log_ins = demo::fill(&running, &sandbox).await?;
    running
        .app
        .worker
        .start(true)
        .await
        .map_err(|e| e.to_string())?;
    let address = &running.app.public_url;
    println!();
    println!("  shop      {address}/");
    println!("  panel     {address}/admin");
    for log_in in &log_ins {
        println!(
            "            {} / {}   ({})",
            log_in.email,
            demo::PASSWORD,
            log_in.merchant
        );
    }
    println!("  sandbox   {address}/sandbox        clock, faults, payments");
    println!("  mailbox   {address}/sandbox/mail");
    println!();
    println!(
        "  card 4242 4242 4242 4242 pays; no real money moves; Ctrl-C ends it and throws it away"
    );
    running.until_told().await;
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}
