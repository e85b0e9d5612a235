//! From the text of a frame to a message that cannot be wrong in shape, or to the reason why not. What it means, and whether
//! its sender may say it, is decided elsewhere.

use std::borrow::Cow;

use serde::Deserialize;

use crate::{ClientMessage, ErrorCode, IntentId, limits};

#[derive(Debug, PartialEq)]
pub enum Parsed {
    Message(ClientMessage),
    /// Answered with an error; the connection lives.
    Refused {
        id: Option<IntentId>,
        code: ErrorCode,
    },
    /// More bytes than anybody sends who means well.
    TooLarge,
}

/// Every `type` a client may send.
const TYPES: &[&str] = &[
    "hello",
    "ping",
    "get_snapshot",
    "join_room",
    "prepare_room",
    "leave_room",
    "publish",
    "unpublish",
    "set_muted",
    "set_wanted",
    "offer",
    "slot_ready",
    "no_picture",
    "report_quality",
    "join_call",
    "admit",
    "start_call",
    "ring_in",
    "accept_call",
    "decline_call",
    "cancel_call",
    "ignore_call",
    "see_missed",
    "set_active",
    "set_status",
    "watch_people",
];

/// What is read of a message before, or instead of, the whole.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    id: Option<Cow<'a, str>>,
}

impl Head<'_> {
    /// Those with a description of media in them may be long.
    fn has_offer(&self) -> bool {
        matches!(&*self.kind, "offer" | "prepare_room")
    }

    fn id(&self) -> Option<IntentId> {
        let id = self.id.as_deref();
        id.filter(|id| id.len() <= limits::CLIENT_ID_BYTES)
            .map(IntentId::from)
    }
}

/// Which intent it is, of a message that is not read any further.
pub fn id_of(text: &str) -> Option<IntentId> {
    serde_json::from_str::<Head<'_>>(text).ok()?.id()
}

pub fn parse(text: &str) -> Parsed {
    let long = text.len() > limits::MESSAGE_BYTES;
    if text.len() > limits::OFFER_BYTES {
        return Parsed::TooLarge;
    }
    let head = serde_json::from_str::<Head<'_>>(text).ok();
    if long && !head.as_ref().is_some_and(Head::has_offer) {
        return Parsed::TooLarge;
    }
    let id = head.as_ref().and_then(Head::id);
    // Refuses a known key that stands there twice: two readers could take different ones.
    match serde_json::from_str::<ClientMessage>(text) {
        Ok(message) if fits(&message) && (is_offer(&message) || !has_nul(text)) => {
            Parsed::Message(message)
        }
        Ok(ClientMessage::Offer { .. } | ClientMessage::PrepareRoom { .. }) => Parsed::Refused {
            id,
            code: ErrorCode::SdpInvalid,
        },
        Err(_) if head.is_some_and(|head| !TYPES.contains(&&*head.kind)) => Parsed::Refused {
            id,
            code: ErrorCode::UnknownType,
        },
        _ => Parsed::Refused {
            id,
            code: ErrorCode::Malformed,
        },
    }
}

/// Nothing has a NUL in its name, and a database that is asked for one may call that a fault of its own.
fn has_nul(text: &str) -> bool {
    text.contains("\\u0000")
}

fn is_offer(message: &ClientMessage) -> bool {
    matches!(message, ClientMessage::Offer { .. })
}

