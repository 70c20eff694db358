//! Shows where a job's code and data go, with which role and credentials, and where each of these is set.

use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::environment;
use crate::error::Result;
use crate::job::spec::{ChannelSource, JobSpec};
use crate::job::{Origin, Setting};

/// Prints a note for each on stderr, because settings in a parent folder or another person's spec may have decided it.
/// Leaves out origins that were printed before.
pub(super) fn announce(spec: &JobSpec, destination: &[Origin], printed: &[Origin], context: &Context) -> Result<()> {
    for origin in destination.iter().filter(|origin| !printed.contains(origin)) {
        context.ui.note(origin);
    }
    if !destination.iter().any(|origin| origin.key == "output.s3_uri") {
        context.ui.note(bucket(context)?);
    }
    context.ui.note(credentials(context)?);
    for path in outside(spec) {
        context.ui.note(format_args!("note: {} lies outside the project and is uploaded", path.display()));
    }
    Ok(())
}

/// Returns the files and folders that are sent from outside the spec's repository (or folder, without a repository).
fn outside(spec: &JobSpec) -> Vec<&Path> {
    let code = spec.source.iter().flat_map(|source| [&source.dir].into_iter().chain(&source.dependencies));
    let data = spec.channels.iter().filter_map(|channel| match &channel.source {
        ChannelSource::Path(path) => Some(path),
        _ => None,
    });
    let Ok(folder) = spec.folder.canonicalize() else { return Vec::new() };
    let root = environment::project_root(&folder);
    let is_inside = |path: &Path| path.canonicalize().is_ok_and(|path| path.starts_with(root));
    code.chain(data).map(PathBuf::as_path).filter(|path| !is_inside(path)).collect()
}

fn bucket(context: &Context) -> Result<String> {
    let bucket = context.layers()?.default_bucket();
    Ok(bucket.map_or_else(
        || "bucket: the default bucket, sagemaker-REGION-ACCOUNT".to_owned(),
        |Setting { value, origin }| format!("bucket: {value} (from {origin})"),
    ))
}

/// Returns where credentials come from. A profile from a flag or the settings outranks credentials in the environment,
/// and those outrank `AWS_PROFILE`.
fn credentials(context: &Context) -> Result<String> {
    if let Some(profile) = &context.target.profile {
        return Ok(format!("profile: {profile} (from --profile)"));
    }
    if let Some(Setting { value, origin }) = context.layers()?.profile() {
        return Ok(format!("profile: {value} (from {origin})"));
    }
    if environment::variable("AWS_ACCESS_KEY_ID").is_some() {
        return Ok("credentials: from AWS_ACCESS_KEY_ID".to_owned());
    }
    Ok(match environment::variable("AWS_PROFILE") {
        Some(profile) => format!("profile: {profile} (from AWS_PROFILE)"),
        None => "profile: default".to_owned(),
    })
}
