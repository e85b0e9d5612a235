//! Looks at one down slot as a browser's receiver would: puts frames together, judges whether they could be decoded, and
//! shows them under a label only when the server said from which timestamp on. Pure: time is an argument.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use protocol::{ParticipantId, Slot};

use crate::{
    Received, Scene,
    fixture::{self, Place},
    vp8,
};

/// How many later packets may come before a missing one is given up.
const REORDERING: usize = 64;
const KEYFRAME_PATIENCE: Duration = Duration::from_millis(300);

pub(crate) struct Packet {
    /// Extended sequence number.
    pub seq: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub payload: Arc<[u8]>,
}

/// One slot: a voice and a picture.
pub(crate) struct Watcher {
    slot: usize,
    label: Label,
    audio: Order,
    video: Order,
    frame: Option<Frame>,
    decoder: Decoder,
    last_timestamp: Option<u32>,
    last_picture_id: Option<u16>,
    asked_at: Option<Instant>,
    keyframe_needed: bool,
}

#[derive(Default)]
struct Label {
    generation: u32,
    participant: Option<ParticipantId>,
    first_timestamp: Option<u32>,
}

struct Frame {
    timestamp: u32,
    bytes: Vec<u8>,
    /// All its pieces so far came, from the first on.
    whole: bool,
}

/// The last frame that the decoder holds.
#[derive(Clone, Copy)]
enum Decoder {
    Empty,
    /// One of the prepared pictures.
    Prepared(Place),
    /// Somebody else's: only the picture id tells whether the next one fits.
    Foreign {
        picture_id: Option<u16>,
    },
}

impl Watcher {
    pub fn new(slot: usize) -> Self {
        Self {
            slot,
            label: Label::default(),
            audio: Order::default(),
            video: Order::default(),
            frame: None,
            decoder: Decoder::Empty,
            last_timestamp: None,
            last_picture_id: None,
            asked_at: None,
            keyframe_needed: false,
        }
    }

    /// Takes over the label; true when it is for another person, so that `slot_ready` is due.
    pub fn assign(&mut self, slot: &Slot) -> bool {
        let another = slot.generation > self.label.generation;
        self.label = Label {
            generation: slot.generation,
            participant: slot.participant.clone(),
            first_timestamp: slot.first_rtp_timestamp,
        };
        another
    }

    pub fn hear(&mut self, packet: Packet, received: &mut Received) {
        let bytes = packet.payload.len() as u64;
        let (ready, lost) = self.audio.put(packet);
        let slot = received.slot(self.slot);
        slot.audio_packets += 1;
        slot.audio_bytes += bytes;
        slot.missing += lost;
        let Some(participant) = &self.label.participant else {
            return;
        };
        let person = received.people.entry(participant.clone()).or_default();
        for packet in ready {
            person.audio_packets += 1;
            if let Some(identity) = fixture::voice(&packet.payload) {
                *person.heard.entry(identity).or_default() += 1;
            }
        }
    }

    pub fn see(&mut self, packet: Packet, received: &mut Received) {
        let slot = received.slot(self.slot);
        slot.video_packets += 1;
        slot.video_bytes += packet.payload.len() as u64;
        let (ready, lost) = self.video.put(packet);
        slot.missing += lost;
        if lost > 0
            && let Some(frame) = &mut self.frame
        {
            frame.whole = false;
        }
        for packet in ready {
            self.piece(&packet, received);
        }
    }

    /// Whether to ask for a keyframe now; true at most every 300 ms.
    pub fn wants_keyframe(&mut self, now: Instant, received: &mut Received) -> bool {
        let patient = self
            .asked_at
            .is_some_and(|asked| now < asked + KEYFRAME_PATIENCE);
        if !self.keyframe_needed || patient {
            return false;
        }
        self.keyframe_needed = false;
        self.asked_at = Some(now);
        received.slot(self.slot).keyframe_requests += 1;
        true
    }

