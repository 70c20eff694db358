//! What a job has left, or ran, and where it is.

use futures_util::stream::{BoxStream, once};
use futures_util::{StreamExt, TryStreamExt};

use super::Selection;
use crate::cloud::{Cloud, CloudResult, Object, ObjectSummary};
use crate::contract::driver::CODE_CHANNEL;
use crate::error::{Error, Result};
use crate::model::artifacts::KEPT_IN;
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, JobStatus, S3Uri};

const SUBMIT_DIRECTORY: &str = "sagemaker_submit_directory";
/// How archives are called.
const ENDINGS: [&str; 2] = [".tar.gz", ".tgz"];

/// Something that can be downloaded.
#[derive(Clone, Debug)]
pub(super) struct Artifact {
    /// As it is called: `model`, `output data`.
    pub(super) what: String,
    /// Of the folder that it is unpacked to.
    pub(super) name: String,
    pub(super) uri: S3Uri,
    /// The folder that the job packed, as its script saw it.
    pub(super) packed_from: Option<&'static str>,
}

/// How an artifact is stored.
pub(super) enum Stored<'c> {
    Archive(Object),
    /// No archive.
    File(Object),
    /// Below a prefix.
    Files(Files<'c>),
}

/// Objects below a prefix, page by page.
pub(super) struct Files<'c> {
    /// The first page that holds any.
    first: Vec<Object>,
    rest: BoxStream<'c, CloudResult<Vec<Object>>>,
}

impl<'c> Files<'c> {
    pub(super) fn pages(self) -> BoxStream<'c, CloudResult<Vec<Object>>> {
        once(async { Ok(self.first) }).chain(self.rest).boxed()
    }
}

/// The files of a page. A key that ends in a slash is how consoles show an empty folder.
fn files(page: Vec<ObjectSummary>) -> Vec<Object> {
    page.into_iter().filter(|object| !object.uri.key().ends_with('/')).map(object).collect()
}

/// None where there are none.
async fn first_files(mut pages: BoxStream<'_, CloudResult<Vec<Object>>>) -> Result<Option<Stored<'_>>> {
    while let Some(first) = pages.try_next().await? {
        if !first.is_empty() {
            return Ok(Some(Stored::Files(Files { first, rest: pages })));
        }
    }
    Ok(None)
}

impl Artifact {
    fn new(what: &str, name: &str, uri: &str, packed_from: Option<&'static str>) -> Result<Self> {
        let uri = S3Uri::parse(uri).map_err(|error| Error::failure(format!("{uri}: {error}")))?;
        Ok(Self { what: what.to_owned(), name: name.to_owned(), uri, packed_from })
    }

    /// What any URI names.
    pub(super) fn of_uri(uri: &S3Uri) -> Self {
        let last = uri.key().trim_end_matches('/').rsplit('/').next().filter(|name| !name.is_empty());
        let file = last.unwrap_or(uri.bucket());
        let name = without_ending(file).filter(|name| !name.is_empty()).unwrap_or(file);
        Self { what: file.to_owned(), name: name.to_owned(), uri: uri.clone(), packed_from: None }
    }

    /// The folder of S3's that its files lie in, if it is no single object.
    pub(super) fn folder(&self) -> S3Uri {
        self.uri.join("")
    }

    /// None where nothing is stored.
    pub(super) async fn stored<'c>(&self, cloud: &'c Cloud) -> Result<Option<Stored<'c>>> {
        let found = if self.uri.key().is_empty() || self.uri.key().ends_with('/') {
            None
        } else {
            cloud.objects.stat(&self.uri).await?
        };
        if let Some(object) = found {
            let is_archive = without_ending(self.uri.key()).is_some();
            return Ok(Some(if is_archive { Stored::Archive(object) } else { Stored::File(object) }));
        }
        if without_ending(self.uri.key()).is_some() {
            return Ok(None);
        }
        first_files(cloud.objects.pages(self.folder()).map_ok(files).boxed()).await
    }
}

fn without_ending(name: &str) -> Option<&str> {
    ENDINGS.iter().find_map(|ending| name.strip_suffix(ending))
}

fn object(listed: ObjectSummary) -> Object {
    let ObjectSummary { uri, size, version } = listed;
    Object { uri, size, version, version_id: None, checksum: None, file: None }
}

pub(super) fn of_job(state: &DescribeTrainingJobResponse, which: Selection) -> Result<Vec<Artifact>> {
    if which == Selection::default() {
        return results(state);
    }
    let code = which.code.then(|| code(state));
    let checkpoints = which.checkpoints.then(|| checkpoints(state));
    code.into_iter().chain(checkpoints).collect()
}

