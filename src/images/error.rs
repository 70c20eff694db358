//! Errors of resolving an image: the reason, the part of the query that is at fault, and a suggestion.

use thiserror::Error;

/// Part of a query that can't be satisfied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Name,
    Version,
    /// Version of the framework below Hugging Face's libraries.
    BaseVersion,
    PyVersion,
    InstanceType,
    Region,
}

/// Reason for which a query has no image.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub(crate) struct ImageError {
    pub(crate) subject: Subject,
    /// The fact, in lower case without a full stop.
    pub(crate) message: String,
    pub(crate) hint: String,
    /// The catalog may be older than the version, whose image would follow the pattern of the others.
    pub(super) follows_pattern: bool,
}

impl ImageError {
    pub(super) fn new(subject: Subject, message: String, hint: impl Into<String>) -> Self {
        Self { subject, message, hint: hint.into(), follows_pattern: false }
    }

    /// Returns the hint. `allow` names the option by which the user accepts an unknown version.
    pub(crate) fn hint_with(&self, allow: &str) -> String {
        let pattern = format!("; {allow} builds the URI of a newer one by the same pattern");
        format!("{}{}", self.hint, if self.follows_pattern { &pattern } else { "" })
    }
}

/// Joins words for a sentence: `` `a`, `b` or `c` ``.
pub(super) fn list(words: &[impl AsRef<str>]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match words.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => words.concat(),
    }
}
