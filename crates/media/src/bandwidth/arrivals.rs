//! Puts packets into groups that left together, and tells how much later each group arrived than the one before,
//! against how much later it left (draft-ietf-rmcat-gcc-02, sections 5.2 and 5.3). Knows nothing of rates.

/// What leaves within this time is one group.
const GROUP_US: i64 = 5_000;
/// What waited somewhere and then arrives at once is one group too, up to this length.
const BURST_US: i64 = 100_000;
/// A jump of one clock against the other by this much is no delay.
const CLOCK_JUMP_US: i64 = 3_000_000;
/// So many groups in a row that arrive before their predecessors are no reordering either.
const BACKWARD_GROUPS: u8 = 3;

#[derive(Clone, Copy, Debug)]
struct Group {
    first_sent_us: i64,
    last_sent_us: i64,
    first_arrived_us: i64,
    last_arrived_us: i64,
}

impl Group {
    fn new(sent_us: i64, arrived_us: i64) -> Self {
        Self {
            first_sent_us: sent_us,
            last_sent_us: sent_us,
            first_arrived_us: arrived_us,
            last_arrived_us: arrived_us,
        }
    }

    fn takes(&self, sent_us: i64, arrived_us: i64) -> bool {
        if sent_us - self.first_sent_us <= GROUP_US {
            return true;
        }
        let between_sent = sent_us - self.last_sent_us;
        let between_arrived = arrived_us - self.last_arrived_us;
        between_arrived < between_sent
            && between_arrived <= GROUP_US
            && arrived_us - self.first_arrived_us < BURST_US
    }

    fn add(&mut self, sent_us: i64, arrived_us: i64) {
        self.last_sent_us = self.last_sent_us.max(sent_us);
        self.last_arrived_us = self.last_arrived_us.max(arrived_us);
    }
}

/// One group against the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delta {
    pub sent_us: i64,
    pub arrived_us: i64,
    /// When the later one arrived, by the receiver's clock.
    pub at_us: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    current: Option<Group>,
    previous: Option<Group>,
    backward: u8,
}

impl Arrivals {
    /// In the order in which packets were sent. Gives a delta when a packet completes a group.
    pub fn packet(&mut self, sent_us: i64, arrived_us: i64) -> Option<Delta> {
        let Some(current) = &mut self.current else {
            self.current = Some(Group::new(sent_us, arrived_us));
            return None;
        };
        if sent_us < current.first_sent_us {
            return None;
        }
        if current.takes(sent_us, arrived_us) {
            current.add(sent_us, arrived_us);
            return None;
        }
        let complete = *current;
        self.current = Some(Group::new(sent_us, arrived_us));
        let previous = self.previous.replace(complete)?;
        let delta = Delta {
            sent_us: complete.last_sent_us - previous.last_sent_us,
            arrived_us: complete.last_arrived_us - previous.last_arrived_us,
            at_us: complete.last_arrived_us,
        };
        if (delta.arrived_us - delta.sent_us).abs() >= CLOCK_JUMP_US {
            *self = Self::default();
            return None;
        }
        if delta.arrived_us < 0 {
            self.backward += 1;
            if self.backward >= BACKWARD_GROUPS {
                *self = Self::default();
            }
            return None;
        }
        self.backward = 0;
        Some(delta)
    }
}
