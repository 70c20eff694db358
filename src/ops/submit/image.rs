//! Which container image runs the job.

use crate::cloud::Cloud;
use crate::error::{Error, Result};
use crate::job::spec::{Algorithm, Framework, JobSpec, Runs};

/// The image's URI. An algorithm's ARN has its own: empty.
pub(super) fn image(cloud: &Cloud, spec: &JobSpec) -> Result<String> {
    match &spec.runs {
        Runs::Framework(framework) if cloud.is_local => Ok(stand_in(framework)),
        Runs::Framework(Framework { image: Some(image), .. }) => Ok(image.clone()),
        Runs::Container(container) => Ok(container.image.clone()),
        Runs::Algorithm(Algorithm::Arn(_)) => Ok(String::new()),
        _ => Err(Error::usage("not resolved yet")),
    }
}

/// A local job runs in no image, so that its name stands for it, in angle brackets.
fn stand_in(framework: &Framework) -> String {
    let version = framework.version.as_ref().map(|version| format!(":{version}")).unwrap_or_default();
    framework.image.clone().unwrap_or_else(|| format!("<{}{version}>", framework.name))
}
