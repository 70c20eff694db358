//! Checks the code and data of a job as `submit` will, before anything is packed or sent: links that lead outside,
//! secrets.

use std::path::PathBuf;

use super::submit::{source_tree, unpackable};
use super::{local_data, project};
use crate::archive;
use crate::error::Error;
use crate::job::spec::{ChannelSource, JobSpec};

/// Returns the errors that `submit` would end with. Checks all names and links, the contents of code up to a limit, and
/// no contents of data. `own_folders` are smtrain's own, which are never packed.
pub(crate) fn check(spec: &JobSpec, own_folders: &[PathBuf]) -> Vec<Error> {
    let project = project::of_folder(&spec.folder);
    let code = spec.source.iter().filter_map(|source| {
        archive::check_source(&source_tree(source, project.clone(), own_folders)).err().map(unpackable)
    });
    let data = spec.channels.iter().filter_map(|channel| match &channel.source {
        ChannelSource::Path(path) => local_data::check(&local_data::tree(channel, path, project.clone())).err(),
        _ => None,
    });
    code.chain(data).collect()
}
