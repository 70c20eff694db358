//! Submits a job: packs the code, stores code and data content-addressed, builds and sends the request.

mod code;
mod defaults;
mod destinations;
mod driver;
mod image;
mod name;

use std::collections::BTreeMap;
use std::path::Path;

use self::code::Code;
use self::driver::Driver;
use super::content::ContentStore;
use super::local_data::{self, LocalData};
use super::provenance::{Caller, Provenance};
use super::{blocking, project};
use crate::archive::Packed;
use crate::cloud::{ByteProgress, Cloud, CloudError};
use crate::contract::driver::CODE_CHANNEL;
use crate::error::{Error, Result, WithContext};
use crate::job::request::{self, RequestDraft, ResolvedInputs};
use crate::job::spec::{ChannelSource, InstancePreferenceSpec, JobSpec, Local, Workload};
use crate::model::copies::JobCopies;
use crate::model::request::CreateTrainingJobRequest;
use crate::model::{FrameworkVersion, JobName, LocalOptions, RequestDocument, S3Uri};
use destinations::Destinations;

pub(super) use self::code::{source_tree, unpackable};
pub(crate) use self::defaults::Defaults;

/// Maximum number of names tried while they are taken; they differ by a millisecond.
const MAX_NAME_ATTEMPTS: usize = 20;

/// A job that is ready to be created.
#[derive(Debug)]
pub(crate) struct PreparedJob {
    /// True if the name was generated from the spec's name and the time. A name that is taken is then replaced; one set
    /// in `[request]` is not.
    is_name_generated: bool,
    pub(crate) request: RequestDocument,
    /// Notices for the user.
    pub(crate) notices: Vec<String>,
    pub(crate) code: Option<Packed>,
    /// Files in channels that are sent although they are or hold secrets.
    pub(crate) allowed_secrets: Vec<String>,
    options: LocalOptions,
}

/// A job that was created.
#[derive(Debug)]
pub(crate) struct Submitted {
    pub(crate) job: JobName,
    pub(crate) arn: String,
}

/// Callbacks for the bytes read and stored.
#[derive(Clone)]
pub(crate) struct SubmitProgress {
    pub(crate) read: ByteProgress,
    pub(crate) stored: ByteProgress,
}

/// Prepares a job: everything up to its creation. `copies` are those that a local job reads. With `store`, code and data
/// are stored; without, nothing is changed and no program is run.
pub(crate) async fn prepare(
    cloud: &Cloud,
    spec: &JobSpec,
    defaults: &Defaults<'_>,
    copies: JobCopies,
    store: bool,
    progress: SubmitProgress,
) -> Result<PreparedJob> {
    check_runs_here(cloud, spec, store)?;
    let (image, rules_image) = images(cloud, spec, defaults)?;
    let (role_arn, destinations) =
        tokio::try_join!(role_arn(cloud, spec), Destinations::resolve(cloud, spec, defaults))?;
    let code = Code::pack(cloud, spec, &destinations.content, store, progress.read.clone()).await?;
    let data = read_channel_data(spec, &progress).await?;
    let provenance = provenance(cloud, spec, code.as_ref(), defaults, store).await;
    let (name, is_name_generated) = name::name(spec, store.then_some(&*defaults.state))?;
    let inputs = ResolvedInputs {
        name: &name,
        region: region(cloud, defaults),
        role_arn: &role_arn,
        image: image.as_deref(),
        rules_image: rules_image.as_deref(),
        output: &destinations.output,
        code: code.as_ref().map(|code| &code.uri),
        data: &folders(&data, &destinations.content),
        tags: &provenance.tags,
    };
    let (request, driver) = request_and_driver(spec, &inputs, &destinations.content)?;
    let typed = request.typed().map_err(|error| invalid_request(&error))?;
    let mut content = Contents { code, driver, data };
    let mut notices: Vec<String> = provenance.notices.into_iter().chain(quota_notice(cloud, spec)).collect();
    let options = local_options(spec, copies, defaults.region.clone());
    if store {
        notices.extend(content.store(cloud, spec, &typed, &destinations, &progress).await?);
        notices.extend(cloud.jobs.differences(&typed, &options).await?);
    }
    let allowed_secrets = allowed_secrets(&content.data);
    let code = content.code.map(|code| code.packed);
    Ok(PreparedJob { is_name_generated, request, notices, code, allowed_secrets, options })
}

