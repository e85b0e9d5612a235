//! An LDAP directory of the tests' own: Debian's slapd with a private directory and ports of loopback, gone with the test.
//!
//! A missing slapd fails the test.

use std::fmt::Write as _;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ldap3::{LdapConnAsync, Mod, Scope};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::Directory;

pub const BASE: &str = "dc=example,dc=org";
pub const PEOPLE: &str = "ou=people,dc=example,dc=org";
const ROOT: &str = "cn=root,dc=example,dc=org";
/// What the server binds as: may read, and page through everything.
pub const SERVICE: &str = "cn=stube,dc=example,dc=org";
pub const SERVICE_PASSWORD: &str = "leser der liste";
const ROOT_PASSWORD: &str = "wurzel";

/// Ends the server when the test process, whose pipe this reads, is gone.
const KEEPER: &str = r#"
"$@" >log 2>&1 &
server=$!
cat >/dev/null
kill -TERM $server
wait $server
"#;

const SETTINGS: &str = r#"
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile DIRECTORY/ca.pem
TLSCertificateFile DIRECTORY/server.pem
TLSCertificateKeyFile DIRECTORY/server.key
# As in many houses: so much at once and no more, unless one pages.
sizelimit size.soft=100 size.hard=200 size.pr=100 size.prtotal=unlimited
database mdb
suffix "dc=example,dc=org"
rootdn "cn=root,dc=example,dc=org"
rootpw wurzel
directory DIRECTORY/db
maxsize 67108864
index objectClass,uid,member eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=stube,dc=example,dc=org" read by * none
"#;

pub struct Slapd {
    directory: Directory,
    port: u16,
    tls_port: u16,
    keeper: Option<Child>,
}

/// Somebody, as LDIF.
pub fn person(username: &str, name: &str, more: &str) -> String {
    format!(
        "dn: uid={username},{PEOPLE}\nobjectClass: inetOrgPerson\nuid: {username}\ncn: {name}\nsn: {name}\n\
         mail: {username}@example.org\nuserPassword: geheim von {username}\n{more}\n"
    )
}

/// A group of these people, and of groups where a name begins with `@`.
pub fn group(name: &str, members: &[&str]) -> String {
    let mut text = format!("dn: cn={name},{BASE}\nobjectClass: groupOfNames\ncn: {name}\n");
    for member in members {
        let dn = match member.strip_prefix('@') {
            Some(group) => format!("cn={group},{BASE}"),
            None => format!("uid={member},{PEOPLE}"),
        };
        writeln!(text, "member: {dn}").expect("a string");
    }
    text.push('\n');
    text
}

