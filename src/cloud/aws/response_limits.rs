//! Limits on the size and the pace of responses.
//!
//! The SDK reads responses into memory before it parses them. Without limits, a service, or a proxy in its place, could
//! exhaust the memory or block a command forever. [`ResponseLimits`] wraps each response body: it fails once the body
//! exceeds [`MAX_RESPONSE_MIB`], or while it arrives slower than [`MIN_BYTES`] per [`WINDOW`] of waiting. The bodies of
//! objects are streamed, so that only the pace is limited. Time in which the reader doesn't poll is not counted.

use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};
use aws_smithy_types::body::SdkBody;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::bytes::Bytes;

/// Maximum size of a response, in MiB. The largest pages of the services have a few MiB.
const MAX_RESPONSE_MIB: u64 = 64;
/// Minimum number of bytes per [`WINDOW`] of waiting: 34 bytes/s, below the slowest usable connection.
const MIN_BYTES: u64 = 1024;
const WINDOW: Duration = Duration::from_secs(30);
/// Operation whose successful responses are objects.
const OBJECT_OPERATION: &str = "GetObject";

/// Interceptor that limits responses, and classifier that forbids retries of those that are too large. Each client
/// needs both.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResponseLimits {
    min_bytes: u64,
    window: Duration,
}

impl Default for ResponseLimits {
    fn default() -> Self {
        Self { min_bytes: MIN_BYTES, window: WINDOW }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the answer has more than {MAX_RESPONSE_MIB} MiB")]
struct TooLarge;

#[derive(Debug, thiserror::Error)]
#[error("the answer arrives too slowly, less than {min_bytes} bytes in {} s", window.as_secs())]
struct TooSlow {
    min_bytes: u64,
    window: Duration,
}

impl Intercept for ResponseLimits {
    fn name(&self) -> &'static str {
        "bound the answer"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let is_get_object = config.load::<Metadata>().is_some_and(|call| call.name() == OBJECT_OPERATION);
        let is_object = is_get_object && context.response().status().is_success();
        let max_bytes = if is_object { u64::MAX } else { MAX_RESPONSE_MIB * 1024 * 1024 };
        if context.response().body().content_length().is_some_and(|length| length > max_bytes) {
            return Err(TooLarge.into());
        }
        let body = std::mem::replace(context.response_mut().body_mut(), SdkBody::taken());
        *context.response_mut().body_mut() = SdkBody::from_body_1_x(BoundedBody::new(body, max_bytes, *self));
        Ok(())
    }
}

/// Forbids the retry of a response that is too large: it would be too large again.
impl ClassifyRetry for ResponseLimits {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        if error.is_some_and(|error| is_too_large(error)) {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "give up an answer that is too large"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

fn is_too_large(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<TooLarge>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// Response body that fails if it is too large or too slow.
struct BoundedBody {
    inner: SdkBody,
    bounds: ResponseLimits,
    /// Bytes that may still arrive.
    remaining: u64,
    /// Bytes received, and time waited, since the pace was last checked. Only time in which the reader waits counts.
    received: u64,
    waited: Duration,
    waiting_since: Option<Instant>,
    deadline: Pin<Box<Sleep>>,
}

impl BoundedBody {
    fn new(inner: SdkBody, max_bytes: u64, bounds: ResponseLimits) -> Self {
        let deadline = Box::pin(sleep_until(Instant::now()));
        Self { inner, bounds, remaining: max_bytes, received: 0, waited: Duration::ZERO, waiting_since: None, deadline }
    }

    fn stop_waiting(&mut self) {
        if let Some(since) = self.waiting_since.take() {
            self.waited += since.elapsed();
        }
    }

    fn take(&mut self, frame: &Frame<Bytes>) -> Result<(), BoxError> {
        self.stop_waiting();
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        self.received += length;
        self.remaining = self.remaining.checked_sub(length).ok_or(TooLarge)?;
        self.check_pace()
    }

    fn check_pace(&mut self) -> Result<(), BoxError> {
        let ResponseLimits { min_bytes, window } = self.bounds;
        if self.waited < window {
            return Ok(());
        }
        if self.received < min_bytes {
            return Err(TooSlow { min_bytes, window }.into());
        }
        self.received = 0;
        self.waited = Duration::ZERO;
        Ok(())
    }

    /// Polls the timer while no data is available. Ready with an error once the body is too slow.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<BoxError> {
        loop {
            if self.waiting_since.is_none() {
                let now = Instant::now();
                self.waiting_since = Some(now);
                self.deadline.as_mut().reset(now + self.bounds.window.saturating_sub(self.waited));
            }
            ready!(self.deadline.as_mut().poll(context));
            self.stop_waiting();
            if let Err(error) = self.check_pace() {
                return Poll::Ready(error);
            }
        }
    }
}

impl Body for BoundedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.inner).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(this.take(&frame).map(|()| frame))),
            Poll::Pending => this.poll_deadline(context).map(|error| Some(Err(error))),
            end @ Poll::Ready(_) => end,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::byte_stream::ByteStream;

