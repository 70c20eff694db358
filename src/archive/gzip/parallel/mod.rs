//! Inflates gzip on several threads, although each byte may depend on those before.
//!
//! The compressed data is cut into chunks ([`data`]). For each, a thread guesses the bit at which the first deflate
//! block begins ([`blocks`]) and inflates from there, with placeholders for bytes copied from the unknown window before
//! it ([`chunk`]). When everything before a chunk has been inflated and ended at exactly that bit, the placeholders are
//! replaced. Where the guess was wrong, the reading thread inflates the chunk in order. Gzip's checksum covers all
//! bytes, so that no wrong guess goes unnoticed.
//!
//! Short input, and members behind the first one, are inflated by [`MemberReader`] on one thread. The method, its
//! alternatives and measurements are in `docs/decisions/parallel-gunzip.md`.

mod blocks;
mod chunk;
mod data;
mod prefix;
mod stream;

use std::collections::VecDeque;
use std::io::{self, Chain, Cursor, Read};
use std::num::NonZero;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use flate2::Crc;
use flate2::bufread::GzDecoder;

use super::members::MemberReader;
use chunk::ChunkResult;
use data::{ChunkSizes, CompressedChunk};
use stream::{DeflateStream, OutputBuffer, RunEnd, WINDOW_BYTES};

/// Sizes of the chunks, outside of tests.
const SIZES: ChunkSizes = ChunkSizes { chunk: 2 * 1024 * 1024, head: 128 * 1024 };
/// Maximum number of inflating threads. Each chunk in flight takes up to 10 MiB.
const MAX_THREADS: usize = 4;
/// Chunks in flight beyond the number of threads: a chunk that is done before its turn leaves no processor idle.
const MAX_CHUNKS_AHEAD: usize = 2;
/// Maximum number of chunks that are read from the input before inflated bytes are returned.
const MAX_CHUNKS_PER_READ: usize = 2;
/// Limit of what the reading thread inflates in one step, in bytes.
const MAX_SEQUENTIAL_BYTES: usize = 1024 * 1024;
/// Wrong guesses in a row after which the rest is inflated in order.
const MAX_WRONG_GUESSES: u32 = 8;
/// Length of the CRC and the size at the end of a member (RFC 1952).
const TRAILER_BYTES: usize = 8;

/// A reader of gzip's decompressed bytes, the same as [`MemberReader`]'s, including errors.
pub(crate) struct Gunzip<R> {
    state: GunzipState<R>,
    threads: usize,
    sizes: ChunkSizes,
}

enum GunzipState<R> {
    Start(R),
    FirstMember(Box<FirstMember<R>>),
    /// Short input, and what follows the first member.
    InOrder(Box<MemberReader<RemainingInput<R>>>),
    Ended,
}

/// Input that has been read, then the rest of it.
type RemainingInput<R> = Chain<Cursor<Vec<u8>>, R>;

impl<R: Read> Gunzip<R> {
    /// Creates a reader with as many threads as the computer has processors, up to [`MAX_THREADS`].
    pub(crate) fn new(from: R) -> Self {
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
        Self { state: GunzipState::Start(from), threads, sizes: SIZES }
    }

    /// Reads the first chunk, and decides whether the input is long enough for several threads.
    fn start(&mut self, mut from: R) -> io::Result<GunzipState<R>> {
        let mut bytes = Vec::new();
        let least = self.sizes.chunk + self.sizes.head;
        if self.threads > 1 {
            (&mut from).take(least as u64).read_to_end(&mut bytes)?;
        }
        let header = header(&bytes).filter(|_| bytes.len() == least);
        Ok(match header {
            Some(header) => {
                GunzipState::FirstMember(Box::new(FirstMember::new(from, bytes, header, self.threads, self.sizes)))
            }
            None => GunzipState::InOrder(Box::new(MemberReader::new(Cursor::new(bytes).chain(from)))),
        })
    }
}

/// Returns the length of a gzip member's header, in bytes.
fn header(bytes: &[u8]) -> Option<usize> {
    let decoder = GzDecoder::new(bytes);
    decoder.header()?;
    Some(bytes.len() - decoder.into_inner().len())
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            match &mut self.state {
                GunzipState::InOrder(members) => return members.read(to),
                GunzipState::Ended => return Ok(0),
                GunzipState::FirstMember(parallel) => match parallel.read(to)? {
                    0 if !to.is_empty() => {
                        let GunzipState::FirstMember(parallel) = std::mem::replace(&mut self.state, GunzipState::Ended)
                        else {
                            continue;
                        };
                        self.state = GunzipState::InOrder(Box::new(MemberReader::following(parallel.finish()?)));
                    }
                    count => return Ok(count),
                },
                GunzipState::Start(_) => {
                    let GunzipState::Start(from) = std::mem::replace(&mut self.state, GunzipState::Ended) else {
                        continue;
                    };
                    self.state = self.start(from)?;
                }
            }
        }
    }
}

