//! Checksums of objects, as S3 keeps them: which bytes they are of, and whether bytes are those.

use std::io::{self, Read};

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// S3's checksum algorithms (Amazon S3 user guide, "Checking object integrity").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// What S3 has noted of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub(crate) algorithm: Algorithm,
    pub(crate) value: Vec<u8>,
    /// Of an object whose checksum is that of its parts' checksums: the size of each part but the last, in bytes.
    pub(crate) part_size: Option<u64>,
}

/// Sums up bytes while they are read: CRC-64, the quickest.
pub(crate) struct Summing<R> {
    from: R,
    sum: Sum,
}

impl<R> Summing<R> {
    pub(crate) fn new(from: R) -> Self {
        Self { from, sum: Sum::new(Algorithm::Crc64Nvme) }
    }

    /// Of the bytes that were read.
    pub(crate) fn finish(self) -> Checksum {
        Checksum { algorithm: Algorithm::Crc64Nvme, value: self.sum.finish(), part_size: None }
    }
}

impl<R: Read> Read for Summing<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(to)?;
        self.sum.update(&to[..count]);
        Ok(count)
    }
}

/// Bytes that are being held against a checksum.
pub(crate) struct Checking {
    expected: Checksum,
    part: Sum,
    /// Bytes until the part is full.
    left: u64,
    /// Of the parts before.
    parts: Sum,
}

impl Checking {
    pub(crate) fn new(expected: Checksum) -> Self {
        let (part, parts) = (Sum::new(expected.algorithm), Sum::new(expected.algorithm));
        Self { left: expected.part_size.unwrap_or(u64::MAX), expected, part, parts }
    }

    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
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
        let part = std::mem::replace(&mut self.part, Sum::new(self.expected.algorithm));
        self.parts.update(&part.finish());
        self.left = self.expected.part_size.unwrap_or(u64::MAX);
    }

    /// Whether the bytes were those that the checksum is of.
    #[must_use]
    pub(crate) fn finish(mut self) -> bool {
        let Some(part_size) = self.expected.part_size else { return self.part.finish() == self.expected.value };
        if self.left < part_size {
            self.end_part();
        }
        self.parts.finish() == self.expected.value
    }
}

enum Sum {
    Crc(crc_fast::Digest, usize),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Sum {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32IsoHdlc), 4),
            Algorithm::Crc32c => Self::Crc(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi), 4),
            Algorithm::Crc64Nvme => Self::Crc(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme), 8),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(digest, _) => digest.update(bytes),
            Self::Sha1(digest) => digest.update(bytes),
            Self::Sha256(digest) => digest.update(bytes),
        }
    }

    /// Big-endian, as S3 has them.
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

    fn is_right(algorithm: Algorithm, value: &str, part_size: Option<u64>, bytes: &[u8]) -> bool {
        let pairs = value.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap_or_default());
        let value = pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect();
        let mut checking = Checking::new(Checksum { algorithm, value, part_size });
        bytes.chunks(4).for_each(|piece| checking.update(piece));
        checking.finish()
    }

    /// The check values of the CRC catalogue, and FIPS 180's.
    #[test]
    fn well_known_sums() {
        for (algorithm, value) in [
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (Algorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ] {
            assert!(is_right(algorithm, value, None, b"123456789"), "{algorithm:?}");
            assert!(!is_right(algorithm, value, None, b"123456780"), "{algorithm:?}");
        }
    }

    /// The sum of the sums of "12345" and "6789".
    #[test]
    fn of_parts() {
        let sum = |bytes: &[u8]| {
            let mut sum = Sum::new(Algorithm::Crc32);
            sum.update(bytes);
            sum.finish()
        };
        let of_parts = crate::model::hex(&sum(&[sum(b"12345"), sum(b"6789")].concat()));
        assert!(is_right(Algorithm::Crc32, &of_parts, Some(5), b"123456789"));
        assert!(!is_right(Algorithm::Crc32, &of_parts, Some(4), b"123456789"));
        let of_full = crate::model::hex(&sum(&[sum(b"12345"), sum(b"67890")].concat()));
        assert!(is_right(Algorithm::Crc32, &of_full, Some(5), b"1234567890"), "the last part is full");
    }
}
