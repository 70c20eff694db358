//! Files of the state folder: regular files that only their owner can read.
//!
//! A file may have been replaced by a FIFO, which blocks its opener, or by a link that leads elsewhere. Files are
//! therefore opened without following links (O_NOFOLLOW) and without blocking (O_NONBLOCK), and anything but a regular
//! file is an error. A created file has mode 0600 whatever the umask.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::OnceLock;

use nix::libc;
use nix::sys::stat::{self, Mode};

/// Maximum size of a file that is read into memory, in bytes.
const MAX_READ_BYTES: u64 = 64 << 20;

/// Opens a regular file. `options` say for what, and whether to create it.
pub(crate) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let opened = options.mode(0o600).custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW).open(path);
    let file = opened.map_err(|error| match error.raw_os_error() {
        Some(libc::ELOOP) => io::Error::other("it is a symbolic link"),
        // A socket, or a FIFO without reader.
        Some(libc::ENXIO) => not_regular(),
        _ => error,
    })?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(not_regular()) }
}

fn not_regular() -> io::Error {
    io::Error::other("it is not a regular file")
}

/// Reads a whole regular file.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = open(path, File::options().read(true))?;
    let mut bytes = Vec::new();
    file.take(MAX_READ_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_READ_BYTES { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// Creates a file, or truncates an existing one, for writing.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    open(path, File::options().write(true).create(true).truncate(true))
}

/// Returns the process's initial umask.
pub(crate) fn umask() -> Mode {
    static UMASK: OnceLock<Mode> = OnceLock::new();
    *UMASK.get_or_init(|| {
        // `umask(2)` returns the old value only while it sets a new one.
        let umask = stat::umask(Mode::S_IRWXG | Mode::S_IRWXO);
        stat::umask(umask);
        umask
    })
}

/// Returns whether the path exists, even as a dangling link. Fails if that can't be determined.
pub(crate) fn exists(path: &Path) -> io::Result<bool> {
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
            assert!(create(&path(name)).is_err() && exists(&path(name))?, "{name}");
        }
        fs::write(path("file"), "text")?;
        assert_eq!(read(&path("file"))?, b"text");
        assert!(!exists(&path("none"))? && !exists(&path("file/below"))?);
        drop(create(&path("new"))?);
        assert_eq!(fs::metadata(path("new"))?.permissions().mode() & 0o777, 0o600);
        Ok(())
    }
}
