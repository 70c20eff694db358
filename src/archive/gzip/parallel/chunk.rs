//! Inflates a chunk of a deflate stream before the 32 KiB of output in front of it, its window, are known.
//!
//! Bytes copied from the window can't be known yet, only the position that they are copied from. To find it, the
//! beginning of the chunk is inflated three times with made-up windows, the probes: the low byte of each position, its
//! inverse, and the high byte. A byte that differs between the first two was copied from the window, and the first and
//! the third give the position. Once none of the last [`WINDOW_BYTES`] is copied, nothing behind them depends on the
//! window, and the rest is inflated once.

use super::data::{ChunkSizes, CompressedChunk};
use super::stream::{DeflateStream, MAX_OUTPUT_BYTES, OutputBuffer, RunEnd, WINDOW_BYTES};

/// Limit of the output that may depend on the window, in bytes. A chunk beyond it is left to the reading thread.
const MAX_UNRESOLVED_BYTES: usize = 512 * 1024;

/// Result of the thread for a chunk.
pub(super) struct ChunkResult {
    /// `None` if no block was found, or if too much of it depends on the window.
    pub(super) chunk: Option<InflatedChunk>,
    /// The bit at which the first block of the next chunk may begin.
    pub(super) next: Option<u64>,
}

impl ChunkResult {
    /// Finds the first block of a chunk and inflates from there.
    pub(super) fn guess(data: &CompressedChunk, sizes: ChunkSizes, spare: OutputBuffer) -> Self {
        let next = data.next_block(sizes);
        let chunk = data.first_block(sizes).and_then(|start| InflatedChunk::probe(data, start, spare));
        Self { chunk: chunk.map(|chunk| chunk.inflate_rest(data, next)), next }
    }
}

/// The output of a chunk, up to the guessed beginning of the next one.
pub(super) struct InflatedChunk {
    /// The bit of the whole data at which it begins.
    pub(super) start: u64,
    pub(super) out: OutputBuffer,
    /// The same prefix of the output, inflated with the other two probes; resolves copies from the window.
    probes: Vec<ProbeBytes>,
    pub(super) stream: DeflateStream,
    pub(super) end: RunEnd,
}

/// An output byte, as two of the probes have it.
#[derive(Clone, Copy)]
struct ProbeBytes {
    inverse: u8,
    high: u8,
}

impl InflatedChunk {
    /// Inflates from bit `start` with all three probes until nothing depends on the window.
    fn probe(data: &CompressedChunk, start: u64, spare: OutputBuffer) -> Option<Self> {
        let low = DeflateStream::after(start, &probe_window(|at| at.to_le_bytes()[0]))?;
        let inverse = DeflateStream::after(start, &probe_window(|at| !at.to_le_bytes()[0]))?;
        let high = DeflateStream::after(start, &probe_window(|at| at.to_le_bytes()[1]))?;
        let mut all = [(low, spare), (inverse, OutputBuffer::default()), (high, OutputBuffer::default())];
        loop {
            for (stream, out) in &mut all {
                // A step each: all three read the same input.
                stream.step(data, out).filter(|_| stream.end.is_none())?;
            }
            let [low, inverse, _] = all.each_ref().map(|(_, out)| out.bytes());
            if low.len() >= WINDOW_BYTES && low[low.len() - WINDOW_BYTES..] == inverse[inverse.len() - WINDOW_BYTES..] {
                break;
            }
            if low.len() > MAX_UNRESOLVED_BYTES {
                return None;
            }
        }
        let [(stream, out), (_, inverse), (_, high)] = all;
        let pairs = inverse.bytes().iter().zip(high.bytes());
        let probes = pairs.map(|(inverse, high)| ProbeBytes { inverse: *inverse, high: *high }).collect();
        Some(Self { start, out, probes, stream, end: RunEnd::Full })
    }

    fn inflate_rest(mut self, data: &CompressedChunk, next: Option<u64>) -> Self {
        self.end = self.stream.run(data, next, &mut self.out, MAX_OUTPUT_BYTES);
        self
    }

    /// Replaces bytes copied from the window by the real ones. `window` is the output before the chunk, up to
    /// [`WINDOW_BYTES`].
    pub(super) fn resolve(&mut self, window: &[u8]) {
        let missing = WINDOW_BYTES - window.len();
        for (byte, ProbeBytes { inverse, high }) in self.out.bytes_mut().iter_mut().zip(self.probes.drain(..)) {
            if *byte != inverse {
                let from = usize::from(*byte) | usize::from(high) << 8;
                *byte = from.checked_sub(missing).and_then(|from| window.get(from)).copied().unwrap_or(0);
            }
        }
    }
}

fn probe_window(byte: impl Fn(usize) -> u8) -> Vec<u8> {
    (0..WINDOW_BYTES).map(byte).collect()
}
