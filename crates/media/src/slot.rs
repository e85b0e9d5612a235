//! One down slot of one subscriber: whom it carries, from when on that person may be seen, and which layer goes out.
//!
//! The rule of the label lives here: after a new generation nothing of the old one goes out any more, and video of the
//! new one only once the client has said that the old label is off.

use std::sync::Arc;

use crate::api::{Generation, PeerId, Size, SlotKind, SlotMids, Source, VideoCodec};
use crate::egress::Route;
use crate::packet::Packet;
use crate::rewriter::{Rewriter, Rewritten};
use crate::share::Share;
use crate::uplink::clock_rate;

#[derive(Debug)]
pub(crate) struct Slot {
    pub mids: SlotMids,
    pub audio: Lane,
    pub video: Lane,
    /// What of the receiver's line its video gets.
    pub share: Share,
    pub binding: Option<Binding>,
    /// The layer that goes out, and the one that should.
    pub current: Option<usize>,
    target: Option<usize>,
}

/// One section of the slot.
#[derive(Debug)]
pub(crate) struct Lane {
    pub route: Option<Route>,
    /// Another codec than VP8.
    pub takes_other: bool,
    /// Of what goes out.
    pub codec: VideoCodec,
    rewriter: Rewriter,
    /// The newest sound that went out.
    newest: Option<Arc<Packet>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding {
    pub generation: Generation,
    from: Option<PeerId>,
    video: Option<Size>,
    ready: bool,
    rank: u8,
    started: bool,
}

/// What a `Bind` asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bind {
    pub generation: Generation,
    pub from: Option<PeerId>,
    pub video: Option<Size>,
    pub ready: bool,
    pub rank: u8,
}

/// What is to be seen in a slot, now or as soon as its label is right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tile {
    pub generation: Generation,
    pub from: PeerId,
    pub height: u16,
    pub rank: u8,
}

/// What becomes of a packet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Drop,
    /// Of the right layer, and useless before a keyframe.
    AwaitKeyframe,
    Send {
        numbers: Rewritten,
        /// The first video packet of this generation.
        started: Option<Generation>,
        /// The first packet of this layer.
        joined: bool,
        /// From one layer to another of the same person.
        switched: bool,
    },
}

impl Binding {
    pub fn tile(&self) -> Option<Tile> {
        Some(Tile {
            generation: self.generation,
            from: self.from?,
            height: self.video?.height,
            rank: self.rank,
        })
    }
}

impl SlotKind {
    /// What a slot carries of its person: sound, then picture.
    pub(crate) fn sources(self) -> [Source; 2] {
        match self {
            SlotKind::Person => [Source::Microphone, Source::Camera],
            SlotKind::Screen => [Source::ScreenAudio, Source::Screen],
        }
    }

    pub(crate) fn video_source(self) -> Source {
        let [_, video] = self.sources();
        video
    }
}

impl Slot {
    pub fn new(mids: SlotMids) -> Self {
        Self {
            mids,
            audio: Lane::new(Source::Microphone),
            video: Lane::new(Source::Camera),
            share: Share::default(),
            binding: None,
            current: None,
            target: None,
        }
    }

    pub fn from(&self) -> Option<PeerId> {
        self.binding.and_then(|binding| binding.from)
    }

    /// Whether its person is to be seen, and not only to be heard.
    pub fn shows(&self) -> bool {
        self.binding.is_some_and(|binding| binding.video.is_some())
    }

    pub fn bind(&mut self, bind: Bind) {
        let known = self
            .binding
            .filter(|binding| binding.generation == bind.generation);
        if known.is_none_or(|known| known.from != bind.from) {
            self.pause();
        }
        if bind.video.is_none() {
            self.pause_video();
        }
        if known.is_none() {
            self.share = Share::default();
        }
        self.binding = Some(Binding {
            generation: bind.generation,
            from: bind.from,
            video: bind.video,
            ready: bind.ready || known.is_some_and(|known| known.ready),
            rank: bind.rank,
            started: known.is_some_and(|known| known.started),
        });
    }

    /// The person is gone; the assignment stands until the next `Bind`.
    pub fn unbind(&mut self) {
        self.pause();
        if let Some(binding) = &mut self.binding {
            binding.from = None;
        }
    }

    pub fn set_ready(&mut self, generation: Generation) {
        if let Some(binding) = self
            .binding
            .as_mut()
            .filter(|binding| binding.generation == generation)
        {
            binding.ready = true;
        }
    }

