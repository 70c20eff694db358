//! Writes one gzip member, compressed by several threads, whose bytes do not depend on their number.
//!
//! The data is cut every [`BLOCK_BYTES`]. Each block is deflated by itself and ended with a sync flush, which leaves it
//! on a byte boundary, so that the concatenated blocks are one deflate stream. The compressed block depends on its
//! bytes alone. It is a single member, since some readers stop after the first.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use crate::model::IgnorePoison;

/// Size of a block: large enough that cutting costs well under one per cent of size, small enough that all blocks in
/// flight are a few MiB.
const BLOCK_BYTES: usize = 512 * 1024;
/// Maximum number of threads: more are faster than any disk that feeds them, and each holds two blocks.
const MAX_THREADS: usize = 8;
/// Compression level, zlib's own default: beyond it, time grows faster than size shrinks.
const LEVEL: u32 = 6;
/// Header without name, time and flags, for the operating system "unknown" (RFC 1952), so that every computer writes
/// the same.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// An empty block with the "last" bit: the blocks before it all end with a flush.
const LAST_BLOCK: [u8; 2] = [0x03, 0x00];

/// Returns the number of threads worth having on this computer.
pub(crate) fn default_threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS)
}

/// A writer that compresses. [`GzipWriter::finish`] must be called at the end.
pub(crate) struct GzipWriter<W: Write> {
    to: W,
    written: u64,
    /// The block that is being filled.
    block: Block,
    /// Written blocks, whose memory is used again.
    spare: Vec<Block>,
    crc: Crc,
    /// Uncompressed bytes in the blocks written.
    length: u64,
    threads: usize,
    /// State of this thread; those of the pool have their own.
    compress: Compress,
    /// Started by the first full block: a small archive needs no threads.
    pool: Option<Pool>,
}

impl<W: Write> GzipWriter<W> {
    pub(crate) fn new(to: W, threads: usize) -> Self {
        Self {
            to,
            written: 0,
            block: Block::default(),
            spare: Vec::new(),
            crc: Crc::new(),
            length: 0,
            threads,
            compress: raw_deflate(),
            pool: None,
        }
    }

    /// Writes the last block and the trailer. Returns the compressed size, in bytes.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        self.drain(0)?;
        if !self.block.plain.is_empty() || self.length == 0 {
            let mut rest = std::mem::take(&mut self.block);
            rest.deflate(&mut self.compress)?;
            self.emit(rest)?;
        }
        self.put(&LAST_BLOCK)?;
        let crc = self.crc.sum();
        let length = self.length;
        self.put(&crc.to_le_bytes())?;
        // RFC 1952: the length modulo 2^32.
        self.put(&length.to_le_bytes()[..4])?;
        self.to.flush()?;
        Ok(self.written)
    }

    fn compress_full_block(&mut self) -> io::Result<()> {
        let mut block = std::mem::take(&mut self.block);
        if self.threads < 2 {
            block.deflate(&mut self.compress)?;
            self.emit(block)?;
        } else {
            self.drain(2 * self.threads - 1)?;
            if self.pool.is_none() {
                self.pool = Some(Pool::start(self.threads)?);
            }
            self.pool.as_mut().map_or(Ok(()), |pool| pool.submit(block))?;
        }
        self.block = self.spare.pop().unwrap_or_default();
        Ok(())
    }

    /// Waits for blocks and writes them, oldest first, until at most `left` are in flight.
    fn drain(&mut self, left: usize) -> io::Result<()> {
        while let Some(block) = self.pool.as_mut().and_then(|pool| pool.take_beyond(left)) {
            self.emit(block?)?;
        }
        Ok(())
    }

    fn emit(&mut self, mut block: Block) -> io::Result<()> {
        if self.written == 0 {
            self.put(&HEADER)?;
        }
        self.crc.combine(&block.crc);
        self.length += block.plain.len() as u64;
        self.put(&block.packed)?;
        block.clear();
        self.spare.push(block);
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }
}

impl<W: Write> Write for GzipWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.block.fill(bytes);
        if self.block.plain.len() == BLOCK_BYTES {
            self.compress_full_block()?;
        }
        Ok(taken)
    }

    /// Does nothing: blocks are cut by size alone, and a flush must not move a cut.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn raw_deflate() -> Compress {
    Compress::new(Compression::new(LEVEL), false)
}

/// A block of the data, and its compressed bytes.
#[derive(Default)]
struct Block {
    plain: Vec<u8>,
    packed: Vec<u8>,
    crc: Crc,
}

impl Block {
    /// Appends as many bytes as fit, and returns their number.
    fn fill(&mut self, bytes: &[u8]) -> usize {
        self.plain.reserve_exact(BLOCK_BYTES - self.plain.len());
        let taken = bytes.len().min(BLOCK_BYTES - self.plain.len());
        self.plain.extend_from_slice(&bytes[..taken]);
        taken
    }

