//! Planned meetings: made, changed and cancelled, and everybody concerned told of it. When one may be and who changes it
//! says `identity::meeting`.

pub mod asked;
pub mod calendar;
pub mod post;
pub mod words;

use house::Input;
use identity::RoomAddress;
use identity::meeting::{self, MOST_PLANNED, Times, Title};
use jiff::tz::TimeZone;
use protocol::http::meetings::{ChangeMeeting, MeetingPerson, PlanMeeting, PlannedMeeting};
use protocol::{ErrorCode, MeetingId, RoomId, UserId};

use crate::app::App;
use crate::chance;
use crate::http::error::{ApiError, ApiResult};
use crate::mail::letters::{CalendarPart, Letter};
use crate::rooms::effective;
use crate::store::meetings::{self as stored, AskedPerson, NewMeeting, Plan, StoredMeeting};
use crate::store::users::Account;
use calendar::{CalendarPerson, Invitation, Method};
use post::Sent;
use words::{About, Occasion};

pub async fn plan(app: &App, owner: &Account, body: PlanMeeting) -> ApiResult<PlannedMeeting> {
    let now = chance::unix_ms();
    let title = Title::parse(&body.title)?;
    let times = Times {
        starts: body.starts_at,
        ends: body.ends_at,
    };
    meeting::may_be_at(now, times).map_err(|_| ErrorCode::TimeInvalid)?;
    let zone = zone_name(&body.time_zone)?;
    let people = asked::resolve(app, owner, &body.people, &body.mails).await?;
    app.post.begin(app, &owner.id, people.len())?;
    let room = match &body.room {
        Some(room) => room_at(app, owner, &RoomAddress::parse(room)?).await?,
        None => fresh_room(app, owner, &title, body.guests).await?,
    };
    let id = MeetingId::from(chance::id());
    let new = NewMeeting {
        id: &id,
        owner: &owner.id,
        language: body.language,
        plan: Plan {
            room: &room,
            title: title.as_str(),
            times,
            time_zone: &zone,
            people: &people,
        },
        created: now,
    };
    if !stored::create(&app.db, &new, MOST_PLANNED).await? {
        return Err(ErrorCode::TooMany.into());
    }
    tracing::info!(meeting = %id, user = %owner.id, people = people.len(), "a meeting was planned");
    let planned = Planned::read(app, &id).await?;
    let sent = planned.write_to(app, Occasion::Invited, planned.people.iter());
    tell(app, &planned, &[]);
    Ok(planned.answer(app, &owner.id, sent))
}

pub async fn change(
    app: &App,
    owner: &Account,
    id: &MeetingId,
    body: ChangeMeeting,
) -> ApiResult<PlannedMeeting> {
    let before = Planned::to_change(app, owner, id).await?;
    let old = &before.meeting;
    let title = body.title.as_deref().map(Title::parse).transpose()?;
    let title = title.as_ref().map_or(old.title.as_str(), Title::as_str);
    let times = Times {
        starts: body.starts_at.unwrap_or(old.times.starts),
        ends: body.ends_at.unwrap_or(old.times.ends),
    };
    if times != old.times {
        let possible = meeting::may_be_at(chance::unix_ms(), times);
        possible.map_err(|_| ErrorCode::TimeInvalid)?;
    }
    let zone = match &body.time_zone {
        Some(zone) => zone_name(zone)?,
        None => old.time_zone.clone(),
    };
    let people = asked::changed(app, owner, &before.people, &body).await?;
    let room = match &body.room {
        Some(room) => room_at(app, owner, &RoomAddress::parse(room)?).await?,
        None => old.room.clone(),
    };
    let same = title == old.title && times == old.times && zone == old.time_zone;
    let another = !same || room != old.room;
    let keys: Vec<String> = people.iter().map(stored::Asked::key).collect();
    let known = |key: &str| before.people.iter().any(|person| person.who == key);
    let removed: Vec<AskedPerson> = before
        .people
        .iter()
        .filter(|person| !keys.contains(&person.who))
        .cloned()
        .collect();
    let added = keys.iter().filter(|key| !known(key)).count();
    if !another && added == 0 && removed.is_empty() {
        return Ok(before.answer(app, &owner.id, Sent::default()));
    }
    app.post
        .begin(app, &owner.id, if another { people.len() } else { added })?;
    let plan = Plan {
        room: &room,
        title,
        times,
        time_zone: &zone,
        people: &people,
    };
    if !stored::change(&app.db, id, old.sequence, &plan).await? {
        return Err(changed_meanwhile());
    }
    tracing::info!(meeting = %id, user = %owner.id, "a meeting was changed");
    let after = Planned::read(app, id).await?;
    let (old_ones, new_ones): (Vec<_>, Vec<_>) =
        after.people.iter().partition(|person| known(&person.who));
    let mut sent = after.write_to(app, Occasion::Invited, new_ones.into_iter());
    if another {
        sent += after.write_to(app, Occasion::Changed, old_ones.into_iter());
    }
    sent += after.write_to(app, Occasion::Cancelled, removed.iter());
    tell(app, &after, &removed);
    Ok(after.answer(app, &owner.id, sent))
}

