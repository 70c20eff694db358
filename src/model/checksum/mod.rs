//! Checksums of objects, as S3 keeps them: computes and verifies them, over the whole object or over its parts.

pub(crate) mod parts;

use std::io::{self, Read};

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Size of a read.
const BUFFER_BYTES: usize = 256 * 1024;

/// S3's checksum algorithms (Amazon S3 user guide, "Checking object integrity").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChecksumAlgorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// The checksum that S3 keeps of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub(crate) algorithm: ChecksumAlgorithm,
    pub(crate) value: Vec<u8>,
    /// Size of each part but the last, in bytes, if the checksum is that of the parts' checksums.
    pub(crate) part_size: Option<u64>,
}

/// The digest that S3 keeps of content uploaded by smtrain: SHA-256 of the whole if it is uploaded in one request, else
/// of the concatenated SHA-256 digests of the parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContentDigest {
    /// The length of the content, in bytes.
    pub(crate) size: u64,
    pub(crate) sha256: [u8; 32],
}

impl ContentDigest {
    /// Reads content to its end and digests it. `expected_size` decides the size of parts: content of another size gets
    /// a digest that no upload has. `on_bytes` is called with the number of bytes of each read.
    pub(crate) fn of(from: &mut impl Read, expected_size: u64, mut on_bytes: impl FnMut(u64)) -> io::Result<Self> {
        let mut sum = PartSum::new(ChecksumAlgorithm::Sha256, parts::part_size_of(expected_size));
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut size = 0;
        loop {
            let count = match from.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                count => count?,
            };
            if count == 0 {
                let sha256 = sum.finish().try_into().expect("SHA-256 has 32 bytes");
                return Ok(Self { size, sha256 });
            }
            sum.update(&buffer[..count]);
            size += count as u64;
            on_bytes(count as u64);
        }
    }

    /// Combines the digests of parts in their order, or returns that of the only one.
    pub(crate) fn of_parts(size: u64, parts: &[[u8; 32]]) -> Self {
        let sha256 = match (parts, parts::part_size_of(size)) {
            ([whole], None) => *whole,
            _ => Sha256::digest(parts.concat()).into(),
        };
        Self { size, sha256 }
    }

    /// Returns the number of parts, or `None` if the digest is that of the whole.
    pub(crate) fn parts(&self) -> Option<u64> {
        parts::part_size_of(self.size).map(|part| self.size.div_ceil(part))
    }

    pub(crate) fn checksum(&self) -> Checksum {
        let part_size = parts::part_size_of(self.size);
        Checksum { algorithm: ChecksumAlgorithm::Sha256, value: self.sha256.to_vec(), part_size }
    }
}

/// Error for bytes that don't match a checksum.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("checksum mismatch: the bytes don't match S3's checksum")]
pub(crate) struct ChecksumMismatch;

impl ChecksumMismatch {
    /// Returns whether an error of a reader is this one.
    pub(crate) fn is(error: &io::Error) -> bool {
        error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()).is_some()
    }
}

/// Verifies bytes against a checksum.
pub(crate) struct ChecksumVerifier {
    expected: Vec<u8>,
    sum: PartSum,
}

impl ChecksumVerifier {
    pub(crate) fn new(expected: Checksum) -> Self {
        let sum = PartSum::new(expected.algorithm, expected.part_size);
        Self { expected: expected.value, sum }
    }

    /// Adds the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sum.update(bytes);
    }

    /// Returns whether the bytes match the checksum.
    #[must_use]
    pub(crate) fn finish(self) -> bool {
        self.sum.finish() == self.expected
    }
}

/// The checksum of bytes, or that of the checksums of their parts.
struct PartSum {
    algorithm: ChecksumAlgorithm,
    part_size: Option<u64>,
    part: Hasher,
    /// Bytes until the part is full.
    left: u64,
    /// Checksums of the parts before.
    parts: Hasher,
}

impl PartSum {
    fn new(algorithm: ChecksumAlgorithm, part_size: Option<u64>) -> Self {
        let left = part_size.unwrap_or(u64::MAX);
        Self { algorithm, part_size, part: Hasher::new(algorithm), left, parts: Hasher::new(algorithm) }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let now = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
            let (of_part, rest) = bytes.split_at(now);
            self.part.update(of_part);
            self.left -= now as u64;
            bytes = rest;
            if self.left == 0 {
                self.end_part();
            }
        }
    }

    fn end_part(&mut self) {
        let part = std::mem::replace(&mut self.part, Hasher::new(self.algorithm));
        self.parts.update(&part.finish());
        self.left = self.part_size.unwrap_or(u64::MAX);
    }

    fn finish(mut self) -> Vec<u8> {
        let Some(part_size) = self.part_size else { return self.part.finish() };
        if self.left < part_size {
            self.end_part();
        }
        self.parts.finish()
    }
}

