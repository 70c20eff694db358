//! Receipts prove that a staging directory was created by this user's smtrain.
//!
//! A directory named `.NAME.partial` may also come from an unpacked archive or a cloned repository, and its content
//! would be taken for the model. Each staging directory therefore holds a random ID in a file, and a file of that name
//! exists in smtrain's state folder, where only this user can write.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::archive::DirHandle;
use crate::model::hex;

/// File in the staging directory that holds its random ID.
const ID_FILE: &str = "receipt";
/// Length of the ID, in bytes before hex encoding.
const ID_BYTES: usize = 16;

/// Receipts in this user's state folder.
#[derive(Clone, Debug)]
pub(super) struct Receipts {
    folder: PathBuf,
}

impl Receipts {
    /// `state` is this user's state folder.
    pub(super) fn new(state: &Path) -> Self {
        Self { folder: state.join("downloads") }
    }

    /// Returns true if the folder has a valid receipt; false also if it cannot be read.
    pub(super) fn has(&self, folder: &DirHandle) -> bool {
        id_of(folder).is_ok_and(|name| self.folder.join(name).symlink_metadata().is_ok_and(|file| file.is_file()))
    }

    /// Creates a receipt for a folder. Without one, an interrupted download starts over.
    pub(super) fn issue(&self, folder: &DirHandle) -> io::Result<()> {
        let mut random = [0; ID_BYTES];
        File::open("/dev/urandom")?.read_exact(&mut random)?;
        let name = hex(&random);
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.folder.join(&name))?;
        folder.remove(ID_FILE.as_ref())?;
        let how = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;
        folder.open_file(Path::new(ID_FILE), how)?.write_all(name.as_bytes())
    }

    /// Removes a folder's receipt, before the folder is removed. Errors are ignored.
    pub(super) fn revoke(&self, folder: &DirHandle) {
        if let Ok(name) = id_of(folder) {
            let _absent = fs::remove_file(self.folder.join(name));
            // Removes them only if they are empty.
            let _in_use = fs::remove_dir(&self.folder);
            let _in_use = self.folder.parent().map(fs::remove_dir);
        }
    }
}

/// Reads a folder's ID.
fn id_of(folder: &DirHandle) -> io::Result<String> {
    let file = folder.open_file(Path::new(ID_FILE), OFlag::O_RDONLY)?;
    let mut name = String::new();
    file.take(2 * ID_BYTES as u64 + 1).read_to_string(&mut name)?;
    let is_name = name.len() == 2 * ID_BYTES && name.bytes().all(|byte| byte.is_ascii_hexdigit());
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
        receipts.issue(&own)?;
        assert!(receipts.has(&own));
        for name in ["", "..", "0123", &"0".repeat(32), &"0".repeat(33)] {
            fs::write(other.join(ID_FILE), name)?;
            assert!(!receipts.has(&DirHandle::at(other)?), "{name}");
        }
        receipts.revoke(&own);
        assert!(!receipts.has(&own));
        Ok(())
    }
}
