//! Staging directory of objects: beside the buckets, where no key leads, and on the same file system, for atomic
//! renames.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

use super::layout::{Home, create_private_dir};
use super::ownership;
use crate::local::{LocalError, LocalResult};

/// The staging directory, in use. Files that a killed process left are removed by the next process that finds the
/// directory unused.
pub(crate) struct Staging {
    folder: PathBuf,
    /// Shared lock of all users. A process that gets it exclusively may clean up.
    _lock: File,
}

impl Staging {
    pub(crate) fn open(home: &Home) -> LocalResult<Self> {
        home.check_writing()?;
        let folder = home.staging();
        create_private_dir(&folder)?;
        ownership::check_dir(&folder)?;
        let lock = || {
            let lock = File::open(&folder)?;
            if lock.try_lock().is_ok() {
                remove_leftovers(&folder);
            }
            lock.lock_shared()?;
            Ok(lock)
        };
        let lock = lock().map_err(LocalError::io(format!("lock {}", folder.display())))?;
        Ok(Self { folder, _lock: lock })
    }

    pub(crate) fn new_file(&self) -> LocalResult<NamedTempFile> {
        NamedTempFile::new_in(&self.folder)
            .map_err(LocalError::io(format!("create a file in {}", self.folder.display())))
    }

    pub(crate) fn new_folder(&self) -> LocalResult<TempDir> {
        let private = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().permissions(private).tempdir_in(&self.folder);
        folder.map_err(LocalError::io(format!("create a folder in {}", self.folder.display())))
    }

    /// Moves a file to its final path, replacing any other, atomically.
    pub(crate) fn store_file(file: NamedTempFile, path_to: &Path) -> LocalResult<()> {
        create_private_dir(path_to.parent().unwrap_or(path_to))?;
        let stored = file.persist(path_to).map_err(|error| error.error);
        stored.map(drop).map_err(LocalError::io(format!("store {}", path_to.display())))
    }

    /// Moves a folder to its final path, replacing any other. It appears with all its files at once.
    pub(crate) fn store_folder(&self, folder: TempDir, path_to: &Path) -> LocalResult<()> {
        create_private_dir(path_to.parent().unwrap_or(path_to))?;
        let before = self.new_folder()?;
        let store = || {
            match fs::rename(path_to, before.path()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            fs::rename(folder.path(), path_to)
        };
        store().map_err(LocalError::io(format!("store {}", path_to.display())))?;
        let _stored = folder.keep();
        Ok(())
    }
}

/// Removes leftover files. Errors don't matter.
fn remove_leftovers(folder: &Path) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        let _left = if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::TestResult;

    #[test]
    fn what_a_killed_process_left_goes_once_nobody_uses_the_folder() -> TestResult {
        let root = tempfile::tempdir()?;
        let home = Home::new(root.path().to_owned());
        let first = Staging::open(&home)?;
        let left = [home.staging().join("file"), home.staging().join("folder/deep")];
        fs::write(&left[0], "half")?;
        fs::create_dir_all(&left[1])?;
        let second = Staging::open(&home)?;
        assert!(left.iter().all(|path| path.exists()), "another process may be at work on them");
        drop((first, second));
        Staging::open(&home)?;
        assert_eq!(home.staging().read_dir()?.count(), 0);
        Ok(())
    }

    #[test]
    fn a_folder_replaces_what_was_there() -> TestResult {
        let root = tempfile::tempdir()?;
        let staging = Staging::open(&Home::new(root.path().to_owned()))?;
        let path_to = root.path().join("s3/bucket/model");
        for name in ["old", "new"] {
            let folder = staging.new_folder()?;
            fs::write(folder.path().join(name), "")?;
            staging.store_folder(folder, &path_to)?;
        }
        assert!(path_to.join("new").exists() && !path_to.join("old").exists());
        assert_eq!(staging.folder.read_dir()?.count(), 0);
        Ok(())
    }
}
