//! Keys below a prefix as file paths: refuses keys that are no safe path, and keys that clash.

use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use crate::cloud::Object;
use crate::error::{Error, Result};
use crate::model::S3Uri;

/// An object below a prefix. Kept small, because there can be millions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PrefixEntry {
    /// Key below the prefix. Not checked yet, see [`refuse_unsafe`].
    pub(super) key: Box<str>,
    /// Size in bytes.
    pub(super) size: u64,
    pub(super) version: Option<Box<str>>,
}

impl PrefixEntry {
    /// Returns the path below the target folder.
    pub(super) fn path(&self) -> &Path {
        Path::new(&*self.key)
    }

    /// Returns the object; `folder` is the prefix.
    pub(super) fn object(&self, folder: &S3Uri) -> Object {
        let uri = folder.root().join(&format!("{}{}", folder.key(), self.key));
        let version = self.version.as_deref().map(str::to_owned);
        Object { uri, size: self.size, version, version_id: None, checksum: None, file: None }
    }
}

/// Converts objects to entries below a prefix.
pub(super) fn prefix_entries(folder: &S3Uri, objects: Vec<Object>) -> impl Iterator<Item = PrefixEntry> {
    let below = move |object: Object| {
        let key = object.uri.key().strip_prefix(folder.key()).unwrap_or(object.uri.key());
        PrefixEntry { key: key.into(), size: object.size, version: object.version.map(Into::into) }
    };
    objects.into_iter().map(below)
}

/// Fails if a key is no plain relative path, so that it could leave the target folder.
pub(super) fn refuse_unsafe(key: &str) -> Result<()> {
    let is_plain = |part: &str| matches!(Path::new(part).components().next(), Some(Component::Normal(_)));
    if key.split('/').all(is_plain) && !key.contains('\0') {
        return Ok(());
    }
    Err(Error::failure(format!("{key:?} can't be saved: it is not a relative path of a file"))
        .hint("--only PATTERN fetches the others"))
}

/// Finds keys that are both a file and a folder: S3 can hold an object `a` beside `a/b`. Keys must come in order;
/// between the two there can be others, such as `a-c`.
#[derive(Debug, Default)]
pub(super) struct Clashes {
    /// Earlier keys that are prefixes of the last one, shortest first. A key's length bounds their number.
    prefixes: Vec<Box<str>>,
}

impl Clashes {
    /// Adds the next key. Fails if it clashes with an earlier one.
    pub(super) fn add(&mut self, key: &str) -> Result<()> {
        while self.prefixes.last().is_some_and(|last| !key.starts_with(&**last)) {
            self.prefixes.pop();
        }
        let is_folder = |file: &&str| key.as_bytes().get(file.len()) == Some(&b'/');
        if let Some(file) = self.prefixes.iter().map(|file| &**file).find(is_folder) {
            return Err(Error::failure(format!("{file} is both a file and a folder in S3"))
                .hint("--only PATTERN fetches one of them"));
        }
        self.prefixes.push(key.into());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There can be millions below a prefix.
    #[test]
    fn little_is_held_of_an_object_beside_its_name_and_version() {
        assert!(size_of::<PrefixEntry>() <= 40);
    }

    #[test]
    fn a_file_that_is_a_folder_too_is_found_wherever_its_files_are_listed() {
        let clash = |keys: &[&str]| {
            let mut clashes = Clashes::default();
            keys.iter().find(|key| clashes.add(key).is_err()).map(|key| (*key).to_owned())
        };
        assert_eq!(clash(&["a", "a-b", "a-b/c", "ab", "b"]).as_deref(), Some("a-b/c"));
        assert_eq!(clash(&["a", "a-b", "a-c/x", "a/b", "a0"]).as_deref(), Some("a/b"));
        assert_eq!(clash(&["a/b", "a/b-", "a/b/c"]).as_deref(), Some("a/b/c"));
        assert_eq!(clash(&["a", "a-", "a-b", "a.b/a", "aa/a", "b/a"]), None);
    }
}
