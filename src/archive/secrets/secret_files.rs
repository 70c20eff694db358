//! Files that are or hold secrets, as an error lists them.

use std::fmt;
use std::path::Path;

use super::finding::Finding;
use crate::model::one_line;

/// Maximum number of files that are listed; of the others, only the number is shown.
const MAX_LISTED: usize = 100;

/// A file or folder that is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretFile {
    /// Path in the archive or in the data; a folder's has a slash at its end.
    name: String,
    /// Number of the line, from 1; `None` if the name is the reason.
    line: Option<u64>,
    /// Kind of the secret, or of a file of this name: a noun with its article.
    about: &'static str,
}

impl SecretFile {
    /// A file or folder that is a secret by its name.
    pub(crate) fn by_name(name: &Path, is_dir: bool, about: &'static str) -> Self {
        let slash = if is_dir { "/" } else { "" };
        Self { name: format!("{}{slash}", one_line(name.display())), line: None, about }
    }

    /// A file with a secret in its content.
    pub(crate) fn by_content(name: &Path, finding: Finding) -> Self {
        Self { name: one_line(name.display()), line: Some(finding.line), about: finding.kind }
    }
}

impl fmt::Display for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, line, about } = self;
        match line {
            Some(line) => write!(f, "{name}:{line}: {about}"),
            None => write!(f, "{name}: {about}"),
        }
    }
}

/// Files that are secrets. Shown one on a line, indented.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SecretFiles(pub(crate) Vec<SecretFile>);

impl fmt::Display for SecretFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in self.0.iter().take(MAX_LISTED) {
            write!(f, "\n  {file}")?;
        }
        match self.0.len().saturating_sub(MAX_LISTED) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_files_are_listed_and_the_others_counted() {
        let text = |count: usize| {
            let file = |number| SecretFile::by_name(Path::new(&format!("{number}.env")), false, "a secret");
            SecretFiles((0..count).map(file).collect()).to_string()
        };
        assert!(text(100).ends_with("\n  99.env: a secret"), "{}", text(100));
        assert!(text(101).ends_with("\n  99.env: a secret\n  and 1 more"), "{}", text(101));
    }
}
