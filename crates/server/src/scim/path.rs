//! Attribute paths and filters, as much of them as there is to filter by (RFC 7644, sections 3.4.2.2 and 3.5.2).

use super::error::{ScimError, ScimResult};

/// `name.givenName`, `emails[type eq "work"].value`: in small letters, without the schema before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    pub attribute: String,
    pub filter: Option<Filter>,
    pub sub: Option<String>,
}

/// `attribute eq "value"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub attribute: String,
    pub value: String,
}

impl Path {
    pub fn parse(text: &str) -> ScimResult<Self> {
        let wrong = || ScimError::invalid_path(text);
        let rest = without_schema(text.trim());
        let (head, filter, tail) = match rest.split_once('[') {
            Some((head, rest)) => {
                let (inside, tail) = rest.rsplit_once(']').ok_or_else(wrong)?;
                let filter = Filter::parse(inside).map_err(|_| wrong())?;
                (head, Some(filter), tail)
            }
            None => match rest.split_once('.') {
                Some((head, _)) => (head, None, rest.get(head.len()..).unwrap_or_default()),
                None => (rest, None, ""),
            },
        };
        let sub = match tail {
            "" => None,
            tail => Some(name(tail.strip_prefix('.').ok_or_else(wrong)?).ok_or_else(wrong)?),
        };
        Ok(Self {
            attribute: name(head).ok_or_else(wrong)?,
            filter,
            sub,
        })
    }

    /// Attribute and sub-attribute.
    pub fn names(&self) -> (&str, Option<&str>) {
        (&self.attribute, self.sub.as_deref())
    }
}

impl Filter {
    pub fn parse(text: &str) -> ScimResult<Self> {
        let mut parts = text.trim().splitn(3, ' ');
        let (attribute, operator, value) = (parts.next(), parts.next(), parts.next());
        let (Some(attribute), Some(operator), Some(value)) = (attribute, operator, value) else {
            return Err(ScimError::invalid_filter());
        };
        let attribute = without_schema(attribute).to_lowercase();
        let value = match serde_json::from_str(value.trim()) {
            Ok(serde_json::Value::String(value)) => value,
            Ok(serde_json::Value::Bool(value)) => value.to_string(),
            _ => return Err(ScimError::invalid_filter()),
        };
        if !operator.eq_ignore_ascii_case("eq") || attribute.is_empty() {
            return Err(ScimError::invalid_filter());
        }
        Ok(Self { attribute, value })
    }
}

/// `urn:ietf:params:scim:schemas:core:2.0:User:userName` is `userName`; of a schema of its own the whole stays, and is
/// nothing of ours.
fn without_schema(text: &str) -> &str {
    const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:";
    let core = text
        .get(..CORE.len())
        .filter(|start| start.eq_ignore_ascii_case(CORE));
    let rest = core.and_then(|_| text.get(CORE.len()..));
    rest.and_then(|rest| rest.split_once(':'))
        .map_or(text, |(_, name)| name)
}

fn name(text: &str) -> Option<String> {
    let good = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '$' | '_' | '-' | ':' | '.'));
    good.then(|| text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_the_large_providers_write_them() {
        let check = |text: &str, expect: Option<(&str, Option<&str>, Option<&str>)>| {
            let found = Path::parse(text).ok();
            let found = found.as_ref().map(|path| {
                let value = path.filter.as_ref().map(|filter| filter.value.as_str());
                (path.attribute.as_str(), value, path.sub.as_deref())
            });
            assert_eq!(found, expect, "{text}");
        };
        check("active", Some(("active", None, None)));
        check("name.givenName", Some(("name", None, Some("givenname"))));
        check(
            "emails[type eq \"work\"].value",
            Some(("emails", Some("work"), Some("value"))),
        );
        check(
            "emails[primary eq true]",
            Some(("emails", Some("true"), None)),
        );
        check(
            "members[value eq \"a]b\"]",
            Some(("members", Some("a]b"), None)),
        );
        check(
            "urn:ietf:params:scim:schemas:core:2.0:User:userName",
            Some(("username", None, None)),
        );
        check(
            "URN:ietf:params:scim:schemas:core:2.0:User:name.familyName",
            Some(("name", None, Some("familyname"))),
        );
        for wrong in [
            "",
            " ",
            "emails[",
            "emails[type eq work]",
            "a b",
            "emails[type eq \"x\"]value",
            "na\u{e4}me",
            ".x",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_filter_is_one_comparison() {
        let check = |text: &str, expect: Option<(&str, &str)>| {
            let found = Filter::parse(text).ok();
            let found = found
                .as_ref()
                .map(|one| (one.attribute.as_str(), one.value.as_str()));
            assert_eq!(found, expect, "{text}");
        };
        check("userName eq \"anna\"", Some(("username", "anna")));
        check(
            "userName Eq \"a b \\\"c\\\"\"",
            Some(("username", "a b \"c\"")),
        );
        check(
            "emails.value eq \"a@x.org\"",
            Some(("emails.value", "a@x.org")),
        );
        for wrong in [
            "",
            "userName",
            "userName co \"a\"",
            "userName eq a",
            "userName eq \"a\" or active eq true",
            "userName eq 5",
        ] {
            check(wrong, None);
        }
    }
}
