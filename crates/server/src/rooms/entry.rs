//! The way into a room: from a name and a principal to a place in the room's queue.

use std::sync::atomic::Ordering;
use std::time::Instant;

use identity::{RoomAddress, UnixMs};
use protocol::{DeviceId, ErrorCode, IntentId, ParticipantId, RoomId, UserId};
use room::{ConnectionId, Join, Offer, Prepare, SessionKey, Subject};

use super::driver::Command;
use super::{Hub, Rooms, Stay};
use crate::chance;
use crate::principal::{Kind, Principal};
use crate::store::rooms::{self, StoredRoom};
use crate::store::{StoreError, call_rooms, visits};
use crate::ws::outbound::Outbound;

/// What a socket says to get in.
pub struct Entry<'a> {
    pub principal: &'a Principal,
    pub id: IntentId,
    pub to: Way<'a>,
    pub device: DeviceId,
    pub outbound: &'a Outbound,
}

/// What a socket says at the door.
pub struct Preparation<'a> {
    pub principal: &'a Principal,
    pub room: &'a str,
    pub device: DeviceId,
    pub offer: Offer,
    pub outbound: &'a Outbound,
}

impl Preparation<'_> {
    /// As with a join: the room answers, and this is a refusal before that.
    pub async fn send(self, rooms: &Rooms) -> Result<Stay, ErrorCode> {
        rooms.prepare(self).await
    }
}