impl Slapd {
    /// With these people and groups in it.
    pub fn start(ldif: &str) -> Self {
        let mut slapd = Self {
            directory: Directory::new(),
            port: free_port(),
            tls_port: free_port(),
            keeper: None,
        };
        let place = slapd.directory.0.display().to_string();
        fs::create_dir(slapd.directory.0.join("db")).expect("a directory");
        slapd.make_certificates();
        slapd.write("slapd.conf", &SETTINGS.replace("DIRECTORY", &place));
        let frame = format!(
            "dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n\
             dn: {PEOPLE}\nobjectClass: organizationalUnit\nou: people\n\n\
             dn: {SERVICE}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: stube\n\
             userPassword: {SERVICE_PASSWORD}\n\n"
        );
        slapd.write("data.ldif", &format!("{frame}{ldif}"));
        let output = Command::new("/usr/sbin/slapadd")
            .args(["-q", "-f", "slapd.conf", "-l", "data.ldif"])
            .current_dir(&slapd.directory.0)
            .output()
            .expect("slapd is installed (Debian: apt-get install slapd)");
        assert!(output.status.success(), "{output:?}");
        slapd.run();
        slapd
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.directory.0.join(name), text).expect("a file");
    }

    /// An authority nobody knows, and a certificate of it for this computer.
    fn make_certificates(&self) {
        let key = || KeyPair::generate().expect("a key");
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, key()).expect("an authority");
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let (server, server_key) = (CertificateParams::new(names), key());
        let server = server.expect("names").signed_by(&server_key, &authority);
        self.write("ca.pem", &authority.pem());
        self.write("server.pem", &server.expect("a certificate").pem());
        self.write("server.key", &server_key.serialize_pem());
    }

    /// Starts it, again or for the first time, and asks until it answers.
    pub fn run(&mut self) {
        let addresses = format!(
            "ldap://127.0.0.1:{} ldaps://127.0.0.1:{}",
            self.port, self.tls_port
        );
        let mut keeper = Command::new("sh");
        keeper
            .args(["-c", KEEPER, "sh", "/usr/sbin/slapd", "-d", "0"])
            .args(["-f", "slapd.conf", "-h", &addresses])
            .current_dir(&self.directory.0)
            .stdin(Stdio::piped());
        self.keeper = Some(keeper.spawn().expect("a shell"));
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", self.tls_port)).is_err() {
            let log = fs::read_to_string(self.directory.0.join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "slapd does not start: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn stop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            keeper.wait().expect("its end");
        }
    }

    pub fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }

    pub fn tls_url(&self) -> String {
        format!("ldaps://localhost:{}", self.tls_port)
    }

    /// Of the authority that vouches for it.
    pub fn ca_file(&self) -> PathBuf {
        self.directory.0.join("ca.pem")
    }

    /// As who may do everything.
    async fn root(&self) -> ldap3::Ldap {
        let (connection, mut ldap) = LdapConnAsync::new(&self.url()).await.expect("slapd");
        tokio::spawn(async move { connection.drive().await.expect("a connection") });
        let bound = ldap.simple_bind(ROOT, ROOT_PASSWORD).await;
        bound.and_then(|result| result.success()).expect("a bind");
        ldap
    }

    pub async fn add(&self, username: &str) {
        let mut values = std::collections::HashMap::new();
        for line in person(username, username, "").lines().skip(1) {
            let (name, value) = line.split_once(": ").unwrap_or_default();
            if !name.is_empty() {
                values.insert(
                    name.to_owned(),
                    std::collections::HashSet::from([value.to_owned()]),
                );
            }
        }
        let dn = format!("uid={username},{PEOPLE}");
        let added = self
            .root()
            .await
            .add(&dn, values.into_iter().collect())
            .await;
        added
            .and_then(|result| result.success())
            .expect("somebody new");
    }

    pub async fn remove(&self, username: &str) {
        let dn = format!("uid={username},{PEOPLE}");
        let removed = self.root().await.delete(&dn).await;
        removed
            .and_then(|result| result.success())
            .expect("somebody less");
    }

    /// Everybody but for these.
    pub async fn remove_all_but(&self, kept: &[&str]) {
        let mut root = self.root().await;
        let found = root
            .search(PEOPLE, Scope::OneLevel, "(uid=*)", vec!["uid"])
            .await;
        let (entries, _) = found.and_then(|found| found.success()).expect("people");
        for entry in entries.into_iter().map(ldap3::SearchEntry::construct) {
            let keep = kept
                .iter()
                .any(|name| entry.dn.starts_with(&format!("uid={name},")));
            if !keep {
                let removed = root.delete(&entry.dn).await;
                removed
                    .and_then(|result| result.success())
                    .expect("somebody less");
            }
        }
    }

    /// Another username, the same person.
    pub async fn rename(&self, from: &str, to: &str) {
        let dn = format!("uid={from},{PEOPLE}");
        let renamed = self
            .root()
            .await
            .modifydn(&dn, &format!("uid={to}"), true, None)
            .await;
        renamed
            .and_then(|result| result.success())
            .expect("another name");
    }

    pub async fn replace(&self, username: &str, attribute: &str, value: &str) {
        let dn = format!("uid={username},{PEOPLE}");
        let change = Mod::Replace(attribute, std::collections::HashSet::from([value]));
        let changed = self.root().await.modify(&dn, vec![change]).await;
        changed
            .and_then(|result| result.success())
            .expect("a change");
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.stop();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
