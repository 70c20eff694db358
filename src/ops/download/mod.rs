//! Downloads: what a job left, or what any S3 URI names, fetched in stretches side by side, checked and unpacked while it
//! comes, and made good after an interruption.
//!
//! [`artifacts`] says what there is and where. [`fetch`] brings its bytes, to a [`spool`] that an archive is unpacked from
//! ([`archive`]) or to files of their own ([`files`]), whose names a [`manifest`] holds. All of it happens in a folder beside
//! the final one ([`partial`]), where a [`journal`] tells what has come.

mod archive;
mod artifacts;
mod byte_ranges;
mod failure;
mod fetch;
mod files;
mod free_space;
mod journal;
mod keys;
mod manifest;
mod patterns;
mod receipts;
mod spool;
mod staging;
mod verify;

use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use futures_util::TryStreamExt;

use self::archive::OutputKind;
use self::artifacts::{Artifact, Files, Stored, gone, nothing_there};
use crate::archive::{UnpackLimits, UnpackError, Unpacked, list as list_archive, pick as pick_file};
use crate::cloud::{Cloud, Object};
use crate::error::{Error, ErrorKind, Result};
use crate::model::downloaded::{Downloaded, ListedEntry, ListedKind, DownloadedArtifact};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, S3Uri};

pub(crate) use patterns::Patterns;

/// Of what is passed on, at once; in bytes.
const BUFFER: usize = 256 * 1024;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Job(JobName),
    Uri(S3Uri),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job(job) => job.fmt(f),
            Self::Uri(uri) => uri.fmt(f),
        }
    }
}

/// Which of a job's: by default the model and the output data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) code: bool,
    pub(crate) checkpoints: bool,
}

/// How it is saved.
#[derive(Clone)]
pub(crate) struct SaveOptions {
    /// In which folder those of the job or of the URI are made.
    pub(crate) into: PathBuf,
    /// An archive stays one.
    pub(crate) as_archive: bool,
    /// Which files; none means all.
    pub(crate) only: Option<Patterns>,
    /// What is there is replaced.
    pub(crate) force: bool,
    /// Unpacked, in bytes; by default what the disk has room for.
    pub(crate) max_size: Option<u64>,
    /// The folder of this user's own state.
    pub(crate) state: PathBuf,
    /// What goes on with it after it broke off: `the same command`.
    pub(crate) again: String,
    pub(crate) watch: Arc<dyn Watch>,
}

impl SaveOptions {
    /// Whether a file is wanted, by its place in what is saved.
    fn wants(&self, path: &Path) -> bool {
        self.only.as_ref().is_none_or(|only| only.fit(path))
    }
}

/// Who is told of a download.
pub(crate) trait Watch: Send + Sync {
    /// Something of so many bytes begins, some of which are there already; in a folder that keeps them, or nowhere.
    fn begins(&self, what: &str, size: u64, there: u64, kept_in: Option<&Path>);
    fn fetched(&self, bytes: u64);
    fn unpacked(&self, bytes: u64);
    fn note(&self, text: &str);
    /// Something is wrong, and the download goes on.
    fn warning(&self, text: &str);
    /// Whether files are to be digested.
    fn digests(&self) -> bool;
    /// A file of it is complete.
    fn file(&self, what: &str, path: &Path, size: u64, sha256: Option<[u8; 32]>) -> io::Result<()>;
}

/// Where what was fetched is, and what goes on from there.
pub(crate) fn kept(folder: &Path, again: &str) -> String {
    format!("what was fetched is kept in {}: {again} goes on from there", folder.display())
}

/// Saves all that there is of it: each part whole, or not at all.
pub(crate) async fn save(cloud: &Cloud, source: &Source, which: Selection, saving: &SaveOptions) -> Result<Downloaded> {
    let found = find(cloud, source, which).await?;
    let folder = match source {
        Source::Job(job) => saving.into.join(job.as_str()),
        Source::Uri(_) => saving.into.clone(),
    };
    let mut parts = Vec::new();
    let mut unwanted = Vec::new();
    for (artifact, stored) in found {
        match save_one(cloud, &artifact, stored, saving, &folder).await? {
            Some(part) => parts.push(part),
            None => unwanted.push(artifact.what),
        }
    }
    if parts.is_empty() {
        let what = unwanted.join(" and the ");
        return Err(Error::failure(format!("nothing of the {what} fits --only")).hint("--list shows what there is"));
    }
    for what in unwanted {
        saving.watch.note(&format!("nothing of the {what} fits --only"));
    }
    Ok(Downloaded { folder, parts })
}

