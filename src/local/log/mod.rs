//! A local job's log: from the bytes of a pipe to lines in a file, with nothing lost unmarked.
//!
//! [`lines`] cuts the output into lines, [`spool`] keeps what has left the pipe until it is written, [`file`] is the log
//! stream itself, [`recovery`] saves what a killed supervisor had not written, and [`note`] says where the log is incomplete.

pub(crate) mod file;
pub(crate) mod lines;
pub(crate) mod note;
pub(crate) mod recovery;
pub(crate) mod spool;
