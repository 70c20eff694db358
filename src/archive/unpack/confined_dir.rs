//! Makes files below one folder and nowhere else, whatever links lie or appear in it.
//!
//! Every path is walked from the folder's handle, one name at a time, and a link on the way is an error, never followed.

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

pub(crate) struct ConfinedDir {
    root: DirHandle,
    /// The folder that was used last: archives list a folder's files in a row.
    last: Option<(PathBuf, DirHandle)>,
    /// Files, folders and links that were made and stand.
    made: u64,
    /// Whether the file system is known to tell `Model` from `model`.
    has_cases: Cell<bool>,
}

impl ConfinedDir {
    pub(crate) fn new(root: DirHandle) -> Self {
        Self { root, last: None, made: 0, has_cases: Cell::new(false) }
    }

    /// How many files, folders and links it holds that were made here. Each takes an inode.
    pub(crate) fn made(&self) -> u64 {
        self.made
    }

    /// Opens a folder, making it and those around it where they are missing.
    pub(crate) fn folder(&mut self, path: &Path) -> io::Result<&File> {
        // A folder in the last one is near: walked to from the root, a chain of folders would take the square of its length.
        let (mut folder, rest) = match self.last.take() {
            Some((last, folder)) if path.starts_with(&last) => (folder, path.strip_prefix(&last).unwrap_or(path)),
            _ => (self.root.try_clone()?, path),
        };
        for part in rest {
            self.made += u64::from(folder.make_folder(part, Mode::S_IRWXU | Mode::S_IRWXG | Mode::S_IRWXO)?);
            folder = folder.folder(part)?;
        }
        self.last = Some((path.to_owned(), folder));
        Ok(self.last().file())
    }

    /// A new file, in the place of any other file or link of that name; and the size of the file that was lost by that.
    pub(crate) fn file(&mut self, path: &Path) -> io::Result<(File, Option<u64>)> {
        let place = self.place(path)?;
        let make = || openat(place.folder, place.name, NEW_FILE, Mode::S_IRUSR | Mode::S_IWUSR);
        let (file, replaced) = place.replacing(make)?;
        self.count(&replaced);
        Ok((File::from(file), replaced.lost()))
    }

    /// The target must have been checked with [`stays_inside`].
    pub(crate) fn symlink(&mut self, path: &Path, target: &Path) -> io::Result<Option<u64>> {
        let place = self.place(path)?;
        let ((), replaced) = place.replacing(|| symlinkat(target, place.folder, place.name))?;
        self.count(&replaced);
        Ok(replaced.lost())
    }

    /// Another name for a file in here. A hard link to a symbolic link would move it, and so change where it leads.
    /// Its folders must stand, too.
    pub(crate) fn hard_link(&mut self, path: &Path, existing: &Path) -> io::Result<Option<u64>> {
        let (folder, from) = self.standing(existing)?;
        let stat = folder.stat(from)?.ok_or_else(missing)?;
        if stat.st_mode & SFlag::S_IFMT.bits() != SFlag::S_IFREG.bits() {
            return Err(Errno::ELOOP.into());
        }
        if path == existing {
            return Ok(None);
        }
        let to = self.place(path)?;
        let ((), replaced) = to.replacing(|| linkat(&folder, from, to.folder, to.name, AtFlags::empty()))?;
        self.count(&replaced);
        Ok(replaced.lost())
    }

    fn standing<'n>(&self, path: &'n Path) -> io::Result<(DirHandle, &'n OsStr)> {
        let name = path.file_name().ok_or_else(missing)?;
        let mut folder = self.root.try_clone()?;
        for part in path.parent().unwrap_or(Path::new("")) {
            folder = match folder.folder(part) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
                folder => folder?,
            };
        }
        Ok((folder, name))
    }

    fn count(&mut self, replaced: &Replaced) {
        self.made += u64::from(replaced.0.is_none());
    }

    fn place<'n>(&mut self, path: &'n Path) -> io::Result<EntrySlot<'_, 'n>> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        self.folder(path.parent().unwrap_or(Path::new("")))?;
        Ok(EntrySlot { folder: self.last(), name, has_cases: &self.has_cases })
    }

    fn last(&self) -> &DirHandle {
        self.last.as_ref().map_or(&self.root, |(_, folder)| folder)
    }
}

/// The entry that a new one replaced.
struct Replaced(Option<FileStat>);

impl Replaced {
    /// The size of a regular file that had no other name.
    fn lost(&self) -> Option<u64> {
        let stat = self.0.as_ref()?;
        let is_lost = stat.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFREG.bits() && stat.st_nlink == 1;
        u64::try_from(stat.st_size).ok().filter(|_| is_lost)
    }
}

/// Where something is to be made.
struct EntrySlot<'i, 'n> {
    folder: &'i DirHandle,
    name: &'n OsStr,
    has_cases: &'i Cell<bool>,
}

