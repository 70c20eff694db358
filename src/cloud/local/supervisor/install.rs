//! `requirements.txt`: installed into the job's cached environment, with pip's progress in the job's log.

use std::io;
use std::process::{Command, Stdio};

use super::output::Output;
use super::{Job, Prepared, stage};
use crate::cloud::local::contract::{Failure, Layout};
use crate::cloud::local::python::Interpreter;
use crate::cloud::local::requirements::{Environment, Step};
use crate::cloud::{CloudError, CloudResult};
use crate::model::job_status::phase;

/// The job's Python: the interpreter itself, or an environment on top of it.
pub(super) async fn requirements(
    job: &mut Job<'_>,
    base: &Interpreter,
    layout: Layout,
    output: Output,
) -> CloudResult<Prepared> {
    if !job.code().join("requirements.txt").exists() {
        let python = base.executable.to_string_lossy().into_owned();
        return Ok(Prepared::Ready { layout, output, python });
    }
    let digest = stage::code_place(&job.request).unwrap_or_default();
    let environment = Environment::of(job.cache, base.clone(), &job.code(), &digest)?;
    let python = environment.python().to_string_lossy().into_owned();
    if environment.is_complete() {
        return Ok(Prepared::Ready { layout, output, python });
    }
    job.enter(phase::DOWNLOADING, "Installing requirements.txt")?;
    let code = job.code();
    let made = tokio::task::spawn_blocking(move || make(&environment, &code, output));
    let (output, failed) = made.await.map_err(|error| CloudError::Other(format!("installing ended: {error}")))??;
    Ok(match failed {
        None => Prepared::Ready { layout, output, python },
        Some(Failed { exit_code, command }) => {
            Prepared::Failed(job.failed(Failure::InstallRequirements, exit_code, &output.error_message(), &command))
        }
    })
}

/// A step that did not succeed.
struct Failed {
    exit_code: i32,
    command: String,
}

fn make(
    environment: &Environment,
    code: &std::path::Path,
    mut output: Output,
) -> CloudResult<(Output, Option<Failed>)> {
    let _lock = environment.lock()?;
    if environment.is_complete() {
        return Ok((output, None));
    }
    for step in environment.steps(&code.join("requirements.txt"))? {
        let exit_code =
            run(&step, code, &mut output).map_err(CloudError::io(format!("run {}", step.argv.join(" "))))?;
        if exit_code != 0 {
            return Ok((output, Some(Failed { exit_code, command: step.argv.join(" ") })));
        }
    }
    environment.complete()?;
    Ok((output, None))
}

fn run(step: &Step, code: &std::path::Path, output: &mut Output) -> io::Result<i32> {
    let (program, arguments) = step.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let (reader, writer) = io::pipe()?;
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(code)
        .stdin(Stdio::null())
        .stdout(Stdio::from(writer.try_clone()?))
        .stderr(Stdio::from(writer))
        .spawn()?;
    output.pump_install(reader)?;
    Ok(child.wait()?.code().unwrap_or(1))
}
