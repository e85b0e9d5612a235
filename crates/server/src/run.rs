//! From settings to a running house and back: what is started and stopped in which order.

use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::num::NonZero;
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsConfig, from_tcp_rustls};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::app::App;
use crate::chores::Chores;
use crate::config::{Config, VideoCodec};
use crate::mail::Mailer;
use crate::media::MediaHandle;
use crate::metrics::Metrics;
use crate::origins::Origins;
use crate::push::Pushes;
use crate::rooms::Rooms;
use crate::settings::Settings;
use crate::store::{Db, people, settings};
use crate::{banner, certificates, chance, http, ldap, media, metrics, sys};

/// How long the header of a request may take, and a connection's first request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
const HEADER_BYTES: usize = 16 * 1024;
const HTTP2_STREAMS: u32 = 100;
/// How long each part may take to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

pub async fn run(config: Config, lan: bool) -> anyhow::Result<()> {
    // Twice is no harm: the first one stands.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut stop = Stop::listen()?;
    let db = open_store(&config).await?;
    complete_directory(&db).await?;
    let listener = bind(&config, lan)?;
    let own = listener.local_addr()?;
    let interfaces = interfaces();
    let tls = certificate(&config, lan, &interfaces).await?;
    let origins = origins(&config, lan, own.port(), tls.is_some(), &interfaces);
    settings::set(&db, settings::ADDRESS, origins.base()).await?;

    let of_media = media_settings(&config, &interfaces, tls.is_some().then_some(own), &db).await?;
    let (media, events, media_thread) = media::start(of_media)?;
    let settings = Settings::load(config.clone(), &db).await?;
    let pushes = Pushes::start(&config, settings.clone(), db.clone(), origins.base())?;
    let metrics = Metrics::default();
    let rooms = Rooms::start(
        db.clone(),
        media.clone(),
        events,
        settings.clone(),
        pushes.clone(),
        metrics.clone(),
    )
    .await?;
    let app = Arc::new(App::new(
        config,
        settings,
        origins,
        db.clone(),
        rooms.clone(),
        pushes,
    )?);

    let handle = Handle::new();
    let mut server = tokio::spawn(serve(
        listener,
        tls,
        handle.clone(),
        http::router(app.clone()),
        media.tcp().clone(),
        tls_port(&app.config, own.port()),
    ));
    let beside = Beside::start(&app, media, metrics).await?;
    banner::print(&app, lan, &setup_link(&app).await?);

    tokio::select! {
        () = stop.asked() => {}
        served = &mut server => {
            served.context("the web server broke down")??;
            bail!("the web server stopped by itself");
        }
    }
    drain(&app).await;
    tracing::info!("stopping");
    app.readiness.start_stopping();
    beside.stop().await;
    orderly("rooms", rooms.shut_down()).await;
    handle.graceful_shutdown(Some(STOP_TIMEOUT));
    orderly("web server", async { drop(server.await) }).await;
    // The media thread ends with its last handle.
    drop((app, rooms));
    let media = tokio::task::spawn_blocking(move || drop(media_thread.join()));
    orderly("media", async { drop(media.await) }).await;
    orderly("database", db.close()).await;
    Ok(())
}

/// What goes on beside the web server.
struct Beside {
    chores: Chores,
    tasks: Vec<JoinHandle<()>>,
}

impl Beside {
    async fn start(app: &Arc<App>, media: MediaHandle, metrics: Metrics) -> anyhow::Result<Self> {
        let media_over_tcp = media.tcp().listen();
        let mut tasks = media_over_tcp.context("the media port takes no TCP connections")?;
        tasks.extend(metrics::serve(app.clone(), media.clone(), metrics).await?);
        tasks.push(tokio::spawn(ldap::keep_in_step(app.clone())));
        tasks.extend(app.sso.start());
        #[cfg(debug_assertions)]
        tasks.push(crate::faults::listen(media.clone())?);
        let chores = Chores::start(app, media);
        Ok(Self { chores, tasks })
    }

