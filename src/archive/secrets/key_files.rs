//! Recognizes files that are nothing but a key, and files that are certificates although their names are those of keys.

use std::io::Read;
use std::path::Path;

use crate::archive::pack::stable_file;

/// Maximum size of a file that is taken for a key.
pub(crate) const MAX_KEY_FILE_BYTES: u64 = 64 * 1024;

/// Returns whether a file is a private key in PEM, PuTTY's or PGP's form, or the key of a Google service account.
pub(crate) fn is_key_file(content: &[u8]) -> bool {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content).trim_ascii_start();
    is_private_key(content) || content.starts_with(b"PuTTY-User-Key-File-") || is_service_account(content)
}

fn is_private_key(content: &[u8]) -> bool {
    let first_line = content.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let is_end = |end: &[u8]| first_line.ends_with(end);
    first_line.starts_with(b"-----BEGIN ") && (is_end(b"PRIVATE KEY-----") || is_end(b"PRIVATE KEY BLOCK-----"))
}

fn is_service_account(content: &[u8]) -> bool {
    content.starts_with(b"{") && contains(content, b"\"service_account\"") && contains(content, b"\"private_key\"")
}

/// Returns whether a file in PEM contains certificates, public keys or parameters, and no private key.
pub(crate) fn is_certificate(content: &[u8]) -> bool {
    contains(content, b"-----BEGIN ") && !contains(content, b"PRIVATE KEY")
}

/// Returns whether a file contains certificates and no private key. One that can't be read, or is very large, is taken
/// for a key.
pub(crate) fn is_certificate_file(path: &Path) -> bool {
    const MAX_BYTES: u64 = 4 * 1024 * 1024;
    let read = || {
        let mut content = Vec::new();
        let file = stable_file::open(&std::fs::canonicalize(path)?)?;
        file.take(MAX_BYTES + 1).read_to_end(&mut content)?;
        std::io::Result::Ok(content)
    };
    read().is_ok_and(|content| content.len() as u64 <= MAX_BYTES && is_certificate(&content))
}

fn contains(content: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(content, word).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_content() {
        assert!(is_key_file(b"-----BEGIN RSA PRIVATE KEY-----\nMIIE"));
        assert!(is_key_file(b"\n -----BEGIN OPENSSH PRIVATE KEY-----\r\nb3Bl"));
        assert!(is_key_file(b"\xef\xbb\xbf-----BEGIN PRIVATE KEY-----"));
        assert!(is_key_file(b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n"));
        assert!(is_key_file(b"PuTTY-User-Key-File-3: ssh-ed25519\n"));
        assert!(is_key_file(b"{\n \"type\": \"service_account\", \"private_key\": \"x\"}"));
        assert!(!is_key_file(b"-----BEGIN CERTIFICATE-----\nMIIE"));
        assert!(!is_key_file(b"# about -----BEGIN PRIVATE KEY-----"));
        assert!(!is_key_file(b"{\"type\": \"service_account\"}"));
        assert!(!is_key_file(b""));
    }

    #[test]
    fn certificates_are_no_keys() {
        let certificate = "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n";
        assert!(is_certificate(certificate.as_bytes()));
        assert!(!is_certificate(format!("{certificate}-----BEGIN PRIVATE KEY-----\nMIIE\n").as_bytes()));
        assert!(!is_certificate(b"x"));
    }
}
