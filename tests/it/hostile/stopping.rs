//! `stop` stops a job whatever state its files and processes are in.
