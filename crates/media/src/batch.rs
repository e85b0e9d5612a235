//! What is to be sent, back to back in one buffer that is used again: datagrams of equal size to the same address form
//! a run, which a kernel can take in one piece and cut up itself.

use std::net::SocketAddr;

use crate::api::Transport;

/// What the kernel takes at most in one piece (`UDP_MAX_SEGMENTS`, and the length field of UDP with room for headers).
const SEGMENTS_PER_RUN: usize = 64;
const BYTES_PER_RUN: usize = 65_000;
/// A batch that should be sent before more is put in: what is sealed is still near when the kernel takes it, and the first of
/// many receivers does not wait for the last.
const FULL_BYTES: usize = 256 << 10;

/// Where a peer is: its address, and ours that it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub transport: Transport,
    pub source: SocketAddr,
    pub destination: SocketAddr,
}

#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    runs: Vec<Run>,
    datagrams: usize,
}

#[derive(Debug)]
struct Run {
    path: Path,
    start: usize,
    end: usize,
    segment: usize,
    /// Ends with a shorter datagram, behind which nothing fits.
    is_closed: bool,
}

/// One or more datagrams with the same way to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit<'a> {
    pub transport: Transport,
    /// The local address that the peer knows us by.
    pub source: SocketAddr,
    pub destination: SocketAddr,
    /// All datagrams, back to back.
    pub bytes: &'a [u8],
    /// The size of each of them but the last one, which may be shorter.
    pub segment: usize,
}

impl<'a> Transmit<'a> {
    pub fn datagrams(&self) -> impl ExactSizeIterator<Item = &'a [u8]> {
        self.bytes.chunks(self.segment.max(1))
    }
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub fn runs(&self) -> impl Iterator<Item = Transmit<'_>> {
        self.runs.iter().map(|run| Transmit {
            transport: run.path.transport,
            source: run.path.source,
            destination: run.path.destination,
            bytes: self.bytes.get(run.start..run.end).unwrap_or_default(),
            segment: run.segment,
        })
    }

    pub fn datagrams(&self) -> usize {
        self.datagrams
    }

    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.runs.clear();
        self.datagrams = 0;
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= FULL_BYTES
    }

    pub(crate) fn push_datagram(&mut self, path: Path, datagram: &[u8]) {
        self.push(path, |buffer| {
            buffer.extend_from_slice(datagram);
            Some(())
        });
    }

    /// Takes one datagram that `write` puts at the end of the buffer. `None` from it means that there is none.
    pub(crate) fn push(
        &mut self,
        path: Path,
        write: impl FnOnce(&mut Vec<u8>) -> Option<()>,
    ) -> Option<()> {
        let start = self.bytes.len();
        let written = write(&mut self.bytes);
        let length = self.bytes.len().saturating_sub(start);
        if written.is_none() || length == 0 {
            self.bytes.truncate(start);
            return None;
        }
        self.datagrams += 1;
        let continued = self.runs.last_mut().filter(|run| run.takes(path, length));
        if let Some(run) = continued {
            run.end += length;
            run.is_closed = length < run.segment;
        } else {
            self.runs.push(Run {
                path,
                start,
                end: start + length,
                segment: length,
                is_closed: false,
            });
        }
        Some(())
    }
}

impl Run {
    fn takes(&self, path: Path, length: usize) -> bool {
        let bytes = self.end - self.start;
        self.path == path
            && !self.is_closed
            && length <= self.segment
            && bytes / self.segment < SEGMENTS_PER_RUN
            && bytes + length <= BYTES_PER_RUN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(port: u16) -> Path {
        Path {
            transport: Transport::Udp,
            source: SocketAddr::from(([192, 0, 2, 1], 1)),
            destination: SocketAddr::from(([192, 0, 2, 2], port)),
        }
    }

    #[test]
    fn datagrams_of_equal_size_to_one_address_form_runs() {
        type Row<'a> = (&'a str, &'a [(u16, usize)], &'a [(u16, &'a [usize])]);
        let table: &[Row<'_>] = &[
            ("none", &[], &[]),
            ("equal", &[(1, 9), (1, 9), (1, 9)], &[(1, &[9, 9, 9])]),
            (
                "a short end",
                &[(1, 9), (1, 4), (1, 4)],
                &[(1, &[9, 4]), (1, &[4])],
            ),
            ("a longer one", &[(1, 4), (1, 9)], &[(1, &[4]), (1, &[9])]),
            (
                "another address",
                &[(1, 9), (2, 9), (1, 9)],
                &[(1, &[9]), (2, &[9]), (1, &[9])],
            ),
        ];
        for (description, pushed, expected) in table {
            let mut batch = Batch::default();
            for (number, (port, size)) in pushed.iter().enumerate() {
                batch.push(path(*port), |bytes| {
                    bytes.extend(std::iter::repeat_n(number as u8, *size));
                    Some(())
                });
            }
            let runs: Vec<(u16, Vec<usize>)> = batch
                .runs()
                .map(|run| {
                    let sizes = run.datagrams().map(<[u8]>::len).collect();
                    (run.destination.port(), sizes)
                })
                .collect();
            let expected: Vec<(u16, Vec<usize>)> = expected
                .iter()
                .map(|(port, sizes)| (*port, sizes.to_vec()))
                .collect();
            assert_eq!(runs, expected, "{description}");
            assert_eq!(batch.datagrams(), pushed.len());
            let sent: Vec<u8> = batch
                .runs()
                .flat_map(|run| run.datagrams().map(|d| d[0]).collect::<Vec<_>>())
                .collect();
            assert!(
                sent.iter()
                    .enumerate()
                    .all(|(number, byte)| *byte == number as u8)
            );
        }
    }

    #[test]
    fn a_run_has_no_more_than_the_kernel_takes() {
        for size in [10, 1_200] {
            let mut batch = Batch::default();
            for _ in 0..200 {
                batch.push(path(1), |bytes| {
                    bytes.extend(std::iter::repeat_n(0, size));
                    Some(())
                });
            }
            let runs: Vec<_> = batch.runs().collect();
            assert!(
                runs.iter()
                    .all(|run| run.datagrams().len() <= 64 && run.bytes.len() <= 65_000)
            );
            assert_eq!(
                runs.iter().map(|run| run.datagrams().len()).sum::<usize>(),
                200
            );
            assert!(runs.len() <= 4);
        }
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let mut batch = Batch::default();
        let refused = batch.push(path(1), |bytes| {
            bytes.extend([1, 2, 3]);
            None
        });
        assert_eq!((refused, batch.bytes(), batch.datagrams()), (None, 0, 0));
        assert!(batch.is_empty());
    }
}
