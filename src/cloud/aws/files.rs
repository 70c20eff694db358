//! Checks the files that the SDK reads for profiles and credentials, before it reads them.
//!
//! The SDK reads them whole, without a limit, and blocks the process: a FIFO would hang it, a device or a file of
//! gigabytes would exhaust the memory. It treats a profile file that it can't read as absent, so that credentials of
//! another account could be used.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::cloud::{CloudError, CloudResult};

/// Maximum size of a file, in MiB. A file with a thousand profiles has some 200 KiB.
const MAX_MIB: u64 = 4;
const MAX_BYTES: u64 = MAX_MIB * 1024 * 1024;

/// The files to check, each with the environment variable that names it.
#[derive(Clone, Debug, Default)]
pub(crate) struct AwsConfigFiles {
    pub(crate) profiles: Vec<(&'static str, PathBuf)>,
    pub(crate) tokens: Vec<(&'static str, PathBuf)>,
    /// Folder whose `.json` files are SSO tokens.
    pub(crate) sso_cache: PathBuf,
}

impl AwsConfigFiles {
    /// Returns the files of profiles that exist, each with its variable and its text. Fails with the first file that
    /// exists and can't or must not be read. Tokens, which not every source of credentials uses, fail only if the SDK
    /// would hang on them.
    pub(super) fn read(&self) -> CloudResult<Vec<(&'static str, &Path, String)>> {
        let mut texts = Vec::new();
        for (variable, path) in &self.profiles {
            let hint = || format!("repair it, or set {variable} to another file; /dev/null has no profiles");
            let text = read(path).map_err(|problem| problem.of(path, hint()))?;
            texts.extend(text.map(|text| (*variable, path.as_path(), text)));
        }
        for (variable, path) in &self.tokens {
            check_token(path, || format!("set {variable} to a file with a token, or unset it"))?;
        }
        self.check_sso_cache()?;
        Ok(texts)
    }

    fn check_sso_cache(&self) -> CloudResult<()> {
        // If the SDK needs a token that it can't read, its own error says so.
        let Ok(entries) = self.sso_cache.read_dir() else { return Ok(()) };
        let paths = entries.flatten().map(|entry| entry.path());
        for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == "json")) {
            check_token(&path, || "remove it, and log in again: aws sso login".to_owned())?;
        }
        Ok(())
    }
}

/// Fails if the SDK would hang on a token's file.
pub(super) fn check_token(path: &Path, hint: impl FnOnce() -> String) -> CloudResult<()> {
    let problem = check_file(path).err().filter(FileProblem::would_hang);
    problem.map_or(Ok(()), |problem| Err(problem.of(path, hint())))
}

/// Reason why a file isn't read.
#[derive(Debug)]
enum FileProblem {
    /// Not a regular file; the kind of file it is.
    Kind(&'static str),
    TooLarge,
    NotText,
    Unreadable(io::Error),
}

impl FileProblem {
    fn would_hang(&self) -> bool {
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

/// Returns the text of a file that must exist.
pub(super) fn required_text(path: &Path, hint: impl FnOnce() -> String) -> CloudResult<String> {
    match read(path) {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err(CloudError::Unusable { what: format!("there is no file {}", path.display()), hint: hint() }),
        Err(problem) => Err(problem.of(path, hint())),
    }
}

fn check_file(path: &Path) -> Result<(), FileProblem> {
    read(path).map(drop)
}

/// Reads a file. Returns `None` if it is absent.
fn read(path: &Path) -> Result<Option<String>, FileProblem> {
    let file = match open(path) {
        Err(FileProblem::Unreadable(error)) if is_absence(path, &error) => return Ok(None),
        file => file?,
    };
    let Some(file) = file else { return Ok(None) };
    let mut text = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut text).map_err(FileProblem::Unreadable)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(FileProblem::TooLarge);
    }
    String::from_utf8(text).map(Some).map_err(|_| FileProblem::NotText)
}

/// Opens a regular file. Returns `None` for `/dev/null`. Never blocks, even if the file is replaced in the meantime.
fn open(path: &Path) -> Result<Option<File>, FileProblem> {
    let metadata = path.metadata().map_err(FileProblem::Unreadable)?;
    if is_null(&metadata) {
        return Ok(None);
    }
    check_kind(&metadata)?;
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path);
    let file = file.map_err(FileProblem::Unreadable)?;
    check_kind(&file.metadata().map_err(FileProblem::Unreadable)?)?;
    Ok(Some(file))
}

/// Returns whether nothing is at a path. A file in the place of its folder is a mistake; one further up, such as a home
/// folder `/dev/null`, is not.
fn is_absence(path: &Path, error: &io::Error) -> bool {
    let is_in_file = || path.parent().and_then(|parent| parent.metadata().ok()).is_some_and(|parent| parent.is_file());
    match error.kind() {
        ErrorKind::NotFound => true,
        ErrorKind::NotADirectory => !is_in_file(),
        _ => false,
    }
}

fn is_null(metadata: &Metadata) -> bool {
    let null = Path::new("/dev/null").metadata();
    metadata.file_type().is_char_device() && null.is_ok_and(|null| null.rdev() == metadata.rdev())
}

/// Fails unless the file is regular and within the size limit. (Files in `/proc` report no size.)
fn check_kind(metadata: &Metadata) -> Result<(), FileProblem> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return if metadata.len() > MAX_BYTES { Err(FileProblem::TooLarge) } else { Ok(()) };
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
        for fine in [path("full"), path("empty"), path("none"), path("full/none/a"), "".into(), "/dev/null".into()] {
            assert!(check_file(&fine).is_ok(), "{}", fine.display());
        }
        for (name, words) in [
            ("more", "is larger than 4 MiB"),
            ("binary", "is not UTF-8 text"),
            ("socket", "is a socket, not a file"),
            ("loop", "can't be read: "),
            (".", "is a folder, not a file"),
            ("full/none", "can't be read: "),
            ("/dev/zero", "is a device, not a file"),
        ] {
            let problem = check_file(&path(name)).err().map(|problem| problem.to_string());
            assert!(problem.as_ref().is_some_and(|problem| problem.starts_with(words)), "{name}: {problem:?}");
        }
        Ok(())
    }

    /// Files in `/proc` report no size.
    #[test]
    fn a_file_is_measured_by_what_it_holds() {
        assert!(matches!(check_file(Path::new("/proc/self/maps")), Ok(())));
        assert!(matches!(check_file(Path::new("/proc/self/mem")), Err(FileProblem::Unreadable(_))));
    }

    #[test]
    fn of_tokens_only_those_without_end_are_refused() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let binary = folder.path().join("binary");
        fs::write(&binary, b"\xff")?;
        let of = |path: PathBuf| AwsConfigFiles { tokens: vec![("TOKEN", path)], ..AwsConfigFiles::default() };
        assert!(of(binary).read().is_ok());
        assert!(of("/dev/zero".into()).read().is_err());
        Ok(())
    }
}
