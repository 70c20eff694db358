//! Creates files below one folder and nowhere else, whatever links are or appear in it.
//!
//! Every path is walked from the folder's handle, one name at a time (`openat` with `O_NOFOLLOW`): a link on the way is
//! an error, never followed. An existing file or link of the same name is replaced, a folder is not. `cap-std` would
//! follow links that stay inside, which is more than an archive may ask for.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, SFlag};
use nix::unistd::{UnlinkatFlags, linkat, symlinkat, unlinkat};

use crate::archive::handle::DirHandle;

const NEW_FILE: OFlag =
    OFlag::O_WRONLY.union(OFlag::O_CREAT).union(OFlag::O_EXCL).union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

/// A directory handle below which files are created.
pub(crate) struct ConfinedDir {
    root: DirHandle,
    /// The folder that was used last: archives list the files of a folder one after the other.
    last: Option<(PathBuf, DirHandle)>,
    /// Number of files, folders and links that were created and not replaced.
    created: u64,
    /// The file system is known to tell `Model` from `model`.
    is_case_sensitive: Cell<bool>,
}

impl ConfinedDir {
    pub(crate) fn new(root: DirHandle) -> Self {
        Self { root, last: None, created: 0, is_case_sensitive: Cell::new(false) }
    }

    /// Number of files, folders and links created here that exist. Each takes an inode.
    pub(crate) fn created(&self) -> u64 {
        self.created
    }

    /// Opens a folder, and creates it and its parents if they don't exist.
    pub(crate) fn folder(&mut self, path: &Path) -> Result<&File, CreateError> {
        // From the last folder on where that is a parent: from the root, a chain of folders would take quadratic time.
        let (mut folder, rest) = match self.last.take() {
            Some((last, folder)) if path.starts_with(&last) => (folder, path.strip_prefix(&last).unwrap_or(path)),
            _ => (self.root.try_clone()?, path),
        };
        for part in rest {
            self.created += u64::from(folder.create_folder(part, Mode::S_IRWXU | Mode::S_IRWXG | Mode::S_IRWXO)?);
            folder = folder.folder(part)?;
        }
        self.last = Some((path.to_owned(), folder));
        Ok(self.last().file())
    }

    /// Creates a file, in place of a file or link of that name. Returns it, and the size of the file that it replaced.
    pub(crate) fn file(&mut self, path: &Path) -> Result<(File, Option<u64>), CreateError> {
        let slot = self.slot(path)?;
        let create = || openat(slot.folder, slot.name, NEW_FILE, Mode::S_IRUSR | Mode::S_IWUSR);
        let (file, replaced) = slot.replace(create)?;
        self.count(&replaced);
        Ok((File::from(file), replaced.lost()))
    }

    /// Creates a symbolic link, in place of a file or link of that name. Returns the size of the file that it replaced.
    /// The target must have been checked with [`stays_inside`].
    pub(crate) fn symlink(&mut self, path: &Path, target: &Path) -> Result<Option<u64>, CreateError> {
        let slot = self.slot(path)?;
        let ((), replaced) = slot.replace(|| symlinkat(target, slot.folder, slot.name))?;
        self.count(&replaced);
        Ok(replaced.lost())
    }

    /// Creates another name for a regular file in here, in place of a file or link of that name. Returns the size of
    /// the file that it replaced. `existing` may not be a symbolic link: under another name, that would lead elsewhere.
    pub(crate) fn hard_link(&mut self, path: &Path, existing: &Path) -> Result<Option<u64>, CreateError> {
        let (folder, from) = self.find(existing)?;
        let stat = folder.stat(from)?.ok_or(CreateError::Missing)?;
        if stat.st_mode & SFlag::S_IFMT.bits() != SFlag::S_IFREG.bits() {
            return Err(CreateError::Obstacle);
        }
        if path == existing {
            return Ok(None);
        }
        let to = self.slot(path)?;
        let ((), replaced) = to.replace(|| linkat(&folder, from, to.folder, to.name, AtFlags::empty()))?;
        self.count(&replaced);
        Ok(replaced.lost())
    }

