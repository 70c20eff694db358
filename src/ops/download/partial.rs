//! The folder in which a download is made, beside where it goes: what is seen under the final name is whole.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Saving, journal, kept};
use crate::error::{Doing, Error, Result};

/// Where something goes that is downloaded.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// A folder or a file.
    path: PathBuf,
    /// What stands there is replaced.
    force: bool,
    again: String,
}

impl Target {
    pub(super) fn new(path: PathBuf, saving: &Saving) -> Self {
        Self { path, force: saving.force, again: saving.again.clone() }
    }

    fn check_free(&self) -> Result<()> {
        if self.force || self.path.symlink_metadata().is_err() {
            return Ok(());
        }
        Err(Error::failure(format!("{} exists already", self.path.display()))
            .hint("replace it with --force, or choose another folder with -d DIR"))
    }

    fn parent(&self) -> &Path {
        self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn partial(&self) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        self.path.with_file_name(format!(".{name}.partial"))
    }
}

/// `.NAME.partial`, used by one process at a time.
///
/// It holds `fetched`, the notes of what has been; `archive`, the bytes of an archive or of a file; and `files`, the tree
/// that is being made.
///
/// Dropped before it is finished, it keeps the bytes that were fetched, and nothing else.
#[derive(Debug)]
pub(super) struct Partial {
    target: Target,
    folder: PathBuf,
    is_finished: AtomicBool,
    _lock: File,
}

impl Partial {
    pub(super) fn open(target: &Target) -> Result<Self> {
        target.check_free()?;
        let folder = target.partial();
        let parent = target.parent();
        fs::create_dir_all(parent).doing(|| format!("create the folder {}", parent.display()))?;
        let lock = lock(&folder, &target.path)?;
        let partial = Self { target: target.clone(), folder, is_finished: AtomicBool::new(false), _lock: lock };
        if partial.journal().symlink_metadata().is_err() {
            // Not even begun, or by an older way: there is nothing to go on from.
            partial.clear()?;
        }
        Ok(partial)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.folder.join("fetched")
    }

    pub(super) fn archive(&self) -> PathBuf {
        self.folder.join("archive")
    }

    pub(super) fn files(&self) -> PathBuf {
        self.folder.join("files")
    }

    /// Opens the file that holds an archive's bytes.
    pub(super) fn open_archive(&self) -> Result<File> {
        let path = self.archive();
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        file.doing(|| format!("write {}", path.display()))
    }

    /// What has been fetched is of no use.
    pub(super) fn clear(&self) -> Result<()> {
        [self.journal(), self.archive(), self.files()].iter().try_for_each(|path| remove(path))
    }

    /// Takes away the tree that was being made of what was fetched.
    pub(super) fn clear_files(&self) -> Result<()> {
        remove(&self.files())
    }

    /// An error after which the same command can go on.
    pub(super) fn hint(&self, error: Error) -> Error {
        if !self.holds_bytes() {
            return error;
        }
        error.hint(kept(&self.folder, &self.target.again))
    }

    /// Those of an archive, or, where there is none, files that are fetched as they are.
    fn holds_bytes(&self) -> bool {
        self.archive().metadata().is_ok_and(|archive| archive.len() > 0) || self.keeps_files()
    }

    fn keeps_files(&self) -> bool {
        self.archive().symlink_metadata().is_err() && self.files().exists() && journal::is_begun(&self.journal())
    }

    /// Gives what was made its final place.
    pub(super) fn finish(&self, made: &Path) -> Result<()> {
        let place = &self.target.path;
        let before = self.folder.join("before");
        if self.target.force && place.symlink_metadata().is_ok() {
            remove(&before)?;
            fs::rename(place, &before).doing(|| format!("replace {}", place.display()))?;
        }
        fs::rename(made, place).doing(|| format!("create {}", place.display()))?;
        self.is_finished.store(true, Ordering::Relaxed);
        remove(&self.folder)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.is_finished.load(Ordering::Relaxed) {
            return;
        }
        // What can't be removed now is by the next download.
        if self.keeps_files() {
            return;
        }
        if self.holds_bytes() {
            let _left = self.clear_files();
        } else {
            let _left = remove(&self.folder);
            // Only goes where nothing was ever downloaded.
            let _in_use = fs::remove_dir(self.target.parent());
        }
    }
}

/// Makes the folder, for its owner alone, and takes it.
fn lock(folder: &Path, of: &Path) -> Result<File> {
    loop {
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(error).doing(|| format!("create the folder {}", folder.display()));
            }
            _ => {}
        }
        let Some(lock) = open(folder)? else { continue };
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::failure(format!("another download of {} is running", of.display())));
            }
            Err(TryLockError::Error(error)) => return Err(error).doing(|| format!("lock {}", folder.display())),
        }
        // Whoever had it may have finished meanwhile, and taken the folder away.
        let (held, there) = (lock.metadata(), folder.symlink_metadata());
        if held.is_ok_and(|held| there.is_ok_and(|there| there.ino() == held.ino())) {
            return Ok(lock);
        }
    }
}

/// None where it has just been taken away.
fn open(folder: &Path) -> Result<Option<File>> {
    let is_folder = folder.symlink_metadata().map(|metadata| metadata.is_dir());
    match is_folder.and_then(|is_folder| if is_folder { File::open(folder).map(Some) } else { Ok(None) }) {
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => Err(Error::failure(format!("{} is in the way: it is no folder", folder.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).doing(|| format!("open {}", folder.display())),
    }
}

/// A folder with all that is in it, a file, or nothing.
fn remove(path: &Path) -> Result<()> {
    let removed = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        _ => fs::remove_file(path),
    };
    removed.doing(|| format!("remove {}", path.display()))
}
