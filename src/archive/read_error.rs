//! Errors of reading an archive, from gzip to tar.

use std::io;

/// Reason for which an archive can't be read.
///
/// A gzip reader is an [`io::Read`], which can only return an [`io::Error`]: there the reason travels inside one, and
/// `From` takes it out again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// Intact bytes that no tar reader, or not every one, would accept.
    #[error("{0}")]
    Malformed(&'static str),
    #[error("the uncompressed archive exceeds the size limit")]
    SizeLimitExceeded,
    #[error("the archive is followed by data that is no part of it")]
    TrailingData,
    /// Ends a sentence that begins with "it is".
    #[error("it is {0}")]
    OtherFormat(&'static str),
    #[error(transparent)]
    Io(io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        error.downcast().unwrap_or_else(Self::Io)
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => error,
            error => Self::other(error),
        }
    }
}
