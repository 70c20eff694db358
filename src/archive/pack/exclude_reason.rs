//! Reasons for which a file is left out of the code archive, as users read them.

use std::fmt;
use std::path::{Path, PathBuf};

/// The key whose patterns are not in a file.
const EXCLUDE_KEY: &str = "source.exclude";

/// Classes of names that the built-in rules exclude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExcludeKind {
    /// Version control, caches, environments.
    Tooling,
    Secret,
}

/// A file or folder that the built-in rules exclude, with the rule that matched.
#[derive(Clone, Debug)]
pub(crate) struct ExcludedName {
    pub(crate) kind: ExcludeKind,
    /// A pattern of the built-in tables, or the end of a sentence that names another rule.
    pub(crate) by: String,
}

impl ExcludedName {
    /// A secret that only the content shows.
    pub(crate) fn by_content() -> Self {
        Self { kind: ExcludeKind::Secret, by: "its content is a key".to_owned() }
    }

    /// A folder of smtrain's own.
    pub(crate) fn own_folder() -> Self {
        Self { kind: ExcludeKind::Tooling, by: "smtrain's own folder".to_owned() }
    }

    /// A Python environment, by its path in the archive.
    pub(crate) fn environment(folder: &Path) -> Self {
        Self { kind: ExcludeKind::Tooling, by: format!("{} is a Python environment", folder.display()) }
    }
}

/// The rule by which something is left out. Reads after `left out by`.
#[derive(Clone, Debug)]
pub(crate) enum ExcludeReason {
    BuiltIn(ExcludedName),
    Pattern {
        pattern: String,
        /// The ignore file with the pattern; `None` for `source.exclude`.
        file: Option<PathBuf>,
    },
}

impl fmt::Display for ExcludeReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(found) if found.kind == ExcludeKind::Secret => {
                write!(f, "the built-in rules for secrets ({})", found.by)
            }
            Self::BuiltIn(found) => {
                write!(f, "the built-in rules for caches, environments and version control ({})", found.by)
            }
            Self::Pattern { pattern, file } => {
                write!(f, "the pattern {pattern} of {}", pattern_source(file.as_deref()))
            }
        }
    }
}

/// Returns the place of a pattern for messages: the ignore file, or the key in the spec.
pub(super) fn pattern_source(file: Option<&Path>) -> String {
    file.map_or_else(|| EXCLUDE_KEY.to_owned(), |path| path.display().to_string())
}
