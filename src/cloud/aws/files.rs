//! Files that the SDK reads for profiles and credentials, checked before it does.
//!
//! The SDK reads them whole and without a limit, while nothing else of the process goes on: a pipe would hang it, a device or
//! a file of gigabytes would fill the memory. A profile's file that it can't read, it takes for an absent one: another
//! account's credentials could then be the ones that are found.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::cloud::{CloudError, CloudResult};

/// The largest file that is read. One with a thousand profiles has some 200 KiB.
const MAX_MIB: u64 = 4;
const MAX_BYTES: u64 = MAX_MIB * 1024 * 1024;

/// The files, each with the variable that names it.
#[derive(Clone, Debug, Default)]
pub(crate) struct AwsConfigFiles {
    pub(crate) profiles: Vec<(&'static str, PathBuf)>,
    pub(crate) tokens: Vec<(&'static str, PathBuf)>,
    /// A folder whose `.json` files are tokens, too.
    pub(crate) sso_cache: PathBuf,
}

impl AwsConfigFiles {
    /// Fails with the first file that is there and must not, or can't, be read. An absent one is none. Of tokens, which not
    /// every source of credentials takes, only those fail that the SDK would not come back from.
    pub(super) fn check(&self) -> CloudResult<()> {
        for (variable, path) in &self.profiles {
            let hint = || format!("mend it, or set {variable} to another file; /dev/null is one without profiles");
            examine(path).map_err(|problem| problem.of(path, hint()))?;
        }
        for (variable, path) in &self.tokens {
            check_token(path, || format!("set {variable} to a file with a token, or unset it"))?;
        }
        self.check_sso_cache()
    }

    fn check_sso_cache(&self) -> CloudResult<()> {
        // The SDK says so itself where it needs a token that it can't get at.
        let Ok(entries) = self.sso_cache.read_dir() else { return Ok(()) };
        let paths = entries.flatten().map(|entry| entry.path());
        for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == "json")) {
            check_token(&path, || "remove it, and log in again: aws sso login".to_owned())?;
        }
        Ok(())
    }
}

fn check_token(path: &Path, hint: impl FnOnce() -> String) -> CloudResult<()> {
    let problem = examine(path).err().filter(FileProblem::is_without_end);
    problem.map_or(Ok(()), |problem| Err(problem.of(path, hint())))
}

/// The reason why a file isn't read.
#[derive(Debug)]
enum FileProblem {
    /// Not a file: what it is.
    Kind(&'static str),
    TooLarge,
    NotText,
    Unreadable(io::Error),
}

impl FileProblem {
    fn is_without_end(&self) -> bool {
        matches!(self, Self::Kind(_) | Self::TooLarge)
    }

    fn of(self, path: &Path, hint: String) -> CloudError {
        CloudError::Unusable { what: format!("{} {self}", path.display()), hint }
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => write!(f, "is {kind}, not a file"),
            Self::TooLarge => write!(f, "is larger than {MAX_MIB} MiB"),
            Self::NotText => f.write_str("is not UTF-8 text"),
            Self::Unreadable(error) => write!(f, "can't be read: {error}"),
        }
    }
}

fn examine(path: &Path) -> Result<(), FileProblem> {
    let file = match open(path) {
        Err(FileProblem::Unreadable(error)) if is_absence(&error) => return Ok(()),
        file => file?,
    };
    let Some(file) = file else { return Ok(()) };
    let mut text = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut text).map_err(FileProblem::Unreadable)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(FileProblem::TooLarge);
    }
    std::str::from_utf8(&text).map(drop).map_err(|_| FileProblem::NotText)
}

/// Opens a regular file; `None` is the null device. Whatever takes its place meanwhile is neither waited for nor read.
fn open(path: &Path) -> Result<Option<File>, FileProblem> {
    let about = path.metadata().map_err(FileProblem::Unreadable)?;
    if is_null(&about) {
        return Ok(None);
    }
    check_kind(&about)?;
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path);
    let file = file.map_err(FileProblem::Unreadable)?;
    check_kind(&file.metadata().map_err(FileProblem::Unreadable)?)?;
    Ok(Some(file))
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn is_null(about: &Metadata) -> bool {
    let null = Path::new("/dev/null").metadata();
    about.file_type().is_char_device() && null.is_ok_and(|null| null.rdev() == about.rdev())
}

/// Refuses what is no regular file, and one whose size says that it is too large. (Some systems' files tell no size.)
fn check_kind(about: &Metadata) -> Result<(), FileProblem> {
    let kind = about.file_type();
    if kind.is_file() {
        return if about.len() > MAX_BYTES { Err(FileProblem::TooLarge) } else { Ok(()) };
    }
    Err(FileProblem::Kind(if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn what_is_read_and_what_is_not() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        fs::write(path("full"), vec![b'a'; 4 * 1024 * 1024])?;
        fs::write(path("more"), vec![b'a'; 4 * 1024 * 1024 + 1])?;
        fs::write(path("binary"), b"\xff")?;
        fs::write(path("empty"), b"")?;
        let _socket = UnixListener::bind(path("socket"))?;
        std::os::unix::fs::symlink("loop", path("loop"))?;
        for fine in [path("full"), path("empty"), path("none"), path("full/none"), "".into(), "/dev/null".into()] {
            assert!(examine(&fine).is_ok(), "{}", fine.display());
        }
        for (name, words) in [
            ("more", "is larger than 4 MiB"),
            ("binary", "is not UTF-8 text"),
            ("socket", "is a socket, not a file"),
            ("loop", "can't be read: "),
            (".", "is a folder, not a file"),
            ("/dev/zero", "is a device, not a file"),
        ] {
            let told = examine(&path(name)).err().map(|problem| problem.to_string());
            assert!(told.as_ref().is_some_and(|told| told.starts_with(words)), "{name}: {told:?}");
        }
        Ok(())
    }

    /// Files of /proc tell no size.
    #[test]
    fn a_file_is_measured_by_what_it_holds() {
        assert!(matches!(examine(Path::new("/proc/self/maps")), Ok(())));
        assert!(matches!(examine(Path::new("/proc/self/mem")), Err(FileProblem::Unreadable(_))));
    }

    #[test]
    fn of_tokens_only_those_without_end_are_refused() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let binary = folder.path().join("binary");
        fs::write(&binary, b"\xff")?;
        let of = |path: PathBuf| AwsConfigFiles { tokens: vec![("TOKEN", path)], ..AwsConfigFiles::default() };
        assert!(of(binary).check().is_ok());
        assert!(of("/dev/zero".into()).check().is_err());
        Ok(())
    }
}
