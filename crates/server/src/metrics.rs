//! Numbers for Prometheus, on a listener of their own that is off by default: what is counted anyway, read when somebody
//! asks, and what is worth a histogram. No label names a person, a room or an address.

mod process;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ::media::{Quality, Stats};
use anyhow::Context;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::app::App;
use crate::media::{Load, MediaHandle, Numbers};
use crate::store::Db;
use crate::version::Version;

/// How far behind the runtime is, and how fast the database answers.
const LAG_EVERY: Duration = Duration::from_millis(500);
const DATABASE_EVERY: Duration = Duration::from_secs(10);

type Labels = Vec<(&'static str, &'static str)>;

/// Name and help of a number that each media thread has, and where it stands.
type Number<T> = (&'static str, &'static str, fn(&Load) -> T);

/// What is measured as it happens. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Measured>);

#[derive(Debug)]
struct Measured {
    rtt: Histogram,
    loss: Family<Labels, Histogram, fn() -> Histogram>,
    estimate: Histogram,
    lag: Histogram,
    database: Histogram,
    database_failures: Counter,
    rooms: Gauge,
    people: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let loss: Family<Labels, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(loss_histogram);
        // There from the start, so that a rate over them begins at nothing.
        for direction in ["up", "down"] {
            drop(loss.get_or_create(&vec![("direction", direction)]));
        }
        let seconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];
        Self(Arc::new(Measured {
            rtt: Histogram::new([0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6]),
            loss,
            estimate: Histogram::new([
                150e3, 300e3, 600e3, 1_000e3, 2_000e3, 4_000e3, 8_000e3, 16_000e3,
            ]),
            lag: Histogram::new(seconds),
            database: Histogram::new(seconds),
            database_failures: Counter::default(),
            rooms: Gauge::default(),
            people: Gauge::default(),
        }))
    }
}

fn loss_histogram() -> Histogram {
    Histogram::new([0.0, 0.005, 0.01, 0.03, 0.05, 0.1, 0.2, 0.5])
}

impl Metrics {
    /// One connection over ten seconds.
    pub fn connection(&self, quality: &Quality) {
        if let Some(rtt) = quality.rtt_ms {
            self.0.rtt.observe(f64::from(rtt) / 1000.0);
        }
        for (direction, loss) in [("up", quality.loss_up), ("down", quality.loss_down)] {
            if let Some(loss) = loss {
                let of = self.0.loss.get_or_create(&vec![("direction", direction)]);
                of.observe(f64::from(loss) / 1000.0);
            }
        }
        if let Some(estimate) = quality.estimate_bps {
            self.0.estimate.observe(estimate as f64);
        }
    }

    /// Who is inside now.
    pub fn inside(&self, rooms: usize, people: u64) {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.0.rooms.set(number(rooms as u64));
        self.0.people.set(number(people));
    }

    fn register(&self, registry: &mut Registry) {
        let measured = &self.0;
        registry.register(
            "stube_rooms",
            "Rooms in which somebody is",
            measured.rooms.clone(),
        );
        registry.register(
            "stube_people",
            "People inside, guests too",
            measured.people.clone(),
        );
        registry.register_with_unit(
            "stube_connection_rtt",
            "Round trips of connected people, each every ten seconds",
            Unit::Seconds,
            measured.rtt.clone(),
        );
        registry.register_with_unit(
            "stube_connection_loss",
            "Shares of packets that connected people lost, each every ten seconds; up is from them to the server",
            Unit::Ratios,
            measured.loss.clone(),
        );
        registry.register(
            "stube_connection_estimate_bits_per_second",
            "What the server takes the way to each person for, every ten seconds",
            measured.estimate.clone(),
        );
        registry.register_with_unit(
            "stube_event_loop_lag",
            "How much later than asked for the runtime went on",
            Unit::Seconds,
            measured.lag.clone(),
        );
        registry.register_with_unit(
            "stube_database_answer",
            "How long the database took for the smallest question",
            Unit::Seconds,
            measured.database.clone(),
        );
        registry.register(
            "stube_database_failures",
            "How often it did not answer",
            measured.database_failures.clone(),
        );
    }
}

/// Everything that is counted elsewhere, read when somebody asks.
struct House {
    app: Arc<App>,
    media: MediaHandle,
    runtime: Handle,
}

impl fmt::Debug for House {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("House").finish_non_exhaustive()
    }
}

