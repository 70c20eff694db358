//! Fetching objects, whole or in stretches: what broke off, or came to a stop, is taken up where it did. What does not come
//! whole ends in an error, never in silence.

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
use crate::cloud::aws::error::{Permission, Permitted, answer, innermost, refused};
use crate::cloud::{ByteStream, CloudError, CloudResult, Object};
use crate::model::S3Uri;
use crate::model::checksum::{ChecksumMismatch, ChecksumVerifier};

/// How many pieces, of some ten to hundred KiB, wait for the reader.
const AHEAD: usize = 16;
/// How often an object that breaks off is taken up again without [`PROGRESS`] bytes between, and the first wait before it.
/// Each wait is twice the one before.
const RESUMES: u32 = 6;
const PROGRESS: u64 = 1024 * 1024;
const FIRST_WAIT: Duration = Duration::from_millis(100);

impl AwsObjects {
    /// A whole object, as a task brings it to a reader on a blocking thread.
    pub(super) async fn fetch(&self, uri: &S3Uri) -> CloudResult<ObjectReader> {
        let request = self.request(uri).checksum_mode(ChecksumMode::Enabled);
        let object = match request.clone().send().await {
            Ok(object) => object,
            Err(error) if is_missing(&error) => return Err(CloudError::NotFound(uri.to_string())),
            Err(error) => return Err(self.failure(&format!("fetch {uri}"), uri, &error)),
        };
        let size = size(uri, object.content_length)?;
        let checking = head::of_whole(&object).map(ChecksumVerifier::new);
        let fetch = self.begin_fetch(request.set_if_match(object.e_tag), uri, 0..size, size);
        let (pieces, comes) = channel(AHEAD);
        tokio::spawn(Fetch { body: Some(object.body), checking, ..fetch }.bring(pieces));
        Ok(ObjectReader { comes, piece: Bytes::new(), is_whole: false })
    }

    /// A stretch of this version of an object, brought as it is asked for.
    pub(super) fn fetch_range(&self, object: &Object, range: Range<u64>) -> ByteStream {
        let request = self.request(&object.uri).set_version_id(object.version_id.clone());
        // Who knows the checksum holds the bytes against it.
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

/// A bucket that is missing is told apart: there is something to do about it.
fn is_missing(error: &SdkError<GetObjectError, HttpResponse>) -> bool {
    answer(error).is_some_and(|answer| answer.status == 404 && answer.code != "NoSuchBucket")
}

/// A stretch of an object on its way.
struct Fetch {
    /// For no other version of the object than the first one.
    request: GetObjectFluentBuilder,
    uri: S3Uri,
    arn: String,
    /// What comes next, and where the stretch ends.
    at: u64,
    end: u64,
    /// Of the object.
    size: u64,
    /// None before the first piece, and where it broke off.
    body: Option<SdkStream>,
    /// Of an object that comes whole, however often it breaks off: the SDK looks only at what comes at once.
    checking: Option<ChecksumVerifier>,
    /// How often it broke off, and where it did last.
    failures: u32,
    broke_off_at: u64,
    /// Why it broke off last.
    broke_off_by: Option<String>,
}

impl Fetch {
    fn new(request: GetObjectFluentBuilder, uri: &S3Uri, range: Range<u64>, size: u64) -> Self {
        let (at, end) = (range.start, range.end);
        let (uri, arn, body, checking, failures) = (uri.clone(), String::new(), None, None, 0);
        Self { request, uri, arn, at, end, size, body, checking, failures, broke_off_at: at, broke_off_by: None }
    }

    /// Passes all pieces on. Ends when all is there, when nothing more can be had, or when nobody reads any more.
    async fn bring(mut self, pieces: Sender<io::Result<Bytes>>) {
        loop {
            let next = tokio::select! {
                next = self.next() => next,
                () = pieces.closed() => return,
            };
            let is_last = !matches!(next, Ok(Some(_)));
            // An empty piece is the end.
            let piece = next.map(Option::unwrap_or_default).map_err(io::Error::other);
            if pieces.send(piece).await.is_err() || is_last {
                return;
            }
        }
    }

    /// The next piece; none at the end.
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

    /// Reads to the end of the body before its last piece is passed on: whoever has that needs no more.
    async fn finish(&mut self, mut body: SdkStream) -> CloudResult<()> {
        loop {
            match body.try_next().await {
                Ok(Some(more)) => self.advance(more.len() as u64)?,
                Ok(None) => return self.check(),
                Err(error) => return Err(self.broken(&innermost(&error))),
            }
        }
    }

    /// Nothing is taken of what comes behind the stretch.
    fn advance(&mut self, length: u64) -> CloudResult<()> {
        if length > self.end - self.at {
            let uri = &self.uri;
            return Err(CloudError::Other(format!("could not fetch {uri}: S3 sends more bytes than were asked for")));
        }
        self.at += length;
        Ok(())
    }

    /// Before it is taken up again.
    async fn wait(&mut self, why: &str) -> CloudResult<()> {
        // What is wrong with all of it, like a checksum, is not mended by that.
        if self.at >= self.end || self.failures == RESUMES {
            return Err(self.broken(why));
        }
        self.failures = if self.at >= self.broke_off_at + PROGRESS { 1 } else { self.failures + 1 };
        self.broke_off_at = self.at;
        self.broke_off_by = Some(why.to_owned());
        sleep(FIRST_WAIT * 2_u32.pow(self.failures)).await;
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
            _ => refused(&format!("fetch {}", self.uri), self.permission(), &error),
        })?;
        if !is_part {
            self.checking = head::of_whole(&object).map(ChecksumVerifier::new);
        }
        let from_there = format!("bytes {}-", self.at);
        match object.content_range {
            Some(range) if is_part && !range.starts_with(&from_there) => {
                Err(self.not_resumed(&format!("with another one, {range}")))
            }
            None if is_part => Err(self.not_resumed("without one")),
            _ => Ok(object.body),
        }
    }

    /// The error of a service that answers a request for a byte range with something else. A body that broke off before is
    /// why the range was requested.
    fn not_resumed(&self, answer: &str) -> CloudError {
        let answered = format!("the service answers a request for a byte range {answer}");
        match &self.broke_off_by {
            Some(why) => self.broken(&format!("{why}; it can't be resumed, since {answered}")),
            None => CloudError::Other(format!("could not fetch {}: {answered}", self.uri)),
        }
    }

    /// Old versions take a permission of their own, and so does the newest where its id is given.
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

/// The object's bytes, for a blocking thread.
pub(super) struct ObjectReader {
    comes: Receiver<io::Result<Bytes>>,
    piece: Bytes,
    is_whole: bool,
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() && !self.is_whole {
            // Nothing more comes where the event loop has ended.
            let next = self.comes.blocking_recv();
            self.piece = next.unwrap_or_else(|| Err(io::Error::other("it was given up")))?;
            self.is_whole = self.piece.is_empty();
        }
        let length = self.piece.len().min(buffer.len());
        self.piece.copy_to_slice(buffer.get_mut(..length).unwrap_or_default());
        Ok(length)
    }
}