/// None where nothing of it is wanted.
async fn save_one(
    cloud: &Cloud,
    artifact: &Artifact,
    stored: Stored<'_>,
    saving: &SaveOptions,
    folder: &Path,
) -> Result<Option<DownloadedArtifact>> {
    let (uri, version) = (artifact.uri.clone(), version(&stored));
    let path = folder.join(name(artifact, &stored, saving)?);
    let to = path.clone();
    let saved = match stored {
        Stored::Archive(object) => {
            let making = if saving.as_archive { OutputKind::Archive } else { OutputKind::Tree };
            archive::save(cloud, object, artifact, saving, making, to).await?
        }
        Stored::File(_) if !saving.wants(Path::new(path.file_name().unwrap_or_default())) => None,
        Stored::File(object) => archive::save(cloud, object, artifact, saving, OutputKind::File, to).await?,
        Stored::Files(files) => files::save(cloud, files, artifact, saving, to).await?,
    };
    let Some(Unpacked { files, bytes, mut left_out, more_left_out }) = saved else { return Ok(None) };
    left_out.extend((more_left_out > 0).then(|| format!("and {more_left_out} more")));
    Ok(Some(DownloadedArtifact { what: artifact.what.clone(), path, files, bytes, left_out, uri, version }))
}

/// Of the file or folder that comes of it. A key can end in anything.
fn name<'a>(artifact: &'a Artifact, stored: &'a Stored<'_>, saving: &SaveOptions) -> Result<&'a str> {
    let name = match stored {
        Stored::Archive(object) if saving.as_archive => object.uri.key().rsplit('/').next().unwrap_or_default(),
        Stored::File(object) => object.uri.key().rsplit('/').next().unwrap_or_default(),
        Stored::Archive(_) | Stored::Files(_) => &artifact.name,
    };
    match Path::new(name).components().next() {
        Some(Component::Normal(plain)) if plain == name && !name.contains('\0') => Ok(name),
        _ => Err(Error::failure(format!("{} can't be saved: {name:?} is no name of a file or folder", artifact.uri))),
    }
}

/// Of one object: which content it was.
fn version(stored: &Stored<'_>) -> Option<String> {
    match stored {
        Stored::Archive(object) | Stored::File(object) => object.version.clone(),
        Stored::Files(_) => None,
    }
}

/// What there is of it.
async fn find<'c>(cloud: &'c Cloud, source: &Source, which: Selection) -> Result<Vec<(Artifact, Stored<'c>)>> {
    match source {
        Source::Job(job) => {
            let state = cloud.jobs.describe(job).await?;
            let all = artifacts::of_job(&state, which)?;
            let mut found = Vec::new();
            for artifact in &all {
                let stored = artifact.stored(cloud).await?;
                found.extend(stored.map(|stored| (artifact.clone(), stored)));
            }
            if found.is_empty() { Err(none_of(cloud, &state, &all, which)) } else { Ok(found) }
        }
        Source::Uri(uri) => {
            let artifact = Artifact::of_uri(uri);
            let stored = artifact.stored(cloud).await?;
            let stored = stored.ok_or_else(|| Error::failure(format!("there is nothing at {uri}")))?;
            Ok(vec![(artifact, stored)])
        }
    }
}

/// Why nothing is there.
fn none_of(cloud: &Cloud, state: &DescribeTrainingJobResponse, all: &[Artifact], which: Selection) -> Error {
    match all.first() {
        // SageMaker stores a model whenever a job completes; this computer does where there is one.
        Some(first) if which != Selection::default() || (cloud.capabilities.always_stores_model && artifacts::model_uri(state).is_some()) => {
            gone(&state.training_job_name, first)
        }
        _ => nothing_there(state),
    }
}

