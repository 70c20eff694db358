//! `smtrain submit`: creates a training job from a spec.

mod destination;
mod inputs;
mod report;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::interrupt::{interrupt, unless_interrupted};
use super::log_printer::LogPrinter;
use super::logs;
use crate::cloud::Cloud;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::job::spec::{ChannelSource, JobSpec};
use crate::job::{self, LoadOptions, Loaded, Override};
use crate::model::InstanceType;
use crate::model::copies::JobCopies;
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::ops::find_job::FoundJob;
use crate::ops::local_inputs::{self, CheckScope};
use crate::ops::log::Following;
use crate::ops::submit::{self, Defaults, PreparedJob, SubmitProgress, Submitted};
use crate::ops::submitted::{SubmissionRecord, SubmittedJob};
use crate::ops::wait;
use crate::view::dry_run::DryRun;
use crate::view::{self, JobJson};

/// Create a training job from a spec
#[derive(Debug, Args)]
pub(crate) struct SubmitArgs {
    /// The job spec
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    overrides: OverrideArgs,
    /// Wait until the job has ended; exit code 0 Completed, 3 Failed, 4 Stopped
    #[arg(short, long)]
    wait: bool,
    /// Show the job's log on stderr until it has ended; exit codes as with --wait
    #[arg(short, long)]
    follow: bool,
    /// Download and unpack the model into DIR/JOB once the job has completed
    #[arg(short, long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".")]
    download: Option<PathBuf>,
    /// Print the CreateTrainingJob request as JSON and create nothing
    #[arg(long, conflicts_with_all = ["wait", "follow", "download"])]
    dry_run: bool,
    /// What to print on stdout
    #[arg(short, long, value_name = "FORMAT", default_value = "name")]
    output: SubmitOutput,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SubmitOutput {
    /// The job's name
    Name,
    /// Name, ARN and status; with --wait, --follow or --download, as the job has ended
    Json,
}

/// Values that override the spec's.
#[derive(Debug, Args)]
pub(crate) struct OverrideArgs {
    /// Set any key of the spec, such as resources.instance_count=2; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Set a hyperparameter; repeatable
    #[arg(short = 'H', long = "hyperparameter", value_name = "NAME=VALUE")]
    hyperparameter: Vec<String>,
    /// Base of the job's name [name]
    #[arg(long)]
    name: Option<String>,
    /// Name or ARN of the IAM role [role]
    #[arg(long)]
    role: Option<String>,
    /// Instance type [resources.instance_type]
    #[arg(long, value_name = "TYPE")]
    instance_type: Option<String>,
    /// Number of instances [resources.instance_count]
    #[arg(long, value_name = "N")]
    instance_count: Option<String>,
    /// Train on spot instances [spot.enabled]
    #[arg(long)]
    spot: bool,
}

impl OverrideArgs {
    /// Returns the overrides; named flags win over `--set`.
    pub(crate) fn resolve(self) -> Vec<Override> {
        let Self { set, hyperparameter, name, role, instance_type, instance_count, spot } = self;
        let string =
            |flag: &str, key: &[&str], value: Option<String>| value.map(|value| Override::string(flag, key, value));
        let mut overrides: Vec<Override> = set.into_iter().map(Override::set).collect();
        overrides.extend(hyperparameter.into_iter().map(Override::hyperparameter));
        overrides.extend(string("--name", &["name"], name));
        overrides.extend(string("--role", &["role"], role));
        overrides.extend(string("--instance-type", &["resources", "instance_type"], instance_type));
        let count = &["resources", "instance_count"];
        overrides.extend(instance_count.map(|value| Override::value("--instance-count", count, value)));
        overrides.extend(spot.then(|| Override::value("--spot", &["spot", "enabled"], "true")));
        overrides
    }
}

/// Actions after the job was created.
#[derive(Debug)]
struct FollowUp {
    wait: bool,
    follow: bool,
    download: Option<PathBuf>,
}

impl FollowUp {
    /// Returns true if the end of the job is waited for.
    fn is_waiting(&self) -> bool {
        self.wait || self.follow || self.download.is_some()
    }
}

pub(crate) async fn run(args: SubmitArgs, context: &Context) -> Result<()> {
    let SubmitArgs { file, overrides, wait, follow, download, dry_run, output } = args;
    let Loaded { spec, destination, origins, .. } = load(&file, &overrides.resolve(), context)?;
    if dry_run {
        return dry_run_job(&spec, context).await;
    }
    let cloud =
        if is_local(&spec, context) { context.local_cloud() } else { context.aws(spec.region.as_deref()).await? };
    let copies = if cloud.capabilities.reads_s3 {
        // With `-v`, they were printed when the spec was loaded.
        let printed = if context.ui.is_verbose() { &*origins } else { &[] };
        destination::announce(&spec, &destination, printed, context)?;
        JobCopies::default()
    } else {
        inputs::fetch(&spec, context).await?
    };
    let prepared = prepare(cloud, &spec, copies, true, context).await?;
    report::report(&prepared, context);
    let submitted = submit::create(cloud, &spec, prepared).await?;
    remember(cloud, &submitted, context);
    let job = FoundJob::new(cloud, submitted.job.clone());
    let actions = FollowUp { wait, follow, download };
    announce(&submitted, output, actions.is_waiting(), context)
        .map_err(|error| error.hint(format!("job {} was created all the same", job.name)))?;
    if !actions.is_waiting() {
        show_next_steps(&job, context);
        return Ok(());
    }
    let ended = watch(&job, actions.follow, context).await;
    if output == SubmitOutput::Json {
        print_end(&submitted, &ended, context)?;
    }
    complete(&job, &ended?, actions.download, context).await
}

fn load(file: &Path, overrides: &[Override], context: &Context) -> Result<Loaded> {
    let options = LoadOptions { overrides, local: context.local, layers: context.layers()? };
    let loaded = job::load(file, &options).and_then(|loaded| {
        let scope = check_scope(&loaded.spec, context);
        local_inputs::check(loaded, file, scope, &context.local_cloud().own_folders)
    });
    let loaded = loaded.map_err(|invalid| Error::invalid_specs(vec![invalid]))?;
    context.ui.spec_warnings(&loaded.sources, &loaded.warnings);
    loaded.origins.iter().for_each(|origin| context.ui.detail(origin));
    Ok(loaded)
}

/// Returns the part of code and data that is to be checked now. Packing checks the code before anything is stored, but
/// after the channels of a local job were fetched.
fn check_scope(spec: &JobSpec, context: &Context) -> CheckScope {
    let fetches = spec.channels.iter().any(|channel| matches!(channel.source, ChannelSource::S3(_)));
    if fetches && is_local(spec, context) { CheckScope::Code } else { CheckScope::EntryPoint }
}

/// Returns true for a local job: by `--local`, or by the SDK's instance type `local`.
fn is_local(spec: &JobSpec, context: &Context) -> bool {
    context.local || spec.resources.instance_type.as_ref().is_some_and(InstanceType::is_local)
}

/// Shows the request without calling a service or storing anything.
async fn dry_run_job(spec: &JobSpec, context: &Context) -> Result<()> {
    let aws;
    let cloud = if is_local(spec, context) {
        context.local_cloud()
    } else {
        aws = context.offline(spec.region.as_deref()).await?;
        &aws
    };
    let prepared = prepare(cloud, spec, JobCopies::default(), false, context).await?;
    report::report(&prepared, context);
    let shown = DryRun::of(prepared.request.document());
    shown.notes().iter().for_each(|note| context.ui.note(note));
    context.ui.line(view::json(shown.document())?)
}

async fn prepare(
    cloud: &Cloud,
    spec: &JobSpec,
    copies: JobCopies,
    store: bool,
    context: &Context,
) -> Result<PreparedJob> {
    let bar = Arc::new(context.ui.progress_of_bytes("reading code and data"));
    let reading = bar.clone();
    let storing = bar;
    let progress = SubmitProgress {
        read: Arc::new(move |bytes| reading.advance(bytes)),
        stored: Arc::new(move |bytes| storing.advance_in("storing code and data", bytes)),
    };
    let defaults = defaults(context, spec)?;
    let prepared = unless_interrupted(submit::prepare(cloud, spec, &defaults, copies, store, progress)).await;
    if prepared.is_err() {
        cloud.objects.abort_uploads().await.iter().for_each(|error| context.ui.warning(error));
    }
    prepared
}

fn defaults<'a>(context: &'a Context, spec: &JobSpec) -> Result<Defaults<'a>> {
    let layers = context.layers()?;
    Ok(Defaults {
        catalog: &layers.catalog,
        region: context.region(spec.region.as_deref())?,
        bucket: layers.default_bucket().map(|bucket| bucket.value.to_owned()),
        prefix: layers.default_bucket_prefix().map(|prefix| prefix.value.to_owned()).unwrap_or_default(),
        provenance: layers.provenance(),
        state: context.settings.state.clone(),
    })
}

