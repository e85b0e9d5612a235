-- One text for SQLite and PostgreSQL: TEXT ids, BIGINT Unix milliseconds, BOOLEAN, no collations.

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    username TEXT NOT NULL,
    -- Folded: two usernames with one key are the same.
    username_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    admin BOOLEAN NOT NULL,
    password_hash TEXT NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    -- SHA-256 of what the cookie holds.
    secret_hash TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    used BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE rooms (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- Folded: two names with one key are the same room.
    name_key TEXT NOT NULL UNIQUE,
    open_to_guests BOOLEAN NOT NULL,
    owner TEXT REFERENCES users (id) ON DELETE SET NULL,
    created BIGINT NOT NULL
);
CREATE INDEX rooms_owner ON rooms (owner);

CREATE TABLE guest_grants (
    id TEXT PRIMARY KEY,
    secret_hash TEXT NOT NULL UNIQUE,
    room_id TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE room_visits (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    room_id TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    visited BIGINT NOT NULL,
    PRIMARY KEY (user_id, room_id)
);

-- Who sits in a live meeting, so that a restart gives everybody their seat back.
CREATE TABLE seats (
    participant TEXT PRIMARY KEY,
    room_id TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    -- Of a guest: the grant's id. Of an account: the user's.
    guest BOOLEAN NOT NULL,
    subject TEXT NOT NULL,
    device TEXT NOT NULL,
    name TEXT NOT NULL,
    joined BIGINT NOT NULL,
    away_since BIGINT
);
CREATE INDEX seats_room ON seats (room_id);

CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
