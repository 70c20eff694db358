//! Recognises secrets in what is about to be sent: by a file's name, and by what a file holds.
//!
//! Names are patterns (`names`). Content is read once, as it streams by (`scan`): text is searched for a few dozen words and
//! prefixes in one pass, and only where one stands is the text around it judged (`content`), by a value's shape (`shape`).
//! A value is never kept and never shown: a finding is a line and a kind.
//!
//! The rules are made to be precise rather than complete, since a finding stops a job. They find the credentials of cloud
//! services and tools, and passwords with punctuation; not a short password of letters and digits that a person made up.

mod content;
mod encoding;
mod files;
mod filter;
mod glue;
mod key_files;
mod names;
mod passwords;
mod scan;
mod search;
mod services;
mod shape;
mod text;
mod words;

pub(crate) use files::{SecretFile, SecretFiles};
pub(super) use files::{is_certificate_file, patterns};
pub(super) use key_files::{LARGEST_KEY_FILE, is_key_file};
pub(super) use names::{CERTIFICATES, CERTIFICATES_ABOUT, SECRETS};
pub(crate) use scan::{ScanningReader, SecretScan};

/// A secret in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The line it stands on, from 1.
    pub(crate) line: u64,
    /// A noun with its article: `an AWS secret access key`.
    pub(crate) kind: &'static str,
}

/// Returns the first secret in the content of a file.
#[cfg(test)]
pub(super) fn find(content: &[u8]) -> Option<Finding> {
    let mut scan = SecretScan::default();
    scan.update(content);
    scan.finish()
}

#[cfg(test)]
mod tests;
