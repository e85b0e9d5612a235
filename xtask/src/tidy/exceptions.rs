//! `xtask/exceptions.toml`: which finding is excused, and why.
//!
//! Each entry needs a reason, and goes as soon as nothing needs it.

use anyhow::{Context, Result, ensure};

use super::Finding;

#[derive(Debug)]
pub struct Exceptions {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    rule: String,
    at: String,
}

impl Exceptions {
    pub fn parse(text: &str) -> Result<Exceptions> {
        let table: toml::Table = text.parse().context("xtask/exceptions.toml")?;
        let empty = Vec::new();
        let rows = table
            .get("exception")
            .and_then(toml::Value::as_array)
            .unwrap_or(&empty);
        let entries = rows.iter().map(Entry::parse).collect::<Result<_>>()?;
        Ok(Exceptions { entries })
    }

    /// Takes the excused ones away and adds one for each entry that excuses nothing.
    pub fn apply(&self, findings: Vec<Finding>) -> Result<Vec<Finding>> {
        let unused = self
            .entries
            .iter()
            .filter(|entry| !findings.iter().any(|finding| entry.excuses(finding)));
        let unused: Vec<Finding> = unused
            .map(|entry| {
                let message = format!(
                    "nothing at {} breaks `{}` any more: take the entry away",
                    entry.at, entry.rule
                );
                Finding::new("stale-exception", "xtask/exceptions.toml", message)
            })
            .collect();
        let kept = findings
            .into_iter()
            .filter(|finding| !self.entries.iter().any(|entry| entry.excuses(finding)));
        Ok(kept.chain(unused).collect())
    }
}

impl Entry {
    fn parse(row: &toml::Value) -> Result<Entry> {
        let field = |name: &str| {
            let value = row
                .get(name)
                .and_then(toml::Value::as_str)
                .map(str::trim)
                .unwrap_or_default();
            ensure!(
                !value.is_empty(),
                "an entry of xtask/exceptions.toml has no {name}: {row}"
            );
            Ok(value.to_string())
        };
        field("reason")?;
        Ok(Entry {
            rule: field("rule")?,
            at: field("at")?,
        })
    }

    fn excuses(&self, finding: &Finding) -> bool {
        self.rule == finding.rule && self.at == finding.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str =
        "[[exception]]\nrule = \"file-length\"\nat = \"a.rs\"\nreason = \"a table\"\n";

    fn long(at: &str) -> Finding {
        Finding::new("file-length", at, "700 lines")
    }

    #[test]
    fn an_excused_finding_is_taken_away_and_no_other() {
        let exceptions = Exceptions::parse(LONG).unwrap();
        assert_eq!(
            exceptions.apply(vec![long("a.rs"), long("b.rs")]).unwrap(),
            [long("b.rs")]
        );
    }

    #[test]
    fn an_excuse_for_nothing_is_a_finding() {
        let findings = Exceptions::parse(LONG).unwrap().apply(vec![]).unwrap();
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].rule, "stale-exception");
    }

    #[test]
    fn an_excuse_without_a_reason_is_refused() {
        let error = Exceptions::parse("[[exception]]\nrule = \"x\"\nat = \"y\"\n").unwrap_err();
        assert!(error.to_string().contains("has no reason"), "{error}");
    }
}
