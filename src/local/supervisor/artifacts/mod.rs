//! The uploading phase: the model and the output data, stored where SageMaker would store them.

mod files;
mod links;

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::reason::with_causes;
use super::running_job::RunningJob;
use crate::archive;
use crate::contract::Layout;
use crate::local::log::file::LogWriter;
use crate::local::store::job_state::Ending;
use crate::local::store::layout::{Home, JobFolder};
use crate::local::store::objects;
use crate::local::store::staging::Staging;
use crate::local::{LocalError, LocalResult};
use crate::model::{JobStatus, S3Uri, artifacts};

/// A folder to store, and where.
struct ArtifactFolder {
    folder: PathBuf,
    /// Its name in a container.
    seen_as: PathBuf,
    uri: String,
}

/// Stores what the script left, then removes the job's `/opt/ml`. A failed job has no model, and keeps the folder, so that
/// nothing of it is lost.
pub(super) async fn store(job: &RunningJob<'_>, ending: &Ending) -> LocalResult<()> {
    let layout = Layout::at(job.folder.ml());
    let failed = ending.status == JobStatus::Failed;
    let artifacts = artifacts(job, &layout, failed);
    let (home, folder) = (job.home.clone(), job.folder.clone());
    let stored = tokio::task::spawn_blocking(move || {
        for artifact in artifacts {
            tell_left_out(&folder, &artifact.store(&home)?);
        }
        if !failed {
            // What the script has made so that it can't be removed stays: all that counts is stored.
            let _left = fs::remove_dir_all(layout.base());
        }
        Ok(())
    });
    stored.await.map_err(|error| LocalError::Other(format!("storing the artifacts ended: {error}")))?
}

fn artifacts(job: &RunningJob<'_>, layout: &Layout, failed: bool) -> Vec<ArtifactFolder> {
    let (request, container) = (&job.request, Layout::opt_ml());
    let model =
        ArtifactFolder { folder: layout.model(), seen_as: container.model(), uri: artifacts::model_uri(request) };
    let output = ArtifactFolder {
        folder: layout.output_data(),
        seen_as: container.output_data(),
        uri: artifacts::output_uri(request),
    };
    (!failed).then_some(model).into_iter().chain([output]).collect()
}

/// In the job's log, where whoever misses a file looks first.
fn tell_left_out(folder: &JobFolder, left_out: &[String]) {
    if left_out.is_empty() {
        return;
    }
    let tell = || {
        let mut log = LogWriter::append(&folder.stream()?)?;
        for line in left_out {
            log.event(Timestamp::now(), format!("smtrain: left out: {line}").as_bytes());
        }
        log.flush()
    };
    // A log that can't be written is no reason to lose the model.
    let _untold = tell();
}

impl ArtifactFolder {
    /// What was left out comes back, a line each.
    fn store(&self, home: &Home) -> LocalResult<Vec<String>> {
        let storing = || LocalError::io(format!("store {}", self.folder.display()));
        if is_empty(&self.folder).map_err(storing())? {
            return Ok(Vec::new());
        }
        links::make_relative(&self.folder, &self.seen_as).map_err(storing())?;
        let to = S3Uri::parse(&self.uri).map_err(|error| LocalError::Other(format!("{}: {error}", self.uri)))?;
        let (place, staging) = (home.object(&to)?, Staging::open(home)?);
        if self.uri.ends_with('/') {
            return files::store(&self.folder, &staging, &place);
        }
        store_archive(&self.folder, &staging, &place)?;
        let mut left_out = Vec::new();
        let name = self.folder.file_name().unwrap_or_default();
        list_special(&self.folder, Path::new(name), &mut left_out).map_err(storing())?;
        Ok(left_out)
    }
}

/// Lists what an archive leaves out: fifos, sockets and devices.
fn list_special(folder: &Path, below: &Path, found: &mut Vec<String>) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let entry = entry?;
        let below = below.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            list_special(&entry.path(), &below, found)?;
        } else if !kind.is_file() && !kind.is_symlink() {
            // A name may hold the end of a line.
            let name = below.to_string_lossy();
            found.push(format!("{}: it is neither a file nor a folder", name.escape_debug()));
        }
    }
    Ok(())
}

/// An error where that can't be told, or the folder is no longer the one that the script was given.
fn is_empty(folder: &Path) -> io::Result<bool> {
    let kind = match folder.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(io::Error::new(error.kind(), "it was removed or renamed"));
        }
        metadata => metadata?.file_type(),
    };
    if kind.is_symlink() {
        return Err(io::Error::other("it is a symbolic link"));
    }
    if !kind.is_dir() {
        return Err(io::Error::other("it is not a folder"));
    }
    Ok(folder.read_dir()?.next().transpose()?.is_none())
}

fn store_archive(folder: &Path, staging: &Staging, place: &Path) -> LocalResult<()> {
    let staged = staging.new_file()?;
    let mut writer = BufWriter::new(&staged);
    archive::pack_folder(folder, &mut writer)
        .map_err(|error| LocalError::Other(format!("could not pack {}: {}", folder.display(), with_causes(&error))))?;
    let flushed = writer.flush();
    drop(writer);
    let sealed = flushed.and_then(|()| objects::seal(staged.as_file()));
    sealed.map_err(LocalError::io(format!("write {}", place.display())))?;
    Staging::store_file(staged, place)
}
