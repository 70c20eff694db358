//! Walks a source tree in the order of its archive, and opens each file that goes into it.
//!
//! Names are sorted as bytes of the whole path, a folder's name counting with its slash. Only the folders between the root
//! and the current file are held in memory, each with its names and a handle: files are opened in that handle, so that a
//! folder swapped for a link in the meantime leads nowhere.

mod dependencies;
mod links;

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{builtin_excludes, named_files};
use super::exclude_reason::{ExcludeKind, ExcludeReason, ExcludedName};
use super::ignore_rules::{IgnoreRules, PathVerdict, ScopeMark};
use super::project::Project;
use super::source_tree::SourceTree;
use super::stable_file::{self, FileIdentity};
use crate::archive::{PackError, secrets};

/// A regular file that goes into the archive, open.
pub(crate) struct SourceFile {
    /// Its path in the archive.
    pub(crate) name: PathBuf,
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    pub(crate) metadata: Metadata,
}

/// How much was left out, a folder counting once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// By `.gitignore`, `.smtrainignore` or `source.exclude`.
    pub(crate) ignored: usize,
    /// Version control, caches, Python environments.
    pub(crate) tooling: usize,
    /// Sockets, fifos, devices: there is nothing in them to send, and git passes over them too.
    pub(crate) special: usize,
}

/// A name in a folder.
struct SourceEntry {
    name: OsString,
    /// A folder, or a link to one.
    is_dir: bool,
    /// Where it is, for a dependency, which lies elsewhere.
    dependency: Option<PathBuf>,
}

impl SourceEntry {
    fn order(&self) -> impl Iterator<Item = u8> {
        self.name.as_bytes().iter().copied().chain(self.is_dir.then_some(b'/'))
    }
}

/// A folder on the way from the root to the current file.
struct Level {
    name: PathBuf,
    path: PathBuf,
    handle: File,
    identity: FileIdentity,
    /// Sorted.
    entries: std::vec::IntoIter<SourceEntry>,
    mark: ScopeMark,
}

pub(crate) struct Walk {
    rules: IgnoreRules,
    /// The source folder and the dependencies: links may lead anywhere in them.
    roots: Vec<PathBuf>,
    external_symlinks: bool,
    project: Project,
    /// Folders that are left out as tooling, wherever they are met.
    own_folders: Vec<PathBuf>,
    levels: Vec<Level>,
    pub(crate) skipped: Skipped,
    /// Paths in the archive, folders with a slash at the end.
    pub(crate) secrets: Vec<String>,
    /// Paths of secrets that go all the same, since the user wants it.
    pub(crate) allowed: Vec<String>,
}

impl Walk {
    pub(crate) fn new(tree: &SourceTree) -> Result<Self, PackError> {
        let dir = fs::canonicalize(&tree.dir).map_err(PackError::unreadable(&tree.dir))?;
        let mut walk = Self {
            rules: IgnoreRules::new(&tree.exclude, &tree.allow_secrets)?,
            roots: vec![dir.clone()],
            external_symlinks: tree.external_symlinks,
            project: tree.project.clone(),
            own_folders: existing_folders(&tree.own_folders, &dir),
            levels: Vec::new(),
            skipped: Skipped::default(),
            secrets: Vec::new(),
            allowed: Vec::new(),
        };
        named_files::check_way(&walk.project, walk.external_symlinks, &tree.dir, &dir)?;
        named_files::check_dir(&walk.rules, &walk.project, &dir)?;
        let handle = File::open(&dir).map_err(PackError::unreadable(&tree.dir))?;
        let mark = walk.rules.enter_root(&dir, Path::new(""))?;
        walk.descend(PathBuf::new(), dir, handle, mark)?;
        walk.add_dependencies(&tree.dependencies)?;
        Ok(walk)
    }

