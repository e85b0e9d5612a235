//! One connection to the directory: encrypted if it leaves this computer, bound as the service or as somebody who signs in.
//!
//! Every step has a deadline. What people type goes into filters escaped, and never as an empty password into a bind: to
//! a directory, that means to be nobody in particular, and succeeds.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use ldap3::adapters::{Adapter, EntriesOnly, PagedResults};
use ldap3::{LdapConnAsync, LdapConnSettings, Scope, SearchEntry, SearchStream, ldap_escape};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::entry::{self, Group, Record};
use crate::config::outside::{self, LdapAttributes};

const PATIENCE: Duration = Duration::from_secs(10);
/// Active Directory gives up to a thousand at once; others are set to give less.
const PAGE: i32 = 100;
/// The steps from somebody to a group of groups at sign-in.
const DEPTH: usize = 8;

/// The directory does not take this name or password.
const INVALID_CREDENTIALS: u32 = 49;
/// Not now, or not this server: says nothing about the password.
const BUSY: u32 = 51;
const UNAVAILABLE: u32 = 52;
const OTHER: u32 = 80;

/// Where the directory is and how to speak to it.
pub struct Address {
    pub settings: outside::Ldap,
    url: url::Url,
    password: String,
    tls: Arc<ClientConfig>,
}

impl Address {
    /// Reads what stands in files; says nothing to the directory.
    pub fn new(settings: &outside::Ldap, url: url::Url) -> anyhow::Result<Self> {
        let password = outside::secret(&settings.bind_password, &settings.bind_password_file)?;
        let password = password.unwrap_or_default();
        if password.is_empty() && !settings.bind_dn.is_empty() {
            bail!("ldap.bind_dn needs ldap.bind_password or ldap.bind_password_file beside it");
        }
        Ok(Self {
            tls: tls(settings)?,
            settings: settings.clone(),
            url,
            password,
        })
    }

    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    async fn connect(&self) -> anyhow::Result<ldap3::Ldap> {
        let settings = LdapConnSettings::new()
            .set_conn_timeout(PATIENCE)
            .set_starttls(self.settings.start_tls)
            .set_config(self.tls.clone());
        let (connection, ldap) = LdapConnAsync::from_url_with_settings(settings, &self.url)
            .await
            .context("the directory cannot be reached")?;
        tokio::spawn(async move {
            if let Err(error) = connection.drive().await {
                tracing::debug!(%error, "the connection to the directory broke");
            }
        });
        Ok(ldap)
    }

    /// As the service.
    pub async fn open(&self) -> anyhow::Result<Connection<'_>> {
        let mut ldap = self.connect().await?;
        if !self.settings.bind_dn.is_empty() {
            let bound = ldap
                .with_timeout(PATIENCE)
                .simple_bind(&self.settings.bind_dn, &self.password)
                .await
                .and_then(|result| result.success());
            bound.context("the directory does not take ldap.bind_dn with its password")?;
        }
        Ok(Connection {
            address: self,
            ldap,
        })
    }

    /// Whether this is the password of this entry.
    pub async fn is_password(&self, dn: &str, password: &str) -> anyhow::Result<bool> {
        if dn.is_empty() || password.is_empty() {
            return Ok(false);
        }
        let mut ldap = self.connect().await?;
        let result = ldap
            .with_timeout(PATIENCE)
            .simple_bind(dn, password)
            .await?;
        // Nobody waits for the goodbye.
        let _ = ldap.unbind().await;
        match result.rc {
            0 => Ok(true),
            BUSY | UNAVAILABLE | OTHER => bail!("the directory cannot check passwords now"),
            code => {
                if code != INVALID_CREDENTIALS {
                    tracing::info!(
                        code,
                        "the directory refuses a sign-in, and not for the password"
                    );
                }
                Ok(false)
            }
        }
    }
}

fn tls(settings: &outside::Ldap) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    // Some files of a system are always odd; what is missing shows when it is needed.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = &settings.ca_file {
        let wrong = || format!("ldap.ca_file {} cannot be used", file.display());
        let mut any = false;
        for certificate in CertificateDer::pem_file_iter(file).with_context(wrong)? {
            roots
                .add(certificate.with_context(wrong)?)
                .with_context(wrong)?;
            any = true;
        }
        if !any {
            bail!("ldap.ca_file {} has no certificate in it", file.display());
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

type Entries = SearchStream<'static, String, Vec<String>>;

pub struct Connection<'a> {
    address: &'a Address,
    ldap: ldap3::Ldap,
}

