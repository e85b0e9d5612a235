//! The settings of a house: defaults, then `stube.toml`, then the environment. Parsed once; wrong ones end the start with
//! one sentence that names the key.

pub mod outside;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use ::media::MOST_SHARDS;
use anyhow::{Context, bail};
use outside::{Ldap, Mail, OneOrMore};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::version::Version;

const ENVIRONMENT_PREFIX: &str = "STUBE__";
pub const DEFAULT_FILE: &str = "stube.toml";
/// More voices at a time than the upper end nobody tells apart.
const LOUDEST: RangeInclusive<u8> = 2..=50;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port of the web server. Port 0 takes any free one.
    pub listen: SocketAddr,
    /// What people type to get here, if it is not this computer itself: `https://meet.example.org`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<Url>,
    /// The SQLite database and what else is kept.
    pub data_dir: PathBuf,
    /// Reverse proxies whose `X-Forwarded-For` says who really asks.
    pub trusted_proxies: Vec<IpAddr>,
    /// How long meetings may go on when the server is asked to stop.
    pub drain_seconds: u32,
    pub database: Database,
    pub tls: Tls,
    pub media: Media,
    pub metrics: Metrics,
    pub house: House,
    pub policy: Policy,
    pub push: Push,
    #[serde(skip_serializing_if = "OneOrMore::is_none")]
    pub oidc: OneOrMore,
    pub ldap: Ldap,
    pub mail: Mail,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `postgres://…`; without it, SQLite in `data_dir`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// PEM files; both or neither.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    /// The UDP port of sound and pictures. Port 0 takes any free one.
    pub port: u16,
    /// The addresses that browsers are told to send to; without any, those of this computer.
    pub addresses: Vec<IpAddr>,
    /// How many microphones of a meeting are heard at a time: the loudest. With as many open ones or fewer, all are.
    pub loudest: u8,
    /// What cameras send where sender and receivers can; otherwise it is VP8.
    pub video_codec: VideoCodec,
    /// How many threads carry sound and pictures; 0 takes all cores but one.
    pub shards: u8,
    /// So many people of one meeting are on one thread before it takes in another.
    pub spread: u16,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Address and port of the numbers for Prometheus, for no other eyes; without it there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
}

/// What stands here holds; what does not can be set by administrators in the browser (`crate::settings`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct House {
    /// The organisation's own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imprint_url: Option<Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy_url: Option<Url>,
}

/// As with [`House`]: what does not stand here can be set in the browser.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Whether rooms can be opened to people without an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guests: Option<bool>,
    /// Whether everybody may make and enter rooms, account or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_house: Option<bool>,
    /// Whether people sign in here with username and password; the command line can always open it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_sign_in: Option<bool>,
    /// Apps of an older version update by themselves, as soon as they are out of a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_version: Option<Version>,
    /// Whether calls wake browsers whose pages are closed, through the push services of their makers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push: Option<bool>,
    /// How long the history of calls and rooms is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_days: Option<u32>,
    /// Who may see whom in the directory. People of no group that is named here see everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Vec<Visibility>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Push {
    /// Push services in one's own network, by origin. All others have to be reached over https under a public address.
    pub services: Vec<Url>,
}

/// People of `group` see the people of these groups, and nobody else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visibility {
    pub group: String,
    pub sees: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VideoCodec {
    Vp8,
    Vp9,
    Av1,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            data_dir: PathBuf::from("data"),
            trusted_proxies: Vec::new(),
            drain_seconds: 0,
            database: Database::default(),
            tls: Tls::default(),
            media: Media::default(),
            metrics: Metrics::default(),
            house: House::default(),
            policy: Policy::default(),
            push: Push::default(),
            oidc: OneOrMore::default(),
            ldap: Ldap::default(),
            mail: Mail::default(),
        }
    }
}

impl Default for Media {
    fn default() -> Self {
        Self {
            port: 10_000,
            addresses: Vec::new(),
            loudest: 5,
            video_codec: VideoCodec::Vp8,
            shards: 0,
            spread: 50,
        }
    }
}

