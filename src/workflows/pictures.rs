//! Pictures of a campaign: what is uploaded is really decoded and written anew, so that nothing but pixels is kept.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::campaigns::own;
use super::desk::Problem;
use crate::domain::ids::{MerchantId, PictureId};
use crate::domain::text::clean_line;
use crate::store::misc::PictureRow;
use crate::store::{Tx, misc};

/// Most bytes of an uploaded file.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Most pixels across or down of an uploaded picture.
pub const MAX_SIDE: u32 = 8000;
/// Most bytes of a picture in memory: 40 million pixels.
const MAX_ALLOC: u64 = 40_000_000 * 4;
/// Pixels across of what is kept, at most.
pub const KEPT_WIDTH: u32 = 1600;
/// Quality of JPEG files that are kept.
const QUALITY: u8 = 85;
/// Most pictures of one campaign.
pub const MAX_PICTURES: usize = 12;
/// What the names of pictures begin with that only some may see.
const PRIVATE: &str = "claim-";
/// Longest description, in characters.
pub const MAX_ALT: usize = 300;

/// A decoded picture takes up to 160 MB: one at a time.
static DECODING: Semaphore = Semaphore::const_new(1);

/// A picture as it lies in the uploads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The file's name: the hash of its content.
    pub file: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// The folder of the uploads.
pub fn uploads(data_dir: &Path) -> PathBuf {
    data_dir.join("uploads")
}

/// Decodes an upload, turns it upright, makes it at most 1600 pixels wide and keeps it in the uploads. The same
/// picture twice is one file.
///
/// # Errors
/// Field `file`: not a picture, or too large; what the disk says.
pub async fn keep(data_dir: &Path, bytes: Vec<u8>) -> Result<Stored, Problem> {
    if bytes.len() > MAX_BYTES {
        return Err(too_many_bytes());
    }
    keep_as(data_dir, bytes, "").await
}

/// As [`keep`], under a name that the public address of uploads does not open.
///
/// # Errors
/// As [`keep`].
pub async fn keep_private(data_dir: &Path, bytes: Vec<u8>) -> Result<Stored, Problem> {
    if bytes.len() > MAX_BYTES {
        return Err(too_many_bytes());
    }
    keep_as(data_dir, bytes, PRIVATE).await
}

async fn keep_as(data_dir: &Path, bytes: Vec<u8>, before: &'static str) -> Result<Stored, Problem> {
    let folder = uploads(data_dir);
    let _turn = DECODING.acquire().await;
    tokio::task::spawn_blocking(move || {
        let (mut stored, clean) = renew(&bytes)?;
        stored.file.insert_str(0, before);
        write(&folder, &stored.file, &clean)
            .map_err(|e| Problem::Internal(format!("{}: {e}", folder.display())))?;
        Ok(stored)
    })
    .await
    .map_err(|e| Problem::Internal(format!("decoding ended: {e}")))?
}

/// The file has more bytes than are taken.
pub fn too_many_bytes() -> Problem {
    Problem::field(
        "file",
        "Choose a picture of at most 8 MiB; save it smaller or as JPEG.",
    )
}

fn not_a_picture() -> Problem {
    Problem::field(
        "file",
        "This file is not a picture that can be read. Choose a JPEG, PNG, WebP or GIF file.",
    )
}

fn too_large() -> Problem {
    Problem::field(
        "file",
        format!(
            "Choose a picture of at most {MAX_SIDE} pixels on each side and 40 million in all."
        ),
    )
}

/// A clean file of nothing but the pixels.
fn renew(bytes: &[u8]) -> Result<(Stored, Vec<u8>), Problem> {
    if bytes.is_empty() {
        return Err(Problem::field("file", "Choose a picture."));
    }
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|_| not_a_picture())?;
    let known = [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Gif,
    ];
    if !reader.format().is_some_and(|f| known.contains(&f)) {
        return Err(not_a_picture());
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_ALLOC);
    reader.limits(limits);
    let said = |e: image::ImageError| match e {
        image::ImageError::Limits(_) => too_large(),
        _ => not_a_picture(),
    };
    let mut decoder = reader.into_decoder().map_err(said)?;
    let (width, height) = decoder.dimensions();
    if width > MAX_SIDE || height > MAX_SIDE || decoder.total_bytes() > MAX_ALLOC {
        return Err(too_large());
    }
    // Cameras lay pictures on their side and say so in the metadata, which is not kept.
    let orientation = decoder.orientation().map_err(said)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(said)?;
    picture.apply_orientation(orientation);
    if picture.width() > KEPT_WIDTH {
        picture = picture.resize(KEPT_WIDTH, MAX_SIDE, FilterType::Triangle);
    }
    encode(&picture)
}

