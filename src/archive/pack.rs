//! Packs a job's source code: the same files give the same bytes on any machine.
//!
//! The digest is of the tar stream before compression, so that a newer compressor does not make old code look new. Who
//! has the object can check it: `gzip -dc sourcedir.tar.gz | sha256sum`.
//!
//! Folders have no entries of their own, and empty ones vanish: git does not keep them either, and a clone must give the
//! archive that the original gives.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::PackError;
use super::gzip::{self, GzipWriter};
use super::never;
use super::read::SteadyReader;
use super::rules::Reason;
use super::tarball::{Attributes, Tarball};
use super::walk::{self, Found, Skipped, Walk};
use crate::model::hex;

/// 2 January 1980. Zip files, and so Python wheels that pip builds from the code, know no time before 1980, and count it in
/// local time; hence the second day.
const MTIME: u64 = 315_619_200;

/// What to pack: `[source]` of the job spec, with paths that exist from here.
#[derive(Clone, Debug, Default)]
pub(crate) struct SourceTree {
    pub(crate) dir: PathBuf,
    /// Folders and files that lie at the root of the archive, under their own names.
    pub(crate) dependencies: Vec<PathBuf>,
    /// gitignore patterns, relative to the root of the archive.
    pub(crate) exclude: Vec<String>,
    /// Relative to `dir`; must be in the archive.
    pub(crate) entry_point: Option<String>,
    /// Follow links that lead out of `dir` and the dependencies.
    pub(crate) external_symlinks: bool,
    /// Absolute folders that are left out as tooling if they lie in the tree: smtrain's own, which grow with every job.
    pub(crate) never: Vec<PathBuf>,
}

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
    pub(crate) skipped: Skipped,
}

/// Writes the code archive `sourcedir.tar.gz`. On an error, what was written is of no use.
pub(crate) fn pack_source(tree: &SourceTree, to: &mut dyn Write) -> Result<Packed, PackError> {
    pack_with(tree, to, gzip::default_threads())
}

pub(super) fn pack_with(tree: &SourceTree, to: &mut dyn Write, threads: usize) -> Result<Packed, PackError> {
    if !tree.dir.is_dir() {
        return Err(PackError::NotAFolder(tree.dir.clone()));
    }
    if let Some(entry_point) = &tree.entry_point {
        walk::check_entry_point(tree, entry_point)?;
    }
    let mut packing = Packing::new(to, threads);
    let mut walk = Walk::new(tree)?;
    let mut missing = tree.entry_point.as_deref();
    while let Some(found) = walk.next()? {
        let name = found.name.clone();
        if !packing.add(found)? {
            walk.note_secret(&name, false);
        } else if missing.is_some_and(|entry_point| name == Path::new(entry_point)) {
            missing = None;
        }
    }
    if let Some(entry_point) = missing {
        // Patterns were asked before, for its name: what is left is its content, what it links to, or an environment.
        let reason = Reason::Never(never::Found::by_content());
        return Err(PackError::EntryPointLeftOut { entry_point: entry_point.to_owned(), reason });
    }
    packing.finish(walk, tree)
}

/// The archive as it grows.
struct Packing<'w> {
    archive: Tarball<Hashing<GzipWriter<&'w mut dyn Write>>>,
    files: usize,
    bytes: u64,
}

impl<'w> Packing<'w> {
    fn new(to: &'w mut dyn Write, threads: usize) -> Self {
        let hashing = Hashing { to: GzipWriter::new(to, threads), digest: Sha256::new() };
        Self { archive: Tarball::new(hashing), files: 0, bytes: 0 }
    }

    /// Whether the file was added: `false` when its content is a secret.
    fn add(&mut self, found: Found) -> Result<bool, PackError> {
        let with = Attributes { mode: mode(&found.metadata), mtime: MTIME };
        let mut reader = SteadyReader::new(found.file, &found.path)?;
        let size = reader.size();
        if size <= never::LARGEST_SECRET {
            let content = reader.read_all()?;
            if never::is_secret_content(&content) {
                return Ok(false);
            }
            self.archive.file(&found.name, with, size, &content[..]).map_err(PackError::Write)?;
        } else {
            let added = self.archive.file(&found.name, with, size, &mut reader);
            added.map_err(|error| reader.take_failure().unwrap_or(PackError::Write(error)))?;
            reader.check_unchanged()?;
        }
        self.files += 1;
        self.bytes += size;
        Ok(true)
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
            skipped: walk.skipped,
        })
    }
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