impl EntrySlot<'_, '_> {
    fn replacing<T>(&self, make: impl Fn() -> nix::Result<T>) -> io::Result<(T, Replaced)> {
        match make() {
            Err(Errno::EEXIST) => {
                self.refuse_clash()?;
                let stat = self.folder.stat(self.name)?;
                unlinkat(self.folder, self.name, UnlinkatFlags::NoRemoveDir)?;
                Ok((make()?, Replaced(stat)))
            }
            result => Ok((result?, Replaced(None))),
        }
    }

    /// What is to be replaced must have exactly this name: else a file would be lost to another one.
    fn refuse_clash(&self) -> io::Result<()> {
        let other = in_other_case(self.name);
        let is_one = !self.has_cases.get() && self.is_one(&other)?;
        // macOS takes two forms of Unicode for one name.
        if !is_one && (!cfg!(target_os = "macos") || self.name.is_ascii()) {
            return Ok(());
        }
        let (mut has_name, mut has_other) = (false, false);
        for (name, _) in self.folder.entries(usize::MAX)? {
            has_name |= name == self.name;
            has_other |= name == other;
        }
        // They are hard links to one file. An archive may have many such pairs, and a folder takes its time to be listed.
        self.has_cases.set(self.has_cases.get() || (is_one && has_name && has_other));
        if has_name { Ok(()) } else { Err(io::Error::other(Clash)) }
    }

    /// Whether the name leads to the same file when it is written in the other case.
    fn is_one(&self, other: &OsStr) -> io::Result<bool> {
        let inode = |name: &OsStr| Ok::<_, io::Error>(self.folder.stat(name)?.map(|stat| stat.st_ino));
        let own = inode(self.name)?;
        Ok(other != self.name && own.is_some() && inode(other)? == own)
    }
}

fn in_other_case(name: &OsStr) -> OsString {
    let swap = |byte: u8| if byte.is_ascii_lowercase() { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
    OsString::from_vec(name.as_bytes().iter().copied().map(swap).collect())
}

/// Two names that a file system takes for one, `Model` and `model`.
#[derive(Debug, thiserror::Error)]
#[error("another name of this folder is the same on this file system")]
struct Clash;

/// A hard link to a name that is not in the archive, or not yet.
#[derive(Debug, thiserror::Error)]
#[error("there is no such file in the archive")]
struct Missing;

fn missing() -> io::Error {
    io::Error::other(Missing)
}

pub(crate) fn is_missing(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Missing>()).is_some()
}

pub(crate) fn is_clash(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Clash>()).is_some()
}

/// Whether an error says that a name on the way is a link or a file.
pub(crate) fn is_obstacle(error: &io::Error) -> bool {
    let obstacles = [Errno::ELOOP, Errno::ENOTDIR, Errno::EISDIR, Errno::EMLINK];
    obstacles.iter().any(|errno| error.raw_os_error() == Some(*errno as i32))
}

/// Whether an error says that this file system has no such names: too long a part, or bytes that may not be in one.
pub(crate) fn is_no_name(error: &io::Error) -> bool {
    [Errno::ENAMETOOLONG, Errno::EINVAL, Errno::EILSEQ].iter().any(|errno| error.raw_os_error() == Some(*errno as i32))
}

/// The path without `.`; `None` if it is absolute or has `..`.
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

/// What an absolute link at `path` into the folder that was packed has to lead to wherever that is unpacked.
pub(crate) fn moved_link(path: &Path, target: &Path, packed_from: &Path) -> Option<PathBuf> {
    let inside = target.strip_prefix(packed_from).ok()?;
    let up = path.components().skip(1).map(|_| Component::ParentDir);
    Some(up.chain(inside.components()).collect())
}

/// Whether a link at `path` that leads to `target` stays inside, whatever other such links there are or will be.
///
/// `..` may stand only at the front, where it climbs real folders: after a name, it would climb from where that name
/// leads, if it is a link itself.
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

    /// Where names in the other case are links to one file, they are as on a file system that knows no cases.
    #[test]
    fn a_name_in_another_case_is_no_other_file() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("model"), "1")?;
        let mut inside = ConfinedDir::new(DirHandle::at(folder.path())?);
        inside.file(Path::new("model"))?;
        inside.file(Path::new("Model"))?;
        fs::hard_link(folder.path().join("model"), folder.path().join("MODEL"))?;
        let place = inside.place(Path::new("model"))?;
        assert!(place.is_one(OsStr::new("MODEL"))? && !place.is_one(OsStr::new("Model"))?);
        assert!(!place.has_cases.get() && place.refuse_clash().is_ok() && place.has_cases.get());
        Ok(())
    }

    #[test]
    fn only_plain_relative_names_are_accepted() {
        let relative = |path: &str| super::relative(Path::new(path));
        assert_eq!(relative("./a//b/./c"), Some(PathBuf::from("a/b/c")));
        assert_eq!((relative("/a"), relative("a/../b"), relative("..")), (None, None, None));
    }
}
