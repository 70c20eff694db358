//! Objects in S3. Small files are stored in one request, large ones as a multipart upload; downloads are resumed where
//! they broke off.

mod bucket;
mod encryption;
mod error;
mod get;
mod head;
mod list;
mod open_uploads;
mod put;
mod source;
mod storage;
#[cfg(test)]
mod tests;
mod uploads;

use std::collections::HashMap;
use std::io::Read;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::ResponseChecksumValidation;
use futures_util::stream::BoxStream;
use tokio::sync::Semaphore;

use self::encryption::AppliedEncryptions;
use self::open_uploads::OpenUploads;
use super::config::{AwsConfig, client};
use crate::cloud::{
    ByteStream, CloudError, CloudResult, ContentMatch, Fallbacks, Identity, Object, ObjectContent, ObjectSummary,
    Objects,
};
use crate::model::checksum::ContentDigest;
use crate::model::{IgnorePoison, S3Uri};

/// Implements [`Objects`] with S3.
pub(super) struct AwsObjects {
    client: Client,
    region: String,
    identity: Arc<dyn Identity>,
    /// Owner accounts of the buckets that [`Objects::ensure_bucket`] has checked. Calls then name the expected owner,
    /// so that S3 refuses a bucket that has changed hands.
    owners: Mutex<HashMap<String, String>>,
    open_uploads: Arc<OpenUploads>,
    /// Memory that all uploads together may use, in units of [`source::UNIT_BYTES`].
    memory: Arc<Semaphore>,
    fallbacks: Fallbacks,
    applied_encryption: AppliedEncryptions,
}

impl AwsObjects {
    pub(super) fn new(config: &AwsConfig, identity: Arc<dyn Identity>, fallbacks: Fallbacks) -> Self {
        let builder = aws_sdk_s3::config::Builder::from(config.sdk());
        // Checksums are only requested where our own code doesn't verify them.
        let builder = builder.response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        let client = client!(aws_sdk_s3, config, builder);
        Self { fallbacks, ..Self::with(client, config.region().as_str(), identity) }
    }

    fn with(client: Client, region: &str, identity: Arc<dyn Identity>) -> Self {
        Self {
            client,
            region: region.to_owned(),
            identity,
            owners: Mutex::default(),
            open_uploads: Arc::default(),
            memory: Arc::new(Semaphore::new(source::MEMORY_UNITS)),
            fallbacks: Fallbacks::default(),
            applied_encryption: AppliedEncryptions::default(),
        }
    }

    fn owner(&self, bucket: &str) -> Option<String> {
        self.owners.lock().ignore_poison().get(bucket).cloned()
    }

    fn remember(&self, bucket: &str, owner: String) {
        self.owners.lock().ignore_poison().insert(bucket.to_owned(), owner);
    }
}

#[async_trait]
impl Objects for AwsObjects {
    async fn head(&self, uri: &S3Uri) -> CloudResult<Option<u64>> {
        self.head_object(uri, None, None).await?.map(|object| size(uri, object.content_length)).transpose()
    }

    async fn verify(
        &self,
        uri: &S3Uri,
        expected: &ContentDigest,
        kms_key_id: Option<&str>,
    ) -> CloudResult<ContentMatch> {
        self.verify_object(uri, expected, kms_key_id).await
    }

    async fn put(&self, uri: &S3Uri, content: ObjectContent) -> CloudResult<()> {
        self.store(uri, content).await
    }

    async fn get(&self, uri: &S3Uri) -> CloudResult<Box<dyn Read + Send>> {
        Ok(Box::new(self.fetch(uri).await?))
    }

    async fn stat(&self, uri: &S3Uri) -> CloudResult<Option<Object>> {
        self.find_object(uri).await
    }

    fn range(&self, object: &Object, range: Range<u64>) -> ByteStream {
        self.fetch_range(object, range)
    }

    fn pages(&self, prefix: S3Uri) -> BoxStream<'_, CloudResult<Vec<ObjectSummary>>> {
        self.list_pages(prefix)
    }

    async fn ensure_bucket(&self, bucket: &str) -> CloudResult<()> {
        if self.owner(bucket).is_some() {
            return Ok(());
        }
        let account = self.identity.account().await?;
        if !self.bucket_exists(bucket, &account).await? {
            self.create_bucket(bucket, &account).await?;
        }
        self.remember(bucket, account);
        Ok(())
    }

    async fn abort_uploads(&self) -> Vec<CloudError> {
        self.abort_all().await
    }
}

/// Returns the size that S3 reported, as a signed number. A missing size is an error, not an empty object.
fn size(uri: &S3Uri, reported: Option<i64>) -> CloudResult<u64> {
    let size = reported.and_then(|size| u64::try_from(size).ok());
    size.ok_or_else(|| CloudError::Other(format!("the service does not tell the size of {uri}")))
}
