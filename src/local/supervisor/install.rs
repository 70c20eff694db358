//! Installs `requirements.txt` and `setup.py` into the job's cached environment, with the installer's output in the
//! job's log.

use std::io::{self, PipeReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};
use tokio::task::spawn_blocking;

use super::output::JobOutput;
use super::running_job::RunningJob;
use super::{script, stage};
use crate::contract::{EntryPointKind, Layout, ToolkitError, pip_install_arguments};
use crate::local::process::table;
use crate::local::python::installer::{Installer, Step};
use crate::local::python::interpreter::Interpreter;
use crate::local::python::requirements::{PackageEnvironment, REQUIREMENTS};
use crate::local::store::job_state::Ending;
use crate::local::store::layout::create_private_dir;
use crate::local::store::private_file;
use crate::local::{LocalError, LocalResult};
use crate::model::job_status::phase;
use crate::model::request::CreateTrainingJobRequest;

/// Folder of the input channels in the contract.
const CHANNELS: &str = "/opt/ml/input/data/";

/// Everything that the script needs to be started.
pub(super) struct ReadyScript {
    pub(super) layout: Layout,
    pub(super) output: JobOutput,
    /// Path of the interpreter: the job's Python, or that of an environment on top of it.
    pub(super) python: String,
}

/// Installs the code's requirements, unless the cache has them. The inner error is the job's ending if pip fails.
pub(super) async fn requirements(
    job: &mut RunningJob<'_>,
    base: &Interpreter,
    layout: Layout,
    output: JobOutput,
) -> LocalResult<Result<ReadyScript, Ending>> {
    let python = base.executable.to_string_lossy().into_owned();
    let kind = script::command(job, &layout, &python)?.kind;
    let file = job.code().join(REQUIREMENTS);
    let has_requirements =
        private_file::exists(&file).map_err(LocalError::io(format!("look for {}", file.display())))?;
    let arguments = pip_install_arguments(kind, has_requirements);
    if arguments.is_empty() {
        return Ok(Ok(ReadyScript { layout, output, python }));
    }
    let digest = code_uri(&job.request);
    let environment = PackageEnvironment::of(job.cache, base.clone(), &job.code(), &digest, arguments)?;
    let python = environment.python().to_string_lossy().into_owned();
    if environment.is_complete()? {
        return Ok(Ok(ReadyScript { layout, output, python }));
    }
    let has_editable_repository = environment.has_editable_repository();
    let installer = Installer::choose(job.options.installer, job.find_program, base, has_editable_repository).await?;
    let by = installer.note.as_ref().map_or_else(String::new, |note| format!(" with pip: {note}"));
    job.enter(phase::DOWNLOADING, &format!("Installing {}{by}", described(kind)));
    Ok(match create_environment(job, environment, &installer, output).await? {
        (output, None) => Ok(ReadyScript { layout, output, python }),
        (output, Some(FailedStep { exit_code, command })) => {
            Err(job.failed(failure(kind), exit_code, &output.install_error(), &command))
        }
    })
}

/// Returns the URI that identifies the code: it contains the archive's digest. Under network isolation the request
/// names the same path for all code, and the channel has the URI.
fn code_uri(request: &CreateTrainingJobRequest) -> String {
    let place = stage::code_location(request).unwrap_or_default();
    let channel = place.strip_prefix(CHANNELS).and_then(|below| below.split('/').next());
    let of_channel = request.input_data_config.iter().flatten().find(|one| Some(&*one.channel_name) == channel);
    of_channel.and_then(|channel| channel.data_source.s3_data_source.as_ref()).map_or(place, |s3| s3.s3_uri.clone())
}

fn described(kind: EntryPointKind) -> &'static str {
    if kind == EntryPointKind::Package { "the source folder's package" } else { REQUIREMENTS }
}

fn failure(kind: EntryPointKind) -> ToolkitError {
    if kind == EntryPointKind::Package { ToolkitError::InstallModule } else { ToolkitError::InstallRequirements }
}

/// A step that failed.
struct FailedStep {
    exit_code: i32,
    command: String,
}

async fn create_environment(
    job: &RunningJob<'_>,
    environment: PackageEnvironment,
    installer: &Installer,
    output: JobOutput,
) -> LocalResult<(JobOutput, Option<FailedStep>)> {
    // Of two jobs that need the same environment, one creates it and the other one waits here.
    let (environment, lock) = blocking(move || environment.lock().map(|lock| (environment, lock))).await?;
    if environment.is_complete()? {
        return Ok((output, None));
    }
    let environment = blocking(move || environment.clear().map(|()| environment)).await?;
    let (output, failed) = run(&environment.creation(installer), job, &job.code(), output).await?;
    if failed.is_some() {
        return Ok((output, failed));
    }
    let (environment, code) = keep_code(job, environment).await?;
    let (output, failed) = run(&environment.installation(installer), job, &code, output).await?;
    if failed.is_none() {
        blocking(move || environment.complete()).await?;
    }
    drop(lock);
    Ok((output, failed))
}

/// Returns the environment with the folder to install from: the job's code or, where the environment keeps a copy of
/// the code, that copy.
async fn keep_code(
    job: &RunningJob<'_>,
    environment: PackageEnvironment,
) -> LocalResult<(PackageEnvironment, PathBuf)> {
    let home = job.home.clone();
    let layout = Layout::at(job.folder.ml());
    let request = job.request.clone();
    blocking(move || {
        environment.take_pip_settings()?;
        let Some(kept) = environment.kept_code() else { return Ok((environment, layout.code())) };
        create_private_dir(&kept)?;
        stage::unpack_code(&home, &layout, &request, &kept)?;
        Ok((environment, kept))
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> LocalResult<T> + Send + 'static) -> LocalResult<T> {
    spawn_blocking(work).await.map_err(|error| LocalError::Other(format!("installing ended: {error}")))?
}

/// Runs a step to its end, in a folder. If the future is dropped, as by a stop, the child process is killed.
async fn run(
    step: &Step,
    job: &RunningJob<'_>,
    folder: &Path,
    mut output: JobOutput,
) -> LocalResult<(JobOutput, Option<FailedStep>)> {
    let command = step.argv.join(" ");
    let doing = || LocalError::io(format!("run {command}"));
    let (mut child, reader) = start(step, folder).map_err(doing())?;
    let reading = spawn_blocking(move || {
        let outcome = output.read_installer(reader);
        (output, outcome)
    });
    let status = child.wait().await.map_err(doing())?;
    // Remaining child processes could hold the pipe open.
    table::end_descendants().await;
    let (output, outcome) = JobOutput::join_reader(reading, job).await?;
    outcome.map_err(doing())?;
    let exit_code = status.code().unwrap_or(1);
    Ok((output, (exit_code != 0).then_some(FailedStep { exit_code, command })))
}

fn start(step: &Step, folder: &Path) -> io::Result<(Child, PipeReader)> {
    let (program, arguments) = step.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let (reader, writer) = io::pipe()?;
    let child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .envs(step.variables.iter().map(|(name, value)| (name, value)))
        // Makes git fail with a message instead of prompting.
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::from(writer.try_clone()?))
        .stderr(Stdio::from(writer))
        .kill_on_drop(true)
        .spawn()?;
    // Dropping the command closes this process's copy of the pipe's write end.
    Ok((child, reader))
}
