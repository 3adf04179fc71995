//! `muster backup FILE`: a consistent copy while the server runs.

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use diesel::connection::SimpleConnection;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::Answer;
use crate::config::Config;
use crate::secret;
use crate::store::{self, Conn, DatabaseUrl};

/// The database's name in a backup.
pub(super) const DATABASE: &str = "muster.db";
/// The uploads' folder in a backup and in the data folder.
pub(super) const UPLOADS: &str = "uploads";

/// Writes database, uploads and secret into one file.
pub(super) fn run(config: &Config, file: &Path) -> Answer {
    if !config.database.is_sqlite() {
        return Err(
            "MUSTER_DATABASE_URL: backup copies the embedded database; for PostgreSQL use pg_dump, and copy the uploads \
             folder and the secret"
                .into(),
        );
    }
    let failed = |what: &Path, e: std::io::Error| format!("{}: {e}", what.display());
    let copy = config
        .data_dir
        .join(format!("backup-{}.tmp", std::process::id()));
    vacuum_into(&config.database, &copy)?;
    // Written beside and renamed: a file of this name is always a whole backup.
    let part = file.with_extension("part");
    let written = write(config, &copy, &part);
    let _ = std::fs::remove_file(&copy);
    written.map_err(|e| failed(&part, e))?;
    std::fs::rename(&part, file).map_err(|e| failed(file, e))?;
    println!("{}", file.display());
    Ok(ExitCode::SUCCESS)
}

fn vacuum_into(database: &DatabaseUrl, copy: &Path) -> Result<(), String> {
    let _ = std::fs::remove_file(copy);
    let mut conn = store::connect(database).map_err(|e| e.to_string())?;
    let target = copy.display().to_string().replace('\'', "''");
    match &mut conn {
        Conn::Sqlite(c) => c
            .batch_execute(&format!("VACUUM INTO '{target}'"))
            .map_err(|e| format!("the copy failed: {e}")),
        #[cfg(feature = "postgres")]
        Conn::Postgres(_) => Err("not the embedded database".into()),
    }
}

fn write(config: &Config, copy: &Path, part: &Path) -> std::io::Result<()> {
    let mut archive = tar::Builder::new(GzEncoder::new(File::create(part)?, Compression::fast()));
    archive.append_path_with_name(copy, DATABASE)?;
    let kept = config.data_dir.join(secret::FILE);
    if kept.exists() {
        archive.append_path_with_name(kept, secret::FILE)?;
    }
    let uploads = config.data_dir.join(UPLOADS);
    if uploads.is_dir() {
        archive.append_dir_all(UPLOADS, uploads)?;
    }
    archive.into_inner()?.finish()?.sync_all()
}
