//! The directory as people of the house read it: the rules of the house, the search, and how often one may search.
//! What is found and who sees whom decides `identity::directory`.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use identity::GroupName;
use identity::directory::{LISTED_WHOLE, MOST_HITS, Rule, Search, Sight, order};
use identity::throttle::Quota;
use protocol::http::people::{People, Person};
use protocol::{ErrorCode, UserId};

use crate::app::App;
use crate::config::Visibility;
use crate::http::error::{ApiError, ApiResult};
use crate::store::users::Account;
use crate::store::{self, groups, people};

/// Nobody types faster for longer; a program that reads everybody does.
const SEARCH_BURST: u32 = 120;
const SEARCH_EVERY: Duration = Duration::from_millis(500);

/// How often each account searched of late.
#[derive(Debug)]
pub struct Searches(Mutex<Quota<UserId>>);

impl Default for Searches {
    fn default() -> Self {
        Self(Mutex::new(Quota::new(SEARCH_BURST, SEARCH_EVERY)))
    }
}

impl Searches {
    fn take(&self, reader: &UserId) -> ApiResult<()> {
        let mut quota = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = quota.take(Instant::now(), reader.clone());
        taken.map_err(|wait| ApiError::retry(ErrorCode::RateLimited, wait))
    }
}

pub async fn search(app: &App, reader: &UserId, text: &str) -> ApiResult<People> {
    app.searches.take(reader)?;
    let sight = sight(app, reader).await?;
    let search = Search::parse(text);
    if search.is_telling() {
        let mut found = people::search(&app.db, reader, &sight, &search).await?;
        let more = found.len() > MOST_HITS;
        found.truncate(MOST_HITS);
        return Ok(listed(found, more, false));
    }
    let mut seen = people::seen(&app.db, reader, &sight).await?;
    if seen.len() > LISTED_WHOLE {
        return Ok(listed(Vec::new(), false, true));
    }
    seen.retain(|person| search.finds(&person.entry()));
    seen.sort_by_cached_key(|person| (order(&person.name), person.id.clone()));
    Ok(listed(seen, false, false))
}

/// Whether this reader may know of somebody: of themselves always, of others as the rules of the house say.
pub async fn may_see(app: &App, reader: &UserId, other: &UserId) -> store::Result<bool> {
    if reader == other {
        return Ok(true);
    }
    match sight(app, reader).await? {
        Sight::Everybody => Ok(true),
        some => Ok(some.covers(&groups::keys_of(&app.db, other).await?)),
    }
}

async fn sight(app: &App, reader: &UserId) -> store::Result<Sight> {
    let rules = rules(&app.settings.get().visibility);
    if rules.is_empty() {
        return Ok(Sight::Everybody);
    }
    Ok(Sight::new(&rules, &groups::keys_of(&app.db, reader).await?))
}

/// A name that no group can have is nobody's.
fn rules(visibility: &[Visibility]) -> Vec<Rule> {
    let key = |name: &String| {
        GroupName::parse(name)
            .ok()
            .map(|name| name.key().to_owned())
    };
    visibility
        .iter()
        .filter_map(|rule| {
            Some(Rule {
                group: key(&rule.group)?,
                sees: rule.sees.iter().filter_map(key).collect(),
            })
        })
        .collect()
}

fn listed(people: Vec<Account>, more: bool, type_more: bool) -> People {
    let shown = |person: Account| Person {
        favourite: false,
        id: person.id,
        name: person.name,
        username: person.username,
        mail: person.mail,
        picture: person.picture,
    };
    People {
        people: people.into_iter().map(shown).collect(),
        more,
        type_more,
    }
}
