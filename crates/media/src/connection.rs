//! One peer's engine: a str0m `Rtc` behind a wall. A panic inside costs this connection only, errors end it only when
//! str0m itself gives up, and what happened comes out as plain values. Decides nothing about who gets what.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use str0m::change::SdpOffer;
use str0m::config::{DtlsCert, DtlsVersion};
use str0m::crypto::CryptoProvider;
use str0m::media::{KeyframeRequestKind, Mid, Rid};
use str0m::net::Receive;
use str0m::rtp::{Extension, ExtensionMap, RtpPacket, Ssrc};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use crate::api::{Certificate, Config, Refusal, Transmit, Transport};
use crate::clock::Report;
use crate::egress::{Egress, Outgoing, Route};

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
    Connected,
    Rtp(Box<RtpPacket>),
    /// The client cannot decode what it gets in this section.
    KeyframeWanted(Mid),
    SenderReport {
        mid: Mid,
        rid: Option<Rid>,
        received: Instant,
        report: Report,
    },
    /// The client said goodbye.
    Goodbye,
}

/// What we answer, with our ICE user fragment and password.
#[derive(Debug)]
pub(crate) struct Answer {
    pub sdp: String,
    pub ufrag: String,
    pub password: String,
}

pub(crate) struct Connection {
    rtc: Rtc,
    egress: Egress,
    broken: bool,
    next: Option<Instant>,
}

impl Connection {
    pub fn open(
        config: &Config,
        crypto: &Arc<CryptoProvider>,
        now: Instant,
    ) -> Result<Self, Fault> {
        let rtc = catch_unwind(AssertUnwindSafe(|| {
            let mut rtc = engine(&config.certificate, crypto).build(now);
            for address in &config.candidates {
                if let Ok(candidate) = Candidate::host(*address, "udp") {
                    rtc.add_local_candidate(candidate);
                }
            }
            rtc
        }))
        .map_err(|_| Fault::Panicked)?;
        Ok(Self {
            rtc,
            egress: Egress::default(),
            broken: false,
            next: Some(now),
        })
    }

    /// Takes an offer in. A refused one may leave a new connection unusable.
    pub fn answer(&mut self, offer: &str) -> Result<Answer, Refusal> {
        let answered = self.guard(|rtc, egress| {
            egress.unpark_all(rtc);
            let offer = SdpOffer::from_sdp_string(offer).map_err(|error| error.to_string())?;
            let answer = rtc
                .sdp_api()
                .accept_offer(offer)
                .map_err(|error| error.to_string())?;
            let credentials = rtc.direct_api().local_ice_credentials();
            Ok(Answer {
                sdp: answer.to_sdp_string(),
                ufrag: credentials.ufrag,
                password: credentials.pass,
            })
        });
        match answered {
            Ok(answer) => answer.map_err(Refusal::Engine),
            Err(_) => Err(Refusal::Internal),
        }
    }

    /// The route into a down section, after each negotiation.
    pub fn open_route(&mut self, mid: &str, unused: bool) -> Result<Option<Route>, Fault> {
        self.guard(|rtc, egress| {
            let route = egress.open(rtc, mid)?;
            if unused {
                egress.park(rtc, &route);
            }
            Some(route)
        })
    }

    pub fn send(&mut self, route: &Route, packet: Outgoing<'_>) -> Result<(), Fault> {
        self.guard(|rtc, egress| egress.send(rtc, route, packet))
    }

    /// A datagram that is known to be this peer's. Broken ones are ignored, since anybody can send in a peer's name.
    pub fn receive(&mut self, now: Instant, datagram: Receive<'_>) -> Result<(), Fault> {
        self.drive(Input::Receive(now, datagram))
    }

    pub fn advance(&mut self, now: Instant) -> Result<(), Fault> {
        self.drive(Input::Timeout(now))
    }

    fn drive(&mut self, input: Input<'_>) -> Result<(), Fault> {
        let alive = self.guard(|rtc, _| {
            if let Err(error) = rtc.handle_input(input) {
                tracing::debug!(%error, "input refused by the engine");
            }
            rtc.is_alive()
        })?;
        if alive { Ok(()) } else { Err(Fault::Ended) }
    }

