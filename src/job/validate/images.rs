//! Checks that the catalog has an image for the spec's framework or algorithm.

use super::checks::Checks;
use crate::images::{ImageError, ImageKind, ImageQuery, Subject, resolve};
use crate::job::decode::constraints;
use crate::job::diagnostics::problem::{Problem, Severity};
use crate::job::request::image_query::image_query;
use crate::model::InstanceType;

pub(crate) fn check(checks: &Checks<'_>) {
    let Some(query) = image_query(checks.spec) else { return };
    let is_local = checks.local || query.instance_type.is_some_and(InstanceType::is_local);
    let found = if is_local { check_local(checks, query.clone()) } else { check_remote(checks, query.clone()) };
    let Err(error) = found else { return };
    if is_reported_elsewhere(&error, &query) {
        return;
    }
    // An unknown name is an error wherever the job runs.
    let is_fatal = !is_local || error.subject == Subject::Name;
    let severity = if is_fatal { Severity::Error } else { Severity::Warning };
    let hint = Some(error.hint_with("allow_unknown_version = true")).filter(|hint| !hint.is_empty());
    let problem = Problem { severity, ..Problem::error(&error.message) }.maybe_hint(hint);
    checks.add(&path(error.subject, &query), problem);
}

/// Checks the image of a local job, which runs in none: the processor doesn't matter, and problems are warnings.
fn check_local(checks: &Checks<'_>, query: ImageQuery<'_>) -> Result<(), ImageError> {
    resolve(checks.catalog, &ImageQuery { instance_type: None, ..query }).map(drop)
}

fn check_remote(checks: &Checks<'_>, query: ImageQuery<'_>) -> Result<(), ImageError> {
    let is_typed = query.instance_type.is_some_and(|name| name.as_str().starts_with("ml."));
    let choice = resolve(checks.catalog, &query)?;
    match checks.spec.region.as_deref().filter(|region| constraints::region(region).is_ok()) {
        _ if !is_typed => Ok(()),
        Some(region) => choice.uri(region).map(drop),
        None => choice.tag().map(drop),
    }
}

/// Returns whether the decoder or another check reports the problem.
fn is_reported_elsewhere(error: &ImageError, query: &ImageQuery<'_>) -> bool {
    match error.subject {
        Subject::Name => query.name.is_empty(),
        Subject::Version => query.kind == ImageKind::Framework && query.version.is_none(),
        Subject::BaseVersion => query.base.is_none(),
        Subject::InstanceType => query.training_compiler,
        Subject::PyVersion | Subject::Region => false,
    }
}

fn path(subject: Subject, query: &ImageQuery<'_>) -> Vec<&'static str> {
    let section = if query.kind == ImageKind::Framework { "framework" } else { "algorithm" };
    match subject {
        Subject::Name => vec![section, "name"],
        Subject::Version => vec![section, "version"],
        Subject::BaseVersion if query.base.is_some_and(|base| base.name == "tensorflow") => {
            vec![section, "tensorflow_version"]
        }
        Subject::BaseVersion => vec![section, "pytorch_version"],
        Subject::PyVersion => vec![section, "py_version"],
        Subject::InstanceType => vec!["resources", "instance_type"],
        Subject::Region => vec!["region"],
    }
}
