//! The account's own bucket: found or made, and never a stranger's of the same name.

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

/// S3's oldest region, which goes without a location constraint.
const UNNAMED_REGION: &str = "us-east-1";
/// Since April 2023 (S3 user guide, "Blocking public access to your Amazon S3 storage").
const CLOSED_BY_DEFAULT: &str = "it was created with S3's defaults, which close new buckets";
/// How often a bucket that is just being made is asked for, and the first wait between. Each wait is twice the one before.
const TRIES: u32 = 7;
const FIRST_WAIT: Duration = Duration::from_millis(100);

impl AwsObjects {
    /// Whether there is such a bucket. Somebody else's is an error, and so is one in another region.
    pub(super) async fn is_there(&self, bucket: &str, account: &str) -> CloudResult<bool> {
        let call = self.client.head_bucket().bucket(bucket).expected_bucket_owner(account);
        let error = match call.send().await {
            Ok(found) => {
                let region = found.bucket_region.filter(|region| *region != self.region);
                return region.map_or(Ok(true), |region| Err(self.elsewhere(bucket, &region)));
            }
            Err(error) => error,
        };
        match answer(&error).map(|answer| answer.status) {
            Some(404) => Ok(false),
            Some(403) => Err(self.not_open(bucket, account)),
            _ => Err(self.failure(&format!("look up the bucket {bucket}"), &S3Uri::of_bucket(bucket), &error)),
        }
    }

    /// Makes the bucket, closed to the public. S3 itself encrypts what comes into it. Others may be at the same just now.
    pub(super) async fn create_bucket(&self, bucket: &str, account: &str) -> CloudResult<()> {
        for attempt in 0..TRIES {
            let call = self.client.create_bucket().bucket(bucket);
            let Err(error) = call.set_create_bucket_configuration(self.location()).send().await else {
                return self.close_to_public(bucket, account).await;
            };
            match answer(&error) {
                Some(answer) if answer.code == "BucketAlreadyOwnedByYou" => {
                    return self.close_to_public(bucket, account).await;
                }
                Some(answer) if answer.code == "BucketAlreadyExists" => return Err(self.not_open(bucket, account)),
                Some(answer) if is_conflict(&answer) => {
                    sleep(FIRST_WAIT * 2_u32.pow(attempt)).await;
                    if self.is_there(bucket, account).await? {
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

    /// Returns the error of a bucket that is another account's, or that the caller may not look at: S3 tells neither apart.
    fn not_open(&self, bucket: &str, account: &str) -> CloudError {
        let arn = arn::object(&self.region, &S3Uri::of_bucket(bucket));
        CloudError::Unusable {
            what: format!(
                "the bucket {bucket} can't be used: it belongs to another account than {account}, or s3:ListBucket on \
                 {arn} is not permitted"
            ),
            hint: format!(
                "set output.s3_uri to a bucket that you may use; or ask for s3:ListBucket on {arn}, and s3:GetObject \
                 and s3:PutObject on {arn}/*, for whom `aws sts get-caller-identity` shows"
            ),
        }
    }

    fn location(&self) -> Option<CreateBucketConfiguration> {
        let region = BucketLocationConstraint::from(self.region.as_str());
        let named = CreateBucketConfiguration::builder().location_constraint(region).build();
        (self.region != UNNAMED_REGION).then_some(named)
    }

    async fn close_to_public(&self, bucket: &str, account: &str) -> CloudResult<()> {
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
                // Whoever is at it just now does the same.
                Some(answer) if is_conflict(&answer) => return Ok(()),
                Some(answer) if answer.status == 403 => {
                    let error = self.not_closed(bucket, &error);
                    self.fallbacks.report(Cost::Result, &error, CLOSED_BY_DEFAULT);
                    return Ok(());
                }
                Some(answer) if answer.code == "NoSuchBucket" && attempt < TRIES => {
                    sleep(FIRST_WAIT * 2_u32.pow(attempt)).await;
                }
                _ => return Err(self.not_closed(bucket, &error)),
            }
        }
        Ok(())
    }

    fn not_closed(&self, bucket: &str, error: &SdkError<PutPublicAccessBlockError, HttpResponse>) -> CloudError {
        self.failure(&format!("close the bucket {bucket} to the public"), &S3Uri::of_bucket(bucket), error)
    }
}

/// Somebody else, with the same credentials or not, is changing the bucket just now.
fn is_conflict(answer: &Answer) -> bool {
    answer.code == "OperationAborted"
}