fn encode(picture: &DynamicImage) -> Result<(Stored, Vec<u8>), Problem> {
    let failed = |e: image::ImageError| Problem::Internal(format!("a picture's file: {e}"));
    let mut clean = Vec::new();
    let see_through = picture.color().has_alpha()
        && picture
            .to_rgba8()
            .pixels()
            .any(|pixel| pixel.0[3] < u8::MAX);
    let (ending, media_type) = if see_through {
        DynamicImage::ImageRgba8(picture.to_rgba8())
            .write_to(&mut Cursor::new(&mut clean), ImageFormat::Png)
            .map_err(failed)?;
        ("png", "image/png")
    } else {
        JpegEncoder::new_with_quality(&mut clean, QUALITY)
            .encode_image(&picture.to_rgb8())
            .map_err(failed)?;
        ("jpg", "image/jpeg")
    };
    let name: String = Sha256::digest(&clean)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let stored = Stored {
        file: format!("{name}.{ending}"),
        media_type,
        width: picture.width(),
        height: picture.height(),
    };
    Ok((stored, clean))
}

/// Writes a file whole or not at all.
fn write(folder: &Path, file: &str, bytes: &[u8]) -> std::io::Result<()> {
    let path = folder.join(file);
    if path.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    let half = folder.join(format!(".{file}.{}", PictureId::new()));
    let mut out = std::fs::File::create(&half)?;
    std::io::Write::write_all(&mut out, bytes)?;
    out.sync_all()?;
    std::fs::rename(half, path)
}

/// A kept picture's bytes and media type, by its file's name; none where there is no such file.
pub fn read(data_dir: &Path, file: &str) -> Option<(Vec<u8>, &'static str)> {
    let media_type = media_type_of(file)?;
    let bytes = std::fs::read(uploads(data_dir).join(file)).ok()?;
    Some((bytes, media_type))
}

/// The media type of a kept picture; none where the name is not one of ours.
fn media_type_of(file: &str) -> Option<&'static str> {
    let (name, ending) = file.split_once('.')?;
    let media_type = match ending {
        "jpg" => "image/jpeg",
        "png" => "image/png",
        _ => return None,
    };
    // The name is a hash and nothing else: no way out of the folder.
    let is_hash = name.len() == 64 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_hash.then_some(media_type)
}

/// As [`read`], of a picture that was kept by [`keep_private`].
pub fn read_private(data_dir: &Path, file: &str) -> Option<(Vec<u8>, &'static str)> {
    let public = file.strip_prefix(PRIVATE)?;
    let media_type = media_type_of(public)?;
    let bytes = std::fs::read(uploads(data_dir).join(file)).ok()?;
    Some((bytes, media_type))
}

fn checked_alt(alt: &str) -> Result<String, Problem> {
    clean_line(alt, MAX_ALT).map_err(|say| {
        let say = if alt.trim().is_empty() {
            "Say in a few words what is seen; some shoppers hear it.".to_owned()
        } else {
            say
        };
        Problem::field("alt", say)
    })
}

/// Puts a kept picture at the end of a campaign's.
///
/// # Errors
/// Field `alt` missing; a conflict where there are 12 already.
pub fn add(
    tx: &mut Tx,
    merchant: MerchantId,
    slug: &str,
    stored: &Stored,
    alt: &str,
) -> Result<PictureRow, Problem> {
    let campaign = own(tx, merchant, slug)?;
    let alt = checked_alt(alt)?;
    let there = misc::pictures_of(tx.conn, campaign.id)?;
    if there.len() >= MAX_PICTURES {
        return Err(Problem::field(
            "file",
            format!("A campaign has at most {MAX_PICTURES} pictures. Delete one first."),
        ));
    }
    let side = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
    let row = PictureRow {
        id: PictureId::new(),
        campaign_id: campaign.id,
        position: there.last().map_or(0, |last| last.position + 1),
        file: stored.file.clone(),
        media_type: stored.media_type.to_owned(),
        width: side(stored.width),
        height: side(stored.height),
        alt,
        created_at: tx.now.naive_utc(),
    };
    misc::insert_picture(tx.conn, &row)?;
    tx.touch(campaign.id);
    Ok(row)
}

