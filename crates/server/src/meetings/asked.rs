//! Whom somebody asks to a meeting or into a room: people of the house whom they may see, and mail addresses of others.

use std::collections::BTreeSet;

use identity::Mail;
use identity::meeting::MOST_PEOPLE;
use protocol::http::meetings::ChangeMeeting;
use protocol::{ErrorCode, UserId};

use crate::app::App;
use crate::directory;
use crate::http::error::ApiResult;
use crate::store::meetings::{Asked, AskedPerson};
use crate::store::users::{self, Account};

/// Each once, and never who asks. A mail address of somebody of the house means that person, where who asks may see them.
pub async fn resolve(
    app: &App,
    by: &Account,
    people: &[UserId],
    mails: &[String],
) -> ApiResult<Vec<Asked>> {
    if people.len() + mails.len() > MOST_PEOPLE {
        return Err(ErrorCode::TooMany.into());
    }
    let mut asked = Vec::new();
    for id in people {
        asked.push(Asked::Person(person(app, by, id).await?.id));
    }
    for mail in mails {
        let mail = Mail::parse(mail)?;
        asked.push(match of_the_house(app, by, &mail).await? {
            Some(person) => Asked::Person(person),
            None => Asked::Mail(mail),
        });
    }
    let mut seen = BTreeSet::new();
    let own = Asked::Person(by.id.clone());
    asked.retain(|one| *one != own && seen.insert(one.key()));
    Ok(asked)
}

/// Of a meeting that is changed: what is not said of stays. Who is there already is not looked at again, since they may have
/// been locked or hidden since.
pub async fn changed(
    app: &App,
    by: &Account,
    before: &[AskedPerson],
    body: &ChangeMeeting,
) -> ApiResult<Vec<Asked>> {
    let there = |wanted: &UserId| before.iter().any(|one| one.user.as_ref() == Some(wanted));
    let mut asked = Vec::new();
    let mut new_people = Vec::new();
    match &body.people {
        Some(people) => {
            let (old, new): (Vec<_>, Vec<_>) = people.iter().cloned().partition(there);
            asked.extend(old.into_iter().map(Asked::Person));
            new_people = new;
        }
        None => asked.extend(
            before
                .iter()
                .filter_map(|one| one.user.clone().map(Asked::Person)),
        ),
    }
    let kept: Vec<String>;
    let mails = match &body.mails {
        Some(mails) => mails,
        None => {
            let outside = before.iter().filter(|one| one.user.is_none());
            kept = outside.filter_map(|one| one.mail.clone()).collect();
            &kept
        }
    };
    asked.extend(resolve(app, by, &new_people, mails).await?);
    let mut seen = BTreeSet::new();
    asked.retain(|one| seen.insert(one.key()));
    if asked.len() > MOST_PEOPLE {
        return Err(ErrorCode::TooMany.into());
    }
    Ok(asked)
}

/// Somebody whom this reader may see; of others nothing is told, not even whether they are there.
pub async fn person(app: &App, by: &Account, id: &UserId) -> ApiResult<Account> {
    let seen = directory::may_see(app, &by.id, id).await?;
    let person = users::by_id(&app.db, id).await?.filter(|_| seen);
    let person = person.filter(|person| !person.locked);
    Ok(person.ok_or(ErrorCode::NotFound)?)
}

/// Two people may share an address: then it means nobody in particular.
async fn of_the_house(app: &App, by: &Account, mail: &Mail) -> ApiResult<Option<UserId>> {
    let found = users::by_mail(&app.db, mail.key()).await?;
    let [(person, _)] = found.as_slice() else {
        return Ok(None);
    };
    let seen = !person.locked && directory::may_see(app, &by.id, &person.id).await?;
    Ok(seen.then(|| person.id.clone()))
}
