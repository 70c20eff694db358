//! The tar format: a strict reader of ustar, pax, GNU and sparse entries, and a writer whose bytes depend on the
//! content alone.
//!
//! [`reader`] refuses whatever two implementations could read differently; `docs/decisions/strict-tar.md` says why.

mod block;
mod pax;
pub(super) mod reader;
mod sparse;
pub(super) mod writer;
