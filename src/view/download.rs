//! Output of `download`: JSON, one object per line, or text.

use std::path::Path;

use serde::Serialize;

use super::VERSION;
use crate::model::downloaded::{Downloaded, DownloadedArtifact, ListedEntry, ListedKind};
use crate::model::{hex, one_line};
use crate::ui;

/// Last line: the artifacts and where they are.
#[derive(Debug, Serialize)]
pub(crate) struct DownloadJson<'a> {
    version: u32,
    kind: &'static str,
    /// The job's name, or the URI.
    source: &'a str,
    folder: String,
    parts: Vec<PartJson<'a>>,
}

#[derive(Debug, Serialize)]
struct PartJson<'a> {
    /// `model`, `output data`, `code`, `checkpoints`, or what a URI ends with.
    part: &'a str,
    /// Path of the folder or file.
    path: String,
    files: usize,
    bytes: u64,
    /// URI that it was fetched from.
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<&'a str>,
    /// Links that were not created because they lead out of the artifact, as `NAME -> TARGET`.
    left_out: &'a [String],
}

impl<'a> DownloadJson<'a> {
    pub(crate) fn of(source: &'a str, downloaded: &'a Downloaded) -> Self {
        Self {
            version: VERSION,
            kind: "download",
            source,
            folder: downloaded.folder.display().to_string(),
            parts: downloaded.parts.iter().map(part).collect(),
        }
    }
}

fn part(part: &DownloadedArtifact) -> PartJson<'_> {
    PartJson {
        part: &part.what,
        path: part.path.display().to_string(),
        files: part.files,
        bytes: part.bytes,
        uri: part.uri.to_string(),
        etag: part.version.as_deref().map(|tag| tag.trim_matches('"')).filter(|tag| !tag.is_empty()),
        left_out: &part.left_out,
    }
}

/// A saved file, or any entry of a list.
#[derive(Debug, Serialize)]
pub(crate) struct FileJson<'a> {
    version: u32,
    /// `file`; in a list also `folder`, `symlink`, `hard_link` and `other`.
    kind: &'static str,
    part: &'a str,
    /// Path in its artifact; invalid UTF-8 is replaced.
    path: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

impl<'a> FileJson<'a> {
    pub(crate) fn saved(part: &'a str, path: &Path, size: u64, sha256: Option<[u8; 32]>) -> Self {
        Self {
            version: VERSION,
            kind: "file",
            part,
            path: path.to_string_lossy().into_owned(),
            size,
            sha256: sha256.map(|digest| hex(&digest)),
            target: None,
        }
    }

    pub(crate) fn listed(part: &'a str, listed: &ListedEntry) -> Self {
        let (kind, target) = match &listed.kind {
            ListedKind::File => ("file", None),
            ListedKind::Folder => ("folder", None),
            ListedKind::Symlink(target) => ("symlink", Some(target)),
            ListedKind::HardLink(target) => ("hard_link", Some(target)),
            ListedKind::Other => ("other", None),
        };
        let target = target.map(|target| target.to_string_lossy().into_owned());
        // Without the trailing slash that many archives give folders.
        let path = listed.path.components().as_path();
        Self { kind, target, ..Self::saved(part, path, listed.size, None) }
    }
}

/// Formats a listed entry: `   4 B  weights.bin`, `        up -> weights.bin`, `        deep/`.
pub(crate) fn listed(listed: &ListedEntry) -> String {
    let shown = |path: &Path| one_line(path.display());
    let name = shown(&listed.path);
    let name = name.trim_end_matches('/');
    let size = if listed.kind == ListedKind::File { ui::bytes(listed.size) } else { String::new() };
    match &listed.kind {
        ListedKind::File => format!("{size:>12}  {name}"),
        ListedKind::Folder => format!("{size:>12}  {name}/"),
        ListedKind::Symlink(target) => format!("{size:>12}  {name} -> {}", shown(target)),
        ListedKind::HardLink(target) => format!("{size:>12}  {name} = {}", shown(target)),
        ListedKind::Other => format!("{size:>12}  {name} (a device or the like)"),
    }
}
