//! Downloads objects, whole or by byte range.
//!
//! A transfer that breaks off is resumed at the same byte, of the same version (`If-Match`). An object that can't be
//! read to its end is an error, and so is a checksum mismatch of a whole object.

use std::io::{self, Read};
use std::ops::Range;
use std::time::Duration;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream as SdkStream;
use aws_sdk_s3::types::ChecksumMode;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use futures_util::StreamExt;
use futures_util::stream::try_unfold;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::sleep;
use tokio_util::bytes::{Buf, Bytes};

use super::{AwsObjects, head, size};
use crate::cloud::aws::arn;
use crate::cloud::aws::error::{Permission, Permitted, answer, call_error, innermost};
use crate::cloud::{ByteStream, CloudError, CloudResult, Object};
use crate::model::S3Uri;
use crate::model::checksum::{ChecksumMismatch, ChecksumVerifier};

/// Capacity of the channel to the reader, in pieces of some 10 to 100 KiB.
const CHANNEL_CAPACITY: usize = 16;
/// Maximum number of resumptions without [`MIN_PROGRESS`] bytes in between, and the first pause before one, which
/// doubles.
const MAX_RESUMPTIONS: u32 = 6;
const MIN_PROGRESS: u64 = 1024 * 1024;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

impl AwsObjects {
    /// Downloads a whole object in a task, and returns a reader for a blocking thread.
    pub(super) async fn fetch(&self, uri: &S3Uri) -> CloudResult<ObjectReader> {
        let request = self.request(uri).checksum_mode(ChecksumMode::Enabled);
        let object = match request.clone().send().await {
            Ok(object) => object,
            Err(error) if is_missing(&error) => return Err(CloudError::NotFound(uri.to_string())),
            Err(error) => return Err(self.failure(&format!("fetch {uri}"), uri, &error)),
        };
        let size = size(uri, object.content_length)?;
        let checking = head::whole_checksum(&object).map(ChecksumVerifier::new);
        let fetch = self.begin_fetch(request.set_if_match(object.e_tag), uri, 0..size, size);
        let (sender, pieces) = channel(CHANNEL_CAPACITY);
        tokio::spawn(Fetch { body: Some(object.body), checking, ..fetch }.send_to(sender));
        Ok(ObjectReader { pieces, piece: Bytes::new(), is_whole: false })
    }

    /// Streams a byte range of this version of an object.
    pub(super) fn fetch_range(&self, object: &Object, range: Range<u64>) -> ByteStream {
        let request = self.request(&object.uri).set_version_id(object.version_id.clone());
        // A caller that has the checksum verifies the bytes itself.
        let request = request.set_checksum_mode(object.checksum.is_none().then_some(ChecksumMode::Enabled));
        let request = request.set_if_match(object.version.clone());
        let fetch = self.begin_fetch(request, &object.uri, range, object.size);
        try_unfold(fetch, async |mut fetch| Ok(fetch.next().await?.map(|piece| (piece, fetch)))).boxed()
    }

    fn begin_fetch(&self, request: GetObjectFluentBuilder, uri: &S3Uri, range: Range<u64>, size: u64) -> Fetch {
        let arn = arn::object(&self.region, uri);
        Fetch { arn, ..Fetch::new(request, uri, range, size) }
    }

    fn request(&self, uri: &S3Uri) -> GetObjectFluentBuilder {
        let request = self.client.get_object().bucket(uri.bucket()).key(uri.key());
        request.set_expected_bucket_owner(self.owner(uri.bucket()))
    }
}

/// Returns whether the object is missing. A missing bucket is another error, with hints.
fn is_missing(error: &SdkError<GetObjectError, HttpResponse>) -> bool {
    answer(error).is_some_and(|answer| answer.status == 404 && answer.code != "NoSuchBucket")
}

/// Download of a byte range.
struct Fetch {
    /// Request for the version of the first response.
    request: GetObjectFluentBuilder,
    uri: S3Uri,
    arn: String,
    /// Next byte, and end of the range.
    at: u64,
    end: u64,
    /// Size of the object.
    size: u64,
    /// `None` before the first piece, and after the transfer broke off.
    body: Option<SdkStream>,
    /// Checksum of a whole object over all resumptions. The SDK only verifies single responses.
    checking: Option<ChecksumVerifier>,
    /// Consecutive failures, and the position of the last one.
    failures: u32,
    failed_at: u64,
    /// Cause of the last failure.
    failure_cause: Option<String>,
}

impl Fetch {
    fn new(request: GetObjectFluentBuilder, uri: &S3Uri, range: Range<u64>, size: u64) -> Self {
        Self {
            request,
            uri: uri.clone(),
            arn: String::new(),
            at: range.start,
            end: range.end,
            size,
            body: None,
            checking: None,
            failures: 0,
            failed_at: range.start,
            failure_cause: None,
        }
    }

    /// Sends all pieces to a channel. Ends at the last piece, at an error, or when the receiver is gone.
    async fn send_to(mut self, pieces: Sender<io::Result<Bytes>>) {
        loop {
            let next = tokio::select! {
                next = self.next() => next,
                () = pieces.closed() => return,
            };
            let is_last = !matches!(next, Ok(Some(_)));
            // An empty piece marks the end.
            let piece = next.map(Option::unwrap_or_default).map_err(io::Error::other);
            if pieces.send(piece).await.is_err() || is_last {
                return;
            }
        }
    }

