//! What users of the crate hold: a participant to command and to look at. The work is done by its driver's task.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use protocol::{DeviceId, ErrorCode, ParticipantId, Source, Wanted};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, timeout_at},
};

use crate::{Identity, Load, Person, Received, State, View, driver::Driver, house};

/// How long joining, leaving and every single intent may take.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Debug)]
pub struct Options {
    pub room: String,
    /// Which prepared face and voice.
    pub identity: Identity,
    /// Random when absent. The same one with the same person comes back to the same seat.
    pub device: Option<DeviceId>,
    pub publish: Vec<Publish>,
    /// Down slots of the first offer.
    pub person_slots: usize,
    pub screen_slots: usize,
    /// Come back by itself when the socket or the media connection is lost.
    pub reconnect: bool,
    /// Sends media that is muted or not published: the server has to keep it from others.
    pub rude: bool,
    /// What the packets of its voice say about how loud it is, in dBov: 0 is the loudest, -127 silence.
    pub loudness: i8,
    /// What the camera sends instead of prepared pictures; what comes in is taken for the same.
    pub load: Option<Load>,
    /// Is in a network that lets no UDP through: media goes over TCP.
    pub over_tcp: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publish {
    pub source: Source,
    pub muted: bool,
}

impl Options {
    /// Microphone and camera on, the browser's slots, a random device.
    pub fn new(room: &str, identity: Identity) -> Self {
        let publish = [Source::Microphone, Source::Camera].map(|source| Publish {
            source,
            muted: false,
        });
        Self {
            room: room.to_owned(),
            identity,
            device: None,
            publish: publish.to_vec(),
            person_slots: 6,
            screen_slots: 2,
            reconnect: true,
            rude: false,
            loudness: crate::media::LOUDNESS,
            load: None,
            over_tcp: false,
        }
    }
}

/// The server refused an intent; find it with `error.downcast_ref::<Refused>()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub ErrorCode);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "refused with {:?}", self.0)
    }
}

impl std::error::Error for Refused {}

/// A participant. Dropping it without [`Bot::leave`] is like a browser that crashed.
pub struct Bot {
    name: String,
    identity: Identity,
    device: DeviceId,
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

pub(crate) type Reply = oneshot::Sender<Result<()>>;

pub(crate) enum Command {
    Intent(Wish, Reply),
    Want(Vec<Wanted>),
    /// Cuts the socket without a word; media goes on.
    DropSocket,
    /// Reads and sends nothing for so long.
    Freeze(Duration),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Wish {
    Publish(Publish),
    Unpublish(Source),
    SetMuted(Source, bool),
    MoreSlots(usize),
    RestartIce,
    Leave,
}

pub(crate) struct Shared {
    view: Mutex<View>,
    changed: watch::Sender<()>,
}

impl Bot {
    /// Enters the room; returns when the server has given a seat or told to wait at the door.
    pub async fn join(person: impl Into<Person>, options: Options) -> Result<Self> {
        let person = person.into();
        let device = options
            .device
            .clone()
            .map_or_else(house::random_device, Ok)?;
        let (name, identity) = (person.name().to_owned(), options.identity);
        let shared = Arc::new(Shared::new());
        let (commands, inbox) = mpsc::channel(64);
        let (joined, answer) = oneshot::channel();
        let driver = Driver::new(
            person,
            device.clone(),
            options,
            shared.clone(),
            inbox,
            joined,
        );
        let task = tokio::spawn(driver.run());
        let bot = Self {
            name,
            identity,
            device,
            commands,
            shared,
            task,
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        answer
            .with_context(|| format!("{} got no answer to join_room", bot.name))?
            .context("the bot ended")??;
        Ok(bot)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn identity(&self) -> Identity {
        self.identity
    }

    pub fn device(&self) -> &DeviceId {
        &self.device
    }

    pub fn id(&self) -> Option<ParticipantId> {
        self.shared.view().state.you().cloned()
    }

    pub fn state(&self) -> State {
        self.shared.view().state.clone()
    }

    pub fn received(&self) -> Received {
        self.shared.view().received.clone()
    }

    /// Waits until the condition holds. The error says what was waited for and how things stood.
    pub async fn wait_for(
        &self,
        what: &str,
        within: Duration,
        mut holds: impl FnMut(&View) -> bool,
    ) -> Result<()> {
        let deadline = Instant::now() + within;
        let mut changes = self.shared.changed.subscribe();
        loop {
            if holds(&self.shared.view()) {
                return Ok(());
            }
            if !matches!(timeout_at(deadline, changes.changed()).await, Ok(Ok(()))) {
                let view = self.shared.view().clone();
                bail!("{} waited for {what} in vain: {view:#?}", self.name);
            }
        }
    }

    pub async fn publish(&self, source: Source, muted: bool) -> Result<()> {
        self.intend(Wish::Publish(Publish { source, muted })).await
    }

    pub async fn unpublish(&self, source: Source) -> Result<()> {
        self.intend(Wish::Unpublish(source)).await
    }

    pub async fn set_muted(&self, source: Source, muted: bool) -> Result<()> {
        self.intend(Wish::SetMuted(source, muted)).await
    }

    /// Offers anew with this many person slots in all.
    pub async fn widen(&self, person_slots: usize) -> Result<()> {
        self.intend(Wish::MoreSlots(person_slots)).await
    }

    /// Says whose video is on the screen.
    pub async fn want(&self, wanted: Vec<Wanted>) -> Result<()> {
        self.commands
            .send(Command::Want(wanted))
            .await
            .context("the bot ended")
    }

    /// Loses the socket; comes back by itself if the options say so.
    pub async fn drop_socket(&self) -> Result<()> {
        self.commands
            .send(Command::DropSocket)
            .await
            .context("the bot ended")
    }

    /// Is stopped for so long, as a laptop that sleeps: nothing is read or sent, nothing is closed.
    pub async fn freeze(&self, time: Duration) -> Result<()> {
        self.commands
            .send(Command::Freeze(time))
            .await
            .context("the bot ended")
    }

    /// Offers new ICE credentials for the media connection that is there.
    pub async fn restart_ice(&self) -> Result<()> {
        self.intend(Wish::RestartIce).await
    }

    pub async fn leave(self) -> Result<()> {
        self.intend(Wish::Leave).await
    }

    async fn intend(&self, wish: Wish) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(Command::Intent(wish, reply))
            .await
            .context("the bot ended")?;
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        answer
            .with_context(|| format!("{} got no answer to {wish:?}", self.name))?
            .context("the bot ended")?
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn new() -> Self {
        let view = View {
            state: State::new(),
            received: Received::default(),
        };
        Self {
            view: Mutex::new(view),
            changed: watch::Sender::new(()),
        }
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the view and wakes who waits for a change.
    pub fn update<T>(&self, change: impl FnOnce(&mut View) -> T) -> T {
        let result = change(&mut self.view());
        self.changed.send_replace(());
        result
    }
}
