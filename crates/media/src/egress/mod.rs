//! How packets leave towards one subscriber: a queue, pacing, header, SRTP, retransmission and reports of all its down
//! sections. str0m knows the sections for the answer's sake only and sends nothing there (see
//! docs/decisions/0001-egress.md).
//!
//! Decides when a packet goes, never who gets what.

mod flush;
pub(crate) mod header;
pub(crate) mod keys;
mod lane;
mod pacer;
mod past;
mod path;
pub(crate) mod rtcp;
pub(crate) mod srtp;
mod window;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::crypto::CryptoProvider;
use str0m::rtp::VideoOrientation;

use crate::bandwidth::Bandwidth;
use crate::batch::Path;
use crate::packet::Packet;
use crate::rewriter::Rewritten;

pub(crate) use header::Extensions;
use keys::Keys;
use lane::Lane;
pub(crate) use lane::{PayloadTypes, Retransmission, Section};
use pacer::{Pacer, SHORTEST_WAIT, Waiting};
use past::Numbered;
use path::Paths;
use rtcp::{Ntp, Said};
use srtp::Srtp;

/// Video packets that wait at most. More come only from somebody who sends beyond all limits.
const LONGEST_QUEUE: usize = 2_000;
/// Bytes that may be sent again without anything new in between, but no more than a line takes in this time: what a line
/// lost because it was too much for it must not come again as too much. And the share of what is sent that may be on top.
const MOST_ALLOWANCE: usize = 128 * 1024;
const ALLOWANCE_TIME: Duration = Duration::from_millis(250);
const RETRANSMISSION_SHARE: usize = 2;
/// What a packet that is sent again takes at least, whatever is in it.
const OVERHEAD_BYTES: usize = 60;
/// Packets that one datagram may ask for: clients do not keep more in mind.
const MOST_MISSING: usize = 1_000;
/// A packet is sent again only after the last attempt had time to arrive.
const LEAST_REST: Duration = Duration::from_millis(10);
const REST_BEFORE_RTT: Duration = Duration::from_millis(50);
/// Our clock in sender reports begins here, in seconds since 1900. Receivers compare times of ours with each other only.
const REPORTED_EPOCH: Duration = Duration::from_secs(3_900_000_000);
const TIDY_EVERY: Duration = Duration::from_secs(1);
/// Padding that makes a client give its first feedback, without which nobody knows whether its line carries a picture.
const GREET_EVERY: Duration = Duration::from_millis(500);
const GREETINGS: u8 = 20;

/// One down section that the client agreed to receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route(u16);

/// The header extensions that go from sender to receiver.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PassedOn {
    pub audio_level: Option<i8>,
    pub voice_activity: Option<bool>,
    pub video_orientation: Option<VideoOrientation>,
}

/// A packet that waits to leave.
#[derive(Debug)]
struct Queued {
    route: Route,
    since: Instant,
    sent: Numbered,
}

/// What waits, by precedence.
#[derive(Debug, Default)]
struct Queue {
    audio: VecDeque<Queued>,
    again: VecDeque<Queued>,
    video: VecDeque<Queued>,
    /// Of what is paced.
    bytes: usize,
}

/// What a client said in one RTCP datagram, as far as it concerns others.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    pub keyframes: Vec<Route>,
    /// Something in it is about what the client sends.
    pub is_for_engine: bool,
}

/// The down sections of one subscriber and the way to it.
#[derive(Debug)]
pub(crate) struct Egress {
    lanes: Vec<Lane>,
    /// Those of the lanes, in their order.
    ssrcs: Vec<u32>,
    srtp: Option<Srtp>,
    pub paths: Paths,
    /// What the line to this subscriber carries, if the client gives the feedback that it takes.
    pub bandwidth: Option<Bandwidth>,
    queue: Queue,
    pacer: Pacer,
    allowance: usize,
    rtt: Option<Duration>,
    epoch: Instant,
    tidied: Instant,
    flushed: Instant,
    greeting: Greeting,
}

#[derive(Debug, Default)]
struct Greeting {
    sent: u8,
    last: Option<Instant>,
    is_answered: bool,
}

impl Egress {
    pub fn new(now: Instant) -> Self {
        Self {
            lanes: vec![],
            ssrcs: vec![],
            srtp: None,
            paths: Paths::default(),
            bandwidth: None,
            queue: Queue::default(),
            pacer: Pacer::new(now),
            allowance: MOST_ALLOWANCE,
            rtt: None,
            epoch: now,
            tidied: now,
            flushed: now,
            greeting: Greeting::default(),
        }
    }

    /// To the client and back, as its reports tell.
    pub fn rtt(&self) -> Option<Duration> {
        self.rtt
    }

    /// After each negotiation, for each section that the client receives in.
    pub fn open(&mut self, section: Section) -> Route {
        if section.extensions.transport_cc.is_some() && self.bandwidth.is_none() {
            self.bandwidth = Some(Bandwidth::new(self.epoch));
        }
        let known = self.ssrcs.iter().position(|ssrc| *ssrc == section.ssrc);
        let index = known.unwrap_or(self.lanes.len());
        match self.lanes.get_mut(index) {
            Some(lane) => lane.section = section,
            None => {
                self.ssrcs.push(section.ssrc);
                self.lanes.push(Lane::new(section));
            }
        }
        Route(index as u16)
    }

    pub fn set_keys(&mut self, crypto: &CryptoProvider, keys: &Keys) {
        self.srtp = Srtp::new(crypto, keys);
        if self.srtp.is_none() {
            tracing::error!(profile = ?keys.profile, "no media for a peer: its SRTP profile is unknown");
        }
    }

