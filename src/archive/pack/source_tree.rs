//! The source tree of a job, as it is to be packed.

use std::path::PathBuf;

use super::project::Project;

/// Files and folders to pack: the spec's `[source]`, with paths relative to the working directory.
#[derive(Clone, Debug, Default)]
pub(crate) struct SourceTree {
    pub(crate) dir: PathBuf,
    /// Folders and files that are packed at the root of the archive, under their own names.
    pub(crate) dependencies: Vec<PathBuf>,
    /// Patterns in gitignore's syntax, relative to the root of the archive.
    pub(crate) exclude: Vec<String>,
    /// Relative to `dir`; must be in the archive.
    pub(crate) entry_point: Option<String>,
    /// Patterns in gitignore's syntax of files that may be or hold secrets, relative to the root of the archive.
    pub(crate) allow_secrets: Vec<String>,
    /// Follow links that lead out of `dir` and the dependencies.
    pub(crate) external_symlinks: bool,
    /// The project that `dir` and the dependencies must not leave through a link.
    pub(crate) project: Project,
    /// Absolute paths of smtrain's own folders, which grow with every job: excluded as tooling where they lie in the
    /// tree.
    pub(crate) own_folders: Vec<PathBuf>,
}
