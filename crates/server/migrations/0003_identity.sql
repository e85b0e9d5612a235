-- Who people are, beyond a username and a password: mail, picture, groups, second factors, outside sign-ins, links,
-- tokens of machines, and what administrators did.

-- An empty hash: there is no password.
ALTER TABLE users ADD COLUMN mail TEXT;
-- Folded, for finding somebody by it. Two people may share an address.
ALTER TABLE users ADD COLUMN mail_key TEXT;
ALTER TABLE users ADD COLUMN locked BOOLEAN NOT NULL DEFAULT FALSE;
-- Locked because the source has this person no more, and for as long; not by an administrator.
ALTER TABLE users ADD COLUMN gone BOOLEAN NOT NULL DEFAULT FALSE;
-- Who looks after name, mail and picture: house, ldap, scim, provider.
ALTER TABLE users ADD COLUMN source TEXT NOT NULL DEFAULT 'house';
ALTER TABLE users ADD COLUMN password_changed BIGINT;
-- Changes whenever the picture does; absent without one.
ALTER TABLE users ADD COLUMN picture TEXT;
-- SCIM's externalId.
ALTER TABLE users ADD COLUMN external_id TEXT;
CREATE INDEX users_mail_key ON users (mail_key);

-- The directory's index: folded words of names, usernames and mail addresses. As bytes, since those are in the same
-- order in both databases.
CREATE TABLE person_words (
    word BYTEA NOT NULL,
    -- The folded name, so that those who are found come in its order without their rows being looked up.
    name_key BYTEA NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (word, name_key, user_id)
);
CREATE INDEX person_words_user ON person_words (user_id, word);
-- Few, and none of them is listed.
CREATE INDEX users_locked ON users (id) WHERE locked;

CREATE TABLE groups (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    created BIGINT NOT NULL,
    -- SCIM's externalId.
    external_id TEXT
);

-- Who says so takes it back: a run of one source leaves what the others said.
CREATE TABLE group_people (
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- house, ldap, scim, or provider.
    source TEXT NOT NULL,
    PRIMARY KEY (group_id, user_id, source)
);
CREATE INDEX group_people_user ON group_people (user_id, group_id);

-- Pictures of people (by user id) and of the house (`logo`).
CREATE TABLE images (
    owner TEXT PRIMARY KEY,
    bytes BYTEA NOT NULL
);

-- Sign-ins elsewhere that lead to an account. The issuer of LDAP is its address.
CREATE TABLE identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_user ON identities (user_id);

-- As the browser calls itself, in short.
ALTER TABLE sessions ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN method TEXT NOT NULL DEFAULT 'password';
-- Of a sign-in at an outside provider: so that it can end ours, and we its.
ALTER TABLE sessions ADD COLUMN issuer TEXT;
ALTER TABLE sessions ADD COLUMN subject TEXT;
ALTER TABLE sessions ADD COLUMN issuer_session TEXT;
-- Sealed with the key in the data directory.
ALTER TABLE sessions ADD COLUMN sealed_id_token TEXT;
CREATE INDEX sessions_issuer ON sessions (issuer, subject);

CREATE TABLE passkeys (
    -- The credential's id, in base64url.
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- JSON.
    credential TEXT NOT NULL,
    created BIGINT NOT NULL,
    used BIGINT
);
CREATE INDEX passkeys_user ON passkeys (user_id);

CREATE TABLE totp (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- Sealed with the key in the data directory.
    sealed_secret TEXT NOT NULL,
    -- Until then, a secret that was shown and not yet used.
    confirmed BOOLEAN NOT NULL,
    -- The time step of the last code that was taken: no code is taken twice.
    last_step BIGINT NOT NULL,
    created BIGINT NOT NULL,
    -- The old one stays in force until the new one is confirmed.
    PRIMARY KEY (user_id, confirmed)
);

CREATE TABLE backup_codes (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    PRIMARY KEY (user_id, hash)
);

-- Links that make an account or give one a new password.
CREATE TABLE account_links (
    id TEXT PRIMARY KEY,
    secret_hash TEXT NOT NULL UNIQUE,
    -- Of a recovery: whose.
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    username TEXT NOT NULL,
    mail TEXT,
    admin BOOLEAN NOT NULL,
    -- JSON list of names.
    group_names TEXT NOT NULL,
    uses_left BIGINT NOT NULL,
    -- Absent: the command line, or the person by mail.
    made_by TEXT REFERENCES users (id) ON DELETE SET NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX account_links_user ON account_links (user_id);

CREATE TABLE room_invites (
    id TEXT PRIMARY KEY,
    secret_hash TEXT NOT NULL UNIQUE,
    room_id TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    made_by TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX room_invites_room ON room_invites (room_id);
-- The invite a guest came by: with it goes the grant.
ALTER TABLE guest_grants ADD COLUMN invite_id TEXT REFERENCES room_invites (id) ON DELETE CASCADE;
CREATE INDEX guest_grants_invite ON guest_grants (invite_id);

-- Of a room that was made without an owner: when somebody last came in. Such rooms are forgotten when nobody does.
ALTER TABLE rooms ADD COLUMN used BIGINT;
CREATE INDEX rooms_used ON rooms (used);

-- Bearer tokens of machines.
CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    -- Words with spaces between them.
    scopes TEXT NOT NULL,
    made_by TEXT REFERENCES users (id) ON DELETE SET NULL,
    created BIGINT NOT NULL,
    expires BIGINT,
    used BIGINT
);

CREATE TABLE audit (
    -- In the order of time.
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    -- user:<id>, token:<id> or stube. Names are looked up when it is read, so that nobody's stays.
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    -- user:<id>, client:<id>, … or empty.
    subject TEXT NOT NULL,
    details TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);
