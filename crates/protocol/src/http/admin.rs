//! Administration, under `/api/v1/admin`: for administrators' sessions and for machines' tokens with the right scope
//! (`read` for GET, `write` for the rest). Every change is written to the audit log. Errors as everywhere: `super::HttpError`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::account::{Passkey, PersonSource, Session};
use crate::UserId;

/// `GET /people?q=&group=&after=<username>`: 100 a page, by username; administrators see everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct AdminPeople {
    pub people: Vec<AdminPerson>,
    /// All that match, on this page or not.
    pub total: u64,
    /// Goes into `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct AdminPerson {
    pub id: UserId,
    pub username: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    pub admin: bool,
    /// Cannot sign in.
    pub locked: bool,
    pub source: PersonSource,
    pub groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    pub created_ms: u64,
    /// The latest use of any session that is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_ms: Option<u64>,
    pub totp: bool,
    pub passkeys: u32,
}

/// `GET /people/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct AdminPersonDetails {
    pub person: AdminPerson,
    pub sessions: Vec<Session>,
    pub passkeys: Vec<Passkey>,
    pub providers: Vec<String>,
}

/// `POST /people`: an account without a password; it gets in by the link of [`PersonCreated`], by LDAP or by a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct CreatePerson {
    pub username: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    #[serde(default)]
    pub admin: bool,
    #[serde(default)]
    pub groups: Vec<String>,
    /// Whether the link is sent by mail as well.
    #[serde(default)]
    pub send_mail: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct PersonCreated {
    pub person: AdminPerson,
    pub link: NewLink,
}

/// `PATCH /people/{id}`: answers [`AdminPerson`]. Locking ends all sessions. The last administrator stays one, unlocked.
/// `DELETE /people/{id}` removes the person and everything that is theirs. `GET /people/{id}/export` answers what
/// `GET /api/v1/account/export` answers to the person: all that is stored about them, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ChangePerson {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// Takes second factors away, for somebody who lost their phone.
    #[serde(default)]
    pub remove_second_factors: bool,
}

/// `POST /people/{id}/recovery`: a link for a new password. Answers [`NewLink`]. `DELETE /people/{id}/sessions` ends all
/// sessions, `DELETE /sessions/{id}` one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct CreateRecovery {
    #[serde(default)]
    pub send_mail: bool,
}

/// `POST /invites`: a link that makes an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct CreateAccountInvite {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub username: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    #[serde(default)]
    pub admin: bool,
    #[serde(default)]
    pub groups: Vec<String>,
    /// How long it is good, 5 minutes to 90 days.
    pub life_ms: u64,
    /// How many accounts it may make, 1 to 1000: a class takes one link.
    pub uses: u32,
    #[serde(default)]
    pub send_mail: bool,
}

/// The whole address; told this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct NewLink {
    pub url: String,
    pub expires_ms: u64,
    /// It went out by mail.
    pub mailed: bool,
}

/// `GET /invites`; `DELETE /invites/{id}` takes one back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct AccountInvites {
    pub invites: Vec<AccountInvite>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct AccountInvite {
    pub id: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    pub admin: bool,
    pub groups: Vec<String>,
    pub uses_left: u32,
    pub by: String,
    pub created_ms: u64,
    pub expires_ms: u64,
}

/// `GET /groups`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Groups {
    pub groups: Vec<Group>,
}

/// `POST /groups` ([`CreateGroup`]) answers it, `PATCH /groups/{id}` ([`CreateGroup`]) renames, `DELETE /groups/{id}`.
/// `PUT|DELETE /groups/{id}/people/{user}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Group {
    pub id: String,
    pub name: String,
    pub people: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct CreateGroup {
    pub name: String,
}

