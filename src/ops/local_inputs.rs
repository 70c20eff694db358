//! Checks the code and data of a job before anything is packed, fetched or sent: the entry point, links that lead
//! outside, secrets.

use std::path::{Path, PathBuf};

use super::submit::{source_tree, unpackable};
use super::{entry_point, local_data, project};
use crate::archive::{self, PackError, Project};
use crate::error::Error;
use crate::job::Loaded;
use crate::job::diagnostics::problem::{InvalidSpec, Problem};
use crate::job::spec::{ChannelSource, SourceSpec};

/// The part of code and data that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckScope {
    /// The entry point. The rest is checked when it is packed, which is before anything is stored.
    EntryPoint,
    /// All names and links of the code, and its contents up to a limit.
    Code,
    /// The code, and the names and links of the data.
    CodeAndData,
}

/// Returns the spec with the warnings added. Errors with the problems that `submit` would end with. `own_folders` are
/// smtrain's own, which are never packed.
pub(crate) fn check(
    mut loaded: Loaded,
    file: &Path,
    scope: CheckScope,
    own_folders: &[PathBuf],
) -> Result<Loaded, InvalidSpec> {
    let project = project::of_folder(&loaded.spec.folder);
    let mut problems = Vec::new();
    if let Some(source) = &loaded.spec.source {
        problems.extend(of_code(&loaded, source, &project, scope, own_folders));
    }
    if scope == CheckScope::CodeAndData {
        problems.extend(of_data(&loaded, &project));
    }
    if problems.iter().any(Problem::is_error) {
        return Err(InvalidSpec { path: file.to_owned(), sources: loaded.sources, problems });
    }
    loaded.warnings.extend(problems);
    Ok(loaded)
}

fn of_code(
    loaded: &Loaded,
    source: &SourceSpec,
    project: &Project,
    scope: CheckScope,
    own_folders: &[PathBuf],
) -> Vec<Problem> {
    let tree = source_tree(source, project.clone(), own_folders);
    let refused = |error: PackError| {
        let key = key_of(&error);
        vec![loaded.placed(&["source", key], problem(&unpackable(error)))]
    };
    let found = match entry_point::check(&loaded.spec, &tree) {
        Ok(found) => found.into_iter().map(|(key, problem)| loaded.placed(&key, problem)),
        Err(error) => return refused(error),
    };
    let packed = if scope == CheckScope::EntryPoint { Ok(()) } else { archive::check_source(&tree) };
    found.chain(packed.err().map(refused).into_iter().flatten()).collect()
}

/// Returns the key of `[source]` that an error of the code concerns.
fn key_of(error: &PackError) -> &'static str {
    match error {
        PackError::EntryPointMissing { .. } | PackError::EntryPointLeftOut { .. } => "entry_point",
        PackError::DependencyMissing { .. } | PackError::Clash { .. } => "dependencies",
        PackError::BadPattern { .. } => "exclude",
        _ => "dir",
    }
}

fn of_data(loaded: &Loaded, project: &Project) -> Vec<Problem> {
    let refused = loaded.spec.channels.iter().filter_map(|channel| {
        let ChannelSource::Path(path) = &channel.source else { return None };
        let error = local_data::check(&local_data::tree(channel, path, project.clone())).err()?;
        Some(loaded.placed(&["channels", &channel.name, "source"], problem(&error)))
    });
    refused.collect()
}

fn problem(error: &Error) -> Problem {
    Problem::error(error.to_string()).maybe_hint(error.hints().first().cloned())
}
