//! Copies of objects that local jobs read from S3: where they lie in the local object store, and what is known of them.
//!
//! A copy of a prefix is a list of all its objects, stored under the list's digest, and a record that names the newest
//! list. The bytes of an object are stored under a digest of its URI and version, so that two prefixes share them, and a
//! job reads what its list says while newer lists are made. Nothing of it is ever changed, only replaced as a whole.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{S3Uri, hex};

/// Local bucket of the copies. No bucket in S3 has a name that starts with a dot.
const BUCKET: &str = ".copies";
/// Folder of the objects' bytes in that bucket. The other folders are prefixes' digests.
const CONTENT: &str = "objects";
/// Name of a prefix's record in its folder.
pub(crate) const RECORD: &str = "newest.json";

/// The copies that a job reads: digests of lists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct JobCopies {
    /// By channel. Other channels are read from the local object store.
    pub(crate) channels: BTreeMap<String, String>,
    /// The checkpoints that S3 has. Those of local jobs are laid over them.
    pub(crate) checkpoints: Option<String>,
}

/// An object of a copied prefix, as S3 listed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CopiedObject {
    pub(crate) key: String,
    /// ETag. Without one, nothing tells whether the object has changed.
    pub(crate) version: Option<String>,
    /// Size in bytes.
    pub(crate) size: u64,
}

impl CopiedObject {
    /// Returns the URI of the object's bytes. `bucket` is the one in S3.
    pub(crate) fn content(&self, bucket: &str) -> S3Uri {
        let version = self.version.as_deref().unwrap_or_default();
        let digest = digest(&[bucket, &self.key, version, &self.size.to_string()]);
        let (shard, name) = digest.split_at(2);
        S3Uri::of_bucket(BUCKET).join(CONTENT).join(shard).join(name)
    }
}

/// The newest copy of a prefix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CopyRecord {
    pub(crate) uri: S3Uri,
    /// Digest of the list.
    pub(crate) list: String,
    /// Number of objects in the list.
    pub(crate) objects: usize,
    /// Time at which S3 had exactly these objects.
    pub(crate) checked: Timestamp,
}

/// Returns the URI of the record of a prefix.
pub(crate) fn record(prefix: &S3Uri) -> S3Uri {
    folder(prefix).join(RECORD)
}

/// Returns the URI of a list of a prefix.
pub(crate) fn list(prefix: &S3Uri, digest: &str) -> S3Uri {
    folder(prefix).join(&format!("{digest}.jsonl"))
}

/// Returns the URI of the notes about the copies that lie among the files of local jobs.
pub(crate) fn laid(prefix: &S3Uri) -> S3Uri {
    folder(prefix).join("laid.jsonl")
}

/// Returns the URI of all copies.
pub(crate) fn root() -> S3Uri {
    S3Uri::of_bucket(BUCKET)
}

/// Returns the URI of the bytes of all objects.
pub(crate) fn contents() -> S3Uri {
    root().join(CONTENT)
}

fn folder(prefix: &S3Uri) -> S3Uri {
    S3Uri::of_bucket(BUCKET).join(&digest(&[prefix.bucket(), prefix.key()]))
}

fn digest(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    hex(&digest.finalize())
}

/// Returns the path of an object's file in the folder of a channel, with `/`: its key without the prefix's folder. `None`
/// if no file can have it.
pub(crate) fn path_below(key: &str, prefix: &str) -> Option<String> {
    let folder = match key.strip_prefix(prefix) {
        Some(rest) if rest.starts_with('/') => prefix.len() + 1,
        _ => prefix.rfind('/').map_or(0, |slash| slash + 1),
    };
    let parts: Vec<&str> = key.get(folder..).unwrap_or(key).split('/').filter(|part| !part.is_empty()).collect();
    let is_file = |part: &&str| !matches!(*part, "." | "..") && !part.contains('\0');
    (!parts.is_empty() && parts.iter().all(is_file)).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_lie_below_their_prefix() {
        for (key, prefix, expected) in [
            ("data/train/a/x.csv", "data/train", Some("a/x.csv")),
            ("data/train/a/x.csv", "data/train/", Some("a/x.csv")),
            ("data/train-2.csv", "data/train", Some("train-2.csv")),
            ("data/x.csv", "data/x.csv", Some("x.csv")),
            ("x.csv", "", Some("x.csv")),
            ("/etc/passwd", "", Some("etc/passwd")),
            ("data//x", "data/", Some("x")),
            ("data/../x", "data/", None),
            ("data/./x", "data/", None),
            ("data/", "data/", None),
        ] {
            assert_eq!(path_below(key, prefix).as_deref(), expected, "{key} below {prefix}");
        }
    }

    #[test]
    fn whatever_changes_of_an_object_changes_where_its_bytes_lie() {
        let object = |key: &str, version: Option<&str>, size| CopiedObject {
            key: key.to_owned(),
            version: version.map(str::to_owned),
            size,
        };
        let places = [
            object("a", Some("1"), 1).content("bucket"),
            object("a", Some("1"), 1).content("other"),
            object("b", Some("1"), 1).content("bucket"),
            object("a", Some("2"), 1).content("bucket"),
            object("a", Some("1"), 2).content("bucket"),
            object("a1", Some(""), 1).content("bucket"),
        ];
        for (number, place) in places.iter().enumerate() {
            assert!(!places[..number].contains(place), "{place}");
        }
    }
}
