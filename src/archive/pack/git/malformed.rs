//! The error of an index that can't be parsed.

use std::io;

/// A violation of the index's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MalformedIndex(pub(super) &'static str);

impl From<MalformedIndex> for io::Error {
    fn from(MalformedIndex(problem): MalformedIndex) -> Self {
        Self::new(io::ErrorKind::InvalidData, format!("it is no valid git index: {problem}"))
    }
}
