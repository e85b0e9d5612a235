//! The parameters of one request, in the order they came. No `Debug`: secrets and codes are among them.

use url::form_urlencoded;

#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

/// A parameter that stands twice, which none may (RFC 6749 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated;

impl From<Vec<(String, String)>> for Parameters {
    fn from(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }
}

impl Parameters {
    /// `application/x-www-form-urlencoded`, as queries and forms are.
    pub fn parse(text: &str) -> Self {
        Self(
            form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// One without a value counts as absent.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut values = self
            .0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            return Err(Repeated);
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.retain(|(key, _)| key != name);
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn to_query(&self) -> String {
        query(&self.0)
    }
}

pub(super) fn query(pairs: &[(impl AsRef<str>, impl AsRef<str>)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_stands_once_or_not_at_all() {
        let parameters = Parameters::parse("a=1&b=&c=x%20y&c=z&d");
        assert_eq!(parameters.one("a"), Ok(Some("1")));
        assert_eq!(parameters.one("b"), Ok(None));
        assert_eq!(parameters.one("d"), Ok(None));
        assert_eq!(parameters.one("e"), Ok(None));
        assert_eq!(parameters.one("c"), Err(Repeated));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let parameters = Parameters::parse("state=%C3%A4%26+b&x=1").with("x", "2 3");
        assert_eq!(parameters.to_query(), "state=%C3%A4%26+b&x=2+3");
        assert!(Parameters::parse(&parameters.to_query()) == parameters);
    }
}
