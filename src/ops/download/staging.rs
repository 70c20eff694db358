//! The staging directory, `.NAME.partial` next to the target. A download is written there and renamed when it is
//! complete.
//!
//! It belongs to this user: a real directory with mode 0700 that this program created, proven by a [receipt](Receipts).
//! Everything in it is accessed relative to its handle, without following links, and a lock on it admits one process at
//! a time.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::unistd::geteuid;

use super::journal;
use super::layout::{ARCHIVE, FILES, JOURNAL, LISTING, NEW_JOURNAL, REPLACED};
use super::options::SaveOptions;
use super::receipts::Receipts;
use super::watch::kept_hint;
use crate::archive::DirHandle;
use crate::error::{Error, Result, WithContext};

/// Target of a download.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Final path of the file or folder.
    path: PathBuf,
    /// Path of the folder that the same archive would be unpacked to, if it is kept as it is.
    unpacked: Option<PathBuf>,
    /// Replaces an existing target.
    force: bool,
    again: String,
    receipts: Receipts,
}

impl Target {
    pub(super) fn new(path: PathBuf, saving: &SaveOptions) -> Self {
        let receipts = Receipts::new(&saving.state);
        Self { path, unpacked: None, force: saving.force, again: saving.again.clone(), receipts }
    }

    /// Also looks for bytes that were fetched to unpack the object to a folder of this name.
    pub(super) fn or_unpacked(self, name: &str) -> Self {
        let unpacked = Some(self.path.with_file_name(name)).filter(|path| *path != self.path);
        Self { unpacked, ..self }
    }

    /// Fails if the target exists and may not be replaced.
    fn check_free(&self) -> Result<()> {
        match self.path.symlink_metadata() {
            Ok(_) if !self.force => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).context(|| format!("look up {}", self.path.display()));
            }
            _ => return Ok(()),
        }
        Err(Error::failure(format!("{} exists already", self.path.display()))
            .hint("replace it with --force, or choose another folder with -d DIR"))
    }

    fn parent(&self) -> &Path {
        self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }
}

/// Returns the name of the staging directory of a target: `.NAME.partial`.
fn partial_name(path: &Path) -> OsString {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!(".{name}.partial").into()
}

/// Staging directory of one process.
///
/// Dropped before [`finish`](Self::finish), it keeps the fetched bytes and removes everything else.
#[derive(Debug)]
pub(super) struct StagingDir {
    target: Target,
    parent: DirHandle,
    /// Name in its parent.
    name: OsString,
    path: PathBuf,
    /// Handle of the directory, which holds the lock.
    folder: DirHandle,
    is_finished: AtomicBool,
}

impl StagingDir {
    /// Opens or creates the staging directory, and locks it.
    ///
    /// Fails if the target exists, or if another download of it is running.
    pub(super) fn open(target: &Target) -> Result<Self> {
        target.check_free()?;
        let doing = || format!("create the folder {}", target.parent().display());
        fs::create_dir_all(target.parent()).context(doing)?;
        let parent = DirHandle::at(target.parent()).context(doing)?;
        let name = partial_name(&target.path);
        let path = target.path.with_file_name(&name);
        adopt(&parent, &name, target)?;
        let folder = lock(&parent, &name, &path, &target.path)?;
        let partial = Self { target: target.clone(), parent, name, path, folder, is_finished: AtomicBool::new(false) };
        partial.make_own()?;
        Ok(partial)
    }

    /// Keeps the content of a directory with a valid receipt, and clears any other.
    fn make_own(&self) -> Result<()> {
        let was_private =
            make_private(self.folder.file()).context(|| format!("change the mode of {}", self.path.display()))?;
        let is_own = was_private && self.target.receipts.has(&self.folder);
        if is_own && self.has(JOURNAL)? {
            return Ok(());
        }
        // Planted by another user, empty, or of an older version: its content cannot be used.
        self.clear()?;
        if !is_own {
            self.target.receipts.revoke(&self.folder);
            // If the state folder cannot be written, an interrupted download starts over.
            let _begins_anew = self.target.receipts.issue(&self.folder);
        }
        Ok(())
    }

    /// Returns the directory handle.
    pub(super) fn handle(&self) -> &DirHandle {
        &self.folder
    }

    /// Returns the path, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file for a single object's bytes, and creates it if needed.
    pub(super) fn open_archive(&self) -> Result<File> {
        let file = self.folder.open_file(Path::new(ARCHIVE), OFlag::O_RDWR | OFlag::O_CREAT);
        file.context(|| format!("write {}", self.path.join(ARCHIVE).display()))
    }

    /// Opens the folder for the tree of files, and creates it if needed.
    pub(super) fn open_files(&self) -> Result<DirHandle> {
        let files = self.folder.create_folders(Path::new(FILES));
        files.context(|| format!("write {}", self.path.join(FILES).display()))
    }

    /// Removes everything that was fetched or unpacked.
    pub(super) fn clear(&self) -> Result<()> {
        [JOURNAL, NEW_JOURNAL, LISTING, ARCHIVE, FILES].iter().try_for_each(|name| self.remove(name))
    }

    /// Removes the tree of unpacked files.
    pub(super) fn clear_files(&self) -> Result<()> {
        self.remove(FILES)
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.folder.remove(name.as_ref()).context(|| format!("remove {}", self.path.join(name).display()))
    }

    fn has(&self, name: &str) -> Result<bool> {
        let stat = self.folder.stat(name.as_ref()).context(|| format!("look up {}", self.path.join(name).display()))?;
        Ok(stat.is_some())
    }

    /// Adds the hint that the same command resumes, if bytes were fetched.
    pub(super) fn hint(&self, error: Error) -> Error {
        if self.holds_bytes() { error.hint(kept_hint(&self.path, &self.target.again)) } else { error }
    }

