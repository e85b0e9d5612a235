//! What of the sound reaches whom, packet by packet: the loudest few, beginnings and ends, pauses.

use super::client::Got;
use super::network::{LAN, REORDERING};
use super::world::{GROUP, World, twice};
use crate::{Event, PeerId, Source, UplinkState};

const QUIET: i8 = -75;
const LOUD: i8 = -30;

/// People who send sound only, each with slots for so many others and bound to the ones that follow them.
fn meet(world: &mut World, people: u64, slots: u64) -> Vec<PeerId> {
    let ids = gather(world, people, slots);
    for id in &ids {
        for slot in 0..slots {
            let from = PeerId((id.0 + slot) % people + 1);
            world.bind(*id, slot as u8, 1, Some(from), None);
        }
    }
    ids
}

fn gather(world: &mut World, people: u64, slots: u64) -> Vec<PeerId> {
    let ids: Vec<PeerId> = (1..=people)
        .map(|id| world.join_unconnected(id, slots as usize, 1, false))
        .collect();
    for id in &ids {
        world.client(*id).set_active(Source::Camera, false);
        world.client(*id).set_level(QUIET);
    }
    world.run_until("connected", |world| {
        ids.iter()
            .all(|id| world.clients[id].connected && world.saw_connected(*id))
    });
    ids
}

/// Where the first one has somebody.
fn slot_of(person: PeerId) -> usize {
    person.0 as usize - 2
}

/// Everything that came in the slot in the order of its sequence, whose gaps there are none of: timestamp and, unless it
/// is a silence, what it was.
fn stream(world: &World, peer: PeerId, slot: usize) -> Vec<(u32, Option<Got>)> {
    let client = &world.clients[&peer];
    let mid = &client.slots[slot].audio;
    let heard = client.received.get(mid).into_iter().flatten();
    let heard = heard.map(|got| (got.sequence, got.timestamp, Some(*got)));
    let silences = client.silences.get(mid).into_iter().flatten();
    let silences = silences.map(|(sequence, timestamp)| (*sequence, *timestamp, None));
    let mut all: Vec<_> = heard.chain(silences).collect();
    all.sort_by_key(|(sequence, ..)| *sequence);
    for pair in all.windows(2) {
        assert_eq!(pair[1].0, pair[0].0 + 1, "{pair:?}");
    }
    all.into_iter()
        .map(|(_, timestamp, got)| (timestamp, got))
        .collect()
}

/// That the timestamps of what was heard run with the time in which it was said, as far as reports on a bad path tell.
fn assert_in_time(stream: &[(u32, Option<Got>)]) {
    let heard: Vec<Got> = stream.iter().filter_map(|(_, got)| *got).collect();
    let first = heard[0];
    for got in &heard {
        let ticks = got.timestamp.wrapping_sub(first.timestamp).cast_signed();
        let said = (got.sent.captured - first.sent.captured).as_millis() as i32 * 48;
        assert!(
            (ticks - said).abs() <= 10 * 48,
            "{got:?}: {ticks} is not {said}"
        );
    }
}

#[test]
fn up_to_five_open_microphones_are_heard_however_soft_they_are() {
    twice(LAN, |world| {
        let ids = meet(world, 6, 5);
        world.set_uplink(ids[5], Source::Microphone, UplinkState::Muted);
        world.run_ms(200);
        world.forget_received();
        world.run_ms(2_000);
        for person in &ids[1..5] {
            let heard = world.audio(ids[0], slot_of(*person)).len();
            assert!((99..=101).contains(&heard), "{person}: {heard}");
        }
        assert!(world.audio(ids[0], slot_of(ids[5])).is_empty());
        let before = world.stats().held_packets;
        world.run_ms(500);
        assert_eq!(world.stats().held_packets, before);
    });
}

