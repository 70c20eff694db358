//! `smtrain validate`: job specs, checked offline.

use std::path::PathBuf;

use clap::Args;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::job::{self, LoadOptions};

use super::submit::OverrideArgs;

/// Check job specs, every problem at once
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
                context.ui.spec_warnings(&loaded.sources, &loaded.warnings);
                context.ui.note(format_args!("{}: valid", file.display()));
                loaded.origins.iter().for_each(|origin| context.ui.detail(format_args!("  {origin}")));
            }
            Err(problems) => invalid.push(problems),
        }
    }
    if invalid.is_empty() { Ok(()) } else { Err(Error::invalid_specs(invalid)) }
}
