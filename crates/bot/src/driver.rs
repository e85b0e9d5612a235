//! The task behind a bot: one loop over its socket, its media, its owner's commands and its timers. Decides only what a
//! browser's client would decide too: when to come back, when to offer anew, when to say `slot_ready`.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow};
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::{
    Channel, ClientInfo, ClientMessage, DeviceId, IntentId, MediaConnectionId, ServerMessage, Slot,
    Source, VERSIONS,
};
use tokio::{net::TcpStream, sync::mpsc, task::JoinHandle};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
};
use tracing::debug;

use crate::{
    Options, Person, Phase, Publish, Refused,
    bot::{Command, Reply, Shared, Wish},
    media::Media,
    state::Effect,
};

type Socket = Box<WebSocketStream<MaybeTlsStream<TcpStream>>>;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// How long media may take to come up before it is offered anew.
const MEDIA_PATIENCE: Duration = Duration::from_secs(15);

pub(crate) struct Driver {
    person: Person,
    device: DeviceId,
    options: Options,
    shared: Arc<Shared>,
    commands: mpsc::Receiver<Command>,
    joined: Option<Reply>,
    /// The server has answered `join_room` with yes; where the bot stands follows.
    agreed: bool,
    socket: Option<Socket>,
    dialling: Option<JoinHandle<Result<Socket>>>,
    pause: Duration,
    media: Option<Media>,
    offered_at: Option<Instant>,
    published: BTreeMap<Source, bool>,
    pending: HashMap<IntentId, Pending>,
    intents: u64,
    ping_at: Instant,
    over: bool,
}

/// What an answer with an id belongs to.
enum Pending {
    Join,
    Offer(Option<Reply>),
    Wish(Wish, Reply),
    /// Nobody waits for it.
    Own,
}

enum Happening {
    Dialled(Result<Socket>),
    Message(Option<Message>),
    Command(Option<Command>),
    Media,
    Tick,
}

impl Driver {
    pub fn new(
        person: Person,
        device: DeviceId,
        options: Options,
        shared: Arc<Shared>,
        commands: mpsc::Receiver<Command>,
        joined: Reply,
    ) -> Self {
        let published = options
            .publish
            .iter()
            .map(|publish| (publish.source, publish.muted))
            .collect();
        Self {
            person,
            device,
            options,
            shared,
            commands,
            joined: Some(joined),
            agreed: false,
            socket: None,
            dialling: None,
            pause: Duration::ZERO,
            media: None,
            offered_at: None,
            published,
            pending: HashMap::new(),
            intents: 0,
            ping_at: Instant::now() + PING_INTERVAL,
            over: false,
        }
    }

    pub async fn run(mut self) {
        self.dial();
        while !self.over {
            if let Err(error) = self.step().await {
                debug!(?error, "a bot lost its socket");
                self.lose_socket(error);
            }
        }
        if let Some(dialling) = &self.dialling {
            dialling.abort();
        }
        self.shared.update(|view| {
            if let Some(media) = &mut self.media {
                media.close(&mut view.received);
            }
            view.state.media = false;
            if !matches!(view.state.phase, Phase::Left(_)) {
                view.state.phase = Phase::Gone;
            }
        });
        if let Some(socket) = &mut self.socket {
            let _ = WebSocketStream::close(socket, None).await;
        }
    }

    async fn step(&mut self) -> Result<()> {
        match self.next().await {
            Happening::Dialled(socket) => {
                self.socket = Some(socket?);
                self.greet().await?;
            }
            Happening::Message(message) => {
                self.handle_frame(message.context("the socket ended")?)
                    .await?
            }
            Happening::Command(None) => self.over = true,
            Happening::Command(Some(command)) => self.handle_command(command).await?,
            Happening::Media | Happening::Tick => {}
        }
        self.drive_media().await?;
        if Instant::now() >= self.ping_at {
            self.ping_at = Instant::now() + PING_INTERVAL;
            if self.socket.is_some() {
                let id = self.intent(Pending::Own);
                self.send(&ClientMessage::Ping { id }).await?;
            }
        }
        Ok(())
    }

