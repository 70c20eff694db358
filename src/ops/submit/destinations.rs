//! Where a job's code, data and output go.

use super::defaults::Defaults;
use crate::cloud::Cloud;
use crate::error::Result;
use crate::job::spec::JobSpec;
use crate::model::S3Uri;

#[derive(Debug)]
pub(super) struct Places {
    /// Without the job's name.
    pub(super) output: S3Uri,
    /// Of code and local data, by content.
    pub(super) content: S3Uri,
    /// The place's own bucket, which is made when missing, if anything goes there.
    pub(super) default_bucket: Option<String>,
}

impl Places {
    /// The account is asked for only where its name is needed.
    pub(super) async fn of(cloud: &Cloud, spec: &JobSpec, defaults: &Defaults<'_>) -> Result<Self> {
        let output = match &spec.output.s3_uri {
            Some(uri) => uri.clone(),
            None => with_prefix(&S3Uri::of_bucket(default_bucket(cloud, defaults).await?), defaults).join(""),
        };
        let content = spec.source.as_ref().and_then(|source| source.s3_uri.clone());
        let default_bucket = spec.output.s3_uri.is_none().then(|| output.bucket().to_owned());
        let content = content.unwrap_or_else(|| with_prefix(&output.root(), defaults));
        Ok(Self { output, content, default_bucket })
    }
}

/// `sagemaker-{region}-{account}`, as the SDK names it, unless the settings name another.
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
