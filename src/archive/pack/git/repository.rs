//! Finds the git repository around a folder by its files: runs no program and reads no configuration.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::model::is_own;

/// Maximum size of a file that holds a reference or a path, in bytes.
const MAX_POINTER_BYTES: u64 = 16 * 1024;

/// The folders of a repository (gitrepository-layout(5)).
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    pub(crate) work_tree: PathBuf,
    /// Holds HEAD and the index.
    pub(crate) git_dir: PathBuf,
    /// Holds objects and refs; another folder than `git_dir` for a linked work tree.
    pub(crate) common_dir: PathBuf,
}

/// A folder's surroundings, as far as git is concerned.
pub(super) enum Surroundings {
    Nothing,
    Repository(Repository),
    /// A `.git` that is not read, and why.
    Unknown(PathBuf, &'static str),
}

impl Repository {
    /// Returns the innermost repository around `folder`. A repository of another user ends the search, as it does for
    /// git.
    ///
    /// Bare repositories are not recognized: files named `HEAD`, `objects` and `config` may be part of any project.
    pub(crate) fn around(folder: &Path) -> io::Result<Option<Self>> {
        let folder = fs::canonicalize(folder)?;
        for work_tree in folder.ancestors() {
            let dot_git = work_tree.join(".git");
            let Some(git_dir) = git_dir(&dot_git)? else { continue };
            let is_ours = is_own(&fs::symlink_metadata(&dot_git)?) && is_own(&fs::metadata(&git_dir)?);
            return if is_ours { Self::at(work_tree, git_dir).map(Some) } else { Ok(None) };
        }
        Ok(None)
    }

    /// Returns the innermost repository around a folder of sources, or why it can't be read. Beside this user's own and
    /// root's, a repository is read that belongs to the owner of the sources: who packs those believes their owner.
    pub(super) fn of_sources(folder: &Path) -> io::Result<Surroundings> {
        let owner = fs::metadata(folder)?.uid();
        let is_trusted = |about: &Metadata| is_own(about) || about.uid() == owner;
        for work_tree in folder.ancestors() {
            let dot_git = work_tree.join(".git");
            let Ok(about) = fs::symlink_metadata(&dot_git) else { continue };
            let git_dir = match git_dir(&dot_git)? {
                Some(git_dir) => git_dir,
                None if is_unreadable(&dot_git) => return Ok(Surroundings::Unknown(dot_git, "can't be read")),
                None if about.is_file() => return Ok(Surroundings::Unknown(dot_git, "leads to no repository")),
                None => continue,
            };
            if is_trusted(&about) && is_trusted(&fs::metadata(&git_dir)?) {
                return Self::at(work_tree, git_dir).map(Surroundings::Repository);
            }
            return Ok(Surroundings::Unknown(dot_git, "belongs to another user"));
        }
        Ok(Surroundings::Nothing)
    }

    fn at(work_tree: &Path, git_dir: PathBuf) -> io::Result<Self> {
        let common_dir = match read_pointer(&git_dir.join("commondir"))? {
            Some(path) => git_dir.join(path),
            None => git_dir.clone(),
        };
        Ok(Self { work_tree: work_tree.to_owned(), git_dir, common_dir })
    }

    /// Returns the text of HEAD.
    pub(crate) fn head(&self) -> io::Result<OsString> {
        read_pointer(&self.git_dir.join("HEAD"))?.ok_or_else(|| io::Error::other("the repository has no HEAD"))
    }
}

/// Returns whether this user may not look into a `.git` directory.
fn is_unreadable(dot_git: &Path) -> bool {
    fs::metadata(dot_git.join("HEAD")).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

/// Resolves `.git`: a directory, or a file with the path of one. Returns `None` if there is no repository.
fn git_dir(dot_git: &Path) -> io::Result<Option<PathBuf>> {
    let about = match fs::metadata(dot_git) {
        Ok(about) => about,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error),
    };
    let git_dir = if about.is_dir() {
        dot_git.to_owned()
    } else {
        let Some(text) = read_pointer(dot_git)? else { return Ok(None) };
        let Some(path) = text.as_bytes().strip_prefix(b"gitdir: ") else { return Ok(None) };
        dot_git.parent().unwrap_or(Path::new("/")).join(OsStr::from_bytes(path))
    };
    Ok(git_dir.join("HEAD").is_file().then_some(git_dir))
}

/// Reads a short file without its line end. Returns `None` if it does not exist. Fails for anything but a regular file.
fn read_pointer(path: &Path) -> io::Result<Option<OsString>> {
    match fs::metadata(path) {
        Ok(about) if about.is_file() => {}
        Ok(_) => return Err(io::Error::other(format!("{} is not a file", path.display()))),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut text = Vec::new();
    fs::File::open(path)?.take(MAX_POINTER_BYTES).read_to_end(&mut text)?;
    Ok(Some(OsString::from_vec(text.trim_ascii_end().to_vec())))
}
