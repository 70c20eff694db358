//! Fetching an object: a task brings its bytes, and takes up again where the connection broke off or came to a stop; a reader
//! on a blocking thread takes them from it. What does not come whole ends in an error, never in silence.

use std::io::{self, Read};
use std::time::Duration;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::sleep;
use tokio_util::bytes::{Buf, Bytes};

use super::{AwsObjects, size};
use crate::cloud::aws::error::{answer, innermost, service_error};
use crate::cloud::{CloudError, CloudResult};
use crate::model::S3Uri;

/// How many pieces, of some ten to hundred KiB, wait for the reader.
const AHEAD: usize = 16;
/// How often an object that breaks off is taken up again without [`PROGRESS`] bytes between, and the first wait before it.
/// Each wait is twice the one before.
const RESUMES: u32 = 6;
const PROGRESS: u64 = 1024 * 1024;
const FIRST_WAIT: Duration = Duration::from_millis(100);

impl AwsObjects {
    pub(super) async fn fetch(&self, uri: &S3Uri) -> CloudResult<Fetched> {
        let request = self.client.get_object().bucket(uri.bucket()).key(uri.key());
        let request = request.set_expected_bucket_owner(self.owner(uri.bucket()));
        let object = match request.clone().send().await {
            Ok(object) => object,
            Err(error) if is_missing(&error) => return Err(CloudError::NotFound(uri.to_string())),
            Err(error) => return Err(self.failure(&format!("fetch {uri}"), uri.bucket(), &error)),
        };
        let request = request.set_if_match(object.e_tag.clone());
        let (pieces, comes) = channel(AHEAD);
        let fetch = Fetch { request, uri: uri.clone(), size: size(object.content_length), at: 0, pieces };
        tokio::spawn(fetch.run(object.body));
        Ok(Fetched { comes, piece: Bytes::new(), is_whole: false })
    }
}

/// A bucket that is missing is told apart: there is something to do about it.
fn is_missing(error: &SdkError<GetObjectError, HttpResponse>) -> bool {
    answer(error).is_some_and(|answer| answer.status == 404 && answer.code != "NoSuchBucket")
}

/// An object on its way.
struct Fetch {
    /// For no other version of the object than the first one.
    request: GetObjectFluentBuilder,
    uri: S3Uri,
    /// In bytes.
    size: u64,
    at: u64,
    pieces: Sender<io::Result<Bytes>>,
}

impl Fetch {
    /// Ends when all is there, when nothing more can be had, or when nobody reads any more.
    async fn run(mut self, body: ByteStream) {
        let pieces = self.pieces.clone();
        tokio::select! {
            outcome = self.bring(body) => {
                // An empty piece is the end.
                let _gone = pieces.send(outcome.map(|()| Bytes::new()).map_err(io::Error::other)).await;
            }
            () = pieces.closed() => {}
        }
    }

    async fn bring(&mut self, mut body: ByteStream) -> CloudResult<()> {
        let (mut failures, mut resumed_at) = (0, 0);
        loop {
            let broke_off = self.pass_on(&mut body).await;
            match broke_off {
                None if self.at == self.size => return Ok(()),
                Some(why) if self.at >= self.size || failures == RESUMES => return Err(self.broken(&why)),
                None if failures == RESUMES => return Err(self.broken("it ended early")),
                _ => {}
            }
            failures = if self.at >= resumed_at + PROGRESS { 1 } else { failures + 1 };
            resumed_at = self.at;
            sleep(FIRST_WAIT * 2_u32.pow(failures)).await;
            body = self.resume().await?;
        }
    }

    /// Passes on what comes, and tells why it broke off.
    async fn pass_on(&mut self, body: &mut ByteStream) -> Option<String> {
        loop {
            match body.try_next().await {
                Ok(Some(piece)) if piece.is_empty() => {}
                Ok(Some(piece)) => {
                    self.at += piece.len() as u64;
                    // A reader that has gone ends the task.
                    let _gone = self.pieces.send(Ok(piece)).await;
                }
                Ok(None) => return None,
                Err(error) => return Some(innermost(&error)),
            }
        }
    }

    async fn resume(&self) -> CloudResult<ByteStream> {
        let request = self.request.clone().range(format!("bytes={}-", self.at));
        let object = request.send().await.map_err(|error| match answer(&error) {
            Some(answer) if matches!(answer.status, 404 | 412) => self.broken("it was replaced or removed meanwhile"),
            _ => service_error(&format!("fetch {}", self.uri), &error),
        })?;
        let from_there = format!("bytes {}-", self.at);
        if object.content_range.is_some_and(|range| range.starts_with(&from_there)) {
            return Ok(object.body);
        }
        Err(self.broken("the service does not send parts of objects"))
    }

    fn broken(&self, why: &str) -> CloudError {
        CloudError::Other(format!(
            "could not fetch {}: broken off after {} of {} bytes: {why}",
            self.uri, self.at, self.size
        ))
    }
}

/// The object's bytes, for a blocking thread.
pub(super) struct Fetched {
    comes: Receiver<io::Result<Bytes>>,
    piece: Bytes,
    is_whole: bool,
}

impl Read for Fetched {
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
