//! The server's secret: it signs links and sessions. Made at first start, kept in the data folder, readable by its
//! owner alone.

use std::fs;
use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rand::rngs::OsRng;

/// The file's name in the data folder.
pub const FILE: &str = "secret";

/// The secret that was given, or the one kept in the data folder, made where there is none.
///
/// # Errors
/// A sentence for the operator.
pub fn read_or_make(data_dir: &Path, given: Option<&str>) -> Result<Vec<u8>, String> {
    if let Some(given) = given {
        return Ok(given.trim().as_bytes().to_vec());
    }
    let path = data_dir.join(FILE);
    let failed = |e: std::io::Error| format!("MUSTER_DATA_DIR: {}: {e}", path.display());
    match fs::read_to_string(&path) {
        Ok(kept) if kept.trim().len() >= 16 => return Ok(kept.trim().as_bytes().to_vec()),
        Ok(_) => {
            return Err(format!(
                "{} is damaged; put back the one of a backup, or remove it (links that were sent stop working)",
                path.display()
            ));
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(failed(e)),
    }
    let mut bytes = [0u8; 32];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|e| format!("no randomness: {e}"))?;
    let made = URL_SAFE_NO_PAD.encode(bytes);
    write_private(&path, &made).map_err(failed)?;
    // Another process may have been first: what lies there counts.
    let kept = fs::read_to_string(&path).map_err(failed)?;
    Ok(kept.trim().as_bytes().to_vec())
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let opened = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match opened {
        Ok(mut file) => {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        }
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e),
    }
}
