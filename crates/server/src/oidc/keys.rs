//! The provider's signing keys at work: made, sealed and stored; loaded again after a restart; replaced when it is time.
//!
//! Private keys lie sealed in the database: a copy of it alone signs nothing.

use std::sync::{Arc, PoisonError, RwLock};

use anyhow::anyhow;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::Ed25519KeyPair;
use identity::UnixMs;
use identity::provider::jose::{Algorithm, Jwk, SigningKey};
use identity::provider::rotation::{self, KeyRecord};

use crate::chance;
use crate::http::error::{ApiError, ApiResult};
use crate::sealing::{self, Sealer};
use crate::store::Db;
use crate::store::signing_keys::{self, StoredKey};

pub struct Keys {
    sealer: Arc<Sealer>,
    ring: RwLock<Arc<Ring>>,
    /// One at a time looks after them.
    tending: tokio::sync::Mutex<()>,
}

/// All keys as they were at one moment.
#[derive(Default)]
pub struct Ring {
    records: Vec<KeyRecord>,
    public: Vec<Jwk>,
    private: Vec<(String, SigningKey)>,
}

impl Ring {
    pub fn public(&self) -> &[Jwk] {
        &self.public
    }

    pub fn signer(&self, now: UnixMs, algorithm: Algorithm) -> ApiResult<&SigningKey> {
        let kid = rotation::signer(now, algorithm, &self.records).map(|record| &record.kid);
        let key = self.private.iter().find(|(name, _)| Some(name) == kid);
        key.map(|(_, key)| key)
            .ok_or_else(|| ApiError::internal(&"there is no key to sign with"))
    }
}

impl Keys {
    pub fn new(sealer: Arc<Sealer>) -> Self {
        Self {
            sealer,
            ring: RwLock::default(),
            tending: tokio::sync::Mutex::default(),
        }
    }

    /// Makes the first keys when somebody asks for them: most houses are no provider to anybody.
    pub async fn ring(&self, db: &Db) -> ApiResult<Arc<Ring>> {
        let ring = self.current();
        if !ring.public.is_empty() {
            return Ok(ring);
        }
        let tended = self.tend(db).await;
        tended.map_err(|error| ApiError::internal(&format!("{error:#}")))?;
        Ok(self.current())
    }

    fn current(&self) -> Arc<Ring> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        ring.clone()
    }

    /// From time to time, in a house that is a provider.
    pub async fn tend_if_any(&self, db: &Db) -> anyhow::Result<()> {
        if signing_keys::all(db).await?.is_empty() {
            return Ok(());
        }
        self.tend(db).await
    }

    async fn tend(&self, db: &Db) -> anyhow::Result<()> {
        let _alone = self.tending.lock().await;
        let now = chance::unix_ms();
        let ring = self.unseal(signing_keys::all(db).await?)?;
        let plan = rotation::plan(now, &ring.records);
        for (algorithm, signs_from) in &plan.make {
            let key = self.make(*algorithm, *signs_from).await?;
            signing_keys::add(db, &key).await?;
            tracing::info!(kid = %key.kid, algorithm = %key.algorithm, "a signing key was made");
        }
        for kid in &plan.forget {
            signing_keys::forget(db, kid).await?;
            tracing::info!(%kid, "a signing key was forgotten");
        }
        let ring = self.unseal(signing_keys::all(db).await?)?;
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        Ok(())
    }

    /// With a key that cannot be opened nothing is signed any more, but what it has signed can still be verified.
    fn unseal(&self, stored: Vec<StoredKey>) -> anyhow::Result<Ring> {
        let mut ring = Ring::default();
        for key in stored {
            let algorithm = Algorithm::from_stored(&key.algorithm);
            let public = serde_json::from_str(&key.public_key);
            let (Some(algorithm), Ok(public)) = (algorithm, public) else {
                tracing::error!(kid = %key.kid, "a stored signing key is broken");
                continue;
            };
            let private = self.private(&key, algorithm)?;
            if private.is_none() {
                tracing::warn!(
                    kid = %key.kid,
                    "a signing key cannot be opened with the data directory's {}",
                    sealing::FILE
                );
            }
            ring.records.push(KeyRecord {
                kid: key.kid.clone(),
                algorithm,
                signs_from: key.signs_from,
                can_sign: private.is_some(),
            });
            ring.public.push(public);
            ring.private
                .extend(private.map(|private| (key.kid, private)));
        }
        Ok(ring)
    }

    fn private(&self, key: &StoredKey, algorithm: Algorithm) -> anyhow::Result<Option<SigningKey>> {
        let der = self.sealer.open(&key.kid, &key.sealed_private_key)?;
        Ok(der.and_then(|der| SigningKey::from_pkcs8(&key.kid, algorithm, &der).ok()))
    }

    async fn make(&self, algorithm: Algorithm, signs_from: UnixMs) -> anyhow::Result<StoredKey> {
        // Finding primes takes a core some hundred milliseconds.
        let der = tokio::task::spawn_blocking(move || new_key(algorithm)).await??;
        let kid = chance::id();
        let public = SigningKey::from_pkcs8(&kid, algorithm, &der)?.public();
        Ok(StoredKey {
            algorithm: algorithm.as_str().to_owned(),
            public_key: serde_json::to_string(&public)?,
            sealed_private_key: self.sealer.seal(&kid, &der)?,
            signs_from,
            kid,
        })
    }
}

