//! Where a job's artifacts are laid in S3: `{S3OutputPath}/{job}/output/`, as SageMaker does.

use super::JobName;
use super::request::CreateTrainingJobRequest;

/// Precedes the folder in the reason of a local job whose model could not be stored.
pub(crate) const KEPT_IN: &str = "; all that it made is kept in ";

/// The model artifact: an archive, or a prefix when `CompressionType` is `NONE`.
pub(crate) fn model_uri(request: &CreateTrainingJobRequest) -> String {
    let output = &request.output_data_config;
    let file = if output.compression_type.as_deref() == Some("NONE") { "model/" } else { "model.tar.gz" };
    format!("{}/{file}", folder(&output.s3_output_path, &request.training_job_name))
}

/// The archive of `/opt/ml/output/data`, which stands beside the model.
pub(crate) fn output_uri(request: &CreateTrainingJobRequest) -> String {
    format!("{}/output.tar.gz", folder(&request.output_data_config.s3_output_path, &request.training_job_name))
}

fn folder(output: &str, job: &JobName) -> String {
    format!("{}/{job}/output", output.trim_end_matches('/'))
}
