//! Stores files: small ones with PutObject, larger ones as a multipart upload. The object appears whole and with the
//! expected content, or not at all: every request carries a SHA-256, and the last part is only sent if the whole
//! matches.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use aws_smithy_types::base64;
use futures_util::{Stream, TryStreamExt, stream};
use tokio::sync::Semaphore;

use super::encryption::encryption;
use super::open_uploads::Upload;
use super::source::{FilePart, UploadSource};
use super::{AwsObjects, head};
use crate::cloud::aws::error::answer;
use crate::cloud::{CloudError, CloudResult, ContentMatch, ObjectContent};
use crate::model::S3Uri;
use crate::model::checksum::{ContentDigest, parts};

/// Parts of a file in flight at the same time. More did not increase the throughput of eight connections.
const PARTS_IN_FLIGHT: usize = 12;
/// Size above which the SDK's timeout may be too short on a slow connection, in bytes.
const MIN_SLOW_BYTES: u64 = 1024 * 1024;
/// Minimum speed of a part, in bytes per second: its share of a slow connection.
const MIN_BYTES_PER_SECOND: u64 = 32 * 1024;
/// Timeout for the response after the body was sent.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

impl AwsObjects {
    pub(super) async fn store(&self, uri: &S3Uri, content: ObjectContent) -> CloudResult<()> {
        let source = UploadSource::new(uri, &content)?;
        if source.size <= parts::MAX_SINGLE_UPLOAD_BYTES {
            return self.store_whole(uri, source, &content).await;
        }
        let upload = self.begin(uri, content.kms_key_id.clone()).await?;
        let size = source.size;
        let stored = match self.send_parts(&upload, source, &content).await {
            Ok(parts) => self.complete(&upload, &parts, size, content.kms_key_id.as_deref()).await,
            Err(error) => Err(error),
        };
        match &stored {
            Ok(()) => self.open_uploads.remove(&upload),
            Err(_) => {
                // `abort_uploads` tries again, and reports a failure.
                let _reported_later = self.abort(&upload).await;
            }
        }
        stored
    }

    async fn store_whole(&self, uri: &S3Uri, source: UploadSource, content: &ObjectContent) -> CloudResult<()> {
        let size = source.size;
        let (FilePart { bytes, memory, sha256 }, _) = source.next(size, self.memory.clone()).await?;
        let call = self.client.put_object().bucket(uri.bucket()).key(uri.key());
        let call = call.set_expected_bucket_owner(self.owner(uri.bucket())).body(ByteStream::from(bytes));
        let call = call.set_server_side_encryption(encryption(content.kms_key_id.as_deref()));
        let call = call.checksum_algorithm(ChecksumAlgorithm::Sha256).checksum_sha256(base64::encode(sha256));
        let call = call.set_ssekms_key_id(content.kms_key_id.clone()).customize();
        let sent = call.config_override(timeout_for(size)).disable_payload_signing().send().await;
        sent.map_err(|error| self.failure(&format!("store {uri}"), uri, &error))?;
        drop(memory);
        (content.progress)(size);
        Ok(())
    }

    /// Sends all parts and returns them in order. Reads the file once, from start to end.
    async fn send_parts(
        &self,
        upload: &Upload,
        source: UploadSource,
        content: &ObjectContent,
    ) -> CloudResult<Vec<SentPart>> {
        let parts = read_parts(source, self.memory.clone());
        let sent = parts.map_ok(|(number, part)| self.send_part(upload, number, part, content));
        let mut sent: Vec<SentPart> = sent.try_buffer_unordered(PARTS_IN_FLIGHT).try_collect().await?;
        sent.sort_by_key(|part| part.number);
        Ok(sent)
    }

