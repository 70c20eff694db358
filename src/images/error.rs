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
    /// The image of that version may be there, under a name that follows the pattern of the others.
    pub(super) follows_pattern: bool,
}

impl ImageError {
    pub(super) fn new(subject: Subject, message: String, hint: impl Into<String>) -> Self {
        Self { subject, message, hint: hint.into(), follows_pattern: false }
    }

    /// The hint, where `allow` is how one says that an unknown version is meant.
    pub(crate) fn hint_with(&self, allow: &str) -> String {
        let pattern = format!("; {allow} takes the image's name to follow its pattern");
        format!("{}{}", self.hint, if self.follows_pattern { &pattern } else { "" })
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
