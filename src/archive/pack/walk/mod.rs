//! Walks a source tree in the order of its archive, and opens each file to be packed.
//!
//! Paths are sorted as bytes, a folder's name with its slash. Only the folders between the root and the current file
//! are held in memory, each with its names and a handle: files are opened relative to that handle, so that a folder
//! replaced by a link in the meantime leads nowhere.

mod dependencies;
mod links;

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::exclude_reason::{ExcludeKind, ExcludeReason, ExcludedName};
use super::ignore_rules::{IgnoreRules, PathVerdict, ScopeMark};
use super::project::Project;
use super::source_tree::SourceTree;
use super::stable_file::{self, FileIdentity};
use super::{builtin_excludes, named_files};
use crate::archive::{PackError, secrets};

/// An open regular file that is to be packed.
pub(crate) struct SourceFile {
    /// Its path in the archive.
    pub(crate) name: PathBuf,
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    pub(crate) metadata: Metadata,
}

/// Maximum number of ignored files that are kept by name.
const MAX_NAMED: usize = 1000;

/// Numbers of files that were left out, a folder counting once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// Left out by `.gitignore`, `.smtrainignore` or `source.exclude`.
    pub(crate) ignored: usize,
    /// The first [`MAX_NAMED`] of them: the path in the archive and the rule.
    pub(crate) ignored_names: Vec<(String, String)>,
    /// Version control, caches, Python environments.
    pub(crate) tooling: usize,
    /// Sockets, fifos, devices: they have no content to send, and git skips them too.
    pub(crate) special: usize,
}

/// A name in a folder of the tree.
struct SourceEntry {
    name: OsString,
    /// A folder, or a link to one.
    is_dir: bool,
    /// Path of a dependency, which is outside the tree.
    dependency: Option<PathBuf>,
}

impl SourceEntry {
    /// Key by which entries are sorted.
    fn sort_key(&self) -> impl Iterator<Item = u8> {
        self.name.as_bytes().iter().copied().chain(self.is_dir.then_some(b'/'))
    }
}

/// A folder between the root and the current file.
struct Level {
    name: PathBuf,
    path: PathBuf,
    handle: File,
    identity: FileIdentity,
    /// Entries still to be visited, sorted.
    entries: std::vec::IntoIter<SourceEntry>,
    mark: ScopeMark,
}

/// The state of a walk.
pub(crate) struct Walk {
    pub(super) rules: IgnoreRules,
    /// The source folder and the dependencies: links may lead to any of them.
    roots: Vec<PathBuf>,
    external_symlinks: bool,
    project: Project,
    /// Folders of smtrain's own, excluded as tooling.
    own_folders: Vec<PathBuf>,
    entry_point: Option<PathBuf>,
    /// The rule that leaves out the entry point, or a folder around it.
    pub(super) entry_point_rule: Option<ExcludeReason>,
    levels: Vec<Level>,
    pub(crate) skipped: Skipped,
    /// Paths in the archive of files left out as secrets, folders with a slash at the end.
    pub(crate) secrets: Vec<String>,
    /// Paths in the archive of secrets that are packed because the user allows them.
    pub(crate) allowed: Vec<String>,
}

impl Walk {
    /// Opens the source folder and the dependencies. Fails if they leave the project or are secrets.
    pub(crate) fn new(tree: &SourceTree) -> Result<Self, PackError> {
        let dir = fs::canonicalize(&tree.dir).map_err(PackError::unreadable(&tree.dir))?;
        let mut walk = Self {
            rules: IgnoreRules::new(&tree.exclude, &tree.allow_secrets)?,
            roots: vec![dir.clone()],
            external_symlinks: tree.external_symlinks,
            project: tree.project.clone(),
            own_folders: existing_folders(&tree.own_folders, &dir),
            entry_point: tree.entry_point.as_ref().map(PathBuf::from),
            entry_point_rule: None,
            levels: Vec::new(),
            skipped: Skipped::default(),
            secrets: Vec::new(),
            allowed: Vec::new(),
        };
        named_files::check_inside_project(&walk.project, walk.external_symlinks, &tree.dir, &dir)?;
        named_files::check_source_dir(&walk.rules, &walk.project, &dir)?;
        let handle = File::open(&dir).map_err(PackError::unreadable(&tree.dir))?;
        let mark = walk.rules.enter_root(&dir, Path::new(""))?;
        walk.descend(PathBuf::new(), dir, handle, mark)?;
        walk.add_dependencies(&tree.dependencies)?;
        Ok(walk)
    }