/// How the environment, which knows text only, writes a key's value.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Switch,
    /// With commas.
    List,
}

const KEYS: &[(&str, Kind)] = &[
    ("listen", Kind::Text),
    ("public_url", Kind::Text),
    ("data_dir", Kind::Text),
    ("trusted_proxies", Kind::List),
    ("drain_seconds", Kind::Number),
    ("database.url", Kind::Text),
    ("tls.certificate", Kind::Text),
    ("tls.key", Kind::Text),
    ("media.port", Kind::Number),
    ("media.addresses", Kind::List),
    ("media.loudest", Kind::Number),
    ("media.video_codec", Kind::Text),
    ("media.shards", Kind::Number),
    ("media.spread", Kind::Number),
    ("metrics.listen", Kind::Text),
    ("house.name", Kind::Text),
    ("house.imprint_url", Kind::Text),
    ("house.privacy_url", Kind::Text),
    ("policy.guests", Kind::Switch),
    ("policy.open_house", Kind::Switch),
    ("policy.local_sign_in", Kind::Switch),
    ("policy.minimum_version", Kind::Text),
    ("policy.push", Kind::Switch),
    ("push.services", Kind::List),
    ("policy.history_days", Kind::Number),
    ("oidc.name", Kind::Text),
    ("oidc.issuer", Kind::Text),
    ("oidc.client_id", Kind::Text),
    ("oidc.client_secret", Kind::Text),
    ("oidc.client_secret_file", Kind::Text),
    ("oidc.scopes", Kind::List),
    ("oidc.groups_claim", Kind::Text),
    ("oidc.admin_group", Kind::Text),
    ("ldap.url", Kind::Text),
    ("ldap.start_tls", Kind::Switch),
    ("ldap.ca_file", Kind::Text),
    ("ldap.bind_dn", Kind::Text),
    ("ldap.bind_password", Kind::Text),
    ("ldap.bind_password_file", Kind::Text),
    ("ldap.base_dn", Kind::Text),
    ("ldap.filter", Kind::Text),
    ("ldap.group_filter", Kind::Text),
    ("ldap.admin_group", Kind::Text),
    ("ldap.sync_minutes", Kind::Number),
    ("mail.server", Kind::Text),
    ("mail.password", Kind::Text),
    ("mail.password_file", Kind::Text),
    ("mail.from", Kind::Text),
];

