//! A passkey in software, as a browser with an authenticator answers; it can be told to answer wrongly.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const NEW_CREDENTIAL: u8 = 0x40;

pub struct Authenticator {
    key: EcdsaKeyPair,
    pub id: Vec<u8>,
    pub origin: String,
    pub host: String,
    /// Of the account, as it was told when the passkey was made.
    pub user: Vec<u8>,
    pub counter: u32,
    pub verified: bool,
}

impl Authenticator {
    pub fn new(origin: &str, id: u8) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        Self {
            key: pair,
            id: vec![id; 16],
            origin: origin.to_owned(),
            host: "localhost".to_owned(),
            user: Vec::new(),
            counter: 0,
            verified: true,
        }
    }

    /// `navigator.credentials.create`, then `toJSON`.
    pub fn create(&mut self, options: &Value) -> Value {
        self.user = read(&options["user"]["id"]);
        let mut data = self.data(NEW_CREDENTIAL);
        // No model is told.
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).expect("short").to_be_bytes());
        data.extend(&self.id);
        data.extend(self.public_key());
        // {"fmt": "none", "attStmt": {}, "authData": data}
        let mut object = vec![0xa3];
        text(&mut object, "fmt");
        text(&mut object, "none");
        text(&mut object, "attStmt");
        object.push(0xa0);
        text(&mut object, "authData");
        bytes(&mut object, &data);
        let client = self.client("webauthn.create", options);
        self.answer(json!({
            "attestationObject": write(&object),
            "clientDataJSON": write(&client),
            "transports": ["internal"],
        }))
    }

    /// `navigator.credentials.get`, then `toJSON`.
    pub fn get(&mut self, options: &Value) -> Value {
        self.counter += 1;
        let data = self.data(0);
        let client = self.client("webauthn.get", options);
        let signed = [&data[..], digest(&SHA256, &client).as_ref()].concat();
        let signature = self
            .key
            .sign(&SystemRandom::new(), &signed)
            .expect("a signature");
        self.answer(json!({
            "authenticatorData": write(&data),
            "clientDataJSON": write(&client),
            "signature": write(signature.as_ref()),
            "userHandle": write(&self.user),
        }))
    }

    fn answer(&self, response: Value) -> Value {
        json!({
            "id": write(&self.id),
            "rawId": write(&self.id),
            "type": "public-key",
            "response": response,
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
        })
    }

    fn client(&self, kind: &str, options: &Value) -> Vec<u8> {
        let client = json!({
            "type": kind,
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": false,
        });
        client.to_string().into_bytes()
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let verified = if self.verified { VERIFIED } else { 0 };
        let mut data = digest(&SHA256, self.host.as_bytes()).as_ref().to_vec();
        data.push(PRESENT | verified | flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// COSE: {1: 2, 3: -7, -1: 1, -2: x, -3: y}.
    fn public_key(&self) -> Vec<u8> {
        let point = self.key.public_key().as_ref();
        let mut key = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21];
        bytes(&mut key, &point[1..33]);
        key.push(0x22);
        bytes(&mut key, &point[33..]);
        key
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(0x60 | u8::try_from(text.len()).expect("short"));
    out.extend(text.as_bytes());
}

fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(0x58);
    out.push(u8::try_from(bytes.len()).expect("short"));
    out.extend(bytes);
}

fn read(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("text");
    BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

fn write(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
