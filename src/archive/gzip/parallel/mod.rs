//! Inflates gzip on several threads, although each byte may depend on those before.
//!
//! The compressed data is cut into stretches. A thread looks for the first block of a stretch ([`blocks`]), and inflates
//! from there ([`chunk`]). When all before it has been inflated, and ended where that block begins, what it copies from there
//! is put in. Where a guess was wrong, one thread inflates that stretch in order. The checksum at the end is that of all.

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
use stream::{DeflateStream, OutputBuffer, RunEnd, WINDOW};

const SIZES: ChunkSizes = ChunkSizes { chunk: 2 * 1024 * 1024, head: 128 * 1024 };
/// Each holds up to 10 MiB, and so do [`READY`] more.
const MOST_THREADS: usize = 4;
/// Stretches beside those that the threads are at: one that is done sooner than its turn leaves no processor idle.
const READY: usize = 2;
/// Stretches that are read before some bytes are given.
const AT_ONCE: usize = 2;
/// What is inflated in order, at once.
const PIECE: usize = 1024 * 1024;
/// After so many wrong guesses in a row, nothing is guessed any more.
const MOST_WRONG: u32 = 8;
const TRAILER: usize = 8;

/// What a tar.gz holds, as [`MemberReader`] gives it.
pub(crate) struct Gunzip<R> {
    state: GunzipState<R>,
    threads: usize,
    sizes: ChunkSizes,
}

enum GunzipState<R> {
    Start(R),
    FirstMember(Box<FirstMember<R>>),
    /// Short data, and what follows the first member.
    InOrder(Box<MemberReader<RemainingInput<R>>>),
    Over,
}

/// Data that has been read, and what follows it.
type RemainingInput<R> = Chain<Cursor<Vec<u8>>, R>;

impl<R: Read> Gunzip<R> {
    pub(crate) fn new(from: R) -> Self {
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS);
        Self { state: GunzipState::Start(from), threads, sizes: SIZES }
    }

    fn start(&mut self, mut from: R) -> io::Result<GunzipState<R>> {
        let (mut bytes, least) = (Vec::new(), self.sizes.chunk + self.sizes.head);
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

/// How many bytes a gzip member's header has.
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
                GunzipState::Over => return Ok(0),
                GunzipState::FirstMember(parallel) => match parallel.read(to)? {
                    0 if !to.is_empty() => {
                        let GunzipState::FirstMember(parallel) = std::mem::replace(&mut self.state, GunzipState::Over)
                        else {
                            continue;
                        };
                        self.state = GunzipState::InOrder(Box::new(MemberReader::following(parallel.finish()?)));
                    }
                    count => return Ok(count),
                },
                GunzipState::Start(_) => {
                    let GunzipState::Start(from) = std::mem::replace(&mut self.state, GunzipState::Over) else {
                        continue;
                    };
                    self.state = self.start(from)?;
                }
            }
        }
    }
}

/// The first member of a long archive.
struct FirstMember<R> {
    from: R,
    sizes: ChunkSizes,
    threads: usize,
    /// Stretches that are being inflated, in order.
    in_flight: VecDeque<(Arc<CompressedChunk>, JoinHandle<ChunkResult>)>,
    /// The last bytes that were read: the next stretch's head. None at the end.
    head: Option<CompressedChunk>,
    place: InflatePosition,
    /// The stretch that is gone through in order, and where the next one may begin.
    current: Option<(Arc<CompressedChunk>, Option<u64>)>,
    out: OutputBuffer,
    given: usize,
    spare: Vec<OutputBuffer>,
    window: Vec<u8>,
    crc: Crc,
    wrong: u32,
}

