//! Unpacks a tar.gz from anywhere: streaming, within limits, and never outside the given folder.

pub(super) mod confined_dir;
pub(super) mod entries;
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
use confined_dir::ConfinedDir;
use entries::{ArchiveEntry, EntryVisitor, UnpackLimits, shown};

const BUFFER: usize = 256 * 1024;
/// Links that are named as left out: an archive can have millions.
const MOST_LEFT_OUT: usize = 100;
/// The cost of a file, a folder or a link beside its bytes: an inode and a block, in bytes.
const ENTRY_SIZE: u64 = 4096;
/// Folders deeper than this don't have their times set: each is walked to once more for it.
const MOST_DEPTH: usize = 128;
/// Bytes of the names of folders whose times are kept: more would take more memory than they are worth.
const MOST_FOLDER_NAMES: usize = 16 << 20;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unpacked {
    /// Regular files.
    pub(crate) files: usize,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Symbolic links that would lead outside, as `NAME -> TARGET`: the first [`MOST_LEFT_OUT`] of them.
    pub(crate) left_out: Vec<String>,
    /// How many more of them there are.
    pub(crate) more_left_out: usize,
}

/// Decides what is unpacked, and is told of it.
pub(crate) trait UnpackHooks {
    /// By its name in the archive, without `./` before it.
    fn wants(&mut self, _path: &Path) -> bool {
        true
    }

    /// So many bytes of a file have been written.
    fn written(&mut self, _bytes: u64) {}

    /// Whether files are to be digested.
    fn digests(&self) -> bool {
        false
    }

    /// A file is complete.
    fn file(&mut self, _path: &Path, _size: u64, _sha256: Option<[u8; 32]>) -> io::Result<()> {
        Ok(())
    }
}

/// Everything, and nobody looks.
impl UnpackHooks for () {}

/// Unpacks into a folder, which is made if need be. After an error, what was unpacked so far is still there.
///
/// Modes (without setuid and the like) and times are kept; the owner can always read and write. Owners are not kept. A
/// symbolic link that would lead outside is left out: what it leads to is not in the archive, and the rest is whole
/// without it.
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

/// As [`unpack`], into a folder that is open; `into` is how it is called.
pub(crate) fn unpack_in(
    from: impl Read + Send + 'static,
    root: DirHandle,
    into: &Path,
    limits: &UnpackLimits,
    unpacking: &mut impl UnpackHooks,
) -> Result<Unpacked, UnpackError> {
    let inside = ConfinedDir::new(root);
    let (done, folder_times, buffer) = (Unpacked::default(), Vec::new(), vec![0; BUFFER]);
    let mut writer = TreeWriter { into, inside, limits, unpacking, done, folder_times, folder_names: 0, buffer };
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
    /// Set last, since making a file in a folder changes the folder's time.
    folder_times: Vec<(PathBuf, SystemTime)>,
    folder_names: usize,
    buffer: Vec<u8>,
}

impl<U: UnpackHooks> EntryVisitor for TreeWriter<'_, U> {
    fn visit(&mut self, entry: &mut ArchiveEntry<'_, impl Read>) -> Result<ControlFlow<()>, UnpackError> {
        let (name, kind) = (entry.name, entry.kind());
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
    /// Returns whether all that was made, and so many bytes more, is within the limits.
    fn check_room(&self, more: u64) -> Result<(), UnpackError> {
        let made = self.inside.made();
        if made > self.limits.entries {
            return Err(UnpackError::TooMany(self.limits.entries));
        }
        let bytes = self.done.bytes.checked_add(more).and_then(|bytes| bytes.checked_add(made * ENTRY_SIZE));
        let is_within = bytes.is_some_and(|bytes| bytes <= self.limits.bytes);
        if is_within { Ok(()) } else { Err(UnpackError::TooLarge(self.limits.bytes)) }
    }

    /// A file that was unpacked before is replaced.
    fn lose(&mut self, size: Option<u64>) {
        if let Some(size) = size {
            self.done.files = self.done.files.saturating_sub(1);
            self.done.bytes = self.done.bytes.saturating_sub(size);
        }
    }

    fn folder(&mut self, path: PathBuf, header: &Header) -> Result<(), UnpackError> {
        let made = self.inside.folder(&path).and_then(|folder| set_mode(folder, header, 0o700));
        made.map_err(|error| self.not_made(&path, error))?;
        self.folder_names += path.as_os_str().len() + size_of::<(PathBuf, SystemTime)>();
        if self.folder_names <= MOST_FOLDER_NAMES && path.iter().nth(MOST_DEPTH).is_none() {
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
        let lost = self.inside.symlink(path, leads_to).map_err(|error| self.not_made(path, error))?;
        self.lose(lost);
        Ok(())
    }

    /// Nothing is made, so that a later entry of this name, or below it, is a file or a folder like any other.
    fn leave_out(&mut self, path: &Path, target: &Path) {
        if self.done.left_out.len() < MOST_LEFT_OUT {
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
            error if confined_dir::is_missing(&error) => {
                UnpackError::LinkMissing { entry: shown(path), target: shown(target) }
            }
            error => self.not_made(path, error),
        })?;
        self.lose(lost);
        Ok(())
    }

    fn file(&mut self, path: &Path, entry: &mut ArchiveEntry<'_, impl Read>) -> Result<(), UnpackError> {
        // Said before it is written: a sparse file can be larger than all that was read, and a disk.
        self.check_room(entry.size())?;
        let (mut file, lost) = self.inside.file(path).map_err(|error| self.not_made(path, error))?;
        self.lose(lost);
        let sha256 = self.copy(entry, &mut file, path)?;
        set_mode(&file, entry.header(), 0o600).map_err(|error| self.not_made(path, error))?;
        if let Some(time) = modified(entry.header()) {
            // The time is a courtesy: some file systems cannot keep it.
            let _ = file.set_modified(time);
        }
        self.done.files += 1;
        let told = self.unpacking.file(path, entry.size(), sha256);
        told.map_err(|source| UnpackError::Write { path: self.into.join(path), source })
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
            file.write_all(bytes).map_err(|error| self.not_made(path, error))?;
            self.done.bytes += count as u64;
            self.unpacking.written(count as u64);
        }
    }

    /// Inmost first, so that no time is changed again. Times are a courtesy, here as for files.
    fn set_folder_times(&mut self) {
        for (path, time) in std::mem::take(&mut self.folder_times).iter().rev() {
            let _ = self.inside.folder(path).and_then(|folder| folder.set_modified(*time));
        }
    }

    fn not_made(&self, path: &Path, source: io::Error) -> UnpackError {
        if confined_dir::is_obstacle(&source) {
            return UnpackError::ThroughLink(shown(path));
        }
        if confined_dir::is_clash(&source) {
            return UnpackError::Clash(shown(path));
        }
        if confined_dir::is_no_name(&source) {
            return UnpackError::Name(shown(path));
        }
        UnpackError::Write { path: self.into.join(path), source }
    }
}

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

/// Where the mode is no number, nobody but the owner has any permission.
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