/// How somebody names the room.
pub enum Way<'a> {
    /// By its name, with or without `public/`.
    Address(&'a str),
    /// The room of a call that they are of.
    Call(&'a RoomId),
}

impl Rooms {
    /// The room itself answers, on the socket; a refusal before that is the error here. What the socket has prepared is
    /// used if it is for this room.
    pub async fn join(&self, entry: Entry<'_>, prepared: Option<Stay>) -> Result<Stay, ErrorCode> {
        let room = match entry.to {
            Way::Address(address) => self.find(entry.principal, address).await?,
            Way::Call(room) => self.find_call(entry.principal, room).await?,
        };
        let prepared = prepared.filter(|stay| stay.room == room.id);
        let connection = ConnectionId(self.0.count());
        let join = Join {
            connection,
            id: entry.id,
            subject: subject(&entry.principal.kind),
            device: entry.device,
            session: session(entry.principal),
            name: entry.principal.name.clone(),
            invited: is_invited(entry.principal),
            prepared: prepared.as_ref().map(Stay::connection),
            fresh: ParticipantId(chance::id()),
        };
        let command = Command::Join(Box::new(join), entry.outbound.clone());
        let stay = self.stay(room.id, connection, command)?;
        // The room has both in one message: nothing of it is to be given back.
        prepared.into_iter().for_each(Stay::over);
        Ok(stay)
    }

    /// A media connection for somebody who may come in and has not yet. Makes no room, remembers no visit.
    async fn prepare(&self, ask: Preparation<'_>) -> Result<Stay, ErrorCode> {
        if self.0.draining.load(Ordering::Relaxed) {
            // Who stands at a door must not keep a meeting alive in which nobody is.
            return Err(ErrorCode::Restarting);
        }
        let address = RoomAddress::parse(ask.room).map_err(|_| ErrorCode::NameInvalid)?;
        let subject = subject(&ask.principal.kind);
        let permit = self.0.doorstep.admit(Instant::now(), &subject)?;
        let found = rooms::by_name(&self.0.db, &address.name).await;
        let room = found.map_err(unavailable)?;
        let room = match &ask.principal.room_scope {
            Some(scope) => room
                .filter(|room| room.id == *scope)
                .ok_or(ErrorCode::GuestsNotAllowed),
            None => room.ok_or(ErrorCode::NotFound),
        }?;
        let connection = ConnectionId(self.0.count());
        let prepare = Prepare {
            connection,
            subject,
            device: ask.device,
            session: session(ask.principal),
            invited: is_invited(ask.principal),
            offer: ask.offer,
        };
        let command = Command::Prepare(Box::new(prepare), ask.outbound.clone(), permit);
        self.stay(room.id, connection, command)
    }

    /// A place in the room's queue.
    fn stay(
        &self,
        room: RoomId,
        connection: ConnectionId,
        command: Command,
    ) -> Result<Stay, ErrorCode> {
        let commands = self.0.send_or_start(&room, command)?;
        Ok(Stay {
            commands,
            room,
            connection,
            left: false,
        })
    }

    async fn find(&self, principal: &Principal, address: &str) -> Result<StoredRoom, ErrorCode> {
        let address = RoomAddress::parse(address).map_err(|_| ErrorCode::NameInvalid)?;
        let (found, otherwise) = match &principal.kind {
            Kind::Account { user } => (
                self.enter_as_account(user, &address).await,
                ErrorCode::TooMany,
            ),
            Kind::Guest { .. } => (
                self.find_for_guest(principal, &address).await,
                ErrorCode::GuestsNotAllowed,
            ),
        };
        found.map_err(unavailable)?.ok_or(otherwise)
    }

    /// To whoever is not of the call it looks as if there were none.
    async fn find_call(
        &self,
        principal: &Principal,
        room: &RoomId,
    ) -> Result<StoredRoom, ErrorCode> {
        let user = principal.user().ok_or(ErrorCode::NotFound)?;
        let found = call_rooms::of_member(&self.0.db, room, user).await;
        found.map_err(unavailable)?.ok_or(ErrorCode::NotFound)
    }

    /// Finds the room, or makes it, and remembers the visit of whoever comes in. `None` if they own too many.
    async fn enter_as_account(
        &self,
        user: &UserId,
        address: &RoomAddress,
    ) -> Result<Option<StoredRoom>, StoreError> {
        let hub = &self.0;
        let Some(room) = self.find_or_make(address, Some(user)).await? else {
            return Ok(None);
        };
        let now = chance::unix_ms();
        // Of somebody who knocks it is not known whether they will have been inside.
        if hub.facts(room.clone()).await?.walks_in(user) {
            visits::record(&hub.db, user, &room.id, now).await?;
            hub.house.facts_changed(user);
        }
        self.note_use(&room, now).await?;
        Ok(Some(room))
    }

    /// The one room of the grant, by its name; whether it is still open is for the room to say.
    async fn find_for_guest(
        &self,
        guest: &Principal,
        address: &RoomAddress,
    ) -> Result<Option<StoredRoom>, StoreError> {
        let room = rooms::by_name(&self.0.db, &address.name).await?;
        let room = room.filter(|room| guest.room_scope.as_ref() == Some(&room.id));
        if let Some(room) = &room {
            self.note_use(room, chance::unix_ms()).await?;
        }
        Ok(room)
    }

    async fn note_use(&self, room: &StoredRoom, now: UnixMs) -> Result<(), StoreError> {
        match room.owner {
            Some(_) => Ok(()),
            None => rooms::use_ownerless(&self.0.db, &room.id, now).await,
        }
    }
}

impl Hub {
    pub(super) async fn note_visit(&self, user: &UserId, room: &RoomId) {
        match visits::record(&self.db, user, room, chance::unix_ms()).await {
            Ok(()) => self.house.facts_changed(user),
            Err(error) => tracing::warn!(%error, %room, "a visit is not remembered"),
        }
    }
}

fn session(principal: &Principal) -> SessionKey {
    SessionKey(principal.session.as_str().to_owned())
}

fn is_invited(principal: &Principal) -> bool {
    matches!(principal.kind, Kind::Guest { invited: true, .. })
}

fn subject(kind: &Kind) -> Subject {
    match kind {
        Kind::Account { user } => Subject::Account(user.clone()),
        Kind::Guest { grant, .. } => Subject::Guest(grant.as_str().to_owned()),
    }
}

fn unavailable(error: StoreError) -> ErrorCode {
    tracing::warn!(%error, "nobody can enter a room");
    ErrorCode::Unavailable
}