/// Notes a job on AWS in the record of what was submitted from here.
fn remember(cloud: &Cloud, submitted: &Submitted, context: &Context) {
    let Some(region) = cloud.region.aws_name() else { return };
    let Submitted { job, arn } = submitted;
    // arn:aws:sagemaker:REGION:ACCOUNT:training-job/NAME
    let account = arn.split(':').nth(4).filter(|account| !account.is_empty()).map(str::to_owned);
    let profile = context.profile();
    let noted = SubmittedJob { name: job.clone(), region: region.to_owned(), account, profile, time: Timestamp::now() };
    if let Err(error) = SubmissionRecord::new(&context.settings.state).add(&noted) {
        context.ui.warning(format_args!("`-` will not find {job}: {error}"));
    }
}

/// Prints the job that was created. The JSON of one that is waited for is printed at its end.
fn announce(submitted: &Submitted, output: SubmitOutput, is_waiting: bool, context: &Context) -> Result<()> {
    match output {
        SubmitOutput::Name => context.ui.line(&submitted.job),
        SubmitOutput::Json if is_waiting => {
            context.ui.note(format_args!("job {} was created", submitted.job));
            Ok(())
        }
        SubmitOutput::Json => context.ui.line(view::json_line(&JobJson::created(&submitted.job, &submitted.arn))?),
    }
}

