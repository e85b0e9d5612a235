-- Calling people: rooms of calls, members, pins, favourites, what rings, what was, push, planned meetings.

-- 'named', 'personal' (one for each owner) or 'call'. The key of a call's room begins with a control character, which no
-- name has, so that no address leads to it.
ALTER TABLE rooms ADD COLUMN kind TEXT NOT NULL DEFAULT 'named';
CREATE UNIQUE INDEX rooms_personal ON rooms (owner) WHERE kind = 'personal';
-- Who is neither owner nor member knocks.
ALTER TABLE rooms ADD COLUMN knock BOOLEAN NOT NULL DEFAULT FALSE;

-- Members: they come in without knocking. Of a call's room: whoever may enter at all.
CREATE TABLE room_members (
    room_id TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    added BIGINT NOT NULL,
    PRIMARY KEY (room_id, user_id)
);
CREATE INDEX room_members_user ON room_members (user_id);

CREATE TABLE room_pins (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    room_id TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    pinned BIGINT NOT NULL,
    PRIMARY KEY (user_id, room_id)
);
CREATE INDEX room_pins_room ON room_pins (room_id);

CREATE TABLE favourites (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    person_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    added BIGINT NOT NULL,
    PRIMARY KEY (user_id, person_id)
);
CREATE INDEX favourites_person ON favourites (person_id);

-- What somebody says of themselves: 'available', 'away', 'do_not_disturb'.
ALTER TABLE users ADD COLUMN status TEXT NOT NULL DEFAULT 'available';

-- What rings now, so that a restart in the middle rings on.
CREATE TABLE calls (
    id TEXT PRIMARY KEY,
    room_id TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    caller TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    callee TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    video BOOLEAN NOT NULL,
    started BIGINT NOT NULL
);
CREATE INDEX calls_room ON calls (room_id);
CREATE INDEX calls_caller ON calls (caller);
CREATE INDEX calls_callee ON calls (callee);

-- Each line belongs to one person, who may delete it.
CREATE TABLE history (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- 'outgoing', 'incoming', 'missed' or 'room'
    kind TEXT NOT NULL,
    person_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    room_id TEXT REFERENCES rooms (id) ON DELETE CASCADE,
    video BOOLEAN NOT NULL,
    -- Of outgoing calls that nobody answered: why, as on the wire.
    outcome TEXT,
    started BIGINT NOT NULL,
    duration BIGINT,
    seen BOOLEAN NOT NULL
);
CREATE INDEX history_user ON history (user_id, started);
CREATE INDEX history_person ON history (person_id);
CREATE INDEX history_room ON history (room_id);
CREATE INDEX history_started ON history (started);

-- Browsers that can be woken. Goes with the session.
CREATE TABLE push_subscriptions (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    -- The browser as the house knows it, so that what rings already is not woken.
    browser TEXT NOT NULL,
    endpoint TEXT NOT NULL UNIQUE,
    p256dh TEXT NOT NULL,
    auth TEXT NOT NULL,
    -- Language of what the notification says: 'de' or 'en'.
    language TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX push_subscriptions_user ON push_subscriptions (user_id);
CREATE INDEX push_subscriptions_session ON push_subscriptions (session_id);

CREATE TABLE meetings (
    id TEXT PRIMARY KEY,
    room_id TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    owner TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    starts BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    -- IANA name of the time zone in which it was planned.
    time_zone TEXT NOT NULL,
    -- Of its letters: 'de' or 'en'.
    language TEXT NOT NULL,
    -- Counts changes, for calendars (RFC 5545, SEQUENCE).
    sequence BIGINT NOT NULL,
    cancelled BOOLEAN NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX meetings_owner ON meetings (owner);
CREATE INDEX meetings_room ON meetings (room_id);
CREATE INDEX meetings_ends ON meetings (ends);

CREATE TABLE meeting_people (
    meeting_id TEXT NOT NULL REFERENCES meetings (id) ON DELETE CASCADE,
    -- user:<id> for people of the house, else the folded mail address.
    who TEXT NOT NULL,
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    -- As written; of people of the house their account has it.
    mail TEXT,
    PRIMARY KEY (meeting_id, who)
);
CREATE INDEX meeting_people_user ON meeting_people (user_id);
