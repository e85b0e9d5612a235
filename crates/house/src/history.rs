//! Lines of what somebody did and missed, and how many of the missed calls they have not looked at.

use protocol::{HistoryId, HomeChange, UserId};

use crate::House;
use crate::io::{Now, Output, Persist};

impl House {
    pub(crate) fn see_missed(&mut self, user: &UserId) {
        let Some(home) = self.home_of(user).filter(|home| home.missed > 0) else {
            return;
        };
        home.missed = 0;
        self.loaded_too_early(user);
        self.outputs
            .push_back(Output::Persist(Persist::MissedSeen { user: user.clone() }));
        self.tell(user, &HomeChange::MissedChanged { missed: 0 });
    }

    /// Missed calls may have been among them: how many are left is known to the store.
    pub(crate) fn history_deleted(
        &mut self,
        now: Now,
        user: &UserId,
        entries: Option<Vec<HistoryId>>,
    ) {
        self.facts_changed(now, user);
        let change = match entries {
            Some(entries) => HomeChange::HistoryRemoved { entries },
            None => HomeChange::HistoryCleared,
        };
        self.tell(user, &change);
    }
}