    /// Whether this is a stream of ours, so that the engine must not say anything in its name.
    pub fn owns(&self, ssrc: u32) -> bool {
        self.ssrcs.contains(&ssrc)
    }

    #[cfg(test)]
    pub fn ssrc(&self, route: Route) -> u32 {
        self.ssrcs[usize::from(route.0)]
    }

    /// Takes a packet that is to leave with the next flush, or as soon as its turn comes.
    pub fn enqueue(
        &mut self,
        now: Instant,
        route: Route,
        packet: &Arc<Packet>,
        numbers: Rewritten,
    ) {
        let queued = Queued {
            route,
            since: now,
            sent: Numbered {
                packet: packet.clone(),
                numbers,
            },
        };
        if !packet.source.is_video() {
            self.queue.audio.push_back(queued);
        } else if self.queue.video.len() < LONGEST_QUEUE {
            self.queue.bytes += packet.payload.len();
            self.pacer.offer(packet.payload.len());
            self.queue.video.push_back(queued);
        }
    }

    /// Takes RTCP that came over `path`. `None` if it is not the client's.
    pub fn receive(&mut self, now: Instant, path: Path, datagram: &[u8]) -> Option<Heard> {
        let ntp = self.ntp(now);
        let opened = self.srtp.as_mut()?.open_rtcp(datagram)?;
        let mut heard = Heard::default();
        let mut may_miss = MOST_MISSING;
        let route = |ssrc| {
            let index = self.ssrcs.iter().position(|known| *known == ssrc)?;
            Some(Route(index as u16))
        };
        rtcp::read(opened, |said| match said {
            Said::NotAboutOurs => heard.is_for_engine = true,
            Said::KeyframeWanted { ssrc } => {
                let news = route(ssrc).filter(|route| !heard.keyframes.contains(route));
                heard.keyframes.extend(news);
            }
            Said::TransportFeedback { fci } => {
                if let Some(bandwidth) = &mut self.bandwidth {
                    self.greeting.is_answered |= bandwidth.feedback(now, fci);
                }
            }
            Said::Report(report) => {
                let lane =
                    route(report.ssrc).and_then(|route| self.lanes.get_mut(usize::from(route.0)));
                let Some(lane) = lane else { return };
                lane.is_known = true;
                let rtt = report.round_trip(ntp);
                self.rtt = rtt.or(self.rtt);
                if let Some(bandwidth) = &mut self.bandwidth {
                    bandwidth.report(now, rtt, report.fraction_lost);
                }
            }
            Said::Missing { ssrc, packets } => {
                self.allowance = self.allowance.min(most_allowance(self.bandwidth.as_ref()));
                let rest = self.rtt.unwrap_or(REST_BEFORE_RTT).max(LEAST_REST);
                let Some(route) = route(ssrc) else { return };
                let Some(lane) = self.lanes.get_mut(usize::from(route.0)) else {
                    return;
                };
                for sequence in packets.sequences().take(may_miss) {
                    may_miss -= 1;
                    let Some(sent) = lane.recall(now, sequence, rest) else {
                        continue;
                    };
                    let size = sent.packet.payload.len();
                    if size + OVERHEAD_BYTES > self.allowance {
                        continue;
                    }
                    self.allowance -= size + OVERHEAD_BYTES;
                    self.queue.bytes += size;
                    let since = now;
                    self.queue.again.push_back(Queued { route, since, sent });
                }
            }
        });
        self.paths.client_uses(now, path);
        Some(heard)
    }

    /// True when there is something to flush.
    pub fn tick(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.tidied) >= TIDY_EVERY {
            self.tidied = now;
            self.lanes.iter_mut().for_each(|lane| lane.forget_old(now));
        }
        let reports = self.lanes.iter().any(|lane| lane.report_is_due(now));
        // Padding may be wanted though nothing is sent.
        let padding = self.poll_timeout().is_some_and(|at| at <= now);
        reports || padding || (self.srtp.is_some() && self.greeting.is_due(now))
    }

    /// When to flush again if nothing is enqueued before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let paced = !self.queue.again.is_empty() || !self.queue.video.is_empty();
        let paced = paced.then(|| self.pacer.opens_at());
        let measured = self.srtp.as_ref().and(self.bandwidth.as_ref());
        let measured = measured.and_then(Bandwidth::poll_timeout);
        let next = [paced, measured].into_iter().flatten().min()?;
        // What is due and cannot be done now waits for something to change.
        Some(next.max(self.flushed + SHORTEST_WAIT))
    }

    fn ntp(&self, now: Instant) -> Ntp {
        Ntp::from_seconds(REPORTED_EPOCH + now.saturating_duration_since(self.epoch))
    }
}

fn most_allowance(bandwidth: Option<&Bandwidth>) -> usize {
    let carried = |bandwidth: &Bandwidth| {
        let bits = u128::from(bandwidth.estimate_bps()) * ALLOWANCE_TIME.as_millis() / 1_000;
        usize::try_from(bits / 8).unwrap_or(usize::MAX)
    };
    bandwidth
        .map_or(MOST_ALLOWANCE, carried)
        .min(MOST_ALLOWANCE)
}

impl Greeting {
    fn is_due(&self, now: Instant) -> bool {
        let rested = |last| now.saturating_duration_since(last) >= GREET_EVERY;
        !self.is_answered && self.sent < GREETINGS && self.last.is_none_or(rested)
    }
}

impl Queue {
    /// What waits for the pacer.
    fn waiting(&self) -> Option<Waiting> {
        let first = self.again.front().or(self.video.front())?;
        Some(Waiting {
            bytes: self.bytes,
            since: first.since,
        })
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}