    /// Adds the hint that another command resumes, if bytes were fetched.
    pub(super) fn hint_at(&self, error: Error, how: &str) -> Error {
        if self.holds_bytes() { error.hint(kept_hint(&self.path, how)) } else { error }
    }

    /// Returns true if there are fetched bytes: of a single object, or of files below a prefix. True also if that
    /// cannot be looked up.
    fn holds_bytes(&self) -> bool {
        let archive = self.folder.stat(ARCHIVE.as_ref());
        let is_empty = archive.is_ok_and(|archive| archive.is_none_or(|archive| archive.st_size == 0));
        !is_empty || self.keeps_files()
    }

    fn keeps_files(&self) -> bool {
        let keeps = || Ok::<_, Error>(!self.has(ARCHIVE)? && self.has(FILES)?);
        keeps().unwrap_or(true) && journal::has_ranges(&self.folder).unwrap_or(true)
    }

    /// Renames a finished file or folder to the target, then removes the staging directory.
    pub(super) fn finish(&self, made: &str) -> Result<()> {
        let place = &self.target.path;
        let before = self.parent.stat(self.target.name()).context(|| format!("look up {}", place.display()))?;
        if self.target.force && before.is_some() {
            self.remove(REPLACED)?;
            let replaced = self.parent.rename(self.target.name(), &self.folder, REPLACED.as_ref());
            replaced.context(|| format!("replace {}", place.display()))?;
        }
        let moved = self.folder.rename(made.as_ref(), &self.parent, self.target.name());
        moved.context(|| format!("create {}", place.display()))?;
        self.is_finished.store(true, Ordering::Relaxed);
        self.remove_all().context(|| format!("remove {}", self.path.display()))
    }

    fn remove_all(&self) -> io::Result<()> {
        self.target.receipts.revoke(&self.folder);
        self.parent.remove(&self.name)
    }
}

impl Drop for StagingDir {
    fn drop(&mut self) {
        // Whatever cannot be removed now is removed by the next download.
        if self.is_finished.load(Ordering::Relaxed) || self.keeps_files() {
            return;
        }
        if self.holds_bytes() {
            let _left = self.clear_files();
        } else {
            let _left = self.remove_all();
            // Removes the parent only if it is empty.
            let _in_use = fs::remove_dir(self.target.parent());
        }
    }
}

/// Takes over the staging directory of the unpacked form, if the archive is now to be kept as it is.
fn adopt(parent: &DirHandle, name: &OsStr, target: &Target) -> Result<()> {
    let Some(unpacked) = target.unpacked.as_deref().map(partial_name) else { return Ok(()) };
    let doing = || format!("look up {}", target.parent().display());
    if parent.stat(name).context(doing)?.is_some() {
        return Ok(());
    }
    // Left alone: anything that is no folder, belongs to another user, or is in use.
    let Ok(folder) = parent.folder(&unpacked) else { return Ok(()) };
    if folder.file().try_lock().is_ok() && is_own(folder.file()).context(doing)? && target.receipts.has(&folder) {
        parent.rename(&unpacked, parent, name).context(|| format!("take over {}", Path::new(&unpacked).display()))?;
    }
    Ok(())
}

fn is_own(folder: &File) -> io::Result<bool> {
    Ok(folder.metadata()?.uid() == geteuid().as_raw())
}

/// Sets the mode to 0700. Returns true if it was 0700 before, or if the file system has no modes.
fn make_private(folder: &File) -> io::Result<bool> {
    let mode = |folder: &File| Ok::<_, io::Error>(folder.metadata()?.permissions().mode() & 0o777);
    let before = mode(folder)?;
    if before == 0o700 {
        return Ok(true);
    }
    folder.set_permissions(Permissions::from_mode(0o700))?;
    Ok(mode(folder)? == before)
}

/// Creates the directory for its owner alone, and locks it. Fails if another download holds the lock.
fn lock(parent: &DirHandle, name: &OsStr, path: &Path, of: &Path) -> Result<DirHandle> {
    loop {
        parent.create_folder(name, Mode::S_IRWXU).context(|| format!("create the folder {}", path.display()))?;
        let Some(folder) = open(parent, name, path)? else { continue };
        match folder.file().try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::failure(format!("another download of {} is running", of.display())));
            }
            Err(TryLockError::Error(error)) => return Err(error).context(|| format!("lock {}", path.display())),
        }
        // The previous owner of the lock may have removed the directory meanwhile.
        let doing = || format!("look up {}", path.display());
        let held = folder.file().metadata().context(doing)?;
        if parent.stat(name).context(doing)?.is_some_and(|present| present.st_ino == held.ino()) {
            return Ok(folder);
        }
    }
}

/// Opens the directory. Returns `None` if it was removed meanwhile. Fails if another user owns it.
fn open(parent: &DirHandle, name: &OsStr, path: &Path) -> Result<Option<DirHandle>> {
    let in_the_way = |why: &str| {
        Error::failure(format!("{} is in the way: {why}", path.display()))
            .hint("find out whose it is and remove it, or choose another folder with -d DIR")
    };
    let folder = match parent.folder(name) {
        Ok(folder) => folder,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) if parent.stat(name).is_ok_and(|stat| stat.is_some_and(|stat| !crate::archive::is_folder(&stat))) => {
            return Err(in_the_way("it is not a folder"));
        }
        Err(error) => return Err(error).context(|| format!("open {}", path.display())),
    };
    if is_own(folder.file()).context(|| format!("look up {}", path.display()))? {
        return Ok(Some(folder));
    }
    Err(in_the_way("it belongs to another user"))
}
