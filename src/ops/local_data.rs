//! Stores local data as content-addressed objects: unchanged data is not sent again.

use std::collections::HashMap;
use std::fs::File;
use std::num::NonZero;
use std::path::Path;
use std::sync::Mutex;
use std::{iter, thread};

use futures_util::{StreamExt, TryStreamExt, stream};
use nix::sys::resource::{Resource, getrlimit};
use sha2::{Digest, Sha256};

use crate::archive::{self, DataEntry, DataError, DataTree, Finding, Project, ScanningReader};
use crate::error::{Error, Result, WithContext};
use crate::job::spec::ChannelSpec;
use crate::model::checksum::ContentDigest;
use crate::model::{IgnorePoison, S3Uri, hex};
use crate::ops::content::{self, ContentStore};

/// Maximum number of concurrent uploads. Small files mostly wait for answers.
const MAX_CONCURRENT_UPLOADS: u64 = 256;
/// Open files reserved for each upload, of RLIMIT_NOFILE: it holds a file and a socket.
const OPEN_FILES_PER_UPLOAD: u64 = 4;

/// A file or folder of data, listed and digested.
#[derive(Debug)]
pub(crate) struct LocalData {
    /// Sorted by name.
    files: Vec<DataFile>,
    /// SHA-256 of the names and contents of all files, in hex.
    pub(crate) sha256: String,
    /// Names of files that are or hold secrets and are sent because the spec allows it.
    pub(crate) allowed: Vec<String>,
}

#[derive(Debug)]
struct DataFile {
    /// Path inside the data, with `/`.
    name: String,
    entry: DataEntry,
    digest: ContentDigest,
    secret: Option<Finding>,
}

impl LocalData {
    /// Lists, reads and digests everything once. `progress` receives the bytes read. Blocks. Fails on secrets that the
    /// spec does not allow.
    pub(crate) fn read(tree: &DataTree, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<Self> {
        let list = archive::list_data(tree).map_err(unlistable)?;
        let name = |entry: DataEntry| Ok((name_of(&tree.path, &entry)?, entry));
        let listed = list.entries.into_iter().map(name).collect::<Result<Vec<_>>>()?;
        if listed.is_empty() {
            return Err(Error::usage(format!("{} holds no file", tree.path.display())));
        }
        let files = read_all(listed, progress)?;
        let mut digest = Sha256::new();
        let mut allowed = list.allowed;
        allowed.extend(refuse_secrets(tree, &files)?);
        for file in &files {
            file.digest_into(&mut digest);
        }
        Ok(Self { files, sha256: hex(&digest.finalize()), allowed })
    }

    /// Stores the files that do not exist yet, below the folder of the data. Fails if a file has changed since it was
    /// read, or if other objects are in the folder.
    pub(crate) async fn store(&self, store: &ContentStore<'_>, folder: &S3Uri) -> Result<()> {
        let stored = store.cloud.objects.list(&folder.join("")).await?;
        let mut stored: HashMap<S3Uri, u64> = stored.into_iter().map(|object| (object.uri, object.size)).collect();
        let files = self.files.iter().map(|file| (folder.join(&file.name), file));
        let files: Vec<_> = files.map(|(uri, file)| (stored.remove(&uri), uri, file)).collect();
        refuse_others(&stored, folder)?;
        let puts = files.into_iter().map(|(stored, uri, file)| store_file(store, stored, uri, file));
        stream::iter(puts).buffer_unordered(max_uploads()).try_collect().await
    }
}

/// Stores a file. `stored` is the size of the existing object, if any: only one of the same size is verified.
async fn store_file(store: &ContentStore<'_>, stored: Option<u64>, uri: S3Uri, file: &DataFile) -> Result<()> {
    match stored {
        Some(size) if size == file.digest.size => store.store(&uri, &file.digest, || file.open()).await,
        Some(_) => {
            store.note_replaced(&uri);
            store.send(&uri, &file.digest, file.open()?).await
        }
        None => store.send(&uri, &file.digest, file.open()?).await,
    }
}

/// Fails if other objects are in the folder, because a channel brings all of them into the container. A key that ends
/// in a slash is an empty folder and becomes no file.
fn refuse_others(others: &HashMap<S3Uri, u64>, folder: &S3Uri) -> Result<()> {
    let Some(other) = others.keys().filter(|uri| !uri.key().ends_with('/')).min_by_key(|uri| uri.key()) else {
        return Ok(());
    };
    Err(Error::failure(format!(
        "{other} is not part of the data that {folder} is named after, and a job would read it"
    ))
    .hint(content::removal(other)))
}

/// Returns the number of concurrent uploads; limits of open files differ between systems.
fn max_uploads() -> usize {
    let open = getrlimit(Resource::RLIMIT_NOFILE).map_or(MAX_CONCURRENT_UPLOADS, |(soft, _)| soft);
    usize::try_from((open / OPEN_FILES_PER_UPLOAD).clamp(1, MAX_CONCURRENT_UPLOADS)).unwrap_or(1)
}

impl DataFile {
    /// Digests the content and searches it for secrets in one pass, so that what is sent later was searched.
    fn read((name, entry): (String, DataEntry), progress: &(dyn Fn(u64) + Send + Sync)) -> Result<Self> {
        let reading = || format!("read {}", entry.name.display());
        let file = entry.open().map_err(unlistable)?;
        let size = file.metadata().context(reading)?.len();
        let mut scanning = ScanningReader::new(file);
        let digest = ContentDigest::of(&mut scanning, size, progress).context(reading)?;
        Ok(Self { name, digest, entry, secret: scanning.finish() })
    }

