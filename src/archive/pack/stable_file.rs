//! Opens files without following links, and reads them so that a change in the meantime is noticed.

use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use crate::archive::PackError;

/// Flags for files: never through a link that took the file's place, and without waiting for the other end of a fifo.
const OPEN_FLAGS: OFlag = OFlag::O_NOFOLLOW.union(OFlag::O_NONBLOCK).union(OFlag::O_CLOEXEC);

/// Identity of a file, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl From<&Metadata> for FileIdentity {
    fn from(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// Opens a file for reading. Fails for a link.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OPEN_FLAGS.bits()).open(path)
}

/// Opens a file or folder in an open folder for reading. Fails for a link.
pub(crate) fn open_in(folder: impl AsFd, name: &OsStr) -> io::Result<File> {
    Ok(openat(folder, name, OPEN_FLAGS | OFlag::O_RDONLY, Mode::empty())?.into())
}

/// Returns whether the open file is the one that `metadata` was read of, and not another one that took its name since.
pub(crate) fn is_same(file: &File, metadata: &Metadata) -> io::Result<bool> {
    let opened = file.metadata()?;
    Ok(FileIdentity::from(&opened) == FileIdentity::from(metadata) && opened.file_type() == metadata.file_type())
}

/// Size and modification time, which change when a file is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileStamp {
    pub(crate) size: u64,
    /// Seconds since 1970, and nanoseconds.
    modified: (i64, i64),
}

/// A file that is read once. Tests implement it by files that change.
pub(crate) trait StampedRead: Read {
    fn stamp(&self) -> io::Result<FileStamp>;
}

impl StampedRead for File {
    fn stamp(&self) -> io::Result<FileStamp> {
        let metadata = self.metadata()?;
        Ok(FileStamp { size: metadata.size(), modified: (metadata.mtime(), metadata.mtime_nsec()) })
    }
}

/// A reader of exactly as many bytes as the file had at the start. Fails if the file has changed by the end.
pub(crate) struct SteadyReader<S> {
    source: S,
    path: PathBuf,
    before: FileStamp,
    left: u64,
    failure: Option<PackError>,
}

impl<S: StampedRead> SteadyReader<S> {
    pub(crate) fn new(source: S, path: &Path) -> Result<Self, PackError> {
        let before = source.stamp().map_err(PackError::unreadable(path))?;
        Ok(Self { source, path: path.to_owned(), before, left: before.size, failure: None })
    }

    pub(crate) fn size(&self) -> u64 {
        self.before.size
    }

    /// Returns the error of a failed read: the `io::Error` of a copy does not tell reading from writing.
    pub(crate) fn take_failure(&mut self) -> Option<PackError> {
        self.failure.take()
    }

    /// Fails if the file was changed. To be called after the last byte.
    pub(crate) fn check_unchanged(&mut self) -> Result<(), PackError> {
        let beyond = self.source.read(&mut [0]).map_err(PackError::unreadable(&self.path))?;
        let after = self.source.stamp().map_err(PackError::unreadable(&self.path))?;
        if self.left > 0 || beyond > 0 || after != self.before {
            return Err(PackError::Changed(self.path.clone()));
        }
        Ok(())
    }

    /// Reads the whole file into memory.
    pub(crate) fn read_all(&mut self) -> Result<Vec<u8>, PackError> {
        let mut bytes = Vec::new();
        if let Err(source) = self.read_to_end(&mut bytes) {
            let path = self.path.clone();
            return Err(self.take_failure().unwrap_or(PackError::Unreadable { path, source }));
        }
        self.check_unchanged()?;
        Ok(bytes)
    }

    fn fail(&mut self, failure: PackError) -> io::Error {
        self.failure = Some(failure);
        io::Error::other("the file could not be read to its end")
    }
}

impl<S: StampedRead> Read for SteadyReader<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        match self.source.read(&mut buffer[..wanted]) {
            Ok(0) => Err(self.fail(PackError::Changed(self.path.clone()))),
            Ok(count) => {
                self.left -= count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(source) => Err(self.fail(PackError::Unreadable { path: self.path.clone(), source })),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::tests::TestResult;

    /// A real file to which something is done after its first read.
    struct Meddled<F: FnMut() -> io::Result<()>> {
        file: File,
        meddle: F,
    }

    impl<F: FnMut() -> io::Result<()>> Read for Meddled<F> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.file.read(buffer)?;
            (self.meddle)()?;
            Ok(count)
        }
    }

    impl<F: FnMut() -> io::Result<()>> StampedRead for Meddled<F> {
        fn stamp(&self) -> io::Result<FileStamp> {
            self.file.stamp()
        }
    }

    fn read_meddled(meddle: impl Fn(&Path) -> io::Result<()>) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("data.bin");
        std::fs::write(&path, vec![b'x'; 100_000])?;
        let source = Meddled { file: open(&path)?, meddle: || meddle(&path) };
        Ok(SteadyReader::new(source, &path)?.read_all()?)
    }

    fn is_changed(result: Result<Vec<u8>, Box<dyn std::error::Error>>) -> bool {
        result.is_err_and(
            |error| matches!(error.downcast_ref(), Some(PackError::Changed(path)) if path.ends_with("data.bin")),
        )
    }

    #[test]
    fn a_file_left_alone_is_read_whole() -> TestResult {
        assert_eq!(read_meddled(|_| Ok(()))?.len(), 100_000);
        Ok(())
    }

    #[test]
    fn a_file_that_grows_is_noticed() {
        assert!(is_changed(read_meddled(|path| OpenOptions::new().append(true).open(path)?.write_all(b"more"))));
    }

    #[test]
    fn a_file_that_shrinks_is_noticed() {
        assert!(is_changed(read_meddled(|path| OpenOptions::new().write(true).open(path)?.set_len(10))));
    }

    #[test]
    fn a_file_rewritten_at_the_same_size_is_noticed() {
        let later = std::time::SystemTime::now() + std::time::Duration::from_mins(1);
        assert!(is_changed(read_meddled(|path| OpenOptions::new().write(true).open(path)?.set_modified(later))));
    }

    /// A file on a disk that fails: permissions would not do, since root reads everything.
    struct Failing(File);

    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(nix::errno::Errno::EIO.into())
        }
    }

    impl StampedRead for Failing {
        fn stamp(&self) -> io::Result<FileStamp> {
            self.0.stamp()
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() -> TestResult {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("bad.bin");
        std::fs::write(&path, "x")?;
        let error = SteadyReader::new(Failing(open(&path)?), &path)?.read_all();
        assert!(matches!(error, Err(PackError::Unreadable { path, .. }) if path.ends_with("bad.bin")));
        Ok(())
    }

    #[test]
    fn another_file_of_the_same_name_is_not_the_same() -> TestResult {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a");
        std::fs::write(&path, "one")?;
        let looked_at = path.symlink_metadata()?;
        assert!(is_same(&open(&path)?, &looked_at)?);
        std::fs::write(folder.path().join("b"), "two")?;
        std::fs::rename(folder.path().join("b"), &path)?;
        assert!(!is_same(&open(&path)?, &looked_at)?);
        Ok(())
    }

    #[test]
    fn a_link_in_the_place_of_a_file_is_not_followed() -> TestResult {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("a"), "a")?;
        std::os::unix::fs::symlink("a", folder.path().join("b"))?;
        assert!(open(&folder.path().join("b")).is_err());
        assert!(open_in(&File::open(folder.path())?, OsStr::new("b")).is_err());
        Ok(())
    }
}
