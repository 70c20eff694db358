//! Unpacks a tar.gz: streaming, within limits, and never outside the target folder.
//!
//! [`entries`] reads the archive, [`confined_dir`] creates files without following links, [`inspect`] lists and
//! extracts without unpacking. Nothing in an archive is trusted: names, links, sizes and counts are checked before
//! anything is created.

pub(super) mod confined_dir;
pub(super) mod entries;
mod format;
pub(super) mod inspect;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

use super::UnpackError;
use super::handle::DirHandle;
use confined_dir::{ConfinedDir, CreateError};
use entries::{ArchiveEntry, EntryVisitor, UnpackLimits, shown};

/// Copy buffer.
const BUFFER_BYTES: usize = 256 * 1024;
/// Maximum number of left-out links that are reported by name: an archive can have millions.
const MAX_LEFT_OUT: usize = 100;
/// Cost of a file, folder or link beside its bytes, an inode and a block, as it counts towards the limit.
const ENTRY_BYTES: u64 = 4096;
/// Maximum depth of folders whose times are set: each is walked to once more for it.
const MAX_TIMED_DEPTH: usize = 128;
/// Limit of the memory for folders whose times are still to be set.
const MAX_FOLDER_TIMES_BYTES: usize = 16 << 20;

/// Totals of an unpacked archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unpacked {
    /// Number of regular files.
    pub(crate) files: usize,
    /// Size of the regular files.
    pub(crate) bytes: u64,
    /// Links that would lead outside and were not created, as `NAME -> TARGET`: the first [`MAX_LEFT_OUT`] of them.
    pub(crate) left_out: Vec<String>,
    /// Number of the others.
    pub(crate) more_left_out: usize,
}

/// Hooks of the caller: selects entries, and learns of progress. The defaults take all and do nothing.
pub(crate) trait UnpackHooks {
    /// Returns whether the entry is to be unpacked. `path` is its name without a leading `./`.
    fn wants(&mut self, _path: &Path) -> bool {
        true
    }

    /// Called after `bytes` of a file have been written.
    fn written(&mut self, _bytes: u64) {}

    /// Returns whether [`UnpackHooks::file`] wants the SHA-256 digest of each file.
    fn digests(&self) -> bool {
        false
    }

    /// Called when a file is complete. `size` is in bytes. An error ends the unpacking.
    fn file(&mut self, _path: &Path, _size: u64, _sha256: Option<[u8; 32]>) -> io::Result<()> {
        Ok(())
    }
}

/// Unpacks everything, and reports nothing.
impl UnpackHooks for () {}

/// Unpacks into a folder, which is created if it doesn't exist. Blocks until the end of the archive. After an error,
/// files unpacked so far stay.
///
/// Modes (without setuid, setgid and sticky bits) and times are kept; the owner can always read and write. Owners are
/// not kept. A symbolic link that would lead outside is left out and reported: its target is not in the archive, and
/// the rest is whole without it.
pub(crate) fn unpack(
    from: impl Read + Send + 'static,
    into: &Path,
    limits: &UnpackLimits,
    unpacking: &mut impl UnpackHooks,
) -> Result<Unpacked, UnpackError> {
    let root = fs::create_dir_all(into).and_then(|()| DirHandle::at(into));
    let root = root.map_err(|source| UnpackError::Write { path: into.to_owned(), source })?;
    unpack_in(from, root, into, limits, unpacking)
}

/// Unpacks like [`unpack`] into an open folder. `into` is its path in messages.
pub(crate) fn unpack_in(
    from: impl Read + Send + 'static,
    root: DirHandle,
    into: &Path,
    limits: &UnpackLimits,
    unpacking: &mut impl UnpackHooks,
) -> Result<Unpacked, UnpackError> {
    let inside = ConfinedDir::new(root);
    let mut writer = TreeWriter {
        into,
        inside,
        limits,
        unpacking,
        done: Unpacked::default(),
        folder_times: Vec::new(),
        folder_times_bytes: 0,
        buffer: vec![0; BUFFER_BYTES],
    };
    entries::visit_entries(from, limits, &mut writer)?;
    writer.set_folder_times();
    Ok(writer.done)
}

