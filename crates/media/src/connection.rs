//! One peer's engine: a str0m `Rtc` behind a wall. A panic inside costs this connection only, errors end it only when
//! str0m itself gives up, and what happened comes out as plain values. Decides nothing about who gets what.
//!
//! The down sections are known to the engine only while it negotiates: what goes out there is the egress's business.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use str0m::change::SdpOffer;
use str0m::config::{DtlsCert, DtlsVersion};
use str0m::crypto::CryptoProvider;
use str0m::format::{Codec, PayloadParams};
use str0m::media::{KeyframeRequestKind, Media, Mid, Rid};
use str0m::net::{Receive, TcpType};
use str0m::rtp::{Extension, ExtensionMap, RtpPacket, Ssrc};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use crate::api::{Config, Refusal, Transport, VideoCodec};
use crate::batch::Path;
use crate::clock::Report;
use crate::demux::Credentials;
use crate::described;
use crate::egress::keys::{self, Keys};
use crate::egress::{Extensions, PayloadTypes, Retransmission, Section};
use crate::quality::{self, Reading};
use crate::shards;
use crate::uplink::{AUDIO_CLOCK_RATE, VIDEO_CLOCK_RATE};

/// With 1.3 Chrome would be given a slow SRTP cipher: the DTLS 1.3 server takes the client's first choice.
const DTLS: DtlsVersion = DtlsVersion::Dtls12;
/// The engine asks to be driven again at once after a write; more rounds than this per drain would be a fault.
const ROUNDS_PER_DRAIN: usize = 32;

/// Why a connection cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Panicked,
    Ended,
}

/// What happened inside since the last drain.
#[derive(Debug)]
pub(crate) enum Happening {
    /// The handshake is through; comes before `Connected`.
    Keys(Keys),
    Connected,
    Rtp(Box<RtpPacket>),
    SenderReport {
        mid: Mid,
        rid: Option<Rid>,
        received: Instant,
        report: Report,
    },
    Measured(Reading),
    /// The client said goodbye.
    Goodbye,
}

/// Payload types of what is not always agreed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Agreed {
    /// Sound with redundancy.
    pub redundancy: Option<u8>,
    /// The codec beside VP8, for the camera.
    pub other: Option<u8>,
}

/// What we answer, with our ICE credentials.
#[derive(Debug)]
pub(crate) struct Answer {
    pub sdp: String,
    pub credentials: Credentials,
}

pub(crate) struct Connection {
    /// Large, and peers move about in their tree.
    rtc: Box<Rtc>,
    /// With what our user name fragments begin, and the one that holds now.
    tag: char,
    ufrag: String,
    /// The down sections that the engine does not know at the moment.
    taken: Vec<Taken>,
    broken: bool,
    next: Option<Instant>,
}

/// The identity of a down section.
#[derive(Clone, Copy, Debug)]
struct Taken {
    mid: Mid,
    ssrc: Ssrc,
    rtx: Option<Ssrc>,
}

impl Connection {
    pub fn open(
        config: &Config,
        crypto: &Arc<CryptoProvider>,
        now: Instant,
    ) -> Result<Self, Fault> {
        let rtc = catch_unwind(AssertUnwindSafe(|| {
            let mut rtc = engine(config, crypto).build(now);
            for candidate in candidates(config) {
                rtc.add_local_candidate(candidate);
            }
            Box::new(rtc)
        }))
        .map_err(|_| Fault::Panicked)?;
        Ok(Self {
            rtc,
            tag: shards::tag(config.shard),
            ufrag: String::new(),
            taken: vec![],
            broken: false,
            next: Some(now),
        })
    }

