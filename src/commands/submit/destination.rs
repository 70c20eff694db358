//! Where a job's code and data go, as which role and with whose credentials, each with the place that says so.

use crate::context::Context;
use crate::error::Result;
use crate::job::{Origin, Setting};
use crate::settings;

/// Prints a line for each on stderr: a file of settings in a folder above may have decided it.
pub(super) fn announce(destination: &[Origin], context: &Context) -> Result<()> {
    destination.iter().for_each(|origin| context.ui.note(origin));
    if !destination.iter().any(|origin| origin.key == "output.s3_uri") {
        context.ui.note(bucket(context)?);
    }
    context.ui.note(credentials(context)?);
    Ok(())
}

fn bucket(context: &Context) -> Result<String> {
    let bucket = context.layers()?.default_bucket();
    Ok(bucket.map_or_else(
        || "bucket: the account's own, sagemaker-REGION-ACCOUNT".to_owned(),
        |Setting { value, origin }| format!("bucket: {value} (from {origin})"),
    ))
}

/// A profile that was asked for stands over credentials in the environment, and those over `AWS_PROFILE`.
fn credentials(context: &Context) -> Result<String> {
    if let Some(profile) = &context.place.profile {
        return Ok(format!("profile: {profile} (from --profile)"));
    }
    if let Some(Setting { value, origin }) = context.layers()?.profile() {
        return Ok(format!("profile: {value} (from {origin})"));
    }
    if settings::variable("AWS_ACCESS_KEY_ID").is_some() {
        return Ok("credentials: from AWS_ACCESS_KEY_ID".to_owned());
    }
    Ok(match settings::variable("AWS_PROFILE") {
        Some(profile) => format!("profile: {profile} (from AWS_PROFILE)"),
        None => "profile: default".to_owned(),
    })
}
