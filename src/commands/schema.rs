//! `smtrain schema`: prints the JSON Schema of job specs.

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::job::schema::json_schema::schema;
use crate::view;

/// Print the JSON Schema of job specs, for editors
///
/// Editors with taplo (VS Code's Even Better TOML, Helix, Neovim, ...) complete and check a job.toml whose first line is
/// `#:schema ./job.schema.json` if that file has this output; `smtrain init` writes both.
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {}

pub(crate) fn run(args: SchemaArgs, context: &Context) -> Result<()> {
    let SchemaArgs {} = args;
    context.ui.line(view::json(&schema())?)
}
