//! Resolves where a job's code, data and output go.

use super::defaults::Defaults;
use crate::cloud::Cloud;
use crate::error::Result;
use crate::job::spec::JobSpec;
use crate::model::S3Uri;

/// S3 destinations of a job.
#[derive(Debug)]
pub(super) struct Destinations {
    /// Prefix of the output, without the job's name.
    pub(super) output: S3Uri,
    /// Prefix of content-addressed code and data; the default is that of the output, where the user may write.
    pub(super) content: S3Uri,
    /// Default bucket, if anything goes there. It is created if it does not exist.
    pub(super) default_bucket: Option<String>,
}

impl Destinations {
    /// Resolves the destinations. Looks the account up only if its number is needed.
    pub(super) async fn resolve(cloud: &Cloud, spec: &JobSpec, defaults: &Defaults<'_>) -> Result<Self> {
        let output = match &spec.output.s3_uri {
            Some(uri) => uri.clone(),
            None => with_prefix(&S3Uri::of_bucket(default_bucket(cloud, defaults).await?), defaults).join(""),
        };
        let content = spec.source.as_ref().and_then(|source| source.s3_uri.clone());
        let default_bucket = spec.output.s3_uri.is_none().then(|| output.bucket().to_owned());
        let content = content.unwrap_or_else(|| output.clone());
        Ok(Self { output, content, default_bucket })
    }
}

/// Returns the bucket of the settings, or `sagemaker-{region}-{account}` as the SDK names it.
async fn default_bucket(cloud: &Cloud, defaults: &Defaults<'_>) -> Result<String> {
    if let Some(bucket) = defaults.bucket.as_ref().filter(|_| cloud.capabilities.default_bucket_is_configurable) {
        return Ok(bucket.clone());
    }
    let account = cloud.identity.account().await?;
    Ok(format!("sagemaker-{}-{account}", cloud.region))
}

fn with_prefix(bucket: &S3Uri, defaults: &Defaults<'_>) -> S3Uri {
    if defaults.prefix.is_empty() { bucket.clone() } else { bucket.join(&defaults.prefix) }
}
