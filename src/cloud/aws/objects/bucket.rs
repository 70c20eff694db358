//! The default bucket: checked and, if missing, created. A bucket of another account with the same name is an error.

use std::time::Duration;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::put_public_access_block::PutPublicAccessBlockError;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration, PublicAccessBlockConfiguration};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use tokio::time::sleep;

use super::AwsObjects;
use crate::cloud::aws::arn;
use crate::cloud::aws::error::{Answer, answer};
use crate::cloud::{CloudError, CloudResult, Cost};
use crate::model::S3Uri;

/// Region without a location constraint in CreateBucket.
const REGION_WITHOUT_CONSTRAINT: &str = "us-east-1";
/// Since April 2023 (S3 user guide, "Blocking public access to your Amazon S3 storage").
const PRIVATE_BY_DEFAULT: &str = "it was created with S3's defaults, which close new buckets";
/// Maximum attempts while another process creates or removes the bucket, and the first pause between them, which
/// doubles.
const MAX_ATTEMPTS: u32 = 7;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

impl AwsObjects {
    /// Returns whether the bucket exists. Fails if it belongs to another account or is in another region.
    pub(super) async fn bucket_exists(&self, bucket: &str, account: &str) -> CloudResult<bool> {
        let call = self.client.head_bucket().bucket(bucket).expected_bucket_owner(account);
        let error = match call.send().await {
            Ok(found) => {
                let region = found.bucket_region.filter(|region| *region != self.region);
                return region.map_or(Ok(true), |region| Err(self.in_other_region(bucket, &region)));
            }
            Err(error) => error,
        };
        match answer(&error).map(|answer| answer.status) {
            Some(404) => Ok(false),
            Some(403) => Err(self.not_accessible(bucket, account)),
            _ => Err(self.failure(&format!("look up the bucket {bucket}"), &S3Uri::of_bucket(bucket), &error)),
        }
    }

    /// Creates the bucket without public access. S3 encrypts new buckets by default. Handles other processes that
    /// create it at the same time.
    pub(super) async fn create_bucket(&self, bucket: &str, account: &str) -> CloudResult<()> {
        for attempt in 0..MAX_ATTEMPTS {
            let call = self.client.create_bucket().bucket(bucket);
            let Err(error) = call.set_create_bucket_configuration(self.location()).send().await else {
                return self.block_public_access(bucket, account).await;
            };
            match answer(&error) {
                Some(answer) if answer.code == "BucketAlreadyOwnedByYou" => {
                    return self.block_public_access(bucket, account).await;
                }
                Some(answer) if answer.code == "BucketAlreadyExists" => {
                    return Err(self.not_accessible(bucket, account));
                }
                Some(answer) if is_conflict(&answer) => {
                    sleep(FIRST_PAUSE * 2_u32.pow(attempt)).await;
                    if self.bucket_exists(bucket, account).await? {
                        return Ok(());
                    }
                }
                _ => {
                    let doing = format!("create the bucket {bucket}");
                    return Err(self.failure(&doing, &S3Uri::of_bucket(bucket), &error));
                }
            }
        }
        Err(CloudError::Unusable {
            what: format!("the bucket {bucket} is being made or removed by another process, and does not come to be"),
            hint: "try again in a minute".to_owned(),
        })
    }

    /// Returns the error for a bucket of another account, or one that the caller may not access: S3 answers both alike.
    fn not_accessible(&self, bucket: &str, account: &str) -> CloudError {
        let arn = arn::object(&self.region, &S3Uri::of_bucket(bucket));
        CloudError::Unusable {
            what: format!(
                "the bucket {bucket} can't be used: it belongs to another account than {account}, or s3:ListBucket on \
                 {arn} is not permitted"
            ),
            hint: format!(
                "set output.s3_uri to a bucket that you may use; or ask for s3:ListBucket on {arn}, and s3:GetObject \
                 and s3:PutObject on {arn}/*, for the identity that `aws sts get-caller-identity` shows"
            ),
        }
    }

    fn location(&self) -> Option<CreateBucketConfiguration> {
        let region = BucketLocationConstraint::from(self.region.as_str());
        let named = CreateBucketConfiguration::builder().location_constraint(region).build();
        (self.region != REGION_WITHOUT_CONSTRAINT).then_some(named)
    }

    async fn block_public_access(&self, bucket: &str, account: &str) -> CloudResult<()> {
        let closed = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        let call = self.client.put_public_access_block().bucket(bucket).expected_bucket_owner(account);
        let call = call.public_access_block_configuration(closed);
        for attempt in 0.. {
            let Err(error) = call.clone().send().await else { return Ok(()) };
            match answer(&error) {
                // The other process applies the same settings.
                Some(answer) if is_conflict(&answer) => return Ok(()),
                Some(answer) if answer.status == 403 => {
                    let error = self.still_public(bucket, &error);
                    self.fallbacks.report(Cost::Result, &error, PRIVATE_BY_DEFAULT);
                    return Ok(());
                }
                Some(answer) if answer.code == "NoSuchBucket" && attempt < MAX_ATTEMPTS => {
                    sleep(FIRST_PAUSE * 2_u32.pow(attempt)).await;
                }
                _ => return Err(self.still_public(bucket, &error)),
            }
        }
        Ok(())
    }

    fn still_public(&self, bucket: &str, error: &SdkError<PutPublicAccessBlockError, HttpResponse>) -> CloudError {
        self.failure(&format!("close the bucket {bucket} to the public"), &S3Uri::of_bucket(bucket), error)
    }
}

/// Returns whether another process is changing the bucket.
fn is_conflict(answer: &Answer) -> bool {
    answer.code == "OperationAborted"
}
