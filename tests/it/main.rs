//! The binary, tested from outside: one file a command.

mod aws;
mod commands;
mod contract;
mod hostile;
mod local;
mod repo;
mod support;
