//! smtrain runs machine-learning training jobs on Amazon SageMaker, and the same jobs on this computer.
//!
//! A command line ([`cli`]) is parsed into a command ([`commands`]), which resolves its arguments with the settings
//! ([`environment`], [`context`]), calls operations ([`ops`]) and shows their results ([`view`], [`ui`]). Operations
//! load the job spec and build the request ([`job`]), find the container image ([`images`]), pack and unpack archives
//! ([`archive`]), and call services behind traits ([`cloud`]), which AWS and the runner of local jobs ([`local`])
//! implement. [`contract`] defines what a script finds in its container, and [`model`] the API's types. `init` writes
//! [`templates`].
//!
//! Imports run in this direction only, which the architecture test checks; `docs/architecture.md` has the map. This
//! file is the root: it builds the settings, the UI and the clouds, and dispatches.

mod archive;
mod cli;
mod cloud;
mod commands;
mod context;
mod contract;
mod environment;
mod error;
mod images;
mod job;
mod local;
mod model;
mod ops;
mod python;
mod templates;
#[cfg(test)]
mod tests;
mod ui;
mod view;

use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use clap_complete::{CompleteEnv, CompletionCandidate};

use cli::{Cli, GlobalArgs};
use cloud::{AwsTarget, Cloud, aws};
use commands::{Command, InternalCommand, UserCommand};
use context::Context;
use environment::Settings;
use error::{Error, Result, WithContext};
use model::{JobName, one_line, printable};
use ops::submitted::SubmissionRecord;
use ui::{Ui, Verbosity};

/// Runs the program: parses the command line, runs the command, and prints its error, if any. Returns the exit code.
pub fn main() -> ExitCode {
    CompleteEnv::with_factory(command_with_completers).var(commands::completions::VARIABLE).complete();
    let cli = Cli::try_parse().unwrap_or_else(|error| printable_error(&error).exit());
    let ui = Ui::new(cli.global.color.into(), verbosity(&cli.global), !cli.global.no_progress);
    match dispatch(cli, ui) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui.error(&error);
            error.exit_code()
        }
    }
}

/// Returns the definition of the command line, with completers for shells.
fn command_with_completers() -> clap::Command {
    commands::complete_jobs(Cli::command(), complete_job)
}

/// Replaces an error of the command line by one whose text has no control characters: clap's errors quote the
/// arguments, which may contain terminal escapes. The arguments are sanitized and parsed again.
fn printable_error(error: &clap::Error) -> clap::Error {
    let arguments = environment::arguments().into_iter().map(|argument| one_line(argument.to_string_lossy()));
    Cli::try_parse_from(arguments).err().unwrap_or_else(|| {
        // The sanitized arguments are valid: the replaced characters were the error.
        let text = error.to_string();
        Cli::command().error(error.kind(), printable(text.trim_start_matches("error: ")))
    })
}

fn verbosity(global: &GlobalArgs) -> Verbosity {
    match (global.quiet, global.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    }
}

fn dispatch(cli: Cli, ui: Ui) -> Result<()> {
    match cli.command {
        Command::User(command) => run(command, cli.global, ui),
        Command::Internal(command) => run_internal(command),
    }
}

/// Runs a command that smtrain starts itself. The guard creates namespaces, which a process with a second thread can't:
/// it runs without an event loop.
fn run_internal(command: InternalCommand) -> Result<()> {
    match command {
        InternalCommand::Guard { folder } => Ok(local::guard::run(&folder, &environment::variable_names())?),
        InternalCommand::ProbeMount => local::guard::probe().map_err(|error| Error::failure(error.to_string())),
        InternalCommand::Supervise { folder } => supervise(&folder),
    }
}

/// Completes a job's name for a shell: returns the local jobs, and those submitted from here, whose names start with the
/// typed text. Errors complete to nothing.
fn complete_job(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let Ok(settings) = Settings::from_environment() else { return Vec::new() };
    let cloud = local_cloud(&settings);
    let Ok(Ok(mut names)) = block_on(cloud.jobs.names("")) else { return Vec::new() };
    let submitted = SubmissionRecord::new(&settings.state).jobs().unwrap_or_default();
    names.extend(submitted.into_iter().rev().map(|job| job.name));
    let names = names.iter().map(JobName::as_str).filter(|name| name.starts_with(&*typed));
    names.map(CompletionCandidate::new).collect()
}

fn supervise(folder: &Path) -> Result<()> {
    let settings = Settings::from_environment()?;
    let home = local::store::layout::Home::new(settings.state);
    block_on(local::supervisor::run(&home, &settings.cache, &settings.executable, folder, environment::find_program))??;
    Ok(())
}

fn run(command: UserCommand, global: GlobalArgs, ui: Ui) -> Result<()> {
    let settings = Settings::from_environment()?;
    let local = local_cloud(&settings);
    let target = AwsTarget { region: global.region, profile: global.profile, ..AwsTarget::default() };
    let context = Context::new(ui, settings, global.local, target, local, |target, on_fallback| {
        let variables = aws_variables();
        Box::pin(async move { aws::cloud(&target, variables, on_fallback).await })
    });
    block_on(commands::run(command, &context))?
}

/// Reads what the environment says about AWS.
fn aws_variables() -> aws::AwsVariables {
    aws::AwsVariables {
        files: aws::AwsConfigFiles {
            profiles: environment::aws_profiles(),
            tokens: environment::aws_tokens(),
            sso_cache: environment::aws_sso_cache(),
        },
        profile: environment::aws_profile(),
        region: environment::aws_region(),
        ca_bundle: environment::ca_bundle("AWS_CA_BUNDLE"),
        fallback_ca_bundle: environment::ca_bundle("REQUESTS_CA_BUNDLE"),
        proxies: proxies(),
        role_cache: environment::aws_role_cache(),
        ask: ui::ask,
    }
}

/// Returns the environment's proxies.
fn proxies() -> aws::Proxies {
    let named = |scheme| {
        let (variable, address) = environment::proxy(scheme)?;
        Some(aws::NamedProxy { variable, address })
    };
    aws::Proxies { http: named("http"), https: named("https"), excluded: environment::hosts_without_proxy() }
}

fn local_cloud(settings: &Settings) -> Cloud {
    let home = local::store::layout::Home::new(settings.state.clone()).doubted(settings.doubt_of_state());
    cloud::local::cloud(&home, settings.cache.clone(), settings.executable.clone(), environment::find_program)
}

fn block_on<T>(work: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the event loop")?;
    let outcome = runtime.block_on(work);
    // Work on blocking threads that is still running was abandoned: the exit doesn't wait for it.
    runtime.shutdown_background();
    Ok(outcome)
}
