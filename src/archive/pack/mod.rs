//! Packs a job's source code: the same files give the same bytes on any computer.
//!
//! The digest is that of the tar stream before compression, so that a newer compressor does not change it. It can be
//! checked by `gzip -dc sourcedir.tar.gz | sha256sum`. Every file is searched for secrets in the same read that packs
//! it.
//!
//! Folders have no entries of their own, and empty ones are left out: git does not keep them either, and a clone must
//! give the same archive as the original.

pub(super) mod builtin_excludes;
pub(super) mod data;
pub(super) mod entry_point;
pub(super) mod exclude_reason;
pub(super) mod git;
pub(super) mod ignore_rules;
pub(super) mod named_files;
pub(super) mod output_dir;
pub(super) mod project;
pub(super) mod source_tree;
pub(super) mod stable_file;
pub(super) mod walk;

use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::PackError;
use super::gzip::writer::{self, GzipWriter};
use super::secrets::secret_files::{SecretFile, SecretFiles};
use super::secrets::{self, Finding, MAX_KEY_FILE_BYTES, ScanningReader, SecretScan};
use super::tar::writer::{Attributes, TarWriter};
use crate::model::hex;
use entry_point::check_entry_point;
use exclude_reason::{ExcludeReason, ExcludedName};
use source_tree::SourceTree;
use stable_file::SteadyReader;
use walk::{Skipped, SourceFile, Walk};

/// Modification time of all files, in seconds since 1970: 2 January 1980. Zip files, and so wheels that pip builds from
/// the code, have no time before 1980, and use local time; hence the second day.
const MTIME_SECONDS: u64 = 315_619_200;

/// Result of packing source code.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "packed and unpacked bytes are what tells them apart")]
pub(crate) struct Packed {
    /// SHA-256 digest of the uncompressed tar stream, in hexadecimal.
    pub(crate) sha256: String,
    pub(crate) files: usize,
    /// Size of the files.
    pub(crate) unpacked_bytes: u64,
    /// Size of the archive.
    pub(crate) packed_bytes: u64,
    /// Paths in the archive of files that were left out as secrets; a folder counts once and has a slash at its end.
    pub(crate) secrets: Vec<String>,
    /// Paths of secrets that are in the archive because the spec or a .smtrainignore names them.
    pub(crate) allowed: Vec<String>,
    pub(crate) skipped: Skipped,
    /// Reasons for which files that git tracks may be among the ignored ones.
    pub(crate) doubts: Vec<String>,
}

/// Writes the code archive `sourcedir.tar.gz`. Code that contains secrets is an error; files that are nothing but a key
/// are left out. After an error, the bytes written are useless.
pub(crate) fn pack_source(tree: &SourceTree, to: &mut dyn Write) -> Result<Packed, PackError> {
    pack_with(tree, to, writer::default_threads())
}

pub(super) fn pack_with(tree: &SourceTree, to: &mut dyn Write, threads: usize) -> Result<Packed, PackError> {
    let mut packing = SourcePacker::new(to, threads);
    let walk = for_each_file(tree, |found, is_allowed| packing.add(found, is_allowed))?;
    packing.finish(walk, tree)
}

/// Fails as [`pack_source`] would, without packing. All names and links are checked; contents are searched for secrets
/// only up to a limit, to be quick.
pub(crate) fn check_source(tree: &SourceTree) -> Result<(), PackError> {
    const MAX_FILE_BYTES: u64 = 1024 * 1024;
    const MAX_TOTAL_BYTES: u64 = 64 * 1024 * 1024;
    let mut left = MAX_TOTAL_BYTES;
    for_each_file(tree, |found, _| {
        let mut content = Vec::new();
        let read = found.file.take(left.min(MAX_FILE_BYTES)).read_to_end(&mut content);
        left -= read.map_err(PackError::unreadable(&found.path))? as u64;
        Ok(ContentKind::of(&content))
    })?;
    Ok(())
}

/// Classes of file contents, by the search for secrets.
enum ContentKind {
    Harmless,
    /// Nothing but a key.
    Key,
    Secret(Finding),
}

impl ContentKind {
    fn of(content: &[u8]) -> Self {
        if content.len() as u64 <= MAX_KEY_FILE_BYTES && secrets::is_key_file(content) {
            return Self::Key;
        }
        let mut scan = SecretScan::default();
        scan.update(content);
        Self::from(scan.finish())
    }
}

impl From<Option<Finding>> for ContentKind {
    fn from(found: Option<Finding>) -> Self {
        found.map_or(Self::Harmless, Self::Secret)
    }
}

