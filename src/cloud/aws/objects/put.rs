//! Storing a file: in one request, or in parts side by side. The object appears whole, with the content that was expected,
//! or not at all.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, ServerSideEncryption};
use futures_util::{Stream, TryStreamExt, stream};
use tokio::sync::Semaphore;

use super::source::{Part, Source};
use super::uploads::Upload;
use super::{AwsObjects, plan, size};
use crate::cloud::aws::error::answer;
use crate::cloud::{CloudResult, Content};
use crate::model::S3Uri;

/// How many parts of a file are on their way at once: so many that eight connections would not carry more, although each
/// waits for its answers.
const PARALLEL: usize = 12;
/// What takes longer than the SDK's own time limit on a slow line, in bytes.
const LARGE: u64 = 1024 * 1024;
/// The slowest that a part may go and still arrive in time, in bytes a second: its share of a slow line.
const SLOWEST: u64 = 32 * 1024;
/// For the answer, once all has been sent.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

impl AwsObjects {
    pub(super) async fn store(&self, uri: &S3Uri, content: Content) -> CloudResult<()> {
        let source = Source::new(uri, &content)?;
        if source.size <= plan::SINGLE {
            return self.store_whole(uri, source, &content).await;
        }
        let upload = self.begin(uri, content.kms_key_id.clone()).await?;
        let size = source.size;
        let stored = match self.send_parts(&upload, source, &content).await {
            Ok(parts) => self.complete(&upload, parts, size).await,
            Err(error) => Err(error),
        };
        match &stored {
            Ok(()) => self.open.remove(&upload),
            Err(_) => self.abort(&upload).await,
        }
        stored
    }

    async fn store_whole(&self, uri: &S3Uri, source: Source, content: &Content) -> CloudResult<()> {
        let size = source.size;
        let (Part { bytes, memory }, _) = source.next(size, self.memory.clone()).await?;
        let call = self.client.put_object().bucket(uri.bucket()).key(uri.key());
        let call = call.set_expected_bucket_owner(self.owner(uri.bucket())).body(ByteStream::from(bytes));
        let call = call.set_server_side_encryption(encryption(content.kms_key_id.as_deref()));
        let call = call.set_ssekms_key_id(content.kms_key_id.clone()).customize();
        let sent = call.config_override(in_time(size)).disable_payload_signing().send().await;
        sent.map_err(|error| self.failure(&format!("store {uri}"), uri.bucket(), &error))?;
        drop(memory);
        (content.progress)(size);
        Ok(())
    }

    /// All parts, in the order of their numbers. The file is read once, from its start to its end.
    async fn send_parts(&self, upload: &Upload, source: Source, content: &Content) -> CloudResult<Vec<CompletedPart>> {
        let parts = parts(source, self.memory.clone());
        let sent = parts.map_ok(|(number, part)| self.send_part(upload, number, part, content));
        let mut sent: Vec<CompletedPart> = sent.try_buffer_unordered(PARALLEL).try_collect().await?;
        sent.sort_by_key(|part| part.part_number);
        Ok(sent)
    }

    async fn send_part(
        &self,
        upload: &Upload,
        number: i32,
        part: Part,
        content: &Content,
    ) -> CloudResult<CompletedPart> {
        let Part { bytes, memory } = part;
        let size = bytes.len() as u64;
        let call = self.client.upload_part().bucket(upload.uri.bucket()).key(upload.uri.key());
        let call = call.upload_id(&upload.id).part_number(number).body(ByteStream::from(bytes));
        let call = call.set_expected_bucket_owner(upload.owner.clone()).customize();
        let sent = call.config_override(in_time(size)).disable_payload_signing().send().await;
        let doing = || format!("store part {number} of {}", upload.uri);
        let sent = sent.map_err(|error| self.failure(&doing(), upload.uri.bucket(), &error))?;
        drop(memory);
        (content.progress)(size);
        let done = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        Ok(done.set_checksum_crc32(sent.checksum_crc32).build())
    }

    async fn complete(&self, upload: &Upload, parts: Vec<CompletedPart>, size: u64) -> CloudResult<()> {
        let count = parts.len();
        let Err(error) = self.completion(upload, parts).send().await else { return Ok(()) };
        // Where the answer to the first try got lost, the next one finds no upload any more.
        let is_gone = answer(&error).is_some_and(|answer| answer.code == "NoSuchUpload");
        if is_gone && self.is_stored(&upload.uri, count, size).await? {
            return Ok(());
        }
        Err(self.failure(&format!("store {}", upload.uri), upload.uri.bucket(), &error))
    }

    fn completion(&self, upload: &Upload, parts: Vec<CompletedPart>) -> CompleteMultipartUploadFluentBuilder {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let call = self.client.complete_multipart_upload().bucket(upload.uri.bucket()).key(upload.uri.key());
        call.upload_id(&upload.id).multipart_upload(parts).set_expected_bucket_owner(upload.owner.clone())
    }

    /// Whether an object of that size, of so many parts, stands there: an ETag ends with the number of its parts.
    async fn is_stored(&self, uri: &S3Uri, parts: usize, bytes: u64) -> CloudResult<bool> {
        let ending = format!("-{parts}");
        let found = self.look_up(uri, None, None).await?.filter(|object| size(object.content_length) == bytes);
        Ok(found.and_then(|object| object.e_tag).is_some_and(|tag| tag.trim_matches('"').ends_with(&ending)))
    }
}

/// The parts of a file with their numbers, each read when it is asked for.
fn parts(source: Source, memory: Arc<Semaphore>) -> impl Stream<Item = CloudResult<(i32, Part)>> + Send {
    let length = plan::part_size(source.size);
    stream::try_unfold((source, 1), move |(source, number)| {
        let memory = memory.clone();
        async move {
            if source.is_at_end() {
                return Ok(None);
            }
            let (part, rest) = source.next(length, memory).await?;
            Ok(Some(((number, part), (rest, number + 1))))
        }
    })
}

/// Without a key, the bucket's own settings decide.
pub(super) fn encryption(kms_key_id: Option<&str>) -> Option<ServerSideEncryption> {
    kms_key_id.map(|_| ServerSideEncryption::AwsKms)
}

/// The SDK's time limit for an answer runs from the first byte that is sent. Limits are few, since each has connections of
/// its own.
fn in_time(size: u64) -> aws_sdk_s3::config::Builder {
    let config = aws_sdk_s3::config::Builder::new();
    if size <= LARGE {
        return config;
    }
    let limit = ANSWER_TIMEOUT + Duration::from_secs(size.next_power_of_two() / SLOWEST);
    config.timeout_config(TimeoutConfig::builder().read_timeout(limit).build())
}
