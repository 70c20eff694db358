//! Packs the code of a job and stores it content-addressed.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use crate::archive::{self, PackError, Packed, Project, SourceTree};
use crate::cloud::{ByteProgress, Cloud};
use crate::error::{Error, Result, WithContext};
use crate::job::spec::{JobSpec, SourceSpec};
use crate::model::S3Uri;
use crate::ops::blocking;
use crate::ops::content::{self, ContentStore};
use crate::ops::project;

/// Code that was packed.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) packed: Packed,
    pub(super) uri: S3Uri,
    /// Archive to store; `None` in a dry run. An unnamed temporary file, so that nothing is left of it when the process
    /// ends.
    archive: Option<File>,
}

impl Code {
    /// Packs the code, to a temporary file or, without `store`, only to compute its digest. Returns `None` without
    /// code.
    pub(super) async fn pack(
        cloud: &Cloud,
        spec: &JobSpec,
        content_uri: &S3Uri,
        store: bool,
        progress: ByteProgress,
    ) -> Result<Option<Self>> {
        let Some(source) = &spec.source else { return Ok(None) };
        let tree = source_tree(source, project::of_folder(&spec.folder), &cloud.own_folders);
        let (packed, archive) = blocking(move || pack(&tree, store, progress)).await?;
        let uri = content_uri.join(&format!("smtrain/code/{}/sourcedir.tar.gz", packed.sha256));
        Ok(Some(Self { packed, uri, archive }))
    }

    /// Stores the archive unless it exists.
    pub(super) async fn store(&mut self, store: &ContentStore<'_>) -> Result<()> {
        let Some(file) = self.archive.take() else { return Ok(()) };
        let (file, digest) = blocking(move || content::digest(&file).map(|digest| (file, digest))).await?;
        store.store(&self.uri, &digest, || Ok(file)).await
    }
}

/// Returns the source tree to pack. `own_folders` are smtrain's own, which are never packed.
pub(in crate::ops) fn source_tree(source: &SourceSpec, project: Project, own_folders: &[PathBuf]) -> SourceTree {
    SourceTree {
        dir: source.dir.clone(),
        dependencies: source.dependencies.clone(),
        exclude: source.exclude.clone(),
        entry_point: source.entry_point.clone(),
        allow_secrets: source.allow_secrets.clone(),
        external_symlinks: source.external_symlinks,
        project,
        own_folders: own_folders.to_vec(),
    }
}

fn pack(tree: &SourceTree, store: bool, progress: ByteProgress) -> Result<(Packed, Option<File>)> {
    if !store {
        return Ok((pack_into(tree, io::sink(), progress)?, None));
    }
    let file = tempfile::tempfile().context("create a temporary file")?;
    let packed = pack_into(tree, &file, progress)?;
    Ok((packed, Some(file)))
}

fn pack_into(tree: &SourceTree, to: impl Write, progress: ByteProgress) -> Result<Packed> {
    let mut to = CountingWriter { to: BufWriter::new(to), progress };
    let packed = archive::pack_source(tree, &mut to).map_err(unpackable)?;
    to.flush().context("write the code's archive")?;
    Ok(packed)
}

/// Writer that reports every written byte.
struct CountingWriter<W: Write> {
    to: BufWriter<W>,
    progress: ByteProgress,
}

impl<W: Write> Write for CountingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        (self.progress)(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

pub(in crate::ops) fn unpackable(error: PackError) -> Error {
    let hint = error.hint();
    let failure = Error::usage(error.to_string());
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