    fn open(&self) -> Result<File> {
        self.entry.open().map_err(unlistable)
    }

    /// Adds name and content to the digest of all data. A digest of parts is marked, because a file could consist of
    /// just those digests.
    fn digest_into(&self, all: &mut Sha256) {
        let mark = if self.digest.parts().is_some() { "+" } else { "" };
        all.update(format!("{mark}{}:{}:", self.name.len(), self.name));
        all.update(self.digest.sha256);
    }
}

/// Reads files on one thread per processor. Returns them sorted by name.
fn read_all(listed: Vec<(String, DataEntry)>, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<Vec<DataFile>> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(listed.len());
    let files = Mutex::new(listed.into_iter());
    let read_some = || {
        let next = || files.lock().ignore_poison().next();
        let read = iter::from_fn(next).map(|file| DataFile::read(file, progress)).collect::<Result<Vec<_>>>();
        // After a failure, the other threads stop.
        read.inspect_err(|_| files.lock().ignore_poison().by_ref().for_each(drop))
    };
    let mut read = thread::scope(|scope| {
        let readers: Vec<_> = (0..threads).map(|_| scope.spawn(read_some)).collect();
        let read = readers.into_iter().map(|reader| reader.join().map_err(|_| Error::failure("reading ended"))?);
        read.collect::<Result<Vec<_>>>()
    })?
    .into_iter()
    .flatten()
    .collect::<Vec<_>>();
    read.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(read)
}

/// Returns the tree of a local channel; `project` is that of the spec.
pub(crate) fn tree(channel: &ChannelSpec, path: &Path, project: Project) -> DataTree {
    DataTree {
        path: path.to_owned(),
        project,
        external_symlinks: channel.external_symlinks,
        allow_secrets: channel.allow_secrets.clone(),
    }
}

/// Checks names and links as [`LocalData::read`] does, without reading contents.
pub(crate) fn check(tree: &DataTree) -> Result<()> {
    archive::list_data(tree).map(drop).map_err(unlistable)
}

/// Returns the names of allowed files that hold secrets. Fails if others do.
fn refuse_secrets(tree: &DataTree, files: &[DataFile]) -> Result<Vec<String>> {
    let found = files.iter().filter_map(|file| Some((file, file.secret?)));
    let (allowed, refused): (Vec<_>, Vec<_>) = found.partition(|(file, _)| file.entry.is_allowed);
    if refused.is_empty() {
        return Ok(allowed.into_iter().map(|(file, _)| file.name.clone()).collect());
    }
    let refused = refused.into_iter().map(|(file, finding)| (file.entry.name.clone(), finding)).collect();
    Err(unlistable(DataError::secrets(tree, refused)))
}

fn unlistable(error: DataError) -> Error {
    let message = error.to_string();
    let hint = error.hint();
    let failure = match error {
        DataError::Unreadable { source, .. } => Error::failure(message).caused_by(source),
        DataError::Changed(_) => Error::failure(message),
        _ => Error::usage(message),
    };
    hint.into_iter().fold(failure, Error::hint)
}

/// Returns a file's name as a key has it. Fails if it is not UTF-8.
fn name_of(root: &Path, entry: &DataEntry) -> Result<String> {
    entry.name.to_str().map(str::to_owned).ok_or_else(|| {
        let path = root.join(&entry.name);
        Error::usage(format!("{} can't be stored: its name is not UTF-8", path.display())).hint("rename it")
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_digest_is_of_names_and_contents() -> std::result::Result<(), Box<dyn std::error::Error>> {
        let digest = |files: &[(&str, &str)]| -> std::result::Result<String, Box<dyn std::error::Error>> {
            let folder = tempfile::tempdir()?;
            for (name, content) in files {
                fs::write(folder.path().join(name), content)?;
            }
            Ok(LocalData::read(&DataTree { path: folder.path().to_owned(), ..DataTree::default() }, &|_| {})?.sha256)
        };
        let one = digest(&[("a", "1"), ("b", "2")])?;
        assert_eq!(one, digest(&[("b", "2"), ("a", "1")])?);
        for other in [&[("a", "1"), ("b", "3")][..], &[("a", "1"), ("c", "2")], &[("a", "12"), ("b", "")]] {
            assert_ne!(one, digest(other)?, "{other:?}");
        }
        Ok(())
    }
}
