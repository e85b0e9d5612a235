//! One choice of an administrator about the house: read from whoever makes it, written to what is stored, and told in words.
//! Which keys are fixed by the settings' file stands here as well.

use anyhow::{Context, bail, ensure};
use identity::{DisplayName, GroupName};
use protocol::ErrorCode;
use protocol::http::admin::ChangeSettings;
use url::Url;

use crate::config::{Config, Visibility, is_link};
use crate::settings::{Chosen, Effective};
use crate::version::Version;

const MOST_RULES: usize = 100;
const MOST_LINK_BYTES: usize = 1024;

#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    Name(DisplayName),
    /// Absent: there is no link.
    Imprint(Option<String>),
    Privacy(Option<String>),
    Guests(bool),
    OpenHouse(bool),
    LocalSignIn(bool),
    /// Absent: every version is welcome.
    MinimumVersion(Option<Version>),
    Push(bool),
    HistoryDays(u32),
    Visibility(Vec<Visibility>),
}

/// As in the file.
pub const KEYS: [&str; 10] = [
    "house.name",
    "house.imprint_url",
    "house.privacy_url",
    "policy.guests",
    "policy.open_house",
    "policy.local_sign_in",
    "policy.minimum_version",
    "policy.push",
    "policy.history_days",
    "policy.visibility",
];

/// What the file or the environment says, and nobody can choose.
pub fn fixed(config: &Config) -> Vec<&'static str> {
    let (house, policy) = (&config.house, &config.policy);
    let said = [
        house.name.is_some(),
        house.imprint_url.is_some(),
        house.privacy_url.is_some(),
        policy.guests.is_some(),
        policy.open_house.is_some(),
        policy.local_sign_in.is_some(),
        policy.minimum_version.is_some(),
        policy.push.is_some(),
        policy.history_days.is_some(),
        policy.visibility.is_some(),
    ];
    let pairs = KEYS.into_iter().zip(said);
    pairs
        .filter(|(_, said)| *said)
        .map(|(key, _)| key)
        .collect()
}

/// What holds, as the command line shows it.
pub fn value_of(key: &str, effective: &Effective) -> String {
    match key {
        "house.name" => effective.name.clone(),
        "house.imprint_url" => effective.imprint_url.clone().unwrap_or_default(),
        "house.privacy_url" => effective.privacy_url.clone().unwrap_or_default(),
        "policy.guests" => effective.guests.to_string(),
        "policy.open_house" => effective.open_house.to_string(),
        "policy.local_sign_in" => effective.local_sign_in.to_string(),
        "policy.minimum_version" => minimum_in_words(effective.minimum_version),
        "policy.push" => effective.push.to_string(),
        "policy.history_days" => effective.history_days.to_string(),
        "policy.visibility" => rules_in_words(&effective.visibility),
        _ => String::new(),
    }
}

/// Takes away what was chosen, so that the default holds.
pub fn forget(key: &str, chosen: &mut Chosen) {
    match key {
        "house.name" => chosen.name = None,
        "house.imprint_url" => chosen.imprint_url = None,
        "house.privacy_url" => chosen.privacy_url = None,
        "policy.guests" => chosen.guests = None,
        "policy.open_house" => chosen.open_house = None,
        "policy.local_sign_in" => chosen.local_sign_in = None,
        "policy.minimum_version" => chosen.minimum_version = None,
        "policy.push" => chosen.push = None,
        "policy.history_days" => chosen.history_days = None,
        "policy.visibility" => chosen.visibility = None,
        _ => {}
    }
}

impl Choice {
    /// All that a request chooses, or nothing of it.
    pub fn read(change: ChangeSettings) -> Result<Vec<Self>, ErrorCode> {
        let mut choices = Vec::new();
        if let Some(name) = change.name {
            let name = DisplayName::parse(&name).map_err(|_| ErrorCode::NameInvalid)?;
            choices.push(Self::Name(name));
        }
        if let Some(text) = change.imprint_url {
            choices.push(Self::Imprint(link(&text)?));
        }
        if let Some(text) = change.privacy_url {
            choices.push(Self::Privacy(link(&text)?));
        }
        choices.extend(change.guests.map(Self::Guests));
        choices.extend(change.open_house.map(Self::OpenHouse));
        choices.extend(change.local_sign_in.map(Self::LocalSignIn));
        if let Some(text) = change.minimum_version {
            choices.push(Self::MinimumVersion(minimum(&text)?));
        }
        choices.extend(change.push.map(Self::Push));
        choices.extend(change.history_days.map(Self::HistoryDays));
        if let Some(rules) = change.visibility {
            let rules = rules.into_iter().map(|rule| Visibility {
                group: rule.group,
                sees: rule.sees,
            });
            choices.push(Self::Visibility(checked(rules.collect())?));
        }
        Ok(choices)
    }

