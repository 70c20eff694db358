//! From a checked spec to a job: the code packed, code and data stored by content, the request built and sent.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use super::local_data::LocalData;
use super::{blocking, provenance};
use crate::archive::{self, PackError, Packed, SourceTree};
use crate::cloud::{Cloud, CloudError, Content, OnBytes};
use crate::error::{Doing, Error, Result};
use crate::job::request::{self, Facts};
use crate::job::spec::{ChannelSource, Framework, JobSpec, Runs, Source};
use crate::model::RequestDocument;
use crate::model::{JobName, LocalOptions, S3Uri};

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
    pub(crate) code: Packed,
}

/// A job that was created.
#[derive(Debug)]
pub(crate) struct Submitted {
    pub(crate) job: JobName,
    pub(crate) arn: String,
}

/// Everything but the creation. With `store`, code and data are stored; without, nothing is changed anywhere.
pub(crate) async fn prepare(cloud: &Cloud, spec: &JobSpec, store: bool, progress: OnBytes) -> Result<Prepared> {
    let (framework, source) = runs_without_image(spec)?;
    let output = output(cloud, spec).await?;
    let place = source.s3_uri.clone().unwrap_or_else(|| output.root());
    let (code, code_uri) = code(cloud, source, &place, store, progress.clone()).await?;
    let data = data(cloud, spec, &place, store, progress).await?;
    let (name, stamped) = name(spec)?;
    let tags = provenance::tags(&source.dir, &code.sha256);
    let facts = Facts {
        name: &name,
        region: &cloud.region,
        role_arn: &cloud.identity.role_arn(spec.role.as_deref().unwrap_or("local")).await?,
        image: &image(framework),
        output: &output,
        code: Some(&code_uri),
        data: &data,
        tags: &tags,
    };
    let request = request::request(spec, &facts).doing(|| "build the request".to_owned())?;
    let typed = request.typed().map_err(|error| not_a_request(&error))?;
    let notices = if store { cloud.jobs.notices(&typed, &local_options(spec)).await? } else { Vec::new() };
    Ok(Prepared { stamped, request, notices, code })
}

/// The job's name, and whether it was made here: `[request]` may set one, which then goes for everything.
fn name(spec: &JobSpec) -> Result<(JobName, bool)> {
    let set = spec.request.get("TrainingJobName").and_then(Value::as_str);
    let name = set.map_or_else(|| JobName::stamped(&spec.name, Timestamp::now()), JobName::new);
    Ok((name.map_err(|error| Error::usage(format!("the job's name: {error}")))?, set.is_none()))
}

