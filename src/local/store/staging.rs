//! Where objects are made before they are stored: beside the buckets, so that no key leads there, and on their disk.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

use super::layout::{Home, create_private_dir};
use crate::local::{LocalError, LocalResult};

/// The staging folder, in use. What a killed process has left in it is removed by the next one that finds it unused.
pub(crate) struct Staging {
    folder: PathBuf,
    /// Shared by all who use the folder; whoever gets it alone may clear up.
    _lock: File,
}

impl Staging {
    pub(crate) fn open(home: &Home) -> LocalResult<Self> {
        home.check_writing()?;
        let folder = home.staging();
        create_private_dir(&folder)?;
        let lock = || {
            let lock = File::open(&folder)?;
            if lock.try_lock().is_ok() {
                clear(&folder);
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

    /// Gives a file its final place, in the place of any other.
    pub(crate) fn store_file(file: NamedTempFile, place: &Path) -> LocalResult<()> {
        create_private_dir(place.parent().unwrap_or(place))?;
        let stored = file.persist(place).map_err(|error| error.error);
        stored.map(drop).map_err(LocalError::io(format!("store {}", place.display())))
    }

    /// Gives a folder its final place, in the place of any other: all of it is seen at once.
    pub(crate) fn store_folder(&self, folder: TempDir, place: &Path) -> LocalResult<()> {
        create_private_dir(place.parent().unwrap_or(place))?;
        let before = self.new_folder()?;
        let store = || {
            match fs::rename(place, before.path()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            fs::rename(folder.path(), place)
        };
        store().map_err(LocalError::io(format!("store {}", place.display())))?;
        let _stored = folder.keep();
        Ok(())
    }
}

/// Whatever can't be removed does no harm.
fn clear(folder: &Path) {
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
        let place = root.path().join("s3/bucket/model");
        for name in ["old", "new"] {
            let folder = staging.new_folder()?;
            fs::write(folder.path().join(name), "")?;
            staging.store_folder(folder, &place)?;
        }
        assert!(place.join("new").exists() && !place.join("old").exists());
        assert_eq!(staging.folder.read_dir()?.count(), 0);
        Ok(())
    }
}
