//! The IAM action that each operation needs, by the type of its error.
//!
//! Source: service authorization reference, "Actions, resources, and condition keys" of each service. An operation
//! without an action here doesn't compile.

use aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataError;
use aws_sdk_cloudwatch::operation::list_metrics::ListMetricsError;
use aws_sdk_cloudwatchlogs::operation::describe_log_streams::DescribeLogStreamsError;
use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsError;
use aws_sdk_cloudwatchlogs::operation::get_log_events::GetLogEventsError;
use aws_sdk_iam::operation::get_role::GetRoleError;
use aws_sdk_s3::operation::abort_multipart_upload::AbortMultipartUploadError;
use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadError;
use aws_sdk_s3::operation::create_bucket::CreateBucketError;
use aws_sdk_s3::operation::create_multipart_upload::CreateMultipartUploadError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::head_bucket::HeadBucketError;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Error;
use aws_sdk_s3::operation::put_object::PutObjectError;
use aws_sdk_s3::operation::put_public_access_block::PutPublicAccessBlockError;
use aws_sdk_s3::operation::upload_part::UploadPartError;
use aws_sdk_sagemaker::operation::create_training_job::CreateTrainingJobError;
use aws_sdk_sagemaker::operation::describe_training_job::DescribeTrainingJobError;
use aws_sdk_sagemaker::operation::list_tags::ListTagsError;
use aws_sdk_sagemaker::operation::list_training_jobs::ListTrainingJobsError;
use aws_sdk_sagemaker::operation::search::SearchError;
use aws_sdk_sagemaker::operation::stop_training_job::StopTrainingJobError;
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;

/// An operation's error, which determines the IAM action.
pub(in crate::cloud::aws) trait Permitted {
    /// IAM action, such as `s3:GetObject`.
    const ACTION: &'static str;
}

macro_rules! actions {
    ($($error:ty: $action:literal,)*) => {
        $(impl Permitted for $error {
            const ACTION: &'static str = $action;
        })*
    };
}

actions! {
    CreateTrainingJobError: "sagemaker:CreateTrainingJob",
    DescribeTrainingJobError: "sagemaker:DescribeTrainingJob",
    ListTrainingJobsError: "sagemaker:ListTrainingJobs",
    ListTagsError: "sagemaker:ListTags",
    SearchError: "sagemaker:Search",
    StopTrainingJobError: "sagemaker:StopTrainingJob",
    DescribeLogStreamsError: "logs:DescribeLogStreams",
    FilterLogEventsError: "logs:FilterLogEvents",
    GetLogEventsError: "logs:GetLogEvents",
    ListMetricsError: "cloudwatch:ListMetrics",
    GetMetricDataError: "cloudwatch:GetMetricData",
    GetCallerIdentityError: "sts:GetCallerIdentity",
    GetRoleError: "iam:GetRole",
    HeadObjectError: "s3:GetObject",
    GetObjectError: "s3:GetObject",
    PutObjectError: "s3:PutObject",
    CreateMultipartUploadError: "s3:PutObject",
    UploadPartError: "s3:PutObject",
    CompleteMultipartUploadError: "s3:PutObject",
    AbortMultipartUploadError: "s3:AbortMultipartUpload",
    ListObjectsV2Error: "s3:ListBucket",
    HeadBucketError: "s3:ListBucket",
    CreateBucketError: "s3:CreateBucket",
    PutPublicAccessBlockError: "s3:PutBucketPublicAccessBlock",
}