    /// Which section a received stream belongs to.
    pub fn section_of(&mut self, ssrc: Ssrc) -> Result<Option<(Mid, Option<Rid>)>, Fault> {
        self.guard(|rtc, _| {
            rtc.direct_api()
                .stream_rx(&ssrc)
                .map(|stream| (stream.mid(), stream.rid()))
        })
    }

    pub fn request_keyframe(&mut self, ssrc: Ssrc) -> Result<(), Fault> {
        self.guard(|rtc, _| {
            if let Some(stream) = rtc.direct_api().stream_rx(&ssrc) {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
        })
    }

    /// Says goodbye; what there is to send comes out of the next drain.
    pub fn close(&mut self) -> Result<(), Fault> {
        self.guard(|rtc, _| {
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
        mut transmit: impl FnMut(Transmit),
    ) -> Result<(), Fault> {
        self.next = None;
        let next = self.guard(|rtc, _| {
            for _ in 0..ROUNDS_PER_DRAIN {
                let timeout = loop {
                    match rtc.poll_output().map_err(|_| Fault::Ended)? {
                        Output::Timeout(timeout) => break timeout,
                        Output::Transmit(datagram) => transmit(outgoing(datagram)),
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

    fn guard<R>(&mut self, act: impl FnOnce(&mut Rtc, &mut Egress) -> R) -> Result<R, Fault> {
        if self.broken {
            return Err(Fault::Panicked);
        }
        let (rtc, egress) = (&mut self.rtc, &mut self.egress);
        catch_unwind(AssertUnwindSafe(|| act(rtc, egress))).map_err(|_| {
            self.broken = true;
            Fault::Panicked
        })
    }

    /// Stands for a bug in the engine.
    #[cfg(test)]
    pub fn panic(&mut self) {
        let _ = self.guard(|_, _| panic!("a fault injected by a test"));
    }
}

fn engine(certificate: &Certificate, crypto: &Arc<CryptoProvider>) -> RtcConfig {
    let mut extensions = ExtensionMap::empty();
    extensions.set(1, Extension::AudioLevel);
    extensions.set(3, Extension::TransportSequenceNumber);
    extensions.set(4, Extension::RtpMid);
    extensions.set(10, Extension::RtpStreamId);
    extensions.set(11, Extension::RepairedRtpStreamId);
    extensions.set(13, Extension::VideoOrientation);
    RtcConfig::new()
        .set_crypto_provider(crypto.clone())
        .set_dtls_version(DTLS)
        .set_dtls_cert(DtlsCert {
            certificate: certificate.certificate.clone(),
            private_key: certificate.private_key.clone(),
        })
        .set_ice_lite(true)
        .set_rtp_mode(true)
        .set_extension_map(extensions)
        .clear_codecs()
        .enable_opus(true, false)
        .enable_vp8(true)
}

fn outgoing(datagram: str0m::net::Transmit) -> Transmit {
    Transmit {
        transport: if datagram.proto == str0m::net::Protocol::Udp {
            Transport::Udp
        } else {
            Transport::Tcp
        },
        source: datagram.source,
        destination: datagram.destination,
        bytes: datagram.contents.into(),
    }
}

fn happening(event: Event) -> Option<Happening> {
    match event {
        Event::Connected => Some(Happening::Connected),
        Event::RtpPacket(packet) => Some(Happening::Rtp(Box::new(packet))),
        Event::KeyframeRequest(request) => Some(Happening::KeyframeWanted(request.mid)),
        Event::SenderFeedback(feedback) => Some(Happening::SenderReport {
            mid: feedback.mid,
            rid: feedback.rid,
            received: feedback.received_at,
            report: Report {
                time: feedback.sender_info.ntp_time,
                timestamp: feedback.sender_info.rtp_time.numer() as u32,
            },
        }),
        Event::Closed => Some(Happening::Goodbye),
        _ => None,
    }
}
