//! Jobs on AWS, as the emulator plays it over HTTP.

mod download;
mod emulator;
mod history;
mod jobs;
mod logs;
mod uploads;