    /// Takes an offer in. A refused one may leave a new connection unusable.
    pub fn answer(&mut self, offer: &str) -> Result<Answer, Refusal> {
        let taken = std::mem::take(&mut self.taken);
        let (tag, ufrag) = (self.tag, self.ufrag.clone());
        let answered = self.guard(|rtc| {
            // Otherwise it would give them new identities.
            for Taken { mid, ssrc, rtx } in taken {
                rtc.direct_api().declare_stream_tx(ssrc, rtx, mid, None);
            }
            let offer = SdpOffer::from_sdp_string(offer).map_err(|error| error.to_string())?;
            let answer = rtc
                .sdp_api()
                .accept_offer(offer)
                .map_err(|error| error.to_string())?;
            let mut credentials = rtc.direct_api().local_ice_credentials();
            if credentials.ufrag != ufrag {
                credentials.ufrag.insert(0, tag);
                rtc.direct_api()
                    .set_local_ice_credentials(credentials.clone());
            }
            Ok(Answer {
                sdp: with_tag(&answer.to_sdp_string(), &credentials.ufrag),
                credentials: Credentials {
                    ufrag: credentials.ufrag,
                    password: credentials.pass,
                },
            })
        });
        let answer = answered
            .map_err(|_| Refusal::Internal)?
            .map_err(Refusal::Engine)?;
        self.ufrag.clone_from(&answer.credentials.ufrag);
        Ok(answer)
    }

    /// What was agreed about a down section, after each negotiation. The engine forgets it until the next one: there it
    /// would cost something for each packet, and send reports of its own. `None` when the client receives nothing
    /// there, or not our codec.
    pub fn take_section(&mut self, mid: &str) -> Result<Option<Section>, Fault> {
        let mid = Mid::from(mid);
        let taken = self.guard(|rtc| {
            let mut api = rtc.direct_api();
            let stream = api.stream_tx_by_mid(mid, None)?;
            let (ssrc, rtx) = (stream.ssrc(), stream.rtx());
            api.remove_stream_tx(ssrc);
            let taken = Taken { mid, ssrc, rtx };
            Some((taken, section(rtc, taken)))
        })?;
        let Some((taken, section)) = taken else {
            return Ok(None);
        };
        self.taken.push(taken);
        Ok(section)
    }

    /// What was agreed about what the client sends, its camera in this section.
    pub fn agreed(&mut self, camera: &str) -> Result<Agreed, Fault> {
        let camera = Mid::from(camera);
        self.guard(|rtc| {
            let mut all = rtc.codec_config().params().iter();
            let opus = all.find(|params| params.spec().codec == Codec::Opus);
            let camera = rtc.media(camera);
            let other = camera.and_then(|media| other(rtc, media));
            Agreed {
                redundancy: opus.and_then(|opus| opus.red()).map(|number| *number),
                other: other.map(|params| *params.pt()),
            }
        })
    }

    /// A datagram that is known to be this peer's. Broken ones are ignored, since anybody can send in a peer's name.
    pub fn receive(&mut self, now: Instant, datagram: Receive<'_>) -> Result<(), Fault> {
        self.drive(Input::Receive(now, datagram))
    }

    pub fn advance(&mut self, now: Instant) -> Result<(), Fault> {
        self.drive(Input::Timeout(now))
    }

    fn drive(&mut self, input: Input<'_>) -> Result<(), Fault> {
        let alive = self.guard(|rtc| {
            if let Err(error) = rtc.handle_input(input) {
                tracing::debug!(%error, "input refused by the engine");
            }
            rtc.is_alive()
        })?;
        if alive { Ok(()) } else { Err(Fault::Ended) }
    }

    /// Which section a received stream belongs to.
    pub fn section_of(&mut self, ssrc: Ssrc) -> Result<Option<(Mid, Option<Rid>)>, Fault> {
        self.guard(|rtc| {
            rtc.direct_api()
                .stream_rx(&ssrc)
                .map(|stream| (stream.mid(), stream.rid()))
        })
    }

