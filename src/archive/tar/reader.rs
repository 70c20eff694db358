//! Reads a tar archive from its first block to its last: each entry with all headers that describe it, then its data.
//!
//! Whatever can be read in two ways is an error, so that no other reader finds other entries in the same archive.
//! Memory is bounded: headers by [`MAX_HEADER_BYTES`] for each entry, data by the caller's buffer. A sparse file is
//! read with its holes filled, and skipped without.

use std::io::{self, Read};

use tar::{EntryType, Header};

use super::block::BLOCK_BYTES;
use super::pax::Pax;
use super::sparse::{self, DataRuns};
use crate::archive::read_error::ReadError;

const BLOCK: u64 = BLOCK_BYTES as u64;
/// Limit of the headers before one entry's data: long names, pax headers, maps of sparse files. More than this is an
/// attack on memory.
const MAX_HEADER_BYTES: u64 = 4 * 1024 * 1024;
/// Size of the buffer for skipped data.
const SKIP_BUFFER_BYTES: usize = 256 * BLOCK_BYTES;
/// First byte of a number in base 256 in place of octal digits; the rest of the field is big-endian (GNU tar).
const BINARY_MARK: u8 = 0x80;

/// A reader of uncompressed tar data.
pub(crate) struct TarReader<R> {
    from: R,
    /// Bytes that may still be read in all.
    left: u64,
    /// Bytes of headers that may still describe the next entry.
    headers_left: u64,
    /// Data of the current entry that is not yet read.
    unread: DataRuns,
    /// Bytes between the end of that data and the next block.
    padding: u64,
    /// No byte has been read yet.
    is_empty: bool,
    buffer: Vec<u8>,
}

/// An entry, as all of its headers together describe it.
pub(crate) struct TarEntry {
    pub(crate) header: Header,
    pub(crate) name: Vec<u8>,
    /// Target of a link; empty for other entries.
    pub(crate) link: Vec<u8>,
    /// Size of the file in bytes, holes included.
    pub(crate) size: u64,
    /// A sparse file in pax format, whose map is part of its data and is not read.
    pub(crate) is_pax_sparse: bool,
}

/// The headers before an entry's own.
#[derive(Default)]
struct PrecedingHeaders {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: Option<Pax>,
}

impl<R: Read> TarReader<R> {
    /// Creates a reader that fails with [`ReadError::SizeLimitExceeded`] after `max_bytes`.
    pub(crate) fn new(from: R, max_bytes: u64) -> Self {
        Self {
            from,
            left: max_bytes,
            headers_left: 0,
            unread: DataRuns::default(),
            padding: 0,
            is_empty: true,
            buffer: vec![0; SKIP_BUFFER_BYTES],
        }
    }

    /// Skips the rest of the current entry and returns the next one. `None` at the end of the archive: a block of
    /// zeros, or the end of the data. No data at all is no archive.
    pub(crate) fn next(&mut self) -> Result<Option<TarEntry>, ReadError> {
        self.skip_data()?;
        let padding = std::mem::take(&mut self.padding);
        self.skip(padding)?;
        self.headers_left = MAX_HEADER_BYTES;
        let mut before = PrecedingHeaders::default();
        while let Some(header) = self.header()? {
            match header.entry_type() {
                EntryType::GNULongName => set_once(&mut before.name, up_to_nul(self.header_data(&header)?))?,
                EntryType::GNULongLink => set_once(&mut before.link, up_to_nul(self.header_data(&header)?))?,
                EntryType::XHeader => set_once(&mut before.pax, Pax::parse(&self.header_data(&header)?)?)?,
                EntryType::XGlobalHeader => Pax::parse(&self.header_data(&header)?)?.check_global()?,
                _ => return self.describe(header, before).map(Some),
            }
        }
        if self.is_empty {
            return Err(cut_short());
        }
        let is_end = before.name.is_none() && before.link.is_none() && before.pax.is_none();
        if is_end { Ok(None) } else { Err(ReadError::Malformed("the last headers describe no entry")) }
    }

    fn describe(&mut self, header: Header, before: PrecedingHeaders) -> Result<TarEntry, ReadError> {
        let in_header = size(&header)?;
        let pax = before.pax.unwrap_or_default();
        let stored = pax.size.unwrap_or(in_header);
        let end = stored.checked_next_multiple_of(BLOCK).ok_or(INVALID_SIZE)?;
        self.unread = match header.entry_type() {
            EntryType::GNUSparse => sparse::read(&header, stored, || self.block()?.ok_or_else(cut_short))?,
            _ => DataRuns::without_holes(stored),
        };
        self.padding = end - stored;
        let name = before.name.or(pax.path).unwrap_or_else(|| header.path_bytes().into_owned());
        let in_header = || header.link_name_bytes().unwrap_or_default().into_owned();
        let link = before.link.or(pax.link).unwrap_or_else(in_header);
        Ok(TarEntry { name, link, size: self.unread.size(), is_pax_sparse: pax.is_sparse, header })
    }

