//! Checks what no section can check by itself: combinations of sections, the request's limits, images and files.

mod checks;
mod combinations;
mod files;
mod hyperparameters;
mod images;
mod inputs;
mod secrets;
mod service;

pub(crate) use checks::Checks;

/// Runs all checks on a decoded spec. Reads the disk; performs no network I/O.
pub(crate) fn validate(checks: &Checks<'_>) {
    combinations::check(checks);
    service::check(checks);
    hyperparameters::check(checks);
    secrets::check(checks);
    images::check(checks);
    inputs::check(checks);
    files::check(checks);
}
