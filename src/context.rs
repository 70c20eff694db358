//! What a command is given to work with.

use tokio_util::sync::CancellationToken;

use crate::cloud::Cloud;
use crate::error::{Error, Kind, Result};
use crate::ui::Ui;

pub(crate) struct Context {
    pub(crate) ui: Ui,
    /// The jobs of this computer.
    pub(crate) cloud: Cloud,
    /// `--local` was given.
    pub(crate) local: bool,
}

impl Context {
    /// Cancelled by Ctrl-C. From the first call on, Ctrl-C no longer ends the process by itself.
    pub(crate) fn interrupt(&self) -> CancellationToken {
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
    pub(crate) async fn unless_interrupted<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let interrupt = self.interrupt();
        tokio::select! {
            outcome = work => outcome,
            () = interrupt.cancelled() => Err(Error::new(Kind::Interrupted, "interrupted")),
        }
    }
}