    use super::*;

    /// A body of `remaining` pieces, each after a pause.
    struct Paced {
        piece: usize,
        pause: Duration,
        remaining: usize,
        next: Pin<Box<Sleep>>,
    }

    impl Body for Paced {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
            let this = self.get_mut();
            if this.remaining == 0 {
                return Poll::Ready(None);
            }
            ready!(this.next.as_mut().poll(context));
            this.remaining -= 1;
            this.next.as_mut().reset(Instant::now() + this.pause);
            Poll::Ready(Some(Ok(Frame::data(vec![0; this.piece].into()))))
        }
    }

    /// Reads a body of pieces with a pause (in seconds) before each. Returns the number of bytes or the error, and the
    /// time.
    async fn read(piece: usize, pause: u64, count: usize) -> (Result<usize, String>, Duration) {
        let pause = Duration::from_secs(pause);
        let next = Box::pin(sleep_until(Instant::now() + pause));
        let paced = SdkBody::from_body_1_x(Paced { piece, pause, remaining: count, next });
        let body = BoundedBody::new(paced, MAX_RESPONSE_MIB * 1024 * 1024, ResponseLimits::default());
        let start = Instant::now();
        let read = ByteStream::new(SdkBody::from_body_1_x(body)).collect().await;
        let text = |error: &dyn StdError| error.source().map_or_else(|| error.to_string(), ToString::to_string);
        (read.map(|read| read.into_bytes().len()).map_err(|error| text(&error)), start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_of_a_byte_in_five_seconds_ends_and_a_slow_line_does_not() {
        let (slow, took) = read(1, 5, 1_000_000).await;
        assert!(slow.is_err_and(|error| error.contains("too slowly")) && took <= 2 * WINDOW, "{took:?}");
        let (nothing, took) = read(1, 1_000_000, 1).await;
        assert!(nothing.is_err() && took <= WINDOW, "{took:?}");
        // Each of many connections that share a line of 8 kB/s.
        assert_eq!(read(1500, 3, 2000).await.0, Ok(3_000_000));
        // A connection that pauses.
        assert_eq!(read(64 * 1024, 25, 20).await.0, Ok(20 * 64 * 1024));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_without_end_ends() {
        let (much, _) = read(1024 * 1024, 0, usize::MAX).await;
        assert!(much.is_err_and(|error| error.contains("more than 64 MiB")));
    }

    /// A disk or pipe may be slower than the network.
    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_is_not_taken_for_who_sends_slowly() -> Result<(), BoxError> {
        let paced =
            Paced { piece: 10, pause: Duration::ZERO, remaining: 20, next: Box::pin(sleep_until(Instant::now())) };
        let body = BoundedBody::new(SdkBody::from_body_1_x(paced), u64::MAX, ResponseLimits::default());
        let mut stream = ByteStream::new(SdkBody::from_body_1_x(body));
        let mut pieces = 0;
        while stream.try_next().await?.is_some() {
            pieces += 1;
            tokio::time::sleep(WINDOW).await;
        }
        assert_eq!(pieces, 20);
        Ok(())
    }
}
