//! Checks the profile files and what the selected profile names, before the SDK's providers use them.
//!
//! The SDK treats profile files that it can't parse as absent. Its parser, called here, says what is wrong. A profile
//! may also name a file with a token, which the SDK reads without a limit.

use std::collections::HashSet;
use std::error::Error as StdError;
use std::path::{Path, PathBuf};

use aws_config::profile::{self, ProfileFileLoadError, ProfileSet};

use super::files::{self, AwsConfigFiles};
use crate::cloud::{CloudError, CloudResult};

const TOKEN_FILE: &str = "web_identity_token_file";
const SOURCE_PROFILE: &str = "source_profile";

/// Fails if a profile file can't be parsed, or if the SDK would hang on a token that the profile, or one that it gets
/// its credentials from, names. `selected` is the profile's name; without it, the environment's is used.
#[expect(clippy::default_trait_access, reason = "the types of the SDK's files and environment aren't re-exported")]
pub(super) async fn check(files: &AwsConfigFiles, selected: Option<&str>) -> CloudResult<()> {
    files.check()?;
    for (variable, path) in &files.profiles {
        if let Some(problem) = files::text(path).and_then(|text| unsupported(&text)) {
            return Err(unparsed(&path.display().to_string(), problem, variable));
        }
    }
    let selected = selected.map(|name| name.to_owned().into());
    let profiles = profile::load(&Default::default(), &Default::default(), &Default::default(), selected).await;
    let profiles = profiles.map_err(|error| syntax_error(files, &error))?;
    for (profile, path) in tokens(&profiles) {
        let hint = || format!("set {TOKEN_FILE} of the profile {profile} to a file with a token, or remove it");
        files::check_token(&path, hint)?;
    }
    Ok(())
}

/// Returns what other AWS tools accept in a profile file, or say better, but the SDK's parser doesn't support.
fn unsupported(text: &str) -> Option<&'static str> {
    if text.starts_with('\u{feff}') {
        return Some("line 1: the file begins with a byte order mark, which is not supported");
    }
    let has_bare_return = text.replace("\r\n", "\n").contains('\r');
    has_bare_return.then_some("lines that end with a carriage return alone are not supported")
}

/// Converts an error of the SDK's parser, whose message has two lines.
fn syntax_error(files: &AwsConfigFiles, error: &ProfileFileLoadError) -> CloudError {
    let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let located = text.strip_prefix("error parsing ").and_then(|text| text.rsplit_once(":\n  "));
    let placed = located.and_then(|(place, why)| Some((place.rsplit_once(" on line ")?, why)));
    let Some(((path, line), why)) = placed else {
        return unparsed("a profile file", &text, "AWS_CONFIG_FILE");
    };
    let named = files.profiles.iter().find(|(_, file)| file == Path::new(path));
    let variable = named.map_or("AWS_CONFIG_FILE", |(variable, _)| variable);
    unparsed(path, &format!("line {line}: {why}"), variable)
}

fn unparsed(path: &str, why: &str, variable: &str) -> CloudError {
    CloudError::Unusable {
        what: format!("{path} can't be parsed: {why}"),
        hint: format!("mend it, or set {variable} to another file; /dev/null is one without profiles"),
    }
}

/// Returns the files with tokens that the selected profile and the chain of its source profiles name, each with the
/// profile's name.
fn tokens(profiles: &ProfileSet) -> Vec<(&str, PathBuf)> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut next = Some(profiles.selected_profile());
    while let Some(name) = next.filter(|name| seen.insert(*name)) {
        let profile = profiles.get_profile(name);
        let token = profile.and_then(|profile| profile.get(TOKEN_FILE));
        found.extend(token.map(|path| (name, path.into())));
        next = profile.and_then(|profile| profile.get(SOURCE_PROFILE));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_lines_and_marks_that_are_not_supported() {
        for fine in ["", "[default]\nregion = a\n", "[default]\r\nregion = a\r\n", "# \u{feff}\n"] {
            assert_eq!(unsupported(fine), None, "{fine:?}");
        }
        for other in ["\u{feff}[default]\n", "# a\r[default]\rregion = a\r", "[default]\r\r\n"] {
            assert!(unsupported(other).is_some(), "{other:?}");
        }
    }
}
