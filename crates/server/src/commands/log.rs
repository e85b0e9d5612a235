//! `stube audit`: who changed what.

use clap::Args;

use crate::audit;
use crate::config::Config;
use crate::run;
use crate::store::audit::{self as stored, Entry};

#[derive(Args)]
pub struct AuditCommand {
    /// How many lines, counted from the newest.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    lines: u32,
}

impl AuditCommand {
    pub async fn execute(self, config: Config) -> anyhow::Result<()> {
        let db = run::open_store(&config).await?;
        let mut entries = stored::page(&db, None, self.lines).await?;
        entries.reverse();
        for entry in &entries {
            println!("{}", line(entry));
        }
        db.close().await;
        Ok(())
    }
}

/// One line, whatever is in the details: seconds since 1970 sort and are understood by `date -d @…`.
fn line(entry: &Entry) -> String {
    format!(
        "{}\t{}\t{}\t{}\t{}",
        entry.at / 1000,
        audit::by(entry),
        entry.action,
        audit::subject(entry),
        entry.details.replace('\n', "; ")
    )
}