/// How far the data has been inflated without a gap.
enum InflatePosition {
    /// To a bit where a block ends, and a stretch was guessed to begin.
    At(u64),
    /// To wherever this stands.
    In(Box<DeflateStream>),
    /// To the end of the member.
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
            place: InflatePosition::In(Box::new(DeflateStream::new(header as u64 * 8))),
            current: None,
            out: OutputBuffer::default(),
            given: 0,
            spare: Vec::new(),
            window: Vec::new(),
            crc: Crc::new(),
            wrong: 0,
        };
        let data = CompressedChunk { bytes, base: 0, is_last: false };
        parallel.head = parallel.head_after(&data);
        let next = data.next_block(sizes);
        parallel.current = Some((Arc::new(data), next));
        parallel
    }

    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.given == self.out.bytes().len() {
            if !self.advance()? {
                return Ok(0);
            }
        }
        let rest = &self.out.bytes()[self.given..];
        let count = rest.len().min(to.len());
        to[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }

    /// Makes more bytes; false at the end of the member.
    fn advance(&mut self) -> io::Result<bool> {
        self.feed()?;
        self.given = 0;
        self.out.clear();
        if matches!(self.place, InflatePosition::End(_)) {
            return Ok(false);
        }
        if self.current.is_none() {
            self.take_next()?;
        }
        self.go_on()?;
        self.note();
        Ok(true)
    }

    /// Keeps all threads busy, in time: what has come over a slow network is given before more is waited for.
    fn feed(&mut self) -> io::Result<()> {
        for _ in self.in_flight.len()..(self.in_flight.len() + AT_ONCE).min(self.threads + READY) {
            let Some(CompressedChunk { mut bytes, base, .. }) = self.head.take() else { return Ok(()) };
            let came = (&mut self.from).take(self.sizes.chunk as u64).read_to_end(&mut bytes)?;
            let data = Arc::new(CompressedChunk { bytes, base, is_last: came < self.sizes.chunk });
            self.head = self.head_after(&data);
            let (sizes, of, spare) = (self.sizes, data.clone(), self.spare.pop().unwrap_or_default());
            let work: Box<dyn FnOnce() -> ChunkResult + Send> = if self.wrong < MOST_WRONG {
                Box::new(move || ChunkResult::guessed(&of, sizes, spare))
            } else {
                Box::new(|| ChunkResult { chunk: None, next: None })
            };
            self.in_flight.push_back((data, thread::Builder::new().name("inflate-ahead".into()).spawn(work)?));
        }
        Ok(())
    }

    /// What a stretch shares with the one after it. None where there is none.
    fn head_after(&self, data: &CompressedChunk) -> Option<CompressedChunk> {
        let shared = data.bytes.get(self.sizes.chunk..).filter(|_| !data.is_last)?;
        let mut bytes = Vec::with_capacity(self.sizes.chunk + self.sizes.head);
        bytes.extend_from_slice(shared);
        Some(CompressedChunk { bytes, base: data.base + self.sizes.chunk as u64, is_last: false })
    }

    /// The next stretch: what its thread made of it is taken if it begins where all before it ends.
    fn take_next(&mut self) -> io::Result<()> {
        let (data, thread) = self.in_flight.pop_front().ok_or(io::ErrorKind::UnexpectedEof)?;
        let ChunkResult { chunk, next } =
            thread.join().map_err(|_| io::Error::other("an inflating thread ended early"))?;
        self.current = Some((data, next));
        self.wrong += 1;
        let InflatePosition::At(start) = self.place else { return Ok(()) };
        if let Some(mut chunk) = chunk.filter(|chunk| chunk.start == start) {
            self.wrong = 0;
            chunk.resolve(&self.window);
            self.spare.push(std::mem::replace(&mut self.out, chunk.out));
            return self.stand(chunk.stream, chunk.ran);
        }
        let stream =
            DeflateStream::after(start, &self.window).ok_or_else(|| io::Error::other("zlib-rs takes no dictionary"))?;
        self.place = InflatePosition::In(Box::new(stream));
        Ok(())
    }

    /// Inflates some more in order, unless there is some to give.
    fn go_on(&mut self) -> io::Result<()> {
        if !self.out.bytes().is_empty() {
            return Ok(());
        }
        let (InflatePosition::In(_), Some((data, next))) = (&self.place, self.current.clone()) else { return Ok(()) };
        let InflatePosition::In(mut stream) = std::mem::replace(&mut self.place, InflatePosition::At(0)) else {
            return Ok(());
        };
        let ran = stream.run(&data, next, &mut self.out, PIECE);
        self.stand(*stream, ran)
    }

    fn stand(&mut self, stream: DeflateStream, ran: RunEnd) -> io::Result<()> {
        let next = self.current.as_ref().and_then(|(_, next)| *next);
        self.place = match (ran, next, &stream.end) {
            (RunEnd::Ended, _, Some(Ok(()))) => InflatePosition::End(Box::new(stream)),
            (RunEnd::Ended, ..) => return Err(corrupt("there are no such bits in a deflate stream")),
            (RunEnd::Joined, Some(next), _) => InflatePosition::At(next),
            _ => InflatePosition::In(Box::new(stream)),
        };
        if !matches!(ran, RunEnd::Full | RunEnd::Ended) {
            self.current = None;
        }
        Ok(())
    }

    /// What came out is remembered as far as what follows may copy from it.
    fn note(&mut self) {
        let bytes = self.out.bytes();
        self.crc.update(bytes);
        let new = &bytes[bytes.len().saturating_sub(WINDOW)..];
        let kept = self.window.len().min(WINDOW - new.len());
        self.window.drain(..self.window.len() - kept);
        self.window.extend_from_slice(new);
    }

    /// Holds the checksum against what came out, and gives what follows the member.
    fn finish(self) -> io::Result<RemainingInput<R>> {
        let InflatePosition::End(stream) = &self.place else { return Err(io::ErrorKind::UnexpectedEof.into()) };
        let mut rest = Cursor::new(self.read_from(stream.at())).chain(self.from);
        let mut trailer = [0; TRAILER];
        rest.read_exact(&mut trailer)?;
        if trailer == expected(&self.crc) { Ok(rest) } else { Err(corrupt("the checksum does not match")) }
    }

    /// The compressed data that has been read, from a byte on.
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

/// CRC and length, as they stand at a member's end (RFC 1952).
fn expected(crc: &Crc) -> [u8; TRAILER] {
    let mut trailer = [0; TRAILER];
    trailer[..4].copy_from_slice(&crc.sum().to_le_bytes());
    trailer[4..].copy_from_slice(&crc.amount().to_le_bytes());
    trailer
}

fn corrupt(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("corrupt gzip: {what}"))
}

#[cfg(test)]
mod tests;