    /// Over when nothing of it holds the app or the media thread any more.
    async fn stop(self) {
        self.chores.stop();
        self.tasks.iter().for_each(JoinHandle::abort);
        for task in self.tasks {
            drop(task.await);
        }
    }
}

/// Meetings that go on may end by themselves, for as long as the settings allow.
async fn drain(app: &App) {
    app.readiness.start_draining();
    let empty = app.rooms.drain();
    let longest = Duration::from_secs(u64::from(app.config.drain_seconds));
    if longest.is_zero() {
        return;
    }
    let seconds = longest.as_secs();
    tracing::info!(
        seconds,
        "waiting for meetings to end; a second signal stops at once"
    );
    if timeout(longest, empty).await.is_err() {
        tracing::warn!("stopping though meetings go on");
    }
}

async fn complete_directory(db: &Db) -> anyhow::Result<()> {
    let added = people::complete_index(db).await?;
    if added > 0 {
        tracing::info!(people = added, "the directory's index was completed");
    }
    Ok(())
}

async fn certificate(
    config: &Config,
    lan: bool,
    interfaces: &[IpAddr],
) -> anyhow::Result<Option<RustlsConfig>> {
    match lan {
        true => certificates::for_lan(&config.data_dir, interfaces)
            .await
            .map(Some),
        false => certificates::from_files(&config.tls).await,
    }
}

async fn media_settings(
    config: &Config,
    interfaces: &[IpAddr],
    tls: Option<SocketAddr>,
    db: &Db,
) -> anyhow::Result<media::Settings> {
    let addresses = media_addresses(config, interfaces);
    let also_tcp = tls.map(|own| at_tls_port(&addresses, own, tls_port(config, own.port())));
    Ok(media::Settings {
        port: config.media.port,
        addresses,
        also_tcp: also_tcp.unwrap_or_default(),
        video: match config.media.video_codec {
            VideoCodec::Vp8 => ::media::VideoCodec::Vp8,
            VideoCodec::Vp9 => ::media::VideoCodec::Vp9,
            VideoCodec::Av1 => ::media::VideoCodec::Av1,
        },
        loudest: config.media.loudest,
        shards: media_threads(config.media.shards),
        spread: usize::from(config.media.spread),
        certificate: certificates::of_media(db).await?,
    })
}

/// The port under which browsers find the TLS of this server: behind a translated address that need not be its own.
fn tls_port(config: &Config, own: u16) -> u16 {
    let public = config.public_url.as_ref();
    public
        .filter(|url| url.scheme() == "https")
        .and_then(url::Url::port_or_known_default)
        .unwrap_or(own)
}

/// Where media may come over the port of HTTPS. `own`: where the web server listens.
fn at_tls_port(addresses: &[IpAddr], own: SocketAddr, port: u16) -> Vec<SocketAddr> {
    let reaches = |address: &IpAddr| match own.ip().to_canonical() {
        IpAddr::V6(any) if any.is_unspecified() => true,
        IpAddr::V4(any) if any.is_unspecified() => address.is_ipv4(),
        one => one.is_loopback() == address.is_loopback() && one.is_ipv4() == address.is_ipv4(),
    };
    let there = addresses.iter().filter(|address| reaches(address));
    there
        .map(|address| SocketAddr::new(*address, port))
        .collect()
}

/// As many as are asked for; else all cores but one, which is left to everything else.
fn media_threads(asked: u8) -> u8 {
    if asked > 0 {
        return asked;
    }
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let most = usize::from(::media::MOST_SHARDS);
    cores.saturating_sub(1).clamp(1, most) as u8
}

/// Whoever is not known by a name greets the mail server with none.
pub fn mailer(config: &Config) -> anyhow::Result<Mailer> {
    let host = config.public_url.as_ref().and_then(url::Url::domain);
    Mailer::new(&config.mail, host)
}

pub async fn open_store(config: &Config) -> anyhow::Result<Db> {
    let directory = &config.data_dir;
    // Only its owner reads what people trust us with.
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory);
    made.with_context(|| format!("data_dir {} cannot be made", directory.display()))?;
    Db::open(config.database.url.as_deref(), directory).await
}

