//! What a command is given to work with.

use crate::cloud::Cloud;
use crate::ui::Ui;

pub(crate) struct Context {
    pub(crate) ui: Ui,
    /// The jobs of this computer.
    pub(crate) cloud: Cloud,
    /// `--local` was given.
    pub(crate) local: bool,
}
