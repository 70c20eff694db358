//! Goes through a tar.gz from its first entry to its checksum, within limits, and shows each entry to a visitor.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tar::{EntryType, Header};

use crate::archive::UnpackError;
use crate::archive::gzip::members::TrailingData;
use crate::archive::gzip::parallel::Gunzip;
use crate::archive::gzip::read_ahead::ReadAhead;
use crate::archive::tar::reader::{SizeLimitExceeded, TarEntry, TarReader};
use crate::model::one_line;

/// No model has a longer name. It can be longer than `PATH_MAX`, since a path is walked name by name.
const LONGEST_NAME: usize = 64 * 1024;
/// The characters that are shown of a name.
const LONGEST_SHOWN: usize = 200;

/// What an archive may unpack to, and where it came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnpackLimits {
    /// Limit of the archive without its compression, and of what it makes: the bytes of files, and 4096 for each file,
    /// folder and link.
    pub(crate) bytes: u64,
    /// Limit of the entries of the archive, and of the files, folders and links that it makes.
    pub(crate) entries: u64,
    /// The folder that was packed, as those who made absolute links in it saw it: such links come to lead here.
    pub(crate) packed_from: Option<&'static str>,
}

impl Default for UnpackLimits {
    /// More than any model has; less than would fill a disk for long.
    fn default() -> Self {
        Self { bytes: 1 << 40, entries: 10_000_000, packed_from: None }
    }
}

/// Whom the entries are shown to, one after the other. What is not read of an entry is passed over.
pub(crate) trait EntryVisitor {
    /// `Break` once nothing more is wanted: the rest is not even checked.
    fn visit(&mut self, entry: &mut ArchiveEntry<'_, impl Read>) -> Result<ControlFlow<()>, UnpackError>;
}

/// An entry that is being looked at.
pub(crate) struct ArchiveEntry<'e, R> {
    tape: &'e mut TarReader<R>,
    about: &'e TarEntry,
    pub(crate) name: &'e Path,
    limits: &'e UnpackLimits,
}

impl<R: Read> ArchiveEntry<'_, R> {
    pub(crate) fn kind(&self) -> EntryType {
        self.header().entry_type()
    }

    pub(crate) fn header(&self) -> &Header {
        &self.about.header
    }

    /// The file's, in bytes, holes included.
    pub(crate) fn size(&self) -> u64 {
        self.about.size
    }

    /// Old archives mark a folder by the slash at the end of its name alone.
    pub(crate) fn is_folder(&self) -> bool {
        let is_link = matches!(self.kind(), EntryType::Symlink | EntryType::Link);
        self.kind() == EntryType::Directory || (!is_link && self.about.name.ends_with(b"/"))
    }

    pub(crate) fn link_target(&self) -> PathBuf {
        bytes_to_path(&self.about.link).to_owned()
    }

    /// The file's next bytes; none at its end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, UnpackError> {
        self.tape.read(buffer).map_err(|error| damaged(&format!("in {}", shown(self.name)), error, self.limits))
    }

    /// Said before it is written: a sparse file can be larger than all that was read, and a disk.
    pub(crate) fn check_size(&self, before: u64) -> Result<(), UnpackError> {
        let is_within = before.checked_add(self.size()).is_some_and(|bytes| bytes <= self.limits.bytes);
        if is_within { Ok(()) } else { Err(UnpackError::TooLarge(self.limits.bytes)) }
    }

    /// What no program can have meant, or what this one would read wrong.
    fn check(&self) -> Result<(), UnpackError> {
        if self.about.name.len() > LONGEST_NAME || self.about.name.contains(&0) {
            return Err(UnpackError::Name(shown(self.name)));
        }
        if self.about.is_pax_sparse {
            return Err(UnpackError::Unsupported { entry: shown(self.name), kind: "a sparse file in pax form" });
        }
        Ok(())
    }
}

/// Shows all entries, and reads on to the very end, where gzip's checksum stands.
pub(crate) fn visit_entries(
    from: impl Read + Send + 'static,
    limits: &UnpackLimits,
    visitor: &mut impl EntryVisitor,
) -> Result<(), UnpackError> {
    let mut place = "at its start".to_owned();
    let ahead = ReadAhead::new(Gunzip::new(from)).map_err(|error| damaged(&place, error, limits))?;
    let mut tape = TarReader::new(ahead, limits.bytes);
    let mut entries = 0;
    while let Some(about) = tape.next().map_err(|error| damaged(&place, error, limits))? {
        if entries == limits.entries {
            return Err(UnpackError::TooMany(limits.entries));
        }
        entries += 1;
        let name = bytes_to_path(&about.name);
        let mut entry = ArchiveEntry { tape: &mut tape, about: &about, name, limits };
        entry.check()?;
        if visitor.visit(&mut entry)?.is_break() {
            return Ok(());
        }
        tape.pass_over().map_err(|error| damaged(&format!("in {}", shown(name)), error, limits))?;
        place = format!("after {}", shown(name));
    }
    let is_at_end = tape.rest_is_zeros().map_err(|error| damaged("at its end", error, limits))?;
    if is_at_end { Ok(()) } else { Err(UnpackError::TrailingData) }
}

fn damaged(place: &str, source: io::Error, limits: &UnpackLimits) -> UnpackError {
    match source {
        source if SizeLimitExceeded::is(&source) => UnpackError::TooLarge(limits.bytes),
        source if TrailingData::is(&source) => UnpackError::TrailingData,
        source => UnpackError::Damaged { place: place.to_owned(), source },
    }
}

fn bytes_to_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// A name that does no harm where it is shown: on one line, and a part of it where it is very long.
pub(crate) fn shown(path: &Path) -> String {
    let whole = one_line(path.display());
    match whole.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}...", &whole[..end]),
        None => whole,
    }
}
