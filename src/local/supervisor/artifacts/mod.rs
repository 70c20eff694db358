//! The uploading phase: stores the model and the output data where SageMaker would.

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

/// A folder of the job and its destination.
struct ArtifactFolder {
    folder: PathBuf,
    /// Path of the folder as the script sees it.
    seen_as: PathBuf,
    uri: String,
}

/// Stores the artifacts, then removes the job's `/opt/ml`. A failed job stores no model and keeps the folder, so that
/// nothing is lost. Returns the model's URI if one was stored.
pub(super) async fn store(job: &RunningJob<'_>, ending: &Ending) -> LocalResult<Option<String>> {
    let layout = Layout::at(job.folder.ml());
    let failed = ending.status == JobStatus::Failed;
    let artifacts = artifacts(job, &layout, failed);
    let home = job.home.clone();
    let folder = job.folder.clone();
    let model_uri = artifacts::model_uri(&job.request);
    let stored = tokio::task::spawn_blocking(move || {
        let mut uris = Vec::new();
        for artifact in artifacts {
            if let Some(left_out) = artifact.store(&home)? {
                log_left_out(&folder, &left_out);
                uris.push(artifact.uri);
            }
        }
        if !failed {
            // Files that can't be removed stay: everything of value is stored.
            let _left = fs::remove_dir_all(layout.base());
        }
        Ok(uris.into_iter().find(|uri| *uri == model_uri))
    });
    stored.await.map_err(|error| LocalError::Other(format!("storing the artifacts ended: {error}")))?
}

fn artifacts(job: &RunningJob<'_>, layout: &Layout, failed: bool) -> Vec<ArtifactFolder> {
    let request = &job.request;
    let container = Layout::opt_ml();
    let model =
        ArtifactFolder { folder: layout.model(), seen_as: container.model(), uri: artifacts::model_uri(request) };
    let output = ArtifactFolder {
        folder: layout.output_data(),
        seen_as: container.output_data(),
        uri: artifacts::output_uri(request),
    };
    (!failed).then_some(model).into_iter().chain([output]).collect()
}

/// Reports files that were left out in the job's log.
fn log_left_out(folder: &JobFolder, left_out: &[String]) {
    if left_out.is_empty() {
        return;
    }
    let write = || {
        let mut log = LogWriter::append(&folder.stream()?)?;
        for line in left_out {
            log.event(Timestamp::now(), format!("smtrain: left out: {line}").as_bytes());
        }
        log.flush()
    };
    // An unwritable log is no reason to lose the model.
    let _not_logged = write();
}

impl ArtifactFolder {
    /// Stores the folder. Returns a line for each file that was left out; `None` if the folder is empty.
    fn store(&self, home: &Home) -> LocalResult<Option<Vec<String>>> {
        let storing = || LocalError::io(format!("store {}", self.folder.display()));
        if is_empty(&self.folder).map_err(storing())? {
            return Ok(None);
        }
        links::make_relative(&self.folder, &self.seen_as).map_err(storing())?;
        let to = S3Uri::parse(&self.uri).map_err(|error| LocalError::Other(format!("{}: {error}", self.uri)))?;
        let object = home.object(&to)?;
        let staging = Staging::open(home)?;
        if self.uri.ends_with('/') {
            return files::store(&self.folder, &staging, &object).map(Some);
        }
        store_archive(&self.folder, &staging, &object)?;
        let mut left_out = Vec::new();
        let name = self.folder.file_name().unwrap_or_default();
        list_special_files(&self.folder, Path::new(name), &mut left_out).map_err(storing())?;
        Ok(Some(left_out))
    }
}

/// Lists what an archive leaves out: FIFOs, sockets and devices.
fn list_special_files(folder: &Path, below: &Path, found: &mut Vec<String>) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let entry = entry?;
        let below = below.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            list_special_files(&entry.path(), &below, found)?;
        } else if !kind.is_file() && !kind.is_symlink() {
            // A name may contain a line feed.
            let name = below.to_string_lossy();
            found.push(format!("{}: it is neither a file nor a folder", name.escape_debug()));
        }
    }
    Ok(())
}

/// Returns whether the folder is empty. Fails if that can't be determined, or if the script replaced the folder.
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
