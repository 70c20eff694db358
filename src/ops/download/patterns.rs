//! `--only`: which files are wanted, by patterns of their names.

use std::path::Path;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::error::{Error, Result};

/// Files that fit one of these, or lie in a folder that does.
#[derive(Clone, Debug)]
pub(crate) struct Patterns(GlobSet);

impl Patterns {
    /// None without patterns: everything is wanted.
    pub(crate) fn parse(patterns: &[String]) -> Result<Option<Self>> {
        if patterns.is_empty() {
            return Ok(None);
        }
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(glob(pattern)?);
        }
        let set = set.build().map_err(|error| Error::usage(format!("--only: {error}")))?;
        Ok(Some(Self(set)))
    }

    pub(crate) fn fit(&self, path: &Path) -> bool {
        path.ancestors().any(|part| !part.as_os_str().is_empty() && self.0.is_match(part))
    }
}

/// As in .gitignore, a pattern without a slash is one of a name at any depth.
fn glob(pattern: &str) -> Result<Glob> {
    let trimmed = pattern.trim_start_matches("./").trim_matches('/');
    let anywhere = if pattern.contains('/') { trimmed.to_owned() } else { format!("**/{trimmed}") };
    let glob = GlobBuilder::new(&anywhere).literal_separator(true).build();
    glob.map_err(|error| Error::usage(format!("--only {pattern:?} is no pattern: {}", error.kind())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_at_any_depth_and_paths_from_the_top() -> Result<()> {
        let fits = |pattern: &str, path: &str| -> Result<bool> {
            Ok(Patterns::parse(&[pattern.to_owned()])?.is_some_and(|patterns| patterns.fit(Path::new(path))))
        };
        for (pattern, path) in [
            ("*.json", "config.json"),
            ("*.json", "a/b/config.json"),
            ("checkpoints", "a/checkpoints/step-1/x"),
            ("./a/*.bin", "a/x.bin"),
            ("a/", "a/b/c"),
            ("a/**/c", "a/b/b/c"),
            ("{x,y}.bin", "y.bin"),
        ] {
            assert!(fits(pattern, path)?, "{pattern} {path}");
        }
        for (pattern, path) in [("*.json", "a.jsonl"), ("a/*.bin", "a/b/x.bin"), ("b/c", "a/b/c"), ("a", "ab")] {
            assert!(!fits(pattern, path)?, "{pattern} {path}");
        }
        assert!(Patterns::parse(&["[".to_owned()]).is_err());
        Ok(())
    }
}
