//! The target `packets`: two people who see each other and seal whatever they like: RTP with any header, extension and
//! payload, RTCP of every kind and of none, feedback that is nearly good. With time, bindings and mutes in between.

use super::handshake::{client_srtp, provider};
use super::input::Bytes;
use super::stage::Stage;
use crate::egress::srtp::Srtp;
use crate::{Command, Generation, PeerId, Size, SlotIndex, Source, UplinkState};

const MOST_STEPS: usize = 200;
/// Sections of the offer: microphone, camera, screen, sound of the screen, and what receives.
const MIDS: u8 = 10;
const RIDS: &[u8] = b"qhfx";
/// Words of RTCP that stand for a stream of ours (with its index), and for one of the client's.
const OURS: u8 = 0xee;
const THEIRS: u8 = 0xdd;

struct Sealing {
    srtp: Vec<Srtp>,
    /// Index of the next SRTCP packet.
    index: u32,
}

pub fn packets(input: &[u8]) {
    play(input).end();
}

fn play(input: &[u8]) -> Stage {
    let mut stage = Stage::new(provider());
    let clients = [stage.join(), stage.join()];
    clients.iter().for_each(|client| stage.connect(*client));
    for client in clients {
        let other = stage.clients[1 - client].id;
        for slot in 0..3 {
            bind(&mut stage, client, slot, 1, Some(other), 1);
        }
    }
    let mut sealing = Sealing {
        srtp: vec![client_srtp(), client_srtp()],
        index: 1,
    };
    let mut bytes = Bytes::new(input);
    for _ in 0..MOST_STEPS {
        if step(&mut stage, &mut sealing, &mut bytes).is_none() {
            break;
        }
    }
    stage
}

fn step(stage: &mut Stage, sealing: &mut Sealing, bytes: &mut Bytes<'_>) -> Option<()> {
    let kind = bytes.u8()?;
    let client = usize::from(kind >> 7);
    let address = stage.clients[client].address;
    match kind & 0x0f {
        0..4 => {
            let packet = rtp(sealing, client, bytes)?;
            stage.datagram(address, &packet);
        }
        4 => {
            let packet = raw_rtp(sealing, client, bytes)?;
            stage.datagram(address, &packet);
        }
        5..8 => {
            let said = bytes.sized()?;
            let packet = rtcp(stage, sealing, client, said)?;
            stage.datagram(address, &packet);
        }
        8 | 9 => {
            let said = feedback(stage, client, bytes)?;
            let packet = rtcp(stage, sealing, client, &said)?;
            stage.datagram(address, &packet);
        }
        10 => stage.pass(bytes.time()?),
        11 => {
            let (slot, generation) = (bytes.u8()? % 4, u32::from(bytes.u8()? % 8));
            let from = bytes.pick(&[None, Some(PeerId(1)), Some(PeerId(2)), Some(PeerId(9))])?;
            bind(stage, client, slot, generation, from, bytes.u8()?);
        }
        12 => {
            let peer = stage.clients[client].id;
            let (slot, generation) = (SlotIndex(bytes.u8()?), Generation(bytes.u8()?.into()));
            stage.command(match kind & 0x10 {
                0 => Command::SlotReady {
                    peer,
                    slot,
                    generation,
                },
                _ => Command::NoPicture {
                    peer,
                    slot,
                    generation,
                },
            });
        }
        13 => {
            let states = [UplinkState::Live, UplinkState::Muted, UplinkState::Off];
            let (source, state) = (bytes.pick(&Source::ALL)?, bytes.pick(&states)?);
            let (peer, encrypted) = (stage.clients[client].id, kind & 0x10 != 0);
            stage.command(Command::SetUplink {
                peer,
                source,
                state,
                encrypted,
            });
        }
        14 => {
            let raw = bytes.sized()?;
            stage.datagram(address, raw);
        }
        _ => {
            let ufrag = format!("client{}", bytes.u8()? % 4);
            stage.restart(client, &ufrag);
            stage.prove(client, address);
        }
    }
    Some(())
}