pub async fn cancel(app: &App, owner: &Account, id: &MeetingId) -> ApiResult<PlannedMeeting> {
    let before = Planned::to_change(app, owner, id).await?;
    if !stored::cancel(&app.db, id, before.meeting.sequence).await? {
        return Err(changed_meanwhile());
    }
    tracing::info!(meeting = %id, user = %owner.id, "a meeting was cancelled");
    let after = Planned::read(app, id).await?;
    let sent = after.write_to(app, Occasion::Cancelled, after.people.iter());
    tell(app, &after, &[]);
    Ok(after.answer(app, &owner.id, sent))
}

/// For who planned it and who is asked to it.
pub async fn read(app: &App, reader: &Account, id: &MeetingId) -> ApiResult<PlannedMeeting> {
    let planned = Planned::for_reader(app, reader, id).await?;
    Ok(planned.answer(app, &reader.id, Sent::default()))
}

/// What calendars take in.
pub async fn file(app: &App, reader: &Account, id: &MeetingId) -> ApiResult<String> {
    let planned = Planned::for_reader(app, reader, id).await?;
    let own = planned.meeting.owner == reader.id;
    let may_read =
        |person: &&AskedPerson| own || person.user.as_ref().is_some_and(|id| *id == reader.id);
    let people = planned.people.iter().filter(may_read);
    let method = if planned.meeting.cancelled {
        Method::Cancel
    } else {
        Method::Request
    };
    Ok(planned.calendar(app, method, people))
}

fn changed_meanwhile() -> ApiError {
    ApiError::retry(ErrorCode::Unavailable, std::time::Duration::from_secs(1))
}

fn zone_name(name: &str) -> ApiResult<String> {
    let zone = words::zone(name).ok_or(ErrorCode::TimeInvalid)?;
    Ok(zone.iana_name().unwrap_or("UTC").to_owned())
}

async fn room_at(app: &App, owner: &Account, address: &RoomAddress) -> ApiResult<RoomId> {
    let room = app.rooms.find_or_make(address, Some(&owner.id)).await?;
    Ok(room.ok_or(ErrorCode::TooMany)?.id)
}

async fn fresh_room(app: &App, owner: &Account, title: &Title, open: bool) -> ApiResult<RoomId> {
    let name = meeting::room_name(title, chance::bytes());
    let mut address = RoomAddress::parse(&name)?;
    address.open = open;
    room_at(app, owner, &address).await
}

/// Tells the pages of everybody of the house whom it concerns.
fn tell(app: &App, planned: &Planned, removed: &[AskedPerson]) {
    let meeting = &planned.meeting;
    let asked = planned.people.iter().filter_map(|one| one.user.as_ref());
    for user in asked.chain([&meeting.owner]) {
        app.rooms.house().tell(match meeting.cancelled {
            true => gone(user, meeting),
            false => Input::MeetingChanged {
                user: user.clone(),
                meeting: meeting.clone().shown_to(user),
            },
        });
    }
    for user in removed.iter().filter_map(|one| one.user.as_ref()) {
        app.rooms.house().tell(gone(user, meeting));
    }
}

fn gone(user: &UserId, meeting: &StoredMeeting) -> Input {
    Input::MeetingRemoved {
        user: user.clone(),
        meeting: meeting.id.clone(),
    }
}

/// The room has another name, so that links in letters lead nowhere: everybody gets the new one.
pub async fn room_renamed(app: &App, room: &RoomId, by: &UserId) -> ApiResult<()> {
    for meeting in stored::of_room(&app.db, room, chance::unix_ms()).await? {
        if !stored::count_on(&app.db, &meeting.id, meeting.sequence).await? {
            continue;
        }
        let planned = Planned::read(app, &meeting.id).await?;
        if app.post.begin(app, by, planned.people.len()).is_ok() {
            planned.write_to(app, Occasion::Changed, planned.people.iter());
        }
        tell(app, &planned, &[]);
    }
    Ok(())
}

/// What is planned in a room: to be read before it is deleted, and its meetings with it.
pub async fn in_room(app: &App, room: &RoomId) -> ApiResult<Vec<Planned>> {
    let meetings = stored::of_room(&app.db, room, chance::unix_ms()).await?;
    with_people(app, meetings).await
}

/// What somebody has planned: to be read before their account is deleted, and their meetings with it.
pub async fn of_owner(app: &App, owner: &UserId) -> ApiResult<Vec<Planned>> {
    let meetings = stored::of_owner(&app.db, owner, chance::unix_ms()).await?;
    with_people(app, meetings).await
}

async fn with_people(app: &App, meetings: Vec<StoredMeeting>) -> ApiResult<Vec<Planned>> {
    let mut all = Vec::new();
    for meeting in meetings {
        let people = stored::people_of(&app.db, &meeting.id).await?;
        all.push(Planned { meeting, people });
    }
    Ok(all)
}

/// They went with something else: whoever was asked to them is told.
pub fn are_gone(app: &App, meetings: Vec<Planned>) {
    for mut planned in meetings {
        planned.meeting.sequence += 1;
        planned.meeting.cancelled = true;
        planned.write_to(app, Occasion::Cancelled, planned.people.iter());
        tell(app, &planned, &[]);
    }
}