    /// As the command line takes it.
    pub fn parse(key: &str, value: &str) -> anyhow::Result<Self> {
        let switch = || {
            let switch = value.parse::<bool>();
            switch.with_context(|| format!("{key} must be true or false"))
        };
        let address = || {
            let address = link(value).ok();
            address.with_context(|| format!("{key} must be an http, https or mailto address"))
        };
        Ok(match key {
            "house.name" => {
                Self::Name(DisplayName::parse(value).context("this name cannot be taken")?)
            }
            "house.imprint_url" => Self::Imprint(address()?),
            "house.privacy_url" => Self::Privacy(address()?),
            "policy.guests" => Self::Guests(switch()?),
            "policy.open_house" => Self::OpenHouse(switch()?),
            "policy.local_sign_in" => Self::LocalSignIn(switch()?),
            "policy.minimum_version" => Self::MinimumVersion(
                minimum(value)
                    .ok()
                    .with_context(|| format!("{key} must be a version, as in 0.2.0"))?,
            ),
            "policy.push" => Self::Push(switch()?),
            "policy.history_days" => {
                let days = value.parse().ok();
                Self::HistoryDays(days.with_context(|| format!("{key} must be a number of days"))?)
            }
            "policy.visibility" => Self::Visibility(rules(value)?),
            _ => bail!("{key} cannot be set; what can: {}", KEYS.join(", ")),
        })
    }

    pub fn key(&self) -> &'static str {
        match self {
            Self::Name(_) => "house.name",
            Self::Imprint(_) => "house.imprint_url",
            Self::Privacy(_) => "house.privacy_url",
            Self::Guests(_) => "policy.guests",
            Self::OpenHouse(_) => "policy.open_house",
            Self::LocalSignIn(_) => "policy.local_sign_in",
            Self::MinimumVersion(_) => "policy.minimum_version",
            Self::Push(_) => "policy.push",
            Self::HistoryDays(_) => "policy.history_days",
            Self::Visibility(_) => "policy.visibility",
        }
    }

    pub fn in_words(&self) -> String {
        let value = match self {
            Self::Name(name) => name.as_str().to_owned(),
            Self::Imprint(link) | Self::Privacy(link) => link.clone().unwrap_or_default(),
            Self::Guests(on) | Self::OpenHouse(on) | Self::LocalSignIn(on) | Self::Push(on) => {
                on.to_string()
            }
            Self::MinimumVersion(version) => minimum_in_words(*version),
            Self::HistoryDays(days) => days.to_string(),
            Self::Visibility(rules) => rules_in_words(rules),
        };
        format!("{} = {value}", self.key())
    }

    pub fn apply(self, chosen: &mut Chosen) {
        match self {
            Self::Name(name) => chosen.name = Some(name.into_string()),
            Self::Imprint(link) => chosen.imprint_url = link,
            Self::Privacy(link) => chosen.privacy_url = link,
            Self::Guests(on) => chosen.guests = Some(on),
            Self::OpenHouse(on) => chosen.open_house = Some(on),
            Self::LocalSignIn(on) => chosen.local_sign_in = Some(on),
            Self::MinimumVersion(version) => chosen.minimum_version = version,
            Self::Push(on) => chosen.push = Some(on),
            Self::HistoryDays(days) => chosen.history_days = Some(days),
            Self::Visibility(rules) => chosen.visibility = Some(rules),
        }
    }
}

/// Nothing means none.
fn minimum(text: &str) -> Result<Option<Version>, ErrorCode> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| ErrorCode::Malformed),
    }
}

fn minimum_in_words(version: Option<Version>) -> String {
    version
        .map(|version| version.to_string())
        .unwrap_or_default()
}

fn link(text: &str) -> Result<Option<String>, ErrorCode> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let url = Url::parse(text).ok();
    let url = url.filter(|url| text.len() <= MOST_LINK_BYTES && is_link(url));
    url.map(|url| Some(url.into()))
        .ok_or(ErrorCode::AddressInvalid)
}

