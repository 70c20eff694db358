//! Decides which files of a source tree are packed: by `source.exclude`, `.smtrainignore` and `.gitignore`, in this
//! order.
//!
//! Before them, the built-in excludes apply: tooling is never packed, and files that are secrets by their names only if
//! `source.exclude`, `.smtrainignore` or `source.allow_secrets` name them.
//!
//! The ignore files of the tree count, and those of the git repository around it, as git itself reads them: files that
//! git tracks are not ignored by a `.gitignore`. The user's global gitignore and `.git/info/exclude` do not count: two
//! clones of one commit must give the same archive.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder, Glob};

use super::builtin_excludes::BuiltinExcludes;
use super::exclude_reason::{ExcludeKind, ExcludeReason, pattern_source};
use super::git::WorkTree;
use super::stable_file;
use crate::archive::{PackError, secrets};

const OWN_FILE: &str = ".smtrainignore";
const GIT_FILE: &str = ".gitignore";

/// Decision on a path.
pub(crate) enum PathVerdict {
    Keep,
    /// A secret by its name, which the user allows.
    KeepSecret,
    LeaveOut(ExcludeReason),
}

/// One ignore file, and how paths in the archive become paths relative to its folder.
struct Scope {
    own: bool,
    patterns: Gitignore,
    /// Folder of the archive to strip from a path.
    strip: PathBuf,
    /// Path of that folder relative to the ignore file's: empty except for ignore files above the tree.
    lead: PathBuf,
}

/// State of the rules before a folder was entered, to be restored by [`IgnoreRules::leave`].
pub(crate) struct ScopeMark {
    length: usize,
    floor: usize,
    work_trees: usize,
    ignored: Option<ExcludeReason>,
}

/// The rules that apply in the current folder.
pub(crate) struct IgnoreRules {
    builtin: BuiltinExcludes,
    exclude: Gitignore,
    allow_secrets: Gitignore,
    /// Outermost first.
    scopes: Vec<Scope>,
    /// Index of the first scope that applies: those before belong to another root.
    floor: usize,
    /// The git work trees around the current folder, innermost last; `None` for a root outside of any.
    work_trees: Vec<Option<WorkTree>>,
    /// The reason for which git ignores the current folder, of which only tracked files are packed.
    ignored: Option<ExcludeReason>,
    /// Reasons for which tracked files are unknown, although a `.gitignore` applies.
    pub(crate) doubts: BTreeSet<String>,
}

impl IgnoreRules {
    pub(crate) fn new(exclude: &[String], allow_secrets: &[String]) -> Result<Self, PackError> {
        let exclude = build(exclude.iter().map(String::as_str), None)?;
        let allow_secrets = secrets::allow_patterns(allow_secrets, "source.allow_secrets")?;
        Ok(Self {
            builtin: BuiltinExcludes::new()?,
            exclude,
            allow_secrets,
            scopes: Vec::new(),
            floor: 0,
            work_trees: Vec::new(),
            ignored: None,
            doubts: BTreeSet::new(),
        })
    }

    /// Returns whether `source.allow_secrets` names a file or a folder around it.
    pub(crate) fn allows_secret(&self, name: &Path, is_dir: bool) -> bool {
        self.allow_secrets.matched_path_or_any_parents(name, is_dir).is_ignore()
    }

    /// Returns whether the user allows a file that is a secret by its name: by `allow_secrets`, or by `!NAME` in
    /// `source.exclude` or in a .smtrainignore.
    pub(crate) fn allows_name(&self, name: &Path, is_dir: bool) -> bool {
        self.is_named(name, is_dir, &self.scopes[self.floor..])
    }

    fn is_named(&self, name: &Path, is_dir: bool, scopes: &[Scope]) -> bool {
        let own = scopes.iter().rev().filter(|scope| scope.own).map(|scope| scope.matched(name, is_dir));
        let mut matches = std::iter::once(self.exclude.matched(name, is_dir)).chain(own);
        let by_negation =
            matches!(matches.find(|found| !found.is_none()), Some(Match::Whitelist(glob)) if names_something(glob));
        by_negation || self.allows_secret(name, is_dir)
    }

    pub(crate) fn builtin(&self) -> &BuiltinExcludes {
        &self.builtin
    }

