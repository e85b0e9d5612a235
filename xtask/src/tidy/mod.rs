//! `cargo xtask tidy`: the rules of the house that no compiler knows, each a module that returns findings.
//!
//! A finding can be excused in `xtask/exceptions.toml`, with a reason; an excuse that nothing needs is a finding itself.

mod edges;
mod exceptions;
mod files;
mod headers;
mod licences;
mod links;
mod lockfile;
mod purity;
mod rust_source;
mod sizes;
mod text;
mod web;
mod words;

use anyhow::{Result, ensure};

use crate::tools::{Repo, metadata};
use crate::{Success, codegen};
use exceptions::Exceptions;
use files::Files;

/// Something that breaks a rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The rule's name, as in the exceptions list.
    pub rule: &'static str,
    /// A path, or a path and a name within it (`path::name`).
    pub at: String,
    pub message: String,
}

impl Finding {
    fn new(rule: &'static str, at: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding {
            rule,
            at: at.into(),
            message: message.into(),
        }
    }
}

pub fn command(repo: &Repo, arguments: &[String]) -> Result<Success> {
    ensure!(arguments.is_empty(), "tidy takes no arguments");
    check(repo)?;
    codegen::check(repo)?;
    println!("Tidy.");
    Ok(Success::Yes)
}

/// All rules at once. Prints what breaks them and fails if anything does.
pub fn check(repo: &Repo) -> Result<()> {
    let findings = findings(repo)?;
    for finding in &findings {
        println!("{}: {} [{}]", finding.at, finding.message, finding.rule);
    }
    ensure!(
        findings.is_empty(),
        "{} rules of the house are broken",
        findings.len()
    );
    Ok(())
}

fn findings(repo: &Repo) -> Result<Vec<Finding>> {
    let files = Files::read(repo)?;
    let metadata = metadata(&repo.root, &["--no-deps"])?;
    let mut findings = Vec::new();
    findings.extend(edges::check(&metadata)?);
    findings.extend(purity::check(&files));
    findings.extend(headers::check(
        &files,
        &headers::crate_roots(repo, &metadata)?,
    ));
    findings.extend(sizes::check(&files));
    findings.extend(licences::check(repo, &files)?);
    findings.extend(lockfile::check(&files)?);
    findings.extend(links::check(&files));
    findings.extend(words::check(&files));
    findings.extend(web::check(&files));
    Exceptions::parse(files.text("xtask/exceptions.toml").unwrap_or_default())?.apply(findings)
}
