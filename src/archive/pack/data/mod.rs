//! Lists the local data of a channel, a file or a folder, before it is uploaded.
//!
//! Links that stay in the folder are followed; one that leads out of it is an error. A file that is a secret by its
//! name is an error as well: incomplete data makes a wrong experiment, so that nothing is left out silently. Every file
//! is remembered by its inode: another file that took its name later is not opened.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use ignore::gitignore::Gitignore;
use nix::errno::Errno;

use super::builtin_excludes::BuiltinExcludes;
use super::project::{EscapingLink, Project};
use super::stable_file::{self, FileIdentity};
use crate::archive::PackError;
use crate::archive::secrets::secret_files::{SecretFile, SecretFiles};
use crate::archive::secrets::{self, CERTIFICATES_ABOUT, Finding};
use crate::model::one_line;

/// Maximum depth of folders; deeper ones are a mistake.
const MAX_DEPTH: usize = 1000;

/// The local data of a channel, with a path relative to the working directory.
#[derive(Clone, Debug, Default)]
pub(crate) struct DataTree {
    /// A file or a folder, or a link to one.
    pub(crate) path: PathBuf,
    /// The project that `path` must not leave through a link.
    pub(crate) project: Project,
    /// Follow links that lead out of the folder, and out of the project.
    pub(crate) external_symlinks: bool,
    /// Patterns in gitignore's syntax of files that may be or contain secrets, relative to the folder.
    pub(crate) allow_secrets: Vec<String>,
}

/// A regular file of the data.
#[derive(Debug)]
pub(crate) struct DataEntry {
    /// Its path inside the data.
    pub(crate) name: PathBuf,
    /// The path on the disk, without links.
    path: PathBuf,
    identity: FileIdentity,
    /// `allow_secrets` names it: it may be or contain a secret.
    pub(crate) is_allowed: bool,
}

/// The files of the data.
#[derive(Debug, Default)]
pub(crate) struct DataList {
    pub(crate) entries: Vec<DataEntry>,
    /// Paths in the data of secrets that `allow_secrets` names.
    pub(crate) allowed: Vec<String>,
}

/// Reason for which data was not listed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataError {
    #[error("could not read {}", one_line(path.display()))]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is neither a file nor a folder", one_line(.0.display()))]
    Special(PathBuf),
    #[error("{} is a symbolic link to {}, outside the data's folder", one_line(link.display()), one_line(target.display()))]
    LinkOutside { link: PathBuf, target: PathBuf },
    #[error("{} is a symbolic link to {}, outside the project", one_line(link.display()), one_line(target.display()))]
    OutsideProject { link: PathBuf, target: PathBuf },
    #[error("{} is a symbolic link to {}, which does not exist", one_line(link.display()), one_line(target.display()))]
    BrokenLink { link: PathBuf, target: PathBuf },
    #[error("{} is too deep: a link leads back to itself or to a folder above it", one_line(.0.display()))]
    Loop(PathBuf),
    #[error("{} changed while it was read", one_line(.0.display()))]
    Changed(PathBuf),
    #[error("the data in {} holds secrets, and none of it was sent:{secrets}", one_line(path.display()))]
    Secrets { path: PathBuf, secrets: SecretFiles },
    #[error(transparent)]
    Pattern(#[from] PackError),
}

impl DataError {
    fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Unreadable { path, source }
    }

    /// Creates one error from the findings in several files.
    pub(crate) fn secrets(tree: &DataTree, found: Vec<(PathBuf, Finding)>) -> Self {
        let files = found.iter().map(|(name, finding)| SecretFile::by_content(name, *finding));
        Self::Secrets { path: tree.path.clone(), secrets: SecretFiles(files.collect()) }
    }

    /// Returns the hint for the user, if the user can do something about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::LinkOutside { .. } => {
                "remove the link, or write the channel as a table with external_symlinks = true to send what it leads to"
            }
            Self::OutsideProject { .. } => {
                "name what it leads to, or write the channel as a table with external_symlinks = true"
            }
            Self::Secrets { .. } => {
                "move them out of the folder; a channel that is a table with allow_secrets = [\"PATTERN\"] sends files all the same"
            }
            Self::BrokenLink { .. } | Self::Loop(_) => "remove the link",
            Self::Special(_) => "remove it from the folder",
            Self::Changed(_) => "run the command again when nothing writes to the folder",
            Self::Unreadable { .. } => "make it readable",
            Self::Pattern(_) => return None,
        })
    }
}

/// Lists the regular files. Fails with all secrets by name together.
pub(crate) fn list_data(tree: &DataTree) -> Result<DataList, DataError> {
    let root = fs::canonicalize(&tree.path).map_err(DataError::unreadable(&tree.path))?;
    if !tree.external_symlinks
        && let Some(EscapingLink { link, target }) = tree.project.escaping_link(&tree.path, &root)
    {
        return Err(DataError::OutsideProject { link, target });
    }
    let rules = DataRules {
        builtin: BuiltinExcludes::new()?,
        allowed: secrets::allow_patterns(&tree.allow_secrets, "allow_secrets")?,
    };
    let mut listing = DataLister {
        tree,
        root: root.clone(),
        rules,
        list: DataList::default(),
        secrets: SecretFiles::default(),
        around: Vec::new(),
    };
    let metadata = fs::symlink_metadata(&root).map_err(DataError::unreadable(&root))?;
    let own_name = PathBuf::from(tree.path.file_name().or(root.file_name()).unwrap_or_default());
    if metadata.is_dir() {
        // The content of a folder such as `.aws` is secret even if the spec names it.
        if !listing.is_secret(&own_name, &root, true) {
            listing.folder(Path::new(""), &root, &metadata)?;
        }
    } else {
        listing.add(own_name, root, metadata)?;
    }
    match listing.secrets {
        secrets if secrets.0.is_empty() => Ok(listing.list),
        secrets => Err(DataError::Secrets { path: tree.path.clone(), secrets }),
    }
}