/// PKCS #8.
fn new_key(algorithm: Algorithm) -> anyhow::Result<Vec<u8>> {
    let made = match algorithm {
        Algorithm::Rs256 => KeyPair::generate(KeySize::Rsa2048)
            .and_then(|pair| AsDer::as_der(&pair).map(|der| der.as_ref().to_vec())),
        Algorithm::EdDsa => Ed25519KeyPair::generate()
            .and_then(|pair| pair.to_pkcs8v1().map(|der| der.as_ref().to_vec())),
    };
    made.map_err(|_| anyhow!("a signing key cannot be made"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    fn keys(directory: &Path) -> Keys {
        Keys::new(Arc::new(Sealer::new(directory)))
    }

    fn directory() -> PathBuf {
        let path = std::env::temp_dir().join(format!("stube-keys-{}", chance::id()));
        fs::create_dir(&path).expect("a directory");
        path
    }

    #[tokio::test]
    async fn keys_are_made_once_and_are_the_same_after_a_restart() {
        let directory = directory();
        let db = Db::open(None, &directory).await.expect("a database");
        let before = keys(&directory);
        before.tend_if_any(&db).await.expect("nothing to do");
        assert!(signing_keys::all(&db).await.expect("a list").is_empty());
        let first = before.ring(&db).await.expect("keys");
        assert_eq!(first.public().len(), 2);

        let after = keys(&directory).ring(&db).await.expect("keys");
        assert_eq!(after.public(), first.public());
        let now = chance::unix_ms();
        for algorithm in Algorithm::ALL {
            let key = after.signer(now, algorithm).expect("a key");
            assert_eq!(key.algorithm(), algorithm);
        }
        fs::remove_dir_all(&directory).expect("the directory");
    }

    #[tokio::test]
    async fn a_stolen_database_signs_nothing_and_lost_keys_are_replaced() {
        let directory = directory();
        let db = Db::open(None, &directory).await.expect("a database");
        let old = keys(&directory);
        let first = old.ring(&db).await.expect("keys");
        for key in signing_keys::all(&db).await.expect("a list") {
            let sealed = BASE64_STANDARD
                .decode(&key.sealed_private_key)
                .expect("base64");
            let algorithm = Algorithm::from_stored(&key.algorithm).expect("an algorithm");
            assert!(SigningKey::from_pkcs8(&key.kid, algorithm, &sealed[12..]).is_err());
        }
        fs::remove_file(directory.join(sealing::FILE)).expect("the file");
        let second = keys(&directory);
        let ring = second.ring(&db).await.expect("keys");
        assert_eq!(ring.public().len(), 4, "old tokens can be verified");
        let signs = ring
            .signer(chance::unix_ms(), Algorithm::Rs256)
            .expect("a key");
        assert!(!first.public().contains(&signs.public()));
        fs::remove_dir_all(&directory).expect("the directory");
    }
}
