//! The target `ingress`: datagrams from strangers and from an address that a client has proven, of every kind, with time and
//! restarts in between. The handshake is the real one, and never gets through.

use std::net::SocketAddr;

use super::input::Bytes;
use super::stage::Stage;
use crate::Command;
use crate::egress::keys;

/// Any more would only take longer.
const MOST_STEPS: usize = 200;

pub fn ingress(input: &[u8]) {
    play(input).end();
}

fn play(input: &[u8]) -> Stage {
    let mut stage = Stage::new(keys::provider());
    let client = stage.join();
    let mut bytes = Bytes::new(input);
    for _ in 0..MOST_STEPS {
        if step(&mut stage, client, &mut bytes).is_none() {
            break;
        }
    }
    stage
}

fn step(stage: &mut Stage, client: usize, bytes: &mut Bytes<'_>) -> Option<()> {
    let kind = bytes.u8()?;
    // A few of the client's own addresses, and others that never prove to be anybody's.
    let own = |port: u8| SocketAddr::from(([198, 51, 100, 1], 4_000 + u16::from(port % 32)));
    let stranger = |port: u8| SocketAddr::from(([203, 0, 113, 9], 1_000 + u16::from(port)));
    match kind % 8 {
        0 => {
            let address = own(bytes.u8()?);
            stage.prove(client, address);
        }
        1 => {
            let (address, raw) = (own(bytes.u8()?), bytes.sized()?);
            stage.datagram(address, raw);
        }
        2 => {
            let (address, raw) = (stranger(bytes.u8()?), bytes.sized()?);
            stage.datagram(address, raw);
        }
        // A good check with something changed: it proves nothing any more.
        3 | 4 => {
            let mut check = stage.check(client, kind & 0x40 != 0);
            let (port, at, by) = (bytes.u8()?, bytes.u8()?, bytes.u8()?.max(1));
            let at = usize::from(at) % check.len();
            let is_ours = is_authenticated(&check, at);
            check[at] ^= by;
            if kind & 0x20 != 0 {
                check.truncate(at);
            }
            if is_ours || kind & 0x20 != 0 {
                stage.datagram(stranger(port), &check);
            }
        }
        5 => {
            let time = bytes.time()?;
            stage.pass(time);
        }
        6 => {
            let ufrag = format!("client{}", bytes.u8()? % 4);
            stage.restart(client, &ufrag);
        }
        _ => {
            let (transport, raw) = (bytes.u8()?, bytes.sized()?);
            // As it comes to another port, or long.
            let long = raw.repeat(usize::from(transport % 16) + 1);
            stage.datagram(own(transport), &long);
            if transport == 255 {
                let peer = stage.clients[client].id;
                stage.command(Command::Remove { peer });
                stage.clients.clear();
                return None;
            }
        }
    }
    Some(())
}

/// Whether the byte belongs to what the integrity of a message covers, or is the integrity itself: the checksum behind it
/// and the message's length are not.
fn is_authenticated(check: &[u8], at: usize) -> bool {
    const FINGERPRINT: usize = 8;
    at + FINGERPRINT < check.len() && !(2..4).contains(&at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_proven_is_answered_and_what_is_spoilt_is_not() {
        let proven = play(include_bytes!(
            "../../../../fuzz/corpus/ingress/an-address-is-proven"
        ));
        let stats = proven.sfu.stats();
        assert_eq!((stats.addresses, stats.dropped_unauthentic), (1, 0));
        assert!(stats.datagrams_out > 0);
        let spoilt = play(include_bytes!(
            "../../../../fuzz/corpus/ingress/spoilt-checks"
        ));
        let stats = spoilt.sfu.stats();
        assert!(stats.datagrams_in > 10);
        assert_eq!((stats.addresses, stats.datagrams_out), (0, 0));
    }
}