fn bind(
    stage: &mut Stage,
    client: usize,
    slot: u8,
    generation: u32,
    from: Option<PeerId>,
    size: u8,
) {
    let sizes = [(0, 0), (160, 90), (640, 360), (u16::MAX, u16::MAX)];
    let (width, height) = sizes[usize::from(size) % sizes.len()];
    let peer = stage.clients[client].id;
    stage.command(Command::Bind {
        peer,
        slot: SlotIndex(slot),
        generation: Generation(generation),
        from,
        video: (size & 0x80 == 0).then_some(Size { width, height }),
        ready: size & 0x40 == 0,
        rank: size >> 3,
    });
}

/// A packet of some section and layer, with the extensions that say so, and a payload of any kind.
fn rtp(sealing: &mut Sealing, client: usize, bytes: &mut Bytes<'_>) -> Option<Vec<u8>> {
    let (section, flags) = (bytes.u8()?, bytes.u8()?);
    let (sequence, timestamp) = (bytes.u16()?, bytes.u32()?);
    let mid = b'0' + section % MIDS;
    let rid = *RIDS.get(usize::from(section >> 6)).unwrap_or(&b'q');
    // A stream of its own for each section and layer, and now and then yet another one.
    let ssrc = 0x1000_0000 | u32::from(section) << 8 | u32::from(flags >> 7);
    let payload_type = [96, 97, 111, 63][usize::from(flags & 3)];
    let mut packet = vec![0x90 | (flags & 0x20), (flags & 0x40) << 1 | payload_type];
    packet.extend(sequence.to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    let mut elements = vec![0x40, mid, 0x31, 0, 0];
    if flags & 4 != 0 {
        elements.extend([0xa0, rid]);
    }
    if flags & 8 != 0 {
        elements.extend([0x10, timestamp as u8]);
    }
    if flags & 16 != 0 {
        elements.extend([0xb0, rid]);
    }
    elements.resize(elements.len().next_multiple_of(4), 0);
    packet.extend([0xbe, 0xde, 0, (elements.len() / 4) as u8]);
    packet.extend(elements);
    let header = packet.len();
    packet.extend(bytes.sized()?);
    seal(sealing, client, packet, header, ssrc, u64::from(sequence))
}

/// A packet whose header is anything at all.
fn raw_rtp(sealing: &mut Sealing, client: usize, bytes: &mut Bytes<'_>) -> Option<Vec<u8>> {
    let rollover = u64::from(bytes.u8()? & 1) << 16;
    let mut packet = bytes.sized()?.to_vec();
    let first = packet.first_mut()?;
    *first = 0x80 | (*first & 0x3f);
    let sequence = u16::from_be_bytes(*packet.get(2..)?.first_chunk()?);
    let ssrc = u32::from_be_bytes(*packet.get(8..)?.first_chunk()?);
    let mut header = 12 + 4 * usize::from(packet[0] & 0x0f);
    if packet[0] & 0x10 != 0 {
        let words = u16::from_be_bytes(*packet.get(header + 2..)?.first_chunk()?);
        header += 4 + 4 * usize::from(words);
    }
    packet.get(..header)?;
    let index = rollover | u64::from(sequence);
    seal(sealing, client, packet, header, ssrc, index)
}

fn seal(
    sealing: &mut Sealing,
    client: usize,
    mut packet: Vec<u8>,
    header: usize,
    ssrc: u32,
    index: u64,
) -> Option<Vec<u8>> {
    let srtp = &mut sealing.srtp[client];
    srtp.seal_rtp(&mut packet, 0, header, ssrc, index)?;
    Some(packet)
}

/// What somebody says in RTCP, about streams that there are.
fn rtcp(stage: &Stage, sealing: &mut Sealing, client: usize, said: &[u8]) -> Option<Vec<u8>> {
    let mut packet = said.to_vec();
    packet.resize(packet.len().max(8).next_multiple_of(4), 0);
    for word in packet.chunks_exact_mut(4) {
        if let [kind @ (OURS | THEIRS), 0, 0, index] = word {
            let ours = &stage.clients[client].ssrcs;
            let ssrc = match *kind {
                OURS => ours[usize::from(*index) % ours.len()],
                _ => 0x1000_0000 | u32::from(*index) << 8,
            };
            word.copy_from_slice(&ssrc.to_be_bytes());
        }
    }
    packet[0] = 0x80 | (packet[0] & 0x3f);
    packet[1] = 200 + (packet[1] & 7);
    let ssrc = u32::from_be_bytes(*packet.get(4..)?.first_chunk()?);
    sealing.index += 1;
    let index = sealing.index;
    sealing.srtp[client].seal_rtcp(&mut packet, 0, ssrc, index)?;
    Some(packet)
}

/// Transport-wide feedback about the newest packets that came, with arrivals as the input likes.
fn feedback(stage: &Stage, client: usize, bytes: &mut Bytes<'_>) -> Option<Vec<u8>> {
    let (count, reference) = (u16::from(bytes.u8()? % 64) + 1, bytes.u16()?);
    let base = stage.clients[client].newest.wrapping_sub(count - 1);
    let deltas = bytes.slice(usize::from(count));
    let mut said = vec![0x8f, 205, 0, 0, 0, 0, 0, 9, OURS, 0, 0, 0];
    said.extend(base.to_be_bytes());
    said.extend(count.to_be_bytes());
    let [high, low] = reference.to_be_bytes();
    said.extend([0, high, low, 0]);
    said.extend((0x2000 | count).to_be_bytes());
    said.extend(deltas);
    said.resize(22 + usize::from(count), 4);
    said.resize(said.len().next_multiple_of(4), 0);
    let words = (said.len() / 4 - 1) as u16;
    said.get_mut(2..4)?.copy_from_slice(&words.to_be_bytes());
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Stats};

    /// What is sent again claims to be from before the first packet, and so gets a number above which there is none: sealed
    /// once, it would be the slot's last.
    #[test]
    fn a_number_from_before_the_first_goes_to_nobody() {
        let stage = play(include_bytes!(
            "../../../../fuzz/corpus/packets/before-the-first"
        ));
        let video = stage.clients[1].ssrcs[1];
        let is_report = |number: u64| number >> 62 == 2;
        let sealed = stage.watch.sealed();
        let numbers = sealed.filter(|(_, ssrc, number)| *ssrc == video && !is_report(*number));
        let mut numbers: Vec<u64> = numbers.map(|(_, _, number)| *number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2]);
        assert!(stage.sfu.stats().dropped_rtp > 0, "it came so far");
    }

    /// A target that nothing gets through would hold whatever is promised.
    #[test]
    fn what_is_sealed_well_gets_through() {
        let camera = play(include_bytes!("../../../../fuzz/corpus/packets/a-camera"));
        assert!(camera.sfu.stats().forwarded_packets >= 5);
        let started = |event: &Event| matches!(event, Event::SlotStarted { .. });
        assert!(camera.events.iter().any(started));
        type Row<'a> = (&'a str, &'a [u8], fn(Stats) -> u64);
        let table: &[Row<'_>] = &[
            (
                "a voice",
                include_bytes!("../../../../fuzz/corpus/packets/a-voice"),
                |stats| stats.forwarded_packets,
            ),
            (
                "redundancy",
                include_bytes!("../../../../fuzz/corpus/packets/redundancy"),
                |stats| stats.recovered_packets,
            ),
            (
                "requests",
                include_bytes!("../../../../fuzz/corpus/packets/reports-and-requests"),
                |stats| stats.keyframe_requests,
            ),
        ];
        for (description, input, count) in table {
            assert!(count(play(input).sfu.stats()) > 0, "{description}");
        }
    }
}
