//! The files of the state folder: regular files that only their owner can read.
//!
//! Anything may stand in a file's place: a fifo blocks whoever opens it, a link leads elsewhere. Files are opened without
//! following a link (O_NOFOLLOW) and without blocking (O_NONBLOCK); what is no regular file is an error. A file that is
//! created has mode 0600 whatever the umask grants others.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::OnceLock;

use nix::libc;
use nix::sys::stat::{self, Mode};

/// The most that is read of a file into memory, in bytes.
const MAX_READ: u64 = 64 << 20;

/// Opens a regular file. The options say what for, and whether it is created.
pub(crate) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let opened = options.mode(0o600).custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW).open(path);
    let file = opened.map_err(|error| match error.raw_os_error() {
        Some(libc::ELOOP) => io::Error::other("it is a symbolic link"),
        // A socket, or a fifo that nobody reads.
        Some(libc::ENXIO) => not_regular(),
        _ => error,
    })?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(not_regular()) }
}

fn not_regular() -> io::Error {
    io::Error::other("it is not a regular file")
}

/// The whole of a regular file.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = open(path, File::options().read(true))?;
    let mut bytes = Vec::new();
    file.take(MAX_READ + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_READ { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// Creates a file, or empties the one that is there, for writing.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    open(path, File::options().write(true).create(true).truncate(true))
}

/// Returns the umask that this process was started with.
pub(crate) fn umask() -> Mode {
    static UMASK: OnceLock<Mode> = OnceLock::new();
    *UMASK.get_or_init(|| {
        // The system tells it only in exchange for another one.
        let umask = stat::umask(Mode::S_IRWXG | Mode::S_IRWXO);
        stat::umask(umask);
        umask
    })
}

/// Returns whether anything has this name, a broken link too. An error where that can't be told.
pub(crate) fn is_there(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use nix::unistd::mkfifo;

    use super::*;

    #[test]
    fn only_regular_files_are_opened_and_nothing_is_waited_for() -> Result<(), Box<dyn std::error::Error>> {
        let root = tempfile::tempdir()?;
        let path = |name: &str| root.path().join(name);
        mkfifo(&path("fifo"), Mode::S_IRWXU)?;
        let _socket = UnixListener::bind(path("socket"))?;
        fs::create_dir(path("folder"))?;
        symlink("/dev/zero", path("link"))?;
        for name in ["fifo", "socket", "folder", "link"] {
            assert!(read(&path(name)).is_err(), "{name}");
            assert!(open(&path(name), File::options().create(true).append(true)).is_err(), "{name}");
            assert!(create(&path(name)).is_err() && is_there(&path(name))?, "{name}");
        }
        fs::write(path("file"), "text")?;
        assert_eq!(read(&path("file"))?, b"text");
        assert!(!is_there(&path("none"))? && !is_there(&path("file/below"))?);
        drop(create(&path("new"))?);
        assert_eq!(fs::metadata(path("new"))?.permissions().mode() & 0o777, 0o600);
        Ok(())
    }
}
