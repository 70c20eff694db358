//! What only shows when sections are seen together, or when the disk is looked at.

mod checks;
mod combinations;
mod files;
mod hyperparameters;
mod images;
mod inputs;
mod secrets;

pub(crate) use checks::Checks;

/// Runs every check that takes more than one section, or the disk.
pub(crate) fn validate(checks: &Checks<'_>) {
    combinations::check(checks);
    hyperparameters::check(checks);
    secrets::check(checks);
    images::check(checks);
    inputs::check(checks);
    files::check(checks);
}