#[test]
fn whoever_begins_to_speak_is_heard_from_the_breath_before() {
    twice(LAN, |world| {
        let ids = meet(world, 8, 7);
        let (listener, speaker) = (ids[0], ids[7]);
        world.run_ms(1_000);
        assert!(world.audio(listener, slot_of(speaker)).is_empty());
        let begins = world.now;
        world.client(speaker).set_level(LOUD);
        world.run_ms(1_000);
        let heard = world.audio(listener, slot_of(speaker)).to_vec();
        let first = heard.iter().find(|got| got.sent.captured > begins);
        let first = *first.expect("something that was said");
        let late = first.at - first.sent.captured;
        assert!(late.as_millis() < 30, "{late:?}");
        let before = first.sent.frame - heard[0].sent.frame;
        assert_eq!(before, 3, "packets of the breath before");
        let frames: Vec<u64> = heard.iter().map(|got| got.sent.frame).collect();
        let expected: Vec<u64> = (frames[0]..frames[0] + frames.len() as u64).collect();
        assert_eq!(frames, expected, "each packet once and in order");
        let markers: Vec<bool> = heard.iter().map(|got| got.marker).collect();
        assert!(markers[0] && markers[1..].iter().all(|marker| !marker));
        assert_in_time(&stream(world, listener, slot_of(speaker)));
    });
}

#[test]
fn a_lane_that_loses_its_voice_ends_in_silence_and_goes_on_in_time() {
    for conditions in [LAN, REORDERING] {
        twice(conditions, |world| {
            let ids = meet(world, 8, 7);
            let listener = ids[0];
            for (speaker, ms) in [(7, 2_000), (6, 4_000), (7, 3_000)] {
                let speaker = ids[speaker];
                world.client(speaker).set_level(LOUD);
                world.run_ms(ms);
                world.client(speaker).set_level(QUIET);
                // Others take over the places meanwhile.
                for other in [1, 2, 3, 4, 5] {
                    world.client(ids[other]).set_level(LOUD + 5);
                    world.run_ms(700);
                    world.client(ids[other]).set_level(QUIET);
                }
                world.run_ms(100);
            }
            let mut silences = 0;
            for person in &ids[1..] {
                let stream = stream(world, listener, slot_of(*person));
                assert_in_time(&stream);
                for pair in stream.windows(2) {
                    let [(before, said), (after, next)] = pair else {
                        unreachable!()
                    };
                    let step = after.wrapping_sub(*before);
                    match (said, next) {
                        (Some(_), None) => assert_eq!(step, 960, "an end of 20 ms"),
                        (None, None) => panic!("two ends"),
                        (None, Some(next)) => assert!(next.marker && step > 0),
                        (Some(said), Some(next)) => {
                            assert!(step == 960 || next.marker, "{said:?} {next:?}")
                        }
                    }
                }
                silences += stream.iter().filter(|(_, got)| got.is_none()).count();
            }
            assert_eq!(silences > 3, !world.opaque, "{silences}");
            if world.opaque {
                assert_eq!(silences, 0, "nothing is put into what nobody here can read");
            }
        });
    }
}

#[test]
fn a_senders_own_pause_is_passed_on_as_it_is() {
    twice(LAN, |world| {
        let ids = meet(world, 2, 1);
        for _ in 0..3 {
            world.run_ms(700);
            world.client(ids[1]).set_active(Source::Microphone, false);
            world.run_ms(1_300);
            world.client(ids[1]).set_active(Source::Microphone, true);
        }
        world.run_ms(300);
        let stream = stream(world, ids[0], 0);
        assert!(stream.len() > 100);
        assert_in_time(&stream);
        assert!(stream.iter().all(|(_, got)| got.is_some()));
    });
}

#[test]
fn a_muted_microphone_ends_in_silence_and_comes_back_in_time() {
    twice(LAN, |world| {
        let ids = meet(world, 2, 1);
        world.run_ms(500);
        world.set_uplink(ids[1], Source::Microphone, UplinkState::Muted);
        world.run_ms(1_500);
        world.set_uplink(ids[1], Source::Microphone, UplinkState::Live);
        world.run_ms(500);
        let stream = stream(world, ids[0], 0);
        assert_in_time(&stream);
        let silences = stream.iter().filter(|(_, got)| got.is_none()).count();
        assert_eq!(silences, usize::from(!world.opaque));
    });
}

