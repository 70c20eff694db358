//! Jobs on this computer: processes, packages, and what happens when either is killed.

mod editable;
pub(crate) mod requirements;
pub(crate) mod robust;
pub(crate) mod script;