    /// Reads the next bytes of the current entry, with zeros for holes. Returns 0 at its end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let hole = self.unread.take_hole(buffer.len());
        if hole > 0 {
            buffer[..hole].fill(0);
            return Ok(hole);
        }
        let wanted = self.unread.data(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        match self.read_some(&mut buffer[..wanted])? {
            0 => Err(cut_short()),
            count => {
                self.unread.take_data(count);
                Ok(count)
            }
        }
    }

    /// Skips the rest of the current entry's data. Holes cost nothing.
    pub(crate) fn skip_data(&mut self) -> Result<(), ReadError> {
        let stored = std::mem::take(&mut self.unread).stored();
        self.skip(stored)
    }

    /// Reads to the end of the data, whatever it is, so that the reader it comes from verifies its checksums.
    pub(crate) fn drain(mut self) -> Result<(), ReadError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        while self.read_some(&mut buffer)? > 0 {}
        Ok(())
    }

    /// Reads to the end, and returns whether only zeros followed, such as fill the last record of a tape.
    pub(crate) fn rest_is_zeros(mut self) -> Result<bool, ReadError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        loop {
            let count = self.read_some(&mut buffer)?;
            if count == 0 || buffer[..count].iter().any(|byte| *byte != 0) {
                return Ok(count == 0);
            }
            self.count_header(count as u64)?;
        }
    }

    /// Reads a header and verifies its checksum. `None` at the end of the archive.
    fn header(&mut self) -> Result<Option<Header>, ReadError> {
        let Some(block) = self.block()?.filter(|block| block.iter().any(|byte| *byte != 0)) else { return Ok(None) };
        let header = Header::from_byte_slice(&block).clone();
        let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        // The field of the checksum counts as spaces.
        let field = &header.as_old().cksum;
        let expected = sum(&block) - sum(field) + sum(&[b' '; 8]);
        let is_right = header.cksum().is_ok_and(|stored| stored == expected);
        if is_right { Ok(Some(header)) } else { Err(ReadError::Malformed("a header's checksum is wrong")) }
    }

    /// Reads the data of a header that describes the next entry.
    fn header_data(&mut self, header: &Header) -> Result<Vec<u8>, ReadError> {
        let size = size(header)?;
        let padded = size.checked_next_multiple_of(BLOCK).ok_or(INVALID_SIZE)?;
        self.count_header(padded)?;
        let mut data = vec![0; usize::try_from(padded).map_err(io::Error::other)?];
        if !self.fill(&mut data)? {
            return Err(cut_short());
        }
        data.truncate(data.len() - usize::try_from(padded - size).map_err(io::Error::other)?);
        Ok(data)
    }

    /// Reads one block of headers. `None` at the end of the data.
    fn block(&mut self) -> Result<Option<[u8; BLOCK_BYTES]>, ReadError> {
        self.count_header(BLOCK)?;
        let mut block = [0; BLOCK_BYTES];
        Ok(self.fill(&mut block)?.then_some(block))
    }

    fn count_header(&mut self, size: u64) -> Result<(), ReadError> {
        let left = self.headers_left.checked_sub(size);
        self.headers_left = left.ok_or(ReadError::Malformed("more headers than an archive has"))?;
        Ok(())
    }

    fn skip(&mut self, mut size: u64) -> Result<(), ReadError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        while size > 0 {
            let wanted = usize::try_from(size).unwrap_or(usize::MAX).min(buffer.len());
            match self.read_some(&mut buffer[..wanted])? {
                0 => return Err(cut_short()),
                count => size -= count as u64,
            }
        }
        self.buffer = buffer;
        Ok(())
    }

    /// Fills the buffer. Returns `false` at the end of the data; an end within the buffer is an error.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<bool, ReadError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_some(&mut buffer[filled..])? {
                0 if filled == 0 => return Ok(false),
                0 => return Err(cut_short()),
                count => filled += count,
            }
        }
        Ok(true)
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 && !buffer.is_empty() {
            return Err(ReadError::SizeLimitExceeded);
        }
        loop {
            match self.from.read(&mut buffer[..wanted]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
                Ok(count) => {
                    self.left -= count as u64;
                    self.is_empty &= count == 0;
                    return Ok(count);
                }
            }
        }
    }
}

const INVALID_SIZE: ReadError = ReadError::Malformed("a header has a size that no file has");

/// Returns the size field of a header. A number in base 256 must fit into 64 bits and not be negative.
fn size(header: &Header) -> Result<u64, ReadError> {
    let field = &header.as_old().size;
    let is_binary = field[0] & BINARY_MARK != 0;
    if is_binary && (field[0] != BINARY_MARK || field[1..4] != [0; 3]) {
        return Err(INVALID_SIZE);
    }
    header.entry_size().map_err(|_| INVALID_SIZE)
}

fn set_once<T>(slot: &mut Option<T>, value: T) -> Result<(), ReadError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(ReadError::Malformed("two headers describe the same entry")),
    }
}

fn up_to_nul(mut name: Vec<u8>) -> Vec<u8> {
    name.truncate(memchr::memchr(0, &name).unwrap_or(name.len()));
    name
}

fn cut_short() -> ReadError {
    ReadError::Io(io::ErrorKind::UnexpectedEof.into())
}
