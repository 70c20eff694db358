//! Deterministic tar.gz out, safe and streaming tar.gz in. Blocking, and without a word to the user: callers report.

mod ahead;
mod data;
mod entries;
mod entry_point;
mod error;
mod folder;
mod gunzip;
mod gzip;
mod handle;
mod inside;
mod look;
mod members;
mod named;
mod never;
mod pack;
mod pax;
mod project;
mod read;
mod rules;
mod secrets;
mod sparse;
mod tape;
mod tarball;
mod unpack;
mod walk;

pub(crate) use data::{DataEntry, DataError, DataTree, list_data};
pub(crate) use entries::Limits;
pub(crate) use error::{PackError, UnpackError};
pub(crate) use folder::pack_folder;
pub(crate) use handle::{Handle, is_folder};
pub(crate) use look::{check, list, pick};
pub(crate) use pack::{Packed, SourceTree, check_source, pack_source};
pub(crate) use project::Project;
pub(crate) use secrets::{Finding, Scanning};
pub(crate) use unpack::{Unpacked, Unpacking, unpack, unpack_in};
