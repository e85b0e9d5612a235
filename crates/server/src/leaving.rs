//! Somebody's account is changed or goes while the house runs: what ended with it is closed at once, here, and by other
//! processes within moments.

use house::Input;
use protocol::{ErrorCode, UserId};

use crate::app::App;
use crate::audit::{self, Actor};
use crate::chance;
use crate::http::error::ApiResult;
use crate::meetings;
use crate::sign_ins;
use crate::store::leaving::{self, Removed};
use crate::store::rooms;
use crate::store::users::{Account, Change, Changed};

/// Changes an account; locking ends all its sessions. Writing it to the audit log is the caller's.
pub async fn change(app: &App, user: &UserId, change: &Change) -> ApiResult<Account> {
    let (changed, ended) = leaving::change(&app.db, user, change, &chance::id()).await?;
    for session in &ended {
        sign_ins::close(app, session).await;
    }
    match changed {
        Changed::Done(account) => {
            tell(app, &account);
            Ok(account)
        }
        Changed::Nobody => Err(ErrorCode::NotFound.into()),
        Changed::LastAdministrator => Err(ErrorCode::LastAdmin.into()),
    }
}

/// Their calls end with a lock; otherwise they may be called something else.
fn tell(app: &App, account: &Account) {
    let user = account.id.clone();
    app.rooms.house().tell(match account.locked {
        true => Input::PersonGone { user },
        false => Input::FactsChanged { user },
    });
}

/// Removes somebody and everything that is theirs.
pub async fn remove(app: &App, actor: &Actor, user: &UserId) -> ApiResult<()> {
    let planned = meetings::of_owner(app, user).await?;
    let (sessions, rooms, gone) = match leaving::remove(&app.db, user, &chance::id()).await? {
        Removed::Done {
            sessions,
            rooms,
            gone,
        } => (sessions, rooms, gone),
        Removed::Nobody => return Err(ErrorCode::NotFound.into()),
        Removed::LastAdministrator => return Err(ErrorCode::LastAdmin.into()),
    };
    for session in &sessions {
        sign_ins::close(app, session).await;
    }
    meetings::are_gone(app, planned);
    let news = Input::PersonGone { user: user.clone() };
    app.rooms.house().tell(news);
    for room in &rooms {
        if let Some(room) = rooms::by_id(&app.db, room).await? {
            app.rooms.room_changed(&room).await;
        }
    }
    for room in &gone {
        app.rooms.room_deleted(room).await;
    }
    let subject = format!("user:{user}");
    audit::record(&app.db, actor, "person.removed", &subject, "").await?;
    Ok(())
}