/// The first member of long input.
struct FirstMember<R> {
    from: R,
    sizes: ChunkSizes,
    threads: usize,
    /// Chunks that are being inflated, in order.
    in_flight: VecDeque<(Arc<CompressedChunk>, JoinHandle<ChunkResult>)>,
    /// The head of the next chunk, which has been read. `None` at the end of the input.
    head: Option<CompressedChunk>,
    position: InflatePosition,
    /// The chunk at that position, and the bit at which the next one was guessed to begin.
    current: Option<(Arc<CompressedChunk>, Option<u64>)>,
    out: OutputBuffer,
    /// Bytes of `out` that have been read.
    returned: usize,
    /// Buffers to be filled again.
    spare: Vec<OutputBuffer>,
    /// The last [`WINDOW_BYTES`] of output.
    window: Vec<u8>,
    crc: Crc,
    /// Wrong guesses in a row.
    wrong_guesses: u32,
}

/// The position up to which the data has been inflated without a gap.
enum InflatePosition {
    /// A bit at which a block ends and a chunk was guessed to begin.
    ChunkStart(u64),
    /// Within a block, or at a bit that wasn't guessed.
    In(Box<DeflateStream>),
    /// The end of the member.
    End(Box<DeflateStream>),
}

impl<R: Read> FirstMember<R> {
    fn new(from: R, bytes: Vec<u8>, header: usize, threads: usize, sizes: ChunkSizes) -> Self {
        let mut parallel = Self {
            from,
            sizes,
            threads,
            in_flight: VecDeque::new(),
            head: None,
            position: InflatePosition::In(Box::new(DeflateStream::new(header as u64 * 8))),
            current: None,
            out: OutputBuffer::default(),
            returned: 0,
            spare: Vec::new(),
            window: Vec::new(),
            crc: Crc::new(),
            wrong_guesses: 0,
        };
        let data = CompressedChunk { bytes, base: 0, is_last: false };
        parallel.head = parallel.head_after(&data);
        let next = data.next_block(sizes);
        parallel.current = Some((Arc::new(data), next));
        parallel
    }

    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.returned == self.out.bytes().len() {
            if !self.advance()? {
                return Ok(0);
            }
        }
        let rest = &self.out.bytes()[self.returned..];
        let count = rest.len().min(to.len());
        to[..count].copy_from_slice(&rest[..count]);
        self.returned += count;
        Ok(count)
    }

    /// Inflates more bytes into `out`. Returns `false` at the end of the member.
    fn advance(&mut self) -> io::Result<bool> {
        self.start_threads()?;
        self.returned = 0;
        self.out.clear();
        if matches!(self.position, InflatePosition::End(_)) {
            return Ok(false);
        }
        if self.current.is_none() {
            self.take_next()?;
        }
        self.inflate_in_order()?;
        self.update_window();
        Ok(true)
    }

    /// Reads chunks and starts a thread for each. Reads at most [`MAX_CHUNKS_PER_READ`], so that what has arrived over
    /// a slow connection is returned before more is waited for.
    fn start_threads(&mut self) -> io::Result<()> {
        for _ in self.in_flight.len()..(self.in_flight.len() + MAX_CHUNKS_PER_READ).min(self.threads + MAX_CHUNKS_AHEAD)
        {
            let Some(CompressedChunk { mut bytes, base, .. }) = self.head.take() else { return Ok(()) };
            let read = (&mut self.from).take(self.sizes.chunk as u64).read_to_end(&mut bytes)?;
            let data = Arc::new(CompressedChunk { bytes, base, is_last: read < self.sizes.chunk });
            self.head = self.head_after(&data);
            let sizes = self.sizes;
            let compressed = data.clone();
            let spare = self.spare.pop().unwrap_or_default();
            let work: Box<dyn FnOnce() -> ChunkResult + Send> = if self.wrong_guesses < MAX_WRONG_GUESSES {
                Box::new(move || ChunkResult::guess(&compressed, sizes, spare))
            } else {
                Box::new(|| ChunkResult { chunk: None, next: None })
            };
            self.in_flight.push_back((data, thread::Builder::new().name("inflate-ahead".into()).spawn(work)?));
        }
        Ok(())
    }

    /// Returns the bytes that a chunk shares with the next one: that one's head. `None` if it is the last.
    fn head_after(&self, data: &CompressedChunk) -> Option<CompressedChunk> {
        let shared = data.bytes.get(self.sizes.chunk..).filter(|_| !data.is_last)?;
        let mut bytes = Vec::with_capacity(self.sizes.chunk + self.sizes.head);
        bytes.extend_from_slice(shared);
        Some(CompressedChunk { bytes, base: data.base + self.sizes.chunk as u64, is_last: false })
    }

    /// Waits for the next chunk, and uses its output if it begins at the bit where everything before it ended.
    fn take_next(&mut self) -> io::Result<()> {
        let (data, thread) = self.in_flight.pop_front().ok_or(io::ErrorKind::UnexpectedEof)?;
        let ChunkResult { chunk, next } =
            thread.join().map_err(|_| io::Error::other("an inflating thread ended early"))?;
        self.current = Some((data, next));
        self.wrong_guesses += 1;
        let InflatePosition::ChunkStart(start) = self.position else { return Ok(()) };
        if let Some(mut chunk) = chunk.filter(|chunk| chunk.start == start) {
            self.wrong_guesses = 0;
            chunk.resolve(&self.window);
            self.spare.push(std::mem::replace(&mut self.out, chunk.out));
            return self.moved_to(chunk.stream, chunk.end);
        }
        let stream =
            DeflateStream::after(start, &self.window).ok_or_else(|| io::Error::other("zlib-rs takes no dictionary"))?;
        self.position = InflatePosition::In(Box::new(stream));
        Ok(())
    }

    /// Inflates on this thread, unless `out` has bytes.
    fn inflate_in_order(&mut self) -> io::Result<()> {
        if !self.out.bytes().is_empty() {
            return Ok(());
        }
        let (InflatePosition::In(_), Some((data, next))) = (&self.position, self.current.clone()) else {
            return Ok(());
        };
        let InflatePosition::In(mut stream) = std::mem::replace(&mut self.position, InflatePosition::ChunkStart(0))
        else {
            return Ok(());
        };
        let end = stream.run(&data, next, &mut self.out, MAX_SEQUENTIAL_BYTES);
        self.moved_to(*stream, end)
    }

    /// Sets the position to the end of a run.
    fn moved_to(&mut self, stream: DeflateStream, end: RunEnd) -> io::Result<()> {
        let next = self.current.as_ref().and_then(|(_, next)| *next);
        self.position = match (end, next, &stream.end) {
            (RunEnd::Ended, _, Some(Ok(()))) => InflatePosition::End(Box::new(stream)),
            (RunEnd::Ended, ..) => return Err(corrupt("there are no such bits in a deflate stream")),
            (RunEnd::AtNextChunk, Some(next), _) => InflatePosition::ChunkStart(next),
            _ => InflatePosition::In(Box::new(stream)),
        };
        if !matches!(end, RunEnd::Full | RunEnd::Ended) {
            self.current = None;
        }
        Ok(())
    }

    /// Adds the output to the checksum, and keeps as much of it as later blocks may copy from.
    fn update_window(&mut self) {
        let bytes = self.out.bytes();
        self.crc.update(bytes);
        let new = &bytes[bytes.len().saturating_sub(WINDOW_BYTES)..];
        let kept = self.window.len().min(WINDOW_BYTES - new.len());
        self.window.drain(..self.window.len() - kept);
        self.window.extend_from_slice(new);
    }

    /// Verifies checksum and size, and returns the input behind the member.
    fn finish(self) -> io::Result<RemainingInput<R>> {
        let InflatePosition::End(stream) = &self.position else { return Err(io::ErrorKind::UnexpectedEof.into()) };
        let mut rest = Cursor::new(self.read_from(stream.next_byte())).chain(self.from);
        let mut trailer = [0; TRAILER_BYTES];
        rest.read_exact(&mut trailer)?;
        if trailer == expected(&self.crc) { Ok(rest) } else { Err(corrupt("the checksum does not match")) }
    }

    /// Returns the compressed bytes from position `at` on that have been read.
    fn read_from(&self, mut at: u64) -> Vec<u8> {
        let mut rest = Vec::new();
        for data in self.current.iter().map(|(data, _)| data).chain(self.in_flight.iter().map(|(data, _)| data)) {
            let from = usize::try_from(at.saturating_sub(data.base)).unwrap_or(usize::MAX);
            rest.extend_from_slice(data.bytes.get(from..).unwrap_or_default());
            at = at.max(data.base + data.bytes.len() as u64);
        }
        rest
    }
}

/// Returns the trailer of a member with this checksum (RFC 1952).
fn expected(crc: &Crc) -> [u8; TRAILER_BYTES] {
    let mut trailer = [0; TRAILER_BYTES];
    trailer[..4].copy_from_slice(&crc.sum().to_le_bytes());
    trailer[4..].copy_from_slice(&crc.amount().to_le_bytes());
    trailer
}

fn corrupt(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("corrupt gzip: {what}"))
}

#[cfg(test)]
mod tests;
