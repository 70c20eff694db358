//! Processes of this computer: the table in `/proc`, and those of a job that outlived its supervisor.

pub(crate) mod survivors;
pub(crate) mod table;
