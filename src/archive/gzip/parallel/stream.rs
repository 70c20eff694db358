//! Inflates a deflate stream that begins at any bit, from block to block.
//!
//! `zlib-rs` takes no input that begins within a byte: empty blocks are put in front ([`empty_blocks`]).

use std::cmp::Ordering;

use zlib_rs::{Inflate, InflateError, InflateFlush, Status};

use super::data::CompressedChunk;
use super::prefix::empty_blocks;

/// Maximum distance of a copy (RFC 1951).
pub(super) const WINDOW_BYTES: usize = 32 * 1024;
/// Limit of the output of one chunk, for data that compresses extremely.
pub(super) const MAX_OUTPUT_BYTES: usize = 8 * 1024 * 1024;
/// Limit of the output of one step.
const STEP_BYTES: usize = 64 * 1024;
/// Binary logarithm of the window.
const WINDOW_BITS: u8 = 15;

/// Inflated bytes, in a buffer that is allocated once.
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

    /// Returns the next [`STEP_BYTES`] to be filled. The buffer grows by half, up to the limit of a chunk.
    fn spare_capacity(&mut self) -> &mut [u8] {
        let end = self.filled + STEP_BYTES;
        if self.buffer.len() < end {
            let grown = (self.buffer.len() * 3 / 2).min(MAX_OUTPUT_BYTES + STEP_BYTES).max(end);
            self.buffer.reserve_exact(grown - self.buffer.len());
            self.buffer.resize(grown, 0);
        }
        &mut self.buffer[self.filled..end]
    }
}

/// Reason for which a run of a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunEnd {
    /// A block ends where the next chunk begins.
    AtNextChunk,
    /// The position is behind that, within a block: the guess was wrong.
    PastNextChunk,
    /// The limit of the output is reached.
    Full,
    /// The chunk has no more input.
    Starved,
    /// The stream ended, or is corrupt: see [`DeflateStream::end`].
    Ended,
}

/// The state of inflating from one bit on.
pub(super) struct DeflateStream {
    inflate: Inflate,
    /// The bit of the whole data at which it begins.
    start: u64,
    /// Empty blocks in place of the bits before that, of the same byte.
    prefix: Vec<u8>,
    /// Set when the stream has ended, or is corrupt.
    pub(super) end: Option<Result<(), InflateError>>,
}

impl DeflateStream {
    /// Creates a stream that begins at bit `start`, with nothing before it.
    pub(super) fn new(start: u64) -> Self {
        let prefix = empty_blocks(usize::try_from(start % 8).unwrap_or(0));
        Self { inflate: Inflate::new(false, WINDOW_BITS), start, prefix, end: None }
    }

    /// Creates a stream that may copy from `window`. `None` if the library refuses the window.
    pub(super) fn after(start: u64, window: &[u8]) -> Option<Self> {
        let mut stream = Self::new(start);
        stream.inflate.set_dictionary(window).ok()?;
        Some(stream)
    }

    /// Position of the next input byte in the whole data; bits of the one before may be unread.
    pub(super) fn next_byte(&self) -> u64 {
        self.start.div_ceil(8) + self.inflate.total_in().saturating_sub(self.prefix.len() as u64)
    }

    /// Inflates until a block ends at the bit `next`, or for another reason. `most` limits the output, in bytes.
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
            match target.map(|target| self.next_byte().cmp(&target)) {
                Some(Ordering::Greater) => return RunEnd::PastNextChunk,
                Some(Ordering::Equal) if ends_block => return RunEnd::AtNextChunk,
                _ => {}
            }
        }
        RunEnd::Full
    }

    /// Inflates up to the end of a block, and returns whether it was reached. `None` if the chunk has no more input.
    pub(super) fn step(&mut self, data: &CompressedChunk, out: &mut OutputBuffer) -> Option<bool> {
        let room = out.spare_capacity();
        let length = room.len() as u64;
        let before = self.inflate.total_out();
        let consumed = self.inflate.total_in();
        let first_bytes;
        let input = if consumed < self.prefix.len() as u64 {
            first_bytes = self.first_bytes(data)?;
            &first_bytes[usize::try_from(consumed).unwrap_or(0)..]
        } else {
            let from = usize::try_from(self.next_byte().saturating_sub(data.base)).unwrap_or(usize::MAX);
            data.bytes.get(from..).unwrap_or_default()
        };
        let status = self.inflate.decompress(input, room, InflateFlush::Block);
        let written = self.inflate.total_out() - before;
        out.filled += usize::try_from(written).unwrap_or(0);
        match status {
            Ok(Status::Ok) => {}
            Ok(Status::BufError) => return None,
            Ok(Status::StreamEnd) => self.end = Some(Ok(())),
            Err(error) => self.end = Some(Err(error)),
        }
        // It stopped with input and room left: at the end of a block.
        let is_input_left = self.inflate.total_in() - consumed < input.len() as u64;
        Some(written < length && is_input_left)
    }

    /// Returns the prefix, with the first bits of the data in its last byte.
    fn first_bytes(&self, data: &CompressedChunk) -> Option<Vec<u8>> {
        let first = usize::try_from((self.start / 8).checked_sub(data.base)?).ok()?;
        let byte = data.bytes.get(first)?;
        let shift = self.start % 8;
        let mut bytes = self.prefix.clone();
        *bytes.last_mut()? |= byte >> shift << shift;
        Some(bytes)
    }
}
