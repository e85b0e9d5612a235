//! Puts together what the parts see: delay, queue, loss, delivery and probes make one estimate. Owns the order in which
//! they are asked, and what happens when nothing is heard at all; each judgement is in a file of its own.

use super::arrivals::Arrivals;
use super::feedback::Feedback;
use super::history::{Answered, History};
use super::loss::{self, Loss};
use super::meter::Meter;
use super::probes::{self, Probes};
use super::queue::Queue;
use super::rate::{Observed, Rate};
use super::trend::{Trend, Usage};
use super::{MAX_BPS, MIN_BPS, Probe, START_BPS, Sent};

/// Rates are measured over this.
const WINDOW_US: i64 = 500_000;
const USUAL_US: f64 = 2_000_000.0;
/// What the line delivers when it is full is measured over less: it has just changed.
const SHORT_US: i64 = 300_000;
/// Less than this share of the estimate is sent: limited by what there is to send.
const LIMITED: f64 = 0.65;
/// So little that a moment of waiting on it is no thin line yet.
const HARDLY: f64 = 0.3;
/// Arriving slower than sent by this: the line is full, whatever is sent.
const SLOWER: f64 = 0.92;
/// Growth goes this far beyond what is delivered. The rest is found by probes, if they can be sent.
const AHEAD: f64 = 1.15;
const AHEAD_WITHOUT_PROBES: f64 = 1.5;
const AHEAD_BPS: f64 = 20_000.0;
/// A queue that comes and goes with frames that are larger than others is tolerated; more so if no more is sent than
/// the estimate allows.
const TOLERATED_US: i64 = 50_000;
const TOLERATED_WITHIN_US: i64 = 120_000;
const WITHIN: f64 = 0.95;
/// The line is thinner all at once: so long do the newest packets wait, and so little arrives of what is sent.
const SUDDEN_US: i64 = 120_000;
const SUDDEN_QUEUE_US: i64 = 80_000;
/// Whatever packets usually wait.
const SUDDEN_QUEUE_MOST_US: i64 = 200_000;
const SUDDENLY: f64 = 0.7;
/// With so much lost of what a message tells about, the buffer before the line runs over.
const SPILLED: f64 = 0.25;
/// With so little sent of what the line carries, its queue goes away by itself.
const EASED: f64 = 0.5;
/// A queue that is no place for probes.
const BUSY_US: i64 = 100_000;

/// Feedback comes several times a second from those who send it.
const SILENCE_US: i64 = 1_000_000;
/// With fewer packets to answer for, one lost message explains it.
const SILENCE_PACKETS: u32 = 12;
/// What is kept of the rate per second of silence, and in all.
const SILENCE_KEPT: f64 = 0.6;
const SILENCE_KEPT_LEAST: f64 = 0.3;
/// Somebody who never sends feedback.
const BLIND_AFTER_US: i64 = 3_000_000;
const BLIND_MOST_BPS: f64 = START_BPS as f64;
const BLIND_LEAST_BPS: f64 = 150_000.0;
const BLIND_GROWTH: f64 = 1.05;
const REPORT_US: i64 = 500_000;
/// Receiver reports of a line that is full, and of one that is not.
const BLIND_LOST: f64 = 0.10;
const BLIND_CLEAN: f64 = 0.02;

/// Found rates below the estimate count only in the first moments.
const SETTLING_US: i64 = 4_000_000;

#[derive(Debug)]
pub(crate) struct Estimator {
    arrivals: Arrivals,
    trend: Trend,
    queue: Queue,
    loss: Loss,
    rate: Rate,
    probes: Probes,
    /// What left, by our clock, without padding.
    sent: Meter,
    /// What arrived, by when it left and by when it arrived.
    departed: Meter,
    delivered: Meter,
    /// What is delivered over some seconds, and when that was brought up to date.
    usual_bps: Option<(f64, i64)>,
    wanted_bps: f64,
    newest_sent_us: i64,
    first_heard_us: Option<i64>,
    last_heard_us: Option<i64>,
    /// When the first packet left that no feedback came after.
    waiting_since_us: Option<i64>,
    waiting_packets: u32,
    silence: Option<Silence>,
    /// What this message tells about, and how many of those are lost.
    told_packets: u32,
    told_lost: u32,
    /// When a receiver report was last heeded.
    reported_us: Option<i64>,
    rtt_us: i64,
}

#[derive(Clone, Copy, Debug)]
struct Silence {
    bps_before: f64,
    next_us: i64,
}

