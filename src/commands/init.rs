//! `smtrain init`: writes a job spec and a working script from a template.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::shell_quote;
use crate::templates::{self, Template, TemplateError};
use crate::ui::Text;
use crate::ui::table::Table;
use crate::view::{TemplateJson, json_line};

/// Write a job spec and a working script from a template
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Folder to write into; may exist, its files are never overwritten
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Name of the template
    #[arg(short, long, value_name = "NAME", default_value = "quickstart")]
    template: String,
    /// List the templates
    #[arg(long, conflicts_with_all = ["dir", "template"])]
    list: bool,
    /// Format of the list
    #[arg(short, long, value_name = "FORMAT", default_value = "table", requires = "list")]
    output: InitOutput,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum InitOutput {
    Table,
    /// One JSON object a line
    Json,
}

pub(crate) fn run(args: InitArgs, context: &Context) -> Result<()> {
    let InitArgs { dir, template, list, output } = args;
    if list { show_templates(output, context) } else { write(&template, &dir, context) }
}

fn show_templates(output: InitOutput, context: &Context) -> Result<()> {
    let templates = templates::all();
    match output {
        InitOutput::Table => context.ui.text(table(&templates)),
        InitOutput::Json => templates.iter().try_for_each(|template| {
            context.ui.line(json_line(&TemplateJson::new(template.name, template.summary.as_str()))?)
        }),
    }
}

fn table(templates: &[Template]) -> Text {
    let mut table = Table::new(vec!["TEMPLATE", "WHAT IT IS FOR"]);
    for template in templates {
        table.row(vec![template.name.into(), template.summary.as_str().into()]);
    }
    table.render()
}

fn write(name: &str, dir: &std::path::Path, context: &Context) -> Result<()> {
    let written = templates::write(name, dir).map_err(refused)?;
    for path in &written {
        context.ui.path(path)?;
    }
    let spec = dir.join("job.toml");
    let (place, flags) = match templates::find(name) {
        Some(template) if template.runs_locally => ("this computer", "--local --follow"),
        _ => ("SageMaker", "--role ROLE --follow"),
    };
    let spec = shell_quote(&spec.to_string_lossy());
    context.ui.note(format_args!("run it on {place}: smtrain submit {spec} {flags}"));
    Ok(())
}

/// Adds hints to an error of a template.
fn refused(error: TemplateError) -> Error {
    match error {
        TemplateError::Unknown(name) => {
            let hint = match templates::nearest(&name) {
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
