//! Where messages may be sent to: browsers name the endpoint, so it must not lead into anybody's own network.
//!
//! Only https on its own port, to a name, all of whose addresses are public. The name is looked up again for each
//! connection, and the connection goes to the addresses that were checked.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::{Host, Url};

const MOST_BYTES: usize = 1024;
/// Names that are looked up at once: each takes a thread for as long as the name server takes.
const LOOK_UPS: usize = 8;
const LOOK_UP_TIME: Duration = Duration::from_secs(4);
static LOOKING_UP: Semaphore = Semaphore::const_new(LOOK_UPS);

/// Origins of push services that the settings name: they may lie anywhere.
#[derive(Clone, Debug, Default)]
pub struct Allowed(Arc<Vec<Url>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("it is no address of a push service")]
    Shape,
    #[error("it leads to an address that is not public")]
    NotPublic,
    #[error("its name is not known")]
    Unknown,
}

impl Allowed {
    pub fn new(origins: &[Url]) -> Self {
        Self(Arc::new(origins.to_vec()))
    }

    /// An endpoint as a browser tells it, by its form alone.
    pub fn endpoint(&self, text: &str) -> Result<Url, Refused> {
        if text.len() > MOST_BYTES {
            return Err(Refused::Shape);
        }
        let url = Url::parse(text).map_err(|_| Refused::Shape)?;
        let bare = url.username().is_empty() && url.password().is_none();
        let named = matches!(url.host(), Some(Host::Domain(_)));
        let usual = url.scheme() == "https" && url.port().is_none() && named;
        if !bare || url.fragment().is_some() || !(usual || self.names(&url)) {
            return Err(Refused::Shape);
        }
        Ok(url)
    }

    /// Whether it leads to public addresses only, as far as one can see now.
    pub async fn check(&self, url: &Url) -> Result<(), Refused> {
        match url.host() {
            _ if self.names(url) => Ok(()),
            Some(Host::Domain(host)) => look_up(host).await.map(drop),
            _ => Err(Refused::Shape),
        }
    }

    pub fn names(&self, url: &Url) -> bool {
        self.0.iter().any(|one| one.origin() == url.origin())
    }
}

/// For connections to everywhere but what [`Allowed`] names.
#[derive(Clone, Copy, Debug)]
pub struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = look_up(name.as_str()).await.map_err(io::Error::other)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

async fn look_up(host: &str) -> Result<Vec<SocketAddr>, Refused> {
    let host = host.to_owned();
    let looked_up = timeout(LOOK_UP_TIME, async {
        let place = LOOKING_UP.acquire().await;
        // Given up or not, it has its thread until it ends.
        let found = tokio::spawn(async move {
            let found = tokio::net::lookup_host((host, 443)).await;
            drop(place);
            found.map(Iterator::collect::<Vec<_>>)
        });
        found.await
    });
    let found = looked_up.await.ok().and_then(Result::ok);
    checked(found.and_then(Result::ok).unwrap_or_default())
}