    /// Opens the folder of an existing path, and returns the name in it.
    fn find<'n>(&self, path: &'n Path) -> Result<(DirHandle, &'n OsStr), CreateError> {
        let name = path.file_name().ok_or(CreateError::Missing)?;
        let mut folder = self.root.try_clone()?;
        for part in path.parent().unwrap_or(Path::new("")) {
            folder = match folder.folder(part) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(CreateError::Missing),
                folder => folder?,
            };
        }
        Ok((folder, name))
    }

    fn count(&mut self, replaced: &Replaced) {
        self.created += u64::from(replaced.0.is_none());
    }

    /// Opens the folder of a path, and creates it if it doesn't exist.
    fn slot<'n>(&mut self, path: &'n Path) -> Result<EntrySlot<'_, 'n>, CreateError> {
        let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
        self.folder(path.parent().unwrap_or(Path::new("")))?;
        Ok(EntrySlot { folder: self.last(), name, is_case_sensitive: &self.is_case_sensitive })
    }

    fn last(&self) -> &DirHandle {
        self.last.as_ref().map_or(&self.root, |(_, folder)| folder)
    }
}

/// The entry that a new one replaced.
struct Replaced(Option<FileStat>);

impl Replaced {
    /// Returns the size of the replaced entry if it was a regular file with no other name.
    fn lost(&self) -> Option<u64> {
        let stat = self.0.as_ref()?;
        let is_lost = stat.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFREG.bits() && stat.st_nlink == 1;
        u64::try_from(stat.st_size).ok().filter(|_| is_lost)
    }
}

/// The folder and name of an entry that is to be created.
struct EntrySlot<'i, 'n> {
    folder: &'i DirHandle,
    name: &'n OsStr,
    is_case_sensitive: &'i Cell<bool>,
}

impl EntrySlot<'_, '_> {
    /// Creates the entry, after removing a file or link of that name.
    fn replace<T>(&self, create: impl Fn() -> nix::Result<T>) -> Result<(T, Replaced), CreateError> {
        match create() {
            Err(Errno::EEXIST) => {
                self.check_clash()?;
                let stat = self.folder.stat(self.name)?;
                unlinkat(self.folder, self.name, UnlinkatFlags::NoRemoveDir)?;
                Ok((create()?, Replaced(stat)))
            }
            result => Ok((result?, Replaced(None))),
        }
    }

    /// Fails if the existing entry has another name that the file system takes for this one: a file of the archive
    /// would be lost to another one.
    fn check_clash(&self) -> Result<(), CreateError> {
        let other = in_other_case(self.name);
        let is_one = !self.is_case_sensitive.get() && self.is_same_file(&other)?;
        // macOS takes two forms of Unicode for one name.
        if !is_one && (!cfg!(target_os = "macos") || self.name.is_ascii()) {
            return Ok(());
        }
        let mut has_name = false;
        let mut has_other = false;
        for (name, _) in self.folder.entries(usize::MAX)? {
            has_name |= name == self.name;
            has_other |= name == other;
        }
        // Both names exist, as hard links to one file. Remembered, since an archive may have many such pairs and
        // listing a folder takes time.
        self.is_case_sensitive.set(self.is_case_sensitive.get() || (is_one && has_name && has_other));
        if has_name { Ok(()) } else { Err(CreateError::Clash) }
    }

    /// Returns whether `other`, the name with its case swapped, is the same file.
    fn is_same_file(&self, other: &OsStr) -> io::Result<bool> {
        let inode = |name: &OsStr| Ok::<_, io::Error>(self.folder.stat(name)?.map(|stat| stat.st_ino));
        let own = inode(self.name)?;
        Ok(other != self.name && own.is_some() && inode(other)? == own)
    }
}

