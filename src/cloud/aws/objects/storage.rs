//! How objects are stored, by encryption and storage class, and whether that is how they would be stored now.
//!
//! The key of an alias and the bucket's default encryption are learnt without further permissions from S3's answer to a
//! multipart upload, which is begun and aborted.

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::StorageClass;

use super::AwsObjects;
use super::encryption::AppliedEncryption;
use crate::cloud::CloudResult;
use crate::model::S3Uri;

/// Storage classes that nothing can read before a restoration (S3 user guide, "Understanding S3 Glacier storage
/// classes").
const ARCHIVED: [StorageClass; 2] = [StorageClass::Glacier, StorageClass::DeepArchive];

impl AwsObjects {
    /// Returns true if an object is stored as it would be now, with a key or with the bucket's default.
    ///
    /// Without a key, an object that S3 encrypted with its own keys stays: neither does S3 encrypt it again when the
    /// bucket's default changes.
    pub(super) async fn is_stored_alike(
        &self,
        uri: &S3Uri,
        object: &HeadObjectOutput,
        kms_key_id: Option<&str>,
    ) -> CloudResult<bool> {
        if is_archived(object) {
            return Ok(false);
        }
        let found = AppliedEncryption::new(object.server_side_encryption.clone(), object.ssekms_key_id.clone());
        let is_known = match kms_key_id {
            Some(_) if !found.is_by_kms() => Some(false),
            None if !found.is_by_kms() => Some(true),
            Some(key) => found.has_key(key),
            None => None,
        };
        match is_known {
            Some(is_alike) => Ok(is_alike),
            // Where S3 doesn't say what it would do, encrypted content is used as it is, or it would be sent each time.
            None => Ok(self.applied(uri, kms_key_id).await.is_none_or(|applied| applied.key == found.key)),
        }
    }

    /// Returns the encryption that S3 applies to a new object with a key, or without one. Asks once for each bucket.
    async fn applied(&self, uri: &S3Uri, kms_key_id: Option<&str>) -> Option<AppliedEncryption> {
        let asked = (uri.bucket().to_owned(), kms_key_id.map(str::to_owned));
        let mut known = self.applied_encryption.lock().await;
        if let Some(applied) = known.get(&asked) {
            return applied.clone();
        }
        let applied = self.ask_for_encryption(uri, kms_key_id).await;
        known.insert(asked, applied.clone());
        applied
    }

    /// Begins an upload, which tells the encryption, and aborts it. `None` if it can't be begun, or if S3 names no key by
    /// its ARN where it uses one.
    async fn ask_for_encryption(&self, uri: &S3Uri, kms_key_id: Option<&str>) -> Option<AppliedEncryption> {
        let upload = self.begin(uri, kms_key_id.map(str::to_owned)).await.ok()?;
        // `abort_uploads` tries again, and reports a failure.
        let _reported_later = self.abort(&upload).await;
        let applied = upload.encryption;
        let is_named = applied.key.as_ref().is_some_and(|key| key.contains(":key/"));
        (is_named || (applied.algorithm.is_some() && !applied.is_by_kms())).then_some(applied)
    }
}

/// Returns true for an object that nothing can read before it is restored, or after the restored copy is gone.
fn is_archived(object: &HeadObjectOutput) -> bool {
    object.archive_status.is_some() || object.storage_class.as_ref().is_some_and(|class| ARCHIVED.contains(class))
}