/// Creates the job. Should its name be taken, by a job of the same millisecond, it gets the next.
pub(crate) async fn create(cloud: &Cloud, spec: &JobSpec, prepared: Prepared) -> Result<Submitted> {
    let mut request = prepared.request;
    for _ in 0..NAME_TRIES {
        let job = request.typed().map_err(|error| not_a_request(&error))?.training_job_name;
        match cloud.jobs.create(&request, &local_options(spec)).await {
            Ok(arn) => return Ok(Submitted { job, arn }),
            Err(CloudError::AlreadyExists(_)) if prepared.stamped => request = renamed(spec, &request, &job)?,
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

fn renamed(spec: &JobSpec, request: &RequestDocument, taken: &JobName) -> Result<RequestDocument> {
    let later = taken.stamp().unwrap_or_else(Timestamp::now) + jiff::SignedDuration::from_millis(1);
    let name = JobName::stamped(&spec.name, later).map_err(|error| Error::usage(error.to_string()))?;
    Ok(request.renamed(taken, &name))
}

fn not_a_request(error: &serde_json::Error) -> Error {
    Error::usage(format!("[request] does not fit CreateTrainingJob: {error}"))
}

/// A job without an image: that needs a script.
fn runs_without_image(spec: &JobSpec) -> Result<(&Framework, &Source)> {
    match (&spec.runs, &spec.source) {
        (Runs::Framework(framework), Some(source)) => Ok((framework, source)),
        (Runs::Algorithm(_), _) => Err(needs_image("a built-in algorithm")),
        (Runs::Container(_), _) => Err(needs_image("a [container]")),
        (Runs::Framework(_), None) => Err(Error::usage("[framework] runs a script, and there is no [source]")),
    }
}

fn needs_image(what: &str) -> Error {
    Error::usage(format!("{what} needs its container image, which can't run on this computer"))
        .hint("a local job runs [framework] with [source]: your script, in your own Python")
}

/// Which image would run it. A local job runs in none, so that its name stands for it, in angle brackets.
fn image(framework: &Framework) -> String {
    let version = framework.version.as_ref().map(|version| format!(":{version}")).unwrap_or_default();
    framework.image.clone().unwrap_or_else(|| format!("<{}{version}>", framework.name))
}

async fn output(cloud: &Cloud, spec: &JobSpec) -> Result<S3Uri> {
    match &spec.output.s3_uri {
        Some(uri) => Ok(uri.clone()),
        None => default_bucket(cloud).await,
    }
}

/// `sagemaker-{region}-{account}`, as the SDK names it.
async fn default_bucket(cloud: &Cloud) -> Result<S3Uri> {
    let account = cloud.identity.account().await?;
    let uri = format!("s3://sagemaker-{}-{account}/", cloud.region);
    S3Uri::parse(&uri).map_err(|error| Error::failure(error.to_string()))
}

/// Packs the code, and stores the archive under its digest unless it is there.
async fn code(
    cloud: &Cloud,
    source: &Source,
    place: &S3Uri,
    store: bool,
    progress: OnBytes,
) -> Result<(Packed, S3Uri)> {
    // Without a name: whatever ends this process, nothing is left of it.
    let file = tempfile::tempfile().doing(|| "create a temporary file".to_owned())?;
    let (tree, to) = (tree(cloud, source), file.try_clone().doing(|| "open a temporary file".to_owned())?);
    let packed = if store {
        blocking(move || pack(&tree, to, progress)).await?
    } else {
        blocking(move || pack(&tree, io::sink(), progress)).await?
    };
    let uri = place.join(&format!("smtrain/code/{}/sourcedir.tar.gz", packed.sha256));
    if store && cloud.objects.head(&uri).await?.is_none() {
        cloud.objects.put(&uri, Content::of(file)).await?;
    }
    Ok((packed, uri))
}

fn tree(cloud: &Cloud, source: &Source) -> SourceTree {
    SourceTree {
        dir: source.dir.clone(),
        dependencies: source.dependencies.clone(),
        exclude: source.exclude.clone(),
        entry_point: source.entry_point.clone(),
        external_symlinks: source.external_symlinks,
        never: cloud.own_folders.clone(),
    }
}

fn pack(tree: &SourceTree, to: impl Write, progress: OnBytes) -> Result<Packed> {
    let mut to = Counted { to: BufWriter::new(to), progress };
    let packed = archive::pack_source(tree, &mut to).map_err(unpackable)?;
    to.flush().doing(|| "write the code's archive".to_owned())?;
    Ok(packed)
}

/// Tells of every byte that is written through it.
struct Counted<W: Write> {
    to: BufWriter<W>,
    progress: OnBytes,
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

fn unpackable(error: PackError) -> Error {
    let hint = error.hint();
    let failure = Error::usage(error.to_string());
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Local channels as prefixes: a file's is its folder by content, with a `/` at the end.
async fn data(
    cloud: &Cloud,
    spec: &JobSpec,
    place: &S3Uri,
    store: bool,
    progress: OnBytes,
) -> Result<BTreeMap<String, S3Uri>> {
    let mut stored = BTreeMap::new();
    for channel in &spec.channels {
        let ChannelSource::Path(path) = &channel.source else { continue };
        let (path, progress) = (path.clone(), progress.clone());
        let data = blocking(move || LocalData::read(&path, &*progress)).await?;
        let folder = place.join(&format!("smtrain/data/{}", data.sha256));
        if store {
            data.store(cloud, &folder).await?;
        }
        stored.insert(channel.name.clone(), folder.join(""));
    }
    Ok(stored)
}

fn local_options(spec: &JobSpec) -> LocalOptions {
    let python = spec.local.python.as_deref().map(|python| absolute(&spec.folder, python));
    LocalOptions { python, stop_grace: spec.local.stop_grace }
}

/// A path starts in the spec's folder; a bare command is looked up.
fn absolute(folder: &Path, python: &str) -> String {
    if python.contains('/') { folder.join(python).to_string_lossy().into_owned() } else { python.to_owned() }
}
