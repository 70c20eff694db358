//! The values of a request that its spec doesn't hold.

use std::collections::BTreeMap;

use crate::model::{JobName, S3Uri};

/// Values that are resolved before the request is built: by the catalog of images, the account, and the names of
/// objects.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedInputs<'a> {
    pub(crate) name: &'a JobName,
    pub(crate) region: &'a str,
    pub(crate) role_arn: &'a str,
    /// Container image; `None` for an algorithm's ARN and for serverless jobs.
    pub(crate) image: Option<&'a str>,
    /// Image of SageMaker's built-in rules; `None` when every rule of the spec has an image.
    pub(crate) rules_image: Option<&'a str>,
    /// S3 URI below which each job's output has a folder by the job's name.
    pub(crate) output: &'a S3Uri,
    /// Uploaded `sourcedir.tar.gz`.
    pub(crate) code: Option<&'a S3Uri>,
    /// Uploaded local data, by channel.
    pub(crate) data: &'a BTreeMap<String, S3Uri>,
    /// Provenance tags. A tag of the spec with the same key takes precedence.
    pub(crate) tags: &'a [(String, String)],
}
