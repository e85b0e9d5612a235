//! The task of the house: owns its value, feeds it, carries out what it decides, in order. A panic in the value ends the
//! value: everybody is told to connect again, and the next one begins with what is stored.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use house::{House, Input, Intent, Now, Output, Persist, Push, RestoredCall, SocketId};
use protocol::{CallId, ErrorCode, HomeChange, IntentId, ServerMessage, UserId};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::sleep_until;

use super::inside::Rolls;
use super::keep::keep;
use super::{Event, facts};
use crate::chance;
use crate::push::Pushes;
use crate::rooms::Remote;
use crate::settings::Settings;
use crate::store::{Db, history};
use crate::ws::outbound::{Ending, Outbound};

/// People whose facts are read at once: when all come back after a restart, the store has others to serve too.
const READERS: usize = 2;

pub struct Desk {
    db: Db,
    settings: Settings,
    remote: Remote,
    pushes: Pushes,
    rooms: Arc<Rolls>,
    /// For what was read. Does not keep this task alive.
    events: mpsc::WeakSender<Event>,
    readers: Arc<Semaphore>,
    house: House,
    /// Nothing happened to it yet but its beginning.
    young: bool,
    sockets: HashMap<SocketId, Outbound>,
}

/// One step of the house's value.
enum Turn {
    Inputs(Vec<Input>),
    Timeout,
    #[cfg(test)]
    Panic,
}

enum Next {
    Turn(Turn),
    Stop(Option<oneshot::Sender<()>>),
}

impl Desk {
    pub fn new(
        db: Db,
        settings: Settings,
        (remote, pushes): (Remote, Pushes),
        rooms: Arc<Rolls>,
        events: mpsc::WeakSender<Event>,
    ) -> Self {
        Self {
            db,
            settings,
            remote,
            pushes,
            rooms,
            events,
            readers: Arc::new(Semaphore::new(READERS)),
            house: House::new(chance::id()),
            young: true,
            sockets: HashMap::new(),
        }
    }

    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Event>) {
        let calls = self.restored().await;
        self.take(self.beginning(calls)).await;
        loop {
            match self.wait(&mut queue).await {
                Next::Turn(turn) => self.take(turn).await,
                Next::Stop(done) => {
                    // Whoever comes now comes for nothing.
                    queue.close();
                    return drop(done);
                }
            }
        }
    }

    /// What rang when the server, or this value, ended.
    async fn restored(&self) -> Vec<RestoredCall> {
        if let Err(error) = history::end_open(&self.db, chance::unix_ms()).await {
            tracing::warn!(%error, "calls and stays that were interrupted look as if they went on");
        }
        facts::restored(&self.db).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "calls that rang cannot be read: they ring no more");
            Vec::new()
        })
    }

    /// For a value that knows nothing.
    fn beginning(&self, calls: Vec<RestoredCall>) -> Turn {
        let mut inputs = vec![Input::Restored { calls }];
        inputs.extend(self.rooms.all());
        Turn::Inputs(inputs)
    }

    async fn wait(&mut self, queue: &mut mpsc::Receiver<Event>) -> Next {
        let timeout = async {
            match self.house.poll_timeout() {
                Some(timeout) => sleep_until(timeout.into()).await,
                None => std::future::pending().await,
            }
        };
        let event = tokio::select! {
            event = queue.recv() => event,
            inputs = self.rooms.changed() => return Next::Turn(Turn::Inputs(inputs)),
            () = timeout => return Next::Turn(Turn::Timeout),
        };
        match event {
            Some(Event::Opened {
                socket,
                user,
                browser,
                outbound,
            }) => {
                self.sockets.insert(socket, outbound);
                let epoch = chance::id();
                Next::Turn(Turn::Inputs(vec![Input::Opened {
                    socket,
                    user,
                    browser,
                    epoch,
                }]))
            }
            Some(Event::Closed(socket)) => {
                self.sockets.remove(&socket);
                Next::Turn(Turn::Inputs(vec![Input::Closed { socket }]))
            }
            // Whoever acts from within a room is heard after the news that they are in it.
            Some(Event::Input(input)) => {
                let mut inputs = self.rooms.news();
                inputs.push(*input);
                Next::Turn(Turn::Inputs(inputs))
            }
            #[cfg(test)]
            Some(Event::Panic) => Next::Turn(Turn::Panic),
            Some(Event::Stop(done)) => Next::Stop(Some(done)),
            None => Next::Stop(None),
        }
    }

    async fn take(&mut self, turn: Turn) {
        let mut next = Some(turn);
        while let Some(turn) = next.take() {
            let house = &mut self.house;
            match catch_unwind(AssertUnwindSafe(|| take_turn(house, turn))) {
                Ok(outputs) => {
                    self.young = false;
                    let inputs = self.carry_out(outputs).await;
                    next = (!inputs.is_empty()).then_some(Turn::Inputs(inputs));
                }
                Err(_) => next = Some(self.start_anew().await),
            }
        }
    }

    /// In order: whoever is told of something finds it stored. Gives back what the house has to hear about it at once.
    async fn carry_out(&mut self, outputs: Vec<Output>) -> Vec<Input> {
        let mut failed: Vec<CallId> = Vec::new();
        let mut inputs = Vec::new();
        for output in outputs {
            match output {
                Output::Send { socket, message } => {
                    let message = match calling(&message).filter(|call| failed.contains(call)) {
                        Some(call) => {
                            inputs.extend(called_off(socket, &message, call));
                            refusal(message)
                        }
                        None => Some(message),
                    };
                    if let Some((outbound, message)) = self.sockets.get(&socket).zip(message) {
                        outbound.push(&message);
                    }
                }
                Output::Load { user } => self.load(user),
                Output::Persist(persist) => {
                    if !keep(&self.db, &persist).await
                        && let Persist::CallStarted { call, .. } = persist
                    {
                        failed.push(call.id);
                    }
                }
                Output::EndRoom { room } => self.remote.end_room(&room).await,
                Output::Expect { room, user } => self.remote.expect(&room, &user).await,
                Output::Push { user, push } => {
                    let unheard =
                        matches!(&push, Push::Ringing { call, .. } if failed.contains(call));
                    if !unheard {
                        self.pushes.send(user, push);
                    }
                }
            }
        }
        inputs
    }

    /// Reads while the house goes on.
    fn load(&self, user: UserId) {
        let (db, settings) = (self.db.clone(), self.settings.clone());
        let (readers, events) = (self.readers.clone(), self.events.clone());
        tokio::spawn(async move {
            let permit = readers.acquire_owned().await;
            let input = match facts::person(&db, &settings, &user).await {
                Ok(Some(facts)) => {
                    let facts = Box::new(facts);
                    Input::Loaded { user, facts }
                }
                Ok(None) => Input::NotLoaded { user },
                Err(error) => {
                    tracing::warn!(%error, "a home page cannot be read");
                    Input::NotLoaded { user }
                }
            };
            drop(permit);
            if let Some(events) = events.upgrade() {
                let _ = events.send(Event::Input(Box::new(input))).await;
            }
        });
    }

    /// The value broke. Nothing of it is believed any more.
    async fn start_anew(&mut self) -> Turn {
        let reference = chance::id();
        tracing::error!(%reference, "the house broke: everybody has to connect again");
        for (_, outbound) in self.sockets.drain() {
            outbound.end(Ending::Internal);
        }
        let broke_at_once = std::mem::replace(&mut self.young, true);
        self.house = House::new(chance::id());
        let calls = if broke_at_once {
            Vec::new()
        } else {
            self.restored().await
        };
        self.beginning(calls)
    }
}