    async fn next(&mut self) -> Happening {
        let due = self
            .media
            .as_ref()
            .map_or(self.ping_at, |media| media.due().min(self.ping_at));
        let media = async {
            match &self.media {
                Some(media) => media.readable().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            message = next_message(&mut self.socket) => Happening::Message(message),
            socket = dialled(&mut self.dialling) => {
                self.dialling = None;
                Happening::Dialled(socket)
            }
            command = self.commands.recv() => Happening::Command(command),
            () = tokio::time::sleep_until(due.into()) => Happening::Tick,
            () = media => Happening::Media,
        }
    }

    // The socket.

    fn dial(&mut self) {
        let (person, pause) = (self.person.clone(), self.pause);
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        self.dialling = Some(tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            open(&person).await
        }));
    }

    fn lose_socket(&mut self, error: anyhow::Error) {
        self.socket = None;
        for (_, pending) in self.pending.drain() {
            if let Pending::Wish(_, reply) | Pending::Offer(Some(reply)) = pending {
                let _ = reply.send(Err(anyhow!("the socket was lost")));
            }
        }
        // Before the first answer a failure is the caller's: a wrong address, a refused ticket.
        if let Some(joined) = self.joined.take() {
            let _ = joined.send(Err(error));
            self.over = true;
            return;
        }
        self.shared
            .update(|view| view.state.phase = Phase::Connecting);
        if self.options.reconnect {
            self.dial();
        } else {
            self.over = true;
        }
    }

    async fn greet(&mut self) -> Result<()> {
        let client = ClientInfo {
            name: "stube-bot".into(),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        self.send(&ClientMessage::Hello {
            versions: VERSIONS.to_vec(),
            client,
            features: vec![],
            browser: None,
        })
        .await
    }

    async fn send(&mut self, message: &ClientMessage) -> Result<()> {
        let socket = self.socket.as_mut().context("there is no socket")?;
        Ok(socket
            .send(Message::text(serde_json::to_string(message)?))
            .await?)
    }

    fn intent(&mut self, pending: Pending) -> IntentId {
        self.intents += 1;
        let id = IntentId(self.intents.to_string());
        self.pending.insert(id.clone(), pending);
        id
    }

    // What the server says.

    async fn handle_frame(&mut self, frame: Message) -> Result<()> {
        let text = match frame {
            Message::Text(text) => text,
            Message::Close(frame) => return Err(anyhow!("closed by the server: {frame:?}")),
            _ => return Ok(()),
        };
        let message: ServerMessage =
            serde_json::from_str(&text).with_context(|| format!("cannot read {text}"))?;
        match &message {
            ServerMessage::Ok { id } => self.settle(id, Ok(())),
            ServerMessage::Pong { id } => drop(self.pending.remove(id)),
            ServerMessage::Error {
                id: Some(id), code, ..
            } => self.settle(id, Err(Refused(*code))),
            ServerMessage::Answer {
                id,
                sdp,
                connection,
            } => self.handle_answer(id, sdp, connection.clone()).await,
            _ => {}
        }
        let (effects, phase) = self
            .shared
            .update(|view| (view.state.apply(message), view.state.phase.clone()));
        let placed = matches!(phase, Phase::Inside | Phase::Waiting);
        if self.agreed
            && placed
            && let Some(joined) = self.joined.take()
        {
            let _ = joined.send(Ok(()));
        }
        for effect in effects {
            self.handle_effect(effect).await?;
        }
        Ok(())
    }

    fn settle(&mut self, id: &IntentId, outcome: Result<(), Refused>) {
        match self.pending.remove(id) {
            Some(Pending::Join) => {
                self.pause = Duration::ZERO;
                self.agreed = outcome.is_ok();
                self.over = outcome.is_err();
                if outcome.is_err()
                    && let Some(joined) = self.joined.take()
                {
                    let _ = joined.send(outcome.map_err(Into::into));
                }
            }
            Some(Pending::Wish(wish, reply)) => {
                if outcome.is_ok() {
                    self.fulfil(wish);
                }
                let _ = reply.send(outcome.map_err(Into::into));
            }
            Some(Pending::Offer(reply)) => {
                if let Err(Refused(code)) = outcome {
                    self.shared.update(|view| view.state.errors.push(code));
                }
                if let Some(reply) = reply {
                    let _ = reply.send(outcome.map_err(Into::into));
                }
            }
            Some(Pending::Own) | None => {
                if let Err(Refused(code)) = outcome {
                    self.shared.update(|view| view.state.errors.push(code));
                }
            }
        }
    }

    /// The server agreed: what it now expects is done.
    fn fulfil(&mut self, wish: Wish) {
        match wish {
            Wish::Publish(Publish { source, muted }) => drop(self.published.insert(source, muted)),
            Wish::SetMuted(source, muted) => drop(self.published.insert(source, muted)),
            Wish::Unpublish(source) => drop(self.published.remove(&source)),
            Wish::MoreSlots(_) | Wish::RestartIce => {}
            Wish::Leave => self.over = true,
        }
        self.switch_sources();
    }

    async fn handle_effect(&mut self, effect: Effect) -> Result<()> {
        match effect {
            Effect::Welcomed => {
                let id = self.intent(Pending::Join);
                let (room, device) = (self.options.room.clone(), self.device.clone());
                self.send(&ClientMessage::JoinRoom { id, room, device })
                    .await
            }
            Effect::Snapshot { connection } => self.settle_in(connection).await,
            Effect::AskForSnapshot => {
                self.send(&ClientMessage::GetSnapshot {
                    channel: Channel::Room,
                })
                .await
            }
            Effect::Slot(slot) => self.assign(slot).await,
            Effect::ConnectionGone => self.offer_anew().await,
            Effect::Over => {
                self.over = true;
                Ok(())
            }
        }
    }

    /// After a snapshot: say what is sent, and have a media connection.
    async fn settle_in(&mut self, connection: Option<MediaConnectionId>) -> Result<()> {
        for (source, muted) in self.published.clone() {
            let id = self.intent(Pending::Own);
            self.send(&ClientMessage::Publish { id, source, muted })
                .await?;
        }
        let mine = self
            .media
            .as_ref()
            .and_then(|media| media.connection.as_ref());
        let good = self.media.as_ref().is_some_and(|media| !media.failed);
        if good && mine.is_some() && mine == connection.as_ref() {
            Ok(())
        } else {
            self.offer_anew().await
        }
    }

    async fn assign(&mut self, slot: Slot) -> Result<()> {
        let another = self.media.as_mut().is_some_and(|media| media.assign(&slot));
        if another && slot.generation > 1 && slot.participant.is_some() {
            self.send(&ClientMessage::SlotReady {
                slot: slot.slot,
                generation: slot.generation,
            })
            .await?;
        }
        Ok(())
    }

    // Media.

    async fn offer_anew(&mut self) -> Result<()> {
        let (identity, load) = (self.options.identity, self.options.load);
        let mut media = Media::new(identity, load, Instant::now());
        media.loudness = self.options.loudness;
        media.over_tcp = self.options.over_tcp;
        self.media = Some(media);
        self.shared.update(|view| view.state.media = false);
        self.offer(None).await
    }

    async fn offer(&mut self, reply: Option<Reply>) -> Result<()> {
        let media = self.media.as_mut().context("there is no media to offer")?;
        let offered = media.offer(self.options.person_slots, self.options.screen_slots)?;
        self.offered_at = Some(Instant::now());
        let id = self.intent(Pending::Offer(reply));
        let (sdp, uplink, slots, connection) = (
            offered.sdp,
            offered.uplink,
            offered.slots,
            offered.connection,
        );
        self.send(&ClientMessage::Offer {
            id,
            sdp,
            uplink,
            slots,
            connection,
        })
        .await
    }

    async fn handle_answer(&mut self, id: &IntentId, sdp: &str, connection: MediaConnectionId) {
        let Some(Pending::Offer(reply)) = self.pending.remove(id) else {
            return;
        };
        let Some(media) = &mut self.media else { return };
        let answered = media.answer(sdp, connection).await;
        if let Err(error) = &answered {
            debug!(?error, "a bot cannot use an answer");
            media.failed = true;
        }
        // Assignments may have come before the answer.
        let slots = self
            .shared
            .update(|view| view.state.room.as_ref().map(|room| room.slots.clone()));
        for slot in slots.unwrap_or_default() {
            media.assign(&slot);
        }
        self.switch_sources();
        if let Some(reply) = reply {
            let _ = reply.send(answered);
        }
    }

    fn switch_sources(&mut self) {
        let Some(media) = &mut self.media else { return };
        for source in [
            Source::Microphone,
            Source::Camera,
            Source::Screen,
            Source::ScreenAudio,
        ] {
            let live = self.published.get(&source) == Some(&false);
            let rude = self.options.rude && matches!(source, Source::Microphone | Source::Camera);
            media.send(source, live || rude);
        }
    }

    async fn drive_media(&mut self) -> Result<()> {
        let Some(media) = &mut self.media else {
            return Ok(());
        };
        let driven = self.shared.update(|view| {
            let driven = media.drive(&mut view.received);
            view.state.media = media.connected && !media.failed;
            driven
        });
        if let Err(error) = driven {
            debug!(?error, "a bot's media connection broke");
            media.failed = true;
        }
        let late = self
            .offered_at
            .is_some_and(|offered| offered.elapsed() > MEDIA_PATIENCE);
        let lost = media.failed || (late && !media.connected);
        if lost
            && self.socket.is_some()
            && self.options.reconnect
            && self.offered_at.is_none_or(not_just_now)
        {
            self.offer_anew().await?;
        } else if lost && self.socket.is_none() {
            // The next snapshot will ask for an offer.
            self.media = None;
        }
        Ok(())
    }

    // What the owner says.

    async fn handle_command(&mut self, command: Command) -> Result<()> {
        match command {
            Command::DropSocket => Err(anyhow!("the owner cut the socket")),
            Command::Freeze(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
            Command::Want(wanted) => self.send(&ClientMessage::SetWanted { wanted }).await,
            Command::Intent(_, reply) if self.socket.is_none() => {
                let _ = reply.send(Err(anyhow!("there is no socket at the moment")));
                Ok(())
            }
            Command::Intent(Wish::MoreSlots(slots), reply) => {
                self.options.person_slots = slots;
                self.offer(Some(reply)).await
            }
            Command::Intent(Wish::RestartIce, reply) => {
                if let Some(media) = &mut self.media {
                    media.restarts_ice = true;
                }
                self.offer(Some(reply)).await
            }
            Command::Intent(wish, reply) => {
                let id = self.intent(Pending::Wish(wish, reply));
                let message = match wish {
                    Wish::Publish(Publish { source, muted }) => {
                        ClientMessage::Publish { id, source, muted }
                    }
                    Wish::Unpublish(source) => ClientMessage::Unpublish { id, source },
                    Wish::SetMuted(source, muted) => ClientMessage::SetMuted { id, source, muted },
                    Wish::Leave | Wish::MoreSlots(_) | Wish::RestartIce => {
                        ClientMessage::LeaveRoom { id }
                    }
                };
                self.send(&message).await
            }
        }
    }
}

/// A media connection is not replaced more often than once in a second.
fn not_just_now(offered: Instant) -> bool {
    offered.elapsed() > Duration::from_secs(1)
}

async fn open(person: &Person) -> Result<Socket> {
    let ticket = person.ticket().await?;
    let mut request = person
        .house()
        .socket_address(&ticket)?
        .as_str()
        .into_client_request()?;
    request
        .headers_mut()
        .insert("origin", HeaderValue::from_str(&person.house().origin())?);
    let (socket, _) = connect_async(request)
        .await
        .context("the socket was refused")?;
    Ok(Box::new(socket))
}

async fn next_message(socket: &mut Option<Socket>) -> Option<Message> {
    match socket {
        Some(socket) => socket.next().await?.ok(),
        None => std::future::pending().await,
    }
}

async fn dialled(dialling: &mut Option<JoinHandle<Result<Socket>>>) -> Result<Socket> {
    match dialling {
        Some(dialling) => dialling.await.context("dialling ended")?,
        None => std::future::pending().await,
    }
}
