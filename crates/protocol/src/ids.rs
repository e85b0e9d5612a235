//! Opaque ids. Clients never look inside; the server decides what they are made of.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[cfg_attr(test, derive(ts_rs::TS))]
        pub struct $name(pub String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                Self(value.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(value: String) -> Self {
                Self(value)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// Names one intent of one connection, chosen by the client and echoed in `ok`, `error` or `answer`. At most 64 bytes.
    IntentId
);
id!(
    /// One device session of one person, chosen at random by the client (at least 128 bits, at most 64 bytes) and kept for
    /// the life of a tab. Together with who the person is it names the seat that a reload or a reconnect comes back to.
    DeviceId
);
id!(
    /// A room, whatever it is called at the moment.
    RoomId
);
id!(
    /// Somebody's seat in one room; new for each stay, kept over a reconnect.
    ParticipantId
);
id!(
    /// A person with an account.
    UserId
);
id!(
    /// One media connection of one seat. A client whose peer connection has another one must offer anew.
    MediaConnectionId
);
id!(
    /// One person ringing one other.
    CallId
);
id!(
    /// One browser or installed app on one computer, chosen at random by the client and kept for good (at least 128 bits, at
    /// most 64 bytes). All its tabs are one device: it rings once.
    BrowserId
);
id!(
    /// One line of somebody's history.
    HistoryId
);
id!(
    /// A planned meeting, whatever it is called or when it is.
    MeetingId
);
