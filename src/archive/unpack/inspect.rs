//! Reads a tar.gz without unpacking it: lists its entries, extracts one file, or verifies its checksums.

use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use tar::EntryType;

use super::confined_dir;
use super::entries::{self, ArchiveEntry, EntryVisitor, UnpackLimits, shown};
use super::format::UncompressedTar;
use crate::archive::UnpackError;
use crate::archive::read_error::ReadError;
use crate::model::downloaded::{ListedEntry, ListedKind};

/// Copy buffer of [`pick`].
const BUFFER_BYTES: usize = 256 * 1024;

/// Calls `on_entry` for each entry of an archive, in its order. An error of the callback is [`UnpackError::Output`].
pub(crate) fn list(
    from: impl Read + Send + 'static,
    limits: &UnpackLimits,
    on_entry: &mut impl FnMut(ListedEntry) -> io::Result<()>,
) -> Result<(), UnpackError> {
    entries::visit_entries(from, limits, &mut Lister { on_entry })
}

struct Lister<'t, T> {
    on_entry: &'t mut T,
}

impl<T: FnMut(ListedEntry) -> io::Result<()>> EntryVisitor for Lister<'_, T> {
    fn visit(&mut self, entry: &mut ArchiveEntry<'_, impl Read>) -> Result<ControlFlow<()>, UnpackError> {
        let kind = match entry.kind() {
            EntryType::Symlink => ListedKind::Symlink(entry.link_target()),
            EntryType::Link => ListedKind::HardLink(entry.link_target()),
            _ if entry.is_folder() => ListedKind::Folder,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => ListedKind::File,
            _ => ListedKind::Other,
        };
        let header = entry.header();
        let mode = header.mode().unwrap_or(0) & 0o7777;
        let modified = header.mtime().unwrap_or(0);
        let path = entry.name.strip_prefix(".").unwrap_or(entry.name).to_owned();
        if path.as_os_str().is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        let size = if kind == ListedKind::File { entry.size() } else { 0 };
        (self.on_entry)(ListedEntry { path, kind, size, mode, modified }).map_err(UnpackError::Output)?;
        Ok(ControlFlow::Continue(()))
    }
}

/// Writes the bytes of the file at `path` to `to`, and reads the rest of the archive for its checksums: an error after
/// the last byte means that the bytes may be wrong. Returns the file's size in bytes, or `None` if the archive has no
/// such file. A link at `path` is an error.
pub(crate) fn pick(
    from: impl Read + Send + 'static,
    limits: &UnpackLimits,
    path: &Path,
    to: &mut impl Write,
) -> Result<Option<u64>, UnpackError> {
    let Some(wanted) = confined_dir::relative(path) else { return Ok(None) };
    let mut picker = Picker { wanted, to, found: None, buffer: vec![0; BUFFER_BYTES] };
    entries::visit_entries(from, limits, &mut picker)?;
    Ok(picker.found)
}

struct Picker<'t, T> {
    wanted: PathBuf,
    to: &'t mut T,
    found: Option<u64>,
    buffer: Vec<u8>,
}

impl<T: Write> EntryVisitor for Picker<'_, T> {
    fn visit(&mut self, entry: &mut ArchiveEntry<'_, impl Read>) -> Result<ControlFlow<()>, UnpackError> {
        if confined_dir::relative(entry.name).is_none_or(|name| name != self.wanted) {
            return Ok(ControlFlow::Continue(()));
        }
        let entry_name = || shown(entry.name);
        match entry.kind() {
            EntryType::Symlink | EntryType::Link => {
                return Err(UnpackError::Linked { entry: entry_name(), target: shown(&entry.link_target()) });
            }
            _ if entry.is_folder() => return Err(UnpackError::NoFile(entry_name())),
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {}
            _ => return Err(UnpackError::NoFile(entry_name())),
        }
        entry.check_size(0)?;
        loop {
            let count = entry.read(&mut self.buffer)?;
            if count == 0 {
                self.found = Some(entry.size());
                return Ok(ControlFlow::Break(()));
            }
            self.to.write_all(&self.buffer[..count]).map_err(UnpackError::Output)?;
        }
    }
}

/// Inflates all of the archive and verifies gzip's checksums.
pub(crate) fn check(from: impl Read) -> Result<(), UnpackError> {
    let mut unpacked = Counter(0);
    let inflated = io::copy(&mut UncompressedTar::new(from), &mut unpacked);
    inflated.map(drop).map_err(|error| match error.into() {
        ReadError::TrailingData => UnpackError::TrailingData,
        ReadError::OtherFormat(format) => UnpackError::OtherFormat(format),
        source => UnpackError::Damaged { place: format!("after {} unpacked bytes", unpacked.0), source },
    })
}

/// A writer that only counts bytes.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
