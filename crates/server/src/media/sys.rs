//! The few system calls that std and quinn-udp do not offer: an eventfd to wake the media thread, `poll` over it and
//! the sockets, a socket for IPv6 alone, and `sendmmsg`. All `unsafe` of the media plane is in this file.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// Wakes a thread that sits in [`wait`].
pub struct Waker(File);

impl Waker {
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers; the descriptor is checked before it is owned.
        let fd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `fd` is open and owned by nobody else.
        Ok(Self(File::from(unsafe { OwnedFd::from_raw_fd(fd) })))
    }

    pub fn wake(&self) {
        // Fails only when the counter is full, and then the thread is already awake.
        let _ = (&self.0).write(&1u64.to_ne_bytes());
    }

    /// Forgets all wake-ups so far.
    pub fn clear(&self) {
        let _ = (&self.0).read(&mut [0; 8]);
    }
}

impl AsRawFd for Waker {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Waits until one of the descriptors is readable, at most for `timeout`. Interruptions count as being woken.
pub fn wait(fds: &[RawFd], timeout: Duration) -> io::Result<()> {
    let mut polled: Vec<libc::pollfd> = fds
        .iter()
        .map(|fd| libc::pollfd {
            fd: *fd,
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    let timeout = libc::timespec {
        tv_sec: timeout.as_secs() as _,
        tv_nsec: timeout.subsec_nanos() as _,
    };
    // SAFETY: the array and the timeout live until the call returns, and the length is that of the array.
    let result = unsafe {
        libc::ppoll(
            polled.as_mut_ptr(),
            polled.len() as libc::nfds_t,
            &timeout,
            std::ptr::null(),
        )
    };
    let error = io::Error::last_os_error();
    if result < 0 && error.kind() != io::ErrorKind::Interrupted {
        return Err(error);
    }
    Ok(())
}

/// A UDP socket. One for an IPv6 address leaves the same port of IPv4 to another.
pub fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    if address.is_ipv4() {
        return UdpSocket::bind(address);
    }
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
    // SAFETY: no pointers; the descriptor is checked before it is owned.
    let fd = unsafe { libc::socket(libc::AF_INET6, kind, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `fd` is open and owned by nobody else.
    let socket = UdpSocket::from(unsafe { OwnedFd::from_raw_fd(fd) });
    let only: libc::c_int = 1;
    let (name, length) = socket_address(address);
    // SAFETY: both pointers lead to locals that outlive the calls, with their true lengths.
    let bound = unsafe {
        let option = (&raw const only).cast();
        let size = size_of::<libc::c_int>() as libc::socklen_t;
        libc::setsockopt(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, option, size) == 0
            && libc::bind(fd, (&raw const name).cast(), length) == 0
    };
    if bound {
        Ok(socket)
    } else {
        Err(io::Error::last_os_error())
    }
}

/// One datagram of a batch.
pub struct Datagram<'a> {
    /// The address to send from, when the socket has several.
    pub source: Option<IpAddr>,
    pub destination: SocketAddr,
    pub bytes: &'a [u8],
}

/// Room for one `IP_PKTINFO` or `IPV6_PKTINFO`, aligned as control messages must be.
type Control = [u64; 8];

/// Sends all datagrams in as few calls as possible. Datagrams that the kernel refuses are skipped, as on any lossy
/// network, and counted in the answer.
pub fn send_all(socket: &UdpSocket, datagrams: &[Datagram<'_>]) -> usize {
    let mut names: Vec<(libc::sockaddr_storage, libc::socklen_t)> = datagrams
        .iter()
        .map(|datagram| socket_address(datagram.destination))
        .collect();
    let mut slices: Vec<libc::iovec> = datagrams
        .iter()
        .map(|datagram| libc::iovec {
            iov_base: datagram.bytes.as_ptr() as *mut _,
            iov_len: datagram.bytes.len(),
        })
        .collect();
    let mut controls: Vec<Control> = vec![[0; 8]; datagrams.len()];
    let mut messages: Vec<libc::mmsghdr> = Vec::with_capacity(datagrams.len());
    let parts = names
        .iter_mut()
        .zip(&mut slices)
        .zip(&mut controls)
        .zip(datagrams);
    for (((name, slice), control), datagram) in parts {
        // SAFETY: all-zero is a valid `mmsghdr`.
        let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
        message.msg_hdr.msg_name = (&raw mut name.0).cast();
        message.msg_hdr.msg_namelen = name.1;
        message.msg_hdr.msg_iov = slice;
        message.msg_hdr.msg_iovlen = 1;
        if let Some(source) = datagram.source {
            set_source(&mut message.msg_hdr, control, source);
        }
        messages.push(message);
    }
    let mut sent = 0;
    let mut refused = 0;
    while sent + refused < messages.len() {
        let rest = &mut messages[sent + refused..];
        // SAFETY: every pointer in `rest` leads into a vector above that outlives the call and is not touched by it.
        let result = unsafe {
            libc::sendmmsg(
                socket.as_raw_fd(),
                rest.as_mut_ptr(),
                rest.len() as libc::c_uint,
                libc::MSG_DONTWAIT,
            )
        };
        if result > 0 {
            sent += result as usize;
        } else if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            refused += 1;
        }
    }
    refused
}

fn socket_address(address: SocketAddr) -> (libc::sockaddr_storage, libc::socklen_t) {
    // SAFETY: all-zero is a valid `sockaddr_storage`.
    let mut storage: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let length = match address {
        SocketAddr::V4(address) => {
            let name = libc::sockaddr_in {
                sin_family: libc::AF_INET as _,
                sin_port: address.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(address.ip().octets()),
                },
                sin_zero: [0; 8],
            };
            // SAFETY: the storage is large enough and aligned for every socket address.
            unsafe { (&raw mut storage).cast::<libc::sockaddr_in>().write(name) };
            size_of::<libc::sockaddr_in>()
        }
        SocketAddr::V6(address) => {
            let name = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as _,
                sin6_port: address.port().to_be(),
                sin6_flowinfo: address.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: address.ip().octets(),
                },
                sin6_scope_id: address.scope_id(),
            };
            // SAFETY: as above.
            unsafe { (&raw mut storage).cast::<libc::sockaddr_in6>().write(name) };
            size_of::<libc::sockaddr_in6>()
        }
    };
    (storage, length as libc::socklen_t)
}

