//! Finds what can be downloaded: the artifacts of a job, or the objects that a URI names.

use futures_util::stream::{BoxStream, once};
use futures_util::{StreamExt, TryStreamExt};

use super::options::Selection;
use crate::cloud::{Cloud, CloudResult, Object, ObjectSummary};
use crate::contract::driver::CODE_CHANNEL;
use crate::error::{Error, Result};
use crate::model::artifacts::KEPT_IN;
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, JobStatus, S3Uri, shell_quote};

const SUBMIT_DIRECTORY: &str = "sagemaker_submit_directory";
/// Channel with the local files that a remote function imports (SageMaker Python SDK 2.257,
/// `remote_function/job.py`).
const REMOTE_WORKSPACE_CHANNEL: &str = "sm_rf_user_ws";
/// Argument of a remote function's container: the prefix of its pickled function, arguments and result.
const REMOTE_BASE_ARGUMENT: &str = "--s3_base_uri";
/// Label and folder of a job's checkpoints.
const CHECKPOINTS: &str = "checkpoints";
/// File name endings of archives.
const ENDINGS: [&str; 2] = [".tar.gz", ".tgz"];

/// Something to download, by its URI. It may not exist.
#[derive(Clone, Debug)]
pub(super) struct ArtifactSource {
    /// Label for messages: `model`, `output data`.
    pub(super) what: String,
    /// Name of the folder that it is unpacked to.
    pub(super) name: String,
    pub(super) uri: S3Uri,
    /// Folder that the job packed, as its script saw it; `None` if unknown.
    pub(super) packed_from: Option<&'static str>,
}

/// Form in which an artifact is stored.
pub(super) enum Stored<'c> {
    Archive(Object),
    /// A single object that is no archive.
    File(Object),
    /// All objects below a prefix.
    Files(ObjectPages<'c>),
}

/// Objects below a prefix, page by page.
pub(super) struct ObjectPages<'c> {
    /// First page that is not empty.
    first: Vec<Object>,
    rest: BoxStream<'c, CloudResult<Vec<Object>>>,
}

impl<'c> ObjectPages<'c> {
    /// Returns the pages in order.
    pub(super) fn pages(self) -> BoxStream<'c, CloudResult<Vec<Object>>> {
        once(async { Ok(self.first) }).chain(self.rest).boxed()
    }
}

/// Returns the objects of a page that are files. A key that ends in a slash is an empty folder, as consoles create it.
fn files(page: Vec<ObjectSummary>) -> Vec<Object> {
    page.into_iter().filter(|object| !object.uri.key().ends_with('/')).map(object).collect()
}

/// Returns the objects below a prefix, or `None` if there are none.
async fn first_files(mut pages: BoxStream<'_, CloudResult<Vec<Object>>>) -> Result<Option<Stored<'_>>> {
    while let Some(first) = pages.try_next().await? {
        if !first.is_empty() {
            return Ok(Some(Stored::Files(ObjectPages { first, rest: pages })));
        }
    }
    Ok(None)
}

impl ArtifactSource {
    fn new(what: &str, name: &str, uri: &str, packed_from: Option<&'static str>) -> Result<Self> {
        let uri = S3Uri::parse(uri).map_err(|error| Error::failure(format!("{uri}: {error}")))?;
        Ok(Self { what: what.to_owned(), name: name.to_owned(), uri, packed_from })
    }

    /// Returns the artifact that a URI names.
    pub(super) fn of_uri(uri: &S3Uri) -> Self {
        let last = uri.key().trim_end_matches('/').rsplit('/').next().filter(|name| !name.is_empty());
        let file = last.unwrap_or(uri.bucket());
        let name = strip_ending(file).filter(|name| !name.is_empty()).unwrap_or(file);
        Self { what: file.to_owned(), name: name.to_owned(), uri: uri.clone(), packed_from: None }
    }

    /// Returns the prefix that its files have if it is no single object.
    pub(super) fn folder(&self) -> S3Uri {
        self.uri.join("")
    }

    /// Looks the artifact up in S3. Returns `None` if nothing is stored.
    pub(super) async fn stored<'c>(&self, cloud: &'c Cloud) -> Result<Option<Stored<'c>>> {
        let found = if self.uri.key().is_empty() || self.uri.key().ends_with('/') {
            None
        } else {
            cloud.objects.stat(&self.uri).await?
        };
        if let Some(object) = found {
            let is_archive = strip_ending(self.uri.key()).is_some();
            return Ok(Some(if is_archive { Stored::Archive(object) } else { Stored::File(object) }));
        }
        if strip_ending(self.uri.key()).is_some() {
            return Ok(None);
        }
        first_files(cloud.objects.pages(self.folder()).map_ok(files).boxed()).await
    }
}

/// Returns an archive's name without its ending; `None` if it is no archive.
fn strip_ending(name: &str) -> Option<&str> {
    ENDINGS.iter().find_map(|ending| name.strip_suffix(ending))
}

fn object(listed: ObjectSummary) -> Object {
    let ObjectSummary { uri, size, version } = listed;
    Object { uri, size, version, version_id: None, checksum: None, file: None }
}

/// Returns the selected artifacts of a job. Fails if the job has no such artifact.
pub(super) fn job_artifacts(state: &DescribeTrainingJobResponse, selection: Selection) -> Result<Vec<ArtifactSource>> {
    if selection == Selection::default() {
        return results(state);
    }
    let code = selection.code.then(|| code(state));
    let checkpoints = selection.checkpoints.then(|| checkpoints(state));
    code.into_iter().chain(checkpoints).collect()
}