/// What a message told.
#[derive(Clone, Copy, Debug)]
struct Told {
    now_us: i64,
    /// Packets below this sequence number.
    below: u64,
    /// Since the newest packet left that has arrived.
    rtt_us: Option<i64>,
    /// Bytes of all later packets.
    in_flight: u64,
}

impl Estimator {
    pub fn new() -> Self {
        Self {
            arrivals: Arrivals::default(),
            trend: Trend::default(),
            queue: Queue::default(),
            loss: Loss::default(),
            rate: Rate::new(START_BPS as f64),
            probes: Probes::default(),
            sent: Meter::default(),
            departed: Meter::default(),
            delivered: Meter::default(),
            usual_bps: None,
            wanted_bps: 0.0,
            newest_sent_us: 0,
            first_heard_us: None,
            last_heard_us: None,
            waiting_since_us: None,
            waiting_packets: 0,
            silence: None,
            told_packets: 0,
            told_lost: 0,
            reported_us: None,
            rtt_us: 100_000,
        }
    }

    pub fn sent(&mut self, now_us: i64, sequence: u64, bytes: u32, what: Sent) {
        let padding = match what {
            Sent::Padding(id) => Some(id),
            Sent::Media | Sent::Audio | Sent::Retransmission => None,
        };
        if padding.is_none() {
            self.sent.add(now_us, bytes);
        }
        self.waiting_since_us.get_or_insert(now_us);
        self.waiting_packets = self.waiting_packets.saturating_add(1);
        self.probes.sent(now_us, sequence, bytes, padding);
    }

    /// Gives how long ago the newest packet left that has arrived.
    pub fn feedback(
        &mut self,
        now_us: i64,
        history: &mut History,
        base: u64,
        feedback: &Feedback<'_>,
    ) -> Option<i64> {
        self.begin(now_us);
        let newest = history.answer(now_us, base, feedback, |packet| self.answered(packet));
        let rtt_us = newest.map(|sent_us| now_us - sent_us);
        self.conclude(Told {
            now_us,
            below: history.told(),
            rtt_us,
            in_flight: history.in_flight(),
        });
        rtt_us
    }

    /// Before the packets of a message.
    fn begin(&mut self, now_us: i64) {
        let silent = self
            .last_heard_us
            .is_some_and(|heard_us| now_us - heard_us > SILENCE_US);
        if silent {
            self.arrivals = Arrivals::default();
            self.trend = Trend::default();
            // It may be another way now.
            self.queue = Queue::default();
            self.loss.disregard_until(now_us);
            self.probes.again(now_us);
        }
        if self.first_heard_us.is_none() {
            self.first_heard_us = Some(now_us);
            self.probes.again(now_us);
        }
        self.last_heard_us = Some(now_us);
        self.waiting_since_us = None;
        self.waiting_packets = 0;
        (self.told_packets, self.told_lost) = (0, 0);
        if let Some(silence) = self.silence.take() {
            // So little was sent that it was no test of the line, and no harm comes of believing in it.
            let sent_bps = self.sent.bps(WINDOW_US).unwrap_or(silence.bps_before);
            if sent_bps < self.rate.bps() * LIMITED {
                self.rate.set(silence.bps_before);
            }
        }
    }

    fn answered(&mut self, packet: Answered) {
        let lost = packet.arrived_us.is_none();
        self.loss.packet(loss::Counted {
            sent_us: packet.sent_us,
            bytes: packet.bytes,
            lost,
            was_lost: packet.was_lost,
        });
        self.told_packets += 1;
        self.told_lost += u32::from(lost);
        self.newest_sent_us = self.newest_sent_us.max(packet.sent_us);
        let Some(arrived_us) = packet.arrived_us else {
            return;
        };
        self.departed.add(packet.sent_us, packet.bytes);
        self.delivered.add(arrived_us, packet.bytes);
        self.probes
            .arrived(packet.sequence, packet.sent_us, arrived_us, packet.bytes);
        if self.probes.covers(packet.sent_us) {
            return;
        }
        self.queue.packet(packet.sent_us, arrived_us);
        if let Some(delta) = self.arrivals.packet(packet.sent_us, arrived_us) {
            self.trend.group(delta);
        }
    }

    /// After the packets of a message.
    fn conclude(&mut self, told: Told) {
        let now_us = told.now_us;
        if let Some(rtt_us) = told.rtt_us {
            self.rtt_us = rtt_us;
            self.queue.round_trip(now_us, rtt_us);
        }
        if f64::from(self.told_lost) > f64::from(self.told_packets) * SPILLED {
            self.queue.runs_over(now_us);
        }
        self.sent.pass(now_us);
        if let Some(delivered_bps) = self.delivered.bps(WINDOW_US) {
            self.follow_delay(told, delivered_bps);
            self.loss.judge(
                loss::Moment {
                    now_us,
                    estimate_bps: self.rate.bps(),
                    delivered_bps,
                    limited: self.limited(delivered_bps),
                },
                self.newest_sent_us,
            );
        }
        self.take_probes(now_us, told.below);
    }

