//! Verifies an object's bytes against S3's checksum while they are read.

use std::io::{self, Read};

use crate::model::checksum::{Checksum, ChecksumMismatch, ChecksumVerifier};

/// Reader that fails at the end of the bytes on a checksum mismatch.
pub(super) struct VerifyingReader<R> {
    from: R,
    /// `None` without a checksum, and after the end.
    verifier: Option<ChecksumVerifier>,
}

impl<R> VerifyingReader<R> {
    pub(super) fn new(from: R, checksum: Option<Checksum>) -> Self {
        Self { from, verifier: checksum.map(ChecksumVerifier::new) }
    }
}

impl<R: Read> Read for VerifyingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        if count > 0 {
            if let Some(verifier) = &mut self.verifier {
                verifier.update(&buffer[..count]);
            }
        } else if !buffer.is_empty() && self.verifier.take().is_some_and(|verifier| !verifier.finish()) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, ChecksumMismatch));
        }
        Ok(count)
    }
}
