//! What arrived, counted by slot and by the person whose name stands under it. Numbers only.

use std::{collections::BTreeMap, ops::AddAssign};

use protocol::ParticipantId;

use crate::{Identity, Scene};

#[derive(Clone, Debug, Default)]
pub struct Received {
    pub slots: Vec<SlotReceived>,
    /// By the label that a browser would have shown.
    pub people: BTreeMap<ParticipantId, PersonReceived>,
    /// How long each packet of [`Load`](crate::Load) was on its way, in microseconds.
    pub delays_us: Vec<u32>,
}

/// The two streams of a slot, whoever they carried.
#[derive(Clone, Debug, Default)]
pub struct SlotReceived {
    pub audio_packets: u64,
    pub audio_bytes: u64,
    pub video_packets: u64,
    pub video_bytes: u64,
    pub frames: u64,
    pub keyframes: u64,
    /// Sequence numbers that never came, audio and video.
    pub missing: u64,
    /// Frames that a decoder could not have decoded: something before them is missing.
    pub undecodable: u64,
    /// Frames whose picture id does not follow the one before.
    pub picture_id_jumps: u64,
    /// Packets whose RTP timestamp lies before the one before them.
    pub timestamp_regressions: u64,
    /// Decodable frames that no label covers: not shown, as the first timestamp is unknown or later.
    pub hidden: u64,
    /// Keyframes asked for by this receiver.
    pub keyframe_requests: u64,
}

/// What was seen and heard under one person's name.
#[derive(Clone, Debug, Default)]
pub struct PersonReceived {
    pub audio_packets: u64,
    /// Decodable frames shown.
    pub frames: u64,
    /// Whose pictures those frames were, by content.
    pub seen: BTreeMap<(Identity, Scene), u64>,
    /// Shown frames that are none of the prepared ones (a browser's, for example).
    pub unknown_frames: u64,
    /// Whose voice was heard, by content.
    pub heard: BTreeMap<Identity, u64>,
    /// What the last shown frame showed.
    pub last_seen: Option<(Identity, Scene)>,
}

impl PersonReceived {
    /// The faces that were ever shown under this name.
    pub fn faces(&self) -> Vec<Identity> {
        let mut faces: Vec<Identity> = self.seen.keys().map(|(identity, _)| *identity).collect();
        faces.dedup();
        faces
    }
}

impl Received {
    pub fn person(&self, id: &ParticipantId) -> PersonReceived {
        self.people.get(id).cloned().unwrap_or_default()
    }

    /// Sum over all slots.
    pub fn total(&self) -> SlotReceived {
        let mut total = SlotReceived::default();
        for slot in &self.slots {
            total += slot;
        }
        total
    }

    pub(crate) fn slot(&mut self, slot: usize) -> &mut SlotReceived {
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, SlotReceived::default);
        }
        &mut self.slots[slot]
    }
}

impl AddAssign<&SlotReceived> for SlotReceived {
    fn add_assign(&mut self, other: &SlotReceived) {
        self.audio_packets += other.audio_packets;
        self.audio_bytes += other.audio_bytes;
        self.video_packets += other.video_packets;
        self.video_bytes += other.video_bytes;
        self.frames += other.frames;
        self.keyframes += other.keyframes;
        self.missing += other.missing;
        self.undecodable += other.undecodable;
        self.picture_id_jumps += other.picture_id_jumps;
        self.timestamp_regressions += other.timestamp_regressions;
        self.hidden += other.hidden;
        self.keyframe_requests += other.keyframe_requests;
    }
}