struct TreeWriter<'p, U> {
    into: &'p Path,
    inside: ConfinedDir,
    limits: &'p UnpackLimits,
    unpacking: &'p mut U,
    done: Unpacked,
    /// Times of folders, to be set last: a file that is created in a folder changes the folder's time.
    folder_times: Vec<(PathBuf, SystemTime)>,
    folder_times_bytes: usize,
    buffer: Vec<u8>,
}

impl<U: UnpackHooks> EntryVisitor for TreeWriter<'_, U> {
    fn visit(&mut self, entry: &mut ArchiveEntry<'_, impl Read>) -> Result<ControlFlow<()>, UnpackError> {
        let name = entry.name;
        let kind = entry.kind();
        if let Some(kind) = unsupported(entry) {
            return Err(UnpackError::Unsupported { entry: shown(name), kind });
        }
        let path = confined_dir::relative(name).ok_or_else(|| UnpackError::Outside(shown(name)))?;
        if path.as_os_str().is_empty() {
            let is_root = entry.is_folder();
            return if is_root { Ok(ControlFlow::Continue(())) } else { Err(UnpackError::Name(shown(name))) };
        }
        if self.unpacking.wants(&path) {
            match kind {
                EntryType::Symlink => self.symlink(&path, &entry.link_target())?,
                EntryType::Link => self.hard_link(&path, &entry.link_target())?,
                _ if entry.is_folder() => self.folder(path, entry.header())?,
                _ => self.file(&path, entry)?,
            }
            self.check_room(0)?;
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl<U: UnpackHooks> TreeWriter<'_, U> {
    /// Fails if the entries created so far, and `more` bytes, exceed the limits.
    fn check_room(&self, more: u64) -> Result<(), UnpackError> {
        let created = self.inside.created();
        if created > self.limits.entries {
            return Err(UnpackError::TooMany(self.limits.entries));
        }
        let bytes = self.done.bytes.checked_add(more).and_then(|bytes| bytes.checked_add(created * ENTRY_BYTES));
        let is_within = bytes.is_some_and(|bytes| bytes <= self.limits.bytes);
        if is_within { Ok(()) } else { Err(UnpackError::TooLarge(self.limits.bytes)) }
    }

    /// Subtracts a file of this archive that a later entry replaced.
    fn discount(&mut self, size: Option<u64>) {
        if let Some(size) = size {
            self.done.files = self.done.files.saturating_sub(1);
            self.done.bytes = self.done.bytes.saturating_sub(size);
        }
    }

    fn folder(&mut self, path: PathBuf, header: &Header) -> Result<(), UnpackError> {
        let created = self.inside.folder(&path).and_then(|folder| Ok(set_mode(folder, header, 0o700)?));
        created.map_err(|error| self.not_created(&path, error))?;
        self.folder_times_bytes += path.as_os_str().len() + size_of::<(PathBuf, SystemTime)>();
        if self.folder_times_bytes <= MAX_FOLDER_TIMES_BYTES && path.iter().nth(MAX_TIMED_DEPTH).is_none() {
            self.folder_times.extend(modified(header).map(|time| (path, time)));
        }
        Ok(())
    }

    fn symlink(&mut self, path: &Path, target: &Path) -> Result<(), UnpackError> {
        let moved = self.limits.packed_from.and_then(|root| confined_dir::moved_link(path, target, Path::new(root)));
        let leads_to = moved.as_deref().unwrap_or(target);
        if !confined_dir::stays_inside(path, leads_to) {
            self.leave_out(path, target);
            return Ok(());
        }
        let lost = self.inside.symlink(path, leads_to).map_err(|error| self.not_created(path, error))?;
        self.discount(lost);
        Ok(())
    }

    /// Reports a link and creates nothing, so that a later entry of this name, or below it, is unpacked like any other.
    fn leave_out(&mut self, path: &Path, target: &Path) {
        if self.done.left_out.len() < MAX_LEFT_OUT {
            self.done.left_out.push(format!("{} -> {}", shown(path), shown(target)));
        } else {
            self.done.more_left_out += 1;
        }
    }

    fn hard_link(&mut self, path: &Path, target: &Path) -> Result<(), UnpackError> {
        let outside = || UnpackError::LinkOutside { entry: shown(path), target: shown(target) };
        let existing = confined_dir::relative(target).ok_or_else(outside)?;
        if !self.unpacking.wants(&existing) {
            self.leave_out(path, target);
            return Ok(());
        }
        let lost = self.inside.hard_link(path, &existing).map_err(|error| match error {
            CreateError::Missing => UnpackError::LinkMissing { entry: shown(path), target: shown(target) },
            error => self.not_created(path, error),
        })?;
        self.discount(lost);
        Ok(())
    }

    fn file(&mut self, path: &Path, entry: &mut ArchiveEntry<'_, impl Read>) -> Result<(), UnpackError> {
        // Before it is written: a sparse file can be larger than all that was read, and than the disk.
        self.check_room(entry.size())?;
        let (mut file, lost) = self.inside.file(path).map_err(|error| self.not_created(path, error))?;
        self.discount(lost);
        let sha256 = self.copy(entry, &mut file, path)?;
        set_mode(&file, entry.header(), 0o600).map_err(|error| self.not_created(path, error.into()))?;
        if let Some(time) = modified(entry.header()) {
            // Some file systems can't keep a time: the file is whole without it.
            let _unsupported = file.set_modified(time);
        }
        self.done.files += 1;
        let reported = self.unpacking.file(path, entry.size(), sha256);
        reported.map_err(|source| UnpackError::Write { path: self.into.join(path), source })
    }

    fn copy(
        &mut self,
        from: &mut ArchiveEntry<'_, impl Read>,
        file: &mut File,
        path: &Path,
    ) -> Result<Option<[u8; 32]>, UnpackError> {
        let mut digest = self.unpacking.digests().then(Sha256::new);
        loop {
            let count = from.read(&mut self.buffer)?;
            let bytes = &self.buffer[..count];
            if bytes.is_empty() {
                return Ok(digest.map(|digest| digest.finalize().into()));
            }
            if let Some(digest) = &mut digest {
                digest.update(bytes);
            }
            file.write_all(bytes).map_err(|error| self.not_created(path, error.into()))?;
            self.done.bytes += count as u64;
            self.unpacking.written(count as u64);
        }
    }

    /// Sets the times of folders, innermost first, so that none is changed again. Errors are ignored, as for files.
    fn set_folder_times(&mut self) {
        for (path, time) in std::mem::take(&mut self.folder_times).iter().rev() {
            let _unsupported = self.inside.folder(path).and_then(|folder| Ok(folder.set_modified(*time)?));
        }
    }

    fn not_created(&self, path: &Path, error: CreateError) -> UnpackError {
        match error {
            CreateError::Obstacle => UnpackError::ThroughLink(shown(path)),
            CreateError::Clash => UnpackError::Clash(shown(path)),
            CreateError::InvalidName => UnpackError::Name(shown(path)),
            CreateError::Missing => {
                UnpackError::Write { path: self.into.join(path), source: io::ErrorKind::NotFound.into() }
            }
            CreateError::Io(source) => UnpackError::Write { path: self.into.join(path), source },
        }
    }
}

/// Returns the kind of an entry that is never unpacked, as a noun with its article.
fn unsupported(entry: &ArchiveEntry<'_, impl Read>) -> Option<&'static str> {
    match entry.kind() {
        kind if entry.is_folder() && kind != EntryType::Directory && entry.size() > 0 => Some("a folder with data"),
        EntryType::Regular
        | EntryType::Continuous
        | EntryType::GNUSparse
        | EntryType::Directory
        | EntryType::Symlink
        | EntryType::Link => None,
        EntryType::Char | EntryType::Block => Some("a device"),
        EntryType::Fifo => Some("a fifo"),
        _ => Some("of a kind that smtrain does not know"),
    }
}

/// Sets the permissions of an entry, and those in `always`. An unreadable mode grants nothing else.
fn set_mode(file: &File, header: &Header, always: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = header.mode().unwrap_or(0) & 0o777 | always;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

fn modified(header: &Header) -> Option<SystemTime> {
    let seconds = header.mtime().ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
