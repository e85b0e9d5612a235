//! Makes `fixtures/people.bin`, the media that bots send, with ffmpeg (libvpx and libopus): for each identity a camera in
//! three sizes, a screen and a voice. Run it from the crate's directory when the pictures shall change:
//! `cargo run -p bot --example make_fixtures -- crates/bot/fixtures/people.bin`. The library only reads the result.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};

const PEOPLE: u8 = 24;
const FONT: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf";

fn main() -> Result<()> {
    let target = PathBuf::from(std::env::args().nth(1).context("name the file to write")?);
    let work = std::env::temp_dir().join(format!("stube-fixtures-{}", std::process::id()));
    fs::create_dir_all(&work)?;
    let mut pack = vec![PEOPLE];
    for identity in 1..=PEOPLE {
        for (width, height) in [(160, 90), (320, 180), (640, 360)] {
            append(
                &mut pack,
                &picture(&work, identity, &format!("P{identity}"), width, height, 15)?,
            )?;
        }
        append(
            &mut pack,
            &picture(
                &work,
                identity | 0x80,
                &format!("Screen {identity}"),
                640,
                360,
                5,
            )?,
        )?;
        append(&mut pack, &voice(&work, identity)?)?;
    }
    fs::write(&target, &pack)?;
    fs::remove_dir_all(&work)?;
    writeln!(std::io::stdout(), "{} bytes", pack.len())?;
    Ok(())
}

fn append(pack: &mut Vec<u8>, frames: &[Vec<u8>]) -> Result<()> {
    pack.extend(u16::try_from(frames.len())?.to_be_bytes());
    for frame in frames {
        pack.extend(u16::try_from(frame.len())?.to_be_bytes());
        pack.extend(frame);
    }
    Ok(())
}

/// Two seconds of VP8: the barcode in the top quarter, the words below it, and a block that wanders. One keyframe, first.
fn picture(
    work: &Path,
    code: u8,
    words: &str,
    width: u32,
    height: u32,
    rate: u32,
) -> Result<Vec<Vec<u8>>> {
    let file = work.join("picture.ivf");
    let hue = u32::from(code) * 47 % 360;
    let mut filter = String::new();
    for bit in 0..8 {
        let colour = if code >> bit & 1 == 1 {
            "white"
        } else {
            "black"
        };
        filter += &format!("drawbox=x={bit}*iw/8:y=0:w=iw/8:h=ih/4:c={colour}:t=fill,");
    }
    filter += &format!(
        "drawtext=fontfile={FONT}:text='{words}':fontsize=h/5:fontcolor=white:x=(w-tw)/2:y=h*0.5,\
         drawtext=fontfile={FONT}:text='o':fontsize=h/8:fontcolor=white:x=w*0.1+n*w*0.8/{}:y=h*0.8,format=yuv420p",
        rate * 2
    );
    let source = format!("color=c={}:s={width}x{height}:r={rate}:d=2", rgb(hue));
    ffmpeg(
        &[
            "-f",
            "lavfi",
            "-i",
            &source,
            "-vf",
            &filter,
            "-c:v",
            "libvpx",
            "-b:v",
            "50k",
            "-qmin",
            "24",
            "-qmax",
            "60",
            "-g",
            "1000",
            "-deadline",
            "good",
            "-auto-alt-ref",
            "0",
            "-lag-in-frames",
            "0",
            "-error-resilient",
            "1",
            "-threads",
            "1",
        ],
        &file,
    )?;
    let frames = ivf(&fs::read(&file)?)?;
    ensure!(
        frames.len() == 2 * rate as usize,
        "{} frames of {words}",
        frames.len()
    );
    for (index, frame) in frames.iter().enumerate() {
        let key = frame.first().is_some_and(|byte| byte & 1 == 0);
        ensure!(key == (index == 0), "only the first frame is a keyframe");
    }
    Ok(frames)
}

/// Two seconds of Opus in packets of 20 ms: 300 + 100 × identity Hz, 0.3 s on and 0.2 s off.
fn voice(work: &Path, identity: u8) -> Result<Vec<Vec<u8>>> {
    let file = work.join("voice.ogg");
    let tone = 300 + 100 * u32::from(identity);
    let source = format!("aevalsrc='0.4*sin(2*PI*{tone}*t)*lt(mod(t,0.5),0.3)':s=48000:d=2");
    ffmpeg(
        &[
            "-f",
            "lavfi",
            "-i",
            &source,
            "-ac",
            "1",
            "-c:a",
            "libopus",
            "-b:a",
            "12k",
            "-frame_duration",
            "20",
            "-application",
            "audio",
        ],
        &file,
    )?;
    let mut packets = ogg(&fs::read(&file)?)?;
    ensure!(packets.len() >= 102, "{} packets", packets.len());
    packets.drain(..2);
    packets.truncate(100);
    Ok(packets)
}

fn ffmpeg(arguments: &[&str], file: &Path) -> Result<()> {
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(arguments)
        .arg(file)
        .status()?;
    if !status.success() {
        bail!("ffmpeg ended with {status}");
    }
    Ok(())
}

fn rgb(hue: u32) -> String {
    let ramp = |shift: u32| {
        let place = (hue + shift) % 360;
        let share = match place {
            0..60 => f64::from(place) / 60.0,
            60..180 => 1.0,
            180..240 => f64::from(240 - place) / 60.0,
            _ => 0.0,
        };
        (60.0 + 120.0 * share) as u8
    };
    format!("0x{:02x}{:02x}{:02x}", ramp(120), ramp(0), ramp(240))
}

fn ivf(file: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut rest = file.get(32..).context("an IVF header")?;
    let mut frames = Vec::new();
    while let Some((header, body)) = rest.split_at_checked(12) {
        let length = u32::from_le_bytes(header[..4].try_into()?) as usize;
        let (frame, next) = body.split_at_checked(length).context("a whole IVF frame")?;
        frames.push(frame.to_vec());
        rest = next;
    }
    Ok(frames)
}

fn ogg(file: &[u8]) -> Result<Vec<Vec<u8>>> {
    let (mut rest, mut packets, mut open) = (file, Vec::new(), Vec::new());
    while !rest.is_empty() {
        ensure!(rest.starts_with(b"OggS"), "an Ogg page");
        let segments = usize::from(*rest.get(26).context("a page header")?);
        let lengths = rest.get(27..27 + segments).context("a segment table")?;
        let mut at = 27 + segments;
        for length in lengths {
            open.extend(
                rest.get(at..at + usize::from(*length))
                    .context("a whole page")?,
            );
            at += usize::from(*length);
            if *length < 255 {
                packets.push(std::mem::take(&mut open));
            }
        }
        rest = &rest[at..];
    }
    Ok(packets)
}