    pub fn request_keyframe(&mut self, ssrc: Ssrc) -> Result<(), Fault> {
        self.guard(|rtc| {
            if let Some(stream) = rtc.direct_api().stream_rx(&ssrc) {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
        })
    }

    /// Says goodbye; what there is to send comes out of the next drain.
    pub fn close(&mut self) -> Result<(), Fault> {
        self.guard(|rtc| {
            let _ = rtc.close();
        })
    }

    /// When to `advance` next.
    pub fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Drives the engine until nothing is due and gives out all that it has to say.
    pub fn drain(
        &mut self,
        now: Instant,
        happenings: &mut VecDeque<Happening>,
        mut transmit: impl FnMut(Path, &[u8]),
    ) -> Result<(), Fault> {
        self.next = None;
        let next = self.guard(|rtc| {
            for _ in 0..ROUNDS_PER_DRAIN {
                let timeout = loop {
                    let output = rtc.poll_output();
                    happenings.extend(keys::take().map(Happening::Keys));
                    match output.map_err(|_| Fault::Ended)? {
                        Output::Timeout(timeout) => break timeout,
                        Output::Transmit(sent) => transmit(path(&sent), &sent.contents),
                        Output::Event(event) => happenings.extend(happening(event)),
                    }
                };
                if !rtc.is_alive() {
                    return Err(Fault::Ended);
                }
                if timeout > now {
                    return Ok(timeout);
                }
                rtc.handle_input(Input::Timeout(now))
                    .map_err(|_| Fault::Ended)?;
            }
            Ok(now + std::time::Duration::from_millis(1))
        })??;
        self.next = Some(next);
        Ok(())
    }

    fn guard<R>(&mut self, act: impl FnOnce(&mut Rtc) -> R) -> Result<R, Fault> {
        if self.broken {
            return Err(Fault::Panicked);
        }
        let rtc = &mut *self.rtc;
        catch_unwind(AssertUnwindSafe(|| act(rtc))).map_err(|_| {
            self.broken = true;
            // What it may have noted is nobody else's.
            keys::take();
            Fault::Panicked
        })
    }

    /// Stands for a bug in the engine.
    #[cfg(test)]
    pub fn panic(&mut self) {
        let _ = self.guard(|_| panic!("a fault injected by a test"));
    }
}

/// The engine makes a new fragment with each restart of ICE and writes it down before we can put the shard to it; and its
/// candidates go on naming the bare one.
fn with_tag(answer: &str, ufrag: &str) -> String {
    let mut characters = ufrag.chars();
    characters.next();
    let bare = characters.as_str();
    let mut tagged = answer.to_owned();
    for before in ["a=ice-ufrag:", " ufrag "] {
        let line = |ufrag: &str| format!("{before}{ufrag}");
        tagged = tagged.replace(&line(bare), &line(ufrag));
    }
    tagged
}

fn engine(config: &Config, crypto: &Arc<CryptoProvider>) -> RtcConfig {
    let certificate = &config.certificate;
    let mut extensions = ExtensionMap::empty();
    extensions.set(1, Extension::AudioLevel);
    extensions.set(3, Extension::TransportSequenceNumber);
    extensions.set(4, Extension::RtpMid);
    extensions.set(10, Extension::RtpStreamId);
    extensions.set(11, Extension::RepairedRtpStreamId);
    extensions.set(13, Extension::VideoOrientation);
    if config.video == VideoCodec::Av1 {
        extensions.set(12, described::extension());
    }
    RtcConfig::new()
        .set_crypto_provider(crypto.clone())
        .set_dtls_version(DTLS)
        .set_dtls_cert(DtlsCert {
            certificate: certificate.certificate.clone(),
            private_key: certificate.private_key.clone(),
        })
        .set_ice_lite(true)
        .set_rtp_mode(true)
        .set_stats_interval(Some(quality::INTERVAL))
        .set_extension_map(extensions)
        .clear_codecs()
        .enable_opus(true, true)
        .enable_vp8(true)
        .enable_vp9(config.video == VideoCodec::Vp9)
        .enable_av1(config.video == VideoCodec::Av1)
}

/// Those over TCP are worth less: they are for networks that let no UDP through.
fn candidates(config: &Config) -> impl Iterator<Item = Candidate> {
    let over_udp = config.candidates.iter();
    let over_udp = over_udp.map(|address| Candidate::host(*address, "udp"));
    let over_tcp = config.tcp_candidates.iter().map(|address| {
        let host = Candidate::builder().tcp().host(*address);
        host.tcptype(TcpType::Passive).build()
    });
    over_udp.chain(over_tcp).flatten()
}

fn section(rtc: &Rtc, taken: Taken) -> Option<Section> {
    let media = rtc.media(taken.mid)?;
    let (codec, clock_rate) = match media.kind().is_video() {
        true => (Codec::Vp8, VIDEO_CLOCK_RATE),
        false => (Codec::Opus, AUDIO_CLOCK_RATE),
    };
    let params = agreed(rtc, media, codec)?;
    let other = other(rtc, media);
    let ids = media.remote_extmap();
    let again = taken.rtx.zip(params.resend());
    Some(Section {
        mid: (*taken.mid).into(),
        cname: media.cname().into(),
        ssrc: *taken.ssrc,
        payload_type: *params.pt(),
        redundancy: params.red().map(|payload_type| *payload_type),
        retransmission: again.map(|(ssrc, payload_type)| Retransmission {
            ssrc: *ssrc,
            payload_type: *payload_type,
        }),
        other: other.map(|params| PayloadTypes {
            first: *params.pt(),
            again: params.resend().map(|payload_type| *payload_type),
        }),
        extensions: Extensions {
            mid: ids.id_of(Extension::RtpMid),
            transport_cc: ids.id_of(Extension::TransportSequenceNumber),
            audio_level: ids.id_of(Extension::AudioLevel),
            video_orientation: ids.id_of(Extension::VideoOrientation),
            descriptor: ids.id_of(described::extension()),
        },
        clock_rate,
    })
}

/// What was agreed for a section beside VP8: AV1 only together with its descriptor, without which nobody knows its layers.
fn other<'a>(rtc: &'a Rtc, media: &Media) -> Option<&'a PayloadParams> {
    let is_described = media
        .remote_extmap()
        .id_of(described::extension())
        .is_some();
    let av1 = agreed(rtc, media, Codec::Av1).filter(|_| is_described);
    av1.or_else(|| agreed(rtc, media, Codec::Vp9))
}

