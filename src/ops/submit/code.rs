//! The code: packed, and stored by content.

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
    /// The archive, where it is to be stored. Without a name: whatever ends this process, nothing is left of it.
    archive: Option<File>,
}

impl Code {
    pub(super) async fn pack(
        cloud: &Cloud,
        spec: &JobSpec,
        place: &S3Uri,
        store: bool,
        progress: ByteProgress,
    ) -> Result<Option<Self>> {
        let Some(source) = &spec.source else { return Ok(None) };
        let tree = source_tree(source, project::of_folder(&spec.folder), &cloud.own_folders);
        let (packed, archive) = blocking(move || pack(&tree, store, progress)).await?;
        let uri = place.join(&format!("smtrain/code/{}/sourcedir.tar.gz", packed.sha256));
        Ok(Some(Self { packed, uri, archive }))
    }

    /// Stores the archive unless the very same is there.
    pub(super) async fn store(&mut self, store: &ContentStore<'_>) -> Result<()> {
        let Some(file) = self.archive.take() else { return Ok(()) };
        let (file, digest) = blocking(move || content::digest(&file).map(|digest| (file, digest))).await?;
        store.store(&self.uri, &digest, || Ok(file)).await
    }
}

/// `project` is the spec's; `own_folders` are those of smtrain, which are never packed.
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
    let mut to = Counted { to: BufWriter::new(to), progress };
    let packed = archive::pack_source(tree, &mut to).map_err(unpackable)?;
    to.flush().context("write the code's archive")?;
    Ok(packed)
}

/// Tells of every byte that is written through it.
struct Counted<W: Write> {
    to: BufWriter<W>,
    progress: ByteProgress,
}

impl<W: Write> Write for Counted<W> {
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