impl Connection<'_> {
    fn settings(&self) -> &outside::Ldap {
        &self.address.settings
    }

    /// Everybody. What has no id is left out and counted.
    pub async fn people(&mut self) -> anyhow::Result<(Vec<Record>, usize)> {
        let filter = self.settings().filter.clone();
        let names = self.person_attributes();
        let entries = self.search(&filter, names).await;
        let entries = entries.context("people cannot be read from the directory")?;
        let all = entries.len();
        let people: Vec<_> = entries
            .iter()
            .filter_map(|found| entry::person(found, &self.settings().attributes))
            .collect();
        let without_id = all - people.len();
        Ok((people, without_id))
    }

    /// Who signs in with this name, if it is exactly one.
    pub async fn find(&mut self, username: &str) -> anyhow::Result<Option<Record>> {
        let settings = self.settings();
        let filter = format!(
            "(&{}({}={}))",
            settings.filter,
            settings.attributes.username,
            ldap_escape(username)
        );
        let names = self.person_attributes();
        let entries = self.search(&filter, names).await?;
        match entries.as_slice() {
            [only] => Ok(entry::person(only, &self.settings().attributes)),
            [] => Ok(None),
            more => {
                let count = more.len();
                tracing::warn!(count, "several entries of the directory have one username");
                Ok(None)
            }
        }
    }

    pub async fn groups(&mut self) -> anyhow::Result<Vec<Group>> {
        let names = self.settings().attributes.clone();
        let filter = self.settings().group_filter.clone();
        let wanted = vec![names.group_name.clone(), names.member.clone()];
        let entries = self.search(&filter, wanted).await;
        let mut groups = Vec::new();
        for found in entries.context("groups cannot be read from the directory")? {
            let mut group = entry::group(&found, &names);
            let mut part = entry::part(&found, &names.member);
            while let Some((members, next)) = part {
                group.members.extend(members);
                part = match next {
                    Some(next) => self.more_members(&found.dn, &names.member, next).await?,
                    None => None,
                };
            }
            groups.push(group);
        }
        Ok(groups)
    }

    /// The groups that this person is in, by up to [`DEPTH`] steps.
    pub async fn groups_of(&mut self, person: &Record) -> anyhow::Result<Vec<Group>> {
        let mut asked = HashSet::new();
        let mut open = vec![person.dn.clone(), person.username.clone()];
        let mut all = Vec::new();
        for _ in 0..DEPTH {
            let mut next = Vec::new();
            for member in std::mem::take(&mut open) {
                if !asked.insert(entry::dn_key(&member)) {
                    continue;
                }
                let settings = self.settings();
                let filter = format!(
                    "(&{}({}={}))",
                    settings.group_filter,
                    settings.attributes.member,
                    ldap_escape(member.as_str())
                );
                // All that matters of the members is that this one is among them.
                let names = vec![settings.attributes.group_name.clone()];
                for found in self.search(&filter, names).await? {
                    let mut group = entry::group(&found, &self.settings().attributes);
                    group.members = vec![member.clone()];
                    next.push(group.dn.clone());
                    all.push(group);
                }
            }
            open = next;
        }
        Ok(all)
    }

    async fn more_members(
        &mut self,
        dn: &str,
        attribute: &str,
        from: u32,
    ) -> anyhow::Result<Option<(Vec<String>, Option<u32>)>> {
        let wanted = format!("{attribute};range={from}-*");
        let (entries, _) = self
            .ldap
            .with_timeout(PATIENCE)
            .search(dn, Scope::Base, "(objectClass=*)", vec![wanted])
            .await?
            .success()?;
        let found = entries.into_iter().next().map(SearchEntry::construct);
        let part = found.and_then(|found| entry::part(&found, attribute));
        // A part that begins where it was asked for ends this loop sooner or later.
        Ok(part.filter(|(_, next)| next.is_none_or(|next| next > from)))
    }

    fn person_attributes(&self) -> Vec<String> {
        let names = &self.settings().attributes;
        let wanted = [&names.id, &names.username, &names.name, &names.mail];
        wanted.into_iter().cloned().collect()
    }

    /// Everybody's picture, one after the other: all at once would be too much to hold.
    pub async fn pictures(&mut self) -> anyhow::Result<Pictures> {
        let settings = self.settings();
        let names = settings.attributes.clone();
        let filter = format!("(&{}({}=*))", settings.filter, names.picture);
        let wanted = vec![names.id.clone(), names.picture.clone()];
        let stream = self.stream(&filter, wanted).await?;
        Ok(Pictures { stream, names })
    }

    /// All of it or an error.
    async fn search(
        &mut self,
        filter: &str,
        names: Vec<String>,
    ) -> anyhow::Result<Vec<SearchEntry>> {
        let mut stream = self.stream(filter, names).await?;
        let mut entries = Vec::new();
        while let Some(found) = stream.next().await? {
            entries.push(SearchEntry::construct(found));
        }
        stream.finish().await.success()?;
        Ok(entries)
    }

    /// Page by page.
    async fn stream(&mut self, filter: &str, names: Vec<String>) -> anyhow::Result<Entries> {
        let adapters: Vec<Box<dyn Adapter<'static, String, Vec<String>>>> = vec![
            Box::new(EntriesOnly::new()),
            Box::new(PagedResults::new(PAGE)),
        ];
        let base = self.address.settings.base_dn.as_str();
        let stream = self
            .ldap
            .with_timeout(PATIENCE)
            .streaming_search_with(adapters, base, Scope::Subtree, filter, names)
            .await?;
        Ok(stream)
    }

    pub async fn close(mut self) {
        // Nobody waits for the goodbye.
        let _ = self.ldap.unbind().await;
    }
}

/// Pictures as they come.
pub struct Pictures {
    stream: Entries,
    names: LdapAttributes,
}

impl Pictures {
    /// Whose it is, by id, and the picture.
    pub async fn next(&mut self) -> anyhow::Result<Option<(String, Vec<u8>)>> {
        while let Some(found) = self.stream.next().await? {
            let picture = entry::picture(&SearchEntry::construct(found), &self.names);
            if picture.is_some() {
                return Ok(picture);
            }
        }
        self.stream.finish().await.success()?;
        Ok(None)
    }
}