/// Returns the image of the job, and that of the debugger's rules.
fn images(cloud: &Cloud, spec: &JobSpec, defaults: &Defaults<'_>) -> Result<(Option<String>, Option<String>)> {
    Ok((image::image(cloud, spec, defaults.catalog)?, image::rules_image(cloud, spec, defaults.catalog)?))
}

/// Builds the request, and the driver if the job needs one. Stores nothing.
fn request_and_driver(
    spec: &JobSpec,
    inputs: &ResolvedInputs<'_>,
    content_uri: &S3Uri,
) -> Result<(RequestDocument, Option<Driver>)> {
    let draft = RequestDraft::build(spec, inputs).context("build the request")?;
    let driver = Driver::of(&draft, content_uri)?;
    let request = draft.finish(driver.as_ref().map(|driver| &driver.uri));
    Ok((request.context("build the request")?, driver))
}

/// Local data by channel.
type ChannelData = BTreeMap<String, LocalData>;

/// Content to store before the job is created.
struct Contents {
    code: Option<Code>,
    driver: Option<Driver>,
    data: ChannelData,
}

impl Contents {
    /// Stores everything, with the request's key. Returns notices for the user.
    async fn store(
        &mut self,
        cloud: &Cloud,
        spec: &JobSpec,
        request: &CreateTrainingJobRequest,
        destinations: &Destinations,
        progress: &SubmitProgress,
    ) -> Result<Vec<String>> {
        let is_channel = request::code_channels(spec).contains(&CODE_CHANNEL);
        let kms_key_id = request.output_data_config.kms_key_id.clone();
        let store = ContentStore::new(cloud, kms_key_id, progress.stored.clone());
        if let Some(bucket) = &destinations.default_bucket {
            cloud.objects.ensure_bucket(bucket).await?;
        }
        if let Some(code) = &mut self.code {
            code.store(&store).await?;
            if is_channel {
                store.refuse_siblings(&code.uri).await?;
            }
        }
        if let Some(driver) = &self.driver {
            driver.store(&store).await?;
            store.refuse_siblings(&driver.uri).await?;
        }
        for data in self.data.values() {
            data.store(&store, &folder(data, &destinations.content)).await?;
        }
        Ok(store.notices())
    }
}

