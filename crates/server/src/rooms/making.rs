//! How rooms come into being: by being entered or shared under their name. Decides nothing: what somebody may own is said
//! by `identity`.

use identity::guest::Welcome;
use identity::{RoomAddress, room};
use protocol::{Access, UserId};

use super::{Rooms, effective};
use crate::chance;
use crate::store::rooms::{self, FoundOrMade, NewRoom, Owner, StoredRoom};
use crate::store::{self, users};

impl Rooms {
    /// The room of this address as it is, or made for an account; without one, as happens in an open house, it is open and
    /// belongs to nobody. `None` if the account owns as many rooms as it may.
    pub async fn find_or_make(
        &self,
        address: &RoomAddress,
        maker: Option<&UserId>,
    ) -> store::Result<Option<StoredRoom>> {
        let db = &self.0.db;
        if let Some(room) = rooms::by_name(db, &address.name).await? {
            return Ok(Some(room));
        }
        let owner = match maker {
            Some(user) => {
                let account = users::by_id(db, user).await?;
                let most_rooms = room::most_owned(account.is_some_and(|account| account.admin));
                Some(Owner { user, most_rooms })
            }
            None => None,
        };
        let new = NewRoom {
            id: chance::id().into(),
            name: &address.name,
            access: first_access(address, maker.is_some(), self.0.settings.get().welcome()),
            owner,
            created: chance::unix_ms(),
        };
        Ok(match rooms::find_or_create(db, &new).await? {
            FoundOrMade::Found(room) => Some(room),
            FoundOrMade::Made(room) => {
                tracing::info!(room = %room.id, "a room was made");
                self.0.house.room_changed(Some(&room.id));
                if let Some(user) = maker {
                    self.0.house.facts_changed(user);
                }
                Some(room)
            }
            FoundOrMade::TooMany => None,
        })
    }

    /// The room that this person has for themselves, made if need be. `None` where every name for it is taken.
    pub async fn personal(&self, user: &UserId, name: &str) -> store::Result<Option<StoredRoom>> {
        let db = &self.0.db;
        for name in room::personal_names(name) {
            if let Some(room) = rooms::personal(db, user).await? {
                return Ok(Some(room));
            }
            let (id, now) = (chance::id().into(), chance::unix_ms());
            if rooms::create_personal(db, &id, &name, user, now).await? {
                tracing::info!(room = %id, "a personal room was made");
                self.0.house.facts_changed(user);
            }
        }
        rooms::personal(db, user).await
    }
}

/// Who may enter a room that is made under this address, by an account or without one.
pub fn first_access(address: &RoomAddress, account: bool, welcome: Welcome) -> Access {
    let wanted = match account {
        true if !address.open => Access::Accounts,
        _ => Access::Guests,
    };
    effective(wanted, welcome)
}
