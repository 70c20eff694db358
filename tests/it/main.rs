//! The binary, tested from outside: one file a command.

mod support;
mod submit;