    fn piece(&mut self, packet: &Packet, received: &mut Received) {
        let earlier = self
            .last_timestamp
            .is_some_and(|last| packet.timestamp.wrapping_sub(last) > u32::MAX / 2);
        received.slot(self.slot).timestamp_regressions += u64::from(earlier);
        self.last_timestamp = Some(packet.timestamp);
        // Padding and probes carry nothing.
        let Some(piece) = vp8::parse(&packet.payload) else {
            return;
        };
        if piece.starts_frame {
            self.frame = Some(Frame {
                timestamp: packet.timestamp,
                bytes: piece.data.to_vec(),
                whole: true,
            });
        } else {
            match &mut self.frame {
                Some(frame) if frame.timestamp == packet.timestamp => {
                    frame.bytes.extend(piece.data)
                }
                _ => {
                    self.frame = Some(Frame {
                        timestamp: packet.timestamp,
                        bytes: Vec::new(),
                        whole: false,
                    })
                }
            }
        }
        if packet.marker
            && let Some(frame) = self.frame.take()
        {
            self.finish(&frame, piece.picture_id, received);
        }
    }

    fn finish(&mut self, frame: &Frame, picture_id: Option<u16>, received: &mut Received) {
        let slot = received.slot(self.slot);
        slot.frames += 1;
        slot.keyframes += u64::from(vp8::is_keyframe(&frame.bytes));
        if let (Some(last), Some(now)) = (self.last_picture_id, picture_id) {
            slot.picture_id_jumps += u64::from(now != (last + 1) & 0x7fff);
        }
        self.last_picture_id = picture_id.or(self.last_picture_id);
        self.decoder = if frame.whole {
            self.decoder.after(&frame.bytes, picture_id)
        } else {
            Decoder::Empty
        };
        if matches!(self.decoder, Decoder::Empty) {
            slot.undecodable += 1;
            self.keyframe_needed = true;
            return;
        }
        self.keyframe_needed = false;
        self.show(frame.timestamp, received);
    }

    fn show(&self, timestamp: u32, received: &mut Received) {
        let shown = self
            .label
            .first_timestamp
            .is_some_and(|first| timestamp.wrapping_sub(first) <= u32::MAX / 2);
        let Some(participant) = self.label.participant.as_ref().filter(|_| shown) else {
            received.slot(self.slot).hidden += 1;
            return;
        };
        let person = received.people.entry(participant.clone()).or_default();
        person.frames += 1;
        if let Decoder::Prepared(place) = self.decoder {
            *person
                .seen
                .entry((place.identity, place.scene))
                .or_default() += 1;
            person.last_seen = Some((place.identity, place.scene));
        } else {
            person.unknown_frames += 1;
        }
    }
}

impl Decoder {
    fn after(self, frame: &[u8], picture_id: Option<u16>) -> Self {
        let places = fixture::pictures(frame);
        if let Self::Prepared(last) = self {
            let next = Place {
                index: last.index + 1,
                ..last
            };
            if places.contains(&next) {
                return Self::Prepared(next);
            }
        }
        if vp8::is_keyframe(frame) {
            return places
                .first()
                .map_or(Self::Foreign { picture_id }, |place| Self::Prepared(*place));
        }
        match self {
            Self::Foreign {
                picture_id: Some(last),
            } if picture_id == Some((last + 1) & 0x7fff) => Self::Foreign { picture_id },
            Self::Foreign { picture_id: None } if picture_id.is_none() => self,
            _ => Self::Empty,
        }
    }
}

/// Puts packets into the order of their sequence numbers.
#[derive(Default)]
struct Order {
    next: Option<u64>,
    early: BTreeMap<u64, Packet>,
}

impl Order {
    /// What can be used now, in order, and how many before it are given up.
    fn put(&mut self, packet: Packet) -> (Vec<Packet>, u64) {
        let mut next = *self.next.get_or_insert(packet.seq);
        if packet.seq < next {
            return (vec![], 0);
        }
        self.early.insert(packet.seq, packet);
        let (mut ready, mut lost) = (Vec::new(), 0);
        while let Some(first) = self.early.first_entry() {
            let seq = *first.key();
            if seq != next && self.early.len() < REORDERING {
                break;
            }
            lost += seq - next;
            next = seq + 1;
            ready.extend(self.early.remove(&seq));
        }
        self.next = Some(next);
        (ready, lost)
    }
}

