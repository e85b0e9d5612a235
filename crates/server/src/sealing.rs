//! Encryption of what lies in the database and must be read again: private keys, secrets of second factors, tokens of others.
//!
//! What opens it is a file in the data directory that only its owner reads: a copy of the database alone opens nothing.
//! Several servers on one database need the same file. What needs no reading is hashed instead.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, anyhow};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::chance;

pub const FILE: &str = "sealing.key";

pub struct Sealer {
    file: PathBuf,
    /// Read, or made, when it is first needed.
    key: OnceLock<LessSafeKey>,
}

impl Sealer {
    pub fn new(data_dir: &Path) -> Self {
        Self {
            file: data_dir.join(FILE),
            key: OnceLock::new(),
        }
    }

    /// `purpose` names what it is and whose (`totp:<user>`): under another one it does not open, so that nothing stored
    /// can be put in another's place.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> anyhow::Result<String> {
        let nonce: [u8; NONCE_LEN] = chance::bytes();
        let mut sealed = plain.to_vec();
        self.key()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose),
                &mut sealed,
            )
            .map_err(|_| anyhow!("{purpose} cannot be sealed"))?;
        Ok(BASE64_STANDARD.encode([&nonce[..], &sealed].concat()))
    }

    /// `None`: sealed with another key, for another purpose, or broken.
    pub fn open(&self, purpose: &str, sealed: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let key = self.key()?;
        Ok(opened(key, purpose, sealed))
    }

    fn key(&self) -> anyhow::Result<&LessSafeKey> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        // Two at once read the same file: who makes it second is told that it is there.
        let key = load(&self.file)?;
        Ok(self.key.get_or_init(|| key))
    }
}

fn opened(key: &LessSafeKey, purpose: &str, sealed: &str) -> Option<Vec<u8>> {
    let mut sealed = BASE64_STANDARD.decode(sealed).ok()?;
    let (nonce, sealed) = sealed.split_at_mut_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let plain = key.open_in_place(nonce, Aad::from(purpose), sealed).ok()?;
    Some(plain.to_vec())
}

fn load(file: &Path) -> anyhow::Result<LessSafeKey> {
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
    Ok(LessSafeKey::new(key))
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

    #[test]
    fn what_was_sealed_opens_for_its_purpose_and_with_its_key_only() {
        let directory = std::env::temp_dir().join(format!("stube-sealing-{}", chance::id()));
        fs::create_dir(&directory).expect("a directory");
        let sealer = Sealer::new(&directory);
        let sealed = sealer.seal("totp:anna", b"secret").expect("sealed");
        let mode = fs::metadata(directory.join(FILE))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);

        let check = |what: &str, sealer: &Sealer, purpose: &str, sealed: &str, expect: bool| {
            let opened = sealer.open(purpose, sealed).expect("a key");
            let expect = expect.then(|| b"secret".to_vec());
            assert_eq!(opened, expect, "{what}");
        };
        let after_a_restart = Sealer::new(&directory);
        check("the same server", &sealer, "totp:anna", &sealed, true);
        check("restarted", &after_a_restart, "totp:anna", &sealed, true);
        check("another purpose", &sealer, "totp:bert", &sealed, false);
        check("too short", &sealer, "totp:anna", "AAAA", false);
        check("no base64", &sealer, "totp:anna", "?", false);
        let mut changed = BASE64_STANDARD.decode(&sealed).expect("base64");
        changed[NONCE_LEN] ^= 1;
        let changed = BASE64_STANDARD.encode(changed);
        check("changed", &sealer, "totp:anna", &changed, false);
        fs::remove_file(directory.join(FILE)).expect("the file");
        let another = Sealer::new(&directory);
        check("another key", &another, "totp:anna", &sealed, false);
        fs::remove_dir_all(&directory).expect("the directory");
    }
}
