//! Sends runs of datagrams in as few system calls as possible: `sendmmsg`, and within each message as many datagrams as
//! the kernel cuts up itself (`UDP_SEGMENT`). Where it refuses that, each goes for itself.
#![allow(unsafe_code)]

use std::io;
use std::net::{IpAddr, UdpSocket};
use std::os::fd::AsRawFd;

use ::media::Transmit;

use super::sys::socket_address;

/// Messages in one call.
const MESSAGES: usize = 64;

/// One run, and the address to send it from when the socket has several.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub source: Option<IpAddr>,
    pub transmit: Transmit<'a>,
}

/// Sends for one socket. Keeps the arrays that the kernel reads, so that they need not be made each time.
pub struct Sender {
    names: Vec<(libc::sockaddr_storage, libc::socklen_t)>,
    slices: Vec<libc::iovec>,
    controls: Vec<Control>,
    messages: Vec<libc::mmsghdr>,
    /// The kernel and the devices behind it cut up runs.
    can_segment: bool,
}

// SAFETY: the pointers in the arrays are written anew before each call that reads them.
unsafe impl Send for Sender {}

/// Room for `IP_PKTINFO` or `IPV6_PKTINFO`, and `UDP_SEGMENT`, aligned as control messages must be.
type Control = [u64; 9];

/// How a call ended that did not take all messages.
enum Refused {
    /// Try the same again.
    Interrupted,
    /// The kernel cannot cut this up; `for_good` if it never can.
    Segments { for_good: bool },
    /// As on any network that loses packets.
    Lost,
}

impl Sender {
    pub fn new(can_segment: bool) -> Self {
        Self {
            names: vec![],
            slices: vec![],
            controls: vec![],
            messages: vec![],
            can_segment,
        }
    }

    /// Gives the number of datagrams that were not sent.
    pub fn send(&mut self, socket: &UdpSocket, runs: &[Run<'_>]) -> usize {
        runs.chunks(MESSAGES)
            .map(|runs| match self.can_segment {
                true => self.send_runs(socket, runs),
                false => self.send_apart(socket, runs),
            })
            .sum()
    }

    fn send_runs(&mut self, socket: &UdpSocket, runs: &[Run<'_>]) -> usize {
        let parts = runs.iter().map(|run| Part {
            run,
            bytes: run.transmit.bytes,
            segment: (run.transmit.bytes.len() > run.transmit.segment)
                .then_some(run.transmit.segment),
        });
        self.fill(parts);
        let (mut done, mut lost) = (0, 0);
        while let Some(rest) = runs.get(done..).filter(|rest| !rest.is_empty()) {
            match self.call(socket, done) {
                Ok(sent) => done += sent,
                Err(Refused::Interrupted) => {}
                Err(Refused::Segments { for_good }) => {
                    self.can_segment &= !for_good;
                    // The arrays are used up by this.
                    let (first, others) = rest.split_at(1);
                    return lost + self.send_apart(socket, first) + self.send(socket, others);
                }
                Err(Refused::Lost) => {
                    lost += rest.first().map_or(0, |run| run.transmit.datagrams().len());
                    done += 1;
                }
            }
        }
        lost
    }

    fn send_apart(&mut self, socket: &UdpSocket, runs: &[Run<'_>]) -> usize {
        let parts = runs.iter().flat_map(|run| {
            run.transmit.datagrams().map(move |bytes| Part {
                run,
                bytes,
                segment: None,
            })
        });
        self.fill(parts);
        let (mut done, mut lost) = (0, 0);
        while done < self.messages.len() {
            match self.call(socket, done) {
                Ok(sent) => done += sent,
                Err(Refused::Interrupted) => {}
                Err(Refused::Segments { .. } | Refused::Lost) => {
                    done += 1;
                    lost += 1;
                }
            }
        }
        lost
    }

    fn fill<'a>(&mut self, parts: impl Iterator<Item = Part<'a>>) {
        self.names.clear();
        self.slices.clear();
        self.controls.clear();
        self.messages.clear();
        for part in parts {
            self.names
                .push(socket_address(part.run.transmit.destination));
            self.slices.push(libc::iovec {
                iov_base: part.bytes.as_ptr() as *mut _,
                iov_len: part.bytes.len(),
            });
            self.controls.push([0; 9]);
            // SAFETY: all-zero is a valid `mmsghdr`.
            let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
            if let Some(control) = self.controls.last_mut() {
                message.msg_hdr.msg_controllen = write_control(control, &part) as _;
            }
            self.messages.push(message);
        }
        // Only now do the arrays stay where they are.
        let arrays = self
            .names
            .iter_mut()
            .zip(&mut self.slices)
            .zip(&mut self.controls);
        for (((name, slice), control), message) in arrays.zip(&mut self.messages) {
            let header = &mut message.msg_hdr;
            header.msg_name = (&raw mut name.0).cast();
            header.msg_namelen = name.1;
            header.msg_iov = slice;
            header.msg_iovlen = 1;
            if header.msg_controllen > 0 {
                header.msg_control = control.as_mut_ptr().cast();
            }
        }
    }

    fn call(&mut self, socket: &UdpSocket, from: usize) -> Result<usize, Refused> {
        let rest = self.messages.get_mut(from..).unwrap_or_default();
        // SAFETY: every pointer in `rest` leads into an array of `self` or into a batch that outlives the call, and
        // none of them is touched by it.
        let result = unsafe {
            libc::sendmmsg(
                socket.as_raw_fd(),
                rest.as_mut_ptr(),
                rest.len() as libc::c_uint,
                libc::MSG_DONTWAIT,
            )
        };
        if result > 0 {
            return Ok(result as usize);
        }
        let error = io::Error::last_os_error();
        Err(match error.raw_os_error() {
            Some(libc::EINTR) => Refused::Interrupted,
            // Devices that do not compute checksums, and kernels that do not know the option.
            Some(libc::EIO) => Refused::Segments { for_good: true },
            // Paths with less room than a segment takes, and more segments than the kernel wants.
            Some(libc::EINVAL | libc::EMSGSIZE) => Refused::Segments { for_good: false },
            _ => Refused::Lost,
        })
    }
}

/// One message of a call.
struct Part<'a> {
    run: &'a Run<'a>,
    bytes: &'a [u8],
    segment: Option<usize>,
}

/// Makes the datagrams leave from the address that the peer sent to, and be cut up. Gives the bytes written.
fn write_control(control: &mut Control, part: &Part<'_>) -> usize {
    let mut written = 0;
    match part.run.source {
        Some(IpAddr::V4(address)) => {
            let info = libc::in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst: libc::in_addr {
                    s_addr: u32::from_ne_bytes(address.octets()),
                },
                ipi_addr: libc::in_addr { s_addr: 0 },
            };
            put(
                control,
                &mut written,
                libc::IPPROTO_IP,
                libc::IP_PKTINFO,
                info,
            );
        }
        Some(IpAddr::V6(address)) => {
            let info = libc::in6_pktinfo {
                ipi6_addr: libc::in6_addr {
                    s6_addr: address.octets(),
                },
                ipi6_ifindex: 0,
            };
            put(
                control,
                &mut written,
                libc::IPPROTO_IPV6,
                libc::IPV6_PKTINFO,
                info,
            );
        }
        None => {}
    }
    if let Some(segment) = part.segment {
        put(
            control,
            &mut written,
            libc::SOL_UDP,
            libc::UDP_SEGMENT,
            segment as u16,
        );
    }
    written
}

