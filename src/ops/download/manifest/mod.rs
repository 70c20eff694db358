//! The journal of a download of many objects, of which there can be millions: none of its parts holds them all in memory.
//!
//! What S3 lists is written to a file first ([`Listing`]), and brought into the order of the keys where S3 lists it in
//! another. It is then merged with the journal of an earlier download, which has the same order: objects that are no longer
//! there, or have another content, lose their files, and of the others it is known what has been fetched ([`merge`]). The
//! first part of the new journal names every object in order, each followed by the stretches that are there, and is read
//! from its start whenever all objects are gone through ([`Manifest::entries`]). Behind it stands what came since.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Take, Write};
use std::iter::Peekable;
use std::path::Path;

use nix::fcntl::OFlag;

use super::byte_ranges::ByteRanges;
use super::journal::{Content, Journal, NEW, line, stretch, whole, whole_line};
use super::keys::Below;
use super::staging::{ARCHIVE, FILES, JOURNAL};
use crate::archive::DirHandle;
use crate::model::S3Uri;

/// The file that objects are listed to.
pub(super) const LISTED: &str = "listed";

/// Objects below a prefix, while they are listed.
pub(super) struct Listing {
    folder: DirHandle,
    to: BufWriter<File>,
    last: Option<Box<str>>,
    is_in_order: bool,
    pub(super) count: usize,
    /// Of all of them.
    pub(super) bytes: u64,
}

impl Listing {
    pub(super) fn begin(folder: &DirHandle) -> io::Result<Self> {
        let (to, folder) = (BufWriter::new(new_file(folder, LISTED)?), folder.try_clone()?);
        Ok(Self { folder, to, last: None, is_in_order: true, count: 0, bytes: 0 })
    }

    pub(super) fn add(&mut self, below: &Below) -> io::Result<()> {
        self.is_in_order &= self.last.as_deref().is_none_or(|last| last < &*below.key);
        self.last = Some(below.key.clone());
        self.count += 1;
        self.bytes += below.size;
        serde_json::to_writer(&mut self.to, below)?;
        self.to.write_all(b"\n")
    }

    /// Ends the list, and sees to it that it is in order. S3 lists most buckets so; of a bucket that it doesn't, all keys are
    /// sorted in memory.
    pub(super) fn finish(mut self) -> io::Result<Self> {
        self.to.flush()?;
        if self.is_in_order {
            return Ok(self);
        }
        let mut all = self.objects()?.collect::<io::Result<Vec<_>>>()?;
        all.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        all.dedup_by(|one, other| one.key == other.key);
        let mut sorted = Self::begin(&self.folder)?;
        all.iter().try_for_each(|below| sorted.add(below))?;
        sorted.to.flush()?;
        Ok(sorted)
    }

    /// The objects that were listed, once that is finished.
    pub(super) fn objects(&self) -> io::Result<impl Iterator<Item = io::Result<Below>> + use<>> {
        let file = self.folder.open_file(Path::new(LISTED), OFlag::O_RDONLY)?;
        Ok(BufReader::new(file).lines().map(|line| Ok(serde_json::from_str(&line?)?)))
    }
}

fn new_file(folder: &DirHandle, name: &str) -> io::Result<File> {
    folder.remove(name.as_ref())?;
    folder.open_file(Path::new(name), OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL)
}

/// All objects of a download, in a file.
pub(super) struct Manifest {
    folder: DirHandle,
    /// The length of the journal's first part, in bytes.
    length: u64,
    prefix: String,
    /// Bytes that need not be fetched.
    pub(super) there: u64,
}

/// An object of a manifest.
pub(super) struct Entry {
    pub(super) number: usize,
    pub(super) below: Below,
    /// Stretches that are there.
    pub(super) known: ByteRanges,
}

