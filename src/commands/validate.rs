//! `smtrain validate`: checks job specs, offline.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::submit::OverrideArgs;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::job::diagnostics::problem::{Problem, SourceText};
use crate::job::{self, LoadOptions};
use crate::ops::local_inputs::{self, CheckScope};
use crate::view::json_line;
use crate::view::validation::ValidationJson;

/// Check job specs and report every problem at once
#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// Job specs
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    overrides: OverrideArgs,
    /// What to print on stdout
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: ValidateOutput,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ValidateOutput {
    /// Nothing: the problems are on stderr
    Text,
    /// One JSON object a file, with its problems
    Json,
}

pub(crate) fn run(args: ValidateArgs, context: &Context) -> Result<()> {
    let ValidateArgs { files, overrides, output } = args;
    let overrides = overrides.resolve();
    let layers = context.layers()?;
    let mut invalid = Vec::new();
    for file in &files {
        let options = LoadOptions { overrides: &overrides, local: context.local, layers };
        let own_folders = &context.local_cloud().own_folders;
        let loaded = job::load(file, &options);
        match loaded.and_then(|loaded| local_inputs::check(loaded, file, CheckScope::CodeAndData, own_folders)) {
            Ok(loaded) => {
                print(output, file, &loaded.sources, &loaded.warnings, context)?;
                context.ui.spec_warnings(&loaded.sources, &loaded.warnings);
                context.ui.note(format_args!("{}: valid", file.display()));
                loaded.origins.iter().for_each(|origin| context.ui.detail(format_args!("  {origin}")));
            }
            Err(problems) => {
                print(output, file, &problems.sources, &problems.problems, context)?;
                invalid.push(problems);
            }
        }
    }
    if invalid.is_empty() { Ok(()) } else { Err(Error::invalid_specs(invalid)) }
}

/// Prints the result of a file, if JSON is asked for.
fn print(
    output: ValidateOutput,
    file: &Path,
    sources: &[SourceText],
    problems: &[Problem],
    context: &Context,
) -> Result<()> {
    match output {
        ValidateOutput::Text => Ok(()),
        ValidateOutput::Json => context.ui.line(json_line(&ValidationJson::of(file, sources, problems))?),
    }
}
