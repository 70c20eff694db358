//! The binary, tested from outside: one file a command.

mod architecture;
mod completions;
mod describe;
mod download;
mod emulator;
mod help;
mod history;
mod history_aws;
mod init;
mod logs;
mod places;
mod readme;
mod requirements;
mod robust;
mod sagemaker;
mod script;
mod settings;
mod shell;
mod stop;
mod submit;
mod support;
mod terminal;
mod toolkit;
mod uploads;
mod validate;
mod wait;
