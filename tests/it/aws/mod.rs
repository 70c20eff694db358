//! Jobs on AWS, as the emulator plays it over HTTP.

mod callers;
mod credentials;
mod described;
mod download;
mod emulator;
mod encryption;
mod history;
mod jobs;
mod local_inputs;
mod logs;
mod network;
mod newest;
mod profiles;
mod unknown_status;
mod unseen_end;
mod uploads;