/// Is told of what is inside a part.
pub(crate) type Tell = dyn Fn(&str, ListedEntry) -> io::Result<()> + Send + Sync;

/// Tells what is inside, and saves nothing.
pub(crate) async fn list(
    cloud: &Cloud,
    source: &Source,
    which: Selection,
    watch: &Arc<dyn Watch>,
    tell: Arc<Tell>,
) -> Result<()> {
    for (artifact, stored) in find(cloud, source, which).await? {
        let (what, tell) = (artifact.what.clone(), tell.clone());
        match stored {
            Stored::Archive(object) => {
                let list = move |bytes| list_archive(bytes, &UnpackLimits::default(), &mut |listed| tell(&what, listed));
                archive::read(cloud, &object, watch, list).await?;
            }
            Stored::File(object) => told(tell(&what, listed(PathBuf::from(&artifact.name), object.size)))?,
            Stored::Files(files) => {
                let (mut pages, folder) = (files.pages(), artifact.folder());
                while let Some(page) = pages.try_next().await? {
                    for below in keys::below(&folder, page) {
                        told(tell(&what, listed(below.path().to_path_buf(), below.size)))?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn listed(path: PathBuf, size: u64) -> ListedEntry {
    ListedEntry { path, kind: ListedKind::File, size, mode: 0o644, modified: 0 }
}

/// A reader that has gone is no reason to complain.
fn told(told: io::Result<()>) -> Result<()> {
    let kind = |error: &io::Error| {
        if error.kind() == io::ErrorKind::BrokenPipe { ErrorKind::ClosedPipe } else { ErrorKind::Failure }
    };
    told.map_err(|error| Error::new(kind(&error), "could not pass it on").caused_by(error))
}

/// Writes one file's bytes, and fetches no more than it takes.
pub(crate) async fn pick<W: Write + Send + 'static>(
    cloud: &Cloud,
    source: &Source,
    which: Selection,
    path: &Path,
    watch: &Arc<dyn Watch>,
    to: impl Fn() -> W,
) -> Result<()> {
    for (artifact, stored) in find(cloud, source, which).await? {
        let (path, mut to) = (path.to_owned(), to());
        let found = match stored {
            Stored::Archive(object) => {
                let pick = move |bytes| pick_file(bytes, &UnpackLimits::default(), &path, &mut to);
                archive::read(cloud, &object, watch, pick).await?
            }
            Stored::File(object) => {
                let object = Some(object).filter(|_| path == Path::new(&artifact.name));
                pass_on(cloud, object, watch, to).await?
            }
            Stored::Files(files) => pass_on(cloud, one_of(files, &artifact, &path).await?, watch, to).await?,
        };
        if found.is_some() {
            return Ok(());
        }
    }
    Err(Error::failure(format!("there is no file {} in it", path.display())).hint("see what is inside with --list"))
}

async fn one_of(files: Files<'_>, artifact: &Artifact, path: &Path) -> Result<Option<Object>> {
    let (mut pages, folder) = (files.pages(), artifact.folder());
    while let Some(page) = pages.try_next().await? {
        if let Some(found) = keys::below(&folder, page).find(|below| below.path() == path) {
            return Ok(Some(found.object(&folder)));
        }
    }
    Ok(None)
}

async fn pass_on(
    cloud: &Cloud,
    object: Option<Object>,
    watch: &Arc<dyn Watch>,
    mut to: impl Write + Send + 'static,
) -> Result<Option<u64>> {
    let Some(object) = object else { return Ok(None) };
    let pass = move |mut bytes: archive::Bytes| {
        let (mut buffer, mut passed) = (vec![0; BUFFER], 0);
        loop {
            let count = bytes.read(&mut buffer).map_err(UnpackError::DamagedFile)?;
            if count == 0 {
                return Ok(passed);
            }
            to.write_all(&buffer[..count]).map_err(UnpackError::Told)?;
            passed += count as u64;
        }
    };
    archive::read(cloud, &object, watch, pass).await.map(Some)
}
