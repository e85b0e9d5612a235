//! Between the two vocabularies: rooms name media connections by protocol ids, the media side has numeric keys.
//!
//! A media connection's id is its key in hexadecimal. Keys are random, so that one from before a restart meets nobody.

use std::sync::Weak;

use ::media as core;
use protocol::{MediaConnectionId, PathKind, SlotKind, SlotMids, Source, UplinkMids, VideoCodec};
use room::{Input, Measured, MediaCommand, MediaEvent, Refusal, Size, UplinkState};

use super::Hub;
use crate::chance;
use crate::media::Events;

pub fn fresh_connection() -> MediaConnectionId {
    connection_id(core::PeerId(u64::from_le_bytes(chance::bytes())))
}

fn connection_id(peer: core::PeerId) -> MediaConnectionId {
    MediaConnectionId(format!("{:016x}", peer.0))
}

/// `None` for an id that we did not make.
fn peer_id(id: &MediaConnectionId) -> Option<core::PeerId> {
    u64::from_str_radix(id.as_str(), 16).ok().map(core::PeerId)
}

/// Brings every event to the room that it is about. Ends with the media thread or with the hub.
pub async fn carry_events(hub: Weak<Hub>, mut events: Events) {
    while let Some(event) = events.recv().await {
        let Some(hub) = hub.upgrade() else { return };
        let group = event.group().0;
        if let core::Event::Measured { quality, .. } = &event {
            hub.metrics.connection(quality);
        }
        let Some(event) = to_room(event) else {
            continue;
        };
        let commands = hub
            .live()
            .values()
            .find(|live| live.group == group)
            .map(|live| live.commands.clone());
        if let Some(commands) = commands {
            // A room that has just ended wants no news.
            let _ = commands.send(Input::Media(event).into()).await;
        }
    }
}

fn to_room(event: core::Event) -> Option<MediaEvent> {
    match event {
        core::Event::Negotiated {
            request,
            result,
            peer,
            ..
        } => Some(MediaEvent::Negotiated {
            request: request.0,
            result: result.map_err(|refusal| refused(peer, &refusal)),
        }),
        core::Event::Connected { .. } => None,
        core::Event::Closed { peer, reason, .. } => {
            tracing::debug!(peer = peer.0, ?reason, "a media connection ended");
            Some(MediaEvent::Closed {
                peer: connection_id(peer),
            })
        }
        core::Event::SlotStarted {
            peer,
            slot,
            generation,
            rtp_timestamp,
            ..
        } => Some(MediaEvent::SlotStarted {
            peer: connection_id(peer),
            slot: slot.0,
            generation: generation.0,
            rtp_timestamp,
        }),
        core::Event::Measured { peer, quality, .. } => Some(MediaEvent::Measured {
            peer: connection_id(peer),
            measured: measured(quality),
        }),
        core::Event::Heard { peer, .. } => Some(MediaEvent::Heard {
            peer: connection_id(peer),
        }),
        core::Event::Speaking { peers, .. } => Some(MediaEvent::Speaking {
            peers: peers.into_iter().map(connection_id).collect(),
        }),
        core::Event::Demand {
            peer,
            source,
            layers,
            codec,
            ..
        } => Some(MediaEvent::Demand {
            peer: connection_id(peer),
            source: to_room_source(source),
            layers,
            codec: match codec {
                core::VideoCodec::Vp8 => None,
                core::VideoCodec::Vp9 => Some(VideoCodec::Vp9),
                core::VideoCodec::Av1 => Some(VideoCodec::Av1),
            },
        }),
        core::Event::SlotPaused {
            peer,
            slot,
            generation,
            paused,
            ..
        } => Some(MediaEvent::SlotPaused {
            peer: connection_id(peer),
            slot: slot.0,
            generation: generation.0,
            paused,
        }),
    }
}

fn refused(peer: core::PeerId, refusal: &core::Refusal) -> Refusal {
    tracing::debug!(peer = peer.0, %refusal, "an offer was refused");
    to_room_refusal(refusal)
}

fn measured(quality: core::Quality) -> Measured {
    let core::Quality {
        seconds: _,
        path,
        rtt_ms,
        loss_up,
        loss_down,
        jitter_ms,
        up_bps,
        down_bps,
        estimate_bps,
        layer_changes,
        pauses,
    } = quality;
    Measured {
        path: match path {
            core::PathKind::UdpV4 => PathKind::UdpV4,
            core::PathKind::UdpV6 => PathKind::UdpV6,
            core::PathKind::TcpV4 => PathKind::TcpV4,
            core::PathKind::TcpV6 => PathKind::TcpV6,
        },
        rtt_ms,
        loss_up,
        loss_down,
        jitter_ms,
        up_bps,
        down_bps,
        estimate_bps,
        layer_changes,
        pauses,
    }
}

