//! Gzip: a deterministic parallel writer, and reading member by member, on several threads or one.
//!
//! [`writer`] compresses blocks on several threads into bytes that depend on the content alone. [`members`] finds where
//! one gzip member ends and the next begins. [`parallel`] inflates a single member on several threads. [`read_ahead`]
//! moves a reader to a thread of its own.

pub(super) mod members;
pub(super) mod parallel;
pub(super) mod read_ahead;
pub(super) mod writer;
