//! Errors that S3 reports outside of the response's body: a bucket's region in a header, or no reason at all.

use std::error::Error as StdError;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::AwsObjects;
use crate::cloud::aws::arn;
use crate::cloud::aws::error::{Permitted, service_error};
use crate::cloud::{CloudError, FailureClass};
use crate::model::S3Uri;

impl AwsObjects {
    /// Converts an error of a call on an object or bucket.
    pub(super) fn failure<E>(&self, doing: &str, at: &S3Uri, error: &SdkError<E, HttpResponse>) -> CloudError
    where
        E: Permitted + ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        match region(error).filter(|region| *region != self.region) {
            Some(region) => self.in_other_region(at.bucket(), region),
            None => service_error(doing, &arn::object(&self.region, at), error),
        }
    }

    pub(super) fn in_other_region(&self, bucket: &str, region: &str) -> CloudError {
        CloudError::Unusable {
            what: format!("the bucket {bucket} is in {region}, not in {}", self.region),
            hint: format!("use a bucket in {}, or work in the bucket's region: --region {region}", self.region),
        }
    }
}

/// Returns the bucket's region if the request went to another one: 301, or 400 for a signature with the wrong region. A
/// 403 to callers other than the owner also has the header, but there the denial matters.
fn region<E>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    let response = error.raw_response().filter(|response| matches!(response.status().as_u16(), 301 | 307 | 400))?;
    response.headers().get("x-amz-bucket-region")
}

/// Adds a hint to a denial: without s3:ListBucket, S3 answers 403 for a missing object.
pub(super) fn with_missing_hint(error: CloudError, uri: &S3Uri) -> CloudError {
    match error {
        CloudError::Service(mut error) if error.class == FailureClass::Denied => {
            let hint = format!("or nothing is at {uri}: without s3:ListBucket on the bucket, S3 doesn't say so");
            error.hints.push(hint);
            CloudError::Service(error)
        }
        other => other,
    }
}
