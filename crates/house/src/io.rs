//! What goes into the house and what comes out of it. Plain values; everything random in them was drawn by the caller, and
//! everything the store knows was read by the caller.

use std::time::Instant;

use protocol::{
    BrowserId, CallEnd, CallId, CallPerson, HistoryEntry, HistoryId, HomeRoom, IntentId, Meeting,
    MeetingId, RoomId, RoomKind, ServerMessage, Status, UserId,
};

/// One moment on both clocks: the steady one for timeouts, the wall clock for what people see and what is stored.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    pub instant: Instant,
    pub unix_ms: u64,
}

/// One WebSocket of somebody with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(pub u64);

#[derive(Clone, Debug)]
pub enum Input {
    /// A socket said hello. Its person's facts are asked for with [`Output::Load`], unless they are known.
    Opened {
        socket: SocketId,
        user: UserId,
        /// Of a client that names none, a fresh one.
        browser: BrowserId,
        /// The epoch of this socket's channel.
        epoch: String,
    },
    Closed {
        socket: SocketId,
    },
    /// Answers [`Output::Load`].
    Loaded {
        user: UserId,
        facts: Box<PersonFacts>,
    },
    /// The store has no answer: whoever waits for it is told to come again.
    NotLoaded {
        user: UserId,
    },
    /// Something that this person's facts are made of is another: rooms, pins, meetings, picture, name.
    FactsChanged {
        user: UserId,
    },
    /// Rooms were renamed, opened or deleted, or what the house allows is another.
    RoomFactsChanged {
        /// Absent: any of them.
        room: Option<RoomId>,
    },
    /// Who sits in a meeting now.
    RoomPeople {
        room: RoomId,
        kind: RoomKind,
        /// As the client writes it to get in; of a call's room empty.
        address: String,
        name: String,
        /// Guests among them.
        people: u32,
        /// Accounts, each once, also while their seat waits for them.
        accounts: Vec<UserId>,
    },
    Intent {
        socket: SocketId,
        intent: Intent,
    },
    /// Declined from a notification: without a socket.
    Declined {
        user: UserId,
        call: CallId,
    },
    /// The account was deleted or locked.
    PersonGone {
        user: UserId,
    },
    /// Entries were deleted over HTTP; absent: all of them.
    HistoryDeleted {
        user: UserId,
        entries: Option<Vec<HistoryId>>,
    },
    MeetingChanged {
        user: UserId,
        meeting: Meeting,
    },
    MeetingRemoved {
        user: UserId,
        meeting: MeetingId,
    },
    FavouritesChanged {
        user: UserId,
    },
    /// Once, first of all: what rang when the server ended.
    Restored {
        calls: Vec<RestoredCall>,
    },
}

/// What the store knows of somebody who is here.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonFacts {
    pub me: CallPerson,
    /// `people` is the house's own to fill in.
    pub rooms: Vec<HomeRoom>,
    pub status: Status,
    pub missed: u32,
    pub meetings: Vec<Meeting>,
}

/// Somebody who may be called by the one who wants to: looked up and found fit by the caller of this core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callee {
    pub person: CallPerson,
    pub status: Status,
    /// Whether a push message would reach a device of theirs.
    pub pushable: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    GetSnapshot,
    SetActive {
        active: bool,
    },
    SetStatus {
        id: IntentId,
        status: Status,
    },
    /// Only people whom the reader may see.
    Watch {
        people: Vec<UserId>,
    },
    Call(Box<StartCall>),
    Accept {
        id: IntentId,
        call: CallId,
    },
    Decline {
        id: IntentId,
        call: CallId,
    },
    Cancel {
        id: IntentId,
        call: CallId,
    },
    Ignore {
        id: IntentId,
        call: CallId,
    },
    SeeMissed {
        id: IntentId,
    },
}

impl Intent {
    /// The name under which it is answered, if it is.
    pub fn id(&self) -> Option<&IntentId> {
        match self {
            Self::GetSnapshot | Self::SetActive { .. } | Self::Watch { .. } => None,
            Self::Call(start) => Some(&start.id),
            Self::SetStatus { id, .. }
            | Self::Accept { id, .. }
            | Self::Decline { id, .. }
            | Self::Cancel { id, .. }
            | Self::Ignore { id, .. }
            | Self::SeeMissed { id } => Some(id),
        }
    }

    pub(crate) fn needs_facts(&self) -> bool {
        matches!(
            self,
            Self::Call(_) | Self::SetStatus { .. } | Self::SeeMissed { .. }
        )
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct StartCall {
    pub id: IntentId,
    /// Absent: nobody can call them. It is refused like a flood is: neither says whether they exist.
    pub callee: Option<Callee>,
    pub video: bool,
    /// The room where this connection sits, to ring somebody into it; absent for a call of its own.
    pub into: Option<Into>,
    pub fresh_call: CallId,
    pub fresh_room: RoomId,
    /// For the caller's line and the called one's.
    pub fresh_history: [HistoryId; 2],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Into {
    pub room: RoomId,
    pub kind: RoomKind,
    /// As in [`protocol::Call::into`]; absent for a call's room.
    pub address: Option<String>,
}

/// A call as it is stored while it rings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCall {
    pub id: CallId,
    pub room: RoomId,
    pub caller: UserId,
    pub callee: UserId,
    pub video: bool,
    /// Unix milliseconds.
    pub started_at: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredCall {
    pub call: StoredCall,
    pub into: Into,
    pub caller: CallPerson,
    pub callee: Callee,
    pub fresh_history: [HistoryId; 2],
}

#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Send {
        socket: SocketId,
        message: ServerMessage,
    },
    /// Read this person's facts, after all that was to be persisted before, and answer with [`Input::Loaded`] or [`Input::NotLoaded`].
    Load {
        user: UserId,
    },
    /// To be carried out before what comes after it: whoever is told of a call's room must be able to enter it.
    Persist(Persist),
    /// The call in this room is over: everybody leaves, and the room is gone.
    EndRoom {
        room: RoomId,
    },
    /// Lets somebody into a named room without knocking, as long as its meeting lasts.
    Expect {
        room: RoomId,
        user: UserId,
    },
    Push {
        user: UserId,
        push: Push,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Persist {
    /// It rings. `new_room`: the call's room is to be made, with both as its members; otherwise, if it is a call's room, the
    /// called one becomes a member.
    CallStarted {
        call: StoredCall,
        new_room: bool,
        kind: RoomKind,
    },
    /// It does not ring any more.
    CallOver {
        call: CallId,
        /// Whether the called one, who answered or sits there, may enter the call's room from now on.
        comes: bool,
    },
    /// New, or replaces the line of the same id. Left out where the person, the other one or the room is not there any more.
    History {
        user: UserId,
        entry: HistoryEntry,
    },
    /// All missed calls of this person were seen.
    MissedSeen {
        user: UserId,
    },
    Status {
        user: UserId,
        status: Status,
    },
}

/// What wakes the devices of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Push {
    Ringing {
        call: CallId,
        room: RoomId,
        caller: CallPerson,
        video: bool,
        into: Option<String>,
        /// Devices that ring already.
        ringing: Vec<BrowserId>,
        /// Unix milliseconds; later it is worth nothing.
        until: u64,
    },
    /// Takes the notification back; `missed`: and puts another in its place.
    Over {
        call: CallId,
        end: CallEnd,
        caller: CallPerson,
        missed: bool,
    },
}
