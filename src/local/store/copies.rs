//! Copies of what S3 has, as the supervisor of a job reads them; and the removal of those that no job reads any more.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::layout::Home;
use super::private_file;
use crate::local::{LocalError, LocalResult};
use crate::model::S3Uri;
use crate::model::copies::{self, CopiedObject, CopyRecord};

/// Age of a list, since a job was last given it, at which no job is at its start with it any more.
const UNUSED_AGE: Duration = Duration::from_hours(24);

/// Reads a list of a prefix.
pub(crate) fn read(home: &Home, prefix: &S3Uri, list: &str) -> LocalResult<Vec<CopiedObject>> {
    let path = home.trusted_object(&copies::list(prefix, list))?;
    read_lines(&path).map_err(LocalError::io(format!("read the copy's list {}", path.display())))
}

/// Returns the path of an object's bytes. Fails if they are not here whole.
pub(crate) fn content(home: &Home, prefix: &S3Uri, object: &CopiedObject) -> LocalResult<PathBuf> {
    let path = home.trusted_object(&object.content(prefix.bucket()))?;
    let found = path.symlink_metadata().map(|found| found.is_file() && found.len() == object.size);
    match found {
        Ok(true) => Ok(path),
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LocalError::io(format!("look up {}", path.display()))(error))
        }
        _ => Err(LocalError::Other(format!(
            "the copy of {} is gone: submit the job again",
            prefix.root().join(&object.key)
        ))),
    }
}

fn read_lines(path: &Path) -> io::Result<Vec<CopiedObject>> {
    let file = private_file::open(path, File::options().read(true))?;
    let parse = |line: io::Result<String>| serde_json::from_str(&line?).map_err(io::Error::other);
    BufReader::new(file).lines().map(parse).collect()
}

/// Removes lists that newer ones have replaced, and the bytes that no list has any more. A day later, so that jobs which
/// are being started keep what they were given. Errors don't matter: the next job tries again.
pub(crate) fn remove_unused(home: &Home) {
    let _left = try_remove_unused(home);
}

fn try_remove_unused(home: &Home) -> LocalResult<()> {
    let root = home.object(&copies::root())?;
    let contents = home.object(&copies::contents())?;
    let failed = || LocalError::io(format!("look through {}", root.display()));
    let prefixes = subfolders(&root).map_err(failed())?;
    let prefixes: Vec<PathBuf> = prefixes.into_iter().filter(|folder| *folder != contents).collect();
    let mut removed = 0;
    for folder in &prefixes {
        removed += remove_replaced_lists(folder).map_err(failed())?;
    }
    if removed == 0 {
        return Ok(());
    }
    let mut used = HashSet::new();
    for folder in &prefixes {
        let record = read_record(folder).map_err(failed())?;
        for list in lists(folder).map_err(failed())? {
            for object in read_lines(&list).map_err(failed())? {
                used.insert(home.object(&object.content(record.uri.bucket()))?);
            }
        }
    }
    remove_contents(&contents, &used).map_err(failed())
}

/// Returns the number of removed lists.
fn remove_replaced_lists(folder: &Path) -> io::Result<usize> {
    let newest = folder.join(format!("{}.jsonl", read_record(folder)?.list));
    let mut removed = 0;
    for list in lists(folder)?.into_iter().filter(|list| *list != newest) {
        if is_unused(&list.symlink_metadata()?) {
            fs::remove_file(&list)?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn remove_contents(contents: &Path, used: &HashSet<PathBuf>) -> io::Result<()> {
    for shard in subfolders(contents)? {
        for entry in shard.read_dir()? {
            let path = entry?.path();
            if !used.contains(&path) && is_unused(&path.symlink_metadata()?) {
                fs::remove_file(&path)?;
            }
        }
    }
    Ok(())
}

fn is_unused(about: &Metadata) -> bool {
    let age = about.modified().ok().and_then(|modified| modified.elapsed().ok());
    age.is_some_and(|age| age > UNUSED_AGE)
}

fn read_record(folder: &Path) -> io::Result<CopyRecord> {
    let text = private_file::read(&folder.join(copies::RECORD))?;
    serde_json::from_slice(&text).map_err(io::Error::other)
}

/// Returns the lists of a prefix: files that are named after a digest.
fn lists(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let paths = folder.read_dir()?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    let is_list = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.strip_suffix(".jsonl").is_some_and(|name| name.len() == 64)
    };
    Ok(paths.into_iter().filter(is_list).collect())
}

fn subfolders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in folder.read_dir()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use jiff::Timestamp;

    use super::*;
    use crate::tests::TestResult;

    fn object(version: &str) -> CopiedObject {
        CopiedObject { key: "data/a".to_owned(), version: Some(version.to_owned()), size: 1 }
    }

    fn put(home: &Home, uri: &S3Uri, text: &[u8], is_old: bool) -> TestResult {
        let path = home.object(uri)?;
        fs::create_dir_all(path.parent().ok_or("no folder")?)?;
        fs::write(&path, text)?;
        if is_old {
            File::open(&path)?.set_modified(SystemTime::now() - 2 * UNUSED_AGE)?;
        }
        Ok(())
    }

    fn put_list(home: &Home, prefix: &S3Uri, digit: &str, version: &str, is_old: bool) -> TestResult {
        let text = serde_json::to_vec(&object(version))?;
        put(home, &copies::list(prefix, &digit.repeat(64)), &text, is_old)?;
        put(home, &object(version).content("bucket"), b"1", is_old)
    }

    #[test]
    fn what_no_job_reads_goes_after_a_day() -> TestResult {
        let root = tempfile::tempdir()?;
        let home = Home::new(root.path().to_owned());
        remove_unused(&home);
        let prefix = S3Uri::parse("s3://bucket/data/")?;
        put_list(&home, &prefix, "0", "old", true)?;
        put_list(&home, &prefix, "1", "replaced", false)?;
        put_list(&home, &prefix, "2", "newest", true)?;
        put(&home, &object("broken off").content("bucket"), b"1", false)?;
        let record =
            CopyRecord { uri: prefix.clone(), list: "2".repeat(64), objects: 1, checked: Timestamp::UNIX_EPOCH };
        // Without a record, nothing tells what is used.
        remove_unused(&home);
        assert!(content(&home, &prefix, &object("old")).is_ok());
        put(&home, &copies::record(&prefix), &serde_json::to_vec(&record)?, false)?;
        remove_unused(&home);
        let is_here = |version: &str| content(&home, &prefix, &object(version)).is_ok();
        assert_eq!(["old", "replaced", "newest", "broken off"].map(is_here), [false, true, true, true]);
        assert!(read(&home, &prefix, &"0".repeat(64)).is_err());
        assert_eq!(read(&home, &prefix, &"1".repeat(64))?, [object("replaced")]);
        Ok(())
    }
}
