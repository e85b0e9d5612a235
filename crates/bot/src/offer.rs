//! The client's side of a negotiation: the fixed layout of slots as browsers offer it, and reading where to send from the
//! answer. Owns no connection.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use protocol::{SlotKind, SlotMids, UplinkMids};
use str0m::{
    Rtc,
    change::{SdpOffer, SdpPendingOffer},
    media::{Direction, MediaKind, Mid, Simulcast, SimulcastLayer},
};

/// The names of the camera's layers, smallest first.
pub(crate) const RIDS: [&str; 3] = ["q", "h", "f"];

/// Whether an offer keeps the path of a connection that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ice {
    GoesOn,
    Restarts,
}

/// Which media section is what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    pub uplink: Option<Uplink>,
    pub slots: Vec<SlotSections>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Uplink {
    pub microphone: Mid,
    pub camera: Mid,
    pub screen: Mid,
    pub screen_audio: Mid,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotSections {
    pub kind: SlotKind,
    pub audio: Mid,
    pub video: Mid,
}

impl Layout {
    pub fn uplink_mids(&self) -> Option<UplinkMids> {
        self.uplink.map(|uplink| UplinkMids {
            microphone: uplink.microphone.to_string(),
            camera: uplink.camera.to_string(),
            screen: uplink.screen.to_string(),
            screen_audio: uplink.screen_audio.to_string(),
        })
    }

    pub fn slot_mids(&self) -> Vec<SlotMids> {
        let mids = |slot: &SlotSections| SlotMids {
            kind: slot.kind,
            audio: slot.audio.to_string(),
            video: slot.video.to_string(),
        };
        self.slots.iter().map(mids).collect()
    }
}

/// Adds what is missing to the layout and makes the offer: sections that were offered stay as they are. `None` when
/// nothing is to be offered.
pub(crate) fn offer(
    rtc: &mut Rtc,
    layout: &mut Layout,
    people: usize,
    screens: usize,
    ice: Ice,
) -> Option<(SdpOffer, SdpPendingOffer)> {
    let mut changes = rtc.sdp_api();
    if ice == Ice::Restarts {
        changes.ice_restart(true);
    }
    let mut add =
        |kind, direction, simulcast| changes.add_media(kind, direction, None, None, simulcast);
    if layout.uplink.is_none() {
        layout.uplink = Some(Uplink {
            microphone: add(MediaKind::Audio, Direction::SendOnly, None),
            camera: add(MediaKind::Video, Direction::SendOnly, Some(layers())),
            screen: add(MediaKind::Video, Direction::SendOnly, None),
            screen_audio: add(MediaKind::Audio, Direction::SendOnly, None),
        });
    }
    for (kind, wanted) in [(SlotKind::Screen, screens), (SlotKind::Person, people)] {
        let there = layout.slots.iter().filter(|slot| slot.kind == kind).count();
        for _ in there..wanted {
            let audio = add(MediaKind::Audio, Direction::RecvOnly, None);
            let video = add(MediaKind::Video, Direction::RecvOnly, None);
            layout.slots.push(SlotSections { kind, audio, video });
        }
    }
    changes.apply()
}

fn layers() -> Simulcast {
    let mut simulcast = Simulcast::new();
    for rid in RIDS {
        simulcast.add_send_layer(SimulcastLayer::new(rid));
    }
    simulcast
}

/// The first candidate of an answer for this transport.
pub(crate) fn destination(answer: &str, transport: &str) -> Result<SocketAddr> {
    let mut candidates = answer
        .lines()
        .filter_map(|line| line.strip_prefix("a=candidate:"));
    let first = candidates.find_map(|candidate| {
        let fields: Vec<&str> = candidate.split(' ').collect();
        let [_, _, kind, _, address, port, ..] = fields[..] else {
            return None;
        };
        let address = SocketAddr::new(address.parse().ok()?, port.parse().ok()?);
        kind.eq_ignore_ascii_case(transport).then_some(address)
    });
    first.with_context(|| format!("the answer has no candidate for {transport}"))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_later_offer_keeps_the_earlier_slots_and_adds_the_new_ones_behind() {
        let mut rtc = crate::media::peer(Instant::now());
        let mut layout = Layout::default();
        let (first, _) = offer(&mut rtc, &mut layout, 6, 2, Ice::GoesOn).expect("an offer");
        assert_eq!(layout.slots.len(), 8);
        assert_eq!(first.to_sdp_string().matches("\r\nm=").count(), 4 + 16);
        assert!(first.to_sdp_string().contains("a=simulcast:send q;h;f"));
        let before = layout.slot_mids();
        offer(&mut rtc, &mut layout, 8, 2, Ice::GoesOn);
        assert_eq!(layout.slot_mids().len(), 10);
        assert_eq!(layout.slot_mids()[..8], before[..]);
    }

    #[test]
    fn the_first_candidate_of_a_transport_is_where_to_send() {
        let answer = "v=0\r\na=candidate:broken\r\na=candidate:2 1 tcp 1 192.0.2.7 443 typ host tcptype passive\r\n\
                      m=audio 9 x\r\na=candidate:1 1 UDP 2130706431 192.0.2.8 4000 typ host\r\n\
                      a=candidate:1 1 udp 2130706431 192.0.2.9 4000 typ host\r\n";
        let found = |transport| destination(answer, transport).map(|at| at.to_string());
        assert_eq!(found("udp").expect("one"), "192.0.2.8:4000");
        assert_eq!(found("tcp").expect("one"), "192.0.2.7:443");
        assert!(found("dccp").is_err());
    }
}
