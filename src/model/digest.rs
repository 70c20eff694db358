//! SHA-256 digests, and how they are written.

use std::fmt::Write;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// How much is read at a time, in bytes.
const CHUNK: usize = 128 * 1024;

/// The digest of all that can be read, telling `progress` of the bytes as they come.
pub(crate) fn sha256(from: &mut impl Read, progress: impl Fn(u64)) -> io::Result<[u8; 32]> {
    let (mut digest, mut chunk) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return Ok(digest.finalize().into()),
            Ok(read) => {
                digest.update(chunk.get(..read).unwrap_or_default());
                progress(read as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String does not fail.
        let _always = write!(text, "{byte:02x}");
        text
    })
}
