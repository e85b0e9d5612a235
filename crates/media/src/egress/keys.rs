//! How the keys of a connection come to our own sender: a DTLS provider that lets everything through to the real one
//! and notes the keying material that passes.
//!
//! Providers live for ever and belong to no connection, so the note lies in a cell of this thread from the moment the
//! engine polls its DTLS until the connection takes it, which it does right after that same poll.

use std::cell::Cell;
use std::sync::LazyLock;
use std::time::Instant;

use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
    SrtpProfile,
};
use str0m::crypto::{CryptoError, CryptoProvider};

/// What a finished DTLS handshake gives to SRTP (RFC 5764, section 4.2).
pub(crate) struct Keys {
    pub profile: SrtpProfile,
    pub material: Vec<u8>,
    /// Whether we are the DTLS client: whose half of the material is ours.
    pub is_client: bool,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

thread_local! {
    static NOTED: Cell<Option<Keys>> = const { Cell::new(None) };
}

/// The engine's cryptography, with keys that can be taken.
pub(crate) fn provider() -> CryptoProvider {
    static NOTING: LazyLock<Noting> =
        LazyLock::new(|| Noting(str0m::crypto::from_feature_flags().dtls_provider));
    CryptoProvider {
        dtls_provider: &*NOTING,
        ..str0m::crypto::from_feature_flags()
    }
}

/// The keys that passed in the poll before this call, on this thread.
pub(crate) fn take() -> Option<Keys> {
    NOTED.take()
}

#[derive(Debug)]
pub(crate) struct Noting(pub &'static dyn DtlsProvider);

impl DtlsProvider for Noting {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        self.0.generate_certificate()
    }

    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let instance = self.0.new_dtls(certificate, now, version, mtu)?;
        Ok(Box::new(Instance(instance)))
    }

    fn is_test(&self) -> bool {
        self.0.is_test()
    }
}

#[derive(Debug)]
struct Instance(Box<dyn DtlsInstance>);

impl DtlsInstance for Instance {
    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.0.poll_output(buffer);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output {
            NOTED.set(Some(Keys {
                profile: *profile,
                material: material.to_vec(),
                is_client: self.0.is_active(),
            }));
        }
        output
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}
