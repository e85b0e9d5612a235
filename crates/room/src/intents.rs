//! What somebody inside asks for: what they publish, what they want to see, and a fresh snapshot.

use protocol::{ErrorCode, IntentId, ParticipantId, Source, Track};

use crate::Room;
use crate::io::{ConnectionId, Intent, MediaCommand, Now, UplinkState};

impl Room {
    pub(crate) fn intent(&mut self, now: Now, connection: ConnectionId, intent: Intent) {
        let Some(seat) = self.seats.of_connection(connection) else {
            return self.intent_from_outside(connection, intent);
        };
        let participant = seat.public.id.clone();
        match intent {
            Intent::GetSnapshot => self.resynchronise(connection),
            Intent::Publish { id, source, muted } => {
                self.set_track(&participant, source, Some(muted));
                self.ok(connection, id);
            }
            Intent::Unpublish { id, source } => self.change_track(connection, id, source, None),
            Intent::SetMuted { id, source, muted } => {
                self.change_track(connection, id, source, Some(muted))
            }
            Intent::SetWanted { wanted } => seat.wanted = Some(wanted),
            Intent::Offer(offer) => self.offer(connection, offer),
            Intent::SlotReady { slot, generation } => self.slot_ready(connection, slot, generation),
            Intent::NoPicture { slot, generation } => self.no_picture(connection, slot, generation),
            Intent::Admit {
                id,
                knocking,
                admit,
            } => self.answer_knock(now, connection, id, &knocking, admit),
            Intent::ReportQuality { report } => self.quality_reported(now, &participant, &report),
        }
    }

    fn intent_from_outside(&mut self, connection: ConnectionId, intent: Intent) {
        let waiting = self.door.is_waiting(connection);
        let code = if waiting {
            ErrorCode::NotAdmitted
        } else {
            ErrorCode::NotInRoom
        };
        match intent {
            Intent::GetSnapshot if waiting => self.say_waiting(connection),
            Intent::GetSnapshot
            | Intent::SetWanted { .. }
            | Intent::SlotReady { .. }
            | Intent::NoPicture { .. }
            | Intent::ReportQuality { .. } => {}
            Intent::Publish { id, .. }
            | Intent::Unpublish { id, .. }
            | Intent::SetMuted { id, .. }
            | Intent::Admit { id, .. } => {
                self.refuse(connection, id, code);
            }
            Intent::Offer(offer) => self.refuse(connection, offer.id, code),
        }
    }

    /// Mutes, unmutes or takes back a source that is published.
    fn change_track(
        &mut self,
        connection: ConnectionId,
        id: IntentId,
        source: Source,
        muted: Option<bool>,
    ) {
        let Some(seat) = self.seats.of_connection(connection) else {
            return;
        };
        if seat.track(source).is_none() {
            return self.refuse(connection, id, ErrorCode::NotFound);
        }
        let participant = seat.public.id.clone();
        self.set_track(&participant, source, muted);
        self.ok(connection, id);
    }

    fn set_track(&mut self, participant: &ParticipantId, source: Source, muted: Option<bool>) {
        let Some(seat) = self.seats.get_mut(participant) else {
            return;
        };
        seat.public.tracks.retain(|track| track.source != source);
        if let Some(muted) = muted {
            seat.public.tracks.push(Track { source, muted });
            seat.public.tracks.sort_by_key(|track| track.source);
        }
        if let Some(peer) = seat.peer().cloned() {
            self.command(MediaCommand::SetUplink {
                peer,
                source,
                state: uplink_state(muted),
            });
        }
    }
}

/// What the server lets through: nothing of a source that is not published (`None`) or muted.
pub(crate) fn uplink_state(muted: Option<bool>) -> UplinkState {
    match muted {
        None => UplinkState::Off,
        Some(true) => UplinkState::Muted,
        Some(false) => UplinkState::Live,
    }
}
