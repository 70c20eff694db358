//! Errors of the tar format, and the size of its blocks.

use std::io;

pub(crate) const BLOCK: usize = 512;

pub(crate) fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Wrong(what))
}

pub(crate) fn is_wrong(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Wrong>()).is_some()
}

pub(super) fn no_size() -> io::Error {
    wrong("a header has a size that no file has")
}

/// Intact compressed bytes whose content no reader, or not every reader, would accept.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Wrong(&'static str);
