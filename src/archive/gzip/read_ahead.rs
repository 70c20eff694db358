//! Reads ahead on a thread of its own, so that inflating and writing go on side by side.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

/// How many bytes go from thread to thread at once, and how many such pieces may wait.
const PIECE: usize = 256 * 1024;
const WAITING: usize = 16;

/// What another reader gives, read on a thread. The thread ends at the end, after an error, or once nobody takes what it
/// has read.
pub(crate) struct ReadAhead {
    pieces: Receiver<io::Result<FilledBuffer>>,
    /// Pieces that have been taken, to be filled again.
    spare: Sender<Vec<u8>>,
    piece: FilledBuffer,
    at: usize,
    is_over: bool,
}

/// Bytes at the front of a buffer; none at the end.
#[derive(Default)]
struct FilledBuffer {
    buffer: Vec<u8>,
    length: usize,
}

impl ReadAhead {
    pub(crate) fn new(from: impl Read + Send + 'static) -> io::Result<Self> {
        let (filled, pieces) = sync_channel(WAITING);
        let (spare, empty) = channel();
        thread::Builder::new().name("inflate".into()).spawn(move || read_on(from, &filled, &empty))?;
        Ok(Self { pieces, spare, piece: FilledBuffer::default(), at: 0, is_over: false })
    }

    fn advance(&mut self) -> io::Result<()> {
        let gone = || io::Error::other("reading ended early");
        let next = self.pieces.recv().unwrap_or_else(|_| Err(gone()))?;
        self.is_over = next.length == 0;
        let taken = std::mem::replace(&mut self.piece, next);
        self.at = 0;
        // At the end nobody fills it any more.
        let _ended = self.spare.send(taken.buffer);
        Ok(())
    }
}

impl Read for ReadAhead {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.length && !self.is_over {
            self.advance()?;
        }
        let rest = &self.piece.buffer[self.at..self.piece.length];
        let count = rest.len().min(to.len());
        to[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

fn read_on(mut from: impl Read, filled: &SyncSender<io::Result<FilledBuffer>>, empty: &Receiver<Vec<u8>>) {
    loop {
        let mut buffer = empty.try_recv().ok().filter(|spare| !spare.is_empty()).unwrap_or_else(|| vec![0; PIECE]);
        let (length, end) = fill(&mut from, &mut buffer);
        if length > 0 && filled.send(Ok(FilledBuffer { buffer, length })).is_err() {
            return;
        }
        if let Some(end) = end {
            // A reader that has failed need not fail again: this is the only time that it is told.
            let _nobody_waits = filled.send(end.map(|()| FilledBuffer::default()));
            return;
        }
    }
}

/// Reads until the buffer is full: how many bytes came, and, where it is not, how it ended.
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
        for length in [0, 1, PIECE, 3 * PIECE + 7, 40 * PIECE] {
            let mut read = Vec::new();
            ReadAhead::new(io::Cursor::new(vec![7; length]))?.read_to_end(&mut read)?;
            assert!(read == vec![7; length], "{length}");
        }
        Ok(())
    }

    #[test]
    fn an_error_that_is_told_once_is_not_lost() -> io::Result<()> {
        for length in [0, 10, PIECE, PIECE + 10] {
            let mut read = Vec::new();
            let error = ReadAhead::new(Failing(vec![7; length], false))?.read_to_end(&mut read);
            assert!(error.is_err() && read.len() == length, "{length}");
        }
        Ok(())
    }
}
