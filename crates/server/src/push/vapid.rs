//! Who sends: the key that push services know this house by (RFC 8292), and what is signed with it for each message.
//!
//! Made once, and sealed in the database. With another key all subscriptions are worth nothing: they go with it.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use identity::UnixMs;
use serde_json::json;
use tokio::sync::OnceCell;
use url::Url;

use crate::sealing::Sealer;
use crate::store::{Db, push, settings};

const PURPOSE: &str = "push";
/// Services take up to a day.
const LIFE_SECONDS: u64 = 12 * 60 * 60;

pub struct Vapid {
    sealer: Arc<Sealer>,
    /// Whom a push service asks if something is wrong: an https or mailto address. Absent on localhost.
    contact: Option<String>,
    key: OnceCell<EcdsaKeyPair>,
}

impl Vapid {
    pub fn new(sealer: Arc<Sealer>, contact: Option<String>) -> Self {
        Self {
            sealer,
            contact,
            key: OnceCell::new(),
        }
    }

    /// What browsers subscribe with. The first to ask has the key made.
    pub async fn public(&self, db: &Db) -> anyhow::Result<String> {
        let key = self.key(db).await?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode(key.public_key()))
    }

    /// The header `Authorization` for one endpoint.
    pub async fn authorization(
        &self,
        db: &Db,
        endpoint: &Url,
        now: UnixMs,
    ) -> anyhow::Result<String> {
        let key = self.key(db).await?;
        let mut claims = json!({
            "aud": endpoint.origin().ascii_serialization(),
            "exp": now / 1000 + LIFE_SECONDS,
        });
        if let Some(contact) = &self.contact {
            claims["sub"] = contact.as_str().into();
        }
        let part = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!(
            "{}.{}",
            part(json!({"typ": "JWT", "alg": "ES256"})),
            part(claims)
        );
        let signature = key.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.map_err(|_| anyhow!("nothing can be signed"))?;
        Ok(format!(
            "vapid t={signed}.{}, k={}",
            BASE64_URL_SAFE_NO_PAD.encode(signature),
            BASE64_URL_SAFE_NO_PAD.encode(key.public_key())
        ))
    }

    async fn key(&self, db: &Db) -> anyhow::Result<&EcdsaKeyPair> {
        self.key.get_or_try_init(|| self.load(db)).await
    }

    async fn load(&self, db: &Db) -> anyhow::Result<EcdsaKeyPair> {
        let fresh = fresh()?;
        let sealed = self.sealer.seal(PURPOSE, &fresh)?;
        let stored = settings::get_or_set(db, settings::PUSH_KEY, &sealed).await?;
        if let Some(key) = self.opened(&stored)? {
            return Ok(key);
        }
        tracing::warn!("the push key cannot be opened: another is made, and people subscribe anew");
        push::remove_all(db).await?;
        settings::set(db, settings::PUSH_KEY, &sealed).await?;
        self.opened(&sealed)?.context("a new push key is broken")
    }

    fn opened(&self, sealed: &str) -> anyhow::Result<Option<EcdsaKeyPair>> {
        let der = self.sealer.open(PURPOSE, sealed)?;
        Ok(der
            .and_then(|der| EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).ok()))
    }
}

/// PKCS #8.
fn fresh() -> anyhow::Result<Vec<u8>> {
    let made = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
        .and_then(|pair| pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()));
    made.map_err(|_| anyhow!("a push key cannot be made"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
    use serde::Deserialize;

    use super::*;
    use crate::chance;
    use crate::sealing;

    fn directory() -> PathBuf {
        let path = std::env::temp_dir().join(format!("stube-vapid-{}", chance::id()));
        fs::create_dir(&path).expect("a directory");
        path
    }

    fn vapid(directory: &Path) -> Vapid {
        let contact = Some("https://meet.example.org".to_owned());
        Vapid::new(Arc::new(Sealer::new(directory)), contact)
    }

    #[derive(Deserialize)]
    struct Claims {
        aud: String,
        exp: u64,
        sub: String,
    }

    #[tokio::test]
    async fn a_push_service_can_tell_who_sends_and_that_it_is_meant() {
        let directory = directory();
        let db = Db::open(None, &directory).await.expect("a database");
        let vapid = vapid(&directory);
        let endpoint = Url::parse("https://push.example.org:443/send/abc?d=1").expect("an address");
        let now = chance::unix_ms();
        let header = vapid.authorization(&db, &endpoint, now).await;
        let header = header.expect("a header");
        let (token, key) = header
            .strip_prefix("vapid t=")
            .and_then(|rest| rest.split_once(", k="))
            .expect("two parts");
        assert_eq!(key, vapid.public(&db).await.expect("a key"));
        let point = BASE64_URL_SAFE_NO_PAD.decode(key).expect("base64url");
        assert_eq!((point.len(), point[0]), (65, 4));
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_audience(&["https://push.example.org"]);
        let key = DecodingKey::from_ec_components(
            &BASE64_URL_SAFE_NO_PAD.encode(&point[1..33]),
            &BASE64_URL_SAFE_NO_PAD.encode(&point[33..]),
        );
        let token = decode::<Claims>(token, &key.expect("a key"), &rules).expect("a good token");
        assert_eq!(token.claims.aud, "https://push.example.org");
        assert_eq!(token.claims.sub, "https://meet.example.org");
        assert_eq!(token.claims.exp, now / 1000 + LIFE_SECONDS);
        fs::remove_dir_all(&directory).expect("the directory");
    }

    #[tokio::test]
    async fn the_key_survives_a_restart_and_a_lost_one_is_replaced() {
        let directory = directory();
        let db = Db::open(None, &directory).await.expect("a database");
        let first = vapid(&directory).public(&db).await.expect("a key");
        assert_eq!(vapid(&directory).public(&db).await.expect("a key"), first);
        let stored = settings::get(&db, settings::PUSH_KEY)
            .await
            .expect("an answer");
        let stored = stored.expect("a key");
        let bytes = base64::prelude::BASE64_STANDARD
            .decode(&stored)
            .expect("base64");
        assert!(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes[12..]).is_err());
        fs::remove_file(directory.join(sealing::FILE)).expect("the file");
        let second = vapid(&directory).public(&db).await.expect("a key");
        assert_ne!(second, first);
        assert_eq!(vapid(&directory).public(&db).await.expect("a key"), second);
        fs::remove_dir_all(&directory).expect("the directory");
    }
}
