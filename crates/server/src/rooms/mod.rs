//! The hub: which meetings are live, and the way in to each. One task per live room owns its value; what crosses is a
//! message on a bounded queue. Decides nothing about people or media.

mod doorstep;
mod driver;
mod ending;
mod entry;
mod making;
mod media;
mod people;
mod remote;
mod stay;
mod tasks;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use identity::guest::Welcome;
use protocol::{Access, ErrorCode, RoomId, limits};
use room::{Input, RoomFacts, SeatRecord, SessionKey};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::chance;
use crate::house::House;
use crate::media::{Events, MediaHandle};
use crate::metrics::Metrics;
use crate::principal::SessionId;
use crate::push::Pushes;
use crate::settings::Settings;
use crate::store::rooms::StoredRoom;
use crate::store::seats::Change;
use crate::store::{self, Db, call_rooms, connections, members, rooms, seats};
use crate::ws::sockets::Sockets;

pub use entry::{Entry, Preparation, Way};
pub use making::first_access;
pub use media::fresh_connection;
pub use people::People;
pub use remote::Remote;
pub use stay::Stay;

use doorstep::Doorstep;
use driver::{Command, Driver};
use tasks::Tasks;
use writer::Writer;

/// Inputs that may wait for one room.
const QUEUE: usize = 1024;
/// How long a stop waits for sockets to say goodbye, and for rooms to end.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
const GRACE: Duration = Duration::from_millis(limits::SEAT_GRACE_MS);

/// All meetings of this server. Clones are the same hub.
#[derive(Clone)]
pub struct Rooms(Arc<Hub>);

struct Hub {
    db: Db,
    media: MediaHandle,
    settings: Settings,
    writer: Writer,
    people: People,
    house: House,
    sockets: Sockets,
    doorstep: Doorstep,
    metrics: Metrics,
    live: Mutex<HashMap<RoomId, Live>>,
    drivers: Tasks,
    /// Meetings that go on may go on, but no other begins.
    draining: AtomicBool,
    counter: AtomicU64,
}

struct Live {
    group: u64,
    commands: mpsc::Sender<Command>,
}

impl Rooms {
    /// Starts the hub's tasks. Whoever sat somewhere when the server ended is away from now on, and has the usual time to
    /// come back.
    pub async fn start(
        db: Db,
        media: MediaHandle,
        events: Events,
        settings: Settings,
        pushes: Pushes,
        metrics: Metrics,
    ) -> store::Result<Self> {
        let people = People::default();
        let rooms = Self(Arc::new_cyclic(|hub| Hub {
            writer: Writer::start(db.clone()),
            house: House::start(db.clone(), settings.clone(), Remote(hub.clone()), pushes),
            people,
            db,
            media,
            settings,
            sockets: Sockets::default(),
            doorstep: Doorstep::new(Instant::now()),
            metrics,
            live: Mutex::default(),
            drivers: Tasks::default(),
            draining: AtomicBool::new(false),
            counter: AtomicU64::new(1),
        }));
        tokio::spawn(media::carry_events(Arc::downgrade(&rooms.0), events));
        tokio::spawn(follow_settings(Arc::downgrade(&rooms.0)));
        rooms.restore().await?;
        Ok(rooms)
    }

    async fn restore(&self) -> store::Result<()> {
        connections::end_all(&self.0.db).await?;
        let now = chance::unix_ms();
        let there = seats::all(&self.0.db).await?.into_iter();
        let away: Vec<_> = there
            .filter(|(_, seat)| seat.away_since.is_none())
            .map(|(room, seat)| {
                let away_since = Some(now);
                Change::Save(room, SeatRecord { away_since, ..seat })
            })
            .collect();
        seats::write_all(&self.0.db, &away).await?;
        let hub = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            tokio::time::sleep(GRACE).await;
            let Some(hub) = hub.upgrade() else { return };
            if let Err(error) = hub.remove_expired_seats().await {
                tracing::warn!(%error, "seats that nobody came back to stay in the database");
            }
        });
        tokio::spawn(tend_calls(Arc::downgrade(&self.0)));
        Ok(())
    }

    /// How many people are inside now.
    pub fn people(&self, room: &RoomId) -> u32 {
        self.0.people.inside(room)
    }

    /// The room was made, renamed, opened, closed or forgotten: tells whom it concerns.
    pub async fn room_changed(&self, room: &StoredRoom) {
        self.0.house.room_changed(Some(&room.id));
        self.0.tell_facts(room.clone()).await;
    }

    /// Signed out, or the account or grant ended: closes its sockets, frees its seats, ends its media.
    pub async fn end_session(&self, session: &SessionId) {
        self.0.sockets.end_session(session);
        let live: Vec<_> = self
            .0
            .live()
            .values()
            .map(|live| live.commands.clone())
            .collect();
        for commands in live {
            let session = SessionKey(session.as_str().to_owned());
            let _ = commands.send(Input::SessionEnded { session }.into()).await;
        }
    }

    /// From this call on one comes into meetings only that go on already. Done when nobody is in any of them.
    pub fn drain(&self) -> impl Future<Output = ()> {
        self.0.draining.store(true, Ordering::Relaxed);
        self.0.drivers.gone()
    }

    /// Closes all sockets, ends all rooms and keeps the seats for whoever comes back after a restart.
    pub async fn shut_down(&self) {
        self.0.house.stop().await;
        self.0.sockets.close_all();
        if timeout(STOP_PATIENCE, self.0.sockets.all_closed())
            .await
            .is_err()
        {
            tracing::warn!("some sockets did not close in time");
        }
        self.0.live().clear();
        if timeout(STOP_PATIENCE, self.0.drivers.gone()).await.is_err() {
            tracing::warn!("some rooms did not end in time");
        }
        self.0.writer.flush().await;
    }

    pub fn sockets(&self) -> &Sockets {
        &self.0.sockets
    }

    pub fn house(&self) -> &House {
        &self.0.house
    }
}