    /// The next file, or `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<SourceFile>, PackError> {
        while let Some(level) = self.levels.last_mut() {
            match level.entries.next() {
                Some(entry) => {
                    if let Some(found) = self.visit(&entry)? {
                        return Ok(Some(found));
                    }
                }
                None => {
                    if let Some(level) = self.levels.pop() {
                        self.rules.leave(&level.mark);
                    }
                }
            }
        }
        Ok(None)
    }

    /// Notes a file that turned out to be a key when it was read.
    pub(crate) fn note_secret(&mut self, name: &Path, is_dir: bool) {
        let shown = shown(name, is_dir);
        // Its name may have been allowed before its content was read.
        self.allowed.retain(|allowed| *allowed != shown);
        self.secrets.push(shown);
    }

    /// Notes a file that is or holds a secret and goes all the same.
    pub(crate) fn note_allowed(&mut self, name: &Path) {
        self.allowed.push(shown(name, false));
    }

    /// Returns whether a file may hold secrets.
    pub(crate) fn allows_secret(&self, name: &Path) -> bool {
        self.rules.allows_secret(name, false)
    }

    fn visit(&mut self, entry: &SourceEntry) -> Result<Option<SourceFile>, PackError> {
        let Some(level) = self.levels.last() else { return Ok(None) };
        let name = level.name.join(&entry.name);
        let path = entry.dependency.clone().unwrap_or_else(|| level.path.join(&entry.name));
        match self.judge(&name, &path, entry) {
            PathVerdict::Keep => {}
            PathVerdict::KeepSecret => self.allowed.push(shown(&name, entry.is_dir)),
            PathVerdict::LeaveOut(reason) => {
                self.note(&name, entry.is_dir, &reason);
                return Ok(None);
            }
        }
        let metadata = fs::symlink_metadata(&path).map_err(gone_or_unreadable(&path))?;
        if metadata.is_symlink() {
            return self.visit_link(name, &path);
        }
        if !metadata.is_file() && !metadata.is_dir() {
            self.skipped.special += 1;
            return Ok(None);
        }
        let handle = match entry.dependency {
            Some(_) => stable_file::open(&path),
            None => stable_file::open_in(&level.handle, &entry.name),
        };
        let handle = handle.map_err(gone_or_unreadable(&path))?;
        self.accept(name, path, handle, metadata, entry.dependency.is_some())
    }

    fn judge(&self, name: &Path, path: &Path, entry: &SourceEntry) -> PathVerdict {
        let verdict = match &entry.dependency {
            Some(real) => match self.rules.verdict_of_dependency(name, entry.is_dir) {
                PathVerdict::Keep => {
                    named_files::judge_dependency(&self.rules, &self.project, name, real, entry.is_dir)
                }
                verdict => verdict,
            },
            None => self.rules.verdict(name, entry.is_dir),
        };
        match verdict {
            // Before secrets: a folder `.env` is mostly a Python environment.
            _ if entry.is_dir && builtin_excludes::is_environment(path) => {
                PathVerdict::LeaveOut(ExcludeReason::BuiltIn(ExcludedName::environment()))
            }
            _ if entry.is_dir && self.own_folders.iter().any(|folder| folder == path) => {
                PathVerdict::LeaveOut(ExcludeReason::BuiltIn(ExcludedName::own_folder()))
            }
            PathVerdict::LeaveOut(ExcludeReason::BuiltIn(found))
                if !entry.is_dir && is_only_certificate(&found, path) =>
            {
                self.rules.verdict_of_harmless(name)
            }
            verdict => verdict,
        }
    }

    fn accept(
        &mut self,
        name: PathBuf,
        path: PathBuf,
        file: File,
        metadata: Metadata,
        is_dependency: bool,
    ) -> Result<Option<SourceFile>, PackError> {
        if !stable_file::same(&file, &metadata).map_err(PackError::unreadable(&path))? {
            return Err(PackError::Changed(path));
        }
        if metadata.is_file() {
            return Ok(Some(SourceFile { name, path, file, metadata }));
        }
        let mark = if is_dependency { self.rules.enter_root(&path, &name)? } else { self.rules.enter(&path, &name)? };
        self.descend(name, path, file, mark)?;
        Ok(None)
    }

    fn descend(&mut self, name: PathBuf, path: PathBuf, handle: File, mark: ScopeMark) -> Result<(), PackError> {
        let metadata = handle.metadata().map_err(PackError::unreadable(&path))?;
        let identity = FileIdentity::from(&metadata);
        if self.levels.iter().any(|level| level.identity == identity) {
            return Err(PackError::LinkLoop(path));
        }
        let entries = list(&path)?.into_iter();
        self.levels.push(Level { name, path, handle, identity, entries, mark });
        Ok(())
    }

    fn note(&mut self, name: &Path, is_dir: bool, reason: &ExcludeReason) {
        match reason {
            ExcludeReason::BuiltIn(found) if found.kind == ExcludeKind::Secret => self.note_secret(name, is_dir),
            ExcludeReason::BuiltIn(_) => self.skipped.tooling += 1,
            ExcludeReason::Pattern { .. } => self.skipped.ignored += 1,
        }
    }
}

fn shown(name: &Path, is_dir: bool) -> String {
    let slash = if is_dir { "/" } else { "" };
    format!("{}{slash}", name.display())
}

fn is_only_certificate(found: &ExcludedName, path: &Path) -> bool {
    found.by == secrets::CERTIFICATES && secrets::is_certificate_file(path)
}

/// The folders by their real paths. One around the source folder is no reason to leave all of it out.
fn existing_folders(folders: &[PathBuf], source: &Path) -> Vec<PathBuf> {
    let existing = folders.iter().filter_map(|folder| fs::canonicalize(folder).ok());
    existing.filter(|folder| !source.starts_with(folder)).collect()
}

/// The name was in the list a moment ago.
fn gone_or_unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> PackError {
    let path = path.to_owned();
    move |source| match source.kind() {
        ErrorKind::NotFound => PackError::Changed(path),
        _ => PackError::Unreadable { path, source },
    }
}

/// The names in a folder, sorted. Names only: what they are is asked of the open folder.
fn list(folder: &Path) -> Result<Vec<SourceEntry>, PackError> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(PackError::unreadable(folder))? {
        let entry = entry.map_err(PackError::unreadable(folder))?;
        let kind = entry.file_type().map_err(PackError::unreadable(entry.path()))?;
        // A broken link is not a folder; it is reported when it is its turn, unless it is ignored.
        let is_dir = kind.is_dir() || (kind.is_symlink() && entry.path().is_dir());
        entries.push(SourceEntry { name: entry.file_name(), is_dir, dependency: None });
    }
    sort(&mut entries);
    Ok(entries)
}

fn sort(entries: &mut [SourceEntry]) {
    entries.sort_unstable_by(|a, b| a.order().cmp(b.order()));
}