/// One that is not public spoils all of them.
fn checked(found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Refused> {
    if found.is_empty() {
        return Err(Refused::Unknown);
    }
    let public = found.iter().all(|address| is_public(address.ip()));
    public.then_some(found).ok_or(Refused::NotPublic)
}

fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// By the registry of special addresses (RFC 6890 and what came after it).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        [0, ..] | [192, 0, 0, _] | [192, 88, 99, _] | [240..=255, ..] => true,
        [100, second, ..] => second & 0xc0 == 64,
        [198, second, ..] => second & 0xfe == 18,
        _ => false,
    };
    !(special
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [high, low, ..] = address.to_bits().to_be_bytes();
    match address.segments() {
        // NAT64: IPv4 for those who have none.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            is_public_v4(Ipv4Addr::from_bits(address.to_bits() as u32))
        }
        // Teredo and its like, documentation, 6to4, documentation: all the rest of 2000::/3 is given out.
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x2002, ..] => false,
        [0x3fff, second, ..] => second >= 0x1000,
        _ => (u16::from_be_bytes([high, low])) & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_connected_to() {
        for (address, public) in [
            ("142.250.181.234", true),
            ("100.63.255.255", true),
            ("100.128.0.1", true),
            ("172.15.0.1", true),
            ("172.32.0.1", true),
            ("198.17.0.1", true),
            ("2a00:1450:4001:82a::200a", true),
            ("2001:4860::1", true),
            ("64:ff9b::8efa:b5ea", true),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("100.127.255.255", false),
            ("127.0.0.1", false),
            ("127.8.8.8", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.0.0.8", false),
            ("192.0.2.1", false),
            ("192.88.99.1", false),
            ("192.168.0.1", false),
            ("198.18.0.1", false),
            ("198.19.255.255", false),
            ("198.51.100.1", false),
            ("203.0.113.1", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:10.0.0.1", false),
            ("::127.0.0.1", false),
            ("64:ff9b::7f00:1", false),
            ("64:ff9b:1::1", false),
            ("100::1", false),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("2002:7f00:1::1", false),
            ("3fff:fff::1", false),
            ("fc00::1", false),
            ("fd12:3456::1", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
        ] {
            let address: IpAddr = address.parse().expect("an address");
            assert_eq!(is_public(address), public, "{address}");
        }
    }

    #[test]
    fn one_private_address_among_public_ones_refuses_the_name() {
        let addresses = |list: &[&str]| {
            let parsed = list.iter().map(|text| text.parse().expect("an address"));
            parsed.map(|ip: IpAddr| SocketAddr::new(ip, 443)).collect()
        };
        let public: Vec<_> = addresses(&["142.250.181.234", "2a00:1450::1"]);
        assert_eq!(checked(public.clone()), Ok(public));
        for list in [
            &["142.250.181.234", "127.0.0.1"][..],
            &["::1", "142.250.181.234"],
            &["::ffff:192.168.0.1"],
        ] {
            assert_eq!(
                checked(addresses(list)),
                Err(Refused::NotPublic),
                "{list:?}"
            );
        }
        assert_eq!(checked(Vec::new()), Err(Refused::Unknown));
    }

    #[tokio::test]
    async fn a_connection_goes_to_what_was_checked_and_nowhere_else() {
        let name = "localhost".parse().expect("a name");
        let refused = PublicOnly.resolve(name).await.err().expect("refused");
        assert_eq!(refused.to_string(), Refused::NotPublic.to_string());
    }

    #[tokio::test]
    async fn an_endpoint_is_an_https_address_on_its_own_port_or_one_that_the_settings_name() {
        let own = Url::parse("http://127.0.0.1:4567").expect("an address");
        let allowed = Allowed::new(&[own]);
        for (text, good) in [
            ("https://fcm.googleapis.com/fcm/send/abc:def", true),
            (
                "https://updates.push.services.mozilla.com/wpush/v2/abc",
                true,
            ),
            ("https://web.push.apple.com:443/abc", true),
            ("http://127.0.0.1:4567/wpush/1", true),
            ("", false),
            ("nonsense", false),
            ("/wpush/1", false),
            ("http://fcm.googleapis.com/x", false),
            ("https://fcm.googleapis.com:8443/x", false),
            ("https://fcm.googleapis.com:80/x", false),
            ("https://user@fcm.googleapis.com/x", false),
            ("https://user:pass@fcm.googleapis.com/x", false),
            ("https://fcm.googleapis.com/x#y", false),
            ("https://142.250.181.234/x", false),
            ("https://127.0.0.1/x", false),
            ("https://2130706433/x", false),
            ("https://0x7f.1/x", false),
            ("https://[::1]/x", false),
            ("https://[2a00:1450::1]/x", false),
            ("http://127.0.0.1:4568/wpush/1", false),
            ("https://127.0.0.1:4567/wpush/1", false),
            ("http://x@127.0.0.1:4567/wpush/1", false),
            ("ftp://fcm.googleapis.com/x", false),
            ("file:///etc/passwd", false),
            ("javascript:alert(1)", false),
            ("data:text/plain,x", false),
        ] {
            assert_eq!(allowed.endpoint(text).is_ok(), good, "{text}");
        }
        let long = format!("https://push.example/{}", "a".repeat(MOST_BYTES));
        assert_eq!(allowed.endpoint(&long), Err(Refused::Shape));
        let private = Url::parse("https://localhost/x").expect("an address");
        assert_eq!(allowed.check(&private).await, Err(Refused::NotPublic));
        let named = Url::parse("http://127.0.0.1:4567/x").expect("an address");
        assert_eq!(allowed.check(&named).await, Ok(()));
    }
}
