//! Hostile surroundings: strangers' projects, settings, archives, buckets, services and processes. Each file tests one
//! promise of `docs/security.md`.

mod answers;
mod bounds;
mod damaged;
mod log_gaps;
mod models;
mod profiles;
mod projects;
mod refused;
mod rights;
mod secrets;
mod settings;
mod stopping;
mod stored;
mod terminal;
