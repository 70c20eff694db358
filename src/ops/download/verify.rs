//! Holds an object's bytes against S3's checksum while they are read.

use std::io::{self, Read};

use crate::model::checksum::{ChecksumVerifier, Checksum, ChecksumMismatch};

/// Fails at the end where the bytes were others.
pub(super) struct Checked<R> {
    from: R,
    /// None without a checksum, and after the end.
    checking: Option<ChecksumVerifier>,
}

impl<R> Checked<R> {
    pub(super) fn new(from: R, checksum: Option<Checksum>) -> Self {
        Self { from, checking: checksum.map(ChecksumVerifier::new) }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        if count > 0 {
            if let Some(checking) = &mut self.checking {
                checking.update(&buffer[..count]);
            }
        } else if !buffer.is_empty() && self.checking.take().is_some_and(|checking| !checking.finish()) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, ChecksumMismatch));
        }
        Ok(count)
    }
}
