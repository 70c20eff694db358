//! Why there is no image, which of the asker's words is to blame, and what to write instead.

use thiserror::Error;

/// What of a question can't be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Name,
    Version,
    /// The version of the framework below Hugging Face's.
    BaseVersion,
    PyVersion,
    InstanceType,
    Region,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub(crate) struct ImageError {
    pub(crate) subject: Subject,
    /// The fact, lower case, no full stop.
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl ImageError {
    pub(super) fn new(subject: Subject, message: String, hint: impl Into<String>) -> Self {
        Self { subject, message, hint: hint.into() }
    }
}

/// `` `a`, `b` or `c` ``
pub(super) fn list(words: &[impl AsRef<str>]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match words.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => words.concat(),
    }
}