/// The size in which a scene was drawn.
impl Scene {
    pub fn size(self) -> (u16, u16) {
        match self {
            Self::Camera { layer: 0 } => (160, 90),
            Self::Camera { layer: 1 } => (320, 180),
            _ => (640, 360),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Identity,
        fixture::prepared,
        vp8::{Counters, payloads},
    };

    #[test]
    fn frames_are_shown_only_from_the_announced_timestamp_on() {
        let mut slot = Seen::new();
        slot.assign(1, Some(3000));
        slot.send(1, 0..3);
        let person = slot.received.person(&"p".into());
        // Frames 0, 3000 and 6000: the first one is still somebody else's.
        assert_eq!((person.frames, slot.received.total().hidden), (2, 1));
        assert_eq!(person.faces(), [Identity::nth(1)]);
    }

    #[test]
    fn a_wrong_face_under_a_label_is_noticed() {
        let mut slot = Seen::new();
        slot.assign(1, Some(0));
        slot.send(1, 0..2);
        slot.send(2, 0..2);
        let person = slot.received.person(&"p".into());
        assert_eq!(person.faces(), [Identity::nth(1), Identity::nth(2)]);
        assert_eq!(slot.received.total().undecodable, 0);
    }

    #[test]
    fn a_skipped_frame_makes_the_rest_undecodable_until_a_keyframe() {
        let mut slot = Seen::new();
        slot.assign(1, Some(0));
        slot.send(1, 0..2);
        slot.send(1, 3..5);
        assert_eq!(
            (
                slot.received.total().undecodable,
                slot.received.total().missing
            ),
            (2, 0)
        );
        let now = Instant::now();
        assert!(slot.watcher.wants_keyframe(now, &mut slot.received));
        slot.send(1, 0..1);
        assert_eq!(slot.received.total().undecodable, 2);
        assert!(
            !slot
                .watcher
                .wants_keyframe(now + KEYFRAME_PATIENCE, &mut slot.received)
        );
    }

    #[test]
    fn late_packets_find_their_place_and_lost_ones_are_counted() {
        let mut order = Order::default();
        let mut put = |seq| {
            let (ready, lost) = order.put(packet(seq, 0, &[0]));
            (
                ready.iter().map(|packet| packet.seq).collect::<Vec<_>>(),
                lost,
            )
        };
        assert_eq!(put(7), (vec![7], 0));
        assert_eq!(put(9), (vec![], 0));
        assert_eq!(put(8), (vec![8, 9], 0));
        assert_eq!(put(8), (vec![], 0));
        for seq in 11..10 + REORDERING as u64 {
            assert_eq!(put(seq), (vec![], 0));
        }
        let (ready, lost) = put(10 + REORDERING as u64);
        assert_eq!((ready.len(), lost), (REORDERING, 1));
    }

    struct Seen {
        watcher: Watcher,
        received: Received,
        counters: Counters,
        seq: u64,
        timestamp: u32,
    }

    impl Seen {
        fn new() -> Self {
            let counters = Counters {
                picture_id: 0,
                tl0_pic_idx: 0,
            };
            Self {
                watcher: Watcher::new(0),
                received: Received::default(),
                counters,
                seq: 10,
                timestamp: 0,
            }
        }

        fn assign(&mut self, generation: u32, first_rtp_timestamp: Option<u32>) {
            let slot = Slot {
                slot: 0,
                generation,
                participant: Some("p".into()),
                first_rtp_timestamp,
                paused: false,
            };
            self.watcher.assign(&slot);
        }

        fn send(&mut self, identity: usize, frames: std::ops::Range<usize>) {
            for frame in &prepared(Identity::nth(identity)).camera[1][frames] {
                for payload in payloads(frame, self.counters) {
                    self.watcher.see(
                        packet(self.seq, self.timestamp, &payload),
                        &mut self.received,
                    );
                    self.seq += 1;
                }
                self.counters.advance();
                self.timestamp += 3000;
            }
        }
    }

    fn packet(seq: u64, timestamp: u32, payload: &[u8]) -> Packet {
        Packet {
            seq,
            timestamp,
            marker: true,
            payload: payload.into(),
        }
    }
}