fn results(state: &DescribeTrainingJobResponse) -> Result<Vec<Artifact>> {
    let model = model_uri(state).or_else(|| default_uri(state)).ok_or_else(|| nothing_there(state))?;
    // output.tar.gz stands beside the model.
    let folder = model.trim_end_matches('/').rsplit_once('/').map_or(&*model, |(folder, _)| folder);
    Ok(vec![
        Artifact::new("model", "model", &model, Some("/opt/ml/model"))?,
        Artifact::new("output data", "output", &format!("{folder}/output.tar.gz"), Some("/opt/ml/output/data"))?,
    ])
}

/// Where the job says that its model is.
pub(super) fn model_uri(state: &DescribeTrainingJobResponse) -> Option<String> {
    let uri = &state.model_artifacts.as_ref()?.s3_model_artifacts;
    (!uri.is_empty()).then(|| uri.clone())
}

/// Where it would be: a job that failed says nothing of a model, and its output data is there.
fn default_uri(state: &DescribeTrainingJobResponse) -> Option<String> {
    let output = state.output_data_config.as_ref().filter(|_| state.training_job_status.is_final())?;
    Some(format!("{}/{}/output/model.tar.gz", output.s3_output_path.trim_end_matches('/'), state.training_job_name))
}

/// As the toolkit finds it: by a hyperparameter, or in a channel.
fn code(state: &DescribeTrainingJobResponse) -> Result<Artifact> {
    let directory = state.hyper_parameters.as_ref().and_then(|all| all.get(SUBMIT_DIRECTORY));
    let directory = directory.map(|json| serde_json::from_str::<String>(json).unwrap_or_else(|_| json.clone()));
    let channels = state.input_data_config.iter().flatten();
    let channel = channels.filter(|channel| channel.channel_name == CODE_CHANNEL);
    let in_channel = channel.filter_map(|channel| Some(channel.data_source.s3_data_source.as_ref()?.s3_uri.clone()));
    match directory.filter(|uri| uri.starts_with("s3://")).or_else(|| in_channel.into_iter().next()) {
        Some(uri) => Artifact::new("code", "code", &uri, None),
        None => {
            Err(Error::failure(format!("job {} has no code of its own: its image has all", state.training_job_name)))
        }
    }
}

fn checkpoints(state: &DescribeTrainingJobResponse) -> Result<Artifact> {
    match &state.checkpoint_config {
        Some(checkpoints) => {
            Artifact::new("checkpoints", "checkpoints", &format!("{}/", checkpoints.s3_uri.trim_end_matches('/')), None)
        }
        None => Err(Error::failure(format!("job {} saves no checkpoints", state.training_job_name))
            .hint("a job does by [checkpoints] in its spec, or on spot instances")),
    }
}

/// Why there is none of a job's artifacts.
pub(super) fn nothing_there(state: &DescribeTrainingJobResponse) -> Error {
    let name = &state.training_job_name;
    match state.training_job_status {
        JobStatus::Failed => failed(name, state.failure_reason.as_deref().unwrap_or_default()),
        JobStatus::Completed | JobStatus::Stopped => Error::failure(format!("job {name} left nothing in SM_MODEL_DIR"))
            .hint("have the script save its model there; /opt/ml/model is the folder"),
        _ => Error::failure(format!("job {name} is still running: there is no model yet"))
            .hint(format!("wait for it: smtrain wait {name}")),
    }
}

/// A local job whose model could not be stored says in its reason where it has kept the model.
fn failed(name: &JobName, reason: &str) -> Error {
    let internal = Some(reason).filter(|reason| reason.starts_with("InternalServerError"));
    let error = match internal.and_then(|reason| reason.rsplit_once(KEPT_IN)) {
        Some((_, place)) => Error::failure(format!(
            "the model of job {name} could not be stored: all that the job made is kept in {place}"
        )),
        None => Error::failure(format!("job {name} failed and left no model")),
    };
    error.hint(format!("see why: smtrain describe {name}"))
}

/// Something that a job has left is there no more.
pub(super) fn gone(job: &JobName, artifact: &Artifact) -> Error {
    Error::failure(format!("the {} of job {job} can't be found at {} any more", artifact.what, artifact.uri)).hint(
        "it was deleted or moved, perhaps by a rule of its bucket; `smtrain describe` tells how to train it again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uri_names_its_folder() -> std::result::Result<(), Box<dyn std::error::Error>> {
        for (uri, name) in [
            ("s3://bucket/jobs/churn/output/model.tar.gz", "model"),
            ("s3://bucket/m.tgz", "m"),
            ("s3://bucket/checkpoints/", "checkpoints"),
            ("s3://bucket/weights.bin", "weights.bin"),
            ("s3://bucket", "bucket"),
            ("s3://bucket/.tar.gz", ".tar.gz"),
        ] {
            assert_eq!(Artifact::of_uri(&S3Uri::parse(uri)?).name, name);
        }
        Ok(())
    }
}
