//! Reads an offer before the engine does: sizes, payload types, identity, and that its sections are the ones that the
//! client names. Afterwards gives the sections of each pair in the answer one stream id, by which browsers keep voice
//! and lips together.
//!
//! Knows lines and sections only. What a section means for media is the engine's business.

use std::collections::HashSet;

use crate::api::{Negotiate, Refusal, SlotMids, UplinkMids};
use crate::layers;

const MAX_BYTES: usize = 256 * 1024;
const MAX_SECTIONS: usize = 64;
const MAX_CANDIDATES: usize = 64;
const MAX_PAYLOAD_TYPE: u32 = 127;
/// The engine keeps that many bytes of a `mid`.
const MAX_MID_BYTES: usize = 16;

/// An offer that makes sense.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Without candidates: an ICE-lite server needs none, and never sends to an address that a client chose.
    pub sdp: String,
    pub camera_rids: Vec<String>,
    pub screen_rids: Vec<String>,
    /// The sections in which redundancy of sound is understood.
    pub redundant: Vec<String>,
}

#[derive(Debug, Default)]
struct Section<'a> {
    kind: &'a str,
    mid: &'a str,
    direction: Option<&'a str>,
    /// In the order of the layers, the smallest first.
    rids: Vec<&'a str>,
    has_redundancy: bool,
}

/// Which way the client uses a section.
#[derive(Clone, Copy)]
enum Use {
    Sends,
    Receives,
}

/// `before` is what the peer's earlier offer named.
pub(crate) fn read_offer(
    request: &Negotiate,
    before: Option<(&UplinkMids, &[SlotMids])>,
) -> Result<Offer, Refusal> {
    let sdp = &request.sdp;
    if sdp.len() > MAX_BYTES {
        return Err(Refusal::TooLarge {
            bytes: sdp.len(),
            limit: MAX_BYTES,
        });
    }
    check_lines(sdp)?;
    check_identity(sdp)?;
    let sections = read_sections(sdp)?;
    check_unchanged(request, before)?;
    check_sections(&sections, request)?;
    let rids = |mid: &str| match sections.iter().find(|section| section.mid == mid) {
        Some(section) => section.rids.iter().map(|rid| (*rid).to_owned()).collect(),
        None => vec![],
    };
    let kept = sdp
        .lines()
        .filter(|line| !is_candidate(line))
        .flat_map(|line| [line, "\r\n"])
        .collect();
    Ok(Offer {
        sdp: kept,
        camera_rids: rids(&request.uplink.camera),
        screen_rids: rids(&request.uplink.screen),
        redundant: sections
            .iter()
            .filter(|section| section.has_redundancy)
            .map(|section| section.mid.to_owned())
            .collect(),
    })
}

fn is_candidate(line: &str) -> bool {
    line.starts_with("a=candidate:") || line.starts_with("a=end-of-candidates")
}

fn check_lines(sdp: &str) -> Result<(), Refusal> {
    let count = |found: usize, limit: usize, what| match found > limit {
        true => Err(Refusal::TooMany { what, found, limit }),
        false => Ok(()),
    };
    count(
        sdp.lines().filter(|line| line.starts_with("m=")).count(),
        MAX_SECTIONS,
        "sections",
    )?;
    count(
        sdp.lines()
            .filter(|line| line.starts_with("a=candidate:"))
            .count(),
        MAX_CANDIDATES,
        "candidates",
    )?;
    if sdp.lines().any(has_bad_payload_type) {
        return Err(Refusal::Malformed(
            "a payload type is not a number up to 127",
        ));
    }
    Ok(())
}

fn has_bad_payload_type(line: &str) -> bool {
    let is_bad = |text: &str| {
        text.parse::<u32>()
            .map_or(true, |payload_type| payload_type > MAX_PAYLOAD_TYPE)
    };
    for attribute in ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"] {
        if let Some(rest) = line.strip_prefix(attribute) {
            let first = rest.split_ascii_whitespace().next().unwrap_or_default();
            let bad_association = rest
                .split_ascii_whitespace()
                .flat_map(|word| word.split(';'))
                .filter_map(|word| word.strip_prefix("apt="))
                .any(is_bad);
            return (first != "*" && is_bad(first)) || bad_association;
        }
    }
    line.starts_with("m=")
        && !line.starts_with("m=application")
        && line.split_ascii_whitespace().skip(3).any(is_bad)
}

/// The client's certificate must be named by SHA-256, and the client must let us be the DTLS server, since the server
/// chooses the cipher.
fn check_identity(sdp: &str) -> Result<(), Refusal> {
    let mut fingerprints = sdp
        .lines()
        .filter_map(|line| line.strip_prefix("a=fingerprint:"))
        .peekable();
    if fingerprints.peek().is_none() {
        return Err(Refusal::Malformed("there is no fingerprint"));
    }
    let is_sha256 = |value: &str| {
        value
            .split(' ')
            .next()
            .is_some_and(|hash| hash.eq_ignore_ascii_case("sha-256"))
    };
    if !fingerprints.all(is_sha256) {
        return Err(Refusal::Malformed("a fingerprint is not SHA-256"));
    }
    if sdp
        .lines()
        .filter_map(|line| line.strip_prefix("a=setup:"))
        .any(|role| !matches!(role, "actpass" | "active"))
    {
        return Err(Refusal::Malformed("the offer leaves no DTLS role for us"));
    }
    if sdp.lines().any(|line| line == "a=ice-lite") {
        return Err(Refusal::Malformed("both sides would be ICE-lite"));
    }
    Ok(())
}

