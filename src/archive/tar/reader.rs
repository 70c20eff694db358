//! Reads a tar archive from its first block to its last: each entry's header with all that describes it, then its data.
//!
//! Whatever can be read in two ways is an error, so that no other reader finds other entries in the same archive.

use std::io::{self, Read};

use tar::{EntryType, Header};

use super::error::{BLOCK, no_size, wrong};
use super::pax::Pax;
use super::sparse::{self, DataRuns};

const BLOCK_SIZE: u64 = BLOCK as u64;
/// What may stand before one entry: long names, pax headers, maps of sparse files. More than this is an attack on memory.
const LARGEST_HEADERS: u64 = 4 * 1024 * 1024;
/// The first byte of a number that is not octal; zeros and eight more bytes follow.
const BINARY: u8 = 0x80;

pub(crate) struct TarReader<R> {
    from: R,
    /// How much may still be read in all.
    left: u64,
    /// How much more of it may describe the next entry.
    headers_left: u64,
    /// What is not yet read of the last entry's data, and of the block that it ends in.
    unread: DataRuns,
    padding: u64,
    buffer: Vec<u8>,
}

/// An entry, as everything before its data describes it.
pub(crate) struct TarEntry {
    pub(crate) header: Header,
    pub(crate) name: Vec<u8>,
    pub(crate) link: Vec<u8>,
    /// Of the file, in bytes, holes included.
    pub(crate) size: u64,
    /// A sparse file whose map is not read, and is part of its data.
    pub(crate) is_pax_sparse: bool,
}

/// What stood before an entry's own header.
#[derive(Default)]
struct PrecedingHeaders {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: Option<Pax>,
}

/// All has been read that may be.
#[derive(Debug, thiserror::Error)]
#[error("the archive is larger than it may be")]
pub(crate) struct SizeLimitExceeded;

impl SizeLimitExceeded {
    pub(crate) fn is(error: &io::Error) -> bool {
        error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()).is_some()
    }
}

impl<R: Read> TarReader<R> {
    /// Of the archive, so many bytes will be read at most.
    pub(crate) fn new(from: R, most: u64) -> Self {
        Self {
            from,
            left: most,
            headers_left: 0,
            unread: DataRuns::default(),
            padding: 0,
            buffer: vec![0; 256 * BLOCK],
        }
    }

    /// The next entry; none at the end, whether it is marked or not.
    pub(crate) fn next(&mut self) -> io::Result<Option<TarEntry>> {
        self.pass_over()?;
        let padding = std::mem::take(&mut self.padding);
        self.skip(padding)?;
        self.headers_left = LARGEST_HEADERS;
        let mut about = PrecedingHeaders::default();
        while let Some(header) = self.header()? {
            match header.entry_type() {
                EntryType::GNULongName => set_once(&mut about.name, up_to_nul(self.about(&header)?))?,
                EntryType::GNULongLink => set_once(&mut about.link, up_to_nul(self.about(&header)?))?,
                EntryType::XHeader => set_once(&mut about.pax, Pax::read(&self.about(&header)?)?)?,
                EntryType::XGlobalHeader => Pax::read(&self.about(&header)?)?.refuse_for_all()?,
                _ => return self.describe(header, about).map(Some),
            }
        }
        let is_end = about.name.is_none() && about.link.is_none() && about.pax.is_none();
        if is_end { Ok(None) } else { Err(wrong("the last headers describe no entry")) }
    }

    fn describe(&mut self, header: Header, about: PrecedingHeaders) -> io::Result<TarEntry> {
        let in_header = size(&header)?;
        let pax = about.pax.unwrap_or_default();
        let stored = pax.size.unwrap_or(in_header);
        let end = stored.checked_next_multiple_of(BLOCK_SIZE).ok_or_else(no_size)?;
        self.unread = match header.entry_type() {
            EntryType::GNUSparse => sparse::read(&header, stored, || self.block()?.ok_or_else(cut_short))?,
            _ => DataRuns::of(stored),
        };
        self.padding = end - stored;
        let name = about.name.or(pax.path).unwrap_or_else(|| header.path_bytes().into_owned());
        let in_header = || header.link_name_bytes().unwrap_or_default().into_owned();
        let link = about.link.or(pax.link).unwrap_or_else(in_header);
        Ok(TarEntry { name, link, size: self.unread.size(), is_pax_sparse: pax.is_sparse, header })
    }