/// Changes what is said of a picture.
///
/// # Errors
/// Field `alt` missing; [`Problem::NotFound`].
pub fn describe(
    tx: &mut Tx,
    merchant: MerchantId,
    slug: &str,
    id: PictureId,
    alt: &str,
) -> Result<(), Problem> {
    let campaign = own(tx, merchant, slug)?;
    let alt = checked_alt(alt)?;
    let row = misc::pictures_of(tx.conn, campaign.id)?
        .into_iter()
        .find(|p| p.id == id)
        .ok_or(Problem::NotFound("picture"))?;
    misc::save_picture(tx.conn, id, &alt, row.position)?;
    tx.touch(campaign.id);
    Ok(())
}

/// Moves a picture one place towards the front.
///
/// # Errors
/// [`Problem::NotFound`].
pub fn move_up(
    tx: &mut Tx,
    merchant: MerchantId,
    slug: &str,
    id: PictureId,
) -> Result<(), Problem> {
    let campaign = own(tx, merchant, slug)?;
    let mut rows = misc::pictures_of(tx.conn, campaign.id)?;
    let at = rows
        .iter()
        .position(|p| p.id == id)
        .ok_or(Problem::NotFound("picture"))?;
    if at > 0 {
        rows.swap(at, at - 1);
    }
    for (row, position) in rows.iter().zip(0..) {
        misc::save_picture(tx.conn, row.id, &row.alt, position)?;
    }
    tx.touch(campaign.id);
    Ok(())
}

/// Takes a picture out of a campaign. Its file stays: another campaign, a backup or a page in a cache may use it.
///
/// # Errors
/// [`Problem::NotFound`].
pub fn delete(tx: &mut Tx, merchant: MerchantId, slug: &str, id: PictureId) -> Result<(), Problem> {
    let campaign = own(tx, merchant, slug)?;
    misc::delete_picture(tx.conn, campaign.id, id)?.ok_or(Problem::NotFound("picture"))?;
    tx.touch(campaign.id);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Vec::new();
        picture
            .write_to(&mut Cursor::new(&mut bytes), format)
            .unwrap();
        bytes
    }

    #[test]
    fn a_wide_picture_is_kept_1600_wide_as_jpeg() {
        let wide = DynamicImage::ImageRgb8(RgbImage::from_pixel(2000, 500, Rgb([9, 99, 199])));
        let (stored, clean) = renew(&file(&wide, ImageFormat::Png)).unwrap();
        assert_eq!((stored.width, stored.height), (1600, 400));
        assert!(stored.file.ends_with(".jpg") && clean.starts_with(&[0xff, 0xd8]));
    }

    #[test]
    fn what_is_seen_through_stays_so() {
        let glass = DynamicImage::ImageRgba8(RgbaImage::from_pixel(8, 8, Rgba([1, 2, 3, 100])));
        assert_eq!(
            renew(&file(&glass, ImageFormat::WebP))
                .unwrap()
                .0
                .media_type,
            "image/png"
        );
        let solid = DynamicImage::ImageRgba8(RgbaImage::from_pixel(8, 8, Rgba([1, 2, 3, 255])));
        assert_eq!(
            renew(&file(&solid, ImageFormat::Png)).unwrap().0.media_type,
            "image/jpeg"
        );
    }

    #[test]
    fn fakes_are_refused() {
        let real = file(
            &DynamicImage::ImageRgb8(RgbImage::from_pixel(64, 64, Rgb([1, 2, 3]))),
            ImageFormat::Png,
        );
        let cut = &real[..real.len() / 2];
        for fake in [
            &b"<svg/>"[..],
            b"\x89PNG\r\n\x1a\nnothing",
            b"GIF89a",
            b"",
            cut,
        ] {
            assert!(renew(fake).is_err());
        }
    }

    #[test]
    fn a_picture_that_unpacks_to_too_much_is_refused_before_it_is_unpacked() {
        let tall = DynamicImage::ImageRgb8(RgbImage::new(1, 8001));
        assert!(renew(&file(&tall, ImageFormat::Png)).is_err());
    }

    #[test]
    fn no_name_leads_out_of_the_uploads() {
        for name in ["../secret", "..%2fsecret.png", "a.png", ".png", "x"] {
            assert!(read(Path::new("/"), name).is_none());
        }
    }
}
