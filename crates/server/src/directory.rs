//! The directory as people of the house read it: the rules of the house, the search, favourites, and how often one may
//! search. What is found and who sees whom decides `identity::directory`.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use identity::GroupName;
use identity::directory::{LISTED_WHOLE, MOST_HITS, Rule, Search, Sight, order};
use identity::throttle::Quota;
use protocol::http::people::{Near, People, Person};
use protocol::{ErrorCode, UserId};

use crate::app::App;
use crate::chance;
use crate::config::Visibility;
use crate::http::error::{ApiError, ApiResult};
use crate::store::users::Account;
use crate::store::{self, favourites, groups, history, people};

/// Nobody types faster for longer; a program that reads everybody does.
const SEARCH_BURST: u32 = 120;
const SEARCH_EVERY: Duration = Duration::from_millis(500);

/// More than anybody looks through.
const MOST_FAVOURITES: u32 = 100;
const MOST_RECENT: u32 = 20;

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
    let favourites = favourites::all_of(&app.db, reader).await?;
    let search = Search::parse(text);
    if search.is_telling() {
        let mut found = people::search(&app.db, reader, &sight, &search).await?;
        let more = found.len() > MOST_HITS;
        found.truncate(MOST_HITS);
        return Ok(listed(found, &favourites, more, false));
    }
    let mut seen = people::seen(&app.db, reader, &sight).await?;
    if seen.len() > LISTED_WHOLE {
        return Ok(listed(Vec::new(), &favourites, false, true));
    }
    seen.retain(|person| search.finds(&person.entry()));
    seen.sort_by_cached_key(|person| (order(&person.name), person.id.clone()));
    Ok(listed(seen, &favourites, false, false))
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

/// Who of these people this reader may know of, in no order. Who is locked is not among them.
pub async fn seen_of(app: &App, reader: &UserId, people: &[UserId]) -> store::Result<Vec<Account>> {
    people::seen_of(&app.db, reader, &sight(app, reader).await?, people).await
}

/// Somebody whom this reader may know of.
pub async fn person(app: &App, reader: &UserId, id: &UserId) -> ApiResult<Person> {
    let seen = seen_of(app, reader, std::slice::from_ref(id)).await?;
    let person = seen.into_iter().next().ok_or(ErrorCode::NotFound)?;
    Ok(shown(person, &favourites::all_of(&app.db, reader).await?))
}

/// Favourites, by name, and who had a call with the reader of late, the last one first.
pub async fn near(app: &App, reader: &UserId) -> ApiResult<Near> {
    let chosen = favourites::of(&app.db, reader).await?;
    let recent = history::recent_people(&app.db, reader, MOST_RECENT).await?;
    let both = [chosen.as_slice(), recent.as_slice()].concat();
    let seen = seen_of(app, reader, &both).await?.into_iter();
    let seen: HashMap<UserId, Account> = seen.map(|person| (person.id.clone(), person)).collect();
    let marked = chosen.iter().cloned().collect();
    let of = |ids: &[UserId]| -> Vec<Person> {
        let found = ids.iter().filter_map(|id| seen.get(id).cloned());
        found.map(|person| shown(person, &marked)).collect()
    };
    let mut favourites = of(&chosen);
    favourites.sort_by_cached_key(|person| (order(&person.name), person.id.clone()));
    Ok(Near {
        favourites,
        recent: of(&recent),
    })
}

pub async fn add_favourite(app: &App, reader: &UserId, id: &UserId) -> ApiResult<()> {
    person(app, reader, id).await?;
    let now = chance::unix_ms();
    if !favourites::add(&app.db, reader, id, now, MOST_FAVOURITES).await? {
        return Err(ErrorCode::TooMany.into());
    }
    Ok(())
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

fn listed(
    people: Vec<Account>,
    favourites: &HashSet<UserId>,
    more: bool,
    type_more: bool,
) -> People {
    let people = people.into_iter();
    People {
        people: people.map(|person| shown(person, favourites)).collect(),
        more,
        type_more,
    }
}

fn shown(person: Account, favourites: &HashSet<UserId>) -> Person {
    Person {
        favourite: favourites.contains(&person.id),
        id: person.id,
        name: person.name,
        username: person.username,
        mail: person.mail,
        picture: person.picture,
    }
}
