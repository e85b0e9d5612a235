//! SRTP of one connection: keys from keying material (RFC 3711, section 4.3), RTP and RTCP sealed in place at the end
//! of a buffer, RTCP of the client opened. AES-GCM (RFC 7714) is the fast path; AES-CM with HMAC-SHA1 is for clients
//! that know nothing else.
//!
//! Never seals the same index of the same SSRC twice: that is the caller's promise, see `window`.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use str0m::crypto::dtls::SrtpProfile;
use str0m::crypto::{Aes128CmSha1_80Cipher, CryptoProvider, Sha1HmacProvider};

use super::keys::Keys;
use super::window::Window;

const GCM_TAG: usize = 16;
const CM_TAG: usize = 10;
const RTCP_HEADER: usize = 8;
const RTCP_INDEX: usize = 4;
/// The bit of an SRTCP index that says that the packet is encrypted.
const ENCRYPTED: u32 = 1 << 31;
/// SSRCs of the client whose SRTCP indexes are remembered. It has one per section at most.
const REMEMBERED_SSRCS: usize = 64;

/// What a master key is used for (RFC 3711, section 4.3.2).
#[derive(Clone, Copy)]
struct Labels {
    key: u8,
    authentication: u8,
    salt: u8,
}

const RTP: Labels = Labels {
    key: 0,
    authentication: 1,
    salt: 2,
};
const RTCP: Labels = Labels {
    key: 3,
    authentication: 4,
    salt: 5,
};

enum Cipher {
    Gcm {
        key: LessSafeKey,
        salt: [u8; 12],
    },
    Cm {
        cipher: Box<dyn Aes128CmSha1_80Cipher>,
        salt: [u8; 14],
        authentication: [u8; 20],
        hmac: &'static dyn Sha1HmacProvider,
    },
}

pub(crate) struct Srtp {
    rtp: Cipher,
    rtcp: Cipher,
    their_rtcp: Cipher,
    /// SRTCP indexes seen, for each SSRC of the client.
    seen: Vec<(u32, Window)>,
    opened: Vec<u8>,
}

impl Srtp {
    /// `None` for a profile that we never offer, or material that is too short for it.
    pub fn new(crypto: &CryptoProvider, keys: &Keys) -> Option<Self> {
        let (key_bytes, salt_bytes) = match keys.profile {
            SrtpProfile::AEAD_AES_256_GCM => (32, 12),
            SrtpProfile::AEAD_AES_128_GCM => (16, 12),
            SrtpProfile::AES128_CM_SHA1_80 => (16, 14),
            _ => return None,
        };
        let (client_key, rest) = keys.material.split_at_checked(key_bytes)?;
        let (server_key, rest) = rest.split_at_checked(key_bytes)?;
        let (client_salt, rest) = rest.split_at_checked(salt_bytes)?;
        let server_salt = rest.get(..salt_bytes)?;
        let client = Master::new(crypto, client_key, client_salt)?;
        let server = Master::new(crypto, server_key, server_salt)?;
        let (ours, theirs) = match keys.is_client {
            true => (client, server),
            false => (server, client),
        };
        Some(Self {
            rtp: ours.cipher(keys.profile, RTP)?,
            rtcp: ours.cipher(keys.profile, RTCP)?,
            their_rtcp: theirs.cipher(keys.profile, RTCP)?,
            seen: vec![],
            opened: vec![],
        })
    }

    /// Bytes that sealing RTP adds.
    pub fn tag_bytes(&self) -> usize {
        match self.rtp {
            Cipher::Gcm { .. } => GCM_TAG,
            Cipher::Cm { .. } => CM_TAG,
        }
    }