fn put<T>(control: &mut Control, at: &mut usize, level: libc::c_int, kind: libc::c_int, value: T) {
    let length = size_of::<T>() as libc::c_uint;
    // SAFETY: pure arithmetic.
    let (space, with_header) = unsafe { (libc::CMSG_SPACE(length), libc::CMSG_LEN(length)) };
    assert!(
        *at + space as usize <= size_of::<Control>(),
        "room for two control messages"
    );
    // SAFETY: `at` is a multiple of the alignment because every space is, and the message fits by the line above.
    unsafe {
        let message = control
            .as_mut_ptr()
            .cast::<u8>()
            .add(*at)
            .cast::<libc::cmsghdr>();
        (*message).cmsg_level = level;
        (*message).cmsg_type = kind;
        (*message).cmsg_len = with_header as _;
        libc::CMSG_DATA(message).cast::<T>().write_unaligned(value);
    }
    *at += space as usize;
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::time::Duration;

    use ::media::Transport;

    use super::*;

    /// Sends runs of so many datagrams of 50 bytes from a loopback address; gives what came, in order.
    fn check(sender: &mut Sender, runs: &[usize]) -> Vec<Vec<u8>> {
        let receiver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        let wait = Some(Duration::from_millis(500));
        receiver.set_read_timeout(wait).expect("a timeout");
        let destination = receiver.local_addr().expect("an address");
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a socket");
        let total: usize = runs.iter().sum();
        let bytes: Vec<Vec<u8>> = runs
            .iter()
            .enumerate()
            .map(|(run, count)| vec![run as u8; 50 * count])
            .collect();
        let runs: Vec<Run<'_>> = bytes
            .iter()
            .map(|bytes| Run {
                source: Some(IpAddr::from(Ipv4Addr::LOCALHOST)),
                transmit: Transmit {
                    transport: Transport::Udp,
                    source: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
                    destination,
                    bytes,
                    segment: 50,
                },
            })
            .collect();
        assert_eq!(sender.send(&socket, &runs), 0, "nothing is refused");
        let mut buffer = [0; 2_000];
        let came = (0..total).map(|_| {
            let (length, from) = receiver.recv_from(&mut buffer).expect("a datagram");
            assert_eq!(from.ip(), Ipv4Addr::LOCALHOST);
            buffer[..length].to_vec()
        });
        came.collect()
    }

    #[test]
    fn runs_arrive_as_single_datagrams_in_order() {
        for can_segment in [true, false] {
            let mut sender = Sender::new(can_segment);
            for runs in [&[1][..], &[3, 1, 7], &[1; 150], &[10; 20]] {
                let expected: Vec<Vec<u8>> = runs
                    .iter()
                    .enumerate()
                    .flat_map(|(run, count)| vec![vec![run as u8; 50]; *count])
                    .collect();
                assert_eq!(check(&mut sender, runs), expected, "{can_segment} {runs:?}");
            }
        }
    }

    #[test]
    fn a_run_that_the_kernel_refuses_goes_datagram_by_datagram() {
        let mut sender = Sender::new(true);
        // More segments than any kernel takes at once.
        let came = check(&mut sender, &[2, 140, 2]);
        assert_eq!(came.len(), 144);
        assert!(came.iter().all(|datagram| datagram.len() == 50));
        assert!(sender.can_segment, "others are still cut up");
    }
}