    async fn send_part(
        &self,
        upload: &Upload,
        number: i32,
        part: FilePart,
        content: &ObjectContent,
    ) -> CloudResult<SentPart> {
        let FilePart { bytes, memory, sha256 } = part;
        let size = bytes.len() as u64;
        let call = self.client.upload_part().bucket(upload.uri.bucket()).key(upload.uri.key());
        let call = call.upload_id(&upload.id).part_number(number).body(ByteStream::from(bytes));
        let call = call.checksum_algorithm(ChecksumAlgorithm::Sha256).checksum_sha256(base64::encode(sha256));
        let call = call.set_expected_bucket_owner(upload.owner.clone()).customize();
        let sent = call.config_override(timeout_for(size)).disable_payload_signing().send().await;
        let doing = || format!("store part {number} of {}", upload.uri);
        let sent = sent.map_err(|error| self.failure(&doing(), &upload.uri, &error))?;
        drop(memory);
        (content.progress)(size);
        Ok(SentPart { number, e_tag: sent.e_tag, sha256 })
    }

    async fn complete(
        &self,
        upload: &Upload,
        parts: &[SentPart],
        size: u64,
        kms_key_id: Option<&str>,
    ) -> CloudResult<()> {
        let digests: Vec<[u8; 32]> = parts.iter().map(|part| part.sha256).collect();
        let digest = ContentDigest::of_parts(size, &digests);
        let error = match self.completion(upload, parts).send().await {
            Ok(stored) => return check(&upload.uri, stored.checksum_sha256.as_deref(), &digest),
            Err(error) => error,
        };
        // If the response to the first attempt was lost, the upload no longer exists.
        let is_gone = answer(&error).is_some_and(|answer| answer.code == "NoSuchUpload");
        if is_gone && self.verify_object(&upload.uri, &digest, kms_key_id).await? == ContentMatch::Expected {
            return Ok(());
        }
        Err(self.failure(&format!("store {}", upload.uri), &upload.uri, &error))
    }

    fn completion(&self, upload: &Upload, parts: &[SentPart]) -> CompleteMultipartUploadFluentBuilder {
        let parts = parts.iter().map(SentPart::completed).collect();
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let call = self.client.complete_multipart_upload().bucket(upload.uri.bucket()).key(upload.uri.key());
        call.upload_id(&upload.id).multipart_upload(parts).set_expected_bucket_owner(upload.owner.clone())
    }
}

/// A part that S3 holds.
struct SentPart {
    number: i32,
    e_tag: Option<String>,
    sha256: [u8; 32],
}

impl SentPart {
    fn completed(&self) -> CompletedPart {
        let part = CompletedPart::builder().part_number(self.number).set_e_tag(self.e_tag.clone());
        part.checksum_sha256(base64::encode(self.sha256)).build()
    }
}

/// Compares the digest that S3 returned for the whole object with ours. Not every S3-compatible store returns one.
fn check(uri: &S3Uri, told: Option<&str>, digest: &ContentDigest) -> CloudResult<()> {
    match told {
        Some(told) if told != head::encode_digest(digest) => {
            Err(CloudError::Other(format!("could not store {uri}: S3 has other bytes than those that were sent")))
        }
        _ => Ok(()),
    }
}

/// The parts of a file with their numbers, each read when it is asked for.
fn read_parts(source: UploadSource, memory: Arc<Semaphore>) -> impl Stream<Item = CloudResult<(i32, FilePart)>> + Send {
    let length = parts::part_size_of(source.size).unwrap_or(source.size);
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

/// Returns a configuration with a timeout for a body of `size` bytes, since the SDK's timeout runs from the first byte
/// sent. Rounded to powers of two: each timeout has its own connection pool.
fn timeout_for(size: u64) -> aws_sdk_s3::config::Builder {
    let config = aws_sdk_s3::config::Builder::new();
    if size <= MIN_SLOW_BYTES {
        return config;
    }
    let limit = ANSWER_TIMEOUT + Duration::from_secs(size.next_power_of_two() / MIN_BYTES_PER_SECOND);
    config.timeout_config(TimeoutConfig::builder().read_timeout(limit).build())
}
