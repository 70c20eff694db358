//! Stretches of compressed data, and where the next block in them may begin.

use super::blocks;

/// How a stream of compressed data is cut into stretches, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkSizes {
    pub(super) chunk: usize,
    /// Of the next one, what a stretch may reach into: where its first block is looked for.
    pub(super) head: usize,
}

/// A stretch of compressed data, with the next one's head, and where it begins in all of it.
#[derive(Debug)]
pub(super) struct CompressedChunk {
    pub(super) bytes: Vec<u8>,
    pub(super) base: u64,
    /// Nothing follows.
    pub(super) is_last: bool,
}

impl CompressedChunk {
    /// The bit at which its first block may begin.
    pub(super) fn first_block(&self, sizes: ChunkSizes) -> Option<u64> {
        self.find(0, sizes.head)
    }

    /// The same of the next stretch, if there is one.
    pub(super) fn next_block(&self, sizes: ChunkSizes) -> Option<u64> {
        if self.is_last { None } else { self.find(sizes.chunk, sizes.chunk + sizes.head) }
    }

    fn find(&self, from: usize, to: usize) -> Option<u64> {
        blocks::find(&self.bytes, from * 8, to * 8).map(|at| self.base * 8 + at as u64)
    }
}