    /// Returns the verdict on a path in the archive. Its parents must have been kept.
    pub(crate) fn verdict(&self, name: &Path, is_dir: bool) -> PathVerdict {
        self.judge(name, is_dir, &self.scopes[self.floor..])
    }

    /// Returns the verdict on a dependency. The user named it: ignore files don't apply to it, only to its content.
    pub(crate) fn verdict_of_dependency(&self, name: &Path, is_dir: bool) -> PathVerdict {
        self.judge(name, is_dir, &[])
    }

    fn judge(&self, name: &Path, is_dir: bool, scopes: &[Scope]) -> PathVerdict {
        match self.builtin.find(name, is_dir) {
            Some(found) if found.kind == ExcludeKind::Secret && self.is_named(name, is_dir, scopes) => {}
            Some(found) => return PathVerdict::LeaveOut(ExcludeReason::BuiltIn(found)),
            None => return self.by_patterns(name, is_dir, scopes),
        }
        match self.by_patterns(name, is_dir, scopes) {
            PathVerdict::Keep => PathVerdict::KeepSecret,
            verdict => verdict,
        }
    }

    /// Returns the verdict on a file that is a secret by its name but not by its content.
    pub(crate) fn verdict_of_harmless(&self, name: &Path) -> PathVerdict {
        self.by_patterns(name, false, &self.scopes[self.floor..])
    }

    fn by_patterns(&self, name: &Path, is_dir: bool, scopes: &[Scope]) -> PathVerdict {
        let own = scopes.iter().rev().filter(|scope| scope.own).map(|scope| scope.matched(name, is_dir));
        let mut matches = std::iter::once(self.exclude.matched(name, is_dir)).chain(own);
        match matches.find(|found| !found.is_none()) {
            Some(Match::Ignore(glob)) => PathVerdict::LeaveOut(reason(glob)),
            Some(_) => PathVerdict::Keep,
            None => self.by_git(name, is_dir, scopes).map_or(PathVerdict::Keep, PathVerdict::LeaveOut),
        }
    }

    /// Returns the reason for which git ignores a path, unless it tracks the path or something below it.
    fn by_git(&self, name: &Path, is_dir: bool, scopes: &[Scope]) -> Option<ExcludeReason> {
        let reason = self.ignored_by_git(name, is_dir, scopes)?;
        let work_tree = self.work_trees.last().and_then(Option::as_ref);
        let is_tracked = work_tree.is_some_and(|tree| tree.tracks(name) || (is_dir && tree.tracks_below(name)));
        (!is_tracked).then_some(reason)
    }

    /// Returns the reason for which the git's ignore files match a path or a folder around it.
    fn ignored_by_git(&self, name: &Path, is_dir: bool, scopes: &[Scope]) -> Option<ExcludeReason> {
        if self.ignored.is_some() {
            return self.ignored.clone();
        }
        let mut git = scopes.iter().rev().filter(|scope| !scope.own).map(|scope| scope.matched(name, is_dir));
        match git.find(|found| !found.is_none()) {
            Some(Match::Ignore(glob)) => Some(reason(glob)),
            _ => None,
        }
    }

    /// Enters the source folder or a dependency: ignore files of other roots don't apply in it.
    pub(crate) fn enter_root(&mut self, folder: &Path, name: &Path) -> Result<ScopeMark, PackError> {
        let mark = self.mark();
        self.floor = mark.length;
        self.ignored = None;
        self.enter_work_tree(folder, name)?;
        self.read_around(folder, name)?;
        self.read(folder, name, Path::new(""))?;
        Ok(mark)
    }

    /// Enters a folder and reads its ignore files.
    pub(crate) fn enter(&mut self, folder: &Path, name: &Path) -> Result<ScopeMark, PackError> {
        let mark = self.mark();
        if folder.join(".git").exists() {
            self.ignored = None;
            self.enter_work_tree(folder, name)?;
        } else if !self.work_trees.last().and_then(Option::as_ref).is_some_and(|tree| tree.tracks(name)) {
            self.ignored = self.ignored_by_git(name, true, &self.scopes[self.floor..]);
        }
        self.read(folder, name, Path::new(""))?;
        Ok(mark)
    }

