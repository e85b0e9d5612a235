//! Reads choices out of a fuzzer's bytes. The end of the bytes is the end of the story.

use std::time::Duration;

pub(crate) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.u8()?, self.u8()?]))
    }

    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) << 16 | u32::from(self.u16()?))
    }

    /// Up to so many bytes; all that are left when there are fewer.
    pub fn slice(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A length and so many bytes.
    pub fn sized(&mut self) -> Option<&'a [u8]> {
        let length = self.u8()?;
        Some(self.slice(usize::from(length)))
    }

    /// Short ones and long ones, up to 65 s.
    pub fn time(&mut self) -> Option<Duration> {
        let number = u64::from(self.u8()?);
        Some(Duration::from_millis(number * number))
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let at = usize::from(self.u8()?);
        from.get(at % from.len().max(1)).copied()
    }
}
