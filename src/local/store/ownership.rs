//! Checks that no other user can have changed what a job is given: objects and environments, which are believed by
//! their names.
//!
//! The folders above them, up to the state folder, are checked before any command starts a job.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{AccessFlags, Uid, User, access, geteuid};

use crate::local::{LocalError, LocalResult};
use crate::model::is_own;

/// Mode bit by which every user may write (inode(7)).
const WRITABLE_BY_ALL: u32 = 0o002;

/// Fails if a file or folder, or a link to it, belongs to another user, or if every user may write to it. A path that
/// doesn't exist passes.
pub(crate) fn check(path: &Path) -> LocalResult<()> {
    for about in [path.symlink_metadata(), path.metadata()] {
        if let Some(about) = found(path, about)? {
            check_metadata(path, &about)?;
        }
    }
    Ok(())
}

/// Fails like [`check`], and if there is anything but a folder at the path.
pub(crate) fn check_dir(path: &Path) -> LocalResult<()> {
    let Some(about) = found(path, path.symlink_metadata())? else { return Ok(()) };
    if !about.is_dir() {
        return Err(distrusted(&format!("{} is not a folder", path.display())));
    }
    check_metadata(path, &about)
}

/// Fails if a folder is another user's, and this user may not write to it. A path that doesn't exist passes.
pub(crate) fn check_writable(path: &Path) -> LocalResult<()> {
    let Some(about) = found(path, path.metadata())? else { return Ok(()) };
    if about.uid() == geteuid().as_raw() || access(path, AccessFlags::W_OK).is_ok() {
        return Ok(());
    }
    Err(LocalError::Unusable {
        what: format!(
            "no local job is run from another user's state folder: {} belongs to {}",
            path.display(),
            user_name(about.uid())
        ),
        hint: "set SMTRAIN_HOME to a folder of your own, or have the folder given to you: chown".to_owned(),
    })
}

/// Returns the name of a user, or the number of one that this computer doesn't know.
fn user_name(uid: u32) -> String {
    let known = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    known.map_or_else(|| format!("the user {uid}"), |user| user.name)
}

/// Builds the error that no job is run from a folder, for a reason.
pub(crate) fn distrusted(reason: &str) -> LocalError {
    LocalError::Unusable {
        what: format!("no local job is run from a state folder that other users can change: {reason}"),
        hint: "set SMTRAIN_HOME to a folder of your own, or repair its owner and mode: chown, chmod o-w".to_owned(),
    }
}

/// Returns the metadata; `None` if nothing is there.
fn found(path: &Path, about: io::Result<Metadata>) -> LocalResult<Option<Metadata>> {
    match about {
        Ok(about) => Ok(Some(about)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(LocalError::io(format!("look up {}", path.display()))(error)),
    }
}

fn check_metadata(path: &Path, about: &Metadata) -> LocalResult<()> {
    if !is_own(about) {
        return Err(distrusted(&format!("{} belongs to another user", path.display())));
    }
    // A link has no mode of its own.
    if !about.is_symlink() && about.mode() & WRITABLE_BY_ALL != 0 {
        return Err(distrusted(&format!("everybody may write to {}", path.display())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;
    use crate::tests::TestResult;

    #[test]
    fn what_others_can_write_is_refused() -> TestResult {
        let root = tempfile::tempdir()?;
        let folder = root.path().join("folder");
        assert!(check(&folder).is_ok() && check_dir(&folder).is_ok(), "absent");
        fs::create_dir(&folder)?;
        for (mode, is_refused) in [(0o700, false), (0o775, false), (0o777, true), (0o702, true), (0o1777, true)] {
            fs::set_permissions(&folder, Permissions::from_mode(mode))?;
            assert_eq!(check(&folder).is_err(), is_refused, "{mode:o}");
            assert_eq!(check_dir(&folder).is_err(), is_refused, "{mode:o}");
        }
        fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        let link = root.path().join("link");
        symlink(&folder, &link)?;
        assert!(check(&link).is_ok() && check_dir(&link).is_err());
        // Only root can give a folder away.
        if geteuid().is_root() {
            chown(&folder, Some(1234), None)?;
            assert!(check(&folder).is_err() && check_dir(&folder).is_err() && check(&link).is_err());
        }
        Ok(())
    }
}
