-- Stube as an OpenID Connect provider for other applications. Secrets, codes and tokens are stored as SHA-256 only.

CREATE TABLE oidc_clients (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- Absent: a public client.
    secret_hash TEXT,
    -- Nobody is asked before it gets what it wants.
    trusted BOOLEAN NOT NULL,
    -- JSON lists.
    redirect_uris TEXT NOT NULL,
    post_logout_uris TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    created BIGINT NOT NULL
);

-- One authorization and all that came of it.
CREATE TABLE oidc_grants (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES oidc_clients (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session TEXT NOT NULL,
    -- The same session, unless the grant outlives it.
    bound_to TEXT REFERENCES sessions (id) ON DELETE CASCADE,
    scope TEXT NOT NULL,
    nonce TEXT,
    auth_time BIGINT NOT NULL,
    redirect_uri TEXT NOT NULL,
    challenge TEXT NOT NULL,
    code_hash TEXT NOT NULL UNIQUE,
    created BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    redeemed BIGINT
);
CREATE INDEX oidc_grants_client ON oidc_grants (client_id);
CREATE INDEX oidc_grants_user ON oidc_grants (user_id);
CREATE INDEX oidc_grants_bound_to ON oidc_grants (bound_to);
CREATE INDEX oidc_grants_ends ON oidc_grants (ends);

-- Used ones stay for as long as their grant: whoever brings one again loses the grant.
CREATE TABLE oidc_refresh_tokens (
    hash TEXT PRIMARY KEY,
    grant_id TEXT NOT NULL REFERENCES oidc_grants (id) ON DELETE CASCADE,
    issued BIGINT NOT NULL,
    used BIGINT
);
CREATE INDEX oidc_refresh_tokens_grant ON oidc_refresh_tokens (grant_id);

-- What a person has allowed a client.
CREATE TABLE oidc_consents (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL REFERENCES oidc_clients (id) ON DELETE CASCADE,
    scope TEXT NOT NULL,
    given BIGINT NOT NULL,
    PRIMARY KEY (user_id, client_id)
);
CREATE INDEX oidc_consents_client ON oidc_consents (client_id);

CREATE TABLE oidc_keys (
    kid TEXT PRIMARY KEY,
    algorithm TEXT NOT NULL,
    -- A JWK.
    public_key TEXT NOT NULL,
    -- PKCS #8, encrypted with a key that is in the data directory and not in the database.
    sealed_private_key TEXT NOT NULL,
    signs_from BIGINT NOT NULL
);
