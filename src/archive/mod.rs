//! Deterministic tar.gz out, safe and streaming tar.gz in. Blocking, and without a word to the user: callers report.

mod ahead;
mod entries;
mod error;
mod folder;
mod gunzip;
mod gzip;
mod inside;
mod look;
mod members;
mod never;
mod pack;
mod pax;
mod read;
mod rules;
mod sparse;
mod tape;
mod tarball;
mod unpack;
mod walk;

pub(crate) use entries::Limits;
pub(crate) use error::{PackError, UnpackError};
pub(crate) use folder::pack_folder;
pub(crate) use look::{check, list, pick};
pub(crate) use pack::{Packed, SourceTree, pack_source};
pub(crate) use unpack::{Unpacked, Unpacking, unpack};
