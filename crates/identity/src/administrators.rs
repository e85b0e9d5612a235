//! The house always has an administrator who can sign in: what may be done to the one who is the last.

/// What somebody is, as far as this matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub admin: bool,
    pub locked: bool,
}

impl Standing {
    fn keeps_house(self) -> bool {
        self.admin && !self.locked
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the house needs one administrator who can sign in")]
pub struct LastAdministrator;

/// Whether somebody may become what `after` says; absent: is deleted. `others`: the other administrators who are not
/// locked, counted where nobody can take one away before this is done.
pub fn may_become(
    before: Standing,
    after: Option<Standing>,
    others: u64,
) -> Result<(), LastAdministrator> {
    let kept = after.is_some_and(Standing::keeps_house);
    if before.keeps_house() && !kept && others == 0 {
        return Err(LastAdministrator);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_administrator_stays_one_and_unlocked() {
        const MEMBER: Standing = Standing {
            admin: false,
            locked: false,
        };
        const ADMIN: Standing = Standing {
            admin: true,
            locked: false,
        };
        const LOCKED: Standing = Standing {
            admin: true,
            locked: true,
        };
        let check = |what: &str, before, after, others: u64, expect: bool| {
            assert_eq!(may_become(before, after, others).is_ok(), expect, "{what}");
        };
        check("the last is deleted", ADMIN, None, 0, false);
        check("the last is locked", ADMIN, Some(LOCKED), 0, false);
        check("the last steps down", ADMIN, Some(MEMBER), 0, false);
        check("the last gets another name", ADMIN, Some(ADMIN), 0, true);
        check("one of two is deleted", ADMIN, None, 1, true);
        check("one of two is locked", ADMIN, Some(LOCKED), 1, true);
        check("one of two steps down", ADMIN, Some(MEMBER), 1, true);
        check("a member is deleted", MEMBER, None, 0, true);
        check("a member becomes one", MEMBER, Some(ADMIN), 0, true);
        check("one who is locked is deleted", LOCKED, None, 0, true);
        check("one who is locked is let in", LOCKED, Some(ADMIN), 0, true);
    }
}
