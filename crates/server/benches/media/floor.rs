//! What forwarding costs at least on this machine: one thread that opens each packet once, seals it once per subscriber and
//! sends each frame as one super-packet. No numbers are rewritten, nothing is kept, nothing is estimated: a floor, no product.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use bot::Load;

use crate::{Delays, thread_time};

const HEADER: usize = 12;
const TAG: usize = 16;
const SOCKET_BUFFER_BYTES: libc::c_int = 4 << 20;
/// The largest frame that is taken in at once.
const BATCH: usize = 8;
const MESSAGES_PER_CALL: usize = 64;

pub struct Floor {
    /// Microseconds of processor time per packet that arrived.
    pub cost: f64,
    pub delays: Delays,
}

/// Forwards what `publishers` send, each in turn, to `subscribers`.
pub fn measure(load: Load, publishers: usize, subscribers: usize, window: Duration) -> Floor {
    let forwarder = socket();
    let address = forwarder.local_addr().expect("an address");
    let over = Arc::new(AtomicBool::new(false));
    let readers: Vec<UdpSocket> = (0..subscribers).map(|_| socket()).collect();
    let addresses = readers
        .iter()
        .map(|reader| reader.local_addr().expect("an address"))
        .collect();
    let reading = read(readers, over.clone());
    let sending = send(load, publishers, address, over.clone());
    let busy = forward(&forwarder, addresses, load.payload_bytes, window);
    over.store(true, Ordering::Relaxed);
    sending.join().expect("the sender ends");
    let delays = reading.join().expect("the reader ends");
    let cost = busy.as_secs_f64() * 1e6 / delays.len().max(1) as f64;
    Floor {
        cost,
        delays: Delays::new(delays),
    }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let bytes = SOCKET_BUFFER_BYTES;
    for name in [libc::SO_RCVBUFFORCE, libc::SO_SNDBUFFORCE] {
        // SAFETY: the value is a live integer of the length that is named. Refused to those who may not: then it stays small.
        unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                name,
                (&raw const bytes).cast(),
                size_of::<libc::c_int>() as libc::socklen_t,
            );
        }
    }
    socket
}

fn key(seed: u8) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[seed; 32]).expect("32 bytes"))
}

fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

/// Seals what stands between the header and the room for the tag.
fn seal(key: &LessSafeKey, number: u64, packet: &mut [u8]) {
    let (header, rest) = packet.split_at_mut(HEADER);
    let (payload, tag) = rest.split_at_mut(rest.len() - TAG);
    let sealed = key.seal_in_place_separate_tag(nonce(number), Aad::from(header), payload);
    tag.copy_from_slice(sealed.expect("a short packet").as_ref());
}

fn send(load: Load, publishers: usize, to: SocketAddr, over: Arc<AtomicBool>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let (socket, key) = (socket(), key(1));
        let epoch = epoch();
        let step = Duration::from_secs(1) / load.frames_per_second / publishers as u32;
        let mut next = Instant::now();
        let mut number = 0u64;
        while !over.load(Ordering::Relaxed) {
            for _ in 0..load.packets_per_frame {
                let mut packet = vec![0x55; HEADER + load.payload_bytes + TAG];
                let now = epoch.elapsed().as_micros() as u64;
                packet[..8].copy_from_slice(&number.to_be_bytes());
                packet[HEADER..HEADER + 8].copy_from_slice(&now.to_be_bytes());
                seal(&key, number, &mut packet);
                let _ = socket.send_to(&packet, to);
                number += 1;
            }
            next += step;
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    })
}

/// The same for all threads of this process.
fn epoch() -> Instant {
    static EPOCH: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    *EPOCH
}

/// Takes in all that comes and says how long each packet was on its way.
fn read(readers: Vec<UdpSocket>, over: Arc<AtomicBool>) -> JoinHandle<Vec<u32>> {
    std::thread::spawn(move || {
        let mut polled: Vec<libc::pollfd> = readers
            .iter()
            .map(|reader| {
                reader.set_nonblocking(true).expect("a mode");
                libc::pollfd {
                    fd: reader.as_raw_fd(),
                    events: libc::POLLIN,
                    revents: 0,
                }
            })
            .collect();
        let keys: Vec<LessSafeKey> = (0..readers.len()).map(|n| key(n as u8)).collect();
        let (mut delays, mut bytes, epoch) = (vec![], [0; 2_048], epoch());
        while !over.load(Ordering::Relaxed) {
            // SAFETY: the array lives until the call returns, with its true length.
            unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, 50) };
            for (index, reader) in readers.iter().enumerate() {
                if polled[index].revents == 0 {
                    continue;
                }
                while let Ok(length) = reader.recv(&mut bytes) {
                    let packet = &mut bytes[..length];
                    let number = u64::from_be_bytes(packet[..8].try_into().expect("8 bytes"));
                    let (header, payload) = packet.split_at_mut(HEADER);
                    let opened =
                        keys[index].open_in_place(nonce(number), Aad::from(&*header), payload);
                    let payload = opened.expect("sealed by this forwarder");
                    let sent = u64::from_be_bytes(payload[..8].try_into().expect("8 bytes"));
                    delays.push((epoch.elapsed().as_micros() as u64 - sent) as u32);
                }
            }
        }
        delays
    })
}