fn read_sections(sdp: &str) -> Result<Vec<Section<'_>>, Refusal> {
    let mut sections: Vec<Section<'_>> = vec![];
    for line in sdp.lines() {
        if let Some(rest) = line.strip_prefix("m=") {
            sections.push(Section {
                kind: rest.split(' ').next().unwrap_or_default(),
                ..Section::default()
            });
        }
        let Some(section) = sections.last_mut() else {
            continue;
        };
        if let Some(mid) = line.strip_prefix("a=mid:") {
            section.mid = mid;
        } else if let Some(direction @ ("sendrecv" | "sendonly" | "recvonly" | "inactive")) =
            line.strip_prefix("a=")
        {
            section.direction = Some(direction);
        } else if line.starts_with("a=rtpmap:") {
            section.has_redundancy |= line.contains(" red/48000");
        } else if let Some(rid) = line.strip_prefix("a=rid:") {
            section.rids.push(rid.split(' ').next().unwrap_or_default());
        }
    }
    let mut seen = HashSet::new();
    for section in &mut sections {
        let is_plain = section
            .mid
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_');
        if section.mid.is_empty() || section.mid.len() > MAX_MID_BYTES || !is_plain {
            return Err(Refusal::Malformed("a section has no usable mid"));
        }
        if !seen.insert(section.mid) {
            return Err(refuse(section.mid, "appears twice"));
        }
        section.rids.sort_by_key(|rid| layers::rank(rid));
        let count = section.rids.len();
        section.rids.dedup();
        if section.rids.len() != count || section.rids.iter().any(|rid| layers::rank(rid).is_none())
        {
            return Err(refuse(section.mid, "has layers other than q, h and f"));
        }
    }
    Ok(sections)
}

fn check_unchanged(
    request: &Negotiate,
    before: Option<(&UplinkMids, &[SlotMids])>,
) -> Result<(), Refusal> {
    match before {
        Some((uplink, _)) if *uplink != request.uplink => {
            Err(Refusal::Malformed("a source has moved to another section"))
        }
        Some((_, slots)) if !request.slots.starts_with(slots) => Err(Refusal::Malformed(
            "the slots of the earlier offer are not the first ones",
        )),
        _ => Ok(()),
    }
}

/// Every section is named exactly once, and of the right kind and direction.
fn check_sections(sections: &[Section<'_>], request: &Negotiate) -> Result<(), Refusal> {
    let uplink = &request.uplink;
    let mut expected = vec![
        (uplink.microphone.as_str(), "audio", Use::Sends),
        (uplink.camera.as_str(), "video", Use::Sends),
        (uplink.screen.as_str(), "video", Use::Sends),
        (uplink.screen_audio.as_str(), "audio", Use::Sends),
    ];
    for slot in &request.slots {
        expected.push((&slot.audio, "audio", Use::Receives));
        expected.push((&slot.video, "video", Use::Receives));
    }
    let mut named = HashSet::new();
    for (mid, kind, used) in expected {
        if !named.insert(mid) {
            return Err(refuse(mid, "is named twice"));
        }
        let Some(section) = sections.iter().find(|section| section.mid == mid) else {
            return Err(refuse(mid, "is named but not in the offer"));
        };
        if section.kind != kind {
            return Err(refuse(mid, "is of the wrong kind"));
        }
        let fits = match (used, section.direction) {
            (_, Some("inactive")) => true,
            (Use::Sends, Some("sendonly")) => true,
            (Use::Receives, Some("recvonly")) => section.rids.is_empty(),
            _ => false,
        };
        if !fits {
            return Err(refuse(mid, "goes in the wrong direction"));
        }
    }
    match sections.iter().find(|section| !named.contains(section.mid)) {
        Some(stray) => Err(refuse(stray.mid, "is in the offer but not named")),
        None => Ok(()),
    }
}

fn refuse(mid: &str, problem: &'static str) -> Refusal {
    Refusal::Section {
        mid: mid.chars().take(MAX_MID_BYTES).collect(),
        problem,
    }
}

/// Rewrites the stream ids of an answer: one for the two sections of each slot.
pub(crate) fn pair_streams(answer: &str, slots: &[SlotMids]) -> String {
    let mut paired = String::with_capacity(answer.len());
    for section in split_sections(answer) {
        let mid = section.lines().find_map(|line| line.strip_prefix("a=mid:"));
        let slot = slots
            .iter()
            .position(|slot| Some(slot.audio.as_str()) == mid || Some(slot.video.as_str()) == mid);
        let stream = slot.map(|slot| format!("slot{slot}"));
        for line in section.lines() {
            if line.starts_with("a=msid-semantic:") {
                paired.push_str("a=msid-semantic: WMS *");
            } else {
                push_line(&mut paired, line, stream.as_deref());
            }
            paired.push_str("\r\n");
        }
    }
    paired
}

pub(crate) fn split_sections(sdp: &str) -> impl Iterator<Item = &str> {
    let mut rest = sdp;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (section, after) = match rest.get(1..).and_then(|tail| tail.find("\nm=")) {
            Some(at) => rest.split_at_checked(at + 2)?,
            None => (rest, ""),
        };
        rest = after;
        Some(section)
    })
}

fn push_line(out: &mut String, line: &str, stream: Option<&str>) {
    let replaced = stream.and_then(|stream| {
        let (before, value) = match line.strip_prefix("a=msid:") {
            Some(value) => ("a=msid:", value),
            None if line.starts_with("a=ssrc:") => line.split_once(" msid:")?,
            None => return None,
        };
        let (_, track) = value.split_once(' ')?;
        let glue = if before.ends_with(':') { "" } else { " msid:" };
        Some(format!("{before}{glue}{stream} {track}"))
    });
    out.push_str(replaced.as_deref().unwrap_or(line));
}
