//! Start values of what the server accepts. `welcome` tells clients those that they need.

/// Any WebSocket message but an offer, in bytes.
pub const MESSAGE_BYTES: usize = 16 * 1024;
/// An `offer`, in bytes: browsers write about 2.5 kB per media section.
pub const OFFER_BYTES: usize = 256 * 1024;
/// Media sections of one offer.
pub const MEDIA_SECTIONS: usize = 64;
/// Down slots of one offer.
pub const SLOTS: usize = 27;
/// Messages per second and per connection, after a burst.
pub const MESSAGES_PER_SECOND: u32 = 20;
pub const MESSAGE_BURST: u32 = 60;
/// Offers per connection: one in so many milliseconds, after a burst.
pub const OFFER_INTERVAL_MS: u64 = 500;
pub const OFFER_BURST: u32 = 30;
/// How long a media connection that was prepared at the door waits for its person to enter.
pub const PREPARED_MS: u64 = 120_000;
/// Reports on a connection: one in so many milliseconds is taken, after two.
pub const REPORT_INTERVAL_MS: u64 = 5_000;
/// Elements of any array in a message.
pub const ARRAY_ITEMS: usize = 256;
/// Bytes of an id chosen by the client.
pub const CLIENT_ID_BYTES: usize = 64;
/// Graphemes of a room name and of a display name.
pub const ROOM_NAME_GRAPHEMES: usize = 128;
pub const DISPLAY_NAME_GRAPHEMES: usize = 64;
/// HTTP bodies in JSON, in bytes.
pub const HTTP_BODY_BYTES: usize = 64 * 1024;
/// People whose availability one connection watches.
pub const WATCHED_PEOPLE: usize = 100;
/// How long a call rings.
pub const RING_MS: u64 = 45_000;
/// People in one room.
pub const ROOM_PEOPLE: usize = 200;
/// Bytes and messages that may wait for a slow reader before its socket is closed.
pub const OUTBOUND_BYTES: usize = 256 * 1024;
pub const OUTBOUND_MESSAGES: usize = 512;
/// How long a socket may stay without `hello`, and without any sign of life after it.
pub const HELLO_TIMEOUT_MS: u64 = 10_000;
pub const PING_INTERVAL_MS: u64 = 15_000;
/// Two pings unanswered. Others see that somebody's network is gone within 45 s, so there have to be some left.
pub const IDLE_TIMEOUT_MS: u64 = 35_000;
/// The same for somebody in a meeting who pings: the others are to hear soon that their network is gone.
pub const LIVELY_PING_INTERVAL_MS: u64 = 2_500;
pub const LIVELY_IDLE_TIMEOUT_MS: u64 = 8_000;
/// How long a seat waits for its person to come back.
pub const SEAT_GRACE_MS: u64 = 60_000;
/// The same when the page said goodbye: it was reloaded and is back soon, or it was closed.
pub const RELOAD_GRACE_MS: u64 = 15_000;
/// Life of a socket ticket, of a guest grant, and of a session without use and in all.
pub const TICKET_MS: u64 = 30_000;
/// How long a socket that is gone can be come back from without a new ticket.
pub const RETURN_MS: u64 = 5 * 60 * 1000;
pub const GUEST_GRANT_MS: u64 = 12 * 60 * 60 * 1000;
pub const SESSION_IDLE_MS: u64 = 7 * 24 * 60 * 60 * 1000;
pub const SESSION_MS: u64 = 30 * 24 * 60 * 60 * 1000;