fn checked(rules: Vec<Visibility>) -> Result<Vec<Visibility>, ErrorCode> {
    if rules.len() > MOST_RULES || rules.iter().any(|rule| rule.sees.len() > MOST_RULES) {
        return Err(ErrorCode::TooLarge);
    }
    let name = |text: String| {
        let name = GroupName::parse(&text).map_err(|_| ErrorCode::NameInvalid)?;
        Ok(name.as_str().to_owned())
    };
    let checked = rules.into_iter().map(|rule| {
        Ok(Visibility {
            group: name(rule.group)?,
            sees: rule.sees.into_iter().map(name).collect::<Result<_, _>>()?,
        })
    });
    checked.collect()
}

/// `Pupils: Teachers, Pupils; Guests of honour:`
fn rules(text: &str) -> anyhow::Result<Vec<Visibility>> {
    let rules = text.split(';').filter(|rule| !rule.trim().is_empty());
    let rules = rules.map(|rule| {
        let (group, sees) = rule
            .split_once(':')
            .context("policy.visibility must be like `Pupils: Teachers, Pupils; Others: Others`")?;
        let sees = sees
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        anyhow::Ok(Visibility {
            group: group.trim().to_owned(),
            sees: sees.map(str::to_owned).collect(),
        })
    });
    let checked = checked(rules.collect::<anyhow::Result<_>>()?).ok();
    let rules = checked
        .context("policy.visibility has a group with a name that cannot be one, or too many")?;
    ensure!(
        !rules.is_empty() || text.trim().is_empty(),
        "policy.visibility has no rule in it"
    );
    Ok(rules)
}

fn rules_in_words(rules: &[Visibility]) -> String {
    let words: Vec<_> = rules
        .iter()
        .map(|rule| format!("{}: {}", rule.group, rule.sees.join(", ")))
        .collect();
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(key: &str, value: &str) -> Result<String, String> {
        let choice = Choice::parse(key, value);
        choice
            .map(|choice| choice.in_words())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_chosen_holds_and_is_told_in_the_same_words() {
        for (key, value, default) in [
            ("house.name", "Kirchengemeinde", "Stube"),
            ("house.imprint_url", "https://example.org/imprint", ""),
            ("house.privacy_url", "mailto:privacy@example.org", ""),
            ("policy.guests", "false", "true"),
            ("policy.open_house", "true", "false"),
            ("policy.local_sign_in", "false", "true"),
            ("policy.minimum_version", "0.2.0", ""),
            ("policy.push", "true", "false"),
            ("policy.history_days", "0", "90"),
            ("policy.visibility", "Pupils: Teachers, Pupils; Cooks: ", ""),
        ] {
            assert_eq!(parsed(key, value), Ok(format!("{key} = {value}")));
            let mut chosen = Chosen::default();
            Choice::parse(key, value).expect(key).apply(&mut chosen);
            let holds = |chosen: &Chosen| {
                let settings = crate::settings::Settings::new(Config::default(), chosen.clone());
                value_of(key, &settings.get())
            };
            assert_eq!(holds(&chosen), value, "{key}");
            forget(key, &mut chosen);
            assert_eq!(holds(&chosen), default, "{key} forgotten");
            assert_eq!(chosen, Chosen::default(), "{key}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_key() {
        for (key, value) in [
            ("policy.guests", "yes"),
            ("policy.history_days", "-1"),
            ("house.imprint_url", "javascript:alert(1)"),
            ("house.privacy_url", "/privacy"),
            ("policy.minimum_version", "new"),
            ("policy.minimum_version", "1.2"),
            ("policy.visibility", "Pupils"),
            ("policy.visibility", "Pu\u{202e}pils: Teachers"),
            ("database.url", "postgres://"),
        ] {
            let error = parsed(key, value).expect_err(key);
            assert!(error.contains(key), "{error}");
        }
        assert!(parsed("house.name", " ").is_err());
        assert_eq!(
            parsed("house.imprint_url", ""),
            Ok("house.imprint_url = ".to_owned())
        );
    }

    #[test]
    fn keys_of_the_file_are_fixed() {
        assert_eq!(fixed(&Config::default()), Vec::<&str>::new());
        let mut config = Config::default();
        config.house.name = Some("Verein".to_owned());
        config.policy.visibility = Some(Vec::new());
        assert_eq!(fixed(&config), ["house.name", "policy.visibility"]);
    }
}
