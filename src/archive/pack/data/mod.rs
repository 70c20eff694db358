//! Lists the data of a channel, a file or a folder, that is to be stored as it is: by the same rules as code.
//!
//! Links are followed where they lead elsewhere in the folder, and refused where they lead out of it. A file that is a secret
//! by its name is an error, too: data that is thinner than it looks makes a wrong experiment, so that nothing is left out in
//! silence. Every file is remembered by its inode: one that took its place later, through a link or not, is not opened.

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

/// Folders deeper than this are a mistake.
const MAX_DEPTH: usize = 1000;

/// A channel's source that is to be listed, with a path that exists from here.
#[derive(Clone, Debug, Default)]
pub(crate) struct DataTree {
    /// A file or a folder; where it is a link, what it leads to.
    pub(crate) path: PathBuf,
    /// Where `path` leads to, if it is written as lying in it.
    pub(crate) project: Project,
    /// Follow links that lead out of the folder, and out of the project.
    pub(crate) external_symlinks: bool,
    /// gitignore patterns of files that may be or hold secrets, relative to the folder.
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
    /// `allow_secrets` names it: it may be or hold a secret.
    pub(crate) is_allowed: bool,
}

/// The listed files, and what is in them although it is a secret.
#[derive(Debug, Default)]
pub(crate) struct DataList {
    pub(crate) entries: Vec<DataEntry>,
    /// Paths in the data.
    pub(crate) allowed: Vec<String>,
}

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

    /// Makes one error of the findings in some files.
    pub(crate) fn secrets(tree: &DataTree, found: Vec<(PathBuf, Finding)>) -> Self {
        let files = found.iter().map(|(name, finding)| SecretFile::by_content(name, *finding));
        Self::Secrets { path: tree.path.clone(), secrets: SecretFiles(files.collect()) }
    }

    /// Returns what to do about it, where there is something to do.
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

/// Lists the regular files. Fails with all files that are secrets by their names.
pub(crate) fn list_data(tree: &DataTree) -> Result<DataList, DataError> {
    let root = fs::canonicalize(&tree.path).map_err(DataError::unreadable(&tree.path))?;
    if !tree.external_symlinks
        && let Some(EscapingLink { link, target }) = tree.project.way_out(&tree.path, &root)
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
        // What is in a folder such as `.aws` is secret whoever names it.
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
    /// Opens the file that was listed, and no other.
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
    /// The folder or file itself, without links.
    root: PathBuf,
    rules: DataRules,
    list: DataList,
    secrets: SecretFiles,
    /// The folders on the way to the current one.
    around: Vec<FileIdentity>,
}

impl DataLister<'_> {
    /// Takes in what a folder holds. `name` is its path in the data.
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

    /// Takes in a file, a folder, or what a link leads to.
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

    /// Notes a secret: by its name, or by that of the file that a link leads to.
    fn is_secret(&mut self, name: &Path, path: &Path, is_dir: bool) -> bool {
        let Some(about) = self.about(name, path, is_dir) else { return false };
        if self.is_allowed(name, is_dir) {
            self.list.allowed.push(one_line(name.display()));
            return false;
        }
        self.secrets.0.push(SecretFile::by_name(name, is_dir, about));
        true
    }

    fn about(&self, name: &Path, path: &Path, is_dir: bool) -> Option<&'static str> {
        let whole = || self.tree.project.seen(path);
        let below = path.strip_prefix(&self.root).ok().filter(|below| !below.as_os_str().is_empty());
        let seen = below.map_or_else(whole, Path::to_owned);
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
