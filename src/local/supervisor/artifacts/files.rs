//! Stores a model without compression: every file as an object. S3 has no links, so that a link's target is stored in
//! its place, if it is in the model too.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::local::store::layout::create_private_dir;
use crate::local::store::staging::Staging;
use crate::local::store::{objects, private_file};
use crate::local::{LocalError, LocalResult};

/// Stores all files; they appear at once. Returns a line for each file that was left out.
pub(super) fn store(model: &Path, staging: &Staging, place: &Path) -> LocalResult<Vec<String>> {
    let staged = staging.new_folder()?;
    let root = model.canonicalize().map_err(LocalError::io(format!("find {}", model.display())))?;
    let mut copying = Copying { root: &root, to: staged.path(), ancestors: Vec::new(), left_out: Vec::new() };
    copying.folder(root.clone(), Path::new(""))?;
    let left_out = copying.left_out;
    staging.store_folder(staged, place)?;
    Ok(left_out)
}

struct Copying<'a> {
    /// Canonical path of the model's folder.
    root: &'a Path,
    to: &'a Path,
    /// Folders on the path to the current one. A link to one of them would be a cycle.
    ancestors: Vec<PathBuf>,
    left_out: Vec<String>,
}

impl Copying<'_> {
    /// Copies the folder at the canonical path `real` to `below` in the copy.
    fn folder(&mut self, real: PathBuf, below: &Path) -> LocalResult<()> {
        let names = || fs::read_dir(&real)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>();
        let mut names = names().map_err(LocalError::io(format!("list {}", real.display())))?;
        names.sort_unstable();
        self.ancestors.push(real.clone());
        for name in names {
            let below = below.join(&name);
            if let Some(why) = self.entry(&real.join(&name), &below)? {
                // A name may contain a line feed.
                let name = below.to_string_lossy();
                self.left_out.push(format!("model/{}: {why}", name.escape_debug()));
            }
        }
        self.ancestors.pop();
        Ok(())
    }

    /// Copies an entry. Returns why it is left out, if it is.
    fn entry(&mut self, path: &Path, below: &Path) -> LocalResult<Option<&'static str>> {
        let real = match path.canonicalize() {
            Err(error) if is_broken_link(path, &error) => return Ok(Some("the link leads nowhere")),
            real => real.map_err(LocalError::io(format!("read {}", path.display())))?,
        };
        if !real.starts_with(self.root) {
            return Ok(Some("the link leads out of the model"));
        }
        if self.ancestors.contains(&real) {
            return Ok(Some("the link leads to a folder that it is in"));
        }
        let metadata = real.metadata().map_err(LocalError::io(format!("read {}", real.display())))?;
        if metadata.is_dir() {
            return self.folder(real, below).map(|()| None);
        }
        match objects::open(&real).map_err(LocalError::io(format!("read {}", real.display())))? {
            Some(file) => self.file(file, below).map(|()| None),
            None => Ok(Some("it is neither a file nor a folder")),
        }
    }

    fn file(&self, mut file: File, below: &Path) -> LocalResult<()> {
        // Keys are text: two names that are not UTF-8 may become the same key. Then creation fails, so that neither is
        // lost unnoticed.
        let path = self.to.join(below.to_string_lossy().as_ref());
        create_private_dir(path.parent().unwrap_or(self.to))?;
        let create = || private_file::open(&path, File::options().read(true).write(true).create_new(true));
        let copied = create().and_then(|mut object| objects::fill(&mut object, &mut file, None));
        copied.map_err(LocalError::io(format!("store {}", below.display())))
    }
}

/// Returns whether a path is a dangling or circular link. Other errors mean that it can't be read.
fn is_broken_link(path: &Path, error: &io::Error) -> bool {
    let is_absent = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    (is_absent || error.raw_os_error() == Some(nix::libc::ELOOP)) && path.is_symlink()
}