/// Swaps the case of ASCII letters.
fn in_other_case(name: &OsStr) -> OsString {
    let swap = |byte: u8| if byte.is_ascii_lowercase() { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
    OsString::from_vec(name.as_bytes().iter().copied().map(swap).collect())
}

/// Reason for which an entry was not created.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateError {
    /// Two names that the file system takes for one, such as `Model` and `model`.
    #[error("another name of this folder is the same on this file system")]
    Clash,
    /// A hard link to a name that is not in the archive, or not yet.
    #[error("there is no such file in the archive")]
    Missing,
    /// A name on the way is a link or a file.
    #[error("a link or a file is in the way")]
    Obstacle,
    /// The file system has no such names: a part is too long, or has bytes that can't be in one.
    #[error("no file can have such a name")]
    InvalidName,
    #[error(transparent)]
    Io(io::Error),
}

impl From<io::Error> for CreateError {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ELOOP | Errno::ENOTDIR | Errno::EISDIR | Errno::EMLINK) => Self::Obstacle,
            Some(Errno::ENAMETOOLONG | Errno::EINVAL | Errno::EILSEQ) => Self::InvalidName,
            _ => Self::Io(error),
        }
    }
}

impl From<Errno> for CreateError {
    fn from(errno: Errno) -> Self {
        io::Error::from(errno).into()
    }
}

/// Returns the path without `.`, or `None` if it is absolute or has `..`.
pub(crate) fn relative(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(clean)
}

/// Returns the relative target of a link at `path` whose absolute target is in `packed_from`, so that it leads to the
/// same entry wherever the folder is unpacked.
pub(crate) fn moved_link(path: &Path, target: &Path, packed_from: &Path) -> Option<PathBuf> {
    let inside = target.strip_prefix(packed_from).ok()?;
    let up = path.components().skip(1).map(|_| Component::ParentDir);
    Some(up.chain(inside.components()).collect())
}

/// Returns whether a link at `path` with this target stays inside, whatever other such links exist or will.
///
/// `..` is allowed only at the front, where it climbs real folders: behind a name that is itself a link, it would climb
/// from that link's target.
pub(crate) fn stays_inside(path: &Path, target: &Path) -> bool {
    let depth = path.components().count().saturating_sub(1);
    let climbs = target.components().take_while(|part| *part == Component::ParentDir).count();
    let rest_descends =
        target.components().skip(climbs).all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    climbs <= depth && rest_descends && !target.as_os_str().is_empty()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn links_stay_inside_only_if_no_way_leads_out() {
        let stays = |path: &str, target: &str| stays_inside(Path::new(path), Path::new(target));
        assert!(stays("a", "b/c") && stays("a/b", "../c") && stays("a/b/c", "../../d") && stays("a", "./b"));
        assert!(!stays("a", "/etc/passwd") && !stays("a", "../c") && !stays("a/b", "../../c") && !stays("a", ""));
        // Through a link x -> some/deep/place, `x/..` is not where it seems to be.
        assert!(!stays("a", "x/../..") && !stays("a", "x/.."));
    }

    /// Two hard links that differ in case look like one file on a file system that ignores case.
    #[test]
    fn a_name_in_another_case_is_no_other_file() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("model"), "1")?;
        let mut inside = ConfinedDir::new(DirHandle::at(folder.path())?);
        inside.file(Path::new("model"))?;
        inside.file(Path::new("Model"))?;
        fs::hard_link(folder.path().join("model"), folder.path().join("MODEL"))?;
        let slot = inside.slot(Path::new("model"))?;
        assert!(slot.is_same_file(OsStr::new("MODEL"))? && !slot.is_same_file(OsStr::new("Model"))?);
        assert!(!slot.is_case_sensitive.get() && slot.check_clash().is_ok() && slot.is_case_sensitive.get());
        Ok(())
    }

    #[test]
    fn only_plain_relative_names_are_accepted() {
        let relative = |path: &str| super::relative(Path::new(path));
        assert_eq!(relative("./a//b/./c"), Some(PathBuf::from("a/b/c")));
        assert_eq!((relative("/a"), relative("a/../b"), relative("..")), (None, None, None));
    }
}