    /// Seals the RTP packet that begins at `start` and ends the buffer. `index` is the extended sequence number.
    pub fn seal_rtp(
        &mut self,
        buffer: &mut Vec<u8>,
        start: usize,
        header_bytes: usize,
        ssrc: u32,
        index: u64,
    ) -> Option<()> {
        match &mut self.rtp {
            Cipher::Gcm { key, salt } => {
                let nonce = gcm_nonce(salt, ssrc, index & 0xffff_ffff_ffff);
                let packet = buffer.get_mut(start..)?;
                let (header, payload) = packet.split_at_mut_checked(header_bytes)?;
                let tag = key
                    .seal_in_place_separate_tag(nonce, Aad::from(&*header), payload)
                    .ok()?;
                buffer.extend_from_slice(tag.as_ref());
            }
            Cipher::Cm {
                cipher,
                salt,
                authentication,
                hmac,
            } => {
                let iv = cm_iv(salt, ssrc, index);
                encrypt_in_place(
                    cipher.as_mut(),
                    &iv,
                    buffer.get_mut(start + header_bytes..)?,
                )?;
                let rollover = ((index >> 16) as u32).to_be_bytes();
                let tag = hmac.sha1_hmac(authentication, &[buffer.get(start..)?, &rollover]);
                buffer.extend_from_slice(tag.get(..CM_TAG)?);
            }
        }
        Some(())
    }

    /// Seals the RTCP packets that begin at `start` and end the buffer; `ssrc` is the sender of the first one.
    pub fn seal_rtcp(
        &mut self,
        buffer: &mut Vec<u8>,
        start: usize,
        ssrc: u32,
        index: u32,
    ) -> Option<()> {
        let trailer = (index | ENCRYPTED).to_be_bytes();
        match &mut self.rtcp {
            Cipher::Gcm { key, salt } => {
                let nonce = gcm_nonce(salt, ssrc, u64::from(index & !ENCRYPTED));
                let packet = buffer.get_mut(start..)?;
                let (header, payload) = packet.split_at_mut_checked(RTCP_HEADER)?;
                let aad = rtcp_aad(header, trailer)?;
                let tag = key
                    .seal_in_place_separate_tag(nonce, Aad::from(aad), payload)
                    .ok()?;
                buffer.extend_from_slice(tag.as_ref());
                buffer.extend_from_slice(&trailer);
            }
            Cipher::Cm {
                cipher,
                salt,
                authentication,
                hmac,
            } => {
                let iv = cm_iv(salt, ssrc, u64::from(index & !ENCRYPTED));
                encrypt_in_place(cipher.as_mut(), &iv, buffer.get_mut(start + RTCP_HEADER..)?)?;
                buffer.extend_from_slice(&trailer);
                let tag = hmac.sha1_hmac(authentication, &[buffer.get(start..)?]);
                buffer.extend_from_slice(tag.get(..CM_TAG)?);
            }
        }
        Some(())
    }

    /// The RTCP packets in a datagram of the client. `None` if it is not authentic, in the clear, or came before.
    pub fn open_rtcp(&mut self, datagram: &[u8]) -> Option<&[u8]> {
        let header = datagram.get(..RTCP_HEADER)?;
        let ssrc = u32::from_be_bytes(header.get(4..)?.try_into().ok()?);
        let trailer_at = match self.their_rtcp {
            Cipher::Gcm { .. } => datagram.len().checked_sub(RTCP_INDEX)?,
            Cipher::Cm { .. } => datagram.len().checked_sub(RTCP_INDEX + CM_TAG)?,
        };
        let trailer: [u8; 4] = datagram.get(trailer_at..)?.get(..4)?.try_into().ok()?;
        let index = u32::from_be_bytes(trailer);
        if index & ENCRYPTED == 0 || !self.is_new(ssrc, index & !ENCRYPTED) {
            return None;
        }
        let index = index & !ENCRYPTED;
        let body = datagram.get(RTCP_HEADER..trailer_at)?;
        self.opened.clear();
        self.opened.extend_from_slice(header);
        match &mut self.their_rtcp {
            Cipher::Gcm { key, salt } => {
                self.opened.extend_from_slice(body);
                let (header, body) = self.opened.split_at_mut_checked(RTCP_HEADER)?;
                let nonce = gcm_nonce(salt, ssrc, u64::from(index));
                let aad = rtcp_aad(header, trailer)?;
                let clear = key.open_in_place(nonce, Aad::from(aad), body).ok()?.len();
                self.opened.truncate(RTCP_HEADER + clear);
            }
            Cipher::Cm {
                cipher,
                salt,
                authentication,
                hmac,
            } => {
                let authenticated = datagram.get(..trailer_at + RTCP_INDEX)?;
                let tag = hmac.sha1_hmac(authentication, &[authenticated]);
                let sent = datagram.get(trailer_at + RTCP_INDEX..)?;
                aws_lc_rs::constant_time::verify_slices_are_equal(tag.get(..CM_TAG)?, sent).ok()?;
                self.opened.resize(RTCP_HEADER + body.len(), 0);
                let clear = self.opened.get_mut(RTCP_HEADER..)?;
                cipher
                    .decrypt(&cm_iv(salt, ssrc, u64::from(index)), body, clear)
                    .ok()?;
            }
        }
        self.remember(ssrc, index);
        Some(&self.opened)
    }

