//! Reads and checks job specs, and builds the CreateTrainingJob request. Reads files; performs no network I/O.
//!
//! The modules are the stages that [`load()`] runs. A spec's text is parsed into a tree that keeps the span of every key
//! and value, with the command line's overrides merged over it ([`document`]) and the settings below it ([`settings`]).
//! One table has every key with its kind and limits ([`schema`]), by which the tree is decoded into a [`spec::JobSpec`]
//! ([`decode`]). [`validate`] checks what no section can check by itself, and [`request`] builds the request. The
//! problems of all stages are collected in one report ([`diagnostics`]).

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
