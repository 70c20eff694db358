//! Downloads a job's artifacts, or any S3 URI, with resumption after an interruption.
//!
//! [`artifacts`] finds out which objects exist. [`mod@fetch`] fetches them in byte ranges over several connections, to
//! a [`spool`] from which an archive is unpacked while bytes arrive ([`archive`]), or to one file per object
//! ([`files`], with the list of objects in a [`manifest`]). [`verify`] compares S3's checksums on the way.
//!
//! Everything is written to a [`staging`] directory beside the target, which an atomic rename puts in place when it is
//! complete. A [`journal`] there records the byte ranges that are written, so that the same command continues from
//! them.

mod archive;
mod artifacts;
mod byte_ranges;
mod failure;
mod fetch;
mod files;
mod free_space;
mod journal;
mod keys;
mod layout;
mod manifest;
mod object_reader;
mod options;
mod patterns;
mod pick;
mod receipts;
mod spool;
mod staging;
mod verify;
mod watch;

use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use futures_util::TryStreamExt;

use self::archive::OutputKind;
use self::artifacts::{ArtifactSource, Stored, gone, nothing_there};
use crate::archive::{UnpackLimits, Unpacked, list as list_archive};
use crate::cloud::Cloud;
use crate::error::{Error, Result};
use crate::model::JobStatus;
use crate::model::downloaded::{Downloaded, DownloadedArtifact, ListedEntry, ListedKind};
use crate::model::training_job::DescribeTrainingJobResponse;

pub(crate) use options::{DownloadSource, SaveOptions, Selection};
pub(crate) use patterns::Patterns;
pub(crate) use watch::{Watch, kept_hint};

/// Downloads the selected artifacts of a source. Each is saved completely or not at all.
///
/// Fails if nothing is stored, if a target exists, or if no file matches `--only`. Fetched bytes are kept after a
/// failure.
pub(crate) async fn save(
    cloud: &Cloud,
    source: &DownloadSource,
    selection: Selection,
    saving: &SaveOptions,
) -> Result<Downloaded> {
    let found = find(cloud, source, selection).await?;
    let folder = match source {
        DownloadSource::Job(job) => saving.into.join(job.as_str()),
        DownloadSource::Uri(_) => saving.into.clone(),
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
        return Err(Error::failure(format!("nothing of the {what} matches --only")).hint("--list shows what there is"));
    }
    for what in unwanted {
        saving.watch.note(&format!("nothing of the {what} matches --only"));
    }
    Ok(Downloaded { folder, parts })
}

/// Saves one artifact. Returns `None` if no file of it matches `--only`.
async fn save_one(
    cloud: &Cloud,
    artifact: &ArtifactSource,
    stored: Stored<'_>,
    saving: &SaveOptions,
    folder: &Path,
) -> Result<Option<DownloadedArtifact>> {
    let uri = artifact.uri.clone();
    let version = version(&stored);
    let path = folder.join(target_name(artifact, &stored, saving)?);
    let to = path.clone();
    let saved = match stored {
        Stored::Archive(object) => {
            let kind = if saving.as_archive { OutputKind::Archive } else { OutputKind::Tree };
            archive::save(cloud, object, artifact, saving, kind, to).await?
        }
        Stored::File(_) if !saving.wants(Path::new(path.file_name().unwrap_or_default())) => None,
        Stored::File(object) => archive::save(cloud, object, artifact, saving, OutputKind::File, to).await?,
        Stored::Files(files) => files::save(cloud, files, artifact, saving, to).await?,
    };
    let Some(Unpacked { files, bytes, mut left_out, more_left_out }) = saved else { return Ok(None) };
    left_out.extend((more_left_out > 0).then(|| format!("and {more_left_out} more")));
    Ok(Some(DownloadedArtifact { what: artifact.what.clone(), path, files, bytes, left_out, uri, version }))
}

/// Returns the name of the file or folder to create. Fails if the key's last segment is no plain file name.
fn target_name<'a>(artifact: &'a ArtifactSource, stored: &'a Stored<'_>, saving: &SaveOptions) -> Result<&'a str> {
    let name = match stored {
        Stored::Archive(object) if saving.as_archive => object.uri.key().rsplit('/').next().unwrap_or_default(),
        Stored::File(object) => object.uri.key().rsplit('/').next().unwrap_or_default(),
        Stored::Archive(_) | Stored::Files(_) => &artifact.name,
    };
    match Path::new(name).components().next() {
        Some(Component::Normal(plain)) if plain == name && !name.contains('\0') => Ok(name),
        _ => {
            Err(Error::failure(format!("{} can't be saved: {name:?} is not a name for a file or folder", artifact.uri)))
        }
    }
}