enum Hasher {
    Crc(crc_fast::Digest, usize),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    fn new(algorithm: ChecksumAlgorithm) -> Self {
        match algorithm {
            ChecksumAlgorithm::Crc32 => Self::Crc(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32IsoHdlc), 4),
            ChecksumAlgorithm::Crc32c => Self::Crc(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi), 4),
            ChecksumAlgorithm::Crc64Nvme => Self::Crc(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme), 8),
            ChecksumAlgorithm::Sha1 => Self::Sha1(Sha1::new()),
            ChecksumAlgorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(digest, _) => digest.update(bytes),
            Self::Sha1(digest) => digest.update(bytes),
            Self::Sha256(digest) => digest.update(bytes),
        }
    }

    /// Returns the checksum, in big-endian order as S3 has it.
    fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc(digest, width) => digest.finalize().to_be_bytes()[8 - width..].to_vec(),
            Self::Sha1(digest) => digest.finalize().to_vec(),
            Self::Sha256(digest) => digest.finalize().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_right(algorithm: ChecksumAlgorithm, value: &str, part_size: Option<u64>, bytes: &[u8]) -> bool {
        let pairs = value.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap_or_default());
        let value = pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect();
        let mut checking = ChecksumVerifier::new(Checksum { algorithm, value, part_size });
        bytes.chunks(4).for_each(|piece| checking.update(piece));
        checking.finish()
    }

    /// The check values of the CRC catalogue, and FIPS 180's.
    #[test]
    fn well_known_sums() {
        for (algorithm, value) in [
            (ChecksumAlgorithm::Crc32, "cbf43926"),
            (ChecksumAlgorithm::Crc32c, "e3069283"),
            (ChecksumAlgorithm::Crc64Nvme, "ae8b14860a799888"),
            (ChecksumAlgorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (ChecksumAlgorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ] {
            assert!(is_right(algorithm, value, None, b"123456789"), "{algorithm:?}");
            assert!(!is_right(algorithm, value, None, b"123456780"), "{algorithm:?}");
        }
    }

    #[test]
    fn content_is_digested_as_it_is_uploaded() -> io::Result<()> {
        let small = ContentDigest::of(&mut &b"123456789"[..], 9, |_| {})?;
        assert!(is_right(ChecksumAlgorithm::Sha256, &crate::model::hex(&small.sha256), None, b"123456789"));
        assert_eq!((small.size, small.parts()), (9, None));
        assert_eq!(small, ContentDigest::of_parts(9, &[small.sha256]));
        let bytes = vec![7; 17 * 1024 * 1024];
        let mut told = 0;
        let large = ContentDigest::of(&mut &bytes[..], bytes.len() as u64, |count| told += count)?;
        let digests: Vec<[u8; 32]> = bytes.chunks(8 * 1024 * 1024).map(|part| Sha256::digest(part).into()).collect();
        assert_eq!(large, ContentDigest::of_parts(told, &digests));
        assert_eq!((large.sha256, large.parts()), (Sha256::digest(digests.concat()).into(), Some(3)));
        Ok(())
    }

    /// The sum of the sums of "12345" and "6789".
    #[test]
    fn of_parts() {
        let sum = |bytes: &[u8]| {
            let mut sum = Hasher::new(ChecksumAlgorithm::Crc32);
            sum.update(bytes);
            sum.finish()
        };
        let of_parts = crate::model::hex(&sum(&[sum(b"12345"), sum(b"6789")].concat()));
        assert!(is_right(ChecksumAlgorithm::Crc32, &of_parts, Some(5), b"123456789"));
        assert!(!is_right(ChecksumAlgorithm::Crc32, &of_parts, Some(4), b"123456789"));
        let of_full = crate::model::hex(&sum(&[sum(b"12345"), sum(b"67890")].concat()));
        assert!(is_right(ChecksumAlgorithm::Crc32, &of_full, Some(5), b"1234567890"), "the last part is full");
    }
}
