//! The folder in which a download is made, beside where it goes: what is seen under the final name is whole.
//!
//! It is this user's own: a real folder that nobody else can look into, which this program made, by a [receipt](Receipts).
//! All that happens in it happens relative to its handle, and follows no link.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::unistd::geteuid;

use super::receipts::Receipts;
use super::{SaveOptions, journal, kept, manifest};
use crate::archive::DirHandle;
use crate::error::{Error, Result, WithContext};

/// What has been fetched; the bytes of an archive or of a file; the tree that is being made; what is replaced.
pub(super) const JOURNAL: &str = "fetched";
pub(super) const ARCHIVE: &str = "archive";
pub(super) const FILES: &str = "files";
const BEFORE: &str = "before";

/// Where something goes that is downloaded.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// A folder or a file.
    path: PathBuf,
    /// What the same object is called when it is unpacked, where it is to be kept as it is.
    unpacked: Option<PathBuf>,
    /// What stands there is replaced.
    force: bool,
    again: String,
    receipts: Receipts,
}

impl Target {
    pub(super) fn new(path: PathBuf, saving: &SaveOptions) -> Self {
        let receipts = Receipts::new(&saving.state);
        Self { path, unpacked: None, force: saving.force, again: saving.again.clone(), receipts }
    }

    /// An object that may have been fetched already, to be unpacked to a folder of that name.
    pub(super) fn or_unpacked(self, name: &str) -> Self {
        let unpacked = Some(self.path.with_file_name(name)).filter(|path| *path != self.path);
        Self { unpacked, ..self }
    }

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

/// `.NAME.partial`.
fn partial_name(path: &Path) -> OsString {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!(".{name}.partial").into()
}

/// `.NAME.partial`, used by one process at a time.
///
/// Dropped before it is finished, it keeps the bytes that were fetched, and nothing else.
#[derive(Debug)]
pub(super) struct StagingDir {
    target: Target,
    parent: DirHandle,
    /// What it is called in its parent, and in messages.
    name: OsString,
    path: PathBuf,
    /// Locked.
    folder: DirHandle,
    is_finished: AtomicBool,
}

impl StagingDir {
    pub(super) fn open(target: &Target) -> Result<Self> {
        target.check_free()?;
        let doing = || format!("create the folder {}", target.parent().display());
        fs::create_dir_all(target.parent()).context(doing)?;
        let parent = DirHandle::at(target.parent()).context(doing)?;
        let (name, path) = (partial_name(&target.path), target.path.with_file_name(partial_name(&target.path)));
        adopt(&parent, &name, target)?;
        let folder = lock(&parent, &name, &path, &target.path)?;
        let partial = Self { target: target.clone(), parent, name, path, folder, is_finished: AtomicBool::new(false) };
        partial.make_own()?;
        Ok(partial)
    }

    /// Takes a folder that was made here as it is, and begins anew with any other.
    fn make_own(&self) -> Result<()> {
        let was_private =
            make_private(self.folder.file()).context(|| format!("change the mode of {}", self.path.display()))?;
        let is_own = was_private && self.target.receipts.has(&self.folder);
        if is_own && self.has(JOURNAL)? {
            return Ok(());
        }
        // Planted, or not even begun, or by an older way: there is nothing to go on from.
        self.clear()?;
        if !is_own {
            self.target.receipts.take(&self.folder);
            // Where the state can't be written, a download that breaks off begins anew.
            let _begins_anew = self.target.receipts.give(&self.folder);
        }
        Ok(())
    }

    /// The folder itself.
    pub(super) fn handle(&self) -> &DirHandle {
        &self.folder
    }

    /// What it is called in messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file that holds an archive's bytes.
    pub(super) fn open_archive(&self) -> Result<File> {
        let file = self.folder.open_file(Path::new(ARCHIVE), OFlag::O_RDWR | OFlag::O_CREAT);
        file.context(|| format!("write {}", self.path.join(ARCHIVE).display()))
    }

    /// Opens the tree that is being made, and makes it where there is none yet.
    pub(super) fn open_files(&self) -> Result<DirHandle> {
        let files = self.folder.make_folders(Path::new(FILES));
        files.context(|| format!("write {}", self.path.join(FILES).display()))
    }

    /// What has been fetched is of no use.
    pub(super) fn clear(&self) -> Result<()> {
        [JOURNAL, journal::NEW, manifest::LISTED, ARCHIVE, FILES].iter().try_for_each(|name| self.remove(name))
    }

    /// Takes away the tree that was being made of what was fetched.
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

    /// An error after which the same command can go on.
    pub(super) fn hint(&self, error: Error) -> Error {
        if self.holds_bytes() { error.hint(kept(&self.path, &self.target.again)) } else { error }
    }

    /// An error after which another command can go on.
    pub(super) fn hint_at(&self, error: Error, how: &str) -> Error {
        if self.holds_bytes() { error.hint(kept(&self.path, how)) } else { error }
    }

