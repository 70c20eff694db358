//! Which container image runs the job.

use crate::cloud::{Cloud, placeholder};
use crate::error::{Error, Result};
use crate::images::{self, Catalog, ImageError, ImageQuery};
use crate::job::request::image_query::image_query;
use crate::job::spec::{Framework, JobSpec, Workload};

/// The image's URI. An algorithm's ARN has its own: empty.
pub(super) fn image(cloud: &Cloud, spec: &JobSpec, catalog: &Catalog) -> Result<String> {
    match &spec.workload {
        Workload::Framework(framework) if cloud.is_local => Ok(stand_in(framework)),
        Workload::Framework(Framework { image: Some(image), .. }) => Ok(image.clone()),
        Workload::Container(container) => Ok(container.image.clone()),
        _ => image_query(spec).map_or_else(|| Ok(String::new()), |query| of_catalog(&query, catalog, &cloud.region)),
    }
}

fn of_catalog(query: &ImageQuery<'_>, catalog: &Catalog, region: &str) -> Result<String> {
    let resolve = || -> Result<String, ImageError> {
        let choice = images::resolve(catalog, query)?;
        // Each region has a registry of its own.
        if region == placeholder::REGION { Ok(format!("{region}:{}", choice.tag()?)) } else { choice.uri(region) }
    };
    resolve().map_err(|error| Error::usage(&*error.message).hint(error.hint_with("allow_unknown_version = true")))
}

/// The image of built-in rules, where the spec has any: empty where not.
pub(super) fn rules_image(cloud: &Cloud, spec: &JobSpec, catalog: &Catalog) -> Result<String> {
    let debugger = spec.debugger.iter().flat_map(|debugger| &debugger.rules);
    let mut rules = debugger.chain(spec.profiler.iter().flat_map(|profiler| &profiler.rules));
    let Some(built_in) = rules.find(|rule| rule.image.is_none()) else { return Ok(String::new()) };
    let region = &*cloud.region;
    // A local job evaluates no rules.
    if cloud.is_local || region == placeholder::REGION {
        return Ok(format!("{region}:sagemaker-debugger-rules"));
    }
    catalog.rules_image(region).ok_or_else(|| {
        let message = format!("there is no image of built-in rules in {region} for the rule {}", built_in.name);
        Error::usage(message).hint("give the rule an `image` of your own, or leave it out")
    })
}

/// A local job runs in no image, so that its name stands for it, in angle brackets.
fn stand_in(framework: &Framework) -> String {
    let version = framework.version.as_ref().map(|version| format!(":{version}")).unwrap_or_default();
    framework.image.clone().unwrap_or_else(|| format!("<{}{version}>", framework.name))
}