    fn enter_work_tree(&mut self, folder: &Path, name: &Path) -> Result<(), PackError> {
        self.work_trees.push(WorkTree::around(folder, name)?);
        self.read_tracked()
    }

    /// Reads the names of the files that git tracks, once a `.gitignore` applies.
    fn read_tracked(&mut self) -> Result<(), PackError> {
        let has_git_scope = self.scopes[self.floor..].iter().any(|scope| !scope.own);
        match self.work_trees.last_mut() {
            Some(Some(work_tree)) if has_git_scope => {
                self.doubts.extend(work_tree.doubt.clone());
                work_tree.read()
            }
            _ => Ok(()),
        }
    }

    /// Leaves a folder.
    pub(crate) fn leave(&mut self, mark: ScopeMark) {
        self.scopes.truncate(mark.length);
        self.floor = mark.floor;
        self.work_trees.truncate(mark.work_trees);
        self.ignored = mark.ignored;
    }

    fn mark(&self) -> ScopeMark {
        ScopeMark {
            length: self.scopes.len(),
            floor: self.floor,
            work_trees: self.work_trees.len(),
            ignored: self.ignored.clone(),
        }
    }

    /// Reads the ignore files between the repository's root and this folder, without those of the folder itself.
    fn read_around(&mut self, folder: &Path, name: &Path) -> Result<(), PackError> {
        let is_repository = |folder: &&Path| folder.join(".git").exists();
        let Some(repository) = folder.ancestors().find(is_repository) else { return Ok(()) };
        let mut around: Vec<&Path> =
            folder.ancestors().skip(1).take_while(|path| path.starts_with(repository)).collect();
        around.reverse();
        for outer in around {
            let lead = folder.strip_prefix(outer).unwrap_or(Path::new(""));
            self.read(outer, name, lead)?;
        }
        Ok(())
    }

    /// Reads the ignore files of a folder.
    fn read(&mut self, folder: &Path, strip: &Path, lead: &Path) -> Result<(), PackError> {
        for (file, own) in [(GIT_FILE, false), (OWN_FILE, true)] {
            let path = folder.join(file);
            let Some(text) = read_text(&path)? else { continue };
            let patterns = build(text.lines(), Some(&path))?;
            if !patterns.is_empty() {
                self.scopes.push(Scope { own, patterns, strip: strip.to_owned(), lead: lead.to_owned() });
                self.read_tracked()?;
            }
        }
        Ok(())
    }
}

impl Scope {
    fn matched(&self, name: &Path, is_dir: bool) -> Match<&Glob> {
        let below = name.strip_prefix(&self.strip).unwrap_or(name);
        self.patterns.matched(self.lead.join(below), is_dir)
    }
}

/// Returns whether a pattern names something: `!*` re-includes everything, and allows no secret.
fn names_something(glob: &Glob) -> bool {
    let last = glob.original().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    last.contains(|c: char| c.is_alphanumeric())
}

fn reason(glob: &Glob) -> ExcludeReason {
    ExcludeReason::Pattern { pattern: glob.original().to_owned(), file: glob.from().map(Path::to_owned) }
}

/// Reads an ignore file, or returns `None` if it doesn't exist. As in git, a link or special file is none.
fn read_text(path: &Path) -> Result<Option<String>, PackError> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(PackError::unreadable(path)(error)),
    }
    let mut bytes = Vec::new();
    stable_file::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(PackError::unreadable(path))?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(Some(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()))
}

/// Parses patterns. Invalid lines are skipped in a `.gitignore`, as git does, and are errors elsewhere.
fn build<'l>(lines: impl Iterator<Item = &'l str>, from: Option<&Path>) -> Result<Gitignore, PackError> {
    let lenient = from.is_some_and(|path| path.ends_with(GIT_FILE));
    let bad = |pattern: &str, error: &ignore::Error| PackError::BadPattern {
        pattern: pattern.to_owned(),
        place: pattern_source(from),
        problem: error.to_string(),
    };
    let mut builder = GitignoreBuilder::new("");
    builder.allow_unclosed_class(lenient);
    for line in lines {
        match builder.add_line(from.map(Path::to_owned), line) {
            Err(error) if !lenient => return Err(bad(line, &error)),
            _ => {}
        }
    }
    builder.build().map_err(|error| bad("", &error))
}