#[test]
fn sound_of_screens_is_neither_counted_nor_held() {
    twice(LAN, |world| {
        let ids = meet(world, 7, 6);
        let screen_slot = 6;
        for sharer in &ids[1..] {
            world.set_uplink(*sharer, Source::ScreenAudio, UplinkState::Live);
            world.client(*sharer).set_active(Source::ScreenAudio, true);
        }
        world.bind(ids[0], screen_slot, 1, Some(ids[6]), None);
        world.run_ms(500);
        world.forget_received();
        world.run_ms(1_000);
        let heard = world.audio(ids[0], screen_slot as usize).len();
        assert!((49..=51).contains(&heard), "{heard}");
        let microphones =
            (1..7).filter(|id| !world.audio(ids[0], slot_of(PeerId(*id + 1))).is_empty());
        assert_eq!(microphones.count(), 4, "the listener's own is the fifth");
    });
}

/// All hear the five who speak, and have others in their further slots.
fn check_costs(world: &mut World, people: u64, slots: u64) {
    let ids = gather(world, people, slots);
    let loud: Vec<PeerId> = ids[7..12].to_vec();
    for id in &ids {
        let others = ids.iter().filter(|other| !loud.contains(other));
        let seen = loud.iter().chain(others).filter(|other| *other != id);
        for (slot, from) in seen.take(slots as usize).enumerate() {
            world.bind(*id, slot as u8, 1, Some(*from), None);
        }
    }
    loud.iter().for_each(|id| world.client(*id).set_level(LOUD));
    world.run_ms(300);
    let before = world.stats();
    world.run_ms(1_000);
    let after = world.stats();
    let streams = (after.forwarded_packets - before.forwarded_packets) as f64 / 50.0;
    let expected = 5.0 * (people as f64 - 1.0);
    assert!(
        (streams - expected).abs() < expected * 0.03,
        "{people} people: {streams} streams out instead of {expected}"
    );
    let held = (after.held_packets - before.held_packets) as f64 / 50.0;
    let expected = people as f64 - 5.0;
    assert!((held - expected).abs() < expected * 0.03, "{held} are held");
}

#[test]
fn each_of_twenty_receives_five_voices_of_twenty_open_microphones() {
    twice(LAN, |world| check_costs(world, 20, 19));
}

#[test]
fn each_of_a_hundred_receives_five_voices_at_most() {
    check_costs(&mut World::new(LAN, true), 100, 25);
}

#[test]
fn whoever_gets_a_slot_for_beginning_to_speak_is_heard_from_the_beginning() {
    twice(LAN, |world| {
        let ids = meet(world, 8, 3);
        let (listener, speaker) = (ids[0], ids[7]);
        world.run_ms(1_000);
        let begins = world.now;
        world.client(speaker).set_level(LOUD);
        world.run_until("told", |world| {
            let told = Event::Heard {
                group: GROUP,
                peer: speaker,
            };
            world.events.iter().any(|(_, event)| *event == told)
        });
        let told = world.now - begins;
        assert!(told.as_millis() < 50, "{told:?}");
        // The room decides, and says so.
        world.run_ms(30);
        world.bind(listener, 2, 2, Some(speaker), None);
        world.run_ms(500);
        let of_speaker = |got: &&Got| got.sent.by == speaker;
        let heard: Vec<Got> = world
            .audio(listener, 2)
            .iter()
            .filter(of_speaker)
            .copied()
            .collect();
        assert!(
            heard[0].sent.captured <= begins,
            "the breath before is heard"
        );
        let frames: Vec<u64> = heard.iter().map(|got| got.sent.frame).collect();
        let expected: Vec<u64> = (frames[0]..frames[0] + frames.len() as u64).collect();
        assert_eq!(frames, expected);
    });
}
