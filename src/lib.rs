//! smtrain runs machine-learning training jobs on Amazon SageMaker, and the same jobs on this computer.
//!
//! A command line ([`cli`]) becomes a command ([`commands`]), which resolves its arguments, calls operations ([`ops`]) and
//! shows what came of it ([`view`], [`ui`]). Operations read the job spec and build the request ([`job`]), pack and unpack
//! ([`archive`]), and talk to services behind traits ([`cloud`]). What a script finds in its container is one module's
//! matter ([`contract`]). Everything speaks in the API's own words ([`model`]).
//! Imports run that way only: `tests/it/architecture.rs` fails where they don't.

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
pub(crate) mod templates;
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
use ui::{Ui, Verbosity};

/// The whole program. The exit code says how it ended.
pub fn main() -> ExitCode {
    CompleteEnv::with_factory(completed).var(commands::completions::VARIABLE).complete();
    let cli = Cli::try_parse().unwrap_or_else(|error| printable_error(&error).exit());
    let ui = Ui::new(cli.global.color.into(), talk(&cli.global), !cli.global.no_progress);
    match dispatch(cli, ui) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui.error(&error);
            error.exit_code()
        }
    }
}

/// Returns the command line, with completers for the shell.
fn completed() -> clap::Command {
    commands::complete_jobs(Cli::command(), complete_job)
}

/// Returns an error of the command line's whose text steers no terminal, whatever the arguments hold that it repeats: the
/// error of the same arguments, made printable.
fn printable_error(error: &clap::Error) -> clap::Error {
    let arguments = environment::arguments().into_iter().map(|argument| one_line(argument.to_string_lossy()));
    Cli::try_parse_from(arguments).err().unwrap_or_else(|| {
        // What was wrong with the argument is what was replaced.
        let text = error.to_string();
        Cli::command().error(error.kind(), printable(text.trim_start_matches("error: ")))
    })
}

fn talk(global: &GlobalArgs) -> Verbosity {
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

/// Makes namespaces at once: an event loop would give the process a second thread.
fn run_internal(command: InternalCommand) -> Result<()> {
    match command {
        InternalCommand::Guard { folder } => Ok(local::guard::run(&folder, &environment::variable_names())?),
        InternalCommand::ProbeMount => local::guard::probe().map_err(|error| Error::failure(error.to_string())),
        InternalCommand::Supervise { folder } => supervise(&folder),
    }
}

/// The names of jobs that start with what has been typed, for a shell's completion.
fn complete_job(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let Ok(settings) = Settings::from_environment() else { return Vec::new() };
    let cloud = local_cloud(&settings);
    let Ok(Ok(names)) = block_on(cloud.jobs.names("")) else { return Vec::new() };
    let names = names.iter().map(JobName::as_str).filter(|name| name.starts_with(&*typed));
    names.map(CompletionCandidate::new).collect()
}

fn supervise(folder: &Path) -> Result<()> {
    let settings = Settings::from_environment()?;
    let home = local::store::layout::Home::new(settings.state);
    block_on(local::supervisor::run(&home, &settings.cache, &settings.executable, folder))??;
    Ok(())
}

fn run(command: UserCommand, global: GlobalArgs, ui: Ui) -> Result<()> {
    let settings = Settings::from_environment()?;
    let here = local_cloud(&settings);
    let place = AwsTarget { region: global.region, profile: global.profile, offline: false };
    let context = Context::new(ui, settings, global.local, place, here, |place, on_fallback| {
        let files = aws::AwsConfigFiles {
            profiles: crate::environment::aws_profiles(),
            tokens: crate::environment::aws_tokens(),
            sso_cache: crate::environment::aws_sso_cache(),
        };
        Box::pin(async move { aws::cloud(&place, files, on_fallback).await })
    });
    block_on(commands::run(command, &context))?
}

fn local_cloud(settings: &Settings) -> Cloud {
    let home = local::store::layout::Home::new(settings.state.clone()).doubted(settings.doubt_of_state());
    cloud::local::cloud(&home, settings.cache.clone(), settings.executable.clone())
}

fn block_on<T>(work: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the event loop")?;
    let outcome = runtime.block_on(work);
    // What still runs on a blocking thread has been given up.
    runtime.shutdown_background();
    Ok(outcome)
}
