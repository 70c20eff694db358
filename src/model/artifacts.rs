//! URIs of a job's artifacts in S3: `{S3OutputPath}/{job}/output/`, as SageMaker stores them.

use super::JobName;
use super::request::CreateTrainingJobRequest;

/// Text before the path of the folder in the failure reason of a local job whose model could not be stored.
pub(crate) const KEPT_IN: &str = "; all that it made is kept in ";

/// Returns the URI of the model artifact: an archive, or a prefix when `CompressionType` is `NONE`.
pub(crate) fn model_uri(request: &CreateTrainingJobRequest) -> String {
    let output = &request.output_data_config;
    let file = if output.compression_type.as_deref() == Some("NONE") { "model/" } else { "model.tar.gz" };
    format!("{}/{file}", folder(&output.s3_output_path, &request.training_job_name))
}

/// Returns the URI of the archive of `/opt/ml/output/data`, next to the model.
pub(crate) fn output_uri(request: &CreateTrainingJobRequest) -> String {
    format!("{}/output.tar.gz", folder(&request.output_data_config.s3_output_path, &request.training_job_name))
}

fn folder(output: &str, job: &JobName) -> String {
    format!("{}/{job}/output", output.trim_end_matches('/'))
}
