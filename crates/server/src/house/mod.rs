//! The house as the rest of the server speaks to it: one task owns the value that decides about people and calls. Decides
//! nothing itself.

mod desk;
mod facts;
mod inside;
mod keep;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use house::{Input, Intent, SocketId};
use protocol::{BrowserId, RoomId, UserId};
use tokio::sync::{mpsc, oneshot};

use crate::chance;
use crate::push::Pushes;
use crate::rooms::Remote;
use crate::settings::Settings;
use crate::store::Db;
use crate::ws::outbound::Outbound;

use desk::Desk;
pub use facts::callee;
pub use inside::Inside;
use inside::Rolls;

/// Inputs that may wait.
const QUEUE: usize = 4096;

/// Clones speak to the same task.
#[derive(Clone)]
pub struct House {
    events: mpsc::Sender<Event>,
    rooms: Arc<Rolls>,
}

enum Event {
    Opened {
        socket: SocketId,
        user: UserId,
        browser: BrowserId,
        outbound: Outbound,
    },
    Closed(SocketId),
    Input(Box<Input>),
    Stop(oneshot::Sender<()>),
    #[cfg(test)]
    Panic,
}

impl House {
    /// Needs a tokio runtime. Ends with its last clone.
    pub fn start(db: Db, settings: Settings, remote: Remote, pushes: Pushes) -> Self {
        let (events, queue) = mpsc::channel(QUEUE);
        let rooms = Arc::new(Rolls::default());
        let desk = Desk::new(
            db,
            settings,
            (remote, pushes),
            rooms.clone(),
            events.downgrade(),
        );
        tokio::spawn(desk.run(queue));
        Self { events, rooms }
    }

    /// Sends a snapshot, and deltas from then on. Whoever names no browser is a device of their own.
    pub async fn opened(
        &self,
        socket: u64,
        user: UserId,
        browser: Option<BrowserId>,
        outbound: Outbound,
    ) {
        let opened = Event::Opened {
            socket: SocketId(socket),
            user,
            browser: browser.unwrap_or_else(|| chance::id().into()),
            outbound,
        };
        let _ = self.events.send(opened).await;
    }

    pub fn closed(&self, socket: u64) {
        self.send(Event::Closed(SocketId(socket)));
    }

    /// Waits while the house has much to do.
    pub async fn intent(&self, socket: u64, intent: Intent) {
        let socket = SocketId(socket);
        let input = Box::new(Input::Intent { socket, intent });
        let _ = self.events.send(Event::Input(input)).await;
    }

    /// Who sits in a room now. Never waits: of a room that changes often, the house hears the latest.
    pub fn room_people(&self, room: RoomId, inside: Inside) {
        self.rooms.set(room, inside);
    }

    /// A room was made, renamed, opened, closed or deleted; without one, what the house allows is another.
    pub fn room_changed(&self, room: Option<&RoomId>) {
        let room = room.cloned();
        self.tell(Input::RoomFactsChanged { room });
    }

    /// What somebody's home page is made of is another: rooms visited or pinned, their name, their picture.
    pub fn facts_changed(&self, user: &UserId) {
        let user = user.clone();
        self.tell(Input::FactsChanged { user });
    }

    /// Whatever else happens. Nobody waits: if the house is far behind, the news waits instead.
    pub fn tell(&self, news: Input) {
        self.send(Event::Input(Box::new(news)));
    }

    /// Decides nothing any more, so that the end of the server is nobody's hanging up. What was decided is stored.
    pub async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.events.send(Event::Stop(done)).await.is_ok() {
            let _ = stopped.await;
        }
    }

    fn send(&self, event: Event) {
        if let Err(mpsc::error::TrySendError::Full(event)) = self.events.try_send(event) {
            let events = self.events.clone();
            tokio::spawn(async move { events.send(event).await });
        }
    }
}
