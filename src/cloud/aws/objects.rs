//! Objects in S3.

use std::io::Read;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use tokio_util::io::SyncIoBridge;

use super::config::Config;
use super::error::{answer, failed, service_error};
use super::identity::AwsIdentity;
use crate::cloud::{CloudError, CloudResult, Content, ObjectSummary, Objects};
use crate::model::S3Uri;

#[derive(Debug)]
pub(super) struct AwsObjects {
    client: Client,
    region: String,
    identity: Arc<AwsIdentity>,
}

impl AwsObjects {
    pub(super) fn new(config: &Config, identity: Arc<AwsIdentity>) -> Self {
        let builder = aws_sdk_s3::config::Builder::from(config.sdk());
        let client = Client::from_conf(builder.retry_classifier(config.renew_expired()).build());
        Self { client, region: config.region().to_owned(), identity }
    }
}

#[async_trait]
impl Objects for AwsObjects {
    async fn head(&self, uri: &S3Uri) -> CloudResult<Option<u64>> {
        match self.client.head_object().bucket(uri.bucket()).key(uri.key()).send().await {
            Ok(object) => Ok(Some(object.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or(0))),
            Err(error) if answer(&error).is_some_and(|answer| answer.status == 404) => Ok(None),
            Err(error) => Err(service_error(&format!("look up {uri}"), &error)),
        }
    }

    async fn put(&self, uri: &S3Uri, content: Content) -> CloudResult<()> {
        let mut content = content;
        let mut bytes = Vec::new();
        content.file.read_to_end(&mut bytes).map_err(CloudError::io("read what is to be stored"))?;
        let call = self.client.put_object().bucket(uri.bucket()).key(uri.key()).body(ByteStream::from(bytes));
        call.send().await.map_err(failed(format!("store {uri}")))?;
        Ok(())
    }

    async fn get(&self, uri: &S3Uri) -> CloudResult<Box<dyn Read + Send>> {
        match self.client.get_object().bucket(uri.bucket()).key(uri.key()).send().await {
            Ok(object) => Ok(Box::new(SyncIoBridge::new(object.body.into_async_read()))),
            Err(error) if answer(&error).is_some_and(|answer| answer.status == 404) => {
                Err(CloudError::NotFound(uri.to_string()))
            }
            Err(error) => Err(service_error(&format!("fetch {uri}"), &error)),
        }
    }

    async fn list(&self, prefix: &S3Uri) -> CloudResult<Vec<ObjectSummary>> {
        let (mut objects, mut token) = (Vec::new(), None);
        loop {
            let call = self.client.list_objects_v2().bucket(prefix.bucket()).prefix(prefix.key());
            let sent = call.set_continuation_token(token).send().await;
            let page = sent.map_err(failed(format!("list what lies below {prefix}")))?;
            for object in page.contents.unwrap_or_default() {
                let Some(key) = object.key else { continue };
                let size = object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
                objects.push(ObjectSummary { uri: prefix.root().join(&key), size });
            }
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(objects);
            }
        }
    }

    async fn ensure_bucket(&self, _bucket: &str) -> CloudResult<()> {
        let _account = (self.identity.clone(), &self.region);
        Ok(())
    }

    async fn abandon(&self) {}
}
