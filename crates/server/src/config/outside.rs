//! The settings for what lies outside the house: providers that sign people in, the LDAP directory, and mail.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use url::Url;

/// One outside OpenID Connect provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcProvider {
    /// What stands on its button; without it the issuer's host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub issuer: Url,
    pub client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_file: Option<PathBuf>,
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
    /// The claim that lists somebody's groups.
    #[serde(default = "default_groups_claim")]
    pub groups_claim: String,
    /// Who is in it administers the house; with it, nobody else of this provider does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_group: Option<String>,
}

/// `[oidc]` for one, `[[oidc]]` for several.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum OneOrMore {
    One(Box<OidcProvider>),
    More(Vec<OidcProvider>),
}

impl OneOrMore {
    pub fn as_slice(&self) -> &[OidcProvider] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        }
    }

    pub fn is_none(&self) -> bool {
        self.as_slice().is_empty()
    }

    fn as_mut_slice(&mut self) -> &mut [OidcProvider] {
        match self {
            Self::One(one) => std::slice::from_mut(one),
            Self::More(more) => more,
        }
    }
}

/// By hand, because what serde derives for untagged enums forgets what was wrong.
impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either)
    }
}

struct Either;

impl<'de> Visitor<'de> for Either {
    type Value = OneOrMore;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[oidc] or [[oidc]]")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMore, A::Error> {
        let one = OidcProvider::deserialize(MapAccessDeserializer::new(map))?;
        Ok(OneOrMore::One(Box::new(one)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<OneOrMore, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(OneOrMore::More)
    }
}

impl Default for OneOrMore {
    fn default() -> Self {
        Self::More(Vec::new())
    }
}

fn default_scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).into()
}

fn default_groups_claim() -> String {
    "groups".to_owned()
}

/// An LDAP directory or Active Directory whose people are people of the house.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ldap {
    /// `ldaps://host` or `ldap://host`; without it there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// Encrypts an `ldap://` connection before anything is said.
    pub start_tls: bool,
    /// PEM file of the authority that vouches for the server, beside those of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    pub bind_dn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind_password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind_password_file: Option<PathBuf>,
    pub base_dn: String,
    /// Who is one of the people. In Active Directory:
    /// `(&(objectCategory=person)(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))`.
    pub filter: String,
    /// What is a group; its members are read from `attributes.member`.
    pub group_filter: String,
    pub attributes: LdapAttributes,
    /// Name of the group whose people administer the house.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_group: Option<String>,
    pub sync_minutes: u32,
}

/// What the directory calls things.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LdapAttributes {
    /// Never changes: `entryUUID`, in Active Directory `objectGUID`.
    pub id: String,
    pub username: String,
    pub name: String,
    pub mail: String,
    pub picture: String,
    pub group_name: String,
    pub member: String,
}

impl Default for Ldap {
    fn default() -> Self {
        Self {
            url: None,
            start_tls: false,
            ca_file: None,
            bind_dn: String::new(),
            bind_password: None,
            bind_password_file: None,
            base_dn: String::new(),
            filter: "(objectClass=person)".to_owned(),
            group_filter: "(|(objectClass=groupOfNames)(objectClass=group))".to_owned(),
            attributes: LdapAttributes::default(),
            admin_group: None,
            sync_minutes: 60,
        }
    }
}

impl Default for LdapAttributes {
    fn default() -> Self {
        let [id, username, name, mail, picture, group_name, member] = [
            "entryUUID",
            "uid",
            "cn",
            "mail",
            "jpegPhoto",
            "cn",
            "member",
        ]
        .map(str::to_owned);
        Self {
            id,
            username,
            name,
            mail,
            picture,
            group_name,
            member,
        }
    }
}

/// How the house sends mail; without `server` it sends none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mail {
    /// `smtps://user@host` (TLS from the start) or `smtp://user@host:587` (STARTTLS, except on this computer).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// `Stube <stube@example.org>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

pub fn check(oidc: &OneOrMore, ldap: &Ldap, mail: &Mail) -> anyhow::Result<()> {
    for provider in oidc.as_slice() {
        check_provider(provider)?;
    }
    let mut issuers: Vec<_> = oidc.as_slice().iter().map(|one| &one.issuer).collect();
    issuers.sort();
    if issuers.windows(2).any(|pair| pair.first() == pair.last()) {
        bail!("oidc.issuer: two providers have the same");
    }
    check_ldap(ldap)?;
    check_mail(mail)
}

