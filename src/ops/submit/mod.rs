//! From a checked spec to a job: the code packed, code and data stored by content, the request built and sent.

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
use super::provenance::Provenance;
use super::{blocking, project};
use crate::archive::Packed;
use crate::cloud::{ByteProgress, Cloud, CloudError};
use crate::contract::driver::CODE_CHANNEL;
use crate::error::{Error, Result, WithContext};
use crate::job::request::{self, RequestDraft, ResolvedInputs};
use crate::job::spec::{ChannelSource, JobSpec, Workload};
use crate::model::{JobName, LocalOptions, RequestDocument, S3Uri};
use destinations::Places;

pub(super) use self::code::{source_tree, unpackable};
pub(crate) use self::defaults::Defaults;

/// How often a name that is taken is made anew: names differ by the millisecond.
const NAME_TRIES: usize = 20;

/// A job that is ready to be created.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Made of the spec's name and the time, and made anew should it be taken; not so the name that `[request]` may set.
    stamped: bool,
    pub(crate) request: RequestDocument,
    /// What the place where it runs has to say of it.
    pub(crate) notices: Vec<String>,
    pub(crate) code: Option<Packed>,
    /// Files of channels that are sent although they are or hold secrets.
    pub(crate) allowed_secrets: Vec<String>,
}

/// A job that was created.
#[derive(Debug)]
pub(crate) struct Submitted {
    pub(crate) job: JobName,
    pub(crate) arn: String,
}

/// Told how far reading and storing have come.
#[derive(Clone)]
pub(crate) struct Progress {
    pub(crate) read: ByteProgress,
    pub(crate) stored: ByteProgress,
}

/// Everything but the creation. With `store`, code and data are stored; without, nothing is changed anywhere.
pub(crate) async fn prepare(
    cloud: &Cloud,
    spec: &JobSpec,
    defaults: &Defaults<'_>,
    store: bool,
    progress: Progress,
) -> Result<Prepared> {
    check_runs_here(cloud, spec)?;
    if store {
        cloud.jobs.check_creation()?;
    }
    let image = image::image(cloud, spec, defaults.catalog)?;
    let rules_image = image::rules_image(cloud, spec, defaults.catalog)?;
    let (role_arn, places) = tokio::try_join!(role_arn(cloud, spec), Places::of(cloud, spec, defaults))?;
    let code = Code::pack(cloud, spec, &places.content, store, progress.read.clone()).await?;
    let data = read_data(spec, &progress).await?;
    let Provenance { tags, notice } = provenance(spec, code.as_ref(), defaults, store).await;
    let (name, stamped) = name::name(spec, store.then_some(&*defaults.state))?;
    let inputs = ResolvedInputs {
        name: &name,
        region: cloud.region.as_str(),
        role_arn: &role_arn,
        image: image.as_deref(),
        rules_image: rules_image.as_deref(),
        output: &places.output,
        code: code.as_ref().map(|code| &code.uri),
        data: &folders(&data, &places.content),
        tags: &tags,
    };
    let (request, driver) = request_and_driver(spec, &inputs, &places.content)?;
    let typed = request.typed().map_err(|error| not_a_request(&error))?;
    let mut content = Contents { code, driver, data };
    let mut notices = Vec::from_iter(notice);
    if store {
        notices.extend(content.store(cloud, spec, &places, &progress).await?);
        notices.extend(cloud.jobs.differences(&typed, &local_options(spec)).await?);
    }
    let allowed_secrets = allowed_secrets(&content.data);
    Ok(Prepared { stamped, request, notices, code: content.code.map(|code| code.packed), allowed_secrets })
}

/// Builds the request, and the driver where the job needs one; nothing is stored yet.
fn request_and_driver(
    spec: &JobSpec,
    inputs: &ResolvedInputs<'_>,
    place: &S3Uri,
) -> Result<(RequestDocument, Option<Driver>)> {
    let draft = RequestDraft::build(spec, inputs).context("build the request")?;
    let driver = Driver::of(&draft, place)?;
    let request = draft.finish(driver.as_ref().map(|driver| &driver.uri));
    Ok((request.context("build the request")?, driver))
}

/// Local data by channel.
type Data = BTreeMap<String, LocalData>;

/// What the job needs stored before it can be created.
struct Contents {
    code: Option<Code>,
    driver: Option<Driver>,
    data: Data,
}

