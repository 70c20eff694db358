//! Encryption of objects: a request's key, and the key that an object has.
//!
//! A request names a key by its id, its ARN or an alias; HeadObject tells the ARN of the key that an object has (S3 API
//! reference, `x-amz-server-side-encryption-aws-kms-key-id`).

use std::collections::HashMap;

use aws_sdk_s3::types::ServerSideEncryption;
use tokio::sync::Mutex;

/// Encryption of an object, as S3 tells it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct AppliedEncryption {
    pub(super) algorithm: Option<ServerSideEncryption>,
    /// ARN of the KMS key.
    pub(super) key: Option<String>,
}

/// Answers of S3 about the encryption with a key in a bucket; `None` where it did not say.
pub(super) type AppliedEncryptions = Mutex<HashMap<(String, Option<String>), Option<AppliedEncryption>>>;

impl AppliedEncryption {
    pub(super) fn new(algorithm: Option<ServerSideEncryption>, key: Option<String>) -> Self {
        Self { algorithm, key }
    }

    pub(super) fn is_by_kms(&self) -> bool {
        matches!(self.algorithm, Some(ServerSideEncryption::AwsKms | ServerSideEncryption::AwsKmsDsse))
    }

    /// Returns whether the object has the key that a text names; `None` if only S3 can tell.
    pub(super) fn has_key(&self, named: &str) -> Option<bool> {
        let own = self.key.as_deref()?;
        if named.starts_with("alias/") || named.contains(":alias/") {
            return None;
        }
        let is_own =
            own == named || (!named.contains(':') && own.rsplit_once(":key/").is_some_and(|(_, id)| id == named));
        Some(is_own)
    }
}

/// Returns the encryption for a KMS key. Without a key, the bucket's settings decide.
pub(super) fn encryption(kms_key_id: Option<&str>) -> Option<ServerSideEncryption> {
    kms_key_id.map(|_| ServerSideEncryption::AwsKms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_by_all_its_names() {
        let own = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let found = AppliedEncryption::new(Some(ServerSideEncryption::AwsKms), Some(own.to_owned()));
        for (named, expected) in [
            (own, Some(true)),
            ("1234abcd-12ab-34cd-56ef-1234567890ab", Some(true)),
            ("34abcd-12ab-34cd-56ef-1234567890ab", Some(false)),
            ("arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", Some(false)),
            ("mrk-1234abcd12ab34cd56ef1234567890ab", Some(false)),
            ("alias/training", None),
            ("arn:aws:kms:eu-west-1:111122223333:alias/training", None),
        ] {
            assert_eq!(found.has_key(named), expected, "{named}");
        }
    }
}
