//! Manifest: the journal of a download of many objects. There can be millions, so that none of its parts holds them all
//! in memory.
//!
//! The objects that S3 lists are first written to a file ([`ObjectListing`]), sorted by key. The file is then merged
//! with the journal of an earlier download, which has the same order ([`merge`]): files of objects that are gone or
//! have changed are removed, and the written ranges of the others are taken over. The first part of the new journal
//! names every object, followed by its written ranges; [`Manifest::entries`] reads it from the start for each pass over
//! the objects. New records are appended behind it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Take, Write};
use std::iter::Peekable;
use std::path::Path;

use nix::fcntl::OFlag;

use super::byte_ranges::ByteRanges;
use super::journal::{Journal, ObjectIdentity, parse_range, parse_whole, range_line, whole_line};
use super::keys::PrefixEntry;
use super::layout::{ARCHIVE, FILES, JOURNAL, LISTING, NEW_JOURNAL};
use crate::archive::DirHandle;
use crate::model::S3Uri;

/// File to which the objects below a prefix are listed.
pub(super) struct ObjectListing {
    folder: DirHandle,
    to: BufWriter<File>,
    last: Option<Box<str>>,
    is_in_order: bool,
    pub(super) count: usize,
    /// Total size of the objects, in bytes.
    pub(super) bytes: u64,
}

impl ObjectListing {
    pub(super) fn begin(folder: &DirHandle) -> io::Result<Self> {
        let to = BufWriter::new(new_file(folder, LISTING)?);
        let folder = folder.try_clone()?;
        Ok(Self { folder, to, last: None, is_in_order: true, count: 0, bytes: 0 })
    }

    pub(super) fn add(&mut self, below: &PrefixEntry) -> io::Result<()> {
        self.is_in_order &= self.last.as_deref().is_none_or(|last| last < &*below.key);
        self.last = Some(below.key.clone());
        self.count += 1;
        self.bytes += below.size;
        serde_json::to_writer(&mut self.to, below)?;
        self.to.write_all(b"\n")
    }

    /// Ends the list, and sorts it by key if needed. S3 lists the keys of most buckets in order; otherwise all keys are
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

    /// Reads the objects back, once the list is finished.
    pub(super) fn objects(&self) -> io::Result<impl Iterator<Item = io::Result<PrefixEntry>> + use<>> {
        let file = self.folder.open_file(Path::new(LISTING), OFlag::O_RDONLY)?;
        Ok(BufReader::new(file).lines().map(|line| Ok(serde_json::from_str(&line?)?)))
    }
}

/// Creates a file in place of any existing one.
fn new_file(folder: &DirHandle, name: &str) -> io::Result<File> {
    folder.remove(name.as_ref())?;
    folder.open_file(Path::new(name), OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL)
}

/// All objects of a download, in the first part of a journal.
pub(super) struct Manifest {
    folder: DirHandle,
    /// Length of that part, in bytes.
    length: u64,
    prefix: String,
    /// Number of bytes fetched by an earlier download.
    pub(super) present: u64,
}

/// An object in a manifest.
pub(super) struct ManifestEntry {
    pub(super) number: usize,
    pub(super) below: PrefixEntry,
    /// Stretches that are there.
    pub(super) known: ByteRanges,
}

impl Manifest {
    /// Reads the objects in order, with the ranges that were written when the download began.
    pub(super) fn entries(&self) -> io::Result<ManifestEntries> {
        let file = self.folder.open_file(Path::new(JOURNAL), OFlag::O_RDONLY)?;
        Ok(ManifestEntries::new(file, self.length, &self.prefix))
    }
}

/// Merges a list with the journal of an earlier download, and begins the journal of this one. Returns also the folder
/// of the files.
pub(super) fn merge(
    folder: &DirHandle,
    listing: &ObjectListing,
    from: &S3Uri,
) -> io::Result<(Manifest, Journal, DirHandle)> {
    let mut before = PreviousDownload::read(folder, from)?;
    if before.is_none() {
        for name in [JOURNAL, ARCHIVE, FILES] {
            folder.remove(name.as_ref())?;
        }
    }
    let files = folder.create_folders(Path::new(FILES))?;
    let mut new = BufWriter::new(new_file(folder, NEW_JOURNAL)?);
    let mut present = 0;
    for (number, below) in listing.objects()?.enumerate() {
        let below = below?;
        let known = match &mut before {
            Some(before) => before.of(&below, &files)?,
            None => ByteRanges::default(),
        };
        present += known.total();
        write_entry(&mut new, number, &ObjectIdentity::of(&below.object(from)), &known, below.size)?;
    }
    before.map_or(Ok(()), |before| before.remove_rest(&files))?;
    let length = new.stream_position()?;
    new.flush()?;
    folder.rename(NEW_JOURNAL.as_ref(), folder, JOURNAL.as_ref())?;
    folder.remove(LISTING.as_ref())?;
    let manifest = Manifest { folder: folder.try_clone()?, length, prefix: from.to_string(), present };
    Ok((manifest, Journal::open(folder)?, files))
}

/// Writes the first records of an object.
fn write_entry(
    to: &mut impl Write,
    number: usize,
    content: &ObjectIdentity,
    known: &ByteRanges,
    size: u64,
) -> io::Result<()> {
    writeln!(to, "object {number} {}", serde_json::to_string(content)?)?;
    for range in known.iter() {
        to.write_all(range_line(number, &range).as_bytes())?;
    }
    let is_whole = size > 0 && known.missing(size).is_empty();
    if is_whole { to.write_all(whole_line(number).as_bytes()) } else { Ok(()) }
}

