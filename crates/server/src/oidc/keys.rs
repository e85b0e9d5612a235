//! The provider's signing keys at work: made, sealed and stored; loaded again after a restart; replaced when it is time.
//!
//! Private keys lie encrypted in the database. What opens them is a file in the data directory that only its owner reads:
//! a copy of the database alone signs nothing.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context, anyhow};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use identity::UnixMs;
use identity::provider::jose::{Algorithm, Jwk, SigningKey};
use identity::provider::rotation::{self, KeyRecord};

use crate::chance;
use crate::http::error::{ApiError, ApiResult};
use crate::store::Db;
use crate::store::signing_keys::{self, StoredKey};

const SEALING_KEY: &str = "sealing.key";

pub struct Keys {
    file: PathBuf,
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
    pub fn new(data_dir: &Path) -> Self {
        Self {
            file: data_dir.join(SEALING_KEY),
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
        let sealing = Sealing::open(&self.file)?;
        let now = chance::unix_ms();
        let ring = sealing.unseal(signing_keys::all(db).await?);
        let plan = rotation::plan(now, &ring.records);
        for (algorithm, signs_from) in &plan.make {
            let key = sealing.make(*algorithm, *signs_from).await?;
            signing_keys::add(db, &key).await?;
            tracing::info!(kid = %key.kid, algorithm = %key.algorithm, "a signing key was made");
        }
        for kid in &plan.forget {
            signing_keys::forget(db, kid).await?;
            tracing::info!(%kid, "a signing key was forgotten");
        }
        let ring = sealing.unseal(signing_keys::all(db).await?);
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        Ok(())
    }
}

/// What private keys are encrypted with.
struct Sealing(LessSafeKey);

impl Sealing {
    fn open(file: &Path) -> anyhow::Result<Self> {
        let what = || format!("{} cannot be used", file.display());
        let text = match make_private(file, &BASE64_STANDARD.encode(chance::bytes::<32>())) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                fs::read_to_string(file).with_context(what)?
            }
            Err(error) => return Err(error).with_context(what),
        };
        let bytes = BASE64_STANDARD.decode(text.trim()).with_context(what)?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| anyhow!(what()))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// With a key that cannot be opened nothing is signed any more, but what it has signed can still be verified.
    fn unseal(&self, stored: Vec<StoredKey>) -> Ring {
        let mut ring = Ring::default();
        for key in stored {
            let algorithm = Algorithm::from_stored(&key.algorithm);
            let public = serde_json::from_str(&key.public_key);
            let (Some(algorithm), Ok(public)) = (algorithm, public) else {
                tracing::error!(kid = %key.kid, "a stored signing key is broken");
                continue;
            };
            let private = self.private(&key, algorithm);
            if private.is_none() {
                tracing::warn!(
                    kid = %key.kid,
                    "a signing key cannot be opened with the data directory's {SEALING_KEY}"
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
        ring
    }

    fn private(&self, key: &StoredKey, algorithm: Algorithm) -> Option<SigningKey> {
        let mut sealed = BASE64_STANDARD.decode(&key.sealed_private_key).ok()?;
        let (nonce, sealed) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let der = self
            .0
            .open_in_place(nonce, Aad::from(&key.kid), sealed)
            .ok()?;
        SigningKey::from_pkcs8(&key.kid, algorithm, der).ok()
    }

    async fn make(&self, algorithm: Algorithm, signs_from: UnixMs) -> anyhow::Result<StoredKey> {
        // Finding primes takes a core some hundred milliseconds.
        let der = tokio::task::spawn_blocking(move || new_key(algorithm)).await??;
        let kid = chance::id();
        let public = SigningKey::from_pkcs8(&kid, algorithm, &der)?.public();
        let nonce: [u8; NONCE_LEN] = chance::bytes();
        let mut sealed = der;
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(&kid),
                &mut sealed,
            )
            .map_err(|_| anyhow!("a signing key cannot be sealed"))?;
        Ok(StoredKey {
            algorithm: algorithm.as_str().to_owned(),
            public_key: serde_json::to_string(&public)?,
            sealed_private_key: BASE64_STANDARD.encode([&nonce[..], &sealed].concat()),
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

/// Writes a file that is not there yet, whole or not at all, for its owner only.
fn make_private(file: &Path, text: &str) -> std::io::Result<String> {
    if file.exists() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    let draft = file.with_extension(chance::id());
    let mut options = fs::OpenOptions::new();
    let mut out = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()?;
    // Unlike a renaming, this never takes the place of a file that somebody else has made in the meantime.
    let linked = fs::hard_link(&draft, file);
    fs::remove_file(&draft)?;
    linked.map(|()| text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn directory() -> PathBuf {
        let path = std::env::temp_dir().join(format!("stube-keys-{}", chance::id()));
        fs::create_dir(&path).expect("a directory");
        path
    }

    #[tokio::test]
    async fn keys_are_made_once_and_are_the_same_after_a_restart() {
        let directory = directory();
        let db = Db::open(None, &directory).await.expect("a database");
        let before = Keys::new(&directory);
        before.tend_if_any(&db).await.expect("nothing to do");
        assert!(signing_keys::all(&db).await.expect("a list").is_empty());
        let first = before.ring(&db).await.expect("keys");
        assert_eq!(first.public().len(), 2);
        let mode = fs::metadata(directory.join(SEALING_KEY))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);

        let after = Keys::new(&directory).ring(&db).await.expect("keys");
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
        let keys = Keys::new(&directory);
        let first = keys.ring(&db).await.expect("keys");
        for key in signing_keys::all(&db).await.expect("a list") {
            let sealed = BASE64_STANDARD
                .decode(&key.sealed_private_key)
                .expect("base64");
            let algorithm = Algorithm::from_stored(&key.algorithm).expect("an algorithm");
            assert!(SigningKey::from_pkcs8(&key.kid, algorithm, &sealed[NONCE_LEN..]).is_err());
        }
        fs::remove_file(directory.join(SEALING_KEY)).expect("the file");
        let second = Keys::new(&directory);
        let ring = second.ring(&db).await.expect("keys");
        assert_eq!(ring.public().len(), 4, "old tokens can be verified");
        let signs = ring
            .signer(chance::unix_ms(), Algorithm::Rs256)
            .expect("a key");
        assert!(!first.public().contains(&signs.public()));
        fs::remove_dir_all(&directory).expect("the directory");
    }
}
