//! Tells which files of an archive a git repository tracks: git's ignore files don't apply to those.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::index::{self, IndexContent};
use super::repository::{Repository, Surroundings};
use crate::archive::PackError;

/// A git work tree around a folder of the archive.
pub(crate) struct WorkTree {
    /// `None` if it can't be read.
    repository: Option<Repository>,
    /// The reason for which the tracked files are unknown.
    pub(crate) doubt: Option<String>,
    /// The folder's path in the archive.
    folder: PathBuf,
    /// The folder's path in the work tree, with a slash at the end unless it is empty.
    prefix: Vec<u8>,
    /// Names of tracked files below the folder, as in the index, sorted. `None` before they are read.
    tracked: Option<Vec<Vec<u8>>>,
}

impl WorkTree {
    /// Returns the innermost work tree around `path`, whose path in the archive is `folder`.
    pub(crate) fn around(path: &Path, folder: &Path) -> Result<Option<Self>, PackError> {
        let real = path.canonicalize().map_err(PackError::unreadable(path))?;
        let tree = Self { repository: None, doubt: None, folder: folder.to_owned(), prefix: Vec::new(), tracked: None };
        match Repository::of_sources(&real).map_err(PackError::unreadable(path.join(".git")))? {
            Surroundings::Nothing => Ok(None),
            Surroundings::Unknown(dot_git, why) => {
                Ok(Some(Self { doubt: Some(format!("{} {why}", dot_git.display())), ..tree }))
            }
            Surroundings::Repository(repository) => {
                let below = real.strip_prefix(&repository.work_tree).unwrap_or(Path::new(""));
                let mut prefix = below.as_os_str().as_bytes().to_vec();
                if !prefix.is_empty() {
                    prefix.push(b'/');
                }
                Ok(Some(Self { repository: Some(repository), prefix, ..tree }))
            }
        }
    }

    /// Reads the names of tracked files, if they were not read before.
    pub(crate) fn read(&mut self) -> Result<(), PackError> {
        let Some(repository) = self.repository.as_ref().filter(|_| self.tracked.is_none()) else { return Ok(()) };
        let index = repository.git_dir.join("index");
        let names = self.tracked_names(&repository.git_dir, &index);
        self.tracked = Some(names.map_err(|source| PackError::GitIndex { index, source })?);
        Ok(())
    }

    fn tracked_names(&self, git_dir: &Path, index: &Path) -> io::Result<Vec<Vec<u8>>> {
        // A new repository has no index.
        if !index.try_exists()? {
            return Ok(Vec::new());
        }
        let is_below = |name: &[u8]| name.starts_with(&self.prefix) && name.len() > self.prefix.len();
        let IndexContent { mut names, shared } = index::read(index, |_, name| is_below(name))?;
        if let Some(shared) = shared {
            let base = git_dir.join(format!("sharedindex.{}", shared.id));
            let is_kept = |position| shared.deleted.binary_search(&position).is_err();
            names.extend(index::read(&base, |position, name| is_kept(position) && is_below(name))?.names);
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Returns whether git tracks this path of the archive itself: a file, a link, a submodule.
    pub(crate) fn tracks(&self, name: &Path) -> bool {
        self.name_in_index(name).is_some_and(|name| self.names_from(&name).next().is_some_and(|first| *first == name))
    }

    /// Returns whether git tracks a file below this folder of the archive.
    pub(crate) fn tracks_below(&self, name: &Path) -> bool {
        let Some(mut folder) = self.name_in_index(name) else { return false };
        folder.push(b'/');
        self.names_from(&folder).next().is_some_and(|first| first.starts_with(&folder))
    }

    fn name_in_index(&self, name: &Path) -> Option<Vec<u8>> {
        let below = name.strip_prefix(&self.folder).ok()?;
        Some([&self.prefix, below.as_os_str().as_bytes()].concat())
    }

    /// Returns the tracked names from `name` on.
    fn names_from(&self, name: &[u8]) -> impl Iterator<Item = &Vec<u8>> {
        let names = self.tracked.as_deref().unwrap_or(&[]);
        let start = names.partition_point(|tracked| tracked.as_slice() < name);
        names.iter().skip(start)
    }
}
