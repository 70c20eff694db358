//! Follows the links in a source tree, and applies the rules to their targets.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::{SourceFile, Walk, is_only_certificate, shown};
use crate::archive::PackError;
use crate::archive::pack::exclude_reason::{ExcludeKind, ExcludeReason, ExcludedName};
use crate::archive::pack::ignore_rules::PathVerdict;
use crate::archive::pack::stable_file;

impl Walk {
    /// Packs the target of a link under the link's name.
    pub(super) fn visit_link(&mut self, name: PathBuf, link: &Path) -> Result<Option<SourceFile>, PackError> {
        let target = self.follow(link)?;
        let metadata = fs::symlink_metadata(&target).map_err(PackError::unreadable(&target))?;
        match self.judge_target(&name, &target, metadata.is_dir()) {
            PathVerdict::Keep => {}
            PathVerdict::KeepSecret => self.allowed.push(shown(&name, metadata.is_dir())),
            PathVerdict::LeaveOut(reason) => {
                self.record(&name, metadata.is_dir(), &reason);
                return Ok(None);
            }
        }
        if !metadata.is_file() && !metadata.is_dir() {
            self.skipped.special += 1;
            return Ok(None);
        }
        let handle = stable_file::open(&target).map_err(PackError::unreadable(&target))?;
        self.accept(name, target, handle, metadata, false)
    }

    /// Returns the verdict on the target of a link: a file that is never packed must not be packed through a link.
    fn judge_target(&self, name: &Path, target: &Path, is_dir: bool) -> PathVerdict {
        if self.own_folders.iter().any(|folder| target.starts_with(folder)) {
            return PathVerdict::LeaveOut(ExcludeReason::BuiltIn(ExcludedName::own_folder()));
        }
        let below = self.below_root(target);
        // Patterns are for paths in the tree.
        let is_named = |path: &Path| path.is_relative() && self.rules.allows_name(path, is_dir);
        match self.rules.builtin().find_anywhere(&below, is_dir) {
            None => PathVerdict::Keep,
            Some(found) if is_only_certificate(&found, target) => PathVerdict::Keep,
            Some(found) if found.kind == ExcludeKind::Secret && (is_named(name) || is_named(&below)) => {
                PathVerdict::KeepSecret
            }
            Some(found) => PathVerdict::LeaveOut(ExcludeReason::BuiltIn(found)),
        }
    }

    /// Resolves a link. Fails if it leads outside, nowhere, or in a circle.
    fn follow(&self, link: &Path) -> Result<PathBuf, PackError> {
        let target = fs::read_link(link).map_err(PackError::unreadable(link))?;
        let link = link.to_owned();
        match fs::canonicalize(&link) {
            Ok(real) if self.external_symlinks || self.root_of(&real).is_some() => Ok(real),
            Ok(_) => Err(PackError::LinkOutside { link, target }),
            Err(error) if error.raw_os_error() == Some(Errno::ELOOP as i32) => Err(PackError::LinkLoop(link)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Err(PackError::BrokenLink { link, target })
            }
            Err(source) => Err(PackError::Unreadable { path: link, source }),
        }
    }

    fn root_of(&self, path: &Path) -> Option<&Path> {
        self.roots.iter().map(PathBuf::as_path).find(|root| path.starts_with(root))
    }

    /// Returns the path below its root. The names of folders above the root say nothing about the files in it.
    fn below_root(&self, path: &Path) -> PathBuf {
        match self.root_of(path).and_then(|root| path.strip_prefix(root).ok()) {
            Some(below) if below.as_os_str().is_empty() => path.file_name().map(PathBuf::from).unwrap_or_default(),
            Some(below) => below.to_owned(),
            None => path.to_owned(),
        }
    }
}
