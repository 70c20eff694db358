//! Recognises secrets in what is about to be sent: by a file's name, and by what a file holds.
//!
//! Names are patterns (`names`). Content is read once, as it streams by (`scan`): text is searched for a few dozen words and
//! prefixes in one pass, and only where one stands is the text around it judged (`content`), by a value's shape (`shape`).
//! A value is never kept and never shown: a finding is a line and a kind.
//!
//! The rules are made to be precise rather than complete, since a finding stops a job. They find the credentials of cloud
//! services and tools, and passwords with punctuation; not a short password of letters and digits that a person made up.

mod allow_patterns;
mod content;
mod encoding;
mod filter;
mod finding;
mod glue;
mod key_files;
mod names;
mod passwords;
mod scan;
mod search;
pub(super) mod secret_files;
mod services;
mod shape;
mod text;
mod words;

pub(super) use allow_patterns::allow_patterns;
pub(crate) use finding::Finding;
pub(super) use key_files::{LARGEST_KEY_FILE, is_certificate_file, is_key_file};
pub(super) use names::{CERTIFICATES, CERTIFICATES_ABOUT, SECRETS};
pub(crate) use scan::{ScanningReader, SecretScan};

/// Returns the first secret in the content of a file.
#[cfg(test)]
pub(super) fn find(content: &[u8]) -> Option<Finding> {
    let mut scan = SecretScan::default();
    scan.update(content);
    scan.finish()
}

#[cfg(test)]
mod tests;
