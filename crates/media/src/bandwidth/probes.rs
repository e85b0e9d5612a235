//! Tries whether the line carries more: short series of padding at a higher rate, and what arrives of them and how
//! fast. Decides when to try and how much; the result is a measured rate. Never tries for much more than is wanted.

use super::{Probe, ProbeId};

/// A series takes at least this long and has at least so many bytes: fewer packets measure nothing.
const SERIES_US: i64 = 20_000;
const SERIES_MOST_US: i64 = 80_000;
const SERIES_BYTES: f64 = 5_500.0;
/// A jittering line is measured for longer.
const SERIES_PER_JITTER: f64 = 6.0;
/// So much goes out at once.
const SLICE_US: i64 = 4_000;
const SLICE_BYTES: f64 = 1_000.0;
/// Nobody sends the padding: there is nothing to pad with.
const UNSENT_US: i64 = 300_000;
/// Wake-ups are no closer than this, and further apart while they lead to nothing.
const SOON_US: i64 = 1_000;
const UNPOLLED_US: i64 = 100_000;
/// A series is answered after a round trip, or never.
const ANSWER_US: i64 = 1_500_000;

const FIRST_FACTOR: f64 = 3.0;
const FACTOR: f64 = 2.0;
/// Beyond what is wanted there must be some room, or the wish would just not fit.
const BEYOND_WANTED: f64 = 1.15;
/// Less than that more is not worth a series.
const WORTH: f64 = 1.05;
/// A series that found this share of what it tried found no limit.
const FOUND: f64 = 0.8;

/// A pause between series that found nothing.
const PAUSE_US: i64 = 1_500_000;
const PAUSE_UNKNOWN_US: i64 = 500_000;
const PAUSE_MOST_US: i64 = 9_000_000;
const PAUSE_GROWTH: f64 = 2.0;
/// After the rate was cut.
const AFTER_CUT_US: i64 = 2_000_000;

/// A series leaves a queue behind for so long.
const SHADOW_US: i64 = 50_000;

/// Received faster than sent by this is jitter.
const COMPRESSED: f64 = 2.0;
/// Received slower than sent by this: the line is full.
const FULL: f64 = 0.9;
/// What is used of a full line.
const USED: f64 = 0.95;
/// This share must arrive, or the series says nothing.
const ARRIVED: f64 = 0.6;

/// One series. Whatever is sent meanwhile is part of it.
#[derive(Clone, Copy, Debug)]
struct Series {
    id: ProbeId,
    target_bps: f64,
    since_us: i64,
    for_us: i64,
    bytes: f64,
    /// Set when it is complete.
    until_us: Option<i64>,
    first: Option<u64>,
    last: u64,
    sent: f64,
    padded: bool,
    arrived: Option<Arrived>,
}

/// What arrived of a series. The first to arrive and the last to leave have no interval of their own.
#[derive(Clone, Copy, Debug)]
struct Arrived {
    bytes: f64,
    first_us: i64,
    first_bytes: f64,
    last_us: i64,
    first_sent_us: i64,
    last_sent_us: i64,
    last_sent_bytes: f64,
}

/// What the rest of the estimator knows when it is time to decide about a series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub now_us: i64,
    pub estimate_bps: f64,
    pub wanted_bps: f64,
    pub jitter_ms: f64,
    /// The queue grows or stands.
    pub busy: bool,
}

/// What a series found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Found {
    pub bps: f64,
    /// The line carried no more than this.
    pub full: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Probes {
    series: Option<Series>,
    next_id: u32,
    /// No wake-up before this.
    not_before_us: i64,
    /// When the next series may begin. `None`: nothing has been tried yet.
    next_us: Option<i64>,
    pause_us: f64,
    last_wanted_bps: f64,
    /// The last series could not be sent.
    unsent: bool,
    /// From when to when the last series was sent.
    shadow: Option<(i64, Option<i64>)>,
}

impl Probes {
    /// Nobody sends padding here, so growth has to do without.
    pub fn unsent(&self) -> bool {
        self.unsent
    }

    /// Whether a packet left with a series or right behind it: its delay is the series' own doing.
    pub fn covers(&self, sent_us: i64) -> bool {
        let Some((since_us, until_us)) = self.shadow else {
            return false;
        };
        sent_us >= since_us && until_us.is_none_or(|until_us| sent_us <= until_us + SHADOW_US)
    }

