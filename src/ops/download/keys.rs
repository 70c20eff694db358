//! Keys below a prefix, as paths of files: which can't be, and which stand in each other's way.

use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use crate::cloud::Object;
use crate::error::{Error, Result};
use crate::model::S3Uri;

/// An object below a prefix. There can be millions: each holds little beyond its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Below {
    /// Key below the prefix, which can be anything.
    pub(super) key: Box<str>,
    /// Bytes.
    pub(super) size: u64,
    pub(super) version: Option<Box<str>>,
}

impl Below {
    /// Path below the folder that it is saved to.
    pub(super) fn path(&self) -> &Path {
        Path::new(&*self.key)
    }

    /// The object, of those below `folder`.
    pub(super) fn object(&self, folder: &S3Uri) -> Object {
        let uri = folder.root().join(&format!("{}{}", folder.key(), self.key));
        let version = self.version.as_deref().map(str::to_owned);
        Object { uri, size: self.size, version, version_id: None, checksum: None, file: None }
    }
}

/// What lies below a folder of S3's.
pub(super) fn below(folder: &S3Uri, objects: Vec<Object>) -> impl Iterator<Item = Below> {
    let below = move |object: Object| {
        let key = object.uri.key().strip_prefix(folder.key()).unwrap_or(object.uri.key());
        Below { key: key.into(), size: object.size, version: object.version.map(Into::into) }
    };
    objects.into_iter().map(below)
}

/// Refuses a key whose path would not stay in its folder.
pub(super) fn refuse_unsafe(key: &str) -> Result<()> {
    let is_plain = |part: &str| matches!(Path::new(part).components().next(), Some(Component::Normal(_)));
    if key.split('/').all(is_plain) && !key.contains('\0') {
        return Ok(());
    }
    Err(Error::failure(format!("{key:?} can't be saved: it is no path of a file in a folder"))
        .hint("--only PATTERN fetches the others"))
}

/// Finds keys that are files and folders at once: in S3 there can be an object `a` beside `a/b`. Keys come in order; others
/// may stand between the two, like `a-c`.
#[derive(Debug, Default)]
pub(super) struct Clashes {
    /// The keys so far that the last one begins with, shortest first. Their number is bounded by a key's length.
    beginnings: Vec<Box<str>>,
}

impl Clashes {
    pub(super) fn refuse(&mut self, key: &str) -> Result<()> {
        while self.beginnings.last().is_some_and(|last| !key.starts_with(&**last)) {
            self.beginnings.pop();
        }
        let is_folder = |file: &&str| key.as_bytes().get(file.len()) == Some(&b'/');
        if let Some(file) = self.beginnings.iter().map(|file| &**file).find(is_folder) {
            return Err(Error::failure(format!("{file} is both a file and a folder in S3"))
                .hint("--only PATTERN fetches one of them"));
        }
        self.beginnings.push(key.into());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There can be millions below a prefix.
    #[test]
    fn little_is_held_of_an_object_beside_its_name_and_version() {
        assert!(size_of::<Below>() <= 40);
    }

    #[test]
    fn a_file_that_is_a_folder_too_is_found_wherever_its_files_are_listed() {
        let clash = |keys: &[&str]| {
            let mut clashes = Clashes::default();
            keys.iter().find(|key| clashes.refuse(key).is_err()).map(|key| (*key).to_owned())
        };
        assert_eq!(clash(&["a", "a-b", "a-b/c", "ab", "b"]).as_deref(), Some("a-b/c"));
        assert_eq!(clash(&["a", "a-b", "a-c/x", "a/b", "a0"]).as_deref(), Some("a/b"));
        assert_eq!(clash(&["a/b", "a/b-", "a/b/c"]).as_deref(), Some("a/b/c"));
        assert_eq!(clash(&["a", "a-", "a-b", "a.b/a", "aa/a", "b/a"]), None);
    }
}
