//! Where a picture may come from: within the answer itself, or from the provider's own origin. The address is somebody
//! else's word, and our server would go there: nothing else is fetched.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use url::{Position, Url};

/// Of text in base64: an image of 1 MiB.
const DATA_BYTES: usize = 1_400_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picture {
    Bytes(Vec<u8>),
    Address(Url),
}

impl Picture {
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(data) = text.strip_prefix("data:") {
            let (kind, data) = data.split_once(',')?;
            let image = kind.starts_with("image/") && kind.ends_with(";base64");
            if !image || data.len() > DATA_BYTES {
                return None;
            }
            return BASE64_STANDARD.decode(data).ok().map(Self::Bytes);
        }
        Url::parse(text).ok().map(Self::Address)
    }
}

/// Whether our server may fetch it: the very origin of the issuer, and no name and password in it.
pub fn may_be_fetched(address: &Url, issuer: &Url) -> bool {
    let plain = address[Position::BeforeUsername..Position::BeforeHost].is_empty();
    matches!(address.scheme(), "https" | "http") && plain && address.origin() == issuer.origin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_images_come_within_the_answer() {
        let check = |what: &str, text: &str, expect: Option<&[u8]>| {
            let picture = Picture::parse(text);
            let bytes = match &picture {
                Some(Picture::Bytes(bytes)) => Some(bytes.as_slice()),
                _ => None,
            };
            assert_eq!(bytes, expect, "{what}");
        };
        check("a picture", "data:image/png;base64,aGk=", Some(b"hi"));
        check("text", "data:text/html;base64,aGk=", None);
        check("not in base64", "data:image/svg+xml,<svg/>", None);
        check("broken", "data:image/png;base64,%%", None);
        let large = format!("data:image/png;base64,{}", "A".repeat(DATA_BYTES + 1));
        check("too large", &large, None);
    }

    #[test]
    fn our_server_goes_to_the_providers_own_origin_only() {
        let issuer = Url::parse("https://id.example.org/realms/a").expect("a URL");
        let check = |address: &str, expect: bool| {
            let address = Url::parse(address).expect("a URL");
            assert_eq!(may_be_fetched(&address, &issuer), expect, "{address}");
        };
        check("https://id.example.org/pictures/anna.png", true);
        check("https://ID.example.org:443/anna", true);
        check("https://id.example.org:9200/_search", false);
        check("http://id.example.org/anna", false);
        check("https://id.example.org.evil.example/anna", false);
        check("https://id.example.org@evil.example/anna", false);
        check("https://anna:secret@id.example.org/anna", false);
        check("http://169.254.169.254/latest/meta-data", false);
        check("http://localhost/", false);
        check("file:///etc/passwd", false);
        check("data:image/png;base64,aGk=", false);
    }
}
