//! Certificates: from files, self-signed for a local network, and the one of the media, whose fingerprint stays.
//!
//! Makes and keeps them; who may connect is no question of this file.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ::media::Certificate;
use anyhow::Context;
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

use crate::config;
use crate::store::{Db, settings};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Browsers of phones take no longer ones, even where the user agreed.
const LAN_LIFE_DAYS: u32 = 397;
const LAN_RENEW_DAYS: u32 = 300;
/// How often certificate files are looked at for a new one.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// TLS from files, read again when they change; a file that cannot be read leaves the old certificate in place.
pub async fn from_files(tls: &config::Tls) -> anyhow::Result<Option<RustlsConfig>> {
    let (Some(certificate), Some(key)) = (tls.certificate.clone(), tls.key.clone()) else {
        return Ok(None);
    };
    let what = || {
        format!(
            "tls.certificate {} or tls.key {} cannot be used",
            certificate.display(),
            key.display()
        )
    };
    let config = RustlsConfig::from_pem_file(&certificate, &key)
        .await
        .with_context(what)?;
    tokio::spawn(keep_current(config.clone(), certificate, key));
    Ok(Some(config))
}

async fn keep_current(config: RustlsConfig, certificate: PathBuf, key: PathBuf) {
    let changed = |file: &Path| {
        fs::metadata(file)
            .and_then(|metadata| metadata.modified())
            .ok()
    };
    let mut seen = (changed(&certificate), changed(&key));
    let mut clock = tokio::time::interval(LOOK_EVERY);
    loop {
        clock.tick().await;
        let now = (changed(&certificate), changed(&key));
        if now == seen {
            continue;
        }
        seen = now;
        match config.reload_from_pem_file(&certificate, &key).await {
            Ok(()) => tracing::info!("the new certificate is in use"),
            Err(error) => {
                tracing::warn!(%error, "the new certificate cannot be used, the old one stays")
            }
        }
    }
}

/// A self-signed certificate for these addresses, kept in the data directory so that browsers are asked once.
pub async fn for_lan(data_dir: &Path, addresses: &[IpAddr]) -> anyhow::Result<RustlsConfig> {
    let mut names = vec!["localhost".to_owned()];
    names.extend(addresses.iter().map(ToString::to_string));
    let file = data_dir.join("lan-certificate.pem");
    let kept = fs::read_to_string(&file)
        .ok()
        .filter(|pem| is_still_good(pem, &names, SystemTime::now()));
    let pem = match kept {
        Some(pem) => pem,
        None => {
            let pem = self_signed(&names, SystemTime::now())?;
            write_private(&file, &pem)
                .with_context(|| format!("{} cannot be written", file.display()))?;
            pem
        }
    };
    let config = RustlsConfig::from_pem(pem.clone().into_bytes(), pem.into_bytes()).await;
    config.with_context(|| {
        format!(
            "{} cannot be used; delete it to have it made anew",
            file.display()
        )
    })
}

/// Certificate and key in one text; above them, what it is for.
fn self_signed(names: &[String], now: SystemTime) -> anyhow::Result<String> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = common_name("Stube");
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let since = now.duration_since(SystemTime::UNIX_EPOCH)?;
    params.not_before = epoch + since - DAY;
    params.not_after = epoch + since + DAY * LAN_LIFE_DAYS - DAY;
    let certificate = params.self_signed(&key)?;
    let days = since.as_secs() / DAY.as_secs();
    Ok(format!(
        "# {days} {}\n{}{}",
        names.join(" "),
        certificate.pem(),
        key.serialize_pem()
    ))
}

fn is_still_good(pem: &str, names: &[String], now: SystemTime) -> bool {
    let mut head = pem.lines().next().unwrap_or_default().split(' ').skip(1);
    let made = head.next().and_then(|days| days.parse::<u64>().ok());
    let today = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
        / DAY.as_secs();
    let young = made.is_some_and(|made| made <= today && today - made < u64::from(LAN_RENEW_DAYS));
    let covered: Vec<_> = head.collect();
    young && names.iter().all(|name| covered.contains(&name.as_str()))
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)?;
    file.write_all(text.as_bytes())
}

/// The one that is kept in the database, or a new one.
pub async fn of_media(db: &Db) -> anyhow::Result<Certificate> {
    let kept = match settings::get(db, settings::DTLS_IDENTITY).await? {
        Some(kept) => kept,
        None => settings::get_or_set(db, settings::DTLS_IDENTITY, &new_identity()?).await?,
    };
    let (certificate, private_key) = kept
        .split_once(' ')
        .context("the media's certificate in the database is broken")?;
    Ok(Certificate {
        certificate: BASE64_STANDARD.decode(certificate)?,
        private_key: BASE64_STANDARD.decode(private_key)?,
    })
}

fn new_identity() -> anyhow::Result<String> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name("WebRTC");
    let certificate = params.self_signed(&key)?;
    Ok(format!(
        "{} {}",
        BASE64_STANDARD.encode(certificate.der()),
        BASE64_STANDARD.encode(key.serialize_der())
    ))
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_certificate_is_used_while_it_is_young_and_names_every_address() {
        let now = SystemTime::UNIX_EPOCH + DAY * 20_000;
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let pem = self_signed(&names(&["localhost", "192.0.2.1"]), now).expect("a certificate");
        assert!(is_still_good(
            &pem,
            &names(&["localhost", "192.0.2.1"]),
            now
        ));
        assert!(is_still_good(&pem, &names(&["localhost"]), now + DAY * 299));
        assert!(!is_still_good(
            &pem,
            &names(&["localhost"]),
            now + DAY * 300
        ));
        assert!(!is_still_good(
            &pem,
            &names(&["localhost", "192.0.2.2"]),
            now
        ));
        assert!(!is_still_good("", &names(&["localhost"]), now));
    }
}