/// Makes the datagram leave from `source`, so that it comes from the address that the peer sent to.
fn set_source(header: &mut libc::msghdr, control: &mut Control, source: IpAddr) {
    header.msg_control = control.as_mut_ptr().cast();
    match source {
        IpAddr::V4(address) => {
            let info = libc::in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst: libc::in_addr {
                    s_addr: u32::from_ne_bytes(address.octets()),
                },
                ipi_addr: libc::in_addr { s_addr: 0 },
            };
            put_control(header, libc::IPPROTO_IP, libc::IP_PKTINFO, info);
        }
        IpAddr::V6(address) => {
            let info = libc::in6_pktinfo {
                ipi6_addr: libc::in6_addr {
                    s6_addr: address.octets(),
                },
                ipi6_ifindex: 0,
            };
            put_control(header, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info);
        }
    }
}

fn put_control<T>(header: &mut libc::msghdr, level: libc::c_int, kind: libc::c_int, value: T) {
    let length = size_of::<T>() as libc::c_uint;
    // SAFETY: `msg_control` points to a `Control`, which has room for the larger of both values and its header, and
    // `CMSG_FIRSTHDR` and `CMSG_DATA` stay within `msg_controllen`.
    unsafe {
        header.msg_controllen = libc::CMSG_SPACE(length) as _;
        let message = libc::CMSG_FIRSTHDR(header);
        (*message).cmsg_level = level;
        (*message).cmsg_type = kind;
        (*message).cmsg_len = libc::CMSG_LEN(length) as _;
        libc::CMSG_DATA(message).cast::<T>().write_unaligned(value);
    }
}

const _: () = assert!(size_of::<Control>() >= 16 + size_of::<libc::in6_pktinfo>() + 8);
