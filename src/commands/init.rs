//! `smtrain init`: a job spec and a working script from a template.

use std::path::PathBuf;

use clap::Args;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::job::template::{self, TemplateError};
use crate::ui::table::Table;

/// Write a job spec and a working script from a template
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The folder to write into; it may exist, its files are never overwritten
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// The template
    #[arg(short, long, value_name = "NAME", default_value = "quickstart")]
    template: String,
    /// List the templates
    #[arg(long, conflicts_with_all = ["dir", "template"])]
    list: bool,
}

pub(crate) fn run(args: InitArgs, context: &Context) -> Result<()> {
    let InitArgs { dir, template, list } = args;
    if list { show_templates(context) } else { write(&template, &dir, context) }
}

fn show_templates(context: &Context) -> Result<()> {
    let mut table = Table::new(vec!["TEMPLATE", "WHAT IT IS FOR"]);
    for template in template::all() {
        table.row(vec![template.name.into(), template.summary.into()]);
    }
    let mut data = context.ui.data();
    data.text(&table.render())?;
    data.flush()
}

fn write(name: &str, dir: &std::path::Path, context: &Context) -> Result<()> {
    let written = template::write(name, dir).map_err(refused)?;
    for path in &written {
        context.ui.line(path.display())?;
    }
    let spec = dir.join("job.toml");
    context.ui.note(format_args!("run it on this computer: smtrain submit {} --local --follow", spec.display()));
    Ok(())
}

fn refused(error: TemplateError) -> Error {
    match error {
        TemplateError::Unknown(name) => {
            let hint = match template::nearest(&name) {
                Some(nearest) => format!("did you mean {nearest}?"),
                None => "list them: smtrain init --list".to_owned(),
            };
            Error::usage(format!("there is no template {name}")).hint(hint)
        }
        error @ TemplateError::Exists(_) => {
            Error::usage(error.to_string()).hint("choose another folder: smtrain init DIR")
        }
        TemplateError::Write { path, source } => {
            Error::failure(format!("could not write {}", path.display())).caused_by(source)
        }
    }
}
