//! Bounds of what a service answers: how much of it is read, and how slowly it may come.
//!
//! Answers are read whole before anything is made of them, so a service, or whoever stands for it, could fill the memory or
//! hold a command for ever. Objects are not gathered: only the pace counts for their bodies.

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

/// The services' own largest pages have a few MiB.
const MOST_MIB: u64 = 64;
/// While an answer is waited for, so many bytes must come in each such time: 34 bytes a second, which the slowest line has.
const LEAST: u64 = 1024;
const WINDOW: Duration = Duration::from_secs(30);
/// Its answers are objects.
const OBJECT: &str = "GetObject";

/// For each client: an interceptor, and the classifier that knows its errors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    least: u64,
    window: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { least: LEAST, window: WINDOW }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the answer has more than {MOST_MIB} MiB")]
struct TooMuch;

#[derive(Debug, thiserror::Error)]
#[error("the answer comes too slowly, less than {least} bytes in {} s", window.as_secs())]
struct TooSlow {
    least: u64,
    window: Duration,
}

impl Intercept for Bounds {
    fn name(&self) -> &'static str {
        "bound the answer"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let is_of_objects = config.load::<Metadata>().is_some_and(|call| call.name() == OBJECT);
        let is_object = is_of_objects && context.response().status().is_success();
        let most = if is_object { u64::MAX } else { MOST_MIB * 1024 * 1024 };
        if context.response().body().content_length().is_some_and(|length| length > most) {
            return Err(TooMuch.into());
        }
        let body = std::mem::replace(context.response_mut().body_mut(), SdkBody::taken());
        *context.response_mut().body_mut() = SdkBody::from_body_1_x(BoundedBody::new(body, most, *self));
        Ok(())
    }
}

/// Marks an answer that exceeds a limit as not to be retried: it would exceed it again.
impl ClassifyRetry for Bounds {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        if error.is_some_and(|error| is_too_much(error)) {
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

fn is_too_much(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<TooMuch>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// A body that fails once it is longer, or comes more slowly, than it may.
struct BoundedBody {
    inner: SdkBody,
    bounds: Bounds,
    /// How much more of it may come.
    left: u64,
    /// What came, and for how long was waited, since the pace was last looked at. Only waiting counts: whoever reads may take
    /// as long as they like.
    came: u64,
    waited: Duration,
    waiting_since: Option<Instant>,
    alarm: Pin<Box<Sleep>>,
}

impl BoundedBody {
    fn new(inner: SdkBody, most: u64, bounds: Bounds) -> Self {
        let alarm = Box::pin(sleep_until(Instant::now()));
        Self { inner, bounds, left: most, came: 0, waited: Duration::ZERO, waiting_since: None, alarm }
    }

    fn stop_waiting(&mut self) {
        if let Some(since) = self.waiting_since.take() {
            self.waited += since.elapsed();
        }
    }

    fn take(&mut self, frame: &Frame<Bytes>) -> Result<(), BoxError> {
        self.stop_waiting();
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        self.came += length;
        self.left = self.left.checked_sub(length).ok_or(TooMuch)?;
        self.check_pace()
    }

    fn check_pace(&mut self) -> Result<(), BoxError> {
        let Bounds { least, window } = self.bounds;
        if self.waited < window {
            return Ok(());
        }
        if self.came < least {
            return Err(TooSlow { least, window }.into());
        }
        self.came = 0;
        self.waited = Duration::ZERO;
        Ok(())
    }

    /// Nothing has come. Ready with an error once that has been so for too long.
    fn poll_alarm(&mut self, context: &mut Context<'_>) -> Poll<BoxError> {
        loop {
            if self.waiting_since.is_none() {
                let now = Instant::now();
                self.waiting_since = Some(now);
                self.alarm.as_mut().reset(now + self.bounds.window.saturating_sub(self.waited));
            }
            ready!(self.alarm.as_mut().poll(context));
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
            Poll::Pending => this.poll_alarm(context).map(|error| Some(Err(error))),
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

    /// So many bytes at a time, after each such pause, a number of times.
    struct Paced {
        piece: usize,
        pause: Duration,
        left: usize,
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
            if this.left == 0 {
                return Poll::Ready(None);
            }
            ready!(this.next.as_mut().poll(context));
            this.left -= 1;
            this.next.as_mut().reset(Instant::now() + this.pause);
            Poll::Ready(Some(Ok(Frame::data(vec![0; this.piece].into()))))
        }
    }

    /// Reads a body of pieces that come one after the other: how it ended, and when.
    async fn read(piece: usize, pause: u64, count: usize) -> (Result<usize, String>, Duration) {
        let pause = Duration::from_secs(pause);
        let next = Box::pin(sleep_until(Instant::now() + pause));
        let paced = SdkBody::from_body_1_x(Paced { piece, pause, left: count, next });
        let body = BoundedBody::new(paced, MOST_MIB * 1024 * 1024, Bounds::default());
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
        // A line that is away for a while.
        assert_eq!(read(64 * 1024, 25, 20).await.0, Ok(20 * 64 * 1024));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_without_end_ends() {
        let (much, _) = read(1024 * 1024, 0, usize::MAX).await;
        assert!(much.is_err_and(|error| error.contains("more than 64 MiB")));
    }

    /// The disk, or a pipe, may be slower than the line.
    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_is_not_taken_for_who_sends_slowly() -> Result<(), BoxError> {
        let paced = Paced { piece: 10, pause: Duration::ZERO, left: 20, next: Box::pin(sleep_until(Instant::now())) };
        let body = BoundedBody::new(SdkBody::from_body_1_x(paced), u64::MAX, Bounds::default());
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
