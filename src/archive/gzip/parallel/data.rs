//! Chunks of compressed data, and the guesses where blocks begin in them.

use super::blocks;

/// Sizes by which compressed data is cut into chunks, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkSizes {
    /// Distance between the beginnings of chunks.
    pub(super) chunk: usize,
    /// Length of a chunk's head, which is part of the chunk before as well: the first block is searched for in it.
    pub(super) head: usize,
}

/// A chunk of compressed data, with the head of the next one.
#[derive(Debug)]
pub(super) struct CompressedChunk {
    pub(super) bytes: Vec<u8>,
    /// Position of the first byte in the whole data.
    pub(super) base: u64,
    /// The input ends with this chunk.
    pub(super) is_last: bool,
}

impl CompressedChunk {
    /// Returns the bit of the whole data at which the chunk's first block may begin.
    pub(super) fn first_block(&self, sizes: ChunkSizes) -> Option<u64> {
        self.find(0, sizes.head)
    }

    /// Returns the same of the next chunk, `None` for the last one.
    pub(super) fn next_block(&self, sizes: ChunkSizes) -> Option<u64> {
        if self.is_last { None } else { self.find(sizes.chunk, sizes.chunk + sizes.head) }
    }

    fn find(&self, from: usize, to: usize) -> Option<u64> {
        blocks::find(&self.bytes, from * 8, to * 8).map(|at| self.base * 8 + at as u64)
    }
}
