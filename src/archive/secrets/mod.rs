//! Recognizes secrets in files that are about to be sent, by name and by content.
//!
//! Names are matched by patterns ([`names`]). Content is read once, as a stream ([`scan`]): one pass searches text for
//! some two hundred words and prefixes ([`search`], [`words`]), and only around a match is the text judged
//! ([`content`]), by the shape of a value ([`shape`]). A value is neither kept nor shown: a [`Finding`] is a line and a
//! kind.
//!
//! The rules aim at precision rather than completeness, since a finding stops a job. They find credentials of cloud
//! services and tools, and passwords with punctuation, but not a short password of letters and digits.

mod allow_patterns;
mod content;
mod encoding;
mod filter;
mod finding;
mod glue;
mod key_files;
mod logins;
mod names;
mod passwords;
mod scan;
mod search;
pub(super) mod secret_files;
mod services;
mod shape;
mod tables;
mod text;
mod words;

pub(super) use allow_patterns::allow_patterns;
pub(crate) use finding::Finding;
pub(super) use key_files::{MAX_KEY_FILE_BYTES, is_certificate_file, is_key_file};
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