    /// The entry's next bytes; none at its end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
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
                self.unread.taken(count);
                Ok(count)
            }
        }
    }

    /// Leaves out the rest of the entry's data. Its holes take no time.
    pub(crate) fn pass_over(&mut self) -> io::Result<()> {
        let stored = std::mem::take(&mut self.unread).stored();
        self.skip(stored)
    }

    /// Whether only zeros follow, such as fill the last block of a tape.
    pub(crate) fn rest_is_zeros(mut self) -> io::Result<bool> {
        let mut buffer = std::mem::take(&mut self.buffer);
        loop {
            let count = self.read_some(&mut buffer)?;
            if count == 0 || buffer[..count].iter().any(|byte| *byte != 0) {
                return Ok(count == 0);
            }
            self.count_header(count as u64)?;
        }
    }

    /// A header that is sound; none at the end.
    fn header(&mut self) -> io::Result<Option<Header>> {
        let Some(block) = self.block()?.filter(|block| block.iter().any(|byte| *byte != 0)) else { return Ok(None) };
        let header = Header::from_byte_slice(&block).clone();
        let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        // The checksum's own field counts as spaces.
        let field = &header.as_old().cksum;
        let expected = sum(&block) - sum(field) + sum(&[b' '; 8]);
        let is_right = header.cksum().is_ok_and(|said| said == expected);
        if is_right { Ok(Some(header)) } else { Err(wrong("a header's checksum is wrong")) }
    }

    /// The data of a header that describes another.
    fn about(&mut self, header: &Header) -> io::Result<Vec<u8>> {
        let size = size(header)?;
        let whole = size.checked_next_multiple_of(BLOCK_SIZE).ok_or_else(no_size)?;
        self.count_header(whole)?;
        let mut data = vec![0; usize::try_from(whole).map_err(io::Error::other)?];
        if !self.fill(&mut data)? {
            return Err(cut_short());
        }
        data.truncate(data.len() - usize::try_from(whole - size).map_err(io::Error::other)?);
        Ok(data)
    }

    /// One block of headers; none at the end.
    fn block(&mut self) -> io::Result<Option<[u8; BLOCK]>> {
        self.count_header(BLOCK_SIZE)?;
        let mut block = [0; BLOCK];
        Ok(self.fill(&mut block)?.then_some(block))
    }

    fn count_header(&mut self, size: u64) -> io::Result<()> {
        let left = self.headers_left.checked_sub(size);
        self.headers_left = left.ok_or_else(|| wrong("more headers than an archive has"))?;
        Ok(())
    }

    fn skip(&mut self, mut size: u64) -> io::Result<()> {
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

    /// Whether there was as much; `false` if there was nothing.
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
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

    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 && !buffer.is_empty() {
            return Err(io::Error::other(SizeLimitExceeded));
        }
        loop {
            match self.from.read(&mut buffer[..wanted]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(count) => {
                    self.left -= count as u64;
                    return Ok(count);
                }
            }
        }
    }
}

fn size(header: &Header) -> io::Result<u64> {
    let field = &header.as_old().size;
    let is_binary = field[0] & BINARY != 0;
    if is_binary && (field[0] != BINARY || field[1..4] != [0; 3]) {
        return Err(no_size());
    }
    header.entry_size().map_err(|_| no_size())
}

fn set_once<T>(place: &mut Option<T>, value: T) -> io::Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(wrong("two headers describe the same entry")),
    }
}

fn up_to_nul(mut name: Vec<u8>) -> Vec<u8> {
    name.truncate(memchr::memchr(0, &name).unwrap_or(name.len()));
    name
}

fn cut_short() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}