    fn follow_delay(&mut self, told: Told, delivered_bps: f64) {
        let (usage, carried_bps) = self.usage(delivered_bps);
        let sent_bps = self.sent.bps(WINDOW_US).unwrap_or(carried_bps);
        // What packets waited is old news where hardly any came after them.
        let is_eased = sent_bps < carried_bps * EASED;
        let usage = match usage {
            Usage::Over if is_eased => Usage::Under,
            usage => usage,
        };
        if usage != Usage::Over && self.rate.drain() >= 1.0 && !is_eased {
            self.queue.is_usual(told.now_us);
        }
        let ahead = if self.probes.unsent() {
            AHEAD_WITHOUT_PROBES
        } else {
            AHEAD
        };
        let on_its_way_us = (told.in_flight as f64 * 8e6 / carried_bps.max(MIN_BPS)) as i64;
        let ahead_us = on_its_way_us - self.queue.least_round_trip_us();
        // What found no place before the line is not on its way.
        let ahead_us = ahead_us.min(self.queue.brim_us(told.now_us).unwrap_or(i64::MAX));
        let queue_us = match is_eased {
            true => ahead_us,
            false => ahead_us.max(self.queue.standing_us()),
        };
        let is_draining = self.rate.drain() < 1.0;
        let usual_bps = self.usual_bps(told.now_us, delivered_bps);
        let cut_before = self.rate.cut_us();
        self.rate.update(Observed {
            now_us: told.now_us,
            usage,
            delivered_bps: carried_bps,
            growth_limit_bps: if self.loss.excessive() {
                0.0
            } else {
                usual_bps * ahead + AHEAD_BPS
            },
            limited: self.limited(delivered_bps),
            hardly_used: sent_bps < self.rate.bps() * HARDLY && !is_draining,
            queue_us: queue_us - self.jitter_us(),
            rtt_us: self.rtt_us,
        });
        if self.rate.cut_us() != cut_before {
            self.probes.cut(told.now_us);
        }
    }

    fn usual_bps(&mut self, now_us: i64, delivered_bps: f64) -> f64 {
        let (before_bps, at_us) = self.usual_bps.unwrap_or((delivered_bps, now_us));
        let weight = (now_us - at_us) as f64 / USUAL_US;
        let usual_bps = before_bps + (delivered_bps - before_bps) * weight.min(1.0);
        self.usual_bps = Some((usual_bps, now_us));
        usual_bps
    }

    /// The verdict, and what the line carries at the moment.
    fn usage(&self, delivered_bps: f64) -> (Usage, f64) {
        let jitter_us = self.jitter_us();
        let sudden_bps = self.delivered.bps(SUDDEN_US).unwrap_or(delivered_bps);
        let departed_bps = self.departed.bps(WINDOW_US).unwrap_or(delivered_bps);
        let carried_bps = self.delivered.bps(SHORT_US).unwrap_or(delivered_bps);
        let usual_us = (self.queue.usual_us() * 5 / 4).min(SUDDEN_QUEUE_MOST_US);
        let usual_us = (SUDDEN_QUEUE_US + 2 * jitter_us).max(usual_us);
        if self.queue.newest_us() > usual_us && sudden_bps < departed_bps * SUDDENLY {
            // So few packets say it quickly; the next time it is known better.
            let carried_bps = match self.rate.drain() < 1.0 {
                true => carried_bps.max(sudden_bps),
                false => sudden_bps,
            };
            return (Usage::Over, carried_bps);
        }
        let sent_bps = self.sent.bps(WINDOW_US).unwrap_or(delivered_bps);
        let tolerated_us = if sent_bps < self.rate.bps() * WITHIN {
            TOLERATED_WITHIN_US
        } else {
            TOLERATED_US
        };
        let usage = match self.trend.usage() {
            Usage::Over if self.queue.standing_us() <= tolerated_us + jitter_us => Usage::Normal,
            usage => usage,
        };
        (usage, carried_bps)
    }

