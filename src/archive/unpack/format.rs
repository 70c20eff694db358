//! Tells the format of an archive by its first bytes: a `.tar.gz` is sometimes a plain tar or another program's archive.

use std::io::{self, Chain, Cursor, Read};

use tar::Header;

use crate::archive::gzip::parallel::Gunzip;
use crate::archive::read_error::ReadError;

/// Length of a tar header, which is enough to tell every format, in bytes.
const HEADER_BYTES: usize = 512;

/// First bytes of other formats (file(1), its magic files).
const OTHER_FORMATS: [(&[u8], &str); 10] = [
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"BZh", "compressed by bzip2"),
    (b"\xfd7zXZ\0", "compressed by xz"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"<!", "a page of HTML"),
    (b"<html", "a page of HTML"),
    (b"<?xml", "an XML document"),
    (b"{", "a JSON document"),
];

/// A reader of the uncompressed tar in a `.tar.gz` or a plain tar. Fails with [`ReadError::OtherFormat`] at its start if
/// the input is known to be something else; unknown input is read as gzip, with gzip's errors.
pub(super) struct UncompressedTar<R>(State<R>);

enum State<R> {
    Start(R),
    Gzip(Box<Gunzip<Input<R>>>),
    Plain(PlainTar<R>),
    Failed,
}

/// The first bytes, then the rest of the input.
type Input<R> = Chain<Cursor<Vec<u8>>, R>;

impl<R: Read> UncompressedTar<R> {
    pub(super) fn new(from: R) -> Self {
        Self(State::Start(from))
    }

    fn start(mut from: R) -> io::Result<State<R>> {
        let mut first = Vec::with_capacity(HEADER_BYTES);
        (&mut from).take(HEADER_BYTES as u64).read_to_end(&mut first)?;
        if let Some((_, format)) = OTHER_FORMATS.iter().find(|(magic, _)| first.starts_with(magic)) {
            return Err(ReadError::OtherFormat(format).into());
        }
        if first.len() == HEADER_BYTES && first.iter().all(|byte| *byte == 0) {
            return Err(ReadError::OtherFormat("a file that begins with zeros").into());
        }
        let is_tar = is_tar_header(&first);
        let input = Cursor::new(first).chain(from);
        Ok(if is_tar { State::Plain(PlainTar { input, zeros: 0 }) } else { State::Gzip(Box::new(Gunzip::new(input))) })
    }
}

impl<R: Read> Read for UncompressedTar<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if let State::Start(_) = &self.0
            && let State::Start(from) = std::mem::replace(&mut self.0, State::Failed)
        {
            self.0 = Self::start(from)?;
        }
        match &mut self.0 {
            State::Gzip(gunzip) => gunzip.read(to),
            State::Plain(tar) => tar.read(to),
            State::Start(_) | State::Failed => Err(io::Error::other("reading has failed before")),
        }
    }
}

/// A plain tar, which has no checksum: its end is known by a block of zeros.
struct PlainTar<R> {
    input: Input<R>,
    /// Number of zeros at the end of what was read.
    zeros: usize,
}

impl<R: Read> Read for PlainTar<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(to)?;
        if count == 0 && !to.is_empty() && self.zeros < HEADER_BYTES {
            return Err(ReadError::Malformed("the block of zeros at the end is missing").into());
        }
        let read = &to[..count];
        let trailing = read.iter().rev().take_while(|byte| **byte == 0).count();
        self.zeros = if trailing == count { self.zeros.saturating_add(count) } else { trailing };
        Ok(count)
    }
}

/// Returns whether the bytes are a tar header: its checksum is right, which that of an empty block is not.
fn is_tar_header(first: &[u8]) -> bool {
    let Ok(bytes) = <&[u8; HEADER_BYTES]>::try_from(first) else { return false };
    let told = Header::from_byte_slice(bytes).cksum();
    // The checksum's own field (148 to 155) counts as spaces (POSIX.1-2017, pax, "ustar Interchange Format").
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    let computed = sum(&bytes[..148]) + 8 * u32::from(b' ') + sum(&bytes[156..]);
    told.is_ok_and(|told| told == computed)
}
