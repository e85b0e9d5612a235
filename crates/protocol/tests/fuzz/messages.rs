//! The fuzz target `messages`: text that claims to be a message, of a client or of a server. Run by this crate's tests over
//! the committed inputs, and by `cargo xtask fuzz` over others.

use protocol::parse::{Parsed, id_of, parse};
use protocol::{ClientMessage, ErrorCode, ServerMessage, limits};

pub fn messages(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    match parse(text) {
        Parsed::Message(message) => accepted(text, &message),
        Parsed::Refused { id, code } => {
            let known = [
                ErrorCode::Malformed,
                ErrorCode::SdpInvalid,
                ErrorCode::UnknownType,
            ];
            assert!(known.contains(&code), "{code:?}");
            assert!(id.is_none() || id == id_of(text), "{id:?}");
            assert!(id.is_none_or(|id| id.as_str().len() <= limits::CLIENT_ID_BYTES));
        }
        Parsed::TooLarge => assert!(text.len() > limits::MESSAGE_BYTES),
    }
    if let Ok(message) = serde_json::from_str::<ServerMessage>(text) {
        let written = serde_json::to_string(&message).expect("a message can be written");
        let again = serde_json::from_str::<ServerMessage>(&written);
        assert_eq!(again.ok(), Some(message), "{written}");
    }
}

/// What is let in means the same when it is written and read again, and keeps the limits.
fn accepted(text: &str, message: &ClientMessage) {
    let is_offer = matches!(
        message,
        ClientMessage::Offer { .. } | ClientMessage::PrepareRoom { .. }
    );
    let most = match is_offer {
        true => limits::OFFER_BYTES,
        false => limits::MESSAGE_BYTES,
    };
    assert!(text.len() <= most);
    let written = serde_json::to_string(message).expect("a message can be written");
    assert_eq!(
        parse(&written),
        Parsed::Message(message.clone()),
        "{written}"
    );
    let id = id_of(&written);
    assert!(id.is_none_or(|id| id.as_str().len() <= limits::CLIENT_ID_BYTES));
}
