//! Data on this computer as objects, by content: unchanged data is not stored again.

use std::collections::HashMap;
use std::fs::{self, File};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{io, iter, thread};

use futures_util::{StreamExt, TryStreamExt, stream};
use nix::sys::resource::{Resource, getrlimit};
use sha2::{Digest, Sha256};

use crate::error::{Doing, Error, Result};
use crate::model::checksum::ContentDigest;
use crate::model::{S3Uri, hex};
use crate::ops::content::ContentStore;

/// How many files are on their way at once, at most: small ones hardly do anything but wait for answers.
const PARALLEL: u64 = 256;
/// Of the files that a process may have open, one in so many: each that is on its way takes a connection, too.
const SHARE: u64 = 4;

/// A file or folder of data, listed and digested.
#[derive(Debug)]
pub(crate) struct LocalData {
    /// Sorted by name.
    files: Vec<DataFile>,
    /// Of the names and contents of the files.
    pub(crate) sha256: String,
}

#[derive(Debug)]
struct DataFile {
    /// Its path inside the data, with `/`.
    name: String,
    path: PathBuf,
    digest: ContentDigest,
}

impl LocalData {
    /// Reads everything once, telling `progress` of the bytes. Symbolic links are followed.
    pub(crate) fn read(source: &Path, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<Self> {
        let mut listed = Vec::new();
        list(source, source, 0, &mut listed)?;
        if listed.is_empty() {
            return Err(Error::usage(format!("{} holds no file", source.display())));
        }
        let (mut digest, files) = (Sha256::new(), read_all(listed, progress)?);
        files.iter().for_each(|file| file.add_to(&mut digest));
        Ok(Self { files, sha256: hex(&digest.finalize()) })
    }

    /// Stores what is not there yet, below the data's own folder, telling `progress` of the bytes. A file that has changed
    /// since it was read is an error.
    pub(crate) async fn store(&self, store: &ContentStore<'_>, folder: &S3Uri) -> Result<()> {
        let stored = store.cloud.objects.list(&folder.join("")).await?;
        let mut stored: HashMap<S3Uri, u64> = stored.into_iter().map(|object| (object.uri, object.size)).collect();
        let files = self.files.iter().map(|file| (folder.join(&file.name), file));
        let files: Vec<_> = files.map(|(uri, file)| (stored.remove(&uri), uri, file)).collect();
        refuse_others(&stored, folder)?;
        let stores = files.into_iter().map(|(stored, uri, file)| store_file(store, stored, uri, file));
        stream::iter(stores).buffer_unordered(parallel()).try_collect().await
    }
}

/// `stored` is the size of what stands there, where anything does: only what could be the content is looked at.
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

/// A job is given all that lies below the prefix of its channel. Keys that end in a slash are how consoles show folders: no
/// file comes of them.
fn refuse_others(others: &HashMap<S3Uri, u64>, folder: &S3Uri) -> Result<()> {
    let Some(other) = others.keys().filter(|uri| !uri.key().ends_with('/')).min_by_key(|uri| uri.key()) else {
        return Ok(());
    };
    Err(Error::failure(format!(
        "{other} is not part of the data that {folder} is named after, and a job would read it"
    ))
    .hint(format!("find out who stored it, and remove it: aws s3 rm {other}")))
}

/// Systems differ much in how many files may be open.
fn parallel() -> usize {
    let open = getrlimit(Resource::RLIMIT_NOFILE).map_or(PARALLEL, |(soft, _)| soft);
    usize::try_from((open / SHARE).clamp(1, PARALLEL)).unwrap_or(1)
}

impl DataFile {
    fn read((name, path): (String, PathBuf), progress: &(dyn Fn(u64) + Send + Sync)) -> Result<Self> {
        let reading = || format!("read {}", path.display());
        let mut file = File::open(&path).doing(reading)?;
        let size = file.metadata().doing(reading)?.len();
        let digest = ContentDigest::of(&mut file, size, progress).doing(reading)?;
        Ok(Self { name, digest, path })
    }

    fn open(&self) -> Result<File> {
        File::open(&self.path).doing(|| format!("read {}", self.path.display()))
    }

    /// Adds the name and the content to the digest of all data. A digest of parts is marked, since a file could hold just
    /// the digests that it is made of.
    fn add_to(&self, all: &mut Sha256) {
        let mark = if self.digest.parts().is_some() { "+" } else { "" };
        all.update(format!("{mark}{}:{}:", self.name.len(), self.name));
        all.update(self.digest.sha256);
    }
}

/// Reads files on as many threads as there are processors, each taking the next file that nobody has taken. Sorted by name.
fn read_all(listed: Vec<(String, PathBuf)>, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<Vec<DataFile>> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(listed.len());
    let files = Mutex::new(listed.into_iter());
    let read_some = || {
        let next = || files.lock().unwrap_or_else(PoisonError::into_inner).next();
        let read = iter::from_fn(next).map(|file| DataFile::read(file, progress)).collect::<Result<Vec<_>>>();
        // After a failure, nobody need read on.
        read.inspect_err(|_| files.lock().unwrap_or_else(PoisonError::into_inner).by_ref().for_each(drop))
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

/// Folders deeper than this are a loop of links.
const MAX_DEPTH: usize = 100;

fn list(root: &Path, path: &Path, depth: usize, files: &mut Vec<(String, PathBuf)>) -> Result<()> {
    let metadata = fs::metadata(path).doing(|| format!("read {}", path.display()))?;
    if metadata.is_file() {
        files.push((name_in(root, path)?, path.to_owned()));
        return Ok(());
    }
    if !metadata.is_dir() {
        return Err(Error::usage(format!("{} is neither a file nor a folder", path.display())));
    }
    if depth > MAX_DEPTH {
        return Err(Error::usage(format!("{} is too deep: a link leads back to a folder above it", path.display())));
    }
    let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.doing(|| format!("list {}", path.display()))?;
    entries.iter().try_for_each(|entry| list(root, &entry.path(), depth + 1, files))
}

/// A file that is the whole of the data goes by its own name.
fn name_in(root: &Path, path: &Path) -> Result<String> {
    let below = path.strip_prefix(root).ok().filter(|below| !below.as_os_str().is_empty());
    let name = below.or_else(|| path.file_name().map(Path::new)).unwrap_or(path);
    let text = name.to_str();
    text.map(str::to_owned).ok_or_else(|| {
        Error::usage(format!("{} can't be stored: its name is not UTF-8", path.display())).hint("rename it")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_of_names_and_contents() -> std::result::Result<(), Box<dyn std::error::Error>> {
        let digest = |files: &[(&str, &str)]| -> std::result::Result<String, Box<dyn std::error::Error>> {
            let folder = tempfile::tempdir()?;
            for (name, content) in files {
                fs::write(folder.path().join(name), content)?;
            }
            Ok(LocalData::read(folder.path(), &|_| {})?.sha256)
        };
        let one = digest(&[("a", "1"), ("b", "2")])?;
        assert_eq!(one, digest(&[("b", "2"), ("a", "1")])?);
        for other in [&[("a", "1"), ("b", "3")][..], &[("a", "1"), ("c", "2")], &[("a", "12"), ("b", "")]] {
            assert_ne!(one, digest(other)?, "{other:?}");
        }
        Ok(())
    }
}
