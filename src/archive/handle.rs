//! An open folder. Operations act on names in it, relative to the handle: they hold when the folder is moved meanwhile,
//! work at any depth, and never follow a link.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::dir::{Dir, Type};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

/// Flags for folders.
const FOLDER_FLAGS: OFlag = OFlag::O_RDONLY.union(OFlag::O_DIRECTORY).union(OFlag::O_CLOEXEC);
/// Flags for files: never through a link, and without waiting for the other end of a fifo.
const FILE_FLAGS: OFlag = OFlag::O_NOFOLLOW.union(OFlag::O_NONBLOCK).union(OFlag::O_CLOEXEC);
/// Maximum number of entries that are held in memory at a time: a folder can hold millions.
const MAX_LISTED: usize = 10_000;

/// The handle of an open folder.
#[derive(Debug)]
pub(crate) struct DirHandle(File);

impl AsFd for DirHandle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl DirHandle {
    /// Opens the folder at a path, and follows links: the path is the user's own choice.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        Ok(Self(File::from(open(path, FOLDER_FLAGS, Mode::empty())?)))
    }

    /// The folder itself, for locking it or setting its mode or time.
    pub(crate) fn file(&self) -> &File {
        &self.0
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }

    /// Opens a folder in it.
    pub(crate) fn folder(&self, name: &OsStr) -> io::Result<Self> {
        Ok(Self(File::from(openat(self, name, FOLDER_FLAGS | OFlag::O_NOFOLLOW, Mode::empty())?)))
    }

    /// Creates a folder in it. Returns `false` if the name exists.
    pub(crate) fn create_folder(&self, name: &OsStr, mode: Mode) -> io::Result<bool> {
        match mkdirat(self, name, mode) {
            Ok(()) => Ok(true),
            Err(Errno::EEXIST) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the folder at a path in it, and creates those that don't exist.
    pub(crate) fn create_folders(&self, path: &Path) -> io::Result<Self> {
        let mut folder = self.try_clone()?;
        for part in path {
            folder.create_folder(part, Mode::S_IRWXU | Mode::S_IRWXG | Mode::S_IRWXO)?;
            folder = folder.folder(part)?;
        }
        Ok(folder)
    }

    /// Opens a regular file at a path in it, whose folders must exist. Fails for any other kind of file.
    pub(crate) fn open_file(&self, path: &Path, flags: OFlag) -> io::Result<File> {
        let mut folder = self.try_clone()?;
        for part in path.parent().unwrap_or(Path::new("")) {
            folder = folder.folder(part)?;
        }
        let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let mode = Mode::S_IRUSR | Mode::S_IWUSR | Mode::S_IRGRP | Mode::S_IWGRP | Mode::S_IROTH | Mode::S_IWOTH;
        let file = File::from(openat(&folder, name, FILE_FLAGS | flags, mode)?);
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
    }

    /// Returns the metadata of an entry, of a link itself, or `None` if it doesn't exist.
    pub(crate) fn stat(&self, name: &OsStr) -> io::Result<Option<FileStat>> {
        match fstatat(self, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::ENOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Moves an entry into another folder of the same file system, in place of a file of that name.
    pub(crate) fn rename(&self, name: &OsStr, to: &Self, to_name: &OsStr) -> io::Result<()> {
        Ok(renameat(self, name, to, to_name)?)
    }

    /// Removes an entry if it exists, a folder with all its content. A link is removed, not its target.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        let Some(stat) = self.stat(name)? else { return Ok(()) };
        if !is_folder(&stat) {
            return Ok(unlinkat(self, name, UnlinkatFlags::NoRemoveDir)?);
        }
        self.folder(name)?.clear()?;
        Ok(unlinkat(self, name, UnlinkatFlags::RemoveDir)?)
    }

    /// Removes all of its content. Folders of its folders are moved up into it first, so that a tree of any depth takes
    /// a constant number of open files.
    fn clear(&self) -> io::Result<()> {
        let mut moved = 0;
        loop {
            let mut is_empty = true;
            for name in self.remove_files()? {
                is_empty = false;
                let folder = self.folder(&name)?;
                self.take_folders_of(&folder, &mut moved)?;
                unlinkat(self, name.as_os_str(), UnlinkatFlags::RemoveDir)?;
            }
            if is_empty {
                return Ok(());
            }
        }
    }

    /// Empties a folder, and moves its folders here under unused names, which `moved` numbers.
    fn take_folders_of(&self, folder: &Self, moved: &mut u64) -> io::Result<()> {
        loop {
            let names = folder.remove_files()?;
            if names.is_empty() {
                return Ok(());
            }
            for name in names {
                *moved += 1;
                while self.stat(OsStr::new(&format!(".{moved}.removed")))?.is_some() {
                    *moved += 1;
                }
                folder.rename(&name, self, OsStr::new(&format!(".{moved}.removed")))?;
            }
        }
    }

    /// Removes its entries that aren't folders, and returns the names of up to [`MAX_LISTED`] folders: none only if it
    /// has none.
    fn remove_files(&self) -> io::Result<Vec<OsString>> {
        loop {
            let mut folders = Vec::new();
            let entries = self.entries(MAX_LISTED)?;
            let is_all = entries.len() < MAX_LISTED;
            for (name, is_folder) in entries {
                if is_folder {
                    folders.push(name);
                } else {
                    unlinkat(self, name.as_os_str(), UnlinkatFlags::NoRemoveDir)?;
                }
            }
            if is_all || !folders.is_empty() {
                return Ok(folders);
            }
        }
    }

    /// Lists up to `most` names, each with whether it is a folder. The order is that of the file system.
    pub(crate) fn entries(&self, most: usize) -> io::Result<Vec<(OsString, bool)>> {
        let mut listing = Dir::from_fd(openat(self, ".", FOLDER_FLAGS, Mode::empty())?)?;
        let mut entries = Vec::new();
        for entry in listing.iter() {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let is_folder = match entry.file_type() {
                Some(kind) => kind == Type::Directory,
                None => self.stat(name)?.is_some_and(|stat| is_folder(&stat)),
            };
            entries.push((name.to_owned(), is_folder));
            if entries.len() == most {
                break;
            }
        }
        Ok(entries)
    }
}

/// Returns whether metadata is that of a folder.
pub(crate) fn is_folder(stat: &FileStat) -> bool {
    stat.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFDIR.bits()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_tree_of_any_depth_is_removed_and_nothing_that_it_links_to() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("kept"))?;
        fs::write(folder.path().join("kept/file"), "kept")?;
        let root = DirHandle::at(folder.path())?;
        let deep: std::path::PathBuf = std::iter::repeat_n("deep", 5000).collect();
        let innermost = root.create_folders(&Path::new("tree").join(deep))?;
        innermost.open_file(Path::new("file"), OFlag::O_WRONLY | OFlag::O_CREAT)?;
        fs::create_dir_all(folder.path().join("tree/.1.removed/x"))?;
        symlink("../kept", folder.path().join("tree/link"))?;
        symlink("../../kept", folder.path().join("tree/deep/link"))?;
        root.remove(OsStr::new("tree"))?;
        root.remove(OsStr::new("tree"))?;
        assert_eq!(root.entries(10)?, [("kept".into(), true)]);
        assert_eq!(fs::read_to_string(folder.path().join("kept/file"))?, "kept");
        Ok(())
    }

    #[test]
    fn no_link_is_followed_and_no_fifo_waited_for() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        fs::create_dir_all(folder.path().join("real"))?;
        fs::write(folder.path().join("real/file"), "kept")?;
        symlink("real", folder.path().join("link"))?;
        symlink("file", folder.path().join("real/link"))?;
        nix::unistd::mkfifo(&folder.path().join("fifo"), Mode::S_IRWXU)?;
        let root = DirHandle::at(folder.path())?;
        assert!(root.folder(OsStr::new("link")).is_err() && root.create_folders(Path::new("link/x")).is_err());
        for path in ["link/file", "real/link", "fifo", "real"] {
            assert!(root.open_file(Path::new(path), OFlag::O_RDONLY).is_err(), "{path}");
        }
        assert!(root.open_file(Path::new("real/file"), OFlag::O_RDONLY).is_ok());
        Ok(())
    }
}
