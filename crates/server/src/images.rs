//! Pictures of people and the logo of the house: what comes in is decoded within bounds and written anew, so that nothing
//! of the file somebody sent is ever passed on: no metadata, no second format hidden behind the first.

use std::io::Cursor;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use tokio::sync::Semaphore;

/// What is read of an image at most, in bytes.
pub const MOST_BYTES: usize = 1024 * 1024;
/// Cameras of telephones make some 4 000 × 3 000.
const MOST_SIDE: u32 = 8_192;
/// While decoding, in bytes: 24 million pixels, and what the decoder needs beside them.
const MOST_MEMORY: u64 = 128 * 1024 * 1024;
const JPEG_QUALITY: u8 = 88;

/// Sides of what is kept.
const PERSON: u32 = 256;
const LOGO: (u32, u32) = (512, 256);

/// So many are decoded at once; others wait.
static DECODING: Semaphore = Semaphore::const_new(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A square out of the middle. JPEG, or PNG where it is transparent.
    Person,
    /// Whole, as PNG.
    Logo,
}

/// Ready to be stored and served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub bytes: Vec<u8>,
    /// Another value for another image, the same for the same.
    pub version: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    #[error("the image is larger than {MOST_BYTES} bytes")]
    TooLarge,
    #[error("not a JPEG, PNG or WebP image of bearable size")]
    Unreadable,
}

/// Takes some tens of milliseconds of a core, away from the threads that serve.
pub async fn prepare(bytes: Bytes, purpose: Purpose) -> Result<Image, ImageError> {
    if bytes.len() > MOST_BYTES {
        return Err(ImageError::TooLarge);
    }
    let made = in_turn(&DECODING, move || remake(&bytes, purpose)).await;
    made.flatten().ok_or(ImageError::Unreadable)
}

/// The permit goes with the work, which goes on when whoever asked has gone away.
async fn in_turn<T: Send + 'static>(
    turns: &'static Semaphore,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let permit = turns.acquire().await.ok()?;
    let done = tokio::task::spawn_blocking(move || {
        let _held = permit;
        work()
    });
    done.await.ok()
}

/// What an image of ours is; it begins with its kind.
pub fn content_type(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(b"\x89PNG") {
        "image/png"
    } else {
        "image/jpeg"
    }
}

fn remake(bytes: &[u8], purpose: Purpose) -> Option<Image> {
    let image = decode(bytes)?;
    let bytes = match purpose {
        Purpose::Person => person(&image)?,
        Purpose::Logo => png(&within(&image, LOGO))?,
    };
    let hash = digest(&SHA256, &bytes);
    let version = hash.as_ref().iter().take(8);
    let version = version.map(|byte| format!("{byte:02x}")).collect();
    Some(Image { bytes, version })
}

fn decode(bytes: &[u8]) -> Option<DynamicImage> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .ok()?;
    let known = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP];
    if !reader.format().is_some_and(|kind| known.contains(&kind)) {
        return None;
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_SIDE);
    limits.max_image_height = Some(MOST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().ok()?;
    limits.reserve(decoder.total_bytes()).ok()?;
    let orientation = decoder.orientation().ok()?;
    let mut image = DynamicImage::from_decoder(decoder).ok()?;
    image.apply_orientation(orientation);
    Some(image)
}

fn person(image: &DynamicImage) -> Option<Vec<u8>> {
    let side = image.width().min(image.height());
    let (left, top) = ((image.width() - side) / 2, (image.height() - side) / 2);
    let square = within(&image.crop_imm(left, top, side, side), (PERSON, PERSON));
    let transparent = square.color().has_alpha()
        && square
            .to_rgba8()
            .pixels()
            .any(|pixel| matches!(pixel.0, [_, _, _, alpha] if alpha < u8::MAX));
    if transparent {
        return png(&square);
    }
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    square.to_rgb8().write_with_encoder(encoder).ok()?;
    Some(bytes)
}

/// Smaller if it has to be, never larger.
fn within(image: &DynamicImage, (width, height): (u32, u32)) -> DynamicImage {
    if image.width() <= width && image.height() <= height {
        return image.clone();
    }
    image.resize(width, height, FilterType::Triangle)
}