    pub fn sent(&mut self, now_us: i64, sequence: u64, bytes: u32, padding: Option<ProbeId>) {
        let Some(series) = self
            .series
            .as_mut()
            .filter(|series| series.until_us.is_none())
        else {
            return;
        };
        if series.first.is_none() && padding != Some(series.id) {
            return;
        }
        if series.first.is_none() {
            series.first = Some(sequence);
            series.since_us = now_us;
            self.shadow = Some((now_us, None));
        }
        series.padded |= padding == Some(series.id);
        series.last = sequence;
        series.sent += f64::from(bytes);
        if series.sent >= series.bytes && now_us - series.since_us >= series.for_us {
            series.until_us = Some(now_us);
            self.shadow = Some((series.since_us, Some(now_us)));
        }
    }

    pub fn arrived(&mut self, sequence: u64, sent_us: i64, arrived_us: i64, bytes: u32) {
        let Some(series) = &mut self.series else {
            return;
        };
        if series.first.is_none_or(|first| sequence < first)
            || (series.until_us.is_some() && sequence > series.last)
        {
            return;
        }
        let bytes = f64::from(bytes);
        let Some(arrived) = &mut series.arrived else {
            series.arrived = Some(Arrived {
                bytes,
                first_us: arrived_us,
                first_bytes: bytes,
                last_us: arrived_us,
                first_sent_us: sent_us,
                last_sent_us: sent_us,
                last_sent_bytes: bytes,
            });
            return;
        };
        arrived.bytes += bytes;
        if arrived_us < arrived.first_us {
            (arrived.first_us, arrived.first_bytes) = (arrived_us, bytes);
        }
        arrived.last_us = arrived.last_us.max(arrived_us);
        arrived.first_sent_us = arrived.first_sent_us.min(sent_us);
        if sent_us >= arrived.last_sent_us {
            (arrived.last_sent_us, arrived.last_sent_bytes) = (sent_us, bytes);
        }
    }

    /// After feedback about packets below `told`: what the series found, once, when all of it is answered for.
    pub fn found(&mut self, now_us: i64, told: u64) -> Option<Found> {
        let series = self.series?;
        let until_us = series.until_us?;
        let answered = told > series.last;
        if !answered && now_us - until_us < ANSWER_US {
            return None;
        }
        self.series = None;
        let found = result(&series);
        let unlimited = found.is_some_and(|found| found.bps >= series.target_bps * FOUND);
        if unlimited {
            self.pause_us = 0.0;
        } else {
            // Without a result it is not known that there is a limit.
            let least_us = if found.is_some() {
                PAUSE_US
            } else {
                PAUSE_UNKNOWN_US
            };
            self.pause_us =
                (self.pause_us * PAUSE_GROWTH).clamp(least_us as f64, PAUSE_MOST_US as f64);
        }
        self.next_us = Some(now_us + self.pause_us as i64);
        found
    }

    /// The rate was cut: no series for a while.
    pub fn cut(&mut self, now_us: i64) {
        let next_us = now_us + AFTER_CUT_US;
        self.next_us = Some(self.next_us.map_or(next_us, |at_us| at_us.max(next_us)));
    }

    /// The line is said to be another one, or is back: what was found before does not count.
    pub fn again(&mut self, now_us: i64) {
        self.series = None;
        self.shadow = None;
        self.pause_us = 0.0;
        self.next_us = Some(now_us);
    }

    /// Before `poll`. Who is woken for a series and does not poll has nothing to send it in.
    pub fn handle_timeout(&mut self, moment: Moment) {
        self.give_up(moment.now_us);
        if self
            .due_us(moment)
            .is_some_and(|due_us| due_us <= moment.now_us)
        {
            self.not_before_us = moment.now_us + UNPOLLED_US;
        }
    }

    pub fn poll(&mut self, moment: Moment) -> Option<Probe> {
        self.give_up(moment.now_us);
        if self.series.is_none() {
            self.begin(moment)?;
        }
        self.not_before_us = moment.now_us + SOON_US;
        let series = self
            .series
            .as_ref()
            .filter(|series| series.until_us.is_none())?;
        let passed_us = moment.now_us - series.since_us + SLICE_US;
        let due = series.target_bps / 8e6 * passed_us as f64 - series.sent;
        let slice = series.slice_bytes();
        (due >= slice).then_some(Probe {
            id: series.id,
            bytes: due.min(slice * 4.0) as usize,
        })
    }

