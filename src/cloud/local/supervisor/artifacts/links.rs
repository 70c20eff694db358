//! Absolute links inside a folder, made relative: they then lead to the same place wherever the folder is unpacked.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

/// Rewrites the links that lead into the folder by its own name, or by the name that the script knew it under.
///
/// A link that can't be rewritten stays as it is: it is no reason to lose the rest.
pub(super) fn make_relative(folder: &Path, seen_as: &Path) {
    let Ok(real) = folder.canonicalize() else { return };
    if folder.is_symlink() {
        // The script has put another folder in its place, whose links are not ours to change.
        return;
    }
    descend(folder, 0, &[seen_as, folder, &real]);
}

fn descend(folder: &Path, depth: usize, names: &[&Path]) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => descend(&entry.path(), depth + 1, names),
            Ok(kind) if kind.is_symlink() => {
                let _stays = rewrite(&entry.path(), depth, names);
            }
            _ => {}
        }
    }
}

/// Replaces the link in one step: there is no moment without it.
fn rewrite(link: &Path, depth: usize, names: &[&Path]) -> io::Result<()> {
    let Some(target) = relative(&fs::read_link(link)?, depth, names) else { return Ok(()) };
    let folder = link.parent().unwrap_or(link);
    let staged = tempfile::Builder::new().make_in(folder, |path| symlink(&target, path))?;
    staged.persist(link).map(drop).map_err(|error| error.error)
}

/// Where a link that lies so deep in the folder is to lead. None where it may stay.
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
        symlink(&other, root.path().join("moved"))?;
        for folder in [&model, &root.path().join("moved")] {
            make_relative(folder, Path::new("/opt/ml/model"));
        }
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
