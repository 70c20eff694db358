//! URIs of a job's artifacts in S3: `{S3OutputPath}/{job}/output/`, as SageMaker stores them.

use super::request::CreateTrainingJobRequest;
use super::{JobName, S3Uri};

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

/// Returns true for an object that is below a channel's prefix only because the output of jobs goes there: an earlier
/// model of a job is no data for it. Below a channel that names one job's output, all is data. `output` is the
/// S3OutputPath.
pub(crate) fn is_own_output(object: &S3Uri, channel: &S3Uri, output: &str) -> bool {
    let output = format!("{}/", output.trim_end_matches('/'));
    output.starts_with(&channel.to_string()) && object.to_string().starts_with(&output)
}

fn folder(output: &str, job: &JobName) -> String {
    format!("{}/{job}/output", output.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_jobs_is_no_data_of_theirs() -> Result<(), crate::model::s3_uri::InvalidUri> {
        for (object, channel, output, expected) in [
            ("s3://bkt/data/models/j/output/m", "s3://bkt/data/", "s3://bkt/data/models", true),
            ("s3://bkt/data/models/j/output/m", "s3://bkt/data", "s3://bkt/data/models/", true),
            ("s3://bkt/data/j/output/m", "s3://bkt/data/", "s3://bkt/data", true),
            ("s3://bkt/data/j/output/m", "s3://bkt/data", "s3://bkt/data/", true),
            ("s3://bkt/j/output/m", "s3://bkt", "s3://bkt", true),
            ("s3://bkt/data/x", "s3://bkt/data/", "s3://bkt/data/models", false),
            ("s3://bkt/data/models-2/x", "s3://bkt/data/", "s3://bkt/data/models", false),
            ("s3://bkt/data/models/j/output/m", "s3://bkt/data/models/j/", "s3://bkt/data/models", false),
            ("s3://bkt/data/j/output/m", "s3://bkt/data/", "s3://bkt", false),
            ("s3://bkt/data/j/output/m", "s3://bkt/data/", "", false),
        ] {
            let found = is_own_output(&S3Uri::parse(object)?, &S3Uri::parse(channel)?, output);
            assert_eq!(found, expected, "{object} in {channel}, output to {output}");
        }
        Ok(())
    }
}
