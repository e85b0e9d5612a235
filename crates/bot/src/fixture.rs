//! The prepared media, read from `fixtures/people.bin`, and the way back: from bytes that arrived to whose they are.
//! A frame is known by its content, so a receiver can tell the right face from a wrong one without decoding.

use std::{collections::HashMap, sync::LazyLock};

/// How many people look and sound different.
pub const PEOPLE: u8 = 24;

/// Whose picture and voice: the barcode shows this number, the voice is at 300 + 100 × this number Hz.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity(u8);

impl Identity {
    /// Counted from 1; beyond the last the faces come again.
    pub fn nth(number: usize) -> Self {
        let index = number.saturating_sub(1) % usize::from(PEOPLE);
        Self(u8::try_from(index).unwrap_or_default() + 1)
    }

    pub fn number(self) -> u8 {
        self.0
    }
}

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scene {
    /// The camera in one of three sizes: 160 × 90, 320 × 180, 640 × 360.
    Camera {
        layer: u8,
    },
    Screen,
}

/// One frame of the fixtures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub identity: Identity,
    pub scene: Scene,
    pub index: usize,
}

pub(crate) type Frames = Vec<&'static [u8]>;

pub(crate) struct Prepared {
    /// Smallest first. 15 frames a second.
    pub camera: [Frames; 3],
    /// 5 frames a second.
    pub screen: Frames,
    /// 50 packets a second: 15 with the tone, 10 without.
    pub voice: Frames,
}

pub(crate) const CAMERA_RATE: u32 = 15;
pub(crate) const SCREEN_RATE: u32 = 5;
pub(crate) const VOICE_RATE: u32 = 50;

/// Whether this packet of a voice carries the tone.
pub(crate) fn voice_sounds(index: usize) -> bool {
    index % 25 < 15
}

pub(crate) fn prepared(identity: Identity) -> &'static Prepared {
    let index = usize::from(identity.0 - 1);
    LIBRARY.people.get(index).unwrap_or(&LIBRARY.people[0])
}

/// All places where exactly these bytes stand; pictures in which nothing moves may look alike.
pub(crate) fn pictures(bytes: &[u8]) -> &'static [Place] {
    LIBRARY.pictures.get(bytes).map_or(&[], Vec::as_slice)
}

/// Whose voice this is, if only one person has such a packet. Silence sounds alike for everybody.
pub(crate) fn voice(bytes: &[u8]) -> Option<Identity> {
    LIBRARY.voices.get(bytes).copied().flatten()
}

struct Library {
    people: Vec<Prepared>,
    pictures: HashMap<&'static [u8], Vec<Place>>,
    voices: HashMap<&'static [u8], Option<Identity>>,
}

static LIBRARY: LazyLock<Library> =
    LazyLock::new(|| Library::read(include_bytes!("../fixtures/people.bin")));

impl Library {
    fn read(pack: &'static [u8]) -> Self {
        let (count, mut rest) = pack.split_first().expect("the fixtures are not empty");
        let people: Vec<Prepared> = (0..*count)
            .map(|_| Prepared {
                camera: [track(&mut rest), track(&mut rest), track(&mut rest)],
                screen: track(&mut rest),
                voice: track(&mut rest),
            })
            .collect();
        let mut library = Self {
            people,
            pictures: HashMap::new(),
            voices: HashMap::new(),
        };
        library.index();
        library
    }

    fn index(&mut self) {
        for (number, person) in self.people.iter().enumerate() {
            let identity = Identity::nth(number + 1);
            let cameras = person
                .camera
                .iter()
                .zip(0..)
                .map(|(frames, layer)| (Scene::Camera { layer }, frames));
            for (scene, frames) in cameras.chain([(Scene::Screen, &person.screen)]) {
                for (index, frame) in frames.iter().enumerate() {
                    self.pictures.entry(frame).or_default().push(Place {
                        identity,
                        scene,
                        index,
                    });
                }
            }
            for packet in &person.voice {
                self.voices
                    .entry(packet)
                    .and_modify(|known| *known = known.filter(|known| *known == identity))
                    .or_insert(Some(identity));
            }
        }
    }
}

fn track(rest: &mut &'static [u8]) -> Frames {
    let count = u16::from_be_bytes(take(rest, 2).try_into().expect("two bytes"));
    (0..count)
        .map(|_| {
            let length = u16::from_be_bytes(take(rest, 2).try_into().expect("two bytes"));
            take(rest, usize::from(length))
        })
        .collect()
}

fn take(rest: &mut &'static [u8], length: usize) -> &'static [u8] {
    let (taken, left) = rest
        .split_at_checked(length)
        .expect("the fixtures are whole");
    *rest = left;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_can_be_told_by_every_keyframe_and_by_their_voice() {
        for number in 1..=usize::from(PEOPLE) {
            let identity = Identity::nth(number);
            let person = prepared(identity);
            for frames in person.camera.iter().chain([&person.screen]) {
                let places = pictures(frames[0]);
                assert_eq!(
                    places.len(),
                    1,
                    "the first picture of {identity:?} is unique"
                );
                assert_eq!((places[0].identity, places[0].index), (identity, 0));
            }
            let told = person
                .voice
                .iter()
                .filter(|packet| voice(packet) == Some(identity))
                .count();
            assert!(told >= 40, "{told} packets tell {identity:?}");
            assert!(
                person
                    .voice
                    .iter()
                    .all(|packet| voice(packet).is_none_or(|found| found == identity))
            );
        }
    }

    #[test]
    fn faces_come_again_after_the_last() {
        assert_eq!(Identity::nth(1).number(), 1);
        assert_eq!(Identity::nth(24).number(), 24);
        assert_eq!(Identity::nth(25).number(), 1);
        assert_eq!(
            prepared(Identity::nth(25)).voice.len(),
            prepared(Identity::nth(1)).voice.len()
        );
    }
}
