//! Files that are secrets or hold some, as they are listed in an error, and the patterns that let them pass.

use std::fmt;
use std::io::Read;
use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::Finding;
use super::key_files::is_certificate;
use crate::archive::PackError;
use crate::archive::pack::stable_file;
use crate::model::one_line;

/// The most files that are listed; of the others, the number is told.
const MAX_LISTED: usize = 12;

/// A file, or a folder with a slash at its end, that is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretFile {
    /// Its path in the archive or in the data.
    name: String,
    /// `None` where the name alone decided.
    line: Option<u64>,
    /// The kind of secret, or what a file of this name is.
    about: &'static str,
}

impl SecretFile {
    pub(crate) fn by_name(name: &Path, is_dir: bool, about: &'static str) -> Self {
        let slash = if is_dir { "/" } else { "" };
        Self { name: format!("{}{slash}", one_line(name.display())), line: None, about }
    }

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

/// Files that are secrets, one a line, each indented.
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

/// Builds `allow_secrets`: patterns in gitignore's syntax. `place` names the key in an error.
pub(crate) fn patterns(allowed: &[String], place: &str) -> Result<Gitignore, PackError> {
    let bad = |pattern: &str, error: &ignore::Error| PackError::BadPattern {
        pattern: pattern.to_owned(),
        place: place.to_owned(),
        problem: error.to_string(),
    };
    let mut builder = GitignoreBuilder::new("");
    builder.allow_unclosed_class(false);
    for pattern in allowed {
        check_pattern(pattern).map_err(|problem| PackError::BadPattern {
            pattern: format!("`{pattern}`"),
            place: place.to_owned(),
            problem: problem.to_owned(),
        })?;
        builder.add_line(None, pattern).map_err(|error| bad(pattern, &error))?;
    }
    builder.build().map_err(|error| bad("", &error))
}

/// Refuses a pattern that names no file: gitignore's syntax lets it pass, and `/` matches everything.
fn check_pattern(pattern: &str) -> Result<(), &'static str> {
    let text = pattern.trim();
    if text.trim_matches(['/', '!', '\\']).trim().is_empty() || text.starts_with('#') {
        return Err("it names no file");
    }
    Ok(())
}

/// Returns whether a file holds certificates and no private key. What can't be read, or is very large, is taken for a key.
pub(crate) fn is_certificate_file(path: &Path) -> bool {
    const LARGEST: u64 = 4 * 1024 * 1024;
    let read = || {
        let mut content = Vec::new();
        let file = stable_file::open(&std::fs::canonicalize(path)?)?;
        file.take(LARGEST + 1).read_to_end(&mut content)?;
        std::io::Result::Ok(content)
    };
    read().is_ok_and(|content| content.len() as u64 <= LARGEST && is_certificate(&content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_name_nothing_are_refused() {
        let is_valid = |pattern: &str| patterns(&[pattern.to_owned()], "allow_secrets").is_ok();
        for pattern in ["", " ", "/", "//", "!", "!/", "\\", "[", "[]", "a[b", "[!]", "a[b]c[", "{a", "#a", "# a"] {
            assert!(!is_valid(pattern), "{pattern:?}");
        }
        for pattern in ["*", "*.pem", "/.env", "conf/", "[ab].key", "[]]", "\\[", "a[!b]c", "**/x", "!a.pem", "\\#a"] {
            assert!(is_valid(pattern), "{pattern:?}");
        }
    }
}