/// Returns the version of a single object; `None` for a prefix.
fn version(stored: &Stored<'_>) -> Option<String> {
    match stored {
        Stored::Archive(object) | Stored::File(object) => object.version.clone(),
        Stored::Files(_) => None,
    }
}

/// Finds the stored artifacts of a source. Fails if there are none.
async fn find<'c>(
    cloud: &'c Cloud,
    source: &DownloadSource,
    selection: Selection,
) -> Result<Vec<(ArtifactSource, Stored<'c>)>> {
    match source {
        DownloadSource::Job(job) => {
            let state = cloud.jobs.describe(job).await?;
            let all = artifacts::job_artifacts(&state, selection)?;
            let mut found = Vec::new();
            for artifact in &all {
                let stored = artifact.stored(cloud).await?;
                found.extend(stored.map(|stored| (artifact.clone(), stored)));
            }
            if found.is_empty() { Err(nothing_stored(cloud, &state, &all, selection)) } else { Ok(found) }
        }
        DownloadSource::Uri(uri) => {
            let artifact = ArtifactSource::of_uri(uri);
            let stored = artifact.stored(cloud).await?;
            let stored = stored.ok_or_else(|| Error::failure(format!("there is nothing at {uri}")))?;
            Ok(vec![(artifact, stored)])
        }
    }
}

/// Returns the error that nothing is stored, with the reason.
fn nothing_stored(
    cloud: &Cloud,
    state: &DescribeTrainingJobResponse,
    all: &[ArtifactSource],
    selection: Selection,
) -> Error {
    // Without compression, a model of no files is no object.
    let output = state.output_data_config.as_ref();
    let is_archive = output.is_none_or(|output| output.compression_type.as_deref() != Some("NONE"));
    let is_completed = state.training_job_status == JobStatus::Completed && is_archive;
    match all.first() {
        // SageMaker stores a model whenever a job completes, a local job only if its script saved one. The description
        // of a job that failed may have the URI that a model would have had.
        Some(first)
            if selection != Selection::default()
                || (is_completed
                    && cloud.capabilities.always_stores_model
                    && artifacts::model_uri(state).is_some()) =>
        {
            gone(&state.training_job_name, first)
        }
        _ => nothing_there(state),
    }
}

/// Receives the entries of a listing: the artifact's label and the entry.
pub(crate) type ListSink = dyn Fn(&str, ListedEntry) -> io::Result<()> + Send + Sync;

/// Lists the entries of the selected artifacts, and saves nothing. Archives are read to their end.
pub(crate) async fn list(
    cloud: &Cloud,
    source: &DownloadSource,
    selection: Selection,
    watch: &Arc<dyn Watch>,
    sink: Arc<ListSink>,
) -> Result<()> {
    for (artifact, stored) in find(cloud, source, selection).await? {
        let what = artifact.what.clone();
        let sink = sink.clone();
        match stored {
            Stored::Archive(object) => {
                let list =
                    move |bytes| list_archive(bytes, &UnpackLimits::default(), &mut |listed| sink(&what, listed));
                object_reader::read(cloud, &object, watch, list).await?;
            }
            Stored::File(object) => {
                sink(&what, listed(PathBuf::from(&artifact.name), object.size)).map_err(Error::output)?;
            }
            Stored::Files(files) => {
                let folder = artifact.folder();
                let mut pages = files.pages();
                while let Some(page) = pages.try_next().await? {
                    for entry in keys::prefix_entries(&folder, page) {
                        sink(&what, listed(entry.path().to_path_buf(), entry.size)).map_err(Error::output)?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Returns the listing entry of an object that is no archive.
fn listed(path: PathBuf, size: u64) -> ListedEntry {
    ListedEntry { path, kind: ListedKind::File, size, mode: 0o644, modified: 0 }
}

/// Writes the bytes of the file at `path`. What it is stored in is read to its end, for the checksums there.
pub(crate) async fn pick<W: Write + Send + 'static>(
    cloud: &Cloud,
    source: &DownloadSource,
    selection: Selection,
    path: &Path,
    watch: &Arc<dyn Watch>,
    to: impl Fn() -> W,
) -> Result<()> {
    for (artifact, stored) in find(cloud, source, selection).await? {
        if pick::pick_from(cloud, &artifact, stored, path, watch, to()).await? {
            return Ok(());
        }
    }
    Err(Error::failure(format!("there is no file {} in {source}", path.display()))
        .hint("see what is inside with --list"))
}