fn to_room_refusal(refusal: &core::Refusal) -> Refusal {
    match refusal {
        core::Refusal::Internal
        | core::Refusal::UnknownPeer
        | core::Refusal::PeerExists
        | core::Refusal::TooOften => Refusal::Unavailable,
        core::Refusal::TooLarge { .. }
        | core::Refusal::TooMany { .. }
        | core::Refusal::Malformed(_)
        | core::Refusal::Section { .. }
        | core::Refusal::Engine(_) => Refusal::Invalid,
    }
}

pub fn to_core(group: u64, command: MediaCommand) -> Option<core::Command> {
    Some(match command {
        MediaCommand::Negotiate {
            peer,
            request,
            sdp,
            uplink,
            slots,
            renegotiate,
        } => core::Command::Negotiate(Box::new(core::Negotiate {
            peer: peer_id(&peer)?,
            group: core::GroupId(group),
            request: core::RequestId(request),
            sdp,
            uplink: uplink_mids(uplink),
            slots: slots.into_iter().map(slot_mids).collect(),
            renegotiate,
            // Known to those who place the peer.
            with: vec![],
        })),
        MediaCommand::Remove { peer } => core::Command::Remove {
            peer: peer_id(&peer)?,
        },
        MediaCommand::SetUplink {
            peer,
            source,
            state,
        } => core::Command::SetUplink {
            peer: peer_id(&peer)?,
            source: to_core_source(source),
            state: uplink_state(state),
            encrypted: false,
        },
        MediaCommand::Bind {
            peer,
            slot,
            generation,
            from,
            video,
            ready,
            rank,
        } => core::Command::Bind {
            peer: peer_id(&peer)?,
            slot: core::SlotIndex(slot),
            generation: core::Generation(generation),
            from: from.as_ref().and_then(peer_id),
            video: video.map(|Size { width, height }| core::Size { width, height }),
            ready,
            rank,
        },
        MediaCommand::SlotReady {
            peer,
            slot,
            generation,
        } => core::Command::SlotReady {
            peer: peer_id(&peer)?,
            slot: core::SlotIndex(slot),
            generation: core::Generation(generation),
        },
        MediaCommand::NoPicture {
            peer,
            slot,
            generation,
        } => core::Command::NoPicture {
            peer: peer_id(&peer)?,
            slot: core::SlotIndex(slot),
            generation: core::Generation(generation),
        },
    })
}

fn to_core_source(source: Source) -> core::Source {
    match source {
        Source::Microphone => core::Source::Microphone,
        Source::Camera => core::Source::Camera,
        Source::Screen => core::Source::Screen,
        Source::ScreenAudio => core::Source::ScreenAudio,
    }
}

fn to_room_source(source: core::Source) -> Source {
    match source {
        core::Source::Microphone => Source::Microphone,
        core::Source::Camera => Source::Camera,
        core::Source::Screen => Source::Screen,
        core::Source::ScreenAudio => Source::ScreenAudio,
    }
}

fn uplink_state(state: UplinkState) -> core::UplinkState {
    match state {
        UplinkState::Off => core::UplinkState::Off,
        UplinkState::Muted => core::UplinkState::Muted,
        UplinkState::Live => core::UplinkState::Live,
    }
}

fn uplink_mids(mids: UplinkMids) -> core::UplinkMids {
    let UplinkMids {
        microphone,
        camera,
        screen,
        screen_audio,
    } = mids;
    core::UplinkMids {
        microphone,
        camera,
        screen,
        screen_audio,
    }
}

fn slot_mids(mids: SlotMids) -> core::SlotMids {
    let kind = match mids.kind {
        SlotKind::Person => core::SlotKind::Person,
        SlotKind::Screen => core::SlotKind::Screen,
    };
    core::SlotMids {
        kind,
        audio: mids.audio,
        video: mids.video,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_id_is_its_key_written_down() {
        for key in [0, 1, 0xabc, u64::MAX] {
            assert_eq!(
                peer_id(&connection_id(core::PeerId(key))),
                Some(core::PeerId(key))
            );
        }
        assert_eq!(peer_id(&"no key".into()), None);
        assert_ne!(fresh_connection(), fresh_connection());
    }
}
