//! The way into a room: from a name and a principal to a place in the room's queue.

use identity::RoomAddress;
use protocol::{Access, DeviceId, ErrorCode, IntentId, ParticipantId};
use room::{ConnectionId, Join, SessionKey, Subject};

use super::driver::Command;
use super::{Rooms, Stay, effective};
use crate::chance;
use crate::principal::{Kind, Principal};
use crate::store::rooms::{self, NewRoom, StoredRoom};
use crate::store::{StoreError, visits};
use crate::ws::outbound::Outbound;

/// What a socket says to get in.
pub struct Knock<'a> {
    pub principal: &'a Principal,
    pub id: IntentId,
    pub address: &'a str,
    pub device: DeviceId,
    pub outbound: &'a Outbound,
}

impl Rooms {
    /// The room itself answers, on the socket; a refusal before that is the error here.
    pub async fn join(&self, knock: Knock<'_>) -> Result<Stay, ErrorCode> {
        let address = RoomAddress::parse(knock.address).map_err(|_| ErrorCode::NameInvalid)?;
        let found = match &knock.principal.kind {
            Kind::Account { user } => self.enter_as_account(user, &address).await,
            Kind::Guest { .. } => self.find_for_guest(knock.principal, &address).await,
        };
        let room = found
            .map_err(unavailable)?
            .ok_or(ErrorCode::GuestsNotAllowed)?;
        let connection = ConnectionId(self.0.count());
        let join = Join {
            connection,
            id: knock.id,
            subject: subject(&knock.principal.kind),
            device: knock.device,
            session: SessionKey(knock.principal.session.as_str().to_owned()),
            name: knock.principal.name.clone(),
            fresh: ParticipantId(chance::id()),
        };
        let command = Command::Join(Box::new(join), knock.outbound.clone());
        match self.0.send_or_start(&room.id, command) {
            Some(commands) => Ok(Stay {
                connection,
                commands,
                left: false,
            }),
            None => Err(ErrorCode::Unavailable),
        }
    }

    /// Finds the room, or makes it, and remembers the visit.
    async fn enter_as_account(
        &self,
        user: &protocol::UserId,
        address: &RoomAddress,
    ) -> Result<Option<StoredRoom>, StoreError> {
        let hub = &self.0;
        let now = chance::unix_ms();
        let wanted = if address.open {
            Access::Guests
        } else {
            Access::Accounts
        };
        let new = NewRoom {
            id: chance::id().into(),
            name: &address.name,
            access: effective(wanted, hub.settings.get().guests),
            owner: user,
            created: now,
        };
        let (room, _) = rooms::find_or_create(&hub.db, new).await?;
        visits::record(&hub.db, user, &room.id, now).await?;
        hub.home.user_changed(user);
        Ok(Some(room))
    }

    /// The one room of the grant, by its name; whether it is still open is for the room to say.
    async fn find_for_guest(
        &self,
        guest: &Principal,
        address: &RoomAddress,
    ) -> Result<Option<StoredRoom>, StoreError> {
        let room = rooms::by_name(&self.0.db, &address.name).await?;
        Ok(room.filter(|room| guest.room_scope.as_ref() == Some(&room.id)))
    }
}

fn subject(kind: &Kind) -> Subject {
    match kind {
        Kind::Account { user } => Subject::Account(user.clone()),
        Kind::Guest { grant } => Subject::Guest(grant.as_str().to_owned()),
    }
}

fn unavailable(error: StoreError) -> ErrorCode {
    tracing::warn!(%error, "nobody can enter a room");
    ErrorCode::Unavailable
}