/// Where the house is reachable: as the server that ran last knew, or as the settings say.
pub async fn address(db: &Db, config: &Config) -> anyhow::Result<String> {
    let last = settings::get(db, settings::ADDRESS).await?;
    Ok(last.unwrap_or_else(|| expected_address(config)))
}

fn expected_address(config: &Config) -> String {
    origins(
        config,
        false,
        config.listen.port(),
        config.tls.certificate.is_some(),
        &[],
    )
    .base()
    .to_owned()
}

fn bind(config: &Config, lan: bool) -> anyhow::Result<TcpListener> {
    let port = config.listen.port();
    let tries = if lan {
        // One socket for both families, or IPv4 alone where there is no IPv6.
        vec![
            SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
        ]
    } else {
        vec![config.listen]
    };
    let mut last = None;
    for address in tries {
        match TcpListener::bind(address) {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                bail!(
                    "port {port} is taken by another program: stop that, or set listen to another port"
                );
            }
            Err(error) => last = Some((address, error)),
        }
    }
    let Some((address, error)) = last else {
        bail!("there is no address to listen on")
    };
    Err(error).with_context(|| format!("listen = \"{address}\" is not possible"))
}

fn interfaces() -> Vec<IpAddr> {
    let addresses = sys::interface_addresses().unwrap_or_else(|error| {
        tracing::warn!(%error, "the addresses of this computer cannot be listed");
        Vec::new()
    });
    addresses
        .into_iter()
        .filter(|address| !is_link_local(address))
        .collect()
}

fn is_link_local(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

fn origins(config: &Config, lan: bool, port: u16, tls: bool, interfaces: &[IpAddr]) -> Origins {
    if let Some(url) = &config.public_url {
        return Origins::new(url.origin().ascii_serialization(), []);
    }
    let scheme = if tls { "https" } else { "http" };
    let written = |host: &str| Origins::written(scheme, host, port);
    let hosts = interfaces
        .iter()
        .filter(|address| !address.is_loopback())
        .map(|address| host(*address));
    let here = [
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "[::1]".to_owned(),
    ];
    let mut all: Vec<String> = if lan {
        hosts.chain(here).collect()
    } else {
        here.into()
    };
    let first = all.remove(0);
    Origins::new(written(&first), all.iter().map(|host| written(host)))
}

fn host(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

/// What browsers are told to send media to, and last of all loopback, if they may sit on this computer.
fn media_addresses(config: &Config, interfaces: &[IpAddr]) -> Vec<IpAddr> {
    if !config.media.addresses.is_empty() {
        return config.media.addresses.clone();
    }
    let local = config.listen.ip().to_canonical().is_loopback();
    let (here, nearby): (Vec<IpAddr>, _) =
        interfaces.iter().partition(|address| address.is_loopback());
    nearby
        .into_iter()
        .chain(here.into_iter().filter(|_| local))
        .collect()
}

async fn setup_link(app: &App) -> anyhow::Result<Option<String>> {
    let link = settings::setup_link(&app.db, &chance::secret()).await?;
    Ok(link.map(|link| format!("{}/setup#{}", app.origins.base(), link.expose())))
}

async fn serve(
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    handle: Handle<SocketAddr>,
    router: axum::Router,
    media: media::Front,
    port: u16,
) -> anyhow::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    match tls {
        Some(tls) => {
            let mut server = from_tcp_rustls(listener, tls)?
                .map(|tls| tls.acceptor(media::BesideTls { media, port }))
                .handle(handle)
                .first_request_timeout(HEADER_TIMEOUT);
            limit(server.http_builder());
            server.serve(service).await?;
        }
        None => {
            let mut server = axum_server::from_tcp(listener)?
                // Two messages in a row must not wait for the first one's acknowledgement: clients hold that back for 40 ms.
                .acceptor(NoDelayAcceptor::new())
                .handle(handle)
                .first_request_timeout(HEADER_TIMEOUT);
            limit(server.http_builder());
            server.serve(service).await?;
        }
    }
    Ok(())
}

fn limit<E>(builder: &mut hyper_util::server::conn::auto::Builder<E>) {
    builder
        .http1()
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADER_BYTES);
    builder
        .http2()
        .max_concurrent_streams(HTTP2_STREAMS)
        .max_header_list_size(HEADER_BYTES as u32);
}

