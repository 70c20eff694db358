//! tar.gz archives: packs deterministically, unpacks safely, and searches for secrets.
//!
//! Everything here blocks and streams, and prints nothing: callers report.

mod error;
mod gzip;
mod handle;
mod pack;
mod read_error;
mod secrets;
mod tar;
mod unpack;

pub(crate) use error::{PackError, UnpackError};
pub(crate) use handle::{DirHandle, is_folder};
pub(crate) use pack::data::{DataEntry, DataError, DataTree, list_data};
pub(crate) use pack::entry_point::{check_entry_point, root_file};
pub(crate) use pack::git::Repository;
pub(crate) use pack::output_dir::pack_folder;
pub(crate) use pack::project::Project;
pub(crate) use pack::source_tree::SourceTree;
pub(crate) use pack::{Packed, check_source, pack_source};
pub(crate) use secrets::{Finding, ScanningReader};
pub(crate) use unpack::entries::UnpackLimits;
pub(crate) use unpack::inspect::{check, list, pick};
pub(crate) use unpack::{UnpackHooks, Unpacked, unpack, unpack_in};
