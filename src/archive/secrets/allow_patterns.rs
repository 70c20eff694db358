//! `allow_secrets`: the patterns of files that may be or hold secrets.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::archive::PackError;

/// Parses `allow_secrets`: patterns in gitignore's syntax. `place` names the key in an error. Fails with
/// [`PackError::BadPattern`] for invalid patterns, and for those that name no file.
pub(crate) fn allow_patterns(allowed: &[String], place: &str) -> Result<Gitignore, PackError> {
    let bad = |pattern: &str, error: &ignore::Error| PackError::BadPattern {
        pattern: pattern.to_owned(),
        place: place.to_owned(),
        problem: error.to_string(),
    };
    let mut builder = GitignoreBuilder::new("");
    builder.allow_unclosed_class(false);
    for pattern in allowed {
        check_pattern(pattern).map_err(|problem| PackError::BadPattern {
            pattern: pattern.to_owned(),
            place: place.to_owned(),
            problem: problem.to_owned(),
        })?;
        builder.add_line(None, pattern).map_err(|error| bad(pattern, &error))?;
    }
    builder.build().map_err(|error| bad("", &error))
}

/// Fails for a pattern that names no file, although gitignore's syntax accepts it: `/` would match everything.
fn check_pattern(pattern: &str) -> Result<(), &'static str> {
    let text = pattern.trim();
    if text.trim_matches(['/', '!', '\\']).trim().is_empty() || text.starts_with('#') {
        return Err("it names no file");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_name_nothing_are_refused() {
        let is_valid = |pattern: &str| allow_patterns(&[pattern.to_owned()], "allow_secrets").is_ok();
        for pattern in ["", " ", "/", "//", "!", "!/", "\\", "[", "[]", "a[b", "[!]", "a[b]c[", "{a", "#a", "# a"] {
            assert!(!is_valid(pattern), "{pattern:?}");
        }
        for pattern in ["*", "*.pem", "/.env", "conf/", "[ab].key", "[]]", "\\[", "a[!b]c", "**/x", "!a.pem", "\\#a"] {
            assert!(is_valid(pattern), "{pattern:?}");
        }
    }
}
