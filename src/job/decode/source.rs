//! `[source]`: the code that runs.

use std::path::{Path, PathBuf};

use super::constraints;
use super::section::SectionReader;
use crate::job::spec::SourceSpec;

/// Written with no [source] at all, a framework's code is still the spec's folder: the entry point is then what is missing.
pub(crate) fn decode(root: &SectionReader<'_>, folder: &Path) -> Option<SourceSpec> {
    let section = root.section("source");
    if !section.is_written() {
        return None;
    }
    let dir = section.checked("dir", constraints::not_empty);
    let dependencies = section.strings("dependencies", constraints::not_empty);
    Some(SourceSpec {
        dir: dir.map_or_else(|| folder.to_owned(), |dir| resolve(folder, &dir)),
        entry_point: section.checked("entry_point", constraints::entry_point),
        dependencies: dependencies.iter().map(|path| resolve(folder, path)).collect(),
        s3_uri: section.s3_uri("s3_uri"),
        exclude: section.strings("exclude", constraints::not_empty),
        allow_secrets: section.strings("allow_secrets", constraints::not_empty),
        external_symlinks: section.boolean("external_symlinks").unwrap_or(false),
    })
}

/// A path as the spec writes it, from the spec's folder, without `.` and trailing separators.
pub(crate) fn resolve(folder: &Path, path: &str) -> PathBuf {
    let joined: PathBuf = folder.join(path).components().collect();
    std::path::absolute(&joined).unwrap_or(joined)
}