/// `GET /clients`: applications that sign people in with this house. `POST` ([`CreateClient`]) answers [`ClientCreated`];
/// `DELETE /clients/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Clients {
    pub clients: Vec<Client>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Client {
    pub id: String,
    pub name: String,
    pub public: bool,
    pub trusted: bool,
    pub redirect_uris: Vec<String>,
    pub post_logout_uris: Vec<String>,
    pub created_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct CreateClient {
    pub name: String,
    pub redirect_uris: Vec<String>,
    #[serde(default)]
    pub post_logout_uris: Vec<String>,
    /// Has no secret: runs in browsers and on phones.
    #[serde(default)]
    pub public: bool,
    /// Nobody is asked before it gets what it wants.
    #[serde(default)]
    pub trusted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ClientCreated {
    pub client: Client,
    /// Told this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// `GET /sessions`: the 200 used last, of everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct AdminSessions {
    pub sessions: Vec<AdminSession>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct AdminSession {
    pub session: Session,
    pub user: UserId,
    pub name: String,
}

/// `GET /settings`, `PATCH /settings` ([`ChangeSettings`]): what can be set in the browser. What stands in the settings'
/// file or in the environment holds and is named in `fixed`. `PUT|DELETE /logo` takes a PNG, JPEG or WebP image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Settings {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imprint_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy_url: Option<String>,
    /// Whether there is a logo at `/api/v1/logo`; another value when it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    pub guests: bool,
    pub open_house: bool,
    pub local_sign_in: bool,
    /// Apps of an older version update by themselves, as soon as they are out of a call: `0.2.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_version: Option<String>,
    /// Whether browsers are woken through the push services of their makers.
    pub push: bool,
    /// How long people's history is kept. With 0, what is over is forgotten within the hour.
    pub history_days: u32,
    /// Who may see whom. People of no group that is named here see everybody.
    pub visibility: Vec<VisibilityRule>,
    /// Keys as in the file: `house.name`.
    pub fixed: Vec<String>,
    /// Where the house sends mail from; absent if it sends none. Only the file can set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_from: Option<String>,
    pub providers: Vec<super::entry::Provider>,
    pub ldap: bool,
}

/// People of `group` see the people of these groups, and nobody else (but always themselves).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct VisibilityRule {
    pub group: String,
    pub sees: Vec<String>,
}

/// Empty addresses take a link away, an empty version the minimum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ChangeSettings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imprint_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guests: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_house: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_sign_in: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history_days: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Vec<VisibilityRule>>,
}

/// `POST /mail/test`: sends a mail to whoever asks. 204, or `unavailable`.
/// `GET /checklist`: the first steps of a new house. `POST /checklist/dismiss` hides it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Checklist {
    pub dismissed: bool,
    pub name: bool,
    pub logo: bool,
    pub legal_links: bool,
    /// Somebody else has an account, an invite, or comes by LDAP, SCIM or a provider.
    pub people: bool,
    /// Whether guests may come was decided: set, one way or the other.
    pub guests: bool,
    pub mail: bool,
}

/// `GET /audit?before=<id>`: newest first, 100 a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Audit {
    pub entries: Vec<AuditEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct AuditEntry {
    /// Goes into `before`.
    pub id: String,
    pub at_ms: u64,
    /// Name of a person or a token; `stube` for the command line and for the server itself; empty for a person who was deleted.
    pub by: String,
    /// Stable: `person.created`, `settings.changed`, …
    pub action: String,
    /// What it was done to: a name as it is now, else an id.
    pub subject: String,
    /// What changed, never a secret: keys and values in words.
    pub details: String,
}

/// `GET /tokens`: bearer tokens of machines. `POST` ([`CreateToken`]) answers [`TokenCreated`]; `DELETE /tokens/{id}`.
/// Only administrators' sessions, never a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Tokens {
    pub tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Token {
    pub id: String,
    pub name: String,
    pub scopes: Vec<TokenScope>,
    pub by: String,
    pub created_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_ms: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TokenScope {
    /// Reads everything under `/api/v1/admin`.
    Read,
    /// Changes everything there but tokens and administrators.
    Write,
    /// `/scim/v2`, and nothing else.
    Scim,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct CreateToken {
    pub name: String,
    pub scopes: Vec<TokenScope>,
    /// Without, it is good until it is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life_ms: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct TokenCreated {
    pub token: Token,
    /// Goes into `Authorization: Bearer …`; told this once.
    pub secret: String,
}

/// `POST /people/import?dry_run=true|false`, `text/csv` in UTF-8 with a header: `username,name,mail,groups` (groups separated by `;`),
/// comma or semicolon. Makes and updates by username, at most 10 000 rows, all or nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ImportReport {
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub problems: Vec<ImportProblem>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ImportProblem {
    /// Counted from 1, the header included.
    pub line: u64,
    pub column: String,
    /// As the codes of errors: `name_invalid`, `name_taken`, …
    pub code: crate::ErrorCode,
}

/// `GET /ldap`: how the directory does. `POST /ldap/sync` asks for a run now and answers it when done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct LdapStatus {
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run_ms: Option<u64>,
    /// Of the last run.
    #[serde(default)]
    pub people: u64,
    #[serde(default)]
    pub created: u64,
    #[serde(default)]
    pub updated: u64,
    #[serde(default)]
    pub removed: u64,
    /// What went wrong at the last run, for administrators to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}
