-- How the connection of each stay in a meeting was.

-- Stored again and again while the stay lasts. Rooms come and go, and those of calls with the call; the record stays.
CREATE TABLE connections (
    id TEXT PRIMARY KEY,
    -- The same for all who were in one meeting at one time.
    meeting TEXT NOT NULL,
    -- Absent for guests.
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- 'named', 'personal' or 'call', as it was then.
    kind TEXT NOT NULL,
    room_id TEXT NOT NULL,
    -- The name in small letters, for searching.
    name_key TEXT NOT NULL,
    started BIGINT NOT NULL,
    ended BIGINT NOT NULL,
    over BOOLEAN NOT NULL,
    -- Something was wrong for a tenth of the time or a minute; packets were lost as long.
    troubled BOOLEAN NOT NULL,
    losing BOOLEAN NOT NULL,
    -- JSON, as the interface gives it.
    summary TEXT NOT NULL,
    -- Packed by `room::record`.
    timeline BYTEA NOT NULL
);
CREATE INDEX connections_user ON connections (user_id, started);
CREATE INDEX connections_meeting ON connections (meeting);
CREATE INDEX connections_started ON connections (started);
CREATE INDEX connections_room ON connections (room_id);
