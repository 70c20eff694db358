//! Data on this computer as objects, by content: unchanged data is not stored again.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::cloud::{Cloud, Content};
use crate::error::{Doing, Error, Result};
use crate::model::{S3Uri, hex, sha256};

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
}

impl LocalData {
    /// Reads everything once, telling `progress` of the bytes. Symbolic links are followed.
    pub(crate) fn read(source: &Path, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<Self> {
        let mut listed = Vec::new();
        list(source, source, 0, &mut listed)?;
        if listed.is_empty() {
            return Err(Error::usage(format!("{} holds no file", source.display())));
        }
        listed.sort();
        let (mut digest, mut files) = (Sha256::new(), Vec::with_capacity(listed.len()));
        for (name, path) in listed {
            let content = File::open(&path).and_then(|mut file| sha256(&mut file, progress));
            let sha256 = content.doing(|| format!("read {}", path.display()))?;
            digest.update(format!("{}:{name}:", name.len()));
            digest.update(sha256);
            files.push(DataFile { name, path, sha256 });
        }
        Ok(Self { files, sha256: hex(&digest.finalize()) })
    }

    /// Stores what is not there yet, below the data's own folder. A file that has changed since it was read is an error.
    pub(crate) async fn store(&self, cloud: &Cloud, folder: &S3Uri) -> Result<()> {
        for DataFile { name, path, sha256 } in &self.files {
            let uri = folder.join(name);
            if cloud.objects.head(&uri).await?.is_none() {
                let file = File::open(path).doing(|| format!("read {}", path.display()))?;
                cloud.objects.put(&uri, Content { sha256: Some(hex(sha256)), ..Content::of(file) }).await?;
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