    /// Pauses the sound. With the packet that tells the receiver so, when it has heard something.
    pub fn silence(&mut self) -> Option<(Arc<Packet>, Rewritten)> {
        let Lane {
            rewriter, newest, ..
        } = &mut self.audio;
        let ended = newest.take().and_then(|newest| {
            let (ending, ticks) = newest.ending()?;
            Some((Arc::new(ending), rewriter.append(ticks)?))
        });
        rewriter.pause();
        ended
    }

    fn pause(&mut self) {
        self.audio.rewriter.pause();
        self.pause_video();
    }

    /// The camera or screen went off or was muted.
    pub fn pause_video(&mut self) {
        self.video.rewriter.pause();
        self.current = None;
        self.target = None;
    }

    /// The height that is wanted, while video may flow at all.
    pub fn wanted_height(&self) -> Option<u16> {
        let binding = self.binding.filter(|binding| binding.ready)?;
        binding.video.map(|size| size.height)
    }

    /// Aims at a layer. True when a keyframe of it is needed to get there.
    pub fn aim(&mut self, layer: Option<usize>) -> bool {
        self.target = layer;
        layer.is_some() && (self.current != layer || self.video.rewriter.is_idle())
    }

    /// The layer that a keyframe request of the client is about.
    pub fn visible_layer(&self) -> Option<usize> {
        self.current.or(self.target)
    }

    pub fn judge(&mut self, packet: &Arc<Packet>) -> Verdict {
        if packet.source.is_video() {
            self.judge_video(packet)
        } else {
            self.judge_audio(packet)
        }
    }

    fn judge_audio(&mut self, packet: &Arc<Packet>) -> Verdict {
        let Lane {
            rewriter, newest, ..
        } = &mut self.audio;
        if !rewriter.follows(packet.arrival.origin) {
            rewriter.switch(&packet.arrival, 0);
        }
        let Some(numbers) = rewriter.rewrite(&packet.arrival) else {
            return Verdict::Drop;
        };
        *newest = Some(packet.clone());
        Verdict::Send {
            numbers,
            started: None,
            joined: false,
            switched: false,
        }
    }

    fn judge_video(&mut self, packet: &Packet) -> Verdict {
        if self.wanted_height().is_none() {
            return Verdict::Drop;
        }
        let Lane {
            rewriter,
            codec,
            takes_other,
            ..
        } = &mut self.video;
        if packet.codec != VideoCodec::Vp8 && !*takes_other {
            return Verdict::Drop;
        }
        let is_same = rewriter.follows(packet.arrival.origin);
        let can_follow = is_same && *codec == packet.codec;
        let follows = can_follow && self.current == Some(packet.layer);
        let is_target = self.target == Some(packet.layer);
        let is_idle = rewriter.is_idle();
        // Whichever layer comes first is better than nothing, if the line bears it.
        let stands_in = |layer: &usize| is_idle && self.share.bears(*layer);
        let wanted = self.target.filter(|target| packet.begins_layer(*target));
        let begins = wanted.or_else(|| packet.layers_begun().rev().find(stands_in));
        let joined = begins.filter(|begins| !can_follow || self.current != Some(*begins));
        self.current = joined.or(self.current);
        rewriter.thin(self.share.temporal_of(self.current));
        if let Some(layer) = joined {
            *codec = packet.codec;
            rewriter.switch(&packet.arrival, packet.size_of(layer));
        }
        let joined = joined.is_some();
        let numbers = match is_same && !can_follow && !joined {
            true => None,
            false => rewriter.rewrite(&packet.arrival),
        };
        match numbers {
            Some(numbers) => Verdict::Send {
                numbers,
                started: self.start(),
                joined,
                switched: joined && !is_idle,
            },
            None if is_target && !follows => Verdict::AwaitKeyframe,
            None => Verdict::Drop,
        }
    }

    fn start(&mut self) -> Option<Generation> {
        let binding = self.binding.as_mut().filter(|binding| !binding.started)?;
        binding.started = true;
        Some(binding.generation)
    }
}

impl Lane {
    fn new(like: Source) -> Self {
        Self {
            route: None,
            takes_other: false,
            codec: VideoCodec::default(),
            rewriter: Rewriter::new(clock_rate(like)),
            newest: None,
        }
    }
}
