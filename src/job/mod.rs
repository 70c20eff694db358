//! The job spec: reading it, checking it, and building the CreateTrainingJob request from it. Pure, but for reading files.
//!
//! The rooms stand in the order of the stages, and [`load`] walks through them. A spec's text becomes a tree that keeps the
//! span of every key and value, with the command line's overrides laid over it ([`document`]) and the settings under it
//! ([`settings`]). The keys that there are, with their kinds and limits, are one table ([`schema`]), by which the tree is
//! decoded ([`decode`]) into a [`spec::JobSpec`]. [`validate`] checks what no single section can, and [`request`] builds the
//! request. Problems found on the way are collected in one report ([`diagnostics`]).

pub(crate) mod decode;
pub(crate) mod diagnostics;
mod document;
mod load;
pub(crate) mod request;
pub(crate) mod schema;
mod settings;
pub(crate) mod spec;
mod validate;

#[cfg(test)]
mod tests;

pub(crate) use document::overrides::Override;
pub(crate) use load::{LoadOptions, Loaded, load};
pub(crate) use settings::{Layer, Layers, Origin, Setting, VARIABLES};
