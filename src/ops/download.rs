//! Fetching what a job left: model.tar.gz and output.tar.gz, unpacked.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::blocking;
use crate::archive::{self, Limits, Unpacked};
use crate::cloud::{Cloud, CloudError};
use crate::error::{Doing, Error, Result};
use crate::model::downloaded::{Downloaded, Part};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, JobStatus, S3Uri};

/// Leaves the model in `{into}/{job}/model/` and the output data in `{into}/{job}/output/`: whole, or not at all.
pub(crate) async fn download(cloud: &Cloud, job: &JobName, into: &Path, force: bool) -> Result<Downloaded> {
    let state = cloud.jobs.describe(job).await?;
    let Some(artifacts) = &state.model_artifacts else { return Err(nothing_there(&state)) };
    let artifact = artifacts.s3_model_artifacts.as_str();
    let folder = into.join(job.as_str());
    let target = |part, packed_from| Target { job: job.clone(), folder: folder.join(part), packed_from, force };
    let model = fetch(cloud, artifact, &target("model", "/opt/ml/model")).await?;
    let output = fetch(cloud, &beside(artifact), &target("output", "/opt/ml/output/data")).await?;
    if model.is_none() && output.is_none() {
        return Err(nothing_there(&state));
    }
    Ok(Downloaded { folder, model, output })
}

/// output.tar.gz stands beside the model.
fn beside(artifact: &str) -> String {
    let folder = artifact.trim_end_matches('/').rsplit_once('/').map_or(artifact, |(folder, _)| folder);
    format!("{folder}/output.tar.gz")
}

async fn fetch(cloud: &Cloud, artifact: &str, target: &Target) -> Result<Option<Part>> {
    let uri = S3Uri::parse(artifact).map_err(|error| Error::failure(format!("{artifact}: {error}")))?;
    if artifact.ends_with('/') {
        return fetch_files(cloud, &uri, target).await;
    }
    match cloud.objects.get(&uri).await {
        Ok(archive) => {
            let target = target.clone();
            blocking(move || {
                let filling = target.begin()?;
                let unpacked = unpack(archive, &filling.partial, target.packed_from, &uri)?;
                filling.finish(unpacked)
            })
            .await
            .map(Some)
        }
        Err(CloudError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn unpack(archive: Box<dyn Read + Send>, folder: &Path, packed_from: &'static str, uri: &S3Uri) -> Result<Unpacked> {
    let limits = Limits { packed_from: Some(packed_from), ..Limits::default() };
    let unpacked = archive::unpack(archive, folder, &limits);
    unpacked.map_err(|error| Error::failure(format!("could not unpack {uri}: {error}")))
}

/// A model that was stored without compression: its files.
async fn fetch_files(cloud: &Cloud, prefix: &S3Uri, target: &Target) -> Result<Option<Part>> {
    let objects = cloud.objects.list(prefix).await?;
    if objects.is_empty() {
        return Ok(None);
    }
    let filling = target.begin()?;
    let mut bytes = 0;
    for object in &objects {
        let below = object.uri.key().strip_prefix(prefix.key()).unwrap_or(object.uri.key()).to_owned();
        let (mut reader, folder) = (cloud.objects.get(&object.uri).await?, filling.partial.clone());
        bytes += blocking(move || save(&mut reader, &folder, &below)).await?;
    }
    filling.finish(Unpacked { files: objects.len(), bytes, ..Unpacked::default() }).map(Some)
}

fn save(from: &mut dyn Read, folder: &Path, below: &str) -> Result<u64> {
    if below.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return Err(Error::failure(format!("{below:?} can't be saved: it leads out of its folder")));
    }
    let path = folder.join(below);
    let mut write = || {
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        io::copy(from, &mut File::create_new(&path)?)
    };
    write().doing(|| format!("write {}", path.display()))
}

/// Where an artifact's files go.
#[derive(Clone)]
struct Target {
    job: JobName,
    folder: PathBuf,
    /// The folder that the job packed, as its script saw it.
    packed_from: &'static str,
    force: bool,
}

impl Target {
    /// A folder beside the final one, to be filled and then renamed: a download that is killed leaves no model that looks
    /// whole.
    fn begin(&self) -> Result<Filling> {
        self.check_free()?;
        let partial = self.partial();
        let lock = self.claim(&partial)?;
        Ok(Filling { target: self.clone(), partial, _lock: lock })
    }

    fn check_free(&self) -> Result<()> {
        if self.force || self.folder.symlink_metadata().is_err() {
            return Ok(());
        }
        Err(Error::failure(format!("{} exists already", self.folder.display()))
            .hint("replace it with --force, or choose another folder with -d DIR"))
    }

    fn partial(&self) -> PathBuf {
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy();
        self.folder.with_file_name(format!(".{name}.partial"))
    }

    /// An empty folder that no other download uses. What a killed one left in it is removed.
    fn claim(&self, partial: &Path) -> Result<File> {
        let parent = partial.parent().unwrap_or(partial);
        fs::create_dir_all(parent).doing(|| format!("create the folder {}", parent.display()))?;
        let lock = File::open(parent).doing(|| format!("open {}", parent.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::failure(format!("another download of {} is running", self.job)));
            }
            Err(TryLockError::Error(error)) => return Err(error).doing(|| format!("lock {}", parent.display())),
        }
        remove(partial)?;
        fs::create_dir(partial).doing(|| format!("create the folder {}", partial.display()))?;
        Ok(lock)
    }
}

/// A download that is under way. Dropped before it is finished, it leaves nothing.
struct Filling {
    target: Target,
    partial: PathBuf,
    _lock: File,
}

impl Filling {
    fn finish(self, unpacked: Unpacked) -> Result<Part> {
        let folder = self.target.folder.clone();
        if self.target.force {
            remove(&folder)?;
        }
        fs::rename(&self.partial, &folder).doing(|| format!("create {}", folder.display()))?;
        let Unpacked { files, bytes, mut left_out, more_left_out } = unpacked;
        left_out.extend((more_left_out > 0).then(|| format!("and {more_left_out} more")));
        Ok(Part { folder, files, bytes, left_out })
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        // What is left after a failed removal is removed by the next download.
        let _left = remove(&self.partial);
        let parent = self.partial.parent().unwrap_or(&self.partial);
        // Only goes where nothing was ever downloaded.
        let _in_use = fs::remove_dir(parent);
    }
}

/// A folder with all that is in it, a file, or nothing.
fn remove(path: &Path) -> Result<()> {
    let removed = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        _ => fs::remove_file(path),
    };
    removed.doing(|| format!("remove {}", path.display()))
}

fn nothing_there(state: &DescribeTrainingJobResponse) -> Error {
    let name = &state.training_job_name;
    match state.training_job_status {
        JobStatus::Failed => Error::failure(format!("job {name} failed and left no model"))
            .hint(format!("see why: smtrain describe {name}")),
        JobStatus::Completed | JobStatus::Stopped => Error::failure(format!("job {name} left nothing in SM_MODEL_DIR"))
            .hint("have the script save its model there; /opt/ml/model is the folder"),
        _ => Error::failure(format!("job {name} is still running: there is no model yet"))
            .hint(format!("wait for it: smtrain wait {name}")),
    }
}