    /// Returns the next piece, or `None` at the end.
    async fn next(&mut self) -> CloudResult<Option<Bytes>> {
        loop {
            let mut body = match self.body.take() {
                Some(body) => body,
                None if self.at == self.end && self.size > 0 => return Ok(None),
                None => self.open().await?,
            };
            let why = match body.try_next().await {
                Ok(Some(piece)) if piece.is_empty() => {
                    self.body = Some(body);
                    continue;
                }
                Ok(Some(piece)) => {
                    self.advance(piece.len() as u64)?;
                    if let Some(checking) = &mut self.checking {
                        checking.update(&piece);
                    }
                    if self.at == self.end {
                        self.finish(body).await?;
                    } else {
                        self.body = Some(body);
                    }
                    return Ok(Some(piece));
                }
                Ok(None) if self.at == self.end => return self.check().map(|()| None),
                Ok(None) => "it ended early".to_owned(),
                Err(error) => innermost(&error),
            };
            self.wait(&why).await?;
        }
    }

    /// Reads the rest of the body before the last piece is returned, so that a bad checksum fails before the caller has
    /// all bytes.
    async fn finish(&mut self, mut body: SdkStream) -> CloudResult<()> {
        loop {
            match body.try_next().await {
                Ok(Some(more)) => self.advance(more.len() as u64)?,
                Ok(None) => return self.check(),
                Err(error) => return Err(self.broken(&innermost(&error))),
            }
        }
    }

    /// Counts received bytes. Fails if the service sends more than the range.
    fn advance(&mut self, length: u64) -> CloudResult<()> {
        if length > self.end - self.at {
            let uri = &self.uri;
            return Err(CloudError::Other(format!("could not fetch {uri}: S3 sends more bytes than were asked for")));
        }
        self.at += length;
        Ok(())
    }

    /// Waits before a resumption. Fails after too many failures without progress.
    async fn wait(&mut self, why: &str) -> CloudResult<()> {
        // An error of the whole, such as of its checksum, would repeat.
        if self.at >= self.end || self.failures == MAX_RESUMPTIONS {
            return Err(self.broken(why));
        }
        self.failures = if self.at >= self.failed_at + MIN_PROGRESS { 1 } else { self.failures + 1 };
        self.failed_at = self.at;
        self.failure_cause = Some(why.to_owned());
        sleep(FIRST_PAUSE * 2_u32.pow(self.failures)).await;
        Ok(())
    }

    fn check(&mut self) -> CloudResult<()> {
        if self.checking.take().is_none_or(ChecksumVerifier::finish) {
            return Ok(());
        }
        let uri = &self.uri;
        Err(CloudError::Other(format!("could not fetch {uri}: {ChecksumMismatch}")))
    }

    async fn open(&mut self) -> CloudResult<SdkStream> {
        let is_part = self.at > 0 || self.end < self.size;
        let range = is_part.then(|| format!("bytes={}-{}", self.at, self.end.saturating_sub(1)));
        let object = self.request.clone().set_range(range).send().await.map_err(|error| match answer(&error) {
            Some(answer) if matches!(answer.status, 404 | 412) => CloudError::Replaced(self.uri.to_string()),
            _ => call_error(&format!("fetch {}", self.uri), self.permission(), &error),
        })?;
        if !is_part {
            self.checking = head::whole_checksum(&object).map(ChecksumVerifier::new);
        }
        let from_there = format!("bytes {}-", self.at);
        match object.content_range {
            Some(range) if is_part && !range.starts_with(&from_there) => {
                Err(self.range_ignored(&format!("with another one, {range}")))
            }
            None if is_part => Err(self.range_ignored("without one")),
            _ => Ok(object.body),
        }
    }

    /// Returns the error for a response without the requested byte range. A transfer that broke off before is the
    /// reason for the request.
    fn range_ignored(&self, answer: &str) -> CloudError {
        let answered = format!("the service answers a request for a byte range {answer}");
        match &self.failure_cause {
            Some(why) => self.broken(&format!("{why}; it can't be resumed, since {answered}")),
            None => CloudError::Other(format!("could not fetch {}: {answered}", self.uri)),
        }
    }

    /// Returns the permission that the request needs. A request with a version id needs its own, even for the newest
    /// version.
    fn permission(&self) -> Permission<'_> {
        let action =
            if self.request.get_version_id().is_some() { "s3:GetObjectVersion" } else { GetObjectError::ACTION };
        Permission { action, resource: &self.arn }
    }

    fn broken(&self, why: &str) -> CloudError {
        CloudError::Other(format!(
            "could not fetch {}: broken off after {} of {} bytes: {why}",
            self.uri, self.at, self.size
        ))
    }
}

/// Blocking reader of a whole object.
pub(super) struct ObjectReader {
    pieces: Receiver<io::Result<Bytes>>,
    piece: Bytes,
    is_whole: bool,
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() && !self.is_whole {
            // The channel closes early if the event loop has ended.
            let next = self.pieces.blocking_recv();
            self.piece = next.unwrap_or_else(|| Err(io::Error::other("it was given up")))?;
            self.is_whole = self.piece.is_empty();
        }
        let length = self.piece.len().min(buffer.len());
        self.piece.copy_to_slice(buffer.get_mut(..length).expect("it is no longer than the buffer"));
        Ok(length)
    }
}
