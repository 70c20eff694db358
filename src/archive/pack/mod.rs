//! Packs a job's source code: the same files give the same bytes on any machine.
//!
//! The digest is of the tar stream before compression, so that a newer compressor does not make old code look new. Who
//! has the object can check it: `gzip -dc sourcedir.tar.gz | sha256sum`.
//!
//! Every file is searched for secrets as it is packed: what was searched is what is sent.
//!
//! Folders have no entries of their own, and empty ones vanish: git does not keep them either, and a clone must give the
//! archive that the original gives.

pub(super) mod builtin_excludes;
pub(super) mod data;
mod entry_point;
pub(super) mod exclude_reason;
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
use super::secrets::{self, Finding, LARGEST_KEY_FILE, ScanningReader, SecretScan};
use super::tar::writer::{Attributes, TarWriter};
use crate::model::hex;
use entry_point::check_entry_point;
use exclude_reason::{ExcludeReason, ExcludedName};
use source_tree::SourceTree;
use stable_file::SteadyReader;
use walk::{Skipped, SourceFile, Walk};

/// 2 January 1980. Zip files, and so Python wheels that pip builds from the code, know no time before 1980, and count it in
/// local time; hence the second day.
const MTIME: u64 = 315_619_200;

#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "packed and unpacked bytes are what tells them apart")]
pub(crate) struct Packed {
    /// Of the uncompressed tar stream, in hexadecimal.
    pub(crate) sha256: String,
    pub(crate) files: usize,
    /// The files' bytes.
    pub(crate) unpacked_bytes: u64,
    /// The archive's bytes.
    pub(crate) packed_bytes: u64,
    /// Paths in the archive that were left out as secrets; a folder counts once and has a slash at its end.
    pub(crate) secrets: Vec<String>,
    /// Paths in the archive of secrets that are in it, since the spec or a .smtrainignore names them.
    pub(crate) allowed: Vec<String>,
    pub(crate) skipped: Skipped,
}

/// Writes the code archive `sourcedir.tar.gz`. On an error, what was written is of no use. Code that holds secrets is an
/// error; files that are nothing but one are left out.
pub(crate) fn pack_source(tree: &SourceTree, to: &mut dyn Write) -> Result<Packed, PackError> {
    pack_with(tree, to, writer::default_threads())
}

pub(super) fn pack_with(tree: &SourceTree, to: &mut dyn Write, threads: usize) -> Result<Packed, PackError> {
    let mut packing = SourcePacker::new(to, threads);
    let walk = for_each_file(tree, |found, is_allowed| packing.add(found, is_allowed))?;
    packing.finish(walk, tree)
}

/// Finds what [`pack_source`] would refuse, and packs nothing. Contents are read up to a bound, so that it takes no long
/// time; links and names are all looked at.
pub(crate) fn check_source(tree: &SourceTree) -> Result<(), PackError> {
    const MOST_OF_A_FILE: u64 = 1024 * 1024;
    const MOST_OF_ALL: u64 = 64 * 1024 * 1024;
    let mut left = MOST_OF_ALL;
    for_each_file(tree, |found, _| {
        let mut content = Vec::new();
        let read = found.file.take(left.min(MOST_OF_A_FILE)).read_to_end(&mut content);
        left -= read.map_err(PackError::unreadable(&found.path))? as u64;
        Ok(ContentKind::of(&content))
    })?;
    Ok(())
}

/// The kinds of contents that files have.
enum ContentKind {
    Fine,
    /// It is nothing but a key.
    Key,
    Secret(Finding),
}

impl ContentKind {
    fn of(content: &[u8]) -> Self {
        if content.len() as u64 <= LARGEST_KEY_FILE && secrets::is_key_file(content) {
            return Self::Key;
        }
        let mut scan = SecretScan::default();
        scan.update(content);
        Self::from(scan.finish())
    }
}

impl From<Option<Finding>> for ContentKind {
    fn from(found: Option<Finding>) -> Self {
        found.map_or(Self::Fine, Self::Secret)
    }
}

/// Walks the tree, and returns the walk at its end. Fails with all the secrets in the code, or without the entry point.
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
    let (mut walk, mut secrets) = (Walk::new(tree)?, SecretFiles::default());
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
            ContentKind::Fine => {}
        }
        missing = missing.filter(|entry_point| name != Path::new(entry_point));
    }
    match missing {
        _ if !secrets.0.is_empty() => Err(PackError::Secrets(secrets)),
        // Patterns were asked before, for its name: what is left is its content, what it links to, or an environment.
        Some(entry_point) => Err(PackError::EntryPointLeftOut {
            entry_point: entry_point.to_owned(),
            reason: ExcludeReason::BuiltIn(ExcludedName::by_content()),
        }),
        None => Ok(walk),
    }
}

/// The archive as it grows.
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

    /// Adds a file, unless it is nothing but a key and isn't allowed, and tells what is in it.
    fn add(&mut self, found: SourceFile, is_allowed: bool) -> Result<ContentKind, PackError> {
        let with = Attributes { mode: mode(&found.metadata), mtime: MTIME };
        let mut reader = SteadyReader::new(found.file, &found.path)?;
        let size = reader.size();
        let content = if size <= LARGEST_KEY_FILE {
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
        })
    }
}

/// A file may be allowed for its name, and again for its content.
fn deduplicated(mut names: Vec<String>) -> Vec<String> {
    names.dedup();
    names
}

/// As git does, the owner's execute bit alone counts: the others follow the umask.
fn mode(metadata: &std::fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    if metadata.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 }
}

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