impl Config {
    /// Reads `file`, or [`DEFAULT_FILE`] if it is there, and then the environment. `exposed`: the mode of the run sees to
    /// TLS on all addresses itself.
    pub fn load(file: Option<&Path>, exposed: bool) -> anyhow::Result<Self> {
        let file = match file {
            Some(file) => Some(file.to_owned()),
            None => Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.exists()),
        };
        let text = match &file {
            Some(file) => std::fs::read_to_string(file)
                .with_context(|| format!("{} cannot be read", file.display()))?,
            None => String::new(),
        };
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let mut ours = BTreeMap::new();
        for (name, value) in environment.filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX)) {
            let Ok(value) = value.into_string() else {
                bail!("{name} is no UTF-8 text")
            };
            ours.insert(name, value);
        }
        let config = Self::parse(&text, &ours).with_context(|| match &file {
            Some(file) => format!(
                "the settings in {} or the environment are wrong",
                file.display()
            ),
            None => "the settings in the environment are wrong".to_owned(),
        })?;
        config.check(exposed)?;
        Ok(config)
    }

    fn parse(text: &str, environment: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let whole = |error: toml::de::Error| one_sentence(text, &error);
        // Once by itself, for messages that name the line.
        toml::from_str::<Self>(text).map_err(whole)?;
        let mut table: toml::Table = toml::from_str(text).map_err(whole)?;
        for (name, value) in environment {
            set(&mut table, name, value)?;
            // One at a time, for messages that name the variable. What is still missing may be in the next one.
            let so_far = table.clone().try_into::<Self>();
            if let Err(error) = so_far
                && !error.message().contains("missing field")
            {
                return Err(one_sentence("", &error)).with_context(|| name.clone());
            }
        }
        let config: Self = table
            .try_into()
            .map_err(|error: toml::de::Error| one_sentence("", &error))?;
        Ok(config)
    }

    fn check(&self, exposed: bool) -> anyhow::Result<()> {
        if let Some(url) = &self.public_url {
            check_public_url(url)?;
        }
        match (&self.tls.certificate, &self.tls.key) {
            (Some(_), None) => bail!("tls.certificate needs tls.key beside it"),
            (None, Some(_)) => bail!("tls.key needs tls.certificate beside it"),
            _ => {}
        }
        if !exposed && !self.listen.ip().to_canonical().is_loopback() && self.public_url.is_none() {
            bail!(
                "listen = \"{}\" opens the house to other computers, so public_url has to say the https address under \
                 which people come (or use `stube run --lan`)",
                self.listen
            );
        }
        if let Some(url) = &self.database.url
            && !(url.starts_with("postgres://") || url.starts_with("postgresql://"))
        {
            bail!(
                "database.url must begin with postgres:// (without it, SQLite in data_dir is used)"
            );
        }
        if !LOUDEST.contains(&self.media.loudest) {
            let (least, most) = (LOUDEST.start(), LOUDEST.end());
            bail!("media.loudest must be a number from {least} to {most}");
        }
        if self.media.shards > MOST_SHARDS {
            bail!("media.shards must be a number from 0 to {MOST_SHARDS}");
        }
        if self.media.spread == 0 {
            bail!("media.spread must be at least 1");
        }
        for (key, url) in [
            ("imprint_url", &self.house.imprint_url),
            ("privacy_url", &self.house.privacy_url),
        ] {
            if let Some(url) = url
                && !is_link(url)
            {
                bail!("house.{key} must be an http, https or mailto address");
            }
        }
        if let Some(url) = self.push.services.iter().find(|url| !is_origin(url)) {
            bail!("push.services: \"{url}\" must be scheme, host and port only");
        }
        outside::check(&self.oidc, &self.ldap, &self.mail)
    }

    /// For people to read: as TOML, without passwords and secrets.
    pub fn shown(&self) -> anyhow::Result<String> {
        let mut shown = self.clone();
        if let Some(text) = &mut shown.database.url
            && let Ok(mut url) = Url::parse(text)
            && url.password().is_some()
        {
            let _ = url.set_password(Some("..."));
            *text = url.into();
        }
        outside::hide(&mut shown.oidc, &mut shown.ldap, &mut shown.mail);
        Ok(toml::to_string(&shown)?)
    }
}

/// Whether a link of the house may lead there.
pub fn is_link(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https" | "mailto")
}

/// Scheme, host and port of a web address, and nothing else.
fn is_origin(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

fn check_public_url(url: &Url) -> anyhow::Result<()> {
    let local = match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost" || domain.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => bail!("public_url has no host"),
    };
    if url.scheme() != "https" && !(local && url.scheme() == "http") {
        bail!(
            "public_url must begin with https://, because browsers give camera and microphone to such pages only"
        );
    }
    if !is_origin(url) {
        bail!("public_url must be scheme, host and port only, as in https://meet.example.org");
    }
    Ok(())
}

fn set(table: &mut toml::Table, name: &str, text: &str) -> anyhow::Result<()> {
    let path = name
        .trim_start_matches(ENVIRONMENT_PREFIX)
        .to_lowercase()
        .replace("__", ".");
    let Some((_, kind)) = KEYS.iter().find(|(key, _)| *key == path) else {
        bail!("{name} is no known setting")
    };
    let value = match kind {
        Kind::Text => text.into(),
        Kind::Number => toml::Value::Integer(
            text.parse()
                .with_context(|| format!("{name} must be a number"))?,
        ),
        Kind::Switch => toml::Value::Boolean(
            text.parse()
                .with_context(|| format!("{name} must be true or false"))?,
        ),
        Kind::List => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            toml::Value::Array(items.map(toml::Value::from).collect())
        }
    };
    match path.split_once('.') {
        None => table.insert(path, value),
        Some((section, key)) => {
            let section = table
                .entry(section)
                .or_insert_with(|| toml::Value::Table(toml::Table::new()));
            let Some(section) = section.as_table_mut() else {
                bail!("{name} is no known setting")
            };
            section.insert(key.to_owned(), value)
        }
    };
    Ok(())
}