/// The limits that the types cannot say.
fn fits(message: &ClientMessage) -> bool {
    let short = |id: &str| id.len() <= limits::CLIENT_ID_BYTES;
    let names = |id: &str| short(id) && !id.is_empty();
    if message.id().is_some_and(|id| !short(id.as_str())) {
        return false;
    }
    match message {
        ClientMessage::Hello {
            versions,
            features,
            browser,
            ..
        } => {
            versions.len() <= limits::ARRAY_ITEMS
                && features.len() <= limits::ARRAY_ITEMS
                && browser
                    .as_ref()
                    .is_none_or(|browser| names(browser.as_str()))
        }
        ClientMessage::JoinRoom { device, .. } | ClientMessage::JoinCall { device, .. } => {
            names(device.as_str())
        }
        ClientMessage::PrepareRoom { device, slots, .. } => {
            names(device.as_str()) && slots.len() <= limits::SLOTS
        }
        ClientMessage::Offer { slots, .. } => slots.len() <= limits::SLOTS,
        ClientMessage::SetWanted { wanted } => wanted.len() <= limits::ARRAY_ITEMS,
        ClientMessage::ReportQuality { report } => report.problems.len() <= limits::ARRAY_ITEMS,
        ClientMessage::WatchPeople { people } => people.len() <= limits::WATCHED_PEOPLE,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(what: &str, text: &str, expect: Parsed) {
        assert_eq!(parse(text), expect, "{what}");
    }

    fn refused(id: Option<&str>, code: ErrorCode) -> Parsed {
        Parsed::Refused {
            id: id.map(IntentId::from),
            code,
        }
    }

    #[test]
    fn what_is_no_message_is_refused_with_a_code() {
        let ping = Parsed::Message(ClientMessage::Ping { id: "1".into() });
        check("a good one", r#"{"type":"ping","id":"1"}"#, ping);
        let ping = Parsed::Message(ClientMessage::Ping { id: "1".into() });
        check(
            "an unknown field",
            r#"{"type":"ping","id":"1","later":[{}]}"#,
            ping,
        );
        check(
            "a NUL",
            r#"{"type":"start_call","id":"7","person":"a\u0000","video":false}"#,
            refused(Some("7"), ErrorCode::Malformed),
        );
        check("no JSON", "hello", refused(None, ErrorCode::Malformed));
        check(
            "half of it",
            r#"{"type":"ping""#,
            refused(None, ErrorCode::Malformed),
        );
        check("no object", "[]", refused(None, ErrorCode::Malformed));
        check(
            "no type",
            r#"{"id":"1"}"#,
            refused(None, ErrorCode::Malformed),
        );
        check(
            "a missing field",
            r#"{"type":"publish","id":"7"}"#,
            refused(Some("7"), ErrorCode::Malformed),
        );
        check(
            "null",
            r#"{"type":"ping","id":null}"#,
            refused(None, ErrorCode::Malformed),
        );
        check(
            "a type from the future",
            r#"{"type":"wave","id":"7"}"#,
            refused(Some("7"), ErrorCode::UnknownType),
        );
        check(
            "a key twice",
            r#"{"type":"ping","id":"1","id":"2"}"#,
            refused(None, ErrorCode::Malformed),
        );
        check(
            "the type twice",
            r#"{"type":"ping","type":"ping","id":"1"}"#,
            refused(None, ErrorCode::Malformed),
        );
        let long = format!(r#"{{"type":"ping","id":"{}"}}"#, "x".repeat(65));
        check("a long id", &long, refused(None, ErrorCode::Malformed));
        let no_device = r#"{"type":"join_room","id":"1","room":"a","device":""}"#;
        check(
            "an empty device",
            no_device,
            refused(Some("1"), ErrorCode::Malformed),
        );
        let deep = "[".repeat(10_000);
        check("a tower", &deep, refused(None, ErrorCode::Malformed));
    }

    #[test]
    fn only_an_offer_may_be_long() {
        let ping = format!(
            r#"{{"type":"ping","id":"1","pad":"{}"}}"#,
            "x".repeat(limits::MESSAGE_BYTES)
        );
        check("a long ping", &ping, Parsed::TooLarge);
        let offer = |bytes| {
            let mids = r#"{"microphone":"0","camera":"1","screen":"2","screen_audio":"3"}"#;
            format!(
                r#"{{"type":"offer","id":"1","sdp":"{}","uplink":{mids},"slots":[]}}"#,
                "x".repeat(bytes)
            )
        };
        assert!(matches!(
            parse(&offer(100_000)),
            Parsed::Message(ClientMessage::Offer { .. })
        ));
        check(
            "a huge offer",
            &offer(limits::OFFER_BYTES),
            Parsed::TooLarge,
        );
    }

    #[test]
    fn every_type_of_the_protocol_is_known() {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");
        let mut found = 0;
        for entry in std::fs::read_dir(golden).expect("the golden files") {
            let path = entry.expect("an entry").path();
            if path
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with("client."))
            {
                let text = std::fs::read_to_string(&path).expect("readable");
                let head: Head<'_> = serde_json::from_str(&text).expect("a head");
                assert!(TYPES.contains(&&*head.kind), "{path:?}");
                assert!(matches!(parse(&text), Parsed::Message(_)), "{path:?}");
                found += 1;
            }
        }
        assert!(found >= TYPES.len(), "one golden file per type");
    }
}
