//! Reads the names in a git index (gitformat-index(5), versions 2 to 4), as a stream.
//!
//! The length of object names, 20 bytes for SHA-1 and 32 for SHA-256, is set in the repository's configuration, which
//! is not read: an index is parsed with the one, and if that fails with the other.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::bitmap;
use super::malformed::MalformedIndex;
use crate::archive::pack::stable_file;
use crate::model::hex;

/// Maximum length of a name in bytes: far over Linux's PATH_MAX.
const MAX_NAME_BYTES: usize = 64 * 1024;
/// Maximum size of the extension of a split index in bytes.
const MAX_LINK_BYTES: u32 = 64 * 1024 * 1024;
/// Lengths of object names in bytes, by how frequent they are.
const OBJECT_NAME_BYTES: [usize; 2] = [20, 32];
/// Bytes of an entry before its object name: times, device, inode, mode, owner, size.
const METADATA_BYTES: usize = 40;
/// Types of an entry, the upper bits of its mode: folder (of a sparse index), file, symbolic link, submodule.
const ENTRY_TYPES: [u32; 4] = [0o4, 0o10, 0o12, 0o16];
/// Flag of an entry that has two more bytes of flags, from version 3 on.
const EXTENDED: u16 = 0x4000;

/// The index that a split index is based on.
#[derive(Debug)]
pub(super) struct SharedIndex {
    /// Name of the file `sharedindex.ID`, in hexadecimal.
    pub(super) id: String,
    /// Positions of entries that are in it and not in the index any more, ascending.
    pub(super) deleted: Vec<u64>,
}

/// The names in an index that were asked for, and the shared index, if there is one.
#[derive(Debug, Default)]
pub(super) struct IndexContent {
    pub(super) names: Vec<Vec<u8>>,
    pub(super) shared: Option<SharedIndex>,
}

/// Reads the names for which `is_wanted` returns true, given an entry's position and name. Blocks.
pub(super) fn read(path: &Path, is_wanted: impl Fn(u64, &[u8]) -> bool) -> io::Result<IndexContent> {
    let mut malformed = None;
    for object_name_bytes in OBJECT_NAME_BYTES {
        match IndexReader::open(path, object_name_bytes)?.read(&is_wanted) {
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => {
                malformed.get_or_insert(error);
            }
            read => return read,
        }
    }
    Err(malformed.unwrap_or_else(|| MalformedIndex("it is empty").into()))
}

struct IndexReader {
    file: BufReader<File>,
    /// Bytes read so far.
    position: u64,
    length: u64,
    object_name_bytes: usize,
}

impl IndexReader {
    fn open(path: &Path, object_name_bytes: usize) -> io::Result<Self> {
        let file = stable_file::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { file: BufReader::new(file), position: 0, length, object_name_bytes })
    }

    fn read(mut self, is_wanted: impl Fn(u64, &[u8]) -> bool) -> io::Result<IndexContent> {
        let signature: [u8; 4] = self.array()?;
        let version = u32::from_be_bytes(self.array()?);
        if &signature != b"DIRC" || !(2..=4).contains(&version) {
            return Err(MalformedIndex("its header is unknown").into());
        }
        let count = u32::from_be_bytes(self.array()?);
        let mut content = IndexContent::default();
        let mut name = Vec::new();
        for position in 0..u64::from(count) {
            self.entry(version, &mut name)?;
            if is_wanted(position, &name) {
                content.names.push(name.clone());
            }
        }
        content.shared = self.extensions()?;
        Ok(content)
    }

    /// Reads an entry. `name` is the previous entry's, and becomes this one's.
    fn entry(&mut self, version: u32, name: &mut Vec<u8>) -> io::Result<()> {
        let start = self.position;
        let metadata: [u8; METADATA_BYTES] = self.array()?;
        let mode = u32::from_be_bytes([metadata[24], metadata[25], metadata[26], metadata[27]]);
        if !ENTRY_TYPES.contains(&(mode >> 12)) {
            return Err(MalformedIndex("an entry has an unknown type").into());
        }
        self.skip(self.object_name_bytes as u64)?;
        let flags = u16::from_be_bytes(self.array()?);
        if version >= 3 && flags & EXTENDED != 0 {
            self.skip(2)?;
        }
        if version == 4 {
            let dropped = self.variable_length_number()?;
            let kept = name.len().checked_sub(dropped).ok_or(MalformedIndex("a name is shorter than its prefix"))?;
            name.truncate(kept);
        } else {
            name.clear();
        }
        self.append_to_zero(name)?;
        if version < 4 {
            // One to eight zeros make the entry's length a multiple of eight; one is read.
            let padding = (self.position - start).next_multiple_of(8) - (self.position - start);
            self.skip(padding)?;
        }
        Ok(())
    }

    /// Reads the extensions up to the checksum at the end.
    fn extensions(&mut self) -> io::Result<Option<SharedIndex>> {
        let end = self.length.checked_sub(self.object_name_bytes as u64).ok_or(MalformedIndex("it is cut off"))?;
        let mut shared = None;
        while self.position < end {
            let signature: [u8; 4] = self.array()?;
            let size = u32::from_be_bytes(self.array()?);
            if &signature == b"link" {
                shared = Some(self.shared_index(size)?);
            } else {
                self.skip(u64::from(size))?;
            }
        }
        if self.position == end { Ok(shared) } else { Err(MalformedIndex("an extension is cut off").into()) }
    }

    fn shared_index(&mut self, size: u32) -> io::Result<SharedIndex> {
        if size > MAX_LINK_BYTES {
            return Err(MalformedIndex("its link to a shared index is too large").into());
        }
        let mut link = vec![0; size as usize];
        self.fill(&mut link)?;
        let cut_off = MalformedIndex("its link to a shared index is cut off");
        let (id, bitmaps) = link.split_at_checked(self.object_name_bytes).ok_or(cut_off)?;
        let deleted = if bitmaps.is_empty() { Vec::new() } else { bitmap::set_bits(bitmaps)? };
        Ok(SharedIndex { id: hex(id), deleted })
    }

    /// Reads a number of variable length, as gitformat-pack(5) encodes offsets.
    fn variable_length_number(&mut self) -> io::Result<usize> {
        let [mut byte] = self.array()?;
        let mut number = usize::from(byte & 0x7f);
        while byte & 0x80 != 0 {
            [byte] = self.array()?;
            if number > MAX_NAME_BYTES {
                return Err(MalformedIndex("a name is too long").into());
            }
            number = (number + 1) << 7 | usize::from(byte & 0x7f);
        }
        Ok(number)
    }

    /// Appends the bytes up to the next zero, and reads the zero.
    fn append_to_zero(&mut self, name: &mut Vec<u8>) -> io::Result<()> {
        let read = self.file.by_ref().take(MAX_NAME_BYTES as u64).read_until(0, name)?;
        self.position += read as u64;
        if name.pop() == Some(0) { Ok(()) } else { Err(MalformedIndex("a name has no end").into()) }
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.file.read_exact(bytes)?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.file.by_ref().take(bytes), &mut io::sink())?;
        self.position += skipped;
        if skipped == bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}
