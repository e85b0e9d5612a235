//! The seats of a room in the order of joining: whose they are, whether their person is there, and until when they are kept.

use std::time::{Duration, Instant};

use protocol::{
    DeviceId, MediaConnectionId, Participant, ParticipantId, Presence, Track, Wanted, limits,
};

use crate::io::{ConnectionId, Join, Now, SeatRecord, SessionKey, Subject};
use crate::media::{Media, Pending};
use crate::recording::Recording;

pub const GRACE: Duration = Duration::from_millis(limits::SEAT_GRACE_MS);
pub const RELOAD_GRACE: Duration = Duration::from_millis(limits::RELOAD_GRACE_MS);

pub struct Seat {
    pub subject: Subject,
    pub device: DeviceId,
    /// Unknown after a restart, until the person is back.
    pub session: Option<SessionKey>,
    /// What everybody may see of it.
    pub public: Participant,
    pub attendance: Attendance,
    /// Absent until the connection's first `set_wanted`.
    pub wanted: Option<Vec<Wanted>>,
    pub media: Option<Media>,
    pub pending: Option<Pending>,
    pub recording: Recording,
}

#[derive(Clone, Copy)]
pub enum Attendance {
    Connected(ConnectionId),
    Away {
        since_unix_ms: u64,
        deadline: Instant,
    },
}

impl Seat {
    pub fn new(joined_at: u64, join: &Join) -> Self {
        Self {
            subject: join.subject.clone(),
            device: join.device.clone(),
            session: Some(join.session.clone()),
            public: Participant {
                id: join.fresh.clone(),
                name: join.name.clone(),
                guest: join.subject.is_guest(),
                presence: Presence::Connected,
                tracks: Vec::new(),
                joined_at,
            },
            attendance: Attendance::Connected(join.connection),
            wanted: None,
            media: None,
            pending: None,
            recording: Recording::new(joined_at),
        }
    }

    /// A stored seat, if it is still kept. Somebody who was connected when the record was written is away from now on.
    pub fn restored(now: Now, record: SeatRecord) -> Option<Self> {
        let since_unix_ms = record.away_since.unwrap_or(now.unix_ms);
        let away = Duration::from_millis(now.unix_ms.saturating_sub(since_unix_ms));
        let left = GRACE.checked_sub(away).filter(|left| !left.is_zero())?;
        Some(Self {
            public: Participant {
                id: record.participant,
                name: record.name,
                guest: record.subject.is_guest(),
                presence: Presence::Reconnecting,
                tracks: Vec::new(),
                joined_at: record.joined_at,
            },
            subject: record.subject,
            device: record.device,
            session: None,
            attendance: Attendance::Away {
                since_unix_ms,
                deadline: now.instant + left,
            },
            wanted: None,
            media: None,
            pending: None,
            recording: Recording::new(now.unix_ms),
        })
    }

    pub fn connection(&self) -> Option<ConnectionId> {
        match self.attendance {
            Attendance::Connected(connection) => Some(connection),
            Attendance::Away { .. } => None,
        }
    }

    pub fn connect(&mut self, join: &Join) {
        self.session = Some(join.session.clone());
        self.public.name.clone_from(&join.name);
        self.public.presence = Presence::Connected;
        self.attendance = Attendance::Connected(join.connection);
        self.wanted = None;
    }

    /// Kept for so long, at most [`GRACE`].
    pub fn disconnect(&mut self, now: Now, kept: Duration) {
        self.public.presence = Presence::Reconnecting;
        // After a restart the time that is left follows from this, so a shorter one began earlier.
        let earlier = u64::try_from(GRACE.saturating_sub(kept).as_millis()).unwrap_or(0);
        self.attendance = Attendance::Away {
            since_unix_ms: now.unix_ms.saturating_sub(earlier),
            deadline: now.instant + kept,
        };
    }

    pub fn is_guest(&self) -> bool {
        self.public.guest
    }

    pub fn peer(&self) -> Option<&MediaConnectionId> {
        self.media.as_ref().map(|media| &media.id)
    }

    /// Every peer that the media side may hold for this seat.
    pub fn peers(&self) -> Vec<MediaConnectionId> {
        let current = self.media.iter().map(|media| media.id.clone());
        let fresh = self
            .pending
            .iter()
            .filter(|pending| !pending.renegotiate)
            .map(|pending| pending.peer.clone());
        current.chain(fresh).collect()
    }

    pub fn track(&mut self, source: protocol::Source) -> Option<&mut Track> {
        self.public
            .tracks
            .iter_mut()
            .find(|track| track.source == source)
    }

    pub fn record(&self) -> SeatRecord {
        SeatRecord {
            participant: self.public.id.clone(),
            subject: self.subject.clone(),
            device: self.device.clone(),
            name: self.public.name.clone(),
            joined_at: self.public.joined_at,
            away_since: match self.attendance {
                Attendance::Connected(_) => None,
                Attendance::Away { since_unix_ms, .. } => Some(since_unix_ms),
            },
        }
    }
}

#[derive(Default)]
pub struct Seats(Vec<Seat>);

impl Seats {
    pub fn push(&mut self, seat: Seat) {
        self.0.push(seat);
    }

    pub fn remove(&mut self, id: &ParticipantId) -> Option<Seat> {
        let index = self.0.iter().position(|seat| &seat.public.id == id)?;
        Some(self.0.remove(index))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Seat> {
        self.0.iter()
    }

    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Seat> {
        self.0.iter_mut()
    }

    pub fn get(&self, id: &ParticipantId) -> Option<&Seat> {
        self.iter().find(|seat| &seat.public.id == id)
    }

    pub fn get_mut(&mut self, id: &ParticipantId) -> Option<&mut Seat> {
        self.iter_mut().find(|seat| &seat.public.id == id)
    }

    pub fn of_person(&mut self, subject: &Subject, device: &DeviceId) -> Option<&mut Seat> {
        self.iter_mut()
            .find(|seat| &seat.subject == subject && &seat.device == device)
    }

    pub fn of_connection(&mut self, connection: ConnectionId) -> Option<&mut Seat> {
        self.iter_mut()
            .find(|seat| seat.connection() == Some(connection))
    }

    pub fn expired(&self, now: Instant) -> Vec<ParticipantId> {
        let gone = |seat: &&Seat| matches!(seat.attendance, Attendance::Away { deadline, .. } if deadline <= now);
        self.iter()
            .filter(gone)
            .map(|seat| seat.public.id.clone())
            .collect()
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        let deadline = |seat: &Seat| match seat.attendance {
            Attendance::Away { deadline, .. } => Some(deadline),
            Attendance::Connected(_) => None,
        };
        self.iter().filter_map(deadline).min()
    }
}
