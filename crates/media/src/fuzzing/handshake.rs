//! A DTLS that is through with the first record that comes, with keys that the targets know. So that what comes after a
//! handshake can be tried thousands of times in a second, by a client that seals what it likes.

use std::time::{Duration, Instant};

use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, KeyingMaterial,
    ProtocolVersion, SrtpProfile,
};
use str0m::crypto::{CryptoError, CryptoProvider};

use crate::egress::keys::{Keys, Noting};
use crate::egress::srtp::Srtp;

/// What every client shows; its hash stands in its offer.
const CERTIFICATE: &[u8] = b"the certificate of everybody";
const PROFILE: SrtpProfile = SrtpProfile::AEAD_AES_128_GCM;
/// Two keys and two salts.
const MATERIAL: [u8; 56] = *b"keys of client, server: 16 bytes each, salts: 12 bytes..";
/// Any DTLS record: only that it comes counts.
pub(crate) const RECORD: &[u8] = &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The engine's cryptography, without the handshake.
pub(crate) fn provider() -> CryptoProvider {
    static NOTING: Noting = Noting(&Skipped);
    CryptoProvider {
        dtls_provider: &NOTING,
        ..str0m::crypto::from_feature_flags()
    }
}

/// As it stands in an offer.
pub(crate) fn fingerprint() -> String {
    let hash = provider().sha256_provider.sha256(CERTIFICATE);
    let bytes: Vec<String> = hash.iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

/// What the client seals and opens with.
pub(crate) fn client_srtp() -> Srtp {
    let keys = Keys {
        profile: PROFILE,
        material: MATERIAL.to_vec(),
        is_client: true,
    };
    Srtp::new(&provider(), &keys).expect("keys of the right length")
}

#[derive(Debug)]
struct Skipped;

impl DtlsProvider for Skipped {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        None
    }

    fn new_dtls(
        &self,
        _certificate: &DtlsCert,
        now: Instant,
        _version: DtlsVersion,
        _mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        Ok(Box::new(Instance {
            is_active: false,
            told: None,
            now,
        }))
    }
}

#[derive(Debug)]
struct Instance {
    is_active: bool,
    /// How much was told of the handshake that is through.
    told: Option<u8>,
    now: Instant,
}

impl DtlsInstance for Instance {
    fn set_active(&mut self, active: bool) {
        self.is_active = active;
    }

    fn handle_packet(&mut self, _packet: &[u8]) -> Result<(), DtlsImplError> {
        self.told.get_or_insert(0);
        Ok(())
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        let told = self.told;
        self.told = told.map(|told| told.saturating_add(1));
        match told {
            Some(0) => {
                let certificate = &mut buffer[..CERTIFICATE.len()];
                certificate.copy_from_slice(CERTIFICATE);
                DtlsOutput::PeerCert(certificate)
            }
            Some(1) => DtlsOutput::KeyingMaterial(KeyingMaterial::new(&MATERIAL), PROFILE),
            Some(2) => DtlsOutput::Connected,
            _ => DtlsOutput::Timeout(self.now + Duration::from_secs(3_600)),
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.now = now;
        Ok(())
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        Ok(data.len())
    }

    fn is_active(&self) -> bool {
        self.is_active
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        None
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        Ok(())
    }
}
