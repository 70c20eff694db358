//! Finds programs on the search path.

use std::env;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// Returns the first executable of this name in `PATH`. Relative folders of `PATH` are skipped: a project could place a
/// program there.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders = env::split_paths(&path).filter(|folder| folder.is_absolute());
    let is_executable = |file: &PathBuf| file.metadata().is_ok_and(|about| about.is_file() && is_executable(&about));
    folders.map(|folder| folder.join(name)).find(is_executable)
}

fn is_executable(about: &std::fs::Metadata) -> bool {
    about.permissions().mode() & 0o111 != 0
}
