//! A file that is being uploaded: read part by part, and digested as it is read, so that the verified bytes are those
//! that are sent.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::cloud::{CloudError, CloudResult, ObjectContent};
use crate::model::S3Uri;
use crate::model::checksum::ContentDigest;

/// Unit of memory, in bytes. A small file takes one.
pub(super) const UNIT_BYTES: usize = 64 * 1024;
/// Units that all uploads together may hold: 96 MiB, or twelve parts. A larger part is sent alone.
pub(super) const MEMORY_UNITS: usize = 1536;

/// Reads a file for an upload, part by part.
pub(super) struct UploadSource {
    file: File,
    /// Destination.
    uri: S3Uri,
    /// Size in bytes when the file was opened.
    pub(super) size: u64,
    at: u64,
    /// Digests of the parts read so far.
    sha256: Vec<[u8; 32]>,
    expected: Option<ContentDigest>,
}

/// A part of the file, with its share of the memory.
pub(super) struct FilePart {
    pub(super) bytes: Vec<u8>,
    pub(super) memory: OwnedSemaphorePermit,
    pub(super) sha256: [u8; 32],
}

impl UploadSource {
    pub(super) fn new(uri: &S3Uri, content: &ObjectContent) -> CloudResult<Self> {
        let open = || Ok((content.file.try_clone()?, content.file.metadata()?.len()));
        let (file, size) = open().map_err(unreadable())?;
        Ok(Self { file, uri: uri.clone(), size, at: 0, sha256: Vec::new(), expected: content.digest.clone() })
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.size
    }

    /// Reads the next part, after waiting for memory. Fails at the last part if the whole doesn't match the expected
    /// digest.
    pub(super) async fn next(self, length: u64, memory: Arc<Semaphore>) -> CloudResult<(FilePart, Self)> {
        let length = usize::try_from(length.min(self.size - self.at)).unwrap_or(usize::MAX);
        let units = u32::try_from(length.div_ceil(UNIT_BYTES).clamp(1, MEMORY_UNITS)).unwrap_or(1);
        let memory = memory.acquire_many_owned(units).await;
        let memory = memory.map_err(|error| CloudError::Other(format!("storing ended: {error}")))?;
        let read = tokio::task::spawn_blocking(move || self.read(length)).await;
        let (bytes, sha256, rest) = read.map_err(|error| CloudError::Other(format!("reading ended: {error}")))??;
        Ok((FilePart { bytes, memory, sha256 }, rest))
    }

    fn read(mut self, length: usize) -> CloudResult<(Vec<u8>, [u8; 32], Self)> {
        let mut bytes = vec![0; length];
        match self.file.read_exact_at(&mut bytes, self.at) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(self.changed()),
            read => read.map_err(unreadable())?,
        }
        self.at += length as u64;
        let sha256 = Sha256::digest(&bytes).into();
        self.sha256.push(sha256);
        if self.is_at_end() && self.expected.as_ref().is_some_and(|expected| *expected != self.digest()) {
            return Err(self.changed());
        }
        Ok((bytes, sha256, self))
    }

    fn digest(&self) -> ContentDigest {
        ContentDigest::of_parts(self.size, &self.sha256)
    }

    fn changed(&self) -> CloudError {
        CloudError::Unusable {
            what: format!("{} was not stored: its file changed while it was read", self.uri),
            hint: "submit again once the file stays as it is".to_owned(),
        }
    }
}

fn unreadable() -> impl FnOnce(io::Error) -> CloudError {
    CloudError::io("read what is to be stored")
}