/// The processor time that it took.
fn forward(
    socket: &UdpSocket,
    subscribers: Vec<SocketAddr>,
    payload_bytes: usize,
    window: Duration,
) -> Duration {
    let size = HEADER + payload_bytes + TAG;
    let opening = key(1);
    let keys: Vec<LessSafeKey> = (0..subscribers.len()).map(|n| key(n as u8)).collect();
    let names: Vec<libc::sockaddr_in> = subscribers.iter().map(name).collect();
    let mut frame: VecDeque<Vec<u8>> = VecDeque::new();
    let mut arena = vec![0; names.len() * BATCH * size];
    let patience = Some(Duration::from_millis(50));
    socket.set_read_timeout(patience).expect("a timeout");
    let (until, busy) = (Instant::now() + window, thread_time());
    while Instant::now() < until {
        if !take_frame(socket, size, &mut frame) {
            continue;
        }
        for packet in &mut frame {
            let number = u64::from_be_bytes(packet[..8].try_into().expect("8 bytes"));
            let (header, payload) = packet.split_at_mut(HEADER);
            let opened = opening.open_in_place(nonce(number), Aad::from(&*header), payload);
            opened.expect("sealed by the sender");
        }
        let run = frame.len() * size;
        for (key, run) in keys.iter().zip(arena.chunks_exact_mut(run)) {
            for (packet, out) in frame.iter().zip(run.chunks_exact_mut(size)) {
                out.copy_from_slice(packet);
                let number = u64::from_be_bytes(packet[..8].try_into().expect("8 bytes"));
                seal(key, number, out);
            }
        }
        send_runs(socket, &names, &arena, run, size);
    }
    thread_time() - busy
}

/// Waits for one packet and takes what is there already with it.
fn take_frame(socket: &UdpSocket, size: usize, frame: &mut VecDeque<Vec<u8>>) -> bool {
    frame.clear();
    while frame.len() < BATCH {
        let mut packet = vec![0; size];
        let flags = if frame.is_empty() {
            0
        } else {
            libc::MSG_DONTWAIT
        };
        // SAFETY: the buffer lives until the call returns, with its true length.
        let got = unsafe {
            libc::recv(
                socket.as_raw_fd(),
                packet.as_mut_ptr().cast(),
                packet.len(),
                flags,
            )
        };
        if got != size as isize {
            break;
        }
        frame.push_back(packet);
    }
    !frame.is_empty()
}

fn name(address: &SocketAddr) -> libc::sockaddr_in {
    let SocketAddr::V4(address) = address else {
        unreachable!("all of this is on 127.0.0.1");
    };
    libc::sockaddr_in {
        sin_family: libc::AF_INET as _,
        sin_port: address.port().to_be(),
        sin_addr: libc::in_addr {
            s_addr: u32::from_ne_bytes(SocketAddrV4::ip(address).octets()),
        },
        sin_zero: [0; 8],
    }
}

/// One super-packet of `run` bytes for each name, in pieces of `size`.
fn send_runs(
    socket: &UdpSocket,
    names: &[libc::sockaddr_in],
    arena: &[u8],
    run: usize,
    size: usize,
) {
    let mut slices: Vec<libc::iovec> = arena
        .chunks_exact(run)
        .take(names.len())
        .map(|run| libc::iovec {
            iov_base: run.as_ptr() as *mut _,
            iov_len: run.len(),
        })
        .collect();
    let mut controls = vec![[0u64; 3]; names.len()];
    let parts = slices.iter_mut().zip(&mut controls).zip(names);
    let mut messages: Vec<libc::mmsghdr> = parts
        .map(|((slice, control), name)| {
            // SAFETY: all-zero is a valid `mmsghdr`; the control has room for one `u16` behind its header.
            unsafe {
                let mut message: libc::mmsghdr = std::mem::zeroed();
                message.msg_hdr.msg_name = (name as *const libc::sockaddr_in).cast_mut().cast();
                message.msg_hdr.msg_namelen = size_of::<libc::sockaddr_in>() as _;
                message.msg_hdr.msg_iov = slice;
                message.msg_hdr.msg_iovlen = 1;
                message.msg_hdr.msg_control = control.as_mut_ptr().cast();
                message.msg_hdr.msg_controllen = libc::CMSG_SPACE(2) as _;
                let head = libc::CMSG_FIRSTHDR(&message.msg_hdr);
                (*head).cmsg_level = libc::SOL_UDP;
                (*head).cmsg_type = libc::UDP_SEGMENT;
                (*head).cmsg_len = libc::CMSG_LEN(2) as _;
                libc::CMSG_DATA(head)
                    .cast::<u16>()
                    .write_unaligned(size as u16);
                message
            }
        })
        .collect();
    for some in messages.chunks_mut(MESSAGES_PER_CALL) {
        // SAFETY: every pointer leads into a vector above that outlives the call.
        let sent =
            unsafe { libc::sendmmsg(socket.as_raw_fd(), some.as_mut_ptr(), some.len() as _, 0) };
        let error = io::Error::last_os_error();
        assert!(
            sent >= 0 || error.kind() == ErrorKind::WouldBlock,
            "{error}"
        );
    }
}
