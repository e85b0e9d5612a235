//! What has to be done from time to time: forgetting what has expired, renewing keys, closing what another process ended,
//! and saying how the media does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use house::Input;
use identity::room;
use protocol::{HistoryId, UserId};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;
use crate::chance;
use crate::media::MediaHandle;
use crate::oidc::keys::Keys;
use crate::rooms::Rooms;
use crate::settings::Settings;
use crate::store::{
    self, Db, connections, grants, guests, history, invites, links, meetings, rooms, sessions,
    settings,
};

const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
/// What another process ended, such as `stube user lock`, has to reach sockets and media within two seconds.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What `stube settings set` has changed has to hold within two seconds.
const READ_SETTINGS_EVERY: Duration = Duration::from_secs(1);

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

const COUNT_EVERY: Duration = Duration::from_secs(60);

pub struct Chores(Vec<JoinHandle<()>>);

impl Chores {
    /// Needs a tokio runtime.
    pub fn start(app: &App, media: MediaHandle) -> Self {
        let (db, rooms, keys) = (&app.db, &app.rooms, &app.provider.keys);
        let sweeping = tokio::spawn(sweep(
            db.clone(),
            rooms.clone(),
            keys.clone(),
            app.settings.clone(),
        ));
        let looking = tokio::spawn(look_for_ended_sessions(db.clone(), rooms.clone()));
        let reading = tokio::spawn(read_settings(db.clone(), app.settings.clone()));
        let counting = tokio::spawn(report_counts(media));
        Self(vec![sweeping, looking, reading, counting])
    }

    pub fn stop(self) {
        for chore in self.0 {
            chore.abort();
        }
    }
}

async fn sweep(db: Db, live: Rooms, keys: Arc<Keys>, settings: Settings) {
    let mut clock = interval(SWEEP_EVERY);
    loop {
        clock.tick().await;
        if let Err(error) = remove_expired(&db).await {
            tracing::warn!(%error, "what has expired cannot be forgotten now");
        }
        if let Err(error) = forget_unused_rooms(&db, &live).await {
            tracing::warn!(%error, "rooms that nobody uses cannot be forgotten now");
        }
        if let Err(error) = forget_history(&db, &live, &settings).await {
            tracing::warn!(%error, "old history cannot be forgotten now");
        }
        if let Err(error) = keys.tend_if_any(&db).await {
            tracing::warn!(
                error = format!("{error:#}"),
                "the signing keys cannot be looked after now"
            );
        }
    }
}

async fn remove_expired(db: &Db) -> store::Result<()> {
    let now = chance::unix_ms();
    sessions::remove_expired(db, now).await?;
    grants::remove_ended(db, now).await?;
    links::remove_expired(db, now).await?;
    guests::remove_expired(db, now).await?;
    invites::remove_expired(db, now).await
}

/// Those that belong to nobody.
async fn forget_unused_rooms(db: &Db, live: &Rooms) -> store::Result<()> {
    let now = chance::unix_ms();
    let (gone, grants) = rooms::remove_unused(db, now, room::forgotten_before(now)).await?;
    for grant in &grants {
        live.end_session(grant).await;
    }
    for room in &gone {
        tracing::info!(room = %room.id, "a room of nobody was forgotten");
        live.room_changed(room).await;
    }
    Ok(())
}

/// Of one person's history, and stays with a record of the connection.
const MOST_LINES: i64 = 5_000;
/// Such stays of all guests together.
const MOST_STAYS_OF_GUESTS: i64 = 50_000;

/// What is older than the house keeps it, and meetings that were over before.
async fn forget_history(db: &Db, live: &Rooms, settings: &Settings) -> store::Result<()> {
    let kept = DAY_MS.saturating_mul(u64::from(settings.get().history_days));
    let before = chance::unix_ms().saturating_sub(kept);
    meetings::remove_over(db, before).await?;
    connections::remove_before(db, before).await?;
    connections::remove_beyond(db, MOST_LINES, MOST_STAYS_OF_GUESTS).await?;
    let mut gone: HashMap<UserId, Vec<HistoryId>> = HashMap::new();
    let mut lines = history::remove_before(db, before).await?;
    lines.extend(history::remove_beyond(db, MOST_LINES).await?);
    for (user, line) in lines {
        gone.entry(user).or_default().push(line);
    }
    for (user, lines) in gone {
        let entries = Some(lines);
        live.house().tell(Input::HistoryDeleted { user, entries });
    }
    Ok(())
}

async fn look_for_ended_sessions(db: Db, rooms: Rooms) {
    let mut clock = interval(LOOK_EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = None;
    loop {
        clock.tick().await;
        match close_ended(&db, &rooms, &seen).await {
            Ok(mark) => seen = mark,
            Err(error) => tracing::debug!(%error, "sessions cannot be looked at now"),
        }
    }
}

/// Gives back the mark that was seen. One row is read, unless something was ended since the last mark.
async fn close_ended(
    db: &Db,
    rooms: &Rooms,
    seen: &Option<String>,
) -> store::Result<Option<String>> {
    let mark = settings::get(db, settings::SESSIONS_ENDED).await?;
    if mark != *seen {
        let open: Vec<_> = rooms
            .sockets()
            .sessions(Instant::now())
            .into_iter()
            .collect();
        let there = sessions::still_there(db, &open).await?;
        for session in open.iter().filter(|session| !there.contains(session)) {
            tracing::info!(%session, "ended from outside");
            rooms.end_session(session).await;
        }
    }
    Ok(mark)
}

async fn read_settings(db: Db, settings: Settings) {
    let mut clock = interval(READ_SETTINGS_EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        if let Err(error) = settings.look(&db).await {
            tracing::debug!(%error, "settings cannot be looked at now");
        }
    }
}

/// What the media plane carried and what it dropped, if anything changed.
async fn report_counts(media: MediaHandle) {
    let mut clock = interval(COUNT_EVERY);
    let mut last = media.stats();
    loop {
        clock.tick().await;
        let counts = media.stats();
        if counts.panics > last.panics {
            tracing::error!(
                panics = counts.panics,
                "the media engine panicked, which cost the peers it happened to"
            );
        }
        if counts != last {
            tracing::debug!(?counts, "media");
        }
        last = counts;
    }
}
