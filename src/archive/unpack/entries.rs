//! Visits the entries of a tar.gz in their order, within limits, up to the checksum at its end.
//!
//! Inflating runs on threads of its own ([`UncompressedTar`], [`ReadAhead`]); the visitor runs on the caller's. Each entry is
//! checked before it is visited: names that no file can have, and formats that would be read wrongly, are errors.

use std::ffi::OsStr;
use std::io::Read;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tar::{EntryType, Header};

use super::format::UncompressedTar;
use crate::archive::UnpackError;
use crate::archive::gzip::read_ahead::ReadAhead;
use crate::archive::read_error::ReadError;
use crate::archive::tar::reader::{TarEntry, TarReader};
use crate::model::one_line;

/// Limit of a name, in bytes. May exceed `PATH_MAX`, since a path is walked name by name.
const MAX_NAME_BYTES: usize = 64 * 1024;
/// Limit of a name in a message, in characters.
const MAX_SHOWN_CHARS: usize = 200;

/// Limits of what an archive may unpack to, and the folder that was packed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnpackLimits {
    /// Maximum size of the uncompressed archive, and of its files and folders on the disk: their bytes, and 4096 for
    /// each file, folder and link.
    pub(crate) bytes: u64,
    /// Maximum number of entries in the archive, and of files, folders and links that they create.
    pub(crate) entries: u64,
    /// Absolute path of the folder that was packed, in its container: absolute links into it are made relative.
    pub(crate) packed_from: Option<&'static str>,
}

impl Default for UnpackLimits {
    /// 1 TiB and ten million entries: more than any model has, less than a bomb needs to fill a large disk.
    fn default() -> Self {
        Self { bytes: 1 << 40, entries: 10_000_000, packed_from: None }
    }
}

/// A visitor of entries, one after the other. Data that it doesn't read is skipped.
pub(crate) trait EntryVisitor {
    /// Returns `Break` to end the visit: the rest of the archive is then read for gzip's checksum alone.
    fn visit(&mut self, entry: &mut ArchiveEntry<'_, impl Read>) -> Result<ControlFlow<()>, UnpackError>;
}

/// The entry that is being visited.
pub(crate) struct ArchiveEntry<'e, R> {
    reader: &'e mut TarReader<R>,
    tar_entry: &'e TarEntry,
    pub(crate) name: &'e Path,
    limits: &'e UnpackLimits,
}

impl<R: Read> ArchiveEntry<'_, R> {
    pub(crate) fn kind(&self) -> EntryType {
        self.header().entry_type()
    }

    pub(crate) fn header(&self) -> &Header {
        &self.tar_entry.header
    }

    /// Size of the file in bytes, holes included.
    pub(crate) fn size(&self) -> u64 {
        self.tar_entry.size
    }

    /// Returns whether the entry is a folder. Old archives mark one only by a slash at the end of its name.
    pub(crate) fn is_folder(&self) -> bool {
        let is_link = matches!(self.kind(), EntryType::Symlink | EntryType::Link);
        self.kind() == EntryType::Directory || (!is_link && self.tar_entry.name.ends_with(b"/"))
    }

    /// Target of a symbolic or hard link; empty for other entries.
    pub(crate) fn link_target(&self) -> PathBuf {
        bytes_to_path(&self.tar_entry.link).to_owned()
    }

    /// Reads the next bytes of the file. Returns 0 at its end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, UnpackError> {
        self.reader.read(buffer).map_err(|error| unreadable(&format!("in {}", shown(self.name)), error, self.limits))
    }

    /// Fails if the file, after `before` bytes of others, exceeds the limit. To be checked before the file is written:
    /// a sparse file can be larger than all that was read, and than the disk.
    pub(crate) fn check_size(&self, before: u64) -> Result<(), UnpackError> {
        let is_within = before.checked_add(self.size()).is_some_and(|bytes| bytes <= self.limits.bytes);
        if is_within { Ok(()) } else { Err(UnpackError::TooLarge(self.limits.bytes)) }
    }

    /// Fails for a name that no file can have, and for a format that would be read wrongly.
    fn check(&self) -> Result<(), UnpackError> {
        if self.tar_entry.name.len() > MAX_NAME_BYTES || self.tar_entry.name.contains(&0) {
            return Err(UnpackError::Name(shown(self.name)));
        }
        if self.tar_entry.is_pax_sparse {
            return Err(UnpackError::Unsupported { entry: shown(self.name), kind: "a sparse file in pax form" });
        }
        Ok(())
    }
}

/// Visits all entries, then reads on to the end of the data, where gzip has its checksum.
pub(crate) fn visit_entries(
    from: impl Read + Send + 'static,
    limits: &UnpackLimits,
    visitor: &mut impl EntryVisitor,
) -> Result<(), UnpackError> {
    let mut place = "at its start".to_owned();
    let ahead = ReadAhead::new(UncompressedTar::new(from)).map_err(|error| unreadable(&place, error.into(), limits))?;
    let mut reader = TarReader::new(ahead, limits.bytes);
    let mut entries = 0;
    while let Some(tar_entry) = reader.next().map_err(|error| unreadable(&place, error, limits))? {
        if entries == limits.entries {
            return Err(UnpackError::TooMany(limits.entries));
        }
        entries += 1;
        let name = bytes_to_path(&tar_entry.name);
        let mut entry = ArchiveEntry { reader: &mut reader, tar_entry: &tar_entry, name, limits };
        entry.check()?;
        if visitor.visit(&mut entry)?.is_break() {
            return reader.drain().map_err(|error| unreadable(&format!("after {}", shown(name)), error, limits));
        }
        reader.skip_data().map_err(|error| unreadable(&format!("in {}", shown(name)), error, limits))?;
        place = format!("after {}", shown(name));
    }
    let is_at_end = reader.rest_is_zeros().map_err(|error| unreadable("at its end", error, limits))?;
    if is_at_end { Ok(()) } else { Err(UnpackError::TrailingData) }
}

fn unreadable(place: &str, error: ReadError, limits: &UnpackLimits) -> UnpackError {
    match error {
        ReadError::SizeLimitExceeded => UnpackError::TooLarge(limits.bytes),
        ReadError::TrailingData => UnpackError::TrailingData,
        ReadError::OtherFormat(format) => UnpackError::OtherFormat(format),
        source @ (ReadError::Malformed(_) | ReadError::Io(_)) => {
            UnpackError::Damaged { place: place.to_owned(), source }
        }
    }
}

fn bytes_to_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// Returns a name as messages show it: printable, on one line, and cut if it is very long.
pub(crate) fn shown(path: &Path) -> String {
    let whole = one_line(path.display());
    match whole.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{}...", &whole[..end]),
        None => whole,
    }
}