async fn orderly(what: &str, stopped: impl Future<Output = ()>) {
    if timeout(STOP_TIMEOUT + Duration::from_secs(1), stopped)
        .await
        .is_err()
    {
        tracing::warn!("{what} did not stop in time");
    }
}

/// SIGTERM or SIGINT; the second one ends the process at once.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn asked(&mut self) {
        self.next().await;
        let mut again = match Self::listen() {
            Ok(again) => again,
            Err(_) => return,
        };
        tokio::spawn(async move {
            again.next().await;
            std::process::exit(1);
        });
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<IpAddr> {
        list.iter()
            .map(|address| address.parse().expect("an address"))
            .collect()
    }

    #[test]
    fn people_come_under_the_public_address_or_from_this_computer_or_from_nearby() {
        let nearby = addresses(&["127.0.0.1", "192.0.2.7", "2001:db8::7"]);
        let plain = origins(&Config::default(), false, 8080, false, &nearby);
        assert_eq!(
            plain.all(),
            [
                "http://localhost:8080",
                "http://127.0.0.1:8080",
                "http://[::1]:8080"
            ]
        );
        let lan = origins(&Config::default(), true, 8443, true, &nearby);
        assert_eq!(lan.base(), "https://192.0.2.7:8443");
        assert!(lan.all().contains(&"https://[2001:db8::7]:8443".to_owned()));
        assert!(lan.all().contains(&"https://localhost:8443".to_owned()));
        let public = Config {
            public_url: url::Url::parse("https://Meet.Example.org:443").ok(),
            ..Config::default()
        };
        assert_eq!(
            origins(&public, false, 8080, false, &nearby).all(),
            ["https://meet.example.org"]
        );
    }

    #[test]
    fn media_is_offered_on_the_port_of_https_where_that_is_reached() {
        let found = addresses(&["192.0.2.7", "2001:db8::7", "127.0.0.1"]);
        let table: [(&str, &[&str]); 4] = [
            (
                "[::]:8443",
                &["192.0.2.7:443", "[2001:db8::7]:443", "127.0.0.1:443"],
            ),
            ("0.0.0.0:8443", &["192.0.2.7:443", "127.0.0.1:443"]),
            ("127.0.0.1:8443", &["127.0.0.1:443"]),
            // Translated into a public one.
            ("10.0.0.2:8443", &["192.0.2.7:443"]),
        ];
        for (own, expected) in table {
            let own = own.parse().expect("an address");
            let offered = at_tls_port(&found, own, 443);
            let offered: Vec<String> = offered.iter().map(SocketAddr::to_string).collect();
            assert_eq!(offered, expected, "{own}");
        }
        let public = |url: &str| Config {
            public_url: url::Url::parse(url).ok(),
            ..Config::default()
        };
        assert_eq!(tls_port(&public("https://meet.example.org"), 8443), 443);
        assert_eq!(
            tls_port(&public("https://meet.example.org:4443"), 8443),
            4443
        );
        assert_eq!(tls_port(&Config::default(), 8443), 8443);
    }

    #[test]
    fn loopback_is_an_address_for_media_only_if_people_may_sit_here() {
        let found = addresses(&["127.0.0.1", "192.0.2.7"]);
        let mut config = Config::default();
        assert_eq!(
            media_addresses(&config, &found),
            addresses(&["192.0.2.7", "127.0.0.1"])
        );
        config.listen = SocketAddr::from(([0, 0, 0, 0], 8080));
        assert_eq!(media_addresses(&config, &found), addresses(&["192.0.2.7"]));
        config.media.addresses = addresses(&["198.51.100.1"]);
        assert_eq!(
            media_addresses(&config, &found),
            addresses(&["198.51.100.1"])
        );
    }
}
