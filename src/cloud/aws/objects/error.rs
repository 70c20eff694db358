//! What S3 says by other means than an error's body: a bucket's region in a header, or nothing at all to a HEAD request.

use std::error::Error as StdError;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::AwsObjects;
use crate::cloud::aws::arn;
use crate::cloud::aws::error::{Permitted, service_error};
use crate::cloud::{CloudError, FailureClass};
use crate::model::S3Uri;

impl AwsObjects {
    /// What could not be done with an object, or with a bucket, and why.
    pub(super) fn failure<E>(&self, doing: &str, at: &S3Uri, error: &SdkError<E, HttpResponse>) -> CloudError
    where
        E: Permitted + ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        match region(error).filter(|region| *region != self.region) {
            Some(region) => self.elsewhere(at.bucket(), region),
            None => service_error(doing, &arn::object(&self.region, at), error),
        }
    }

    pub(super) fn elsewhere(&self, bucket: &str, region: &str) -> CloudError {
        CloudError::Unusable {
            what: format!("the bucket {bucket} is in {region}, not in {}", self.region),
            hint: format!("use a bucket in {}, or work in the bucket's region: --region {region}", self.region),
        }
    }
}

/// The bucket's region, where S3 answers that the request came to the wrong one: 301, or 400 for a signature that names
/// another region. To others than its owner a 403 tells it too, and then it is not what matters.
fn region<E>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    let response = error.raw_response().filter(|response| matches!(response.status().as_u16(), 301 | 307 | 400))?;
    response.headers().get("x-amz-bucket-region")
}

/// Adds what S3 takes to say that an object is not there: without it, a missing one is denied.
pub(super) fn or_missing(error: CloudError, uri: &S3Uri) -> CloudError {
    match error {
        CloudError::Service(mut error) if error.class == FailureClass::Denied => {
            let hint = format!("or nothing is at {uri}: without s3:ListBucket on the bucket, S3 doesn't say so");
            error.hints.push(hint);
            CloudError::Service(error)
        }
        other => other,
    }
}
