//! What a push message is: its text for one browser, encrypted (RFC 8291), and what the push service is told about it.

use anyhow::{Context, anyhow, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use house::Push;
use identity::UnixMs;
use protocol::http::meetings::Language;
use protocol::http::push::PushMessage;
use protocol::{CallId, CallPerson};
use web_push_native::Auth;
use web_push_native::p256::PublicKey;

/// For how long a missed call is worth telling.
const MISSED_SECONDS: u64 = 24 * 60 * 60;
/// That a call is over: for as long as a message that it rings may still wait.
const OVER_SECONDS: u64 = 60;
/// Texts become this long or a multiple of it, so that the length of a message tells nothing of a name.
const PADDED: usize = 1024;
/// Bytes of a name: services take messages of 4 kB.
const NAME_BYTES: usize = 400;

/// What a browser gave to encrypt with.
pub struct Keys {
    public: PublicKey,
    auth: Auth,
}

impl Keys {
    /// As browsers write them: base64url, padded or not.
    pub fn parse(p256dh: &str, auth: &str) -> anyhow::Result<Self> {
        let decoded = |text: &str| {
            let text = text.trim_end_matches('=');
            BASE64_URL_SAFE_NO_PAD.decode(text).context("no base64url")
        };
        let public = decoded(p256dh)?;
        ensure!(public.len() == 65, "no uncompressed point");
        let auth = <[u8; 16]>::try_from(decoded(auth)?);
        Ok(Self {
            public: PublicKey::from_sec1_bytes(&public).context("no point of the curve")?,
            auth: auth
                .map_err(|_| anyhow!("no authentication secret"))?
                .into(),
        })
    }

    pub fn encrypt(&self, text: String) -> anyhow::Result<Vec<u8>> {
        let sealed = web_push_native::encrypt(text.into_bytes(), &self.public, &self.auth);
        sealed.map_err(|error| anyhow!("{error}"))
    }
}

/// Which call it is about.
pub fn call_of(push: &Push) -> &CallId {
    match push {
        Push::Ringing { call, .. } | Push::Over { call, .. } => call,
    }
}

/// Until when it is worth delivering.
pub fn until(push: &Push, now: UnixMs) -> UnixMs {
    let seconds = match push {
        Push::Ringing { until, .. } => return *until,
        Push::Over { missed: true, .. } => MISSED_SECONDS,
        Push::Over { .. } => OVER_SECONDS,
    };
    now + seconds * 1000
}

/// The header `TTL`; absent when it is too late.
pub fn ttl(until: UnixMs, now: UnixMs) -> Option<u64> {
    let left = until.saturating_sub(now);
    (left > 0).then(|| left.div_ceil(1000))
}

/// The header `Topic`: what is still undelivered about a call is replaced by what is newer. Says nothing of the call.
pub fn topic(call: &CallId) -> String {
    let hash = digest(&SHA256, call.as_str().as_bytes());
    BASE64_URL_SAFE.encode(hash.as_ref().get(..24).unwrap_or_default())
}

/// JSON, with spaces behind it.
pub fn text(push: &Push, language: Language) -> String {
    let message = match push {
        Push::Ringing {
            call,
            room,
            caller,
            video,
            into,
            ..
        } => PushMessage::Ringing {
            call: call.clone(),
            room: room.clone(),
            person: short(caller),
            video: *video,
            into: into.as_deref().map(cut),
            language,
        },
        Push::Over {
            call,
            end,
            caller,
            missed,
        } => PushMessage::Over {
            call: call.clone(),
            person: short(caller),
            end: *end,
            missed: *missed,
            language,
        },
    };
    let mut text = serde_json::to_string(&message).unwrap_or_default();
    let missing = text.len().next_multiple_of(PADDED) - text.len();
    text.push_str(&" ".repeat(missing));
    text
}

fn short(person: &CallPerson) -> CallPerson {
    CallPerson {
        name: cut(&person.name),
        ..person.clone()
    }
}

fn cut(text: &str) -> String {
    if text.len() <= NAME_BYTES {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(NAME_BYTES);
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use protocol::CallEnd;
    use web_push_native::p256::SecretKey;
    use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint;

    use super::*;

    // RFC 8291, section 5 and appendix A.
    const RECEIVER_PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
    const RECEIVER_PUBLIC: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
    const ENCRYPTED: &str = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
    const PLAIN: &str = "When I grow up, I want to be a watermelon";

    fn bytes(text: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url")
    }

    fn receiver() -> SecretKey {
        SecretKey::from_slice(&bytes(RECEIVER_PRIVATE)).expect("a key")
    }

    fn open(encrypted: Vec<u8>) -> String {
        let auth = <[u8; 16]>::try_from(bytes(AUTH)).expect("16 bytes").into();
        let plain = web_push_native::decrypt(encrypted, &receiver(), &auth);
        String::from_utf8(plain.expect("readable")).expect("text")
    }

    fn anna(name: &str) -> CallPerson {
        CallPerson {
            id: "u-anna".into(),
            name: name.to_owned(),
            picture: None,
        }
    }

    fn ringing(name: &str) -> Push {
        Push::Ringing {
            call: "k-1".into(),
            room: "r-1".into(),
            caller: anna(name),
            video: true,
            into: None,
            ringing: vec![],
            until: 46_000,
        }
    }

    #[test]
    fn messages_are_encrypted_as_the_standard_has_it() {
        assert_eq!(open(bytes(ENCRYPTED)), PLAIN, "the standard's own example");
        let keys = Keys::parse(RECEIVER_PUBLIC, AUTH).expect("good keys");
        let encrypted = keys.encrypt(PLAIN.to_owned()).expect("encrypted");
        // Salt, length of the record, sender's key, and one record.
        assert_eq!(encrypted.len(), 16 + 4 + 1 + 65 + PLAIN.len() + 1 + 16);
        assert_ne!(encrypted, keys.encrypt(PLAIN.to_owned()).expect("again"));
        assert_eq!(open(encrypted), PLAIN);
    }

    #[test]
    fn wrong_keys_are_refused() {
        let compressed = receiver().public_key().to_encoded_point(true);
        let compressed = BASE64_URL_SAFE_NO_PAD.encode(compressed.as_bytes());
        let off_the_curve = BASE64_URL_SAFE_NO_PAD.encode([&[4], &[7; 64][..]].concat());
        let padded = format!("{AUTH}==");
        for (what, p256dh, auth, good) in [
            ("good ones", RECEIVER_PUBLIC, AUTH, true),
            ("padded", RECEIVER_PUBLIC, &padded, true),
            ("none", "", "", false),
            ("no base64url", "?", AUTH, false),
            ("compressed", &compressed, AUTH, false),
            ("off the curve", &off_the_curve, AUTH, false),
            ("swapped", AUTH, RECEIVER_PUBLIC, false),
            ("short secret", RECEIVER_PUBLIC, "BTBZMqHH6r4", false),
        ] {
            assert_eq!(Keys::parse(p256dh, auth).is_ok(), good, "{what}");
        }
    }

    #[test]
    fn the_length_of_a_message_tells_nothing_of_a_name_and_fits() {
        let longest = "👩‍👩‍👧‍👦".repeat(64);
        for name in ["A", "Änne Schmidt", "\"quoted\"", &longest] {
            let text = text(&ringing(name), Language::De);
            assert_eq!(text.len(), 1024, "{name}");
            let message: PushMessage = serde_json::from_str(&text).expect("JSON");
            let PushMessage::Ringing { person, .. } = message else {
                panic!("{message:?}")
            };
            let begin = person.name.trim_end_matches('…');
            assert!(name.starts_with(begin), "{}", person.name);
        }
    }

    #[test]
    fn a_message_lives_for_as_long_as_it_is_worth_something() {
        let over = |missed| Push::Over {
            call: "k-1".into(),
            end: CallEnd::Cancelled,
            caller: anna("Anna"),
            missed,
        };
        for (what, push, now, seconds) in [
            ("the whole ringing", ringing("A"), 1_000, Some(45)),
            ("what is left of it", ringing("A"), 40_500, Some(6)),
            ("its last moment", ringing("A"), 45_999, Some(1)),
            ("too late", ringing("A"), 46_000, None),
            ("missed", over(true), 1_000, Some(MISSED_SECONDS)),
            ("over", over(false), 1_000, Some(OVER_SECONDS)),
        ] {
            assert_eq!(ttl(until(&push, now), now), seconds, "{what}");
        }
    }

    #[test]
    fn a_topic_is_a_call_in_the_alphabet_and_length_of_the_standard() {
        let one = topic(&"k-1".into());
        assert_eq!(one.len(), 32);
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        assert!(one.chars().all(allowed), "{one}");
        assert_eq!(one, topic(&"k-1".into()));
        assert_ne!(one, topic(&"k-2".into()));
    }
}