    fn take_probes(&mut self, now_us: i64, told: u64) {
        let Some(found) = self.probes.found(now_us, told) else {
            return;
        };
        // What the line loses at any rate is no sign that it carries less.
        let bps = found.bps / (1.0 - self.loss.own());
        let settling = self
            .first_heard_us
            .is_some_and(|heard_us| now_us - heard_us < SETTLING_US);
        let is_news = bps > self.rate.bps() || (settling && found.full);
        if is_news && self.trend.usage() != Usage::Over {
            self.rate.set(bps);
        }
    }

    fn limited(&self, delivered_bps: f64) -> bool {
        let sent_bps = self.sent.bps(WINDOW_US).unwrap_or(delivered_bps);
        let departed_bps = self.departed.bps(WINDOW_US).unwrap_or(delivered_bps);
        sent_bps < self.rate.bps() * LIMITED && delivered_bps > departed_bps * SLOWER
    }

    pub fn report(&mut self, now_us: i64, fraction_lost: f64) {
        // One report tells about several streams.
        if !self.blind(now_us)
            || self
                .reported_us
                .is_some_and(|at_us| now_us - at_us < REPORT_US)
        {
            return;
        }
        self.reported_us = Some(now_us);
        let bps = if fraction_lost > BLIND_LOST {
            self.rate.bps() * (1.0 - fraction_lost / 2.0)
        } else if fraction_lost < BLIND_CLEAN {
            self.rate.bps() * BLIND_GROWTH
        } else {
            return;
        };
        self.rate.set(bps.clamp(BLIND_LEAST_BPS, BLIND_MOST_BPS));
    }

    fn blind(&self, now_us: i64) -> bool {
        self.first_heard_us.is_none()
            && self
                .waiting_since_us
                .is_some_and(|since_us| now_us - since_us > BLIND_AFTER_US)
    }

    pub fn handle_timeout(&mut self, now_us: i64) {
        self.probes.handle_timeout(self.moment(now_us));
        let Some(at_us) = self.silence_us().filter(|at_us| *at_us <= now_us) else {
            return;
        };
        let bps_before = self
            .silence
            .map_or(self.rate.bps(), |silence| silence.bps_before);
        self.silence = Some(Silence {
            bps_before,
            next_us: at_us.max(now_us) + SILENCE_US,
        });
        let kept = (self.rate.bps() * SILENCE_KEPT).max(bps_before * SILENCE_KEPT_LEAST);
        self.rate.set(kept.min(self.rate.bps()));
    }

    /// When silence means something (more).
    fn silence_us(&self) -> Option<i64> {
        self.first_heard_us?;
        let since_us = self
            .waiting_since_us
            .filter(|_| self.waiting_packets >= SILENCE_PACKETS)?;
        Some(
            self.silence
                .map_or(since_us + SILENCE_US, |silence| silence.next_us),
        )
    }

    pub fn next_us(&self, now_us: i64) -> Option<i64> {
        let probe_us = self
            .probes
            .next_us(self.moment(now_us))
            .filter(|_| self.silence.is_none());
        [probe_us, self.silence_us()].into_iter().flatten().min()
    }

    pub fn set_wanted(&mut self, now_us: i64, bps: f64) {
        self.wanted_bps = bps;
        self.probes.wanted(now_us, bps, self.bps());
    }

    pub fn poll_probe(&mut self, now_us: i64) -> Option<Probe> {
        if self.silence.is_some() {
            return None;
        }
        let moment = self.moment(now_us);
        self.probes.poll(moment)
    }

    fn moment(&self, now_us: i64) -> probes::Moment {
        probes::Moment {
            now_us,
            estimate_bps: self.bps(),
            wanted_bps: self.wanted_bps,
            jitter_ms: self.trend.jitter_ms(),
            busy: self.busy(),
        }
    }

    fn busy(&self) -> bool {
        self.trend.usage() == Usage::Over
            || self.rate.drain() < 1.0
            || self.queue.standing_us() > BUSY_US + self.jitter_us()
    }

    /// What packets wait for each other where nothing is full: no queue, and it does not go away.
    fn jitter_us(&self) -> i64 {
        (self.trend.jitter_ms() * 2_000.0) as i64
    }

    pub fn bps(&self) -> f64 {
        let bps = self.rate.bps() * self.rate.drain();
        let bound_bps = self.loss.bound_bps().unwrap_or(MAX_BPS);
        bps.min(bound_bps).clamp(MIN_BPS, MAX_BPS)
    }

    /// The queue has to go down, so nothing may come in bursts.
    pub fn draining(&self) -> bool {
        self.trend.usage() == Usage::Over || self.rate.drain() < 1.0
    }

    pub fn loss(&self) -> f64 {
        self.loss.smoothed()
    }
}
