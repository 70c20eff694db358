//! SHA-256 digests, and their hexadecimal form.

use std::fmt::Write;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// Size of a read.
const CHUNK_BYTES: usize = 128 * 1024;

/// Reads to the end and returns the digest. `progress` is called with the number of bytes of each read.
pub(crate) fn sha256(from: &mut impl Read, progress: impl Fn(u64)) -> io::Result<[u8; 32]> {
    let mut digest = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return Ok(digest.finalize().into()),
            Ok(read) => {
                digest.update(chunk.get(..read).expect("a read returns at most the length of its buffer"));
                progress(read as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Returns bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String does not fail.
        let _always = write!(text, "{byte:02x}");
        text
    })
}
