//! Media connections that come up while their person still stands at the door. Whoever may come in without knocking can
//! have one; nobody inside is told, nothing is bound to it, and it ends by itself if nobody enters.

use std::time::{Duration, Instant};

use protocol::{ErrorCode, MediaConnectionId, ServerMessage, limits};

use crate::Room;
use crate::io::{ConnectionId, Join, MediaCommand, Now, Output, Prepare, Refusal, SessionKey};
use crate::media::{Media, Pending};

const LIFE: Duration = Duration::from_millis(limits::PREPARED_MS);
/// At one door: what more of them come join as if there were no such thing.
const PER_ROOM: usize = 32;

struct Prepared {
    ask: Prepare,
    until: Instant,
    media: Negotiation,
}

enum Negotiation {
    Waits(Pending),
    Done(Media),
}

impl Prepared {
    fn peer(&self) -> &MediaConnectionId {
        match &self.media {
            Negotiation::Waits(pending) => &pending.peer,
            Negotiation::Done(media) => &media.id,
        }
    }
}

#[derive(Default)]
pub struct Doorstep(Vec<Prepared>);

impl Doorstep {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        self.0.iter().map(|prepared| prepared.until).min()
    }

    fn take(&mut self, is: impl Fn(&Prepared) -> bool) -> Option<Prepared> {
        let index = self.0.iter().position(is)?;
        Some(self.0.swap_remove(index))
    }
}

impl Room {
    /// The media connections that wait for their person to come in.
    pub fn prepared(&self) -> impl Iterator<Item = &MediaConnectionId> {
        self.doorstep.0.iter().map(Prepared::peer)
    }

    pub(crate) fn prepare(&mut self, now: Now, ask: Prepare) {
        let stands = |other: &Prepared| other.ask.connection == ask.connection;
        if self.knows(ask.connection) || self.doorstep.0.iter().any(stands) {
            return self.refuse(ask.connection, ask.offer.id, ErrorCode::AlreadyInRoom);
        }
        // Of a page that was reloaded.
        self.end_all_prepared(|other| other.subject == ask.subject && other.device == ask.device);
        let refused = if !self.is_open_for(&ask.subject, ask.invited) {
            Some(ErrorCode::GuestsNotAllowed)
        } else if self.has_to_knock(&ask.subject) {
            Some(ErrorCode::NotAdmitted)
        } else if self.doorstep.0.len() >= PER_ROOM {
            Some(ErrorCode::TooMany)
        } else if ask.offer.slots.len() > limits::SLOTS {
            Some(ErrorCode::SdpInvalid)
        } else {
            None
        };
        if let Some(code) = refused {
            return self.turn_away(ask.connection, ask.offer.id, code);
        }
        let request = self.next_count();
        let pending = Pending::fresh(request, ask.connection, &ask.offer);
        self.command(MediaCommand::Negotiate {
            peer: ask.offer.fresh.clone(),
            request,
            sdp: ask.offer.sdp.clone(),
            uplink: ask.offer.uplink.clone(),
            slots: ask.offer.slots.clone(),
            renegotiate: false,
        });
        self.doorstep.0.push(Prepared {
            until: now.instant + LIFE,
            media: Negotiation::Waits(pending),
            ask,
        });
    }

    /// The seat that this join has led to gets what its socket has prepared; without a seat it ends.
    pub(crate) fn enter_prepared(&mut self, join: &Join) {
        let of_socket = |one: &Prepared| join.prepared == Some(one.ask.connection);
        let Some(prepared) = self.doorstep.take(of_socket) else {
            return;
        };
        let fits = prepared.ask.subject == join.subject && prepared.ask.device == join.device;
        let seat = self.seats.of_connection(join.connection).filter(|_| fits);
        let Some(seat) = seat else {
            return self.remove_prepared(prepared);
        };
        match prepared.media {
            Negotiation::Waits(pending) => {
                let pending = pending.moved_to(join.connection);
                if let Some(superseded) = seat.pending.replace(pending) {
                    self.abandon(superseded);
                }
            }
            Negotiation::Done(media) => {
                let before = seat.media.replace(media);
                if let Some(before) = before {
                    self.command(MediaCommand::Remove { peer: before.id });
                }
                self.say_uplinks(join.connection);
            }
        }
    }

