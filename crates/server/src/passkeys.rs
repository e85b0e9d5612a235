//! Passkeys at work: challenges that wait for their answer, and what an answer is worth.
//!
//! The cryptography is `webauthn-rs`'s. Its options are handed on as the browser's own parsers take them. Passkeys belong to
//! the host name of the house: where it has none but an address of numbers, browsers make none.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use identity::throttle::Network;
use identity::{Pending, Secret};
use protocol::UserId;
use protocol::http::entry::PasskeyChallenge;
use serde_json::{Value, json};
use url::Url;
use webauthn_rs::prelude::{
    CredentialID, DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};

use crate::chance;
use crate::origins::Origins;
use crate::store::passkeys::StoredPasskey;
use crate::store::users::Account;

/// Challenges that may wait at once for one network: a whole office signs in by one address.
const SIGNING_IN: usize = 200;
const ADDING: usize = 5;

pub struct Passkeys {
    webauthn: Webauthn,
    signing_in: Mutex<Pending<Network, DiscoverableAuthentication>>,
    adding: Mutex<Pending<UserId, (UserId, PasskeyRegistration)>>,
}

impl Passkeys {
    /// `None` where the house has no host name.
    pub fn new(origins: &Origins) -> Option<Self> {
        let urls: Vec<Url> = origins
            .all()
            .iter()
            .filter_map(|origin| Url::parse(origin).ok())
            .collect();
        let base = urls.iter().find(|url| url.domain().is_some())?;
        let domain = base.domain()?;
        let same = |url: &&Url| *url != base && url.domain() == Some(domain);
        let builder = WebauthnBuilder::new(domain, base).ok()?;
        let builder = urls
            .iter()
            .filter(same)
            .fold(builder, WebauthnBuilder::append_allowed_origin);
        Some(Self {
            webauthn: builder.build().ok()?,
            signing_in: Mutex::new(Pending::new(SIGNING_IN)),
            adding: Mutex::new(Pending::new(ADDING)),
        })
    }

    pub fn start_sign_in(&self, from: Network) -> Result<PasskeyChallenge, WebauthnError> {
        let (options, state) = self.webauthn.start_discoverable_authentication()?;
        let token = chance::secret();
        lock(&self.signing_in).begin(Instant::now(), from, &token, state);
        Ok(challenge(&token, json!(options)))
    }

    /// Good once: the token is used up whatever the answer is worth.
    pub fn take_sign_in(&self, token: &str) -> Option<DiscoverableAuthentication> {
        let token = Secret::parse(token)?;
        lock(&self.signing_in).take(Instant::now(), &token)
    }

    /// Which stored passkey an answer claims to be of, and whose.
    pub fn claimed(&self, answer: &PublicKeyCredential) -> Option<(String, UserId)> {
        let (user, id) = self
            .webauthn
            .identify_discoverable_authentication(answer)
            .ok()?;
        Some((written(id), user.simple().to_string().into()))
    }

    /// Challenge, origin, signature, presence and verification of the person, and the counter. Gives what is to be stored of
    /// the passkey from now on.
    pub fn finish_sign_in(
        &self,
        answer: &PublicKeyCredential,
        state: DiscoverableAuthentication,
        stored: &StoredPasskey,
    ) -> Option<String> {
        let mut passkey: Passkey = serde_json::from_str(&stored.credential).ok()?;
        let result = self
            .webauthn
            .finish_discoverable_authentication_v2(answer, state, &passkey);
        let result = match result {
            Ok(result) => result,
            Err(WebauthnError::CredentialPossibleCompromise) => {
                tracing::warn!(user = %stored.user, "a passkey counts backwards: it may have been copied");
                return None;
            }
            Err(_) => return None,
        };
        passkey.update_credential(&result)?;
        serde_json::to_string(&passkey).ok()
    }

    pub fn start_adding(
        &self,
        account: &Account,
        house: &str,
        there: &[StoredPasskey],
    ) -> Result<PasskeyChallenge, WebauthnError> {
        let user = Uuid::parse_str(account.id.as_str());
        let user = user.map_err(|_| WebauthnError::InvalidUserUniqueId)?;
        let known = there.iter().filter_map(|passkey| read(&passkey.id));
        let (options, state) = self.webauthn.start_passkey_registration(
            user,
            &account.username,
            &account.name,
            Some(known.collect()),
        )?;
        let mut options = json!(options);
        let made = &mut options["publicKey"];
        made["rp"]["name"] = json!(house);
        // Without a username to begin with, the browser must find it by itself.
        made["authenticatorSelection"]["residentKey"] = json!("required");
        made["authenticatorSelection"]["requireResidentKey"] = json!(true);
        let token = chance::secret();
        let value = (account.id.clone(), state);
        lock(&self.adding).begin(Instant::now(), account.id.clone(), &token, value);
        Ok(challenge(&token, options))
    }

    /// Good once, and for the account it was begun for.
    pub fn take_adding(&self, token: &str, user: &UserId) -> Option<PasskeyRegistration> {
        let token = Secret::parse(token)?;
        let (whose, state) = lock(&self.adding).take(Instant::now(), &token)?;
        (whose == *user).then_some(state)
    }

    /// Its id and what is stored of it.
    pub fn finish_adding(
        &self,
        answer: &RegisterPublicKeyCredential,
        state: &PasskeyRegistration,
    ) -> Option<(String, String)> {
        let properties = answer.extensions.cred_props.as_ref();
        if properties.is_some_and(|properties| properties.rk == Some(false)) {
            // It could never be found without a username.
            return None;
        }
        let passkey = self
            .webauthn
            .finish_passkey_registration(answer, state)
            .ok()?;
        let credential = serde_json::to_string(&passkey).ok()?;
        Some((written(passkey.cred_id()), credential))
    }
}

fn challenge(token: &Secret, mut options: Value) -> PasskeyChallenge {
    PasskeyChallenge {
        token: token.expose().to_owned(),
        options: options["publicKey"].take(),
    }
}

fn written(id: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(id)
}

fn read(id: &str) -> Option<CredentialID> {
    BASE64_URL_SAFE_NO_PAD.decode(id).ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_belong_to_the_first_host_name_of_the_house() {
        let check = |origins: &[&str], expect: Option<&[&str]>| {
            let others = origins[1..].iter().map(|origin| (*origin).to_owned());
            let passkeys = Passkeys::new(&Origins::new(origins[0].to_owned(), others));
            let allowed = passkeys.map(|passkeys| {
                let allowed = passkeys.webauthn.get_allowed_origins().iter();
                allowed.map(ToString::to_string).collect::<Vec<_>>()
            });
            let expect = expect.map(|all| all.iter().map(|one| (*one).to_owned()).collect());
            assert_eq!(allowed, expect, "{origins:?}");
        };
        check(
            &["https://meet.example.org"],
            Some(&["https://meet.example.org/"]),
        );
        check(
            &[
                "http://localhost:8080",
                "http://127.0.0.1:8080",
                "http://[::1]:8080",
            ],
            Some(&["http://localhost:8080/"]),
        );
        check(
            &["https://192.168.1.5:8443", "https://localhost:8443"],
            Some(&["https://localhost:8443/"]),
        );
        check(&["https://192.168.1.5:8443"], None);
    }
}
