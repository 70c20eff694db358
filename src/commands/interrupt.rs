//! Ctrl-C.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::error::{Error, ErrorKind, Result};

/// Cancelled by Ctrl-C. From the first call on, Ctrl-C no longer ends the process by itself.
pub(crate) fn interrupt() -> CancellationToken {
    let interrupt = CancellationToken::new();
    let pressed = interrupt.clone();
    // Listened to from here on, not only once the task has its first turn.
    if let Ok(mut signals) = signal(SignalKind::interrupt()) {
        tokio::spawn(async move {
            if signals.recv().await.is_some() {
                pressed.cancel();
            }
        });
    }
    interrupt
}

/// Gives work up on Ctrl-C, so that what it holds is put away.
pub(crate) async fn unless_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let interrupt = interrupt();
    tokio::select! {
        outcome = work => outcome,
        () = interrupt.cancelled() => Err(Error::new(ErrorKind::Interrupted, "interrupted")),
    }
}
