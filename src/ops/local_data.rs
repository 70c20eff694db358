//! Data on this computer as objects, by content: unchanged data is not stored again.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::cloud::Cloud;
use crate::error::{Doing, Error, Result};
use crate::model::{S3Uri, hex};

/// How much is read at a time, in bytes.
const CHUNK: usize = 128 * 1024;

/// A file or folder of data, listed and digested.
#[derive(Debug)]
pub(crate) struct LocalData {
    /// Path inside the data, with `/`, and path on this computer; sorted.
    files: Vec<(String, PathBuf)>,
    /// Of the names, lengths and contents of the files.
    pub(crate) sha256: String,
}

impl LocalData {
    /// Reads everything once, telling `progress` of the bytes. Symbolic links are followed.
    pub(crate) fn read(source: &Path, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<Self> {
        let mut files = Vec::new();
        list(source, source, 0, &mut files)?;
        if files.is_empty() {
            return Err(Error::usage(format!("{} holds no file", source.display())));
        }
        files.sort();
        let mut digest = Sha256::new();
        for (name, path) in &files {
            let (content, length) = digest_file(path, progress).doing(|| format!("read {}", path.display()))?;
            digest.update(format!("{}:{name}:{length}:", name.len()));
            digest.update(content);
        }
        Ok(Self { files, sha256: hex(&digest.finalize()) })
    }

    /// Stores what is not there yet, below the data's own folder.
    pub(crate) async fn store(&self, cloud: &Cloud, folder: &S3Uri) -> Result<()> {
        for (name, path) in &self.files {
            let uri = folder.join(name);
            if cloud.objects.head(&uri).await?.is_none() {
                cloud.objects.put_file(&uri, path).await?;
            }
        }
        Ok(())
    }
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

fn digest_file(path: &Path, progress: &(dyn Fn(u64) + Send + Sync)) -> io::Result<([u8; 32], u64)> {
    let (mut file, mut digest, mut chunk, mut length) = (File::open(path)?, Sha256::new(), vec![0; CHUNK], 0);
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok((digest.finalize().into(), length));
        }
        digest.update(chunk.get(..read).unwrap_or_default());
        length += read as u64;
        progress(read as u64);
    }
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