fn take_turn(house: &mut House, turn: Turn) -> Vec<Output> {
    match turn {
        Turn::Inputs(inputs) => {
            for input in inputs {
                house.handle_input(now(), input);
            }
        }
        Turn::Timeout => house.handle_timeout(now()),
        #[cfg(test)]
        Turn::Panic => panic!("as the test asked for"),
    }
    std::iter::from_fn(|| house.poll_output()).collect()
}

/// The call that somebody would hear of by this message.
fn calling(message: &ServerMessage) -> Option<&CallId> {
    match message {
        ServerMessage::Calling { call, .. }
        | ServerMessage::HomeDelta {
            change: HomeChange::CallChanged { call },
            ..
        } => Some(&call.id),
        _ => None,
    }
}

/// Its caller gives up what could not be stored.
fn called_off(socket: SocketId, message: &ServerMessage, call: &CallId) -> Option<Input> {
    matches!(message, ServerMessage::Calling { .. }).then(|| {
        let (id, call) = (IntentId::from(""), call.clone());
        let intent = Intent::Cancel { id, call };
        Input::Intent { socket, intent }
    })
}

/// What the caller hears in place of the call; nobody else hears anything.
fn refusal(message: ServerMessage) -> Option<ServerMessage> {
    match message {
        ServerMessage::Calling { id, .. } => Some(ServerMessage::Error {
            id: Some(id),
            code: ErrorCode::Unavailable,
            retry_after_ms: None,
            reference: None,
        }),
        _ => None,
    }
}

fn now() -> Now {
    Now {
        instant: Instant::now(),
        unix_ms: chance::unix_ms(),
    }
}