/// Visits every file that is to be packed, and returns the finished walk. Fails with all secrets in the code together,
/// or if the entry point isn't among the files. `visit` gets the file and whether it may contain secrets.
fn for_each_file(
    tree: &SourceTree,
    mut visit: impl FnMut(SourceFile, bool) -> Result<ContentKind, PackError>,
) -> Result<Walk, PackError> {
    if !tree.dir.is_dir() {
        return Err(PackError::NotAFolder(tree.dir.clone()));
    }
    if let Some(entry_point) = &tree.entry_point {
        check_entry_point(tree, entry_point)?;
    }
    let mut walk = Walk::new(tree)?;
    let mut secrets = SecretFiles::default();
    let mut missing = tree.entry_point.as_deref();
    while let Some(found) = walk.next()? {
        let name = found.name.clone();
        let is_allowed = walk.allows_secret(&name);
        match visit(found, is_allowed)? {
            ContentKind::Key if !is_allowed => {
                walk.note_secret(&name, false);
                continue;
            }
            ContentKind::Secret(finding) if !is_allowed => secrets.0.push(SecretFile::by_content(&name, finding)),
            ContentKind::Key | ContentKind::Secret(_) => walk.note_allowed(&name),
            ContentKind::Harmless => {}
        }
        missing = missing.filter(|entry_point| name != Path::new(entry_point));
    }
    match missing {
        _ if !secrets.0.is_empty() => Err(PackError::Secrets(secrets)),
        // Its name passed `check_entry_point`: the rule is one that only the walk knows, or of the content.
        Some(entry_point) => Err(PackError::EntryPointLeftOut {
            entry_point: entry_point.to_owned(),
            reason: walk.entry_point_rule.unwrap_or_else(|| ExcludeReason::BuiltIn(ExcludedName::by_content())),
        }),
        None => Ok(walk),
    }
}

/// The archive that is being written.
struct SourcePacker<'w> {
    archive: TarWriter<Hashing<GzipWriter<&'w mut dyn Write>>>,
    files: usize,
    bytes: u64,
}

impl<'w> SourcePacker<'w> {
    fn new(to: &'w mut dyn Write, threads: usize) -> Self {
        let hashing = Hashing { to: GzipWriter::new(to, threads), digest: Sha256::new() };
        Self { archive: TarWriter::new(hashing), files: 0, bytes: 0 }
    }

    /// Adds a file, unless it is nothing but a key that isn't allowed, and returns the class of its content.
    fn add(&mut self, found: SourceFile, is_allowed: bool) -> Result<ContentKind, PackError> {
        let with = Attributes { mode: mode(&found.metadata), mtime: MTIME_SECONDS };
        let mut reader = SteadyReader::new(found.file, &found.path)?;
        let size = reader.size();
        let content = if size <= MAX_KEY_FILE_BYTES {
            let bytes = reader.read_all()?;
            let content = ContentKind::of(&bytes);
            if matches!(content, ContentKind::Key) && !is_allowed {
                return Ok(content);
            }
            self.archive.file(&found.name, with, size, &bytes[..]).map_err(PackError::Write)?;
            content
        } else {
            let mut scanning = ScanningReader::new(&mut reader);
            let added = self.archive.file(&found.name, with, size, &mut scanning);
            let found = scanning.finish();
            added.map_err(|error| reader.take_failure().unwrap_or(PackError::Write(error)))?;
            reader.check_unchanged()?;
            found.into()
        };
        self.files += 1;
        self.bytes += size;
        Ok(content)
    }

    fn finish(self, walk: Walk, tree: &SourceTree) -> Result<Packed, PackError> {
        if self.files == 0 {
            return Err(PackError::NothingToPack(tree.dir.clone()));
        }
        let Hashing { to, digest } = self.archive.finish().map_err(PackError::Write)?;
        Ok(Packed {
            sha256: hex(&digest.finalize()),
            files: self.files,
            unpacked_bytes: self.bytes,
            packed_bytes: to.finish().map_err(PackError::Write)?,
            secrets: walk.secrets,
            allowed: deduplicated(walk.allowed),
            skipped: walk.skipped,
            doubts: walk.rules.doubts.into_iter().collect(),
        })
    }
}

/// Removes repeated names in a row: a file may be allowed for its name, and again for its content.
fn deduplicated(mut names: Vec<String>) -> Vec<String> {
    names.dedup();
    names
}

/// Returns the mode to pack. As in git, the owner's execute bit alone counts: the others follow the umask.
fn mode(metadata: &std::fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    if metadata.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 }
}

/// A writer that digests what it passes on.
struct Hashing<W> {
    to: W,
    digest: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.digest.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests;
