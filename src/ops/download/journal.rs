//! Journal of a download: records the byte ranges that are written, so that a killed download can be resumed.
//!
//! A text file in the staging directory, with one record per line: `object 0 {"uri":...}` numbers an object,
//! `0 4194304 4718592` records a byte range of it, and `0 whole` a complete object, where there are many. A record is
//! appended with one write after its bytes; a line that was cut short is ignored when the journal is read.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::ops::Range;
use std::path::Path;

use nix::fcntl::OFlag;
use serde::{Deserialize, Serialize};

use super::byte_ranges::ByteRanges;
use super::layout::{JOURNAL, NEW_JOURNAL};
use crate::archive::DirHandle;
use crate::cloud::Object;

/// A journal that is open for appending.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
}

/// Identity of an object's content. Bytes of an object whose identity has changed are discarded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct ObjectIdentity {
    pub(super) uri: String,
    /// See [`Object::version`].
    pub(super) version: Option<String>,
    pub(super) size: u64,
}

impl ObjectIdentity {
    pub(super) fn of(object: &Object) -> Self {
        Self { uri: object.uri.to_string(), version: object.version.clone(), size: object.size }
    }
}

impl Journal {
    /// Begins a journal for `objects`, and returns the ranges that an earlier download has written of each.
    ///
    /// The new journal replaces the old one atomically. Records of objects that have changed, or have no version, are
    /// dropped.
    pub(super) fn begin<O: Borrow<Object>>(
        folder: &DirHandle,
        objects: impl Iterator<Item = O> + Clone,
    ) -> io::Result<(Self, Vec<ByteRanges>)> {
        let mut before = read(folder)?;
        let known: Vec<ByteRanges> = objects
            .clone()
            .map(|object| {
                let object = object.borrow();
                before.remove(&ObjectIdentity::of(object)).filter(|_| object.version.is_some()).unwrap_or_default()
            })
            .collect();
        folder.remove(NEW_JOURNAL.as_ref())?;
        let how = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;
        let mut new = BufWriter::new(folder.open_file(Path::new(NEW_JOURNAL), how)?);
        write_records(objects, &known, &mut new)?;
        new.flush()?;
        folder.rename(NEW_JOURNAL.as_ref(), folder, JOURNAL.as_ref())?;
        Ok((Self::open(folder)?, known))
    }

    /// Opens a folder's journal for appending.
    pub(super) fn open(folder: &DirHandle) -> io::Result<Self> {
        let file = folder.open_file(Path::new(JOURNAL), OFlag::O_WRONLY | OFlag::O_APPEND)?;
        Ok(Self { file })
    }

    /// Records a written byte range and, with `is_whole`, that the object is complete.
    pub(super) fn record(&self, object: usize, range: &Range<u64>, is_whole: bool) -> io::Result<()> {
        let mut lines = range_line(object, range);
        if is_whole {
            lines.push_str(&whole_line(object));
        }
        // One write, so that a record is complete or absent.
        (&self.file).write_all(lines.as_bytes())
    }

    /// Records that an object is complete.
    pub(super) fn record_whole(&self, object: usize) -> io::Result<()> {
        (&self.file).write_all(whole_line(object).as_bytes())
    }
}

/// Formats the record of a complete object.
pub(super) fn whole_line(object: usize) -> String {
    format!("{object} whole\n")
}

/// Parses the record of a complete object.
pub(super) fn parse_whole(line: &str) -> Option<usize> {
    line.strip_suffix(" whole")?.parse().ok()
}

/// Formats the record of a byte range.
pub(super) fn range_line(object: usize, range: &Range<u64>) -> String {
    format!("{object} {} {}\n", range.start, range.end)
}

/// Writes the first records of a journal: the objects, and the ranges that are written already.
fn write_records<O: Borrow<Object>>(
    objects: impl Iterator<Item = O>,
    known: &[ByteRanges],
    to: &mut impl Write,
) -> io::Result<()> {
    for (number, (object, ranges)) in objects.zip(known).enumerate() {
        writeln!(to, "object {number} {}", serde_json::to_string(&ObjectIdentity::of(object.borrow()))?)?;
        for range in ranges.iter() {
            to.write_all(range_line(number, &range).as_bytes())?;
        }
    }
    Ok(())
}

/// Returns true if a folder's journal records any byte range.
pub(super) fn has_ranges(folder: &DirHandle) -> io::Result<bool> {
    let file = match folder.open_file(Path::new(JOURNAL), OFlag::O_RDONLY) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    for line in BufReader::new(file).split(b'\n') {
        if std::str::from_utf8(&line?).ok().and_then(parse_range).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads a folder's journal. Lines that cannot be parsed, such as one cut short by a kill, are ignored.
fn read(folder: &DirHandle) -> io::Result<HashMap<ObjectIdentity, ByteRanges>> {
    let file = match folder.open_file(Path::new(JOURNAL), OFlag::O_RDONLY) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashMap::new()),
        file => file?,
    };
    let mut contents = HashMap::new();
    let mut ranges = HashMap::<u64, ByteRanges>::new();
    for line in BufReader::new(file).split(b'\n') {
        let line = line?;
        let Ok(line) = std::str::from_utf8(&line) else { continue };
        if let Some((number, content)) = line.strip_prefix("object ").and_then(|rest| rest.split_once(' ')) {
            let (Ok(number), Ok(content)) = (number.parse(), serde_json::from_str(content)) else { continue };
            contents.insert(number, content);
        } else if let Some((number, range)) = parse_range(line) {
            ranges.entry(number).or_default().add(range);
        }
    }
    let by_content =
        contents.into_iter().map(|(number, content)| (content, ranges.remove(&number).unwrap_or_default()));
    Ok(by_content.collect())
}

/// Parses the record of a byte range.
pub(super) fn parse_range(line: &str) -> Option<(u64, Range<u64>)> {
    let mut numbers = line.split(' ').map(str::parse::<u64>);
    let object = numbers.next()?.ok()?;
    let start = numbers.next()?.ok()?;
    let end = numbers.next()?.ok()?;
    numbers.next().is_none().then_some((object, start..end))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::S3Uri;

    fn object(key: &str, version: &str) -> Result<Object, Box<dyn std::error::Error>> {
        let uri = S3Uri::parse(&format!("s3://bucket/{key}"))?;
        Ok(Object {
            uri,
            size: 100,
            version: Some(version.to_owned()).filter(|version| !version.is_empty()),
            version_id: None,
            checksum: None,
            file: None,
        })
    }

    #[test]
    fn what_was_noted_is_known_again_of_what_is_still_the_same() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let (path, handle) = (folder.path().join(JOURNAL), DirHandle::at(folder.path())?);
        let objects = [object("a", "1")?, object("b", "1")?, object("c", "")?];
        let (journal, known) = Journal::begin(&handle, objects.iter())?;
        assert_eq!(known, vec![ByteRanges::default(); 3]);
        for (number, range) in [(0, 0..10), (1, 5..9), (0, 10..20), (2, 0..100)] {
            journal.record(number, &range, false)?;
        }
        // A kill cuts the last line short.
        let mut text = fs::read(&path)?;
        text.extend_from_slice(b"0 20 ");
        fs::write(&path, text)?;
        for _ in 0..2 {
            let again = [object("c", "")?, object("a", "1")?, object("b", "2")?];
            let (_, known) = Journal::begin(&handle, again.iter())?;
            assert_eq!(known.iter().map(ByteRanges::total).collect::<Vec<_>>(), [0, 20, 0]);
        }
        Ok(())
    }
}