/// Iterator over the objects of a journal. Lines that cannot be parsed, such as one cut short by a kill, are ignored.
pub(super) struct ManifestEntries {
    lines: io::Split<BufReader<Take<File>>>,
    prefix: String,
    next: Option<ManifestEntry>,
}

impl ManifestEntries {
    fn new(file: File, length: u64, prefix: &str) -> Self {
        Self { lines: BufReader::new(file.take(length)).split(b'\n'), prefix: prefix.to_owned(), next: None }
    }

    fn entry(&self, line: &str) -> Option<ManifestEntry> {
        let (number, content) = parse_object(line)?;
        let ObjectIdentity { uri, version, size } = content;
        let key = uri.strip_prefix(&self.prefix)?;
        let below = PrefixEntry { key: key.into(), size, version: version.map(Into::into) };
        Some(ManifestEntry { number, below, known: ByteRanges::default() })
    }
}

/// Parses the record of an object.
fn parse_object(line: &str) -> Option<(usize, ObjectIdentity)> {
    let (number, content) = line.strip_prefix("object ")?.split_once(' ')?;
    Some((number.parse().ok()?, serde_json::from_str(content).ok()?))
}

impl Iterator for ManifestEntries {
    type Item = io::Result<ManifestEntry>;

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
            } else if let (Some((number, range)), Some(entry)) = (parse_range(line), &mut self.next)
                && number == entry.number as u64
            {
                entry.known.add(range);
            }
        }
    }
}

/// State that an earlier download of the same prefix has left.
struct PreviousDownload {
    entries: Peekable<ManifestEntries>,
    journaled: JournaledRanges,
}

impl PreviousDownload {
    /// Reads the state; `None` if there is none to resume from.
    fn read(folder: &DirHandle, from: &S3Uri) -> io::Result<Option<Self>> {
        let open = || folder.open_file(Path::new(JOURNAL), OFlag::O_RDONLY);
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let journaled = JournaledRanges::read(file)?;
        let mut entries = ManifestEntries::new(open()?, u64::MAX, &from.to_string()).peekable();
        Ok(entries.peek().is_some().then_some(Self { entries, journaled }))
    }

    /// Returns the written ranges of an object. Must be called in the order of the keys. Removes the files of earlier
    /// objects that are listed no more, and the object's own if it has changed.
    fn of(&mut self, below: &PrefixEntry, files: &DirHandle) -> io::Result<ByteRanges> {
        while let Some(gone) = self.take_if(|entry| entry.below.key < below.key)? {
            remove(files, gone.below.path())?;
        }
        let same = self.take_if(|entry| entry.below.key == below.key)?;
        let same = same.filter(|entry| entry.below == *below && below.version.is_some());
        let Some(entry) = same else {
            remove(files, below.path())?;
            return Ok(ByteRanges::default());
        };
        let known = self.journaled.of(entry.number, below.size);
        checked_length(files, below, known)
    }

    fn take_if(&mut self, is_wanted: impl Fn(&ManifestEntry) -> bool) -> io::Result<Option<ManifestEntry>> {
        self.entries.next_if(|entry| entry.as_ref().map_or(true, &is_wanted)).transpose()
    }

    fn remove_rest(mut self, files: &DirHandle) -> io::Result<()> {
        self.entries.try_for_each(|entry| remove(files, entry?.below.path()))
    }
}

/// Returns the ranges if the file is long enough to hold them; else removes it.
fn checked_length(files: &DirHandle, below: &PrefixEntry, known: ByteRanges) -> io::Result<ByteRanges> {
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

/// Removes a file and its parent folders, as far as they are empty.
pub(super) fn remove(files: &DirHandle, path: &Path) -> io::Result<()> {
    let parent = path.parent().unwrap_or(Path::new(""));
    files.create_folders(parent)?.remove(path.file_name().unwrap_or_default())?;
    for folder in parent.ancestors().filter(|folder| !folder.as_os_str().is_empty()) {
        if !files.create_folders(folder)?.entries(1)?.is_empty() {
            break;
        }
        let outer = files.create_folders(folder.parent().unwrap_or(Path::new("")))?;
        outer.remove(folder.file_name().unwrap_or_default())?;
    }
    Ok(())
}

/// Written ranges by object number: one bit for each complete object, and the ranges of the others.
#[derive(Default)]
struct JournaledRanges {
    is_whole: Vec<bool>,
    others: HashMap<u64, ByteRanges>,
}

impl JournaledRanges {
    fn read(journal: File) -> io::Result<Self> {
        let mut journaled = Self::default();
        for line in BufReader::new(journal).split(b'\n') {
            let line = line?;
            let Ok(line) = std::str::from_utf8(&line) else { continue };
            if line.starts_with("object ") {
                journaled.is_whole.push(false);
            } else if let Some(number) = parse_whole(line) {
                journaled.others.remove(&(number as u64));
                if let Some(is_whole) = journaled.is_whole.get_mut(number) {
                    *is_whole = true;
                }
            } else if let Some((number, range)) = parse_range(line) {
                journaled.others.entry(number).or_default().add(range);
            }
        }
        Ok(journaled)
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
