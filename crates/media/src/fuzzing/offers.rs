//! The target `offers`: descriptions of media that make no sense: anything at all, and what browsers send with lines
//! removed, doubled, exchanged and changed.

use super::handshake::provider;
use super::input::Bytes;
use super::stage::{self, SERVER, Stage};
use crate::{PeerId, Refusal};

const MOST_EDITS: usize = 40;
/// As browsers made them, with one slot for a person and one for a screen.
const OFFERS: &[&str] = &[
    include_str!("offers/chromium.sdp"),
    include_str!("offers/firefox.sdp"),
];
const PEER: PeerId = PeerId(1);
/// An answer says less than its offer, but names streams that the offer does not.
const ANSWER_BYTES_PER_SECTION: usize = 2_000;

pub fn offers(input: &[u8]) {
    let mut bytes = Bytes::new(input);
    let Some(kind) = bytes.u8() else { return };
    let base = match OFFERS.get(usize::from(kind)) {
        Some(offer) => offer.replace('\n', "\r\n"),
        None => stage::offer(1, 1, "client").0,
    };
    let sdp = match kind {
        255 => String::from_utf8_lossy(bytes.slice(usize::MAX)).into_owned(),
        _ => edited(&base, &mut bytes),
    };
    let mut stage = Stage::new(provider());
    let (uplink, slots) = stage::names(&mids(&base), 1);
    let result = stage.negotiate(PEER, sdp.clone(), uplink.clone(), slots.clone(), false);
    let stats = stage.sfu.stats();
    match result {
        Err(_) => {
            assert_eq!((stats.peers, stats.groups, stats.ufrags), (0, 0, 0));
            assert_ne!(sdp, base, "what browsers send is answered");
        }
        Ok(answer) => {
            assert_eq!((stats.peers, stats.groups, stats.ufrags), (1, 1, 1));
            answers(&sdp, &answer);
            // The same again is no new peer, and may not be refused for what was good a moment ago.
            let again = stage.negotiate(PEER, sdp.clone(), uplink, slots, true);
            match again {
                Ok(again) => answers(&sdp, &again),
                Err(refusal) => assert!(matches!(refusal, Refusal::Engine(_)), "{refusal}"),
            }
            stage.command(crate::Command::Remove { peer: PEER });
        }
    }
    stage.end();
}

/// Section for section, and no address but ours.
fn answers(offer: &str, answer: &str) {
    let sections = |sdp: &str| sdp.lines().filter(|line| line.starts_with("m=")).count();
    assert_eq!(sections(answer), sections(offer));
    assert_eq!(mids(answer), mids(offer));
    assert!(answer.len() <= (sections(offer) + 1) * ANSWER_BYTES_PER_SECTION + offer.len());
    let ours = std::net::SocketAddr::from(SERVER).ip().to_string();
    let mut candidates = answer
        .lines()
        .filter(|line| line.starts_with("a=candidate:"));
    assert!(candidates.all(|line| line.split(' ').nth(4) == Some(&ours)));
}

fn mids(sdp: &str) -> Vec<String> {
    let mids = sdp.lines().filter_map(|line| line.strip_prefix("a=mid:"));
    mids.map(str::to_owned).collect()
}

fn edited(base: &str, bytes: &mut Bytes<'_>) -> String {
    let mut lines: Vec<String> = base.lines().map(str::to_owned).collect();
    for _ in 0..MOST_EDITS {
        if edit(&mut lines, bytes).is_none() {
            break;
        }
    }
    lines
        .into_iter()
        .flat_map(|line| [line, "\r\n".to_owned()])
        .collect()
}

fn edit(lines: &mut Vec<String>, bytes: &mut Bytes<'_>) -> Option<()> {
    let (kind, at) = (bytes.u8()?, usize::from(bytes.u16()?));
    let at = at % lines.len().max(1);
    let line = lines.get(at)?.clone();
    match kind % 7 {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, line),
        2 => {
            let other = usize::from(bytes.u16()?) % lines.len();
            lines.swap(at, other);
        }
        3 => lines.insert(at, text(bytes.sized()?)),
        4 => lines[at] = text(bytes.sized()?),
        // The value of an attribute.
        5 => {
            let name = line.split_once(':').map_or(line.as_str(), |(name, _)| name);
            lines[at] = format!("{name}:{}", text(bytes.sized()?));
        }
        // Some characters.
        _ => {
            let mut changed = line.into_bytes();
            let from = usize::from(bytes.u8()?) % (changed.len() + 1);
            let to = changed.len().min(from + usize::from(kind / 32));
            changed.splice(from..to, bytes.sized()?.iter().copied());
            lines[at] = text(&changed);
        }
    }
    Some(())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
