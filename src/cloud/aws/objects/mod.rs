//! Objects in S3: what is small goes in one request, what is large in parts, side by side; what comes is resumed where it
//! broke off.

mod bucket;
mod error;
mod get;
mod head;
mod list;
mod open_uploads;
mod put;
mod source;
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

use self::open_uploads::OpenUploads;
use super::config::{AwsConfig, client};
use crate::cloud::{
    ByteStream, CloudError, CloudResult, ContentMatch, Fallbacks, Identity, Object, ObjectContent, ObjectSummary,
    Objects,
};
use crate::model::checksum::ContentDigest;
use crate::model::{IgnorePoison, S3Uri};

pub(super) struct AwsObjects {
    client: Client,
    region: String,
    identity: Arc<dyn Identity>,
    /// Whose the buckets are that [`Objects::ensure_bucket`] has seen: S3 then refuses to go to anybody else's.
    owners: Mutex<HashMap<String, String>>,
    open: Arc<OpenUploads>,
    /// What all uploads together may hold in memory, in units of [`source::UNIT`].
    memory: Arc<Semaphore>,
    fallbacks: Fallbacks,
}

impl AwsObjects {
    pub(super) fn new(config: &AwsConfig, identity: Arc<dyn Identity>, fallbacks: Fallbacks) -> Self {
        let builder = aws_sdk_s3::config::Builder::from(config.sdk());
        // Where nobody else looks at the checksum, it is asked for.
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
            open: Arc::default(),
            memory: Arc::new(Semaphore::new(source::MEMORY)),
            fallbacks: Fallbacks::default(),
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
        self.look_up(uri, None, None).await?.map(|object| size(uri, object.content_length)).transpose()
    }

    async fn verify(&self, uri: &S3Uri, expected: &ContentDigest) -> CloudResult<ContentMatch> {
        self.verify_object(uri, expected).await
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
        if !self.is_there(bucket, &account).await? {
            self.create_bucket(bucket, &account).await?;
        }
        self.remember(bucket, account);
        Ok(())
    }

    async fn abort_uploads(&self) -> Vec<CloudError> {
        self.abort_all().await
    }
}

/// Returns the size that S3 tells of an object, as a signed number. One that it doesn't tell is not taken for empty.
fn size(uri: &S3Uri, told: Option<i64>) -> CloudResult<u64> {
    let size = told.and_then(|size| u64::try_from(size).ok());
    size.ok_or_else(|| CloudError::Other(format!("the service does not tell the size of {uri}")))
}