fn png(image: &DynamicImage) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let plain = DynamicImage::from(image.to_rgba8());
    plain
        .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
        .ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::mpsc;
    use std::task::{Context, Waker};

    use super::*;
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    /// Left half red, right half blue.
    fn halves(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, _| {
            Rgb(if x < width / 2 {
                [220, 0, 0]
            } else {
                [0, 0, 220]
            })
        })
    }

    fn written(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Vec::new();
        image
            .write_to(&mut Cursor::new(&mut bytes), format)
            .expect("an image");
        bytes
    }

    /// With an EXIF block that says how the camera was held.
    fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        let length = u16::try_from(exif.len() + 2).expect("short").to_be_bytes();
        [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
    }

    async fn made(bytes: &[u8], purpose: Purpose) -> Result<(DynamicImage, Image), ImageError> {
        let made = prepare(Bytes::copy_from_slice(bytes), purpose).await?;
        let image = image::load_from_memory(&made.bytes).expect("what we made can be read");
        Ok((image, made))
    }

    #[tokio::test]
    async fn every_kind_becomes_a_small_square_of_a_person() {
        let wide = DynamicImage::from(halves(900, 300));
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let (image, made) = made(&written(&wide, format), Purpose::Person)
                .await
                .expect("an image");
            assert_eq!((image.width(), image.height()), (256, 256), "{format:?}");
            assert_eq!(content_type(&made.bytes), "image/jpeg");
            let pixels = image.to_rgb8();
            assert!(pixels.get_pixel(20, 128).0[0] > 180, "red stays left");
            assert!(pixels.get_pixel(230, 128).0[2] > 180, "blue stays right");
        }
    }

    #[tokio::test]
    async fn the_camera_may_have_been_held_any_way_and_nothing_it_wrote_goes_on() {
        let jpeg = written(&DynamicImage::from(halves(200, 200)), ImageFormat::Jpeg);
        // A quarter turn to the right brings left to the top.
        let (image, made) = made(&turned(&jpeg, 6), Purpose::Person)
            .await
            .expect("an image");
        let pixels = image.to_rgb8();
        assert!(pixels.get_pixel(100, 10).0[0] > 180, "red is above");
        assert!(pixels.get_pixel(100, 190).0[2] > 180, "blue is below");
        assert!(!made.bytes.windows(4).any(|four| four == b"Exif"));
    }

    #[tokio::test]
    async fn a_logo_stays_whole_and_transparent_and_is_never_blown_up() {
        let clear = RgbaImage::from_pixel(1024, 128, Rgba([9, 9, 9, 0]));
        let (image, made) = made(
            &written(&DynamicImage::from(clear), ImageFormat::WebP),
            Purpose::Logo,
        )
        .await
        .expect("an image");
        assert_eq!((image.width(), image.height()), (512, 64));
        assert_eq!(content_type(&made.bytes), "image/png");
        assert_eq!(image.to_rgba8().get_pixel(5, 5).0[3], 0);
        let small = written(&DynamicImage::from(halves(10, 20)), ImageFormat::Png);
        let (image, _) = super::tests::made(&small, Purpose::Logo)
            .await
            .expect("an image");
        assert_eq!((image.width(), image.height()), (10, 20));
    }

    #[tokio::test]
    async fn the_version_tells_one_image_from_another() {
        let version = async |width| {
            let bytes = written(&DynamicImage::from(halves(width, 40)), ImageFormat::Png);
            let made = made(&bytes, Purpose::Logo).await.expect("an image");
            made.1.version
        };
        assert_eq!(version(40).await, version(40).await);
        assert_ne!(version(40).await, version(44).await);
    }

    #[tokio::test]
    async fn what_is_no_image_or_too_much_of_one_is_refused() {
        let good = written(&DynamicImage::from(halves(64, 64)), ImageFormat::Png);
        let huge = written(
            &DynamicImage::from(image::GrayImage::new(MOST_SIDE + 1, 8)),
            ImageFormat::Png,
        );
        // Little to send and a lot to hold.
        let bomb = written(
            &DynamicImage::from(RgbaImage::new(6_000, 6_000)),
            ImageFormat::Png,
        );
        assert!(bomb.len() < MOST_BYTES, "{}", bomb.len());
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
        for (what, bytes, expect) in [
            ("an image", good.clone(), None),
            ("nothing", Vec::new(), Some(ImageError::Unreadable)),
            (
                "half an image",
                good[..good.len() / 2].to_vec(),
                Some(ImageError::Unreadable),
            ),
            ("SVG", svg.to_vec(), Some(ImageError::Unreadable)),
            (
                "GIF",
                b"GIF89a\x01\0\x01\0\x80\0\0".to_vec(),
                Some(ImageError::Unreadable),
            ),
            ("too wide", huge, Some(ImageError::Unreadable)),
            ("a bomb", bomb, Some(ImageError::Unreadable)),
            (
                "too many bytes",
                vec![0; MOST_BYTES + 1],
                Some(ImageError::TooLarge),
            ),
        ] {
            let refused = made(&bytes, Purpose::Person).await.err();
            assert_eq!(refused, expect, "{what}");
        }
    }

    #[tokio::test]
    async fn who_leaves_gives_no_turn_back_before_their_image_is_done() {
        static TURNS: Semaphore = Semaphore::const_new(1);
        let (finish, finished) = mpsc::channel::<()>();
        {
            let left = pin!(in_turn(&TURNS, move || finished.recv()));
            let poll = left.poll(&mut Context::from_waker(Waker::noop()));
            assert!(poll.is_pending());
        }
        assert_eq!(TURNS.available_permits(), 0);
        drop(finish);
        assert_eq!(in_turn(&TURNS, || 1).await, Some(1), "and then does");
    }
}
