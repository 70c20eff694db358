//! `smtrain validate`: checks job specs, offline.

use std::path::{Path, PathBuf};

use clap::Args;

use super::submit::OverrideArgs;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::job::diagnostics::problem::{InvalidSpec, Problem, SourceText};
use crate::job::{self, LoadOptions};
use crate::ops::local_inputs;

/// Check job specs and report every problem at once
#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// Job specs
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    overrides: OverrideArgs,
}

pub(crate) fn run(args: ValidateArgs, context: &Context) -> Result<()> {
    let ValidateArgs { files, overrides } = args;
    let overrides = overrides.resolve();
    let layers = context.layers()?;
    let mut invalid = Vec::new();
    for file in &files {
        match job::load(file, &LoadOptions { overrides: &overrides, local: context.local, layers }) {
            Ok(loaded) => {
                let refused = local_inputs::check(&loaded.spec, &context.local_cloud().own_folders);
                if !refused.is_empty() {
                    invalid.push(invalid_inputs(file, loaded.sources, &refused));
                    continue;
                }
                context.ui.spec_warnings(&loaded.sources, &loaded.warnings);
                context.ui.note(format_args!("{}: valid", file.display()));
                loaded.origins.iter().for_each(|origin| context.ui.detail(format_args!("  {origin}")));
            }
            Err(problems) => invalid.push(problems),
        }
    }
    if invalid.is_empty() { Ok(()) } else { Err(Error::invalid_specs(invalid)) }
}

/// Returns the errors of code and data as problems of the spec that names them.
fn invalid_inputs(file: &Path, sources: Vec<SourceText>, refused: &[Error]) -> InvalidSpec {
    let problem = |error: &Error| Problem::error(error.to_string()).maybe_hint(error.hints().first().cloned());
    InvalidSpec { path: file.to_owned(), sources, problems: refused.iter().map(problem).collect() }
}
