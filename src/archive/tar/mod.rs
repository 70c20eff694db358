//! The tar format: a strict reader of ustar, pax, GNU and sparse members, and a writer whose bytes depend on the content
//! alone.
//!
//! [`reader`] refuses whatever two implementations could read differently; `docs/decisions/strict-tar.md` says why.

pub(super) mod error;
pub(super) mod pax;
pub(super) mod reader;
pub(super) mod sparse;
pub(super) mod writer;
