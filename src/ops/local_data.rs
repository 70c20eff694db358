//! Data on this computer as objects, by content: unchanged data is not stored again.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{io, iter, thread};

use futures_util::{StreamExt, TryStreamExt, stream};
use nix::sys::resource::{Resource, getrlimit};
use sha2::{Digest, Sha256};

use crate::cloud::{Cloud, Content, OnBytes};
use crate::error::{Doing, Error, Result};
use crate::model::checksum::{Checksum, Summing};
use crate::model::{S3Uri, hex, sha256};

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
    sha256: [u8; 32],
    /// A quicker one, to see that the file has not changed when it is sent.
    checksum: Checksum,
    /// In bytes.
    size: u64,
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
        for DataFile { name, sha256, .. } in &files {
            digest.update(format!("{}:{name}:", name.len()));
            digest.update(sha256);
        }
        Ok(Self { files, sha256: hex(&digest.finalize()) })
    }

    /// Stores what is not there yet, below the data's own folder, telling `progress` of the bytes. A file that has changed
    /// since it was read is an error.
    pub(crate) async fn store(
        &self,
        cloud: &Cloud,
        folder: &S3Uri,
        kms_key_id: Option<String>,
        progress: OnBytes,
    ) -> Result<()> {
        let stored = cloud.objects.list(&folder.join("")).await?;
        let stored: HashMap<S3Uri, u64> = stored.into_iter().map(|object| (object.uri, object.size)).collect();
        let missing = self.files.iter().map(|file| (folder.join(&file.name), file));
        let missing = missing.filter(|(uri, file)| stored.get(uri) != Some(&file.size));
        let puts = missing.map(|(uri, file)| {
            let (kms_key_id, progress) = (kms_key_id.clone(), progress.clone());
            async move {
                let content = Content { kms_key_id, progress, ..file.content()? };
                Ok(cloud.objects.put(&uri, content).await?)
            }
        });
        stream::iter(puts).buffer_unordered(parallel()).try_collect().await
    }
}

/// Systems differ much in how many files may be open.
fn parallel() -> usize {
    let open = getrlimit(Resource::RLIMIT_NOFILE).map_or(PARALLEL, |(soft, _)| soft);
    usize::try_from((open / SHARE).clamp(1, PARALLEL)).unwrap_or(1)
}

impl DataFile {
    fn read((name, path): (String, PathBuf), progress: &(dyn Fn(u64) + Send + Sync)) -> Result<Self> {
        let size = Cell::new(0);
        let count = |bytes| {
            size.set(size.get() + bytes);
            progress(bytes);
        };
        let reading = || format!("read {}", path.display());
        let mut file = Summing::new(File::open(&path).doing(reading)?);
        let sha256 = sha256(&mut file, count).doing(reading)?;
        Ok(Self { name, sha256, checksum: file.finish(), size: size.get(), path })
    }

    fn content(&self) -> Result<Content> {
        let file = File::open(&self.path).doing(|| format!("read {}", self.path.display()))?;
        Ok(Content { checksum: Some(self.checksum.clone()), ..Content::of(file) })
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
