//! The few system calls that std and quinn-udp do not offer: an eventfd to wake the media thread, `poll` over it and
//! the sockets, and a socket for IPv6 alone. With `send`, all `unsafe` of the media plane.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// Connections that wait to be taken: all of a large meeting at once.
const LISTEN_BACKLOG: libc::c_int = 1_024;

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

/// A UDP socket. One for an IPv6 address leaves the same port of IPv4 to another. A `shared` one may have a port that a
/// socket of this user has, if that shares it too.
pub fn bind(address: SocketAddr, shared: bool) -> io::Result<UdpSocket> {
    let socket = UdpSocket::from(socket(address, libc::SOCK_DGRAM)?);
    if shared {
        share_port(&socket)?;
    }
    give_address(&socket, address)?;
    Ok(socket)
}

/// As `bind`, for TCP. Connections of before may still be on their way out.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::from(socket(address, libc::SOCK_STREAM)?);
    set(&listener, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    give_address(&listener, address)?;
    // SAFETY: no pointers.
    match unsafe { libc::listen(listener.as_raw_fd(), LISTEN_BACKLOG) } {
        0 => Ok(listener),
        _ => Err(io::Error::last_os_error()),
    }
}

fn socket(address: SocketAddr, kind: libc::c_int) -> io::Result<OwnedFd> {
    let family = match address {
        SocketAddr::V4(_) => libc::AF_INET,
        SocketAddr::V6(_) => libc::AF_INET6,
    };
    // SAFETY: no pointers; the descriptor is checked before it is owned.
    let fd = unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `fd` is open and owned by nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    if address.is_ipv6() {
        set(&socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1)?;
    }
    Ok(socket)
}

fn give_address(socket: &impl AsRawFd, address: SocketAddr) -> io::Result<()> {
    let (name, length) = socket_address(address);
    // SAFETY: the pointer leads to a local that outlives the call, with its true length.
    match unsafe { libc::bind(socket.as_raw_fd(), (&raw const name).cast(), length) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// From a TCP connection the kernel takes only so much more than it has sent: what waits longer waits with us.
pub fn limit_unsent(connection: &impl AsRawFd, bytes: u32) -> io::Result<()> {
    let bytes = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    set(
        connection,
        libc::IPPROTO_TCP,
        libc::TCP_NOTSENT_LOWAT,
        bytes,
    )
}

/// Others may bind the same port, if they say so too. Said after binding, it was this one's alone until now.
pub fn share_port(socket: &UdpSocket) -> io::Result<()> {
    set(socket, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)
}

fn set(
    socket: &impl AsRawFd,
    level: libc::c_int,
    option: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    let size = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the pointer leads to a local that outlives the call, with its true length.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            size,
        )
    };
    match set {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// As the kernel wants it, with its length.
pub fn socket_address(address: SocketAddr) -> (libc::sockaddr_storage, libc::socklen_t) {
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
