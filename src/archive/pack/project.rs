//! The bounds of a project, for the files and folders that its spec names.
//!
//! In a stranger's repository, a spec may name `data`, and `data` may be a link to `~/.ssh`. A path that is written as
//! one inside the project must therefore lead to a file inside it. A path that is written as one outside (`../shared`,
//! `/data`) shows where it leads.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// The root of a project, with and without the links on the way to it. The default has no root, and contains nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Project {
    roots: Vec<PathBuf>,
}

/// A link inside a project that leads outside.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EscapingLink {
    pub(crate) link: PathBuf,
    pub(crate) target: PathBuf,
}

impl Project {
    /// Creates a project from absolute paths of its root.
    pub(crate) fn new(roots: impl IntoIterator<Item = PathBuf>) -> Self {
        let roots = roots.into_iter().flat_map(|root| [fs::canonicalize(&root).ok(), Some(without_dots(&root))]);
        Self { roots: roots.flatten().collect() }
    }

    /// Returns the link by which `path`, written as one inside, leads outside. `real` is the same without links.
    pub(crate) fn escaping_link(&self, path: &Path, real: &Path) -> Option<EscapingLink> {
        if !self.is_inside(&without_dots(path)) || self.is_inside(real) {
            return None;
        }
        let leads_out = |path: &Path| fs::canonicalize(path).is_ok_and(|real| !self.is_inside(&real));
        let mut parts: Vec<&Path> = path.ancestors().filter(|part| self.is_inside(&without_dots(part))).collect();
        parts.reverse();
        let link = parts.into_iter().find(|part| part.is_symlink() && leads_out(part)).unwrap_or(path);
        let target = fs::read_link(link).unwrap_or_else(|_| real.to_owned());
        Some(EscapingLink { link: link.to_owned(), target })
    }

    /// Returns the part of a path without links by which names are judged: below the project's root, or all of it.
    pub(crate) fn path_for_rules(&self, real: &Path) -> PathBuf {
        let below = self.roots.iter().find_map(|root| real.strip_prefix(root).ok()).unwrap_or(real);
        below.components().filter(|part| matches!(part, Component::Normal(_))).collect()
    }

    fn is_inside(&self, path: &Path) -> bool {
        self.roots.iter().any(|root| path.starts_with(root))
    }
}

/// Removes `.` and `..` from an absolute path lexically, without regard to links.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_on_the_way_out_is_found() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let at = |path: &str| folder.path().join(path);
        for path in ["home/.ssh", "proj/own", "proj/sub"] {
            fs::create_dir_all(at(path))?;
        }
        symlink("../home", at("proj/out"))?;
        symlink("../own", at("proj/sub/in"))?;
        symlink("proj", at("other-name"))?;
        let project = Project::new([at("other-name")]);
        let way_out = |path: &str| {
            let path = at(path);
            let real = fs::canonicalize(&path)?;
            std::io::Result::Ok(project.escaping_link(&path, &real).map(|way| (way.link, way.target)))
        };
        let out = |link: &str| Some((at(link), PathBuf::from("../home")));
        assert_eq!(way_out("proj/out")?, out("proj/out"));
        assert_eq!(way_out("proj/out/.ssh")?, out("proj/out"));
        assert_eq!(way_out("other-name/sub/../out/.ssh")?, out("other-name/sub/../out"));
        for path in ["proj", "proj/own", "proj/sub/in", "home/.ssh", "proj/../home", "other-name/own"] {
            assert_eq!(way_out(path)?, None, "{path}");
        }
        assert_eq!(project.path_for_rules(&fs::canonicalize(at("proj/sub"))?), Path::new("sub"));
        assert_eq!(Project::default().escaping_link(Path::new("/a"), Path::new("/b")), None);
        Ok(())
    }
}
