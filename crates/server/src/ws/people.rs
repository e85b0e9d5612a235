//! What a client says about people and calls: looked up here, decided by the house. Guests know nothing of either.

use house::{Callee, Intent, Into, StartCall};
use protocol::{ClientMessage, ErrorCode, IntentId, RoomKind, UserId};

use super::conversation::Conversation;
use crate::house::callee;
use crate::rooms::effective;
use crate::store::{StoreError, calls, rooms};
use crate::{chance, directory};

impl Conversation {
    pub(super) async fn hear_of_people(&self, message: ClientMessage) {
        let Some(me) = self.principal.user() else {
            if let Some(id) = message.id() {
                self.refuse(Some(id.clone()), ErrorCode::Forbidden);
            }
            return;
        };
        match message {
            ClientMessage::StartCall { id, .. } if self.app.readiness.is_draining() => {
                self.refuse(Some(id), ErrorCode::Restarting);
            }
            ClientMessage::StartCall { id, person, video } => {
                self.call(me, id, &person, video, None).await;
            }
            ClientMessage::RingIn { id, person } => match self.here().await {
                Ok(here) => self.call(me, id, &person, false, Some(here)).await,
                Err(code) => self.refuse(Some(id), code),
            },
            ClientMessage::AcceptCall { id, call } => {
                self.decide(Intent::Accept { id, call }).await;
            }
            ClientMessage::DeclineCall { id, call } => {
                self.decide(Intent::Decline { id, call }).await;
            }
            ClientMessage::CancelCall { id, call } => {
                self.decide(Intent::Cancel { id, call }).await;
            }
            ClientMessage::IgnoreCall { id, call } => {
                self.decide(Intent::Ignore { id, call }).await;
            }
            ClientMessage::SeeMissed { id } => self.decide(Intent::SeeMissed { id }).await,
            ClientMessage::SetActive { active } => self.decide(Intent::SetActive { active }).await,
            ClientMessage::SetStatus { id, status } => {
                self.decide(Intent::SetStatus { id, status }).await;
            }
            ClientMessage::WatchPeople { people } => self.watch(me, &people).await,
            _ => {}
        }
    }

    pub(super) async fn decide(&self, intent: Intent) {
        self.app.rooms.house().intent(self.socket, intent).await;
    }

    /// Only whom they may see; of the others they hear nothing, not even that there is nothing to hear.
    async fn watch(&self, me: &UserId, people: &[UserId]) {
        match directory::seen_of(&self.app, me, people).await {
            Ok(seen) => {
                let people = seen.into_iter().map(|person| person.id).collect();
                self.decide(Intent::Watch { people }).await;
            }
            Err(error) => {
                tracing::warn!(%error, "nobody can be watched");
                self.refuse(None, ErrorCode::Unavailable);
            }
        }
    }

    async fn call(
        &self,
        me: &UserId,
        id: IntentId,
        person: &UserId,
        video: bool,
        into: Option<Into>,
    ) {
        let callee = match self.callee(me, person).await {
            Ok(callee) => callee,
            Err(error) => {
                tracing::warn!(%error, "nobody can be called");
                return self.refuse(Some(id), ErrorCode::Unavailable);
            }
        };
        let start = StartCall {
            id,
            callee,
            video,
            into,
            fresh_call: chance::id().into(),
            fresh_room: chance::id().into(),
            fresh_history: [chance::id().into(), chance::id().into()],
        };
        self.decide(Intent::Call(Box::new(start))).await;
    }

    /// The room where this connection sits, or waits; which of both, the house knows.
    async fn here(&self) -> Result<Into, ErrorCode> {
        let stay = self.stay.as_ref().ok_or(ErrorCode::NotInRoom)?;
        let room = rooms::by_id(&self.app.db, stay.room()).await;
        let room = room.map_err(|error| {
            tracing::warn!(%error, "nobody can be rung into a room");
            ErrorCode::Unavailable
        })?;
        let room = room.ok_or(ErrorCode::NotInRoom)?;
        let access = effective(room.access, self.app.settings.get().welcome());
        Ok(Into {
            address: (room.kind != RoomKind::Call).then(|| calls::address(&room.name, access)),
            room: room.id,
            kind: room.kind,
        })
    }

    /// `None` whoever it is that cannot be called: unknown, locked, not to be seen, or the caller.
    async fn callee(&self, me: &UserId, person: &UserId) -> Result<Option<Callee>, StoreError> {
        let seen = directory::seen_of(&self.app, me, std::slice::from_ref(person)).await?;
        match seen.into_iter().find(|found| &found.id != me) {
            Some(found) => callee(&self.app.db, found).await.map(Some),
            None => Ok(None),
        }
    }
}
