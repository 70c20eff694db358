//! Resolves the container image of a job.

use crate::cloud::{Cloud, Region};
use crate::error::{Error, Result};
use crate::images::{self, Catalog, ImageError, ImageQuery};
use crate::job::request::image_query::image_query;
use crate::job::spec::{Framework, JobSpec, Workload};

/// Returns the image's URI; `None` for an algorithm's ARN and for serverless jobs, which name no image.
pub(super) fn image(cloud: &Cloud, spec: &JobSpec, catalog: &Catalog) -> Result<Option<String>> {
    match &spec.workload {
        Workload::Framework(framework) if !cloud.capabilities.runs_images => Ok(Some(image_label(framework))),
        Workload::Framework(Framework { image: Some(image), .. }) => Ok(Some(image.clone())),
        Workload::Container(container) => Ok(Some(container.image.clone())),
        _ => image_query(spec).map(|query| catalog_image(&query, catalog, &cloud.region)).transpose(),
    }
}

fn catalog_image(query: &ImageQuery<'_>, catalog: &Catalog, region: &Region) -> Result<String> {
    let resolve = || -> Result<String, ImageError> {
        let choice = images::resolve(catalog, query)?;
        // Each region has a registry of its own.
        match region.aws_name() {
            Some(name) => choice.uri(name),
            None => Ok(format!("{region}:{}", choice.tag()?)),
        }
    };
    resolve().map_err(|error| Error::usage(&*error.message).hint(error.hint_with("allow_unknown_version = true")))
}

/// Returns the image of SageMaker's built-in rules; `None` if the spec has no such rule.
pub(super) fn rules_image(cloud: &Cloud, spec: &JobSpec, catalog: &Catalog) -> Result<Option<String>> {
    let debugger = spec.debugger.iter().flat_map(|debugger| &debugger.rules);
    let mut rules = debugger.chain(spec.profiler.iter().flat_map(|profiler| &profiler.rules));
    let Some(built_in) = rules.find(|rule| rule.image.is_none()) else { return Ok(None) };
    // Without an AWS region there is no registry to name: in a dry run, or for a local job, which evaluates no rules.
    let Some(region) = cloud.region.aws_name() else {
        return Ok(Some(format!("{}:sagemaker-debugger-rules", cloud.region)));
    };
    catalog.rules_image(region).map(Some).ok_or_else(|| {
        let message = format!("there is no image of built-in rules in {region} for the rule {}", built_in.name);
        Error::usage(message).hint("give the rule an `image` of your own, or leave it out")
    })
}

/// Returns a label in angle brackets for the image of a local job, which runs in none.
fn image_label(framework: &Framework) -> String {
    let version = framework.version.as_ref().map(|version| format!(":{version}")).unwrap_or_default();
    framework.image.clone().unwrap_or_else(|| format!("<{}{version}>", framework.name))
}