fn check_provider(provider: &OidcProvider) -> anyhow::Result<()> {
    let issuer = &provider.issuer;
    if !is_safe(issuer, "https", "http") || issuer.query().is_some() || issuer.fragment().is_some()
    {
        bail!("oidc.issuer must be an https address without ? and # (http only on this computer)");
    }
    if provider.client_id.is_empty() {
        bail!("oidc.client_id is empty");
    }
    if !provider.scopes.iter().any(|scope| scope == "openid") {
        bail!("oidc.scopes must have openid among them");
    }
    one_of(
        "oidc.client_secret",
        &provider.client_secret,
        &provider.client_secret_file,
    )
}

fn check_ldap(ldap: &Ldap) -> anyhow::Result<()> {
    one_of(
        "ldap.bind_password",
        &ldap.bind_password,
        &ldap.bind_password_file,
    )?;
    let Some(url) = &ldap.url else {
        return Ok(());
    };
    let encrypted = url.scheme() == "ldaps" || ldap.start_tls;
    if !matches!(url.scheme(), "ldap" | "ldaps") {
        bail!("ldap.url must begin with ldaps:// or ldap://");
    }
    if !encrypted && !is_local(url) {
        bail!("ldap.url sends passwords in the clear: use ldaps:// or start_tls = true");
    }
    for (key, filter) in [
        ("filter", &ldap.filter),
        ("group_filter", &ldap.group_filter),
    ] {
        if !filter.starts_with('(') || ldap3::parse_filter(filter).is_err() {
            bail!("ldap.{key} must be a filter like (objectClass=person)");
        }
    }
    if ldap.base_dn.is_empty() {
        bail!("ldap.base_dn says where people are to be looked for, and is empty");
    }
    Ok(())
}

fn check_mail(mail: &Mail) -> anyhow::Result<()> {
    one_of("mail.password", &mail.password, &mail.password_file)?;
    let Some(server) = &mail.server else {
        return Ok(());
    };
    if !matches!(server.scheme(), "smtp" | "smtps") || server.host().is_none() {
        bail!("mail.server must be like smtps://user@mail.example.org");
    }
    if server.password().is_some() {
        bail!(
            "mail.server has a password in it: put that into mail.password or mail.password_file"
        );
    }
    let password = mail.password.is_some() || mail.password_file.is_some();
    if password == server.username().is_empty() {
        bail!("mail.server with a user (smtps://user@host) and a password go together");
    }
    let Some(from) = &mail.from else {
        bail!("mail.server needs mail.from beside it");
    };
    if from.parse::<lettre::message::Mailbox>().is_err() {
        bail!("mail.from must be like Stube <stube@example.org>");
    }
    Ok(())
}

fn one_of(key: &str, value: &Option<String>, file: &Option<PathBuf>) -> anyhow::Result<()> {
    if value.is_some() && file.is_some() {
        bail!("{key} and {key}_file: only one of both");
    }
    Ok(())
}

/// The secret itself, or the first line of its file.
pub fn secret(value: &Option<String>, file: &Option<PathBuf>) -> anyhow::Result<Option<String>> {
    match file {
        Some(file) => read_secret(file).map(Some),
        None => Ok(value.clone()),
    }
}

fn read_secret(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("the secret in {} cannot be read", file.display()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn is_safe(url: &Url, scheme: &str, on_this_computer: &str) -> bool {
    url.scheme() == scheme || (url.scheme() == on_this_computer && is_local(url))
}

pub fn is_local(url: &Url) -> bool {
    // Of schemes that are not the web's, hosts are not parsed as addresses.
    url.host_str().is_some_and(|host| {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let address = bare.parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}

/// Takes out what must not be shown.
pub fn hide(oidc: &mut OneOrMore, ldap: &mut Ldap, mail: &mut Mail) {
    let secrets = oidc
        .as_mut_slice()
        .iter_mut()
        .map(|provider| &mut provider.client_secret)
        .chain([&mut ldap.bind_password, &mut mail.password]);
    for secret in secrets {
        if secret.is_some() {
            *secret = Some("...".to_owned());
        }
    }
}
