//! Messages as a push service gets them: a small one on this computer, and a database with somebody's subscriptions.

use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use identity::{DisplayName, Username, session};
use protocol::http::push::PushMessage;
use protocol::http::{PersonSource, SignInMethod};
use protocol::{CallEnd, CallPerson, limits};
use tokio::net::TcpListener;
use tokio::time::timeout;
use web_push_native::p256::SecretKey;
use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint;

use super::*;
use crate::store::sessions::{self, NewSession};
use crate::store::users::{self, NewAccount};

const SOON: Duration = Duration::from_secs(20);

struct Got {
    browser: String,
    headers: HeaderMap,
    message: PushMessage,
}

/// A status, and how long to wait.
type Answer = (u16, Option<&'static str>);

#[derive(Clone)]
struct Service {
    /// What it answers next, for each request one; then 201.
    answers: Arc<Mutex<VecDeque<Answer>>>,
    got: mpsc::UnboundedSender<Got>,
    key: Arc<SecretKey>,
}

async fn take(
    State(service): State<Service>,
    Path(browser): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap) {
    let plain = web_push_native::decrypt(body.to_vec(), &service.key, &[7; 16].into());
    let message = serde_json::from_slice(&plain.expect("readable")).expect("a message");
    let answer = service.answers.lock().expect("no panic").pop_front();
    let (status, wait) = answer.unwrap_or((201, None));
    let _ = service.got.send(Got {
        browser,
        headers,
        message,
    });
    let mut answer = HeaderMap::new();
    if let Some(wait) = wait {
        answer.insert("retry-after", wait.parse().expect("a header"));
    }
    (StatusCode::from_u16(status).expect("a status"), answer)
}

/// Anna, whose browsers can be woken.
struct Scene {
    directory: PathBuf,
    pushes: Pushes,
    db: Db,
    settings: Settings,
    anna: UserId,
    origin: String,
    service: Service,
    got: mpsc::UnboundedReceiver<Got>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Scene {
    async fn new(browsers: &[&str]) -> Self {
        let directory = std::env::temp_dir().join(format!("stube-push-{}", chance::id()));
        fs::create_dir(&directory).expect("a directory");
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let db = Db::open(None, &directory).await.expect("a database");
        let (sender, got) = mpsc::unbounded_channel();
        let service = Service {
            answers: Arc::default(),
            got: sender,
            key: Arc::new(SecretKey::from_slice(&[3; 32]).expect("a key")),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().route("/{browser}", post(take));
        tokio::spawn(axum::serve(listener, router.with_state(service.clone())).into_future());
        let mut config = Config {
            data_dir: directory.clone(),
            ..Config::default()
        };
        config.push.services = vec![Url::parse(&origin).expect("an origin")];
        let settings = Settings::load(config.clone(), &db).await.expect("settings");
        let on = settings
            .choose(&db, |chosen| chosen.push = Some(true))
            .await;
        on.expect("stored");
        let base = "https://meet.example.org";
        let pushes = Pushes::start(&config, settings.clone(), db.clone(), base).expect("started");
        let scene = Self {
            anna: somebody(&db).await,
            directory,
            pushes,
            db,
            settings,
            origin,
            service,
            got,
        };
        for browser in browsers {
            scene.subscribe(browser).await;
        }
        scene
    }

    async fn subscribe(&self, browser: &str) {
        let session = NewSession {
            id: format!("session of {browser}").into(),
            secret: chance::secret().hash(),
            user: self.anna.clone(),
            times: session::Times::new(1),
            device: String::new(),
            method: SignInMethod::Password,
            outside: None,
            password: None,
        };
        sessions::create(&self.db, &session)
            .await
            .expect("a session");
        let point = self.service.key.public_key().to_encoded_point(false);
        let new = Subscription {
            id: format!("subscription of {browser}"),
            user: self.anna.clone(),
            session: session.id,
            browser: browser.into(),
            endpoint: format!("{}/{browser}", self.origin),
            p256dh: BASE64_URL_SAFE_NO_PAD.encode(point.as_bytes()),
            auth: BASE64_URL_SAFE_NO_PAD.encode([7; 16]),
            language: "de".to_owned(),
            created: 1,
        };
        assert!(push::put(&self.db, &new).await.expect("an answer"));
    }

    fn answers(&self, answers: &[Answer]) {
        *self.service.answers.lock().expect("no panic") = answers.iter().copied().collect();
    }

    fn send(&self, push: Push) {
        self.pushes.send(self.anna.clone(), push);
    }

    async fn next(&mut self) -> Got {
        let got = timeout(SOON, self.got.recv()).await;
        got.expect("in time").expect("a message")
    }

    /// To whom, in order of their names, and the type of each.
    async fn next_all<const N: usize>(&mut self) -> [(String, &'static str); N] {
        let mut all = Vec::new();
        for _ in 0..N {
            let got = self.next().await;
            let what = match got.message {
                PushMessage::Ringing { .. } => "ringing",
                PushMessage::Over { missed: true, .. } => "missed",
                PushMessage::Over { .. } => "over",
            };
            all.push((got.browser, what));
        }
        all.sort();
        all.try_into().expect("as many")
    }

    async fn until_unreachable(&self) {
        let gone = async {
            while push::is_reachable(&self.db, &self.anna)
                .await
                .expect("an answer")
            {
                tokio::task::yield_now().await;
            }
        };
        timeout(SOON, gone).await.expect("in time");
    }
}

async fn somebody(db: &Db) -> UserId {
    let new = NewAccount {
        id: "u-anna".into(),
        username: Username::parse("anna").expect("a username"),
        name: DisplayName::parse("Anna").expect("a name"),
        mail: None,
        admin: false,
        password: None,
        source: PersonSource::House,
        created: 1,
    };
    users::create(db, &new).await.expect("an account").id
}

fn bernd() -> CallPerson {
    CallPerson {
        id: "u-bernd".into(),
        name: "Bernd".to_owned(),
        picture: None,
    }
}

fn ringing(call: &str, ringing: &[&str]) -> Push {
    Push::Ringing {
        call: call.into(),
        room: "r-1".into(),
        caller: bernd(),
        video: true,
        into: None,
        ringing: ringing.iter().map(|browser| (*browser).into()).collect(),
        until: chance::unix_ms() + limits::RING_MS,
    }
}

fn over(call: &str, missed: bool) -> Push {
    Push::Over {
        call: call.into(),
        end: CallEnd::Cancelled,
        caller: bernd(),
        missed,
    }
}

fn to(browser: &str, what: &'static str) -> (String, &'static str) {
    (browser.to_owned(), what)
}

#[tokio::test]
async fn a_call_wakes_the_browsers_that_do_not_ring_and_its_end_replaces_it() {
    let mut scene = Scene::new(&["laptop", "phone", "tablet"]).await;
    scene.send(ringing("k-1", &["laptop"]));
    assert_eq!(
        scene.next_all().await,
        [to("phone", "ringing"), to("tablet", "ringing")]
    );
    scene.send(over("k-1", false));
    assert_eq!(
        scene.next_all().await,
        [to("phone", "over"), to("tablet", "over")]
    );
    // A missed one is news to all but the browser that rang by itself.
    scene.send(ringing("k-2", &["laptop"]));
    let _ = scene.next_all::<2>().await;
    scene.send(over("k-2", true));
    assert_eq!(
        scene.next_all().await,
        [to("phone", "missed"), to("tablet", "missed")]
    );
    scene.send(over("k-3", true));
    assert_eq!(
        scene.next_all().await,
        [
            to("laptop", "missed"),
            to("phone", "missed"),
            to("tablet", "missed")
        ],
        "one that never rang"
    );
}

#[tokio::test]
async fn a_service_is_told_who_sends_how_urgent_it_is_and_what_replaces_what() {
    let mut scene = Scene::new(&["phone"]).await;
    scene.send(ringing("k-1", &[]));
    let first = scene.next().await;
    scene.send(over("k-1", true));
    let second = scene.next().await;
    let header = |got: &Got, name: &str| {
        let value = got.headers.get(name).expect("a header");
        value.to_str().expect("text").to_owned()
    };
    assert_eq!(header(&first, "urgency"), "high");
    assert_eq!(header(&first, "content-encoding"), "aes128gcm");
    assert_eq!(header(&first, "topic"), header(&second, "topic"));
    assert!(header(&first, "authorization").starts_with("vapid t="));
    let ttl: u64 = header(&first, "ttl").parse().expect("a number");
    assert!((40..=45).contains(&ttl), "{ttl}");
    assert_eq!(header(&second, "ttl"), "86400");
    for got in [first, second] {
        assert!(!format!("{:?}", got.headers).contains("Bernd"));
    }
}

#[tokio::test]
async fn a_service_that_has_no_time_is_asked_again_until_the_call_is_over() {
    let mut scene = Scene::new(&["phone"]).await;
    scene.answers(&[(503, Some("0")), (429, Some("1"))]);
    scene.send(ringing("k-1", &[]));
    for attempt in 1..=3 {
        assert_eq!(
            scene.next_all().await,
            [to("phone", "ringing")],
            "{attempt}"
        );
    }
    // The end of a call does not wait for what nobody needs any more.
    scene.answers(&[(503, Some("60"))]);
    scene.send(ringing("k-2", &[]));
    assert_eq!(scene.next_all().await, [to("phone", "ringing")]);
    scene.send(over("k-2", false));
    assert_eq!(scene.next_all().await, [to("phone", "over")]);
    scene.send(ringing("k-3", &[]));
    assert_eq!(scene.next_all().await, [to("phone", "ringing")]);
}

#[tokio::test]
async fn what_a_service_does_not_know_any_more_is_forgotten() {
    for status in [404, 410] {
        let mut scene = Scene::new(&["phone"]).await;
        scene.answers(&[(status, None)]);
        scene.send(ringing("k-1", &[]));
        assert_eq!(scene.next_all().await, [to("phone", "ringing")]);
        scene.until_unreachable().await;
    }
    let mut scene = Scene::new(&["phone"]).await;
    scene.answers(&[(403, None)]);
    scene.send(ringing("k-1", &[]));
    let _ = scene.next().await;
    scene.send(ringing("k-2", &[]));
    assert_eq!(scene.next_all().await, [to("phone", "ringing")]);
    let there = push::is_reachable(&scene.db, &scene.anna).await;
    assert!(there.expect("an answer"), "refused is not gone");
}

#[tokio::test]
async fn turned_off_all_subscriptions_go_and_new_ones_work_once_it_is_on_again() {
    let mut scene = Scene::new(&["phone"]).await;
    scene.send(ringing("k-1", &[]));
    let _ = scene.next().await;
    let off = scene
        .settings
        .choose(&scene.db, |chosen| chosen.push = None);
    off.await.expect("stored");
    scene.until_unreachable().await;
    let on = scene
        .settings
        .choose(&scene.db, |chosen| chosen.push = Some(true));
    on.await.expect("stored");
    scene.subscribe("tablet").await;
    scene.send(ringing("k-2", &[]));
    assert_eq!(scene.next_all().await, [to("tablet", "ringing")]);
}