    pub fn next_us(&self, moment: Moment) -> Option<i64> {
        let due_us = self.due_us(moment)?;
        Some(due_us.max(self.not_before_us))
    }

    fn due_us(&self, moment: Moment) -> Option<i64> {
        let Some(series) = &self.series else {
            let worth = moment.wanted_bps > moment.estimate_bps * WORTH;
            return self.next_us.filter(|_| worth && !moment.busy);
        };
        if let Some(until_us) = series.until_us {
            return Some(until_us + ANSWER_US);
        }
        let due_us = (series.sent + series.slice_bytes()) * 8e6 / series.target_bps;
        Some(series.since_us + due_us as i64 - SLICE_US + 1)
    }

    /// More is wanted than before: no need to wait.
    pub fn wanted(&mut self, now_us: i64, wanted_bps: f64, estimate_bps: f64) {
        if wanted_bps > self.last_wanted_bps * WORTH
            && self.last_wanted_bps <= estimate_bps * WORTH
            && let Some(next_us) = &mut self.next_us
        {
            *next_us = (*next_us).min(now_us);
        }
        self.last_wanted_bps = wanted_bps;
    }

    fn give_up(&mut self, now_us: i64) {
        let Some(series) = self.series else {
            return;
        };
        let pause_us = match series.until_us {
            Some(until_us) if now_us - until_us >= ANSWER_US => PAUSE_US,
            None if now_us - series.since_us >= UNSENT_US => {
                self.unsent = !series.padded;
                PAUSE_MOST_US
            }
            _ => return,
        };
        self.series = None;
        self.shadow = self
            .shadow
            .map(|(since_us, until_us)| (since_us, until_us.or(Some(now_us))));
        self.pause_us = pause_us as f64;
        self.next_us = Some(now_us + pause_us);
    }

    fn begin(&mut self, moment: Moment) -> Option<()> {
        if moment.busy || moment.wanted_bps <= moment.estimate_bps * WORTH {
            return None;
        }
        if self.next_us? > moment.now_us {
            return None;
        }
        let factor = if self.next_id == 0 {
            FIRST_FACTOR
        } else {
            FACTOR
        };
        let target_bps = (moment.estimate_bps * factor).min(moment.wanted_bps * BEYOND_WANTED);
        self.next_id += 1;
        let for_us = (SERIES_US + (moment.jitter_ms * SERIES_PER_JITTER * 1_000.0) as i64)
            .min(SERIES_MOST_US);
        self.series = Some(Series {
            id: ProbeId(self.next_id),
            target_bps,
            since_us: moment.now_us,
            for_us,
            bytes: (target_bps / 8e6 * for_us as f64).max(SERIES_BYTES),
            until_us: None,
            first: None,
            last: 0,
            sent: 0.0,
            padded: false,
            arrived: None,
        });
        Some(())
    }
}

impl Series {
    fn slice_bytes(&self) -> f64 {
        (self.target_bps / 8e6 * SLICE_US as f64).max(SLICE_BYTES)
    }
}

fn result(series: &Series) -> Option<Found> {
    let arrived = series.arrived?;
    if arrived.bytes < series.sent * ARRIVED {
        return None;
    }
    let (sent_us, received_us) = (
        arrived.last_sent_us - arrived.first_sent_us,
        arrived.last_us - arrived.first_us,
    );
    if sent_us <= 0 || received_us <= 0 {
        return None;
    }
    let sent_bps = (arrived.bytes - arrived.last_sent_bytes) * 8e6 / sent_us as f64;
    let received_bps = (arrived.bytes - arrived.first_bytes) * 8e6 / received_us as f64;
    if received_bps > sent_bps * COMPRESSED {
        return None;
    }
    let full = received_bps < sent_bps * FULL;
    let bps = if full {
        received_bps * USED
    } else {
        sent_bps.min(received_bps)
    };
    Some(Found {
        bps: bps.min(series.target_bps),
        full,
    })
}
