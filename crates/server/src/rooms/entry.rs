//! The way into a room: from a name and a principal to a place in the room's queue.

use identity::{RoomAddress, UnixMs};
use protocol::{DeviceId, ErrorCode, IntentId, ParticipantId, RoomId, UserId};
use room::{ConnectionId, Join, SessionKey, Subject};

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

/// How somebody names the room.
pub enum Way<'a> {
    /// By its name, with or without `public/`.
    Address(&'a str),
    /// The room of a call that they are of.
    Call(&'a RoomId),
}

impl Rooms {
    /// The room itself answers, on the socket; a refusal before that is the error here.
    pub async fn join(&self, entry: Entry<'_>) -> Result<Stay, ErrorCode> {
        let room = match entry.to {
            Way::Address(address) => self.find(entry.principal, address).await?,
            Way::Call(room) => self.find_call(entry.principal, room).await?,
        };
        let connection = ConnectionId(self.0.count());
        let join = Join {
            connection,
            id: entry.id,
            subject: subject(&entry.principal.kind),
            device: entry.device,
            session: SessionKey(entry.principal.session.as_str().to_owned()),
            name: entry.principal.name.clone(),
            invited: matches!(entry.principal.kind, Kind::Guest { invited: true, .. }),
            fresh: ParticipantId(chance::id()),
        };
        let command = Command::Join(Box::new(join), entry.outbound.clone());
        match self.0.send_or_start(&room.id, command) {
            Some(commands) => Ok(Stay {
                room: room.id,
                connection,
                commands,
                left: false,
            }),
            None => Err(ErrorCode::Unavailable),
        }
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
