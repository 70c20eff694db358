//! A local job's log: from the bytes of a pipe to lines in a file, without unmarked losses.
//!
//! [`lines`] splits the output into lines, [`spool`] keeps what has left the pipe until it is in the log, [`mod@file`] is
//! the log stream itself, [`recovery`] saves what a killed supervisor had not written, and [`note`] marks the log as
//! incomplete where the log itself can't.

pub(crate) mod file;
pub(crate) mod lines;
pub(crate) mod note;
pub(crate) mod recovery;
pub(crate) mod spool;
