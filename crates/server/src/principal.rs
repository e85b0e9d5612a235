//! Who speaks: the one type that a session cookie, a guest's grant and a socket ticket all turn into.
//!
//! A principal is a fact about a connection or a request; what it may do is decided elsewhere.

use std::fmt;

use identity::UnixMs;
use protocol::{Me, PrincipalKind, RoomId, UserId};

/// A sign-in or a guest's grant. No secret: it may stand in logs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionId(String);

impl SessionId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for SessionId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub kind: Kind,
    /// As everybody sees it.
    pub name: String,
    /// The only room that may be entered; absent if any may.
    pub room_scope: Option<RoomId>,
    /// Ends as a whole: sockets and media with it.
    pub session: SessionId,
    /// When it ends by itself.
    pub expires: UnixMs,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Account {
        user: UserId,
    },
    /// Each grant is another person.
    Guest {
        grant: SessionId,
        /// Came by an invite, and not because the room is open.
        invited: bool,
    },
}

impl Principal {
    pub fn user(&self) -> Option<&UserId> {
        match &self.kind {
            Kind::Account { user } => Some(user),
            Kind::Guest { .. } => None,
        }
    }

    pub fn me(&self) -> Me {
        Me {
            kind: match self.kind {
                Kind::Account { .. } => PrincipalKind::Account,
                Kind::Guest { .. } => PrincipalKind::Guest,
            },
            name: self.name.clone(),
            user: self.user().cloned(),
            room: self.room_scope.clone(),
        }
    }
}
