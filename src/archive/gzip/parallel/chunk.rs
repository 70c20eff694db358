//! Inflates a stretch of a deflate stream that begins anywhere, before what comes before it is known.
//!
//! Bytes that are copied from what comes before can't be known yet, only where they are copied from. To find that out, the
//! stretch's beginning is inflated three times, with three made-up pasts: what differs between the first and the second is
//! copied, and the first and the third then tell from where. Once nothing of the last [`WINDOW`] bytes is, what follows does
//! not depend on the past any more.

use super::data::{ChunkSizes, CompressedChunk};
use super::stream::{DeflateStream, MOST_OUT, OutputBuffer, RunEnd, WINDOW};

/// A stretch that depends on the past for longer than this is inflated once that is known, in bytes.
const MOST_UNKNOWN: usize = 512 * 1024;

/// What came of a stretch.
pub(super) struct ChunkResult {
    /// None where its beginning was not found, or depends on the past for too long.
    pub(super) chunk: Option<InflatedChunk>,
    /// Where the next stretch's first block may begin.
    pub(super) next: Option<u64>,
}

impl ChunkResult {
    /// Inflates a stretch from its first block on.
    pub(super) fn guessed(data: &CompressedChunk, sizes: ChunkSizes, spare: OutputBuffer) -> Self {
        let next = data.next_block(sizes);
        let chunk = data.first_block(sizes).and_then(|start| InflatedChunk::guess(data, start, spare));
        Self { chunk: chunk.map(|chunk| chunk.go_on(data, next)), next }
    }
}

/// A stretch that has been inflated, up to where the next one begins if that was a good guess.
pub(super) struct InflatedChunk {
    pub(super) start: u64,
    pub(super) out: OutputBuffer,
    /// Of the first bytes that came out, what two other pasts make of them.
    past: Vec<ProbeBytes>,
    pub(super) stream: DeflateStream,
    pub(super) ran: RunEnd,
}

#[derive(Clone, Copy)]
struct ProbeBytes {
    inverse: u8,
    high: u8,
}

impl InflatedChunk {
    fn guess(data: &CompressedChunk, start: u64, spare: OutputBuffer) -> Option<Self> {
        let low = DeflateStream::after(start, &past(|at| at.to_le_bytes()[0]))?;
        let inverse = DeflateStream::after(start, &past(|at| !at.to_le_bytes()[0]))?;
        let high = DeflateStream::after(start, &past(|at| at.to_le_bytes()[1]))?;
        let mut all = [(low, spare), (inverse, OutputBuffer::default()), (high, OutputBuffer::default())];
        loop {
            for (stream, out) in &mut all {
                // A step each: all three go the same way.
                stream.step(data, out).filter(|_| stream.end.is_none())?;
            }
            let [low, inverse, _] = all.each_ref().map(|(_, out)| out.bytes());
            if low.len() >= WINDOW && low[low.len() - WINDOW..] == inverse[inverse.len() - WINDOW..] {
                break;
            }
            if low.len() > MOST_UNKNOWN {
                return None;
            }
        }
        let [(stream, out), (_, inverse), (_, high)] = all;
        let pairs = inverse.bytes().iter().zip(high.bytes());
        let past = pairs.map(|(inverse, high)| ProbeBytes { inverse: *inverse, high: *high }).collect();
        Some(Self { start, out, past, stream, ran: RunEnd::Full })
    }

    fn go_on(mut self, data: &CompressedChunk, next: Option<u64>) -> Self {
        self.ran = self.stream.run(data, next, &mut self.out, MOST_OUT);
        self
    }

    /// Puts in what is copied from what was before, of which the last [`WINDOW`] bytes are given.
    pub(super) fn resolve(&mut self, window: &[u8]) {
        let missing = WINDOW - window.len();
        for (byte, ProbeBytes { inverse, high }) in self.out.bytes_mut().iter_mut().zip(self.past.drain(..)) {
            if *byte != inverse {
                let from = usize::from(*byte) | usize::from(high) << 8;
                *byte = from.checked_sub(missing).and_then(|from| window.get(from)).copied().unwrap_or(0);
            }
        }
    }
}

fn past(byte: impl Fn(usize) -> u8) -> Vec<u8> {
    (0..WINDOW).map(byte).collect()
}
