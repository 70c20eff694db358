//! A deflate stream that begins at any bit, inflated from block to block.

use std::cmp::Ordering;

use zlib_rs::{Inflate, InflateError, InflateFlush, Status};

use super::data::CompressedChunk;
use super::prefix::empty_blocks;

/// How far back deflate copies from, in bytes.
pub(super) const WINDOW: usize = 32 * 1024;
/// A stretch gives no more than so many bytes at once, of what compresses extremely.
pub(super) const MOST_OUT: usize = 8 * 1024 * 1024;
/// How much is inflated in one step at most.
const STEP: usize = 64 * 1024;
const BITS: u8 = 15;

/// Bytes that came out, in a buffer that is made once.
#[derive(Default)]
pub(super) struct OutputBuffer {
    buffer: Vec<u8>,
    filled: usize,
}

impl OutputBuffer {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[..self.filled]
    }

    pub(super) fn clear(&mut self) {
        self.filled = 0;
    }

    /// Grows by halves, but not beyond what a stretch may give.
    fn room(&mut self) -> &mut [u8] {
        let end = self.filled + STEP;
        if self.buffer.len() < end {
            let grown = (self.buffer.len() * 3 / 2).min(MOST_OUT + STEP).max(end);
            self.buffer.reserve_exact(grown - self.buffer.len());
            self.buffer.resize(grown, 0);
        }
        &mut self.buffer[self.filled..end]
    }
}

/// Why a stream was not inflated further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunEnd {
    /// A block ends where the next stretch begins.
    Joined,
    /// None does.
    Passed,
    /// Enough came out.
    Full,
    /// There is no more input here.
    Starved,
    /// See [`DeflateStream::end`].
    Ended,
}

pub(super) struct DeflateStream {
    inflate: Inflate,
    /// The bit of all data that it begins at.
    start: u64,
    /// What stands for the bits before that, of the same byte.
    prefix: Vec<u8>,
    /// Nothing more comes of it.
    pub(super) end: Option<Result<(), InflateError>>,
}

impl DeflateStream {
    pub(super) fn new(start: u64) -> Self {
        let prefix = empty_blocks(usize::try_from(start % 8).unwrap_or(0));
        Self { inflate: Inflate::new(false, BITS), start, prefix, end: None }
    }

    /// One that may copy from what is before it. None where the library does not take that.
    pub(super) fn after(start: u64, past: &[u8]) -> Option<Self> {
        let mut stream = Self::new(start);
        stream.inflate.set_dictionary(past).ok()?;
        Some(stream)
    }

    /// The byte of all data that comes next; of the one before, some bits may be left.
    pub(super) fn at(&self) -> u64 {
        self.start.div_ceil(8) + self.inflate.total_in().saturating_sub(self.prefix.len() as u64)
    }

    /// Goes on until a block ends at a bit, or for another reason.
    pub(super) fn run(
        &mut self,
        data: &CompressedChunk,
        next: Option<u64>,
        out: &mut OutputBuffer,
        most: usize,
    ) -> RunEnd {
        let target = next.map(|next| next.div_ceil(8));
        while out.filled < most {
            let Some(ends_block) = self.step(data, out) else { return RunEnd::Starved };
            if self.end.is_some() {
                return RunEnd::Ended;
            }
            match target.map(|target| self.at().cmp(&target)) {
                Some(Ordering::Greater) => return RunEnd::Passed,
                Some(Ordering::Equal) if ends_block => return RunEnd::Joined,
                _ => {}
            }
        }
        RunEnd::Full
    }

    /// Inflates to the end of a block, or less; whether a block has ended. None where there is no more input.
    pub(super) fn step(&mut self, data: &CompressedChunk, out: &mut OutputBuffer) -> Option<bool> {
        let room = out.room();
        let (length, before, consumed) = (room.len() as u64, self.inflate.total_out(), self.inflate.total_in());
        let mixed;
        let input = if consumed < self.prefix.len() as u64 {
            mixed = self.mixed(data)?;
            &mixed[usize::try_from(consumed).unwrap_or(0)..]
        } else {
            let from = usize::try_from(self.at().saturating_sub(data.base)).unwrap_or(usize::MAX);
            data.bytes.get(from..).unwrap_or_default()
        };
        let status = self.inflate.decompress(input, room, InflateFlush::Block);
        let came = self.inflate.total_out() - before;
        out.filled += usize::try_from(came).unwrap_or(0);
        match status {
            Ok(Status::Ok) => {}
            Ok(Status::BufError) => return None,
            Ok(Status::StreamEnd) => self.end = Some(Ok(())),
            Err(error) => self.end = Some(Err(error)),
        }
        // What stops while there are input and room has come to a block's end.
        let is_input_left = self.inflate.total_in() - consumed < input.len() as u64;
        Some(came < length && is_input_left)
    }

    /// The prefix, and in its last byte the first bits of the data.
    fn mixed(&self, data: &CompressedChunk) -> Option<Vec<u8>> {
        let first = usize::try_from((self.start / 8).checked_sub(data.base)?).ok()?;
        let (byte, shift) = (data.bytes.get(first)?, self.start % 8);
        let mut mixed = self.prefix.clone();
        *mixed.last_mut()? |= byte >> shift << shift;
        Some(mixed)
    }
}