    /// Gone from the door: nobody waits for an answer.
    pub(crate) fn leave_doorstep(&mut self, connection: ConnectionId) {
        if let Some(prepared) = self.doorstep.take(|one| one.ask.connection == connection) {
            self.remove_prepared(prepared);
        }
    }

    pub(crate) fn end_session_on_doorstep(&mut self, session: &SessionKey) {
        self.end_all_prepared(|one| &one.session == session);
    }

    /// Whoever may not come in any more, as if they asked now.
    pub(crate) fn look_at_doorstep(&mut self) {
        let mut barred = Vec::new();
        for prepared in &self.doorstep.0 {
            let ask = &prepared.ask;
            if !self.is_open_for(&ask.subject, ask.invited) || self.has_to_knock(&ask.subject) {
                barred.push(ask.connection);
            }
        }
        self.end_all_prepared(|one| barred.contains(&one.connection));
    }

    pub(crate) fn clear_doorstep(&mut self) {
        self.end_all_prepared(|_| true);
    }

    pub(crate) fn expire_prepared(&mut self, now: Instant) {
        while let Some(old) = self.doorstep.take(|one| one.until <= now) {
            self.end_prepared(old);
        }
    }

    /// False if the request is nobody's at the door.
    pub(crate) fn prepared_negotiated(
        &mut self,
        request: u64,
        result: &Result<String, Refusal>,
    ) -> bool {
        let waits = |one: &Prepared| matches!(&one.media, Negotiation::Waits(pending) if pending.request == request);
        let Some(mut prepared) = self.doorstep.take(waits) else {
            return false;
        };
        let Negotiation::Waits(pending) = &prepared.media else {
            return false;
        };
        match result {
            Err(refusal) => {
                let connection = prepared.ask.connection;
                let id = prepared.ask.offer.id.clone();
                self.remove_prepared(prepared);
                self.turn_away(connection, id, refusal.code());
            }
            Ok(sdp) => {
                let media = pending.settled();
                let answer = ServerMessage::Answer {
                    id: prepared.ask.offer.id.clone(),
                    sdp: sdp.clone(),
                    connection: media.id.clone(),
                };
                self.send(prepared.ask.connection, answer);
                prepared.media = Negotiation::Done(media);
                self.doorstep.0.push(prepared);
            }
        }
        true
    }

    /// The media side has lost it.
    pub(crate) fn prepared_closed(&mut self, peer: &MediaConnectionId) {
        if let Some(prepared) = self.doorstep.take(|one| one.peer() == peer) {
            self.say_ended(&prepared);
        }
    }

    fn end_all_prepared(&mut self, concerns: impl Fn(&Prepare) -> bool) {
        while let Some(prepared) = self.doorstep.take(|one| concerns(&one.ask)) {
            self.end_prepared(prepared);
        }
    }

    fn end_prepared(&mut self, prepared: Prepared) {
        self.say_ended(&prepared);
        self.remove_prepared(prepared);
    }

    fn say_ended(&mut self, prepared: &Prepared) {
        let connection = prepared.ask.connection;
        match &prepared.media {
            Negotiation::Waits(pending) => {
                self.turn_away(connection, pending.id.clone(), ErrorCode::NoMediaConnection);
            }
            Negotiation::Done(media) => {
                let message = ServerMessage::PreparedEnded {
                    connection: media.id.clone(),
                };
                self.outputs.push_back(Output::Dismiss {
                    connection,
                    message,
                });
            }
        }
    }

    fn remove_prepared(&mut self, prepared: Prepared) {
        self.command(MediaCommand::Remove {
            peer: prepared.peer().clone(),
        });
    }
}
