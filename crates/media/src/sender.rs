//! What one peer sends, apart from how it is connected: its sources with their layers, and how loud it is. Receivers meet
//! it here and nowhere else.

use crate::api::{GroupId, ShardIndex, Source};
use crate::sdp::Offer;
use crate::speakers::Meter;
use crate::uplink::Uplink;

/// Where a sender is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    Here,
    Shard(ShardIndex),
}

#[derive(Debug)]
pub(crate) struct Sender {
    pub group: GroupId,
    pub home: Home,
    pub uplinks: Vec<Uplink>,
    pub meter: Meter,
}

impl Sender {
    pub fn new(group: GroupId, home: Home) -> Self {
        Self {
            group,
            home,
            uplinks: Source::ALL
                .into_iter()
                .map(|source| Uplink::new(source, &[]))
                .collect(),
            meter: Meter::default(),
        }
    }

    /// After a negotiation.
    pub fn set_layers(&mut self, offer: &Offer) {
        for uplink in &mut self.uplinks {
            match uplink.source {
                Source::Camera => uplink.set_layers(&offer.camera_rids),
                Source::Screen => uplink.set_layers(&offer.screen_rids),
                Source::Microphone | Source::ScreenAudio => {}
            }
        }
    }

    pub fn is_here(&self) -> bool {
        self.home == Home::Here
    }

    pub fn uplink(&self, source: Source) -> Option<&Uplink> {
        self.uplinks.iter().find(|uplink| uplink.source == source)
    }

    pub fn uplink_mut(&mut self, source: Source) -> Option<&mut Uplink> {
        self.uplinks
            .iter_mut()
            .find(|uplink| uplink.source == source)
    }
}