impl Collector for House {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let mut page = Page(encoder);
        page.media(&self.media.stats())?;
        page.shards(&self.media.loads())?;
        page.tcp(self.media.tcp().numbers())?;
        page.gauge(
            "stube_sockets",
            "Open WebSockets",
            self.app.rooms.sockets().count(),
        )?;
        page.gauge(
            "stube_tasks",
            "Tasks of the runtime that have not ended",
            self.runtime.metrics().num_alive_tasks(),
        )?;
        page.gauge(
            "stube_mail_waiting",
            "Letters that wait for the mail server",
            self.app.mail.waiting(),
        )?;
        page.gauge(
            "stube_push_running",
            "Push messages that are being delivered",
            self.app.pushes.running(),
        )?;
        page.process()
    }
}

struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let counter = ConstCounter::new(value);
        let encoder = self
            .0
            .encode_descriptor(name, help, None, counter.metric_type())?;
        counter.encode(encoder)
    }

    fn gauge(&mut self, name: &str, help: &str, value: usize) -> fmt::Result {
        let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
        let encoder = self
            .0
            .encode_descriptor(name, help, None, gauge.metric_type())?;
        gauge.encode(encoder)
    }

    fn media(&mut self, stats: &Stats) -> fmt::Result {
        let Stats {
            datagrams_in,
            bytes_in,
            datagrams_out,
            bytes_out,
            forwarded_packets,
            keyframe_requests,
            layer_switches,
            panics,
            ..
        } = *stats;
        let counters = [
            (
                "stube_media_datagrams_received",
                "Datagrams that came in",
                datagrams_in,
            ),
            ("stube_media_received_bytes", "Bytes that came in", bytes_in),
            (
                "stube_media_datagrams_sent",
                "Datagrams that went out",
                datagrams_out,
            ),
            ("stube_media_sent_bytes", "Bytes that went out", bytes_out),
            (
                "stube_media_packets_forwarded",
                "Packets handed on to a receiver",
                forwarded_packets,
            ),
            (
                "stube_media_keyframe_requests",
                "Keyframes asked of senders",
                keyframe_requests,
            ),
            (
                "stube_media_layer_switches",
                "Receivers that went to another layer",
                layer_switches,
            ),
            (
                "stube_media_panics",
                "Faults that cost a connection",
                panics,
            ),
        ];
        for (name, help, value) in counters {
            self.counter(name, help, value)?;
        }
        self.dropped(stats)?;
        self.tables(stats)
    }

    /// What grows with the people inside and shrinks with them.
    fn tables(&mut self, stats: &Stats) -> fmt::Result {
        let tables = [
            ("peers", "Media connections", stats.peers),
            ("groups", "Meetings with media connections", stats.groups),
            (
                "subscriptions",
                "Sources that somebody receives",
                stats.subscriptions,
            ),
            (
                "addresses",
                "Addresses that clients have proven to be theirs",
                stats.addresses,
            ),
            (
                "credentials",
                "Names under which connectivity checks are answered",
                stats.ufrags,
            ),
            ("streams", "Streams that clients send", stats.ssrcs),
            ("timers", "Moments at which something is due", stats.timers),
        ];
        for (name, help, size) in tables {
            self.gauge(&format!("stube_media_{name}"), help, size)?;
        }
        Ok(())
    }

    fn dropped(&mut self, stats: &Stats) -> fmt::Result {
        let reasons = [
            ("malformed", stats.dropped_malformed),
            ("unknown_address", stats.dropped_unknown_address),
            ("unauthentic", stats.dropped_unauthentic),
            ("over_limit", stats.dropped_over_limit),
            ("unwanted", stats.dropped_rtp),
        ];
        let kind = ConstCounter::new(0u64).metric_type();
        let mut encoder = self.0.encode_descriptor(
            "stube_media_datagrams_dropped",
            "What came in and was not used",
            None,
            kind,
        )?;
        for (reason, value) in reasons {
            let labels = [("reason", reason)];
            ConstCounter::new(value).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// Of media over TCP.
    fn tcp(&mut self, numbers: Numbers) -> fmt::Result {
        self.gauge(
            "stube_media_tcp_connections",
            "TCP connections for media",
            numbers.open,
        )?;
        let counters = [
            (
                "accepted",
                "TCP connections for media that were taken in",
                numbers.accepted,
            ),
            (
                "refused",
                "TCP connections that were closed because of their number or of what came over them",
                numbers.refused,
            ),
            (
                "dropped",
                "Datagrams that a TCP connection could not carry in time",
                numbers.dropped,
            ),
        ];
        for (name, help, value) in counters {
            self.counter(&format!("stube_media_tcp_{name}"), help, value)?;
        }
        Ok(())
    }

    /// Of each media thread.
    fn shards(&mut self, loads: &[Load]) -> fmt::Result {
        let counters: [Number<u64>; 3] = [
            (
                "stube_media_shard_handed_over",
                "Datagrams that came to this media thread and belong to another one",
                |load| load.stats.handed_over,
            ),
            (
                "stube_media_shard_passed_on",
                "Packets for people of the same meeting on other media threads",
                |load| load.stats.piped_packets,
            ),
            (
                "stube_media_shard_dropped",
                "Packets for other media threads that had no room for them",
                |load| load.dropped,
            ),
        ];
        for (name, help, value) in counters {
            let made = |load: &Load| ConstCounter::new(value(load));
            self.by_shard(name, help, loads, made)?;
        }
        let gauges: [Number<f64>; 3] = [
            (
                "stube_media_shard_peers",
                "Media connections of this media thread",
                |load| load.stats.peers as f64,
            ),
            (
                "stube_media_shard_busy_ratio",
                "Share of the last second in which the media thread was at work",
                |load| f64::from(load.busy) / 1000.0,
            ),
            (
                "stube_media_shard_waiting",
                "Packets of other media threads that wait for this one",
                |load| load.waiting as f64,
            ),
        ];
        for (name, help, value) in gauges {
            let made = |load: &Load| ConstGauge::new(value(load));
            self.by_shard(name, help, loads, made)?;
        }
        Ok(())
    }

    fn by_shard<M: EncodeMetric>(
        &mut self,
        name: &str,
        help: &str,
        loads: &[Load],
        made: impl Fn(&Load) -> M,
    ) -> fmt::Result {
        let kind = made(&Load::default()).metric_type();
        let mut encoder = self.0.encode_descriptor(name, help, None, kind)?;
        for (index, load) in loads.iter().enumerate() {
            let labels = [("shard", index.to_string())];
            made(load).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn process(&mut self) -> fmt::Result {
        let Some(usage) = process::usage() else {
            return Ok(());
        };
        let seconds = ConstCounter::new(usage.cpu_seconds);
        let help = "Time that the process used of all cores";
        let encoder = self.0.encode_descriptor(
            "process_cpu",
            help,
            Some(&Unit::Seconds),
            seconds.metric_type(),
        )?;
        seconds.encode(encoder)?;
        self.gauge(
            "process_resident_memory_bytes",
            "Memory of the process",
            usage.resident_bytes,
        )?;
        self.gauge(
            "process_open_fds",
            "Open files and sockets",
            usage.open_files,
        )
    }
}

/// Binds the address and answers there, and nowhere else. `None` if the settings name none.
pub async fn serve(
    app: Arc<App>,
    media: MediaHandle,
    metrics: Metrics,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let Some(address) = app.config.metrics.listen else {
        return Ok(Vec::new());
    };
    let listener = TcpListener::bind(address).await;
    let listener =
        listener.with_context(|| format!("metrics.listen: {address} cannot be listened on"))?;
    tracing::info!(address = %listener.local_addr()?, "numbers for Prometheus");
    let db = app.db.clone();
    let mut registry = Registry::default();
    registry.register(
        "stube_build",
        "The version that runs",
        Info::new(vec![("version", Version::own().to_string())]),
    );
    metrics.register(&mut registry);
    registry.register_collector(Box::new(House {
        app,
        media,
        runtime: Handle::current(),
    }));
    // A page is made at a time, however many ask.
    let registry = Arc::new(Mutex::new(registry));
    let routes = Router::new().route("/metrics", get(async move || page(&registry)));
    Ok(vec![
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                tracing::error!(%error, "the listener for Prometheus broke down");
            }
        }),
        tokio::spawn(measure_lag(metrics.clone())),
        tokio::spawn(measure_database(metrics, db)),
    ])
}

fn page(registry: &Mutex<Registry>) -> Response {
    let mut page = String::new();
    let made = match registry.lock() {
        Ok(registry) => text::encode(&mut page, &registry),
        Err(_) => Err(fmt::Error),
    };
    match made {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], page).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn measure_lag(metrics: Metrics) {
    loop {
        let due = Instant::now() + LAG_EVERY;
        sleep(LAG_EVERY).await;
        let late = Instant::now().saturating_duration_since(due);
        metrics.0.lag.observe(late.as_secs_f64());
    }
}

async fn measure_database(metrics: Metrics, db: Db) {
    let mut clock = interval(DATABASE_EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        let began = Instant::now();
        match db.answers().await {
            Ok(()) => metrics.0.database.observe(began.elapsed().as_secs_f64()),
            Err(_) => {
                metrics.0.database_failures.inc();
            }
        }
    }
}
