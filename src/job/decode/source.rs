//! Decodes `[source]`: the code that runs.

use std::path::{Path, PathBuf};

use super::constraints;
use super::section::SectionReader;
use crate::job::spec::SourceSpec;

const S3: &str = "s3://";

/// Decodes the section; `None` if it isn't written. The default of `dir` is the spec's folder.
pub(crate) fn decode(root: &SectionReader<'_>, folder: &Path) -> Option<SourceSpec> {
    let section = root.section("source");
    if !section.is_written() {
        return None;
    }
    let dir = section.checked("dir", constraints::not_empty);
    if let Some(uri) = dir.as_ref().filter(|dir| dir.starts_with(S3)) {
        let hint = format!("fetch and unpack it: smtrain download {uri} -d src; then write dir = \"src\"");
        section.refuse("dir", "`dir` is in S3, and code is packed from a folder here", Some(hint));
        return None;
    }
    let dependencies = section.strings("dependencies", here);
    Some(SourceSpec {
        dir: dir.map_or_else(|| folder.to_owned(), |dir| resolve(folder, &dir)),
        entry_point: section.checked("entry_point", constraints::entry_point),
        dependencies: dependencies
            .iter()
            .filter(|path| !path.starts_with(S3))
            .map(|path| resolve(folder, path))
            .collect(),
        s3_uri: section.s3_uri("s3_uri"),
        exclude: section.strings("exclude", constraints::not_empty),
        allow_secrets: section.strings("allow_secrets", constraints::not_empty),
        external_symlinks: section.boolean("external_symlinks").unwrap_or(false),
    })
}

/// Resolves a path of the spec from the spec's folder, and removes `.` components and trailing separators.
pub(crate) fn resolve(folder: &Path, path: &str) -> PathBuf {
    let joined: PathBuf = folder.join(path).components().collect();
    std::path::absolute(&joined).unwrap_or(joined)
}

/// Checks a path on this computer.
fn here(text: &str) -> constraints::ConstraintResult {
    constraints::not_empty(text)?;
    if text.starts_with(S3) { Err("is in S3, and dependencies are packed from here".to_owned()) } else { Ok(()) }
}