    /// Compresses the block, with a sync flush at its end.
    fn deflate(&mut self, compress: &mut Compress) -> io::Result<()> {
        self.crc.update(&self.plain);
        compress.reset();
        // Enough even for noise, which deflate stores with five bytes of overhead for every few thousand.
        self.packed.reserve_exact(BLOCK_BYTES + BLOCK_BYTES / 512 + 256);
        let mut taken = 0;
        loop {
            let before = compress.total_in();
            let status = compress.compress_vec(&self.plain[taken..], &mut self.packed, FlushCompress::Sync)?;
            taken += usize::try_from(compress.total_in() - before).unwrap_or(0);
            // The flush is complete once there is room left over.
            let has_room = self.packed.len() < self.packed.capacity() || status == Status::BufError;
            if taken == self.plain.len() && has_room {
                return Ok(());
            }
            self.packed.reserve(4096);
        }
    }

    fn clear(&mut self) {
        self.plain.clear();
        self.packed.clear();
        self.crc.reset();
    }
}

/// A block to compress, and the channel for the result.
struct DeflateTask {
    block: Block,
    done: SyncSender<io::Result<Block>>,
}

/// Threads that deflate blocks, and the blocks in flight in their order.
struct Pool {
    /// `None` only while dropping: the threads end when it is closed.
    jobs: Option<Sender<DeflateTask>>,
    in_flight: VecDeque<Receiver<io::Result<Block>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    fn start(count: usize) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        let mut pool = Self { jobs: Some(jobs), in_flight: VecDeque::new(), threads: Vec::new() };
        for _ in 0..count {
            let queue = Arc::clone(&queue);
            pool.threads.push(thread::Builder::new().name("deflate".into()).spawn(move || work(&queue))?);
        }
        Ok(pool)
    }

    fn submit(&mut self, block: Block) -> io::Result<()> {
        let (done, result) = mpsc::sync_channel(1);
        self.in_flight.push_back(result);
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(DeflateTask { block, done }).map_err(|_| gone())
    }

    /// Waits for the oldest block when more than `left` are in flight.
    fn take_beyond(&mut self, left: usize) -> Option<io::Result<Block>> {
        if self.in_flight.len() <= left {
            return None;
        }
        let oldest = self.in_flight.pop_front()?;
        Some(oldest.recv().unwrap_or_else(|_| Err(gone())))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A panic has been noticed before: the block of that thread never arrived.
            let _ = thread.join();
        }
    }
}

/// Compresses blocks until the queue is closed.
fn work(queue: &Mutex<Receiver<DeflateTask>>) {
    let mut compress = raw_deflate();
    loop {
        let job = queue.lock().ignore_poison().recv();
        let Ok(DeflateTask { mut block, done }) = job else { return };
        let result = block.deflate(&mut compress).map(|()| block);
        // The writer may have given up after an error: nobody waits for this block then.
        let _ = done.send(result);
    }
}

fn gone() -> io::Error {
    io::Error::other("a compressing thread ended early")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::tests::TestResult;

    /// Text-like and noise-like stretches, always the same.
    fn data(length: usize) -> Vec<u8> {
        let mut state = 7_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 24
        };
        (0..length)
            .map(|i| if (i / 100_000) % 2 == 0 { b"abcdefgh"[next() as usize % 8] } else { next().to_le_bytes()[0] })
            .collect()
    }

    fn gzip(data: &[u8], threads: usize, step: usize) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut writer = GzipWriter::new(&mut out, threads);
        for piece in data.chunks(step.max(1)) {
            writer.write_all(piece)?;
        }
        let length = writer.finish()?;
        assert_eq!(length, out.len() as u64);
        Ok(out)
    }

    #[test]
    fn any_number_of_threads_and_any_write_size_give_the_same_bytes() -> TestResult {
        let data = data(5 * BLOCK_BYTES + 12_345);
        let one = gzip(&data, 1, 8192)?;
        for (threads, step) in [(2, 8192), (3, 1000), (8, BLOCK_BYTES * 2)] {
            assert!(gzip(&data, threads, step)? == one, "{threads} threads, {step} bytes a write");
        }
        Ok(())
    }

    #[test]
    fn what_was_written_comes_back_from_one_member() -> TestResult {
        for length in [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES] {
            let data = data(length);
            let packed = gzip(&data, 2, 65_536)?;
            let mut back = Vec::new();
            flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut back)?;
            assert!(back == data, "{length} bytes");
        }
        Ok(())
    }

    #[test]
    fn noise_grows_by_less_than_a_thousandth() -> TestResult {
        let mut state = 1_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        })
        .take(2 * BLOCK_BYTES)
        .collect();
        assert!(gzip(&noise, 2, 4096)?.len() < noise.len() + noise.len() / 1000);
        Ok(())
    }

    #[test]
    fn an_error_of_the_output_is_returned() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut writer = GzipWriter::new(Full, 2);
        let result = writer.write_all(&data(20 * BLOCK_BYTES)).and_then(|()| writer.finish().map(drop));
        assert_eq!(result.map_err(|error| error.kind()), Err(io::ErrorKind::StorageFull));
    }
}
