//! Files that come with a form.

use actix_multipart::{Field as Part, MultipartError};
use futures_util::TryStreamExt;

/// Of files that are too large so much is read and thrown away, so that the browser gets to hear why they are refused.
pub const PATIENCE: usize = 64 * 1024 * 1024;

/// Why a part could not be read.
#[derive(Debug)]
pub enum Broken {
    /// The form did not arrive whole.
    Form(MultipartError),
    /// Nobody reads that much.
    Endless,
}

/// Reads a part up to a limit; what is beyond it is read and thrown away. Whether there was more. `read` counts what was
/// read of the whole form.
///
/// # Errors
/// That it broke off, or was longer than anybody reads.
pub async fn take(
    part: &mut Part,
    limit: usize,
    read: &mut usize,
) -> Result<(Vec<u8>, bool), Broken> {
    let (mut bytes, mut more) = (Vec::new(), false);
    while let Some(chunk) = part.try_next().await.map_err(Broken::Form)? {
        *read = read.saturating_add(chunk.len());
        if *read > PATIENCE {
            return Err(Broken::Endless);
        }
        let room = limit.saturating_sub(bytes.len());
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        more |= chunk.len() > room;
    }
    Ok((bytes, more))
}