    fn is_new(&self, ssrc: u32, index: u32) -> bool {
        let known = self.seen.iter().find(|(known, _)| *known == ssrc);
        known.is_none_or(|(_, window)| window.would_accept(u64::from(index)))
    }

    fn remember(&mut self, ssrc: u32, index: u32) {
        if let Some((_, window)) = self.seen.iter_mut().find(|(known, _)| *known == ssrc) {
            window.accept(u64::from(index));
            return;
        }
        if self.seen.len() >= REMEMBERED_SSRCS {
            self.seen.remove(0);
        }
        let mut window = Window::default();
        window.accept(u64::from(index));
        self.seen.push((ssrc, window));
    }
}

impl std::fmt::Debug for Srtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Srtp").finish_non_exhaustive()
    }
}

/// RFC 7714, sections 8.1 and 9.1: the SSRC and the 48 bits of the index, over the salt.
fn gcm_nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> Nonce {
    let plain = (u128::from(ssrc) << 48) | u128::from(index);
    let [_, _, _, _, rest @ ..] = plain.to_be_bytes();
    let mut nonce = *salt;
    for (byte, other) in nonce.iter_mut().zip(rest) {
        *byte ^= other;
    }
    Nonce::assume_unique_for_key(nonce)
}

/// RFC 3711, section 4.1.1.
fn cm_iv(salt: &[u8; 14], ssrc: u32, index: u64) -> [u8; 16] {
    let plain = (u128::from(ssrc) << 64) | (u128::from(index) << 16);
    let mut iv = plain.to_be_bytes();
    for (byte, other) in iv.iter_mut().zip(salt) {
        *byte ^= other;
    }
    iv
}

fn encrypt_in_place(
    cipher: &mut dyn Aes128CmSha1_80Cipher,
    iv: &[u8; 16],
    bytes: &mut [u8],
) -> Option<()> {
    let clear = bytes.to_vec();
    cipher.encrypt(iv, &clear, bytes).ok()
}

/// RFC 7714, section 9.2: the first header and the index are authenticated only.
fn rtcp_aad(header: &[u8], trailer: [u8; 4]) -> Option<[u8; 12]> {
    let mut aad = [0; 12];
    let (first, last) = aad.split_at_mut_checked(RTCP_HEADER)?;
    first.copy_from_slice(header.get(..RTCP_HEADER)?);
    last.copy_from_slice(&trailer);
    Some(aad)
}

/// A master key with its salt, which GCM's shorter one fills up with zeros (RFC 7714, section 11).
struct Master<'a> {
    crypto: &'a CryptoProvider,
    key: &'a [u8],
    salt: [u8; 14],
}

