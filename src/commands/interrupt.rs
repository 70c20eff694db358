//! Turns Ctrl-C (SIGINT) into cancellation.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::error::{Error, ErrorKind, Result};

/// Returns a token that Ctrl-C cancels. From the first call on, Ctrl-C no longer ends the process by itself.
pub(crate) fn interrupt() -> CancellationToken {
    let interrupt = CancellationToken::new();
    let pressed = interrupt.clone();
    // Registered here, before the task first runs.
    if let Ok(mut signals) = signal(SignalKind::interrupt()) {
        tokio::spawn(async move {
            if signals.recv().await.is_some() {
                pressed.cancel();
            }
        });
    }
    interrupt
}

/// Runs work until Ctrl-C, which drops it and returns an error of kind `Interrupted`.
pub(crate) async fn unless_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let interrupt = interrupt();
    tokio::select! {
        outcome = work => outcome,
        () = interrupt.cancelled() => Err(Error::new(ErrorKind::Interrupted, "interrupted")),
    }
}
