//! What the standard library does not ask the operating system for: which addresses this computer has, not to show what is
//! typed, memory back at once, as many open files as we may have, and how it counts. The only unsafe code of the server beside its media.
#![allow(unsafe_code)]

use std::io::{self, BufRead, IsTerminal};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr;

/// Every address of every interface that is up, loopback included.
pub fn interface_addresses() -> io::Result<Vec<IpAddr>> {
    let mut list: *mut libc::ifaddrs = ptr::null_mut();
    // SAFETY: `list` is a valid place for the pointer; on success it is freed below and nowhere else.
    if unsafe { libc::getifaddrs(&raw mut list) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut addresses = Vec::new();
    let mut next = list;
    while !next.is_null() {
        // SAFETY: getifaddrs gave a linked list whose nodes live until freeifaddrs.
        let entry = unsafe { &*next };
        let up = entry.ifa_flags & libc::IFF_UP as libc::c_uint != 0;
        if up && let Some(address) = ip_address(entry.ifa_addr) {
            addresses.push(address);
        }
        next = entry.ifa_next;
    }
    // SAFETY: `list` came from getifaddrs, and nothing borrowed from it is left.
    unsafe { libc::freeifaddrs(list) };
    addresses.sort();
    addresses.dedup();
    Ok(addresses)
}

fn ip_address(address: *const libc::sockaddr) -> Option<IpAddr> {
    if address.is_null() {
        return None;
    }
    // SAFETY: a socket address that is not null begins with its family, and the family says which struct it is.
    match i32::from(unsafe { (*address).sa_family }) {
        libc::AF_INET => {
            let v4 = unsafe { ptr::read_unaligned(address.cast::<libc::sockaddr_in>()) };
            Some(Ipv4Addr::from_bits(u32::from_be(v4.sin_addr.s_addr)).into())
        }
        libc::AF_INET6 => {
            let v6 = unsafe { ptr::read_unaligned(address.cast::<libc::sockaddr_in6>()) };
            Some(Ipv6Addr::from(v6.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

/// Of the time that `/proc` counts, per second.
pub fn clock_ticks() -> f64 {
    // SAFETY: asks for a constant of the system.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    if ticks > 0 { ticks as f64 } else { 100.0 }
}

pub fn page_bytes() -> usize {
    // SAFETY: asks for a constant of the system.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).unwrap_or(4096)
}

/// Lets large blocks go back to the operating system when they are freed. By itself the allocator of the C library keeps
/// the memory of a password check, 19 MiB, once for each thread that ever did one.
pub fn give_large_blocks_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets a number in the allocator, before there are other threads.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1024 * 1024);
    }
}

/// Raises the limit of open files, often 1024, to what the operator allows at most: every socket is one.
pub fn allow_many_files() -> io::Result<()> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: getrlimit fills the struct that it is given, and setrlimit reads it.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    limit.rlim_cur = limit.rlim_max;
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// One line from standard input; from a terminal without showing it.
pub fn read_secret_line() -> io::Result<String> {
    let stdin = io::stdin();
    let hidden = stdin.is_terminal().then(HiddenInput::new).transpose()?;
    let mut line = String::new();
    stdin.lock().read_line(&mut line)?;
    drop(hidden);
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Shows what is typed again when it is dropped.
struct HiddenInput(libc::termios);

impl HiddenInput {
    fn new() -> io::Result<Self> {
        // SAFETY: termios is plain data, and tcgetattr fills it.
        let mut settings: libc::termios = unsafe { std::mem::zeroed() };
        if unsafe { libc::tcgetattr(libc::STDIN_FILENO, &raw mut settings) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let before = settings;
        settings.c_lflag &= !libc::ECHO;
        settings.c_lflag |= libc::ECHONL;
        // SAFETY: settings that tcgetattr gave, with two flags changed.
        if unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSAFLUSH, &raw const settings) } != 0
        {
            return Err(io::Error::last_os_error());
        }
        Ok(Self(before))
    }
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        // SAFETY: the settings that the terminal had.
        unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSAFLUSH, &raw const self.0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_computer_has_a_loopback_address() {
        let addresses = interface_addresses().expect("a list");
        assert!(
            addresses.contains(&IpAddr::from(Ipv4Addr::LOCALHOST)),
            "{addresses:?}"
        );
    }
}
