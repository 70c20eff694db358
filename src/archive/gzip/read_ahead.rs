//! Moves a reader to a thread of its own, so that inflating and writing overlap.
//!
//! Buffers travel through a bounded channel from the thread to the consumer, and back through another one to be
//! refilled: memory is bounded by [`MAX_WAITING`] buffers and the two in use.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

/// Size of a buffer.
const BUFFER_BYTES: usize = 256 * 1024;
/// Maximum number of filled buffers that wait for the consumer.
const MAX_WAITING: usize = 16;

/// Reads the bytes of another reader from a thread. The thread ends at the end of the input, after an error, or when
/// this is dropped.
pub(crate) struct ReadAhead {
    filled: Receiver<io::Result<FilledBuffer>>,
    /// Returns consumed buffers to the thread.
    spare: Sender<Vec<u8>>,
    current: FilledBuffer,
    /// Bytes of `current` that have been read.
    at: usize,
    is_at_end: bool,
}

/// A buffer whose first `length` bytes are filled: 0 at the end of the input.
#[derive(Default)]
struct FilledBuffer {
    buffer: Vec<u8>,
    length: usize,
}

impl ReadAhead {
    /// Starts the thread. Fails if the system has none left.
    pub(crate) fn new(from: impl Read + Send + 'static) -> io::Result<Self> {
        let (to_consumer, filled) = sync_channel(MAX_WAITING);
        let (spare, empty) = channel();
        thread::Builder::new().name("inflate".into()).spawn(move || fill_buffers(from, &to_consumer, &empty))?;
        Ok(Self { filled, spare, current: FilledBuffer::default(), at: 0, is_at_end: false })
    }

    /// Waits for the next buffer.
    fn advance(&mut self) -> io::Result<()> {
        let gone = || io::Error::other("reading ended early");
        let next = self.filled.recv().unwrap_or_else(|_| Err(gone()))?;
        self.is_at_end = next.length == 0;
        let taken = std::mem::replace(&mut self.current, next);
        self.at = 0;
        // At the end of the input the thread is gone.
        let _ended = self.spare.send(taken.buffer);
        Ok(())
    }
}

impl Read for ReadAhead {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.at == self.current.length && !self.is_at_end {
            self.advance()?;
        }
        let rest = &self.current.buffer[self.at..self.current.length];
        let count = rest.len().min(to.len());
        to[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

/// Reads to the end of the input or to an error, and sends filled buffers.
fn fill_buffers(mut from: impl Read, filled: &SyncSender<io::Result<FilledBuffer>>, empty: &Receiver<Vec<u8>>) {
    loop {
        let mut buffer =
            empty.try_recv().ok().filter(|spare| !spare.is_empty()).unwrap_or_else(|| vec![0; BUFFER_BYTES]);
        let (length, end) = fill(&mut from, &mut buffer);
        if length > 0 && filled.send(Ok(FilledBuffer { buffer, length })).is_err() {
            return;
        }
        if let Some(end) = end {
            // A reader that has failed need not fail again, so that the error is passed on here or never.
            let _consumer_is_gone = filled.send(end.map(|()| FilledBuffer::default()));
            return;
        }
    }
}

/// Reads until the buffer is full. Returns the number of bytes read and, if the buffer isn't full, the end or the
/// error.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> (usize, Option<io::Result<()>>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => return (filled, Some(Ok(()))),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(Err(error))),
        }
    }
    (filled, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes, then one error, then an end that means nothing.
    struct Failing(Vec<u8>, bool);

    impl Read for Failing {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() && !std::mem::replace(&mut self.1, true) {
                return Err(io::Error::other("damaged"));
            }
            let count = to.len().min(self.0.len());
            to.iter_mut().zip(self.0.drain(..count)).for_each(|(to, byte)| *to = byte);
            Ok(count)
        }
    }

    #[test]
    fn all_bytes_come_and_then_the_end() -> io::Result<()> {
        for length in [0, 1, BUFFER_BYTES, 3 * BUFFER_BYTES + 7, 40 * BUFFER_BYTES] {
            let mut read = Vec::new();
            ReadAhead::new(io::Cursor::new(vec![7; length]))?.read_to_end(&mut read)?;
            assert!(read == vec![7; length], "{length}");
        }
        Ok(())
    }

    #[test]
    fn an_error_that_is_told_once_is_not_lost() -> io::Result<()> {
        for length in [0, 10, BUFFER_BYTES, BUFFER_BYTES + 10] {
            let mut read = Vec::new();
            let error = ReadAhead::new(Failing(vec![7; length], false))?.read_to_end(&mut read);
            assert!(error.is_err() && read.len() == length, "{length}");
        }
        Ok(())
    }
}
