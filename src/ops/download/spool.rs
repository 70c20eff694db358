//! An object's bytes between the network and whoever reads them: they come in any order, and are read from the start on while
//! they come.
//!
//! They lie in a file. One that is kept holds them all, and is what a download that was killed goes on from; one that is
//! not is as long as [`RING`], and nothing is fetched before there is room for it.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use tokio::sync::Notify;

use super::byte_ranges::ByteRanges;
use crate::model::IgnorePoison;

/// How far what is fetched may be ahead of what is read, in bytes, where nothing is kept.
pub(super) const RING: u64 = 64 * 1024 * 1024;

pub(super) struct Spool {
    file: Arc<File>,
    /// Of the object, in bytes.
    size: u64,
    /// Of the file: what does not fit goes to its start again.
    capacity: u64,
    state: Mutex<State>,
    came: Condvar,
    room: Notify,
}

struct State {
    there: ByteRanges,
    read_to: u64,
    /// Nothing more will come.
    is_closed: bool,
}

impl Spool {
    /// In a file that holds some of the bytes already, or all.
    pub(super) fn kept(file: Arc<File>, size: u64, there: ByteRanges) -> Self {
        Self::new(file, size, size, there)
    }

    /// In a file without a name, which is gone with the process.
    pub(super) fn passing(size: u64) -> io::Result<Self> {
        Ok(Self::new(Arc::new(tempfile::tempfile()?), size, RING.min(size), ByteRanges::default()))
    }

    fn new(file: Arc<File>, size: u64, capacity: u64, there: ByteRanges) -> Self {
        let state = Mutex::new(State { there, read_to: 0, is_closed: false });
        Self { file, size, capacity: capacity.max(1), state, came: Condvar::new(), room: Notify::new() }
    }

    pub(super) fn missing(&self) -> Vec<Range<u64>> {
        self.state().there.missing(self.size)
    }

    /// Waits until bytes up to there may be written.
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

    pub(super) fn write(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let place = at % self.capacity;
        let to_end = usize::try_from(self.capacity - place).unwrap_or(usize::MAX).min(bytes.len());
        let (front, back) = bytes.split_at(to_end);
        self.file.write_all_at(front, place)?;
        self.file.write_all_at(back, 0)?;
        self.state().there.add(at..at + bytes.len() as u64);
        self.came.notify_all();
        Ok(())
    }

    /// Nothing more will come: who waits for it waits no longer.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.came.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().ignore_poison()
    }

    /// Waits until there are bytes from there on, and says where they end.
    fn wait_for_bytes(&self, at: u64) -> io::Result<u64> {
        let wait = |state: &mut State| state.there.end_from(at) == at && !state.is_closed;
        let state = self.came.wait_while(self.state(), wait).ignore_poison();
        let end = state.there.end_from(at);
        if end == at { Err(io::Error::other("the download was given up")) } else { Ok(end) }
    }

    /// Bytes up to there are needed no more.
    fn advance(&self, read_to: u64) {
        self.state().read_to = read_to;
        self.room.notify_waiters();
    }
}

/// Closes a spool, whatever ends its download.
pub(super) struct Closing(pub(super) Arc<Spool>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The object's bytes from the start on, for a blocking thread.
pub(super) struct SpoolReader {
    spool: Arc<Spool>,
    at: u64,
}

impl SpoolReader {
    pub(super) fn new(spool: Arc<Spool>) -> Self {
        Self { spool, at: 0 }
    }
}

impl Read for SpoolReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Spool { size, capacity, .. } = *self.spool;
        if self.at == size || buffer.is_empty() {
            return Ok(0);
        }
        let place = self.at % capacity;
        let there = (self.spool.wait_for_bytes(self.at)? - self.at).min(capacity - place);
        let count = usize::try_from(there).unwrap_or(usize::MAX).min(buffer.len());
        self.spool.file.read_exact_at(&mut buffer[..count], place)?;
        self.at += count as u64;
        self.spool.advance(self.at);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Outcome = Result<(), Box<dyn std::error::Error>>;

    fn bytes(size: usize) -> Vec<u8> {
        (0..size).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect()
    }

    #[tokio::test]
    async fn bytes_come_out_in_order_however_they_come_in() -> Outcome {
        let (size, step) = (5_000_000, 123_457);
        let expected = bytes(size);
        let spool = Arc::new(Spool::new(Arc::new(tempfile::tempfile()?), size as u64, 700_000, ByteRanges::default()));
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
    async fn who_waits_for_what_never_comes_is_told() -> Outcome {
        let spool = Arc::new(Spool::passing(100)?);
        let closing = Closing(spool.clone());
        let mut reader = SpoolReader::new(spool.clone());
        let reading = tokio::task::spawn_blocking(move || reader.read_to_end(&mut Vec::new()));
        spool.write(&[1; 10], 0)?;
        drop(closing);
        assert!(reading.await?.is_err());
        Ok(())
    }
}
