//! Which of the encodings of a peer's video somebody needs, so that the peer can switch the others off, and what is done
//! for a receiver that sees nothing. Tells changes only.

use crate::api::{Event, Generation, PeerId, SlotIndex};
use crate::sfu::Sfu;

impl Sfu {
    /// Tells what is demanded of this peer, where that changed.
    pub(crate) fn tell_demand(&mut self, peer: PeerId) {
        let Some(state) = self.peers.get_mut(&peer).filter(|state| state.connected) else {
            return;
        };
        let group = state.group;
        let mut changed = vec![];
        for uplink in state
            .uplinks
            .iter_mut()
            .filter(|uplink| uplink.source.is_video())
        {
            if uplink.demand_changed() {
                changed.push((uplink.source, uplink.demanded_rids()));
            }
        }
        for (source, layers) in changed {
            self.event(Event::Demand {
                group,
                peer,
                source,
                layers,
            });
        }
    }

    /// The receiver could show nothing of this slot for a while: it needs a keyframe at least.
    pub(crate) fn no_picture(&mut self, peer: PeerId, slot: SlotIndex, generation: Generation) {
        let route = self
            .peers
            .get_mut(&peer)
            .and_then(|state| state.slot(slot))
            .filter(|slot| slot.carries(generation))
            .and_then(|slot| slot.video.route);
        if let Some(route) = route {
            self.keyframe_wanted(peer, route);
        }
    }
}