/// Creates the job. If its generated name is taken, by a job of the same millisecond, tries the next millisecond.
pub(crate) async fn create(cloud: &Cloud, spec: &JobSpec, prepared: PreparedJob) -> Result<Submitted> {
    let mut request = prepared.request;
    for _ in 0..MAX_NAME_ATTEMPTS {
        let job = request.typed().map_err(|error| invalid_request(&error))?.training_job_name;
        match cloud.jobs.create(&request, &prepared.options).await {
            Ok(arn) => return Ok(Submitted { job, arn }),
            Err(CloudError::AlreadyExists(_)) if prepared.is_name_generated => {
                request = request.renamed(&job, &name::next_name(spec, &job)?);
            }
            Err(CloudError::AlreadyExists(what)) => return Err(name_taken(&what)),
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::failure(format!("no free name was found for {}", spec.name))
        .hint("submit it again, or set another --name"))
}

/// Returns the error that a name set in `[request]` is taken.
fn name_taken(what: &str) -> Error {
    Error::failure(format!("{what} exists already"))
        .hint("leave request.TrainingJobName out: the time is added to `name`, so that no two jobs have the same")
}

fn invalid_request(error: &serde_json::Error) -> Error {
    Error::usage(format!("[request] does not fit CreateTrainingJob: {error}"))
}

/// Fails if a local job needs a container image. It needs a script, and a framework that can be installed on this
/// computer. With `store`, fails also if no job can be created.
fn check_runs_here(cloud: &Cloud, spec: &JobSpec, store: bool) -> Result<()> {
    match (&spec.workload, &spec.source) {
        (Workload::Framework(_), None) => Err(Error::usage("[framework] runs a script, and there is no [source]")),
        _ if cloud.capabilities.runs_images => Ok(()),
        (Workload::Algorithm(_), _) => Err(needs_image("a built-in algorithm")),
        (Workload::Container(_), _) => Err(needs_image("a [container]")),
        (Workload::Serverless(_), _) => Err(needs_image("a [serverless] job")),
        _ => Ok(()),
    }?;
    if store { Ok(cloud.jobs.check_creation()?) } else { Ok(()) }
}

/// Returns a notice for a job with several preferred instance types: the service refuses it unless the account's quota
/// suffices for each of them.
fn quota_notice(cloud: &Cloud, spec: &JobSpec) -> Option<String> {
    let preferences = spec.resources.instance_preferences.iter().filter(|_| cloud.capabilities.runs_images);
    let count = |preference: &InstancePreferenceSpec| preference.count.unwrap_or(spec.resources.instance_count);
    let types: Vec<String> =
        preferences.map(|preference| format!("{} of {}", count(preference), preference.instance_type)).collect();
    (types.len() > 1).then(|| format!("the account's quota must suffice for every preference: {}", types.join(", ")))
}

fn needs_image(what: &str) -> Error {
    Error::usage(format!("{what} needs its container image, which can't run on this computer"))
        .hint("a local job runs [framework] with [source]: your script, in your own Python")
}

async fn role_arn(cloud: &Cloud, spec: &JobSpec) -> Result<String> {
    match spec.role.as_deref().or(cloud.capabilities.default_role) {
        Some(role) => Ok(cloud.identity.role_arn(role).await?),

        None => Err(Error::usage("no role is given for the job to run as")
            .hint("name one: --role NAME_OR_ARN, `role` in the job spec, or SMTRAIN_ROLE")
            .hint(
                "list those for SageMaker: aws iam list-roles --query \"Roles[?contains(RoleName,'SageMaker')].Arn\"",
            )),
    }
}

/// Builds the provenance tags for which there is room. A dry run, which stores nothing, calls no service and no program.
async fn provenance(
    cloud: &Cloud,
    spec: &JobSpec,
    code: Option<&Code>,
    defaults: &Defaults<'_>,
    store: bool,
) -> Provenance {
    if !defaults.provenance {
        return Provenance::default();
    }
    let folder = spec.source.as_ref().map_or(&spec.folder, |source| &source.dir);
    let caller = Caller::of(cloud, store).await;
    let mut provenance = Provenance::of(folder, code.map(|code| code.packed.sha256.as_str()), caller, store).await;
    provenance.fit(spec.tags.len());
    provenance
}

async fn read_channel_data(spec: &JobSpec, progress: &SubmitProgress) -> Result<ChannelData> {
    let mut read = ChannelData::new();
    let project = project::of_folder(&spec.folder);
    for channel in &spec.channels {
        let ChannelSource::Path(path) = &channel.source else { continue };
        let tree = local_data::tree(channel, path, project.clone());
        let progress = progress.read.clone();
        read.insert(channel.name.clone(), blocking(move || LocalData::read(&tree, &*progress)).await?);
    }
    Ok(read)
}

/// Returns the names of files in channels that are or hold secrets and are sent because the spec allows it.
fn allowed_secrets(data: &ChannelData) -> Vec<String> {
    let of_channel = |(channel, data): (&String, &LocalData)| {
        let names = data.allowed.iter().map(|name| format!("{name} in channel {channel}"));
        names.collect::<Vec<_>>()
    };
    data.iter().flat_map(of_channel).collect()
}

/// Returns the URI of each local channel: a prefix, also for a single file.
fn folders(data: &ChannelData, content_uri: &S3Uri) -> BTreeMap<String, S3Uri> {
    data.iter().map(|(channel, data)| (channel.clone(), folder(data, content_uri).join(""))).collect()
}

fn folder(data: &LocalData, content_uri: &S3Uri) -> S3Uri {
    content_uri.join(&format!("smtrain/data/{}", data.sha256))
}

fn local_options(spec: &JobSpec, copies: JobCopies, region: Option<String>) -> LocalOptions {
    let python = spec.local.python.as_deref().map(|python| absolute(&spec.folder, python));
    let Local { python: _, installer, stop_grace } = spec.local;
    LocalOptions { python, stop_grace, installer, region, framework: framework_version(spec), copies }
}

/// Returns the region that the script is told: a local job's is the one that it would have on AWS, if that is known.
fn region<'a>(cloud: &'a Cloud, defaults: &'a Defaults<'_>) -> &'a str {
    let named = defaults.region.as_deref().filter(|_| cloud.is_local());
    named.unwrap_or_else(|| cloud.region.as_str())
}

fn framework_version(spec: &JobSpec) -> Option<FrameworkVersion> {
    let Workload::Framework(framework) = &spec.workload else { return None };
    Some(FrameworkVersion {
        name: framework.name.clone(),
        version: framework.version.clone(),
        pytorch_version: framework.pytorch_version.clone(),
        tensorflow_version: framework.tensorflow_version.clone(),
    })
}

/// Resolves a path against the spec's folder; a bare command is kept for a search in PATH.
fn absolute(folder: &Path, python: &str) -> String {
    if python.contains('/') { folder.join(python).to_string_lossy().into_owned() } else { python.to_owned() }
}
