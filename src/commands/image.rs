//! `smtrain image`: prints the URI of a container image, offline.

use clap::{Args, ValueEnum};
use clap_complete::{ArgValueCompleter, CompletionCandidate};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::images::{self, BaseFramework, ImageError, ImageKind, ImageQuery, Library, Subject};
use crate::model::InstanceType;
use crate::view::images::ImageJson;
use crate::view::json_line;

/// Print the URI of a container image
///
/// Prints the image of a framework or built-in algorithm, named as in the SageMaker Python SDK, in --region. Needs no
/// network. `smtrain images` lists all names and versions.
#[derive(Debug, Args)]
pub(crate) struct ImageArgs {
    /// Framework or built-in algorithm: pytorch, xgboost, kmeans, ...
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(complete_name))]
    name: String,
    /// Version; optional if there is only one
    #[arg(value_name = "VERSION")]
    version: Option<String>,
    /// Instance type that the image is to run on
    #[arg(long, value_name = "TYPE")]
    instance_type: Option<String>,
    /// Python version, such as py311 [default: the newest available]
    #[arg(long, value_name = "VERSION")]
    py_version: Option<String>,
    /// PyTorch version of a Hugging Face image
    #[arg(long, value_name = "VERSION")]
    pytorch_version: Option<String>,
    /// TensorFlow version of a Hugging Face image
    #[arg(long, value_name = "VERSION", conflicts_with = "pytorch_version")]
    tensorflow_version: Option<String>,
    /// Use the image with SageMaker Training Compiler
    #[arg(long)]
    training_compiler: bool,
    /// Derive the image of a version that isn't in the catalog from the newest version
    #[arg(long)]
    allow_unknown_version: bool,
    /// What to print on stdout
    #[arg(short, long, value_name = "FORMAT", default_value = "uri")]
    output: ImageOutput,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ImageOutput {
    Uri,
    Json,
}

pub(crate) async fn run(args: ImageArgs, context: &Context) -> Result<()> {
    let ImageArgs {
        name,
        version,
        instance_type,
        py_version,
        pytorch_version,
        tensorflow_version,
        training_compiler,
        allow_unknown_version,
        output,
    } = args;
    let instance_type = instance_type.as_deref().map(InstanceType::new);
    let catalog = &context.layers()?.catalog;
    let kind = images::kind(catalog, &name).map_err(|error| Error::usage(&*error.message).hint(error.hint))?;
    let pytorch = pytorch_version.map(|version| ("pytorch", version));
    let base = pytorch.or_else(|| tensorflow_version.map(|version| ("tensorflow", version)));
    let query = ImageQuery {
        kind,
        name: &name,
        version: version.as_deref(),
        py_version: py_version.as_deref(),
        base: base.as_ref().map(|(name, version)| BaseFramework { name, version }),
        instance_type: instance_type.as_ref(),
        training_compiler,
        library: Library::Any,
        allow_unknown_version,
    };
    let region = region(context).await?;
    let choice = images::resolve(catalog, &query).map_err(|error| usage_error(&error, &query))?;
    let uri = choice.uri(&region).map_err(|error| usage_error(&error, &query))?;
    match output {
        ImageOutput::Uri => context.ui.line(uri),
        ImageOutput::Json => context.ui.line(json_line(&ImageJson::new(&choice, &region, &uri))?),
    }
}

/// Returns the region of the images. Fails if none is set.
async fn region(context: &Context) -> Result<String> {
    let region = context.offline(None).await?.region;
    region.aws_name().map(str::to_owned).ok_or_else(|| {
        Error::usage("no AWS region is set, and each has images of its own")
            .hint("give one: --region eu-west-1, or set AWS_REGION")
    })
}

/// Adds hints that name the command's flags.
fn usage_error(error: &ImageError, query: &ImageQuery<'_>) -> Error {
    let hint = match error.subject {
        Subject::InstanceType if query.instance_type.is_none() => "give one: --instance-type ml.m5.xlarge".to_owned(),
        Subject::BaseVersion if query.base.is_none() => {
            format!("give --pytorch-version or --tensorflow-version: {}", error.hint)
        }
        _ => error.hint_with("--allow-unknown-version"),
    };
    Error::usage(&*error.message).hint(hint)
}

/// Returns the names in the catalog that start with the typed text.
pub(super) fn complete_name(typed: &std::ffi::OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let mut names = [images::names(ImageKind::Framework), images::names(ImageKind::Algorithm)].concat();
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter(|name| name.starts_with(&*typed)).map(CompletionCandidate::new).collect()
}
