//! Which folders of interrupted downloads are this user's own. Anybody can put a folder of that name beside a download's
//! place, by an archive or a repository that is unpacked there: what lies in it would be taken for the model.
//!
//! A folder bears a random name, and a file of that name stands among smtrain's own state, where only this user writes.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::archive::DirHandle;
use crate::model::hex;

/// The file that holds a folder's random name.
const NAME: &str = "receipt";
const RANDOM_BYTES: usize = 16;

#[derive(Clone, Debug)]
pub(super) struct Receipts {
    folder: PathBuf,
}

impl Receipts {
    /// `state` is where this user's own state is kept.
    pub(super) fn new(state: &Path) -> Self {
        Self { folder: state.join("downloads") }
    }

    /// Returns whether a folder was made here. What can't be read proves nothing.
    pub(super) fn has(&self, folder: &DirHandle) -> bool {
        name_of(folder).is_ok_and(|name| self.folder.join(name).symlink_metadata().is_ok_and(|file| file.is_file()))
    }

    /// Gives a folder its name. Without one, nothing is lost but that a download can go on from what lies in it.
    pub(super) fn give(&self, folder: &DirHandle) -> io::Result<()> {
        let mut random = [0; RANDOM_BYTES];
        File::open("/dev/urandom")?.read_exact(&mut random)?;
        let name = hex(&random);
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.folder.join(&name))?;
        folder.remove(NAME.as_ref())?;
        let how = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;
        folder.open_file(Path::new(NAME), how)?.write_all(name.as_bytes())
    }

    /// A folder is about to go.
    pub(super) fn take(&self, folder: &DirHandle) {
        if let Ok(name) = name_of(folder) {
            let _absent = fs::remove_file(self.folder.join(name));
            // These only go where they hold nothing.
            let _in_use = fs::remove_dir(&self.folder);
            let _in_use = self.folder.parent().map(fs::remove_dir);
        }
    }
}

fn name_of(folder: &DirHandle) -> io::Result<String> {
    let file = folder.open_file(Path::new(NAME), OFlag::O_RDONLY)?;
    let mut name = String::new();
    file.take(2 * RANDOM_BYTES as u64 + 1).read_to_string(&mut name)?;
    let is_name = name.len() == 2 * RANDOM_BYTES && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_name { Ok(name) } else { Err(io::ErrorKind::InvalidData.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_that_was_given_a_receipt_has_one() -> io::Result<()> {
        let state = tempfile::tempdir()?;
        let receipts = Receipts::new(&state.path().join("smtrain"));
        let (own, planted) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let (own, other) = (DirHandle::at(own.path())?, planted.path());
        assert!(!receipts.has(&own));
        receipts.give(&own)?;
        assert!(receipts.has(&own));
        for name in ["", "..", "0123", &"0".repeat(32), &"0".repeat(33)] {
            fs::write(other.join(NAME), name)?;
            assert!(!receipts.has(&DirHandle::at(other)?), "{name}");
        }
        receipts.take(&own);
        assert!(!receipts.has(&own));
        Ok(())
    }
}
