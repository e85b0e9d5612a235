//! What the core says of each connection is what the network did to it.

use std::time::Duration;

use super::network::{Conditions, LAN};
use super::world::{GROUP, LARGE, World, twice};
use crate::{Event, PathKind, PeerId, Quality};

fn measured(world: &World, of: PeerId) -> Vec<Quality> {
    let events = world.events.iter().filter_map(|(_, event)| match event {
        Event::Measured {
            group,
            peer,
            quality,
        } if (*group, *peer) == (GROUP, of) => Some(*quality),
        _ => None,
    });
    events.collect()
}

#[test]
fn each_connection_is_measured_every_ten_seconds() {
    twice(LAN, |world| {
        let (a, b) = (world.join(1), world.join(2));
        world.bind(a, 0, 1, Some(b), LARGE);
        world.run_ms(31_000);
        for peer in [a, b] {
            let all = measured(world, peer);
            assert_eq!(all.len(), 3, "{all:?}");
            for quality in all {
                assert_eq!((quality.seconds, quality.path), (10, PathKind::UdpV4));
                assert_eq!(quality.loss_up.unwrap_or_default(), 0);
                assert!(quality.up_bps > 100_000, "{quality:?}");
                assert!(quality.estimate_bps > Some(100_000), "{quality:?}");
            }
        }
        let rtt = measured(world, a).last().and_then(|quality| quality.rtt_ms);
        assert!(rtt.is_some_and(|ms| ms <= 20), "{rtt:?}");
        let down = |peer| measured(world, peer).last().map(|quality| quality.down_bps);
        assert!(
            down(a) > down(b).map(|bps| 5 * bps),
            "only one of them sees the other"
        );
    });
}

#[test]
fn loss_on_the_way_up_is_told_as_it_was() {
    let conditions = Conditions {
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(3),
        loss_per_mille: 80,
    };
    twice(conditions, |world| {
        let (a, b) = (world.join(1), world.join(2));
        world.bind(a, 0, 1, Some(b), LARGE);
        world.run_ms(41_000);
        let lost: Vec<u16> = measured(world, b)
            .iter()
            .filter_map(|quality| quality.loss_up)
            .collect();
        assert!(lost.len() >= 3, "{lost:?}");
        let lost_down: Vec<_> = measured(world, a)
            .iter()
            .filter_map(|quality| quality.loss_down)
            .collect();
        assert!(
            lost_down.iter().any(|lost| (20..=200).contains(lost)),
            "{lost_down:?}"
        );
        let mean = lost.iter().sum::<u16>() / lost.len() as u16;
        assert!((60..=100).contains(&mean), "{lost:?}");
    });
}
