//! Glob patterns of `--only`, which select files by path.

use std::path::Path;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::error::{Error, Result};

/// Set of glob patterns. A file matches if its path or one of its parent folders matches a pattern.
#[derive(Clone, Debug)]
pub(crate) struct Patterns(GlobSet);

impl Patterns {
    /// Parses patterns; `None` without any. Fails on an invalid pattern.
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

    /// Returns true if the path or one of its parents matches.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        path.ancestors().any(|part| !part.as_os_str().is_empty() && self.0.is_match(part))
    }
}

/// Compiles a pattern. As in .gitignore, one without a slash matches names at any depth.
fn glob(pattern: &str) -> Result<Glob> {
    let trimmed = pattern.trim_start_matches("./").trim_matches('/');
    let anywhere = if pattern.contains('/') { trimmed.to_owned() } else { format!("**/{trimmed}") };
    let glob = GlobBuilder::new(&anywhere).literal_separator(true).build();
    glob.map_err(|error| Error::usage(format!("--only {pattern:?} is not a pattern: {}", error.kind())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_at_any_depth_and_paths_from_the_top() -> Result<()> {
        let fits = |pattern: &str, path: &str| -> Result<bool> {
            Ok(Patterns::parse(&[pattern.to_owned()])?.is_some_and(|patterns| patterns.matches(Path::new(path))))
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
