//! Adds the dependencies, which are outside the source folder, to the entries of its root.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Level, SourceEntry, Walk, sort};
use crate::archive::PackError;
use crate::archive::pack::ignore_rules::PathVerdict;
use crate::archive::pack::named_files;

impl Walk {
    /// Adds the dependencies to the entries of the root, in the archive's order.
    pub(super) fn add_dependencies(&mut self, dependencies: &[PathBuf]) -> Result<(), PackError> {
        let Some(root) = self.levels.pop() else { return Ok(()) };
        let mut entries: Vec<SourceEntry> = root.entries.collect();
        for given in dependencies {
            let dependency = self.dependency(given)?;
            self.remove_clash(&mut entries, &dependency, &root.path)?;
            self.roots.extend(dependency.dependency.clone());
            entries.push(dependency);
        }
        sort(&mut entries);
        self.levels.push(Level { entries: entries.into_iter(), ..root });
        Ok(())
    }

    fn dependency(&self, given: &Path) -> Result<SourceEntry, PackError> {
        let path = fs::canonicalize(given)
            .map_err(|source| PackError::DependencyMissing { path: given.to_owned(), source })?;
        named_files::check_inside_project(&self.project, self.external_symlinks, given, &path)?;
        // `..` has no name of its own.
        let name = given.file_name().or(path.file_name()).ok_or_else(|| PackError::NotAFolder(given.to_owned()))?;
        Ok(SourceEntry { name: name.to_owned(), is_dir: path.is_dir(), dependency: Some(path) })
    }

    /// Removes an entry of the same name that is left out anyway. Fails for any other.
    fn remove_clash(&self, entries: &mut Vec<SourceEntry>, new: &SourceEntry, root: &Path) -> Result<(), PackError> {
        let Some(at) = entries.iter().position(|entry| entry.name == new.name) else { return Ok(()) };
        let first = entries[at].dependency.clone().unwrap_or_else(|| root.join(&new.name));
        if !matches!(self.judge(Path::new(&new.name), &first, &entries[at]), PathVerdict::LeaveOut(_)) {
            let second = new.dependency.clone().unwrap_or_default();
            return Err(PackError::Clash { name: new.name.to_string_lossy().into_owned(), first, second });
        }
        entries.remove(at);
        Ok(())
    }
}