/// Prints the job as it ended, or as it was created if its end was not seen.
fn print_end(submitted: &Submitted, ended: &Result<DescribeTrainingJobResponse>, context: &Context) -> Result<()> {
    let job = match ended {
        Ok(job) => JobJson::of(job),
        Err(_) => JobJson::created(&submitted.job, &submitted.arn),
    };
    context.ui.line(view::json_line(&job)?)
}

/// Waits for the end of a job, with its log if it is followed.
async fn watch(job: &FoundJob<'_>, follow: bool, context: &Context) -> Result<DescribeTrainingJobResponse> {
    let ended = if follow { follow_on_stderr(job, context).await } else { wait_quietly(job, context).await };
    ended.map_err(|error| with_created_hints(error, job, context))
}

/// Reports how a job ended, and downloads the results of one that has completed.
async fn complete(
    job: &FoundJob<'_>,
    ended: &DescribeTrainingJobResponse,
    download: Option<PathBuf>,
    context: &Context,
) -> Result<()> {
    wait::verdict(std::slice::from_ref(ended))?;
    context.ui.note(format_args!("job {} completed", job.name));
    match download {
        Some(into) => super::download::results(job.cloud, &job.name, into, context).await,
        None => Ok(()),
    }
}

/// Adds hints to an error that ended the watching of a created job. An interruption has its own.
fn with_created_hints(error: Error, job: &FoundJob<'_>, context: &Context) -> Error {
    if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ClosedPipe) {
        return error;
    }
    let flags = context.target_flags(job.cloud);
    let job = &job.name;
    error
        .hint(format!("job {job} was created and continues; wait for it: smtrain wait {job}{flags}"))
        .hint(format!("stop it: smtrain stop {job}{flags}"))
}

fn show_next_steps(job: &FoundJob<'_>, context: &Context) {
    let flags = context.target_flags(job.cloud);
    let job = &job.name;
    context.ui.note(format_args!("follow it:   smtrain logs -f {job}{flags}"));
    context.ui.note(format_args!("stop it:     smtrain stop {job}{flags}"));
    context.ui.note(format_args!("download it: smtrain download {job}{flags}"));
}

async fn follow_on_stderr(job: &FoundJob<'_>, context: &Context) -> Result<DescribeTrainingJobResponse> {
    logs::follow(job, Following::default(), &mut LogPrinter::to_stderr(context.ui), context).await
}

async fn wait_quietly(job: &FoundJob<'_>, context: &Context) -> Result<DescribeTrainingJobResponse> {
    let _progress = context.ui.progress_of_time(job.name.as_str());
    let ended = wait::wait(vec![job.clone()], &interrupt(), |_| Ok(())).await?;
    ended.into_iter().next().ok_or_else(|| Error::failure(format!("job {} is gone", job.name)))
}