impl Manifest {
    /// The objects in order, with what was there of each when the download began.
    pub(super) fn entries(&self) -> io::Result<Entries> {
        let file = self.folder.open_file(Path::new(JOURNAL), OFlag::O_RDONLY)?;
        Ok(Entries::new(file, self.length, &self.prefix))
    }
}

/// Merges a list with what an earlier download noted, and begins the journal of this one.
pub(super) fn merge(folder: &DirHandle, listing: &Listing, from: &S3Uri) -> io::Result<(Manifest, Journal, DirHandle)> {
    let mut before = Before::read(folder, from)?;
    if before.is_none() {
        for name in [JOURNAL, ARCHIVE, FILES] {
            folder.remove(name.as_ref())?;
        }
    }
    let files = folder.make_folders(Path::new(FILES))?;
    let mut new = BufWriter::new(new_file(folder, NEW)?);
    let mut there = 0;
    for (number, below) in listing.objects()?.enumerate() {
        let below = below?;
        let known = match &mut before {
            Some(before) => before.of(&below, &files)?,
            None => ByteRanges::default(),
        };
        there += known.total();
        write_entry(&mut new, number, &Content::of(&below.object(from)), &known, below.size)?;
    }
    before.map_or(Ok(()), |before| before.remove_rest(&files))?;
    let length = new.stream_position()?;
    new.flush()?;
    folder.rename(NEW.as_ref(), folder, JOURNAL.as_ref())?;
    folder.remove(LISTED.as_ref())?;
    let manifest = Manifest { folder: folder.try_clone()?, length, prefix: from.to_string(), there };
    Ok((manifest, Journal::open(folder)?, files))
}

fn write_entry(to: &mut impl Write, number: usize, content: &Content, known: &ByteRanges, size: u64) -> io::Result<()> {
    writeln!(to, "object {number} {}", serde_json::to_string(content)?)?;
    for range in known.iter() {
        to.write_all(line(number, &range).as_bytes())?;
    }
    let is_whole = size > 0 && known.missing(size).is_empty();
    if is_whole { to.write_all(whole_line(number).as_bytes()) } else { Ok(()) }
}

/// Reads the entries of a journal. Lines that can't be read, like one that a kill cut short, say nothing.
pub(super) struct Entries {
    lines: io::Split<BufReader<Take<File>>>,
    prefix: String,
    next: Option<Entry>,
}

impl Entries {
    fn new(file: File, length: u64, prefix: &str) -> Self {
        Self { lines: BufReader::new(file.take(length)).split(b'\n'), prefix: prefix.to_owned(), next: None }
    }

    fn entry(&self, line: &str) -> Option<Entry> {
        let (number, content) = object(line)?;
        let Content { uri, version, size } = content;
        let key = uri.strip_prefix(&self.prefix)?;
        let below = Below { key: key.into(), size, version: version.map(Into::into) };
        Some(Entry { number, below, known: ByteRanges::default() })
    }
}

fn object(line: &str) -> Option<(usize, Content)> {
    let (number, content) = line.strip_prefix("object ")?.split_once(' ')?;
    Some((number.parse().ok()?, serde_json::from_str(content).ok()?))
}

impl Iterator for Entries {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = match self.lines.next() {
                None => return self.next.take().map(Ok),
                Some(Err(error)) => return Some(Err(error)),
                Some(Ok(line)) => line,
            };
            let Ok(line) = std::str::from_utf8(&line) else { continue };
            if let Some(entry) = self.entry(line) {
                if let Some(entry) = self.next.replace(entry) {
                    return Some(Ok(entry));
                }
            } else if let (Some((number, range)), Some(entry)) = (stretch(line), &mut self.next)
                && number == entry.number as u64
            {
                entry.known.add(range);
            }
        }
    }
}

/// What an earlier download of the same folder has left.
struct Before {
    entries: Peekable<Entries>,
    noted: Noted,
}

