//! `smtrain submit`: a job from a spec.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::download::report as report_download;
use super::interrupt::{interrupt, unless_interrupted};
use super::logs::LogPrinter;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::job::spec::JobSpec;
use crate::job::{self, LoadOptions, Override};
use crate::model::JobName;
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::ops::read_log::Span;
use crate::ops::submit::{self, Prepared, Submitted};
use crate::ops::{download, follow, wait};
use crate::ui;
use crate::view::{self, JobJson};

/// Create a training job from a spec
#[derive(Debug, Args)]
pub(crate) struct SubmitArgs {
    /// The job spec
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    overrides: OverrideArgs,
    /// Wait until the job has ended; the exit code tells how: 0 Completed, 3 Failed, 4 Stopped
    #[arg(short, long)]
    wait: bool,
    /// Show the job's log on stderr until it has ended; exit codes as with --wait
    #[arg(short, long)]
    follow: bool,
    /// Fetch and unpack the model into DIR/JOB once the job has completed
    #[arg(short, long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".")]
    download: Option<PathBuf>,
    /// Print the CreateTrainingJob request as JSON, and create nothing
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
    /// Name, ARN and status
    Json,
}

/// Values that stand over the spec's.
#[derive(Debug, Args)]
pub(crate) struct OverrideArgs {
    /// Set any key of the spec: resources.instance_count=2
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Set a hyperparameter
    #[arg(short = 'H', long = "hyperparameter", value_name = "NAME=VALUE")]
    hyperparameter: Vec<String>,
    /// Base of the job's name [name]
    #[arg(long)]
    name: Option<String>,
    /// IAM role: ARN or name [role]
    #[arg(long)]
    role: Option<String>,
    /// [resources.instance_type]
    #[arg(long, value_name = "TYPE")]
    instance_type: Option<String>,
    /// [resources.instance_count]
    #[arg(long, value_name = "N")]
    instance_count: Option<String>,
    /// Train on spot instances [spot.enabled]
    #[arg(long)]
    spot: bool,
}

impl OverrideArgs {
    /// The named flags win over `--set`.
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

/// What is to happen once the job is created.
#[derive(Debug)]
struct Afterwards {
    wait: bool,
    follow: bool,
    download: Option<PathBuf>,
}

pub(crate) async fn run(args: SubmitArgs, context: &Context) -> Result<()> {
    let SubmitArgs { file, overrides, wait, follow, download, dry_run, output } = args;
    let spec = load(&file, &overrides.resolve(), context)?;
    let prepared = prepare(&spec, !dry_run, context).await?;
    report_code(&prepared, context);
    if dry_run {
        return show_request(&prepared, context);
    }
    prepared.notices.iter().for_each(|notice| context.ui.note(format_args!("note: {notice}")));
    let submitted = submit::create(&context.cloud, &spec, prepared).await?;
    let job = &submitted.job;
    announce(&submitted, output, context).map_err(|error| error.hint(format!("job {job} was created all the same")))?;
    accompany(job, Afterwards { wait, follow, download }, context).await
}

fn load(file: &Path, overrides: &[Override], context: &Context) -> Result<JobSpec> {
    let options = LoadOptions { overrides, local: context.local };
    let loaded = job::load(file, &options).map_err(|invalid| Error::invalid_specs(vec![invalid]))?;
    context.ui.spec_warnings(&loaded.sources, &loaded.warnings);
    let instance = loaded.spec.resources.instance_type.as_ref();
    if context.local || instance.is_some_and(crate::model::InstanceType::is_local) {
        return Ok(loaded.spec);
    }
    Err(Error::usage("this version runs jobs on this computer only")
        .hint(format!("run it here: smtrain submit {} --local", file.display())))
}

async fn prepare(spec: &JobSpec, store: bool, context: &Context) -> Result<Prepared> {
    let progress = context.ui.progress_of_bytes("reading code and data");
    let on_bytes = Arc::new(move |bytes| progress.advance(bytes));
    unless_interrupted(submit::prepare(&context.cloud, spec, store, on_bytes)).await
}

fn report_code(prepared: &Prepared, context: &Context) {
    let code = &prepared.code;
    if !code.secrets.is_empty() {
        context.ui.warning(format_args!("left out of the code, as secrets: {}", code.secrets.join(", ")));
    }
    let (files, bytes) = (view::count(code.files, "file"), ui::bytes(code.packed_bytes));
    context.ui.note(format_args!("code: {files}, {bytes} packed, sha256 {}", code.sha256));
}

/// What only AWS could tell stands in angle brackets, and is named on stderr.
fn show_request(prepared: &Prepared, context: &Context) -> Result<()> {
    let request = prepared.request.typed().ok().and_then(|request| request.algorithm_specification);
    if let Some(image) = request.and_then(|algorithm| algorithm.training_image).filter(|image| image.starts_with('<')) {
        context.ui.note(format_args!("placeholder: TrainingImage {image}, since a local job runs in no image"));
    }
    context.ui.line(view::json(prepared.request.document())?)
}

fn announce(submitted: &Submitted, output: SubmitOutput, context: &Context) -> Result<()> {
    match output {
        SubmitOutput::Name => context.ui.line(&submitted.job),
        SubmitOutput::Json => context.ui.line(view::json_line(&JobJson::created(&submitted.job, &submitted.arn))?),
    }
}

async fn accompany(job: &JobName, afterwards: Afterwards, context: &Context) -> Result<()> {
    let Afterwards { wait, follow, download } = afterwards;
    if !wait && !follow && download.is_none() {
        what_next(job, context);
        return Ok(());
    }
    let ended = if follow { follow_on_stderr(job, context).await? } else { wait_quietly(job, context).await? };
    wait::verdict(std::slice::from_ref(&ended))?;
    context.ui.note(format_args!("job {job} completed"));
    if let Some(into) = download {
        let fetch = download::download(&context.cloud, job, &into, false);
        let downloaded = unless_interrupted(fetch).await?;
        report_download(&downloaded, context);
    }
    Ok(())
}

fn what_next(job: &JobName, context: &Context) {
    context.ui.note(format_args!(
        "follow it:   smtrain logs -f {job}\nstop it:     smtrain stop {job}\ndownload it: smtrain download {job}"
    ));
}

async fn follow_on_stderr(job: &JobName, context: &Context) -> Result<DescribeTrainingJobResponse> {
    let mut printer = LogPrinter::to_stderr(context.ui);
    let (cloud, interrupt) = (&context.cloud, &interrupt());
    follow::follow(cloud, job, follow::Positions::new(), Span::default(), interrupt, &mut printer).await
}

async fn wait_quietly(job: &JobName, context: &Context) -> Result<DescribeTrainingJobResponse> {
    let _progress = context.ui.progress_of_time(job.as_str());
    let ended = wait::wait(&context.cloud, vec![job.clone()], &interrupt(), |_| Ok(())).await?;
    ended.into_iter().next().ok_or_else(|| Error::failure(format!("job {job} is gone")))
}
