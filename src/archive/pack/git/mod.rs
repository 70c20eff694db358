//! The git repository around source code: where its files are, and which files it tracks.

mod bitmap;
mod index;
mod malformed;
mod repository;
mod tracked_files;

pub(crate) use repository::Repository;
pub(super) use tracked_files::WorkTree;
