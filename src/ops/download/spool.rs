//! Spool between the network and the reader of an object: byte ranges are written in any order, and are read from the
//! start while they arrive.
//!
//! The bytes are in a file. A kept file holds the whole object, and a resumed download continues from it. A temporary
//! one holds at most [`SPOOL_CAPACITY`] bytes, as a ring buffer; a range is fetched only when there is room for it.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use tokio::sync::Notify;

use super::byte_ranges::ByteRanges;
use crate::model::IgnorePoison;

/// Maximum distance between the fetched and the read offset of an object that is not kept, in bytes.
pub(super) const SPOOL_CAPACITY: u64 = 64 * 1024 * 1024;

/// File between the fetching tasks and the reader of an object's bytes.
pub(super) struct DownloadSpool {
    file: Arc<File>,
    /// Size of the object, in bytes.
    size: u64,
    /// Size of the file, in bytes. It is used as a ring buffer if the object is larger.
    capacity: u64,
    state: Mutex<SpoolState>,
    /// Notified when bytes were written, and on close.
    written: Condvar,
    /// Notified when bytes were read.
    room: Notify,
}

struct SpoolState {
    present: ByteRanges,
    /// Offset up to which the object has been read.
    read_to: u64,
    /// True if no more bytes will be written.
    is_closed: bool,
}

impl DownloadSpool {
    /// Creates a spool in a file that is kept, and that holds the bytes `present`.
    pub(super) fn kept(file: Arc<File>, size: u64, present: ByteRanges) -> Self {
        Self::new(file, size, size, present)
    }

    /// Creates a spool in an unnamed temporary file of at most [`SPOOL_CAPACITY`] bytes.
    pub(super) fn temporary(size: u64) -> io::Result<Self> {
        Ok(Self::new(Arc::new(tempfile::tempfile()?), size, SPOOL_CAPACITY.min(size), ByteRanges::default()))
    }

    fn new(file: Arc<File>, size: u64, capacity: u64, present: ByteRanges) -> Self {
        let state = Mutex::new(SpoolState { present, read_to: 0, is_closed: false });
        Self { file, size, capacity: capacity.max(1), state, written: Condvar::new(), room: Notify::new() }
    }

    /// Returns the ranges that have not been written, in order.
    pub(super) fn missing(&self) -> Vec<Range<u64>> {
        self.state().present.missing(self.size)
    }

    /// Waits until bytes up to the offset `end` may be written without overwriting unread ones.
    pub(super) async fn wait_for_room(&self, end: u64) {
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            if end <= self.state().read_to + self.capacity {
                return;
            }
            room.await;
        }
    }

    /// Writes bytes at an offset of the object. Blocks on the disk.
    pub(super) fn write(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let position = at % self.capacity;
        let to_end = usize::try_from(self.capacity - position).unwrap_or(usize::MAX).min(bytes.len());
        let (front, back) = bytes.split_at(to_end);
        self.file.write_all_at(front, position)?;
        self.file.write_all_at(back, 0)?;
        self.state().present.add(at..at + bytes.len() as u64);
        self.written.notify_all();
        Ok(())
    }

    /// Ends the spool: a reader that waits for missing bytes gets an error.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.written.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, SpoolState> {
        self.state.lock().ignore_poison()
    }

    /// Blocks until the byte at an offset is written. Returns the end of the written range. Fails if the spool is
    /// closed.
    fn wait_for_bytes(&self, at: u64) -> io::Result<u64> {
        let wait = |state: &mut SpoolState| state.present.end_from(at) == at && !state.is_closed;
        let state = self.written.wait_while(self.state(), wait).ignore_poison();
        let end = state.present.end_from(at);
        if end == at { Err(io::Error::other("the download was given up")) } else { Ok(end) }
    }

    /// Marks the bytes up to an offset as read, and makes room.
    fn advance(&self, read_to: u64) {
        self.state().read_to = read_to;
        self.room.notify_waiters();
    }
}

/// Closes a spool when dropped.
pub(super) struct CloseOnDrop(pub(super) Arc<DownloadSpool>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Reads an object's bytes in order. Blocks until they are written; for a blocking thread.
pub(super) struct SpoolReader {
    spool: Arc<DownloadSpool>,
    at: u64,
}

impl SpoolReader {
    pub(super) fn new(spool: Arc<DownloadSpool>) -> Self {
        Self { spool, at: 0 }
    }
}

impl Read for SpoolReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let DownloadSpool { size, capacity, .. } = *self.spool;
        if self.at == size || buffer.is_empty() {
            return Ok(0);
        }
        let position = self.at % capacity;
        let present = (self.spool.wait_for_bytes(self.at)? - self.at).min(capacity - position);
        let count = usize::try_from(present).unwrap_or(usize::MAX).min(buffer.len());
        self.spool.file.read_exact_at(&mut buffer[..count], position)?;
        self.at += count as u64;
        self.spool.advance(self.at);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::TestResult;

    fn bytes(size: usize) -> Vec<u8> {
        (0..size).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect()
    }

    #[tokio::test]
    async fn bytes_come_out_in_order_however_they_come_in() -> TestResult {
        let (size, step) = (5_000_000, 123_457);
        let expected = bytes(size);
        let spool =
            Arc::new(DownloadSpool::new(Arc::new(tempfile::tempfile()?), size as u64, 700_000, ByteRanges::default()));
        let mut reader = SpoolReader::new(spool.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let mut read = Vec::new();
            reader.read_to_end(&mut read).map(|_| read)
        });
        let mut pieces: Vec<(usize, &[u8])> = expected.chunks(step).enumerate().collect();
        for pair in pieces.chunks_mut(2) {
            pair.reverse();
            for (number, piece) in pair {
                let at = (*number * step) as u64;
                spool.wait_for_room(at + piece.len() as u64).await;
                spool.write(piece, at)?;
            }
        }
        assert!(reading.await?? == expected);
        Ok(())
    }

    #[tokio::test]
    async fn a_reader_fails_when_the_spool_is_closed() -> TestResult {
        let spool = Arc::new(DownloadSpool::temporary(100)?);
        let closing = CloseOnDrop(spool.clone());
        let mut reader = SpoolReader::new(spool.clone());
        let reading = tokio::task::spawn_blocking(move || reader.read_to_end(&mut Vec::new()));
        spool.write(&[1; 10], 0)?;
        drop(closing);
        assert!(reading.await?.is_err());
        Ok(())
    }
}
