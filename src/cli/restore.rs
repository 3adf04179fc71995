//! `muster restore FILE`: puts a backup in place; money, purchase orders and mail then wait for `muster reconcile`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::Utc;
use flate2::read::GzDecoder;

use super::Answer;
use super::backup::{DATABASE, UPLOADS};
use crate::config::Config;
use crate::jobs::FROZEN;
use crate::secret;
use crate::store::{self, DatabaseUrl, misc};
use crate::workflows::ports::{Clock, SystemClock};

/// Puts database, uploads and secret of a backup in place of what is there; what was there is kept beside.
pub(super) fn run(config: &Config, file: &Path) -> Answer {
    let DatabaseUrl::Sqlite(database) = &config.database else {
        return Err("MUSTER_DATABASE_URL: restore fills the embedded database; for PostgreSQL use pg_restore".into());
    };
    let said = |e: std::io::Error| format!("{}: {e}", file.display());
    let unpacked = config
        .data_dir
        .join(format!("restore-{}.tmp", std::process::id()));
    let _ = fs::remove_dir_all(&unpacked);
    fs::create_dir_all(&unpacked).map_err(said)?;
    let opened = File::open(file).map_err(said)?;
    let done = tar::Archive::new(GzDecoder::new(opened))
        .unpack(&unpacked)
        .map_err(|e| format!("{} is not a backup that muster wrote: {e}", file.display()))
        .and_then(|()| put_in_place(config, Path::new(database), &unpacked));
    let _ = fs::remove_dir_all(&unpacked);
    let aside = done?;
    freeze(config)?;
    if let Some(aside) = aside {
        println!("what was there is kept as {}", aside.display());
    }
    println!(
        "restored; money, purchase orders and mail wait: start the server and run `muster reconcile`"
    );
    Ok(ExitCode::SUCCESS)
}

fn put_in_place(
    config: &Config,
    database: &Path,
    unpacked: &Path,
) -> Result<Option<PathBuf>, String> {
    let said = |e: std::io::Error| format!("restoring: {e}");
    let copy = unpacked.join(DATABASE);
    if !copy.is_file() {
        return Err("the file holds no database; it is not a backup that muster wrote".into());
    }
    if let Some(folder) = database.parent() {
        fs::create_dir_all(folder).map_err(said)?;
    }
    let mut aside = None;
    if database.exists() {
        let stamp = SystemClock.now().format("%Y%m%d-%H%M%S");
        let to = database.with_extension(format!("before-restore-{stamp}"));
        fs::rename(database, &to).map_err(said)?;
        aside = Some(to);
    }
    for ending in ["-wal", "-shm"] {
        let mut beside = database.as_os_str().to_owned();
        beside.push(ending);
        let beside = PathBuf::from(beside);
        if beside.exists() {
            if let Some(aside) = &aside {
                let mut kept = aside.as_os_str().to_owned();
                kept.push(ending);
                fs::rename(&beside, PathBuf::from(kept)).map_err(said)?;
            } else {
                fs::remove_file(&beside).map_err(said)?;
            }
        }
    }
    // Across file systems a rename fails; a copy does not.
    fs::copy(&copy, database).map_err(said)?;
    let kept = unpacked.join(secret::FILE);
    if kept.is_file() {
        fs::copy(&kept, config.data_dir.join(secret::FILE)).map_err(said)?;
    }
    let uploads = unpacked.join(UPLOADS);
    if uploads.is_dir() {
        let to = config.data_dir.join(UPLOADS);
        fs::create_dir_all(&to).map_err(said)?;
        for entry in fs::read_dir(&uploads).map_err(said)? {
            let entry = entry.map_err(said)?;
            fs::copy(entry.path(), to.join(entry.file_name())).map_err(said)?;
        }
    }
    Ok(aside)
}

/// Money, purchase orders and mail wait from now on.
fn freeze(config: &Config) -> Result<(), String> {
    let pool = store::open(&config.database, 1).map_err(|e| e.to_string())?;
    let mut conn = pool.get().map_err(|e| e.to_string())?;
    let now: chrono::DateTime<Utc> = SystemClock.now();
    misc::set_setting(&mut conn, FROZEN, &now.to_rfc3339()).map_err(|e| e.to_string())
}