impl<'a> Master<'a> {
    fn new(crypto: &'a CryptoProvider, key: &'a [u8], salt: &[u8]) -> Option<Self> {
        let mut padded = [0; 14];
        padded.get_mut(..salt.len())?.copy_from_slice(salt);
        Some(Self {
            crypto,
            key,
            salt: padded,
        })
    }

    fn cipher(&self, profile: SrtpProfile, labels: Labels) -> Option<Cipher> {
        let gcm = |algorithm, key: &[u8]| {
            Some(Cipher::Gcm {
                key: LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?),
                salt: self.derive(labels.salt)?,
            })
        };
        match profile {
            SrtpProfile::AEAD_AES_256_GCM => {
                gcm(&AES_256_GCM, self.derive::<32>(labels.key)?.as_slice())
            }
            SrtpProfile::AEAD_AES_128_GCM => {
                gcm(&AES_128_GCM, self.derive::<16>(labels.key)?.as_slice())
            }
            SrtpProfile::AES128_CM_SHA1_80 => {
                let ciphers = self.crypto.srtp_provider.aes_128_cm_sha1_80();
                Some(Cipher::Cm {
                    cipher: ciphers.create_cipher(self.derive(labels.key)?, true),
                    salt: self.derive(labels.salt)?,
                    authentication: self.derive(labels.authentication)?,
                    hmac: self.crypto.sha1_hmac_provider,
                })
            }
            _ => None,
        }
    }

    /// RFC 3711, section 4.3.3, with a key derivation rate of zero.
    fn derive<const BYTES: usize>(&self, label: u8) -> Option<[u8; BYTES]> {
        let mut block = [0; 16];
        block.get_mut(..14)?.copy_from_slice(&self.salt);
        *block.get_mut(7)? ^= label;
        let mut derived = [0; BYTES];
        for (counter, part) in derived.chunks_mut(16).enumerate() {
            *block.last_mut()? = u8::try_from(counter).ok()?;
            let mut stream = [0; 32];
            let srtp = self.crypto.srtp_provider;
            match self.key.len() {
                32 => srtp.srtp_aes_256_ecb_round(self.key, &block, &mut stream),
                _ => srtp.srtp_aes_128_ecb_round(self.key, &block, &mut stream),
            }
            part.copy_from_slice(stream.get(..part.len())?);
        }
        Some(derived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2);
        digits
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    fn crypto() -> CryptoProvider {
        str0m::crypto::from_feature_flags()
    }

    /// Session keys as they stand in RFC 7714, which leaves out their derivation.
    fn session(key: &str) -> Srtp {
        let cipher = || {
            let algorithm = if key.len() == 64 {
                &AES_256_GCM
            } else {
                &AES_128_GCM
            };
            Cipher::Gcm {
                key: LessSafeKey::new(UnboundKey::new(algorithm, &bytes(key)).unwrap()),
                salt: bytes("517569642070726f2071756f").try_into().unwrap(),
            }
        };
        Srtp {
            rtp: cipher(),
            rtcp: cipher(),
            their_rtcp: cipher(),
            seen: vec![],
            opened: vec![],
        }
    }

    const RTP_CLEAR: &str = "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573";
    const RTCP_CLEAR: &str = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";

    #[test]
    fn gcm_gives_what_rfc_7714_says() {
        let table = [
            (
                "000102030405060708090a0b0c0d0e0f",
                "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
                "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
            ),
            (
                "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
                "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
            ),
        ];
        for (key, rtp, rtcp) in table {
            let mut srtp = session(key);
            let mut buffer = [vec![9; 3], bytes(RTP_CLEAR)].concat();
            srtp.seal_rtp(&mut buffer, 3, 12, 0x5501_a0b2, 0xf17b)
                .unwrap();
            assert_eq!(buffer[3..], bytes(rtp));
            let mut buffer = [vec![9; 3], bytes(RTCP_CLEAR)].concat();
            srtp.seal_rtcp(&mut buffer, 3, 0x4d61_7273, 0x5d4).unwrap();
            assert_eq!(buffer[3..], bytes(rtcp));
            assert_eq!(srtp.open_rtcp(&bytes(rtcp)), Some(&bytes(RTCP_CLEAR)[..]));
            assert_eq!(srtp.open_rtcp(&bytes(rtcp)), None, "once");
        }
    }

    #[test]
    fn keys_are_derived_as_rfc_3711_says() {
        let crypto = crypto();
        let (key, salt) = (
            bytes("e1f97a0d3e018be0d64fa32c06de4139"),
            bytes("0ec675ad498afeebb6960b3aabe6"),
        );
        let master = Master::new(&crypto, &key, &salt).unwrap();
        assert_eq!(
            master.derive::<16>(RTP.key).unwrap()[..],
            bytes("c61e7a93744f39ee10734afe3ff7a087")
        );
        assert_eq!(
            master.derive::<20>(RTP.authentication).unwrap()[..],
            bytes("cebe321f6ff7716b6fd4ab49af256a156d38baa4")
        );
        assert_eq!(
            master.derive::<14>(RTP.salt).unwrap()[..],
            bytes("30cbbc08863d8c85d49db34a9ae1")
        );
    }

    #[test]
    fn counter_mode_opens_and_seals_a_packet_of_another_stack() {
        let keys = |is_client| Keys {
            profile: SrtpProfile::AES128_CM_SHA1_80,
            material: bytes(
                "2cb02346b42276a672cfd143aec2d5eeddde55f0ad7bcac22666f1c6386173ed6eb25cb7d26a61a1ee2c210adae760aaa2fd67b672c41aed105f9d36",
            ),
            is_client,
        };
        let clear = bytes(
            "80c800063cd7cc13e2ee35c8604e618c26f32734000000430000140781ca00063cd7cc130110386e467532685766724d44724766346f0000",
        );
        let sealed = bytes(
            "80c800063cd7cc13b7c831dcb776cd8dc26fda1d9bfc8ee6589a1a8a49289caeb264200c37d2d0a4afac6385ffc60dec7d06d4873dd3a8cc80000001b7bb526521d1e73c0fc0",
        );
        let mut server = Srtp::new(&crypto(), &keys(false)).unwrap();
        assert_eq!(server.open_rtcp(&sealed), Some(&clear[..]));
        let mut client = Srtp::new(&crypto(), &keys(true)).unwrap();
        let mut buffer = clear.clone();
        client.seal_rtcp(&mut buffer, 0, 0x3cd7_cc13, 1).unwrap();
        assert_eq!(buffer, sealed);
    }

    #[test]
    fn what_is_forged_cut_or_in_the_clear_is_not_opened() {
        let sealed = bytes(
            "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
        );
        let mut srtp = session("000102030405060708090a0b0c0d0e0f");
        for at in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[at] ^= 1;
            assert_eq!(srtp.open_rtcp(&forged), None, "byte {at}");
            assert_eq!(srtp.open_rtcp(&sealed[..at]), None, "{at} bytes");
        }
        let tagged = bytes(
            "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef841dd9683dd78ec92ae58790125f62b3000005d4",
        );
        assert_eq!(srtp.open_rtcp(&tagged), None, "in the clear");
        assert!(srtp.open_rtcp(&sealed).is_some(), "the true one");
    }

    #[test]
    fn material_that_is_too_short_gives_no_keys() {
        for profile in [
            SrtpProfile::AES128_CM_SHA1_80,
            SrtpProfile::AEAD_AES_128_GCM,
            SrtpProfile::AEAD_AES_256_GCM,
        ] {
            let enough = profile.keying_material_len();
            for length in [0, 16, enough - 1, enough] {
                let keys = Keys {
                    profile,
                    material: vec![7; length],
                    is_client: false,
                };
                assert_eq!(Srtp::new(&crypto(), &keys).is_some(), length == enough);
            }
        }
    }
}