impl DataEntry {
    /// Opens the file. Fails with [`DataError::Changed`] if another one took its name since it was listed.
    pub(crate) fn open(&self) -> Result<File, DataError> {
        let file = stable_file::open(&self.path).map_err(DataError::unreadable(&self.path))?;
        let metadata = file.metadata().map_err(DataError::unreadable(&self.path))?;
        if FileIdentity::from(&metadata) != self.identity || !metadata.is_file() {
            return Err(DataError::Changed(self.path.clone()));
        }
        Ok(file)
    }
}

struct DataRules {
    builtin: BuiltinExcludes,
    allowed: Gitignore,
}

struct DataLister<'a> {
    tree: &'a DataTree,
    /// Path of the folder or file, without links.
    root: PathBuf,
    rules: DataRules,
    list: DataList,
    secrets: SecretFiles,
    /// The folders between the root and the current one, to find circles of links.
    around: Vec<FileIdentity>,
}

impl DataLister<'_> {
    /// Lists the content of a folder. `name` is its path in the data.
    fn folder(&mut self, name: &Path, path: &Path, metadata: &Metadata) -> Result<(), DataError> {
        let identity = FileIdentity::from(metadata);
        if self.around.contains(&identity) || self.around.len() >= MAX_DEPTH {
            return Err(DataError::Loop(path.to_owned()));
        }
        self.around.push(identity);
        let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        for entry in entries.map_err(DataError::unreadable(path))? {
            let path = entry.path();
            let metadata = fs::symlink_metadata(&path).map_err(DataError::unreadable(&path))?;
            self.add(name.join(entry.file_name()), path, metadata)?;
        }
        self.around.pop();
        Ok(())
    }

    /// Lists a file, a folder, or the target of a link.
    fn add(&mut self, name: PathBuf, path: PathBuf, metadata: Metadata) -> Result<(), DataError> {
        let is_link = metadata.is_symlink();
        let path = if is_link { self.follow(&path)? } else { path };
        let metadata =
            if is_link { fs::symlink_metadata(&path).map_err(DataError::unreadable(&path))? } else { metadata };
        if self.is_secret(&name, &path, metadata.is_dir()) {
            return Ok(());
        }
        if metadata.is_dir() {
            return self.folder(&name, &path, &metadata);
        }
        if !metadata.is_file() {
            return Err(DataError::Special(path));
        }
        let is_allowed = self.is_allowed(&name, false);
        self.list.entries.push(DataEntry { name, path, identity: FileIdentity::from(&metadata), is_allowed });
        Ok(())
    }

    fn follow(&self, link: &Path) -> Result<PathBuf, DataError> {
        let target = fs::read_link(link).map_err(DataError::unreadable(link))?;
        let link = link.to_owned();
        match fs::canonicalize(&link) {
            Ok(real) if self.tree.external_symlinks || real.starts_with(&self.root) => Ok(real),
            Ok(_) => Err(DataError::LinkOutside { link, target }),
            Err(error) if error.raw_os_error() == Some(Errno::ELOOP as i32) => Err(DataError::Loop(link)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Err(DataError::BrokenLink { link, target })
            }
            Err(source) => Err(DataError::Unreadable { path: link, source }),
        }
    }

    /// Returns whether a file is a secret that isn't allowed, by its name or by its link's target, and records it.
    fn is_secret(&mut self, name: &Path, path: &Path, is_dir: bool) -> bool {
        let Some(about) = self.secret_kind(name, path, is_dir) else { return false };
        if self.is_allowed(name, is_dir) {
            self.list.allowed.push(one_line(name.display()));
            return false;
        }
        self.secrets.0.push(SecretFile::by_name(name, is_dir, about));
        true
    }

    /// Returns what a file is whose name, or whose target's, is that of a secret.
    fn secret_kind(&self, name: &Path, path: &Path, is_dir: bool) -> Option<&'static str> {
        let in_project = || self.tree.project.path_for_rules(path);
        let below = path.strip_prefix(&self.root).ok().filter(|below| !below.as_os_str().is_empty());
        let seen = below.map_or_else(in_project, Path::to_owned);
        let about = self
            .rules
            .builtin
            .find_secret(name, is_dir)
            .or_else(|| self.rules.builtin.find_secret_anywhere(&seen, is_dir))?;
        let is_certificate = about == CERTIFICATES_ABOUT && !is_dir && secrets::is_certificate_file(path);
        (!is_certificate).then_some(about)
    }

    fn is_allowed(&self, name: &Path, is_dir: bool) -> bool {
        self.rules.allowed.matched_path_or_any_parents(name, is_dir).is_ignore()
    }
}

#[cfg(test)]
mod tests;