impl Before {
    /// None where there is nothing to go on from.
    fn read(folder: &DirHandle, from: &S3Uri) -> io::Result<Option<Self>> {
        let open = || folder.open_file(Path::new(JOURNAL), OFlag::O_RDONLY);
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let noted = Noted::read(file)?;
        let mut entries = Entries::new(open()?, u64::MAX, &from.to_string()).peekable();
        Ok(entries.peek().is_some().then_some(Self { entries, noted }))
    }

    /// Returns what is there of an object, which comes after the last one that was asked for. Takes away the files of those
    /// between that are listed no more, and its own where it has another content.
    fn of(&mut self, below: &Below, files: &DirHandle) -> io::Result<ByteRanges> {
        while let Some(gone) = self.take_if(|entry| entry.below.key < below.key)? {
            remove(files, gone.below.path())?;
        }
        let same = self.take_if(|entry| entry.below.key == below.key)?;
        let same = same.filter(|entry| entry.below == *below && below.version.is_some());
        let Some(entry) = same else {
            remove(files, below.path())?;
            return Ok(ByteRanges::default());
        };
        let known = self.noted.of(entry.number, below.size);
        checked_length(files, below, known)
    }

    fn take_if(&mut self, is_wanted: impl Fn(&Entry) -> bool) -> io::Result<Option<Entry>> {
        self.entries.next_if(|entry| entry.as_ref().map_or(true, &is_wanted)).transpose()
    }

    fn remove_rest(mut self, files: &DirHandle) -> io::Result<()> {
        self.entries.try_for_each(|entry| remove(files, entry?.below.path()))
    }
}

/// Forgets what is known of a file that is not as long as that.
fn checked_length(files: &DirHandle, below: &Below, known: ByteRanges) -> io::Result<ByteRanges> {
    let length = match files.open_file(below.path(), OFlag::O_RDONLY) {
        Ok(file) => file.metadata()?.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    if length <= below.size && known.iter().all(|range| range.end <= length) {
        return Ok(known);
    }
    remove(files, below.path())?;
    Ok(ByteRanges::default())
}

/// Removes a file, and the folders around it that hold nothing else.
pub(super) fn remove(files: &DirHandle, path: &Path) -> io::Result<()> {
    let parent = path.parent().unwrap_or(Path::new(""));
    files.make_folders(parent)?.remove(path.file_name().unwrap_or_default())?;
    for folder in parent.ancestors().filter(|folder| !folder.as_os_str().is_empty()) {
        if !files.make_folders(folder)?.entries(1)?.is_empty() {
            break;
        }
        let outer = files.make_folders(folder.parent().unwrap_or(Path::new("")))?;
        outer.remove(folder.file_name().unwrap_or_default())?;
    }
    Ok(())
}

/// The stretches that a journal notes: one bit of those objects that are whole, and all of others.
#[derive(Default)]
struct Noted {
    is_whole: Vec<bool>,
    others: HashMap<u64, ByteRanges>,
}

impl Noted {
    fn read(journal: File) -> io::Result<Self> {
        let mut noted = Self::default();
        for line in BufReader::new(journal).split(b'\n') {
            let line = line?;
            let Ok(line) = std::str::from_utf8(&line) else { continue };
            if line.starts_with("object ") {
                noted.is_whole.push(false);
            } else if let Some(number) = whole(line) {
                noted.others.remove(&(number as u64));
                if let Some(is_whole) = noted.is_whole.get_mut(number) {
                    *is_whole = true;
                }
            } else if let Some((number, range)) = stretch(line) {
                noted.others.entry(number).or_default().add(range);
            }
        }
        Ok(noted)
    }

    fn of(&mut self, number: usize, size: u64) -> ByteRanges {
        let mut known = self.others.remove(&(number as u64)).unwrap_or_default();
        if self.is_whole.get(number).is_some_and(|is_whole| *is_whole) {
            known.add(0..size);
        }
        known
    }
}

#[cfg(test)]
mod tests;
