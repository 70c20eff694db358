//! Programs that are asked something, the process table of `/proc`, and the processes of a job that outlived its supervisor.

pub(crate) mod answer;
pub(crate) mod survivors;
pub(crate) mod table;
