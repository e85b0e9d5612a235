//! What the house wants to know of somebody, and what rang when the server ended: read from the store.

use house::{Callee, Into, PersonFacts, RestoredCall};
use protocol::{CallPerson, HomeRoom, UserId};

use crate::chance;
use crate::rooms::effective;
use crate::settings::Settings;
use crate::store::calls::Ringing;
use crate::store::users::Account;
use crate::store::visits::KnownRoom;
use crate::store::{self, Db, calls, history, meetings, push, status, users, visits};

/// Rooms on one home page.
const MOST_ROOMS: u32 = 50;

/// `None` if there is no such person.
pub async fn person(
    db: &Db,
    settings: &Settings,
    user: &UserId,
) -> store::Result<Option<PersonFacts>> {
    let Some(account) = users::by_id(db, user).await? else {
        return Ok(None);
    };
    let known = visits::known_rooms(db, user, MOST_ROOMS).await?.into_iter();
    Ok(Some(PersonFacts {
        me: call_person(account),
        rooms: known.map(|room| shown(settings, user, room)).collect(),
        status: status::of(db, user).await?,
        missed: history::missed(db, user).await?,
        meetings: meetings::upcoming_for(db, user, chance::unix_ms()).await?,
    }))
}

pub fn call_person(account: Account) -> CallPerson {
    CallPerson {
        id: account.id,
        name: account.name,
        picture: account.picture,
    }
}

/// Somebody who was found fit to be called.
pub async fn callee(db: &Db, account: Account) -> store::Result<Callee> {
    Ok(Callee {
        status: status::of(db, &account.id).await?,
        pushable: push::is_reachable(db, &account.id).await?,
        person: call_person(account),
    })
}

pub async fn restored(db: &Db) -> store::Result<Vec<RestoredCall>> {
    let mut all = Vec::new();
    for ringing in calls::ringing(db).await? {
        let pushable = push::is_reachable(db, &ringing.call.callee).await?;
        all.push(restore(ringing, pushable));
    }
    Ok(all)
}

fn restore(ringing: Ringing, pushable: bool) -> RestoredCall {
    RestoredCall {
        into: Into {
            room: ringing.call.room.clone(),
            kind: ringing.kind,
            address: ringing.address,
        },
        call: ringing.call,
        caller: ringing.caller,
        callee: Callee {
            person: ringing.callee,
            status: ringing.callee_status,
            pushable,
        },
        fresh_history: [chance::id().into(), chance::id().into()],
    }
}

fn shown(settings: &Settings, user: &UserId, known: KnownRoom) -> HomeRoom {
    let KnownRoom {
        room,
        visited,
        pinned,
        member,
    } = known;
    let owner = room.is_owned_by(user);
    HomeRoom {
        owner,
        people: 0,
        access: effective(room.access, settings.get().welcome()),
        kind: room.kind,
        knock: room.knock,
        member: member && !owner,
        pinned,
        id: room.id,
        name: room.name,
        visited_at: visited,
    }
}
