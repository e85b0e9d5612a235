//! What rings now, so that it rings on after a restart. Does not decide when it is over.

use house::StoredCall;
use identity::UnixMs;
use identity::name::OPEN_PREFIX;
use protocol::{Access, CallId, CallPerson, RoomKind, Status, UserId};

use super::call_rooms::{MEMBER, ROOM, key};
use super::rooms::CALL;
use super::{Db, Result, from_word, in_transaction, on, stored};

/// A call that rings, with what has to be known to go on with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ringing {
    pub call: StoredCall,
    pub kind: RoomKind,
    /// Absent for a call's room.
    pub address: Option<String>,
    pub caller: CallPerson,
    pub callee: CallPerson,
    pub callee_status: Status,
}

/// As a client writes it to get in.
pub fn address(name: &str, access: Access) -> String {
    match access {
        Access::Guests => format!("{OPEN_PREFIX}{name}"),
        Access::Accounts => name.to_owned(),
    }
}

/// It rings. Makes the call's room if it is new, and lets both in.
pub async fn start(db: &Db, call: &StoredCall, new_room: bool, kind: RoomKind) -> Result<()> {
    const RINGS: &str = "INSERT INTO calls (id, room_id, caller, callee, video, started) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    let started = stored(call.started_at);
    in_transaction!(db, tx => {
        if new_room {
            let query = sqlx::query(ROOM).bind(call.room.as_str()).bind(key(&call.room));
            query.bind(CALL).bind(started).execute(&mut *tx).await?;
        }
        if kind == RoomKind::Call {
            for user in [&call.caller, &call.callee] {
                let query = sqlx::query(MEMBER).bind(call.room.as_str()).bind(user.as_str());
                query.bind(started).execute(&mut *tx).await?;
            }
        }
        sqlx::query(RINGS)
            .bind(call.id.as_str())
            .bind(call.room.as_str())
            .bind(call.caller.as_str())
            .bind(call.callee.as_str())
            .bind(call.video)
            .bind(started)
            .execute(&mut *tx)
            .await?;
    });
    Ok(())
}

/// It does not ring any more. Unless the called one comes, they may not enter the call's room, however long others talk there.
pub async fn over(db: &Db, call: &CallId, comes: bool) -> Result<()> {
    const CALL_OVER: &str = "DELETE FROM calls WHERE id = $1";
    const NOT_COMING: &str = "DELETE FROM room_members WHERE EXISTS (SELECT 1 FROM calls c \
        JOIN rooms r ON r.id = c.room_id WHERE c.id = $1 AND r.kind = $2 \
        AND c.room_id = room_members.room_id AND c.callee = room_members.user_id)";
    in_transaction!(db, tx => {
        if !comes {
            let query = sqlx::query(NOT_COMING).bind(call.as_str()).bind(CALL);
            query.execute(&mut *tx).await?;
        }
        sqlx::query(CALL_OVER).bind(call.as_str()).execute(&mut *tx).await?;
    });
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    room_id: String,
    video: bool,
    #[sqlx(try_from = "i64")]
    started: UnixMs,
    kind: String,
    room_name: String,
    open_to_guests: bool,
    caller: String,
    caller_name: String,
    caller_picture: Option<String>,
    callee: String,
    callee_name: String,
    callee_picture: Option<String>,
    callee_status: String,
}

impl From<Row> for Ringing {
    fn from(row: Row) -> Self {
        let kind = from_word(&row.kind).unwrap_or_default();
        let access = if row.open_to_guests {
            Access::Guests
        } else {
            Access::Accounts
        };
        let (caller, callee) = (UserId(row.caller), UserId(row.callee));
        Self {
            call: StoredCall {
                id: row.id.into(),
                room: row.room_id.into(),
                caller: caller.clone(),
                callee: callee.clone(),
                video: row.video,
                started_at: row.started,
            },
            kind,
            address: (kind != RoomKind::Call).then(|| address(&row.room_name, access)),
            caller: CallPerson {
                id: caller,
                name: row.caller_name,
                picture: row.caller_picture,
            },
            callee: CallPerson {
                id: callee,
                name: row.callee_name,
                picture: row.callee_picture,
            },
            callee_status: from_word(&row.callee_status).unwrap_or_default(),
        }
    }
}

/// What rang when the server ended, in the order in which it began.
pub async fn ringing(db: &Db) -> Result<Vec<Ringing>> {
    const SQL: &str = "SELECT c.id, c.room_id, c.video, c.started, r.kind, r.name AS room_name, r.open_to_guests, \
        c.caller, a.name AS caller_name, a.picture AS caller_picture, \
        c.callee, b.name AS callee_name, b.picture AS callee_picture, b.status AS callee_status \
        FROM calls c JOIN rooms r ON r.id = c.room_id JOIN users a ON a.id = c.caller \
        JOIN users b ON b.id = c.callee ORDER BY c.started, c.id";
    let rows: Vec<Row> = on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?;
    Ok(rows.into_iter().map(Ringing::from).collect())
}