/// A meeting with everybody who is asked to it.
pub struct Planned {
    meeting: StoredMeeting,
    people: Vec<AskedPerson>,
}

impl Planned {
    async fn read(app: &App, id: &MeetingId) -> ApiResult<Self> {
        let meeting = stored::by_id(&app.db, id).await?;
        Ok(Self {
            meeting: meeting.ok_or(ErrorCode::NotFound)?,
            people: stored::people_of(&app.db, id).await?,
        })
    }

    async fn for_reader(app: &App, reader: &Account, id: &MeetingId) -> ApiResult<Self> {
        let planned = Self::read(app, id).await?;
        let asked = |person: &AskedPerson| person.user.as_ref() == Some(&reader.id);
        if planned.meeting.owner != reader.id && !planned.people.iter().any(asked) {
            return Err(ErrorCode::NotFound.into());
        }
        Ok(planned)
    }

    /// Who may see it and not change it is told so; to others it is not there.
    async fn to_change(app: &App, reader: &Account, id: &MeetingId) -> ApiResult<Self> {
        let planned = Self::for_reader(app, reader, id).await?;
        let meeting = &planned.meeting;
        let own = meeting.owner == reader.id;
        let now = chance::unix_ms();
        if !meeting::may_change(own, meeting.cancelled, meeting.times, now) {
            return Err(ErrorCode::Forbidden.into());
        }
        Ok(planned)
    }

    fn answer(&self, app: &App, reader: &UserId, sent: Sent) -> PlannedMeeting {
        let meeting = &self.meeting;
        let own = meeting.owner == *reader;
        let people = self.people.iter().filter(|_| own);
        PlannedMeeting {
            link: self.link(app),
            access: effective(meeting.access, app.settings.get().welcome()),
            sequence: meeting.sequence,
            cancelled: meeting.cancelled,
            people: people
                .map(|person| MeetingPerson {
                    user: person.user.clone(),
                    name: person.name.clone(),
                    mail: person.mail.clone(),
                })
                .collect(),
            mailed: sent.mailed,
            not_mailed: sent.not_mailed,
            meeting: meeting.clone().shown_to(reader),
        }
    }

    fn link(&self, app: &App) -> String {
        let access = effective(self.meeting.access, app.settings.get().welcome());
        app.origins.room(&self.meeting.room_name, access)
    }

    /// A letter to each.
    fn write_to<'a>(
        &self,
        app: &App,
        occasion: Occasion,
        people: impl Iterator<Item = &'a AskedPerson>,
    ) -> Sent {
        let mut sent = Sent::default();
        for person in people {
            let letter = self.letter(app, occasion, person);
            sent += app.post.send(app, letter, person.mail.as_deref());
        }
        sent
    }

    fn letter(&self, app: &App, occasion: Occasion, person: &AskedPerson) -> Letter {
        let method = match occasion {
            Occasion::Invited | Occasion::Changed => Method::Request,
            Occasion::Cancelled => Method::Cancel,
        };
        let calendar = CalendarPart {
            method: method.name(),
            text: self.calendar(app, method, std::iter::once(person)),
        };
        let reply_to = self.meeting.owner_mail.as_deref();
        Letter {
            reply_to: reply_to.and_then(|mail| identity::Mail::parse(mail).ok()),
            calendar: Some(calendar),
            ..self.about(app, |about| words::letter(occasion, about))
        }
    }

    fn calendar<'a>(
        &self,
        app: &App,
        method: Method,
        people: impl Iterator<Item = &'a AskedPerson>,
    ) -> String {
        let meeting = &self.meeting;
        let attendee = |person: &AskedPerson| {
            Some(CalendarPerson {
                name: person.name.clone(),
                mail: person.mail.clone()?,
            })
        };
        calendar::write(&Invitation {
            method,
            uid: meeting.id.as_str(),
            sequence: meeting.sequence,
            stamp: chance::unix_ms(),
            times: meeting.times,
            title: &meeting.title,
            description: &self.about(app, words::description),
            link: &self.link(app),
            organizer: CalendarPerson {
                name: Some(meeting.owner_name.clone()),
                mail: self.organizer(app),
            },
            attendees: people.filter_map(attendee).collect(),
        })
    }

    /// Calendars take a meeting in from whom the letter comes from.
    fn organizer(&self, app: &App) -> String {
        let own = || self.meeting.owner_mail.clone();
        let nobody = || format!("no-reply@{}", app.origins.host());
        app.mail.address().or_else(own).unwrap_or_else(nobody)
    }

    fn about<T>(&self, app: &App, write: impl FnOnce(&About<'_>) -> T) -> T {
        let meeting = &self.meeting;
        let house = app.settings.get();
        write(&About {
            house: &house.name,
            by: &meeting.owner_name,
            title: &meeting.title,
            times: meeting.times,
            zone: &words::zone(&meeting.time_zone).unwrap_or(TimeZone::UTC),
            link: &self.link(app),
            access: effective(meeting.access, house.welcome()),
            language: meeting.language,
        })
    }
}