impl Hub {
    fn live(&self) -> MutexGuard<'_, HashMap<RoomId, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }

    async fn tell_facts(&self, room: StoredRoom) {
        if !self.live().contains_key(&room.id) {
            return;
        }
        let id = room.id.clone();
        match self.facts(room).await {
            Ok(facts) => self.tell(&id, Input::FactsChanged(facts)).await,
            Err(error) => tracing::warn!(%error, room = %id, "a room does not hear of its change"),
        }
    }

    /// A room that is not live, or has just ended, needs no news.
    async fn tell(&self, room: &RoomId, input: Input) {
        let live = self.live().get(room).map(|live| live.commands.clone());
        if let Some(commands) = live {
            let _ = commands.send(input.into()).await;
        }
    }

    async fn facts(&self, room: StoredRoom) -> store::Result<RoomFacts> {
        let members = members::of_room(&self.db, &room.id).await?;
        let welcome = self.settings.get().welcome();
        Ok(RoomFacts {
            access: effective(room.access, welcome),
            kind: room.kind,
            knock: room.knock,
            members,
            invites: welcome.takes_invites(),
            open_house: welcome.is_open_house(),
            id: room.id,
            name: room.name,
            owner: room.owner,
        })
    }

    /// Puts a command into a room's queue, and starts the room if it is not live. A room can only end while its queue is
    /// empty and this lock is free, so what was put in is handled.
    fn send_or_start(
        self: &Arc<Self>,
        room: &RoomId,
        command: Command,
    ) -> Result<mpsc::Sender<Command>, ErrorCode> {
        let mut live = self.live();
        if self.draining.load(Ordering::Relaxed) && !live.contains_key(room) {
            return Err(ErrorCode::Restarting);
        }
        let entry = live.entry(room.clone()).or_insert_with(|| {
            let (commands, queue) = mpsc::channel(QUEUE);
            let group = self.count();
            let driver = Driver::new(self.clone(), room.clone(), group, queue);
            let member = self.drivers.member();
            tokio::spawn(async move {
                driver.run().await;
                drop(member);
            });
            Live { group, commands }
        });
        // Too much waits already.
        let sent = entry.commands.try_send(command);
        sent.map_err(|_| ErrorCode::Unavailable)?;
        Ok(entry.commands.clone())
    }

    /// Takes a room off the list, unless somebody is on their way in.
    fn retire(&self, room: &RoomId, queue: &mpsc::Receiver<Command>) -> bool {
        let mut live = self.live();
        if !queue.is_empty() {
            return false;
        }
        live.remove(room);
        true
    }

    async fn remove_expired_seats(&self) -> store::Result<()> {
        let now = chance::unix_ms();
        for (room, seat) in seats::all(&self.db).await? {
            let expired = seat
                .away_since
                .is_some_and(|since| now.saturating_sub(since) >= limits::SEAT_GRACE_MS);
            if expired && !self.live().contains_key(&room) {
                seats::write(&self.db, &Change::Remove(seat.participant)).await?;
            }
        }
        Ok(())
    }

    async fn remove_abandoned_calls(&self) -> store::Result<()> {
        let before = chance::unix_ms().saturating_sub(limits::SEAT_GRACE_MS);
        for room in call_rooms::abandoned(&self.db, before).await? {
            if !self.live().contains_key(&room) {
                call_rooms::remove(&self.db, &room).await?;
            }
        }
        Ok(())
    }
}

/// Rooms of calls that nobody came back to after a restart, or that a fault left behind.
async fn tend_calls(hub: Weak<Hub>) {
    loop {
        tokio::time::sleep(GRACE).await;
        let Some(hub) = hub.upgrade() else { return };
        if let Err(error) = hub.remove_abandoned_calls().await {
            tracing::warn!(%error, "rooms of calls that are over stay in the database");
        }
    }
}

/// What a house allows may change while people are in its rooms.
async fn follow_settings(hub: Weak<Hub>) {
    let Some(mut changes) = hub.upgrade().map(|hub| hub.settings.subscribe()) else {
        return;
    };
    while changes.changed().await.is_ok() {
        let Some(hub) = hub.upgrade() else { return };
        hub.house.room_changed(None);
        let live: Vec<_> = hub.live().keys().cloned().collect();
        for room in live {
            match rooms::by_id(&hub.db, &room).await {
                Ok(Some(room)) => hub.tell_facts(room).await,
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, %room, "a room does not hear of new settings"),
            }
        }
    }
}

/// Who may really enter: no room is open to guests in a house that takes none.
pub fn effective(access: Access, welcome: Welcome) -> Access {
    if welcome.may_enter(access == Access::Guests) {
        Access::Guests
    } else {
        Access::Accounts
    }
}
