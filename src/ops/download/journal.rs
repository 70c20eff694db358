//! What has been fetched so far, noted beside it, so that a download that was killed goes on from there.
//!
//! One line a fact: `object 0 {"uri":...}`, then `0 4194304 4718592` for each stretch of its bytes that has been written, and
//! `0 whole` once all of it has, where there are many objects.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::ops::Range;
use std::path::Path;

use nix::fcntl::OFlag;
use serde::{Deserialize, Serialize};

use super::byte_ranges::ByteRanges;
use super::staging::JOURNAL;
use crate::archive::DirHandle;
use crate::cloud::Object;

/// The name of the new journal until it replaces the old one.
pub(super) const NEW: &str = "fetched.new";

#[derive(Debug)]
pub(super) struct Journal {
    file: File,
}

/// Which content it is that was fetched: another is of no use.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) uri: String,
    /// See [`Object::version`].
    pub(super) version: Option<String>,
    pub(super) size: u64,
}

impl Content {
    pub(super) fn of(object: &Object) -> Self {
        Self { uri: object.uri.to_string(), version: object.version.clone(), size: object.size }
    }
}

impl Journal {
    /// Goes on with the notes that are there, of those of these objects that are still what they were. Others are forgotten.
    pub(super) fn begin<O: Borrow<Object>>(
        folder: &DirHandle,
        objects: impl Iterator<Item = O> + Clone,
    ) -> io::Result<(Self, Vec<ByteRanges>)> {
        let mut before = read(folder)?;
        let known: Vec<ByteRanges> = objects
            .clone()
            .map(|object| {
                let object = object.borrow();
                before.remove(&Content::of(object)).filter(|_| object.version.is_some()).unwrap_or_default()
            })
            .collect();
        folder.remove(NEW.as_ref())?;
        let how = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;
        let mut new = BufWriter::new(folder.open_file(Path::new(NEW), how)?);
        notes(objects, &known, &mut new)?;
        new.flush()?;
        folder.rename(NEW.as_ref(), folder, JOURNAL.as_ref())?;
        Ok((Self::open(folder)?, known))
    }

    /// Opens the journal that stands in a folder, to note more.
    pub(super) fn open(folder: &DirHandle) -> io::Result<Self> {
        let file = folder.open_file(Path::new(JOURNAL), OFlag::O_WRONLY | OFlag::O_APPEND)?;
        Ok(Self { file })
    }

    /// Notes that a stretch of an object's bytes has been written, and, if it was the last one, that the object is whole.
    pub(super) fn note(&self, object: usize, range: &Range<u64>, is_whole: bool) -> io::Result<()> {
        let mut lines = line(object, range);
        if is_whole {
            lines.push_str(&whole_line(object));
        }
        // One call, so that a line is whole or not there.
        (&self.file).write_all(lines.as_bytes())
    }

    /// Notes that all of an object has been written.
    pub(super) fn note_whole(&self, object: usize) -> io::Result<()> {
        (&self.file).write_all(whole_line(object).as_bytes())
    }
}

pub(super) fn whole_line(object: usize) -> String {
    format!("{object} whole\n")
}

/// Returns the object that a line notes as whole.
pub(super) fn whole(line: &str) -> Option<usize> {
    line.strip_suffix(" whole")?.parse().ok()
}

pub(super) fn line(object: usize, range: &Range<u64>) -> String {
    format!("{object} {} {}\n", range.start, range.end)
}

fn notes<O: Borrow<Object>>(
    objects: impl Iterator<Item = O>,
    known: &[ByteRanges],
    to: &mut impl Write,
) -> io::Result<()> {
    for (number, (object, extents)) in objects.zip(known).enumerate() {
        writeln!(to, "object {number} {}", serde_json::to_string(&Content::of(object.borrow()))?)?;
        for range in extents.iter() {
            to.write_all(line(number, &range).as_bytes())?;
        }
    }
    Ok(())
}

/// Whether there is anything to go on from.
pub(super) fn is_begun(folder: &DirHandle) -> io::Result<bool> {
    let file = match folder.open_file(Path::new(JOURNAL), OFlag::O_RDONLY) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    for line in BufReader::new(file).split(b'\n') {
        if std::str::from_utf8(&line?).ok().and_then(stretch).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Lines that can't be read, like one that a kill cut short, say nothing.
fn read(folder: &DirHandle) -> io::Result<HashMap<Content, ByteRanges>> {
    let file = match folder.open_file(Path::new(JOURNAL), OFlag::O_RDONLY) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashMap::new()),
        file => file?,
    };
    let (mut contents, mut extents) = (HashMap::new(), HashMap::<u64, ByteRanges>::new());
    for line in BufReader::new(file).split(b'\n') {
        let line = line?;
        let Ok(line) = std::str::from_utf8(&line) else { continue };
        if let Some((number, content)) = line.strip_prefix("object ").and_then(|rest| rest.split_once(' ')) {
            let (Ok(number), Ok(content)) = (number.parse(), serde_json::from_str(content)) else { continue };
            contents.insert(number, content);
        } else if let Some((number, range)) = stretch(line) {
            extents.entry(number).or_default().add(range);
        }
    }
    let of_content =
        contents.into_iter().map(|(number, content)| (content, extents.remove(&number).unwrap_or_default()));
    Ok(of_content.collect())
}

pub(super) fn stretch(line: &str) -> Option<(u64, Range<u64>)> {
    let mut numbers = line.split(' ').map(str::parse::<u64>);
    let (object, start, end) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
    numbers.next().is_none().then_some((object, start..end))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::S3Uri;

    fn object(key: &str, version: &str) -> Result<Object, Box<dyn std::error::Error>> {
        let uri = S3Uri::parse(&format!("s3://bucket/{key}"))?;
        Ok(Object { uri, size: 100, version: Some(version.to_owned()).filter(|version| !version.is_empty()), version_id: None, checksum: None, file: None })
    }

    #[test]
    fn what_was_noted_is_known_again_of_what_is_still_the_same() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let (path, handle) = (folder.path().join(JOURNAL), DirHandle::at(folder.path())?);
        let objects = [object("a", "1")?, object("b", "1")?, object("c", "")?];
        let (journal, known) = Journal::begin(&handle, objects.iter())?;
        assert_eq!(known, vec![ByteRanges::default(); 3]);
        for (number, range) in [(0, 0..10), (1, 5..9), (0, 10..20), (2, 0..100)] {
            journal.note(number, &range, false)?;
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
