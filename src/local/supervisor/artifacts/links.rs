//! Makes absolute links within a folder relative, so that they work wherever the folder is unpacked.

use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

/// Rewrites links whose targets start with the folder's path, or with the path under which the script saw it.
///
/// A link that can't be rewritten, as in a read-only folder, stays as it is. A folder that can't be read is an error.
pub(super) fn make_relative(folder: &Path, seen_as: &Path) -> io::Result<()> {
    let real = folder.canonicalize()?;
    descend(folder, 0, &[seen_as, folder, &real])
}

fn descend(folder: &Path, depth: usize, names: &[&Path]) -> io::Result<()> {
    let list = || folder.read_dir()?.collect::<io::Result<Vec<_>>>();
    for entry in list().map_err(|error| read_error(folder, &error))? {
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| read_error(&path, &error))?;
        if kind.is_dir() {
            descend(&path, depth + 1, names)?;
        } else if kind.is_symlink() {
            let target = fs::read_link(&path).map_err(|error| read_error(&path, &error))?;
            if let Some(target) = relative(&target, depth, names) {
                let _stays = rewrite(&path, &target);
            }
        }
    }
    Ok(())
}

fn read_error(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("could not read {}: {error}", path.display()))
}

/// Replaces the link atomically.
fn rewrite(link: &Path, target: &Path) -> io::Result<()> {
    let folder = link.parent().unwrap_or(link);
    let staged = tempfile::Builder::new().make_in(folder, |path| symlink(target, path))?;
    staged.persist(link).map(drop).map_err(|error| error.error)
}

/// Returns the relative target of a link at a depth of `depth` folders; `None` if it may stay.
fn relative(target: &Path, depth: usize, names: &[&Path]) -> Option<PathBuf> {
    let below = names.iter().find_map(|name| target.strip_prefix(name).ok())?;
    if below.components().any(|part| part == Component::ParentDir) {
        return None;
    }
    let up = std::iter::repeat_n(Component::ParentDir, depth);
    let path: PathBuf = up.chain(below.components()).collect();
    Some(if path.as_os_str().is_empty() { PathBuf::from(".") } else { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_folder_is_changed() -> io::Result<()> {
        let root = tempfile::tempdir()?;
        let (model, other) = (root.path().join("model"), root.path().join("other"));
        fs::create_dir(&model)?;
        fs::create_dir(&other)?;
        symlink("/opt/ml/model/a", other.join("link"))?;
        symlink(&other, model.join("other"))?;
        symlink("/opt/ml/model/a", model.join("link"))?;
        make_relative(&model, Path::new("/opt/ml/model"))?;
        assert_eq!(fs::read_link(model.join("link"))?, Path::new("a"));
        assert_eq!(fs::read_link(model.join("other"))?, other);
        assert_eq!(fs::read_link(other.join("link"))?, Path::new("/opt/ml/model/a"));
        assert_eq!(model.read_dir()?.count(), 2);
        Ok(())
    }

    #[test]
    fn links_into_the_folder_lead_there_from_where_they_lie() {
        let names = [Path::new("/opt/ml/model"), Path::new("/jobs/a/ml/model")];
        let relative = |target: &str, depth| relative(Path::new(target), depth, &names);
        assert_eq!(relative("/opt/ml/model/a/b", 0), Some("a/b".into()));
        assert_eq!(relative("/jobs/a/ml/model/a/b", 2), Some("../../a/b".into()));
        assert_eq!(
            (relative("/opt/ml/model", 0), relative("/opt/ml/model/", 1)),
            (Some(".".into()), Some("..".into()))
        );
        for target in ["a", "../a", "/opt/ml/model-2/a", "/opt/ml/model/../input", "/etc/passwd"] {
            assert_eq!(relative(target, 1), None, "{target}");
        }
    }
}
