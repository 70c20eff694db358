//! Ctrl-C.

use tokio_util::sync::CancellationToken;

use crate::error::{Error, Kind, Result};

/// Cancelled by Ctrl-C. From the first call on, Ctrl-C no longer ends the process by itself.
pub(crate) fn interrupt() -> CancellationToken {
    let interrupt = CancellationToken::new();
    let pressed = interrupt.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            pressed.cancel();
        }
    });
    interrupt
}

/// Gives work up on Ctrl-C, so that what it holds is put away.
pub(crate) async fn unless_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let interrupt = interrupt();
    tokio::select! {
        outcome = work => outcome,
        () = interrupt.cancelled() => Err(Error::new(Kind::Interrupted, "interrupted")),
    }
}