    /// Returns the next file, or `None` after the last.
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
                        self.rules.leave(level.mark);
                    }
                }
            }
        }
        Ok(None)
    }

    /// Records a secret that is left out.
    pub(crate) fn note_secret(&mut self, name: &Path, is_dir: bool) {
        let shown = shown(name, is_dir);
        // Its name may have been allowed before its content was read.
        self.allowed.retain(|allowed| *allowed != shown);
        self.secrets.push(shown);
    }

    /// Records a file that is or contains a secret and is packed because the user allows it.
    pub(crate) fn note_allowed(&mut self, name: &Path) {
        self.allowed.push(shown(name, false));
    }

    /// Returns whether `source.allow_secrets` names a file.
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
                self.record(&name, entry.is_dir, &reason);
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

    /// Returns the verdict of all rules on an entry, by its name.
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
                PathVerdict::LeaveOut(ExcludeReason::BuiltIn(ExcludedName::environment(name)))
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

    /// Returns an opened file, or enters an opened folder. Fails if `file` isn't what `metadata` describes.
    fn accept(
        &mut self,
        name: PathBuf,
        path: PathBuf,
        file: File,
        metadata: Metadata,
        is_dependency: bool,
    ) -> Result<Option<SourceFile>, PackError> {
        if !stable_file::is_same(&file, &metadata).map_err(PackError::unreadable(&path))? {
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

    /// Records something that is left out.
    fn record(&mut self, name: &Path, is_dir: bool, reason: &ExcludeReason) {
        if self.entry_point.as_ref().is_some_and(|entry_point| entry_point.starts_with(name)) {
            self.entry_point_rule = Some(reason.clone());
        }
        match reason {
            ExcludeReason::BuiltIn(found) if found.kind == ExcludeKind::Secret => self.note_secret(name, is_dir),
            ExcludeReason::BuiltIn(_) => self.skipped.tooling += 1,
            ExcludeReason::Pattern { .. } => {
                self.skipped.ignored += 1;
                if self.skipped.ignored_names.len() < MAX_NAMED {
                    self.skipped.ignored_names.push((shown(name, is_dir), reason.to_string()));
                }
            }
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

/// Returns the existing folders by their real paths, without those that contain the source folder: they are no reason
/// to leave all of it out.
fn existing_folders(folders: &[PathBuf], source: &Path) -> Vec<PathBuf> {
    let existing = folders.iter().filter_map(|folder| fs::canonicalize(folder).ok());
    existing.filter(|folder| !source.starts_with(folder)).collect()
}

/// Returns the error for a file that was listed a moment ago and can't be opened now.
fn gone_or_unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> PackError {
    let path = path.to_owned();
    move |source| match source.kind() {
        ErrorKind::NotFound => PackError::Changed(path),
        _ => PackError::Unreadable { path, source },
    }
}

/// Returns the entries of a folder, sorted. Their metadata is read when they are visited.
fn list(folder: &Path) -> Result<Vec<SourceEntry>, PackError> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(PackError::unreadable(folder))? {
        let entry = entry.map_err(PackError::unreadable(folder))?;
        let kind = entry.file_type().map_err(PackError::unreadable(entry.path()))?;
        // A broken link is not a folder; it is reported when it is visited, unless it is ignored.
        let is_dir = kind.is_dir() || (kind.is_symlink() && entry.path().is_dir());
        entries.push(SourceEntry { name: entry.file_name(), is_dir, dependency: None });
    }
    sort(&mut entries);
    Ok(entries)
}

fn sort(entries: &mut [SourceEntry]) {
    entries.sort_unstable_by(|a, b| a.sort_key().cmp(b.sort_key()));
}
