//! `smtrain images`: lists the catalog of container images, offline.

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::image::complete_name;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::images::{self, ListedImage};
use crate::view::images::{ListedJson, names_table, versions_table};
use crate::view::json_line;

/// List the container images of frameworks and built-in algorithms
///
/// Without NAME, prints one line for each framework and algorithm; with NAME, its versions, newest first. With --region,
/// only images that are available there.
#[derive(Debug, Args)]
pub(crate) struct ImagesArgs {
    /// Framework or built-in algorithm
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(complete_name))]
    name: Option<String>,
    /// What to print on stdout
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: ImagesOutput,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ImagesOutput {
    Table,
    /// One JSON object a line for each version
    Json,
}

pub(crate) fn run(args: ImagesArgs, context: &Context) -> Result<()> {
    let ImagesArgs { name, output } = args;
    let catalog = &context.layers()?.catalog;
    let listed = images::list(catalog, name.as_deref())
        .map_err(|error| Error::usage(&*error.message).hint(error.hint.as_str()))?;
    let listed = match &context.target.region {
        Some(region) => in_region(listed, region)?,
        None => listed,
    };
    match output {
        ImagesOutput::Json => listed.iter().try_for_each(|listed| context.ui.line(json_line(&ListedJson::of(listed))?)),
        ImagesOutput::Table if name.is_some() => context.ui.text(versions_table(&listed)),
        ImagesOutput::Table => context.ui.text(names_table(&listed)),
    }
}

/// Returns the images in a region. Fails if there are none.
fn in_region(listed: Vec<ListedImage>, region: &str) -> Result<Vec<ListedImage>> {
    let in_region: Vec<ListedImage> =
        listed.into_iter().filter(|listed| listed.regions.iter().any(|known| known == region)).collect();
    if in_region.is_empty() {
        return Err(Error::usage(format!("there are no such images in region {region:?}"))
            .hint("see the regions of each: smtrain images NAME -o json"));
    }
    Ok(in_region)
}
