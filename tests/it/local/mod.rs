//! Jobs on this computer: processes, packages, and what happens when either is killed.

mod editable;
mod host;
mod installer;
pub(crate) mod requirements;
pub(crate) mod robust;
pub(crate) mod script;
mod torchrun;
