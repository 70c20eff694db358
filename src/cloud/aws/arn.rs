//! ARNs of the resources that calls act on. Errors name them, since a policy needs them.

use crate::model::S3Uri;

/// Any resource: for actions that have no resource-level permissions.
pub(super) const ANY: &str = "*";

/// Returns the ARN partition of a region (botocore, `endpoints.json`).
pub(super) fn partition(region: &str) -> &'static str {
    const PARTITIONS: [(&str, &str); 8] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("us-iso-", "aws-iso"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
        ("", "aws"),
    ];
    PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

/// Returns the ARN of a regional resource. The account is unknown: `*`, as a policy may have it.
pub(super) fn regional(service: &str, region: &str, resource: &str) -> String {
    format!("arn:{}:{service}:{region}:*:{resource}", partition(region))
}

/// Returns the ARN of an IAM role by its name, without its path.
pub(super) fn role(region: &str, name: &str) -> String {
    format!("arn:{}:iam::*:role/{name}", partition(region))
}

/// Returns the ARN of an object, or of the bucket if the key is empty.
pub(super) fn object(region: &str, uri: &S3Uri) -> String {
    let bucket = format!("arn:{}:s3:::{}", partition(region), uri.bucket());
    if uri.key().is_empty() { bucket } else { format!("{bucket}/{}", uri.key()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_of_the_region_s_partition() -> Result<(), crate::model::s3_uri::InvalidUri> {
        let uri = S3Uri::parse("s3://bucket/a/b")?;
        assert_eq!(object("eu-west-1", &uri), "arn:aws:s3:::bucket/a/b");
        assert_eq!(object("cn-north-1", &uri.root()), "arn:aws-cn:s3:::bucket");
        assert_eq!(
            regional("sagemaker", "us-gov-west-1", "training-job/j"),
            "arn:aws-us-gov:sagemaker:us-gov-west-1:*:training-job/j"
        );
        assert_eq!(role("eu-west-1", "R"), "arn:aws:iam::*:role/R");
        Ok(())
    }
}