fn results(state: &DescribeTrainingJobResponse) -> Result<Vec<ArtifactSource>> {
    let model = model_uri(state).or_else(|| default_uri(state)).ok_or_else(|| nothing_there(state))?;
    // output.tar.gz is next to the model.
    let folder = model.trim_end_matches('/').rsplit_once('/').map_or(&*model, |(folder, _)| folder);
    Ok(vec![
        ArtifactSource::new("model", "model", &model, Some("/opt/ml/model"))?,
        ArtifactSource::new("output data", "output", &format!("{folder}/output.tar.gz"), Some("/opt/ml/output/data"))?,
    ])
}

/// Returns the URI of the model, as the job's description has it.
pub(super) fn model_uri(state: &DescribeTrainingJobResponse) -> Option<String> {
    let uri = &state.model_artifacts.as_ref()?.s3_model_artifacts;
    (!uri.is_empty()).then(|| uri.clone())
}

/// Returns the URI that a model would have. The description of a failed job has none, although its output data is
/// stored next to it.
fn default_uri(state: &DescribeTrainingJobResponse) -> Option<String> {
    let output = state.output_data_config.as_ref().filter(|_| state.has_ended())?;
    Some(format!("{}/{}/output/model.tar.gz", output.s3_output_path.trim_end_matches('/'), state.training_job_name))
}

/// Returns the code that a job ran, found like the toolkit does: by a hyperparameter, or in a channel.
fn code(state: &DescribeTrainingJobResponse) -> Result<ArtifactSource> {
    let directory = state.hyper_parameters.as_ref().and_then(|all| all.get(SUBMIT_DIRECTORY));
    let directory = directory.map(|json| serde_json::from_str::<String>(json).unwrap_or_else(|_| json.clone()));
    let in_channel = || [CODE_CHANNEL, REMOTE_WORKSPACE_CHANNEL].iter().find_map(|name| channel_uri(state, name));
    match directory.filter(|uri| uri.starts_with("s3://")).or_else(in_channel) {
        Some(uri) => ArtifactSource::new("code", "code", &uri, None),
        None => Err(no_code(state)),
    }
}

/// Returns the S3 URI of a channel.
fn channel_uri(state: &DescribeTrainingJobResponse, name: &str) -> Option<String> {
    let mut channels = state.input_data_config.iter().flatten();
    let channel = channels.find(|channel| channel.channel_name == name)?;
    Some(channel.data_source.s3_data_source.as_ref()?.s3_uri.clone())
}

/// Returns the error that a job has no code in S3. A remote function's is pickled, which is fetched but never loaded.
fn no_code(state: &DescribeTrainingJobResponse) -> Error {
    let name = &state.training_job_name;
    let algorithm = state.algorithm_specification.as_ref();
    let arguments = algorithm.and_then(|algorithm| algorithm.container_arguments.as_deref()).unwrap_or_default();
    let mut after = arguments.iter().skip_while(|argument| *argument != REMOTE_BASE_ARGUMENT).skip(1);
    match after.next() {
        Some(base) => Error::failure(format!("job {name} ran a pickled function, and has no files of code")).hint(
            format!("fetch the pickled function: smtrain download {}", shell_quote(&format!("{base}/function/"))),
        ),
        None => Error::failure(format!("job {name} has no code of its own: its image has all")),
    }
}

fn checkpoints(state: &DescribeTrainingJobResponse) -> Result<ArtifactSource> {
    match &state.checkpoint_config {
        Some(checkpoints) => ArtifactSource::new(
            CHECKPOINTS,
            CHECKPOINTS,
            &format!("{}/", checkpoints.s3_uri.trim_end_matches('/')),
            None,
        ),
        None => Err(Error::failure(format!("job {} saves no checkpoints", state.training_job_name))
            .hint("[checkpoints] in a spec makes a job save them; spot jobs do by default")),
    }
}

/// Returns the error that a job has no artifacts, with the reason.
pub(super) fn nothing_there(state: &DescribeTrainingJobResponse) -> Error {
    let name = &state.training_job_name;
    match state.training_job_status {
        JobStatus::Failed => failed(name, state.failure_reason.as_deref().unwrap_or_default()),
        JobStatus::Stopped => Error::failure(format!("job {name} was stopped and left no model")).hint(
            "have the script save its model when it gets SIGTERM, or save checkpoints: [checkpoints] in the spec",
        ),
        _ if state.has_ended() => Error::failure(format!("job {name} left nothing in SM_MODEL_DIR"))
            .hint("have the script save its model in /opt/ml/model, the folder that SM_MODEL_DIR names"),
        _ => Error::failure(format!("job {name} is still running: there is no model yet"))
            .hint(format!("wait for it: smtrain wait {name}")),
    }
}

/// Returns the error of a failed job. The failure reason of a local job may say where the model was kept because it
/// could not be stored.
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

/// Returns the error that a job's artifact isn't stored. A model and code have been stored once; checkpoints only if the
/// script saved some.
pub(super) fn gone(job: &JobName, artifact: &ArtifactSource) -> Error {
    let ArtifactSource { what, uri, .. } = artifact;
    if what == CHECKPOINTS {
        return Error::failure(format!("there are no checkpoints of job {job} at {uri}")).hint(
            "its script saves them in the folder that checkpoints.local_path names, /opt/ml/checkpoints by default",
        );
    }
    let folder = uri.to_string().rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/"));
    Error::failure(format!("the {what} of job {job} can't be found at {uri} any more"))
        .hint("it was deleted or moved, perhaps by a lifecycle rule of its bucket")
        .hint(format!("see what is there: aws s3 ls {}", shell_quote(&folder)))
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
            assert_eq!(ArtifactSource::of_uri(&S3Uri::parse(uri)?).name, name);
        }
        Ok(())
    }
}
