//! The ARNs of what calls act on, for errors: what a policy has to name.

use crate::model::S3Uri;

/// Any resource, for actions that no policy can limit to one.
pub(super) const ANY: &str = "*";

/// Returns the partition that stands in the ARNs of a region (botocore, `endpoints.json`).
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

/// Returns the ARN of something in a region. Which account it is in is not known: a policy takes `*` for it.
pub(super) fn regional(service: &str, region: &str, resource: &str) -> String {
    format!("arn:{}:{service}:{region}:*:{resource}", partition(region))
}

/// Returns the ARN of an IAM role by its name, whatever its path.
pub(super) fn role(region: &str, name: &str) -> String {
    format!("arn:{}:iam::*:role/{name}", partition(region))
}

/// Returns the ARN of an object, or of the bucket where the key is empty.
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
