//! A secret in the content of a file.

/// The place and the kind of a secret. The secret itself is never kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Number of the line, from 1.
    pub(crate) line: u64,
    /// A noun with its article: `an AWS secret access key`.
    pub(crate) kind: &'static str,
}