    /// Those of an archive, or, where there is none, files that are fetched as they are. What can't be looked at is kept.
    fn holds_bytes(&self) -> bool {
        let archive = self.folder.stat(ARCHIVE.as_ref());
        let is_empty = archive.is_ok_and(|archive| archive.is_none_or(|archive| archive.st_size == 0));
        !is_empty || self.keeps_files()
    }

    fn keeps_files(&self) -> bool {
        let keeps = || Ok::<_, Error>(!self.has(ARCHIVE)? && self.has(FILES)?);
        keeps().unwrap_or(true) && journal::is_begun(&self.folder).unwrap_or(true)
    }

    /// Gives what was made its final place.
    pub(super) fn finish(&self, made: &str) -> Result<()> {
        let place = &self.target.path;
        let before = self.parent.stat(self.target.name()).context(|| format!("look up {}", place.display()))?;
        if self.target.force && before.is_some() {
            self.remove(BEFORE)?;
            let replaced = self.parent.rename(self.target.name(), &self.folder, BEFORE.as_ref());
            replaced.context(|| format!("replace {}", place.display()))?;
        }
        let moved = self.folder.rename(made.as_ref(), &self.parent, self.target.name());
        moved.context(|| format!("create {}", place.display()))?;
        self.is_finished.store(true, Ordering::Relaxed);
        self.remove_all().context(|| format!("remove {}", self.path.display()))
    }

    fn remove_all(&self) -> io::Result<()> {
        self.target.receipts.take(&self.folder);
        self.parent.remove(&self.name)
    }
}

impl Drop for StagingDir {
    fn drop(&mut self) {
        // What can't be removed now is by the next download.
        if self.is_finished.load(Ordering::Relaxed) || self.keeps_files() {
            return;
        }
        if self.holds_bytes() {
            let _left = self.clear_files();
        } else {
            let _left = self.remove_all();
            // Only goes where nothing was ever downloaded.
            let _in_use = fs::remove_dir(self.target.parent());
        }
    }
}

/// Goes on with what was fetched to be unpacked, where the archive is now wanted as it is.
fn adopt(parent: &DirHandle, name: &OsStr, target: &Target) -> Result<()> {
    let Some(unpacked) = target.unpacked.as_deref().map(partial_name) else { return Ok(()) };
    let doing = || format!("look up {}", target.parent().display());
    if parent.stat(name).context(doing)?.is_some() {
        return Ok(());
    }
    // What is no folder, or another's, or in use, is left alone.
    let Ok(folder) = parent.folder(&unpacked) else { return Ok(()) };
    if folder.file().try_lock().is_ok() && is_own(folder.file()).context(doing)? && target.receipts.has(&folder) {
        parent.rename(&unpacked, parent, name).context(|| format!("take over {}", Path::new(&unpacked).display()))?;
    }
    Ok(())
}

fn is_own(folder: &File) -> io::Result<bool> {
    Ok(folder.metadata()?.uid() == geteuid().as_raw())
}

/// Returns whether nobody else could write to a folder until now; nobody can from now on. Some file systems have no modes.
fn make_private(folder: &File) -> io::Result<bool> {
    let mode = |folder: &File| Ok::<_, io::Error>(folder.metadata()?.permissions().mode() & 0o777);
    let before = mode(folder)?;
    if before == 0o700 {
        return Ok(true);
    }
    folder.set_permissions(Permissions::from_mode(0o700))?;
    Ok(mode(folder)? == before)
}

/// Makes the folder, for its owner alone, and takes it.
fn lock(parent: &DirHandle, name: &OsStr, path: &Path, of: &Path) -> Result<DirHandle> {
    loop {
        parent.make_folder(name, Mode::S_IRWXU).context(|| format!("create the folder {}", path.display()))?;
        let Some(folder) = open(parent, name, path)? else { continue };
        match folder.file().try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::failure(format!("another download of {} is running", of.display())));
            }
            Err(TryLockError::Error(error)) => return Err(error).context(|| format!("lock {}", path.display())),
        }
        // Whoever had it may have finished meanwhile, and taken the folder away.
        let doing = || format!("look up {}", path.display());
        let held = folder.file().metadata().context(doing)?;
        if parent.stat(name).context(doing)?.is_some_and(|there| there.st_ino == held.ino()) {
            return Ok(folder);
        }
    }
}

/// None where it has just been taken away.
fn open(parent: &DirHandle, name: &OsStr, path: &Path) -> Result<Option<DirHandle>> {
    let in_the_way = |why: &str| {
        Error::failure(format!("{} is in the way: {why}", path.display()))
            .hint("find out whose it is and remove it, or choose another folder with -d DIR")
    };
    let folder = match parent.folder(name) {
        Ok(folder) => folder,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) if parent.stat(name).is_ok_and(|stat| stat.is_some_and(|stat| !crate::archive::is_folder(&stat))) => {
            return Err(in_the_way("it is no folder"));
        }
        Err(error) => return Err(error).context(|| format!("open {}", path.display())),
    };
    if is_own(folder.file()).context(|| format!("look up {}", path.display()))? {
        return Ok(Some(folder));
    }
    Err(in_the_way("it belongs to another user"))
}