impl Contents {
    /// Returns what is to be said of it.
    async fn store(
        &mut self,
        cloud: &Cloud,
        spec: &JobSpec,
        places: &Places,
        progress: &Progress,
    ) -> Result<Vec<String>> {
        let is_channel = request::code_channels(spec).contains(&CODE_CHANNEL);
        let store = ContentStore::new(cloud, spec.output.kms_key_id.clone(), progress.stored.clone());
        if let Some(bucket) = &places.default_bucket {
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
            data.store(&store, &folder(data, &places.content)).await?;
        }
        Ok(store.notices())
    }
}

/// Creates the job. Should its name be taken, by a job of the same millisecond, it gets the next.
pub(crate) async fn create(cloud: &Cloud, spec: &JobSpec, prepared: Prepared) -> Result<Submitted> {
    let mut request = prepared.request;
    for _ in 0..NAME_TRIES {
        let job = request.typed().map_err(|error| not_a_request(&error))?.training_job_name;
        match cloud.jobs.create(&request, &local_options(spec)).await {
            Ok(arn) => return Ok(Submitted { job, arn }),
            Err(CloudError::AlreadyExists(_)) if prepared.stamped => {
                request = request.renamed(&job, &name::next(spec, &job)?);
            }
            Err(CloudError::AlreadyExists(what)) => return Err(taken(&what)),
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::failure(format!("no free name was found for {}", spec.name))
        .hint("submit it again, or set another --name"))
}

/// A name that was asked for is had, or nothing is.
fn taken(what: &str) -> Error {
    Error::failure(format!("{what} exists already"))
        .hint("leave request.TrainingJobName out: the time is added to `name`, so that no two jobs have the same")
}

fn not_a_request(error: &serde_json::Error) -> Error {
    Error::usage(format!("[request] does not fit CreateTrainingJob: {error}"))
}

/// A local job runs in no image: that needs a script, and a framework whose image only holds what a computer has too.
fn check_runs_here(cloud: &Cloud, spec: &JobSpec) -> Result<()> {
    match (&spec.workload, &spec.source) {
        (Workload::Framework(_), None) => Err(Error::usage("[framework] runs a script, and there is no [source]")),
        _ if cloud.capabilities.runs_images => Ok(()),
        (Workload::Algorithm(_), _) => Err(needs_image("a built-in algorithm")),
        (Workload::Container(_), _) => Err(needs_image("a [container]")),
        (Workload::Serverless(_), _) => Err(needs_image("a [serverless] job")),
        _ => Ok(()),
    }
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

/// Describes the code in tags. A dry run, which stores nothing, calls no program either.
async fn provenance(spec: &JobSpec, code: Option<&Code>, defaults: &Defaults<'_>, store: bool) -> Provenance {
    if !defaults.provenance {
        return Provenance::default();
    }
    let folder = spec.source.as_ref().map_or(&spec.folder, |source| &source.dir);
    Provenance::of(folder, code.map(|code| code.packed.sha256.as_str()), store).await
}

async fn read_data(spec: &JobSpec, progress: &Progress) -> Result<Data> {
    let mut read = Data::new();
    let project = project::of_folder(&spec.folder);
    for channel in &spec.channels {
        let ChannelSource::Path(path) = &channel.source else { continue };
        let (tree, progress) = (local_data::tree(channel, path, project.clone()), progress.read.clone());
        read.insert(channel.name.clone(), blocking(move || LocalData::read(&tree, &*progress)).await?);
    }
    Ok(read)
}

/// Names of files in channels that are or hold secrets, and are sent since the spec allows it.
fn allowed_secrets(data: &Data) -> Vec<String> {
    let of_channel = |(channel, data): (&String, &LocalData)| {
        let names = data.allowed.iter().map(|name| format!("{name} in channel {channel}"));
        names.collect::<Vec<_>>()
    };
    data.iter().flat_map(of_channel).collect()
}

/// Local channels as prefixes: a file's is its folder by content, with a `/` at the end.
fn folders(data: &Data, place: &S3Uri) -> BTreeMap<String, S3Uri> {
    data.iter().map(|(channel, data)| (channel.clone(), folder(data, place).join(""))).collect()
}

fn folder(data: &LocalData, place: &S3Uri) -> S3Uri {
    place.join(&format!("smtrain/data/{}", data.sha256))
}

fn local_options(spec: &JobSpec) -> LocalOptions {
    let python = spec.local.python.as_deref().map(|python| absolute(&spec.folder, python));
    LocalOptions { python, stop_grace: spec.local.stop_grace }
}

/// A path starts in the spec's folder; a bare command is looked up.
fn absolute(folder: &Path, python: &str) -> String {
    if python.contains('/') { folder.join(python).to_string_lossy().into_owned() } else { python.to_owned() }
}