/// A codec as it was agreed for a section. Of VP9 the usual profile is meant: eight bits, and a quarter of the colour.
fn agreed<'a>(rtc: &'a Rtc, media: &Media, codec: Codec) -> Option<&'a PayloadParams> {
    let agreed = media.remote_pts();
    let is_it = |params: &&PayloadParams| {
        let spec = params.spec();
        let is_usual = spec.format.profile_id.is_none_or(|profile| profile == 0);
        spec.codec == codec && is_usual && agreed.contains(&params.pt())
    };
    rtc.codec_config().params().iter().find(is_it)
}

fn path(sent: &str0m::net::Transmit) -> Path {
    Path {
        transport: match sent.proto {
            str0m::net::Protocol::Udp => Transport::Udp,
            _ => Transport::Tcp,
        },
        source: sent.source,
        destination: sent.destination,
    }
}

fn happening(event: Event) -> Option<Happening> {
    match event {
        Event::Connected => Some(Happening::Connected),
        Event::RtpPacket(packet) => Some(Happening::Rtp(Box::new(packet))),
        Event::SenderFeedback(feedback) => Some(Happening::SenderReport {
            mid: feedback.mid,
            rid: feedback.rid,
            received: feedback.received_at,
            report: Report {
                time: feedback.sender_info.ntp_time,
                timestamp: feedback.sender_info.rtp_time.numer() as u32,
            },
        }),
        Event::PeerStats(stats) => Some(Happening::Measured(Reading::Peer {
            rtt: stats.rtt,
            loss_up: stats.ingress_loss_fraction,
        })),
        Event::MediaIngressStats(stats) => Some(Happening::Measured(Reading::Jitter {
            mid: stats.mid,
            ticks: stats.jitter,
        })),
        Event::Closed => Some(Happening::Goodbye),
        _ => None,
    }
}