fn one_sentence(text: &str, error: &toml::de::Error) -> anyhow::Error {
    let message = error.message().trim().replace('\n', " ");
    match error.span() {
        Some(span) if !text.is_empty() => {
            let line = text
                .bytes()
                .take(span.start)
                .filter(|byte| *byte == b'\n')
                .count()
                + 1;
            anyhow::anyhow!("line {line}: {message}")
        }
        _ => anyhow::anyhow!("{message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let config = Config::parse(text, &environment)
            .and_then(|config| config.check(false).map(|()| config));
        config.map_err(|error| format!("{error:#}"))
    }

    fn refused(text: &str, environment: &[(&str, &str)], naming: &[&str]) {
        let error = parse(text, environment).expect_err(text);
        assert!(!error.contains('\n'), "one sentence: {error}");
        for word in naming {
            assert!(error.contains(word), "{error} names {word}");
        }
    }

    #[test]
    fn nothing_has_to_be_set_on_localhost() {
        assert_eq!(parse("", &[]), Ok(Config::default()));
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let text = "listen = \"127.0.0.1:1\"\n[house]\nname = \"A\"\n[policy]\nguests = true";
        let environment = [
            ("STUBE__LISTEN", "127.0.0.1:2"),
            ("STUBE__POLICY__GUESTS", "false"),
            ("STUBE__MEDIA__PORT", "7000"),
            ("STUBE__MEDIA__ADDRESSES", "192.0.2.1, 2001:db8::1"),
            ("STUBE__DATABASE__URL", "postgres://u@h/d"),
        ];
        let config = parse(text, &environment).expect("good settings");
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.house.name.as_deref(), Some("A"));
        assert_eq!(config.policy.guests, Some(false));
        assert_eq!((config.media.port, config.media.addresses.len()), (7000, 2));
    }

    #[test]
    fn wrong_settings_are_one_sentence_that_names_them() {
        refused("lisen = 1", &[], &["line 1", "lisen", "listen"]);
        refused("\n[media]\nprot = 1", &[], &["line 3", "prot"]);
        refused("listen = \"here\"", &[], &["line 1", "socket address"]);
        refused("listen = ", &[], &["line 1"]);
        refused("", &[("STUBE__MEDIA__PROT", "1")], &["STUBE__MEDIA__PROT"]);
        refused("", &[("STUBE__MEDIA__PORT", "x")], &["STUBE__MEDIA__PORT"]);
        refused(
            "",
            &[("STUBE__MEDIA__PORT", "70000")],
            &["STUBE__MEDIA__PORT", "70000"],
        );
        refused("\n[media]\nloudest = 1", &[], &["media.loudest", "2 to 50"]);
        refused("\n[media]\nshards = 17", &[], &["media.shards", "0 to 16"]);
        refused("\n[media]\nspread = 0", &[], &["media.spread", "1"]);
        refused(
            "\n[media]\nvideo_codec = \"h264\"",
            &[],
            &["line 3", "h264", "vp8", "vp9", "av1"],
        );
        refused("listen = \"0.0.0.0:8080\"", &[], &["listen", "public_url"]);
        refused(
            "public_url = \"http://meet.example.org\"",
            &[],
            &["public_url", "https"],
        );
        refused(
            "public_url = \"https://meet.example.org/a\"",
            &[],
            &["public_url"],
        );
        refused(
            "[push]\nservices = [\"https://push.example/a\"]",
            &[],
            &["push.services", "push.example/a"],
        );
        refused("[tls]\ncertificate = \"c.pem\"", &[], &["tls.key"]);
        refused(
            "[policy]\nminimum_version = \"new\"",
            &[],
            &["line 2", "version"],
        );
        refused("[database]\nurl = \"mysql://x\"", &[], &["database.url"]);
        refused(
            "[oidc]\nissuer = \"http://a.example\"\nclient_id = \"a\"",
            &[],
            &["oidc.issuer"],
        );
        refused(
            "[[oidc]]\nissuer = \"https://a.example\"",
            &[],
            &["client_id"],
        );
        refused(
            "[ldap]\nurl = \"ldap://a.example\"\nbase_dn = \"o=a\"",
            &[],
            &["ldap.url", "start_tls"],
        );
        refused(
            "[ldap]\nurl = \"ldaps://a.example\"",
            &[],
            &["ldap.base_dn"],
        );
        refused(
            "[mail]\nserver = \"smtps://a.example\"",
            &[],
            &["mail.from"],
        );
        refused(
            "[house]\nimprint_url = \"javascript:alert(1)\"",
            &[],
            &["imprint_url"],
        );
    }

    #[test]
    fn what_is_shown_can_be_read_back_and_has_no_password() {
        let text = "public_url = \"https://meet.example.org\"\n[database]\nurl = \"postgres://u:geheim@h/d\"\n\
            [oidc]\nissuer = \"https://a.example\"\nclient_id = \"a\"\nclient_secret = \"geheim\"\n\
            [ldap]\nbind_password = \"geheim\"\n[mail]\npassword = \"geheim\"";
        let shown = parse(text, &[])
            .expect("good settings")
            .shown()
            .expect("printable");
        assert!(!shown.contains("geheim"), "{shown}");
        assert!(parse(&shown, &[]).is_ok(), "{shown}");
    }

    #[test]
    fn every_key_can_be_set_by_the_environment() {
        let full = Config {
            public_url: Url::parse("https://a.example").ok(),
            database: Database {
                url: Some("postgres://h/d".to_owned()),
            },
            tls: Tls {
                certificate: Some("c".into()),
                key: Some("k".into()),
            },
            house: House {
                imprint_url: Url::parse("https://a.example").ok(),
                privacy_url: Url::parse("https://a.example").ok(),
                name: Some("A".to_owned()),
            },
            policy: Policy {
                guests: Some(true),
                open_house: Some(true),
                local_sign_in: Some(true),
                minimum_version: "0.1.0".parse().ok(),
                push: Some(true),
                history_days: Some(30),
                visibility: None,
            },
            oidc: OneOrMore::One(Box::new(outside::OidcProvider {
                name: Some("A".to_owned()),
                issuer: Url::parse("https://a.example").expect("an address"),
                client_id: "a".to_owned(),
                client_secret: Some("a".to_owned()),
                client_secret_file: Some("f".into()),
                scopes: vec!["openid".to_owned()],
                groups_claim: "groups".to_owned(),
                admin_group: Some("a".to_owned()),
            })),
            ldap: Ldap {
                url: Url::parse("ldaps://a.example").ok(),
                ca_file: Some("f".into()),
                bind_password: Some("a".to_owned()),
                bind_password_file: Some("f".into()),
                admin_group: Some("a".to_owned()),
                ..Ldap::default()
            },
            metrics: Metrics {
                listen: Some(SocketAddr::from(([127, 0, 0, 1], 1))),
            },
            mail: Mail {
                server: Url::parse("smtp://a.example").ok(),
                password: Some("a".to_owned()),
                password_file: Some("f".into()),
                from: Some("a@a.example".to_owned()),
            },
            ..Config::default()
        };
        let table = toml::Table::try_from(full).expect("a table");
        let mut keys = Vec::new();
        for (name, value) in table {
            match value {
                toml::Value::Table(section) => {
                    keys.extend(section.keys().map(|key| format!("{name}.{key}")))
                }
                _ => keys.push(name),
            }
        }
        let mut known: Vec<_> = KEYS.iter().map(|(key, _)| (*key).to_owned()).collect();
        // A table within a section: for the file only.
        keys.retain(|key| key != "ldap.attributes");
        keys.sort();
        known.sort();
        assert_eq!(keys, known);
    }

    #[test]
    fn the_reference_names_every_key() {
        let reference = include_str!("../../../../docs/settings.md");
        for (key, _) in KEYS {
            assert!(
                reference.contains(&format!("`{key}`")),
                "docs/settings.md lacks {key}"
            );
        }
    }
}
